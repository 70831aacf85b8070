#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bytes on the wire: what must be refused because two readers could read it in two ways, limits, order of pipelined answers,
# chunked bodies, slow clients. In: build directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"
cat >"$work/policy.yaml" <<'YAML'
version: "1"
defaults: { risk_level: medium, approval: block }
rules:
  - { name: reads, match: { type: "read*" }, risk_level: low, approval: auto }
  - { name: slow, match: { type: slow }, decision: throttle }
YAML
serve_start || { not_ok "the server gets ready"; tap_done; }

a='{"type":"read"}' # 15 bytes
head='POST /v1/decide HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
raw_expect "${head}Content-Length: 15\r\n\r\n$a" '^HTTP/1.1 200 ' "a plain request"
raw_expect "POST /v1/decide HTTP/1.1\nHost: x\nContent-Length: 15\n\n$a" '^HTTP/1.1 400 ' "bare LF"
raw_expect "POST /v1/decide HTTP/1.1\r\nHost: x\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 400 ' "one bare LF among CR LF"
raw_expect "${head}Content-Length: 15\r\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 400 ' "two Content-Length that agree"
raw_expect "${head}Content-Length: 15\r\nContent-Length: 3\r\n\r\n$a" '^HTTP/1.1 400 ' "two Content-Length that differ"
raw_expect "${head}Content-Length: 15, 15\r\n\r\n$a" '^HTTP/1.1 400 ' "a list in Content-Length"
raw_expect "${head}Content-Length: +15\r\n\r\n$a" '^HTTP/1.1 400 ' "a signed Content-Length"
raw_expect "${head}Content-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n$a\r\n0\r\n\r\n" '^HTTP/1.1 400 ' "Content-Length with Transfer-Encoding"
raw_expect "${head}Transfer-Encoding: gzip, chunked\r\n\r\nf\r\n$a\r\n0\r\n\r\n" '^HTTP/1.1 (400|501) ' "another transfer coding"
raw_expect "${head}X-A: 1\r\n folded\r\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 400 ' "a folded header"
raw_expect "${head}X-A : 1\r\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 400 ' "a blank before the colon"
raw_expect "${head}Authorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 400 ' "two Authorization headers"
raw_expect "${head}X-Tenant-ID: a\r\nX-Tenant-ID: b\r\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 400 ' "two tenant headers"
check='GET /v1/check HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
raw_expect "${check}X-Aegis-Type: read\r\n\r\n" '^HTTP/1.1 200 ' "an action in a header"
raw_expect "${check}X-Aegis-Type: read\r\nX-Aegis-Type: write\r\n\r\n" '^HTTP/1.1 400 ' "an action in two headers"
raw_expect "${check}X-Original-URI: /a\r\nX-Original-URI: /b\r\n\r\n" '^HTTP/1.1 400 ' "two targets"
out=$(raw "${check}X-Aegis-Type: slow\r\n\r\n")
grep -q '^HTTP/1.1 429 ' <<<"$out" && ! grep -qi '^Retry-After' <<<"$out"
check $? "a rule that throttles knows no time to wait" "$out"
raw_expect "POST /v1/decide HTTP/1.1\r\nConnection: close\r\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 400 ' "no Host"
raw_expect "POST /v1/decide HTTP/2.0\r\nHost: x\r\n\r\n" '^HTTP/1.1 (400|505) ' "another version"
raw_expect "NONSENSE\r\n\r\n" '^HTTP/1.1 400 ' "no HTTP at all"
raw_expect "${head}X: \\0001\r\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 400 ' "a NUL in a header"
raw_expect "${head}Transfer-Encoding: chunked\r\n\r\n7\r\n{\"type\"\r\n8\r\n:\"read\"}\r\n0\r\n\r\n" '"decision":"allow"' "a chunked body"
raw_expect "${head}Transfer-Encoding: chunked\r\n\r\nx\r\n" '^HTTP/1.1 400 ' "a malformed chunk"
raw_expect "${head}Transfer-Encoding: chunked\r\n\r\nfffffff\r\n" '^HTTP/1.1 413 ' "a chunk over the limit"
raw_expect "${head}Content-Length: 1048577\r\n\r\n" '^HTTP/1.1 413 ' "B22: a body of 1 MiB and a byte"
raw_expect "GET /$(printf 'a%.0s' $(seq 4096)) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" '^HTTP/1.1 414 ' "a path over 4096 bytes"
raw_expect "${head}X-Long: $(printf 'a%.0s' $(seq 16384))\r\n\r\n" '^HTTP/1.1 431 ' "a head over 16 KiB"
raw_expect "${head}$(for i in $(seq 65); do printf 'X-%s: 1\\r\\n' $i; done)\r\n" '^HTTP/1.1 431 ' "65 headers"
raw_expect "POST /v1/decide HTTP/1.0\r\nContent-Length: 15\r\n\r\n$a" '^HTTP/1.1 200 ' "HTTP/1.0"

{ printf '{"type":"read","params":{"x":"'; head -c 1048500 /dev/zero | tr '\0' a; printf '"}}'; } >"$work/big"
curl -s --max-time 10 -o "$work/body" -w '%{http_code}' --data-binary "@$work/big" "http://$data/v1/decide" >"$work/status"
expect 200 '"decision":"allow"' "a body just under 1 MiB"

one="POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n$a"
two='GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n'
three="POST /v1/decide HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 13\r\n\r\n{\"type\":\"xx\"}"
out=$(raw "$one$two$three$one" | tr -d '\r' | grep -oE 'HTTP/1.1 [0-9]+|"decision":"[a-z]+"' | tr '\n' ' ')
[ "$out" = 'HTTP/1.1 200 "decision":"allow" HTTP/1.1 404 HTTP/1.1 200 "decision":"deny" ' ]
check $? "pipelined answers keep their order, nothing after close" "$out"

out=$(curl -s --max-time 5 -o /dev/null -w '%{num_connects} ' -d "$a" "http://$data/v1/decide" --next -s -o /dev/null -w '%{num_connects}' -d "$a" "http://$data/v1/decide")
[ "$out" = "1 0" ]
check $? "connections stay open" "$out"

# A client that sends a byte now and then is given up; others are served meanwhile.
exec 7<>"/dev/tcp/${data%:*}/${data#*:}"
printf 'POST /v1/dec' >&7
post /v1/decide "$a"
expect 200 allow "others are served while one is slow"
timeout 14 cat <&7 >"$work/slow"
grep -q '^HTTP/1.1 408 ' "$work/slow"
check $? "a request that takes over 10 s is 408" "$(cat "$work/slow")"
exec 7>&-
serve_stop
check $? "TERM ends it with 0" "$(cat "$work/log")"
tap_done
