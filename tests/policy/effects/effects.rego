package aegis

decisions contains {"decision": "allow", "rule": "small", "gates": ["quality"]} if input.params.amount < 10

decisions contains {"decision": "escalate", "rule": "weekend"} if aegis.time.weekday("UTC") > 5

effects contains {"op": "rate.take", "limit": "rated", "key": [input.tenant], "n": input.params.n} if input.params.n

effects contains {"op": "audit.note", "text": "large"} if input.params.amount >= 10

effects contains e if some e in input.params.raw

decisions contains e if some e in input.params.decisions
