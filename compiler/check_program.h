// SPDX-License-Identifier: Apache-2.0
// Types of modules: what each expression can be, and the operations that can never work. Accepts and refuses
// what Open Policy Agent's checker does. In: a program whose bodies are in order. Out: `type` of nodes, types
// of groups, diagnostics. Memory: the compile arena. Thread rule: one compilation, one thread. Next file to
// read: lower_rego.c.
#ifndef AGC_CHECK_PROGRAM_H
#define AGC_CHECK_PROGRAM_H

#include "program.h"
#include "type.h"

// What is known of a group once its definitions were checked.
struct agc_group_type {
    const struct agc_type *value; // of the document, or the function's result; NULL: an error was reported
    const struct agc_type *const *args; // FUNCTION
};

struct agc_types {
    uint32_t ngroups;
    struct agc_group_type *group; // by agc_group.number
};

// Checks every definition and query. `input` is the type of the input document (agc_type_any without a
// schema). False when there was an error.
bool agc_check_program(struct agc_arena *a, struct agc_diags *diags, struct agc_program *p,
                       const struct agc_type *input, struct agc_types *ret);

// Prints the type of every group (`--emit=types`).
void agc_types_program_print(const struct agc_program *p, const struct agc_types *types, void *file);

#endif
