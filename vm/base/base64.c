// SPDX-License-Identifier: Apache-2.0
// Base64 decoding. In: text. Out: bytes in the caller's memory. Next file to read: buf.c, which writes it.
#include "base64.h"

static int
digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int64_t
ag_base64_decode(struct ag_str text, bool is_strict, uint8_t *out, size_t size)
{
    size_t n = 0;
    if (text.n % 4 != 0)
        return -1;
    for (size_t i = 0; i < text.n; i += 4) {
        const char *q = text.p + i;
        bool is_last = i + 4 == text.n;
        size_t pad = is_last && q[3] == '=' ? (q[2] == '=' ? 2 : 1) : 0;
        uint32_t bits = 0;
        for (size_t k = 0; k < 4 - pad; k++) {
            int v = digit_value(q[k]);
            if (v < 0)
                return -1;
            bits |= (uint32_t)v << (18 - 6 * k);
        }
        bool has_stray = (bits & ((1u << (8 * pad)) - 1)) != 0;
        if ((is_strict && has_stray) || n + 3 - pad > size)
            return -1;
        for (size_t k = 0; k < 3 - pad; k++)
            out[n++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    return (int64_t)n;
}
