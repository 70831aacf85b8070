// SPDX-License-Identifier: Apache-2.0
// Between registers and num.h: a register of kind number as a struct ag_num and back.
// In: registers, results of num.h. Out: registers; records stay where they lie. Next file to read:
// base/num.h. Thread rule: pure functions.
#ifndef AG_NUMBER_H
#define AG_NUMBER_H

#include "value.h"

// v is a number. The view borrows the record.
static inline struct ag_num
ag_number_view(struct ag_value v)
{
    return v.sub ? ag_num_of_rec(v.p) : ag_num_of_int(v.i);
}

// A result of num.h as a register: its record lies in the arena or, when an operand came back, in the image.
static inline struct ag_value
ag_number_value(const struct ag_mem *m, struct ag_num n)
{
    if (!n.rec)
        return ag_int(n.i);
    const uint8_t *p = (const uint8_t *)n.rec;
    bool in_arena = m->arena && p >= m->arena->base && p < m->arena->base + m->arena->used;
    return (struct ag_value){
        .kind = AG_NUMBER, .sub = 2, .region = (uint8_t)(in_arena ? AG_IN_ARENA : AG_IN_IMAGE), .p = p};
}

// True when v is a whole number that fits int64; else *ret is untouched.
static inline bool
ag_number_int(struct ag_value v, int64_t *ret)
{
    if (v.kind != AG_NUMBER)
        return false;
    if (v.sub)
        return ag_num_to_int64(ag_num_of_rec(v.p), ret);
    *ret = v.i;
    return true;
}

static inline int
ag_number_cmp(struct ag_value a, struct ag_value b)
{
    return ag_num_cmp(ag_number_view(a), ag_number_view(b));
}

static inline double
ag_number_double(struct ag_value v)
{
    return ag_num_to_double(ag_number_view(v));
}

#endif
