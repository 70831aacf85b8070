// SPDX-License-Identifier: Apache-2.0
// The generator against another implementation of Rego, which is run as a program (`opa exec`).
// In: its path, how many pairs, a seed. Out: TAP. Memory: files in a temporary directory, values in the slow
// evaluator's arena. Next file to read: opa.c.
#ifndef AEGIS_TEST_OPA_H
#define AEGIS_TEST_OPA_H

#include "arena.h"
#include "ref_eval.h"

// With is_slow the slow evaluator is compared, else the machine. Exit status: 0 when everything agrees.
int opa_compare(struct ref *r, struct ag_arena *texts, const char *program, uint64_t npairs, uint64_t seed,
                bool is_slow);

#endif
