// SPDX-License-Identifier: Apache-2.0
// Conflicts. First every pair of clauses that can give different values is compared by its facts; pairs that
// are not proved apart are suspects. Then suspects get guesses: an input on which the machine reports two
// values is a witness. In: a program, checked and in order. Out: diagnostics `rule-conflict` and
// `possible-conflict`. Memory: the compile arena. Next file to read: facts.c, witness.c, probe.c.
#include "conflict.h"

#include "probe.h"
#include "type.h"
#include "witness.h"

#include <stdlib.h>

struct suspect {
    const struct agc_group *group;
    uint32_t probe; // entry of the group in the probe
    const struct agc_def *x_clause, *y_clause;
    const struct agc_facts *x, *y;
};

struct finder {
    struct agc_arena *arena;
    uint32_t n, cap;
    struct suspect *v;
    uint32_t ngroups, cap_groups;
    const struct agc_group **group;
};

// --- suspects
struct clause {
    const struct agc_def *def, *clause;
    uint32_t number;            // in source order
    const struct agc_node *key; // the constant that it demands at the common place, NULL: none
    struct agc_facts facts;
};

static const struct agc_node *
value_of(const struct agc_def *clause)
{
    static const struct agc_node true_node = {.kind = AGC_TRUE_LIT};
    return clause->value ? clause->value : &true_node;
}

static bool
gives_same(const struct clause *x, const struct clause *y)
{
    const struct agc_node *v = value_of(x->clause), *w = value_of(y->clause);
    if (agc_node_is_const(v) && agc_node_is_const(w))
        return agc_node_const_cmp(v, w) == 0;
    return agc_facts_same_value(&x->facts, v, &y->facts, w);
}

// Whether all values of the group are one constant: then nothing needs to be compared.
static bool
is_uniform(const struct agc_group *g)
{
    const struct agc_node *first = value_of(g->defs[0]);
    for (uint32_t i = 0; i < g->ndefs; i++)
        for (const struct agc_def *d = g->defs[i]; d; d = d->otherwise)
            if (!agc_node_is_const(value_of(d)) || agc_node_const_cmp(first, value_of(d)) != 0)
                return false;
    return true;
}

// The place that most clauses compare with a constant: clauses with different constants there need no other
// proof.
static const struct agc_place *
common_place(const struct clause *c, uint32_t n)
{
    const struct agc_place *best = NULL;
    uint32_t most = 1;
    for (uint32_t i = 0; i < c[0].facts.n; i++) {
        const struct agc_fact *f = &c[0].facts.v[i];
        uint32_t found = 0;
        if (f->op != AGC_FACT_EQ || f->is_negated || !agc_place_is_single(&f->place))
            continue;
        for (uint32_t k = 0; k < n; k++)
            found += agc_facts_constant(&c[k].facts, &f->place) != NULL;
        if (found > most) {
            most = found;
            best = &f->place;
        }
    }
    return best;
}

// Clauses with a key first, by key; equal ones in source order.
static int
by_key(const void *x, const void *y)
{
    const struct clause *p = x, *q = y;
    if (!p->key != !q->key)
        return p->key ? -1 : 1;
    int c = p->key ? agc_node_const_cmp(p->key, q->key) : 0;
    return c ? c : (p->number > q->number) - (p->number < q->number);
}

static void
suspect(struct finder *f, const struct agc_group *g, const struct clause *x, const struct clause *y)
{
    if (x->number > y->number) {
        const struct clause *t = x;
        x = y;
        y = t;
    }
    f->v = agc_grow(f->arena, f->v, f->n, &f->cap, sizeof *f->v);
    f->v[f->n++] = (struct suspect){g, f->ngroups, x->clause, y->clause, &x->facts, &y->facts};
}

// Compares pairs; false when there were too many of them.
static bool
compare(struct finder *f, const struct agc_group *g, const struct clause *c, uint32_t n, uint32_t *ret_found)
{
    uint32_t pairs = 0, unkeyed = 0;
    while (unkeyed < n && c[unkeyed].key)
        unkeyed++;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = i + 1; k < n && *ret_found < AGC_CONFLICT_SHOWN_MAX; k++) {
            if (c[i].key && c[k].key && agc_node_const_cmp(c[i].key, c[k].key) != 0) {
                k = unkeyed - 1; // on with those that have none
                continue;
            }
            if (pairs++ == AGC_CONFLICT_PAIRS_MAX)
                return false;
            if (c[i].def == c[k].def || gives_same(&c[i], &c[k]) ||
                agc_facts_exclude(&c[i].facts, &c[k].facts))
                continue;
            suspect(f, g, &c[i], &c[k]);
            ++*ret_found;
        }
    return true;
}

static void
suspect_group(struct agc_job *j, struct finder *f, const struct agc_group *g)
{
    uint32_t n = 0, found = 0;
    for (uint32_t i = 0; i < g->ndefs; i++)
        for (const struct agc_def *d = g->defs[i]; d; d = d->otherwise)
            n++;
    struct clause *c = agc_alloc(f->arena, n * sizeof *c);
    n = 0;
    for (uint32_t i = 0; i < g->ndefs; i++)
        for (const struct agc_def *d = g->defs[i]; d; d = d->otherwise, n++) {
            c[n] = (struct clause){.def = g->defs[i], .clause = d, .number = n};
            agc_facts_read(f->arena, g->defs[i], d, &c[n].facts);
        }
    const struct agc_place *place = common_place(c, n);
    for (uint32_t i = 0; place && i < n; i++)
        c[i].key = agc_facts_constant(&c[i].facts, place);
    qsort(c, n, sizeof *c, by_key);
    if (!compare(f, g, c, n, &found))
        agc_diag(&j->diags, AGC_D_POSSIBLE_CONFLICT, g->defs[0]->head_span,
                 "%.*s has more pairs of definitions than are compared (%u)", (int)g->name.n, g->name.p,
                 AGC_CONFLICT_PAIRS_MAX);
    if (!found)
        return;
    f->group = agc_grow(f->arena, f->group, f->ngroups, &f->cap_groups, sizeof *f->group);
    f->group[f->ngroups++] = g;
}

// --- words
static struct ag_str
value_text(struct agc_arena *a, const struct agc_def *clause)
{
    struct agc_bytes b = {.arena = a};
    const struct agc_node *v = value_of(clause);
    if (!agc_node_is_const(v))
        return AG_STR("a value");
    agc_node_const_put(&b, v);
    return ag_str_of((const char *)b.p, b.n < 60 ? b.n : 60);
}

static void
report(struct agc_job *j, const struct suspect *s, bool is_witnessed, struct ag_str input, struct ag_str args)
{
    enum { SHOWN = 300 };
    struct ag_str name = s->group->name, v = value_text(&j->arena, s->x_clause),
                  w = value_text(&j->arena, s->y_clause);
    enum agc_diag_id id = !is_witnessed ? AGC_D_POSSIBLE_CONFLICT
                          : j->is_rego  ? AGC_D_CONFLICT_LEFT
                                        : AGC_D_RULE_CONFLICT;
    struct agc_diag *d;
    if (!is_witnessed)
        d = agc_diag(&j->diags, id, s->y_clause->span, "%.*s may get two values: %.*s here, %.*s there",
                     (int)name.n, name.p, (int)w.n, w.p, (int)v.n, v.p);
    else if (s->group->kind == AGC_GROUP_FUNCTION)
        d = agc_diag(&j->diags, id, s->y_clause->span,
                     "%.*s(%.*s) is %.*s here and %.*s there, for the input %.*s", (int)name.n, name.p,
                     (int)(args.n < SHOWN ? args.n : SHOWN), args.p, (int)w.n, w.p, (int)v.n, v.p,
                     (int)(input.n < SHOWN ? input.n : SHOWN), input.p);
    else
        d = agc_diag(&j->diags, id, s->y_clause->span, "%.*s is %.*s here and %.*s there, for the input %.*s",
                     (int)name.n, name.p, (int)w.n, w.p, (int)v.n, v.p,
                     (int)(input.n < SHOWN ? input.n : SHOWN), input.p);
    agc_diag_second(&j->diags, d, s->x_clause->span, "the other definition");
    agc_diag_fix(&j->diags, d, "make the conditions exclude each other, or join the definitions with else");
}

static void
judge(struct agc_job *j, struct agc_probe *p, const struct suspect *s)
{
    struct ag_str input = AG_STR("{}"), args = AG_STR("");
    for (uint32_t attempt = 0; p && attempt < AGC_WITNESS_TRIES; attempt++) {
        agc_witness_guess(&j->arena, &j->program, s->x, s->y, s->group->nargs, attempt, &input, &args);
        if (agc_probe_run(p, s->probe, input, args) == AGC_PROBE_CONFLICT) {
            report(j, s, true, input, args);
            return;
        }
    }
    report(j, s, false, input, args);
}

void
agc_conflicts(struct agc_job *j)
{
    struct finder f = {.arena = &j->arena};
    for (uint32_t i = 0; i < j->program.ngroups; i++) {
        const struct agc_group *g = j->program.groups[i];
        bool has_value = g->kind == AGC_GROUP_COMPLETE || g->kind == AGC_GROUP_FUNCTION;
        if (has_value && g->ndefs > 1 && !is_uniform(g))
            suspect_group(j, &f, g);
    }
    if (!f.n)
        return;
    struct agc_probe *p = agc_probe_open(j, f.group, f.ngroups);
    for (uint32_t i = 0; i < f.n; i++)
        judge(j, p, &f.v[i]);
    agc_probe_close(p);
}
