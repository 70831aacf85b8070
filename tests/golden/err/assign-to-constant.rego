package t

p if {
	[1, x] := input.xs
	x > 1
}
