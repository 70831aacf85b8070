// SPDX-License-Identifier: Apache-2.0
// What the files of the checker of modules share. In: nodes. Out: types. Memory: the compile arena. Thread
// rule: one compilation, one thread. Next file to read: check_program.c.
#ifndef AGC_CHECK_PARTS_H
#define AGC_CHECK_PARTS_H

#include "check_program.h"
#include "resolve.h"

#include <stdarg.h>

struct agc_builtin_types { // read when first asked for
    const struct agc_type *arg[AGC_BUILTIN_ARGS], *result;
};

struct agc_checker {
    struct agc_arena *arena;
    struct agc_diags *diags;
    const struct agc_program *program;
    struct agc_types *types;
    const struct agc_type *input;
    const struct agc_type **local;     // by number of the local; NULL: not bound yet
    struct agc_builtin_types *builtin; // by number
    bool in_every;  // the body of every: other compilers do not check it, so what is wrong is a warning
    bool is_failed; // the group that is being checked has an error
};

// Checks a term and everything in it once; types of references, calls and comprehensions are left in `type`.
void agc_check_visit(struct agc_checker *c, struct agc_node *n);
// Checks the literals of a query.
void agc_check_query(struct agc_checker *c, struct agc_node *query);
// The type of a visited term; NULL: a variable without one, or a pattern of a failed term.
const struct agc_type *agc_check_get(struct agc_checker *c, const struct agc_node *n);
// Whether the term can have a value of type t; variables without a type get theirs.
bool agc_check_unify(struct agc_checker *c, const struct agc_node *n, const struct agc_type *t);
struct agc_diag *agc_check_error(struct agc_checker *c, struct agc_span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// check_ref.c: the type at the end of a reference; steps that cannot exist are reported.
const struct agc_type *agc_check_ref(struct agc_checker *c, struct agc_node *n);
// check_ref.c: declared types of a built-in's arguments and result.
const struct agc_type *agc_check_builtin_arg(struct agc_checker *c, uint32_t builtin, uint32_t arg);
const struct agc_type *agc_check_builtin_result(struct agc_checker *c, uint32_t builtin);

#endif
