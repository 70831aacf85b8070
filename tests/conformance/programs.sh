#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Accept or refuse, as Open Policy Agent does: the programs of tests/conformance/programs with its recorded verdicts,
# and with its own where a program `opa` is in the PATH or named by AEGIS_OPA. `programs.sh RUNNER SOURCE --record`
# writes them. In: the runner, the source. Out: TAP.
set -u
runner=$1 source=$2
opa=${AEGIS_OPA:-$(command -v opa)}
if [ -n "$opa" ] && "$opa" version >/dev/null 2>&1; then
    exec "$runner" "$source/tests/conformance/programs" --opa "$opa" "${@:3}"
fi
exec "$runner" "$source/tests/conformance/programs"
