package a

double(x) = y {
	y := x * 2
}
