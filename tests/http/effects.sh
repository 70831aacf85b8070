#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A module's decisions and effects through the server: throttled by what it asks to be charged, quota and budget with
# Retry-After, notes in the rows; simulate gives the same outcomes. In: build directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"

cat >"$work/policy.yaml" <<'YAML'
version: "1"
name: effects
defaults: {decision: allow}
modules: [effects.rego]
rules:
  - {name: no, match: {type: no}, decision: deny}
limits:
  - {name: few, key: [tenant, agent], rate: 1/h, burst: 4, charge: effects}
  - {name: calls, key: [tenant], quota: {daily: 2}, match: {type: quota}, on_exceed: throttle}
  - {name: spend, key: [tenant], cost: input.params.usd, match: {type: pay}, budget: {monthly_usd: "10", warn_at: 0.5}}
YAML
cat >"$work/effects.rego" <<'REGO'
package aegis

effects contains {"op": "rate.take", "limit": "few", "key": [input.tenant, input.agent], "n": 2} if input.type in {"work", "no"}

effects contains {"op": "audit.note", "text": sprintf("seen %s", [input.agent])} if input.type == "work"

effects contains {"op": input.params.op} if input.type == "bad"

decisions contains {"decision": "escalate", "rule": "left", "reason": sprintf("%v left", [left])} if {
	input.type == "look"
	left := aegis.rate.peek("few", [input.tenant, input.agent]).remaining
}
REGO
serve_start || { not_ok "the server gets ready"; tap_done; }
ok "the server gets ready"

# Actions in order, with the decision and reason that each must have.
cat >"$work/actions" <<'TXT'
{"type":"work","agent":"a"} allow no_rule
{"type":"no","agent":"a"} deny no
{"type":"look","agent":"a"} escalate 2 left
{"type":"work","agent":"a"} allow no_rule
{"type":"work","agent":"a"} throttle few
{"type":"work","agent":"b"} allow no_rule
{"type":"quota","agent":"a"} allow no_rule
{"type":"quota","agent":"b"} allow no_rule
{"type":"quota","agent":"c"} throttle calls
{"type":"pay","params":{"usd":6}} allow no_rule
{"type":"pay","params":{"usd":6}} throttle spend
{"type":"pay","params":{"usd":4}} allow no_rule
{"type":"bad","params":{"op":"none"}} deny policy_error
TXT
simulated=()
while read -r action decision reason; do
    post /v1/decide "$action"
    expect 200 "^\{\"decision\":\"$decision\".*\"reason\":\"$reason\"" "$action: $decision $reason"
    case $decision in throttle) grep -qE '"retry_after":[1-9]' "$work/body" ;; *) true ;; esac
    check $? "$action: a throttled action knows when to come back" "$(cat "$work/body")"
    simulated+=(--action "$action")
    echo "$decision $reason" >>"$work/served"
done <"$work/actions"

"$aegis" simulate "$work/policy.yaml" --format=json "${simulated[@]}" |
    sed -n 's/.*"decision":"\([a-z]*\)","is_allowed".*"reason":"\([^"]*\)".*/\1 \2/p' >"$work/simulated"
diff=$(diff "$work/served" "$work/simulated")
check $? "simulate gives the outcomes of the server" "$diff"
out=$("$aegis" simulate "$work/policy.yaml" "${simulated[@]}" | tail -n 1)
[ "$out" = "  7 auto-execute, 1 need approval, 2 blocked, 3 throttled" ]
check $? "the summary counts throttled actions apart" "$out"
out=$("$aegis" explain "$work/policy.yaml" --action '{"type":"look","agent":"a"}')
grep -q '^  \* modules: left: decides$' <<<"$out"
check $? "explain names decisions of modules" "$out"

serve_stop
grep -aq '"type":"note","text":"seen a","outcome":"noted"' -r "$work/audit"
check $? "a note stands in its row"
grep -aq '"name":"spend","outcome":"charged"' -r "$work/audit" && grep -aq '"code":"budget_warning"' -r "$work/audit"
check $? "charges and the warning of a budget stand in rows"
tap_done
