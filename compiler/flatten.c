// SPDX-License-Identifier: Apache-2.0
// Taking literals apart, so that an order of the parts can be found where the whole has none:
// `f(input.xs[i]) == k; k = i + 1`. In: a literal. Out: literals. Memory: the compile arena.
// Next file to read: recursion.c.
#include "flatten.h"

#include "safety.h"

#include <stdio.h>

void
agc_flatten_keep(struct agc_flat *f, const struct agc_pending *p)
{
    f->v = agc_grow(f->a, f->v, f->n, &f->cap, sizeof *f->v);
    f->v[f->n++] = *p;
}

static void
append(struct agc_flat *f, struct agc_node *literal, bool is_called)
{
    agc_flatten_keep(f, &(struct agc_pending){.literal = literal, .is_called = is_called});
}

// A part under `with` is replaced under the same `with`.
static struct agc_node *
wrap(struct agc_flat *f, struct agc_node *literal, const struct agc_node *with)
{
    if (!with)
        return literal;
    struct agc_node *w = agc_node_new(f->a, AGC_WITH, with->span, with->text, with->n);
    memcpy(w->kid, with->kid, with->n * sizeof *w->kid);
    w->kid[0] = literal;
    w->depth = with->depth > literal->depth ? with->depth : literal->depth + 1;
    return w;
}

// Replaces a term by a new variable that a new literal binds.
static void
take_out(struct agc_flat *f, struct agc_node **slot, const struct agc_node *with)
{
    struct agc_node *n = *slot;
    uint32_t local = agc_local_generated(f->a, f->def, n->span);
    struct ag_str name = f->def->local[local].name;
    struct agc_node *var = agc_node_var(f->a, n->span, name, local);
    append(f, wrap(f, agc_node_pair(f->a, AGC_UNIFY, var, n), with), true);
    *slot = agc_node_var(f->a, n->span, name, local);
}

static bool
steps_through(const struct agc_node *n)
{
    for (uint32_t i = 1; i < n->n; i++)
        if (n->kid[i]->kind != AGC_STRING && n->kid[i]->kind != AGC_NUMBER)
            return true;
    return false;
}

bool
agc_is_operation(const struct agc_node *n)
{
    return n->kind == AGC_CALL || n->kind == AGC_BINARY || n->kind == AGC_NEGATE || n->kind == AGC_MEMBER2;
}

// What is taken out: calls first; references once their calls are gone.
enum wanted { CALLS, REFERENCES };

// Everything inside of a term, and with `whole` the term itself.
static bool
inside(struct agc_flat *f, struct agc_node **slot, bool whole, enum wanted what, const struct agc_node *with)
{
    struct agc_node *n = *slot;
    bool any = false;
    if (agc_is_comprehension(n) || n->kind == AGC_TEMPLATE || n->kind == AGC_QUERY)
        return false;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        any |= inside(f, &n->kid[i], true, what, with);
    if (whole && (what == CALLS ? agc_is_operation(n) : n->kind == AGC_REF && steps_through(n))) {
        take_out(f, slot, with);
        any = true;
    }
    return any;
}

// Takes calls and references out of a term under `not`; with `whole` the term itself as well.
static void
out_of_not(struct agc_flat *f, struct agc_node **slot, bool whole, const struct agc_node *with)
{
    struct agc_node *n = *slot;
    if (agc_is_comprehension(n) || n->kind == AGC_TEMPLATE || n->kind == AGC_QUERY)
        return;
    if (whole && agc_is_operation(n)) {
        take_out(f, slot, with);
        return;
    }
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        if (n->kind != AGC_REF || i || n->kid[i]->kind != AGC_VAR)
            out_of_not(f, &n->kid[i], true, with);
    if (!whole || n->kind != AGC_REF)
        return;
    take_out(f, slot, with);
    f->def->local[f->def->nlocals - 1].name = AGC_TAKEN;
}

// f(x, y), which became y = f(x), is one call: it stays under `not`.
static bool
takes_result(const struct agc_node *unify, uint32_t i)
{
    const struct agc_node *call = unify->kid[i];
    return unify->kind == AGC_UNIFY && i == 1 && call->kind == AGC_CALL &&
           call->span.begin == unify->span.begin && call->span.end == unify->span.end;
}

void
agc_flatten_not(struct agc_flat *f, struct agc_node *literal, bool is_query)
{
    const struct agc_node *with = literal->kind == AGC_WITH ? literal : NULL;
    struct agc_node *not = with ? with->kid[0] : literal;
    if (not ->kind == AGC_NOT && not ->kid[0]->kind != AGC_QUERY) {
        struct agc_node **slot = &not ->kid[0], *n = *slot;
        bool is_equal = n->kind == AGC_BINARY && ag_str_is(n->text, "==") && !is_query;
        if (n->kind == AGC_UNIFY || is_equal)
            for (uint32_t i = 0; i < n->n; i++)
                out_of_not(f, &n->kid[i], agc_is_operation(n->kid[i]) && !takes_result(n, i), with);
        else
            out_of_not(f, slot, false, with);
    }
    append(f, literal, false);
}

static bool
same_constant(const struct agc_node *x, const struct agc_node *y)
{
    return x->kind == y->kind && x->n == 0 && x->kind != AGC_VAR && ag_str_eq(x->text, y->text);
}

// For each key of x its place in y; false when the keys differ or are no constants.
static bool
same_keys(const struct agc_node *x, const struct agc_node *y)
{
    for (uint32_t i = 0; i < x->n; i += 2) {
        bool found = false;
        for (uint32_t k = 0; k < y->n && !found; k += 2)
            found = same_constant(x->kid[i], y->kid[k]);
        if (!found)
            return false;
    }
    return true;
}

// [a, b] = [c, d] is a = c; b = d.
static bool
split(struct agc_flat *f, struct agc_node *x, struct agc_node *y, const struct agc_node *with)
{
    if (x->kind != y->kind || x->n != y->n || (x->kind != AGC_ARRAY && x->kind != AGC_OBJECT))
        return false;
    if (x->kind == AGC_OBJECT && !same_keys(x, y))
        return false;
    uint32_t by = x->kind == AGC_OBJECT ? 2 : 1;
    for (uint32_t i = 0; i < x->n; i += by) {
        uint32_t k = i;
        if (by == 2)
            for (k = 0; !same_constant(x->kid[i], y->kid[k]);)
                k += 2;
        struct agc_node *xe = x->kid[i + by - 1], *ye = y->kid[k + by - 1];
        if (!split(f, xe, ye, with))
            append(f, wrap(f, agc_node_pair(f->a, AGC_UNIFY, xe, ye), with), false);
    }
    return true;
}

// True when parts were appended; *is_gone: nothing of the literal itself is left.
static bool
parts(struct agc_flat *f, struct agc_node *n, enum wanted what, const struct agc_node *with, bool *is_gone)
{
    bool any = false;
    switch ((int)n->kind) {
    case AGC_NOT: return false;
    case AGC_UNIFY:
        *is_gone = what == REFERENCES && split(f, n->kid[0], n->kid[1], with);
        if (*is_gone)
            return true;
        for (uint32_t i = 0; i < 2; i++) // `variable = call` is a part already
            any |= inside(f, &n->kid[i], n->kid[1 - i]->kind != AGC_VAR, what, with);
        return any;
    case AGC_ASSIGN: return inside(f, &n->kid[1], false, what, with);
    case AGC_SOME_IN: return inside(f, &n->kid[n->n - 1], false, what, with);
    case AGC_EVERY: return inside(f, &n->kid[n->n - 2], true, what, with);
    case AGC_WITH:
        for (uint32_t i = 2; i < n->n; i += 2)
            if (!agc_is_function_name(n->kid[i]))
                any |= inside(f, &n->kid[i], true, what, with);
        return parts(f, n->kid[0], what, n, is_gone) || any;
    default: return inside(f, &n, false, what, with);
    }
}

bool
agc_flatten_calls(struct agc_flat *f, const struct agc_pending *p)
{
    bool is_gone = false;
    bool any = !p->is_called && parts(f, p->literal, CALLS, NULL, &is_gone);
    struct agc_pending rest = *p;
    rest.is_called = true;
    agc_flatten_keep(f, &rest);
    return any;
}

bool
agc_flatten(struct agc_flat *f, const struct agc_pending *p)
{
    bool is_gone = false;
    bool any = !p->is_flat && parts(f, p->literal, REFERENCES, NULL, &is_gone);
    struct agc_pending rest = *p;
    rest.is_flat = true;
    if (!is_gone)
        agc_flatten_keep(f, &rest);
    return any;
}

const char *
agc_unsafe_nearest(struct agc_builder *b, const struct agc_def *def, uint32_t local)
{
    const struct agc_namemap *exports = agc_exports_of(b, def->module);
    const char **words = agc_alloc(b->a, (exports->n + def->nlocals) * sizeof *words);
    uint32_t n = 0;
    for (uint32_t i = 0; i < exports->cap; i++)
        if (exports->slot[i].name.p)
            words[n++] = agc_strdup(b->a, exports->slot[i].name).p;
    for (uint32_t i = 0; i < def->nlocals; i++)
        if (i != local && def->local[i].name.n > 1 && def->local[i].name.p[0] != '$')
            words[n++] = agc_strdup(b->a, def->local[i].name).p;
    return agc_nearest(def->local[local].name, words, n);
}
