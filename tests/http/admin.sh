#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The admin plane: policies by PUT and SIGHUP under load (B18), audit queries (B17), metrics (A28, A29), kill switch (D2,
# D35), roles, keys, starts that must be refused. In: build directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"
policy_of() { printf 'version: "1"\ndefaults: { risk_level: medium, approval: block }\nrules:\n  - { name: %s, match: { type: "read*" }, risk_level: low, approval: auto }\n' "$1"; }
policy_of first >"$work/policy.yaml"
serve_start || { not_ok "the server gets ready"; tap_done; }

admin /api/v1/policy
expect 200 '"default_risk_level":"medium","default_approval":"block","rules":\[\{"name":"first","match":\{"type":"read\*"' "B18: GET"
admin /api/v1/policy -X PUT --data-binary "$(policy_of second)" -H 'Content-Type: application/yaml'
expect 200 '^\{"status":"updated","rule_count":1,"digest":"blake2b:[0-9a-f]{64}"' "B18: PUT YAML"
post /v1/decide '{"type":"read"}'
expect 200 '"rule":"second"' "the new policy serves"
printf '{"yaml":"%s"}' "$(policy_of third | sed 's/"/\\"/g' | awk '{printf "%s\\n", $0}')" >"$work/put.json"
admin /api/v1/policy -X PUT --data-binary "@$work/put.json" -H 'Content-Type: application/json'
expect 200 '"rule_count":1' "B18: PUT {yaml}"
admin /api/v1/policy -X PUT -H 'Content-Type: application/json' --data-binary \
    '{"version":"1","defaults":{"risk_level":"low","approval":"block"},"rules":[{"name":"dict","match":{"type":"read"},"risk_level":"low","approval":"auto"}]}'
expect 200 '"rule_count":1' "B18: PUT a dict"
admin /api/v1/policy -X PUT -H 'Content-Type: application/json' --data-binary \
    ' {"rules":[{"name":"bare","match":{"type":"read"},"risk_level":"low","approval":"auto"}]}'
expect 200 '"rule_count":1' "B18: PUT a dict without a version"
post /v1/decide '{"type":"read"}'
expect 200 '"rule":"bare"' "and it serves"
admin /api/v1/policy -X PUT -H 'Content-Type: application/json' --data-binary \
    '{"version":"999","rules":[{"name":"bare","match":{"type":"read"},"risk_level":"low","approval":"auto"}]}'
expect 422 'policy_invalid' "a version that is there is looked at"
admin /api/v1/policy -X PUT -H 'Content-Type: application/json' --data-binary \
    '{"version":"1","defaults":{"decision":"deny"},"rules":[{"name":"word","match":{"type":"read"},"decision":"escalate"}]}'
admin /api/v1/policy
expect 200 '"default_approval":"block".*"decision":"escalate","risk_level":"medium","approval":"approve"' "B18: the approval that a decision means"
policy_of image >"$work/image.yaml"
"$aegisc" "$work/image.yaml" -o "$work/image.bin" 2>/dev/null
admin /api/v1/policy -X PUT --data-binary "@$work/image.bin" -H 'Content-Type: application/octet-stream'
expect 200 '"rule_count":1' "B18: PUT an image"
post /v1/decide '{"type":"read"}'
expect 200 '"rule":"image"' "the image serves"
admin /api/v1/policy -X PUT --data-binary 'rules: [{ matc: {} }]' -H 'Content-Type: application/yaml'
expect 422 '"code":"policy_invalid".*policy.yaml:1:.*unknown-key' "B18: a broken policy is 422 with diagnostics"
admin /api/v1/policy -X PUT --data-binary 'AEGISIMGxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' -H 'Content-Type: application/octet-stream'
expect 422 'policy_invalid' "B18: a broken image is 422"
admin /api/v1/policy -X PUT --data-binary '{"a":' -H 'Content-Type: application/json'
expect 400 'Invalid JSON' "B22: invalid JSON"
admin /api/v1/policy -X PUT --data-binary '{"a":1}' -H 'Content-Type: application/json'
expect 400 "Provide 'yaml' string or policy dict with 'rules'" "B22: no policy in it"
post /v1/decide '{"type":"read"}'
expect 200 '"rule":"image"' "the old one still serves"

if [ -x "$load" ]; then
    echo '{"type":"read","target":"x"}' >"$work/lines"
    "$load" --to "$data" --path /v1/decide --lines "$work/lines" --connections 4 --seconds 3 --warmup 0 --expect-status 200 \
        --json "$work/load.json" >"$work/load.out" 2>&1 &
    pid=$!
    bad=0
    for n in $(seq 6); do
        admin /api/v1/policy -X PUT --data-binary "$(policy_of "put$n")" -H 'Content-Type: application/yaml'
        [ "$(status)" = 200 ] || bad=$((bad + 1))
        policy_of "hup$n" >"$work/policy.yaml"
        kill -HUP "$server"
        sleep 0.2
    done
    wait "$pid"
    check $? "no request fails while policies change" "$(cat "$work/load.out")"
    [ "$bad" = 0 ]
    check $? "every PUT under load is acknowledged" "$bad were not"
else
    skip "policies change under load" "the load driver is not built"
fi
policy_of final >"$work/policy.yaml"
kill -HUP "$server"
for i in $(seq 50); do post /v1/decide '{"type":"read"}'; grep -q '"rule":"final"' "$work/body" && break; sleep 0.1; done
expect 200 '"rule":"final"' "SIGHUP reloads the file"
echo 'rules: [' >"$work/policy.yaml"
kill -HUP "$server"
for i in $(seq 50); do grep -q 'was not reloaded' "$work/log" && break; sleep 0.1; done
grep -q 'was not reloaded' "$work/log"
check $? "a bad file is reported" "$(tail -n 5 "$work/log")"
post /v1/decide '{"type":"read"}'
expect 200 '"rule":"final"' "and the old policy serves on"
policy_of final >"$work/policy.yaml"

post /v1/decide '{"type":"nope","session_id":"s1"}'
sleep 0.3
admin '/api/v1/audit?result_status=blocked&limit=50'
[ "$(status)" = 200 ] && grep -q '"result_status":"blocked"' "$work/body" && ! grep -q '"result_status":"allowed"' "$work/body"
check $? "B17: only blocked rows" "$(body | head -c 600)"
admin '/api/v1/audit?session_id=s1'
expect 200 '^\[\{"id":[0-9]+,[^]]*"session_id":"s1"[^]]*\}\]$' "B17: by session"
admin '/api/v1/audit?action_type=read&risk_level=LOW&limit=2'
[ "$(grep -o '"id":' "$work/body" | wc -l)" = 2 ]
check $? "B17: two rows" "$(body)"
for bad in x 0 -1 1001 1x ''; do
    admin "/api/v1/audit?limit=$bad"
    [ "$(status)" = 400 ] || break
done
expect 400 'limit' "B17: a bad limit is 400 ($bad)"

curl -s --max-time 5 "http://$metrics/metrics" >"$work/metrics"
while read -r name type; do
    grep -q "^# TYPE $name $type\$" "$work/metrics"
    check $? "A29: $name is a $type"
done <<'TABLE'
aegis_decisions_total counter
aegis_gates_evaluated_total counter
aegis_latency_seconds histogram
aegis_decision_latency_seconds histogram
aegis_proposals_total counter
aegis_active_proposals gauge
aegis_kl_divergence gauge
aegis_override_requests_total counter
aegis_errors_total counter
aegis_kl_status gauge
aegis_override_partial_oldest_seconds gauge
TABLE
[ "$(grep -c '^aegis_gates_evaluated_total{' "$work/metrics")" = 18 ] && [ "$(grep -c '^aegis_decisions_total{' "$work/metrics")" = 28 ]
check $? "A29: every combination of labels is there"
[ -z "$(grep '^# TYPE' "$work/metrics" | sort | uniq -d)" ] && ! grep -vqE '^(# (HELP|TYPE) .*|[a-z_]+(\{[^}]*\})? [0-9.]+)$' "$work/metrics"
check $? "A28: the text is well formed" "$(grep -vE '^(# (HELP|TYPE) .*|[a-z_]+(\{[^}]*\})? [0-9.]+)$' "$work/metrics" | head)"
grep -qE '^aegis_decision_latency_seconds_bucket\{le="\+Inf"\} [1-9]' "$work/metrics"
check $? "the histogram counts decisions"
[ "$(curl -s -o /dev/null -w '%{http_code}' "http://$metrics/api/v1/policy")" = 404 ]
check $? "the metrics listener has nothing else"

admin /v1/kill-switch/acme -d '{"action":"engage"}'
expect 422 reason "D35: a reason is needed"
admin /v1/kill-switch/acme -d "{\"action\":\"engage\",\"reason\":\"$(printf 'a%.0s' $(seq 501))\"}"
expect 422 500 "D35: 501 characters are too many"
admin /v1/kill-switch/acme -d '{"action":"engage","reason":"r","who":"x"}'
expect 422 action "D35: an unknown field"
admin /v1/kill-switch/acme -d '{"action":"engage","reason":"incident 7"}'
expect 200 '"status":"engaged".*"tenant_id":"acme"' "D35: engage"
post /v1/decide '{"type":"read","tenant":"acme"}'
expect 200 '"decision":"kill","is_allowed":false.*"reason":"kill_switch"' "D2: the tenant is stopped"
post /v1/decide '{"type":"read","tenant":"other"}'
expect 200 '"decision":"allow"' "D2: another is not"
admin /v1/kill-switch/acme
expect 200 '"status":"engaged".*"reason":"incident 7","engaged_by":"uid:[0-9]+"' "D35: read"
admin /decision/kill-switch/acme -X DELETE -d '{"reason":"over"}'
expect 200 '"status":"disengaged"' "D35: DELETE on the alias"
post /v1/decide '{"type":"read","tenant":"acme"}'
expect 200 '"decision":"allow"' "D2: the tenant may go on"
admin /v1/kill-switch/acme -d '{"action":"engage","reason":"r","agent":"a1"}'
post /v1/decide '{"type":"read","tenant":"acme","agent":"a1"}'
expect 200 '"kill"' "D2: one agent"
post /v1/decide '{"type":"read","tenant":"acme","agent":"a2"}'
expect 200 '"allow"' "D2: not the other"
admin '/v1/kill-switch/*' -d '{"action":"engage","reason":"all"}'
post /v1/decide '{"type":"read","tenant":"zzz"}'
expect 200 '"kill"' "D2: all"
kill -KILL "$(children | sed -n 2p)" # admin
for i in $(seq 50); do admin /v1/kill-switch/x && [ "$(status)" = 200 ] && break; sleep 0.1; done
expect 200 '"status":"engaged"' "switches outlive admin"

serve_stop
check $? "TERM ends it with 0" "$(tail -n 5 "$work/log")"
verify_log
check $? "the log verifies" "$(cat "$work/verify")"
grep -rqa '"type":"kill".*"action":"engage","scope":"tenant","tenant":"acme"' "$work/audit/tile/entries"
check $? "an engagement is a row"
for action in put put_refused reload reload_refused; do
    grep -rqa "\"type\":\"policy\".*\"action\":\"$action\"" "$work/audit/tile/entries"
    check $? "a policy row: $action"
done

serve_start || { not_ok "it starts again"; tap_done; }
post /v1/decide '{"type":"read","tenant":"zzz"}'
expect 200 '"kill"' "D2: a switch survives a restart"
serve_stop
rm -rf "$work/state/kill" "$work/state/state"
serve_start || { not_ok "it starts without its state"; tap_done; }
post /v1/decide '{"type":"read","tenant":"zzz"}'
expect 200 '"kill"' "D2: switches are read back from the log when the state is lost"
admin '/v1/kill-switch/*' -d '{"action":"disengage","reason":"over"}'
expect 200 disengaged "and can be lifted"
serve_stop

key=$(printf 'secret' | sha256sum | cut -d' ' -f1)
echo "$key t1 a1" >"$work/keys" && chmod 600 "$work/keys"
{ echo "$key viewer vera"; echo "$(printf 'op' | sha256sum | cut -d' ' -f1) operator olga"; } >"$work/tokens" && chmod 600 "$work/tokens"
port=$(free_port)
serve_start --api-keys "$work/keys" --admin-tokens "$work/tokens" --admin "127.0.0.1:$port" || { not_ok "it starts with keys"; tap_done; }
post /v1/decide '{"type":"read"}'
expect 401 unauthorized "A19: no key is 401"
keyed() { curl -s --max-time 5 -o "$work/body" -w '%{http_code}' -H "$1" -d "$2" "http://$data/v1/decide" >"$work/status"; }
keyed 'Authorization: Bearer secret' '{"type":"read"}'
expect 200 allow "A19: a bearer key"
keyed 'X-Api-Key: secret' '{"type":"read"}'
expect 200 allow "A19: X-Api-Key"
keyed 'X-Api-Key: wrong' '{"type":"read"}'
expect 401 unauthorized "A19: a wrong key"
keyed 'X-Api-Key: secret' '{"type":"read","tenant":"t2"}'
expect 403 identity_mismatch "another tenant in the body is 403"
keyed 'X-Api-Key: secret' '{"type":"read","tenant":"t1","agent":"a1"}'
expect 200 allow "the right one is not"
tcp() { curl -s --max-time 10 -o "$work/body" -w '%{http_code}' -H "Authorization: Bearer $1" "${@:3}" "http://127.0.0.1:$port$2" >"$work/status"; }
tcp wrong /api/v1/policy
expect 401 unauthorized "admin over TCP: no token is 401"
tcp secret /api/v1/policy
expect 200 rules "a viewer reads the policy"
tcp secret /api/v1/audit
expect 403 auditor "but not the log"
tcp op /v1/kill-switch/t1 -d '{"action":"engage","reason":"r"}'
expect 200 engaged "an operator engages"
tcp op /v1/kill-switch/t1 -d '{"action":"disengage","reason":"r"}'
expect 403 security "but does not lift"
tcp op /v1/kill-switch/t1 -I
head_status=$(status)
tcp op /v1/kill-switch/t1
[ "$head_status" = 200 ] && grep -q 'engaged' "$work/body"
check $? "HEAD of a switch shows and changes nothing" "$head_status $(body)"
echo "$(printf 'next' | sha256sum | cut -d' ' -f1) t2 a2" >"$work/keys"
kill -HUP "$server"
for i in $(seq 50); do keyed 'X-Api-Key: next' '{"type":"read"}'; [ "$(status)" = 200 ] && break; sleep 0.1; done
expect 200 '"decision"' "SIGHUP reads the API keys again"
for i in $(seq 50); do keyed 'X-Api-Key: secret' '{"type":"read"}'; [ "$(status)" = 401 ] && break; sleep 0.1; done
expect 401 unauthorized "and those no longer in the file are refused"
for child in $(children); do kill -KILL "$child" 2>/dev/null; done
sleep 0.3
serve_ready
keyed 'X-Api-Key: next' '{"type":"read"}'
expect 200 '"decision"' "a worker that starts later has them too"
echo 'nonsense' >"$work/keys"
kill -HUP "$server"
for i in $(seq 50); do grep -q 'the API keys read before stay' "$work/log" && break; sleep 0.1; done
keyed 'X-Api-Key: next' '{"type":"read"}'
expect 200 '"decision"' "a file that does not read leaves the keys as they were"
serve_stop
grep -rqa '"type":"refused".*"status":401' "$work/audit/tile/entries" && grep -rqa '"reason":"identity_mismatch"' "$work/audit/tile/entries"
check $? "401 and 403 are rows"

refused() { # NAME REGEX FLAG...
    local name=$1 regex=$2 out code
    shift 2
    out=$(timeout 20 "$aegis" serve "$work/policy.yaml" --listen "127.0.0.1:$(free_port)" --metrics off --audit "$work/audit" --state "$work/state" "$@" 2>&1 </dev/null)
    code=$?
    [ "$code" != 0 ] && [ "$code" != 124 ] && grep -qE "$regex" <<<"$out"
    check $? "refused: $name" "exit $code: $out"
}
refused "a public address without identity" 'api-keys' --listen 0.0.0.0:0
refused "admin over TCP without tokens" 'admin-tokens' --admin 127.0.0.1:0
refused "an address that is none" 'HOST:PORT' --listen nonsense
refused "a key file that everyone reads" 'chmod' --api-keys /etc/passwd
refused "a setting that is none" 'workers' --workers 0
policy_of x >"$work/policy.yaml"
"$aegisc" --serial 5 "$work/policy.yaml" -o "$work/s5.bin" 2>/dev/null
serve_start || { not_ok "it starts"; tap_done; }
refused "a second server on the same state, with the holder's pid" "held by process $server" --admin "unix:$work/second.sock"
out=$(timeout 20 "$aegis" serve "$work/policy.yaml" --listen "$data" --metrics off --audit "$work/a2" --state "$work/s2" 2>&1 </dev/null)
grep -q 'in use' <<<"$out"
check $? "refused: a port in use" "$out"
serve_stop
tap_done
