package a

p if {
	some x + 1
}
