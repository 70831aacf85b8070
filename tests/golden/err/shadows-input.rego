package t

p if {
	input := {"a": 1}
	input.a == 1
}
