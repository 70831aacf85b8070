// SPDX-License-Identifier: Apache-2.0
// `with`: the scope in which a literal sees another input, other data, or other functions.
// In: a WITH node and the values of its targets. Out: a new scope, nothing memoised. Who owns memory: the
// evaluator's arena. Next file to read: ref_doc.c.
#include "ref.h"

struct ref_scope *
ref_scope_copy(struct ref *r, const struct ref_scope *s)
{
    struct ref_scope *copy = ref_alloc(r, sizeof *copy);
    *copy = *s;
    copy->memo = ref_alloc(r, r->program->ngroups * sizeof *copy->memo);
    return copy;
}

static bool
is_function(const struct agc_node *n)
{
    if (n->group)
        return n->group->kind == AGC_GROUP_FUNCTION;
    return n->kind == AGC_REF && n->symbol != AG_NONE && n->symbol < AGC_SYM_DATA;
}

// Whether the i-th function is replaced by a function instead of a value.
static bool
is_replacement(const struct agc_node *with, uint32_t i)
{
    return is_function(with->kid[1 + 2 * i]) && is_function(with->kid[2 + 2 * i]);
}

// Steps of a target below its root, as a path.
static struct ag_value
path_of(struct ref *r, const struct agc_node *target, uint32_t from)
{
    struct ag_builder *b = ag_builder_new(&r->call.mem, AG_ARRAY);
    bool ok = b != NULL;
    for (uint32_t i = from; ok && target->kind == AGC_REF && i < target->n; i++)
        ok = ag_builder_push(&r->call.mem, b, ref_string(r, target->kid[i]->text));
    return ref_close(r, ok ? b : NULL);
}

static struct ag_value
written(struct ref *r, struct ag_value doc, struct ag_value path, struct ag_value value)
{
    if (path.len == 0)
        return value;
    if (doc.kind == AG_UNDEF)
        doc = ref_close(r, ag_builder_new(&r->call.mem, AG_OBJECT));
    return ag_value_upsert(&r->call, doc, path, value);
}

static const struct agc_tree *
kid_of(const struct agc_tree *t, struct ag_str key)
{
    for (uint32_t i = 0; i < t->nkids; i++)
        if (ag_str_eq(t->kid[i]->key, key))
            return t->kid[i];
    return NULL;
}

static void
with_data(struct ref *r, struct ref_scope *s, const struct agc_node *target, struct ag_value value)
{
    const struct agc_tree *t = r->program->root;
    uint32_t i = 1, n = target->kind == AGC_REF ? target->n : 1;
    s->data = written(r, s->data, path_of(r, target, 1), value);
    for (; t && !t->group && i < n; i++)
        t = kid_of(t, target->kid[i]->text);
    if (!t)
        return;
    if (i < n) {
        struct ref_patch *p = ref_alloc(r, sizeof *p);
        *p = (struct ref_patch){t->group, path_of(r, target, i), value, s->patches};
        s->patches = p;
        return;
    }
    struct ref_hidden *h = ref_alloc(r, sizeof *h);
    *h = (struct ref_hidden){t, s->hidden};
    s->hidden = h;
}

static void
with_function(struct ref *r, struct ref_scope *s, const struct agc_node *with, uint32_t i,
              struct ag_value value)
{
    const struct agc_node *target = with->kid[1 + 2 * i], *by = with->kid[2 + 2 * i];
    struct ref_mock *m = ref_alloc(r, sizeof *m);
    *m =
        (struct ref_mock){.group = target->group, .symbol = target->symbol, .value = value, .next = s->mocks};
    m->is_value = !is_replacement(with, i);
    m->by = by->group;
    m->by_symbol = by->symbol;
    s->mocks = m;
}

struct ref_scope *
ref_with(struct ref *r, const struct ref_env *e, const struct agc_node *with, const struct ag_value *value)
{
    struct ref_scope *s = ref_scope_copy(r, e->scope);
    for (uint32_t i = 0; i < (with->n - 1) / 2; i++) {
        const struct agc_node *target = with->kid[1 + 2 * i];
        const struct agc_node *head = target->kind == AGC_REF ? target->kid[0] : target;
        if (is_function(target))
            with_function(r, s, with, i, value[i]);
        else if (head->symbol == AGC_SYM_DATA)
            with_data(r, s, target, value[i]);
        else
            s->input = written(r, s->input, path_of(r, target, 1), value[i]);
    }
    return s;
}

bool
ref_with_values(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_all_k *k)
{
    uint32_t ntargets = (n->n - 1) / 2;
    struct agc_node **value = ref_alloc(r, ntargets * sizeof *value), *none = ref_alloc(r, sizeof *none);
    none->kind = AGC_NULL_LIT; // a function has no value
    for (uint32_t i = 0; i < ntargets; i++)
        value[i] = is_replacement(n, i) ? none : n->kid[2 + 2 * i];
    return ref_all(r, e, value, ntargets, k);
}
