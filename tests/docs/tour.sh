#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/TOUR.md and docs/LANGUAGE.md show what the programs print today: every ```console block whose first line is
# "$ COMMAND" is run again in a folder that holds the page's files (a block below a line that ends in `NAME`: is the file
# NAME) and the text after it is compared. In: [--bless] BUILD SOURCE. Out: TAP; --bless rewrites the pages.
set -u
bless=
[ "${1-}" != --bless ] || { bless=1; shift; }
build=$(realpath "${1-build}") source=$(realpath "${2-.}")
. "$source/tests/tap.sh"
[ -z "$bless" ] || exec 3>&1 >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$build/compiler:$build/runtime/cmd:$PATH
export LC_ALL=C.UTF-8 NO_COLOR=1

# The files that a page shows, into the current folder.
files() {
    awk '/^```/ { if (is_in) { is_in = 0; f = "" } else { is_in = 1; f = name }; name = ""; next }
        is_in { if (f != "") print >f; next }
        match($0, /`[a-z_.-]+`:$/) { name = substr($0, RSTART + 1, RLENGTH - 3); next }
        NF { name = "" }' "$1"
}

# run COMMAND: its output; the exit code too when it is not 0.
run() {
    local status
    bash -c "$1" 2>&1
    status=$?
    [ "$status" = 0 ] || echo "(exit $status)"
}

page() { # FILE
    local page=$1 line new out command='' in_block='' old=''
    rm -rf "$work/dir" && mkdir "$work/dir" && cd "$work/dir" || exit 1
    files "$page"
    while IFS= read -r line || [ -n "$line" ]; do
        if [ -z "$in_block" ]; then
            printf '%s\n' "$line" >>../new.md
            [ "$line" = '```console' ] && in_block=first
            continue
        fi
        if [ "$in_block" = first ]; then
            command=${line#'$ '} old='' in_block=rest
            printf '%s\n' "$line" >>../new.md
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
        printf '%s\n```\n' "$new" >>../new.md
    done <"$page"
    if [ -n "$bless" ] && ! cmp -s ../new.md "$page"; then
        cp ../new.md "$page" && echo "wrote $page" >&3
    fi
    rm -f ../new.md
}

page "$source/docs/TOUR.md"
page "$source/docs/LANGUAGE.md"
[ -z "$bless" ] || exit 0
tap_done
