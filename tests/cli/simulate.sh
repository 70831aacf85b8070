#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aegis simulate: the layout of B28 to the byte, its exit code, JSON, and the tables of B14 and B51 on the policies that the
# reference names. In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

cat >p.yaml <<'EOF'
version: "1"
defaults: {risk_level: medium, approval: block}
rules:
  - {name: reads, match: {type: "read*"}, risk_level: low, approval: auto}
  - {name: writes, match: {type: "write*"}, risk_level: medium, approval: approve}
  - {name: deletes, match: {type: "delete*"}, risk_level: critical, approval: block}
EOF
run aegis simulate p.yaml read:crm write:crm delete:database other
exits 1 "the exit code is that of the most severe decision"
want='Policy: p.yaml (3 rules)
Actions: 4

  1. read:crm  [AUTO]  risk=LOW  rule=reads  -> ALLOWED
  2. write:crm  [APPROVE]  risk=MEDIUM  rule=writes  -> NEEDS APPROVAL
  3. delete:database  [BLOCK]  risk=CRITICAL  rule=deletes  -> BLOCKED
  4. other  [BLOCK]  risk=MEDIUM  rule=<default>  -> BLOCKED

Summary: 4 actions
  1 auto-execute, 1 need approval, 2 blocked'
diff=$(diff -u <(echo "$want") <(echo "$out"))
check $? "the layout of B28" "$diff"

cat >two.yaml <<'EOF'
version: "1"
defaults: {decision: allow, risk_level: high}
limits:
  - {name: mild, key: [tenant], rate: 1/h, burst: 1}
  - {name: hard, key: [tenant], rate: 1/h, burst: 1, on_exceed: deny}
EOF
run aegis simulate two.yaml read:crm read:crm
exits 1 "two limits are exhausted at once"
prints '2\. read:crm  \[BLOCK\]  risk=HIGH  rule=hard  -> BLOCKED' "the most severe of them answers, at the default risk"
run aegis simulate two.yaml --json --action '{"type":"a"}'
prints '"stages":\[\{"n":0,"name":"kill_switch","outcome":"pass"\},\{"n":2,"name":"limits","outcome":"pass"\}' "the record names its stages"
run aegis simulate two.yaml --action '{"type":"a","proposal":5}'
exits 3 "a proposal that is no object is malformed"
run aegis simulate p.yaml read:crm
exits 0 "all allowed is 0"
run aegis simulate p.yaml read:crm write:crm
exits 2 "held is 2"
run aegis simulate p.yaml read:crm --kill '*'
exits 1 "an assumed kill switch stops everything"
prints 'KILLED' "and says so"
run aegis simulate p.yaml --action '{"type":"write","target":"crm"}' --json
exits 2 "--action and --json"
prints '^\[\{"action":\{"type":"write","target":"crm"\},"decision":"escalate"' "JSON carries the action"
run aegis simulate p.yaml --action '{"type":'
exits 3 "an action that is no JSON is malformed"
run aegis simulate p.yaml
exits 2 "no action is wrong usage"
run aegis simulate p.yaml read:crm --now noon
exits 2 "a time that is none is wrong usage"
run aegis simulate p.yaml read:crm --now 2026-02-29T12:00:00Z
exits 2 "and so is a day that the year does not have"
run aegis simulate p.yaml read:crm --now 2028-02-29T12:00:00Z
exits 0 "a leap day"
run aegis simulate p.yaml read:crm --format xml
exits 2 "an unknown format is wrong usage"

cat >clock.yaml <<'EOF'
version: "1"
defaults: {risk_level: medium, approval: block}
rules:
  - name: office
    conditions: {hours: "09:00-17:00", weekdays: [1, 2, 3, 4, 5]}
    risk_level: low
    approval: auto
EOF
for row in '2026-03-20T12:00:00Z 0' '2026-03-20T17:00 1' '2026-03-21T12:00 1' '09:00 0' '2026-03-20T18:30:00+02:00 0'; do
    run aegis simulate clock.yaml deploy:web --now "${row% *}"
    exits "${row#* }" "virtual clock at ${row% *}"
done

# POLICY NOW ACTION PARAMS RULE RISK APPROVAL
decides() {
    local more=()
    [ "$4" = - ] || more=(--params "$4")
    run aegis simulate "$vectors/$1.yaml" "$3" --now "$2" "${more[@]}"
    prints "  1\. $3  \[$7\]  risk=$6  rule=$5  ->" "$1: $3 $4 at $2"
}
vectors=$shared/vectors/agent-aegis
if [ ! -d "$vectors" ]; then
    skip "tables of B14 and B51" "no $vectors (AEGIS_SHARED names the folder)"
    tap_done
fi
fri=2026-03-20 sat=2026-03-21
decides devops ${fri}T12:00 deploy:web '{"env":"staging"}' staging_deploy_hours MEDIUM AUTO
decides devops ${fri}T12:00 deploy:staging - '<default>' HIGH APPROVE
decides devops ${fri}T12:00 deploy:web '{"env":"production"}' prod_deploy_approve HIGH APPROVE
decides devops ${fri}T17:00 deploy:web '{"env":"production"}' prod_deploy_afterhours CRITICAL BLOCK
decides devops ${fri}T03:00 deploy:web '{"env":"production"}' '<default>' HIGH APPROVE
decides devops ${sat}T12:00 deploy:web '{"env":"production"}' '<default>' HIGH APPROVE
decides financial ${fri}T21:00 view:crm - view_auto LOW AUTO
decides financial ${fri}T21:00 payment:acme '{"amount":50}' payment_small_approve MEDIUM APPROVE
decides financial ${fri}T21:00 payment:acme - after_hours_block CRITICAL BLOCK
decides financial ${fri}T12:00 payment:acme '{"amount":100}' payment_small_approve MEDIUM APPROVE
decides financial ${fri}T12:00 payment:acme '{"amount":100.01}' payment_large_approve HIGH APPROVE
decides financial ${fri}T21:00 export:crm - after_hours_block CRITICAL BLOCK
decides financial ${fri}T03:00 export:crm - '<default>' HIGH APPROVE
decides healthcare ${fri}T23:00 access_phi:record - access_phi_high HIGH APPROVE
for v in v1 v2; do
    for a in read:crm read_report:analytics get:user_profile get_config:settings; do
        decides policy-ci-$v ${fri}T12:00 $a - '(read|get)_ops' LOW AUTO
    done
    for a in write:salesforce write_record:stripe; do
        decides policy-ci-$v ${fri}T12:00 $a - write_ops MEDIUM APPROVE
    done
    for a in delete:database delete_user:auth; do
        decides policy-ci-$v ${fri}T12:00 $a - delete_ops CRITICAL BLOCK
    done
done
decides policy-ci-v2 ${fri}T12:00 bulk_delete:crm - '.*' HIGH APPROVE
decides policy-ci-v2 ${fri}T12:00 write:production - '.*' '[A-Z]+' BLOCK
decides policy-ci-v2 ${fri}T19:00 write:crm - '.*' '[A-Z]+' BLOCK
decides policy-ci-v2 ${fri}T08:00 write:crm - '.*' '[A-Z]+' BLOCK
for row in 'devops missing-param-fallthrough' 'devops window-gap' 'financial shadowed-for' 'financial missing-param-fallthrough' \
    'financial window-gap' 'healthcare unreachable-rule'; do
    run aegis validate "$vectors/${row% *}.yaml"
    exits 0 "${row% *} is valid"
    prints "warning\[${row#* }\]" "${row% *}: ${row#* } is reported (B14)"
done
tap_done
