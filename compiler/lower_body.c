// SPDX-License-Identifier: Apache-2.0
// Step 6, bodies: literals in order, each inside what the ones before it opened. In: QUERY nodes whose
// literals stand in an order in which they can be evaluated. Out: statements of a function. Memory: the
// compile arena. Next file to read: lower_unify.c, lower_term.c.
#include "lower_rego.h"

// `not`: when the inside succeeds the block of the literal is left. What it bound is unbound behind it.
static bool
lower_not(struct agc_fn *l, const struct agc_node *n)
{
    struct agc_mark before = agc_fn_mark(l);
    const struct agc_node *inside = n->kid[0];
    if (!agc_fn_block(l, n->span))
        return false;
    if (!(inside->kind == AGC_QUERY ? agc_fn_query(l, inside) : agc_fn_literal(l, inside)))
        return false;
    agc_fn_leave_to(l, n->span, before.depth - 1);
    agc_fn_back(l, before);
    return true;
}

// `every`: a loop; an element whose body fails leaves the block of the literal.
static bool
lower_every(struct agc_fn *l, const struct agc_node *n)
{
    const struct agc_node *key = n->n == 4 ? n->kid[0] : NULL, *value = n->kid[n->n - 3],
                          *domain = n->kid[n->n - 2], *body = n->kid[n->n - 1];
    uint32_t coll, k, v;
    if (!agc_fn_term(l, domain, &coll))
        return false;
    agc_fn_add(l, domain->span, AGC_IR_NEED_COLL, coll, 0, 0);
    struct agc_mark before = agc_fn_mark(l);
    if (!agc_fn_loop(l, n->span, coll, &k, &v))
        return false;
    struct agc_mark element = agc_fn_mark(l);
    if (!agc_fn_block(l, n->span))
        return false;
    if ((key && !agc_fn_match(l, key, k)) || !agc_fn_match(l, value, v) || !agc_fn_query(l, body))
        return false;
    agc_fn_leave_to(l, n->span, element.depth - 1); // on to the next element
    agc_fn_back(l, element);
    agc_fn_leave_to(l, n->span, before.depth - 1);
    agc_fn_back(l, before);
    return true;
}

static bool
lower_some_in(struct agc_fn *l, const struct agc_node *n)
{
    const struct agc_node *key = n->n == 3 ? n->kid[0] : NULL, *value = n->kid[n->n - 2];
    uint32_t coll, k, v;
    if (!agc_fn_term(l, n->kid[n->n - 1], &coll) || !agc_fn_loop(l, n->span, coll, &k, &v))
        return false;
    struct agc_pairs pairs = {0};
    if (key)
        agc_pairs_add(l, &pairs, key, NULL, k);
    agc_pairs_add(l, &pairs, value, NULL, v);
    if (!agc_fn_solve(l, &pairs))
        return false;
    return !pairs.n || agc_fn_refuse(l, n->span, "a variable of this pattern is never bound");
}

static bool
lower_with(struct agc_fn *l, const struct agc_node *n)
{
    struct agc_with before;
    if (!agc_fn_with(l, n, &before))
        return false;
    bool ok = agc_fn_literal(l, n->kid[0]);
    agc_fn_with_end(l, &before);
    return ok;
}

// A comparison that must hold leaves the block itself; no boolean is made of it.
static bool
lower_comparison(struct agc_fn *l, const struct agc_node *n, bool is_equal)
{
    uint32_t left, right, k;
    if (is_equal && agc_lower_constant(l->ir, n->kid[1], &k)) {
        if (!agc_fn_term(l, n->kid[0], &left))
            return false;
        agc_fn_add(l, n->span, AGC_IR_NEED_IS, left, k, 0);
        return true;
    }
    if (!agc_fn_term(l, n->kid[0], &left) || !agc_fn_term(l, n->kid[1], &right))
        return false;
    agc_fn_add(l, n->span, is_equal ? AGC_IR_NEED_EQ : AGC_IR_NEED_NE, left, right, 0);
    return true;
}

bool
agc_fn_literal(struct agc_fn *l, const struct agc_node *n)
{
    uint32_t v;
    switch (n->kind) {
    case AGC_NOT: return lower_not(l, n);
    case AGC_EVERY: return lower_every(l, n);
    case AGC_SOME_IN: return lower_some_in(l, n);
    case AGC_SOME: return true;
    case AGC_WITH: return lower_with(l, n);
    case AGC_QUERY: return agc_fn_query(l, n);
    case AGC_ASSIGN:
    case AGC_UNIFY: return agc_fn_unify(l, n->kid[0], n->kid[1]);
    case AGC_BINARY:
        if (ag_str_is(n->text, "==") || ag_str_is(n->text, "!="))
            return lower_comparison(l, n, n->text.p[0] == '=');
        break;
    default: break;
    }
    if (!agc_fn_term(l, n, &v))
        return false;
    agc_fn_add(l, n->span, AGC_IR_LEAVE_FALSE, v, 0, 0);
    return true;
}

bool
agc_fn_query(struct agc_fn *l, const struct agc_node *n)
{
    if (n->kind != AGC_QUERY)
        return agc_fn_literal(l, n);
    for (uint32_t i = 0; i < n->n; i++)
        if (!agc_fn_literal(l, n->kid[i]))
            return false;
    return true;
}

bool
agc_fn_comprehension(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    bool is_object = n->kind == AGC_OBJECT_COMP;
    enum agc_irop open = is_object ? AGC_IR_OBJ : n->kind == AGC_SET_COMP ? AGC_IR_SET : AGC_IR_ARR;
    uint32_t builder = agc_fn_local(l), key, value;
    agc_fn_add(l, n->span, open, builder, 0, 0);
    struct agc_mark before = agc_fn_mark(l);
    if (!agc_fn_block(l, n->span) || !agc_fn_query(l, n->kid[n->n - 1]))
        return false;
    if ((is_object && !agc_fn_term(l, n->kid[0], &key)) || !agc_fn_term(l, n->kid[n->n - 2], &value))
        return false;
    if (is_object)
        agc_fn_add(l, n->span, AGC_IR_PUT, builder, key, value);
    else
        agc_fn_add(l, n->span, AGC_IR_PUSH, builder, value, 0);
    agc_fn_back(l, before);
    *ret = agc_fn_local(l);
    agc_fn_add(l, n->span, AGC_IR_CLOSE, *ret, builder, 0);
    if (is_object) // two values for one key
        agc_fn_add(l, n->span, AGC_IR_RETERR, *ret, 0, 0);
    return true;
}
