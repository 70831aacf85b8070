# SPDX-License-Identifier: Apache-2.0
# Packages, sourced by quickstart and runtests (bash). The list itself is docs/packages.txt.
# In: groups of that list. Out: names of what is missing; install_packages installs them or says how.

# package_known NAME: apt offers it.
package_known() {
    apt-cache show "$1" 2>/dev/null | grep -q '^Package:'
}

package_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# missing_packages LIST GROUP…: one line "name<TAB>reason" for each row of the groups that is not there.
missing_packages() {
    local list=$1 group names command reason name found
    shift
    while read -r group names command reason; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        [ "$command" != - ] && command -v "$command" >/dev/null 2>&1 && continue
        found=
        for name in ${names//|/ }; do
            package_installed "$name" && found=1 && break
        done
        [ -z "$found" ] && printf '%s\t%s\n' "$names" "$reason"
    done < <(grep -v '^#' "$list")
    return 0
}

# first_known a|b: the alternative that apt knows, else the first.
first_known() {
    local name
    for name in ${1//|/ }; do
        package_known "$name" && echo "$name" && return
    done
    echo "${1%%|*}"
}

# install_packages NAMES…: installs as root or with a passwordless sudo; otherwise prints the command, returns 1.
# A name may be a|b.
install_packages() {
    local sudo=() log names wanted=()
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "no apt-get here: install what these Debian packages hold: $*" >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "Installing needs root. Run this, then start again:" >&2
            echo "  sudo apt-get install -y --no-install-recommends ${*%%|*}" >&2
            return 1
        fi
        sudo=(sudo -n)
    fi
    log=$(mktemp)
    # A fresh machine has no package lists at all; a stale one names files that the mirror dropped.
    package_known gcc || "${sudo[@]}" apt-get update -q </dev/null >"$log" 2>&1
    for names in "$@"; do wanted+=("$(first_known "$names")"); done
    local install=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get install -y -q --no-install-recommends "${wanted[@]}")
    echo "  apt-get install -y --no-install-recommends ${wanted[*]}"
    if ! "${install[@]}" </dev/null >>"$log" 2>&1; then
        "${sudo[@]}" apt-get update -q </dev/null >>"$log" 2>&1
        if ! "${install[@]}" </dev/null >>"$log" 2>&1; then
            tail -n 15 "$log" >&2
            rm -f "$log"
            return 1
        fi
    fi
    rm -f "$log"
}
