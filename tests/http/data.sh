#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The data API: documents by path, inputs, undefined ones, errors, parameters, POST /, rows (D51). In: build directory,
# source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"

cat >"$work/a.rego" <<'X'
package a.b

default allow := false

allow if {
	input.user == "bob"
	"admin" in data.roles
}

names contains x if some x in ["x", "y"]

obj := {"k": {"l": [10, 20]}}

clash := 1 if true

clash := input.n

f(x) := x
X
cat >"$work/main.rego" <<'X'
package system

main := {"got": input.q} if input.q
X
echo '{"roles": ["admin"], "deep": {"x-y": {"z": 1}}}' >"$work/data.json"
cat >"$work/policy.yaml" <<'X'
version: "1"
name: data
defaults: { decision: deny }
modules: [a.rego, main.rego]
data: [data.json]
rules:
  - { name: reads, match: { type: "read*" }, decision: allow }
X
serve_start || { not_ok "the server gets ready"; tap_done; }
ok "the server gets ready"
id='"decision_id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"'

post /v1/data/a/b/allow '{"input":{"user":"bob"}}'
expect 200 "^\{$id,\"result\":true\}$" "a rule"
post /v1/data/a/b/allow '{"input":{"user":"eve"}}'
expect 200 '"result":false\}$' "another input"
post /v1/data/a/b/allow '{}'
expect 200 '"result":false,"warning":\{"code":"api_usage_warning"' "no input is warned of"
get /v1/data/a/b/allow
expect 200 '"result":false\}$' "GET"
get '/v1/data/a/b/allow?input=%7B%22user%22%3A%22bob%22%7D'
expect 200 '"result":true\}$' "GET with an input"
get /v1/data/a/b/names
expect 200 '"result":\["x","y"\]\}$' "a set"
get /v1/data/a/b/obj/k/l/1
expect 200 '"result":20\}$' "a part of a value"
get /v1/data/roles
expect 200 '"result":\["admin"\]\}$' "a base document"
get /v1/data/deep/x-y/z
expect 200 '"result":1\}$' "below it"
get /v1/data/missing/thing
expect 200 "^\{$id\}$" "an undefined document has no result"
get /v1/data/a/b/f
expect 200 "^\{$id\}$" "a function is no document"
post /v1/data/a/b/clash '{"input":{"n":1}}'
expect 200 '"result":1' "definitions that agree"
post /v1/data/a/b/clash '{"input":{"n":2}}'
expect 500 '^\{"code":"internal_error","message":"error\(s\) occurred while evaluating query","errors":\[\{"code":"eval_conflict_error"' \
    "a conflict is an error"
expect 500 '"location":\{"file":"[^"]*a.rego","row":[0-9]+\}' "with its place"
post /v1/data/a/b/allow '{"input":'
expect 400 '^\{"code":"invalid_parameter"' "a body that is no JSON"
post /v1/data/a/b/allow '[1]'
expect 400 'must be an object' "a body that is no object"
get '/v1/data/a/b/allow?input=%7B'
expect 400 'invalid_parameter' "an input that is no JSON"
get /v1/data/%zz
expect 400 'path is malformed' "a path that cannot be decoded"
get '/v1/data/a/b/obj?pretty=true'
expect 200 '^  "result": \{$' "pretty"
get '/v1/data/a/b/obj?metrics=true&provenance'
expect 200 '"metrics":\{"timer_rego_query_eval_ns":[0-9]+,"timer_server_handler_ns":[0-9]+\},"provenance":\{"version":"' "metrics and provenance"
get '/v1/data/a/b/obj?explain=full'
expect 400 'aegis explain' "explain is refused, not ignored"
get '/v1/data/a/b/obj?strict-builtin-errors=true'
expect 400 'aegisc --strict-errors' "so is strict-builtin-errors"
post / '{"q":7}'
expect 200 '^\{"got":7\}$' "POST / asks data.system.main"
post / '{}'
expect 404 'document missing: data.system.main' "and says when it is undefined"
get /v1/data
expect 200 '"result":\{"a":\{"b":\{"allow":false,.*"roles":\["admin"\],"system":\{\}\}' "all documents"
curl -s -o /dev/null -w '%{http_code}' -X DELETE "http://$data/v1/data/a" >"$work/status"
[ "$(status)" = 405 ]
check $? "DELETE is not allowed" "$(status)"
post /v1/decide '{"type":"read","target":"x"}'
expect 200 '"decision":"allow"' "decisions are made beside it"
serve_stop
run=$("$aegis" audit list "$work/audit" --json 2>&1)
printf '%s' "$run" | grep -q '"event":"data"'
check $? "every answer has a row" "$(printf '%s' "$run" | head -c 2000)"
"$aegis" audit verify "$work/audit" >"$work/out" 2>&1
check $? "and the log verifies" "$(cat "$work/out")"

cp "$work/a.rego" "$work/alone.rego"
policy=$work/alone.rego
rm -rf "$work/audit" "$work/state"
serve_start || { not_ok "a module can be served"; tap_done; }
post /v1/data/a/b/names '{"input":{}}'
expect 200 '"result":\["x","y"\]' "a module can be served"
post /v1/decide '{"type":"read"}'
expect 404 'no_entrypoint' "it makes no decisions"
serve_stop
tap_done
