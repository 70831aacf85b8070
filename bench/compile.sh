#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Time and memory of compiling generated policies of 10 to 100,000 rules. In: folder of the build. Out: one line each.
set -eu
build=$(realpath "${1:?usage: bench/compile.sh BUILD}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for n in 10 100 1000 10000 100000; do
    "$build/bench/gen_rules" "$n" >"$work/p.yaml"
    for round in 1 2 3; do
        /usr/bin/time -f "%e %M" -o "$work/t$round" "$build/compiler/aegisc" "$work/p.yaml" -o "$work/$round.bin" 2>/dev/null
    done
    cmp "$work/1.bin" "$work/2.bin"
    sort -n "$work"/t? | head -1 | {
        read -r s kb
        echo "$n rules: $s s, $((kb / 1024)) MiB, image $(stat -c %s "$work/1.bin") bytes"
    }
done
