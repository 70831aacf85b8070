// SPDX-License-Identifier: Apache-2.0
// RFC 6962 Merkle tree with SHA-256, kept as its frontier (the roots of its complete subtrees, largest
// first). In: leaf hashes in order. Out: the root at any moment, each completed subtree by callback, proofs
// and their checks. Sources of the formulas: RFC 6962 section 2.1, RFC 9162 sections 2.1.3 and 2.1.4. Thread
// rule: one tree, one thread; the rest is pure. Next: tiles.h (the files the hashes go to).
#ifndef AGR_TREE_H
#define AGR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGR_HASH_SIZE  32u
#define AGR_LEVELS_MAX 64u // complete subtrees of a tree of 2^63 leaves, and hashes in a proof

struct agr_hash {
    uint8_t b[AGR_HASH_SIZE];
};

struct agr_tree {
    uint64_t size;                            // leaves
    uint32_t n;                               // set bits of size
    struct agr_hash frontier[AGR_LEVELS_MAX]; // largest subtree first
};

// SHA-256(0x00 ‖ entry) and SHA-256(0x01 ‖ left ‖ right).
void agr_leaf_hash(const void *entry, size_t n, struct agr_hash *ret);
void agr_node_hash(const struct agr_hash *left, const struct agr_hash *right, struct agr_hash *ret);
bool agr_hash_eq(const struct agr_hash *a, const struct agr_hash *b);

void agr_tree_init(struct agr_tree *t);
// From a stored frontier; false when n is not the number of set bits of size.
bool agr_tree_load(struct agr_tree *t, uint64_t size, const struct agr_hash *frontier, uint32_t n);

// Called for each subtree that a leaf completes: level 0 is the leaf itself, index counts subtrees of that
// level.
typedef void agr_tree_fn(void *ctx, unsigned level, uint64_t index, const struct agr_hash *h);

// Appends one leaf hash. `fn` may be NULL.
void agr_tree_add(struct agr_tree *t, const struct agr_hash *leaf, agr_tree_fn *fn, void *ctx);
// The root; of the empty tree SHA-256("").
void agr_tree_root(const struct agr_tree *t, struct agr_hash *ret);

// Gives the root of the complete subtree (level, index); false when it cannot.
typedef bool agr_tree_get(void *ctx, unsigned level, uint64_t index, struct agr_hash *ret);

struct agr_proof {
    uint32_t n;
    struct agr_hash h[AGR_LEVELS_MAX * 2];
};

// Root of the first `size` leaves. False when a hash is missing.
bool agr_tree_root_of(uint64_t size, agr_tree_get *get, void *ctx, struct agr_hash *ret);
// Audit path of leaf `index` in the tree of `size` leaves; index < size.
bool agr_prove_inclusion(uint64_t index, uint64_t size, agr_tree_get *get, void *ctx, struct agr_proof *ret);
// Consistency of the tree of `old` leaves with that of `size`; 1 <= old <= size.
bool agr_prove_consistency(uint64_t old, uint64_t size, agr_tree_get *get, void *ctx, struct agr_proof *ret);

// True when the proof shows it; any byte of any argument changed gives false.
bool agr_check_inclusion(const struct agr_proof *p, uint64_t index, const struct agr_hash *leaf,
                         uint64_t size, const struct agr_hash *root);
bool agr_check_consistency(const struct agr_proof *p, uint64_t old, const struct agr_hash *old_root,
                           uint64_t size, const struct agr_hash *root);

#endif
