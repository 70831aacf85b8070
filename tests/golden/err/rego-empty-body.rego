package a

p if {
}

q if {
	every x in [1] {
	}
}
