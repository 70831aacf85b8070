#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Before a policy goes live (B48): validate it, simulate two actions, compile it, start a server with the image on a free
# port, probe its health, stop it. In: POLICY, ACTION, ACTION; aegis and aegisc on PATH, or their folder in AEGIS_BIN.
# Out: a line for each step; exit 0 when all of it worked. Leaves nothing behind. Next file to read: README.md.
set -u
here=$(cd "$(dirname "$0")" && pwd)
policy=${1-$here/gateway/agent-gateway.yaml} first=${2-read:crm} second=${3-delete:prod-db}
[ -z "${AEGIS_BIN-}" ] || PATH=$AEGIS_BIN:$PATH
work=$(mktemp -d) server=

finish() {
    [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
fail() {
    echo "preflight: $1" >&2
    [ -z "${2-}" ] || [ ! -s "$2" ] || tail -n 20 "$2" | sed 's/^/    /' >&2
    exit 1
}
step() { printf '%-10s %s\n' "$1" "$2"; }

[ -f "$policy" ] || fail "no policy $policy"
aegis validate "$policy" >"$work/log" 2>&1 || fail "the policy is not valid" "$work/log"
step validate "$(head -n 1 "$work/log")"

# Denied and held actions are answers too: only "no answer" (3) stops here.
aegis simulate "$policy" "$first" "$second" >"$work/log" 2>&1
[ $? -le 2 ] || fail "the simulation gave no answer" "$work/log"
grep -- ' -> ' "$work/log" | sed 's/^ */simulate   /'

aegisc "$policy" -o "$work/policy.bin" >"$work/log" 2>&1 || fail "the policy does not compile" "$work/log"
step image "$(wc -c <"$work/policy.bin") bytes"

# A port may be taken between the look and the bind: three tries.
ready=
for try in 1 2 3; do
    port=$((20000 + (RANDOM + try) % 30000))
    aegis serve "$work/policy.bin" --listen "127.0.0.1:$port" --metrics "127.0.0.1:$((port + 1))" \
        --admin "unix:$work/admin.sock" --audit "$work/audit" --state "$work/state" --workers 1 \
        </dev/null >"$work/serve.log" 2>&1 &
    server=$!
    for _ in $(seq 150); do
        if curl -sf --max-time 1 -o "$work/health" "http://127.0.0.1:$port/health" &&
            curl -sf --max-time 1 -o /dev/null "http://127.0.0.1:$port/readyz"; then
            ready=yes
            break 2
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    kill -TERM "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
    grep -qi 'in use' "$work/serve.log" || break
done
[ -n "$ready" ] || fail "the server did not get ready" "$work/serve.log"
step health "$(head -c 200 "$work/health")"
kill -TERM "$server"
wait "$server"
status=$?
server=
[ "$status" = 0 ] || fail "the server ended with status $status" "$work/serve.log"
step stopped "preflight passed"
