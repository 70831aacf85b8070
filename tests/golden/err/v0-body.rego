package a

allow {
	input.x
}
