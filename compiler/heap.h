// SPDX-License-Identifier: Apache-2.0
// The CONSTS and HEAP sections: constants of the intermediate form laid out as cells and records
// (vm/value.h). In: constant numbers of struct agc_ir, in the order in which they are asked for. Out: image
// constant indexes and bytes. Memory: the compile arena. Thread rule: one compilation, one thread. Next file
// to read: image_write.c.
#ifndef AGC_HEAP_H
#define AGC_HEAP_H

#include "ir.h"

struct agc_hashed { // a static object that gets a hash index
    uint32_t index_off;
    uint32_t nbuckets, nslots;
    uint32_t n;
    const uint32_t *key; // constants of the keys
};

struct agc_heap {
    struct agc_ir *ir; // constants are added to it on the way
    struct agc_arena *arena;
    struct agc_bytes bytes;  // HEAP
    struct agc_bytes consts; // CONSTS
    uint32_t nconsts;
    ag_cell *cell;   // by constant of the ir: its cell, 0 = not laid out yet
    uint32_t *index; // by constant of the ir: its index + 1 in CONSTS, 0 = none yet
    uint32_t cap;    // of cell and index
    uint32_t nhashed, cap_hashed;
    struct agc_hashed *hashed;
    bool is_full; // an offset left 32 bits, a string its length field
};

void agc_heap_init(struct agc_heap *h, struct agc_ir *ir);
// Index in CONSTS of a constant.
uint32_t agc_heap_const(struct agc_heap *h, uint32_t ix);
// Index in CONSTS of a string.
uint32_t agc_heap_string(struct agc_heap *h, struct ag_str s);
// Fills every hash index under a seed; false: this seed does not make them all perfect.
bool agc_heap_hash(struct agc_heap *h, uint64_t seed);

#endif
