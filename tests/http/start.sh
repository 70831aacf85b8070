#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts of aegis serve that must be refused, each with its reason: foreign, cut, older and wrongly signed images, directories
# that cannot be read or written. Then the settings file, its variable and the log levels (A3, A66, B34, B40). In: build
# directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
. "$src/tests/http/serve.sh"
unset AEGIS_CONFIG_PATH AEGIS_SERVER_CONFIG AEGIS_LOG_LEVEL
cat >"$work/policy.yaml" <<'YAML'
version: "1"
defaults: { risk_level: medium, approval: block }
rules:
  - { name: reads, match: { type: "read*" }, risk_level: low, approval: auto }
YAML
cd "$work" || exit 1
"$aegis" keygen release.key >/dev/null && "$aegis" keygen other.key >/dev/null
"$aegisc" policy.yaml -o plain.bin 2>/dev/null
"$aegisc" --serial 7 --key release.key policy.yaml -o signed.bin 2>/dev/null
[ -s plain.bin ] && [ -s signed.bin ]
check $? "images to start from"

# refused NAME REGEX POLICY FLAG...: exit code neither 0 nor a signal, the reason on standard error.
refused() {
    local name=$1 regex=$2 policy=$3 out code
    shift 3
    out=$(timeout 30 ${as-} "$aegis" serve "$policy" --listen "127.0.0.1:$(free_port)" --metrics off --audit "$work/audit" --state "$work/state" "$@" 2>&1 </dev/null)
    code=$?
    [ "$code" != 0 ] && [ "$code" -lt 124 ] && grep -qE "$regex" <<<"$out"
    check $? "refused: $name" "exit $code: $out"
}
patched() { # FILE OFFSET BYTE: plain.bin with one byte replaced
    cp plain.bin "$1"
    printf "\\$(printf %o "$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
size=$(stat -c %s plain.bin)
head -c $((size - 1)) plain.bin >cut.bin
refused "an image that is one byte short" 'size|short|truncated|length' cut.bin
head -c 20 plain.bin >head.bin
refused "an image that ends in its header" 'short|truncated|size|header' head.bin
head -c "$size" /dev/urandom >noise.bin
refused "a file that is neither image nor YAML" '.' noise.bin
printf '\177ELF\002\001\001' | cat - plain.bin >foreign.bin
refused "another program's file" '.' foreign.bin
patched older.bin 8 0
refused "an older image format" 'another format version: compile it with this' older.bin
patched newer.bin 8 200
refused "a newer image format" 'another format version: compile it with this' newer.bin
patched vm.bin 12 99
refused "an image for a newer machine" 'newer|machine|vm|version' vm.bin
patched bit.bin $((size / 2)) 255
refused "a changed byte" 'digest|changed|damaged' bit.bin
refused "a policy that is not there" 'No such file' missing.bin
refused "a directory as policy" 'irectory' "$work"
refused "an unsigned image where a signature is asked for" 'sign' plain.bin --trust release.key.pub
refused "an image signed by another key" 'sign|trust' signed.bin --trust other.key.pub
cp signed.bin forged.bin
byte=$(od -An -tu1 -j $((size / 3)) -N 1 forged.bin)
printf "\\$(printf %o $((byte ^ 4)))" | dd of=forged.bin bs=1 seek=$((size / 3)) conv=notrunc status=none
refused "a signed image that was changed" 'digest|changed|damaged|sign' forged.bin --trust release.key.pub
refused "a source where a signature is asked for" 'sign' policy.yaml --trust release.key.pub
refused "a key that is none" 'not a public key' signed.bin --trust policy.yaml
policy=$work/signed.bin serve_start --trust release.key.pub
check $? "the signed image serves with its key"
refused "a second server on the log of one that runs" 'sequencer.sock: .*writes this log' plain.bin --state "$work/state2"
serve_stop

# As a user without rights: a log directory that it may not read or may not write.
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
    as='setpriv --reuid=65534 --regid=65534 --clear-groups'
    chmod 755 "$work"
    mkdir -m 777 open
    mkdir -m 700 closed
    mkdir -m 555 readonly
    refused "a log directory that may not be read" 'closed.*Permission denied' "$work/plain.bin" --audit "$work/closed" --state "$work/open/s1"
    refused "a log directory that may not be written" 'readonly.*Permission denied' "$work/plain.bin" --audit "$work/readonly" --state "$work/open/s2"
    refused "a log below a directory that may not be written" 'readonly.*Permission denied' "$work/plain.bin" --audit "$work/readonly/log" --state "$work/open/s3"
    refused "a state directory that may not be written" 'readonly.*Permission denied' "$work/plain.bin" --audit "$work/open/a4" --state "$work/readonly/s4"
    chmod 600 plain.bin
    refused "a policy that may not be read" 'plain.bin.*Permission denied' "$work/plain.bin" --audit "$work/open/a5" --state "$work/open/s5"
    as=
else
    skip "directories without rights" "needs root and setpriv"
fi

rm -rf audit state
echo 'log: { level: error }' >conf.yaml
lines() { # NAME [VARIABLE=VALUE...]: lines of one start and stop
    : >log
    serve_start "${@:2}" || { not_ok "it starts: $1"; return; }
    serve_stop
    n=$(wc -l <log)
}
lines first # makes keys and says so
lines default && default=$n
[ "$default" -gt 0 ] && grep -q 'serving' log
check $? "A66: by default it says what serves" "$(cat log)"
AEGIS_LOG_LEVEL=DEBUG lines debug
[ "$n" -gt "$default" ]
check $? "A66, B34: AEGIS_LOG_LEVEL=DEBUG adds lines" "$(cat log)"
AEGIS_LOG_LEVEL=ERROR lines error
[ "$n" -lt "$default" ]
check $? "A66, B34: AEGIS_LOG_LEVEL=ERROR removes lines" "$(cat log)"
AEGIS_SERVER_CONFIG=$work/conf.yaml lines file
[ "$n" -lt "$default" ]
check $? "B40: AEGIS_SERVER_CONFIG names the settings file" "$(cat log)"
AEGIS_CONFIG_PATH=$work/conf.yaml lines parameters
[ "$n" = "$default" ]
check $? "A3: AEGIS_CONFIG_PATH is for governance parameters, not for the server" "$(cat log)"
AEGIS_LOG_LEVEL=loud refused "a log level that is none" 'log.level.*loud' policy.yaml
echo 'server: { prot: 1 }' >conf.yaml
refused "a setting that is none" 'conf.yaml:1:[0-9]+: server.prot' policy.yaml --config conf.yaml
before=$("$aegis" doctor --json 2>/dev/null | tr '}' '\n' | grep '"settings"')
for pair in AEGIS_METRICS_PORT=9191 AEGIS_LOG_LEVEL=DEBUG AEGIS_CONFIG_PATH=/x.yaml AEGIS_POLICY_PATH=/p.yaml; do
    after=$(env "$pair" "$aegis" doctor --json 2>/dev/null | tr '}' '\n' | grep '"settings"')
    out=$(diff <(echo "$before") <(echo "$after") | grep '^>')
    n=$(grep -c '^>' <<<"$out")
    # The metrics listener is made from its port.
    [ "$n" = 1 ] || { [ "${pair%%=*}" = AEGIS_METRICS_PORT ] && [ "$n" = 2 ]; }
    check $? "A3, B34: ${pair%%=*} changes its setting in doctor --json" "$out"
done
tap_done
