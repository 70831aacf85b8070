// SPDX-License-Identifier: Apache-2.0
// One literal, run on sets of variables: what it reads and what it binds, in the order in which it will be
// evaluated. In: a literal and the variables that are bound. Out: the variables bound after it, or the first
// one that is missing. Memory: the compile arena. Next file to read: safety.c.
#include "safety.h"

#include "flatten.h"
#include "scope.h"

static bool
miss(struct agc_bind *s, const struct agc_node *var)
{
    if (!s->missing)
        s->missing = var;
    return false;
}

static bool literal(struct agc_bind *s, const struct agc_node *n);

// A nested body waits for the variables of the bodies around it; its own are its own affair.
static bool
closure(struct agc_bind *s, const struct agc_node *n)
{
    if (agc_is_local(n))
        return !agc_marks_has(&s->visible, n->symbol) || agc_marks_has(&s->bound, n->symbol) || miss(s, n);
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        if (!closure(s, n->kid[i]))
            return false;
    return true;
}

// Step of a reference, or element of a composite step: an unbound variable is bound by it.
static bool
step(struct agc_bind *s, const struct agc_node *n)
{
    bool is_relation =
        agc_is_local(n) && !s->is_template && ag_str_eq(s->def->local[n->symbol].name, AGC_RELATION);
    if (agc_is_local(n) && (!s->is_closed || is_relation)) {
        agc_marks_add(s->a, &s->bound, n->symbol);
        return true;
    }
    if (n->kind != AGC_ARRAY && n->kind != AGC_OBJECT)
        return agc_bind_term(s, n);
    for (uint32_t i = 0; i < n->n; i++)
        if (!(n->kind == AGC_OBJECT && i % 2 == 0 ? agc_bind_term(s, n->kid[i]) : step(s, n->kid[i])))
            return false;
    return true;
}

// Left side of a match: variables are bound where arrays and values of objects hold them.
static bool
pattern(struct agc_bind *s, const struct agc_node *n)
{
    if (n->kind == AGC_REF || s->is_closed)
        return agc_bind_term(s, n);
    return step(s, n);
}

static bool template(struct agc_bind *s, const struct agc_node *n)
{
    bool was_closed = s->is_closed, was_template = s->is_template, ok = true;
    s->is_closed = s->is_template = true;
    for (uint32_t i = 0; ok && i < n->n; i++)
        ok = agc_bind_term(s, n->kid[i]);
    s->is_closed = was_closed;
    s->is_template = was_template;
    return ok;
}

bool
agc_bind_term(struct agc_bind *s, const struct agc_node *n)
{
    if (n->kind == AGC_VAR)
        return !agc_is_local(n) || agc_marks_has(&s->bound, n->symbol) || miss(s, n);
    if (agc_is_comprehension(n))
        return closure(s, n);
    if (n->kind == AGC_TEMPLATE)
        return template(s, n);
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        if (!(n->kind == AGC_REF && i ? step(s, n->kid[i]) : agc_bind_term(s, n->kid[i])))
            return false;
    return true;
}

bool
agc_bind_unify(struct agc_bind *s, const struct agc_node *unify, bool swap)
{
    return agc_bind_term(s, unify->kid[swap ? 0 : 1]) && pattern(s, unify->kid[swap ? 1 : 0]);
}

// Tries one way and, when it misses something, the other; `missing` is kept of the first.
static bool
either_way(struct agc_bind *s, const struct agc_node *n)
{
    uint32_t mark = s->bound.n;
    if (agc_bind_unify(s, n, false))
        return true;
    const struct agc_node *missing = s->missing;
    agc_marks_undo(&s->bound, mark);
    s->missing = NULL;
    if (agc_bind_unify(s, n, true))
        return true;
    s->other = s->missing;
    s->missing = missing;
    return false;
}

// `$not = term`: what was taken out of a negated literal binds nothing but its own variable.
static bool
taken(struct agc_bind *s, const struct agc_node *n)
{
    bool was_closed = s->is_closed;
    s->is_closed = true;
    bool ok = agc_bind_term(s, n->kid[1]);
    s->is_closed = was_closed;
    if (ok)
        agc_marks_add(s->a, &s->bound, n->kid[0]->symbol);
    return ok;
}

static bool
is_taken(const struct agc_bind *s, const struct agc_node *n)
{
    const struct agc_node *x = n->kid[0];
    return agc_is_local(x) && ag_str_eq(s->def->local[x->symbol].name, AGC_TAKEN);
}

static bool
negated(struct agc_bind *s, const struct agc_node *n)
{
    if (agc_is_not_body(n))
        return closure(s, n->kid[0]);
    bool was_closed = s->is_closed;
    s->is_closed = true;
    bool ok = literal(s, agc_is_bare_not(n) ? n->kid[0]->kid[0] : n->kid[0]);
    s->is_closed = was_closed;
    return ok;
}

// Values are evaluated before the literal and must be bound there.
static bool
values(struct agc_bind *s, const struct agc_node *n)
{
    bool was_closed = s->is_closed, ok = true;
    s->is_closed = true;
    for (uint32_t i = 2; ok && i < n->n; i += 2)
        ok = agc_is_function_name(n->kid[i]) || agc_bind_term(s, n->kid[i]);
    s->is_closed = was_closed;
    return ok;
}

static bool
literal(struct agc_bind *s, const struct agc_node *n)
{
    switch ((int)n->kind) {
    case AGC_UNIFY: return is_taken(s, n) ? taken(s, n) : either_way(s, n);
    case AGC_ASSIGN: return agc_bind_unify(s, n, false);
    case AGC_NOT: return negated(s, n);
    case AGC_WITH: return values(s, n) && literal(s, n->kid[0]);
    case AGC_SOME_IN:
        if (!agc_bind_term(s, n->kid[n->n - 1]))
            return false;
        for (uint32_t i = 0; i + 1 < n->n; i++)
            if (!(i + 2 < n->n ? step(s, n->kid[i]) : pattern(s, n->kid[i])))
                return false;
        return true;
    case AGC_EVERY: return agc_bind_term(s, n->kid[n->n - 2]) && closure(s, n->kid[n->n - 1]);
    default: return agc_bind_term(s, n);
    }
}

bool
agc_bind_literal(struct agc_bind *s, const struct agc_node *n)
{
    uint32_t mark = s->bound.n;
    s->missing = s->other = NULL;
    if (literal(s, n))
        return true;
    agc_marks_undo(&s->bound, mark);
    return false;
}
