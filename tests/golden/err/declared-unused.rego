package t

p if {
	some i, j
	input.xs[i] == 1
}
