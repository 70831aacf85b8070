// SPDX-License-Identifier: Apache-2.0
// References step by step, through the tree of virtual documents and through values.
// A step whose variables have values looks one element up; an open one tries every key there is.
// In: REF nodes. Out: values of the elements they name. Who owns memory: the evaluator's arena.
// Next file to read: ref_rule.c.
#include "ref.h"

#include <stdio.h>

// Where a reference stands: in the tree (with the base document at the same path) or in a value.
struct place {
    const struct agc_tree *tree; // NULL: in a value
    struct ag_value base;        // the value, or the base document
    bool is_base;                // in the base document as it was given
};

struct walk {
    struct ref *r;
    const struct ref_env *e;
    const struct agc_node *n; // REF, or the VAR data
    struct ref_k *then;
};

struct step_k {
    struct ref_k k;
    const struct walk *w;
    uint32_t i; // step that found this key
    struct place at;
    struct ag_value key;
};

static bool arrive(const struct walk *w, uint32_t i, struct place at);

static bool
is_hidden(const struct ref_scope *s, const struct agc_tree *t)
{
    for (const struct ref_hidden *h = s->hidden; h; h = h->next)
        if (h->at == t)
            return true;
    return false;
}

static struct place
place_at(const struct ref_scope *s, const struct agc_tree *t, struct ag_value base)
{
    return (struct place){t && !is_hidden(s, t) ? t : NULL, base, true};
}

// An element; the base document is a store whose paths are texts, so that data[2] finds the key "2".
static struct ag_value
element(struct ref *r, struct place at, struct ag_value key)
{
    int64_t i;
    char text[24];
    struct ag_value v = ag_value_get(&r->call.mem, at.base, key);
    if (v.kind != AG_UNDEF || !at.is_base || at.base.kind != AG_OBJECT || !ag_number_int(key, &i))
        return v;
    int n = snprintf(text, sizeof text, "%lld", (long long)i);
    return ag_object_get(&r->call.mem, at.base, ag_str_of(text, (size_t)n));
}

// The next place; its base is undefined and its tree NULL where there is nothing.
static struct place
enter(struct ref *r, const struct ref_scope *s, struct place at, struct ag_value key)
{
    const struct agc_tree *t = NULL;
    struct ag_value base = element(r, at, key);
    for (uint32_t i = 0; at.tree && key.kind == AG_STRING && i < at.tree->nkids; i++)
        if (ag_str_eq(at.tree->kid[i]->key, ag_value_str(key)))
            t = at.tree->kid[i];
    struct place next = place_at(s, t, base);
    next.is_base = at.is_base;
    if (next.tree && next.tree->group)
        return (struct place){NULL, ref_group(r, s, next.tree->group), false};
    return next;
}

static bool
step_found(struct ref_k *k, struct ag_value v)
{
    struct step_k *s = (struct step_k *)k;
    struct ref *r = s->w->r;
    struct place next = enter(r, s->w->e->scope, s->at, v.kind == AG_UNDEF ? s->key : v);
    if (r->error.code != REF_OK)
        return false;
    if (!next.tree && next.base.kind == AG_UNDEF)
        return true;
    return arrive(s->w, s->i + 1, next);
}

static bool
try_key(const struct walk *w, uint32_t i, struct place at, struct ag_value key)
{
    struct step_k s = {{step_found}, w, i, at, key};
    return ref_unify(w->r, w->e, &w->n->kid[i], NULL, &key, 1, &s.k);
}

static bool
try_keys(const struct walk *w, uint32_t i, struct place at)
{
    const struct ag_mem *m = &w->r->call.mem;
    struct ag_value b = at.base;
    for (uint32_t j = 0; b.kind >= AG_ARRAY && b.kind <= AG_SET && j < b.len; j++) {
        struct ag_value key = b.kind == AG_ARRAY    ? ag_int(j)
                              : b.kind == AG_OBJECT ? ag_object_key(m, b, j)
                                                    : ag_value_at(m, b, j);
        if (!try_key(w, i, at, key))
            return false;
    }
    for (uint32_t j = 0; at.tree && j < at.tree->nkids; j++) {
        struct ag_value key = ref_string(w->r, at.tree->kid[j]->key);
        if (ag_value_get(m, b, key).kind == AG_UNDEF && !try_key(w, i, at, key))
            return false;
    }
    return true;
}

static bool
arrive(const struct walk *w, uint32_t i, struct place at)
{
    if (w->n->kind != AGC_REF || i == w->n->n) {
        struct ag_value v = at.tree ? ref_extent(w->r, w->e->scope, at.tree, at.base) : at.base;
        if (w->r->error.code != REF_OK)
            return false;
        return v.kind == AG_UNDEF || w->then->go(w->then, v);
    }
    if (ref_is_open(w->e, w->n->kid[i]))
        return try_keys(w, i, at);
    struct step_k s = {{step_found}, w, i, at, ag_undef()};
    return ref_term(w->r, w->e, w->n->kid[i], &s.k);
}

// --- the head: data begins in the tree, everything else is a value
struct head_k {
    struct ref_k k;
    const struct walk *w;
};

static bool
head_go(struct ref_k *k, struct ag_value v)
{
    return arrive(((struct head_k *)k)->w, 1, (struct place){NULL, v, false});
}

bool
ref_ref(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k)
{
    const struct walk w = {r, e, n, k};
    const struct agc_node *head = n->kind == AGC_REF ? n->kid[0] : n;
    if (head->kind == AGC_VAR && head->symbol == AGC_SYM_DATA)
        return arrive(&w, 1, place_at(e->scope, r->program->root, e->scope->data));
    struct head_k h = {{head_go}, &w};
    return ref_term(r, e, head, &h.k);
}

// --- whole documents
// The rules below a node as an object; functions are no documents, what `with` hides is not there.
static struct ag_value
rules_below(struct ref *r, const struct ref_scope *s, const struct agc_tree *t)
{
    const struct ag_mem *m = &r->call.mem;
    struct ag_builder *b = ag_builder_new(m, AG_OBJECT);
    for (uint32_t i = 0; b && i < t->nkids && r->error.code == REF_OK; i++) {
        const struct agc_tree *kid = t->kid[i];
        if (is_hidden(s, kid))
            continue;
        struct ag_value v = kid->group ? ref_group(r, s, kid->group) : rules_below(r, s, kid);
        if (v.kind != AG_UNDEF && !ag_builder_put(m, b, ref_string(r, kid->key), v))
            b = NULL;
    }
    return ref_close(r, b);
}

struct ag_value
ref_extent(struct ref *r, const struct ref_scope *s, const struct agc_tree *t, struct ag_value base)
{
    struct ag_value rules = rules_below(r, s, t);
    if (r->error.code != REF_OK || base.kind == AG_UNDEF)
        return rules;
    return ag_value_merge(&r->call, base, rules); // the base document wins
}
