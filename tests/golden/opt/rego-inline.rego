package inline

# What one place calls becomes part of it; where a value goes on, what follows stands where it is found. A function
# that a loop calls stays one when it is memoised and does not begin the round.
default allow := false

allow if {
	is_admin
	not is_suspended
}

is_admin if "admin" in input.user.roles

is_suspended if {
	some s in input.user.states
	s.suspended
}

names contains n if {
	some n in input.names
	n != ""
	n in known
}

known contains k if some k, _ in input.index
