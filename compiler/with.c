// SPDX-License-Identifier: Apache-2.0
// `with`: what may be replaced by what. In: WITH nodes whose literal was resolved. Out: targets and values
// decided: documents are references, functions have `symbol` or `group` as a CALL has.
// Memory: the compile arena. Next file to read: safety.c.
#include "names.h"

#include "resolve.h"

static uint32_t
arity(const struct agc_callee *c)
{
    return c->group ? c->group->nargs : agc_builtin_at(c->ix)->nargs;
}

static bool
is_callable(const struct agc_callee *c)
{
    return c->group || c->ix != AG_NONE;
}

// A name of one word becomes a REF of one: a VAR is a variable.
static void
mark(struct agc_names *r, struct agc_node *n, const struct agc_callee *c)
{
    if (n->kind == AGC_VAR) {
        struct agc_node *name = agc_node_new(r->b->a, AGC_VAR, n->span, n->text, 0);
        struct agc_node *ref = agc_node_new(r->b->a, AGC_REF, n->span, (struct ag_str){0}, 1);
        ref->kid[0] = name;
        ref->depth = 2;
        *n = *ref;
    }
    n->symbol = c->group ? AG_NONE : c->ix;
    n->group = c->group;
}

static bool
is_name(const struct agc_node *n)
{
    return n->kind == AGC_VAR || (n->kind == AGC_REF && n->kid[0]->kind == AGC_VAR);
}

static const struct agc_node *
root_of(const struct agc_node *n)
{
    return n->kind == AGC_REF ? n->kid[0] : n;
}

// A built-in may be replaced unless it is a part of the language.
static void
check_builtin(struct agc_names *r, const struct agc_node *target, const struct agc_callee *c)
{
    struct agc_diag *d = NULL;
    if (ag_str_is(c->name, "walk"))
        d = agc_diag(r->b->diags, AGC_D_BAD_WITH, target->span,
                     "walk cannot be replaced: it gives many results");
    else if (c->name.n > 9 && memcmp(c->name.p, "internal.", 9) == 0)
        d = agc_diag(r->b->diags, AGC_D_BAD_WITH, target->span, "%.*s cannot be replaced: it is an operator",
                     agc_shown(c->name), c->name.p);
    if (d)
        agc_diag_fix(r->b->diags, d, "replace a function that calls it");
}

// A function is replaced by a function of as many arguments, or by a value.
static void
function_value(struct agc_names *r, struct agc_node *value, const struct agc_callee *target)
{
    struct agc_callee v = {.ix = AG_NONE};
    if (is_name(value) && !agc_scope_declared(r, root_of(value)->text))
        v = agc_names_callee(r, value);
    if (!is_callable(&v)) {
        if (!v.is_data && !(v.name.p && agc_names_refused(r, value, &v)))
            agc_names_term(r, value);
        return;
    }
    mark(r, value, &v);
    if (arity(&v) != arity(target)) {
        agc_diag(r->b->diags, AGC_D_BAD_WITH, value->span, "%.*s takes %u argument%s, %.*s takes %u",
                 agc_shown(v.name), v.name.p, arity(&v), arity(&v) == 1 ? "" : "s", agc_shown(target->name),
                 target->name.p, arity(target));
    }
}

// A path inside of what a rule computes cannot be replaced, only the whole of it or what lies above.
static void
check_document(struct agc_names *r, const struct agc_node *target)
{
    uint32_t rest;
    if (target->kind != AGC_REF)
        return;
    for (uint32_t i = 1; i < target->n; i++)
        if (root_of(target)->symbol == AGC_SYM_DATA ? target->kid[i]->kind != AGC_STRING
                                                    : target->kid[i]->kind > AGC_STRING) {
            agc_diag(r->b->diags, AGC_D_BAD_WITH, target->kid[i]->span,
                     "the steps of a replaced document are constants");
            return;
        }
    if (root_of(target)->symbol != AGC_SYM_DATA)
        return;
    const struct agc_tree *t = agc_tree_walk(r->b->p->root, target, &rest);
    if (!t || !t->group || rest == target->n)
        return;
    struct agc_diag *d = agc_diag(r->b->diags, AGC_D_BAD_WITH, target->span,
                                  "only the whole of %.*s can be replaced: rules compute it",
                                  agc_shown(t->group->name), t->group->name.p);
    agc_diag_fix(r->b->diags, d, "replace %.*s", agc_shown(t->group->name), t->group->name.p);
}

static void
document_value(struct agc_names *r, struct agc_node *value)
{
    agc_names_term(r, value);
    if (value->kind != AGC_REF || root_of(value)->symbol != AGC_SYM_DATA)
        return;
    uint32_t rest;
    const struct agc_tree *t = agc_tree_walk(r->b->p->root, value, &rest);
    if (t && t->group && t->group->kind == AGC_GROUP_FUNCTION)
        agc_diag(r->b->diags, AGC_D_BAD_WITH, value->span, "a document cannot be replaced by a function");
}

static void
resolve_pair(struct agc_names *r, struct agc_node *target, struct agc_node *value)
{
    struct agc_callee c = {.ix = AG_NONE};
    if (is_name(target) && !agc_scope_declared(r, root_of(target)->text))
        c = agc_names_callee(r, target);
    if (is_callable(&c)) {
        mark(r, target, &c);
        if (!c.group)
            check_builtin(r, target, &c);
        function_value(r, value, &c);
        return;
    }
    if (!c.is_data) {
        struct agc_diag *d = agc_diag(r->b->diags, AGC_D_BAD_WITH, target->span,
                                      "with replaces input, data, parts of both, or a function");
        agc_diag_fix(r->b->diags, d, "name one of them");
        return;
    }
    check_document(r, target);
    document_value(r, value);
}

void
agc_names_with(struct agc_names *r, struct agc_node *with)
{
    for (uint32_t i = 1; i + 1 < with->n; i += 2)
        resolve_pair(r, with->kid[i], with->kid[i + 1]);
}
