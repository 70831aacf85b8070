// SPDX-License-Identifier: Apache-2.0
// Whole numbers of any sign with up to AG_BIG_BITS bits, for functions that look at bits. In: numbers, which
// count as Go's big.Float at 64 bits of mantissa has them. Out: numbers, digits. No allocation but for
// results. Thread rule: pure functions.
#ifndef AG_BIG_H
#define AG_BIG_H

#include "machine.h"

__extension__ typedef unsigned __int128 ag_u128;

#define AG_BIG_LIMBS 134u // 8576 bits: every integer whose digits fit AG_NUM_TEXT_MAX has fewer
#define AG_BIG_BITS  (64u * AG_BIG_LIMBS)
#define AG_BIG_TEXT  (AG_BIG_BITS + 2u) // bytes of any of them in any base, with its sign

// ±magnitude, least limb first; n limbs are used, the last of them is not 0; zero has none and no sign.
struct ag_big {
    uint32_t n;
    bool is_negative;
    uint64_t limb[AG_BIG_LIMBS];
};

enum ag_big_status {
    AG_BIG_OK,
    AG_BIG_FRACTION, // the number is not whole; the result is cut towards zero
    AG_BIG_RANGE     // more bits than fit
};

enum ag_big_status ag_big_of(struct ag_value number, struct ag_big *ret);
// Digits in base 2, 8, 10 or 16 (lower case), with a minus sign. Returns their number; text has AG_BIG_TEXT
// bytes.
size_t ag_big_text(const struct ag_big *b, unsigned base, char *text);
// A number value; the arena takes what does not fit int64. An error value when there are too many digits.
struct ag_value ag_big_value(struct ag_call *c, const struct ag_big *b);

#endif
