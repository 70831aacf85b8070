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

// The first variable of a pattern that is not bound; NULL: none.
static const struct agc_node *
unbound(const struct agc_bind *s, const struct agc_node *n)
{
    if (agc_is_local(n))
        return agc_marks_has(&s->bound, n->symbol) ? NULL : n;
    const struct agc_node *found = NULL;
    for (uint32_t i = 0; !found && (n->kind == AGC_ARRAY || n->kind == AGC_OBJECT) && i < n->n; i++)
        found = unbound(s, n->kid[i]);
    return found;
}

// Constant keys of x that are no keys of y, whose keys are all constant.
static bool
lacks_key(const struct agc_node *x, const struct agc_node *y)
{
    for (uint32_t i = 0; i < x->n; i += 2) {
        bool may = x->kid[i]->kind > AGC_STRING;
        for (uint32_t k = 0; !may && k < y->n; k += 2)
            may = y->kid[k]->kind > AGC_STRING ||
                  (x->kid[i]->kind == y->kid[k]->kind && ag_str_eq(x->kid[i]->text, y->kid[k]->text));
        if (!may)
            return true;
    }
    return false;
}

// Arrays of different lengths and objects of different keys never match, so they give no variable a value.
static bool
never_match(const struct agc_node *x, const struct agc_node *y)
{
    if (x->kind != y->kind || (x->kind != AGC_ARRAY && x->kind != AGC_OBJECT))
        return false;
    return x->n != y->n || (x->kind == AGC_OBJECT && lacks_key(x, y));
}

bool
agc_bind_unify(struct agc_bind *s, const struct agc_node *unify, bool swap)
{
    const struct agc_node *x = unify->kid[0], *y = unify->kid[1], *var = NULL;
    if (never_match(x, y) && ((var = unbound(s, x)) != NULL || (var = unbound(s, y)) != NULL))
        return miss(s, var);
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

// --- calls inside of a literal are evaluated before it, and need what is bound by then
// Steps of the references of a term, which are read first. Calls inside of it are values already.
static void
bind_steps(struct agc_bind *s, const struct agc_node *n)
{
    if (agc_is_comprehension(n) || n->kind == AGC_TEMPLATE || n->kind == AGC_QUERY)
        return;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++) {
        if (agc_is_operation(n->kid[i]))
            continue;
        if (n->kind == AGC_REF && i && agc_is_local(n->kid[i]))
            agc_marks_add(s->a, &s->bound, n->kid[i]->symbol);
        bind_steps(s, n->kid[i]);
    }
}

static bool
has_values(struct agc_bind *s, const struct agc_node *n)
{
    if (agc_is_comprehension(n) || n->kind == AGC_TEMPLATE)
        return true;
    if (agc_is_local(n))
        return agc_marks_has(&s->bound, n->symbol) || miss(s, n);
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        if (!agc_is_operation(n->kid[i]) && !has_values(s, n->kid[i]))
            return false;
    return true;
}

// Innermost calls first, then from left to right.
static bool
calls_inside(struct agc_bind *s, const struct agc_node *n)
{
    if (agc_is_comprehension(n) || n->kind == AGC_TEMPLATE || n->kind == AGC_QUERY)
        return true;
    uint32_t from = n->kind == AGC_CALL, to = n->kind == AGC_WITH ? 1 : n->n;
    for (uint32_t i = from; i < to; i++) {
        const struct agc_node *k = n->kid[i];
        if (!calls_inside(s, k))
            return false;
        if (!agc_is_operation(k) || n->kind == AGC_WITH || n->kind == AGC_NOT)
            continue;
        bind_steps(s, k);
        if (!has_values(s, k))
            return false;
    }
    return true;
}

bool
agc_bind_literal(struct agc_bind *s, const struct agc_node *n)
{
    uint32_t mark = s->bound.n;
    s->missing = s->other = NULL;
    if (literal(s, n)) {
        if (s->bound.n == mark)
            return true;
        agc_marks_undo(&s->bound, mark);
        s->missing = s->other = NULL;
        if (calls_inside(s, n)) {
            agc_marks_undo(&s->bound, mark);
            return literal(s, n);
        }
    }
    agc_marks_undo(&s->bound, mark);
    return false;
}

static bool
element_by_element(struct agc_bind *s, const struct agc_node *x, const struct agc_node *y)
{
    bool all = true;
    if (x->kind == y->kind && x->n == y->n && x->kind == AGC_ARRAY) {
        for (uint32_t i = 0; i < x->n; i++)
            all &= element_by_element(s, x->kid[i], y->kid[i]);
        return all;
    }
    if (x->kind == y->kind && x->n == y->n && x->kind == AGC_OBJECT && !lacks_key(x, y)) {
        for (uint32_t i = 0; i < x->n; i += 2)
            for (uint32_t k = 0; k < y->n; k += 2)
                if (x->kid[i]->kind <= AGC_STRING && x->kid[i]->kind == y->kid[k]->kind &&
                    ag_str_eq(x->kid[i]->text, y->kid[k]->text))
                    all &= element_by_element(s, x->kid[i + 1], y->kid[k + 1]);
        return all;
    }
    struct agc_node *kid[2] = {(struct agc_node *)x, (struct agc_node *)y};
    const struct agc_node pair = {.kind = AGC_UNIFY, .n = 2, .kid = kid};
    return agc_bind_literal(s, &pair);
}

bool
agc_bind_alone(struct agc_bind *s, const struct agc_node *n)
{
    uint32_t mark = s->bound.n, before;
    const struct agc_node *inner = n;
    for (; inner->kind == AGC_WITH; inner = inner->kid[0])
        for (uint32_t i = 2; i < inner->n; i += 2)
            bind_steps(s, inner->kid[i]);
    bind_steps(s, inner);
    for (uint32_t i = 0; inner->kind == AGC_UNIFY && i < 2; i++) // `variable = call`
        if (agc_is_operation(inner->kid[i]))
            bind_steps(s, inner->kid[i]);
    bool ok = agc_bind_literal(s, n);
    if (!ok && inner->kind == AGC_UNIFY)
        do {
            before = s->bound.n;
            ok = element_by_element(s, inner->kid[0], inner->kid[1]);
        } while (!ok && s->bound.n > before);
    if (!ok)
        agc_marks_undo(&s->bound, mark);
    return ok;
}
