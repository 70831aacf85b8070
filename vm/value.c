// SPDX-License-Identifier: Apache-2.0
// Values: cells to registers and back, the total order, element access, and builders of containers.
// In: registers and cells of three regions. Out: the same; everything made lies in the call's arena.
// Who owns memory: the caller's arena; nothing here frees. Depth is counted wherever a value is followed.
// Next file to read: json_in.c, which makes values, and number.c for arithmetic.
#include "value.h"
#include "hash.h"
#include "image.h"
#include "limits.h"
#include "number.h"

#define INT_INLINE_MAX ((int64_t)1 << 55) // a cell holds 56 bits of integer

// --- cells
// ---------------------------------------------------------------------------------------------------

static inline uint32_t
cell_offset(ag_cell c)
{
    return (uint32_t)(c >> 32);
}

struct ag_value
ag_cell_load_rare(const struct ag_mem *m, ag_cell c)
{
    struct ag_value v = {.kind = (uint8_t)(c & 15), .region = (uint8_t)(c >> 4 & 3)};
    switch (v.kind) {
    case AG_ERROR: // no offset: the detail stands there
        v.i = (int64_t)(c >> 8 & 0xffffff);
        v.len = cell_offset(c);
        break;
    case AG_NUMBER:
        v.p = m->base[v.region] + cell_offset(c);
        if ((c >> 6 & 3) == 1)
            memcpy(&v.i, v.p, sizeof v.i);
        else
            v.sub = 2;
        break;
    default: break;
    }
    return v;
}

static bool
store_int(const struct ag_mem *m, int64_t i, ag_cell *ret)
{
    if (i >= -INT_INLINE_MAX && i < INT_INLINE_MAX) {
        *ret = (uint64_t)i << 8 | AG_NUMBER;
        return true;
    }
    int64_t *box = ag_arena_alloc(m->arena, sizeof *box, sizeof *box);
    if (!box)
        return false;
    *box = i;
    *ret =
        (uint64_t)((uint8_t *)box - m->arena->base) << 32 | 1u << 6 | (unsigned)AG_IN_ARENA << 4 | AG_NUMBER;
    return true;
}

bool
ag_cell_store(const struct ag_mem *m, struct ag_value v, ag_cell *ret)
{
    ag_cell c = v.kind;
    switch (v.kind) {
    case AG_BOOL: c |= (uint64_t)(v.i & 1) << 8; break;
    case AG_ERROR: c |= (uint64_t)v.len << 32 | (uint64_t)(v.i & 0xffffff) << 8; break;
    case AG_NUMBER:
        if (v.sub == 0)
            return store_int(m, v.i, ret);
        c |= 2u << 6;
        goto offset;
    case AG_STRING: c |= (uint64_t)v.len << 8; goto offset;
    case AG_ARRAY:
    case AG_OBJECT:
    case AG_SET:
    offset:
        c |= (uint64_t)v.region << 4 | (uint64_t)(uint32_t)(v.p - m->base[v.region]) << 32;
        break;
    default: break;
    }
    *ret = c;
    return true;
}

// --- order
// ---------------------------------------------------------------------------------------------------

static inline int
cmp_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static inline int
cmp_bytes(const uint8_t *a, uint32_t an, const uint8_t *b, uint32_t bn)
{
    uint32_t n = an < bn ? an : bn;
    int r = n ? memcmp(a, b, n) : 0;
    return r ? r : cmp_u32(an, bn);
}

static int cmp_deep(const struct ag_mem *m, struct ag_value a, struct ag_value b, unsigned depth);

static int
cmp_cells(const struct ag_mem *m, const ag_cell *a, uint32_t an, const ag_cell *b, uint32_t bn,
          unsigned depth)
{
    for (uint32_t i = 0; i < an && i < bn; i++) {
        if (a[i] == b[i])
            continue;
        int r = cmp_deep(m, ag_cell_load(m, a[i]), ag_cell_load(m, b[i]), depth);
        if (r)
            return r;
    }
    return cmp_u32(an, bn);
}

// Objects compare key by key, then value by value at the first keys (OPA: sorted keys, each with its value).
static int
cmp_objects(const struct ag_mem *m, struct ag_value a, struct ag_value b, unsigned depth)
{
    const ag_cell *ka = ag_object_keys(m, a), *kb = ag_object_keys(m, b), *va = ag_value_cells(a),
                  *vb = ag_value_cells(b);
    for (uint32_t i = 0; i < a.len && i < b.len; i++) {
        int r = ka[i] == kb[i] ? 0 : cmp_deep(m, ag_cell_load(m, ka[i]), ag_cell_load(m, kb[i]), depth);
        if (r)
            return r;
        r = va[i] == vb[i] ? 0 : cmp_deep(m, ag_cell_load(m, va[i]), ag_cell_load(m, vb[i]), depth);
        if (r)
            return r;
    }
    return cmp_u32(a.len, b.len);
}

static int
cmp_deep(const struct ag_mem *m, struct ag_value a, struct ag_value b, unsigned depth)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    switch (a.kind) {
    case AG_BOOL: return (a.i > b.i) - (a.i < b.i);
    case AG_NUMBER:
        if (a.sub == 0 && b.sub == 0)
            return (a.i > b.i) - (a.i < b.i);
        return ag_number_cmp(a, b);
    case AG_STRING: return cmp_bytes(a.p, a.len, b.p, b.len);
    case AG_ARRAY:
    case AG_OBJECT:
    case AG_SET:
        if (a.p == b.p)
            return 0;
        if (depth >= AG_NEST_MAX) // deeper than any input: ordered by place, so the order stays total
            return a.p < b.p ? -1 : 1;
        if (a.kind == AG_OBJECT)
            return cmp_objects(m, a, b, depth + 1);
        return cmp_cells(m, ag_value_cells(a), a.len, ag_value_cells(b), b.len, depth + 1);
    case AG_ERROR: return a.i != b.i ? (a.i < b.i ? -1 : 1) : cmp_u32(a.len, b.len);
    default: return 0;
    }
}

int
ag_value_cmp(const struct ag_mem *m, struct ag_value a, struct ag_value b)
{
    return cmp_deep(m, a, b, 0);
}

bool
ag_value_eq(const struct ag_mem *m, struct ag_value a, struct ag_value b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case AG_STRING: return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
    case AG_ARRAY:
    case AG_OBJECT:
    case AG_SET:
        if (a.len != b.len)
            return false;
        break;
    default: break;
    }
    return cmp_deep(m, a, b, 0) == 0;
}

// --- lookup
// --------------------------------------------------------------------------------------------------

// The hash index of an image's static object or set with string keys; NULL when there is none.
static const struct ag_hash_index *
hash_index(const struct ag_mem *m, struct ag_value v)
{
    uint32_t off =
        ((const struct ag_set_rec *)(const void *)v.p)->index_off; // at the same place in both records
    if (!off || v.region != AG_IN_IMAGE)
        return NULL;
    return (const void *)(m->base[AG_IN_IMAGE] + off);
}

#define STRING_BITS (UINT64_C(0xffffff) << 8 | 15) // kind and length of a string cell

static inline ag_cell
string_bits(size_t n)
{
    return (ag_cell)n << 8 | AG_STRING;
}

static inline bool
cell_is_string(const struct ag_mem *m, ag_cell c, struct ag_str s)
{
    return (c & STRING_BITS) == string_bits(s.n) &&
           ag_bytes_eq(m->base[c >> 4 & 3] + cell_offset(c), s.p, s.n);
}

#define NOT_FOUND  UINT32_MAX
#define LINEAR_MAX 16u // keys looked at one after the other: the length test settles most of them

static uint32_t
find_hashed(const struct ag_mem *m, const struct ag_hash_index *ix, const ag_cell *keys, uint32_t n,
            struct ag_str s)
{
    uint64_t h = ag_hash(s.p, s.n, m->hash_seed);
    uint32_t slot = ag_hash_slot(h, ix->table[h % ix->nbuckets], ix->nslots);
    uint32_t i = ix->table[ix->nbuckets + slot];
    return i < n && cell_is_string(m, keys[i], s) ? i : NOT_FOUND;
}

static uint32_t
find_string(const struct ag_mem *m, const ag_cell *keys, uint32_t n, struct ag_str s)
{
    if (n <= LINEAR_MAX) {
        const ag_cell want = string_bits(s.n);
        for (uint32_t i = 0; i < n; i++)
            if ((keys[i] & STRING_BITS) == want && cell_is_string(m, keys[i], s))
                return i;
        return NOT_FOUND;
    }
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        struct ag_value k = ag_cell_load(m, keys[mid]);
        int r = k.kind != AG_STRING ? (k.kind < AG_STRING ? -1 : 1)
                                    : cmp_bytes(k.p, k.len, (const uint8_t *)s.p, (uint32_t)s.n);
        if (r == 0)
            return mid;
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NOT_FOUND;
}

static uint32_t
find_sorted(const struct ag_mem *m, const ag_cell *keys, uint32_t n, struct ag_value key)
{
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int r = ag_value_cmp(m, ag_cell_load(m, keys[mid]), key);
        if (r == 0)
            return mid;
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NOT_FOUND;
}

static uint32_t
find_key(const struct ag_mem *m, struct ag_value v, const ag_cell *keys, struct ag_value key)
{
    if (key.kind != AG_STRING)
        return find_sorted(m, keys, v.len, key);
    const struct ag_hash_index *ix = hash_index(m, v);
    if (ix)
        return find_hashed(m, ix, keys, v.len, ag_value_str(key));
    return find_string(m, keys, v.len, ag_value_str(key));
}

static __attribute__((noinline)) const ag_cell *
find_among_many(const struct ag_mem *m, const struct ag_object_rec *o, uint32_t region, struct ag_str name)
{
    const struct ag_value obj = {.head = AG_OBJECT | region << 8 | (uint64_t)o->n << 32,
                                 .p = (const uint8_t *)o};
    uint32_t i = find_key(m, obj, ag_object_keys(m, obj),
                          ag_string(AG_IN_IMAGE, name)); // the name's region is not asked
    return i == NOT_FOUND ? NULL : &o->value[i];
}

// The value cell under a string key of the object at `o`, or NULL. Most objects of an input have a few keys,
// whose kind and length are compared in one go.
static inline const ag_cell *
find_member(const struct ag_mem *m, const struct ag_object_rec *o, uint32_t region, struct ag_str name)
{
    const uint8_t *base = m->base[region]; // keys and records live in one region, their bytes anywhere
    const ag_cell want = string_bits(name.n), *keys = (const ag_cell *)(const void *)(base + o->keys_off);
    uint32_t n = o->n;
    if (n > LINEAR_MAX)
        return find_among_many(m, o, region, name);
    for (uint32_t i = 0; i < n; i++)
        if ((keys[i] & STRING_BITS) == want &&
            ag_bytes_eq(m->base[keys[i] >> 4 & 3] + cell_offset(keys[i]), name.p, name.n))
            return &o->value[i];
    return NULL;
}

static inline const struct ag_object_rec *
object_at(const uint8_t *p)
{
    return (const struct ag_object_rec *)(const void *)p;
}

struct ag_value
ag_object_get(const struct ag_mem *m, struct ag_value obj, struct ag_str key)
{
    if (obj.kind != AG_OBJECT || key.n > AG_STRING_MAX)
        return ag_undef();
    const ag_cell *at = find_member(m, object_at(obj.p), obj.region, key);
    return at ? ag_cell_load(m, *at) : ag_undef();
}

// v along the keys [i..] of a path, of any kind.
static __attribute__((noinline)) struct ag_value
follow(const struct ag_mem *m, struct ag_value v, struct ag_value path, uint32_t i)
{
    for (; i < path.len && v.kind > AG_ERROR; i++)
        v = ag_value_get(m, v, ag_value_at(m, path, i));
    return v;
}

struct ag_value
ag_value_path(const struct ag_mem *m, struct ag_value v, struct ag_value path)
{
    if (path.kind != AG_ARRAY)
        return ag_undef();
    const ag_cell *key = ag_value_cells(path), *end = key + path.len, *at = NULL;
    if (v.kind != AG_OBJECT || key == end)
        return follow(m, v, path, 0);
    const struct ag_object_rec *o = object_at(v.p);
    uint32_t region = v.region;
    for (;; o = object_at(m->base[region] +
                          cell_offset(*at))) { // names through objects, as nearly every path goes
        if ((*key & 15) != AG_STRING)
            return follow(m, at ? ag_cell_load(m, *at) : v, path, (uint32_t)(key - ag_value_cells(path)));
        at = find_member(m, o, region, ag_cell_str(m, *key));
        if (!at)
            return ag_undef();
        if (++key == end)
            return ag_cell_load(m, *at);
        if ((*at & 15) != AG_OBJECT)
            return follow(m, ag_cell_load(m, *at), path, (uint32_t)(key - ag_value_cells(path)));
        region = *at >> 4 & 3;
    }
}

// Open Policy Agent reads an index from the number's spelling: 1 and -0 are places, 1.0 and 1e0 are none.
static inline bool
is_index(struct ag_value key)
{
    const struct ag_num_rec *rec = (const struct ag_num_rec *)(const void *)key.p;
    return key.kind == AG_NUMBER && (key.sub == 0 || (rec->digits_n == 0 && rec->text_n == 2));
}

struct ag_value
ag_value_get(const struct ag_mem *m, struct ag_value v, struct ag_value key)
{
    uint32_t i;
    int64_t n;
    switch (v.kind) {
    case AG_ARRAY:
        if (!is_index(key) || !ag_number_int(key, &n) || n < 0 || n >= (int64_t)v.len)
            return ag_undef();
        return ag_cell_load(m, ag_value_cells(v)[n]);
    case AG_OBJECT:
        i = find_key(m, v, ag_object_keys(m, v), key);
        return i == NOT_FOUND ? ag_undef() : ag_cell_load(m, ag_value_cells(v)[i]);
    case AG_SET:
        i = find_key(m, v, ag_value_cells(v), key);
        return i == NOT_FOUND ? ag_undef() : ag_cell_load(m, ag_value_cells(v)[i]);
    default: return ag_undef();
    }
}

bool
ag_value_contains(const struct ag_mem *m, struct ag_value coll, struct ag_value member)
{
    switch (coll.kind) {
    case AG_SET: return find_key(m, coll, ag_value_cells(coll), member) != NOT_FOUND;
    case AG_ARRAY:
    case AG_OBJECT:
        for (uint32_t i = 0; i < coll.len; i++)
            if (ag_value_eq(m, ag_value_at(m, coll, i), member))
                return true;
        return false;
    default: return false;
    }
}

struct ag_value
ag_string_copy(const struct ag_mem *m, struct ag_str s)
{
    if (s.n > AG_STRING_MAX)
        return ag_undef();
    char *p = ag_arena_alloc(m->arena, s.n, 1);
    if (!p)
        return ag_undef();
    if (s.n)
        memcpy(p, s.p, s.n);
    return ag_string(AG_IN_ARENA, ag_str_of(p, s.n));
}

// --- builders
// ------------------------------------------------------------------------------------------------

#define BUILDER_FIRST 8u // cells of a new builder

struct ag_builder *
ag_builder_new(const struct ag_mem *m, enum ag_kind what)
{
    struct ag_builder *b = ag_arena_alloc(m->arena, sizeof *b, _Alignof(struct ag_builder));
    ag_cell *cells = ag_arena_alloc(m->arena, BUILDER_FIRST * sizeof *cells, sizeof *cells);
    if (!b || !cells)
        return NULL;
    *b = (struct ag_builder){.cap = BUILDER_FIRST, .what = (uint8_t)what, .cells = cells};
    return b;
}

// Room for `more` cells. The cells grow in place when they are the arena's last.
static bool
reserve(const struct ag_mem *m, struct ag_builder *b, uint32_t more)
{
    if (b->cap - b->n >= more)
        return true;
    if (b->cap >= 2 * AG_CONTAINER_MAX)
        return false;
    ag_cell *cells = ag_arena_alloc(m->arena, (size_t)b->cap * 2 * sizeof *cells, sizeof *cells);
    if (!cells)
        return false;
    memcpy(cells, b->cells, b->n * sizeof *cells);
    b->cells = cells;
    b->cap *= 2;
    return true;
}

bool
ag_builder_push(const struct ag_mem *m, struct ag_builder *b, struct ag_value v)
{
    if (!reserve(m, b, 1) || !ag_cell_store(m, v, &b->cells[b->n]))
        return false;
    b->n++;
    return true;
}

static bool
put_pair(const struct ag_mem *m, struct ag_builder *b, struct ag_value key, struct ag_value v)
{
    if (!reserve(m, b, 2) || !ag_cell_store(m, key, &b->cells[b->n]) ||
        !ag_cell_store(m, v, &b->cells[b->n + 1]))
        return false;
    b->n += 2;
    return true;
}

// An array of `n` cells.
static struct ag_value
make_array(const struct ag_mem *m, const ag_cell *cells, uint32_t n)
{
    struct ag_array_rec *rec = ag_arena_alloc(m->arena, sizeof *rec + (size_t)n * sizeof *cells, 8);
    if (!rec)
        return ag_undef();
    rec->n = n;
    rec->zero = 0;
    if (n)
        memcpy(rec->element, cells, (size_t)n * sizeof *cells);
    return (struct ag_value){.kind = AG_ARRAY, .region = AG_IN_ARENA, .len = n, .p = (const uint8_t *)rec};
}

// Turns the keys put so far into paths of one key, so that both kinds of entry can stand side by side.
static bool
keys_to_paths(const struct ag_mem *m, struct ag_builder *b)
{
    for (uint32_t i = 0; i < b->n; i += 2) {
        struct ag_value path = make_array(m, &b->cells[i], 1);
        if (path.kind == AG_UNDEF || !ag_cell_store(m, path, &b->cells[i]))
            return false;
    }
    b->has_paths = true;
    return true;
}

bool
ag_builder_put(const struct ag_mem *m, struct ag_builder *b, struct ag_value key, struct ag_value v)
{
    if (b->has_paths) {
        ag_cell c;
        if (!ag_cell_store(m, key, &c))
            return false;
        key = make_array(m, &c, 1);
        if (key.kind == AG_UNDEF)
            return false;
    }
    return put_pair(m, b, key, v);
}

bool
ag_builder_putpath(const struct ag_mem *m, struct ag_builder *b, struct ag_value path, struct ag_value v)
{
    if (!b->has_paths && !keys_to_paths(m, b))
        return false;
    return put_pair(m, b, path, v);
}

// An element of a set inside an object is an entry whose path ends in the element and whose value is this
// cell, which no stored value has.
#define ELEMENT ((ag_cell)AG_BUILDER)

bool
ag_builder_putelem(const struct ag_mem *m, struct ag_builder *b, struct ag_value path,
                   struct ag_value element)
{
    uint32_t n = path.len;
    if ((!b->has_paths && !keys_to_paths(m, b)) || !reserve(m, b, 2))
        return false;
    struct ag_array_rec *rec = ag_arena_alloc(m->arena, sizeof *rec + ((size_t)n + 1) * sizeof(ag_cell), 8);
    if (!rec || !ag_cell_store(m, element, &rec->element[n]))
        return false;
    rec->n = n + 1;
    rec->zero = 0;
    memcpy(rec->element, ag_value_cells(path), (size_t)n * sizeof(ag_cell));
    struct ag_value whole = {
        .kind = AG_ARRAY, .region = AG_IN_ARENA, .len = n + 1, .p = (const uint8_t *)rec};
    if (!ag_cell_store(m, whole, &b->cells[b->n]))
        return false;
    b->cells[b->n + 1] = ELEMENT;
    b->n += 2;
    return true;
}

// Sorts `n` items of `w` cells each by their first cell: merge sort, stable, `tmp` holds as many.
static void
sort_items(const struct ag_mem *m, ag_cell *items, ag_cell *tmp, uint32_t n, uint32_t w)
{
    for (uint32_t run = 1; run < n; run *= 2) {
        for (uint32_t lo = 0; lo < n; lo += 2 * run) {
            uint32_t mid = lo + run < n ? lo + run : n, hi = lo + 2 * run < n ? lo + 2 * run : n;
            uint32_t a = lo, b = mid;
            for (uint32_t k = lo; k < hi; k++) {
                bool left = b >= hi || (a < mid && ag_value_cmp(m, ag_cell_load(m, items[(size_t)a * w]),
                                                                ag_cell_load(m, items[(size_t)b * w])) <= 0);
                uint32_t from = left ? a++ : b++;
                memcpy(&tmp[(size_t)k * w], &items[(size_t)from * w], w * sizeof *tmp);
            }
        }
        memcpy(items, tmp, (size_t)n * w * sizeof *items);
    }
}

static bool
is_sorted(const struct ag_mem *m, const ag_cell *items, uint32_t n, uint32_t w)
{
    for (uint32_t i = 1; i < n; i++)
        if (ag_value_cmp(m, ag_cell_load(m, items[(size_t)(i - 1) * w]),
                         ag_cell_load(m, items[(size_t)i * w])) >= 0)
            return false;
    return true;
}

static bool
sort_builder(const struct ag_mem *m, ag_cell *items, uint32_t n, uint32_t w)
{
    if (is_sorted(m, items, n, w))
        return true;
    size_t mark = ag_arena_mark(m->arena);
    ag_cell *tmp = ag_arena_alloc(m->arena, (size_t)n * w * sizeof *tmp, sizeof *tmp);
    if (!tmp)
        return false;
    sort_items(m, items, tmp, n, w);
    ag_arena_reset(m->arena, mark);
    return true;
}

static bool
same_cell(const struct ag_mem *m, ag_cell a, ag_cell b)
{
    return a == b || ag_value_eq(m, ag_cell_load(m, a), ag_cell_load(m, b));
}

static struct ag_value
close_set(const struct ag_mem *m, struct ag_builder *b)
{
    if (!sort_builder(m, b->cells, b->n, 1))
        return ag_undef();
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n; i++)
        if (n == 0 || !same_cell(m, b->cells[n - 1], b->cells[i]))
            b->cells[n++] = b->cells[i];
    b->n = n;
    struct ag_value v = make_array(m, b->cells, n);
    if (v.kind == AG_ARRAY)
        v.kind = AG_SET; // the records have the same shape
    return v;
}

// An object of `n` sorted pairs, equal keys side by side.
static struct ag_value
make_object(const struct ag_mem *m, const ag_cell *pairs, uint32_t n)
{
    uint32_t unique = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i && same_cell(m, pairs[2 * (size_t)i - 2], pairs[2 * (size_t)i])) {
            if (!same_cell(m, pairs[2 * (size_t)i - 1], pairs[2 * (size_t)i + 1]))
                return ag_err(AG_VERR_OBJECT_CONFLICT, 0);
            continue;
        }
        unique++;
    }
    ag_cell *keys = ag_arena_alloc(m->arena, unique * sizeof *keys, 8);
    struct ag_object_rec *rec = ag_arena_alloc(m->arena, sizeof *rec + unique * sizeof *keys, 8);
    if (!keys || !rec)
        return ag_undef();
    *rec = (struct ag_object_rec){.n = unique, .keys_off = (uint32_t)((uint8_t *)keys - m->arena->base)};
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i && same_cell(m, pairs[2 * (size_t)i - 2], pairs[2 * (size_t)i]))
            continue;
        keys[at] = pairs[2 * (size_t)i];
        rec->value[at++] = pairs[2 * (size_t)i + 1];
    }
    return (struct ag_value){
        .kind = AG_OBJECT, .region = AG_IN_ARENA, .len = unique, .p = (const uint8_t *)rec};
}

// The set whose elements are the last keys of the paths of [from, to), all of `depth` + 1 keys.
static struct ag_value
close_elements(const struct ag_mem *m, const ag_cell *pairs, uint32_t from, uint32_t to, uint32_t depth)
{
    struct ag_builder *b = ag_builder_new(m, AG_SET);
    if (!b)
        return ag_undef();
    for (uint32_t i = from; i < to; i++) {
        struct ag_value path = ag_cell_load(m, pairs[2 * (size_t)i]);
        if (path.len != depth + 1 || pairs[2 * (size_t)i + 1] != ELEMENT)
            return ag_err(AG_VERR_OBJECT_CONFLICT, 0);
        if (!ag_builder_push(m, b, ag_value_at(m, path, depth)))
            return ag_undef();
    }
    return close_set(m, b);
}

static bool
has_element(const struct ag_mem *m, const ag_cell *pairs, uint32_t from, uint32_t to, uint32_t depth)
{
    for (uint32_t i = from; i < to; i++)
        if (pairs[2 * (size_t)i + 1] == ELEMENT && ag_cell_load(m, pairs[2 * (size_t)i]).len == depth + 1)
            return true;
    return false;
}

// Objects for the pairs [from, to), whose sorted paths agree in their first `depth` keys.
static struct ag_value
close_paths(const struct ag_mem *m, const ag_cell *pairs, uint32_t from, uint32_t to, uint32_t depth)
{
    struct ag_value first = ag_cell_load(m, pairs[2 * (size_t)from]);
    if (first.len == depth) { // a value ends here: all of them must, with the same value
        for (uint32_t i = from + 1; i < to; i++)
            if (ag_cell_load(m, pairs[2 * (size_t)i]).len != depth ||
                !same_cell(m, pairs[2 * (size_t)from + 1], pairs[2 * (size_t)i + 1]))
                return ag_err(AG_VERR_OBJECT_CONFLICT, 0);
        return ag_cell_load(m, pairs[2 * (size_t)from + 1]);
    }
    if (has_element(m, pairs, from, to, depth))
        return close_elements(m, pairs, from, to, depth);
    struct ag_builder *b = ag_builder_new(m, AG_OBJECT);
    if (!b || depth >= AG_DEPTH_MAX)
        return ag_undef();
    for (uint32_t i = from; i < to;) {
        struct ag_value key = ag_value_at(m, ag_cell_load(m, pairs[2 * (size_t)i]), depth);
        uint32_t end = i + 1;
        while (end < to &&
               ag_value_eq(m, key, ag_value_at(m, ag_cell_load(m, pairs[2 * (size_t)end]), depth)))
            end++;
        struct ag_value sub = close_paths(m, pairs, i, end, depth + 1);
        if (sub.kind <= AG_ERROR)
            return sub;
        if (!put_pair(m, b, key, sub))
            return ag_undef();
        i = end;
    }
    return make_object(m, b->cells, b->n / 2);
}

struct ag_value
ag_builder_close(const struct ag_mem *m, struct ag_builder *b)
{
    if (b->what == AG_ARRAY)
        return make_array(m, b->cells, b->n);
    if (b->what == AG_SET)
        return close_set(m, b);
    if (!sort_builder(m, b->cells, b->n / 2, 2))
        return ag_undef();
    if (b->has_paths && b->n)
        return close_paths(m, b->cells, 0, b->n / 2, 0);
    return make_object(m, b->cells, b->n / 2);
}
