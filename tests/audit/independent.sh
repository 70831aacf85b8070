#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A 10,000-row log is checked by Aegis and by a Go program on golang.org/x/mod/sumdb; then one byte is flipped in every
# kind of file and both must refuse (A35, D32, D33). Usage: independent.sh LOGTOOL [ROWS [FLIPS]]. Prints TAP.
set -u
tool=$1 rows=${2:-10000} flips=${3:-6}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0 bad=0
ok() { # CONDITION-STATUS NAME
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi
}

"$tool" write "$work/log" "$rows" || { echo "not ok 1 - writes a log"; echo 1..1; exit 1; }
vkey=$(cat "$work/keys/checkpoint.vkey")
out=$("$tool" verify "$work/log" "$vkey"); ok $? "aegis verifies: $out"

gover=
if command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]; then
    mkdir -p "$work/go"
    cp -r "$here/gover" "$work/go/gover"
    if (cd "$work/go/gover" && GOFLAGS=-mod=mod GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$work/go/cache" \
        GOTOOLCHAIN=local CGO_ENABLED=0 go build -o "$work/gover" . >"$work/go.err" 2>&1); then
        gover=$work/gover
    else
        sed 's/^/# /' "$work/go.err"
    fi
fi
if [ -z "$gover" ]; then
    n=$((n + 1))
    echo "ok $n - independent verifier # SKIP needs go and golang-golang-x-mod-dev"
else
    out=$("$gover" "$work/log" "$vkey"); ok $? "golang.org/x/mod/sumdb verifies: $out"
    other=$(printf '%s' "$vkey" | sed 's/test.example/tost.example/')
    "$gover" "$work/log" "$other" >/dev/null && r=1 || r=0; ok $r "and refuses another key"
fi

# flip FILE OFFSET: one bit of one byte.
flip() {
    byte=$(od -An -tu1 -j"$2" -N1 "$1" | tr -d ' ')
    printf "$(printf '\\%03o' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# The files that a reader of this checkpoint looks at: one of each kind.
last_partial() { ls "$work/log/$1" | sort -n | tail -1 | sed "s|^|$1/|"; }
size=$(sed -n 2p "$work/log/checkpoint")
full=$((size / 256)) rest=$((size % 256))
bundle=$(printf '%03d' "$full")
files="checkpoint tile/0/000 tile/entries/000 tile/entries/$(printf '%03d' $((full / 2)))"
[ "$rest" -gt 0 ] && files="$files tile/0/$bundle.p/$rest tile/entries/$bundle.p/$rest"
[ "$full" -gt 0 ] && files="$files tile/1/000.p/$full"
files="$files checkpoints/$(ls "$work/log/checkpoints" | tail -1)"
for f in $files; do
    path=$work/log/$f
    if [ ! -f "$path" ]; then ok 1 "$f is there"; continue; fi
    cp "$path" "$work/saved"
    bytes=$(wc -c <"$path")
    i=0 missed_ours= missed_go=
    while [ "$i" -lt "$flips" ]; do
        at=$((i * (bytes - 1) / (flips > 1 ? flips - 1 : 1)))
        flip "$path" "$at"
        "$tool" verify "$work/log" "$vkey" >"$work/ours" && missed_ours="$missed_ours $at"
        [ -n "$gover" ] && "$gover" "$work/log" "$vkey" >/dev/null && missed_go="$missed_go $at"
        cp "$work/saved" "$path"
        i=$((i + 1))
    done
    [ -z "$missed_ours" ]; ok $? "aegis refuses a flipped bit in $f ($(cut -c1-100 "$work/ours"))$missed_ours"
    [ -n "$gover" ] && { [ -z "$missed_go" ]; ok $? "so does the independent verifier$missed_go"; }
done
out=$("$tool" verify "$work/log" "$vkey"); ok $? "restored, it verifies again"
echo "1..$n"
exit $bad
