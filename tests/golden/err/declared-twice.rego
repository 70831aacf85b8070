package t

p if {
	some x
	some x in input.xs
	x > 1
}
