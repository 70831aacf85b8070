#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests of this folder: every policy compiles with warnings as errors, has a line in MANIFEST and a table beside it that
# passes; test rules of modules pass too. In: BUILD SOURCE. Out: TAP. Next file to read: README.md.
set -u
build=$1 source=$2
. "$source/tests/tap.sh"
cd "$source/stdlib-policies" || exit 1
aegisc=$build/compiler/aegisc aegis=$build/runtime/cmd/aegis

for policy in */*.yaml; do
    case $policy in *_test.yaml) continue ;; esac
    out=$("$aegisc" --check -Werror "$policy" 2>&1)
    status=$?
    [ -z "$out" ] || status=1
    check $status "$policy compiles without a warning" "$out"
    grep -q "^$policy " MANIFEST
    check $? "$policy is in MANIFEST"
    table=${policy%.yaml}_test.yaml
    if [ ! -f "$table" ]; then
        not_ok "$table" "no table of cases beside $policy"
    elif [ ! -x "$aegis" ]; then
        skip "$table" "no aegis at $aegis"
    else
        out=$("$aegis" test "$table" 2>&1)
        check $? "$table" "$out"
    fi
done
for rules in */*_test.rego; do
    if [ ! -x "$aegis" ]; then
        skip "$rules" "no aegis at $aegis"
        continue
    fi
    out=$("$aegis" test "$(dirname "$rules")"/*.rego "$(dirname "$rules")"/*.json 2>&1)
    check $? "$rules" "$out"
done
while read -r policy _; do
    case $policy in '#'* | '') continue ;; esac
    [ -f "$policy" ]
    check $? "MANIFEST: $policy exists"
done <MANIFEST
tap_done
