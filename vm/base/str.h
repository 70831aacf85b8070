// SPDX-License-Identifier: Apache-2.0
// Borrowed byte strings: a pointer and a length, never NUL-terminated by contract.
// A `struct ag_str` never owns its bytes; the header that returns one says from whom it borrows.
// Thread rule: pure functions.
#ifndef AG_BASE_STR_H
#define AG_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ag_str {
    const char *p; // may be NULL only when n == 0
    size_t n;      // bytes
};

#define AG_STR(literal)                                                                                      \
    (struct ag_str)                                                                                          \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    }

static inline struct ag_str
ag_str_of(const char *p, size_t n)
{
    return (struct ag_str){p, n};
}

// Borrows a NUL-terminated string.
static inline struct ag_str
ag_str_z(const char *z)
{
    return (struct ag_str){z, strlen(z)};
}

// Names are short: two overlapping words settle up to sixteen bytes without a call.
static inline bool
ag_bytes_eq(const void *a, const void *b, size_t n)
{
    const char *p = a, *q = b;
    uint64_t p8, q8, u8, v8;
    uint32_t p4, q4, u4, v4;
    if (n > 16)
        return memcmp(p, q, n) == 0;
    if (n >= 8) {
        memcpy(&p8, p, 8), memcpy(&q8, q, 8), memcpy(&u8, p + n - 8, 8), memcpy(&v8, q + n - 8, 8);
        return ((p8 ^ q8) | (u8 ^ v8)) == 0;
    }
    if (n >= 4) {
        memcpy(&p4, p, 4), memcpy(&q4, q, 4), memcpy(&u4, p + n - 4, 4), memcpy(&v4, q + n - 4, 4);
        return ((p4 ^ q4) | (u4 ^ v4)) == 0;
    }
    for (size_t i = 0; i < n; i++)
        if (p[i] != q[i])
            return false;
    return true;
}

static inline bool
ag_str_eq(struct ag_str a, struct ag_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
ag_str_is(struct ag_str a, const char *z)
{
    return ag_str_eq(a, ag_str_z(z));
}

// A name as programs write it: ASCII letters, digits and _, no digit first.
static inline bool
ag_str_is_name(struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool is_letter =
            (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '_';
        if (!is_letter && (i == 0 || s.p[i] < '0' || s.p[i] > '9'))
            return false;
    }
    return s.n > 0;
}

// Byte order, shorter first on a common prefix: <0, 0, >0.
static inline int
ag_str_cmp(struct ag_str a, struct ag_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

#endif
