#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# B51 and those rows of B14 that do not depend on the time of day, over HTTP, each policy PUT into a running server.
# The policies are the shared vectors (AEGIS_SHARED). In: build directory, source
# directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"
vectors=${AEGIS_SHARED:-none}/vectors/agent-aegis
if [ ! -f "$vectors/policy-ci-v1.yaml" ]; then
    skip "B14 and B51 over HTTP" "the shared vectors are not there"
    tap_done
fi
policy=$vectors/policy-ci-v1.yaml
serve_start || { not_ok "the server gets ready"; tap_done; }

ask() { # TYPE TARGET REGEX NAME
    post /api/v1/evaluate "{\"action_type\":\"$1\",\"target\":\"$2\"}"
    expect 200 "$3" "$4: $1:$2"
}
put() {
    admin /api/v1/policy -X PUT --data-binary "@$vectors/$1" -H 'Content-Type: application/yaml'
    expect 200 '"status":"updated"' "PUT $1"
}
while read -r type target regex; do
    ask "$type" "$target" "$regex" "B51 v1"
done <<'TABLE'
read crm "risk_level":"LOW","approval":"auto","is_allowed":true
read_report analytics "risk_level":"LOW","approval":"auto","is_allowed":true
get user_profile "risk_level":"LOW","approval":"auto","is_allowed":true
get_config settings "risk_level":"LOW","approval":"auto","is_allowed":true
write salesforce "risk_level":"MEDIUM","approval":"approve","is_allowed":true
write_record stripe "risk_level":"MEDIUM","approval":"approve","is_allowed":true
delete database "risk_level":"CRITICAL","approval":"block","is_allowed":false
delete_user auth "risk_level":"CRITICAL","approval":"block","is_allowed":false
other thing "risk_level":"MEDIUM","approval":"approve","is_allowed":true,"matched_rule":"<default>"
TABLE
put policy-ci-v2.yaml
ask bulk_import crm '"risk_level":"HIGH","approval":"approve"' "B51 v2"
ask write production '"approval":"block","is_allowed":false' "B51 v2"
ask read crm '"approval":"auto"' "B51 v2"
put financial.yaml
ask view account '"matched_rule":"view_auto"' "B14 financial"
put healthcare.yaml
ask access_phi records '"matched_rule":"access_phi_high"' "B14 healthcare, whatever the hour"
put devops.yaml
ask deploy staging '"risk_level":"(HIGH|CRITICAL)"' "B14 devops, without parameters"
serve_stop
check $? "TERM ends it with 0"
tap_done
