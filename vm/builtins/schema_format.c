// SPDX-License-Identifier: Apache-2.0
// Formats, patterns and multiples of JSON Schema, as Open Policy Agent's library tests them.
// In: texts and numbers. Out: verdicts. Patterns are compiled into the arena, used once and dropped. Next
// file to read: pattern/pattern.h.
#include "schema.h"
#include "pattern.h"

#include <arpa/inet.h>

bool
ag_schema_pattern(struct ag_call *c, struct ag_str pattern, struct ag_str text, bool *ret_bad)
{
    struct ag_pattern_error e;
    struct ag_str blob;
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_pattern_status s =
        ag_pattern_compile(pattern, AG_PATTERN_NO_DFA, c->mem.arena, &c->fuel, &blob, &e);
    *ret_bad = s == AG_PATTERN_BAD;
    if (s == AG_PATTERN_YES)
        s = ag_pattern_match(blob.p, text, c->mem.arena, &c->fuel);
    ag_arena_reset(c->mem.arena, mark);
    if (s == AG_PATTERN_FUEL)
        ag_stop(c, AG_EVAL_FUEL);
    if (s == AG_PATTERN_ARENA)
        ag_stop(c, AG_EVAL_ARENA);
    return s == AG_PATTERN_YES;
}

// --- numbers
// --------------------------------------------------------------------------------------------------------

// Digits (no zeros at either end) and decimal exponent of a number.
static size_t
digits_of(struct ag_num n, char digits[AG_NUM_TEXT_MAX], int64_t *ret_exp)
{
    size_t len = 0;
    if (n.rec) {
        memcpy(digits, n.rec->bytes, n.rec->digits_n);
        *ret_exp = n.rec->exp10;
        return n.rec->digits_n;
    }
    uint64_t v = n.i < 0 ? 0 - (uint64_t)n.i : (uint64_t)n.i;
    *ret_exp = 0;
    for (; v && v % 10 == 0; v /= 10)
        ++*ret_exp;
    for (uint64_t top = v; top; top /= 10)
        len++;
    for (size_t i = len; i--; v /= 10)
        digits[i] = (char)('0' + v % 10);
    return len;
}

#define MULTIPLE_DIGITS 37 // of a divisor, so that ten times a remainder fits 128 bits

bool
ag_schema_is_multiple(struct ag_value x, struct ag_value m)
{
    __extension__ typedef unsigned __int128 u128;
    char xd[AG_NUM_TEXT_MAX], md[AG_NUM_TEXT_MAX];
    int64_t xe, me;
    size_t xn = digits_of(ag_number_view(x), xd, &xe), mn = digits_of(ag_number_view(m), md, &me);
    if (xn == 0)
        return true;
    int64_t low = xe < me ? xe : me, pad = me - low;
    if ((int64_t)mn + pad > MULTIPLE_DIGITS)
        return mn == xn && memcmp(xd, md, xn) == 0 &&
               xe >= me; // too long to divide by: the same digits, or not one
    u128 divisor = 0, rest = 0;
    for (int64_t i = 0; i < (int64_t)mn + pad; i++)
        divisor = divisor * 10 + (i < (int64_t)mn ? (unsigned)(md[i] - '0') : 0u);
    for (int64_t i = 0; i < (int64_t)xn + (xe - low); i++)
        rest = (rest * 10 + (i < (int64_t)xn ? (unsigned)(xd[i] - '0') : 0u)) % divisor;
    return rest == 0;
}

void
ag_schema_put_number(struct ag_buf *out, struct ag_value n)
{
    char d[AG_NUM_TEXT_MAX];
    int64_t exp;
    struct ag_num view = ag_number_view(n);
    size_t len = digits_of(view, d, &exp);
    int64_t place = (int64_t)len + exp - 1; // of the first digit
    if (len == 0) {
        ag_buf_char(out, '0');
        return;
    }
    if (ag_number_cmp(n, ag_int(0)) < 0)
        ag_buf_char(out, '-');
    if (place < -4 || place >= 6) {
        ag_buf_char(out, d[0]);
        if (len > 1)
            ag_buf_char(out, '.');
        ag_buf_put(out, d + 1, len - 1);
        ag_buf_str(out, place < 0 ? AG_STR("e-") : AG_STR("e+"));
        uint64_t e = (uint64_t)(place < 0 ? -place : place);
        if (e < 10)
            ag_buf_char(out, '0');
        ag_buf_u64(out, e);
        return;
    }
    if (place < 0) {
        ag_buf_lit(out, "0.");
        for (int64_t i = -1; i > place; i--)
            ag_buf_char(out, '0');
    }
    for (int64_t i = 0; i < (int64_t)len || i <= place; i++) {
        if (i == place + 1 && place >= 0)
            ag_buf_char(out, '.');
        ag_buf_char(out, i < (int64_t)len ? d[i] : '0');
    }
}

// --- times
// ----------------------------------------------------------------------------------------------------------

static bool
digits_at(struct ag_str *s, size_t n, unsigned *ret)
{
    *ret = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        *ret = *ret * 10 + (unsigned)(s->p[i] - '0');
    }
    *s = ag_str_of(s->p + n, s->n - n);
    return true;
}

static bool
mark(struct ag_str *s, char ch)
{
    if (!s->n || s->p[0] != ch)
        return false;
    *s = ag_str_of(s->p + 1, s->n - 1);
    return true;
}

static bool
take_date(struct ag_str *s)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned y, m, d;
    if (!digits_at(s, 4, &y) || !mark(s, '-') || !digits_at(s, 2, &m) || !mark(s, '-') ||
        !digits_at(s, 2, &d))
        return false;
    bool is_leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (unsigned)(m == 2 && is_leap);
}

// Hours may have one digit, seconds a fraction.
static bool
take_clock(struct ag_str *s)
{
    unsigned h, m, sec, f;
    bool two = s->n > 1 && s->p[1] >= '0' && s->p[1] <= '9';
    if (!digits_at(s, two ? 2 : 1, &h) || !mark(s, ':') || !digits_at(s, 2, &m) || !mark(s, ':') ||
        !digits_at(s, 2, &sec) || h > 23 || m > 59 || sec > 59)
        return false;
    if (s->n > 1 && (s->p[0] == '.' || s->p[0] == ',') && s->p[1] >= '0' && s->p[1] <= '9') {
        mark(s, s->p[0]);
        while (digits_at(s, 1, &f))
            ;
    }
    return true;
}

static bool
take_zone(struct ag_str *s)
{
    unsigned h, m;
    if (mark(s, 'Z'))
        return true;
    return (mark(s, '+') || mark(s, '-')) && digits_at(s, 2, &h) && mark(s, ':') && digits_at(s, 2, &m) &&
           h <= 24 && m <= 60;
}

static bool
is_date(struct ag_str s)
{
    return take_date(&s) && s.n == 0;
}

static bool
is_time(struct ag_str s)
{
    return take_clock(&s) && (s.n == 0 || (take_zone(&s) && s.n == 0));
}

static bool
is_date_time(struct ag_str s)
{
    struct ag_str t = s;
    return is_date(s) || is_time(s) ||
           (take_date(&t) && mark(&t, 'T') && take_clock(&t) && take_zone(&t) && t.n == 0);
}

// --- names and addresses
// --------------------------------------------------------------------------------------------

static bool
is_alnum(char ch)
{
    return (ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z');
}

static bool
is_hostname(struct ag_str s)
{
    size_t label = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '.') {
            if (!is_alnum(s.p[i]) && s.p[i] != '-')
                return false;
            label++;
            continue;
        }
        if (label == 0 || label > 63 || s.p[i - label] == '-' || s.p[i - 1] == '-')
            return false;
        label = 0;
    }
    return s.n < 256;
}

static bool
is_address(struct ag_str s, int family)
{
    char text[INET6_ADDRSTRLEN + 1];
    uint8_t bytes[16];
    if (s.n >= sizeof text || memchr(s.p, 0, s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    if (family == AF_INET && strchr(text, ':'))
        return strchr(text, '.') && inet_pton(AF_INET6, text, bytes) == 1;
    return inet_pton(family, text, bytes) == 1;
}

static bool
is_atom(char ch)
{
    return is_alnum(ch) || (uint8_t)ch >= 0x80 || (ch && strchr("!#$%&'*+-/=?^_`{|}~", ch));
}

// Atoms with dots between.
static bool
is_dot_atom(struct ag_str s)
{
    bool was_dot = true;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' ? was_dot : !is_atom(s.p[i]))
            return false;
        was_dot = s.p[i] == '.';
    }
    return s.n && !was_dot;
}

static struct ag_str
trimmed(struct ag_str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

// An address of RFC 5322, with or without a name before it; quoted local parts hold no quote or control
// character.
static bool
is_email(struct ag_str s)
{
    s = trimmed(s);
    if (s.n && s.p[s.n - 1] == '>') {
        const char *open = memchr(s.p, '<', s.n);
        if (!open)
            return false;
        s = ag_str_of(open + 1, s.n - (size_t)(open - s.p) - 2);
    }
    size_t at = s.n;
    while (at && s.p[at - 1] != '@')
        at--;
    if (at < 2)
        return false;
    struct ag_str local = ag_str_of(s.p, at - 1), domain = ag_str_of(s.p + at, s.n - at);
    if (local.n >= 2 && local.p[0] == '"' && local.p[local.n - 1] == '"') {
        for (size_t i = 1; i + 1 < local.n; i++)
            if ((uint8_t)local.p[i] < 0x20 || local.p[i] == '"')
                return false;
    } else if (!is_dot_atom(local))
        return false;
    if (domain.n > 2 && domain.p[0] == '[' && domain.p[domain.n - 1] == ']')
        return is_address(ag_str_of(domain.p + 1, domain.n - 2), AF_INET) ||
               is_address(ag_str_of(domain.p + 1, domain.n - 2), AF_INET6);
    return is_dot_atom(domain);
}

// --- URIs, pointers, UUIDs
// ------------------------------------------------------------------------------------------

static bool
is_hex(char ch)
{
    return (ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f');
}

// As Go's url.Parse: no control character, no wrong escape, no blank in the host, a port of digits, and no
// colon in the first step of a path without a scheme.
static bool
is_uri_reference(struct ag_str s, bool *ret_has_scheme)
{
    size_t colon = 0, end = 0;
    *ret_has_scheme = false;
    for (size_t i = 0; i < s.n; i++) {
        if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '\\')
            return false;
        if (s.p[i] == '%' && !(i + 2 < s.n && is_hex(s.p[i + 1]) && is_hex(s.p[i + 2])))
            return false;
    }
    while (end < s.n && s.p[end] != '/' && s.p[end] != '?' && s.p[end] != '#')
        end++;
    while (colon < end && (is_alnum(s.p[colon]) || (colon && strchr("+-.", s.p[colon]))))
        colon++;
    bool has_colon = memchr(s.p, ':', end) != NULL;
    if (has_colon && colon < end && s.p[colon] == ':' && colon && !(s.p[0] >= '0' && s.p[0] <= '9'))
        *ret_has_scheme = true;
    else if (has_colon)
        return false;
    struct ag_str rest = *ret_has_scheme ? ag_str_of(s.p + colon + 1, s.n - colon - 1) : s;
    if (rest.n < 2 || rest.p[0] != '/' || rest.p[1] != '/')
        return true;
    size_t at = 2, port = 0;
    for (; at < rest.n && rest.p[at] != '/' && rest.p[at] != '?' && rest.p[at] != '#'; at++) {
        if (strchr(" <>\"", rest.p[at]))
            return false;
        port = rest.p[at] == '@' || rest.p[at] == ']' ? 0 : rest.p[at] == ':' ? at + 1 : port;
    }
    bool is_bracketed = memchr(rest.p + 2, '[', at - 2) != NULL;
    if (is_bracketed && !memchr(rest.p + 2, ']', at - 2))
        return false;
    for (size_t i = port; port && i < at; i++)
        if (rest.p[i] < '0' || rest.p[i] > '9')
            return false;
    return true;
}

static bool
is_uri_template(struct ag_str s)
{
    bool has_scheme, is_open = false;
    if (!is_uri_reference(s, &has_scheme))
        return false;
    for (size_t i = 0; i < s.n && s.p[i] != '?' && s.p[i] != '#'; i++) {
        if (s.p[i] == '{' && !is_open)
            is_open = true;
        else if (s.p[i] == '}')
            is_open = false;
    }
    return !is_open;
}

static bool
is_uuid(struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? s.p[i] != '-' : !is_hex(s.p[i]))
            return false;
    return s.n == 36;
}

static bool
is_pointer(struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '~' && !(i + 1 < s.n && (s.p[i + 1] == '0' || s.p[i + 1] == '1')))
            return false;
    return s.n == 0 || s.p[0] == '/';
}

static bool
is_relative_pointer(struct ag_str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    if (n == 0 || (n > 1 && s.p[0] == '0'))
        return false;
    struct ag_str rest = ag_str_of(s.p + n, s.n - n);
    return ag_str_is(rest, "#") || is_pointer(rest);
}

bool
ag_schema_format(struct ag_call *c, struct ag_str f, struct ag_str s)
{
    bool flag = false;
    if (!ag_charge_bytes(c, s.n))
        return true;
    if (ag_str_is(f, "date"))
        return is_date(s);
    if (ag_str_is(f, "time"))
        return is_time(s);
    if (ag_str_is(f, "date-time"))
        return is_date_time(s);
    if (ag_str_is(f, "hostname"))
        return is_hostname(s);
    if (ag_str_is(f, "email") || ag_str_is(f, "idn-email"))
        return is_email(s);
    if (ag_str_is(f, "ipv4"))
        return is_address(s, AF_INET);
    if (ag_str_is(f, "ipv6"))
        return is_address(s, AF_INET6);
    if (ag_str_is(f, "uri") || ag_str_is(f, "iri"))
        return is_uri_reference(s, &flag) && flag;
    if (ag_str_is(f, "uri-reference") || ag_str_is(f, "iri-reference"))
        return is_uri_reference(s, &flag);
    if (ag_str_is(f, "uri-template"))
        return is_uri_template(s);
    if (ag_str_is(f, "uuid"))
        return is_uuid(s);
    if (ag_str_is(f, "json-pointer"))
        return is_pointer(s);
    if (ag_str_is(f, "relative-json-pointer"))
        return is_relative_pointer(s);
    if (ag_str_is(f, "regex") && s.n) {
        ag_schema_pattern(c, s, AG_STR(""), &flag);
        return !flag;
    }
    return true;
}
