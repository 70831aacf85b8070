#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The load driver against the floor server: counts what it should, sees errors, measures a stall from the due time.
# In: load, floor. Out: TAP. Times are only compared with a stall that the test itself makes.
set -u
load=$1 floor=$2
. "$(dirname "$0")/../tap.sh"
work=$(mktemp -d)
trap 'kill -KILL "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -rf "$work"' EXIT

"$floor" --listen 127.0.0.1:0 --length 300 >"$work/said" &
pid=$!
for _ in $(seq 100); do [ -s "$work/said" ] && break; sleep 0.05; done
port=$(sed -n 's/^listening port //p' "$work/said")
printf '{"n":1}\n{"n":2}\n' >"$work/lines"
to=127.0.0.1:$port

"$load" --to "$to" --lines "$work/lines" --connections 4 --seconds 0.3 --warmup 0.1 --expect-status 200 --expect xxx \
    --json "$work/json" >"$work/out" 2>&1
check $? "closed loop, no errors" "$(cat "$work/out")"
grep -q '"errors":0,' "$work/json" && grep -qE '"status":\{"200":[1-9]' "$work/json"
check $? "statuses are counted in the JSON" "$(cat "$work/json")"

"$load" --to "$to" --connections 4 --rate 1000 --seconds 0.5 --warmup 0 --json - >"$work/json" 2>&1
answers=$(grep -oE '"(answers|unanswered)":[0-9]+' "$work/json" | cut -d: -f2 | awk '{ s += $1 } END { print s }')
[ "$answers" = 500 ]
check $? "a fixed rate owes exactly rate x seconds" "$(cat "$work/json")"

"$load" --to "$to" --connections 1 --seconds 0.2 --warmup 0 --expect-status 404 >"$work/out" 2>&1
[ $? = 1 ] && grep -qE 'errors: .* [1-9][0-9]* status' "$work/out"
check $? "another status than expected is an error" "$(cat "$work/out")"

# 2000 requests are due in a second; the server stands still for 0.4 s of it: at least a fifth waited over 0.1 s.
(sleep 0.3; kill -STOP "$pid"; sleep 0.4; kill -CONT "$pid") &
stall=$!
"$load" --to "$to" --connections 2 --rate 2000 --seconds 1.2 --warmup 0 --json - >"$work/json" 2>&1
wait "$stall"
p90=$(grep -oE '"p90":[0-9]+' "$work/json" | cut -d: -f2)
[ "${p90:-0}" -gt 100000 ]
check $? "requests that were due during a stall are charged for it" "$(cat "$work/json")"

kill -KILL "$pid"
wait "$pid" 2>/dev/null
"$load" --to "$to" --connections 1 --seconds 0.2 >"$work/out" 2>&1
[ $? = 1 ] && grep -q 'refused' "$work/out"
check $? "no server is an error, not a result" "$(cat "$work/out")"
"$load" --to 192.0.2.1:80 >"$work/out" 2>&1
[ $? = 2 ] && grep -q 'not an address of this machine' "$work/out"
check $? "other machines are refused"
tap_done
