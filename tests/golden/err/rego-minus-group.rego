package a

p := -(1 + 2)
