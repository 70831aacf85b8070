#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program aegisc from outside: exit codes, what it writes and what it leaves alone, reproducible bytes, signing.
# In: path of aegisc. Out: TAP.
set -u
aegisc=$(realpath "$1")
n=0
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

ok() { # CONDITION-STATUS TEXT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; failed=1; fi
}
exits() { # CODE TEXT ARGS...
    local want=$1 text=$2
    shift 2
    "$aegisc" "$@" >out 2>err
    local got=$?
    [ "$got" = "$want" ]
    ok $? "$text"
    [ "$got" = "$want" ] || sed "s/^/# exit $got: /" err
}

cat >good.yaml <<'END'
version: "1"
name: good
defaults: {decision: deny}
rules:
  - {name: a, match: {type: "read*"}, decision: allow}
END
sed 's/decision: allow/decision: alow/' good.yaml >bad.yaml
mkdir sub && cp good.yaml sub/

exits 0 "a policy compiles" good.yaml -o a.bin
[ -s a.bin ]; ok $? "and the image is there"
exits 0 "again" good.yaml -o b.bin
cmp -s a.bin b.bin; ok $? "with the same bytes"
exits 0 "to standard output" good.yaml -o -
cmp -s a.bin out; ok $? "with the same bytes"
exits 0 "from standard input" -o c.bin - <good.yaml
exits 1 "a mistake is exit 1" bad.yaml -o d.bin
[ ! -e d.bin ]; ok $? "and leaves no file"
grep -q "bad.yaml:5:" err; ok $? "and names its place"
exits 1 "over an old image" bad.yaml -o a.bin
cmp -s a.bin b.bin; ok $? "the old one stays"
exits 0 "--check" --check good.yaml -o e.bin
[ ! -e e.bin ]; ok $? "writes nothing"
exits 0 "--stats" --stats good.yaml -o a.bin
grep -q "cost of a decision: at most" out; ok $? "states the cost"
exits 2 "no input is wrong usage" -o a.bin
exits 2 "an unknown option" --frob good.yaml
exits 2 "an unknown stage" --emit=soup good.yaml
exits 2 "--emit=c is refused" --emit=c good.yaml
mkdir -p tree/roles
printf 'package authz\nallow if input.user in data.roles.admins\n' >tree/authz.rego
printf '{"admins": ["ann"]}' >tree/roles/data.json
printf 'version: "1"\ndefaults: {decision: deny}\nmodules: ["tree/*.rego"]\ndata: [tree/roles/data.json]\n' >named.yaml
exits 0 "a directory of modules and documents" -e data.authz.allow tree -o m.bin
exits 0 "the same, file by file" -e data.authz.allow tree/authz.rego tree/roles/data.json -o n.bin
exits 0 "a decision by reference" --decision data.authz.allow tree -o m.bin
exits 0 "files that a policy names" named.yaml -o m.bin
exits 0 "--emit=asm of a module" --emit=asm -e data.authz.allow tree
grep -q "data.authz.allow" out; ok $? "names its functions"
exits 0 "without optimisation" -O0 -e data.authz.allow tree -o m.bin
exits 0 "--data" --data tree/roles/data.json -e data.admins tree/authz.rego -o m.bin
exits 1 "an entrypoint that is no reference" -e 'data.a[x]' tree -o d.bin
exits 1 "two decisions" --decision data.authz.allow --decision data.authz tree -o d.bin
printf '{"admins": 1}' >other.json
exits 1 "documents that contradict each other" --data tree/roles/data.json --data other.json tree/authz.rego -e data.admins -o d.bin
printf '[1]' >other.json
exits 1 "a document that is no object" --data other.json tree/authz.rego -e data.authz -o d.bin
exits 3 "a document that is missing" --data none.json tree
sed -i 's/tree\/\*.rego/none.rego/' named.yaml
exits 1 "a module that a policy names and nobody has" named.yaml -o d.bin
grep -q "named.yaml:3:" err; ok $? "at its place"
rm -r m.bin n.bin named.yaml other.json tree
exits 2 "a serial that is no number" --serial x good.yaml
exits 2 "a serial that does not fit" --serial 18446744073709551616 good.yaml
exits 0 "the largest serial" --serial 18446744073709551615 good.yaml -o a.bin
exits 3 "a file that is missing" none.yaml
exits 3 "a folder that is missing" good.yaml -o none/a.bin
exits 0 "--help" --help
exits 0 "--version" --version
grep -q "^aegisc [0-9]" out; ok $? "prints the version"
printf 'aegis-secret-key-v1\nnWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n' >key
chmod 644 key
exits 3 "a key that others can read" --key key good.yaml -o s.bin
[ ! -e s.bin ]; ok $? "signs nothing"
chmod 600 key
exits 0 "a key of our own" --key key good.yaml -o s.bin
[ "$(stat -c %s s.bin)" -gt "$(stat -c %s b.bin)" ]; ok $? "signs"
exits 1 "--format=json" --format=json bad.yaml -o d.bin
[ "$(ls)" = "$(printf '%s\n' a.bin b.bin bad.yaml c.bin err good.yaml key out s.bin sub)" ]
ok $? "no temporary file is left"
echo "1..$n"
exit $failed
