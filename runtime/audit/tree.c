// SPDX-License-Identifier: Apache-2.0
// Step 17, hashing: the append-only Merkle tree of the log, and proofs about it. Contract and sources:
// tree.h. In: leaf hashes. Out: roots, completed subtrees, proofs. Nothing is allocated; callers own all
// memory. Next: runtime/audit/tiles.c.
#include "tree.h"

#include <string.h>

#include "sha256.h"

void
agr_leaf_hash(const void *entry, size_t n, struct agr_hash *ret)
{
    struct ag_sha256 s;
    ag_sha256_init(&s);
    ag_sha256_update(&s, "\0", 1);
    ag_sha256_update(&s, entry, n);
    ag_sha256_final(&s, ret->b);
}

void
agr_node_hash(const struct agr_hash *left, const struct agr_hash *right, struct agr_hash *ret)
{
    uint8_t buf[1 + 2 * AGR_HASH_SIZE];
    buf[0] = 1;
    memcpy(buf + 1, left->b, AGR_HASH_SIZE);
    memcpy(buf + 1 + AGR_HASH_SIZE, right->b, AGR_HASH_SIZE);
    ag_sha256(buf, sizeof(buf), ret->b);
}

bool
agr_hash_eq(const struct agr_hash *a, const struct agr_hash *b)
{
    return memcmp(a->b, b->b, AGR_HASH_SIZE) == 0;
}

void
agr_tree_init(struct agr_tree *t)
{
    memset(t, 0, sizeof(*t));
}

bool
agr_tree_load(struct agr_tree *t, uint64_t size, const struct agr_hash *frontier, uint32_t n)
{
    if (size >> 63 || n != (uint32_t)__builtin_popcountll(size))
        return false;
    agr_tree_init(t);
    t->size = size;
    t->n = n;
    if (n)
        memcpy(t->frontier, frontier, n * sizeof(*frontier));
    return true;
}

void
agr_tree_add(struct agr_tree *t, const struct agr_hash *leaf, agr_tree_fn *fn, void *ctx)
{
    struct agr_hash h = *leaf;
    unsigned level = 0;
    if (fn)
        fn(ctx, 0, t->size, &h);
    // Like a binary counter: each trailing one of size is a subtree that merges with the new one.
    for (; t->size >> level & 1; level++) {
        agr_node_hash(&t->frontier[--t->n], &h, &h);
        if (fn)
            fn(ctx, level + 1, t->size >> (level + 1), &h);
    }
    t->frontier[t->n++] = h;
    t->size++;
}

static void
fold(const struct agr_hash *frontier, uint32_t n, struct agr_hash *ret)
{
    if (n == 0) {
        ag_sha256("", 0, ret->b);
        return;
    }
    *ret = frontier[n - 1];
    for (uint32_t i = n - 1; i-- > 0;)
        agr_node_hash(&frontier[i], ret, ret);
}

void
agr_tree_root(const struct agr_tree *t, struct agr_hash *ret)
{
    fold(t->frontier, t->n, ret);
}

// Root of leaves [lo, hi), where lo is a multiple of the largest power of two not over hi - lo.
static bool
range_root(uint64_t lo, uint64_t hi, agr_tree_get *get, void *ctx, struct agr_hash *ret)
{
    struct agr_hash parts[AGR_LEVELS_MAX];
    uint32_t n = 0;
    for (uint64_t at = lo, left = hi - lo; left;) {
        unsigned level = 63u - (unsigned)__builtin_clzll(left);
        if (!get(ctx, level, at >> level, &parts[n++]))
            return false;
        at += (uint64_t)1 << level;
        left -= (uint64_t)1 << level;
    }
    fold(parts, n, ret);
    return true;
}

bool
agr_tree_root_of(uint64_t size, agr_tree_get *get, void *ctx, struct agr_hash *ret)
{
    return size >> 63 == 0 && range_root(0, size, get, ctx, ret);
}

// Largest power of two below n (n > 1).
static uint64_t
split_of(uint64_t n)
{
    return (uint64_t)1 << (63u - (unsigned)__builtin_clzll(n - 1));
}

static void
reverse(struct agr_proof *p)
{
    for (uint32_t i = 0, k = p->n; i + 1 < k; i++) {
        k--;
        struct agr_hash h = p->h[i];
        p->h[i] = p->h[k];
        p->h[k] = h;
    }
}

bool
agr_prove_inclusion(uint64_t index, uint64_t size, agr_tree_get *get, void *ctx, struct agr_proof *ret)
{
    if (index >= size || size >> 63)
        return false;
    ret->n = 0;
    for (uint64_t lo = 0, hi = size; hi - lo > 1;) {
        uint64_t mid = lo + split_of(hi - lo);
        bool is_left = index < mid;
        if (!range_root(is_left ? mid : lo, is_left ? hi : mid, get, ctx, &ret->h[ret->n++]))
            return false;
        if (is_left)
            hi = mid;
        else
            lo = mid;
    }
    reverse(ret); // RFC 6962 lists siblings from the leaf up
    return true;
}

bool
agr_prove_consistency(uint64_t old, uint64_t size, agr_tree_get *get, void *ctx, struct agr_proof *ret)
{
    if (old == 0 || old > size || size >> 63)
        return false;
    ret->n = 0;
    uint64_t lo = 0, hi = size;
    bool is_whole = true; // the old tree is a complete subtree from 0
    while (old != hi) {
        uint64_t mid = lo + split_of(hi - lo);
        bool is_left = old <= mid;
        if (!range_root(is_left ? mid : lo, is_left ? hi : mid, get, ctx, &ret->h[ret->n++]))
            return false;
        if (is_left) {
            hi = mid;
        } else {
            lo = mid;
            is_whole = false;
        }
    }
    if (!is_whole && !range_root(lo, hi, get, ctx, &ret->h[ret->n++]))
        return false;
    reverse(ret);
    return true;
}

// RFC 9162, 2.1.3.2.
bool
agr_check_inclusion(const struct agr_proof *p, uint64_t index, const struct agr_hash *leaf, uint64_t size,
                    const struct agr_hash *root)
{
    if (index >= size || p->n > AGR_LEVELS_MAX)
        return false;
    uint64_t fn = index, sn = size - 1;
    struct agr_hash r = *leaf;
    for (uint32_t i = 0; i < p->n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            agr_node_hash(&p->h[i], &r, &r);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            agr_node_hash(&r, &p->h[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && agr_hash_eq(&r, root);
}

// RFC 9162, 2.1.4.2.
bool
agr_check_consistency(const struct agr_proof *p, uint64_t old, const struct agr_hash *old_root, uint64_t size,
                      const struct agr_hash *root)
{
    if (old == 0 || old > size || p->n > AGR_LEVELS_MAX * 2)
        return false;
    if (old == size)
        return p->n == 0 && agr_hash_eq(old_root, root);
    bool is_power = (old & (old - 1)) == 0;
    uint32_t i = 0;
    if (!is_power && p->n == 0)
        return false;
    struct agr_hash fr = is_power ? *old_root : p->h[i++], sr = fr;
    uint64_t fn = old - 1, sn = size - 1;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    for (; i < p->n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            agr_node_hash(&p->h[i], &fr, &fr);
            agr_node_hash(&p->h[i], &sr, &sr);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            agr_node_hash(&sr, &p->h[i], &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && agr_hash_eq(&fr, old_root) && agr_hash_eq(&sr, root);
}
