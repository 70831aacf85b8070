#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aegis eval with queries: modules, documents, directories, images; results, formats, errors, exit codes (D51).
# In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

cat >a.rego <<'X'
package a

default allow := false

allow if {
	input.user == "bob"
	some r in data.roles
	r == "admin"
}

names contains x if some x in ["a", "b"]

f(x) := x + 1
X
echo '{"roles":["admin"]}' >roles.json
echo '{"user":"bob"}' >bob.json
mkdir -p tree/b/c.d
cp a.rego tree
echo '{"x":1}' >tree/b/x.json
echo '{"y":2}' >tree/b/c.d/y.json
printf 'list: [1, two]\nok: true\n' >tree/b/z.yaml
echo '{"no":1}' >tree/.hidden.json

same() { # TEXT NAME: the whole of standard output, blanks and line ends apart
    [ "$(printf '%s' "$out" | tr -d ' \n')" = "$1" ]
    check $? "$2" "$out
$err"
}

run aegis eval -d a.rego -d roles.json -i bob.json data.a.allow
exits 0 "a reference"
same '{"result":[{"expressions":[{"value":true,"text":"data.a.allow","location":{"row":1,"col":1}}]}]}' "and its value"
run aegis eval -d a.rego -d roles.json data.a.allow
same '{"result":[{"expressions":[{"value":false,"text":"data.a.allow","location":{"row":1,"col":1}}]}]}' "without an input"
feed '{"user":"bob"}' aegis eval -d a.rego -d roles.json -I -f raw data.a.allow
same true "the input from standard input"
run aegis eval -d a.rego 'x := 1; y = data.a.names[_]'
same '{"result":[{"expressions":[{"value":true,"text":"x:=1","location":{"row":1,"col":1}},{"value":true,"text":"y=data.a.names[_]","location":{"row":1,"col":9}}],"bindings":{"x":1,"y":"a"}},{"expressions":[{"value":true,"text":"x:=1","location":{"row":1,"col":1}},{"value":true,"text":"y=data.a.names[_]","location":{"row":1,"col":9}}],"bindings":{"x":1,"y":"b"}}]}' "every solution with its bindings"
run aegis eval -d a.rego data.a.missing
exits 0 "undefined is no failure"
same '{}' "and has no result"
run aegis eval --fail -d a.rego data.a.missing
exits 1 "--fail says so"
run aegis eval --fail 1
exits 0 "--fail accepts a value"
run aegis eval --fail-defined 1
exits 1 "--fail-defined is the opposite"
run aegis eval false
prints '"value": false' "a false expression is a result"

run aegis eval -f pretty 'x = ["a", "bb"][i]; [x]'
exits 0 "pretty"
same '┌───┬──────┬────────┐│i│x│[x]│├───┼──────┼────────┤│0│"a"│["a"]││1│"bb"│["bb"]│└───┴──────┴────────┘' "is a table"
run aegis eval -f pretty -d a.rego data.a.names
same '["a","b"]' "one value stands alone"
run aegis eval -f pretty 'data.zz'
same 'undefined' "no value is said"
run aegis eval -f values '[1, 2][_]'
same '[1][2]' "values"
run aegis eval -f raw '"a\nb"'
check "$([ "$out" = "$(printf 'a\nb')" ] && echo 0 || echo 1)" "raw prints the text of a string" "$out"
run aegis eval -f bindings 'x = 1; y = [x]'
same '{"x":1,"y":[1]}' "bindings"

run aegis eval --package a -d a.rego -f raw 'f(1)'
same 2 "--package: bare names"
run aegis eval --import data.a -d a.rego -f raw 'a.f(2)'
same 3 "--import"
run aegis eval -d tree -f raw 'data.b'
same '{"c.d":{"y":2},"list":[1,"two"],"ok":true,"x":1}' "a directory: documents stand below their path"
run aegis eval -d deep.er:roles.json -f raw 'data.deep.er.roles[0]'
same admin "a prefix for documents"

run aegis eval '1 +'
exits 2 "a query that cannot be read"
prints '"code": "rego_parse_error"' "is an error of the form of other tools"
run aegis eval 'x'
prints '"code": "rego_unsafe_var_error"' "an unsafe variable too"
run aegis eval -f pretty 'x'
exits 2 "in text"
prints '^query:1:1: error\[' "with a place"
run aegis eval '1/0'
exits 0 "an error of a built-in is undefined"
run aegis eval --strict-builtin-errors '1/0'
exits 2 "unless errors are strict"
prints '"message": "div: divide by zero"' "with its message"
prints '"code": "eval_builtin_error"' "and its class"
printf 'package c\np := 1 if true\np := 2 if input.x\n' >c.rego
feed '{"x":1}' aegis eval -I -d c.rego data.c.p
exits 2 "a conflict is an error"
prints 'eval_conflict_error' "of its class"
prints '"row": [23]' "at its place"

run aegisc --capabilities
exits 0 "capabilities"
prints '"name":"aegis.gate.risk",.*"decl":\{"args":\[\{"of":\[\{"type":"number"\},' "declare what is ours"
prints '"name":"internal.member_2",.*"infix":"in"\}' "and operators"
printf '%s' "$out" >caps.json
run aegis eval -d caps:caps.json -f raw 'count([b | some b in data.caps.builtins; b.decl.type == "function"]) == count(data.caps.builtins)'
same true "in well-formed JSON, every one a function"
printf 'package g\n\ng := aegis.gate.risk(0.5)\n\nw contains p if walk(input, [p, _])\n' >ours.rego
if [ -n "${AEGIS_OPA-}" ] && [ -x "$AEGIS_OPA" ]; then
    run "$AEGIS_OPA" check --capabilities caps.json ours.rego
    exits 0 "Open Policy Agent accepts modules that call aegis.*"
else
    skip "Open Policy Agent accepts modules that call aegis.*" "AEGIS_OPA names no program"
fi

run aegisc -e data.a.allow -e data.a.names -o a.bin a.rego --data roles.json
exits 0 "an image with entrypoints"
run aegis eval -d a.bin -i bob.json data.a.allow
same '{"result":[{"expressions":[{"value":true,"text":"data.a.allow","location":{"row":1,"col":1}}]}]}' "an image answers its references"
run aegis eval -d a.bin -f raw 'data.roles'
same '["admin"]' "and base documents"
run aegis eval -d a.bin 'x := 1'
exits 2 "but no queries"
prints 'a query is a reference' "and says so"
run aegis eval -d missing.rego data
exits 3 "a missing file"
run aegis eval -d a.rego -f xml data
exits 2 "an unknown format"
run aegis eval
exits 2 "nothing to evaluate"
run aegis eval -d a.rego -i a.rego data.a
exits 2 "an input that is no JSON"

run aegis eval -d a.rego -d roles.json -i bob.json --trace -f raw data.a.allow
exits 0 "--trace evaluates"
prints '^ *Enter data.a.allow$' "names functions"
prints '^ *\\| a.rego:6:[0-9]+: input.user == "bob"   = ' "and literals with their source and value"
prints '^ *Exit data.a.allow = true$' "and what they give"
run aegis explain -d a.rego -d roles.json -i bob.json data.a.allow
exits 0 "explain of a value"
prints '^  \* a.rego:5:1: allow if \{$' "the definition that succeeded"
prints '^data.a.allow: true$' "the value"
run aegis explain -d a.rego -d roles.json data.a.allow
prints '^  - a.rego:5:1: allow if \{$' "the definition that failed"
prints '^      fails at a.rego:6:[0-9]+: input.user == "bob"   \(undefined' "with the literal and its values"
prints '^  \* a.rego:3:1: default allow := false$' "and the default"
feed '{"user":"eve"}' aegis explain -d a.rego -d roles.json -I data.a.allow
prints 'fails at a.rego:6:.*\("eve", "bob"\)$' "both sides of a comparison"
run aegis explain -d a.rego -d roles.json data.a
check "$(printf '%s' "$out" | grep -c ':1:1:')" "only what was written is listed" "$out"
run aegis explain -d a.rego -d roles.json data.a.allow --json
prints '"succeeded":false,"failed":\{"line":6,"column":[0-9]+,"values":"undefined' "as JSON"
run aegis explain -d a.rego data.a.allow data.a.names
exits 2 "one reference"
aegis init >/dev/null
run aegis explain policy.yaml read:crm --kill default --session s1
exits 1 "a policy with the kill switch assumed"
prints '"decision":"kill"' "is killed"
tap_done
