package roles

has(role) if role in data.members[input.agent]

is_admin if has("admin")

ratio := input.params.a / input.params.b

pairs := {p.k: p.v | some p in input.params.pairs}
