package a

# METADATA
# entrypoint: true
# scope: rule
p := 1
