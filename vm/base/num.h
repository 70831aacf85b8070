// SPDX-License-Identifier: Apache-2.0
// Numbers: int64 inline, everything else a record that keeps the exact decimal and its spelling. Comparison
// and hash look at the decimal value, never at a rounded one. Arithmetic that leaves int64 is a soft float
// with a 64-bit mantissa, round to nearest even, in integer instructions only, printed shortest: the numbers
// of Open Policy Agent 1.18 (Go big.Float, default precision). Two differences, on purpose: a result never is
// -0, and floor and ceil of -1 < x < 0 are -1 and 0. Next file to read: num.c (text, order, hash),
// num_arith.c (+ - * / %), dec.c (conversions). Thread rule: pure functions; results go into the caller's
// arena, one thread per arena.
#ifndef AG_BASE_NUM_H
#define AG_BASE_NUM_H

#include "arena.h"
#include "buf.h"
#include "str.h"

#define AG_NUM_TEXT_MAX                                                                                      \
    2560u // bytes of a number's text, and digits of any number: one stack array holds either; RSA-8192 fits
#define AG_NUM_EXP_MAX                                                                                       \
    100000 // largest magnitude of a written exponent and of the leading digit's decimal place
#define AG_NUM_OUT_MAX                                                                                       \
    (AG_NUM_EXP_MAX + 2u) // bytes that ag_num_put can need: an integer written out with its sign
#define AG_NUM_ALIGN 8u

// A number outside int64, or one whose spelling must survive. Position-independent and contiguous: the same
// bytes serve in an image and in an arena. The value is ±DIGITS × 10^exp10; DIGITS has neither leading nor
// trailing zeros.
//
//    0      4        6       8      12     16     24           25        26      32
//   +------+--------+------+-------+------+------+------------+---------+-------+--------+--------+-------+
//   | size |digits_n|text_n| exp10 | exp2 | mant |is_negative |is_int64 | zeros | DIGITS |  TEXT  | zeros |
//   +------+--------+------+-------+------+------+------------+---------+-------+--------+--------+-------+
struct ag_num_rec {
    uint32_t size;       // bytes of the record with everything, a multiple of 8
    uint16_t digits_n;   // 0 for zero, at most AG_NUM_TEXT_MAX
    uint16_t text_n;     // bytes of the original spelling, 0 when there is none
    int32_t exp10;       // 0 for zero
    int32_t exp2;        // the value is near mant × 2^exp2; 0 for zero
    uint64_t mant;       // rounded to nearest even, top bit set; 0 for zero
    uint8_t is_negative; // never set for zero
    uint8_t is_int64;    // the value is an integer that fits int64, such as 1.0
    uint8_t zero[6];
    char bytes[];
};

_Static_assert(sizeof(struct ag_num_rec) == 32, "the head of a number record is part of the image format");

// A view of a number; borrows its record from the image or arena that holds it.
struct ag_num {
    const struct ag_num_rec *rec; // NULL: the number is `i`
    int64_t i;
};

_Static_assert(sizeof(struct ag_num) == 16, "two registers hold a number");

enum ag_num_status {
    AG_NUM_OK = 0,
    AG_NUM_SYNTAX,   // not a JSON number
    AG_NUM_TOO_LONG, // more than AG_NUM_TEXT_MAX bytes of text, or digits of an exact result
    AG_NUM_RANGE,    // beyond 10^±AG_NUM_EXP_MAX, or not finite
    AG_NUM_DIV_ZERO, // division or remainder by zero
    AG_NUM_NOT_INT,  // remainder of a number that is no integer
    AG_NUM_FULL      // the arena is full
};

static inline struct ag_num
ag_num_of_int(int64_t i)
{
    return (struct ag_num){NULL, i};
}

// `rec` is 8-aligned and was made here or accepted by ag_num_rec_check.
static inline struct ag_num
ag_num_of_rec(const void *rec)
{
    return (struct ag_num){rec, 0};
}

// Reads exactly one JSON number (RFC 8259), all of `text`. A plain integer that fits int64 is inline;
// -0, 1.0, 1e2 and what does not fit become a record in the arena. Errors: SYNTAX, TOO_LONG, RANGE, FULL.
enum ag_num_status ag_num_parse(struct ag_str text, struct ag_arena *a, struct ag_num *ret);

// True when the n foreign bytes at p (8-aligned) start with a record that ag_num_parse or an operation could
// have made.
bool ag_num_rec_check(const void *p, size_t n);

// Order of the exact decimal values: <0, 0, >0.
int ag_num_cmp(struct ag_num x, struct ag_num y);
// Equal numbers hash alike under one seed, however spelled: 1, 1.0, 1e0.
uint64_t ag_num_hash(struct ag_num n, uint64_t seed);

// The original spelling when there is one, else as Go prints a big.Float: integers in full, others %g
// shortest.
void ag_num_put(struct ag_buf *b, struct ag_num n);
// One spelling per value: the exact decimal, plain when the leading digit's place is 10^-6 to 10^20, else
// d.ddde±x.
void ag_num_put_canonical(struct ag_buf *b, struct ag_num n);

// True when the value is a whole number of any size.
bool ag_num_is_int(struct ag_num n);
// True when the value is a whole number that fits, such as 7 or 7.0; else *ret is untouched.
bool ag_num_to_int64(struct ag_num n, int64_t *ret);
// Nearest double, ties to even; ±infinity past the largest. -0 never comes out.
double ag_num_to_double(struct ag_num n);
// The shortest decimal that reads back as d (of those the nearest). RANGE for NaN and infinities, FULL.
enum ag_num_status ag_num_from_double(double d, struct ag_arena *a, struct ag_num *ret);

// *ret may be one of the operands. Errors: RANGE, FULL; div and mod DIV_ZERO; mod NOT_INT, TOO_LONG.
enum ag_num_status ag_num_add(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret);
enum ag_num_status ag_num_sub(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret);
enum ag_num_status ag_num_mul(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret);
enum ag_num_status ag_num_div(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret);
// Remainder with the sign of x.
enum ag_num_status ag_num_mod(struct ag_num x, struct ag_num y, struct ag_arena *a, struct ag_num *ret);
// round: half away from zero. Errors: TOO_LONG, RANGE, FULL.
enum ag_num_status ag_num_floor(struct ag_num x, struct ag_arena *a, struct ag_num *ret);
enum ag_num_status ag_num_ceil(struct ag_num x, struct ag_arena *a, struct ag_num *ret);
enum ag_num_status ag_num_round(struct ag_num x, struct ag_arena *a, struct ag_num *ret);
enum ag_num_status ag_num_abs(struct ag_num x, struct ag_arena *a, struct ag_num *ret);

#endif
