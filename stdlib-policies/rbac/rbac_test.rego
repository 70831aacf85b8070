package aegis_test

import data.aegis

# Roles of their own, so that the tests do not depend on where documents were loaded.
roles := {
	"roles": {
		"viewer": [{"verb": "read", "kind": "report"}],
		"editor": [{"verb": "read", "kind": "report"}, {"verb": "write", "kind": "report"}],
		"owner": [{"verb": "*", "kind": "*"}],
	},
	"bindings": {"ann": ["owner"], "bob": ["editor"], "cy": ["viewer"], "old": []},
	"frozen": ["report/annual"],
}

names(action) := found if {
	found := {d.rule | some d in aegis.decisions} with input as action with data.rbac as roles
}

test_roles if {
	names({"type": "read", "target": "report/q1", "agent": "cy"}) == {"role"}
	names({"type": "write", "target": "report/q1", "agent": "cy"}) == set()
	"role" in names({"type": "write", "target": "report/q1", "agent": "bob"})
}

test_no_role if {
	names({"type": "read", "target": "report/q1", "agent": "eve"}) == {"no-role"}
	names({"type": "read", "target": "report/q1", "agent": "old"}) == set()
}

test_frozen if {
	"frozen" in names({"type": "write", "target": "report/annual", "agent": "ann"})
	names({"type": "read", "target": "report/annual", "agent": "ann"}) == {"role"}
}

test_delete if {
	"delete" in names({"type": "delete", "target": "report/q1", "agent": "ann"})
}

test_effects if {
	read := {"type": "read", "target": "report/q1", "agent": "cy", "tenant": "t"}
	aegis.effects == {{"op": "rate.take", "limit": "role-calls", "key": ["t", "cy"], "n": 1}} with input as read with data.rbac as roles
	export := {"type": "export", "target": "report/q1", "agent": "ann", "tenant": "t"}
	count(aegis.effects) == 2 with input as export with data.rbac as roles
	some note in aegis.effects with input as {"type": "x", "target": "y", "agent": "cy", "tenant": "t"} with data.rbac as roles
	note.text == "cy has 1 permissions"
}
