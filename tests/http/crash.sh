#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of worker, sequencer, admin and parent while requests are answered: every answered allow is a row of the verified
# log, and answers go on. AEGIS_LONG=1: 200 kills. Then a directory that cannot be written and a disk that is full: no
# answer without a row. In: build directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"
cat >"$work/policy.yaml" <<'YAML'
version: "1"
defaults: { risk_level: medium, approval: block }
rules:
  - { name: reads, match: { type: "read*" }, risk_level: low, approval: auto }
YAML
serve_start || { not_ok "the server gets ready"; tap_done; }
kills=${AEGIS_LONG:+200}
kills=${kills:-10}

# Asks one after the other over fresh and kept connections; keeps the ids of what was answered.
ask() {
    while [ ! -e "$work/stop" ]; do
        curl -s --max-time 3 -d '{"type":"read"}' "http://$data/v1/decide" "http://$data/v1/decide" "http://$data/v1/decide" \
            "http://$data/v1/decide" 2>/dev/null
        echo
    done | grep -oE '"decision":"allow","is_allowed":true,"decision_id":"[a-z2-7]{24}"' | grep -oE '[a-z2-7]{24}' >"$work/ids.$1"
}
for n in 1 2; do ask "$n" & done
parents=0
for n in $(seq "$kills"); do
    sleep "0.$((RANDOM % 4 + 1))"
    mapfile -t kids < <(children)
    if [ $((n % 10)) = 0 ]; then
        kill -KILL "$server"
        wait "$server" 2>/dev/null
        parents=$((parents + 1))
        # The same addresses again: clients only see a pause.
        "$aegis" serve "$work/policy.yaml" --listen "$data" --listen "unix:$work/data.sock" --metrics "$metrics" \
            --audit "$work/audit" --state "$work/state" --workers 2 </dev/null >>"$work/log" 2>&1 &
        server=$!
        serve_ready || break
    elif [ "${#kids[@]}" -gt 0 ]; then
        kill -KILL "${kids[RANDOM % ${#kids[@]}]}" 2>/dev/null
    fi
done
sleep 1
for i in $(seq 50); do post /v1/decide '{"type":"read"}'; [ "$(status)" = 200 ] && break; sleep 0.1; done
expect 200 '"decision":"allow"' "after $kills kills ($parents of the parent) it answers"
touch "$work/stop"
sleep 4
serve_stop
check $? "TERM ends it with 0" "$(tail -n 5 "$work/log")"
verify_log
check $? "the log verifies" "$(cat "$work/verify")"
grep -rhaoE '"id":"[a-z2-7]{24}"' "$work/audit/tile/entries" | grep -oE '[a-z2-7]{24}' | sort -u >"$work/logged"
cat "$work"/ids.* | sort -u >"$work/answered"
missing=$(comm -23 "$work/answered" "$work/logged" | wc -l)
n=$(wc -l <"$work/answered")
[ "$n" -gt 50 ] && [ "$missing" = 0 ]
check $? "every answered allow is in the log" "$n answered, $missing missing"
grep -rqa '"type":"worker_crash"' "$work/audit/tile/entries"
check $? "deaths of workers are rows"

rm -f "$work/stop"
echo x >"$work/file"
out=$(timeout 20 "$aegis" serve "$work/policy.yaml" --listen "127.0.0.1:$(free_port)" --metrics off --audit "$work/file" --state "$work/s3" 2>&1 </dev/null)
code=$?
[ "$code" != 0 ] && [ "$code" != 124 ] && grep -q "$work/file" <<<"$out"
check $? "an audit directory that is none is refused" "$code $out"

mkdir "$work/small"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=120m tmpfs "$work/small" 2>/dev/null; then
    audit=$work/small/audit
    echo 'audit: { reserve: 8388608 }' >"$work/conf.yaml"
    "$aegis" serve "$work/policy.yaml" --listen "$data" --metrics "$metrics" --audit "$audit" --state "$work/s4" --workers 1 --config "$work/conf.yaml" \
        </dev/null >>"$work/log" 2>&1 &
    server=$!
    if serve_ready; then
        post /v1/decide '{"type":"read"}'
        expect 200 allow "it answers while there is space"
        head -c 200m /dev/zero >"$work/small/fill" 2>/dev/null
        for i in $(seq 50); do post /v1/decide '{"type":"read"}'; [ "$(status)" = 503 ] && break; sleep 0.1; done
        expect 503 '"decision":"unavailable","is_allowed":false.*audit_unavailable' "a full disk: no answer without a row"
        get /readyz
        expect 503 audit_unavailable "and readyz says so"
        rm -f "$work/small/fill"
        for i in $(seq 100); do post /v1/decide '{"type":"read"}'; [ "$(status)" = 200 ] && break; sleep 0.1; done
        expect 200 allow "it answers again when there is space"
    else
        not_ok "it starts on the small file system"
    fi
    serve_stop
    umount "$work/small"
else
    skip "a full disk" "needs root and tmpfs"
fi
tap_done
