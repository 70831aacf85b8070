# SPDX-License-Identifier: Apache-2.0
# A server for a test in shell, sourced after tap.sh: serve_start [FLAG...], serve_stop, post PATH BODY, admin ..., raw.
# In: $build and $src. Out: $data (ADDR:PORT), $metrics, $work with audit/, state/, log. Everything ends with the script.
export LC_ALL=C
aegis=$build/runtime/cmd/aegis aegisc=$build/compiler/aegisc load=$build/bench/load
work=$(mktemp -d) server=
if [ ! -x "$aegis" ] || [ ! -x "$aegisc" ]; then
    skip "$(basename "$0")" "aegis and aegisc are not built"
    tap_done
fi
trap 'serve_end; rm -rf "$work"' EXIT

free_port() {
    local port i
    for i in $(seq 200); do
        port=$(shuf -i 20000-32000 -n 1) # below the ports that the kernel gives to clients
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    return 1
}

# serve_start [FLAG...]: $policy served; 1 with the log shown when it does not get ready.
serve_start() {
    local i
    data=127.0.0.1:$(free_port) metrics=127.0.0.1:$(free_port)
    "$aegis" serve "${policy:-$work/policy.yaml}" --listen "$data" --listen "unix:$work/data.sock" --metrics "$metrics" \
        --audit "$work/audit" --state "$work/state" --workers 2 "$@" </dev/null >>"$work/log" 2>&1 &
    server=$!
    serve_ready
}
serve_ready() {
    local i
    for i in $(seq 150); do
        curl -sf -o /dev/null --max-time 1 "http://$data/readyz" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    sed 's/^/# /' "$work/log"
    return 1
}
# serve_stop: ends it as an operator does; its exit code.
serve_stop() {
    local pid=$server i
    [ -n "$pid" ] || return 0
    server=
    kill -TERM "$pid" 2>/dev/null
    for i in $(seq 250); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid"
}
serve_end() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null
    wait 2>/dev/null
}
# children NAME-FREE: pids of the server's processes. Order of starts: sequencer, admin, workers.
children() { pgrep -P "$server"; }

post() { curl -s --max-time 10 -o "$work/body" -w '%{http_code}' --data-binary "$2" "http://$data$1" >"$work/status"; }
get() { curl -s --max-time 10 -o "$work/body" -w '%{http_code}' "http://$data$1" >"$work/status"; }
# admin PATH [CURL-ARGUMENT...]
admin() {
    local path=$1
    shift
    curl -s --max-time 30 -o "$work/body" -w '%{http_code}' --unix-socket "$work/state/admin.sock" "$@" "http://admin$path" >"$work/status"
}
status() { cat "$work/status"; }
body() { cat "$work/body"; }
# expect STATUS REGEX NAME: of the last answer.
expect() {
    [ "$(status)" = "$1" ] && grep -qE "$2" "$work/body"
    check $? "$3" "status $(status), wanted $1 and /$2/
$(body)"
}
# raw BYTES: sends printf text on a fresh connection and prints what comes back until the server closes or 2 s pass.
raw() {
    local fd
    exec {fd}<>"/dev/tcp/${data%:*}/${data#*:}" || return 1
    printf "$1" >&$fd
    timeout "${2:-2}" cat <&$fd
    exec {fd}>&-
}
raw_expect() { # BYTES REGEX NAME
    local out
    out=$(raw "$1")
    grep -qE "$2" <<<"$out"
    check $? "$3" "$out"
}
verify_log() { "$aegis" audit verify "$work/audit" >"$work/verify" 2>&1; }
