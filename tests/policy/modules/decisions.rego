package aegis

# Every element contributes; the most severe word wins.
decisions contains {"decision": "deny", "rule": "large"} if input.params.amount > data.limits.most

decisions contains {"decision": "escalate", "rule": name} if {
	some name, least in data.limits.review
	input.params.amount >= least
}
