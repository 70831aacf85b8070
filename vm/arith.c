// SPDX-License-Identifier: Apache-2.0
// Arithmetic and set algebra of registers: integers fast, everything else by num.h; sets by merging sorted
// arrays. In: two values that are neither undefined nor errors. Out: a value, or an error value. Who owns
// memory: results lie in the call's arena. Next file to read: base/num.h.
#include "machine.h"

struct ag_value
ag_number_result(struct ag_call *c, enum ag_num_status s, struct ag_num n)
{
    switch (s) {
    case AG_NUM_OK: return ag_number_value(&c->mem, n);
    case AG_NUM_FULL: return ag_stop(c, AG_EVAL_ARENA);
    case AG_NUM_DIV_ZERO: return ag_err(AG_VERR_DIV_ZERO, 0);
    case AG_NUM_NOT_INT: return ag_err(AG_VERR_TYPE, 0);
    default: return ag_err(AG_VERR_RANGE, 0);
    }
}

typedef enum ag_num_status num_fn(struct ag_num, struct ag_num, struct ag_arena *, struct ag_num *);

static struct ag_value
general(struct ag_call *c, struct ag_value a, struct ag_value b, num_fn *fn, uint64_t cost,
        enum ag_operator op)
{
    struct ag_num n = ag_num_of_int(0);
    if (a.kind != AG_NUMBER || b.kind != AG_NUMBER)
        return ag_error_operator(AG_VERR_TYPE, op, a, b);
    if (!ag_charge(c, cost))
        return ag_undef();
    enum ag_num_status s = fn(ag_number_view(a), ag_number_view(b), c->mem.arena, &n);
    if (s == AG_NUM_DIV_ZERO || s == AG_NUM_NOT_INT)
        return ag_error_operator(s == AG_NUM_DIV_ZERO ? AG_VERR_DIV_ZERO : AG_VERR_MOD_FLOAT, op, a, b);
    return ag_number_result(c, s, n);
}

static inline bool
both_int(struct ag_value a, struct ag_value b)
{
    return a.kind == AG_NUMBER && b.kind == AG_NUMBER && !a.sub && !b.sub;
}

#define SOFT_COST 8u // units of one soft-float operation, about eight times a plain instruction

struct ag_value
ag_value_add(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    int64_t r;
    if (both_int(a, b) && !__builtin_add_overflow(a.i, b.i, &r))
        return ag_int(r);
    return general(c, a, b, ag_num_add, SOFT_COST, AG_OPR_PLUS);
}

struct ag_value
ag_value_mul(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    int64_t r;
    if (both_int(a, b) && !__builtin_mul_overflow(a.i, b.i, &r))
        return ag_int(r);
    return general(c, a, b, ag_num_mul, SOFT_COST, AG_OPR_MUL);
}

struct ag_value
ag_value_div(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    if (both_int(a, b) && b.i != 0 && b.i != -1 && a.i % b.i == 0)
        return ag_int(a.i / b.i);
    return general(c, a, b, ag_num_div, SOFT_COST, AG_OPR_DIV);
}

struct ag_value
ag_value_mod(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    if (both_int(a, b) && b.i != 0)
        return ag_int(b.i == -1 ? 0 : a.i % b.i);
    return general(c, a, b, ag_num_mod, AG_NUM_TEXT_MAX, AG_OPR_REM);
}

// --- sets
// ------------------------------------------------------------------------------------------------------

enum keep { KEEP_LEFT = 1, KEEP_BOTH = 2, KEEP_RIGHT = 4 };

// Walks two sorted sets and keeps the elements that are only left, in both, only right, as `keep` says.
static struct ag_value
set_walk(struct ag_call *c, struct ag_value a, struct ag_value b, unsigned keep, enum ag_operator op)
{
    const struct ag_mem *m = &c->mem;
    if (a.kind != AG_SET || b.kind != AG_SET)
        return ag_error_operator(AG_VERR_TYPE, op, a, b);
    if (!ag_charge(c, (uint64_t)a.len + b.len))
        return ag_undef();
    struct ag_builder *out = ag_builder_new(m, AG_SET);
    bool ok = out;
    for (uint32_t i = 0, k = 0; ok && (i < a.len || k < b.len);) {
        int r = i == a.len   ? 1
                : k == b.len ? -1
                             : ag_value_cmp(m, ag_value_at(m, a, i), ag_value_at(m, b, k));
        unsigned side = r < 0 ? KEEP_LEFT : r > 0 ? KEEP_RIGHT : KEEP_BOTH;
        if (keep & side)
            ok = ag_builder_push(m, out, r > 0 ? ag_value_at(m, b, k) : ag_value_at(m, a, i));
        i += r <= 0;
        k += r >= 0;
    }
    struct ag_value v = ok ? ag_builder_close(m, out) : ag_undef();
    return v.kind == AG_UNDEF ? ag_stop(c, AG_EVAL_ARENA) : v;
}

struct ag_value
ag_value_sub(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    int64_t r;
    if (both_int(a, b) && !__builtin_sub_overflow(a.i, b.i, &r))
        return ag_int(r);
    if (a.kind == AG_SET)
        return set_walk(c, a, b, KEEP_LEFT, AG_OPR_MINUS);
    return general(c, a, b, ag_num_sub, SOFT_COST, AG_OPR_MINUS);
}

struct ag_value
ag_set_and(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    return set_walk(c, a, b, KEEP_BOTH, AG_OPR_AND);
}

struct ag_value
ag_set_or(struct ag_call *c, struct ag_value a, struct ag_value b)
{
    return set_walk(c, a, b, KEEP_LEFT | KEEP_BOTH | KEEP_RIGHT, AG_OPR_OR);
}
