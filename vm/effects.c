// SPDX-License-Identifier: Apache-2.0
// Limits and planned effects: what a decision wants charged, and whether the snapshot still admits it.
// In: limit numbers with key values, or the set data.aegis.effects. Out: effects in the outcome, and the
// limit's word when it is exhausted. Who owns memory: keys lie in the call's arena. Next file to read:
// runtime/host/commit.c.
#include "machine.h"
#include "buf.h"

static void
refuse(struct ag_call *c, const char *message)
{
    ag_outcome_add(c, AG_DENY, AG_BY_POLICY_ERROR, ag_str_of(NULL, 0), AG_STR("policy_error"),
                   ag_str_z(message));
}

// One key value: u8 kind, u32 length, bytes. Undefined counts as null, so a request without it has one shared
// key.
static bool
put_key(struct ag_call *c, struct ag_buf *out, struct ag_value v)
{
    uint8_t head[5] = {v.kind == AG_UNDEF ? (uint8_t)AG_NULL : v.kind};
    size_t at = out->n;
    ag_buf_put(out, head, sizeof head);
    if (v.kind == AG_STRING)
        ag_buf_str(out, ag_value_str(v));
    else if (v.kind > AG_NULL && !ag_json_write_canonical(&c->mem, v, out))
        return false;
    if (out->is_full)
        return false;
    uint32_t n = (uint32_t)(out->n - at - sizeof head);
    for (int i = 0; i < 4; i++)
        out->p[at + 1 + (size_t)i] = (char)(n >> (8 * i));
    return true;
}

static bool
make_key(struct ag_call *c, const struct ag_value *values, uint32_t n, struct ag_str *ret)
{
    size_t mark = ag_arena_mark(c->mem.arena);
    char *p = ag_call_alloc(c, AG_EFFECT_KEY_MAX, 1);
    struct ag_buf out;
    if (!p)
        return false;
    ag_buf_init(&out, p, AG_EFFECT_KEY_MAX);
    for (uint32_t i = 0; i < n; i++) {
        if (values[i].kind == AG_ERROR || values[i].kind > AG_SET || !put_key(c, &out, values[i])) {
            refuse(c, "a limit's key is an error or longer than 4096 bytes");
            return false;
        }
    }
    ag_arena_reset(c->mem.arena, mark + out.n); // align 1: the key starts at the mark
    *ret = ag_str_of(p, out.n);
    return true;
}

// The amount to charge, rounded up to a whole unit; false: not a number, negative, or beyond 2^53.
static bool
amount(struct ag_value v, uint64_t *ret)
{
    int64_t i;
    if (v.kind != AG_NUMBER)
        return false;
    if (!ag_number_int(v, &i)) {
        double d = ag_number_double(v);
        if (!(d >= 0 && d <= 9007199254740992.0))
            return false;
        i = (int64_t)d;
        i += (double)i < d;
    }
    *ret = (uint64_t)i;
    return i >= 0;
}

static struct ag_value
plan(struct ag_call *c, uint32_t limit_ix, struct ag_str key, uint64_t n)
{
    struct ag_outcome *o = c->outcome;
    const struct ag_limit *l = &c->im->limits[limit_ix];
    struct ag_effect *e = NULL;
    for (uint32_t i = 0; i < o->neffects && !e; i++)
        if (o->effect[i].limit_ix == limit_ix && ag_str_eq(o->effect[i].key, key))
            e = &o->effect[i];
    if (!e) {
        if (o->neffects == AG_EFFECTS_MAX) {
            refuse(c, "more than 16 effects");
            return ag_bool(false);
        }
        e = &o->effect[o->neffects++];
        *e = (struct ag_effect){.limit_ix = limit_ix, .key = key};
    }
    if (__builtin_add_overflow(e->n, n, &e->n))
        e->n = UINT64_MAX;
    e->view = (struct ag_limit_view){.admits = true};
    if (c->snapshot && c->snapshot->limit_peek &&
        !c->snapshot->limit_peek(c->snapshot->self, c->im, limit_ix, e->key, e->n, &e->view))
        return ag_stop(c, AG_EVAL_STATE);
    if (!e->view.admits) {
        struct ag_str name = ag_image_str(c->im, l->name);
        ag_outcome_add(c, (enum ag_severity)l->on_exceed, AG_BY_LIMIT, name, name, ag_str_of(NULL, 0));
        if (o->by == AG_BY_LIMIT && o->risk == AG_RISK_NONE) // no rule was asked how grave the action is
            o->risk = (enum ag_risk_level)c->im->meta->default_risk;
    }
    return ag_bool(e->view.admits);
}

struct ag_value
ag_effect_limit(struct ag_call *c, uint32_t limit_ix, const struct ag_value *args, uint32_t n)
{
    const struct ag_limit *l = &c->im->limits[limit_ix];
    struct ag_str key;
    uint64_t units = 1;
    if (n > l->nkeys && !amount(args[l->nkeys], &units)) {
        refuse(c, "the cost of a limit is not a number of at least 0");
        return ag_bool(false);
    }
    return make_key(c, args, l->nkeys, &key) ? plan(c, limit_ix, key, units) : ag_bool(false);
}

// --- data.aegis.effects
// ----------------------------------------------------------------------------------------------

static uint32_t
find_limit(const struct ag_call *c, struct ag_value name)
{
    for (uint32_t i = 0; name.kind == AG_STRING && i < c->im->nlimits; i++)
        if (ag_str_eq(ag_image_str(c->im, c->im->limits[i].name), ag_value_str(name)))
            return i;
    return AG_NONE;
}

static bool
op_fits(struct ag_value op, enum ag_limit_kind kind)
{
    if (op.kind != AG_STRING)
        return false;
    switch (kind) {
    case AG_LIMIT_RATE:
    case AG_LIMIT_WINDOW: return ag_str_eq(ag_value_str(op), AG_STR("rate.take"));
    case AG_LIMIT_QUOTA: return ag_str_eq(ag_value_str(op), AG_STR("quota.take"));
    case AG_LIMIT_BUDGET: return ag_str_eq(ag_value_str(op), AG_STR("budget.reserve"));
    }
    return false;
}

static bool
plan_element(struct ag_call *c, struct ag_value v)
{
    struct ag_value op = ag_object_get(&c->mem, v, AG_STR("op")),
                    keys = ag_object_get(&c->mem, v, AG_STR("key"));
    struct ag_value count = ag_object_get(&c->mem, v, AG_STR("n")), values[AG_LIMIT_KEYS_MAX];
    uint32_t ix = find_limit(c, ag_object_get(&c->mem, v, AG_STR("limit")));
    uint64_t n = 1;
    struct ag_str key;
    if (ix == AG_NONE || !op_fits(op, (enum ag_limit_kind)c->im->limits[ix].kind) ||
        (count.kind != AG_UNDEF && !amount(count, &n)))
        return false;
    uint32_t nkeys = c->im->limits[ix].nkeys;
    if ((keys.kind != AG_ARRAY && nkeys) || (nkeys && keys.len != nkeys) || nkeys > AG_LIMIT_KEYS_MAX)
        return false;
    for (uint32_t i = 0; i < nkeys; i++)
        values[i] = ag_value_at(&c->mem, keys, i);
    if (make_key(c, values, nkeys, &key))
        plan(c, ix, key, n);
    return true;
}

void
ag_effect_plan(struct ag_call *c, struct ag_value effects)
{
    if (effects.kind == AG_UNDEF)
        return;
    if (effects.kind != AG_SET && effects.kind != AG_ARRAY) {
        if (effects.kind == AG_ERROR)
            ag_outcome_fault(c, effects);
        else
            refuse(c, "data.aegis.effects is not a set");
        return;
    }
    if (effects.len > AG_EFFECTS_MAX) {
        refuse(c, "more than 16 effects");
        return;
    }
    for (uint32_t i = 0; i < effects.len && c->stop == AG_EVAL_OK; i++)
        if (!plan_element(c, ag_value_at(&c->mem, effects, i)))
            refuse(c, "data.aegis.effects holds an element that names no operation on a declared limit");
}
