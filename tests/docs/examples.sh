#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Examples are run. In documents (README.md, docs/*.md) a block that begins with ```sh test; in manual pages the lines
# between .nf and .fi after a comment line .\" test. Each block runs in an empty directory of its own with aegis and aegisc on
# PATH, and stops at the first command that fails; a line that ends in "# exit N" must end with N.
# In: BUILD SOURCE. Out: TAP, one line for each block.
set -u
build=$(realpath "$1") src=$(realpath "$2")
. "$src/tests/tap.sh"
export NO_COLOR=1 LC_ALL=C PATH="$build/runtime/cmd:$build/compiler:$PATH"
unset AEGIS_CONFIG_PATH AEGIS_SERVER_CONFIG AEGIS_ADMIN
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Blocks of a page into $work/blocks/LINE, LINE being where the block begins.
extract() {
    rm -rf "$work/blocks" && mkdir "$work/blocks"
    case $1 in
    *.md) awk -v dir="$work/blocks" '$0 == "```sh test" { f = sprintf("%s/%05d", dir, NR); next } $0 == "```" { f = "" }
        f { print >f }' "$1" ;;
    *) awk -v dir="$work/blocks" '$0 == ".\\\" test" { is_next = 1; next }
        $0 == ".nf" && is_next { f = sprintf("%s/%05d", dir, NR); is_next = 0; next } $0 == ".fi" { f = "" }
        f { gsub(/\\&/, ""); gsub(/\\-/, "-"); gsub(/\\e/, "\\"); print >f }' "$1" ;;
    esac
}

# A block as a script that checks the exit codes it promises.
script() {
    echo 'set -e'
    awk 'match($0, /# exit [0-9]+$/) { code = substr($0, RSTART + 7); print "set +e"; print;
        print "{ got=$?; set -e; } 2>/dev/null"
        printf "[ $got = %d ] || { echo \"exit $got, promised %d: line %d\" >&2; exit 98; }\n", code, code, NR; next }
        { print }' "$1"
}

run_block() { # PAGE FILE
    local name
    name="$1:$(basename "$2" | sed 's/^0*//')"
    rm -rf "$work/dir" && mkdir "$work/dir"
    script "$2" >"$work/script"
    (cd "$work/dir" && timeout 60 bash "$work/script") </dev/null >"$work/out" 2>&1
    check $? "$name" "$(cat "$2" "$work/out")"
}

cd "$src" || exit 1
for page in README.md docs/*.md docs/man/*.[1-9]; do
    [ -f "$page" ] || continue
    extract "$page"
    for block in "$work"/blocks/*; do
        [ -f "$block" ] && run_block "$page" "$block"
    done
done

# The program of aegis(3) is compiled against the library of this build and decides with the first policy.
lib=$build/runtime/host
awk '$0 == ".\\\" test-c" { is_next = 1; next } $0 == ".nf" && is_next { is_in = 1; is_next = 0; next } $0 == ".fi" { is_in = 0 }
    is_in { gsub(/\\e/, "\\"); gsub(/\\-/, "-"); print }' docs/man/aegis.3 >"$work/example.c"
if [ ! -e "$lib/libaegis.so" ] || grep -qE '__(asan|tsan)_init' "$lib/libaegis.so"; then
    skip "docs/man/aegis.3: the example" "no shared library that a plain program could use"
else
    mkdir -p "$work/c" && cd "$work/c" && aegis init >/dev/null && aegisc -o policy.bin policy.yaml
    out=$(${CC:-cc} -std=c99 -Wall -Werror -I"$src/vm/include" ../example.c -o example -L"$lib" -laegis -Wl,-rpath,"$lib" 2>&1 && ./example)
    [ "$out" = "allow by reads_are_fine" ]
    check $? "docs/man/aegis.3: the example" "$out"
    cd "$src" || exit 1
fi

# The manual page knows every command and every option, and no other.
commands=$(sed -n 's/^CMD("\([a-z-]*\)".*/\1/p' runtime/cmd/commands.def)
page=$(sed 's/\\-/-/g' docs/man/aegis.1)
missing=$(for c in $commands; do
    [ "$c" = check ] || grep -q "^\.SS aegis $c" <<<"$page" || echo "$c"
done)
[ -z "$missing" ]
check $? "docs/man/aegis.1 has every command" "$missing"
differs=$(for c in $commands; do
    [ "$c" = check ] && continue
    diff <(aegis "$c" --help | grep -oE '^  (-., |    )--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -vx -- --help | sort -u) \
        <(awk -v head=".SS aegis $c" 'index($0, ".S") == 1 { is_in = $0 == head || index($0, head " ") == 1 } is_in' <<<"$page" |
            grep -A1 '^\.TP' | grep -oE 'fB--[a-z-]+' | sed 's/^fB//' | sort -u) >"$work/diff" || sed "s/^/$c: /" "$work/diff"
done)
[ -z "$differs" ]
check $? "docs/man/aegis.1 has every option" "$differs"
tap_done
