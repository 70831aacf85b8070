package aegis

decisions contains {"decision": "deny", "rule": "deep", "reason": "nested"} if {
	input.type == "write"
	count(data.every.deep) > 0
}

decisions contains {"decision": "escalate", "rule": name} if {
	some name, least in data.thresholds
	input.params.amount >= least
}
