package a

p := := 1

q if {
	x == 
	y := 1 2
	z
}

r contains

s := 3

t if with
