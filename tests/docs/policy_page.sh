#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The keys in docs/man/aegis-policy.7 are those of grammar/yaml_schema.def: the part between its two marks is made from the
# table and compared; --bless writes it. In: BUILD SOURCE [--bless]. Out: TAP.
set -u
src=$(realpath "$2")
. "$src/tests/tap.sh"
page=$src/docs/man/aegis-policy.7
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One .SS for each mapping, one .TP for each key; words of a closed set follow the help text's own list.
keys() {
    awk '
    function field(n,   s) { s = f[n]; gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
    function plain(s) { sub(/^"/, "", s); sub(/"$/, "", s); gsub(/\\"/, "\"", s); gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s); return s }
    function split_row(s,   i, c, in_text, n) {
        n = 1; delete f; f[1] = ""
        for (i = 1; i <= length(s); i++) {
            c = substr(s, i, 1)
            if (c == "\\" && in_text) { f[n] = f[n] c substr(s, ++i, 1); continue }
            if (c == "\"") in_text = !in_text
            if (c == "," && !in_text) { f[++n] = ""; continue }
            f[n] = f[n] c
        }
    }
    /^SCOPE\(/ { sub(/^SCOPE\(/, ""); sub(/\)$/, ""); split_row($0); print ".SS " plain(field(2)) }
    /^KEY\(/ {
        sub(/^KEY\(/, ""); sub(/\)$/, ""); split_row($0)
        if (field(3) == "REFUSED") { print ".TP\n\\fB" plain(field(2)) "\\fR (refused)\n" plain(field(6)) ": not in this version."; next }
        line = ".TP\n\\fB" plain(field(2)) "\\fR"
        if (plain(field(4)) != "") line = line " \\fI" plain(field(4)) "\\fR"
        if (plain(field(5)) != "") line = line " (default " plain(field(5)) ")"
        text = plain(field(6))
        print line "\n" (text ~ /^[a-z]+[_:,]|^https / ? text : toupper(substr(text, 1, 1)) substr(text, 2)) "."
    }' "$src/grammar/yaml_schema.def"
}
{
    sed '/^\.\\" keys begin$/q' "$page"
    keys
    sed -n '/^\.\\" keys end$/,$p' "$page"
} >"$work/page"
if [ "${3-}" = --bless ]; then
    cp "$work/page" "$page"
fi
diff=$(diff -u "$page" "$work/page")
check $? "aegis-policy(7) has the keys of the schema" "$diff"
[ "$(keys | grep -c '^\.TP')" = "$(grep -c '^KEY(' "$src/grammar/yaml_schema.def")" ]
check $? "every row of the schema is one key"
tap_done
