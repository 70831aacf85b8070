# What only the machine's other sections see: dynamic calls, memory of answers, frames, tables of values.
package images

import data.images.deep

base := {"a": 1, "b": [true, null, "text", 2.5, 1e400], "c": {"d": {1, "x"}}}

named.a := 1

named.b := base.c if input.pick

named.c[k] := v if some k, v in input.params

picked := data.images.named[input.pick]

all_named contains [k, v] if {
	some k in ["a", "b", "c"]
	v := data.images.named[k]
}

step := base[input.pick][input.x]

user(name) := u if {
	some u in input.users
	u.name == name
}

roles := [user("a").role, user("b").role, user("a").role]

masked := [r, s] if {
	r := roles with input.users as [{"name": "a", "role": "z"}]
	s := deep.q with data.images.base as {"c": 7}
}

mocked := x if x := user("a") with data.images.user as other

other(_) := {"role": "none"}

builtin := x if x := abs(-1) with abs as negated

negated(x) := 0 - x

deep.q := base.c

level := 1 if input.type == "deploy"

level := 2 if input.type == "pay"

level := 3 if input.type == "read"

level := 4 if input.type in {"write", "query"}

level := 5 if glob.match("x*", [], input.type)

found contains m if some m in regex.find_n(`[a-z]+(\d|x){1,3}`, object.get(input, "target", ""), -1)

sums[k] := sum([v | some v in g]) if some k, g in {"a": [1, 2], "b": [], "c": input.params.rows}

union_of := {1, 2} | {x | some x in numbers.range(1, 9)} & {3, 4} - {5}

every_one if every k, v in input.params {
	k != v
	not v in union_of
}

conflict := input.x

conflict := input.y

paths contains p if walk(input, [p, "staging"])

clock := [time.clock([time.now_ns(), "Europe/Berlin"]), rand.intn("seed", 10), uuid.rfc4122("k")]

ratio := input.params.amount / 2 + 1 if input.x != input.y
