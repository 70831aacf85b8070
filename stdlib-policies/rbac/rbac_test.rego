package aegis_test

import data.aegis

names(action) := found if {
	found := {d.rule | some d in aegis.decisions} with input as action
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
	aegis.effects == {{"op": "rate.take", "limit": "role-calls", "key": ["t", "cy"], "n": 1}} with input as read
	export := {"type": "export", "target": "report/q1", "agent": "ann", "tenant": "t"}
	count(aegis.effects) == 2 with input as export
	some note in aegis.effects with input as {"type": "x", "target": "y", "agent": "cy", "tenant": "t"}
	note.text == "cy has 1 permissions"
}
