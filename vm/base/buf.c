// SPDX-License-Identifier: Apache-2.0
// The bounded writer's text forms: decimal, hex, JSON strings, RFC 3339 times, base64, base32.
// In: values. Out: bytes in the caller's array; one overflow flag instead of an error per call. No locale, no
// printf. Next file to read: vm/base/num.c, whose output goes through here.
#include "buf.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define NS_PER_S    1000000000
#define S_PER_DAY   86400
#define BASE32_BITS 5

void
ag_buf_u64(struct ag_buf *b, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    ag_buf_put(b, text + at, sizeof text - at);
}

void
ag_buf_i64(struct ag_buf *b, int64_t v)
{
    char text[20];
    size_t at = sizeof text;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v; // also right for INT64_MIN
    do {
        text[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        text[--at] = '-';
    ag_buf_put(b, text + at, sizeof text - at);
}

static const char hex_digits[] = "0123456789abcdef";

void
ag_buf_hex(struct ag_buf *b, const void *p, size_t n)
{
    const uint8_t *s = p;
    if (n > (b->size - b->n) / 2) {
        b->is_full = true;
        return;
    }
    char *out = b->p + b->n;
    for (size_t i = 0; i < n; i++) {
        *out++ = hex_digits[s[i] >> 4];
        *out++ = hex_digits[s[i] & 15];
    }
    b->n += 2 * n;
}

// The letter after the backslash of a short escape, or 0.
static char
json_short(uint8_t c)
{
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
    }
}

#if defined(__SSE2__)
// One bit for each byte that must be escaped.
static inline unsigned
escapes_in(__m128i v)
{
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"')), slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
}
#endif

// Where the first byte at or after `i` stands that must be escaped, or s.n.
static inline size_t
clean_end(struct ag_str s, size_t i)
{
#if defined(__SSE2__)
    unsigned mask;
    for (; s.n - i >= 16; i += 16) {
        mask = escapes_in(_mm_loadu_si128((const __m128i *)(const void *)(s.p + i)));
        if (mask)
            return i + (unsigned)__builtin_ctz(mask);
    }
    if (s.n - i >= 8) {
        mask = escapes_in(_mm_loadl_epi64((const __m128i *)(const void *)(s.p + i))) & 0xff;
        if (mask)
            return i + (unsigned)__builtin_ctz(mask);
        i += 8;
    }
#endif
    while (i < s.n && (uint8_t)s.p[i] >= 0x20 && s.p[i] != '"' && s.p[i] != '\\')
        i++;
    return i;
}

static void
put_escape(struct ag_buf *b, uint8_t c)
{
    char letter = json_short(c);
    if (letter) {
        char text[2] = {'\\', letter};
        ag_buf_put(b, text, sizeof text);
    } else {
        char text[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};
        ag_buf_put(b, text, sizeof text);
    }
}

void
ag_buf_json_str(struct ag_buf *b, struct ag_str s)
{
    ag_buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        size_t end = clean_end(s, i);
        ag_buf_put(b, s.p + i, end - i);
        i = end;
        if (i < s.n)
            put_escape(b, (uint8_t)s.p[i]);
    }
    ag_buf_char(b, '"');
}

static void
put_padded(struct ag_buf *b, uint32_t v, int width)
{
    char text[10];
    for (int i = width - 1; i >= 0; i--) {
        text[i] = (char)('0' + v % 10);
        v /= 10;
    }
    ag_buf_put(b, text, (size_t)width);
}

void
ag_buf_time(struct ag_buf *b, int64_t unix_ns, int digits)
{
    int64_t sec = unix_ns / NS_PER_S, ns = unix_ns % NS_PER_S;
    if (ns < 0) {
        ns += NS_PER_S;
        sec--;
    }
    int64_t day = sec / S_PER_DAY, rest = sec % S_PER_DAY;
    if (rest < 0) {
        rest += S_PER_DAY;
        day--;
    }
    // Civil date from a day count (Howard Hinnant): the year starts in March, so the leap day is the last of
    // a 400-year era. An int64 of nanoseconds spans the years 1677 to 2262, so four digits always do.
    uint32_t z = (uint32_t)(day + 719468);
    uint32_t era = z / 146097, doe = z % 146097;
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t mp = (5 * doy + 2) / 153;
    uint32_t month = mp < 10 ? mp + 3 : mp - 9;
    put_padded(b, yoe + era * 400 + (month <= 2), 4);
    ag_buf_char(b, '-');
    put_padded(b, month, 2);
    ag_buf_char(b, '-');
    put_padded(b, doy - (153 * mp + 2) / 5 + 1, 2);
    ag_buf_char(b, 'T');
    put_padded(b, (uint32_t)rest / 3600, 2);
    ag_buf_char(b, ':');
    put_padded(b, (uint32_t)rest / 60 % 60, 2);
    ag_buf_char(b, ':');
    put_padded(b, (uint32_t)rest % 60, 2);
    if (digits > 0) {
        for (int i = digits; i < 9; i++)
            ns /= 10;
        ag_buf_char(b, '.');
        put_padded(b, (uint32_t)ns, digits < 9 ? digits : 9);
    }
    ag_buf_char(b, 'Z');
}

void
ag_buf_base64(struct ag_buf *b, const void *p, size_t n)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *s = p;
    if ((n + 2) / 3 > (b->size - b->n) / 4) {
        b->is_full = true;
        return;
    }
    char *out = b->p + b->n;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t w = (uint32_t)s[i] << 16;
        w |= left > 1 ? (uint32_t)s[i + 1] << 8 : 0;
        w |= left > 2 ? (uint32_t)s[i + 2] : 0;
        *out++ = set[w >> 18];
        *out++ = set[w >> 12 & 63];
        *out++ = left > 1 ? set[w >> 6 & 63] : '=';
        *out++ = left > 2 ? set[w & 63] : '=';
    }
    b->n = (size_t)(out - b->p);
}

void
ag_buf_base32(struct ag_buf *b, const void *p, size_t n)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz234567";
    const uint8_t *s = p;
    uint32_t acc = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++) {
        acc = (acc << 8 | s[i]) & 0xfff; // at most 4 bits wait for the next byte
        bits += 8;
        while (bits >= BASE32_BITS) {
            bits -= BASE32_BITS;
            ag_buf_char(b, set[acc >> bits & 31]);
        }
    }
    if (bits)
        ag_buf_char(b, set[acc << (BASE32_BITS - bits) & 31]);
}
