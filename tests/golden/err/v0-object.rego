package a

ages[name] = age {
	age := input.ages[name]
}
