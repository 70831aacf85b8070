#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles every header of the tree alone, and twice in a row, with exactly the include directories that its folder
# gets in the build (taken from compile_commands.json, so a new folder needs no line here). aegis.h and
# aegis_tools.h also as C99 and C++11 without any other directory.
# In: build directory, source directory. Out: TAP.
set -u
build=$1 src=$2
. "$src/tests/tap.sh"
cd "$build" || exit 1
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One row per folder: the -I/-D/-std flags of the C files that are compiled in it.
awk -v src="$src" '
    /^ *"command": / { command = $0; sub(/^ *"command": "/, "", command); sub(/",?$/, "", command) }
    /^ *"file": / {
        file = $0; sub(/^ *"file": "/, "", file); sub(/",?$/, "", file)
        if (file !~ /\.c$/) next
        n = split(command, words, " "); flags = ""
        for (i = 1; i <= n; i++) if (words[i] ~ /^-(I|isystem|D|std)/) { gsub(/\\"/, "\"", words[i]); flags = flags " " words[i] }
        sub(/^(\.\.\/)+/, "", file); sub("^/?" substr(src, 2) "/", "", file); sub(/\/[^\/]*$/, "", file)
        all[file] = all[file] flags
    }
    END { for (dir in all) print dir "\t" all[dir] }' compile_commands.json >"$work/flags" 2>/dev/null

# flags_of DIR: those of the folder or of the nearest one above it that compiles something; 1 when there is none.
flags_of() {
    local dir=$1 row
    while [ "$dir" != . ]; do
        row=$(awk -F'\t' -v d="$dir" '$1 == d { print $2; exit }' "$work/flags")
        [ -n "$row" ] && echo "$row" && return
        dir=$(dirname "$dir")
    done
    return 1
}

warnings="-Wall -Wextra -Wpedantic -Wno-unused-function -Wno-unused-command-line-argument -Werror -fsyntax-only"
while read -r header; do
    dir=$(dirname "$header")
    printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$src/$header" "$src/$header" >"$work/one.c"
    if ! flags=$(flags_of "$dir"); then
        skip "$header alone" "nothing is compiled in $dir"
        continue
    fi
    # shellcheck disable=SC2086 -- the flags are words; the quotes of -D values go through eval
    out=$(eval "$cc ${flags//\"/\\\"} $warnings -I'$src/$dir' '$work/one.c'" 2>&1)
    check $? "$header alone" "$out"
done < <(cd "$src" && find vm compiler runtime grammar bench tests -name '*.h' -not -path '*/fuzz/seeds/*' | sort)

for header in aegis.h aegis_tools.h; do
    [ -f "$src/vm/include/$header" ] || { skip "$header as C99 and C++" "not there"; continue; }
    printf '#include <%s>\ntypedef int not_empty;\n' "$header" >"$work/pub.c"
    cp "$work/pub.c" "$work/pub.cc"
    out=$($cc -std=c99 -pedantic-errors -Wall -Wextra -Werror -fsyntax-only -I"$src/vm/include" "$work/pub.c" 2>&1)
    check $? "$header as C99" "$out"
    if command -v "${CXX:-c++}" >/dev/null; then
        out=$("${CXX:-c++}" -std=c++11 -pedantic-errors -Wall -Wextra -Werror -fsyntax-only -I"$src/vm/include" \
            "$work/pub.cc" 2>&1)
        check $? "$header as C++11" "$out"
    else
        skip "$header as C++11" "no C++ compiler"
    fi
done
tap_done
