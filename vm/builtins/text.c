// SPDX-License-Identifier: Apache-2.0
// Text of values: quoted strings and terms as Rego writes them, and the parts of template strings. In:
// values. Out: text in the free space of the call's arena. Next file to read: format.c for sprintf.
#include "builtin_fns.h"
#include "utf8.h"

// Letters, marks, numbers, punctuation and symbols: what is shown as it is. Written by gen_text.pl.
static const struct range {
    uint32_t lo, hi;
} printed[] = {
#define AG_PRINTED(lo, hi) {lo, hi},
#include "text.def"
};

bool
ag_bi_is_printed(uint32_t cp)
{
    if (cp < 0x7f)
        return cp >= ' ';
    size_t lo = 0, hi = sizeof printed / sizeof printed[0];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cp > printed[mid].hi)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < sizeof printed / sizeof printed[0] && cp >= printed[lo].lo;
}

// --- room
bool
ag_bi_begin(struct ag_call *c, struct ag_buf *out)
{
    struct ag_arena *arena = c->mem.arena;
    size_t room = arena->size - arena->used;
    if (room > AG_STRING_MAX)
        room = AG_STRING_MAX;
    if (room / AG_STEP_BYTES > c->fuel)
        room = (size_t)c->fuel * AG_STEP_BYTES;
    char *p = ag_call_alloc(c, room, 1);
    if (p)
        ag_buf_init(out, p, room);
    return p;
}

struct ag_value
ag_bi_end(struct ag_call *c, struct ag_buf *out, bool ok)
{
    struct ag_arena *arena = c->mem.arena;
    bool is_longest = out->size == AG_STRING_MAX, is_arena = arena->used == arena->size;
    ag_arena_reset(arena, (size_t)((uint8_t *)out->p - arena->base) + (ok ? out->n : 0));
    if (out->is_full && is_longest)
        return ag_bi_error();
    if (out->is_full)
        return ag_stop(c, is_arena ? AG_EVAL_ARENA : AG_EVAL_FUEL);
    if (!ag_charge_bytes(c, out->n))
        return ag_undef();
    return ok ? ag_bi_text(out->p, out->n) : ag_bi_error();
}

// --- quotes
static void
put_hex(struct ag_buf *out, const char *mark, uint32_t cp, int digits)
{
    ag_buf_str(out, ag_str_z(mark));
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        ag_buf_char(out, "0123456789abcdef"[cp >> shift & 15]);
}

static void
put_escaped(struct ag_buf *out, uint32_t cp, const uint8_t *p, size_t n, char quote, bool ascii)
{
    static const char letters[] = "abtnvfr"; // from 7, the bell
    if (cp == (uint32_t)quote || cp == '\\') {
        ag_buf_char(out, '\\');
        ag_buf_put(out, p, n);
    } else if (ascii ? cp >= ' ' && cp < 0x7f : ag_bi_is_printed(cp)) {
        ag_buf_put(out, p, n);
    } else if (cp >= 7 && cp <= 13) {
        ag_buf_char(out, '\\');
        ag_buf_char(out, letters[cp - 7]);
    } else if (cp < ' ' || cp == 0x7f) {
        put_hex(out, "\\x", cp, 2);
    } else if (cp < 0x10000) {
        put_hex(out, "\\u", cp, 4);
    } else {
        put_hex(out, "\\U", cp, 8);
    }
}

void
ag_bi_put_quoted(struct ag_buf *out, struct ag_str s, char quote, bool ascii)
{
    const uint8_t *p = (const uint8_t *)s.p;
    ag_buf_char(out, quote);
    for (size_t at = 0, n; at < s.n && !out->is_full; at += n) {
        uint32_t cp = 0;
        n = ag_utf8_decode(p + at, s.n - at, &cp);
        if (n == 0) { // a byte that is no text
            n = 1;
            put_hex(out, "\\x", p[at], 2);
        } else {
            put_escaped(out, cp, p + at, n, quote, ascii);
        }
    }
    ag_buf_char(out, quote);
}

// --- terms
static bool put_deep(const struct ag_mem *m, struct ag_value v, struct ag_buf *out, unsigned depth);

static bool
put_elements(const struct ag_mem *m, struct ag_value v, struct ag_buf *out, unsigned depth)
{
    bool is_array = v.kind == AG_ARRAY;
    ag_buf_char(out, is_array ? '[' : '{');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            ag_buf_lit(out, ", ");
        if (v.kind == AG_OBJECT) {
            if (!put_deep(m, ag_object_key(m, v, i), out, depth + 1))
                return false;
            ag_buf_lit(out, ": ");
        }
        if (!put_deep(m, ag_value_at(m, v, i), out, depth + 1))
            return false;
    }
    ag_buf_char(out, is_array ? ']' : '}');
    return !out->is_full;
}

static bool
put_deep(const struct ag_mem *m, struct ag_value v, struct ag_buf *out, unsigned depth)
{
    switch (v.kind) {
    case AG_STRING: ag_bi_put_quoted(out, ag_value_str(v), '"', false); break;
    case AG_SET:
        if (v.len == 0) {
            ag_buf_lit(out, "set()");
            break;
        }
        return depth < AG_NEST_MAX && put_elements(m, v, out, depth);
    case AG_ARRAY:
    case AG_OBJECT: return depth < AG_NEST_MAX && put_elements(m, v, out, depth);
    default: return ag_json_write(m, v, out, 0);
    }
    return !out->is_full;
}

bool
ag_bi_put_term(const struct ag_mem *m, struct ag_value v, struct ag_buf *out)
{
    return put_deep(m, v, out, 0);
}

// --- template strings: parts are scalars, or sets with the value of an expression, empty when it has none
static bool
put_part(const struct ag_mem *m, struct ag_value v, struct ag_buf *out)
{
    if (v.kind == AG_SET && v.len == 0) {
        ag_buf_lit(out, "<undefined>");
        return true;
    }
    if (v.kind == AG_SET && v.len == 1)
        v = ag_value_at(m, v, 0);
    else if (v.kind >= AG_ARRAY)
        return false;
    if (v.kind != AG_STRING)
        return ag_bi_put_term(m, v, out);
    ag_buf_str(out, ag_value_str(v));
    return true;
}

struct ag_value
ag_bi_template_string(struct ag_call *c, const struct ag_value *a)
{
    struct ag_buf out;
    if (!ag_charge(c, a[0].len) || !ag_bi_begin(c, &out))
        return ag_undef();
    bool ok = true;
    for (uint32_t i = 0; ok && i < a[0].len; i++)
        ok = put_part(&c->mem, ag_value_at(&c->mem, a[0], i), &out);
    return ag_bi_end(c, &out, ok);
}
