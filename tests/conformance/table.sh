#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The table of conformance in docs/LANGUAGE.md, between its markers. In: [--bless] RUNNER SOURCE, and the cases.
# Out: the difference and exit 1 when the document says something else; --bless rewrites it.
set -u
bless=
[ "${1-}" != --bless ] || { bless=1; shift; }
runner=$1 source=$2
cases=${AEGIS_SHARED:-$source/../shared}/corpora/opa-v1
page=$source/docs/LANGUAGE.md
begin='<!-- conformance: tests/conformance/table.sh --bless writes what follows -->' end='<!-- end of conformance -->'
[ -d "$cases" ] || { echo "no cases in $cases"; exit 2; }
grep -qxF "$begin" "$page" && grep -qxF "$end" "$page" || { echo "$page has no markers"; exit 2; }
new=$(mktemp)
trap 'rm -f "$new"' EXIT
{
    awk -v mark="$begin" '{ print } $0 == mark { exit }' "$page"
    echo
    "$runner" "$cases" --table
    echo
    awk -v mark="$end" '$0 == mark { on = 1 } on' "$page"
} >"$new"
if [ -n "$bless" ]; then
    cat "$new" >"$page"
else
    diff -u "$page" "$new"
fi
