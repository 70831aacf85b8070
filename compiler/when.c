// SPDX-License-Identifier: Apache-2.0
// What of `when:` goes the way of modules. The expressions of one rule share their variables, so as soon as
// one of them needs the program all of them go there; conditions stay. In and out: struct agc_policy.
// Memory: the compile arena. Next file to read: lower.c, which asks both parts in one condition.
#include "when.h"

static bool
is_condition(const struct agc_node *n)
{
    return n->kind >= AGC_PARAM_EQ && n->kind <= AGC_WINDOW;
}

// Names of zones are collected from programs alone.
static bool
is_zone_call(const struct agc_node *n)
{
    const struct agc_node *f = n->kind == AGC_CALL ? n->kid[0] : NULL;
    return f && f->kind == AGC_REF && f->n == 3 && ag_str_is(f->kid[0]->text, "aegis") &&
           ag_str_is(f->kid[1]->text, "time");
}

// Nesting is bounded by AGC_EXPR_DEPTH_MAX.
static bool
needs_program(const struct agc_node *n)
{
    switch (n->kind) {
    case AGC_ASSIGN:
    case AGC_UNIFY:
    case AGC_SOME:
    case AGC_SOME_IN:
    case AGC_EVERY:
    case AGC_WITH:
    case AGC_QUERY:
    case AGC_TEMPLATE:
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: return true;
    case AGC_CALL:
        if (is_zone_call(n))
            return true;
        break;
    case AGC_VAR: return ag_str_is(n->text, "data");
    case AGC_REF:
        for (uint32_t i = 1; i < n->n; i++)
            if (n->kid[i]->kind == AGC_VAR && !ag_str_is(n->kid[i]->text, "input"))
                return true;
        break;
    default: break;
    }
    for (uint32_t i = 0; i < n->n; i++)
        if (needs_program(n->kid[i]))
            return true;
    return false;
}

static bool
rule_needs_program(const struct agc_rule *r)
{
    for (uint32_t i = 0; r->body && i < r->body->n; i++)
        if (!is_condition(r->body->kid[i]) && needs_program(r->body->kid[i]))
            return true;
    return false;
}

// The literals of the body that are conditions, or those that are not; NULL: none.
static struct agc_node *
part(struct agc_job *j, const struct agc_node *body, bool conditions)
{
    uint32_t n = 0, at = 0;
    for (uint32_t i = 0; i < body->n; i++)
        n += is_condition(body->kid[i]) == conditions;
    if (!n)
        return NULL;
    struct agc_node *q = agc_node_new(&j->arena, AGC_QUERY, body->span, body->text, n);
    for (uint32_t i = 0; i < body->n; i++)
        if (is_condition(body->kid[i]) == conditions)
            q->kid[at++] = body->kid[i];
    q->span = (struct agc_span){q->kid[0]->span.source, q->kid[0]->span.begin, q->kid[n - 1]->span.end};
    return q;
}

// A cost is asked before the program runs; what needs the program is a matter of data.aegis.effects.
static void
check_costs(struct agc_job *j)
{
    for (uint32_t i = 0; i < j->policy.nlimits; i++) {
        const struct agc_node *cost = j->policy.limits[i].cost;
        if (!cost || !needs_program(cost))
            continue;
        struct agc_diag *d = agc_diag(&j->diags, AGC_D_NOT_AVAILABLE, cost->span,
                                      "cost is an expression over the input, without variables and data");
        agc_diag_fix(&j->diags, d, "set charge: effects and compute the amount in data.aegis.effects");
    }
}

bool
agc_when_split(struct agc_job *j)
{
    bool any = false;
    check_costs(j);
    for (uint32_t i = 0; i < j->policy.nrules; i++) {
        struct agc_rule *r = &j->policy.rules[i];
        if (!rule_needs_program(r))
            continue;
        r->when = part(j, r->body, false);
        r->body = part(j, r->body, true);
        any = true;
    }
    return any;
}

bool
agc_when_join(struct agc_job *j)
{
    bool ok = true;
    for (uint32_t i = 0; i < j->policy.nrules; i++) {
        struct agc_rule *r = &j->policy.rules[i];
        if (!r->when)
            continue;
        r->when_def = agc_program_query(&j->program, &j->diags, r->when, NULL, 0);
        ok = ok && r->when_def;
    }
    return ok;
}
