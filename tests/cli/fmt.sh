#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aegis fmt and aegisc --fmt: standard input, -l, -d, -w, --fail, files that cannot be read or parsed.
# In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

printf 'package a\np if { x ;y }  # why\n' >bad.rego
printf 'package a\n\np if {\n\tx\n\ty\n} # why\n' >good.rego
printf 'package a\np { x }\n' >broken.rego
cp bad.rego work.rego

run aegis fmt bad.rego
exits 0 "fmt prints"
check "$([ "$out" = "$(cat good.rego)" ] && echo 0 || echo 1)" "and the text is canonical" "$out"
out=$(aegis fmt <bad.rego)
check "$([ "$out" = "$(cat good.rego)" ] && echo 0 || echo 1)" "standard input is read" "$out"
run aegis fmt -l bad.rego good.rego
exits 0 "-l succeeds"
prints '^bad.rego$' "-l names the file that would change"
run aegis fmt --list good.rego
check "$([ -z "$out" ] && echo 0 || echo 1)" "and no other" "$out"
run aegis fmt -d bad.rego
prints '^-p if \{ x ;y \}  # why$' "-d shows the old line"
prints '^\+} # why$' "-d shows the new line"
prints '^@@ -1,2 \+1,6 @@$' "-d counts lines"
cmp -s bad.rego work.rego
check $? "nothing was written so far"
run aegis fmt --fail bad.rego good.rego
exits 1 "--fail tells by the exit code"
run aegis fmt --fail good.rego
exits 0 "--fail accepts canonical text"
run aegis fmt -w work.rego
exits 0 "-w succeeds"
cmp -s work.rego good.rego
check $? "-w rewrites the file"
run aegis fmt broken.rego
exits 1 "a module that cannot be read is an error"
prints 'write .p if' "with its place and the spelling of v1"
run aegis fmt -w broken.rego good.rego
check "$(grep -c 'p { x }' broken.rego | sed 's/1/0/')" "and it is left alone"
run aegis fmt missing.rego
exits 3 "a missing file is trouble"
run aegisc -l good.rego
exits 2 "-l belongs to --fmt"
