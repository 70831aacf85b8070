// SPDX-License-Identifier: Apache-2.0
// A growing byte string in the compile arena: sections of the image are written into these.
// In: appended bytes. Out: one contiguous piece, moved when it grows. Thread rule: one compilation, one
// thread.
#ifndef AGC_BYTES_H
#define AGC_BYTES_H

#include "compile_arena.h"

struct agc_bytes {
    struct agc_arena *arena;
    uint8_t *p;
    size_t n, cap;
};

// Room for n more bytes, zeroed; the returned place is valid until the next call.
static inline void *
agc_bytes_room(struct agc_bytes *b, size_t n)
{
    if (n > b->cap - b->n) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap - b->n < n)
            cap *= 2;
        uint8_t *p = agc_alloc(b->arena, cap);
        if (b->n)
            memcpy(p, b->p, b->n);
        b->p = p;
        b->cap = cap;
    }
    void *at = b->p + b->n;
    b->n += n;
    return at;
}

static inline void
agc_bytes_put(struct agc_bytes *b, const void *p, size_t n)
{
    if (n)
        memcpy(agc_bytes_room(b, n), p, n);
}

static inline void
agc_bytes_u32(struct agc_bytes *b, uint32_t v)
{
    agc_bytes_put(b, &v, sizeof v);
}

// Zero bytes up to the next multiple of `align` (a power of two).
static inline void
agc_bytes_align(struct agc_bytes *b, size_t align)
{
    agc_bytes_room(b, (align - (b->n & (align - 1))) & (align - 1));
}

#endif
