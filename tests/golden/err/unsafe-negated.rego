package t

p if {
	not input.roles[i] == "admin"
	not denied(input.roles[_])
}

denied(role) if role == "guest"
