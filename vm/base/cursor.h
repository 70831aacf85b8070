// SPDX-License-Identifier: Apache-2.0
// Bounds-checked little-endian reader over foreign bytes: every size from a file or socket goes through here.
// A read past the end sets `is_bad` and yields zeros; check once after a group of reads.
// Thread rule: one cursor, one thread.
#ifndef AG_BASE_CURSOR_H
#define AG_BASE_CURSOR_H

#include "str.h"

struct ag_cursor {
    const uint8_t *p;
    size_t n;  // bytes in all
    size_t at; // next byte
    bool is_bad;
};

static inline void
ag_cursor_init(struct ag_cursor *c, const void *p, size_t n)
{
    *c = (struct ag_cursor){p, n, 0, false};
}

// Borrows the next n bytes, or NULL (and is_bad).
static inline const uint8_t *
ag_cursor_take(struct ag_cursor *c, size_t n)
{
    if (c->is_bad || n > c->n - c->at) {
        c->is_bad = true;
        return NULL;
    }
    const uint8_t *p = c->p + c->at;
    c->at += n;
    return p;
}

static inline uint64_t
ag_cursor_uint(struct ag_cursor *c, size_t bytes)
{
    const uint8_t *p = ag_cursor_take(c, bytes);
    uint64_t v = 0;
    for (size_t i = 0; p && i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static inline uint8_t
ag_cursor_u8(struct ag_cursor *c)
{
    return (uint8_t)ag_cursor_uint(c, 1);
}
static inline uint16_t
ag_cursor_u16(struct ag_cursor *c)
{
    return (uint16_t)ag_cursor_uint(c, 2);
}
static inline uint32_t
ag_cursor_u32(struct ag_cursor *c)
{
    return (uint32_t)ag_cursor_uint(c, 4);
}
static inline uint64_t
ag_cursor_u64(struct ag_cursor *c)
{
    return ag_cursor_uint(c, 8);
}

#endif
