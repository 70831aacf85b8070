// SPDX-License-Identifier: Apache-2.0
// Type terms: construction, order, union, what lies at a key, whether two types have values in common. The
// rules are those of Open Policy Agent's checker, so that the same programs are refused. In: terms. Out:
// terms. Memory: the compile arena; terms share parts. Next file to read: type_text.c, check_program.c.
#include "type.h"

#include "num.h"

#include <stdlib.h>

static const struct agc_type scalars[] = {{AGC_TY_NULL, 1, 0, NULL, 0, NULL, NULL, NULL},
                                          {AGC_TY_BOOL, 1, 0, NULL, 0, NULL, NULL, NULL},
                                          {AGC_TY_NUMBER, 1, 0, NULL, 0, NULL, NULL, NULL},
                                          {AGC_TY_STRING, 1, 0, NULL, 0, NULL, NULL, NULL}};
const struct agc_type agc_type_any = {AGC_TY_UNION, 1, 0, NULL, 0, NULL, NULL, NULL};

const struct agc_type *
agc_type_scalar(enum agc_type_kind k)
{
    return &scalars[k];
}

// The type as a part of a deeper one.
static const struct agc_type *
part(const struct agc_type *t, uint32_t *depth)
{
    if (!t || t->depth + 1 > AGC_TYPE_DEPTH_MAX)
        t = t ? &agc_type_any : NULL;
    if (t && t->depth + 1 > *depth)
        *depth = t->depth + 1;
    return t;
}

static struct agc_type *
make(struct agc_arena *a, enum agc_type_kind k)
{
    struct agc_type *t = agc_alloc(a, sizeof *t);
    t->kind = k;
    t->depth = 1;
    return t;
}

const struct agc_type *
agc_type_array(struct agc_arena *a, const struct agc_type *const *elem, uint32_t n,
               const struct agc_type *rest)
{
    struct agc_type *t = make(a, AGC_TY_ARRAY);
    if (n > AGC_TYPE_PROPS_MAX) {
        t->value = &agc_type_any;
        t->depth = 2;
        return t;
    }
    const struct agc_type **copy = agc_alloc(a, (n + 1u) * sizeof *copy);
    for (uint32_t i = 0; i < n; i++)
        copy[i] = part(elem[i] ? elem[i] : &agc_type_any, &t->depth);
    t->elem = copy;
    t->n = n;
    t->value = part(rest, &t->depth);
    return t;
}

const struct agc_type *
agc_type_set(struct agc_arena *a, const struct agc_type *of)
{
    struct agc_type *t = make(a, AGC_TY_SET);
    t->value = part(of ? of : &agc_type_any, &t->depth);
    return t;
}

static int
by_key(const void *x, const void *y)
{
    const struct agc_type_prop *p = x, *q = y;
    return agc_node_const_cmp(p->key, q->key);
}

const struct agc_type *
agc_type_object(struct agc_arena *a, struct agc_type_prop *prop, uint32_t n, const struct agc_type *key,
                const struct agc_type *value)
{
    struct agc_type *t = make(a, AGC_TY_OBJECT);
    if (n > AGC_TYPE_PROPS_MAX) {
        n = 0;
        key = value = &agc_type_any;
    }
    if (n)
        qsort(prop, n, sizeof *prop, by_key);
    for (uint32_t i = 0; i < n; i++) {
        if (t->nprops && by_key(&prop[t->nprops - 1], &prop[i]) == 0)
            t->nprops--;
        prop[t->nprops] = prop[i];
        prop[t->nprops].value = part(prop[i].value ? prop[i].value : &agc_type_any, &t->depth);
        t->nprops++;
    }
    t->prop = prop;
    t->key = part(key, &t->depth);
    t->value = part(value, &t->depth);
    return t;
}

// --- order
int
agc_type_cmp(const struct agc_type *x, const struct agc_type *y)
{
    if (x == y)
        return 0;
    if (!x || !y)
        return x ? 1 : -1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    if (x->nprops != y->nprops)
        return x->nprops < y->nprops ? -1 : 1;
    int c = 0;
    for (uint32_t i = 0; c == 0 && i < x->n; i++)
        c = agc_type_cmp(x->elem[i], y->elem[i]);
    for (uint32_t i = 0; c == 0 && i < x->nprops; i++) {
        c = agc_node_const_cmp(x->prop[i].key, y->prop[i].key);
        c = c ? c : agc_type_cmp(x->prop[i].value, y->prop[i].value);
    }
    c = c ? c : agc_type_cmp(x->key, y->key);
    return c ? c : agc_type_cmp(x->value, y->value);
}

static uint32_t
alternatives(const struct agc_type *t, const struct agc_type *const **ret, const struct agc_type **one)
{
    if (t->kind == AGC_TY_UNION) {
        *ret = t->elem;
        return t->n;
    }
    *one = t;
    *ret = one;
    return 1;
}

const struct agc_type *
agc_type_or(struct agc_arena *a, const struct agc_type *x, const struct agc_type *y)
{
    if (!x || !y)
        return x ? x : y;
    if (agc_type_is_any(x) || agc_type_is_any(y))
        return &agc_type_any;
    if (agc_type_cmp(x, y) == 0)
        return x;
    const struct agc_type *one_x, *one_y, *const *vx, *const *vy;
    uint32_t nx = alternatives(x, &vx, &one_x), ny = alternatives(y, &vy, &one_y), i = 0, k = 0;
    if (nx + ny > AGC_TYPE_UNION_MAX)
        return &agc_type_any;
    struct agc_type *t = make(a, AGC_TY_UNION);
    const struct agc_type **out = agc_alloc(a, (nx + ny) * sizeof *out);
    while (i < nx || k < ny) {
        int c = i == nx ? 1 : k == ny ? -1 : agc_type_cmp(vx[i], vy[k]);
        out[t->n++] = part(c <= 0 ? vx[i] : vy[k], &t->depth);
        i += c <= 0;
        k += c >= 0;
    }
    t->elem = out;
    return t;
}

// --- elements
const struct agc_type *
agc_type_keys(struct agc_arena *a, const struct agc_type *t)
{
    if (!t)
        return NULL;
    const struct agc_type *keys = NULL;
    switch (t->kind) {
    case AGC_TY_ARRAY: return agc_type_scalar(AGC_TY_NUMBER);
    case AGC_TY_SET: return t->value;
    case AGC_TY_OBJECT:
        for (uint32_t i = 0; i < t->nprops; i++)
            keys = agc_type_or(a, keys, agc_type_of_const(a, t->prop[i].key));
        return agc_type_or(a, keys, t->key);
    case AGC_TY_UNION:
        if (t->n == 0)
            return t;
        for (uint32_t i = 0; i < t->n; i++)
            keys = agc_type_or(a, keys, agc_type_keys(a, t->elem[i]));
        return keys;
    default: return NULL;
    }
}

const struct agc_type *
agc_type_values(struct agc_arena *a, const struct agc_type *t)
{
    if (!t)
        return NULL;
    const struct agc_type *values = NULL;
    switch (t->kind) {
    case AGC_TY_ARRAY:
        for (uint32_t i = 0; i < t->n; i++)
            values = agc_type_or(a, values, t->elem[i]);
        return agc_type_or(a, values, t->value);
    case AGC_TY_SET: return t->value;
    case AGC_TY_OBJECT:
        for (uint32_t i = 0; i < t->nprops; i++)
            values = agc_type_or(a, values, t->prop[i].value);
        return agc_type_or(a, values, t->value);
    case AGC_TY_UNION:
        if (t->n == 0)
            return t;
        for (uint32_t i = 0; i < t->n; i++)
            values = agc_type_or(a, values, agc_type_values(a, t->elem[i]));
        return values;
    default: return NULL;
    }
}

// Is x one of the values that t names, as far as kinds tell?
static bool
has(const struct agc_type *t, const struct agc_type *x)
{
    if (agc_type_is_any(t) || agc_type_cmp(t, x) == 0)
        return true;
    for (uint32_t i = 0; t->kind == AGC_TY_UNION && i < t->n; i++)
        if (agc_type_cmp(t->elem[i], x) == 0)
            return true;
    return false;
}

// The number as an index; false when it is none.
static bool
index_of(const struct agc_node *key, uint32_t *ret)
{
    struct ag_num n;
    int64_t i;
    uint8_t mem[256];
    struct ag_arena scratch;
    ag_arena_init(&scratch, mem, sizeof mem);
    if (key->kind != AGC_NUMBER || ag_num_parse(key->text, &scratch, &n) != AG_NUM_OK ||
        !ag_num_to_int64(n, &i) || i < 0 || i >= AG_NONE)
        return false;
    *ret = (uint32_t)i;
    return true;
}

static const struct agc_type *
select_object(struct agc_arena *a, const struct agc_type *t, const struct agc_node *key)
{
    uint32_t lo = 0, hi = t->nprops;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = agc_node_const_cmp(t->prop[mid].key, key);
        if (c == 0)
            return t->prop[mid].value;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return t->key && has(t->key, agc_type_of_const(a, key)) ? t->value : NULL;
}

const struct agc_type *
agc_type_select(struct agc_arena *a, const struct agc_type *t, const struct agc_node *key)
{
    uint32_t ix;
    const struct agc_type *found = NULL;
    switch (t->kind) {
    case AGC_TY_ARRAY:
        if (!index_of(key, &ix))
            return NULL;
        return ix < t->n ? t->elem[ix] : t->value;
    case AGC_TY_OBJECT: return select_object(a, t, key);
    case AGC_TY_SET: return has(t->value, agc_type_of_const(a, key)) ? t->value : NULL;
    case AGC_TY_UNION:
        if (t->n == 0)
            return t;
        for (uint32_t i = 0; i < t->n; i++)
            found = agc_type_or(a, found, agc_type_select(a, t->elem[i], key));
        return found;
    default: return NULL;
    }
}

// --- unification
static bool
unifies_known(const struct agc_type *x, const struct agc_type *y)
{
    for (uint32_t i = 0; i < x->n; i++)
        if (!agc_type_unifies(x->elem[i], i < y->n ? y->elem[i] : y->value))
            return false;
    return true;
}

// The known keys of x in y.
static bool
unifies_props(const struct agc_type *x, const struct agc_type *y)
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < x->nprops; i++) {
        while (k < y->nprops && agc_node_const_cmp(y->prop[k].key, x->prop[i].key) < 0)
            k++;
        bool is_known = k < y->nprops && agc_node_const_cmp(y->prop[k].key, x->prop[i].key) == 0;
        const struct agc_type *other = y->value;
        if (is_known)
            other = y->prop[k].value;
        else if (y->key && !(agc_type_kinds(y->key) &
                             (x->prop[i].key->kind == AGC_STRING ? AGC_T(AG_STRING) : AGC_T_ANY)))
            other = NULL;
        if (!agc_type_unifies(x->prop[i].value, other))
            return false;
    }
    return true;
}

bool
agc_type_unifies(const struct agc_type *x, const struct agc_type *y)
{
    if (!x || !y)
        return false;
    if (agc_type_is_any(x) || agc_type_is_any(y))
        return true;
    if (x->kind == AGC_TY_UNION || y->kind == AGC_TY_UNION) {
        const struct agc_type *u = x->kind == AGC_TY_UNION ? x : y, *other = u == x ? y : x;
        for (uint32_t i = 0; i < u->n; i++)
            if (agc_type_unifies(u->elem[i], other))
                return true;
        return false;
    }
    if (x->kind != y->kind)
        return false;
    switch (x->kind) {
    case AGC_TY_ARRAY:
        return unifies_known(x, y) && unifies_known(y, x) &&
               (!x->value || !y->value || agc_type_unifies(x->value, y->value));
    case AGC_TY_OBJECT:
        return unifies_props(x, y) && unifies_props(y, x) &&
               (!x->value || !y->value || agc_type_unifies(x->value, y->value));
    case AGC_TY_SET: return agc_type_unifies(x->value, y->value);
    default: return true;
    }
}

uint32_t
agc_type_kinds(const struct agc_type *t)
{
    static const uint8_t kind[] = {AG_NULL, AG_BOOL, AG_NUMBER, AG_STRING, AG_ARRAY, AG_OBJECT, AG_SET};
    if (!t || agc_type_is_any(t))
        return AGC_T_ANY;
    if (t->kind != AGC_TY_UNION)
        return AGC_T(kind[t->kind]);
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < t->n; i++)
        kinds |= agc_type_kinds(t->elem[i]);
    return kinds;
}

// --- constants of the tree
bool
agc_node_is_const(const struct agc_node *n)
{
    if (n->kind > AGC_STRING && n->kind != AGC_ARRAY && n->kind != AGC_SET && n->kind != AGC_OBJECT)
        return false;
    for (uint32_t i = 0; i < n->n; i++)
        if (!agc_node_is_const(n->kid[i]))
            return false;
    return true;
}

const struct agc_type *
agc_type_of_const(struct agc_arena *a, const struct agc_node *n)
{
    const struct agc_type **elem, *of = NULL;
    struct agc_type_prop *prop;
    switch (n->kind) {
    case AGC_NULL_LIT: return agc_type_scalar(AGC_TY_NULL);
    case AGC_TRUE_LIT:
    case AGC_FALSE_LIT: return agc_type_scalar(AGC_TY_BOOL);
    case AGC_NUMBER: return agc_type_scalar(AGC_TY_NUMBER);
    case AGC_STRING: return agc_type_scalar(AGC_TY_STRING);
    case AGC_ARRAY:
        elem = agc_alloc(a, (n->n + 1u) * sizeof *elem);
        for (uint32_t i = 0; i < n->n; i++)
            elem[i] = agc_type_of_const(a, n->kid[i]);
        return agc_type_array(a, elem, n->n, n->n ? NULL : &agc_type_any);
    case AGC_SET:
        for (uint32_t i = 0; i < n->n; i++)
            of = agc_type_or(a, of, agc_type_of_const(a, n->kid[i]));
        return agc_type_set(a, of);
    case AGC_OBJECT:
        prop = agc_alloc(a, (n->n / 2 + 1u) * sizeof *prop);
        for (uint32_t i = 0; i < n->n; i += 2)
            prop[i / 2] = (struct agc_type_prop){n->kid[i], agc_type_of_const(a, n->kid[i + 1])};
        return agc_type_object(a, prop, n->n / 2, n->n ? NULL : &agc_type_any, n->n ? NULL : &agc_type_any);
    default: return &agc_type_any;
    }
}

static int
number_cmp(struct ag_str x, struct ag_str y)
{
    // Digits of a number record follow its spelling; a spelling too long for this is compared as text.
    uint8_t mem[4096];
    struct ag_arena scratch;
    struct ag_num p, q;
    if (ag_str_eq(x, y))
        return 0;
    ag_arena_init(&scratch, mem, sizeof mem);
    if (ag_num_parse(x, &scratch, &p) == AG_NUM_OK && ag_num_parse(y, &scratch, &q) == AG_NUM_OK)
        return ag_num_cmp(p, q);
    return ag_str_cmp(x, y);
}

int
agc_node_const_cmp(const struct agc_node *x, const struct agc_node *y)
{
    int c = 0;
    if (x->kind != y->kind) {
        // The order of kinds of values: the literals stand in it but for true, which comes after false, and
        // sets.
        static const uint8_t rank[] = {
            [AGC_NULL_LIT] = 0, [AGC_FALSE_LIT] = 1, [AGC_TRUE_LIT] = 2, [AGC_NUMBER] = 3,
            [AGC_STRING] = 4,   [AGC_ARRAY] = 5,     [AGC_OBJECT] = 6,   [AGC_SET] = 7};
        return rank[x->kind] < rank[y->kind] ? -1 : 1;
    }
    if (x->kind == AGC_NUMBER)
        return number_cmp(x->text, y->text);
    if (x->kind == AGC_STRING)
        return ag_str_cmp(x->text, y->text);
    for (uint32_t i = 0; c == 0 && i < x->n && i < y->n; i++)
        c = agc_node_const_cmp(x->kid[i], y->kid[i]);
    return c ? c : (x->n > y->n) - (x->n < y->n);
}
