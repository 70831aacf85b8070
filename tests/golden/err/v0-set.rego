package a

names[x] {
	x := input.xs[_]
}
