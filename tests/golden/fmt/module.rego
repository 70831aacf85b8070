# METADATA
# title: everything a module holds
package example.rules["with-dash"]

import data.other as o
import future.keywords.in
import rego.v1

default allow := false

allow if input.user == "root" # one line

allow := true if {
	some role in input.roles
	role.name in {"admin", "owner"}; not role.expired
} else := "later" if every x in input.xs {
	x > 1
} else := null

names contains name if some name, _ in data.users

names contains "x"

by_id[id].name := u.name if u := data.users[id]

path.to["a b"] contains [x, y] if {
	x := 1
	y := -x
} {
	[x, y] = [input.a, input.b]
}

default f(_) := 0

# METADATA
# scope: document
# authors:
#   - Ann Example <ann@example.com>
f({"a": x, "b": [y, _]}) := ((x + y) * 2) % 3

contains.if := {k: v | v := input[k]}

text := $"{input.a}, {[1 | true]}" if input.if.contains["not"] == `raw
text`
