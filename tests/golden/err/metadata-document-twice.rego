package app

# METADATA
# scope: document
# title: first
allow if input.a

# METADATA
# scope: document
# title: second
allow if input.b
