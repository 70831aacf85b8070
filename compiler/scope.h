// SPDX-License-Identifier: Apache-2.0
// Scopes of variables: which local a name means at a place, and what was declared too late or twice.
// In: names in the order of the text. Out: numbers of locals. Memory: the compile arena. Thread rule: one
// compilation, one thread. Next file to read: names.c.
#ifndef AGC_SCOPE_H
#define AGC_SCOPE_H

#include "program_parts.h"

// Name of the variable that steps through the results of `walk`; it needs no binding under `not`.
#define AGC_RELATION AG_STR("$walk")

// How a name came into a scope.
enum agc_occurrence { AGC_SEEN, AGC_ASSIGNED, AGC_SOME_DECLARED, AGC_SOME_IN_DECLARED, AGC_ARGUMENT };

struct agc_entry {
    struct ag_str name;
    struct agc_span span;
    uint32_t local;
    uint32_t nuses;
    enum agc_occurrence how;
};

// A body and what belongs to it. A comprehension, an `every` and a negated body open one of their own.
struct agc_scope {
    struct agc_scope *parent;
    struct agc_namemap index; // name -> position in `entry`
    uint32_t n, cap;
    struct agc_entry *entry;
    struct agc_namemap hides; // names that are declared in the body: they hide rules and imports
    struct agc_namemap
        own; // undeclared names of the body itself -> their local, AG_NONE before their first use
};

// State of resolving one definition or query.
struct agc_names {
    struct agc_builder *b;
    struct agc_def *def;
    struct agc_scope *scope;
    const struct agc_namemap *exports; // of the package
};

void agc_scope_push(struct agc_names *r, struct agc_scope *s);
void agc_scope_pop(struct agc_names *r);
// Fills `hides` with what the body declares, and `own` with its undeclared names; heads of comprehensions and
// rules are added with agc_scope_own. `body` may be NULL.
void agc_scope_read(struct agc_names *r, struct agc_scope *s, const struct agc_node *body);
void agc_scope_own(struct agc_names *r, struct agc_scope *s, const struct agc_node *term);
// All names in a term: arguments and patterns, which hide rules and imports.
void agc_scope_hide(struct agc_names *r, struct agc_scope *s, const struct agc_node *pattern);
bool agc_scope_hidden(const struct agc_names *r, struct ag_str name);

// The local of a name at a place, made when the name is new.
uint32_t agc_scope_local(struct agc_names *r, struct agc_node *var);
// True when the name is declared, assigned or an argument here.
bool agc_scope_declared(const struct agc_names *r, struct ag_str name);
// Declares the name in the innermost scope; an error when it stands there already.
void agc_scope_declare(struct agc_names *r, struct agc_node *var, enum agc_occurrence how);
// Reports what the scope declared and nothing used.
void agc_scope_unused(struct agc_names *r, const struct agc_scope *s);

#endif
