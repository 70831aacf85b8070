#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/generated says what the tables say. In: [--bless] BUILD SOURCE. Out: TAP; --bless rewrites the documents instead.
set -u
bless=
[ "${1-}" != --bless ] || { bless=1; shift; }
build=${1-build} source=${2-.}
. "$source/tests/tap.sh"
found=0
for made in "$build"/{docs,compiler,runtime/cmd}/*.md "$build/docs/capabilities.json"; do
    [ -f "$made" ] || continue
    found=$((found + 1))
    kept=$source/docs/generated/$(basename "$made")
    if [ -n "$bless" ]; then
        cmp -s "$made" "$kept" || { cp "$made" "$kept" && echo "wrote $kept"; }
        continue
    fi
    out=$(diff -u "$kept" "$made" 2>&1)
    check $? "docs/generated/$(basename "$made")" "$out
to accept: ninja -C $build && tests/docs/generated.sh --bless $build"
done
[ -z "$bless" ] || exit 0
[ "$found" -gt 0 ]
check $? "the build made documents"
for kept in "$source"/docs/generated/*; do
    ls "$build"/{docs,compiler,runtime/cmd}/"$(basename "$kept")" 2>/dev/null | grep -q .
    check $? "$(basename "$kept") has a table behind it"
done
tap_done
