// SPDX-License-Identifier: Apache-2.0
// Built-ins that encode and decode bytes: base64, hex, SHA-256. In: strings. Out: strings in the call's
// arena. Decoded bytes must be UTF-8: a string is text. Next file to read: url.c.
#include "builtin_fns.h"
#include "utf8.h"

static char *
room_for(struct ag_call *c, uint64_t n)
{
    return ag_charge_bytes(c, n) ? ag_call_alloc(c, n, 1) : NULL;
}

static struct ag_value
too_long(struct ag_call *c)
{
    return ag_error(c, AG_VERR_RANGE, "the result is longer than %u bytes", AG_STRING_MAX);
}

static struct ag_value
decoded(struct ag_call *c, char *p, size_t n)
{
    if (ag_utf8_valid(p, n))
        return ag_bi_text(p, n);
    return ag_error(c, AG_VERR_BUILTIN, "the decoded bytes are not UTF-8");
}

// --- base64
static struct ag_value
encode(struct ag_call *c, struct ag_value s, bool url, bool padded)
{
    uint64_t n = ((uint64_t)s.len + 2) / 3 * 4;
    struct ag_buf b;
    if (n > AG_STRING_MAX)
        return too_long(c);
    char *p = room_for(c, n);
    if (!p)
        return ag_undef();
    ag_buf_init(&b, p, n);
    ag_buf_base64(&b, s.p, s.len);
    for (size_t i = 0; url && i < b.n; i++)
        p[i] = (char)(p[i] == '+' ? '-' : p[i] == '/' ? '_' : p[i]);
    while (!padded && b.n && p[b.n - 1] == '=')
        b.n--;
    return ag_bi_text(p, b.n);
}

struct ag_value
ag_bi_base64_encode(struct ag_call *c, const struct ag_value *a)
{
    return encode(c, a[0], false, true);
}
struct ag_value
ag_bi_base64url_encode(struct ag_call *c, const struct ag_value *a)
{
    return encode(c, a[0], true, true);
}
struct ag_value
ag_bi_base64url_encode_no_pad(struct ag_call *c, const struct ag_value *a)
{
    return encode(c, a[0], true, false);
}

static int
digit(uint8_t ch, bool url)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    return ch == (url ? '-' : '+') ? 62 : ch == (url ? '_' : '/') ? 63 : -1;
}

static bool
is_line_end(struct ag_value s, size_t at)
{
    return at < s.len && (s.p[at] == '\n' || s.p[at] == '\r');
}

// The end of a text whose last group has k digits, from the first = at `at` on. True when it is well formed,
// else *ret_bad is the byte to blame.
static bool
padding(struct ag_value s, size_t at, unsigned k, size_t *ret_bad)
{
    *ret_bad = at++;
    if (k < 2)
        return false;
    while (k == 2 && is_line_end(s, at))
        at++;
    if (k == 2 && (at == s.len || s.p[at] != '=')) {
        *ret_bad = at == s.len ? at : at - 1;
        return false;
    }
    at += k == 2;
    while (is_line_end(s, at))
        at++;
    *ret_bad = at;
    return at == s.len;
}

// Decodes into out, NULL only to test; line ends are skipped, set bits behind the last byte are ignored.
// False: *ret_bad is the byte to blame.
static bool
decode(struct ag_value s, bool url, uint8_t *out, size_t *ret_n, size_t *ret_bad)
{
    uint32_t bits = 0;
    unsigned k = 0;
    size_t n = 0, at = 0;
    bool ok = true, is_end = false;
    for (; ok && !is_end && at < s.len; at++) {
        int d = digit(s.p[at], url);
        if (d >= 0) {
            bits = bits << 6 | (unsigned)d;
            k++;
        } else if (!is_line_end(s, at)) {
            *ret_bad = at;
            ok = s.p[at] == '=' && padding(s, at, k, ret_bad);
            is_end = true;
        }
        if (k == 4) {
            for (int i = 0; out && i < 3; i++)
                out[n + (size_t)i] = (uint8_t)(bits >> (16 - 8 * i));
            n += 3;
            k = 0;
            bits = 0;
        }
    }
    if (ok && !is_end && k) {
        *ret_bad = s.len - k;
        return false;
    }
    for (unsigned i = 0; ok && i + 1 < k; i++, n++)
        if (out)
            out[n] = (uint8_t)(bits << (24 - 6 * k) >> (16 - 8 * i));
    *ret_n = n;
    return ok;
}

static struct ag_value
decode_text(struct ag_call *c, struct ag_value s, bool url)
{
    size_t n = 0, bad = 0;
    char *p = room_for(c, s.len);
    if (!p)
        return ag_undef();
    if (!decode(s, url, (uint8_t *)p, &n, &bad))
        return ag_error(c, AG_VERR_BUILTIN, "illegal base64 data at input byte %zu", bad);
    return decoded(c, p, n);
}

struct ag_value
ag_bi_base64_decode(struct ag_call *c, const struct ag_value *a)
{
    return decode_text(c, a[0], false);
}

struct ag_value
ag_bi_base64_is_valid(struct ag_call *c, const struct ag_value *a)
{
    size_t n, bad;
    if (a[0].kind != AG_STRING)
        return ag_bool(false);
    return ag_charge_bytes(c, a[0].len) ? ag_bool(decode(a[0], false, NULL, &n, &bad)) : ag_undef();
}

// Padding may be left out (RFC 7515, appendix C).
struct ag_value
ag_bi_base64url_decode(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value s = a[0];
    uint32_t rest = s.len % 4;
    if (rest == 0 || s.p[s.len - 1] == '=')
        return decode_text(c, s, true);
    if (rest == 1)
        return ag_error(c, AG_VERR_BUILTIN, "illegal base64url string: %.*s",
                        (int)(s.len > 200 ? 200 : s.len), (const char *)s.p);
    char *p = room_for(c, (uint64_t)s.len + 2);
    if (!p)
        return ag_undef();
    memcpy(p, s.p, s.len);
    memcpy(p + s.len, "==", 2);
    return decode_text(c, ag_string(AG_IN_ARENA, ag_str_of(p, s.len + (rest == 2 ? 2 : 1))), true);
}

// --- hex
struct ag_value
ag_bi_hex_encode(struct ag_call *c, const struct ag_value *a)
{
    uint64_t n = 2 * (uint64_t)a[0].len;
    struct ag_buf b;
    if (n > AG_STRING_MAX)
        return too_long(c);
    char *p = room_for(c, n);
    if (!p)
        return ag_undef();
    ag_buf_init(&b, p, n);
    ag_buf_hex(&b, a[0].p, a[0].len);
    return ag_bi_text(p, b.n);
}

static int
hex_digit(uint8_t ch)
{
    uint8_t low = ch | 0x20;
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// Names a byte as the code point of its value.
static struct ag_value
bad_hex(struct ag_call *c, uint8_t byte)
{
    uint8_t text[5] = "";
    if (!ag_bi_is_printed(byte))
        return ag_error(c, AG_VERR_BUILTIN, "encoding/hex: invalid byte: U+%04X", byte);
    ag_utf8_encode(byte, text);
    return ag_error(c, AG_VERR_BUILTIN, "encoding/hex: invalid byte: U+%04X '%s'", byte, (const char *)text);
}

struct ag_value
ag_bi_hex_decode(struct ag_call *c, const struct ag_value *a)
{
    char *p = room_for(c, a[0].len / 2 + 1);
    if (!p)
        return ag_undef();
    int high = 0;
    for (uint32_t i = 0; i < a[0].len; i++) {
        int d = hex_digit(a[0].p[i]);
        if (d < 0)
            return bad_hex(c, a[0].p[i]);
        if (i % 2)
            p[i / 2] = (char)(high << 4 | d);
        high = d;
    }
    if (a[0].len % 2)
        return ag_error(c, AG_VERR_BUILTIN, "encoding/hex: odd length hex string");
    return decoded(c, p, a[0].len / 2);
}

// --- digests
