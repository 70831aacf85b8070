// SPDX-License-Identifier: Apache-2.0
// object.subset: whether one collection is part of another. In: two collections. Out: a boolean. Recursion
// follows both and is bounded by AG_NEST_MAX. Next file to read: coll.c.
#include "builtin_fns.h"

// 1 yes, 0 no, -1 the evaluation ends or the values are too deep.
static int is_part(struct ag_call *c, struct ag_value whole, struct ag_value part, unsigned depth);

static int
object_part(struct ag_call *c, struct ag_value whole, struct ag_value part, unsigned depth)
{
    const struct ag_mem *m = &c->mem;
    if (depth >= AG_NEST_MAX)
        return -1;
    for (uint32_t i = 0; i < part.len; i++) {
        struct ag_value v = ag_value_get(m, whole, ag_object_key(m, part, i)), w = ag_value_at(m, part, i);
        if (v.kind == AG_UNDEF)
            return 0;
        int r = v.kind == w.kind && v.kind >= AG_ARRAY ? is_part(c, v, w, depth + 1) : ag_value_eq(m, v, w);
        if (r != 1)
            return r;
    }
    return 1;
}

// Elements in a row. As in the search of a text that forgets what it saw, a mismatch begins anew one element
// on.
static int
array_part(struct ag_call *c, struct ag_value whole, struct ag_value part)
{
    const struct ag_mem *m = &c->mem;
    if (part.len > whole.len)
        return 0;
    if (!ag_charge(c, (uint64_t)(whole.len - part.len + 1) * part.len))
        return -1;
    for (uint32_t at = 0; at <= whole.len - part.len; at++) {
        uint32_t i = 0;
        while (i < part.len && ag_value_eq(m, ag_value_at(m, whole, at + i), ag_value_at(m, part, i)))
            i++;
        if (i == part.len)
            return 1;
    }
    return 0;
}

static int
is_part(struct ag_call *c, struct ag_value whole, struct ag_value part, unsigned depth)
{
    if (!ag_charge(c, 1 + (uint64_t)part.len))
        return -1;
    if (part.kind == AG_OBJECT)
        return object_part(c, whole, part, depth);
    if (part.kind == AG_ARRAY)
        return array_part(c, whole, part);
    for (uint32_t i = 0; i < part.len; i++)
        if (!ag_value_contains(&c->mem, whole, ag_value_at(&c->mem, part, i)))
            return 0;
    return 1;
}

// Whether an array has as many elements that are in the set as the set has; repeats count.
static bool
covers(struct ag_call *c, struct ag_value array, struct ag_value set)
{
    uint32_t left = set.len;
    for (uint32_t i = 0; i < array.len; i++) {
        left -= ag_value_contains(&c->mem, set, ag_value_at(&c->mem, array, i));
        if (left == 0)
            return true;
    }
    return false;
}

struct ag_value
ag_bi_object_subset(struct ag_call *c, const struct ag_value *a)
{
    if (a[0].kind == AG_ARRAY && a[1].kind == AG_SET)
        return ag_charge(c, a[0].len) ? ag_bool(covers(c, a[0], a[1])) : ag_undef();
    if (a[0].kind != a[1].kind)
        return ag_error(c, AG_VERR_TYPE,
                        "both arguments object.subset must be of the same type or array and set");
    int r = is_part(c, a[0], a[1], 0);
    if (r >= 0)
        return ag_bool(r);
    return c->stop != AG_EVAL_OK ? ag_undef()
                                 : ag_error(c, AG_VERR_RANGE, "the values are deeper than %u", AG_NEST_MAX);
}
