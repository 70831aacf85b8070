package a

p if {
	x := [1, 2]
	x[0] == 1

q := 1
