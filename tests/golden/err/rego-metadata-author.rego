package a

# METADATA
# authors:
# - {}
p := 1
