#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Modules shown in documents are true. A ```rego block that begins with "package" is compiled, and its comments say what
# holds: "#= JSON" gives base documents, "#< JSON" the input of the lines after it, "#> EXPRESSION => VALUE" what an
# expression of the module's package is ("undefined", "error TEXT"), "#! IDS" every diagnostic of the compiler in its order.
# In: BUILD SOURCE. Out: TAP, one line for each block.
set -u
build=$(realpath "$1") source=$(realpath "$2")
. "$source/tests/tap.sh"
export NO_COLOR=1 LC_ALL=C.UTF-8 PATH="$build/compiler:$build/runtime/cmd:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# EXPRESSION: its value in brackets, nothing when it is undefined, or the error.
value() {
    local query="[$1]" out status
    case $1 in *' with '*) query="[${1%% with *}] with ${1#* with }" ;; esac
    out=$(aegis eval -d m.rego "${data[@]}" "${input[@]}" --package "$package" -f raw "$query" 2>&1)
    status=$?
    [ "$status" = 0 ] && echo "$out" || echo "error $out"
}

run_block() { # FILE: prints what is wrong
    local line want got want_ids='' got_ids data=() input=() package
    cp "$1" m.rego
    package=$(sed -n 's/^package //p' m.rego | head -n 1)
    want_ids=$(sed -n 's/^#! //p' m.rego | tr '\n' ' ')
    got=$(aegisc --check m.rego 2>&1)
    got_ids=$(sed -nE 's/^m\.rego:[0-9:]+ (error|warning)\[([a-z-]+)\].*/\2/p' <<<"$got" | tr '\n' ' ')
    [ "${want_ids% }" = "${got_ids% }" ] || printf 'diagnostics: %s\n%s\n' "$got_ids" "$got"
    while IFS= read -r line; do
        case $line in
        '#= '*) echo "${line#'#= '}" >data.json; data=(-d data.json) ;;
        '#< '*) echo "${line#'#< '}" >input.json; input=(-i input.json) ;;
        '#> '*' => '*)
            line=${line#'#> '} want=${line##* => }
            got=$(value "${line% => *}")
            case $want in
            undefined) [ -z "$got" ] ;;
            'error '*) [ "${got#error }" != "$got" ] && grep -qF -- "${want#error }" <<<"$got" ;;
            *) [ "$got" = "[$want]" ] ;;
            esac || printf '%s is %s\n' "$line" "$got"
            ;;
        '#'[\>\<=!]*) [ "${line#'#! '}" != "$line" ] || echo "cannot be read: $line" ;;
        esac
    done <m.rego
}

found=0
for page in "$source"/README.md "$source"/docs/*.md "$source"/stdlib-policies/README.md; do
    rm -rf blocks && mkdir blocks
    awk '$0 == "```rego" { f = sprintf("blocks/%05d", NR); next } $0 == "```" { f = "" } f { print >f }' "$page"
    for block in blocks/*; do
        [ -f "$block" ] && head -n 1 "$block" | grep -q '^package ' || continue
        found=$((found + 1))
        out=$(run_block "$block")
        [ -z "$out" ]
        check $? "${page#"$source/"}:$(basename "$block" | sed 's/^0*//')" "$out"
    done
done
[ "$found" -gt 0 ]
check $? "documents have modules"
tap_done
