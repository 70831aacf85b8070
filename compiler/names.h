// SPDX-License-Identifier: Apache-2.0
// What the files that decide names share: terms in names.c, calls in call.c, `with` in with.c.
// In: nodes. Out: nodes rewritten in place. Memory: the compile arena. Thread rule: one compilation, one
// thread. Next file to read: names.c.
#ifndef AGC_NAMES_H
#define AGC_NAMES_H

#include "scope.h"

// Decides the names in a term, in place.
void agc_names_term(struct agc_names *r, struct agc_node *n);
// Decides the names in the steps of a path whose head stands for a document already.
void agc_names_path(struct agc_names *r, struct agc_node *ref);
// Decides the names in a call; `is_literal` when it stands alone in a body, where one more argument than
// declared takes the result.
void agc_names_call(struct agc_names *r, struct agc_node *call, bool is_literal);
// True when a literal is a call of print, which is dropped.
bool agc_names_is_print(const struct agc_names *r, const struct agc_node *literal);

// A callable: a built-in (ix) or a group; neither: the name is unknown.
struct agc_callee {
    uint32_t ix;
    struct agc_group *group;
    struct ag_str name;
    bool is_data; // the name means a path below data
};
// The dotted name of a VAR or of a REF of a name and strings; p == NULL when it is neither.
struct ag_str agc_dotted(struct agc_arena *a, const struct agc_node *f);
// What VAR or REF `f` names when it is called. Names of rules and imports in it become references.
struct agc_callee agc_names_callee(struct agc_names *r, struct agc_node *f);
// Reports a built-in of the language that is refused here; false: the name is none.
bool agc_names_refused(struct agc_names *r, const struct agc_node *f, const struct agc_callee *c);
// Replaces a rule's or an import's name by what it stands for. True when n is now a REF or VAR of a document.
bool agc_names_global(struct agc_names *r, struct agc_node *n);

static inline int
agc_shown(struct ag_str s)
{
    return (int)(s.n < 120 ? s.n : 120);
}

#endif
