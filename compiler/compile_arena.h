// SPDX-License-Identifier: Apache-2.0
// The compile arena: grows in chunks, everything in it dies with the run. Allocation never returns NULL to
// callers: when memory is out the run ends with a message and exit code 3, before any output file was begun
// (aegisc is a batch program; tests/fault makes the n-th allocation fail to show that this path is clean).
// Thread rule: one compilation, one thread.
#ifndef AGC_COMPILE_ARENA_H
#define AGC_COMPILE_ARENA_H

#include "str.h"

struct agc_chunk;
struct agc_arena {
    struct agc_chunk *chunks;
    size_t used, size; // of the newest chunk
    size_t total;      // bytes asked for
};

// Says that n bytes (0: some) were wanted and ends the run.
_Noreturn void agc_out_of_memory(size_t n);
void agc_arena_fini(struct agc_arena *a);
// n zeroed bytes aligned to 16.
void *agc_alloc(struct agc_arena *a, size_t n);
// Copies with a NUL after the bytes (not counted).
struct ag_str agc_strdup(struct agc_arena *a, struct ag_str s);

// Doubling array: makes room for one more element of `elem` bytes.
void *agc_grow(struct agc_arena *a, void *old, uint32_t n, uint32_t *cap, size_t elem);

#endif
