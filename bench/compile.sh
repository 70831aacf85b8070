#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Time and memory of compiling generated policies of 10 to 100,000 rules, and of generated modules: 1,000 that use each
# other, one with 10,000 definitions. In: folder of the build. Out: one line each.
set -eu
build=$(realpath "${1:?usage: bench/compile.sh BUILD}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

measure() { # WHAT ARGUMENT...
    local what=$1 round
    shift
    for round in 1 2 3; do
        /usr/bin/time -f "%e %M" -o "$work/t$round" "$build/compiler/aegisc" "$@" -o "$work/$round.bin" 2>/dev/null
    done
    cmp "$work/1.bin" "$work/2.bin"
    sort -n "$work"/t? | head -1 | {
        read -r s kb
        echo "$what: $s s, $((kb / 1024)) MiB, image $(stat -c %s "$work/1.bin") bytes"
    }
}

for n in 10 100 1000 10000 100000; do
    "$build/bench/gen_rules" "$n" >"$work/p.yaml"
    measure "$n rules" "$work/p.yaml"
done
here=$(dirname "$0") entries=()
bash "$here/gen_modules.sh" modules 1000 "$work/modules"
for ((i = 0; i < 1000; i++)); do entries+=(-e "data.m$i.allow"); done
measure "1000 modules" "${entries[@]}" "$work/modules"
bash "$here/gen_modules.sh" index 10000 "$work/index"
measure "10000 definitions" --decision data.index.allow "$work/index"
