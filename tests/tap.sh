# SPDX-License-Identifier: Apache-2.0
# TAP for tests in shell, sourced: ok NAME, not_ok NAME [TEXT], skip NAME REASON, check STATUS NAME [TEXT], then
# tap_done as the last command.
tap_n=0 tap_bad=0

ok() {
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1"
}

not_ok() {
    tap_n=$((tap_n + 1)) tap_bad=$((tap_bad + 1))
    echo "not ok $tap_n - $1"
    [ -z "${2-}" ] || printf '%s\n' "$2" | head -n 60 | sed 's/^/# /'
}

skip() {
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}

check() {
    if [ "$1" = 0 ]; then ok "$2"; else not_ok "$2" "${3-}"; fi
}

tap_done() {
    echo "1..$tap_n"
    [ "$tap_bad" = 0 ]
    exit
}
