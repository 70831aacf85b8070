#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Extreme policies and inputs at the command line: exact numbers past 2^53, files merged (B5), limits of the YAML reader at the
# limit and one past it. In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

cat >exact.yaml <<'YAML'
version: "1"
defaults: { decision: deny }
rules:
  - { name: when, match: { type: when }, when: 'input.params.n == 9007199254740993', decision: allow }
  - { name: key, match: { type: key }, conditions: { param_gte: { n: 9007199254740993 } }, decision: allow }
  - { name: wide, match: { type: wide }, when: 'input.params.n > 18446744073709551615', decision: allow }
YAML
run aegisc exact.yaml -o exact.bin
exits 0 "a policy with numbers past 2^53"
number() { # TYPE NUMBER DECISION
    feed "{\"type\":\"$1\",\"params\":{\"n\":$2}}" aegis eval exact.bin --json
    prints "\"decision\":\"$3\"" "$1 with $2: $3"
}
number when 9007199254740993 allow
number when 9007199254740992 deny
number when 9007199254740994 deny
number when 9007199254740993.0 allow
number when 9007199254740992.9999 deny
number key 9007199254740993 allow
number key 9007199254740992 deny
number key 9007199254740992.5 deny
number wide 18446744073709551616 allow
number wide 18446744073709551615 deny

# B5: rules of later files come after those of the first; name and defaults of the first stay.
printf 'version: "1"\nname: first\ndefaults: {approval: auto, risk_level: low}\nrules:\n  - {name: a, match: {type: both}, approval: block}\n' >one.yaml
printf 'version: "1"\nname: second\ndefaults: {approval: block, risk_level: high}\nrules:\n  - {name: b, match: {type: both}, approval: auto}\n  - {name: c, match: {type: second}, approval: approve}\n' >two.yaml
merged() { # TYPE REGEX NAME
    feed "{\"type\":\"$1\"}" aegis eval merged.bin --json
    prints "$2" "B5: $3"
}
run aegisc one.yaml two.yaml -o merged.bin
exits 0 "B5: two files make one policy"
merged both '"decision":"deny".*"rule":"a"' "the first file's rule comes first"
merged second '"decision":"escalate".*"rule":"c"' "the later file's rules are there"
merged other '"decision":"allow".*"risk_level":"low"' "the first file's defaults stay"
run aegisc two.yaml one.yaml -o merged.bin
merged both '"decision":"allow".*"rule":"b"' "the order of the files is the order of the rules"
merged other '"decision":"deny"' "and decides whose defaults stay"
sed 's/name: b/nmae: b/' two.yaml >bad.yaml
run aegisc one.yaml bad.yaml -o bad.bin
exits 1 "a mistake in the second file"
prints '^bad.yaml:5:[0-9]+: .*nmae.*' "is shown at its place in that file"
[ ! -e bad.bin ]
check $? "and no image is written"

compiles() { # NAME FILE
    run aegisc "$2" -o limit.bin
    exits 0 "at the limit: $1"
}
is_refused() { # NAME REGEX FILE
    run aegisc "$3" -o limit.bin
    exits 1 "one past: $1"
    prints "$2" "with the limit in the message: $1"
}
head='version: "1"
defaults: { approval: block }
'
repeat() { local i; for i in $(seq "$2"); do printf '%s' "$1"; done; }
nested() { # DEPTH of values: root, rules, rule, conditions, param_eq, lists
    local n=$(($1 - 5))
    printf '%srules:\n  - {name: a, match: {type: x}, conditions: {param_eq: {a: %s%s}}, approval: auto}\n' "$head" "$(repeat '[' $n)" "$(repeat ']' $n)"
}
nested 64 >in.yaml
nested 65 >past.yaml
run aegisc in.yaml -o limit.bin
! grep -q 'nested more than' <<<"$err"
check $? "at the limit: 64 nested values are no nesting error" "$err"
is_refused "65 nested values" 'nested more than 64' past.yaml
name() { printf '%srules:\n  - {name: %s, match: {type: x}, approval: auto}\n' "$head" "$(repeat n "$1")"; }
name 256 >in.yaml
compiles "a name of 256 bytes" in.yaml
name 257 >past.yaml
is_refused "a name of 257 bytes" '256' past.yaml
when() { printf '%srules:\n  - {name: a, match: {type: x}, when: [%s], approval: auto}\n' "$head" "$(repeat "'input.params.a', " "$1")"; }
when 64 >in.yaml
compiles "64 texts of one when" in.yaml
when 65 >past.yaml
is_refused "65 texts of one when" '64' past.yaml
limits() {
    printf '%slimits:\n' "$head"
    local i
    for i in $(seq "$1"); do echo "  - { name: l$i, match: {type: t$i}, key: [agent], rate: 3/m, burst: 3 }"; done
    printf 'rules:\n  - {name: a, match: {type: x}, approval: auto}\n'
}
limits 1024 >in.yaml
compiles "1024 limits" in.yaml
limits 1025 >past.yaml
is_refused "1025 limits" '1024' past.yaml
# Aliases: a list of 99 weighs 100 values, so a hundred aliases of it add 10,000.
aliases() { # HOW-MANY
    printf '%sx-lists:\n  - &l [%s]\n' "$head" "$(repeat '1, ' 99)"
    local i
    for i in $(seq "$1"); do echo '  - *l'; done
    printf 'rules:\n  - {name: a, match: {type: x}, approval: auto}\n'
}
aliases 100 >in.yaml
run aegisc in.yaml -o limit.bin
! grep -q 'aliases expand' <<<"$err"
check $? "at the limit: aliases that add 10,000 values are no alias error" "$err"
aliases 101 >past.yaml
is_refused "aliases that add more" 'aliases expand to more than 10000' past.yaml
printf 'version: "1"\ndefaults: { approval: block }\nrules:\n  - {name: a, approval: auto}\n' >in.yaml
pad=$((67108864 - $(stat -c %s in.yaml)))
{ cat in.yaml; printf '#'; head -c $((pad - 2)) /dev/zero | tr '\0' x; echo; } >big.yaml
compiles "a file of 64 MiB" big.yaml
printf '\n' >>big.yaml
run aegisc big.yaml -o limit.bin
[ "$status" != 0 ] && [ "$status" -lt 124 ]
check $? "one past: a file of 64 MiB and a byte" "$status $err"
prints '67108864|64 MiB|too (large|long|big)' "with the limit in the message: the file"
tap_done
