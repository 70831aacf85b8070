// SPDX-License-Identifier: Apache-2.0
// Built-ins on the bits of integers of any size, negative ones in two's complement without end. In: numbers.
// Out: numbers. Who owns memory: the call's arena. Next file to read: big.h.
#include "big.h"
#include "builtin_fns.h"

#define BIG_COST (AG_BIG_LIMBS * AG_BIG_LIMBS / AG_STEP_BYTES) // digits of the longest number

// Operand `pos` as an integer; false: *ret_error is the error.
static bool
operand(struct ag_call *c, unsigned pos, struct ag_value v, struct ag_big *ret, struct ag_value *ret_error)
{
    enum ag_big_status s = ag_big_of(v, ret);
    if (s == AG_BIG_FRACTION)
        *ret_error =
            ag_error(c, AG_VERR_TYPE, "operand %u must be integer number but got floating-point number", pos);
    if (s == AG_BIG_RANGE)
        *ret_error = ag_error(c, AG_VERR_RANGE, "operand %u has more than %u bits", pos, AG_BIG_BITS);
    return s == AG_BIG_OK;
}

// Adds one to the magnitude; false: it does not fit.
static bool
increment(struct ag_big *b)
{
    for (uint32_t i = 0; i < AG_BIG_LIMBS; i++) {
        if (i == b->n)
            b->n++;
        if (++b->limb[i])
            return true;
    }
    return false;
}

// Takes one from the magnitude, which is not zero.
static void
decrement(struct ag_big *b)
{
    for (uint32_t i = 0; i < b->n && b->limb[i]-- == 0; i++)
        ;
    if (b->limb[b->n - 1] == 0)
        b->n--;
}

// ~b: -b - 1.
static bool
complement(struct ag_big *b)
{
    if (b->is_negative) {
        decrement(b);
        b->is_negative = false;
        return true;
    }
    b->is_negative = true;
    return increment(b);
}

enum bit_op { BIT_AND, BIT_OR, BIT_XOR };

// A negative number is the complement of what is not negative: x = ~x', whose limbs are those of x' flipped.
static struct ag_value
combine(struct ag_call *c, const struct ag_value *a, enum bit_op op)
{
    struct ag_big x, y, r = {.n = AG_BIG_LIMBS};
    struct ag_value error;
    if (!a[0].sub && !a[1].sub)
        return ag_int(op == BIT_AND ? a[0].i & a[1].i : op == BIT_OR ? a[0].i | a[1].i : a[0].i ^ a[1].i);
    if (!ag_charge(c, BIG_COST))
        return ag_undef();
    if (!operand(c, 1, a[0], &x, &error) || !operand(c, 2, a[1], &y, &error))
        return error;
    uint64_t fx = x.is_negative ? UINT64_MAX : 0, fy = y.is_negative ? UINT64_MAX : 0;
    if (fx)
        complement(&x);
    if (fy)
        complement(&y);
    uint64_t fr = op == BIT_AND ? fx & fy : op == BIT_OR ? fx | fy : fx ^ fy;
    for (uint32_t i = 0; i < AG_BIG_LIMBS; i++) {
        uint64_t l = x.limb[i] ^ fx, m = y.limb[i] ^ fy;
        r.limb[i] = (op == BIT_AND ? l & m : op == BIT_OR ? l | m : l ^ m) ^ fr;
    }
    while (r.n && r.limb[r.n - 1] == 0)
        r.n--;
    if (fr && !complement(&r))
        return ag_error(c, AG_VERR_RANGE, "the result has more than %u bits", AG_BIG_BITS);
    return ag_big_value(c, &r);
}

struct ag_value
ag_bi_bits_and(struct ag_call *c, const struct ag_value *a)
{
    return combine(c, a, BIT_AND);
}
struct ag_value
ag_bi_bits_or(struct ag_call *c, const struct ag_value *a)
{
    return combine(c, a, BIT_OR);
}
struct ag_value
ag_bi_bits_xor(struct ag_call *c, const struct ag_value *a)
{
    return combine(c, a, BIT_XOR);
}

struct ag_value
ag_bi_bits_negate(struct ag_call *c, const struct ag_value *a)
{
    struct ag_big x;
    struct ag_value error;
    if (!a[0].sub)
        return ag_int(~a[0].i);
    if (!ag_charge(c, BIG_COST))
        return ag_undef();
    if (!operand(c, 1, a[0], &x, &error))
        return error;
    if (!complement(&x))
        return ag_error(c, AG_VERR_RANGE, "the result has more than %u bits", AG_BIG_BITS);
    return ag_big_value(c, &x);
}

static bool
shift_left(struct ag_big *b, uint64_t by)
{
    if (b->n == 0)
        return true;
    uint64_t top = 64 * (uint64_t)b->n - (unsigned)__builtin_clzll(b->limb[b->n - 1]);
    if (by > AG_BIG_BITS || top + by > AG_BIG_BITS)
        return false;
    uint32_t limbs = (uint32_t)by / 64, bits = (uint32_t)by % 64;
    struct ag_big from = *b;
    *b = (struct ag_big){.n = (uint32_t)((top + by + 63) / 64), .is_negative = from.is_negative};
    for (uint32_t i = 0; i < from.n; i++) {
        b->limb[i + limbs] |= from.limb[i] << bits;
        if (bits && i + limbs + 1 < AG_BIG_LIMBS)
            b->limb[i + limbs + 1] |= from.limb[i] >> (64 - bits);
    }
    return true;
}

// Of numbers that are not negative.
static void
shift_right(struct ag_big *b, uint64_t by)
{
    uint64_t limbs = by / 64;
    uint32_t bits = (uint32_t)(by % 64), n = limbs >= b->n ? 0 : b->n - (uint32_t)limbs;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t from = i + (uint32_t)limbs;
        uint64_t above = from + 1 < b->n ? b->limb[from + 1] : 0;
        b->limb[i] = b->limb[from] >> bits | (bits ? above << (64 - bits) : 0);
    }
    for (uint32_t i = n; i < b->n; i++)
        b->limb[i] = 0;
    b->n = n;
    while (b->n && b->limb[b->n - 1] == 0)
        b->n--;
}

static struct ag_value
shift(struct ag_call *c, const struct ag_value *a, bool left)
{
    struct ag_big x, by;
    struct ag_value error;
    if (!ag_charge(c, BIG_COST))
        return ag_undef();
    if (!operand(c, 1, a[0], &x, &error) || !operand(c, 2, a[1], &by, &error))
        return error;
    if (by.is_negative)
        return ag_error(c, AG_VERR_TYPE,
                        "operand 2 must be an unsigned integer number but got a negative integer");
    uint64_t n = by.n ? by.limb[0] : 0; // the low 64 bits count
    if (left)
        return shift_left(&x, n)
                   ? ag_big_value(c, &x)
                   : ag_error(c, AG_VERR_RANGE, "the result has more than %u bits", AG_BIG_BITS);
    bool flip = x.is_negative; // towards minus infinity: ~(~x >> n)
    if (flip)
        complement(&x);
    shift_right(&x, n);
    if (flip)
        complement(&x);
    return ag_big_value(c, &x);
}

struct ag_value
ag_bi_bits_lsh(struct ag_call *c, const struct ag_value *a)
{
    return shift(c, a, true);
}
struct ag_value
ag_bi_bits_rsh(struct ag_call *c, const struct ag_value *a)
{
    return shift(c, a, false);
}
