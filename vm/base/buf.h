// SPDX-License-Identifier: Apache-2.0
// A bounded writer: appends bytes into memory of the caller and remembers overflow instead of failing each
// call. In: a fixed array. Out: bytes; `is_full` tells that something did not fit (the content is then a
// prefix). Thread rule: one writer, one thread.
#ifndef AG_BASE_BUF_H
#define AG_BASE_BUF_H

#include "str.h"

struct ag_buf {
    char *p;
    size_t n;     // bytes written
    size_t size;  // bytes available
    bool is_full; // an append did not fit
};

static inline void
ag_buf_init(struct ag_buf *b, void *mem, size_t size)
{
    *b = (struct ag_buf){mem, 0, size, false};
}

static inline void
ag_buf_put(struct ag_buf *b, const void *p, size_t n)
{
    if (n > b->size - b->n) {
        b->is_full = true;
        return;
    }
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void
ag_buf_char(struct ag_buf *b, char c)
{
    ag_buf_put(b, &c, 1);
}

static inline void
ag_buf_str(struct ag_buf *b, struct ag_str s)
{
    ag_buf_put(b, s.p, s.n);
}

#define ag_buf_lit(b, literal) ag_buf_put((b), (literal), sizeof(literal) - 1)

// Decimal text.
void ag_buf_u64(struct ag_buf *b, uint64_t v);
void ag_buf_i64(struct ag_buf *b, int64_t v);
// Lower-case hex of n bytes.
void ag_buf_hex(struct ag_buf *b, const void *p, size_t n);
// A JSON string with quotes, minimal escapes (\" \\ \b \f \n \r \t, \u00XX for the other controls); the input
// is valid UTF-8.
void ag_buf_json_str(struct ag_buf *b, struct ag_str s);
// RFC 3339 UTC with `digits` fraction digits (0, 3, 6 or 9) of a UNIX time in nanoseconds.
void ag_buf_time(struct ag_buf *b, int64_t unix_ns, int digits);
// Standard base64 with padding; lower-case base32 (RFC 4648 alphabet, no padding).
void ag_buf_base64(struct ag_buf *b, const void *p, size_t n);
void ag_buf_base32(struct ag_buf *b, const void *p, size_t n);

#endif
