#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aegis test: expectations, fresh hosts, filters, the four forms, coverage, thresholds, malformed tables (B32).
# In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

mkdir policies
cat >policies/p.yaml <<'EOF'
version: "1"
defaults: {risk_level: medium, approval: block}
rules:
  - {name: reads, match: {type: "read*"}, risk_level: low, approval: auto}
  - {name: big, match: {type: pay}, conditions: {param_gt: {amount: 100}}, risk_level: high, approval: approve}
  - {name: pay, match: {type: pay}, risk_level: medium, approval: auto}
  - {name: never, match: {type: never}, risk_level: low, approval: auto}
limits:
  - {name: per-agent, key: [agent], rate: 2/m, burst: 2}
EOF
cat >good.yaml <<'EOF'
policy: policies/p.yaml
now: 2026-03-20T12:00:00Z
cases:
  - {name: a read, action: "read:crm", agent: a, expect: allow}
  - name: a big payment
    action: {type: pay, target: acme}
    params: {amount: 500, note: "it's <big> & \"late\""}
    expect: {decision: escalate, rule: big, reason: big, risk_level: high, approval: approve, is_allowed: false}
  - {name: a small payment, action: {type: pay, params: {amount: 1.5}}, expect: {decision: allow, rule: pay}}
  - {name: nothing matches, action: fly, expect: {decision: deny, reason: no_rule}}
  - {name: the third in a minute, action: "read:crm", agent: a, repeat: 3, expect: throttle}
  - {name: limits are not shared, action: "read:crm", agent: a, repeat: 2, expect: allow}
  - {name: killed, action: "read:crm", tenant: t, kill: t, expect: kill}
  - {name: another tenant is killed, action: "read:crm", tenant: t, kill: u, expect: allow}
  - {name: not an action, action: {target: 5}, expect: malformed}
EOF
run aegis test good.yaml
exits 0 "a table that holds"
[ "$out" = "9 passed, 0 failed" ]
check $? "and its count" "$out"
cd policies && run aegis test ../good.yaml
cd ..
exits 0 "the policy is found beside the table"
run aegis test good.yaml --coverage
prints '^coverage: 3 of 4 rules decided a case$' "coverage counts rules"
prints 'never decided: .*p.yaml: never$' "and names those that decided nothing"
run aegis test good.yaml -r '^a (big|small)'
[ "$out" = "2 passed, 0 failed" ]
check $? "-r filters by name" "$out"
run aegis test good.yaml -r nothing_like_it
exits 1 "no case at all is a failure"
run aegis test good.yaml -r '('
exits 2 "a broken expression is wrong usage"

sed 's/rule: pay}/rule: big}/; s/expect: throttle/expect: allow/' good.yaml >wrong.yaml
run aegis test wrong.yaml
exits 1 "a table that does not hold"
prints '^FAIL wrong.yaml: a small payment$' "the case is named"
prints '^     rule is pay, not big$' "and what differs"
prints '^7 passed, 2 failed$' "the count"
run aegis test wrong.yaml --fail-under 77
exits 0 "7 of 9 is enough for 77 %"
run aegis test wrong.yaml --fail-under 78
exits 1 "and too little for 78 %"
run aegis test good.yaml wrong.yaml --format tap
exits 1 "two tables, TAP"
prints '^1\.\.18$' "one plan"
[ "$(grep -c '^not ok' <<<"$out")" = 2 ]
check $? "two lines are not ok" "$out"
run aegis test wrong.yaml --format json
prints '^\{"passed":7,"failed":2,"cases":\[' "JSON"
if command -v jq >/dev/null; then
    feed "$out" jq -e '.cases | length == 9'
    exits 0 "the JSON is whole"
    run aegis test good.yaml --json --coverage
    feed "$out" jq -e '[.coverage[] | select(.decided == 0) | .rule] == ["never"]'
    exits 0 "coverage in JSON"
else
    skip "the JSON is whole" "no jq"
fi
sed -i 's/name: a small payment/name: "a \\"small\\" <payment> \& more"/' wrong.yaml
run aegis test wrong.yaml --format=junit
prints '<testsuite name="wrong.yaml" tests="9" failures="2">' "JUnit counts"
prints 'name="a &quot;small&quot; &lt;payment&gt; &amp; more"' "JUnit escapes"
prints '<failure message="rule is pay, not big"/>' "JUnit failure"
run aegis test good.yaml --format=html
exits 2 "an unknown form is wrong usage"
run aegis test good.yaml --fail-under 101
exits 2 "101 % is wrong usage"

cat >gov.yaml <<'EOF'
policy: gates.yaml
cases:
  - {name: pauses, proposal: {proposal_summary: s}, expect: pause}
  - {name: proceeds, proposal: {proposal_summary: s, novelty_score: 0.8}, expect: {status: proceed, decision: allow}}
EOF
echo 'parameters: {}' >gates.yaml
run aegis test gov.yaml
exits 0 "proposals are tested by their status"

bad() { # NAME PATTERN TEXT
    printf '%s\n' "$3" >bad.yaml
    run aegis test bad.yaml
    exits 3 "malformed: $1"
    prints "$2" "malformed: $1: the message"
}
bad "no policy" 'policy is missing' 'cases: []'
bad "no cases" 'cases is missing' 'policy: policies/p.yaml'
bad "unknown key of a table" 'bad.yaml:2: a table has no key "case"' 'policy: policies/p.yaml
case: []'
bad "unknown key of a case" 'bad.yaml:3: a case has no key "expct"' 'policy: policies/p.yaml
cases:
  - {action: read, expct: allow}'
bad "unknown key of expect" 'expect has no key "rul"' 'policy: policies/p.yaml
cases: [{action: read, expect: {rul: x}}]'
bad "no expectation" 'expect is missing' 'policy: policies/p.yaml
cases: [{action: read}]'
bad "two inputs" 'either an action or a proposal' 'policy: policies/p.yaml
cases: [{action: read, proposal: {}, expect: allow}]'
bad "a key twice" 'key "action" is given twice' 'policy: policies/p.yaml
cases: [{action: read, action: write, expect: allow}]'
bad "repeat 0" 'repeat must be' 'policy: policies/p.yaml
cases: [{action: read, repeat: 0, expect: allow}]'
bad "repeat past the limit" 'repeat must be' 'policy: policies/p.yaml
cases: [{action: read, repeat: 100001, expect: allow}]'
bad "no time" 'now must be a time' 'policy: policies/p.yaml
cases: [{action: read, now: noon, expect: allow}]'
bad "no YAML" 'bad.yaml:[0-9]+:[0-9]+: ' 'cases: [{'
bad "an empty file" 'empty' ''
bad "a value that contains itself" 'nests too deep' 'policy: policies/p.yaml
cases: [{action: {type: read, params: &a {x: *a}}, expect: allow}]'
nested() { printf '%*s' "$1" '' | tr ' ' '['; printf '%*s' "$1" '' | tr ' ' ']'; }
printf 'policy: policies/p.yaml\ncases: [{action: {type: read, params: {x: %s}}, expect: allow}]\n' "$(nested 58)" >deep.yaml
run aegis test deep.yaml
exits 0 "a value that nests far enough is fine"
bad "nested too deep" 'nests too deep' "policy: policies/p.yaml
cases: [{action: {type: read, params: {x: $(nested 70)}}, expect: allow}]"
{ cat gov.yaml; printf '#%*s\n' $((4194304 - $(stat -c %s gov.yaml) - 2)) ''; } >sized.yaml
run aegis test sized.yaml
exits 0 "a table of 4 MiB"
echo >>sized.yaml
run aegis test sized.yaml
exits 3 "one byte more"
prints 'more than 4194304 bytes' "and the limit is named"
printf 'policy: missing.yaml\ncases: []\n' >bad.yaml
run aegis test bad.yaml
exits 3 "a missing policy"
printf 'version: "1"\nrulez: []\n' >wrong_policy.yaml
printf 'policy: wrong_policy.yaml\ncases: []\n' >bad.yaml
run aegis test bad.yaml
exits 1 "a policy with errors"
run aegis test missing.yaml
exits 3 "a missing table"
run aegis test
exits 2 "no table is wrong usage"
tap_done
