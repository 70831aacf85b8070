package t

p := [y | y := x + 1]

q if {
	xs := [x | x := input.xs[_]; x > low]
	count(xs) > 0
}
