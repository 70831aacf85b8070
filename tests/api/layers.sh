#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules about files that the build cannot enforce: who may include whom, who may use atomics, system calls and
# libsodium, words that stand nowhere, length of files (tables of data aside), licence lines, no include cycles.
# In: source directory. Out: TAP. To allow an include edit `allowed` below and say why in the commit.
set -u
src=$1
. "$src/tests/tap.sh"
cd "$src" || exit 1
LC_ALL=C
export LC_ALL

sources=$(find vm compiler runtime grammar bench tests -name '*.[chly]' -o -name '*.cc' -o -name '*.def' | sort)
code() { # FILE: without comments and string contents
    sed -e 's,"\(\\.\|[^"\\]\)*","",g' -e 's,//.*,,' "$1" | sed -e ':a' -e 's,/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/,,g' -e '/\/\*/{N;ba' -e '}'
}

layer() { # PATH: the row of the include table it belongs to
    case $1 in
    vm/include/*) echo public ;;
    vm/base/* | vm/crypto.[ch]) echo base ;;
    vm/*) echo vm ;;
    runtime/host/*) echo host ;;
    runtime/server/*) echo server ;;
    runtime/audit/*) echo audit ;;
    runtime/cmd/*) echo cmd ;;
    runtime/*) echo host ;;
    compiler/* | grammar/*) echo compiler ;;
    bench/*) echo bench ;;
    *) echo tests ;;
    esac
}

allowed() { # FROM-LAYER TO-LAYER TO-PATH
    case $1:$2 in
    "$1:$1" | tests:* | *:public) [ "$1" != base ] || [ "$2" = base ] || [ "$3" = vm/include/aegis.h ] ;;
    vm:base | host:vm | host:base | server:base | cmd:base | audit:base | compiler:base | bench:base) ;;
    audit:host) [ "$3" = runtime/host/journal.h ] ;;
    server:host) case $3 in runtime/host/state/*.h) ;; *) return 1 ;; esac ;; # docs/decisions/002-server-layers.md
    server:vm) [ "$3" = vm/value.h ] ;;
    server:audit | cmd:server | cmd:audit) ;; # the programs start the processes
    compiler:vm) case $3 in vm/interp.* | vm/ctx.*) return 1 ;; esac ;;
    bench:compiler) [ "$3" = compiler/compile.h ] ;;
    bench:tests) [ "$3" = tests/unit/pattern_shim.h ] ;; # the oracle that C cannot include
    *) return 1 ;;
    esac
}

# Edges "from to" of quoted includes that name a file of the tree; the same folder goes first.
edges=$(for f in $sources; do
    grep -oE '^ *# *include +"[^"]+"' "$f" | sed 's/.*"\(.*\)"/\1/' | while read -r inc; do
        dir=$(dirname "$f")
        if [ -f "$dir/$inc" ]; then
            to=$(realpath -m --relative-to=. "$dir/$inc")
        else
            to=$(grep -E "(^|/)$(sed 's/[.]/[.]/g' <<<"$inc")\$" <<<"$sources" | head -n 1)
        fi
        [ -n "$to" ] && echo "$f $to"
    done
done)

bad=$(while read -r from to; do
    [ -z "$from" ] || allowed "$(layer "$from")" "$(layer "$to")" "$to" || echo "$from includes $to"
done <<<"$edges")
[ -z "$bad" ]
check $? "includes point down" "$bad"

cycle=$(grep -E '^[^ ]*\.h [^ ]*\.h$' <<<"$edges" | tsort 2>&1 >/dev/null)
[ -z "$cycle" ]
check $? "no include cycles" "$cycle"

# users PATTERN ALLOWED-REGEX PLACES: files whose code has the pattern and whose path is not allowed.
users() {
    local f
    for f in $sources; do
        [[ $f =~ ^($3) ]] || continue
        [[ $f =~ ^($2)$ ]] && continue
        code "$f" | grep -nE "$1" | head -n 2 | sed "s,^,$f:,"
    done
}
rule() { # NAME PATTERN ALLOWED-REGEX PLACES
    local out
    out=$(users "$2" "$3" "$4")
    [ -z "$out" ]
    check $? "$1" "$out"
}

product='(vm|runtime|compiler|grammar)/'
rule "only vm/crypto.c knows libsodium" '# *include *<sodium|crypto_(sign|hash|generichash|auth)_' 'vm/crypto\.[ch]|tests/.*' "$product"
rule "only vm/base/hash.* knows xxhash" '# *include *<xxhash|XXH[0-9]' 'vm/base/hash\.[ch]' "$product"
atomics='stdatomic\.h|__atomic_|__sync_|\batomic_(load|store|fetch|compare|exchange)|_Atomic'
rule "vm and compiler use no atomics" "$atomics" '-' '(vm|compiler|grammar)/'
rule "in runtime/host atomics live in slot, state/, journal, commit" "$atomics" \
    'runtime/host/(slot\.[ch]|journal\.[ch]|commit\.c|state/.*)' 'runtime/host/'
rule "commands use no atomics" "$atomics" '-' 'runtime/cmd/'
rule "the VM makes no system calls" \
    '# *include *<(unistd|fcntl|signal|setjmp|pthread|poll|dirent|sys/[a-z]+|netinet/.*|threads)\.h' 'vm/base/.*' 'vm/'
rule "the library neither prints nor exits" '\b(printf|fprintf|vfprintf|puts|fputs|perror|fopen|exit|_exit|system)\(' \
    '-' '(vm|runtime/host)/'
rule "no unchecked string functions" '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|alloca)\(' '-' \
    '(vm|runtime|compiler|grammar|tests|bench)/'

partners=$(for f in $(grep -lE "$atomics" $(grep -E '^runtime/.*\.[ch]$' <<<"$sources") /dev/null); do
    grep -qiE 'pairs? with|partner' "$f" || echo "$f"
done)
[ -z "$partners" ]
check $? "a file with atomics names the partner of each (\"pairs with\")" "$partners"

marks=$(grep -nE '\b(TO''DO|FIX''ME|XX''X)\b' $sources runtests quickstart .ci/* docs/*.md README.md 2>/dev/null)
[ -z "$marks" ]
check $? "no unfinished marks" "$marks"

long=$(grep -v '[.]def$' <<<"$sources" | xargs wc -l | awk '$2 != "total" && $1 > 900 { print $2 ": " $1 " lines" }')
[ -z "$long" ]
check $? "no file over 900 lines" "$long"

licence=$(for f in $sources; do head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"; done)
[ -z "$licence" ]
check $? "every file names its licence" "$licence"

if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
    out=$(find vm compiler runtime bench tests -name '*.[ch]' -o -name '*.cc' | xargs clang-format --dry-run --Werror 2>&1 |
        grep -oE '^[^: ]+:[0-9]+:' | cut -d: -f1 | sort -u)
    [ -z "$out" ]
    check $? "files are formatted (clang-format -i FILE)" "$(wc -w <<<"$out") files: $(tr '\n' ' ' <<<"$out")"
else
    skip "files are formatted" "layout is that of clang-format 14"
fi
tap_done
