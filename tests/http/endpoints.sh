#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every endpoint of the data plane, its statuses and bodies: native, agent-aegis (B15, B16, B19, B22), governance (A15 to
# A17), health. In: build directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"

cat >"$work/policy.yaml" <<'YAML'
version: "1"
name: endpoints
defaults: { risk_level: medium, approval: approve }
gates: { risk: {}, profit: {}, novelty: {}, complexity: {}, quality: {}, utility: {}, drift: {} }
limits:
  - { name: few, key: [agent], rate: 3/m, burst: 3, match: { type: "limited" } }
rules:
  - { name: reads, match: { type: "read*" }, risk_level: low, approval: auto }
  - { name: limited, match: { type: "limited" }, risk_level: low, approval: auto }
  - { name: writes, match: { type: "write*" }, risk_level: medium, approval: approve }
  - { name: deletes, match: { type: "delete*" }, risk_level: critical, approval: block }
YAML
serve_start || { not_ok "the server gets ready"; tap_done; }
ok "the server gets ready"

post /v1/decide '{"type":"read","target":"crm"}'
expect 200 '^\{"decision":"allow","is_allowed":true,"decision_id":"[a-z2-7]{24}",.*"rule":"reads".*"level":"journaled"\}\}$' \
    "decide: allow with its record"
post /v1/decide '{"type":"delete","target":"db"}'
expect 200 '"decision":"deny","is_allowed":false' "decide: deny is a decision, status 200"
post /v1/decide '{"type":"other"}'
expect 200 '"decision":"escalate","is_allowed":false.*"reason":"no_rule"' "decide: no rule takes the default"
post /v1/decide '[{"type":"read"},{"type":"delete"},{"type":7}]'
expect 200 '^\[\{"decision":"allow".*,\{"decision":"deny".*,\{"error":\{"code":"malformed"' "decide: a batch answers in order"
post /v1/decide '[]'
expect 400 'malformed' "decide: an empty batch is refused"
post /v1/decide "[$(printf '{"type":"read"},%.0s' $(seq 255)){\"type\":\"read\"}]"
expect 200 '^\[' "decide: 256 actions in a batch"
post /v1/decide "[$(printf '{"type":"read"},%.0s' $(seq 256)){\"type\":\"read\"}]"
expect 400 '256' "decide: 257 actions are too many"
post /v1/decide '{"type":"read",}'
expect 400 '"code":"malformed"' "decide: no JSON"
post /v1/decide '{"type":7}'
expect 422 'field' "decide: a field of the wrong type"
post /v1/decide '{"type":"a","type":"b"}'
expect 400 'malformed' "decide: a repeated key"
post /v1/decide "$(printf '{"type":"read\xff"}')"
expect 400 'malformed' "decide: no UTF-8"
post /v1/decide "$(printf '{"type":"read","params":{"a":%s1%s}}' "$(printf '[%.0s' $(seq 100))" "$(printf ']%.0s' $(seq 100))")"
[ "$(status)" = 400 ] || [ "$(status)" = 413 ]
check $? "decide: nesting beyond the limit" "$(status) $(body)"
post /v1/decide '{"type":"read","params":{"n":9007199254740993,"m":1e400}}'
expect 200 '"decision":"allow"' "decide: numbers beyond 2^53 and beyond a double are kept"

for n in 1 2 3; do post /v1/decide '{"type":"limited","agent":"a"}'; done
expect 200 '"decision":"allow"' "decide: the third of three"
post /v1/decide '{"type":"limited","agent":"a"}'
expect 200 '"decision":"throttle".*"retry_after":[0-9]+' "decide: the fourth is throttled, with a time"

check_call() { curl -s --max-time 10 -D "$work/head" -o "$work/body" -w '%{http_code}' -H "X-Aegis-Type: $1" -H 'X-Agent-Id: b' "http://$data/v1/check" >"$work/status"; }
check_call read
expect 200 '"decision":"allow"' "check: 200"
grep -qi '^X-Aegis-Decision: allow' "$work/head" && grep -qi '^X-Aegis-Decision-Id: ' "$work/head"
check $? "check: the record stands in headers" "$(cat "$work/head")"
check_call delete
expect 403 '"deny"' "check: 403"
check_call other
expect 403 '"escalate"' "check: escalate is 403"
for n in 1 2 3 4; do check_call limited; done
expect 429 '"throttle"' "check: 429"
grep -qiE '^Retry-After: [1-9]' "$work/head"
check $? "check: Retry-After" "$(cat "$work/head")"

post /api/v1/evaluate '{"action_type":"read","target":"crm"}'
expect 200 '^\{"action_type":"read","target":"crm","risk_level":"LOW","approval":"auto","is_allowed":true,"matched_rule":"reads"' "B15: one action"
post /api/v1/evaluate '{"type":"write","target":"x"}'
expect 200 '"approval":"approve","is_allowed":true' "B15: approve counts as allowed there"
post /api/v1/evaluate '{"type":"zzz","target":"x"}'
expect 200 '"matched_rule":"<default>"' "B15: the default"
post /api/v1/evaluate '{"actions":[{"type":"read","target":"a"},{"type":"delete","target":"b"}]}'
expect 200 '^\[\{.*"auto".*\},\{.*"block","is_allowed":false.*\}\]$' "B15: {actions} is answered by an array"
post /api/v1/evaluate '[{"type":"read","target":"a"}]'
expect 200 '^\{"action_type":"read"' "B15: a list of one is answered by an object"
post /api/v1/evaluate '{"type":'
expect 400 '"error":"Invalid JSON"' "B22: invalid JSON"
post /api/v1/evaluate '7'
expect 400 '"error":"Bad request"' "B22: neither object nor list"
post /api/v1/execute '{"type":"delete","target":"b"}'
expect 200 '^\{"action_type":"delete","target":"b","status":"blocked","data":null,"error":"deletes"\}$' "B16: the five fields"
post /api/v1/execute '{"type":"write","target":"b"}'
expect 200 '"status":"pending_approval","data":null,"error":null' "B16: pending_approval"
post /api/v1/execute '{"type":"read","target":"b"}'
expect 200 '"status":"allowed"' "B16: allowed"

good='"risk_baseline":0.02,"risk_proposed":0.05,"novelty_score":0.75,"complexity_score":0.8,"quality_score":0.9'
post /evaluate "{\"proposal_summary\":\"p\",$good}"
expect 200 '^\{"status":"proceed","decision_id":"[a-z2-7]{24}",.*"gates_passed":6,"gates_failed":0,"failing_gates":\[\]' "A15: proceed"
post /evaluate '{"proposal_summary":"p"}'
expect 200 '^\{"status":"pause".*"failing_gates":\["novelty"\]' "A15: pause"
post /evaluate "{\"proposal_summary\":\"p\",\"estimated_impact\":\"high\",$good}"
expect 200 '^\{"status":"escalate"' "A15: escalate"
post /evaluate "{\"proposal_summary\":\"p\",\"complexity_score\":0.1,\"novelty_score\":0.9}"
expect 200 '^\{"status":"halt"' "A15: halt"
series() { printf '['; for i in $(seq "$1"); do printf '%s%s' "${sep-}" "$2"; sep=,; done; printf ']'; sep=; }
same() { # NAME PROPOSAL: both answer with the same record
    local a b
    post /evaluate "$2"
    a=$(sed -E 's/"(decision_id|timestamp)":"[^"]*",//g' "$work/body")
    b=$(printf '%s' "$2" | "$aegis" evaluate "$work/policy.yaml" | sed -E 's/"(decision_id|timestamp)":"[^"]*",//g')
    [ -n "$a" ] && [ "$a" = "$b" ]
    check $? "A14: aegis evaluate and POST /evaluate agree: $1" "$a
$b"
}
same proceed "{\"proposal_summary\":\"p\",$good}"
same pause '{"proposal_summary":"p"}'
grep -q '"override_eligible":true,"override_requires":\["risk_lead","security_lead"\]' "$work/body"
check $? "A14: two people may override a failed gate" "$(body)"
same halt '{"proposal_summary":"p","complexity_score":0.1,"novelty_score":0.9}'
same "a flag" "{\"proposal_summary\":\"p\",\"requires_human_approval\":true,$good}"
grep -q '"override_eligible":false' "$work/body"
check $? "A14: a flag is no gate" "$(body)"
same drift "{\"proposal_summary\":\"p\",$good,\"drift_baseline_data\":$(series 30 0.05),\"drift_current_data\":$(series 30 0.95)}"
grep -q '^{"status":"escalate".*"gates_passed":6,"gates_failed":0,"failing_gates":\[\].*"drift":{"kl":[0-9.]*,"status":"critical"}' "$work/body"
check $? "A12: drift escalates and is none of the six gates" "$(body)"
post /evaluate '{"proposal_summary":"p","shadow_mode":true}'
expect 200 '^\{"status":"proceed".*"shadow":true,"would_be":"pause"' "A13: shadow"
post /evaluate '{"proposal_summary":"p","no_such":1}'
expect 422 'no_such' "A15: an unknown field"
post /evaluate '{"novelty_score":0.5}'
expect 422 'proposal_summary' "A15: a missing summary"
post /evaluate 'x'
expect 400 'malformed' "A15: no JSON"
curl -s --max-time 5 -D "$work/head" -o /dev/null -d '{"proposal_summary":"p"}' -H 'X-Request-Id: r-1' "http://$data/evaluate"
for h in Version Tenant Customer Tier Rate-Remaining Request-Id; do
    grep -qi "^X-AEGIS-$h: ." "$work/head"
    check $? "A19: X-AEGIS-$h" "$(cat "$work/head")"
done
post /risk-check '{"risk_baseline":0.02,"risk_proposed":0.05}'
expect 200 '^\{"status":"proceed","risk":\{"passed":true,.*\},"decision_id":"[a-z2-7]{24}"\}$' "A16: only the risk gate"
post /risk-check '{"risk_baseline":0.0,"risk_proposed":0.3}'
expect 200 '^\{"status":"pause","risk":\{"passed":false' "A16: pause"
post /risk-check '{"risk_score":0.3}'
expect 200 '^\{"status":"pause"' "A16: risk_score"
sleep 0.3
admin /api/v1/audit?limit=1
grep -q '"matched_rule":"risk","reason":"risk","result_status":"pending_approval"' "$work/body"
check $? "A16: the row says what was answered: pause" "$(body)"
post /risk-check '{"risk_baseline":0.02,"risk_proposed":0.05}'
sleep 0.3
admin /api/v1/audit?limit=1
grep -q '"result_status":"allowed"' "$work/body"
check $? "A16: the row says what was answered: proceed" "$(body)"
post /risk-check '{"novelty_score":0.3}'
expect 422 'risk' "A16: an unknown field"

get /health
expect 200 '"status":"ok","version":"[^"]+".*"checks":\{"config":\{"ok":true\},"gates":\{"ok":true\}.*"healthy":true' "A17, B19: health"
get /api/v1/health
expect 200 '"policy_digest":"blake2b:[0-9a-f]{64}"' "B19: health on the agent-aegis path"
get /livez
expect 200 ok "livez"
get /readyz
expect 200 ok "readyz"
get /nothing
expect 404 not_found "404"
get /v1/decide
expect 405 method_not_allowed "405"
head_of() { curl -s --max-time 10 -o "$work/body" -D "$work/head" -w '%{http_code}' "$@" >"$work/status"; }
has_allow() { tr -d '\r' <"$work/head" | grep -qixF "Allow: $1"; }
head_of "http://$data/v1/decide"
[ "$(status)" = 405 ] && has_allow POST
check $? "405 says what the path takes" "$(cat "$work/head")"
head_of -X DELETE "http://$data/v1/check"
[ "$(status)" = 405 ] && has_allow 'GET, HEAD, POST'
check $? "all of it" "$(cat "$work/head")"
for path in /livez /readyz /health /api/v1/health; do
    head_of -I "http://$data$path"
    [ "$(status)" = 200 ] && grep -qi '^Content-Length: [1-9]' "$work/head"
    check $? "HEAD $path" "$(cat "$work/head")"
done
head_of -I "http://$metrics/metrics"
[ "$(status)" = 200 ]
check $? "HEAD /metrics" "$(cat "$work/head")"
head_of -X POST "http://$metrics/metrics"
[ "$(status)" = 405 ] && has_allow 'GET, HEAD'
check $? "405 of the metrics listener" "$(cat "$work/head")"
raw_expect 'HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' \
    'ok' "an answer to HEAD has no body that the next could be lost in"
[ "$(raw 'HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' | grep -c status)" = 0 ]
check $? "and none itself"
get /api/v1/policy
expect 404 not_found "admin paths do not exist on the data plane"
get /metrics
expect 404 not_found "nor does /metrics"
curl -s --max-time 5 --unix-socket "$work/data.sock" -d '{"type":"read"}' http://u/v1/decide | grep -q '"allow"'
check $? "a Unix socket answers too"

serve_stop
check $? "TERM ends it with 0" "$(cat "$work/log")"
verify_log
check $? "the log verifies" "$(cat "$work/verify")"
grep -rqa '"would_be":"pause"' "$work/audit/tile/entries"
check $? "A13: the row holds would_be"
tap_done
