#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aegis evaluate and validate-config: statuses and exit codes of A12, A13, A22, A23, aliases and errors of A4, the tables of
# A5-A7 and A11 with the shared vectors. In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

judge() { # CODE STATUS JSON NAME [OPTION...]
    local code=$1 want=$2 json=$3 name=$4
    shift 4
    feed "$json" aegis evaluate "$@"
    exits "$code" "$name: exit $code"
    prints "^\{\"status\":\"$want\"" "$name: $want"
}
good='"proposal_summary":"s","risk_baseline":0.02,"risk_proposed":0.05,"novelty_score":0.75,"complexity_score":0.8,"quality_score":0.9'
judge 0 proceed "{$good}" "the published example"
prints '"gates_passed":6,"gates_failed":0,"failing_gates":\[\]' "six gates pass"
prints '"confidence":0.963181' "confidence of the least certain gate (A14)"
prints '"risk":\{"passed":true,"state":"pass","value":0.036819,"threshold":0.95,"confidence":0.963181' "the risk gate's figures (A5)"
judge 2 pause '{"proposal_summary":"s"}' "a summary alone fails novelty"
prints '"failing_gates":\["novelty"\]' "and names it"
prints '"override_eligible":true,"override_requires":\["risk_lead","security_lead"\]' "two people may override"
judge 2 pause '{"proposal_summary":"s","risk_proposed":0.3,"profit_proposed":0.1}' "risk without a baseline"
prints '"failing_gates":\["risk","novelty"\]' "risk and novelty fail"
judge 2 pause '{"proposal_summary":"s","risk_baseline":0.09,"risk_proposed":0.156,"profit_baseline":1.2,"profit_proposed":1.8,"novelty_score":0.65,"complexity_score":0.9,"quality_score":0.85,"quality_subscores":[0.85,0.9,0.8]}' "the trading template"
prints '"value":0.377541' "novelty 0.377541"
judge 1 halt "{\"proposal_summary\":\"s\",\"novelty\":0.8,\"complexity\":0.49}" "complexity below the floor halts"
prints '"override_eligible":false,"override_requires":\[\]' "nobody overrides complexity (A33)"
judge 1 halt "{\"proposal_summary\":\"s\",\"novelty\":0.8,\"risk\":0.9,\"reversible\":false}" "risk of what cannot be undone halts"
judge 2 escalate "{$good,\"requires_human_approval\":true}" "a person asked for"
prints '"override_eligible":false' "a flag is no gate"
judge 2 escalate "{$good,\"estimated_impact\":\"critical\"}" "critical impact"
judge 0 proceed '{"proposal_summary":"s","novelty_score":0.5}' "shadow mode proceeds (A13)" --shadow
prints '"shadow":true,"would_be":"pause"' "and says what it would be"
judge 0 proceed '{"proposal_summary":"s","shadow_mode":true,"novelty_score":0.5}' "shadow asked for twice" --shadow
judge 2 pause '{"proposal_summary":"s","risk_score":0.5,"novelty":0.9}' "risk_score counts alone (A4)"
judge 0 proceed '{"proposal_summary":"s","risk_score":0.5,"risk":0.01,"novelty":0.9}' "risk goes before risk_score (A4)"
judge 0 proceed '{"proposal_summary":"s","risk_base":0.5,"risk":0.51,"profit_base":1,"profit":1,"novelty":0.9,"complexity":0.9,"quality":0.9}' "every short name (A4)"
judge 2 pause '{"proposal_summary":"s","novelty":0.9,"utility_result":{"mean":0.05,"sd":0.05}}' "utility bound below 0 (A10)"
judge 0 proceed '{"proposal_summary":"s","novelty":0.9,"utility_result":{"mean":0.10,"sd":0.05}}' "utility bound above 0 (A10)"
prints '"utility":\{"passed":true,"state":"pass","value":0.017757' "its figure"

malformed() { # FIELD JSON
    feed "$2" aegis evaluate
    exits 3 "malformed: $1"
    prints "$1" "the message names $1"
}
malformed proposal_summary '{}'
malformed risk_proposed '{"proposal_summary":"s","risk_proposed":1.5}'
malformed novelty_score '{"proposal_summary":"s","novelty_score":"high"}'
malformed 'quality_subscores\[1\]' '{"proposal_summary":"s","quality_subscores":[0.5,2]}'
malformed surprise '{"proposal_summary":"s","surprise":1}'
malformed utility_result '{"proposal_summary":"s","utility_result":{"mean":0,"sd":-1}}'
feed '{"proposal_summary"' aegis evaluate
exits 3 "a cut text is malformed"
feed '' aegis evaluate
exits 3 "nothing is malformed"
feed '[1]' aegis evaluate
exits 3 "a list is malformed"
sized() { # BYTES: a proposal of exactly so many
    local head='{"proposal_summary":"' tail='"}'
    printf '%s%*s%s' "$head" $(($1 - ${#head} - ${#tail})) '' "$tail" | tr ' ' x >sized.json
}
sized 1048576
run aegis evaluate -i sized.json
exits 2 "a proposal of 1 MiB"
sized 1048577
run aegis evaluate -i sized.json
exits 3 "one byte more"
prints 'more than 1048576 bytes' "and the limit is named"
run aegis evaluate -i missing.json
exits 3 "a missing file"
run aegis evaluate a.yaml b.yaml
exits 2 "two policies are wrong usage"

# A11: thirty values each
series() { # COUNT VALUE ...
    local i list=
    while [ $# -gt 0 ]; do
        for i in $(seq "$1"); do list="$list,$2"; done
        shift 2
    done
    echo "[${list#,}]"
}
series 15 0.05 15 0.15 >baseline.json
drift() { # STATUS KL CURRENT
    feed "{$good,\"drift_current_data\":$3}" aegis evaluate --drift-baseline baseline.json
    prints "\"drift\":\{\"kl\":$2,\"status\":\"$1\"\}" "drift $1 at $2"
}
drift normal 0.0 "$(series 15 0.05 15 0.15)"
drift warning 0.443269 "$(series 30 0.15)"
drift critical 0.840949 "$(series 8 0.05 7 0.15 15 0.25)"
exits 2 "critical drift escalates"
drift critical 2.522711 "$(series 30 0.25)"
drift skipped 0.0 "$(series 29 0.25)"
tr -d '[]' <baseline.json | tr ',' '\n' >baseline.txt
feed "{$good,\"drift_current_data\":$(series 30 0.15)}" aegis evaluate --drift-baseline baseline.txt
prints '"kl":0.443269' "a baseline of plain numbers"

run aegis validate-config
exits 0 "the built-in parameters (A23)"
want='{"valid":true,"parameters":{"epsilon_R":0.01,"epsilon_P":0.01,"risk_trigger_factor":2,"profit_trigger_factor":2,"trigger_confidence_prob":0.95,"novelty_gate":{"N0":0.7,"k":10,"output_threshold":0.6},"complexity_floor":0.5,"quality_min_score":0.7}}'
[ "$out" = "$want" ]
check $? "ten values, as A1 has them" "$out"
echo '{"epsilon_R":0.02,"quality_min_score":0.8}' >flat.json
run aegis validate-config flat.json
exits 0 "a flat dictionary (A2)"
prints '"epsilon_R":0.02,"epsilon_P":0.01.*"quality_min_score":0.8' "partial files inherit defaults"
printf 'parameters:\n  novelty_gate: {output_threshold: 0.8}\n' >strict.yaml
run aegis validate-config strict.yaml
prints '"output_threshold":0.8' "a YAML file"
for bad in '{"epsilon_R":0}' '{"complexity_floor":0.4}' '{"epsilonR":0.1}' '{"trigger_confidence_prob":"x"}' '{"telemetry_url":"http://x"}'; do
    echo "$bad" >bad.json
    run aegis validate-config bad.json
    exits 1 "refused: $bad"
    prints '^\{"valid":false\}$' "and said so: $bad"
done
run aegis validate-config missing.yaml
exits 3 "a missing file"
printf 'version: "1"\nrules: []\n' >plain.yaml
run aegis validate-config plain.yaml
[ "$status" != 0 ]
check $? "a policy without gates has no parameters" "$out"
judge 2 pause '{"proposal_summary":"s","novelty_score":0.75}' "a stricter file decides" --config strict.yaml
feed '{"proposal_summary":"s","novelty_score":0.75}' env AEGIS_CONFIG_PATH=strict.yaml "$build/runtime/cmd/aegis" evaluate
exits 2 "AEGIS_CONFIG_PATH names it too (A3)"
aegisc -o strict.bin strict.yaml
judge 2 pause '{"proposal_summary":"s","novelty_score":0.75}' "an image decides as its source" strict.bin
a=$(echo '{"proposal_summary":"s"}' | aegis evaluate | sed 's/.*"digest"//') b=$(echo '{"proposal_summary":"s"}' | aegis evaluate | sed 's/.*"digest"//')
[ -n "$a" ] && [ "$a" = "$b" ]
check $? "the built-in parameters have one digest" "$a $b"

if [ ! -f "$shared/vectors/systems.json" ] || ! command -v jq >/dev/null; then
    skip "vectors of A5 and A7" "they or jq are not here (AEGIS_SHARED names the folder)"
    tap_done
fi
echo '{"delta_mode":"absolute","profit_direction":"rise"}' >posterior.json
echo '{"delta_mode":"absolute","profit_direction":"rise","predictive":true}' >predictive.json
while read -r observed posterior predictive; do
    for form in posterior predictive; do
        want=$(printf '%.6f' "${!form}" | sed -e 's/0*$//' -e 's/\.$/.0/')
        feed "{\"proposal_summary\":\"s\",\"profit_proposed\":$observed}" aegis evaluate -c $form.json
        prints "\"profit\":\{\"passed\":(true|false),\"state\":\"(pass|fail)\",\"value\":$want," "$form of $observed is $want"
    done
done < <(jq -r '.bayes.cases[] | "\(.observed) \(.p_posterior) \(.p_predictive)"' "$shared/vectors/systems.json")
while read -r n g passes strict; do
    want=$(printf '%.6f' "$g" | sed -e 's/0*$//' -e 's/\.$/.0/')
    feed "{\"proposal_summary\":\"s\",\"novelty\":$n}" aegis evaluate
    prints "\"novelty\":\{\"passed\":$passes,\"state\":\"(pass|fail)\",\"value\":$want," "novelty of $n is $want, $passes"
    feed "{\"proposal_summary\":\"s\",\"novelty\":$n}" aegis evaluate -c strict.yaml
    prints "\"novelty\":\{\"passed\":$strict," "novelty of $n against 0.8: $strict"
done < <(jq -r '.novelty[] | "\(.N) \(.G) \(.pass_0_6) \(.pass_0_8)"' "$shared/vectors/systems.json")
tap_done
