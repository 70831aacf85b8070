// SPDX-License-Identifier: Apache-2.0
// Conflicts. First every pair of clauses that can give different values is compared by its facts; pairs that
// are not proved apart are suspects. Then suspects get guesses: an input on which the machine reports two
// values is a witness. In: a program, checked and in order. Out: diagnostics `rule-conflict` and
// `possible-conflict`. Memory: the compile arena. Next file to read: facts.c, witness.c, probe.c.
#include "conflict.h"

#include "probe.h"
#include "type.h"
#include "witness.h"

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

static void
suspect_group(struct finder *f, const struct agc_group *g)
{
    uint32_t n = 0, found = 0, pairs = 0;
    for (uint32_t i = 0; i < g->ndefs; i++)
        for (const struct agc_def *d = g->defs[i]; d; d = d->otherwise)
            n++;
    struct clause *c = agc_alloc(f->arena, n * sizeof *c);
    n = 0;
    for (uint32_t i = 0; i < g->ndefs; i++)
        for (const struct agc_def *d = g->defs[i]; d; d = d->otherwise, n++) {
            c[n].def = g->defs[i];
            c[n].clause = d;
            agc_facts_read(f->arena, g->defs[i], d, &c[n].facts);
        }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = i + 1; k < n && found < AGC_CONFLICT_SHOWN_MAX; k++) {
            if (c[i].def == c[k].def || pairs++ >= AGC_CONFLICT_PAIRS_MAX || gives_same(&c[i], &c[k]) ||
                agc_facts_exclude(&c[i].facts, &c[k].facts))
                continue;
            f->v = agc_grow(f->arena, f->v, f->n, &f->cap, sizeof *f->v);
            f->v[f->n++] =
                (struct suspect){g, f->ngroups, c[i].clause, c[k].clause, &c[i].facts, &c[k].facts};
            found++;
        }
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
        return AG_STR("another value");
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
            suspect_group(&f, g);
    }
    if (!f.n)
        return;
    struct agc_probe *p = agc_probe_open(j, f.group, f.ngroups);
    for (uint32_t i = 0; i < f.n; i++)
        judge(j, p, &f.v[i]);
    agc_probe_close(p);
}
