package value

# The path, the sum and the function are computed once.
p if {
	input.a.b + input.c > 3
	input.a.b + input.c < 9
	f(input.a.b) == 4
	f(input.a.b) != input.c
}

f(x) := count([y | some y in numbers.range(0, x)])
