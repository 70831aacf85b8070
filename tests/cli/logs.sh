#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Commands around a running server: health, metrics, kill, audit, stats, doctor; then the log without it, changed and cut
# (B30, B31, A64). In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

# --- without a server
run aegis health --address "unix:$work/none.sock"
exits 3 "health: nobody answers"
prints 'is the server running' "and what to look at"
run aegis metrics --address nonsense
exits 3 "metrics: no address"
run aegis kill engage acme
exits 2 "kill needs a reason"
run aegis kill engage --reason x --admin unix:x
exits 2 "kill needs a tenant"
run aegis kill engage acme --reason x
exits 2 "kill needs an admin address"
run aegis kill shoot acme --reason x --admin unix:x
exits 2 "kill knows three words"
run aegis kill engage acme --reason "$(printf '%513s' x)" --admin unix:x
exits 2 "a reason past the limit"
run aegis kill engage acme --reason "$(printf '%512s' x)" --admin "unix:$work/none.sock"
exits 3 "a reason at the limit goes to the server, which is not there"
run aegis kill status --admin "unix:$(printf '%200s' x)"
exits 3 "a path too long for a socket"
run aegis audit verify "$work/none"
exits 3 "audit verify: no log"
run aegis audit list "$work/none"
exits 3 "audit list: no log"
run aegis audit list
exits 2 "audit list: no directory"
run aegis audit paint "$work/none"
exits 2 "audit: an unknown word"
run aegis audit
exits 2 "audit: no word"
run aegis stats "$work/none"
exits 3 "stats: no log"
run aegis sequencer
exits 2 "sequencer: no directory"
run aegis sequencer --dir seq --sync-ms 0
exits 2 "sequencer: a wrong interval"
run aegis sequencer --dir seq --once --origin example.org/log
exits 0 "sequencer --once on an empty directory"
run aegis audit verify seq
exits 0 "its empty log verifies"
prints '^origin   example.org/log$' "under the name given"
aegis sequencer --dir seq 2>seq.log &
pid=$!
for _ in $(seq 100); do [ -S seq/sequencer.sock ] && break; sleep 0.05; done
run aegis sequencer --dir seq --once
exits 3 "one sequencer per log"
kill -TERM $pid
wait $pid
status=$?
exits 0 "SIGTERM ends a sequencer well"

run aegis doctor --dir "$work"
exits 0 "doctor"
for item in kernel 'sealed memory' aegisc 'open files' sync decision 'expect, durable' audit.sync_interval; do
    prints "^  (pass|warn)  *$item" "doctor looks at: $item"
done
prints '^[0-9]+ pass, [0-9]+ warn, 0 fail, [0-9]+ to check by hand$' "doctor counts"
run aegis doctor --dir "$work/none"
exits 1 "doctor fails without the directory"
prints '^  fail +log directory' "and says where"
run aegis doctor --json --policy "$work/none.yaml"
exits 1 "doctor fails on a policy that is not there"
prints '^\{"ok":false,"items":\[' "doctor --json"
if command -v jq >/dev/null; then
    feed "$out" jq -e '[.items[].status] - ["pass", "warn", "fail", "manual"] == []'
    exits 0 "each item is pass, warn, fail or manual (A64)"
fi

# --- with one
aegis init >/dev/null
aegisc -o policy.bin policy.yaml
data=unix:$work/d.sock admin=unix:$work/a.sock
start() {
    local try
    for try in 1 2 3; do
        port=$((20000 + RANDOM % 30000))
        aegis serve policy.bin --listen "$data" --admin "$admin" --metrics "127.0.0.1:$port" --audit log --state state \
            --workers 1 "$@" </dev/null >serve.log 2>&1 &
        server=$!
        for _ in $(seq 100); do
            aegis health --address "$data" >/dev/null 2>&1 && return 0
            kill -0 $server 2>/dev/null || break
            sleep 0.1
        done
        kill $server 2>/dev/null
        wait $server
    done
    return 1
}
if ! start && ! { grep -qi sandbox serve.log && start --no-sandbox; }; then
    not_ok "the server starts" "$(cat serve.log)"
    tap_done
fi
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
ok "the server starts"
decide() { curl -s --max-time 5 --unix-socket d.sock -d "$1" http://x/v1/decide >/dev/null; }
decide '{"type":"read","target":"crm","agent":"a1","session_id":"s1"}'
decide '{"type":"delete","target":"db","agent":"a2","session_id":"s2"}'
decide '{"type":"payment","target":"acme","agent":"a1","session_id":"s1","params":{"amount":5000}}'

run aegis health --address "$data"
exits 0 "health"
prints '"status":"ok"' "health is the server's text"
run aegis metrics --address "127.0.0.1:$port"
exits 0 "metrics"
prints '^# TYPE aegis_' "metrics are Prometheus text"
run aegis doctor --address "$data" --metrics "127.0.0.1:$port" --policy policy.bin
exits 0 "doctor asks a running server"
prints '^  pass +health ' "health passes"
prints '^  pass +metrics ' "metrics pass"
prints '^  pass +fail closed ' "the default refuses (B47)"

put() { curl -s --max-time 10 --unix-socket a.sock -X PUT -H 'Content-Type: application/yaml' --data-binary @policy.yaml http://x/api/v1/policy; }
first=$(put | grep -o '"digest":"[^"]*"') second=$(put | grep -o '"digest":"[^"]*"')
[ -n "$first" ] && [ "$first" = "$second" ]
check $? "the same policy sent twice has one digest (B20)" "$first
$second"
run aegis kill engage acme --reason 'incident 7' --admin "$admin"
exits 0 "kill engage"
run aegis kill status acme --admin "$admin"
prints '"status":"engaged".*"reason":"incident 7"' "kill status shows it"
decide '{"type":"read","target":"crm","tenant":"acme","agent":"a3"}'
run aegis kill disengage acme --reason 'over' --admin "$admin" --json
exits 0 "kill disengage"
prints '"status":"disengaged"' "and --json prints the answer"
run aegis kill status acme --admin "$admin"
prints '"status":"disengaged"' "kill status again"
AEGIS_ADMIN=$admin run aegis kill status
exits 0 "AEGIS_ADMIN names the address too"

for _ in $(seq 100); do
    run aegis audit verify log
    [ "$status" = 0 ] && grep -q '^rows     [6-9]' <<<"$out" && break
    sleep 0.1
done
exits 0 "audit verify beside the running sequencer"
[ "$(tail -n 1 <<<"$out")" = "log verified" ]
check $? "it ends with 'log verified'" "$out"
count() { grep -c . <<<"$out"; }
run aegis audit list log --format jsonl --type decision
[ "$(count)" = 4 ]
check $? "four decisions" "$out"
run aegis audit list log --format jsonl --decision deny
[ "$(count)" = 1 ] && grep -q '"rule":"deletes_are_blocked"' <<<"$out"
check $? "--decision" "$out"
run aegis audit list log --format jsonl --session s1
[ "$(count)" = 2 ]
check $? "--session" "$out"
run aegis audit list log --format jsonl --action-type payment --risk-level high
[ "$(count)" = 1 ]
check $? "--action-type and --risk-level" "$out"
run aegis audit list log --format jsonl --limit 2
[ "$(count)" = 2 ]
check $? "--limit" "$out"
run aegis audit list log --risk-level HIGH --action-type payment --format jsonl
[ "$(count)" = 1 ]
check $? "B30: --risk-level in capitals" "$out"
run aegis audit list log --risk-level nothing
exits 2 "a level that no row can have is wrong usage"
run aegis audit list log --decision nothing
exits 2 "and so is such a decision"
run aegis audit list log --action-type nothing --json
[ "$out" = "[]" ]
check $? "no row is an empty list" "$out"
run aegis audit list log
prints 'ROW +TIME +TYPE +DECISION' "the table has a head"
prints 'decision +escalate +high +payment:acme +a1 +other_payments_need_a_person' "and rows"
prints 'kill .* engage:acme' "kill rows say what was done"
run aegis audit tail log --limit 1 --format jsonl
[ "$(count)" = 1 ] && grep -q '"reason":"over"' <<<"$out"
check $? "tail shows the last" "$out"
run aegis audit export log -o rows.jsonl
[ "$(wc -l <rows.jsonl)" -ge 6 ]
check $? "export writes lines" "$out $err"
run aegis audit list log --format xml
exits 2 "an unknown format"
run aegis audit list log -o none/file
exits 3 "a file that cannot be written"
timeout 4 aegis audit tail log --follow --format jsonl >followed &
follower=$!
sleep 1
decide '{"type":"read","target":"late","agent":"a9"}'
wait $follower
grep -q '"target":"late"' followed
check $? "tail --follow shows rows as they come" "$(cat followed)"
run aegis stats log
prints ' 2  reads_are_fine$' "stats per rule (B31)"
prints ' 1  kill_switch$' "stats of refusals"
run aegis audit stats log --json
prints '"by_rule":\{"reads_are_fine":2' "stats --json, largest first"

id=$(sed -n 's/.*"id":"\([a-z0-9]*\)".*"type":"decision".*/\1/p' rows.jsonl | head -n 1)
run aegis audit receipt log "$id" -o receipt
exits 0 "a receipt by decision_id"
[ "$(head -n 1 receipt)" = c2sp.org/tlog-proof@v1 ]
check $? "in the public format" "$(cat receipt)"
run aegis audit receipt log 0
prints '^index 0$' "a receipt by row number"
run aegis audit receipt log 99999
exits 1 "no such row"
run aegis audit receipt log nonsense
exits 1 "no such decision"
run aegis audit root log
exits 0 "today's root"
run aegis audit root log yesterday
[ "$status" != 0 ]
check $? "a day that is none"
run aegis audit prove log 1 4
exits 0 "a consistency proof"
run aegis audit prove log 4 1
exits 2 "sizes the wrong way round"

# --- the log alone
kill -TERM $server
wait $server
status=$?
exits 0 "the server ends well"
run aegis audit verify log --json
exits 0 "the log verifies after the end"
prints '^\{"verified":true,"rows":[0-9]+,' "verify --json"
vkey=$(sed -n 's/.* add checkpoint \([^ ]*\)$/\1/p' log/keys.note | head -n 1)
run aegis audit verify log --vkey "$vkey"
exits 0 "with a key given as text"
echo "$vkey" >vkey
run aegis audit verify log --vkey vkey
exits 0 "with a key in a file"
run aegis audit verify log --vkey "$(sed -n 's/.* add checkpoint \([^ ]*\)$/\1/p' seq/keys.note | head -n 1)"
exits 1 "with another log's key"
entries=$(find log/tile/entries -type f | sort -V | tail -n 1)
cp -r log copy
printf '#' | dd of="copy/${entries#log/}" bs=1 seek=300 conv=notrunc status=none
run aegis audit verify copy
exits 1 "a changed byte"
prints 'log is NOT verified' "the verdict"
prints 'first bad row: [0-9]+' "names the row"
prints 'file: +tile/entries/' "and the file"
run aegis audit verify copy --json
prints '^\{"verified":false,.*"file":"tile/entries/' "in JSON too"
rm -r copy && cp -r log copy && rm copy/checkpoint
run aegis audit verify copy
[ "$status" != 0 ]
check $? "a log without its checkpoint" "$out"
tap_done
