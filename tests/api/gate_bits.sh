#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The gates must answer with the same bits however they are compiled: builds their sources and test_gates.c with each
# compiler at several levels and with sanitizers, and compares the digest over a fixed grid. In: the source root.
# Out: TAP. Owns a temporary directory.
set -u
root=${1:?source root}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

sources=("$root"/tests/unit/test_gates.c "$root"/vm/gates/*.c "$root"/vm/base/fmath.c)
flags=(-std=c11 -D_GNU_SOURCE -ffp-contract=off -I"$root/vm/base" -I"$root/vm/gates" -I"$root")
count=0
failed=0
first=

for compiler in gcc clang; do
  if ! command -v "$compiler" >/dev/null; then
    count=$((count + 1))
    echo "ok $count # SKIP $compiler is not here"
    continue
  fi
  for level in -O0 -O2 -O3 '-O3 -march=native' '-O1 -fsanitize=address,undefined -fno-sanitize-recover=all'; do
    count=$((count + 1))
    # shellcheck disable=SC2086 # a level may be several words
    if "$compiler" "${flags[@]}" $level "${sources[@]}" -o "$tmp/gates" 2>"$tmp/log" &&
      digest=$("$tmp/gates" --digest 2>>"$tmp/log"); then
      first=${first:-$digest}
      if [ "$digest" = "$first" ]; then
        echo "ok $count - $compiler $level: $digest"
        continue
      fi
      echo "not ok $count - $compiler $level: $digest, others $first"
    else
      echo "not ok $count - $compiler $level does not build or run"
      sed 's/^/# /' "$tmp/log"
    fi
    failed=1
  done
done
echo "1..$count"
exit "$failed"
