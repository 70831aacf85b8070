// SPDX-License-Identifier: Apache-2.0
// Names: what each variable and call of an expression means. In: the tree. Out: `symbol` of every CALL (its
// built-in's number), diagnostics with the nearest name. Memory: none. Thread rule: one compilation, one
// thread. Next file to read: check.h.
#ifndef AGC_RESOLVE_H
#define AGC_RESOLVE_H

#include "ast.h"
#include "diag.h"

#define AGC_BUILTIN_ARGS 4u

// What the front end knows of a built-in; types are bit sets 1 << enum ag_kind.
struct agc_builtin {
    const char *name;
    uint32_t nargs;
    uint32_t arg[AGC_BUILTIN_ARGS];
    uint32_t result;
    const char *signature; // types of arguments and result, in the notation of builtins.def
    bool is_pure;          // the same arguments, the same result; false: it reads the decision's clock
};

// Row of a built-in; the index is enum ag_builtin_ix. NULL past the end.
const struct agc_builtin *agc_builtin_at(uint32_t ix);
uint32_t agc_builtin_count(void);
// Index of a callable name, or AG_NONE.
uint32_t agc_builtin_find(struct ag_str name);

// Resolves every rule and limit. False when there was an error.
bool agc_resolve(struct agc_arena *a, struct agc_diags *diags, struct agc_policy *policy);
// Prints each name with its place and meaning (`--emit=names`).
void agc_names_print(const struct agc_policy *policy, const struct agc_sources *sources, void *file);

#endif
