// SPDX-License-Identifier: Apache-2.0
// How num.c and num_arith.c make a number from a decimal. For those two alone.
// Thread rule: as num.h.
#ifndef AG_BASE_NUM_MAKE_H
#define AG_BASE_NUM_MAKE_H

#include "num.h"

// The number ±DIGITS × 10^exp10 (n digits without leading or trailing zeros, n == 0 for zero). Without text a
// whole number that fits becomes inline. `digits` and `text` are copied. Errors: RANGE, FULL.
enum ag_num_status ag_num_make(bool is_negative, const char *digits, size_t n, int64_t exp10,
                               struct ag_str text, struct ag_arena *a, struct ag_num *ret);

#endif
