#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every command: help, unknown options, wrong usage; init, version, completion, bad files (B26, A24, product exit codes).
# In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

run aegis --help
exits 0 "help succeeds"
commands=$(sed -n 's/^CMD("\([a-z-]*\)".*/\1/p' "$src/runtime/cmd/commands.def")
for c in $commands; do
    grep -q "^  $c " <<<"$out"
    check $? "help lists $c" "$out"
done
for c in $commands; do
    run aegis "$c" --help
    exits 0 "$c --help succeeds"
    prints "^usage: aegis $c" "$c --help shows its usage"
    run aegis "$c" --no-such-option
    exits 2 "$c refuses an unknown option"
    prints 'no option|no-such-option' "$c names the unknown option"
done
run aegis
exits 2 "no command is wrong usage"
run aegis simulat
exits 2 "an unknown command is wrong usage"
prints 'did you mean "simulate"' "and the nearest one is named"

run aegis version
exits 0 "version succeeds"
prints '^\{"aegis":"[0-9]+\.[0-9]+\.[0-9]+","image_format":[0-9]+\}$' "version is one line of JSON (A24)"

run aegis init
exits 0 "init writes a policy (B26)"
[ -s policy.yaml ]
check $? "policy.yaml is there"
before=$(cat policy.yaml)
run aegis init
exits 1 "init does not overwrite (B26)"
run aegis simulate policy.yaml payment:x --params '{"amount": 1000}'
exits 0 "the first policy allows a small payment"
for amount in null false -5 '"5"' 1001; do
    run aegis simulate policy.yaml payment:x --params "{\"amount\": $amount}"
    exits 2 "and no payment of $amount"
done
[ "$before" = "$(cat policy.yaml)" ]
check $? "the policy is unchanged"

run aegis validate policy.yaml
exits 0 "the first policy is valid"
prints '^Policy valid: 4 rule\(s\) loaded\.$' "validate counts rules (B27)"
prints '^  - reads_are_fine: read\*@\* -> LOW/auto$' "validate lists rules (B27)"
run aegis check policy.yaml --json
exits 0 "check is the same command"
prints '"valid":true' "validate --json"
printf 'version: "1"\nrulez: []\n' >bad.yaml
run aegis validate bad.yaml
exits 1 "a misspelt key is an error"
prints 'bad.yaml:2:1: error\[unknown-key\]' "with its place"
run aegis validate missing.yaml
exits 3 "a missing policy is trouble"
printf 'not an image' >bad.bin
run aegis disasm bad.bin
exits 3 "bytes that are no image are refused"

for shell in bash zsh; do
    run aegis completion $shell
    exits 0 "completion $shell"
    prints 'complete -o filenames -F _aegis aegis' "completion $shell prints a script"
done
bash -c 'eval "$(aegis completion bash)"; COMP_WORDS=(aegis simu) COMP_CWORD=1; _aegis; [ "${COMPREPLY[*]}" = simulate ]'
check $? "the script completes a command"
run aegis completion fish
exits 2 "another shell is refused"

feed '{"type":"read","target":"crm"}' aegis eval policy.yaml
exits 0 "eval: allowed is 0"
prints '"rule":"reads_are_fine"' "eval prints the record"
feed '{"type":"delete","target":"crm"}' aegis eval policy.yaml
exits 1 "eval: denied is 1"
feed '{"type":"payment","params":{"amount":5000}}' aegis eval policy.yaml
exits 2 "eval: escalated is 2"
feed '{"type":' aegis eval policy.yaml
exits 3 "eval: malformed is 3"
run aegis explain policy.yaml payment:acme -p '{"amount":5000}'
exits 2 "explain exits as the decision does"
prints 'other_payments_need_a_person: decides' "explain names the rule that decides"
aegisc -o policy.bin policy.yaml && run aegis disasm policy.bin
exits 0 "disasm prints an image"
tap_done
