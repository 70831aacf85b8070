// SPDX-License-Identifier: Apache-2.0
// Rules: the value of a group of definitions, calls of functions and built-ins.
// In: groups and CALL nodes. Out: values; a group is computed once for each scope. Who owns memory: the
// evaluator's arena. Next file to read: ref_with.c.
#include "ref.h"
#include "builtins/builtins.h"

// --- solutions of one definition: of its body, or else of the next clause
struct clause_k {
    struct ref_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_def *clause;
    const struct late_args *late;
    struct ag_value *keys; // written before the value is asked for; NULL: the head has none
    bool is_found;
    struct ref_k *then;
};
struct clause_keys_k {
    struct ref_all_k k;
    struct clause_k *clause;
};
struct clause_value_k { // also once the late arguments fit
    struct ref_k k;
    struct clause_k *clause;
};

// Arguments of a function that are no patterns and use variables of the body: they are compared behind it.
struct late_args {
    uint32_t n;
    struct agc_node **pattern;
    struct ag_value *value;
};

static bool
clause_value(struct ref_k *k, struct ag_value v)
{
    struct clause_k *c = ((struct clause_value_k *)k)->clause;
    c->is_found = true;
    return c->then->go(c->then, v);
}

static bool
clause_keys(struct ref_all_k *k, const struct ag_value *key)
{
    struct clause_k *c = ((struct clause_keys_k *)k)->clause;
    struct clause_value_k value = {{clause_value}, c};
    if (c->keys)
        memcpy(c->keys, key, c->clause->nsuffix * sizeof *key);
    if (!c->clause->value)
        return clause_value(&value.k, ag_bool(true));
    return ref_term(c->r, c->e, c->clause->value, &value.k);
}

static bool
clause_fits(struct ref_k *k, struct ag_value v)
{
    struct clause_k *c = ((struct clause_value_k *)k)->clause;
    struct clause_keys_k keys = {{clause_keys}, c};
    (void)v;
    return ref_all(c->r, c->e, c->clause->suffix, c->keys ? c->clause->nsuffix : 0, &keys.k);
}

static bool
clause_body(struct ref_k *k, struct ag_value v)
{
    struct clause_k *c = (struct clause_k *)k;
    struct clause_value_k fits = {{clause_fits}, c};
    if (!c->late || c->late->n == 0)
        return clause_fits(&fits.k, v);
    return ref_unify(c->r, c->e, c->late->pattern, NULL, c->late->value, c->late->n, &fits.k);
}

static bool
clauses(struct ref *r, const struct ref_env *e, const struct agc_def *def, const struct late_args *late,
        struct ag_value *keys, struct ref_k *k)
{
    for (; def; def = def->otherwise) {
        struct clause_k c = {{clause_body}, r, e, def, late, keys, false, k};
        if (!ref_body(r, e, def->body, &c.k))
            return false;
        if (c.is_found)
            break;
    }
    return true;
}

static struct ref_frame *
new_frame(struct ref *r, const struct agc_def *def)
{
    struct ref_frame *f = ref_alloc(r, sizeof *f);
    f->def = def;
    f->local = ref_alloc(r, def->nlocals * sizeof *f->local);
    return f;
}

bool
ref_def_solutions(struct ref *r, const struct ref_scope *s, const struct agc_def *def, struct ref_k *k)
{
    const struct ref_env e = {s, new_frame(r, def)};
    return clauses(r, &e, def, NULL, NULL, k);
}

// --- one value for all solutions: complete rules and functions
struct once_k {
    struct ref_k k;
    struct ref *r;
    const struct agc_def *def;
    struct ag_value value;
};

static bool
once_go(struct ref_k *k, struct ag_value v)
{
    struct once_k *o = (struct once_k *)k;
    if (o->value.kind != AG_UNDEF && !ag_value_eq(&o->r->call.mem, o->value, v))
        return ref_halt(o->r, REF_CONFLICT, o->def->head_span, "%s",
                        o->def->kind == AGC_DEF_FUNCTION
                            ? "functions must not produce multiple outputs for same inputs"
                            : "complete rules must not produce multiple outputs");
    o->value = v;
    return true;
}

static struct ag_value
complete(struct ref *r, const struct ref_scope *s, const struct agc_group *g)
{
    struct once_k o = {{once_go}, r, NULL, ag_undef()};
    for (uint32_t i = 0; i < g->ndefs; i++) {
        o.def = g->defs[i];
        if (!ref_def_solutions(r, s, g->defs[i], &o.k))
            return ag_undef();
    }
    if (o.value.kind == AG_UNDEF && g->fallback) {
        o.def = g->fallback;
        ref_def_solutions(r, s, g->fallback, &o.k);
    }
    return o.value;
}

// --- partial sets
struct element_k {
    struct ref_k k;
    struct ref *r;
    struct ag_builder *b;
};

static bool
element_go(struct ref_k *k, struct ag_value v)
{
    struct element_k *s = (struct element_k *)k;
    return ag_builder_push(&s->r->call.mem, s->b, v) ||
           ref_halt(s->r, REF_LIMIT, (struct agc_span){0, 0, 0}, "memory is exhausted");
}

static struct ag_value
partial_set(struct ref *r, const struct ref_scope *s, const struct agc_group *g)
{
    struct element_k set = {{element_go}, r, ag_builder_new(&r->call.mem, AG_SET)};
    for (uint32_t i = 0; i < g->ndefs; i++)
        if (!ref_def_solutions(r, s, g->defs[i], &set.k))
            return ag_undef();
    return ref_close(r, set.b);
}

// --- partial objects and ref heads: one tree made of all definitions
struct doc {
    enum { DOC_OBJECT, DOC_VALUE, DOC_SET } what;
    struct ag_value key, value;
    struct ag_builder *set;
    struct doc *kids, *next;
};

struct put_k {
    struct ref_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_def *def;
    struct doc *root;
    struct ag_value *keys;
    const struct agc_def **conflict; // the first definition that wants a place that is taken
};

static struct doc *
doc_kid(struct ref *r, struct doc *d, struct ag_value key)
{
    for (struct doc *kid = d->kids; kid; kid = kid->next)
        if (ag_value_eq(&r->call.mem, kid->key, key))
            return kid;
    return NULL;
}

// A place that is taken is an error of the whole document, once all of it was computed.
static bool
doc_conflict(const struct put_k *put)
{
    if (!*put->conflict)
        *put->conflict = put->def;
    return true;
}

// Writes the last step of a path below d.
static bool
doc_put(const struct put_k *put, struct doc *d, struct ag_value key, struct ag_value v)
{
    struct ref *r = put->r;
    struct doc *kid = doc_kid(r, d, key);
    const bool is_set = put->def->kind == AGC_DEF_CONTAINS;
    if (!kid) {
        kid = ref_alloc(r, sizeof *kid);
        *kid = (struct doc){is_set ? DOC_SET : DOC_VALUE, key, v, NULL, NULL, d->kids};
        if (is_set)
            kid->set = ag_builder_new(&r->call.mem, AG_SET);
        d->kids = kid;
    } else if (kid->what != (is_set ? DOC_SET : DOC_VALUE)) {
        return doc_conflict(put);
    }
    if (is_set)
        return ag_builder_push(&r->call.mem, kid->set, v);
    return ag_value_eq(&r->call.mem, kid->value, v) || doc_conflict(put);
}

static bool
put_go(struct ref_k *k, struct ag_value v)
{
    const struct put_k *put = (struct put_k *)k;
    uint32_t last = put->def->nsuffix - 1;
    struct doc *d = put->root;
    if (put->def->nsuffix == 0)
        return ref_halt(put->r, REF_DEFECT, put->def->head_span, "an object's definition without a key");
    for (uint32_t i = 0; i < last; i++) {
        struct doc *kid = doc_kid(put->r, d, put->keys[i]);
        if (!kid) {
            kid = ref_alloc(put->r, sizeof *kid);
            *kid = (struct doc){DOC_OBJECT, put->keys[i], ag_undef(), NULL, NULL, d->kids};
            d->kids = kid;
        }
        if (kid->what != DOC_OBJECT)
            return doc_conflict(put);
        d = kid;
    }
    return doc_put(put, d, put->keys[last], v);
}

static struct ag_value
doc_value(struct ref *r, const struct doc *d)
{
    if (d->what == DOC_VALUE)
        return d->value;
    if (d->what == DOC_SET)
        return ref_close(r, d->set);
    struct ag_builder *b = ag_builder_new(&r->call.mem, AG_OBJECT);
    for (const struct doc *kid = d->kids; b && kid; kid = kid->next)
        if (!ag_builder_put(&r->call.mem, b, kid->key, doc_value(r, kid)))
            b = NULL;
    return ref_close(r, b);
}

static struct ag_value
partial_object(struct ref *r, const struct ref_scope *s, const struct agc_group *g)
{
    struct doc root = {.what = DOC_OBJECT};
    const struct agc_def *conflict = NULL;
    for (uint32_t i = 0; i < g->ndefs; i++) {
        const struct ref_env e = {s, new_frame(r, g->defs[i])};
        struct put_k put = {{put_go}, r, &e, g->defs[i], &root, NULL, &conflict};
        put.keys = ref_alloc(r, g->defs[i]->nsuffix * sizeof *put.keys);
        if (!clauses(r, &e, g->defs[i], NULL, put.keys, &put.k))
            return ag_undef();
    }
    if (conflict) {
        ref_halt(r, REF_CONFLICT, conflict->head_span, "object keys must be unique");
        return ag_undef();
    }
    return doc_value(r, &root);
}

// --- the value of a group
static struct ag_value
patched(struct ref *r, const struct ref_patch *p, const struct agc_group *g, struct ag_value v)
{
    if (!p)
        return v;
    v = patched(r, p->next, g, v); // the oldest first
    if (p->group != g)
        return v;
    if (v.kind == AG_UNDEF)
        v = ref_close(r, ag_builder_new(&r->call.mem, AG_OBJECT));
    return ag_value_upsert(&r->call, v, p->path, p->value);
}

struct ag_value
ref_group(struct ref *r, const struct ref_scope *s, const struct agc_group *g)
{
    struct ag_value v = ag_undef(), *memo = &s->memo[g->number];
    if (memo->pad) {
        v = *memo;
        v.pad = 0;
        return v;
    }
    switch (g->kind) {
    case AGC_GROUP_COMPLETE: v = complete(r, s, g); break;
    case AGC_GROUP_SET: v = partial_set(r, s, g); break;
    case AGC_GROUP_OBJECT: v = partial_object(r, s, g); break;
    case AGC_GROUP_FUNCTION: break;
    }
    if (r->error.code != REF_OK)
        return ag_undef();
    v = patched(r, s->patches, g, v);
    *memo = v;
    memo->pad = 1;
    return v;
}

// --- calls
struct args_k { // the patterns fit
    struct ref_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct late_args *late;
    struct once_k *once;
};

static bool
args_go(struct ref_k *k, struct ag_value v)
{
    struct args_k *a = (struct args_k *)k;
    (void)v;
    return clauses(a->r, a->e, a->once->def, a->late, NULL, &a->once->k);
}

static bool
definition(struct ref *r, const struct ref_scope *s, const struct agc_def *def, const struct ag_value *arg,
           struct once_k *o)
{
    const struct ref_env e = {s, new_frame(r, def)};
    size_t size = def->nargs * sizeof(void *);
    struct late_args late = {0, ref_alloc(r, size), ref_alloc(r, 2 * size)}, early = late;
    struct args_k a = {{args_go}, r, &e, &late, o};
    early.pattern = ref_alloc(r, size);
    early.value = ref_alloc(r, 2 * size);
    for (uint32_t i = 0; i < def->nargs; i++) {
        struct late_args *to =
            ref_is_open(&e, def->arg[i]) || ref_is_ready(r, &e, def->arg[i]) ? &early : &late;
        to->pattern[to->n] = def->arg[i];
        to->value[to->n++] = arg[i];
    }
    o->def = def;
    return ref_unify(r, &e, early.pattern, NULL, early.value, early.n, &a.k);
}

static bool
function(struct ref *r, const struct ref_scope *s, const struct agc_group *g, const struct ag_value *arg,
         struct ref_k *k)
{
    struct once_k o = {{once_go}, r, NULL, ag_undef()};
    for (uint32_t i = 0; i < g->ndefs; i++)
        if (!definition(r, s, g->defs[i], arg, &o))
            return false;
    if (o.value.kind == AG_UNDEF && g->fallback && !definition(r, s, g->fallback, arg, &o))
        return false;
    return o.value.kind == AG_UNDEF || k->go(k, o.value);
}

static bool
builtin(struct ref *r, const struct agc_node *n, uint32_t ix, const struct ag_value *arg, struct ref_k *k)
{
    return ref_result(r, n, ag_builtin_call(&r->call, ix, arg, n->n - 1), k);
}

struct call_k {
    struct ref_all_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_node *n;
    struct ref_k *then;
};

static const struct ref_mock *
mock_of(const struct ref_scope *s, const struct agc_node *n)
{
    const struct ref_mock *m = s->mocks;
    while (m && !(m->group == n->group && (n->group || m->symbol == n->symbol)))
        m = m->next;
    return m;
}

static bool
call_go(struct ref_all_k *k, const struct ag_value *arg)
{
    struct call_k *c = (struct call_k *)k;
    const struct ref_mock *m = mock_of(c->e->scope, c->n);
    const struct agc_group *g = m ? m->by : c->n->group;
    const struct ref_scope *s = c->e->scope;
    if (m && m->is_value)
        return c->then->go(c->then, m->value);
    if (m) { // inside of a replacement nothing is replaced
        struct ref_scope *inside = ref_scope_copy(c->r, s);
        inside->mocks = NULL;
        s = inside;
    }
    if (g)
        return function(c->r, s, g, arg, c->then);
    return builtin(c->r, c->n, m ? m->by_symbol : c->n->symbol, arg, c->then);
}

bool
ref_call(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k)
{
    struct call_k c = {{call_go}, r, e, n, k};
    return ref_all(r, e, n->kid + 1, n->n - 1, &c.k);
}
