# SPDX-License-Identifier: Apache-2.0
# What the cli tests share, sourced with BUILD SOURCE as the script's arguments: programs on PATH, a work directory that
# goes away, and three checks on what a command did. run COMMAND... leaves $status, $out and $err.
build=$1 src=$2
. "$src/tests/tap.sh"
export NO_COLOR=1 LC_ALL=C PATH="$build/runtime/cmd:$build/compiler:$PATH"
unset AEGIS_CONFIG_PATH AEGIS_SERVER_CONFIG AEGIS_ADMIN
shared=${AEGIS_SHARED:-none} # vectors that are not part of the project
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

run() {
    "$@" >"$work/.out" 2>"$work/.err" </dev/null
    status=$?
    out=$(cat "$work/.out") err=$(cat "$work/.err")
}

# run with the text $1 as standard input
feed() {
    local text=$1
    shift
    printf '%s' "$text" | "$@" >"$work/.out" 2>"$work/.err"
    status=$?
    out=$(cat "$work/.out") err=$(cat "$work/.err")
}

exits() { # CODE NAME
    [ "$status" = "$1" ]
    check $? "$2" "exit $status, expected $1
$out
$err"
}

prints() { # PATTERN NAME: extended regular expression, a line of standard output or error
    printf '%s\n%s\n' "$out" "$err" | grep -Eq -- "$1"
    check $? "$2" "no line has $1
$out
$err"
}
