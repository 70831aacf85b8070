#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A policy of 10,000 rules: memory, and the same bytes whatever the folder, time zone, locale and environment are. The time is
# printed. In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"
gen=$build/bench/gen_rules
if [ ! -x "$gen" ]; then
    skip "10,000 rules" "gen_rules is not built"
    tap_done
fi
"$gen" 10000 "${AEGIS_SEED:-1}" >rules.yaml
mkdir other && cp rules.yaml other/
begin=$(date +%s%N)
run aegisc rules.yaml -o one.bin
ms=$((($(date +%s%N) - begin) / 1000000))
exits 0 "10,000 rules compile: $ms ms, image of $(stat -c %s one.bin) bytes, seed ${AEGIS_SEED:-1}"
(cd other && TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOME=/nonexistent SOURCE_DATE_EPOCH=0 aegisc rules.yaml -o ../two.bin 2>/dev/null)
cmp one.bin two.bin
check $? "identical bytes from another folder, zone and locale"
if [ "$(head -c 20000000 "$build/compiler/aegisc" | grep -ac __asan_init)" != 0 ]; then
    skip "memory" "the address sanitizer takes its own"
elif [ -x /usr/bin/time ]; then
    kib=$(/usr/bin/time -f %M aegisc rules.yaml -o three.bin 2>&1 >/dev/null | tail -n 1)
    [ "$kib" -lt 204800 ]
    check $? "under 200 MiB: $((kib / 1024)) MiB"
else
    skip "memory" "needs /usr/bin/time"
fi
tap_done
