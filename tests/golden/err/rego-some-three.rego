package a

p if {
	some x, y, z in input.xs
}
