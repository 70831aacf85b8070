# METADATA
# title: everything that a module can hold
package every

import data.roles as known
import rego.v1

default limit := 1000

limit := 10 if input.agent == "b"

limit := 20 if input.agent in {"c", "d"} else := 30 if startswith(input.agent, "e")

# Functions: patterns, several definitions, a default.
default cost(_) := 0

cost({"amount": x}) := round(x * 1.5) if x > 0

cost([x, _]) := x

path.to[name] := u.role if some name, u in known

path.roles contains role if role := known[_].role

tags contains t if {
	some t in object.get(input, ["params", "tags"], [])
	is_string(t)
	not t == "bad"
}

small if {
	every t in tags {
		count(t) < 5
	}
} else := false

pairs := [[i, x] | some i, x in input.params.tags; i < 3]

table := {k: v | some k, v in input.params} if input.params

odd := {(x % 2) | some x in numbers.range(1, 5)}

as_admin if is_admin with input.agent as "admin" with data.roles as {"admin": {"role": "admin"}}

is_admin if known[input.agent].role == "admin"

text := $"{input.type} of {input.agent}, {[t | some t in tags]}"

later := time.add_date(time.now_ns(), 0, 0, 1)

matched if regex.match(`^[a-z]+-\d+$`, input.target)

deep contains p if walk(input.params, [p, 2.5e300])

whole := data.every.path
