// SPDX-License-Identifier: Apache-2.0
// Scopes of variables. An undeclared name belongs to the outermost body that uses it outside of
// comprehensions; in bodies beside each other it is a different variable. In: names. Out: locals.
// Memory: the compile arena. Next file to read: names.c.
#include "scope.h"

#include "safety.h"

void
agc_scope_push(struct agc_names *r, struct agc_scope *s)
{
    *s = (struct agc_scope){.parent = r->scope};
    r->scope = s;
}

void
agc_scope_pop(struct agc_names *r)
{
    r->scope = r->scope->parent;
}

static bool
opens_scope(const struct agc_node *n)
{
    return n->kind == AGC_ARRAY_COMP || n->kind == AGC_SET_COMP || n->kind == AGC_OBJECT_COMP;
}

static void
each_var(struct agc_names *r, const struct agc_node *n, struct agc_namemap *into, uint32_t first)
{
    if (n->kind == AGC_VAR && !ag_str_is(n->text, "_"))
        agc_namemap_put(r->b->a, into, n->text, first);
    if (opens_scope(n))
        return;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        each_var(r, n->kid[i], into, first);
}

void
agc_scope_hide(struct agc_names *r, struct agc_scope *s, const struct agc_node *pattern)
{
    each_var(r, pattern, &s->hides, 1);
}

// Names that literals declare, those in bodies of `every` and `not` included.
static void
declared(struct agc_names *r, const struct agc_node *n, struct agc_namemap *into, bool is_deep)
{
    switch ((int)n->kind) {
    case AGC_WITH: declared(r, n->kid[0], into, is_deep); break;
    case AGC_ASSIGN: each_var(r, n->kid[0], into, 1); break;
    case AGC_SOME:
        for (uint32_t i = 0; i < n->n; i++)
            each_var(r, n->kid[i], into, 1);
        break;
    case AGC_SOME_IN:
        for (uint32_t i = 0; i + 1 < n->n; i++)
            each_var(r, n->kid[i], into, 1);
        break;
    case AGC_NOT:
    case AGC_EVERY:
        if (is_deep)
            declared(r, n->kid[n->n - 1], into, true);
        break;
    case AGC_QUERY:
        for (uint32_t i = 0; i < n->n; i++)
            declared(r, n->kid[i], into, is_deep);
        break;
    }
}

// Names of a body outside of comprehensions and nested bodies.
static void
own_names(struct agc_names *r, const struct agc_node *n, struct agc_namemap *into)
{
    if (n->kind == AGC_VAR && !ag_str_is(n->text, "_"))
        agc_namemap_put(r->b->a, into, n->text, AG_NONE);
    if (opens_scope(n))
        return;
    if (n->kind == AGC_EVERY) {
        own_names(r, n->kid[n->n - 2], into);
        return;
    }
    if (agc_is_not_body(n))
        return;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        own_names(r, n->kid[i], into);
}

// A name that the body declares is not undeclared: value 0 marks it as no member.
#define NOT_OWN       0u
#define OWN_OF(local) ((local) + 1u)

void
agc_scope_read(struct agc_names *r, struct agc_scope *s, const struct agc_node *body)
{
    struct agc_namemap here = {0};
    if (!body)
        return;
    declared(r, body, &s->hides, true);
    declared(r, body, &here, false);
    for (uint32_t i = 0; i < here.cap; i++)
        if (here.slot[i].name.p)
            agc_namemap_put(r->b->a, &s->own, here.slot[i].name, NOT_OWN);
    own_names(r, body, &s->own);
}

void
agc_scope_own(struct agc_names *r, struct agc_scope *s, const struct agc_node *term)
{
    own_names(r, term, &s->own);
}

bool
agc_scope_hidden(const struct agc_names *r, struct ag_str name)
{
    for (const struct agc_scope *s = r->scope; s; s = s->parent)
        if (agc_namemap_find(&s->hides, name))
            return true;
    return false;
}

static struct agc_entry *
entry_of(const struct agc_scope *s, struct ag_str name)
{
    const uint32_t *at = agc_namemap_find(&s->index, name);
    return at ? &s->entry[*at] : NULL;
}

static struct agc_entry *
add_entry(struct agc_names *r, const struct agc_node *var, uint32_t local, enum agc_occurrence how)
{
    struct agc_scope *s = r->scope;
    s->entry = agc_grow(r->b->a, s->entry, s->n, &s->cap, sizeof *s->entry);
    *agc_namemap_put(r->b->a, &s->index, var->text, s->n) = s->n;
    s->entry[s->n] = (struct agc_entry){var->text, var->span, local, 0, how};
    return &s->entry[s->n++];
}

static struct agc_entry *
find(const struct agc_names *r, struct ag_str name)
{
    for (const struct agc_scope *s = r->scope; s; s = s->parent) {
        struct agc_entry *e = entry_of(s, name);
        if (e)
            return e;
    }
    return NULL;
}

bool
agc_scope_declared(const struct agc_names *r, struct ag_str name)
{
    const struct agc_entry *e = find(r, name);
    return e && e->how != AGC_SEEN;
}

uint32_t
agc_scope_local(struct agc_names *r, struct agc_node *var)
{
    if (ag_str_is(var->text, "_"))
        return agc_local_generated(r->b->a, r->def, var->span);
    struct agc_entry *e = find(r, var->text);
    if (e) {
        e->nuses++;
        return e->local;
    }
    uint32_t *own = NULL;
    for (struct agc_scope *s = r->scope; s; s = s->parent) {
        uint32_t *at = agc_namemap_find(&s->own, var->text);
        if (at && *at != NOT_OWN)
            own = at;
    }
    uint32_t local;
    if (own && *own != AG_NONE) {
        local = *own - 1;
    } else {
        local = agc_local_new(r->b->a, r->def, var->text, var->span);
        if (own)
            *own = OWN_OF(local);
    }
    add_entry(r, var, local, AGC_SEEN);
    return local;
}

void
agc_scope_declare(struct agc_names *r, struct agc_node *var, enum agc_occurrence how)
{
    static const char *const before[] = {[AGC_SEEN] = "is used above its declaration",
                                         [AGC_ASSIGNED] = "is already assigned here",
                                         [AGC_SOME_DECLARED] = "is already declared here",
                                         [AGC_SOME_IN_DECLARED] = "is already declared here",
                                         [AGC_ARGUMENT] = "is an argument and cannot be declared again"};
    if (ag_str_is(var->text, "_")) {
        var->symbol = agc_local_generated(r->b->a, r->def, var->span);
        return;
    }
    int shown = (int)(var->text.n < 100 ? var->text.n : 100);
    if (ag_str_is(var->text, "input") || ag_str_is(var->text, "data")) {
        struct agc_diag *d = agc_diag(r->b->diags, AGC_D_SHADOWS_ROOT, var->span,
                                      "%.*s cannot be the name of a variable", shown, var->text.p);
        agc_diag_fix(r->b->diags, d, "choose another name");
        return;
    }
    const struct agc_entry *e = entry_of(r->scope, var->text);
    if (e) {
        struct agc_diag *d = agc_diag(r->b->diags, e->how == AGC_SEEN ? AGC_D_USED_BEFORE : AGC_D_REDECLARED,
                                      var->span, "%.*s %s", shown, var->text.p, before[e->how]);
        agc_diag_second(r->b->diags, d, e->span, e->how == AGC_SEEN ? "used here" : "first declared here");
        if (how == AGC_ASSIGNED && e->how == AGC_SEEN)
            agc_diag_fix(r->b->diags, d, "move the assignment above, or write = to compare or bind");
        else if (how == AGC_ASSIGNED)
            agc_diag_fix(r->b->diags, d, "write = to compare, or choose another name");
        var->symbol = e->local;
        return;
    }
    var->symbol = agc_local_new(r->b->a, r->def, var->text, var->span);
    add_entry(r, var, var->symbol, how);
}

// Modules that another compiler rewrote hold such names.
static bool
is_generated(struct ag_str name)
{
    return name.n >= 7 && memcmp(name.p, "__local", 7) == 0;
}

void
agc_scope_unused(struct agc_names *r, const struct agc_scope *s)
{
    struct agc_diags *diags = r->b->diags;
    if (agc_diags_failed(diags))
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct agc_entry *e = &s->entry[i];
        int shown = (int)(e->name.n < 100 ? e->name.n : 100);
        if (e->nuses || e->how == AGC_SEEN || e->how == AGC_SOME_IN_DECLARED || is_generated(e->name))
            continue;
        struct agc_diag *d =
            e->how == AGC_SOME_DECLARED
                ? agc_diag(diags, AGC_D_UNUSED_DECLARED, e->span, "%.*s is declared and never used", shown,
                           e->name.p)
                : agc_diag(diags, AGC_D_UNUSED_LOCAL, e->span, "%.*s is never used", shown, e->name.p);
        agc_diag_fix(diags, d, e->how == AGC_SOME_DECLARED ? "remove it, or write _" : "write _");
    }
}
