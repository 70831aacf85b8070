#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Modules decide without a policy file: elements of data.aegis.decisions, a reference, and what neither names (B14, D51).
# In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

cat >gate.rego <<'X'
package aegis

decisions contains {"decision": "allow", "rule": "read"} if input.type == "read"
X
run aegisc gate.rego -o gate.bin
exits 0 "a module with decisions"
feed '{"type":"read"}' aegis eval gate.bin
exits 0 "an element decides"
prints '"rule":"read"' "and is named"
feed '{"type":"write"}' aegis eval gate.bin
exits 1 "what no element names is denied"
prints '"reason":"no_rule"' "for that reason"

printf 'package authz\n\nallow if input.agent == "bot-7"\n' >allow.rego
run aegisc --decision data.authz.allow allow.rego -o allow.bin
exits 0 "a decision by reference"
feed '{"agent":"bot-7"}' aegis eval allow.bin
exits 0 "true allows"
feed '{"agent":"bot-8"}' aegis eval allow.bin
exits 1 "undefined denies"

printf 'package authz\n\nallow := 1 if input.a\n\nallow := 2 if input.b\n' >two.rego
for with in "" "-e data.authz" --all-documents; do
    # shellcheck disable=SC2086 # words
    run aegisc --check $with two.rego
    exits 1 "a conflict is shown by an input${with:+ with $with}"
    prints 'error.rule-conflict' "by its name"
done
tap_done
