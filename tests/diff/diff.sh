#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Random policies: 100,000 pairs of a policy and an input (12 inputs for each policy) through optimised code, plain
# code and the slow evaluator; with AEGIS_LONG 3,000,000. Then some against Open Policy Agent itself, where a program
# `opa` is in the PATH or named by AEGIS_OPA. In: difftest. Out: TAP; the seed is AEGIS_SEED.
set -u
difftest=$1 source=$2
. "$source/tests/tap.sh"
seed=${AEGIS_SEED:-1} pairs=100000 others=1500
[ -z "${AEGIS_LONG-}" ] || pairs=3000000 others=100000

out=$("$difftest" "$pairs" "$seed" 2>&1)
check $? "$pairs pairs agree, seed $seed" "$out"
grep '^# [0-9]' <<<"$out"

opa=${AEGIS_OPA:-$(command -v opa)}
if [ -z "$opa" ] || ! "$opa" version >/dev/null 2>&1; then
    skip "pairs against Open Policy Agent" "no opa in the PATH (AEGIS_OPA names it)"
else
    out=$("$difftest" --opa "$opa" "$others" "$seed" 2>&1)
    ! grep -q '^not ok 1' <<<"$out"
    check $? "$others pairs agree with $("$opa" version | head -n 1), seed $seed" "$out"
    grep '^# ' <<<"$out" | tail -n 12
fi
tap_done
