#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# audit.level durable: an answer waits until its row is on disk and then carries the row's number; an allow that waits is
# refused when the kill switch is engaged meanwhile (D2). The wait is made long by stopping the sequencer. In: build
# directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"
cat >"$work/policy.yaml" <<'YAML'
version: "1"
defaults: { risk_level: medium, approval: block }
audit: { level: durable }
gates: { risk: {} }
rules:
  - { name: reads, match: { type: "read*" }, risk_level: low, approval: auto }
YAML
serve_start || { not_ok "the server gets ready"; tap_done; }

post /v1/decide '{"type":"read"}'
expect 200 '"decision":"allow".*"level":"durable","gseq":[0-9]+ *\}\}$' "an answer carries the number of its row"
gseq=$(grep -oE '"gseq":[0-9]+' "$work/body" | cut -d: -f2)
id=$(grep -oE '"decision_id":"[a-z2-7]{24}"' "$work/body" | cut -d'"' -f4)
row=$(grep -rhaE "\"gseq\":$gseq,.*\"id\":\"$id\"|\"id\":\"$id\".*\"gseq\":$gseq," "$work/audit/tile/entries" | wc -l)
[ "$row" -ge 1 ]
check $? "the row with that number is in the log when the answer is there" "gseq $gseq id $id"
post /v1/decide '{"type":"write"}'
expect 200 '"decision":"deny".*"gseq":[0-9]+' "a deny waits too"
post /v1/decide '[{"type":"read"},{"type":"write"},{"type":"read"}]'
expect 200 '^\[\{"decision":"allow".*"decision":"deny".*"decision":"allow".*\]$' "a batch"
missing=0
for id in $(grep -oE '"decision_id":"[a-z2-7]{24}"' "$work/body" | cut -d'"' -f4); do
    grep -rqa "\"id\":\"$id\"" "$work/audit/tile/entries" || missing=$((missing + 1))
done
[ "$missing" = 0 ]
check $? "the rows of the whole batch are in the log when the answer is there" "$missing are missing"
post /evaluate '{"proposal_summary":"p"}'
expect 200 '"status":"proceed"' "a proposal"

# parked NAME PATH BODY: a request whose answer waits for a sequencer that stands still.
sequencer=$(children | head -n 1)
parked() {
    curl -s --max-time 30 -o "$work/parked.$1" -w '%{http_code}' --data-binary "$3" "http://$data$2" >"$work/parked.$1.status" &
    pids+=($!)
}
pids=()
kill -STOP "$sequencer"
parked one /v1/decide '{"type":"read","tenant":"acme"}'
parked batch /v1/decide '[{"type":"write","tenant":"acme"},{"type":"read","tenant":"acme"}]'
parked other /v1/decide '{"type":"read","tenant":"other"}'
parked b15 /api/v1/evaluate '{"type":"read","tenant":"acme"}'
sleep 0.7
[ ! -s "$work/parked.one.status" ] && [ ! -s "$work/parked.batch.status" ] && [ ! -s "$work/parked.other.status" ]
check $? "answers wait for the disk" "$(cat "$work"/parked.*.status)"
curl -s --max-time 30 -o "$work/engaged" --unix-socket "$work/state/admin.sock" -d '{"action":"engage","reason":"incident"}' \
    http://admin/v1/kill-switch/acme &
pids+=($!)
sleep 0.7
kill -CONT "$sequencer"
wait "${pids[@]}"
grep -q '"status":"engaged"' "$work/engaged"
check $? "the switch is engaged while they wait" "$(cat "$work/engaged")"
for n in one batch b15; do
    [ "$(cat "$work/parked.$n.status")" = 403 ] && grep -q kill_switch "$work/parked.$n" && ! grep -q '"is_allowed":true' "$work/parked.$n"
    check $? "D2: an allow that waited is refused: $n" "$(cat "$work/parked.$n.status" "$work/parked.$n")"
done
[ "$(cat "$work/parked.other.status")" = 200 ] && grep -q '"is_allowed":true' "$work/parked.other"
check $? "another tenant's is not" "$(cat "$work/parked.other.status" "$work/parked.other")"
serve_stop
check $? "TERM ends it with 0" "$(tail -n 5 "$work/log")"
verify_log
check $? "the log verifies" "$(cat "$work/verify")"
tap_done
