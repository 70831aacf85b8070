#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The promise of the kill switch (D2): no allow is answered after an engagement was acknowledged, with workers that are busy,
# slow or stopped. AEGIS_LONG=1: 1,000 trials, else 100; tests/unit/test_kill.c makes 10,000 of the protocol. In: build directory, source directory. Out: TAP.
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
trials=${AEGIS_LONG:+1000}
trials=${trials:-100}
switch=$build/tests/http/switch_race
if [ ! -x "$switch" ]; then
    skip "trials" "switch_race is not built"
    tap_done
fi
timeout 900 "$switch" "$work/data.sock" "$work/state/admin.sock" "$trials" >"$work/out" 2>&1
check $? "$trials trials: no allow after the acknowledgement" "$(cat "$work/out")"

# One worker stands still: the engagement ends it or knows that it carries no allow; it takes no longer than a second or so.
mapfile -t kids < <(children)
kill -STOP "${kids[-1]}"
timeout 60 "$switch" "$work/data.sock" "$work/state/admin.sock" 5 >"$work/out" 2>&1
check $? "the same with a stopped worker" "$(cat "$work/out")"
kill -CONT "${kids[-1]}" 2>/dev/null
serve_stop
verify_log
check $? "the log verifies" "$(cat "$work/verify")"
tap_done
