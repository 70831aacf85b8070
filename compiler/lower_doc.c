// SPDX-License-Identifier: Apache-2.0
// Step 6, references into `data`: the tree of virtual documents is walked as far as the steps are constant.
// In: REF nodes whose head is `data`. Out: calls of groups and tree functions, reads of base documents.
// Memory: the compile arena. Next file to read: lower_env.c.
#include "lower_rego.h"

static const struct agc_tree *
kid_of(const struct agc_tree *t, struct ag_str key)
{
    uint32_t lo = 0, hi = t->nkids;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int r = ag_str_cmp(t->kid[mid]->key, key);
        if (r == 0)
            return t->kid[mid];
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static bool
is_function(const struct agc_tree *t)
{
    return t->group && t->group->kind == AGC_GROUP_FUNCTION;
}

static uint32_t
path_of(struct agc_ir *ir, const struct agc_tree *t)
{
    uint32_t n = 0, at = 0;
    for (const struct agc_tree *up = t; up->parent; up = up->parent)
        n++;
    struct ag_str *key = agc_alloc(ir->arena, (n + 1) * sizeof *key);
    at = n;
    for (const struct agc_tree *up = t; up->parent; up = up->parent)
        key[--at] = up->key;
    return agc_const_path(ir, key, n);
}

// The base document at the tree node's place, followed along the constant steps [from, to) of the reference.
static uint32_t
base_document(struct agc_fn *l, const struct agc_node *ref, const struct agc_tree *t, uint32_t from,
              uint32_t to)
{
    uint32_t v = agc_fn_local(l), path = path_of(l->ir, t), n = l->ir->consts[path].n;
    if (to > from) {
        uint32_t *key = agc_alloc(l->ir->arena, (n + to - from) * sizeof *key);
        if (n)
            memcpy(key, l->ir->consts[path].kid, n * sizeof *key);
        for (uint32_t i = from; i < to; i++)
            agc_lower_constant(l->ir, ref->kid[i], &key[n++]);
        path = agc_const_array(l->ir, key, n);
    }
    agc_fn_add(l, ref->span, AGC_IR_DATA, v, l->frame, path);
    agc_fn_need(l, ref->span, v);
    return v;
}

static bool
call(struct agc_fn *l, struct agc_span span, uint32_t func, uint32_t *ret)
{
    const uint32_t arg[2] = {l->input, l->frame};
    *ret = agc_fn_local(l);
    agc_ir_args(l->ir, agc_fn_add(l, span, AGC_IR_CALL, *ret, func, 0), arg, 2);
    agc_fn_need_call(l, span, *ret);
    return true;
}

bool
agc_fn_tree(struct agc_fn *l, struct agc_span span, const struct agc_tree *t, uint32_t *ret)
{
    uint32_t func;
    if (is_function(t)) { // functions are no documents
        *ret = agc_fn_local(l);
        agc_fn_add(l, span, AGC_IR_UNDEF, *ret, 0, 0);
        agc_fn_need(l, span, *ret);
        return true;
    }
    if (t->group)
        return agc_fn_call_group(l, span, t->group, NULL, 0, ret);
    return agc_rego_tree(l->g, t, l->env, &func) && call(l, span, func, ret);
}

// --- computed steps
// The reference being lowered, where it meets a computed step below node t: step `at`, whose key is in `key`.
struct dispatch {
    struct agc_fn *l;
    const struct agc_node *ref;
    const struct agc_tree *t;
    uint32_t at, end; // the steps [at + 1, end) are constant, or bound when `has_bound`
    bool has_bound;
    uint32_t key;
};

// Follows the constant steps [from, to) down the tree; stops early at a group, a step that is not in the tree
// or a computed one.
static const struct agc_tree *
descend(const struct agc_node *ref, const struct agc_tree *t, uint32_t from, uint32_t to, uint32_t *ret_at)
{
    for (; from < to && !t->group; from++) {
        const struct agc_node *step = ref->kid[from];
        const struct agc_tree *kid = step->kind == AGC_STRING ? kid_of(t, step->text) : NULL;
        if (!kid)
            break;
        t = kid;
    }
    *ret_at = from;
    return t;
}

// A function that gives the document at the constant steps [from, to) of the reference below t.
static bool
accessor(struct agc_fn *l, const struct agc_node *ref, const struct agc_tree *t, uint32_t from, uint32_t to,
         uint32_t *ret)
{
    struct agc_fn in;
    uint32_t at, v, nothing;
    const struct agc_tree *end = descend(ref, t, from, to, &at);
    if (at == to)
        return end->group ? agc_rego_group(l->g, end->group, l->env, ret)
                          : agc_rego_tree(l->g, end, l->env, ret);
    agc_fn_begin(&in, l->g, AG_STR("data"), ref->span, l->env, NULL);
    nothing = agc_fn_local(&in);
    agc_fn_add(&in, ref->span, AGC_IR_UNDEF, nothing, 0, 0);
    struct agc_mark before = agc_fn_mark(&in);
    if (!agc_fn_block(&in, ref->span))
        return false;
    struct agc_node part = *ref; // without the steps that follow
    part.n = to;
    if (end->group) {
        if (!agc_fn_tree(&in, ref->span, end, &v) || !agc_fn_steps(&in, &part, at, v, &v))
            return false;
    } else
        v = base_document(&in, ref, end, at, to);
    agc_fn_add(&in, ref->span, AGC_IR_RET, v, 0, 0);
    agc_fn_back(&in, before);
    *ret = agc_fn_end(&in, ref->span, nothing);
    return true;
}

// Whether what follows the computed step can be a document below this kid.
static bool
is_document(const struct dispatch *d, const struct agc_tree *kid)
{
    uint32_t at;
    return !is_function(descend(d->ref, kid, d->at + 1, d->end, &at));
}

// One look-up names the function that computes the document.
static bool
by_table(const struct dispatch *d, uint32_t v)
{
    struct agc_fn *l = d->l;
    const uint32_t arg[2] = {l->input, l->frame};
    uint32_t *key = agc_alloc(l->ir->arena, 2 * ((size_t)d->t->nkids + 1) * sizeof *key),
             *func = key + d->t->nkids, n = 0;
    for (uint32_t i = 0; i < d->t->nkids; i++) {
        const struct agc_tree *kid = d->t->kid[i];
        if (!is_document(d, kid))
            continue;
        if (!accessor(l, d->ref, kid, d->at + 1, d->end, &func[n]))
            return false;
        key[n++] = agc_const_string(l->ir, kid->key);
    }
    if (!n) {
        agc_fn_add(l, d->ref->span, AGC_IR_UNDEF, v, 0, 0);
        return true;
    }
    uint32_t table = agc_ir_keyed_table(l->ir, n);
    memcpy(l->ir->tables[table].key, key, n * sizeof *key);
    memcpy(l->ir->tables[table].func, func, n * sizeof *func);
    agc_ir_args(l->ir, agc_fn_add(l, d->ref->span, AGC_IR_CALLT, v, table, d->key), arg, 2);
    agc_fn_add(l, d->ref->span, AGC_IR_RETERR, v, 0, 0);
    return true;
}

static bool below(struct agc_fn *l, const struct agc_node *ref, const struct agc_tree *t, uint32_t at,
                  uint32_t *ret);

// Further computed steps follow: one after the other is compared, and each has its own code.
static bool
by_comparison(const struct dispatch *d, uint32_t v)
{
    struct agc_fn *l = d->l;
    struct agc_mark before = agc_fn_mark(l);
    struct agc_node part = *d->ref;
    part.n = d->end;
    agc_fn_add(l, d->ref->span, AGC_IR_UNDEF, v, 0, 0);
    if (!agc_fn_block(l, d->ref->span))
        return false;
    struct agc_mark one = agc_fn_mark(l);
    for (uint32_t i = 0; i < d->t->nkids; i++) {
        uint32_t value;
        if (!is_document(d, d->t->kid[i]))
            continue;
        if (!agc_fn_block(l, d->ref->span))
            return false;
        agc_fn_add(l, d->ref->span, AGC_IR_NEED_IS, d->key, agc_const_string(l->ir, d->t->kid[i]->key), 0);
        if (!below(l, &part, d->t->kid[i], d->at + 1, &value))
            return false;
        agc_fn_add(l, d->ref->span, AGC_IR_MOVE, v, value, 0);
        agc_fn_back(l, one);
    }
    agc_fn_back(l, before);
    return true;
}

// What the step names in the base document, when no function has an answer.
static bool
or_base(const struct dispatch *d, uint32_t v)
{
    struct agc_fn *l = d->l;
    struct agc_mark before = agc_fn_mark(l);
    struct agc_node part = *d->ref;
    uint32_t base, element, value;
    part.n = d->end;
    if (!agc_fn_block(l, d->ref->span))
        return false;
    agc_fn_add(l, d->ref->span, AGC_IR_LEAVE_DEF, v, 0, 0);
    base = base_document(l, d->ref, d->t, 0, 0);
    element = agc_fn_local(l);
    agc_fn_add(l, d->ref->span, AGC_IR_DOT, element, base, d->key);
    agc_fn_need(l, d->ref->span, element);
    if (!agc_fn_steps(l, &part, d->at + 1, element, &value))
        return false;
    agc_fn_add(l, d->ref->span, AGC_IR_MOVE, v, value, 0);
    agc_fn_back(l, before);
    return true;
}

// The names below t, of rules and in the base document, as keys of a loop.
static bool
each_key(struct agc_fn *l, const struct agc_node *ref, const struct agc_tree *t, uint32_t *ret_key)
{
    uint32_t *kid = agc_alloc(l->ir->arena, (2 * (size_t)t->nkids + 1) * sizeof *kid), n = 0, k, value;
    for (uint32_t i = 0; i < t->nkids; i++) {
        kid[2 * n] = agc_const_string(l->ir, t->kid[i]->key);
        kid[2 * n + 1] = agc_const_bool(l->ir, true);
        n += !is_function(t->kid[i]);
    }
    agc_const_object(l->ir, kid, n, &k);
    uint32_t own = agc_fn_const(l, ref->span, k), names = agc_fn_local(l);
    struct agc_mark before = agc_fn_mark(l);
    agc_fn_add(l, ref->span, AGC_IR_MOVE, names, own, 0);
    if (!agc_fn_block(l, ref->span))
        return false;
    uint32_t base = base_document(l, ref, t, 0, 0);
    agc_fn_add(l, ref->span, AGC_IR_NEED_COLL, base, 0, 0);
    agc_fn_add(l, ref->span, AGC_IR_MERGE, names, base, own);
    agc_fn_back(l, before);
    return agc_fn_loop(l, ref->span, names, ret_key, &value);
}

// data.a[x]...: the document that x names is computed, the others are not.
static bool
computed_step(struct agc_fn *l, const struct agc_node *ref, const struct agc_tree *t, uint32_t at,
              uint32_t *ret)
{
    struct dispatch d = {.l = l, .ref = ref, .t = t, .at = at, .end = at + 1};
    const struct agc_node *step = ref->kid[at];
    uint32_t k, v;
    if (!agc_fn_is_open(l, step)) {
        if (!agc_fn_term(l, step, &d.key))
            return false;
    } else if (!each_key(l, ref, t, &d.key) || !agc_fn_match(l, step, d.key))
        return false;
    for (; d.end < ref->n && !agc_fn_is_open(l, ref->kid[d.end]); d.end++)
        d.has_bound = d.has_bound || !agc_lower_constant(l->ir, ref->kid[d.end], &k);
    if (d.has_bound && t->nkids > AGC_COMPARED_KIDS_MAX) { // too much code: compute the whole document named
        d.end = at + 1;
        d.has_bound = false;
    }
    v = agc_fn_local(l);
    if (!(d.has_bound ? by_comparison(&d, v) : by_table(&d, v)) || !or_base(&d, v))
        return false;
    agc_fn_need(l, ref->span, v);
    return agc_fn_steps(l, ref, d.end, v, ret);
}

// The steps [at..] of the reference below node t.
static bool
below(struct agc_fn *l, const struct agc_node *ref, const struct agc_tree *t, uint32_t at, uint32_t *ret)
{
    uint32_t v, k, end;
    t = descend(ref, t, at, ref->n, &at);
    if (t->group || at == ref->n)
        return agc_fn_tree(l, ref->span, t, &v) && agc_fn_steps(l, ref, at, v, ret);
    for (end = at; end < ref->n && agc_lower_constant(l->ir, ref->kid[end], &k);)
        end++;
    if (end == at && t->nkids)
        return computed_step(l, ref, t, at, ret);
    return agc_fn_steps(l, ref, end, base_document(l, ref, t, at, end), ret);
}

bool
agc_fn_document(struct agc_fn *l, const struct agc_node *ref, uint32_t *ret)
{
    return below(l, ref, l->g->program->root, 1, ret);
}
