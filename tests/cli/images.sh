#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aegis keygen and verify: key files of docs/formats/keys.md, signatures, trust, serials, damaged images.
# In: build directory, source directory. Out: TAP.
set -u
. "$2/tests/cli/cli.sh"

run aegis keygen release.key
exits 0 "keygen"
[ "$(stat -c %a release.key)" = 600 ]
check $? "the secret file is its owner's alone"
[ "$(head -n 1 release.key)" = aegis-secret-key-v1 ] && [ "$(wc -c <release.key)" = 65 ]
check $? "the secret file's format"
[ "$(head -n 1 release.key.pub)" = aegis-public-key-v1 ] && [ "$(wc -c <release.key.pub)" = 65 ]
check $? "the public file's format"
before=$(cat release.key)
run aegis keygen release.key
exits 1 "a key is not overwritten"
[ "$before" = "$(cat release.key)" ]
check $? "and stays as it was"
touch other.key.pub
run aegis keygen other.key
exits 1 "nor is a public one"
[ ! -e other.key ]
check $? "no half of a pair is left"
run aegis keygen nowhere/key
exits 1 "a directory that is not there"
run aegis keygen
exits 2 "no file is wrong usage"
run aegis keygen second.key --json
exits 0 "keygen --json"
prints '^\{"secret":"second.key","public":"second.key.pub","public_key":"[A-Za-z0-9+/]{43}="\}$' "keygen --json prints both"

aegis init >/dev/null
aegisc -o plain.bin policy.yaml
aegisc --key release.key --serial 7 -o signed.bin policy.yaml
run aegis verify plain.bin
exits 0 "an unsigned image"
prints '^  signed:   no$' "is called unsigned"
run aegis verify signed.bin
exits 0 "a signed image"
prints 'no --trust given' "without trust the key is anybody's"
run aegis verify signed.bin --trust release.key.pub
exits 0 "trusted by file"
prints '\(trusted\)' "and called so"
run aegis verify signed.bin --trust "$(tail -n 1 release.key.pub)" --json
exits 0 "trusted by text"
prints '"serial":7,.*"signed":true,"trusted":true,"key":"' "facts as JSON"
run aegis verify signed.bin --trust second.key.pub
exits 1 "signed by another key"
run aegis verify signed.bin --trust second.key.pub --trust release.key.pub
exits 0 "one of several keys"
run aegis verify plain.bin --trust release.key.pub
exits 1 "unsigned where a signature is asked for"
run aegis verify signed.bin --serial-min 7
exits 0 "the serial at the limit"
run aegis verify signed.bin --serial-min 8
exits 1 "a serial below"
run aegis verify signed.bin --trust release.key
exits 3 "a secret key is no public one"
run aegis verify signed.bin --trust missing.pub
exits 3 "a missing key"
run aegis verify policy.yaml
exits 2 "a source is no image"
run aegis verify missing.bin
exits 3 "a missing image"
run aegis verify
exits 2 "no image is wrong usage"
size=$(stat -c %s signed.bin)
for at in 0 9 64 200 $((size / 2)) $((size - 1)); do
    cp signed.bin changed.bin
    byte=$(od -An -tu1 -j "$at" -N 1 signed.bin)
    printf "\\$(printf %o $((byte ^ 1)))" | dd of=changed.bin bs=1 seek="$at" conv=notrunc status=none
    run aegis verify changed.bin --json
    exits 1 "one bit changed at $at"
    prints '^\{"valid":false,"error":"' "and said so: $at"
done
head -c $((size - 1)) signed.bin >cut.bin
run aegis verify cut.bin
exits 1 "one byte short"
: >empty.bin
run aegis verify empty.bin
exits 1 "an empty file"
tap_done
