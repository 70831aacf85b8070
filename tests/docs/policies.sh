#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every policy shown in a document (a ```yaml block that begins with "version:") compiles without a warning, and links
# between documents lead somewhere. In: BUILD SOURCE. Out: TAP.
set -u
build=$(realpath "$1") source=$(realpath "$2")
. "$source/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source" || exit 1
pages=(README.md CHANGELOG.md docs/*.md docs/*/*.md stdlib-policies/README.md)
for page in "${pages[@]}"; do
    [ -f "$page" ] || continue
    rm -f "$work"/*
    awk -v dir="$work" '$0 == "```yaml" { n++; f = dir "/" n ".yaml"; next } $0 == "```" { f = "" } f { print >f }' "$page"
    for policy in "$work"/*.yaml; do
        [ -f "$policy" ] && head -n 1 "$policy" | grep -q '^version:' || continue
        out=$("$build/compiler/aegisc" --check -Werror "$policy" 2>&1)
        check $? "$page: policy $(basename "$policy" .yaml) compiles" "$out"
    done
    bad=$(grep -oE '\]\([^)#: ]+' "$page" | sed 's/^](//' | while read -r link; do
        [ -e "$(dirname "$page")/$link" ] || echo "$link"
    done)
    [ -z "$bad" ]
    check $? "$page: links" "$bad"
    # Files of the tree that a page names in code marks.
    bad=$(grep -oE '`(vm|runtime|compiler|grammar|tests|bench|docs|stdlib-policies)/[A-Za-z0-9_./-]+`' "$page" | tr -d '`' | grep -vE '_x\.c|BENCHMARKS' | sort -u |
        while read -r file; do [ -e "$file" ] || echo "$file"; done)
    [ -z "$bad" ]
    check $? "$page: files that it names" "$bad"
done
tap_done
