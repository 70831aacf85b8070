#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/TOUR.md shows what the programs print today: every ```console block whose first line is "$ COMMAND" is run again in
# a folder that holds the page's policy (its first ```yaml block as tour.yaml) and the text after it is compared.
# In: [--bless] BUILD SOURCE. Out: TAP; --bless rewrites the page.
set -u
bless=
[ "${1-}" != --bless ] || { bless=1; shift; }
build=$(realpath "${1-build}") source=$(realpath "${2-.}")
. "$source/tests/tap.sh"
[ -z "$bless" ] || exec 3>&1 >/dev/null
page=$source/docs/TOUR.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$build/compiler:$build/runtime/cmd:$PATH
export LC_ALL=C.UTF-8 NO_COLOR=1
cd "$work" || exit 1
awk '$0 == "```yaml" && !n { n = 1; next } $0 == "```" && n == 1 { n = 2 } n == 1' "$page" >tour.yaml

# run COMMAND: its output; the exit code too when it is not 0.
run() {
    local status
    bash -c "$1" 2>&1
    status=$?
    [ "$status" = 0 ] || echo "(exit $status)"
}

command='' in_block='' old=''
while IFS= read -r line || [ -n "$line" ]; do
    if [ -z "$in_block" ]; then
        printf '%s\n' "$line" >>new.md
        [ "$line" = '```console' ] && in_block=first
        continue
    fi
    if [ "$in_block" = first ]; then
        command=${line#'$ '} old='' in_block=rest
        printf '%s\n' "$line" >>new.md
        continue
    fi
    if [ "$line" != '```' ]; then
        old+=$line$'\n'
        continue
    fi
    in_block=
    if ! command -v "${command%% *}" >/dev/null; then
        skip "$command" "no ${command%% *} in the build"
        new=${old%$'\n'}
    else
        new=$(run "$command")
        out=$(diff -u <(printf '%s' "$old") <(printf '%s\n' "$new"))
        check $? "$command" "$out
to accept: tests/docs/tour.sh --bless $build"
    fi
    printf '%s\n```\n' "$new" >>new.md
done <"$page"
if [ -n "$bless" ]; then
    cmp -s new.md "$page" || { cp new.md "$page" && echo "wrote docs/TOUR.md" >&3; }
    exit 0
fi
tap_done
