// SPDX-License-Identifier: Apache-2.0
// Step 5, types. In: a resolved tree. Out: the kinds each node can have, from the leaves up; errors where a
// place needs other kinds, warnings for conditions that do not depend on the input. Memory: the tree. Next
// file to read: lower.c.
#include "check.h"

#include "builtins/builtins.h"
#include "eval.h"
#include "pattern_check.h"
#include "resolve.h"
#include "type.h"

#include <stdio.h>

#define NUMBER AGC_T(AG_NUMBER)
#define SET    AGC_T(AG_SET)
#define BOOL   AGC_T(AG_BOOL)

struct check {
    struct agc_diags *diags;
    const struct agc_type *input; // NULL: any value
};

// Reports when n cannot be of the wanted kinds.
static void
need(const struct check *d, const struct agc_node *n, uint32_t want, const char *what)
{
    char have_text[100], want_text[100];
    if (n->types & want)
        return;
    agc_diag(d->diags, AGC_D_TYPE_ERROR, n->span, "%s must be %s, this is %s", what,
             agc_type_text(want, want_text, sizeof want_text),
             agc_type_text(n->types, have_text, sizeof have_text));
}

static uint32_t
check_call(const struct check *d, const struct agc_node *n)
{
    const struct agc_builtin *b = agc_builtin_at(n->symbol);
    char what[120];
    if (!b)
        return AGC_T_ANY; // unknown: reported
    if (n->n - 1 != b->nargs) {
        agc_diag(d->diags, AGC_D_WRONG_ARITY, n->span, "%s takes %u argument%s, %u given", b->name, b->nargs,
                 b->nargs == 1 ? "" : "s", n->n - 1);
        return b->result;
    }
    for (uint32_t i = 0; i < b->nargs; i++) {
        snprintf(what, sizeof what, "argument %u of %s", i + 1, b->name);
        need(d, n->kid[i + 1], b->arg[i], what);
    }
    if (n->symbol == AG_BI_REGEX_MATCH && n->kid[1]->kind == AGC_STRING)
        agc_regex_ok(d->diags, n->kid[1]->text, n->kid[1]->span);
    return b->result;
}

static uint32_t
check_binary(const struct check *d, const struct agc_node *n)
{
    const struct agc_node *l = n->kid[0], *r = n->kid[1];
    char what[40], left[100], right[100];
    snprintf(what, sizeof what, "an operand of %.*s", (int)n->text.n, n->text.p);
    char op = n->text.n == 1 ? n->text.p[0] : '\0';
    if (op == '+' || op == '*' || op == '/' || op == '%') {
        need(d, l, NUMBER, what);
        need(d, r, NUMBER, what);
        return NUMBER;
    }
    if (op == '-') {
        need(d, l, NUMBER | SET, what);
        need(d, r, NUMBER | SET, what);
        bool both = (l->types & (NUMBER | SET)) && (r->types & (NUMBER | SET));
        if (both && !(l->types & r->types & (NUMBER | SET)))
            agc_diag(d->diags, AGC_D_TYPE_ERROR, n->span, "a number and a set cannot be subtracted");
        return (l->types & r->types & (NUMBER | SET)) ? (l->types & r->types & (NUMBER | SET)) : NUMBER | SET;
    }
    if (op == '&' || op == '|') {
        need(d, l, SET, what);
        need(d, r, SET, what);
        return SET;
    }
    if (ag_str_is(n->text, "in"))
        need(d, r, AGC_T_COLLECTION, "the right side of in");
    else if (ag_str_is(n->text, "==") && !(l->types & r->types))
        agc_diag(d->diags, AGC_D_TYPE_ERROR, n->span, "%s is never equal to %s",
                 agc_type_text(l->types, left, sizeof left), agc_type_text(r->types, right, sizeof right));
    return BOOL;
}

static uint32_t check_node(const struct check *d, struct agc_node *n);

static void
no_element(const struct check *d, const struct agc_type *t, const struct agc_node *step)
{
    char have[200];
    struct agc_diag *diag = agc_diag(d->diags, AGC_D_TYPE_ERROR, step->span, "%s has no such element",
                                     agc_type_name(t, have, sizeof have));
    const char *near = step->kind == AGC_STRING ? agc_type_nearest(d->diags->arena, t, step->text) : NULL;
    if (near)
        agc_diag_fix(d->diags, diag, "write %s", near);
}

static uint32_t
check_ref(const struct check *d, const struct agc_node *n)
{
    const struct agc_node *head = n->kid[0];
    need(d, head, AGC_T_COLLECTION, "what is looked into");
    const struct agc_type *t = head->kind == AGC_VAR ? d->input : NULL;
    for (uint32_t i = 1; t && i < n->n; i++) {
        const struct agc_node *step = n->kid[i];
        const struct agc_type *next = step->kind <= AGC_STRING ? agc_type_select(d->diags->arena, t, step)
                                                               : agc_type_values(d->diags->arena, t);
        if (!next) {
            no_element(d, t, step);
            return AGC_T_ANY;
        }
        t = next;
    }
    return t ? agc_type_kinds(t) : AGC_T_ANY;
}

static uint32_t
type_of(const struct check *d, const struct agc_node *n)
{
    switch (n->kind) {
    case AGC_NULL_LIT: return AGC_T(AG_NULL);
    case AGC_TRUE_LIT:
    case AGC_FALSE_LIT: return BOOL;
    case AGC_NUMBER: return NUMBER;
    case AGC_STRING: return AGC_T(AG_STRING);
    case AGC_ARRAY: return AGC_T(AG_ARRAY);
    case AGC_OBJECT: return AGC_T(AG_OBJECT);
    case AGC_SET: return SET;
    case AGC_REF: return check_ref(d, n);
    case AGC_CALL: return check_call(d, n);
    case AGC_BINARY: return check_binary(d, n);
    case AGC_NEGATE: need(d, n->kid[0], NUMBER, "the operand of -"); return NUMBER;
    case AGC_MEMBER2: need(d, n->kid[2], AGC_T_COLLECTION, "the right side of in"); return BOOL;
    case AGC_PARAM_GT:
    case AGC_PARAM_LT:
    case AGC_PARAM_GTE:
    case AGC_PARAM_LTE: need(d, n->kid[0], NUMBER | AGC_T(AG_STRING), agc_node_name(n->kind)); return BOOL;
    case AGC_VAR: return d->input ? agc_type_kinds(d->input) : AGC_T_ANY;
    default: return BOOL;
    }
}

static uint32_t
check_node(const struct check *d, struct agc_node *n)
{
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        check_node(d, n->kid[i]);
    n->types = type_of(d, n);
    return n->types;
}

// Whether the value may differ from one decision to the next: it reads the input or the clock.
static bool
is_variable(const struct agc_node *n)
{
    if (n->kind == AGC_CALL) {
        const struct agc_builtin *b = agc_builtin_at(n->symbol);
        if (!b || !b->is_pure) // an unknown function has its own error
            return true;
    }
    if (n->kind == AGC_VAR || n->kind == AGC_WINDOW ||
        (n->kind >= AGC_PARAM_EQ && n->kind <= AGC_PARAM_MATCHES))
        return true;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        if (is_variable(n->kid[i]))
            return true;
    return false;
}

// Whether each action that limit a counts is counted by b too.
static bool
is_within(const struct agc_limit *a, const struct agc_limit *b)
{
    for (unsigned i = 0; i < AG_ATTRS; i++) {
        struct ag_str wide = b->match[i].text, narrow = a->match[i].text;
        if (wide.p && !ag_str_is(wide, "*") && !(narrow.p && ag_str_eq(wide, narrow)))
            return false;
    }
    return true;
}

// A decision plans a bounded number of charges and is an error past it, so limits that no action could stay
// below would refuse all that they count.
static void
check_charges(struct agc_diags *d, const struct agc_policy *policy)
{
    for (uint32_t i = 0; i < policy->nlimits; i++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < policy->nlimits; k++)
            n += !policy->limits[k].is_by_effects && is_within(&policy->limits[i], &policy->limits[k]);
        if (n > AG_EFFECTS_MAX) {
            agc_diag(d, AGC_D_TOO_LARGE, policy->limits[i].span,
                     "%u limits count the actions of limit \"%.*s\", a decision can charge %u", n,
                     (int)policy->limits[i].name.text.n, policy->limits[i].name.text.p, AG_EFFECTS_MAX);
            return;
        }
    }
}

bool
agc_check(struct agc_diags *diags, struct agc_policy *policy)
{
    uint32_t errors = diags->nerrors;
    const struct check c = {diags, policy->input_type};
    for (uint32_t i = 0; i < policy->nrules; i++) {
        struct agc_node *body = policy->rules[i].body;
        for (uint32_t k = 0; body && k < body->n; k++) {
            uint32_t before = diags->nerrors;
            check_node(&c, body->kid[k]);
            // A bare `false` is how an empty window reads; it has its own warning.
            if (diags->nerrors == before && !is_variable(body->kid[k]) && body->kid[k]->kind != AGC_FALSE_LIT)
                agc_diag(diags, AGC_D_CONSTANT_CONDITION, body->kid[k]->span,
                         "the condition does not depend on the input");
        }
    }
    for (uint32_t i = 0; i < policy->nlimits; i++) {
        for (uint32_t k = 0; k < policy->limits[i].nkeys; k++)
            check_node(&c, policy->limits[i].key[k]);
        if (policy->limits[i].cost)
            check_node(&c, policy->limits[i].cost);
    }
    check_charges(diags, policy);
    return diags->nerrors == errors;
}

static void
print_node(FILE *f, const struct agc_sources *sources, const struct agc_node *n, int depth)
{
    char text[100];
    uint32_t line, column;
    agc_source_place(sources, n->span, &line, &column);
    fprintf(f, "%*s%u:%u %s", depth * 2, "", line, column, agc_node_name(n->kind));
    if (n->text.n)
        fprintf(f, " %.*s", (int)(n->text.n < 60 ? n->text.n : 60), n->text.p);
    fprintf(f, ": %s\n", agc_type_text(n->types, text, sizeof text));
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        print_node(f, sources, n->kid[i], depth + 1);
}

void
agc_types_print(const struct agc_policy *policy, const struct agc_sources *sources, void *file)
{
    FILE *f = file;
    for (uint32_t i = 0; i < policy->nrules; i++) {
        const struct agc_rule *r = &policy->rules[i];
        fprintf(f, "rule %.*s\n", (int)r->name.text.n, r->name.text.p);
        for (uint32_t k = 0; r->body && k < r->body->n; k++)
            print_node(f, sources, r->body->kid[k], 1);
    }
}
