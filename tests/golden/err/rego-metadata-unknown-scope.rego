package a

# METADATA
# scope: file
p := 1
