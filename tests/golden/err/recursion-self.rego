package t

p if not p
