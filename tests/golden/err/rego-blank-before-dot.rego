package a

p := input .x
