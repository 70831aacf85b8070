// SPDX-License-Identifier: Apache-2.0
// Limits and planned effects: what a decision wants charged, and whether the snapshot still admits it.
// In: limit numbers with key values, or the set data.aegis.effects. Out: effects in the outcome, and the
// limit's word when it is exhausted. Who owns memory: keys lie in the call's arena. Next file to read:
// runtime/host/commit.c.
#include "machine.h"
#include "buf.h"

#define MICRO 1000000 // micro-dollars of a dollar

// A limit and key that a built-in has asked about.
struct ag_peek {
    struct ag_peek *next;
    uint32_t limit_ix; // AG_NONE: whether the tenant `key` is killed
    struct ag_str key;
    uint64_t n;
    struct ag_limit_view view; // of a tenant: `admits` says that no switch holds
};

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
        if (values[i].kind == AG_ERROR || values[i].kind > AG_SET || !put_key(c, &out, values[i]))
            return false;
    }
    ag_arena_reset(c->mem.arena, mark + out.n); // align 1: the key starts at the mark
    *ret = ag_str_of(p, out.n);
    return true;
}

// The amount to charge, rounded up to a whole unit: events, or micro-dollars of a budget given in dollars.
// False: not a number, negative, or beyond 2^53.
static bool
amount(struct ag_call *c, const struct ag_limit *l, struct ag_value v, uint64_t *ret)
{
    int64_t i;
    if (v.kind != AG_NUMBER)
        return false;
    if (l->kind == AG_LIMIT_BUDGET)
        v = ag_value_mul(c, v, ag_int(MICRO));
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

static struct ag_peek *
remember(struct ag_call *c, uint32_t limit_ix, struct ag_str key, uint64_t n, struct ag_limit_view view)
{
    struct ag_peek *p = ag_call_alloc(c, sizeof *p, 8);
    if (p) {
        *p = (struct ag_peek){c->peeks, limit_ix, key, n, view};
        c->peeks = p;
    }
    return p;
}

// What the snapshot says about a limit, a key and n; what a built-in has asked already is not read again.
// False: the evaluation ends.
static bool
peek(struct ag_call *c, uint32_t limit_ix, struct ag_str key, uint64_t n, bool is_kept,
     struct ag_limit_view *ret)
{
    for (const struct ag_peek *p = c->peeks; p; p = p->next)
        if (p->limit_ix == limit_ix && p->n == n && ag_str_eq(p->key, key)) {
            *ret = p->view;
            return true;
        }
    *ret = (struct ag_limit_view){.admits = true};
    if (c->snapshot && c->snapshot->limit_peek &&
        !c->snapshot->limit_peek(c->snapshot->self, c->im, limit_ix, key, n, ret)) {
        ag_stop(c, AG_EVAL_STATE);
        return false;
    }
    return !is_kept || remember(c, limit_ix, key, n, *ret);
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
        *e = (struct ag_effect){.limit_ix = limit_ix, .op = AG_EFFECT_CHARGE, .key = key};
    }
    if (__builtin_add_overflow(e->n, n, &e->n))
        e->n = UINT64_MAX;
    if (l->kind == AG_LIMIT_WINDOW && e->n > 1) {
        refuse(c, "a limit with a window counts one event for each decision");
        return ag_bool(false);
    }
    if (!peek(c, limit_ix, e->key, e->n, false, &e->view))
        return ag_undef();
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
    if (n > l->nkeys && !amount(c, l, args[l->nkeys], &units)) {
        refuse(c, "the cost of a limit is not a number of at least 0");
        return ag_bool(false);
    }
    if (make_key(c, args, l->nkeys, &key))
        return plan(c, limit_ix, key, units);
    refuse(c, "a limit's key is an error or longer than 4096 bytes");
    return ag_bool(false);
}

// --- data.aegis.effects
// ----------------------------------------------------------------------------------------------

uint32_t
ag_limit_find(const struct ag_image *im, struct ag_str name)
{
    for (uint32_t i = 0; i < im->nlimits; i++)
        if (ag_str_eq(ag_image_str(im, im->limits[i].name), name))
            return i;
    return AG_NONE;
}

const char *
ag_effect_op_of(enum ag_limit_kind kind)
{
    switch (kind) {
    case AG_LIMIT_RATE:
    case AG_LIMIT_WINDOW: return "rate.take";
    case AG_LIMIT_QUOTA: return "quota.take";
    case AG_LIMIT_BUDGET: return "budget.reserve";
    }
    return "";
}

// An element that cannot be used denies and says why; `name` is shown when it is not empty.
static void
bad_effect(struct ag_call *c, const char *what, struct ag_str name)
{
    ag_outcome_fault(c, ag_error(c, AG_VERR_BUILTIN, "an element of data.aegis.effects %s%.*s%s", what,
                                 (int)(name.n < AG_WORD_SHOWN_MAX ? name.n : AG_WORD_SHOWN_MAX), name.p,
                                 name.n ? "\"" : ""));
}

struct element {
    struct ag_value op, limit, key, n, text;
};

// The members of an element. Unknown ones are refused: a misspelt key must not charge another amount.
static bool
read_element(struct ag_call *c, struct ag_value v, struct element *e)
{
    e->op = e->limit = e->key = e->n = e->text = ag_undef();
    if (v.kind != AG_OBJECT) {
        bad_effect(c, "is no object", ag_str_of("", 0));
        return false;
    }
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value key = ag_object_key(&c->mem, v, i);
        struct ag_str name = key.kind == AG_STRING ? ag_value_str(key) : ag_str_of("", 0);
        struct ag_value *to = ag_str_is(name, "op")      ? &e->op
                              : ag_str_is(name, "limit") ? &e->limit
                              : ag_str_is(name, "key")   ? &e->key
                              : ag_str_is(name, "n")     ? &e->n
                              : ag_str_is(name, "text")  ? &e->text
                                                         : NULL;
        if (!to) {
            bad_effect(c, "has a member that is none of op, limit, key, n and text: \"", name);
            return false;
        }
        *to = ag_value_at(&c->mem, v, i);
    }
    if (e->op.kind == AG_STRING)
        return true;
    bad_effect(c, "has no op that is a string", ag_str_of("", 0));
    return false;
}

static void
plan_note(struct ag_call *c, const struct element *e)
{
    struct ag_outcome *o = c->outcome;
    if (e->text.kind != AG_STRING || e->text.len == 0 || e->text.len > AG_NOTE_MAX ||
        e->limit.kind != AG_UNDEF || e->key.kind != AG_UNDEF || e->n.kind != AG_UNDEF)
        bad_effect(c, "with op audit.note has no text of 1 to 256 bytes, or more members than op and text",
                   ag_str_of("", 0));
    else if (o->neffects == AG_EFFECTS_MAX)
        refuse(c, "more than 16 effects");
    else
        o->effect[o->neffects++] = (struct ag_effect){.limit_ix = AG_NONE,
                                                      .op = AG_EFFECT_NOTE,
                                                      .key = ag_value_str(e->text),
                                                      .view = {.admits = true}};
}

// The key values of an element as they are encoded; false: the array is another than the limit's.
static bool
element_key(struct ag_call *c, struct ag_value keys, uint32_t nkeys, struct ag_str *ret)
{
    struct ag_value values[AG_LIMIT_KEYS_MAX];
    uint32_t n = keys.kind == AG_ARRAY ? keys.len : 0;
    if ((keys.kind != AG_ARRAY && keys.kind != AG_UNDEF) || n != nkeys || n > AG_LIMIT_KEYS_MAX)
        return false;
    for (uint32_t i = 0; i < n; i++)
        values[i] = ag_value_at(&c->mem, keys, i);
    return make_key(c, values, n, ret);
}

static void
plan_element(struct ag_call *c, struct ag_value v)
{
    struct element e;
    struct ag_str key;
    uint64_t n = 1;
    if (!read_element(c, v, &e))
        return;
    struct ag_str op = ag_value_str(e.op);
    if (ag_str_is(op, "audit.note")) {
        plan_note(c, &e);
        return;
    }
    struct ag_str name = e.limit.kind == AG_STRING ? ag_value_str(e.limit) : ag_str_of("", 0);
    bool is_charge =
        ag_str_is(op, "rate.take") || ag_str_is(op, "quota.take") || ag_str_is(op, "budget.reserve");
    uint32_t ix = is_charge ? ag_limit_find(c->im, name) : AG_NONE;
    if (!is_charge)
        bad_effect(c, "has an op that is not available: \"", op);
    else if (ix == AG_NONE)
        bad_effect(c, "names a limit that limits: does not declare: \"", name);
    else if (!ag_str_is(op, ag_effect_op_of((enum ag_limit_kind)c->im->limits[ix].kind)))
        bad_effect(c, "has an op that is not that of its limit: \"", op);
    else if (e.text.kind != AG_UNDEF || (e.n.kind != AG_UNDEF && !amount(c, &c->im->limits[ix], e.n, &n)))
        bad_effect(c, "has an n that is no number of at least 0, or a text: limit \"", name);
    else if (!element_key(c, e.key, c->im->limits[ix].nkeys, &key))
        bad_effect(c, "has another key than its limit, an array with a value for each field: limit \"", name);
    else
        plan(c, ix, key, n);
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
        plan_element(c, ag_value_at(&c->mem, effects, i));
}

// --- what built-ins read
// -------------------------------------------------------------------------------------------------

bool
ag_effect_peek(struct ag_call *c, uint32_t limit_ix, struct ag_value keys, struct ag_limit_view *ret)
{
    struct ag_str key;
    if (!element_key(c, keys, c->im->limits[limit_ix].nkeys, &key))
        return false;
    // One event, or one micro-dollar: whether anything is left at all.
    peek(c, limit_ix, key, 1, true, ret);
    return true;
}

struct ag_value
ag_effect_killed(struct ag_call *c, struct ag_str tenant)
{
    for (const struct ag_peek *p = c->peeks; p; p = p->next)
        if (p->limit_ix == AG_NONE && ag_str_eq(p->key, tenant))
            return ag_bool(!p->view.admits);
    int is_killed =
        c->snapshot && c->snapshot->killed_tenant ? c->snapshot->killed_tenant(c->snapshot->self, tenant) : 0;
    if (is_killed < 0)
        return ag_stop(c, AG_EVAL_KILL_UNREADABLE);
    if (!remember(c, AG_NONE, tenant, 0, (struct ag_limit_view){.admits = !is_killed}))
        return ag_undef();
    return ag_bool(is_killed);
}
