package t

# Each comprehension has an x of its own; the body's y reaches into both.
p if {
	y := 1
	a := {x | x = input.a[_]; x > y}
	b := {x | x = input.b[_]; x > y}
	a == b
}

# An undeclared name belongs to the outermost body that uses it.
q if {
	x = input.x
	count([1 | x = input.xs[_]]) > 1
}

f([x, {"k": y}], _) := {"x": x, "y": z} if {
	some z in input.zs
	z > y
} else := "none" if x == 1

count(x) := x

json_text := json.marshal(input)
