package group

# Grants are found by role and action; users by city; what asks for the key of an element is searched.
allow if {
	some role in input.roles
	some grant in data.roles[role].grants
	grant.action == input.action
	grant.type == input.type
}

neighbours := [u.name | some u in data.users; u.city == input.city]

places := [i | some i, u in data.users; u.city == input.city]
