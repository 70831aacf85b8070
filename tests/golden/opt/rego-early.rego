package early

# The only definition returns its value; two definitions have to agree.
default one := 0

one := n if {
	n := input.a
	n > 3
}

two := input.a

two := input.b
