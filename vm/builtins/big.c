// SPDX-License-Identifier: Apache-2.0
// Whole numbers as limbs: from numbers, to digits and back. In: numbers. Out: limbs, digits, numbers. Next
// file to read: bits.c.
#include "big.h"

static void
trim(struct ag_big *b)
{
    while (b->n && b->limb[b->n - 1] == 0)
        b->n--;
    if (b->n == 0)
        b->is_negative = false;
}

enum ag_big_status
ag_big_of(struct ag_value number, struct ag_big *ret)
{
    struct ag_num num = ag_number_view(number);
    *ret = (struct ag_big){.n = 0};
    if (!num.rec) {
        ret->is_negative = num.i < 0;
        ret->limb[0] = num.i < 0 ? 0 - (uint64_t)num.i : (uint64_t)num.i;
        ret->n = 1;
        trim(ret);
        return AG_BIG_OK;
    }
    uint64_t m = num.rec->mant;
    int32_t shift = num.rec->exp2;
    enum ag_big_status status = AG_BIG_OK;
    if (shift < 0) {
        uint64_t low = shift <= -64 ? m : m & ((UINT64_C(1) << -shift) - 1);
        status = low ? AG_BIG_FRACTION : AG_BIG_OK;
        m = shift <= -64 ? 0 : m >> -shift;
        shift = 0;
    }
    if ((uint32_t)shift > AG_BIG_BITS - 64)
        return AG_BIG_RANGE;
    uint32_t at = (uint32_t)shift / 64, bits = (uint32_t)shift % 64;
    ret->limb[at] = m << bits;
    if (bits)
        ret->limb[at + 1] = m >> (64 - bits);
    ret->n = at + 1 + (bits != 0);
    ret->is_negative = num.rec->is_negative;
    trim(ret);
    return status;
}

// Divides by d in place and returns the remainder.
static uint64_t
divide(struct ag_big *b, uint64_t d)
{
    ag_u128 rest = 0;
    for (uint32_t i = b->n; i-- > 0;) {
        rest = rest << 64 | b->limb[i];
        b->limb[i] = (uint64_t)(rest / d);
        rest %= d;
    }
    trim(b);
    return (uint64_t)rest;
}

size_t
ag_big_text(const struct ag_big *b, unsigned base, char *text)
{
    // The largest power of the base that fits a limb, and its digits: fewer divisions of the whole number.
    const uint64_t chunk = base == 10 ? UINT64_C(1000000000000000000) : UINT64_C(1) << 60;
    const unsigned digits = base == 10 ? 18 : base == 16 ? 15 : base == 8 ? 20 : 60;
    char reversed[AG_BIG_TEXT + 64];
    struct ag_big left = *b;
    size_t n = 0, at = 0;
    do {
        uint64_t part = divide(&left, chunk);
        for (unsigned i = 0; i < digits && (left.n || part || (i == 0 && n == 0)); i++, part /= base)
            reversed[n++] = "0123456789abcdef"[part % base];
    } while (left.n);
    if (b->is_negative)
        text[at++] = '-';
    while (n)
        text[at++] = reversed[--n];
    return at;
}

struct ag_value
ag_big_value(struct ag_call *c, const struct ag_big *b)
{
    char text[AG_BIG_TEXT];
    struct ag_num num = ag_num_of_int(0);
    size_t n = ag_big_text(b, 10, text);
    enum ag_num_status s = ag_num_parse(ag_str_of(text, n), c->mem.arena, &num);
    return ag_number_result(c, s, num);
}
