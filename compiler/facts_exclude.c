// SPDX-License-Identifier: Apache-2.0
// When facts exclude each other. In: facts of two clauses. Out: proof that no input and no arguments satisfy
// both, or nothing. Values have one total order, so intervals work across kinds. Memory: none. Next file to
// read: conflict.c.
#include "facts.h"
#include "type.h"

bool
agc_place_is_single(const struct agc_place *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (!p->step[i].key)
            return false;
    return true;
}

static bool
is_prefix(const struct agc_place *x, const struct agc_place *y)
{
    if (x->root != y->root || x->arg != y->arg || x->n > y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct agc_place_step *s = &x->step[i], *t = &y->step[i];
        if (!s->key != !t->key ||
            (s->key ? agc_node_const_cmp(s->key, t->key) != 0 : s->element != t->element))
            return false;
    }
    return true;
}

bool
agc_place_eq(const struct agc_place *x, const struct agc_place *y)
{
    return x->n == y->n && is_prefix(x, y);
}

const struct agc_node *
agc_facts_constant(const struct agc_facts *f, const struct agc_place *p)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->v[i].op == AGC_FACT_EQ && !f->v[i].is_negated && agc_place_eq(&f->v[i].place, p))
            return f->v[i].value;
    return NULL;
}

static bool
contains(const struct agc_node *coll, const struct agc_node *v)
{
    for (uint32_t i = 0; i < coll->n; i++)
        if (agc_node_const_cmp(coll->kid[i], v) == 0)
            return true;
    return false;
}

// The operation on a value that is there.
static bool
holds_for(enum agc_fact_op op, const struct agc_node *want, const struct agc_node *v)
{
    int c = want && op <= AGC_FACT_GE ? agc_node_const_cmp(v, want) : 0;
    switch (op) {
    case AGC_FACT_EQ: return c == 0;
    case AGC_FACT_NE: return c != 0;
    case AGC_FACT_LT: return c < 0;
    case AGC_FACT_LE: return c <= 0;
    case AGC_FACT_GT: return c > 0;
    case AGC_FACT_GE: return c >= 0;
    case AGC_FACT_IN: return contains(want, v);
    case AGC_FACT_NOT_IN: return !contains(want, v);
    case AGC_FACT_TRUTHY: return v->kind != AGC_FALSE_LIT;
    case AGC_FACT_LEN: return v->kind == AGC_ARRAY && v->n == want->n;
    case AGC_FACT_HINT: return true;
    }
    return true;
}

bool
agc_fact_holds(const struct agc_fact *f, const struct agc_node *value)
{
    if (f->op == AGC_FACT_HINT)
        return true;
    if (!value)
        return f->is_negated;
    return holds_for(f->op, f->value, value) != f->is_negated;
}

// What a negated fact says of a value that is there.
static enum agc_fact_op
complement(enum agc_fact_op op)
{
    switch (op) {
    case AGC_FACT_EQ: return AGC_FACT_NE;
    case AGC_FACT_NE: return AGC_FACT_EQ;
    case AGC_FACT_LT: return AGC_FACT_GE;
    case AGC_FACT_LE: return AGC_FACT_GT;
    case AGC_FACT_GT: return AGC_FACT_LE;
    case AGC_FACT_GE: return AGC_FACT_LT;
    case AGC_FACT_IN: return AGC_FACT_NOT_IN;
    case AGC_FACT_NOT_IN: return AGC_FACT_IN;
    default: return AGC_FACT_HINT;
    }
}

static bool
is_lower(enum agc_fact_op op) // bounds from below
{
    return op == AGC_FACT_GT || op == AGC_FACT_GE || op == AGC_FACT_EQ;
}

static bool
is_upper(enum agc_fact_op op)
{
    return op == AGC_FACT_LT || op == AGC_FACT_LE || op == AGC_FACT_EQ;
}

static bool
is_open(enum agc_fact_op op)
{
    return op == AGC_FACT_GT || op == AGC_FACT_LT;
}

// x bounds from below, y from above.
static bool
is_empty_between(enum agc_fact_op x, const struct agc_node *lo, enum agc_fact_op y, const struct agc_node *hi)
{
    int c = agc_node_const_cmp(lo, hi);
    return c > 0 || (c == 0 && (is_open(x) || is_open(y)));
}

static bool
values_exclude(enum agc_fact_op x, const struct agc_node *v, enum agc_fact_op y, const struct agc_node *w)
{
    if (x == AGC_FACT_HINT || y == AGC_FACT_HINT)
        return false;
    if (x == AGC_FACT_EQ)
        return !holds_for(y, w, v);
    if (y == AGC_FACT_EQ)
        return !holds_for(x, v, w);
    if (x == AGC_FACT_IN || y == AGC_FACT_IN) {
        const struct agc_node *set = x == AGC_FACT_IN ? v : w;
        for (uint32_t i = 0; i < set->n; i++)
            if (holds_for(x, v, set->kid[i]) && holds_for(y, w, set->kid[i]))
                return false;
        return true;
    }
    if (x == AGC_FACT_LEN && y == AGC_FACT_LEN)
        return v->n != w->n;
    return (is_lower(x) && is_upper(y) && is_empty_between(x, v, y, w)) ||
           (is_lower(y) && is_upper(x) && is_empty_between(y, w, x, v));
}

static bool
facts_exclude(const struct agc_fact *x, const struct agc_fact *y)
{
    static const struct agc_node false_node = {.kind = AGC_FALSE_LIT};
    if (!agc_place_is_single(&x->place) || !agc_place_is_single(&y->place) ||
        (x->is_negated && y->is_negated))
        return false;
    if (x->is_negated) {
        const struct agc_fact *t = x;
        x = y;
        y = t;
    }
    if (!is_prefix(&x->place, &y->place) && !is_prefix(&y->place, &x->place))
        return false;
    if (x->place.n != y->place.n) {
        const struct agc_fact *outer = x->place.n < y->place.n ? x : y, *inner = outer == x ? y : x;
        if (inner->is_negated) // may hold because it is undefined
            return false;
        // The outer value is a collection: no scalar, not false.
        bool is_scalar = outer->op == AGC_FACT_EQ && outer->value->kind <= AGC_STRING && !outer->is_negated;
        return is_scalar || (outer->is_negated && outer->op == AGC_FACT_TRUTHY);
    }
    if (!y->is_negated)
        return values_exclude(x->op, x->value, y->op, y->value);
    if (y->op == AGC_FACT_TRUTHY)
        return x->op == AGC_FACT_TRUTHY ||
               (x->op != AGC_FACT_HINT && !holds_for(x->op, x->value, &false_node));
    return values_exclude(x->op, x->value, complement(y->op), y->value);
}

// --- the same literal, once negated
static bool
is_same(const struct agc_facts *x, const struct agc_node *n, const struct agc_facts *y,
        const struct agc_node *m, unsigned depth)
{
    struct agc_place p, q;
    if (depth > AGC_EXPR_DEPTH_MAX)
        return false;
    if (n->kind == AGC_VAR || n->kind == AGC_REF) {
        // Places are read through aliases, and their steps must all be known.
        struct agc_facts fx = *x, fy = *y;
        if (agc_facts_place(&fx, n, &p) && agc_facts_place(&fy, m, &q))
            return agc_place_is_single(&p) && agc_place_eq(&p, &q);
        return false;
    }
    if (n->kind != m->kind || n->n != m->n || n->group != m->group || !ag_str_eq(n->text, m->text))
        return false;
    if (n->kind > AGC_MEMBER2 || n->kind == AGC_ARRAY_COMP || n->kind == AGC_SET_COMP ||
        n->kind == AGC_OBJECT_COMP)
        return false;
    if (n->kind == AGC_CALL && n->symbol != m->symbol)
        return false;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        if (!is_same(x, n->kid[i], y, m->kid[i], depth + 1))
            return false;
    return true;
}

static bool
negates(const struct agc_facts *x, const struct agc_facts *y)
{
    for (uint32_t i = 0; i < x->nliterals; i++) {
        if (x->literal[i]->kind != AGC_NOT || x->literal[i]->kid[0]->kind == AGC_QUERY)
            continue;
        for (uint32_t k = 0; k < y->nliterals; k++)
            if (is_same(x, x->literal[i]->kid[0], y, y->literal[k], 0))
                return true;
    }
    return false;
}

bool
agc_facts_same_value(const struct agc_facts *x, const struct agc_node *n, const struct agc_facts *y,
                     const struct agc_node *m)
{
    return is_same(x, n, y, m, 0);
}

bool
agc_facts_exclude(const struct agc_facts *x, const struct agc_facts *y)
{
    for (uint32_t i = 0; i < x->n; i++)
        for (uint32_t k = 0; k < y->n; k++)
            if (facts_exclude(&x->v[i], &y->v[k]))
                return true;
    return negates(x, y) || negates(y, x);
}
