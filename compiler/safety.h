// SPDX-License-Identifier: Apache-2.0
// Orders the literals of bodies so that every variable is bound before it is read.
// In: definitions whose names are decided. Out: bodies in order (program.h says what then holds).
// Memory: the compile arena. Thread rule: one compilation, one thread. Next file to read: bind.c.
#ifndef AGC_SAFETY_H
#define AGC_SAFETY_H

#include "program_parts.h"

// What one literal or term would do from left to right: variables that are bound grow in `bound`.
struct agc_bind {
    struct agc_arena *a;
    const struct agc_def *def;
    struct agc_marks bound;
    struct agc_marks visible;       // variables of the bodies around: nested bodies may wait for these
    const struct agc_node *missing; // the first variable that was read unbound, NULL: none
    const struct agc_node *other;   // UNIFY: the first one of the other way round, NULL: none
    bool is_closed;                 // references bind nothing here (under `not`, in templates)
    bool is_template;               // nor do relations
};

static inline bool
agc_is_local(const struct agc_node *n)
{
    return n->kind == AGC_VAR && n->symbol < AGC_SYM_DATA;
}
static inline bool
agc_is_comprehension(const struct agc_node *n)
{
    return n->kind == AGC_ARRAY_COMP || n->kind == AGC_SET_COMP || n->kind == AGC_OBJECT_COMP;
}
// `not` around one literal that is negated as a whole (import future.keywords.not): a body without braces.
static inline bool
agc_is_bare_not(const struct agc_node *n)
{
    return n->kind == AGC_NOT && n->kid[0]->kind == AGC_QUERY && n->kid[0]->n == 1 &&
           n->span.end == n->kid[0]->kid[0]->span.end;
}
// `not` around a body that has variables of its own.
static inline bool
agc_is_not_body(const struct agc_node *n)
{
    return n->kind == AGC_NOT && n->kid[0]->kind == AGC_QUERY && !agc_is_bare_not(n);
}
// The call of print that a literal is, negated or under `with`, or NULL. Such literals stand in bodies until
// these are put in order.
#define AGC_PRINT AG_STR("print")
static inline struct agc_node *
agc_print_of(struct agc_node *n)
{
    while (n->kind == AGC_WITH || (n->kind == AGC_NOT && !agc_is_not_body(n)))
        n = agc_is_bare_not(n) ? n->kid[0]->kid[0] : n->kid[0];
    bool is_print = n->kind == AGC_CALL && !n->group && n->symbol == AG_NONE && ag_str_eq(n->text, AGC_PRINT);
    return is_print ? n : NULL;
}
// A name of a function where `with` takes a value.
static inline bool
agc_is_function_name(const struct agc_node *n)
{
    return n->kind == AGC_REF && (n->symbol != AG_NONE || n->group);
}

// True when every variable that the literal reads is bound then; `bound` has then what it binds as well.
// After false it is as it was.
bool agc_bind_literal(struct agc_bind *s, const struct agc_node *literal);
// The same for a term that is evaluated; unbound steps of references become bound.
bool agc_bind_term(struct agc_bind *s, const struct agc_node *n);
// The same for a literal without calls inside of calls whose references may be read first, and whose arrays
// and objects may be matched element by element.
bool agc_bind_alone(struct agc_bind *s, const struct agc_node *literal);
// UNIFY only: may kid[0] be matched as a pattern against the value of kid[1] (or, `swap`, the other way)?
bool agc_bind_unify(struct agc_bind *s, const struct agc_node *unify, bool swap);

#endif
