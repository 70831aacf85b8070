// SPDX-License-Identifier: Apache-2.0
// Verifier, constants: every cell reachable from CONSTS lies in HEAP, is aligned, is of a known kind, points
// only to older cells, nests no deeper than AG_DEPTH_MAX; strings are UTF-8; keys are sorted and unique. In:
// an opened image. Out: yes, or the first thing that is wrong. Nothing is allocated. Next file to read:
// verify_table.c.
#include "verify.h"
#include "number.h"
#include "utf8.h"

#define WORD 8u

static bool check_cell(struct ag_verifier *v, const ag_cell *at, uint64_t below, unsigned depth);

static bool
check_index(struct ag_verifier *v, uint32_t off, const void *place)
{
    const struct ag_image *im = v->im;
    struct ag_hash_index h;
    if (!off)
        return true;
    if (off % 4 || off > im->nheap || im->nheap - off < sizeof h)
        return ag_verify_fail(v, place, "hash index outside of HEAP");
    memcpy(&h, im->heap + off, sizeof h);
    if (!h.nbuckets || !h.nslots || ((uint64_t)h.nbuckets + h.nslots) * 4 > im->nheap - off - sizeof h)
        return ag_verify_fail(v, place, "hash index outside of HEAP");
    return true;
}

// n cells of which each one that `sorted` asks for must be greater than the one before.
static bool
check_cells(struct ag_verifier *v, const ag_cell *cell, uint32_t n, uint64_t below, unsigned depth,
            bool sorted)
{
    const struct ag_mem m = {.base = {v->im->heap}};
    for (uint32_t i = 0; i < n; i++) {
        if (!check_cell(v, &cell[i], below, depth))
            return false;
        if (sorted && i && ag_value_cmp(&m, ag_cell_load(&m, cell[i - 1]), ag_cell_load(&m, cell[i])) >= 0)
            return ag_verify_fail(v, &cell[i], "keys or elements are not sorted and unique");
    }
    return true;
}

static bool
check_object(struct ag_verifier *v, const struct ag_object_rec *o, uint64_t off, unsigned depth)
{
    const struct ag_image *im = v->im;
    if (o->keys_off % WORD || o->keys_off > im->nheap || (im->nheap - o->keys_off) / WORD < o->n || o->zero)
        return ag_verify_fail(v, o, "keys of an object outside of HEAP");
    const ag_cell *keys = (const void *)(im->heap + o->keys_off);
    return check_cells(v, keys, o->n, off, depth, true) &&
           check_cells(v, o->value, o->n, off, depth, false) && check_index(v, o->index_off, o);
}

static bool
check_container(struct ag_verifier *v, const ag_cell *at, enum ag_kind kind, uint64_t off, unsigned depth)
{
    const struct ag_image *im = v->im;
    size_t head = kind == AG_OBJECT ? sizeof(struct ag_object_rec) : sizeof(struct ag_array_rec);
    uint32_t n;
    if (depth >= AG_DEPTH_MAX)
        return ag_verify_fail(v, at, "a constant nests deeper than 64 levels");
    if (off % WORD || off > im->nheap || im->nheap - off < head)
        return ag_verify_fail(v, at, "a container outside of HEAP or not aligned");
    memcpy(&n, im->heap + off, sizeof n);
    if (n > AG_CONTAINER_MAX || (im->nheap - off - head) / WORD < n)
        return ag_verify_fail(v, at, "a container reaches past HEAP");
    if (kind == AG_OBJECT)
        return check_object(v, (const void *)(im->heap + off), off, depth + 1);
    if (kind == AG_SET) {
        const struct ag_set_rec *s = (const void *)(im->heap + off);
        return check_cells(v, s->element, n, off, depth + 1, true) && check_index(v, s->index_off, s);
    }
    const struct ag_array_rec *a = (const void *)(im->heap + off);
    if (a->zero)
        return ag_verify_fail(v, a, "a reserved field is not zero");
    return check_cells(v, a->element, n, off, depth + 1, false);
}

static bool
check_number(struct ag_verifier *v, const ag_cell *at, ag_cell c, uint64_t off, uint64_t below)
{
    const struct ag_image *im = v->im;
    unsigned sub = (unsigned)(c >> 6 & 3);
    if (sub == 0)
        return true;
    if (off % WORD || off >= below || im->nheap - off < sizeof(int64_t) || (c >> 8 & 0xffffff))
        return ag_verify_fail(v, at, "a number outside of HEAP or not aligned");
    if (sub == 1)
        return true;
    if (sub != 2 || !ag_num_rec_check(im->heap + off, im->nheap - (size_t)off))
        return ag_verify_fail(v, at, "a number record is malformed");
    return ag_verify_work(v, AG_NUM_TEXT_MAX / AG_STEP_BYTES, at);
}

// One cell whose payload must lie below `below` in HEAP.
static bool
check_cell(struct ag_verifier *v, const ag_cell *at, uint64_t below, unsigned depth)
{
    const ag_cell c = *at;
    const uint64_t off = c >> 32, n = c >> 8 & 0xffffff;
    if (!ag_verify_work(v, 1, at))
        return false;
    if ((c >> 4 & 3) != AG_IN_IMAGE || ((c & 15) != AG_NUMBER && (c >> 6 & 3)))
        return ag_verify_fail(v, at, "a constant that does not lie in the image");
    switch (c & 15) {
    case AG_NULL: return c == AG_NULL || ag_verify_fail(v, at, "a malformed null");
    case AG_BOOL: return c >> 9 == 0 || ag_verify_fail(v, at, "a malformed boolean");
    case AG_NUMBER: return check_number(v, at, c, off, below);
    case AG_STRING:
        if (off > below || n > below - off || !ag_verify_work(v, n / AG_STEP_BYTES, at))
            return ag_verify_fail(v, at, "a string outside of HEAP");
        return ag_utf8_valid(v->im->heap + off, n) || ag_verify_fail(v, at, "a string that is not UTF-8");
    case AG_ARRAY:
    case AG_OBJECT:
    case AG_SET:
        if (off >= below || n)
            return ag_verify_fail(v, at, "a container that does not precede its parent");
        return check_container(v, at, (enum ag_kind)(c & 15), off, depth);
    default: return ag_verify_fail(v, at, "a constant of unknown kind");
    }
}

bool
ag_verify_constants(struct ag_verifier *v)
{
    for (uint32_t i = 0; i < v->im->nconsts; i++)
        if (!check_cell(v, &v->im->consts[i], v->im->nheap, 0))
            return false;
    return true;
}

bool
ag_verify_is_string(const struct ag_verifier *v, uint32_t ix, bool or_none)
{
    return (or_none && ix == AG_NONE) || ag_image_const(v->im, ix).kind == AG_STRING;
}

bool
ag_verify_is_path(const struct ag_verifier *v, uint32_t ix, bool or_none)
{
    const struct ag_mem m = {.base = {v->im->heap}};
    struct ag_value path = ag_image_const(v->im, ix);
    if (path.kind != AG_ARRAY)
        return or_none && ix == AG_NONE;
    for (uint32_t i = 0; i < path.len; i++)
        if (ag_value_at(&m, path, i).kind != AG_STRING)
            return false;
    return true;
}
