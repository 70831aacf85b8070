// SPDX-License-Identifier: Apache-2.0
// Types: arity and kinds of every expression. In: a resolved tree. Out: `types` of every node; diagnostics
// for what can never work. Memory: none. Thread rule: one compilation, one thread. Next file to read:
// lower.h.
#ifndef AGC_CHECK_H
#define AGC_CHECK_H

#include "ast.h"
#include "diag.h"

// Checks every rule and limit. False when there was an error.
bool agc_check(struct agc_diags *diags, struct agc_policy *policy);
// Prints each expression with the kinds that it can have (`--emit=types`).
void agc_types_print(const struct agc_policy *policy, const struct agc_sources *sources, void *file);

#endif
