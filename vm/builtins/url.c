// SPDX-License-Identifier: Apache-2.0
// urlquery: texts and objects as queries of a URL. In: strings, objects of strings. Out: strings and objects
// in the call's arena. Decoded bytes must be UTF-8. Next file to read: json.c.
#include "builtin_fns.h"
#include "utf8.h"

static bool
is_plain(uint8_t ch)
{
    uint8_t low = ch | 0x20;
    return (low >= 'a' && low <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' || ch == '.' ||
           ch == '~';
}

static void
put_escaped(struct ag_buf *out, struct ag_str s)
{
    for (size_t i = 0; i < s.n && !out->is_full; i++) {
        uint8_t ch = (uint8_t)s.p[i];
        if (is_plain(ch) || ch == ' ') {
            ag_buf_char(out, ch == ' ' ? '+' : (char)ch);
            continue;
        }
        ag_buf_char(out, '%');
        ag_buf_char(out, "0123456789ABCDEF"[ch >> 4]);
        ag_buf_char(out, "0123456789ABCDEF"[ch & 15]);
    }
}

struct ag_value
ag_bi_urlquery_encode(struct ag_call *c, const struct ag_value *a)
{
    struct ag_buf out;
    if (!ag_charge_bytes(c, a[0].len) || !ag_bi_begin(c, &out))
        return ag_undef();
    put_escaped(&out, ag_value_str(a[0]));
    return ag_bi_end(c, &out, true);
}

static int
hex_digit(char ch)
{
    int low = ch | 0x20;
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// The text that s stands for; an error value for a bad escape or bytes that are no text.
static struct ag_value
unescaped(struct ag_call *c, struct ag_str s)
{
    size_t n = 0;
    char *p = ag_charge_bytes(c, s.n) ? ag_call_alloc(c, s.n, 1) : NULL;
    if (!p)
        return ag_undef();
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            p[n++] = s.p[i] == '+' ? ' ' : s.p[i];
            continue;
        }
        int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1, lo = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
        if (hi < 0 || lo < 0) {
            char text[64];
            struct ag_buf quoted;
            ag_buf_init(&quoted, text, sizeof text);
            ag_bi_put_quoted(&quoted, ag_str_of(s.p + i, s.n - i < 3 ? s.n - i : 3), '"', false);
            return ag_error(c, AG_VERR_BUILTIN, "invalid URL escape %.*s", (int)quoted.n, text);
        }
        p[n++] = (char)(hi << 4 | lo);
        i += 2;
    }
    if (!ag_utf8_valid(p, n))
        return ag_error(c, AG_VERR_BUILTIN, "the decoded bytes are not UTF-8");
    return ag_bi_text(p, n);
}

struct ag_value
ag_bi_urlquery_decode(struct ag_call *c, const struct ag_value *a)
{
    return unescaped(c, ag_value_str(a[0]));
}

static void
put_pair(struct ag_buf *out, struct ag_str key, struct ag_str value)
{
    if (out->n)
        ag_buf_char(out, '&');
    put_escaped(out, key);
    ag_buf_char(out, '=');
    put_escaped(out, value);
}

// Whether a value is a string or a list of strings.
static bool
is_texts(const struct ag_mem *m, struct ag_value v)
{
    if (v.kind != AG_ARRAY && v.kind != AG_SET)
        return v.kind == AG_STRING;
    for (uint32_t i = 0; i < v.len; i++)
        if (ag_value_at(m, v, i).kind != AG_STRING)
            return false;
    return true;
}

struct ag_value
ag_bi_urlquery_encode_object(struct ag_call *c, const struct ag_value *a)
{
    const struct ag_mem *m = &c->mem;
    struct ag_buf out;
    if (!ag_charge(c, a[0].len))
        return ag_undef();
    for (uint32_t i = 0; i < a[0].len; i++)
        if (ag_object_key(m, a[0], i).kind != AG_STRING || !is_texts(m, ag_value_at(m, a[0], i)))
            return ag_error(c, AG_VERR_TYPE,
                            "operand 1 values must be string, array[string], or set[string]");
    if (!ag_bi_begin(c, &out))
        return ag_undef();
    for (uint32_t i = 0; i < a[0].len && !out.is_full; i++) {
        struct ag_str key = ag_value_str(ag_object_key(m, a[0], i));
        struct ag_value v = ag_value_at(m, a[0], i);
        if (v.kind == AG_STRING)
            put_pair(&out, key, ag_value_str(v));
        for (uint32_t k = 0; v.kind != AG_STRING && k < v.len && !out.is_full; k++)
            put_pair(&out, key, ag_value_str(ag_value_at(m, v, k)));
    }
    return ag_bi_end(c, &out, true);
}

// Adds [key, value] of one part "key=value" to `pairs`. An error value when it is none, else null.
static struct ag_value
add_pair(struct ag_call *c, struct ag_builder *pairs, struct ag_str part)
{
    if (memchr(part.p, ';', part.n))
        return ag_error(c, AG_VERR_BUILTIN, "invalid semicolon separator in query");
    const char *eq = memchr(part.p, '=', part.n);
    size_t n = eq ? (size_t)(eq - part.p) : part.n, from = eq ? n + 1 : n;
    struct ag_value key = unescaped(c, ag_str_of(part.p, n)), value = key;
    if (key.kind == AG_STRING)
        value = unescaped(c, ag_str_of(part.p + from, part.n - from));
    if (value.kind <= AG_ERROR)
        return value;
    if (!ag_builder_push(&c->mem, pairs, key) || !ag_builder_push(&c->mem, pairs, value))
        return ag_stop(c, AG_EVAL_ARENA);
    return ag_null();
}

// The values of one key among the pairs, in their order.
static struct ag_value
values_of(struct ag_call *c, struct ag_value pairs, struct ag_value key)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b && ag_charge(c, pairs.len);
    for (uint32_t i = 0; ok && i < pairs.len; i += 2)
        if (ag_value_eq(&c->mem, ag_value_at(&c->mem, pairs, i), key))
            ok = ag_builder_push(&c->mem, b, ag_value_at(&c->mem, pairs, i + 1));
    return c->stop == AG_EVAL_OK ? ag_bi_close(c, b, ok) : ag_undef();
}

static struct ag_value
group(struct ag_call *c, struct ag_value pairs)
{
    const struct ag_mem *m = &c->mem;
    struct ag_builder *names = ag_builder_new(m, AG_SET), *b = ag_builder_new(m, AG_OBJECT);
    bool ok = names && b;
    for (uint32_t i = 0; ok && i < pairs.len; i += 2)
        ok = ag_builder_push(m, names, ag_value_at(m, pairs, i));
    struct ag_value keys = ag_bi_close(c, names, ok);
    for (uint32_t i = 0; keys.kind == AG_SET && ok && i < keys.len; i++) {
        struct ag_value key = ag_value_at(m, keys, i), values = values_of(c, pairs, key);
        if (values.kind != AG_ARRAY)
            return values;
        ok = ag_builder_put(m, b, key, values);
    }
    return keys.kind == AG_SET ? ag_bi_close(c, b, ok) : keys;
}

struct ag_value
ag_bi_urlquery_decode_object(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str s = ag_value_str(a[0]);
    struct ag_builder *pairs = ag_builder_new(&c->mem, AG_ARRAY);
    if (!pairs)
        return ag_stop(c, AG_EVAL_ARENA);
    for (size_t at = 0; at < s.n;) {
        const char *amp = memchr(s.p + at, '&', s.n - at);
        size_t end = amp ? (size_t)(amp - s.p) : s.n;
        struct ag_value done = end > at ? add_pair(c, pairs, ag_str_of(s.p + at, end - at)) : ag_null();
        if (done.kind <= AG_ERROR)
            return done;
        at = end + 1;
    }
    struct ag_value list = ag_bi_close(c, pairs, true);
    return list.kind == AG_ARRAY ? group(c, list) : list;
}
