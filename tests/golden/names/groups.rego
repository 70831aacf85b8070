package t

default allow := false

allow if admins[input.user]

allow if owner

owner if resources[input.resource].owner == input.user

admins contains name if {
	some name
	data.users[name].role == "admin"
}

# One object, made of all that stands at and below the constant prefix.
resources[id].owner := o if some id, o in input.owners

resources.root.owner := "root"

x := data.other.y

walks contains path if walk(input, [path, 1])
