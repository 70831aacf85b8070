package t

import data.roles as r

# Literals stand where their variables allow.
p := z if {
	z := y + 1
	y = x * 2
	x = input.xs[i]
	r[i]
}

# A call and the reference it takes become literals of their own where no order of whole literals exists.
q if {
	f(input.xs[i]) == k
	k = i + 1
}

f(x) := x + 1

# Matches of arrays go element by element where both sides bind.
s := [a, b] if [a, b] = [b, input.x]

# The term of a head that steps through something is bound in the body.
names contains input.users[_].name

pairs := [[x, y] | x = y; y = input.ys[_]]
