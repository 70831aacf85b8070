package hoist

# The limit and the set do not depend on the item; its price does.
over contains item.name if {
	some item in input.items
	item.price > input.limit + 1
	item.kind in allowed
}

allowed := {input.first, input.second}
