// SPDX-License-Identifier: Apache-2.0
// Strict UTF-8 (RFC 3629, table 3-7 of the Unicode standard): validation, decoding, encoding.
// In: foreign bytes. Out: yes or no, code points, bytes. ASCII is stepped over 16 bytes at a time.
// Next file to read: vm/base/buf.c, which writes text that passed here.
#include "utf8.h"

#define HIGH_BITS 0x8080808080808080u

static inline uint64_t
load_word(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return w;
}

size_t
ag_utf8_decode(const uint8_t *p, size_t n, uint32_t *ret_cp)
{
    uint8_t b = p[0];
    if (b < 0x80) {
        *ret_cp = b;
        return 1;
    }
    // The second byte's range excludes overlong forms (E0, F0), surrogates (ED) and values past U+10FFFF
    // (F4).
    uint8_t low = 0x80, high = 0xbf;
    size_t len;
    if (b >= 0xc2 && b <= 0xdf) {
        len = 2;
    } else if ((b & 0xf0) == 0xe0) {
        len = 3;
        low = b == 0xe0 ? 0xa0 : low;
        high = b == 0xed ? 0x9f : high;
    } else if (b >= 0xf0 && b <= 0xf4) {
        len = 4;
        low = b == 0xf0 ? 0x90 : low;
        high = b == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (n < len || p[1] < low || p[1] > high)
        return 0;
    uint32_t cp = (uint32_t)(b & (0x7f >> len)) << 6 | (p[1] & 0x3f);
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (p[i] & 0x3f);
    }
    *ret_cp = cp;
    return len;
}

bool
ag_utf8_valid(const void *p, size_t n)
{
    const uint8_t *s = p;
    size_t i = 0;
    while (i < n) {
        while (n - i >= 16 && !((load_word(s + i) | load_word(s + i + 8)) & HIGH_BITS))
            i += 16;
        while (i < n && s[i] < 0x80)
            i++;
        // A run of other scripts is decoded until the next ASCII byte, so that text is not rescanned in
        // words.
        while (i < n && s[i] >= 0x80) {
            uint32_t cp;
            size_t len = ag_utf8_decode(s + i, n - i, &cp);
            if (!len)
                return false;
            i += len;
        }
    }
    return true;
}

size_t
ag_utf8_encode(uint32_t cp, uint8_t out[4])
{
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (uint8_t)(0xc0 | cp >> 6);
        out[1] = (uint8_t)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp >= 0xd800 && cp <= 0xdfff)
        return 0;
    if (cp < 0x10000) {
        out[0] = (uint8_t)(0xe0 | cp >> 12);
        out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (cp & 0x3f));
        return 3;
    }
    if (cp > 0x10ffff)
        return 0;
    out[0] = (uint8_t)(0xf0 | cp >> 18);
    out[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (cp & 0x3f));
    return 4;
}

size_t
ag_utf8_bad(const void *p, size_t n)
{
    const uint8_t *s = p;
    size_t i = 0;
    uint32_t cp;
    for (size_t len; i < n && (len = ag_utf8_decode(s + i, n - i, &cp)) != 0;)
        i += len;
    return i;
}
