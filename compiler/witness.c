// SPDX-License-Identifier: Apache-2.0
// Guessing inputs. Facts are sorted into a tree of places; a place without places below it gets a value that
// all its facts allow, taken from the constants around it. Later attempts take later candidates. In: facts of
// two clauses. Out: an input and arguments. Memory: the compile arena. Next file to read: conflict.c.
#include "witness.h"

#include "buf.h"
#include "type.h"

#include <stdio.h>

#define FOLLOW_MAX     8u  // documents followed from one pair of clauses
#define CANDIDATES_MAX 64u // values tried for one place

struct spot {
    struct agc_place_step step;
    uint32_t owner; // whose locals the element numbers are
    uint32_t nkids, cap_kids;
    struct spot **kid;
    uint32_t nfacts, cap_facts;
    const struct agc_fact **fact;
};

struct guess {
    struct agc_arena *arena;
    const struct agc_program *program;
    uint32_t attempt, followed;
    struct spot input;
    struct spot *args;
    uint32_t nargs;
};

// --- the tree of places
static struct spot *
below(struct guess *g, struct spot *at, struct agc_place_step s, uint32_t owner)
{
    for (uint32_t i = 0; i < at->nkids; i++) {
        struct spot *k = at->kid[i];
        if (s.key ? k->step.key && agc_node_const_cmp(k->step.key, s.key) == 0
                  : !k->step.key && k->step.element == s.element && k->owner == owner)
            return k;
    }
    at->kid = agc_grow(g->arena, at->kid, at->nkids, &at->cap_kids, sizeof(struct spot *));
    struct spot *k = agc_alloc(g->arena, sizeof *k);
    k->step = s;
    k->owner = owner;
    return at->kid[at->nkids++] = k;
}

static void take_facts(struct guess *g, const struct agc_facts *f, uint32_t owner);

// A document that must be true: the facts of one of its definitions.
static void
follow(struct guess *g, const struct agc_place *p)
{
    const struct agc_tree *t = g->program->root;
    for (uint32_t i = 0; t && !t->group && i < p->n; i++)
        t = p->step[i].key && p->step[i].key->kind == AGC_STRING ? agc_tree_find(t, &p->step[i].key->text, 1)
                                                                 : NULL;
    if (!t || !t->group || t->group->nargs || t->group->ndefs == 0 || g->followed == FOLLOW_MAX)
        return;
    uint32_t owner = ++g->followed;
    const struct agc_def *d = t->group->defs[g->attempt % t->group->ndefs];
    struct agc_facts f;
    agc_facts_read(g->arena, d, d, &f);
    take_facts(g, &f, owner + 2);
}

static void
take_facts(struct guess *g, const struct agc_facts *f, uint32_t owner)
{
    for (uint32_t i = 0; i < f->n; i++) {
        const struct agc_fact *fact = &f->v[i];
        if (fact->place.root == AGC_ROOT_DATA) {
            if (!fact->is_negated)
                follow(g, &fact->place);
            continue;
        }
        if (fact->place.root == AGC_ROOT_ARG && fact->place.arg >= g->nargs)
            continue;
        struct spot *at = fact->place.root == AGC_ROOT_INPUT ? &g->input : &g->args[fact->place.arg];
        for (uint32_t k = 0; k < fact->place.n; k++)
            at = below(g, at, fact->place.step[k], fact->place.step[k].key ? 0 : owner);
        at->fact = agc_grow(g->arena, at->fact, at->nfacts, &at->cap_facts, sizeof *at->fact);
        at->fact[at->nfacts++] = fact;
    }
}

// --- candidates
struct pool {
    struct agc_arena *arena;
    uint32_t n;
    const struct agc_node *v[CANDIDATES_MAX];
};

static void
offer(struct pool *p, const struct agc_node *n)
{
    if (p->n < CANDIDATES_MAX)
        p->v[p->n++] = n;
}

static struct agc_node *
leaf(struct agc_arena *a, enum agc_node_kind k, struct ag_str text)
{
    return agc_node_new(a, k, (struct agc_span){0}, text, 0);
}

static void
offer_near(struct pool *p, const struct agc_node *n)
{
    char text[64];
    if (n->kind == AGC_STRING) {
        offer(p, leaf(p->arena, AGC_STRING, agc_strdup(p->arena, AG_STR(""))));
        char *s = agc_alloc(p->arena, n->text.n + 1);
        memcpy(s, n->text.p, n->text.n);
        s[n->text.n] = 'a';
        offer(p, leaf(p->arena, AGC_STRING, ag_str_of(s, n->text.n + 1)));
    }
    if (n->kind != AGC_NUMBER || n->text.n >= sizeof text - 24)
        return;
    double d = 0;
    snprintf(text, sizeof text, "%.*s", (int)n->text.n, n->text.p);
    if (sscanf(text, "%lf", &d) != 1 || d > 1e15 || d < -1e15)
        return;
    for (int step = -1; step <= 1; step += 2) {
        int len = snprintf(text, sizeof text, "%.15g", d + step);
        offer(p, leaf(p->arena, AGC_NUMBER, agc_strdup(p->arena, ag_str_of(text, (size_t)len))));
    }
}

// All strings that facts hint at, one behind the other: what begins with one and ends with another.
static void
offer_joined(struct pool *p, const struct spot *s)
{
    struct agc_bytes text = {.arena = p->arena};
    for (uint32_t i = 0; i < s->nfacts; i++)
        if (s->fact[i]->op == AGC_FACT_HINT && s->fact[i]->value && s->fact[i]->value->kind == AGC_STRING)
            agc_bytes_put(&text, s->fact[i]->value->text.p, s->fact[i]->value->text.n);
    if (text.n)
        offer(p, leaf(p->arena, AGC_STRING, ag_str_of((const char *)text.p, text.n)));
}

static bool
allows(const struct spot *s, const struct agc_node *v)
{
    for (uint32_t i = 0; i < s->nfacts; i++)
        if (!agc_fact_holds(s->fact[i], v))
            return false;
    return true;
}

// A value for a place; NULL: it stays undefined.
static const struct agc_node *
choose(struct guess *g, const struct spot *s)
{
    struct pool p = {.arena = g->arena};
    for (uint32_t i = 0; i < s->nfacts; i++) {
        const struct agc_node *v = s->fact[i]->value;
        if (!v)
            continue;
        offer(&p, v);
        for (uint32_t k = 0; (v->kind == AGC_SET || v->kind == AGC_ARRAY) && k < v->n; k++)
            offer(&p, v->kid[k]);
    }
    for (uint32_t i = 0; i < s->nfacts; i++)
        if (s->fact[i]->value)
            offer_near(&p, s->fact[i]->value);
    offer_joined(&p, s);
    offer(&p, leaf(g->arena, AGC_TRUE_LIT, AG_STR("")));
    offer(&p, leaf(g->arena, AGC_STRING, AG_STR("a")));
    offer(&p, leaf(g->arena, AGC_NUMBER, AG_STR("1")));
    offer(&p, leaf(g->arena, AGC_FALSE_LIT, AG_STR("")));
    uint32_t n = 0;
    for (uint32_t i = 0; i < p.n; i++)
        if (allows(s, p.v[i]))
            p.v[n++] = p.v[i];
    bool may_miss = allows(s, NULL);
    for (uint32_t i = 0; may_miss && i < s->nfacts; i++)
        may_miss = s->fact[i]->is_negated;
    if (n == 0 || (may_miss && g->attempt % 2 == 0))
        return NULL;
    return p.v[g->attempt % n];
}

// --- writing
void
agc_node_const_put(struct agc_bytes *out, const struct agc_node *n)
{
    bool is_object = n->kind == AGC_OBJECT;
    switch (n->kind) {
    case AGC_NULL_LIT: agc_bytes_put(out, "null", 4); return;
    case AGC_TRUE_LIT: agc_bytes_put(out, "true", 4); return;
    case AGC_FALSE_LIT: agc_bytes_put(out, "false", 5); return;
    case AGC_NUMBER: agc_bytes_put(out, n->text.p, n->text.n); return;
    case AGC_STRING: {
        size_t size = 6 * n->text.n + 2;
        char *mem = agc_alloc(out->arena, size);
        struct ag_buf b;
        ag_buf_init(&b, mem, size);
        ag_buf_json_str(&b, n->text);
        agc_bytes_put(out, mem, b.n);
        return;
    }
    default: break;
    }
    if (n->kind == AGC_SET && n->n == 0) {
        agc_bytes_put(out, "set()", 5);
        return;
    }
    agc_bytes_put(out, n->kind == AGC_ARRAY ? "[" : "{", 1);
    for (uint32_t i = 0; i < n->n; i++) {
        if (i)
            agc_bytes_put(out, is_object && i % 2 ? ": " : ", ", 2);
        agc_node_const_put(out, n->kid[i]);
    }
    agc_bytes_put(out, n->kind == AGC_ARRAY ? "]" : "}", 1);
}

static bool put_spot(struct guess *g, struct agc_bytes *out, const struct spot *s);

// The places below as an object, or as an array when all are elements or small indexes.
static void
put_kids(struct guess *g, struct agc_bytes *out, const struct spot *s)
{
    bool is_object = false, some = false;
    for (uint32_t i = 0; i < s->nkids; i++)
        is_object |= s->kid[i]->step.key && s->kid[i]->step.key->kind == AGC_STRING;
    agc_bytes_put(out, is_object ? "{" : "[", 1);
    for (uint32_t i = 0; i < s->nkids; i++) {
        size_t mark = out->n;
        if (some)
            agc_bytes_put(out, ", ", 2);
        if (is_object && s->kid[i]->step.key && s->kid[i]->step.key->kind == AGC_STRING)
            agc_node_const_put(out, s->kid[i]->step.key);
        else if (is_object)
            agc_bytes_put(out, "\"k\"", 3);
        if (is_object)
            agc_bytes_put(out, ": ", 2);
        if (put_spot(g, out, s->kid[i]))
            some = true;
        else
            out->n = mark;
    }
    agc_bytes_put(out, is_object ? "}" : "]", 1);
}

// False: the place stays undefined.
static bool
put_spot(struct guess *g, struct agc_bytes *out, const struct spot *s)
{
    if (s->nkids) {
        put_kids(g, out, s);
        return true;
    }
    const struct agc_node *v = choose(g, s);
    if (v)
        agc_node_const_put(out, v);
    return v != NULL;
}

void
agc_witness_guess(struct agc_arena *a, const struct agc_program *program, const struct agc_facts *x,
                  const struct agc_facts *y, uint32_t nargs, uint32_t attempt, struct ag_str *ret_input,
                  struct ag_str *ret_args)
{
    struct guess g = {.arena = a, .program = program, .attempt = attempt, .nargs = nargs};
    struct agc_bytes input = {.arena = a}, args = {.arena = a};
    g.args = agc_alloc(a, (nargs + 1u) * sizeof *g.args);
    take_facts(&g, x, 1);
    take_facts(&g, y, 2);
    if (g.input.nkids)
        put_kids(&g, &input, &g.input);
    else
        agc_bytes_put(&input, "{}", 2);
    for (uint32_t i = 0; i < nargs; i++) {
        if (i)
            agc_bytes_put(&args, ", ", 2);
        if (!put_spot(&g, &args, &g.args[i]))
            agc_bytes_put(&args, "null", 4);
    }
    *ret_input = ag_str_of((const char *)input.p, input.n);
    *ret_args = ag_str_of((const char *)args.p, args.n);
}
