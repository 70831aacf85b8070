// SPDX-License-Identifier: Apache-2.0
// Unification: `=`, `:=`, patterns of `some .. in`, `every`, arguments and steps of references.
// Works on a list of pairs and always takes one that can be settled now, as `[f(x), x] = [2, 1]` must begin
// at its end. In: terms and values. Out: bindings while the continuation runs. Who owns memory: the
// evaluator's arena. Next file to read: ref_body.c.
#include "ref.h"

// --- what a term needs before it can be evaluated
struct needs {
    struct ref *r;
    const struct ref_env *e;
    bool *is_needed, *is_given; // by local
};

static bool
is_local(const struct agc_node *n)
{
    return n->kind == AGC_VAR && n->symbol < AGC_SYM_DATA; // names of functions have no number
}

bool
ref_is_open(const struct ref_env *e, const struct agc_node *n)
{
    if (is_local(n)) {
        const struct ref_binding *b = &e->frame->local[n->symbol];
        return b->what == REF_FREE || (b->what == REF_TERM && ref_is_open(e, b->term));
    }
    if (n->kind != AGC_ARRAY && n->kind != AGC_OBJECT)
        return false;
    for (uint32_t i = n->kind == AGC_OBJECT; i < n->n; i += n->kind == AGC_OBJECT ? 2 : 1)
        if (ref_is_open(e, n->kid[i]))
            return true;
    return false;
}

static void
count_uses(const struct agc_node *n, uint32_t *uses)
{
    if (!n)
        return;
    if (is_local(n))
        uses[n->symbol]++;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        count_uses(n->kid[i], uses);
}

static void
count_def(const struct agc_def *d, uint32_t *uses)
{
    for (uint32_t i = 0; i < d->nargs; i++)
        count_uses(d->arg[i], uses);
    for (uint32_t i = 0; i < d->nsuffix; i++)
        count_uses(d->suffix[i], uses);
    for (; d; d = d->otherwise) {
        count_uses(d->value, uses);
        count_uses(d->body, uses);
    }
}

// A closure needs the variables that also stand outside of it.
static void
closure_needs(struct needs *s, const struct agc_node *n)
{
    const struct agc_def *def = s->e->frame->def;
    if (!def)
        return;
    uint32_t *inside = ref_alloc(s->r, def->nlocals * sizeof *inside),
             *all = ref_alloc(s->r, def->nlocals * sizeof *all);
    count_uses(n, inside);
    count_def(def, all);
    for (uint32_t i = 0; i < def->nlocals; i++)
        if (inside[i] && inside[i] < all[i])
            s->is_needed[i] = true;
}

static void
find_needs(struct needs *s, const struct agc_node *n)
{
    const struct ref_binding *b;
    switch (n->kind) {
    case AGC_VAR:
        if (!is_local(n))
            return;
        b = &s->e->frame->local[n->symbol];
        if (b->what == REF_FREE)
            s->is_needed[n->symbol] = true;
        else if (b->what == REF_TERM)
            find_needs(s, b->term);
        return;
    case AGC_REF:
        find_needs(s, n->kid[0]);
        for (uint32_t i = 1; i < n->n; i++) {
            if (is_local(n->kid[i]))
                s->is_given[n->kid[i]->symbol] = true;
            else if (ref_is_open(s->e, n->kid[i]))
                find_needs(&(struct needs){s->r, s->e, s->is_given, s->is_given}, n->kid[i]);
            else
                find_needs(s, n->kid[i]);
        }
        return;
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: closure_needs(s, n); return;
    default:
        for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
            find_needs(s, n->kid[i]);
    }
}

bool
ref_is_ready(struct ref *r, const struct ref_env *e, const struct agc_node *n)
{
    uint32_t nlocals = e->frame->def ? e->frame->def->nlocals : 0;
    size_t mark = ag_arena_mark(&r->arena);
    struct needs s = {r, e, ref_alloc(r, nlocals), ref_alloc(r, nlocals)};
    bool is_ready = true;
    find_needs(&s, n);
    for (uint32_t i = 0; i < nlocals; i++)
        if (s.is_needed[i] && !s.is_given[i] && e->frame->local[i].what == REF_FREE)
            is_ready = false;
    ag_arena_reset(&r->arena, mark);
    return is_ready;
}

// --- pairs
struct pair {
    const struct agc_node *a;
    const struct agc_node *b; // NULL: the other side is `value`
    struct ag_value value;
    struct pair *next;
};

struct task {
    struct ref *r;
    const struct ref_env *e;
    struct ref_k *then;
};

static bool solve(const struct task *t, struct pair *list);

static struct pair *
pair_new(const struct task *t, const struct agc_node *a, const struct agc_node *b, struct ag_value value,
         struct pair *next)
{
    struct pair *p = ref_alloc(t->r, sizeof *p);
    *p = (struct pair){a, b, value, next};
    return p;
}

// The rest of the list without `out`; a copy, since other branches go on using the list.
static struct pair *
without(const struct task *t, struct pair *list, const struct pair *out)
{
    if (!list)
        return NULL;
    if (list == out)
        return list->next;
    return pair_new(t, list->a, list->b, list->value, without(t, list->next, out));
}

// Follows variables that stand for terms.
static const struct agc_node *
deref(const struct ref_env *e, const struct agc_node *n)
{
    while (is_local(n) && e->frame->local[n->symbol].what == REF_TERM)
        n = e->frame->local[n->symbol].term;
    return n;
}

static bool
is_free(const struct ref_env *e, const struct agc_node *n)
{
    return is_local(n) && e->frame->local[n->symbol].what == REF_FREE;
}

static bool
bind(const struct task *t, const struct agc_node *var, struct ref_binding to, struct pair *rest)
{
    struct ref_binding *b = &t->e->frame->local[var->symbol];
    *b = to;
    bool go_on = solve(t, rest);
    b->what = REF_FREE;
    return go_on;
}

// a evaluated, then against the other side of its pair
struct eval_k {
    struct ref_k k;
    const struct task *t;
    const struct agc_node *other; // NULL: compare with
    struct ag_value value;
    struct pair *rest;
};

static bool
eval_go(struct ref_k *k, struct ag_value v)
{
    struct eval_k *s = (struct eval_k *)k;
    if (s->other)
        return solve(s->t, pair_new(s->t, s->other, NULL, v, s->rest));
    return !ag_value_eq(&s->t->r->call.mem, v, s->value) || solve(s->t, s->rest);
}

static bool
evaluate(const struct task *t, const struct agc_node *n, const struct agc_node *other, struct ag_value value,
         struct pair *rest)
{
    struct eval_k s = {{eval_go}, t, other, value, rest};
    return ref_term(t->r, t->e, n, &s.k);
}

// Keys of an object pattern evaluated, then each value against its element
struct keys_k {
    struct ref_all_k k;
    const struct task *t;
    const struct agc_node *pattern, *other; // other: an object term of the same size, or NULL
    struct ag_value value;
    struct pair *rest;
    const struct ag_value *other_keys;
};

static bool
keys_against_value(struct ref_all_k *k, const struct ag_value *key)
{
    struct keys_k *s = (struct keys_k *)k;
    struct pair *list = s->rest;
    for (uint32_t i = 0; i < s->pattern->n / 2; i++) {
        struct ag_value v = ag_value_get(&s->t->r->call.mem, s->value, key[i]);
        if (v.kind == AG_UNDEF)
            return true;
        list = pair_new(s->t, s->pattern->kid[2 * i + 1], NULL, v, list);
    }
    return solve(s->t, list);
}

static struct agc_node **
keys_of(const struct task *t, const struct agc_node *object)
{
    struct agc_node **key = ref_alloc(t->r, object->n / 2 * sizeof *key);
    for (uint32_t i = 0; i < object->n / 2; i++)
        key[i] = object->kid[2 * i];
    return key;
}

static bool
keys_against_keys(struct ref_all_k *k, const struct ag_value *key)
{
    struct keys_k *s = (struct keys_k *)k;
    struct pair *list = s->rest;
    for (uint32_t i = 0; i < s->pattern->n / 2; i++) {
        uint32_t j = 0;
        while (j < s->other->n / 2 && !ag_value_eq(&s->t->r->call.mem, key[j], s->other_keys[i]))
            j++;
        if (j == s->other->n / 2)
            return true;
        list = pair_new(s->t, s->pattern->kid[2 * i + 1], s->other->kid[2 * j + 1], ag_undef(), list);
    }
    return solve(s->t, list);
}

static bool
first_keys(struct ref_all_k *k, const struct ag_value *key)
{
    struct keys_k s = *(struct keys_k *)k;
    s.k.go = keys_against_keys;
    s.other_keys = key;
    return ref_all(s.t->r, s.t->e, keys_of(s.t, s.other), s.other->n / 2, &s.k);
}

static bool
are_keys_ready(const struct task *t, const struct agc_node *object)
{
    for (uint32_t i = 0; i < object->n; i += 2)
        if (!ref_is_ready(t->r, t->e, object->kid[i]))
            return false;
    return true;
}

enum outcome { LATER, STOP, ON };
#define SETTLED(call) ((call) ? ON : STOP)

// A term against a value.
static enum outcome
with_value(const struct task *t, const struct pair *p, struct pair *rest)
{
    const struct agc_node *a = deref(t->e, p->a);
    const struct ag_mem *m = &t->r->call.mem;
    if (is_free(t->e, a))
        return SETTLED(bind(t, a, (struct ref_binding){REF_VALUE, p->value, NULL}, rest));
    if (a->kind == AGC_ARRAY) {
        if (p->value.kind != AG_ARRAY || p->value.len != a->n)
            return ON;
        for (uint32_t i = a->n; i-- > 0;)
            rest = pair_new(t, a->kid[i], NULL, ag_value_at(m, p->value, i), rest);
        return SETTLED(solve(t, rest));
    }
    if (a->kind == AGC_OBJECT) {
        struct keys_k s = {{keys_against_value}, t, a, NULL, p->value, rest, NULL};
        if (!are_keys_ready(t, a))
            return LATER;
        if (p->value.kind != AG_OBJECT || p->value.len != a->n / 2)
            return ON;
        return SETTLED(ref_all(t->r, t->e, keys_of(t, a), a->n / 2, &s.k));
    }
    if (!ref_is_ready(t->r, t->e, a))
        return LATER;
    return SETTLED(evaluate(t, a, NULL, p->value, rest));
}

static enum outcome
containers(const struct task *t, const struct agc_node *a, const struct agc_node *b, struct pair *rest)
{
    if (a->n != b->n)
        return ON;
    if (a->kind == AGC_ARRAY) {
        for (uint32_t i = a->n; i-- > 0;)
            rest = pair_new(t, a->kid[i], b->kid[i], ag_undef(), rest);
        return SETTLED(solve(t, rest));
    }
    struct keys_k s = {{first_keys}, t, a, b, ag_undef(), rest, NULL};
    if (!are_keys_ready(t, a) || !are_keys_ready(t, b))
        return LATER;
    return SETTLED(ref_all(t->r, t->e, keys_of(t, a), a->n / 2, &s.k));
}

// A term against a term.
static enum outcome
with_term(const struct task *t, const struct pair *p, struct pair *rest)
{
    const struct agc_node *a = deref(t->e, p->a), *b = deref(t->e, p->b);
    const bool is_a_ready = ref_is_ready(t->r, t->e, a), is_b_ready = ref_is_ready(t->r, t->e, b);
    if (is_free(t->e, a) && is_free(t->e, b) && a->symbol == b->symbol)
        return SETTLED(solve(t, rest));
    if (a->kind == b->kind && (a->kind == AGC_ARRAY || a->kind == AGC_OBJECT))
        return containers(t, a, b, rest);
    if (is_a_ready)
        return SETTLED(evaluate(t, a, b, ag_undef(), rest));
    if (is_b_ready)
        return SETTLED(evaluate(t, b, a, ag_undef(), rest));
    if (is_free(t->e, a) && ref_is_open(t->e, b))
        return SETTLED(bind(t, a, (struct ref_binding){REF_TERM, ag_undef(), b}, rest));
    if (is_free(t->e, b) && ref_is_open(t->e, a))
        return SETTLED(bind(t, b, (struct ref_binding){REF_TERM, ag_undef(), a}, rest));
    return LATER;
}

static bool
solve(const struct task *t, struct pair *list)
{
    if (!list)
        return t->then->go(t->then, ag_undef());
    for (struct pair *p = list; p; p = p->next) {
        struct pair *rest = without(t, list, p);
        enum outcome o = p->b ? with_term(t, p, rest) : with_value(t, p, rest);
        if (o != LATER)
            return o == ON;
    }
    return ref_halt(t->r, REF_DEFECT, list->a->span, "both sides of = hold variables without values");
}

bool
ref_unify(struct ref *r, const struct ref_env *e, struct agc_node *const *a, struct agc_node *const *b,
          const struct ag_value *value, uint32_t n, struct ref_k *k)
{
    const struct task t = {r, e, k};
    struct pair *list = NULL;
    for (uint32_t i = n; i-- > 0;)
        list = pair_new(&t, a[i], value ? NULL : b[i], value ? value[i] : ag_undef(), list);
    return solve(&t, list);
}
