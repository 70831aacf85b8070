package a

p := 1e40000
