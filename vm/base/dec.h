// SPDX-License-Identifier: Apache-2.0
// Conversions between decimal digits and binary mantissas, by big integers on a bounded stack array. For
// num*.c alone. Digits are ASCII without leading or trailing zeros; a decimal is DIGITS × 10^exp10. Thread
// rule: pure functions, no allocation.
#ifndef AG_BASE_DEC_H
#define AG_BASE_DEC_H

#include "num.h"

#define AG_DEC_SHORT 24u // bytes that hold any shortest digit string of a 64-bit mantissa

// (hi × 2^64 + lo) × 2^exp2 with the top bit of hi set; the lowest bit of lo also says "and something below".
struct ag_wide {
    uint64_t hi, lo;
    int32_t exp2;
};

// A soft float: ±mant × 2^exp2, top bit of mant set, or mant == 0 and the rest 0.
struct ag_soft {
    uint64_t mant;
    int32_t exp2;
    bool is_negative;
};

// n digits (1..AG_NUM_TEXT_MAX). The leading 128 bits are exact for |exp10| <= 1536. Beyond, powers of five
// are rounded to 256 bits: the work stays bounded, and a decimal within 2^-120 of a rounding tie may round to
// either side of it, the same side on every machine.
void ag_dec_to_wide(const char *digits, size_t n, int32_t exp10, struct ag_wide *ret);

// Nearest even; exp2 of the result counts from the lowest bit of mant.
void ag_wide_round(const struct ag_wide *w, uint64_t *ret_mant, int32_t *ret_exp2);

// Makes the top bit of hi set; hi and lo are not both 0. The lowest bit of lo stays sticky.
void ag_wide_norm(struct ag_wide *w);

// Fewest digits that lie within half a unit (1 × 2^exp2) of m × 2^exp2, bounds included when m is even; of
// those the nearest. `is_closer_below`: the gap below m is half as wide, as at a double's power of two. m !=
// 0. Returns the number of digits, without trailing zeros.
size_t ag_dec_shortest(uint64_t m, int32_t exp2, bool is_closer_below, char digits[AG_DEC_SHORT],
                       int32_t *ret_exp10);

// All digits of the integer m × 2^exp2 (m != 0, exp2 >= 0) without trailing zeros; 0 when there would be more
// than AG_NUM_TEXT_MAX.
size_t ag_dec_exact(uint64_t m, int32_t exp2, char digits[AG_NUM_TEXT_MAX], int32_t *ret_exp10);

#endif
