// SPDX-License-Identifier: Apache-2.0
// Step 6, index of a group: definitions that compare one place of the input, or of an argument, with
// constants are moved into functions, one for each constant, which a call table names. So a document of ten
// thousand definitions is looked up, not searched. In: a group. Out: a plan that lower_rego.c follows.
// Memory: the compile arena. Next file to read: lower_body.c.
#include "lower_index.h"

#include "facts.h"
#include "type.h"

#include <stdlib.h>

// A definition under one of the constants that it accepts at a place.
struct keyed {
    const struct agc_node *key;
    uint32_t def;
};
struct choice { // a place, and who compares with it
    const struct agc_place *place;
    uint32_t n, cap;
    struct keyed *v;
    uint32_t ndefs, last;
};
struct reader {
    struct agc_arena *a;
    uint32_t n, cap;
    struct choice *v;
};

static bool
is_scalar(const struct agc_node *n)
{
    return n->kind <= AGC_STRING;
}

// A fact that holds for a few constants alone.
static bool
selects(const struct agc_fact *f)
{
    if (f->is_negated || f->place.root == AGC_ROOT_DATA || !agc_place_is_single(&f->place))
        return false;
    if (f->op == AGC_FACT_EQ)
        return is_scalar(f->value);
    if (f->op != AGC_FACT_IN || f->value->n > AGC_INDEX_SET_MAX)
        return false;
    for (uint32_t i = 0; i < f->value->n; i++)
        if (!is_scalar(f->value->kid[i]))
            return false;
    return true;
}

static void
take(struct reader *r, const struct agc_fact *f, uint32_t def)
{
    uint32_t i = 0;
    while (i < r->n && !agc_place_eq(r->v[i].place, &f->place))
        i++;
    if (i == r->n) {
        if (r->n == AGC_INDEX_PLACES_MAX)
            return;
        r->v = agc_grow(r->a, r->v, r->n, &r->cap, sizeof *r->v);
        r->v[r->n++] = (struct choice){.place = &f->place, .last = AG_NONE};
    }
    struct choice *c = &r->v[i];
    if (c->last == def) // one comparison is enough to find it
        return;
    c->last = def;
    c->ndefs++;
    for (uint32_t k = 0; k < (f->op == AGC_FACT_EQ ? 1 : f->value->n); k++) {
        c->v = agc_grow(r->a, c->v, c->n, &c->cap, sizeof *c->v);
        c->v[c->n++] = (struct keyed){f->op == AGC_FACT_EQ ? f->value : f->value->kid[k], def};
    }
}

static int
by_key(const void *x, const void *y)
{
    const struct keyed *p = x, *q = y;
    int c = agc_node_const_cmp(p->key, q->key);
    return c ? c : (p->def > q->def) - (p->def < q->def);
}

static uint32_t
distinct(const struct choice *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n; i++)
        n += i == 0 || agc_node_const_cmp(c->v[i - 1].key, c->v[i].key) != 0;
    return n;
}

static const struct choice *
best(struct reader *r)
{
    const struct choice *c = NULL;
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->v[i].n)
            qsort(r->v[i].v, r->v[i].n, sizeof *r->v[i].v, by_key);
        if (distinct(&r->v[i]) > 1 && (!c || r->v[i].ndefs > c->ndefs))
            c = &r->v[i];
    }
    return c;
}

// The definitions of one constant and those that compare with none, in source order.
static void
merge(struct agc_group_index *ix, const struct agc_group *g, const struct keyed *v, uint32_t n,
      struct agc_index_key *ret, struct agc_arena *a)
{
    uint32_t i = 0, k = 0;
    ret->key = v[0].key;
    ret->defs = agc_alloc(a, (n + ix->nalways + 1u) * sizeof *ret->defs);
    while (i < n || k < ix->nalways) {
        bool takes_keyed = k == ix->nalways || (i < n && v[i].def < ix->always_ix[k]);
        uint32_t def = takes_keyed ? v[i++].def : ix->always_ix[k++];
        ret->defs[ret->ndefs++] = g->defs[def];
    }
}

static bool
plan(struct agc_arena *a, const struct agc_group *g, const struct choice *c, struct agc_group_index *ret)
{
    bool *is_keyed = agc_alloc(a, g->ndefs + 1u);
    uint64_t total = 0;
    for (uint32_t i = 0; i < c->n; i++)
        is_keyed[c->v[i].def] = true;
    *ret = (struct agc_group_index){.place = c->place};
    ret->always = agc_alloc(a, (g->ndefs + 1u) * sizeof *ret->always);
    ret->always_ix = agc_alloc(a, (g->ndefs + 1u) * sizeof *ret->always_ix);
    for (uint32_t i = 0; i < g->ndefs; i++)
        if (!is_keyed[i]) {
            ret->always_ix[ret->nalways] = i;
            ret->always[ret->nalways++] = g->defs[i];
        }
    uint32_t nkeys = distinct(c);
    total = (uint64_t)c->n + (uint64_t)nkeys * ret->nalways;
    if (total > (uint64_t)AGC_INDEX_COPIES_MAX * g->ndefs)
        return false;
    ret->key = agc_alloc(a, nkeys * sizeof *ret->key);
    for (uint32_t i = 0, end; i < c->n; i = end) {
        for (end = i + 1; end < c->n && agc_node_const_cmp(c->v[i].key, c->v[end].key) == 0;)
            end++;
        merge(ret, g, c->v + i, end - i, &ret->key[ret->nkeys++], a);
    }
    return true;
}

bool
agc_group_index(struct agc_arena *a, const struct agc_group *g, struct agc_group_index *ret)
{
    struct reader r = {.a = a};
    bool is_object = g->kind == AGC_GROUP_OBJECT;
    if (is_object || g->ndefs < AGC_INDEX_DEFS_MIN)
        return false;
    for (uint32_t i = 0; i < g->ndefs; i++) {
        struct agc_facts f;
        if (g->defs[i]->otherwise) // its clauses may compare different places
            continue;
        agc_facts_read(a, g->defs[i], g->defs[i], &f);
        for (uint32_t k = 0; k < f.n; k++)
            if (selects(&f.v[k]))
                take(&r, &f.v[k], i);
    }
    const struct choice *c = best(&r);
    return c && c->ndefs >= AGC_INDEX_DEFS_MIN && plan(a, g, c, ret);
}
