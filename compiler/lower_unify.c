// SPDX-License-Identifier: Apache-2.0
// Step 6, patterns: unification becomes tests and bindings, element by element. A variable is bound by naming
// the local that holds its value; nothing is moved. In: two terms, or a pattern and a value. Out: statements
// of a function. Memory: the compile arena. Next file to read: lower_term.c.
#include "lower_rego.h"

static bool
is_unbound(const struct agc_fn *l, const struct agc_node *n)
{
    return n->kind == AGC_VAR && n->symbol < l->nvars && l->var[n->symbol] == AG_NONE;
}

static bool
is_list(const struct agc_node *n)
{
    return n->kind == AGC_ARRAY || n->kind == AGC_OBJECT || n->kind == AGC_SET;
}

bool
agc_fn_is_open(const struct agc_fn *l, const struct agc_node *n)
{
    if (is_unbound(l, n))
        return true;
    for (uint32_t i = 0; is_list(n) && i < n->n; i++)
        if (agc_fn_is_open(l, n->kid[i]))
            return true;
    return false;
}

static bool
are_ready(const struct agc_fn *l, const struct agc_node *n, uint32_t from)
{
    for (uint32_t i = from; i < n->n; i++)
        if (!agc_fn_ready(l, n->kid[i]))
            return false;
    return true;
}

bool
agc_fn_ready(const struct agc_fn *l, const struct agc_node *n)
{
    switch (n->kind) {
    case AGC_VAR: return !is_unbound(l, n);
    case AGC_REF:
        if (!agc_fn_ready(l, n->kid[0]))
            return false;
        for (uint32_t i = 1; i < n->n; i++) // an open step iterates
            if (!agc_fn_is_open(l, n->kid[i]) && !agc_fn_ready(l, n->kid[i]))
                return false;
        return true;
    case AGC_CALL: return are_ready(l, n, 1);
    case AGC_ARRAY:
    case AGC_SET:
    case AGC_OBJECT:
    case AGC_BINARY:
    case AGC_NEGATE:
    case AGC_MEMBER2:
    case AGC_TEMPLATE: return are_ready(l, n, 0);
    case AGC_WITH: return agc_fn_ready(l, n->kid[0]);
    default: return true; // comprehensions bind their own; literals
    }
}

void
agc_pairs_add(struct agc_fn *l, struct agc_pairs *p, const struct agc_node *a, const struct agc_node *b,
              uint32_t local)
{
    p->v = agc_grow(l->ir->arena, p->v, p->n, &p->cap, sizeof *p->v);
    p->v[p->n++] = (struct agc_pair){a, b, local};
}

// --- a pattern against a value
static void
test_kind(struct agc_fn *l, const struct agc_node *n, enum ag_kind kind, uint32_t value, uint32_t len)
{
    uint32_t is = agc_fn_local(l), have = agc_fn_local(l);
    agc_fn_add(l, n->span, AGC_IR_KIND, is, value, kind);
    agc_fn_add(l, n->span, AGC_IR_LEAVE_FALSE, is, 0, 0);
    agc_fn_add(l, n->span, AGC_IR_LEN, have, value, 0);
    agc_fn_add(l, n->span, AGC_IR_NEED_IS, have, agc_const_int(l->ir, len), 0);
}

// The element of `value` at a key that is there, or the block is left.
static uint32_t
element(struct agc_fn *l, const struct agc_node *n, uint32_t value, uint32_t key)
{
    uint32_t v = agc_fn_local(l);
    agc_fn_add(l, n->span, AGC_IR_DOT, v, value, key);
    agc_fn_need(l, n->span, v);
    return v;
}

static void
match_array(struct agc_fn *l, const struct agc_node *n, uint32_t value, struct agc_pairs *p)
{
    test_kind(l, n, AG_ARRAY, value, n->n);
    for (uint32_t i = 0; i < n->n; i++) {
        uint32_t at = agc_fn_const(l, n->span, agc_const_int(l->ir, i));
        agc_pairs_add(l, p, n->kid[i], NULL, element(l, n, value, at));
    }
}

// The keys of an object pattern are values; both sides have the same keys.
static bool
match_object(struct agc_fn *l, const struct agc_node *n, uint32_t value, struct agc_pairs *p)
{
    test_kind(l, n, AG_OBJECT, value, n->n / 2);
    for (uint32_t i = 0; i < n->n; i += 2) {
        uint32_t key;
        if (!agc_fn_term(l, n->kid[i], &key))
            return false;
        agc_pairs_add(l, p, n->kid[i + 1], NULL, element(l, n, value, key));
    }
    return true;
}

static bool
keys_ready(const struct agc_fn *l, const struct agc_node *n)
{
    for (uint32_t i = 0; i < n->n; i += 2)
        if (!agc_fn_ready(l, n->kid[i]))
            return false;
    return true;
}

enum progress { DONE, LATER, FAILED };

static enum progress
match_value(struct agc_fn *l, const struct agc_node *n, uint32_t value, struct agc_pairs *p)
{
    uint32_t own, k;
    if (is_unbound(l, n)) {
        agc_fn_bind(l, n->symbol, value);
        return DONE;
    }
    if (agc_lower_constant(l->ir, n, &k)) {
        agc_fn_add(l, n->span, AGC_IR_NEED_IS, value, k, 0);
        return DONE;
    }
    if (agc_fn_ready(l, n)) {
        if (!agc_fn_term(l, n, &own))
            return FAILED;
        agc_fn_add(l, n->span, AGC_IR_NEED_EQ, own, value, 0);
        return DONE;
    }
    if (n->kind == AGC_ARRAY) {
        match_array(l, n, value, p);
        return DONE;
    }
    if (n->kind == AGC_OBJECT && keys_ready(l, n))
        return match_object(l, n, value, p) ? DONE : FAILED;
    return LATER;
}

// --- two terms
static enum progress
unify_lists(struct agc_fn *l, const struct agc_node *a, const struct agc_node *b, struct agc_pairs *p)
{
    bool same = a->kind == b->kind && a->n == b->n;
    if (!same) { // never equal
        agc_fn_add(l, a->span, AGC_IR_LEAVE_FALSE, agc_fn_const(l, a->span, agc_const_bool(l->ir, false)), 0,
                   0);
        for (uint32_t i = 0; i < a->n + b->n; i++) { // the variables still need a value for what follows
            const struct agc_node *n = i < a->n ? a->kid[i] : b->kid[i - a->n];
            agc_pairs_add(l, p, n, NULL, agc_fn_const(l, n->span, agc_const_null(l->ir)));
        }
        return DONE;
    }
    for (uint32_t i = 0; i < a->n; i++)
        agc_pairs_add(l, p, a->kid[i], b->kid[i], 0);
    return DONE;
}

// Objects with constant keys in any order: pairs of the values under equal keys.
static enum progress
unify_objects(struct agc_fn *l, const struct agc_node *a, const struct agc_node *b, struct agc_pairs *p)
{
    uint32_t x, y;
    if (a->n != b->n)
        return unify_lists(l, a, b, p);
    for (uint32_t i = 0; i < a->n; i += 2) {
        uint32_t k = 0;
        if (!agc_lower_constant(l->ir, a->kid[i], &x))
            return LATER;
        for (; k < b->n; k += 2) {
            if (!agc_lower_constant(l->ir, b->kid[k], &y))
                return LATER;
            if (agc_const_cmp(l->ir, x, y) == 0)
                break;
        }
        if (k == b->n) { // a key that the other does not have
            agc_fn_add(l, a->span, AGC_IR_LEAVE_FALSE, agc_fn_const(l, a->span, agc_const_bool(l->ir, false)),
                       0, 0);
            k = 0;
        }
        agc_pairs_add(l, p, a->kid[i + 1], b->kid[k + 1], 0);
    }
    return DONE;
}

static enum progress
unify_terms(struct agc_fn *l, const struct agc_node *a, const struct agc_node *b, struct agc_pairs *p)
{
    uint32_t v, k;
    if (!agc_fn_ready(l, a) || (agc_fn_ready(l, b) && agc_lower_constant(l->ir, a, &k))) {
        const struct agc_node *t = a; // a value first, a constant last
        a = b;
        b = t;
    }
    if (agc_fn_ready(l, a)) {
        if (is_list(a) && a->kind == b->kind && a->kind != AGC_SET && !agc_fn_ready(l, b)) {
            enum progress r = a->kind == AGC_OBJECT ? unify_objects(l, a, b, p) : unify_lists(l, a, b, p);
            if (r != LATER)
                return r;
        }
        if (!agc_fn_term(l, a, &v))
            return FAILED;
        agc_pairs_add(l, p, b, NULL, v);
        return DONE;
    }
    if (a->kind == AGC_ARRAY && b->kind == AGC_ARRAY)
        return unify_lists(l, a, b, p);
    if (a->kind == AGC_OBJECT && b->kind == AGC_OBJECT)
        return unify_objects(l, a, b, p);
    return LATER;
}

bool
agc_fn_solve(struct agc_fn *l, struct agc_pairs *p)
{
    for (bool moved = true; moved && p->n;) {
        struct agc_pairs now = *p;
        moved = false;
        *p = (struct agc_pairs){0};
        for (uint32_t i = 0; i < now.n; i++) {
            struct agc_pair at = now.v[i];
            struct agc_pairs more = {0};
            enum progress r =
                at.b ? unify_terms(l, at.a, at.b, &more) : match_value(l, at.a, at.local, &more);
            if (r == FAILED)
                return false;
            if (r == LATER) {
                agc_pairs_add(l, p, at.a, at.b, at.local);
                continue;
            }
            moved = true;
            if (!agc_fn_solve(l, &more)) // nested as deep as the terms
                return false;
            for (uint32_t k = 0; k < more.n; k++)
                agc_pairs_add(l, p, more.v[k].a, more.v[k].b, more.v[k].local);
        }
    }
    return true;
}

bool
agc_fn_match(struct agc_fn *l, const struct agc_node *pattern, uint32_t value)
{
    struct agc_pairs p = {0};
    agc_pairs_add(l, &p, pattern, NULL, value);
    if (!agc_fn_solve(l, &p))
        return false;
    return !p.n || agc_fn_refuse(l, pattern->span, "a variable of this pattern is never bound");
}

static bool
is_operation(const struct agc_node *n)
{
    return n->kind == AGC_CALL || n->kind == AGC_BINARY || n->kind == AGC_NEGATE || n->kind == AGC_MEMBER2;
}

bool
agc_fn_unify(struct agc_fn *l, const struct agc_node *a, const struct agc_node *b)
{
    struct agc_pairs p = {0};
    uint32_t v;
    agc_pairs_add(l, &p, a, b, 0);
    if (!agc_fn_solve(l, &p))
        return false;
    if (p.n == 1 && p.v[0].a == a && (is_operation(a) || is_operation(b))) {
        // f(xs[i]) + i: the operation is a value, read from left to right
        const struct agc_node *value = is_operation(b) ? b : a;
        return agc_fn_term(l, value, &v) && agc_fn_match(l, value == b ? a : b, v);
    }
    return !p.n || agc_fn_refuse(l, a->span, "neither side of this unification has a value");
}
