// SPDX-License-Identifier: Apache-2.0
// Built-ins on numbers. In: argument registers. Out: numbers, arrays of them, text. Memory: the call's arena.
// Next file to read: base/num.h, which does the work.
#include "builtin_fns.h"

#define SOFT_COST AG_NUM_TEXT_MAX / AG_STEP_BYTES // exact decimal work on the longest number

static struct ag_value
unary(struct ag_call *c, struct ag_value v,
      enum ag_num_status (*fn)(struct ag_num, struct ag_arena *, struct ag_num *))
{
    struct ag_num n = ag_num_of_int(0);
    if (!ag_charge(c, v.sub ? SOFT_COST : 1))
        return ag_undef();
    enum ag_num_status s = fn(ag_number_view(v), c->mem.arena, &n);
    return ag_number_result(c, s, n);
}

struct ag_value
ag_bi_abs(struct ag_call *c, const struct ag_value *a)
{
    return unary(c, a[0], ag_num_abs);
}

struct ag_value
ag_bi_ceil(struct ag_call *c, const struct ag_value *a)
{
    return unary(c, a[0], ag_num_ceil);
}

struct ag_value
ag_bi_floor(struct ag_call *c, const struct ag_value *a)
{
    return unary(c, a[0], ag_num_floor);
}

struct ag_value
ag_bi_round(struct ag_call *c, const struct ag_value *a)
{
    return unary(c, a[0], ag_num_round);
}

static struct ag_value
range(struct ag_call *c, int64_t from, int64_t to, uint64_t step)
{
    uint64_t n = (to >= from ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to) / step;
    if (n >= AG_CONTAINER_MAX)
        return ag_bi_error();
    if (!ag_charge(c, n + 1))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b;
    for (uint64_t i = 0; ok && i <= n; i++)
        ok = ag_builder_push(
            &c->mem, b,
            ag_int((int64_t)(to >= from ? (uint64_t)from + i * step : (uint64_t)from - i * step)));
    return ag_bi_close(c, b, ok);
}

struct ag_value
ag_bi_range(struct ag_call *c, const struct ag_value *a)
{
    int64_t from, to;
    if (!ag_number_int(a[0], &from) || !ag_number_int(a[1], &to))
        return ag_bi_error();
    return range(c, from, to, 1);
}

struct ag_value
ag_bi_range_step(struct ag_call *c, const struct ag_value *a)
{
    int64_t from, to, step;
    if (!ag_number_int(a[0], &from) || !ag_number_int(a[1], &to) || !ag_number_int(a[2], &step) || step <= 0)
        return ag_bi_error();
    return range(c, from, to, (uint64_t)step);
}

struct ag_value
ag_bi_to_number(struct ag_call *c, const struct ag_value *a)
{
    struct ag_num n = ag_num_of_int(0);
    switch (a[0].kind) {
    case AG_NULL: return ag_int(0);
    case AG_BOOL: return ag_int(a[0].i);
    case AG_NUMBER: return a[0];
    default: break;
    }
    if (!ag_charge_bytes(c, a[0].len))
        return ag_undef();
    enum ag_num_status s = ag_num_parse(ag_value_str(a[0]), c->mem.arena, &n);
    return s == AG_NUM_OK || s == AG_NUM_FULL ? ag_number_result(c, s, n) : ag_bi_error();
}

struct ag_value
ag_bi_format_int(struct ag_call *c, const struct ag_value *a)
{
    char text[72];
    size_t at = sizeof text;
    int64_t base, i;
    struct ag_num n = ag_num_of_int(0);
    if (!ag_number_int(a[1], &base) || (base != 2 && base != 8 && base != 10 && base != 16))
        return ag_bi_error();
    // The integer part: towards zero.
    bool negative = ag_number_cmp(a[0], ag_int(0)) < 0;
    enum ag_num_status s = negative ? ag_num_ceil(ag_number_view(a[0]), c->mem.arena, &n)
                                    : ag_num_floor(ag_number_view(a[0]), c->mem.arena, &n);
    if (s == AG_NUM_FULL)
        return ag_stop(c, AG_EVAL_ARENA);
    if (s != AG_NUM_OK || !ag_num_to_int64(n, &i))
        return ag_bi_error();
    uint64_t v = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do {
        text[--at] = "0123456789abcdef"[v % (uint64_t)base];
        v /= (uint64_t)base;
    } while (v);
    if (i < 0)
        text[--at] = '-';
    return ag_bi_copy(c, ag_str_of(text + at, sizeof text - at));
}
