package t

# What a negated call takes is evaluated outside of the negation; a comparison with == is not.
p if not startswith(input.name, "x")

q if not input.name == "x"

r if not count(input.names) == 2

s if {
	not t with input.y as input.z
	print("not here", input.x)
}

t if input.y
