#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program of docs/EMBEDDING.md: extracted, compiled as C99 and as C++ against libaegis by pkg-config, run on a real
# directory; then the sequencer signs its log and the verifier accepts it, and refuses it with one byte changed (A67).
# In: BUILD SOURCE. Out: TAP.
set -u
build=$1 source=$2
. "$source/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

block() { awk -v lang="$1" '$0 == "```" lang && !n { n = 1; next } $0 == "```" && n == 1 { n = 2 } n == 1' "$source/docs/EMBEDDING.md"; }
block yaml >policy.yaml
block c >gateway.c
[ -s policy.yaml ] && [ -s gateway.c ]
check $? "the page has a policy and a program"
out=$("$build/compiler/aegisc" -Werror policy.yaml -o policy.bin 2>&1)
check $? "the policy compiles without a warning" "$out"

export PKG_CONFIG_PATH=$build/meson-uninstalled LD_LIBRARY_PATH=$build/runtime/host
flags=$(pkg-config --cflags --libs aegis 2>&1)
check $? "pkg-config knows aegis" "$flags"
flags="$flags -I$source/vm/include" # installed, the header is where the pkg-config file says
# A build with sanitizers needs their run time in the program too.
if nm -D --undefined-only "$build/runtime/host/libaegis.so" | grep -qE '__(asan|tsan|ubsan|sanitizer)'; then
    skip "the program" "libaegis is built with a sanitizer"
    tap_done
fi
out=$(${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Werror gateway.c -o gateway $flags 2>&1)
check $? "the program compiles as C99" "$out"
if command -v c++ >/dev/null; then
    cp gateway.c gateway.cc
    out=$(c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only gateway.cc -I"$source/vm/include" 2>&1)
    check $? "the program compiles as C++" "$out"
else
    skip "the program compiles as C++" "no C++ compiler"
fi

out=$(./gateway policy.bin data 2>&1)
check $? "the program runs" "$out"
grep -q '^run allow: read$' <<<"$out"
check $? "it runs what is allowed" "$out"
grep -q '^stop escalate: large_payment$' <<<"$out"
check $? "it stops what is escalated" "$out"
[ "$(grep -c '"decision_id":"' <<<"$out")" = 2 ]
check $? "both decisions were journaled" "$out"
out=$(./gateway policy.bin data 2>&1)
check $? "a second run takes up the same directory" "$out"
out=$(./gateway policy.yaml data 2>&1)
[ $? = 3 ] && grep -qi 'image' <<<"$out"
check $? "a file that is no image is refused with a reason" "$out"

aegis=$build/runtime/cmd/aegis
if [ ! -x "$aegis" ]; then
    skip "the log" "no aegis at $aegis"
    tap_done
fi
out=$("$aegis" sequencer --dir data --once 2>&1)
check $? "the sequencer takes the rows and signs" "$out"
out=$("$aegis" audit verify data 2>&1)
check $? "the log verifies" "$out"
[ "$(cat data/tile/entries/*/* data/tile/entries/* 2>/dev/null | grep -ao '"type":"decision"' | wc -l)" -ge 4 ]
check $? "the log has the four decisions" "$(ls -R data | head -40)"
cp -R data broken
entries=$(find broken/tile/entries -type f | sort -V | tail -n 1)
printf '#' | dd of="$entries" bs=1 seek=300 conv=notrunc status=none
out=$("$aegis" audit verify broken 2>&1)
[ $? = 1 ]
check $? "one changed byte is refused" "$out"
tap_done
