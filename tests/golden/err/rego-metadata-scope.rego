package a

# METADATA
# scope: package
# title: x
p := 1
