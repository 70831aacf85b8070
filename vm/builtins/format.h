// SPDX-License-Identifier: Apache-2.0
// What the files of sprintf share: flags of one verb, kinds of arguments. In: arguments. Out: text behind
// what f->out holds. Thread rule: as struct ag_call.
#ifndef AG_FORMAT_H
#define AG_FORMAT_H

#include "builtin_fns.h"

// Flags, width and precision of one verb.
struct ag_fmt {
    struct ag_call *c;
    struct ag_buf *out;
    bool minus, plus, sharp, space, zero, sharp_v, has_width, has_precision;
    int64_t width, precision; // not negative
};

enum ag_fmt_type { AG_FMT_INT, AG_FMT_BIG, AG_FMT_FLOAT, AG_FMT_STRING };

#define AG_FMT_NUMBER_MAX 1100u // bytes of a number's text; what is longer is refused

struct ag_fmt_arg {
    enum ag_fmt_type type;
    int64_t i;
    double d;
    struct ag_str text; // STRING, and the decimal digits of BIG with their sign
    char number[AG_FMT_NUMBER_MAX];
};

// n times c; s or what was written from `from` on, filled up to the width.
void ag_fmt_fill(struct ag_fmt *f, size_t n, char c);
void ag_fmt_pad(struct ag_fmt *f, struct ag_str s);
void ag_fmt_pad_written(struct ag_fmt *f, size_t from);

// A number as an argument: by its spelling an int, a *big.Int, a float64, or beyond that its text. False: the
// text is too long.
bool ag_fmt_number(struct ag_fmt *f, struct ag_value v, struct ag_fmt_arg *ret);
// False: the type has no such verb, nothing was written.
bool ag_fmt_put_int(struct ag_fmt *f, uint32_t verb, int64_t i);
bool ag_fmt_put_big(struct ag_fmt *f, uint32_t verb, struct ag_str digits);
bool ag_fmt_put_float(struct ag_fmt *f, uint32_t verb, double d);

#endif
