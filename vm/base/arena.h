// SPDX-License-Identifier: Apache-2.0
// A fixed region of memory handed out from the front and taken back by resetting a mark.
// In: memory owned by the caller. Out: zero-cost allocations that die together. Never calls malloc.
// The first AG_ARENA_RESERVED bytes are never handed out, so offset 0 means "none" in stored cells.
// Thread rule: one arena, one thread.
#ifndef AG_BASE_ARENA_H
#define AG_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define AG_ARENA_RESERVED 16u

struct ag_arena {
    uint8_t *base;
    size_t used; // bytes handed out, counted from base
    size_t size; // bytes in all, at most 4 GiB - 1 so that offsets fit 32 bits
};

static inline void
ag_arena_init(struct ag_arena *a, void *mem, size_t size)
{
    a->base = mem;
    a->size = size > UINT32_MAX ? UINT32_MAX : size;
    a->used = AG_ARENA_RESERVED;
}

// `n` bytes aligned to `align` (a power of two, at most 64); NULL when the arena is full. Not cleared.
static inline void *
ag_arena_alloc(struct ag_arena *a, size_t n, size_t align)
{
    size_t at = (a->used + (align - 1)) & ~(align - 1);
    if (at > a->size || n > a->size - at)
        return NULL;
    a->used = at + n;
    return a->base + at;
}

static inline size_t
ag_arena_mark(const struct ag_arena *a)
{
    return a->used;
}

// Takes back everything handed out after `mark`.
static inline void
ag_arena_reset(struct ag_arena *a, size_t mark)
{
    a->used = mark;
}

#endif
