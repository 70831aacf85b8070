# Role-based access: decisions and effects of a module.
package aegis

import data.rbac

kind := split(input.target, "/")[0]

# Permissions of the agent, over all of its roles.
granted contains permission if {
	some role in rbac.bindings[input.agent]
	some permission in rbac.roles[role]
}

permitted if {
	some permission in granted
	permission.verb in {input.type, "*"}
	permission.kind in {kind, "*"}
}

# 1: what a role permits is allowed.
decisions contains {"decision": "allow", "rule": "role", "risk_level": "low"} if permitted

# 2: an agent that nobody bound to a role is named as such.
decisions contains {"decision": "deny", "rule": "no-role", "message": "the agent has no role"} if {
	not rbac.bindings[input.agent]
}

# 3: nobody writes what is frozen.
decisions contains {"decision": "deny", "rule": "frozen", "risk_level": "high"} if {
	input.type != "read"
	input.target in rbac.frozen
}

# 4: deleting needs a person, whoever asks.
decisions contains {"decision": "escalate", "rule": "delete", "risk_level": "high"} if {
	permitted
	input.type == "delete"
}

# 5: at night writes are watched.
decisions contains {"decision": "monitor", "rule": "night"} if {
	permitted
	input.type != "read"
	aegis.time.within("20:00-06:00", "UTC")
}

cost := 1 if input.type == "read"

cost := 5 if input.type != "read"

effects contains {"op": "rate.take", "limit": "role-calls", "key": [input.tenant, input.agent], "n": cost} if permitted

effects contains {"op": "quota.take", "limit": "exports", "key": [input.tenant, input.agent]} if {
	permitted
	input.type == "export"
}

effects contains {"op": "audit.note", "text": sprintf("%s has %d permissions", [input.agent, count(granted)])} if {
	not permitted
}
