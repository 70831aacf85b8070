package t

# A comparison reads both sides, it binds nothing.
p if x > 1
