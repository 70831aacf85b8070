// SPDX-License-Identifier: Apache-2.0
// Constants as cells and records: children before parents, equal constants once, hash indexes for large
// objects. In: struct agc_ir constants. Out: the bytes of CONSTS and HEAP. Memory: the compile arena. Layout:
// vm/value.h; hash indexes: struct ag_hash_index in vm/image.h. Next file to read: image_write.c.
#include "heap.h"

#include "hash.h"
#include "num.h"

#include <stdlib.h>

#define HEAP_RESERVED 16u // offset 0 means "none"
#define DISP_MAX      65536u

void
agc_heap_init(struct agc_heap *h, struct agc_ir *ir)
{
    *h = (struct agc_heap){.ir = ir, .arena = ir->arena};
    h->bytes.arena = h->consts.arena = ir->arena;
    agc_bytes_room(&h->bytes, HEAP_RESERVED);
}

static void
make_room(struct agc_heap *h, uint32_t n)
{
    if (n <= h->cap)
        return;
    uint32_t cap = h->cap ? h->cap : 1024;
    while (cap < n)
        cap *= 2;
    ag_cell *cell = agc_alloc(h->arena, cap * sizeof *cell);
    uint32_t *index = agc_alloc(h->arena, cap * sizeof *index);
    if (h->cap) {
        memcpy(cell, h->cell, h->cap * sizeof *cell);
        memcpy(index, h->index, h->cap * sizeof *index);
    }
    h->cell = cell;
    h->index = index;
    h->cap = cap;
}

static uint32_t
offset(struct agc_heap *h, size_t at)
{
    if (at > AG_IMAGE_MAX)
        h->is_full = true;
    return (uint32_t)at;
}

static ag_cell
make_cell(enum ag_kind kind, unsigned sub, uint32_t mid, uint32_t off)
{
    return (ag_cell)kind | (ag_cell)AG_IN_IMAGE << 4 | (ag_cell)sub << 6 | (ag_cell)mid << 8 |
           (ag_cell)off << 32;
}

static ag_cell
string_cell(struct agc_heap *h, struct ag_str s)
{
    if (s.n > AG_STRING_MAX) {
        h->is_full = true;
        return make_cell(AG_STRING, 0, 0, 0);
    }
    uint32_t at = offset(h, h->bytes.n);
    agc_bytes_put(&h->bytes, s.p, s.n);
    return make_cell(AG_STRING, 0, (uint32_t)s.n, at);
}

static ag_cell
int_cell(struct agc_heap *h, int64_t i)
{
    if (i >= -((int64_t)1 << 55) && i < (int64_t)1 << 55)
        return (ag_cell)AG_NUMBER | (ag_cell)i << 8;
    agc_bytes_align(&h->bytes, 8);
    uint32_t at = offset(h, h->bytes.n);
    agc_bytes_put(&h->bytes, &i, sizeof i);
    return make_cell(AG_NUMBER, 1, 0, at);
}

static ag_cell
number_cell(struct agc_heap *h, const struct agc_const *c)
{
    uint64_t mem[512];
    struct ag_arena scratch;
    struct ag_num num;
    if (c->is_int)
        return int_cell(h, c->i);
    ag_arena_init(&scratch, mem, sizeof mem);
    if (ag_num_parse(c->text, &scratch, &num) != AG_NUM_OK) {
        h->is_full = true;
        return make_cell(AG_NULL, 0, 0, 0);
    }
    if (!num.rec)
        return int_cell(h, num.i);
    agc_bytes_align(&h->bytes, AG_NUM_ALIGN);
    uint32_t at = offset(h, h->bytes.n);
    agc_bytes_put(&h->bytes, num.rec, num.rec->size);
    return make_cell(AG_NUMBER, 2, 0, at);
}

static ag_cell lay_out(struct agc_heap *h, uint32_t ix);

// Cells of every `step`-th child from `from` on, as an 8-aligned run; returns its offset.
static uint32_t
cells(struct agc_heap *h, const struct agc_const *c, uint32_t from, uint32_t step)
{
    for (uint32_t i = from; i < c->n; i += step)
        lay_out(h, c->kid[i]);
    agc_bytes_align(&h->bytes, 8);
    uint32_t at = offset(h, h->bytes.n);
    for (uint32_t i = from; i < c->n; i += step)
        agc_bytes_put(&h->bytes, &h->cell[c->kid[i]], sizeof(ag_cell));
    return at;
}

static ag_cell
list_cell(struct agc_heap *h, const struct agc_const *c)
{
    uint32_t head[2] = {c->n, 0};
    for (uint32_t i = 0; i < c->n; i++)
        lay_out(h, c->kid[i]);
    agc_bytes_align(&h->bytes, 8);
    uint32_t at = offset(h, h->bytes.n);
    agc_bytes_put(&h->bytes, head, sizeof head);
    for (uint32_t i = 0; i < c->n; i++)
        agc_bytes_put(&h->bytes, &h->cell[c->kid[i]], sizeof(ag_cell));
    return make_cell(c->kind, 0, 0, at);
}

// Reserves the hash index of an object with many string keys; agc_heap_hash fills it once the seed is known.
static uint32_t
reserve_index(struct agc_heap *h, const struct agc_const *c)
{
    uint32_t n = c->n / 2;
    if (n < AGC_HASH_KEYS_MIN)
        return 0;
    uint32_t *key = agc_alloc(h->arena, n * sizeof *key);
    for (uint32_t i = 0; i < n; i++) {
        key[i] = c->kid[2 * i];
        if (h->ir->consts[key[i]].kind != AG_STRING)
            return 0;
    }
    struct ag_hash_index head = {n / 4 + 1, n + n / 4 + 1};
    agc_bytes_align(&h->bytes, 8);
    uint32_t at = offset(h, h->bytes.n);
    agc_bytes_put(&h->bytes, &head, sizeof head);
    agc_bytes_room(&h->bytes, ((size_t)head.nbuckets + head.nslots) * sizeof(uint32_t));
    h->hashed = agc_grow(h->arena, h->hashed, h->nhashed, &h->cap_hashed, sizeof *h->hashed);
    h->hashed[h->nhashed++] = (struct agc_hashed){at, head.nbuckets, head.nslots, n, key};
    return at;
}

static ag_cell
object_cell(struct agc_heap *h, const struct agc_const *c)
{
    uint32_t keys = cells(h, c, 0, 2), index = reserve_index(h, c);
    for (uint32_t i = 1; i < c->n; i += 2)
        lay_out(h, c->kid[i]);
    uint32_t head[4] = {c->n / 2, index, keys, 0};
    agc_bytes_align(&h->bytes, 8);
    uint32_t at = offset(h, h->bytes.n);
    agc_bytes_put(&h->bytes, head, sizeof head);
    for (uint32_t i = 1; i < c->n; i += 2)
        agc_bytes_put(&h->bytes, &h->cell[c->kid[i]], sizeof(ag_cell));
    return make_cell(AG_OBJECT, 0, 0, at);
}

// Recursion is bounded by the nesting that the front half accepts.
static ag_cell
lay_out(struct agc_heap *h, uint32_t ix)
{
    const struct agc_const *c = &h->ir->consts[ix];
    make_room(h, ix + 1);
    if (h->cell[ix])
        return h->cell[ix];
    ag_cell cell;
    switch (c->kind) {
    case AG_BOOL: cell = make_cell(AG_BOOL, 0, (uint32_t)c->i, 0); break;
    case AG_NUMBER: cell = number_cell(h, c); break;
    case AG_STRING: cell = string_cell(h, c->text); break;
    case AG_ARRAY:
    case AG_SET: cell = list_cell(h, c); break;
    case AG_OBJECT: cell = object_cell(h, c); break;
    default: cell = make_cell(AG_NULL, 0, 0, 0);
    }
    h->cell[ix] = cell;
    return cell;
}

uint32_t
agc_heap_const(struct agc_heap *h, uint32_t ix)
{
    ag_cell cell = lay_out(h, ix);
    if (h->index[ix] == 0) {
        agc_bytes_put(&h->consts, &cell, sizeof cell);
        h->index[ix] = ++h->nconsts;
    }
    return h->index[ix] - 1;
}

uint32_t
agc_heap_string(struct agc_heap *h, struct ag_str s)
{
    return agc_heap_const(h, agc_const_string(h->ir, s));
}

// --- perfect hashing: hash and displace, buckets by falling size
struct bucketed {
    uint64_t hash;
    uint32_t bucket, element;
};

static int
by_bucket(const void *x, const void *y)
{
    const struct bucketed *a = x, *b = y;
    if (a->bucket != b->bucket)
        return a->bucket < b->bucket ? -1 : 1;
    return a->element < b->element ? -1 : a->element > b->element;
}

struct run {
    uint32_t from, n;
};

static int
by_size(const void *x, const void *y)
{
    const struct run *a = x, *b = y;
    if (a->n != b->n)
        return a->n > b->n ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

// The displacement at which every element of the bucket finds a free slot of its own.
static bool
place_bucket(const struct agc_hashed *o, const struct bucketed *v, uint32_t n, uint32_t *slot,
             uint32_t *ret_disp)
{
    for (uint32_t disp = 0; disp < DISP_MAX; disp++) {
        uint32_t done = 0;
        for (; done < n; done++) {
            uint32_t *s = &slot[ag_hash_slot(v[done].hash, disp, o->nslots)];
            if (*s != AG_NONE)
                break;
            *s = v[done].element;
        }
        if (done == n) {
            *ret_disp = disp;
            return true;
        }
        while (done-- > 0)
            slot[ag_hash_slot(v[done].hash, disp, o->nslots)] = AG_NONE;
    }
    return false;
}

static bool
fill_index(struct agc_heap *h, const struct agc_hashed *o, uint64_t seed)
{
    struct bucketed *v = agc_alloc(h->arena, o->n * sizeof *v);
    struct run *run = agc_alloc(h->arena, o->n * sizeof *run);
    struct ag_hash_index *table = (struct ag_hash_index *)(void *)(h->bytes.p + o->index_off);
    uint32_t *disp = table->table, *slot = disp + o->nbuckets, nruns = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        struct ag_str s = h->ir->consts[o->key[i]].text;
        v[i].hash = ag_hash(s.p, s.n, seed);
        v[i].bucket = (uint32_t)(v[i].hash % o->nbuckets);
        v[i].element = i;
    }
    qsort(v, o->n, sizeof *v, by_bucket);
    for (uint32_t i = 0; i < o->n; i++) {
        if (i == 0 || v[i].bucket != v[i - 1].bucket)
            run[nruns++] = (struct run){i, 0};
        run[nruns - 1].n++;
    }
    qsort(run, nruns, sizeof *run, by_size);
    memset(disp, 0, o->nbuckets * sizeof *disp);
    memset(slot, 0xff, o->nslots * sizeof *slot);
    for (uint32_t r = 0; r < nruns; r++)
        if (!place_bucket(o, &v[run[r].from], run[r].n, slot, &disp[v[run[r].from].bucket]))
            return false;
    return true;
}

bool
agc_heap_hash(struct agc_heap *h, uint64_t seed)
{
    for (uint32_t i = 0; i < h->nhashed; i++)
        if (!fill_index(h, &h->hashed[i], seed))
            return false;
    return true;
}
