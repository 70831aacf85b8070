package app

ok if every x in input.xs {
	count(x) == "one"
}
