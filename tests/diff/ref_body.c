// SPDX-License-Identifier: Apache-2.0
// Bodies: literals joined by AND, in the order in which the program has them.
// In: QUERY nodes. Out: one call of the continuation for each solution. Who owns memory: the evaluator's
// arena. Next file to read: ref_rule.c.
#include "ref.h"

static bool literal(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k);

// --- the next literal after a solution of the one before
struct body_k {
    struct ref_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_node *query;
    uint32_t i;
    struct ref_k *then;
};

static bool
body_from(struct ref_k *k, struct ag_value v)
{
    struct body_k *b = (struct body_k *)k;
    (void)v;
    if (b->i == b->query->n)
        return b->then->go(b->then, ag_undef());
    struct body_k next = {{body_from}, b->r, b->e, b->query, b->i + 1, b->then};
    return literal(b->r, b->e, b->query->kid[b->i], &next.k);
}

bool
ref_body(struct ref *r, const struct ref_env *e, const struct agc_node *query, struct ref_k *k)
{
    struct body_k first = {{body_from}, r, e, query, 0, k};
    return query ? body_from(&first.k, ag_undef()) : k->go(k, ag_undef());
}

// --- is there one?
struct holds_k {
    struct ref_k k;
    bool is_found;
};

static bool
holds_go(struct ref_k *k, struct ag_value v)
{
    (void)v;
    ((struct holds_k *)k)->is_found = true;
    return false;
}

bool
ref_holds(struct ref *r, const struct ref_env *e, const struct agc_node *n)
{
    struct holds_k h = {{holds_go}, false};
    literal(r, e, n, &h.k);
    return h.is_found;
}

// --- a term as a literal: any value but false
struct truth_k {
    struct ref_k k;
    struct ref_k *then;
};

static bool
truth_go(struct ref_k *k, struct ag_value v)
{
    struct ref_k *then = ((struct truth_k *)k)->then;
    return (v.kind == AG_BOOL && v.i == 0) || then->go(then, ag_undef());
}

// --- some .. in: each element of the collection
struct each_k {
    struct ref_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_node *n; // SOME_IN, EVERY
    uint32_t npatterns;
    struct ref_k *then;
};

static bool
is_collection(struct ag_value v)
{
    return v.kind == AG_ARRAY || v.kind == AG_OBJECT || v.kind == AG_SET;
}

// Key and value of the i-th element as two values, or the value alone, as there are patterns for.
static const struct ag_value *
element(const struct each_k *s, struct ag_value coll, uint32_t i, struct ag_value pair[2])
{
    const struct ag_mem *m = &s->r->call.mem;
    pair[1] = ag_value_at(m, coll, i);
    pair[0] = coll.kind == AG_OBJECT ? ag_object_key(m, coll, i) : coll.kind == AG_SET ? pair[1] : ag_int(i);
    return pair + 2 - s->npatterns;
}

static bool
some_go(struct ref_k *k, struct ag_value coll)
{
    struct each_k *s = (struct each_k *)k;
    struct ag_value pair[2];
    for (uint32_t i = 0; is_collection(coll) && i < coll.len; i++)
        if (!ref_unify(s->r, s->e, s->n->kid, NULL, element(s, coll, i, pair), s->npatterns, s->then))
            return false;
    return true;
}

// --- every: the body holds for each element
struct every_body_k {
    struct ref_k k;
    struct each_k *every;
    bool is_found;
};

static bool
every_found(struct ref_k *k, struct ag_value v)
{
    (void)v;
    ((struct every_body_k *)k)->is_found = true;
    return false;
}

static bool
every_element(struct ref_k *k, struct ag_value v)
{
    struct every_body_k *b = (struct every_body_k *)k;
    const struct each_k *s = b->every;
    struct every_body_k in = {{every_found}, b->every, false};
    (void)v;
    ref_body(s->r, s->e, s->n->kid[s->n->n - 1], &in.k);
    b->is_found |= in.is_found;
    return s->r->error.code == REF_OK && !b->is_found;
}

static bool
every_go(struct ref_k *k, struct ag_value coll)
{
    struct each_k *s = (struct each_k *)k;
    struct ag_value pair[2];
    if (!is_collection(coll))
        return true;
    for (uint32_t i = 0; i < coll.len; i++) {
        struct every_body_k b = {{every_element}, s, false};
        ref_unify(s->r, s->e, s->n->kid, NULL, element(s, coll, i, pair), s->npatterns, &b.k);
        if (s->r->error.code != REF_OK)
            return false;
        if (!b.is_found)
            return true;
    }
    return s->then->go(s->then, ag_undef());
}

// --- with
struct with_k {
    struct ref_all_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_node *n;
    struct ref_k *then;
};

static bool
with_go(struct ref_all_k *k, const struct ag_value *value)
{
    struct with_k *w = (struct with_k *)k;
    const struct ref_env inside = {ref_with(w->r, w->e, w->n, value), w->e->frame};
    return literal(w->r, &inside, w->n->kid[0], w->then);
}

// --- one literal
static bool
literal(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k)
{
    struct truth_k truth = {{truth_go}, k};
    struct each_k each = {{some_go}, r, e, n, n->n - 1, k};
    struct with_k with = {{with_go}, r, e, n, k};
    switch (n->kind) {
    case AGC_QUERY: return ref_body(r, e, n, k);
    case AGC_NOT:
        if (ref_holds(r, e, n->kid[0]))
            return true;
        return r->error.code == REF_OK && k->go(k, ag_undef());
    case AGC_ASSIGN:
    case AGC_UNIFY: return ref_unify(r, e, n->kid, n->kid + 1, NULL, 1, k);
    case AGC_SOME: return k->go(k, ag_undef());
    case AGC_SOME_IN: return ref_term(r, e, n->kid[n->n - 1], &each.k);
    case AGC_EVERY:
        each.k.go = every_go;
        each.npatterns = n->n - 2;
        return ref_term(r, e, n->kid[n->n - 2], &each.k);
    case AGC_WITH: return ref_with_values(r, e, n, &with.k);
    default: return ref_term(r, e, n, &truth.k);
    }
}
