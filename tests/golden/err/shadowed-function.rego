package t

p if {
	count := 3
	count(input.xs) == count
}
