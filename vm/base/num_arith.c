// SPDX-License-Identifier: Apache-2.0
// Arithmetic: exact on int64 while the result fits, else a soft float with a 64-bit mantissa rounded to
// nearest even, integer instructions only. In: numbers. Out: the shortest decimal of the result, inline or in
// the caller's arena. A mantissa is never stored alone: the decimal is the value, as in Open Policy Agent,
// whose numbers are text. Next file to read: fmath.c for the doubles of the gates.
#include "dec.h"
#include "num_make.h"

__extension__ typedef unsigned __int128 u128;

#define TOP_BIT ((uint64_t)1 << 63)

static struct ag_soft
soft_of(struct ag_num n)
{
    if (n.rec)
        return (struct ag_soft){n.rec->mant, n.rec->exp2, n.rec->is_negative};
    uint64_t v = n.i < 0 ? 0 - (uint64_t)n.i : (uint64_t)n.i;
    if (!v)
        return (struct ag_soft){0, 0, false};
    int z = __builtin_clzll(v);
    return (struct ag_soft){v << z, -z, n.i < 0};
}

// Whole numbers only: the value is mant × 2^exp2 with exp2 >= 0 afterwards, the top bit no longer set.
static bool
soft_whole(struct ag_soft *x)
{
    if (!x->mant || x->exp2 >= 0)
        return true;
    if (x->exp2 <= -64 || x->mant << (64 + x->exp2))
        return false;
    x->mant >>= -x->exp2;
    x->exp2 = 0;
    return true;
}

static struct ag_soft
soft_round(struct ag_wide w, bool is_negative)
{
    struct ag_soft ret = {0, 0, is_negative};
    ag_wide_norm(&w);
    ag_wide_round(&w, &ret.mant, &ret.exp2);
    return ret;
}

// Adds magnitudes or subtracts the smaller from the larger; 64 bits below the mantissa, the lowest one
// sticky.
static struct ag_soft
soft_add(struct ag_soft x, struct ag_soft y)
{
    if (!x.mant || !y.mant)
        return x.mant ? x : y;
    if (x.exp2 < y.exp2 || (x.exp2 == y.exp2 && x.mant < y.mant)) {
        struct ag_soft t = x;
        x = y;
        y = t;
    }
    int64_t gap = (int64_t)x.exp2 - y.exp2;
    u128 big = (u128)x.mant << 64, small = (u128)y.mant << 64;
    bool is_lost = gap >= 128 || (gap > 64 && small << (128 - gap));
    small = (gap >= 128 ? 0 : small >> gap) | is_lost;
    int32_t exp2 = x.exp2 - 64;
    u128 sum;
    if (x.is_negative != y.is_negative) {
        sum = big - small;
        if (!sum)
            return (struct ag_soft){0, 0, false};
    } else {
        sum = big + small;
        if (sum < big) { // carry out of 128 bits
            sum = (sum >> 1 | (sum & 1)) | (u128)TOP_BIT << 64;
            exp2++;
        }
    }
    return soft_round((struct ag_wide){(uint64_t)(sum >> 64), (uint64_t)sum, exp2}, x.is_negative);
}

static struct ag_soft
soft_mul(struct ag_soft x, struct ag_soft y)
{
    if (!x.mant || !y.mant)
        return (struct ag_soft){0, 0, false};
    u128 p = (u128)x.mant * y.mant;
    return soft_round((struct ag_wide){(uint64_t)(p >> 64), (uint64_t)p, x.exp2 + y.exp2},
                      x.is_negative != y.is_negative);
}

// y is not zero.
static struct ag_soft
soft_div(struct ag_soft x, struct ag_soft y)
{
    if (!x.mant)
        return x;
    u128 r = (u128)x.mant << 63;
    uint64_t hi = (uint64_t)(r / y.mant);
    r = r % y.mant << 64;
    uint64_t lo = (uint64_t)(r / y.mant) | (r % y.mant != 0);
    return soft_round((struct ag_wide){hi, lo, x.exp2 - y.exp2 - 127}, x.is_negative != y.is_negative);
}

// Inline when the value is a whole number that fits.
static bool
soft_to_int(struct ag_soft x, struct ag_num *ret)
{
    if (!soft_whole(&x))
        return false;
    if (x.mant > TOP_BIT - !x.is_negative || x.exp2 > 63 ||
        (x.exp2 && x.mant << x.exp2 >> x.exp2 != x.mant) || x.mant << x.exp2 > TOP_BIT - !x.is_negative)
        return false;
    uint64_t v = x.mant << x.exp2;
    *ret = ag_num_of_int((int64_t)(x.is_negative ? 0 - v : v));
    return true;
}

// The number that prints as the shortest decimal of x.
static enum ag_num_status
make_shortest(struct ag_soft x, struct ag_arena *a, struct ag_num *ret)
{
    if (soft_to_int(x, ret))
        return AG_NUM_OK;
    // Far outside the limit the digits are not worth making: 10^AG_NUM_EXP_MAX is below 2^(4 ×
    // AG_NUM_EXP_MAX).
    if (x.exp2 > 4 * AG_NUM_EXP_MAX || x.exp2 < -4 * AG_NUM_EXP_MAX)
        return AG_NUM_RANGE;
    char digits[AG_DEC_SHORT];
    int32_t exp10;
    size_t n = ag_dec_shortest(x.mant, x.exp2, false, digits, &exp10);
    return ag_num_make(x.is_negative, digits, n, exp10, (struct ag_str){NULL, 0}, a, ret);
}

// The whole number x digit for digit.
static enum ag_num_status
make_exact(struct ag_soft x, struct ag_arena *a, struct ag_num *ret)
{
    char digits[AG_NUM_TEXT_MAX];
    int32_t exp10;
    if (soft_to_int(x, ret))
        return AG_NUM_OK;
    soft_whole(&x);
    size_t n = ag_dec_exact(x.mant, x.exp2, digits, &exp10);
    if (!n)
        return AG_NUM_TOO_LONG;
    return ag_num_make(x.is_negative, digits, n, exp10, (struct ag_str){NULL, 0}, a, ret);
}

enum ag_num_status
ag_num_add(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret)
{
    int64_t i, j, sum;
    if (ag_num_to_int64(x, &i) && ag_num_to_int64(y, &j) && !__builtin_add_overflow(i, j, &sum)) {
        *ret = ag_num_of_int(sum);
        return AG_NUM_OK;
    }
    return make_shortest(soft_add(soft_of(x), soft_of(y)), a, ret);
}

enum ag_num_status
ag_num_sub(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret)
{
    int64_t i, j, difference;
    if (ag_num_to_int64(x, &i) && ag_num_to_int64(y, &j) && !__builtin_sub_overflow(i, j, &difference)) {
        *ret = ag_num_of_int(difference);
        return AG_NUM_OK;
    }
    struct ag_soft minus_y = soft_of(y);
    minus_y.is_negative = !minus_y.is_negative;
    return make_shortest(soft_add(soft_of(x), minus_y), a, ret);
}

enum ag_num_status
ag_num_mul(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret)
{
    int64_t i, j, product;
    if (ag_num_to_int64(x, &i) && ag_num_to_int64(y, &j) && !__builtin_mul_overflow(i, j, &product)) {
        *ret = ag_num_of_int(product);
        return AG_NUM_OK;
    }
    return make_shortest(soft_mul(soft_of(x), soft_of(y)), a, ret);
}

enum ag_num_status
ag_num_div(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret)
{
    int64_t i, j;
    struct ag_soft divisor = soft_of(y);
    if (!divisor.mant)
        return AG_NUM_DIV_ZERO;
    if (ag_num_to_int64(x, &i) && ag_num_to_int64(y, &j) && j != -1 &&
        i % j == 0) { // -1: INT64_MIN / -1 overflows
        *ret = ag_num_of_int(i / j);
        return AG_NUM_OK;
    }
    return make_shortest(soft_div(soft_of(x), divisor), a, ret);
}

// m × 2^e modulo d.
static uint64_t
shift_mod(uint64_t m, uint32_t e, uint64_t d)
{
    uint64_t power = 1 % d, square = 2 % d;
    for (; e; e >>= 1) {
        if (e & 1)
            power = (uint64_t)((u128)power * square % d);
        square = (uint64_t)((u128)square * square % d);
    }
    return (uint64_t)((u128)(m % d) * power % d);
}

enum ag_num_status
ag_num_mod(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret)
{
    int64_t i, j;
    if (ag_num_to_int64(x, &i) && ag_num_to_int64(y, &j)) {
        if (!j)
            return AG_NUM_DIV_ZERO;
        *ret = ag_num_of_int(j == -1 ? 0 : i % j);
        return AG_NUM_OK;
    }
    struct ag_soft n = soft_of(x), d = soft_of(y);
    if (!soft_whole(&n) || !soft_whole(&d))
        return AG_NUM_NOT_INT;
    if (!d.mant)
        return AG_NUM_DIV_ZERO;
    if (n.exp2 >= d.exp2) {
        n.mant = shift_mod(n.mant, (uint32_t)(n.exp2 - d.exp2), d.mant);
        n.exp2 = d.exp2;
    } else if (d.exp2 - n.exp2 < 64) {
        u128 wide = (u128)d.mant << (d.exp2 - n.exp2);
        n.mant = (uint64_t)(n.mant % wide);
    } // else the divisor is larger than the dividend, which is the remainder
    if (!n.mant)
        n = (struct ag_soft){0, 0, false};
    return make_exact(n, a, ret);
}

enum direction { DOWN, UP, NEAREST };

static enum ag_num_status
to_whole(struct ag_num x, enum direction dir, struct ag_arena *a, struct ag_num *ret)
{
    int64_t i;
    if (ag_num_to_int64(x, &i)) {
        *ret = ag_num_of_int(i);
        return AG_NUM_OK;
    }
    struct ag_soft s = soft_of(x), whole = s;
    if (soft_whole(&whole))
        return make_exact(whole, a, ret);
    if (dir == NEAREST) {
        s = soft_add(s, (struct ag_soft){TOP_BIT, -64, s.is_negative}); // half, away from zero
        whole = s;
        if (soft_whole(&whole))
            return make_exact(whole, a, ret);
    }
    // The mantissa reaches below the point, so what is above it fits 63 bits.
    int64_t v = s.exp2 <= -64 ? 0 : (int64_t)(s.mant >> -s.exp2);
    v = s.is_negative ? -v : v;
    v += dir == UP && !s.is_negative;
    v -= dir == DOWN && s.is_negative;
    *ret = ag_num_of_int(v);
    return AG_NUM_OK;
}

enum ag_num_status
ag_num_floor(struct ag_num x, struct ag_arena *a, struct ag_num *ret)
{
    return to_whole(x, DOWN, a, ret);
}

enum ag_num_status
ag_num_ceil(struct ag_num x, struct ag_arena *a, struct ag_num *ret)
{
    return to_whole(x, UP, a, ret);
}

enum ag_num_status
ag_num_round(struct ag_num x, struct ag_arena *a, struct ag_num *ret)
{
    return to_whole(x, NEAREST, a, ret);
}

enum ag_num_status
ag_num_abs(struct ag_num x, struct ag_arena *a, struct ag_num *ret)
{
    struct ag_soft s = soft_of(x);
    s.is_negative = false;
    return make_shortest(s, a, ret);
}

// The bits of a double from a mantissa of 64 bits and a tail: rounded once, subnormals included.
static double
double_of_wide(struct ag_wide w, bool is_negative)
{
    int32_t place = w.exp2 + 127; // of the leading bit
    int drop = 11;                // bits below the 53 of a normal double
    if (place < -1022)
        drop = place < -1022 - 54 ? 65 : drop + (-1022 - place);
    uint64_t m = drop >= 64 ? 0 : w.hi >> drop;
    uint64_t rest = drop > 64 ? 0 : drop == 64 ? w.hi : w.hi << (64 - drop);
    m += rest > TOP_BIT || (rest == TOP_BIT && (w.lo || m & 1));
    uint64_t bits;
    if (place > 1023)
        bits = (uint64_t)0x7ff << 52;
    else // a carry out of the mantissa moves into the exponent, as it should
        bits = m + ((uint64_t)(place < -1022 ? 0 : place + 1022) << 52);
    bits |= (uint64_t)(is_negative && bits) << 63;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

double
ag_num_to_double(struct ag_num n)
{
    if (!n.rec)
        return (double)n.i;
    if (!n.rec->digits_n)
        return 0;
    struct ag_wide w;
    ag_dec_to_wide(n.rec->bytes, n.rec->digits_n, n.rec->exp10, &w);
    return double_of_wide(w, n.rec->is_negative);
}

enum ag_num_status
ag_num_from_double(double d, struct ag_arena *a, struct ag_num *ret)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    uint32_t exponent = bits >> 52 & 0x7ff;
    uint64_t m = bits << 12 >> 12;
    if (exponent == 0x7ff)
        return AG_NUM_RANGE;
    if (!exponent && !m) {
        *ret = ag_num_of_int(0);
        return AG_NUM_OK;
    }
    bool is_closer_below = !m && exponent > 1;
    if (exponent)
        m |= (uint64_t)1 << 52;
    else
        exponent = 1;
    char digits[AG_DEC_SHORT];
    int32_t exp10;
    size_t n = ag_dec_shortest(m, (int32_t)exponent - 1075, is_closer_below, digits, &exp10);
    return ag_num_make(bits >> 63, digits, n, exp10, (struct ag_str){NULL, 0}, a, ret);
}
