// SPDX-License-Identifier: Apache-2.0
// Takes literals apart: calls, and references that step through something, become literals of their own,
// matches of arrays and objects become matches of their elements. In: a literal that cannot be placed.
// Out: several that mean the same. Memory: the compile arena. Thread rule: one compilation, one thread.
// Next file to read: recursion.c.
#ifndef AGC_FLATTEN_H
#define AGC_FLATTEN_H

#include "program_parts.h"

// Name of the variable of a term that was taken out of a negated literal: its references bind nothing.
#define AGC_TAKEN AG_STR("$not")

struct agc_pending {
    struct agc_node *literal;
    bool is_called; // its calls were taken out already
    bool is_flat;   // and its references
    uint32_t
        waits; // number of the variable, and one, that it needs before it can be taken apart; 0: none known
};

struct agc_flat {
    struct agc_arena *a;
    struct agc_def *def;
    uint32_t n, cap;
    struct agc_pending *v; // what came out, in an order that follows the text
};

// Appends the calls inside of a literal, and what is left of it. False when there were none.
bool agc_flatten_calls(struct agc_flat *f, const struct agc_pending *p);
// Appends the parts of a literal whose calls were taken out. False when it could not be taken apart further:
// it is appended as it is.
bool agc_flatten(struct agc_flat *f, const struct agc_pending *p);
// Appends a literal as it is.
void agc_flatten_keep(struct agc_flat *f, const struct agc_pending *p);
// Operators and calls.
bool agc_is_operation(const struct agc_node *n);

// Appends a literal, and before it what stands in it under `not` but is evaluated outside of the negation:
// calls, and references where the literal is no match. An undefined one of these fails the body. `is_query`:
// of an ad hoc query, where == is a call.
void agc_flatten_not(struct agc_flat *f, struct agc_node *literal, bool is_query);

// The name nearest to that of an unsafe variable among what is visible in the definition, or NULL.
const char *agc_unsafe_nearest(struct agc_builder *b, const struct agc_def *def, uint32_t local);

#endif
