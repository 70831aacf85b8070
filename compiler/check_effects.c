// SPDX-License-Identifier: Apache-2.0
// Constant parts of elements of data.aegis.effects and data.aegis.decisions, and limits named in calls of
// aegis.*.peek. In: definitions. Out: diagnostics at the constants. Memory: nothing of its own. What is
// computed is refused when it is run (vm/effects.c, vm/outcome.c). Next file to read: lower_rego.c.
#include "check_effects.h"

#include "builtins/builtins.h"
#include "machine.h"

#define AGC_LIMITS_SHOWN 64u // names compared for the nearest spelling

struct check {
    struct agc_diags *diags;
    const struct agc_policy *policy;
    bool knows_limits;
};

static int
shown(struct ag_str s)
{
    return (int)(s.n < AG_WORD_SHOWN_MAX ? s.n : AG_WORD_SHOWN_MAX);
}

// The value of a constant key, NULL when the object has none.
static const struct agc_node *
member(const struct agc_node *object, const char *key)
{
    for (uint32_t i = 0; i + 1 < object->n; i += 2)
        if (object->kid[i]->kind == AGC_STRING && ag_str_is(object->kid[i]->text, key))
            return object->kid[i + 1];
    return NULL;
}

// Whether every key is a constant string of the list; an unknown one is reported.
static bool
keys_known(struct check *c, const struct agc_node *object, const char *const *words, size_t n)
{
    for (uint32_t i = 0; i + 1 < object->n; i += 2) {
        const struct agc_node *key = object->kid[i];
        bool is_known = key->kind != AGC_STRING;
        for (size_t k = 0; k < n && !is_known; k++)
            is_known = ag_str_is(key->text, words[k]);
        if (is_known)
            continue;
        struct agc_diag *d = agc_diag(c->diags, AGC_D_BAD_EFFECT, key->span,
                                      "an element has no member \"%.*s\"", shown(key->text), key->text.p);
        const char *near = agc_nearest(key->text, words, n);
        if (near)
            agc_diag_fix(c->diags, d, "write %s", near);
        return false;
    }
    return true;
}

static const struct agc_limit *
find_limit(struct check *c, const struct agc_node *name)
{
    const char *words[AGC_LIMITS_SHOWN];
    size_t n = 0;
    for (uint32_t i = 0; i < c->policy->nlimits; i++) {
        const struct agc_limit *l = &c->policy->limits[i];
        if (ag_str_eq(l->name.text, name->text))
            return l;
        if (n < AGC_LIMITS_SHOWN)
            words[n++] = l->name.text.p;
    }
    if (!c->knows_limits)
        return NULL;
    struct agc_diag *d = agc_diag(c->diags, AGC_D_UNKNOWN_LIMIT, name->span,
                                  "limits: does not declare \"%.*s\"", shown(name->text), name->text.p);
    const char *near = agc_nearest(name->text, words, n);
    if (near)
        agc_diag_fix(c->diags, d, "write %s", near);
    else
        agc_diag_fix(c->diags, d, "declare it under limits: of the policy file, with charge: effects");
    return NULL;
}

// --- effects
static const char *const charging[] = {"rate.take", "quota.take", "budget.reserve"};
static const struct {
    const char *op, *why;
} absent[] = {{"lock.take", "the shared state keeps no locks"},
              {"lock.release", "the shared state keeps no locks"},
              {"token.use", "the shared state keeps no tokens"},
              {"history.add", "the shared state keeps no histories"},
              {"agent.contain", "no decision reads containment yet"}};

static bool
is_charge(struct ag_str op)
{
    for (size_t i = 0; i < sizeof charging / sizeof charging[0]; i++)
        if (ag_str_is(op, charging[i]))
            return true;
    return false;
}

static void
check_op(struct check *c, const struct agc_node *op)
{
    const char *words[] = {charging[0], charging[1], charging[2], "audit.note"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        if (ag_str_is(op->text, absent[i].op)) {
            agc_diag(c->diags, AGC_D_NOT_AVAILABLE, op->span, "%s is not available: %s", absent[i].op,
                     absent[i].why);
            return;
        }
    struct agc_diag *d = agc_diag(c->diags, AGC_D_BAD_EFFECT, op->span, "\"%.*s\" is no operation",
                                  shown(op->text), op->text.p);
    const char *near = agc_nearest(op->text, words, sizeof words / sizeof words[0]);
    if (near)
        agc_diag_fix(c->diags, d, "write %s", near);
}

static void
check_charge(struct check *c, const struct agc_node *object, const struct agc_node *op)
{
    const struct agc_node *name = member(object, "limit"), *key = member(object, "key");
    const struct agc_limit *l = name && name->kind == AGC_STRING ? find_limit(c, name) : NULL;
    if (!l)
        return;
    const char *wanted = ag_effect_op_of((enum ag_limit_kind)l->spec.kind);
    if (!ag_str_is(op->text, wanted)) {
        struct agc_diag *d =
            agc_diag(c->diags, AGC_D_BAD_EFFECT, op->span, "\"%.*s\" does not charge limit \"%.*s\"",
                     shown(op->text), op->text.p, shown(name->text), name->text.p);
        agc_diag_fix(c->diags, d, "write %s", wanted);
        agc_diag_second(c->diags, d, l->span, "the limit");
    } else if (key && key->kind == AGC_ARRAY && key->n != l->nkeys)
        agc_diag(c->diags, AGC_D_BAD_EFFECT, key->span,
                 "limit \"%.*s\" has a key of %u value%s, here stand %u", shown(name->text), name->text.p,
                 l->nkeys, l->nkeys == 1 ? "" : "s", key->n);
}

static void
check_effect(struct check *c, const struct agc_node *object)
{
    static const char *const keys[] = {"op", "limit", "key", "n", "text"};
    const struct agc_node *op = member(object, "op");
    if (!keys_known(c, object, keys, sizeof keys / sizeof keys[0]) || !op || op->kind != AGC_STRING)
        return;
    if (is_charge(op->text))
        check_charge(c, object, op);
    else if (!ag_str_is(op->text, "audit.note"))
        check_op(c, op);
}

// --- decisions
static void
check_decision(struct check *c, const struct agc_node *object)
{
    static const char *const keys[] = {"decision", "rule", "reason", "risk_level", "message", "gates"};
    static const char *const decisions[] = {"allow", "monitor", "throttle", "escalate", "deny", "kill"};
    static const char *const levels[] = {"low", "medium", "high", "critical"};
    const struct {
        const char *key;
        const char *const *words;
        size_t n;
    } closed[] = {{"decision", decisions, 6}, {"risk_level", levels, 4}};
    if (!keys_known(c, object, keys, sizeof keys / sizeof keys[0]))
        return;
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        const struct agc_node *v = member(object, closed[i].key);
        bool is_word = !v || v->kind != AGC_STRING;
        for (size_t k = 0; k < closed[i].n && !is_word; k++)
            is_word = ag_str_is(v->text, closed[i].words[k]);
        if (is_word)
            continue;
        struct agc_diag *d = agc_diag(c->diags, AGC_D_BAD_EFFECT, v->span, "\"%.*s\" is no %s",
                                      shown(v->text), v->text.p, closed[i].key);
        const char *near = agc_nearest(v->text, closed[i].words, closed[i].n);
        if (near)
            agc_diag_fix(c->diags, d, "write %s", near);
    }
}

// --- definitions
static void
check_set(struct check *c, const struct agc_program *p, const char *name,
          void (*element)(struct check *c, const struct agc_node *object))
{
    const struct ag_str path[2] = {AG_STR("aegis"), ag_str_z(name)};
    const struct agc_tree *t = agc_tree_find(p->root, path, 2);
    const struct agc_group *g = t ? t->group : NULL;
    if (!g)
        return;
    if (g->kind != AGC_GROUP_SET) {
        const struct agc_def *first = g->ndefs ? g->defs[0] : g->fallback;
        struct agc_diag *d =
            agc_diag(c->diags, AGC_D_BAD_EFFECT, first->head_span, "data.aegis.%s is a partial set", name);
        agc_diag_fix(c->diags, d, "write %s contains {...} if ...", name);
        return;
    }
    for (uint32_t i = 0; i < g->ndefs; i++)
        if (g->defs[i]->value && g->defs[i]->value->kind == AGC_OBJECT)
            element(c, g->defs[i]->value);
}

// Limits named in calls.
static void
walk(struct check *c, const struct agc_node *n)
{
    bool is_call = n->kind == AGC_CALL && !n->group && n->n > 1 && n->kid[1]->kind == AGC_STRING;
    if (is_call &&
        (n->symbol == AG_BI_RATE_PEEK || n->symbol == AG_BI_QUOTA_PEEK || n->symbol == AG_BI_BUDGET_PEEK))
        find_limit(c, n->kid[1]);
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        walk(c, n->kid[i]);
}

bool
agc_check_effects(struct agc_diags *diags, const struct agc_program *p, bool knows_limits)
{
    struct check c = {diags, p->policy, knows_limits};
    uint32_t errors = diags->nerrors;
    check_set(&c, p, "effects", check_effect);
    check_set(&c, p, "decisions", check_decision);
    for (uint32_t i = 0; i < p->ndefs; i++)
        for (const struct agc_def *d = p->defs[i]; d; d = d->otherwise) {
            if (d->value)
                walk(&c, d->value);
            if (d->body)
                walk(&c, d->body);
        }
    return diags->nerrors == errors;
}
