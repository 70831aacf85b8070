#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What libaegis shows and keeps: the shared library exports aegis_* and nothing else, exactly what the public
# headers declare; the objects of vm/ and runtime/host hold no writable static data, so any number of threads and
# policies share nothing. In: build directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
LC_ALL=C
export LC_ALL

lib=$(find "$build" -name 'libaegis.so*' -not -name '*.p' -not -name '*.symbols' -type f | head -n 1)
if [ -z "$lib" ]; then
    skip "exports of libaegis.so" "not built"
    skip "declared functions are exported" "not built"
else
    exports=$(nm -D --defined-only "$lib" | awk '{ print $NF }' | sed 's/@.*//' | sort -u)
    other=$(grep -v '^aegis_' <<<"$exports" | grep -vE '^(_init|_fini|__asan_|__odr_asan|__sanitizer|___asan|__ubsan|__tsan)')
    [ -n "$exports" ] && [ -z "$other" ]
    check $? "libaegis.so exports only aegis_*" "$other"
    declared=$(cat "$src"/vm/include/aegis.h "$src"/vm/include/aegis_tools.h | sed 's,//.*,,' | tr '\n' ' ' | sed 's,/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/, ,g' |
        grep -oE '[^A-Za-z0-9_(]aegis_[a-z0-9_]+ *\([^*]' | grep -oE 'aegis_[a-z0-9_]+' | sort -u)
    differ=$(comm -3 <(echo "$declared") <(grep '^aegis_' <<<"$exports"))
    [ -z "$differ" ]
    check $? "the public headers declare what is exported" "declared only, or (indented) exported only:
$differ"
fi

# The provider is a library of its own with one function.
lib=$(find "$build" -name 'libaegis-crypto.so*' -not -name '*.p' -not -name '*.symbols' -type f | head -n 1)
if [ -z "$lib" ]; then
    skip "exports of libaegis-crypto.so" "not built"
else
    exports=$(nm -D --defined-only "$lib" | awk '{ print $NF }' | sed 's/@.*//' | sort -u |
        grep -vE '^(_init|_fini|__asan_|__odr_asan|__sanitizer|___asan|__ubsan|__tsan)')
    [ "$exports" = aegis_crypto_openssl ]
    check $? "libaegis-crypto.so exports aegis_crypto_openssl alone" "$exports"
fi

objects=$(find "$build/vm" "$build/runtime/host" -path '*.a.p/*' -name '*.o' 2>/dev/null | sort)
if [ -z "$objects" ]; then
    skip "no writable static data" "no objects of vm/ and runtime/host"
elif nm $objects 2>/dev/null | grep -qE ' U _*(asan|tsan|ubsan|sanitizer_cov|gcov)_'; then
    skip "no writable static data" "sanitizers add their own"
else
    for object in $objects; do
        # .data.rel.ro is written by the loader alone; thread-local data counts as writable.
        writable=$(size -A "$object" | awk '$2 > 0 && $1 ~ /^\.(data|bss|tdata|tbss|sdata|sbss)/ && $1 !~ /^\.data\.rel\.ro/ { print $1, $2 " bytes" }')
        [ -z "$writable" ]
        check $? "no writable static data in ${object#"$build"/}" "$writable
$(nm "$object" | grep -iE ' [bdc] ')"
    done
fi
tap_done
