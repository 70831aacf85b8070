// SPDX-License-Identifier: Apache-2.0
// Built-ins on numbers. In: argument registers. Out: numbers, arrays of them, text. Memory: the call's arena.
// Next file to read: base/num.h, which does the work.
#include "big.h"
#include "builtin_fns.h"

#define SOFT_COST AG_NUM_TEXT_MAX / AG_STEP_BYTES // exact decimal work on the longest number
#define BIG_COST  (AG_BIG_LIMBS * AG_BIG_LIMBS / AG_STEP_BYTES)

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
        return ag_error(c, AG_VERR_RANGE, "more than %u numbers", AG_CONTAINER_MAX);
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

// Operand `pos` as a whole number, 1.0 too; false: *ret_error is the error.
static bool
whole(struct ag_call *c, unsigned pos, struct ag_value v, int64_t *ret, struct ag_value *ret_error)
{
    struct ag_big big;
    if (ag_number_int(v, ret))
        return true;
    if (ag_big_of(v, &big) == AG_BIG_FRACTION)
        *ret_error =
            ag_error(c, AG_VERR_TYPE, "operand %u must be integer number but got floating-point number", pos);
    else
        *ret_error = ag_error(c, AG_VERR_RANGE, "operand %u does not fit 64 bits", pos);
    return false;
}

struct ag_value
ag_bi_range(struct ag_call *c, const struct ag_value *a)
{
    int64_t from, to;
    struct ag_value error;
    if (!whole(c, 1, a[0], &from, &error) || !whole(c, 2, a[1], &to, &error))
        return error;
    return range(c, from, to, 1);
}

struct ag_value
ag_bi_range_step(struct ag_call *c, const struct ag_value *a)
{
    int64_t from, to, step;
    struct ag_value error;
    struct ag_big big;
    if (!whole(c, 1, a[0], &from, &error) || !whole(c, 2, a[1], &to, &error))
        return error;
    if (!ag_number_int(a[2], &step) && ag_big_of(a[2], &big) != AG_BIG_FRACTION)
        step =
            ag_number_cmp(a[2], ag_int(0)) < 0 ? -1 : INT64_MAX; // further than any range of 64 bits at once
    else if (!whole(c, 3, a[2], &step, &error))
        return error;
    if (step <= 0)
        return ag_error(c, AG_VERR_BUILTIN, "numbers.range_step: step must be a positive integer");
    return range(c, from, to, (uint64_t)step);
}

static struct ag_value
bad_number(struct ag_call *c, struct ag_value s, const char *why)
{
    char text[160];
    struct ag_buf quoted;
    ag_buf_init(&quoted, text, sizeof text);
    ag_bi_put_quoted(&quoted, ag_str_of((const char *)s.p, s.len > 30 ? 30 : s.len), '"', false);
    return ag_error(c, AG_VERR_BUILTIN, "strconv.ParseFloat: parsing %.*s: %s", (int)quoted.n, text, why);
}

static bool
is_word(struct ag_str s, const char *word)
{
    if (s.n != strlen(word))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] | 0x20) != word[i])
            return false;
    return true;
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
    struct ag_str s = ag_value_str(a[0]), bare = s;
    while (bare.n && (*bare.p == '+' || *bare.p == '-'))
        bare = ag_str_of(bare.p + 1, bare.n - 1);
    if (is_word(bare, "inf") || is_word(bare, "infinity") || is_word(bare, "nan"))
        return ag_error_operand(c, 1, "valid number string", a[0]);
    enum ag_num_status status = ag_num_parse(s, c->mem.arena, &n);
    double d = status == AG_NUM_OK ? ag_num_to_double(n) : 0;
    if (status == AG_NUM_FULL || (status == AG_NUM_OK && d - d == 0))
        return ag_number_result(c, status, n);
    return bad_number(
        c, a[0], status == AG_NUM_OK || status == AG_NUM_RANGE ? "value out of range" : "invalid syntax");
}

// The base is compared as it is spelled.
struct ag_value
ag_bi_format_int(struct ag_call *c, const struct ag_value *a)
{
    char text[AG_BIG_TEXT];
    struct ag_big big;
    int64_t base = a[1].sub ? 0 : a[1].i;
    if (base != 2 && base != 8 && base != 10 && base != 16)
        return ag_error(c, AG_VERR_TYPE, "operand 2 must be one of {2, 8, 10, 16}");
    if (!ag_charge(c, a[0].sub ? BIG_COST : 1))
        return ag_undef();
    if (ag_big_of(a[0], &big) == AG_BIG_RANGE)
        return ag_error(c, AG_VERR_RANGE, "operand 1 has more than %u bits", AG_BIG_BITS);
    return ag_bi_copy(c, ag_str_of(text, ag_big_text(&big, (unsigned)base, text)));
}
