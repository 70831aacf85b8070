#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The folders of complete.txt are complete: by optimised code, by plain code, by the slow evaluator. The table in
# docs/LANGUAGE.md says what is. In: the runner, the source; the cases, in AEGIS_SHARED or in ../shared. Out: TAP.
set -u
runner=$1 source=$2 here=$2/tests/conformance
. "$source/tests/tap.sh"
shared=${AEGIS_SHARED:-$source/../shared}
cases=$shared/corpora/opa-v1

check_mode() { # NAME OPTION...
    local name=$1 line
    shift
    while IFS= read -r line; do
        case $line in
        "ok "*) ok "$name: ${line#*- }" ;;
        "not ok "*) not_ok "$name: ${line#*- }" ;;
        esac
    done < <("$runner" "$cases" --complete "$here/complete.txt" "$@")
}

if [ ! -d "$cases" ]; then
    skip "conformance cases" "they are not here (AEGIS_SHARED names the folder)"
    tap_done
fi
wanted=$(grep -vcE '^(#|$)' "$here/complete.txt")
check_mode optimised
check_mode plain -O0
check_mode slow --ref
check_mode formatted --fmt
[ "$tap_n" = $((wanted * 4)) ]
check $? "every folder of complete.txt was judged in each way" "$tap_n of $((wanted * 4))"
out=$("$here/table.sh" "$runner" "$source" 2>&1)
check $? "docs/LANGUAGE.md has the table of conformance" "$out"
tap_done
