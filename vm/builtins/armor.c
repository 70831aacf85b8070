// SPDX-License-Identifier: Apache-2.0
// Base64, PEM and DER readers for tokens, keys and certificates.
// In: foreign text. Out: bytes in the call's arena. Charges per byte before the work. Next file to read:
// keys.c.
#include "armor.h"
#include "buf.h"

// --- base64
// --------------------------------------------------------------------------------------------------------------

static int
digit_value(char c, enum ag_alphabet a)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (a == AG_BASE64_STD)
        return c == '+' ? 62 : c == '/' ? 63 : -1;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static size_t
skip_breaks(struct ag_str s, size_t at)
{
    while (at < s.n && (s.p[at] == '\n' || s.p[at] == '\r'))
        at++;
    return at;
}

// What stands behind k digits of the last group: padding to four, then nothing but line breaks. SIZE_MAX:
// right.
static size_t
check_padding(struct ag_str s, size_t at, size_t k)
{
    if (k < 2)
        return at;
    at++;
    if (k == 2) {
        at = skip_breaks(s, at);
        if (at == s.n)
            return s.n;
        if (s.p[at] != '=')
            return at - 1;
        at++;
    }
    at = skip_breaks(s, at);
    return at < s.n ? at : SIZE_MAX;
}

// Writes the bytes of text; returns SIZE_MAX or the place of what is wrong. `pads` '=' are thought behind the
// text.
static size_t
decode(struct ag_str s, enum ag_alphabet a, size_t pads, uint8_t *out, size_t *ret_n)
{
    size_t n = 0, at = 0, k = 0;
    uint32_t bits = 0;
    for (; at < s.n; at++) {
        char ch = s.p[at];
        int v = digit_value(ch, a);
        if (v < 0 && (ch == '\n' || ch == '\r'))
            continue;
        if (v < 0)
            break;
        bits = bits << 6 | (uint32_t)v;
        if (++k == 4) {
            out[n++] = (uint8_t)(bits >> 16);
            out[n++] = (uint8_t)(bits >> 8);
            out[n++] = (uint8_t)bits;
            bits = 0, k = 0;
        }
    }
    size_t bad = SIZE_MAX;
    if (at < s.n)
        bad = s.p[at] == '=' ? check_padding(s, at, k) : at;
    else if (k && k + pads != 4)
        bad = s.n - k;
    if (bad == SIZE_MAX && k >= 2) {
        bits <<= 6 * (4 - k);
        out[n++] = (uint8_t)(bits >> 16);
        if (k == 3)
            out[n++] = (uint8_t)(bits >> 8);
    }
    *ret_n = n;
    return bad;
}

static struct ag_bytes
read_base64(struct ag_call *c, struct ag_str text, enum ag_alphabet a, size_t pads)
{
    struct ag_bytes r = {.bad_at = SIZE_MAX};
    uint8_t *out = ag_charge(c, 1 + text.n / 4) ? ag_call_alloc(c, text.n / 4 * 3 + 3, 1) : NULL;
    if (!out)
        return (struct ag_bytes){.is_ok = true};
    r.bad_at = decode(text, a, pads, out, &r.n);
    r.is_ok = r.bad_at == SIZE_MAX;
    r.p = out;
    return r;
}

struct ag_bytes
ag_armor_base64(struct ag_call *c, struct ag_str text, enum ag_alphabet a)
{
    return read_base64(c, text, a, 0);
}

struct ag_bytes
ag_armor_base64url(struct ag_call *c, struct ag_str text)
{
    size_t pads = 0;
    if (!text.n || text.p[text.n - 1] != '=') {
        pads = (4 - text.n % 4) % 4;
        if (pads == 3)
            return (struct ag_bytes){.bad_at = SIZE_MAX};
    }
    return read_base64(c, text, AG_BASE64_URL, pads);
}

void
ag_armor_put_base64url(struct ag_buf *out, const void *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *q = p;
    for (size_t i = 0; i < n; i += 3) {
        size_t k = n - i < 3 ? n - i : 3;
        uint32_t bits =
            (uint32_t)q[i] << 16 | (k > 1 ? (uint32_t)q[i + 1] << 8 : 0) | (k > 2 ? q[i + 2] : 0u);
        for (size_t d = 0; d <= k; d++)
            ag_buf_char(out, digits[bits >> (18 - 6 * d) & 63]);
    }
}

// --- PEM
// -----------------------------------------------------------------------------------------------------------------

// The text up to the end of its line, without blanks at the end; *rest is what follows.
static struct ag_str
take_line(struct ag_str s, struct ag_str *rest)
{
    const char *nl = s.n ? memchr(s.p, '\n', s.n) : NULL;
    size_t n = nl ? (size_t)(nl - s.p) : s.n, next = nl ? n + 1 : n;
    *rest = ag_str_of(s.p + next, s.n - next);
    while (n && (s.p[n - 1] == ' ' || s.p[n - 1] == '\t' || s.p[n - 1] == '\r'))
        n--;
    return ag_str_of(s.p, n);
}

static bool
starts(struct ag_str s, struct ag_str with)
{
    return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

// "-----BEGIN TYPE-----", or END.
static bool
boundary(struct ag_str line, struct ag_str word, struct ag_str *ret_type)
{
    struct ag_str dashes = AG_STR("-----");
    if (!starts(line, dashes) || line.n < 2 * dashes.n + word.n)
        return false;
    struct ag_str in = ag_str_of(line.p + dashes.n, line.n - 2 * dashes.n);
    if (!starts(in, word) || memcmp(line.p + line.n - dashes.n, dashes.p, dashes.n) != 0)
        return false;
    *ret_type = ag_str_of(in.p + word.n, in.n - word.n);
    return true;
}

// Body of a block whose BEGIN line is read: lines up to the END line of the same type; false: there is none.
static bool
take_body(struct ag_str s, struct ag_str type, struct ag_str *ret_body, struct ag_str *rest)
{
    struct ag_str next, end, line = take_line(s, &next);
    while (line.n && memchr(line.p, ':', line.n)) { // headers
        s = next;
        line = take_line(s, &next);
    }
    for (const char *from = s.p;; s = next) {
        if (!s.n)
            return false;
        line = take_line(s, &next);
        if (boundary(line, AG_STR("END "), &end)) {
            *ret_body = ag_str_of(from, (size_t)(line.p - from));
            *rest = next;
            return ag_str_eq(end, type);
        }
    }
}

// Blanks inside the lines of a body are passed over, as line breaks are.
static struct ag_bytes
body_bytes(struct ag_call *c, struct ag_str body)
{
    char *p = ag_charge_bytes(c, body.n) ? ag_call_alloc(c, body.n + 1, 1) : NULL;
    size_t n = 0;
    for (size_t i = 0; p && i < body.n; i++)
        if (body.p[i] != ' ' && body.p[i] != '\t')
            p[n++] = body.p[i];
    return p ? ag_armor_base64(c, ag_str_of(p, n), AG_BASE64_STD) : (struct ag_bytes){.is_ok = true};
}

bool
ag_armor_pem(struct ag_call *c, struct ag_str text, struct ag_pem *ret)
{
    struct ag_str rest, body, line;
    if (!ag_charge_bytes(c, text.n))
        return false;
    for (; text.n; text = rest) {
        line = take_line(text, &rest);
        if (!boundary(line, AG_STR("BEGIN "), &ret->type))
            continue;
        if (!take_body(rest, ret->type, &body, &ret->rest))
            continue;
        ret->bytes = body_bytes(c, body);
        if (ret->bytes.is_ok)
            return ret->bytes.p != NULL;
        if (!ag_charge_bytes(c, rest.n)) // a body that is no base64: the search goes on behind its BEGIN
            return false;
    }
    return false;
}

// --- DER
// -----------------------------------------------------------------------------------------------------------------

bool
ag_der_any(struct ag_der *d, uint8_t *ret_tag, struct ag_der *ret, struct ag_der *ret_whole)
{
    if (d->n < 2 || (d->p[0] & 0x1f) == 0x1f)
        return false;
    size_t head = 2, n = d->p[1];
    if (n >= 0x80) {
        size_t k = n & 0x7f;
        if (k == 0 || k > 4 || d->n < 2 + k || d->p[2] == 0)
            return false;
        n = 0;
        for (size_t i = 0; i < k; i++)
            n = n << 8 | d->p[2 + i];
        head += k;
        if (n < 0x80)
            return false;
    }
    if (n > d->n - head)
        return false;
    *ret_tag = d->p[0];
    *ret = (struct ag_der){d->p + head, n};
    if (ret_whole)
        *ret_whole = (struct ag_der){d->p, head + n};
    *d = (struct ag_der){d->p + head + n, d->n - head - n};
    return true;
}

bool
ag_der_is(const struct ag_der *d, uint8_t tag)
{
    return d->n && d->p[0] == tag;
}

bool
ag_der_take(struct ag_der *d, uint8_t tag, struct ag_der *ret)
{
    uint8_t got;
    return ag_der_is(d, tag) && ag_der_any(d, &got, ret, NULL);
}

// Two's complement in the fewest bytes.
static bool
take_integer(struct ag_der *d, struct ag_der *v)
{
    return ag_der_take(d, AG_DER_INTEGER, v) && v->n &&
           !(v->n > 1 && ((v->p[0] == 0 && v->p[1] < 0x80) || (v->p[0] == 0xff && v->p[1] >= 0x80)));
}

bool
ag_der_number(struct ag_der *d, struct ag_der *ret)
{
    struct ag_der v;
    if (!take_integer(d, &v) || v.p[0] >= 0x80)
        return false;
    if (v.p[0] == 0)
        v = (struct ag_der){v.p + 1, v.n - 1};
    *ret = v;
    return true;
}

bool
ag_der_int(struct ag_der *d, int64_t *ret)
{
    struct ag_der v;
    if (!take_integer(d, &v) || v.n > 8)
        return false;
    uint64_t u = v.p[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < v.n; i++)
        u = u << 8 | v.p[i];
    *ret = (int64_t)u;
    return true;
}

bool
ag_der_oid_is(struct ag_der oid, const uint8_t *bytes, size_t n)
{
    return oid.n == n && memcmp(oid.p, bytes, n) == 0;
}
