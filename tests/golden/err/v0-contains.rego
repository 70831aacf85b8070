package a

names contains x {
	x := 1
}
