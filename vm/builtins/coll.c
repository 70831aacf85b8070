// SPDX-License-Identifier: Apache-2.0
// Built-ins on collections: aggregates, arrays, objects, sets, membership, walk, and tests of types.
// In: argument registers of declared types. Out: values. Who owns memory: the call's arena; elements are
// shared. Next file to read: num.c.
#include "builtin_fns.h"

struct ag_value
ag_bi_count(struct ag_call *c, const struct ag_value *a)
{
    int64_t n = 0;
    if (a[0].kind != AG_STRING)
        return ag_int(a[0].len);
    if (!ag_charge_bytes(c, a[0].len))
        return ag_undef();
    for (uint32_t i = 0; i < a[0].len; i++)
        n += (a[0].p[i] & 0xc0) != 0x80;
    return ag_int(n);
}

static struct ag_value
fold(struct ag_call *c, struct ag_value list, struct ag_value acc,
     struct ag_value (*fn)(struct ag_call *, struct ag_value, struct ag_value))
{
    if (!ag_charge(c, list.len))
        return ag_undef();
    for (uint32_t i = 0; i < list.len && acc.kind == AG_NUMBER; i++) {
        struct ag_value v = ag_value_at(&c->mem, list, i);
        if (v.kind != AG_NUMBER)
            return ag_bi_element_error(c, 1, list, "number", v);
        acc = fn(c, acc, v);
    }
    return acc;
}

struct ag_value
ag_bi_sum(struct ag_call *c, const struct ag_value *a)
{
    return fold(c, a[0], ag_int(0), ag_value_add);
}

struct ag_value
ag_bi_product(struct ag_call *c, const struct ag_value *a)
{
    return fold(c, a[0], ag_int(1), ag_value_mul);
}

static struct ag_value
extreme(struct ag_call *c, struct ag_value list, int sign)
{
    struct ag_value best = ag_undef();
    if (!ag_charge(c, list.len))
        return ag_undef();
    for (uint32_t i = 0; i < list.len; i++) {
        struct ag_value v = ag_value_at(&c->mem, list, i);
        if (best.kind == AG_UNDEF || sign * ag_value_cmp(&c->mem, v, best) >= 0)
            best = v;
    }
    return best;
}

struct ag_value
ag_bi_max(struct ag_call *c, const struct ag_value *a)
{
    return extreme(c, a[0], 1);
}

struct ag_value
ag_bi_min(struct ag_call *c, const struct ag_value *a)
{
    return extreme(c, a[0], -1);
}

// An array of part of a collection's elements, as they are stored.
struct ag_value
ag_bi_elements(struct ag_call *c, struct ag_value from, uint32_t at, uint32_t n)
{
    if (!ag_charge(c, n))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = ag_builder_push(&c->mem, b, ag_value_at(&c->mem, from, at + i));
    return ag_bi_close(c, b, ok);
}

static unsigned
log2_up(uint32_t n)
{
    unsigned k = 1;
    while (n >>= 1)
        k++;
    return k;
}

// Merge sort of an array's registers, bottom up.
struct ag_value
ag_bi_sort(struct ag_call *c, const struct ag_value *a)
{
    uint32_t n = a[0].len;
    if (a[0].kind == AG_SET || n < 2)
        return ag_bi_elements(c, a[0], 0, n);
    if (!ag_charge(c, (uint64_t)n * log2_up(n)))
        return ag_undef();
    struct ag_value *v = ag_call_alloc(c, 2 * (size_t)n * sizeof *v, 16), *tmp = v + n;
    if (!v)
        return ag_undef();
    for (uint32_t i = 0; i < n; i++)
        v[i] = ag_value_at(&c->mem, a[0], i);
    for (uint32_t run = 1; run < n; run *= 2) {
        for (uint32_t lo = 0; lo < n; lo += 2 * run) {
            uint32_t mid = lo + run < n ? lo + run : n, hi = lo + 2 * run < n ? lo + 2 * run : n, x = lo,
                     y = mid;
            for (uint32_t k = lo; k < hi; k++)
                tmp[k] = y >= hi || (x < mid && ag_value_cmp(&c->mem, v[x], v[y]) <= 0) ? v[x++] : v[y++];
        }
        memcpy(v, tmp, n * sizeof *v);
    }
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = ag_builder_push(&c->mem, b, v[i]);
    return ag_bi_close(c, b, ok);
}

struct ag_value
ag_bi_member_2(struct ag_call *c, const struct ag_value *a)
{
    if (a[1].kind < AG_ARRAY || !ag_charge(c, a[1].kind == AG_SET ? 1 : a[1].len))
        return ag_bool(false);
    return ag_bool(ag_value_contains(&c->mem, a[1], a[0]));
}

struct ag_value
ag_bi_member_3(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value v = ag_value_get(&c->mem, a[2], a[0]);
    return ag_bool(v.kind != AG_UNDEF && ag_value_eq(&c->mem, v, a[1]));
}

// --- types
// -----------------------------------------------------------------------------------------------------

#define KIND_TEST(fn, k)                                                                                     \
    struct ag_value fn(struct ag_call *c, const struct ag_value *a)                                          \
    {                                                                                                        \
        (void)c;                                                                                             \
        return ag_bool(a[0].kind == (k));                                                                    \
    }
KIND_TEST(ag_bi_is_null, AG_NULL)
KIND_TEST(ag_bi_is_boolean, AG_BOOL)
KIND_TEST(ag_bi_is_number, AG_NUMBER)
KIND_TEST(ag_bi_is_string, AG_STRING)
KIND_TEST(ag_bi_is_array, AG_ARRAY)
KIND_TEST(ag_bi_is_object, AG_OBJECT)
KIND_TEST(ag_bi_is_set, AG_SET)

struct ag_value
ag_bi_trace(struct ag_call *c, const struct ag_value *a)
{
    (void)c;
    (void)a;
    return ag_bool(true);
}

struct ag_value
ag_bi_type_name(struct ag_call *c, const struct ag_value *a)
{
    return ag_bi_copy(c, ag_str_z(ag_bi_kind(a[0])));
}

// --- arrays
// ----------------------------------------------------------------------------------------------------

struct ag_value
ag_bi_array_concat(struct ag_call *c, const struct ag_value *a)
{
    if (!ag_charge(c, (uint64_t)a[0].len + a[1].len))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b;
    for (uint32_t k = 0; k < 2; k++)
        for (uint32_t i = 0; ok && i < a[k].len; i++)
            ok = ag_builder_push(&c->mem, b, ag_value_at(&c->mem, a[k], i));
    return ag_bi_close(c, b, ok);
}

static uint32_t
clamp(int64_t i, uint32_t n)
{
    return i < 0 ? 0 : i > (int64_t)n ? n : (uint32_t)i;
}

struct ag_value
ag_bi_array_slice(struct ag_call *c, const struct ag_value *a)
{
    int64_t from, to;
    struct ag_value error;
    if (!ag_bi_int(c, 2, a[1], &from, &error) || !ag_bi_int(c, 3, a[2], &to, &error))
        return error;
    uint32_t lo = clamp(from, a[0].len), hi = clamp(to, a[0].len);
    return ag_bi_elements(c, a[0], lo, hi > lo ? hi - lo : 0);
}

struct ag_value
ag_bi_array_reverse(struct ag_call *c, const struct ag_value *a)
{
    if (!ag_charge(c, a[0].len))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b;
    for (uint32_t i = a[0].len; ok && i-- > 0;)
        ok = ag_builder_push(&c->mem, b, ag_value_at(&c->mem, a[0], i));
    return ag_bi_close(c, b, ok);
}

// One level: elements that are arrays give way to their elements.
struct ag_value
ag_bi_array_flatten(struct ag_call *c, const struct ag_value *a)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b && ag_charge(c, a[0].len);
    for (uint32_t i = 0; ok && i < a[0].len; i++) {
        struct ag_value e = ag_value_at(&c->mem, a[0], i);
        if (e.kind == AG_ARRAY)
            ok = ag_charge(c, e.len);
        else
            ok = ag_builder_push(&c->mem, b, e);
        for (uint32_t k = 0; ok && e.kind == AG_ARRAY && k < e.len; k++)
            ok = ag_builder_push(&c->mem, b, ag_value_at(&c->mem, e, k));
    }
    return c->stop == AG_EVAL_OK ? ag_bi_close(c, b, ok) : ag_undef();
}

// --- objects
// -----------------------------------------------------------------------------------------------------

struct ag_value
ag_bi_object_get(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value v =
        a[1].kind == AG_ARRAY ? ag_value_path(&c->mem, a[0], a[1]) : ag_value_get(&c->mem, a[0], a[1]);
    return v.kind == AG_UNDEF ? a[2] : v;
}

struct ag_value
ag_bi_object_keys(struct ag_call *c, const struct ag_value *a)
{
    if (!ag_charge(c, a[0].len))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_SET);
    bool ok = b;
    for (uint32_t i = 0; ok && i < a[0].len; i++)
        ok = ag_builder_push(&c->mem, b, ag_object_key(&c->mem, a[0], i));
    return ag_bi_close(c, b, ok);
}

struct ag_value
ag_bi_object_union(struct ag_call *c, const struct ag_value *a)
{
    return ag_value_merge(c, a[1], a[0]);
}

struct ag_value
ag_bi_object_union_n(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value v = ag_bi_close(c, ag_builder_new(&c->mem, AG_OBJECT), true);
    for (uint32_t i = 0; i < a[0].len && v.kind == AG_OBJECT; i++) {
        struct ag_value next = ag_value_at(&c->mem, a[0], i);
        if (next.kind != AG_OBJECT)
            return ag_bi_element_error(c, 1, a[0], "object", next);
        v = ag_value_merge(c, next, v);
    }
    return v;
}

// Whether key is one of the keys that the array, set or object `keys` names.
static bool
names(const struct ag_call *c, struct ag_value keys, struct ag_value key)
{
    if (keys.kind == AG_OBJECT)
        return ag_value_get(&c->mem, keys, key).kind != AG_UNDEF;
    return ag_value_contains(&c->mem, keys, key);
}

static struct ag_value
select_keys(struct ag_call *c, const struct ag_value *a, bool keep)
{
    uint64_t each = a[1].kind == AG_ARRAY ? a[1].len : 1;
    if (!ag_charge(c, a[0].len * (each + 1)))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_OBJECT);
    bool ok = b;
    for (uint32_t i = 0; ok && i < a[0].len; i++) {
        struct ag_value key = ag_object_key(&c->mem, a[0], i);
        if (names(c, a[1], key) == keep)
            ok = ag_builder_put(&c->mem, b, key, ag_value_at(&c->mem, a[0], i));
    }
    return ag_bi_close(c, b, ok);
}

struct ag_value
ag_bi_object_remove(struct ag_call *c, const struct ag_value *a)
{
    return select_keys(c, a, false);
}

struct ag_value
ag_bi_object_filter(struct ag_call *c, const struct ag_value *a)
{
    return select_keys(c, a, true);
}

// --- sets
// --------------------------------------------------------------------------------------------------------

static struct ag_value
over_sets(struct ag_call *c, struct ag_value sets,
          struct ag_value (*fn)(struct ag_call *, struct ag_value, struct ag_value))
{
    if (sets.len == 0)
        return ag_bi_close(c, ag_builder_new(&c->mem, AG_SET), true);
    struct ag_value v = ag_value_at(&c->mem, sets, 0);
    for (uint32_t i = 0; i < sets.len && v.kind == AG_SET; i++) {
        struct ag_value next = ag_value_at(&c->mem, sets, i);
        if (next.kind != AG_SET)
            return ag_error_operand(c, 1, "set", next);
        v = i ? fn(c, v, next) : v;
    }
    return v.kind == AG_SET || v.kind == AG_UNDEF ? v : ag_error_operand(c, 1, "set", v);
}

struct ag_value
ag_bi_intersection(struct ag_call *c, const struct ag_value *a)
{
    return over_sets(c, a[0], ag_set_and);
}

struct ag_value
ag_bi_union(struct ag_call *c, const struct ag_value *a)
{
    return over_sets(c, a[0], ag_set_or);
}

struct ag_value
ag_bi_minus(struct ag_call *c, const struct ag_value *a)
{
    if (a[1].kind != a[0].kind)
        return ag_error_operand(c, 2, a[0].kind == AG_SET && a[1].kind == AG_NUMBER ? "set" : "number", a[1]);
    return ag_value_sub(c, a[0], a[1]);
}

struct ag_value
ag_bi_and(struct ag_call *c, const struct ag_value *a)
{
    return ag_set_and(c, a[0], a[1]);
}

struct ag_value
ag_bi_or(struct ag_call *c, const struct ag_value *a)
{
    return ag_set_or(c, a[0], a[1]);
}

// --- walk
// --------------------------------------------------------------------------------------------------------

struct walker {
    struct ag_call *c;
    struct ag_builder *out;
    struct ag_value path[AG_NEST_MAX];
};

static bool
walk_pair(struct walker *w, struct ag_value v, uint32_t depth)
{
    const struct ag_mem *m = &w->c->mem;
    struct ag_builder *path = ag_builder_new(m, AG_ARRAY), *pair = ag_builder_new(m, AG_ARRAY);
    bool ok = path && pair && ag_charge(w->c, 1 + depth);
    for (uint32_t i = 0; ok && i < depth; i++)
        ok = ag_builder_push(m, path, w->path[i]);
    if (!ok || !ag_builder_push(m, pair, ag_builder_close(m, path)) || !ag_builder_push(m, pair, v))
        return false;
    return ag_builder_push(m, w->out, ag_builder_close(m, pair));
}

static bool
walk_value(struct walker *w, struct ag_value v, uint32_t depth)
{
    if (!walk_pair(w, v, depth))
        return false;
    if (v.kind < AG_ARRAY || depth >= AG_NEST_MAX)
        return v.kind < AG_ARRAY;
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value e = ag_value_at(&w->c->mem, v, i);
        w->path[depth] = v.kind == AG_ARRAY    ? ag_int(i)
                         : v.kind == AG_OBJECT ? ag_object_key(&w->c->mem, v, i)
                                               : e;
        if (!walk_value(w, e, depth + 1))
            return false;
    }
    return true;
}

struct ag_value
ag_bi_walk(struct ag_call *c, const struct ag_value *a)
{
    struct walker w = {.c = c, .out = ag_builder_new(&c->mem, AG_ARRAY)};
    return ag_bi_close(c, w.out, w.out && walk_value(&w, a[0], 0));
}
