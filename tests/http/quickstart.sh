#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./quickstart as a newcomer runs it, twice in a row and without a terminal, and the three lines that it prints.
# In: build directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
export AEGIS_BUILD=$build NO_COLOR=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -x "$build/runtime/cmd/aegis" ] || [ ! -x "$build/compiler/aegisc" ]; then
    skip "quickstart" "aegis and aegisc are not built"
    tap_done
fi
cd "$src" || exit 1

for run in first second; do
    timeout 240 ./quickstart </dev/null >"$work/$run" 2>&1
    check $? "$run run ends well" "$(cat "$work/$run")"
done
for word in allow deny throttle escalate; do
    grep -q "^  $word " "$work/second"
    check $? "it shows a decision: $word" "$(cat "$work/second")"
done
[ "$(tail -n 4 "$work/second" | head -n 1)" = "log verified" ]
check $? "it ends with 'log verified' and three lines" "$(tail -n 6 "$work/second")"
left=$(pgrep -af "$build/quickstart/policy.bin")
[ -z "$left" ]
check $? "nothing is left running" "$left"

mapfile -t lines < <(tail -n 3 "$work/second")
simulate='simulate .* read:crm'
[[ ${lines[0]} =~ $simulate ]] && before=$("$build/runtime/cmd/aegis" simulate \
    "$src/stdlib-policies/gateway/agent-gateway.yaml" read:crm 2>&1)
after=$(bash -c "${lines[0]}" </dev/null 2>&1)
[ -n "$after" ] && [ "$(grep 'read:crm' <<<"$before")" != "$(grep 'read:crm' <<<"$after")" ]
check $? "line 1: the edited rule decides otherwise" "$before
$after"

# The printed port may be in use here: another one in its place.
port=$((20000 + RANDOM % 30000))
out=$(timeout 60 bash -c "${lines[1]//:8000/:$port}" </dev/null 2>&1)
grep -q '"decision":"allow"' <<<"$out"
check $? "line 2: served and asked" "$out"

out=$(bash -c "${lines[2]}" </dev/null 2>&1)
status=$?
[ "$status" != 0 ] && grep -qiE 'row|entry' <<<"$out"
check $? "line 3: a changed byte is found, the row is named" "$out"
tap_done
