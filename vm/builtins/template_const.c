// SPDX-License-Identifier: Apache-2.0
// Constants of templates: numbers, characters and strings as Go writes them. In: the parser at the first
// byte. Out: the operand's value. Memory: the call's arena. Next file to read: template_run.c.
#include "template_parse.h"

#include "utf8.h"

static int
digit_of(char ch)
{
    char low = (char)(ch | 0x20);
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : 99;
}

// Value of one escape after its backslash at *at, which moves behind it. False: none.
static bool
read_escape(struct ag_str s, size_t *at, char quote, uint32_t *ret, bool *ret_is_byte)
{
    static const char letters[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    if (*at >= s.n)
        return false;
    char ch = s.p[(*at)++];
    const char *known = ch ? strchr(letters, ch) : NULL;
    unsigned n = ch == 'x' ? 2 : ch == 'u' ? 4 : ch == 'U' ? 8 : 0, base = 16;
    *ret_is_byte = false;
    if (known || ch == quote) {
        *ret = known ? (uint8_t)values[known - letters] : (uint8_t)quote;
        return true;
    }
    if (ch >= '0' && ch <= '7') {
        n = 3;
        base = 8;
        --*at;
    }
    if (!n || s.n - *at < n)
        return false;
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++) {
        int d = digit_of(s.p[(*at)++]);
        if (d >= (int)base)
            return false;
        value = value * base + (unsigned)d;
    }
    *ret_is_byte = n <= 3;
    *ret = (uint32_t)value;
    return *ret_is_byte ? value < 256 : value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

static bool
read_raw(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    const char *end = memchr(p->s.p + p->at + 1, '`', p->s.n - p->at - 1);
    if (!end)
        return ag_tpl_fail(p, "unterminated raw quoted string");
    struct ag_str body = ag_str_of(p->s.p + p->at + 1, (size_t)(end - p->s.p) - p->at - 1);
    o->value.v = ag_bi_copy(p->c, body);
    p->at += body.n + 2;
    p->failed |= o->value.v.kind != AG_STRING;
    return !p->failed;
}

// Whether the quoted text at p->at ends before the line does; its bytes with quotes in *ret_n.
static bool
measure(const struct ag_tpl_parser *p, char quote, size_t *ret_n)
{
    for (size_t i = p->at + 1; i < p->s.n && p->s.p[i] != '\n'; i++) {
        if (p->s.p[i] == quote) {
            *ret_n = i + 1 - p->at;
            return true;
        }
        i += p->s.p[i] == '\\';
    }
    return false;
}

bool
ag_tpl_string(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    size_t size, n = 0;
    o->kind = AG_TPL_CONST;
    if (p->s.p[p->at] == '`')
        return read_raw(p, o);
    if (!measure(p, '"', &size))
        return ag_tpl_fail(p, "unterminated quoted string");
    struct ag_str s = ag_str_of(p->s.p + p->at, size - 1);
    uint8_t *out = ag_call_alloc(p->c, size * 2, 1);
    if (!out) {
        p->failed = true;
        return false;
    }
    for (size_t i = 1; i < s.n;) {
        uint32_t cp;
        bool is_byte;
        if (s.p[i] != '\\') {
            out[n++] = (uint8_t)s.p[i++];
            continue;
        }
        i++;
        if (!read_escape(s, &i, '"', &cp, &is_byte))
            return ag_tpl_fail(p, "invalid syntax");
        if (is_byte)
            out[n++] = (uint8_t)cp;
        else
            n += ag_utf8_encode(cp, out + n);
    }
    if (!ag_utf8_valid(out, n))
        return ag_tpl_fail(p, "a string constant is not UTF-8");
    p->at += size;
    o->value.v = ag_bi_text((char *)out, n);
    return true;
}

static bool
read_character(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    size_t size, i = 2;
    uint32_t cp = 0;
    bool is_byte;
    if (!measure(p, '\'', &size))
        return ag_tpl_fail(p, "unterminated character constant");
    struct ag_str s = ag_str_of(p->s.p + p->at, size - 1);
    bool ok = s.n > 1;
    if (ok && s.p[1] == '\\')
        ok = read_escape(s, &i, '\'', &cp, &is_byte);
    else if (ok)
        i = 1 + ag_utf8_decode((const uint8_t *)s.p + 1, s.n - 1, &cp);
    if (!ok || i != s.n)
        return ag_tpl_fail(p, "malformed character constant: %.*s", (int)(size < 40 ? size : 40), s.p);
    o->value = (struct ag_tpl_value){.type = AG_TPL_INT, .v = ag_int(cp)};
    p->at += size;
    return true;
}

// The digits with 0x, 0o, 0b or 0 before them as an integer. False: none, or past int64.
static bool
read_integer(const char *text, size_t n, bool is_negative, int64_t *ret)
{
    unsigned base = 10;
    size_t i = 0;
    uint64_t value = 0, max = (uint64_t)INT64_MAX + is_negative;
    if (n > 1 && text[0] == '0') {
        char mark = (char)(text[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        i = mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
    }
    if (i == n)
        return false;
    for (; i < n; i++) {
        int d = digit_of(text[i]);
        if (d >= (int)base || value > (max - (unsigned)d) / base)
            return false;
        value = value * base + (unsigned)d;
    }
    *ret = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

// A decimal with a point or an exponent. Go's ".5" and "5." are JSON's 0.5 and 5.0.
static bool
read_float(struct ag_tpl_parser *p, const char *text, size_t n, bool is_negative, double *ret)
{
    char json[80];
    struct ag_buf b;
    struct ag_num num;
    ag_buf_init(&b, json, sizeof json);
    if (is_negative)
        ag_buf_char(&b, '-');
    size_t zeros = 0;
    while (zeros + 1 < n && text[zeros] == '0' && text[zeros + 1] >= '0' && text[zeros + 1] <= '9')
        zeros++;
    for (size_t i = zeros; i < n; i++) {
        if (text[i] == '.' && i == zeros)
            ag_buf_char(&b, '0');
        ag_buf_char(&b, text[i]);
        if (text[i] == '.' && (i + 1 == n || text[i + 1] < '0' || text[i + 1] > '9'))
            ag_buf_char(&b, '0');
    }
    if (b.is_full || ag_num_parse(ag_str_of(json, b.n), p->c->mem.arena, &num) != AG_NUM_OK)
        return false;
    *ret = ag_num_to_double(num);
    return *ret - *ret == 0; // finite
}

bool
ag_tpl_number(struct ag_tpl_parser *p, struct ag_tpl_operand *o)
{
    char text[64];
    size_t n = 0, at = p->at, from = at;
    int64_t i;
    o->kind = AG_TPL_CONST;
    if (p->s.p[at] == '\'')
        return read_character(p, o);
    bool is_negative = p->s.p[at] == '-', is_hex = false;
    at += is_negative || p->s.p[at] == '+';
    for (; at < p->s.n && n < sizeof text; at++) {
        char ch = p->s.p[at], before = n ? text[n - 1] : '0';
        bool is_sign = (ch == '+' || ch == '-') && (before | 0x20) == 'e' && !is_hex;
        if (digit_of(ch) == 99 && !strchr("xXoOiIpP_.", ch) && !is_sign)
            break;
        is_hex |= n == 1 && (ch | 0x20) == 'x';
        if (ch != '_')
            text[n++] = ch;
    }
    int shown = (int)(at - from < 40 ? at - from : 40);
    p->at = at;
    if (n && n < sizeof text && read_integer(text, n, is_negative, &i)) {
        o->value = (struct ag_tpl_value){.type = AG_TPL_INT, .v = ag_int(i)};
        return true;
    }
    o->value.type = AG_TPL_FLOAT;
    if (n && n < sizeof text && read_float(p, text, n, is_negative, &o->value.d))
        return true;
    return ag_tpl_fail(p, "bad number syntax: \"%.*s\"", shown, p->s.p + from);
}
