// SPDX-License-Identifier: Apache-2.0
// Built-ins on strings. Parts of a string share its bytes; new text lies in the call's arena.
// In: argument registers. Out: strings, booleans, arrays of strings. Work is charged per byte before it is
// done. Next file to read: case.c for lower and upper, format.c for sprintf,
// regex.c for patterns.
#include "builtin_fns.h"

static struct ag_value
too_long(struct ag_call *c)
{
    return ag_error(c, AG_VERR_RANGE, "the result is longer than %u bytes", AG_STRING_MAX);
}

// --- trimming
// ----------------------------------------------------------------------------------------------------

// Bytes of the code point that begins at (or, backwards, ends before) `at`.
static size_t
step(struct ag_value s, size_t at, bool backwards)
{
    size_t n = 1;
    while (backwards ? n < at && (s.p[at - n] & 0xc0) == 0x80
                     : at + n < s.len && (s.p[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

static bool
in_cutset(struct ag_value cut, const uint8_t *p, size_t n)
{
    return n <= cut.len && memmem(cut.p, cut.len, p, n) != NULL;
}

static struct ag_value
trim_sides(struct ag_call *c, struct ag_value s, struct ag_value cut, bool left, bool right)
{
    size_t from = 0, to = s.len;
    if (!ag_charge_bytes(c, s.len * (1 + (uint64_t)cut.len)))
        return ag_undef();
    while (left && from < to && in_cutset(cut, s.p + from, step(s, from, false)))
        from += step(s, from, false);
    while (right && to > from && in_cutset(cut, s.p + to - step(s, to, true), step(s, to, true)))
        to -= step(s, to, true);
    return ag_bi_part(s, from, to - from);
}

struct ag_value
ag_bi_trim(struct ag_call *c, const struct ag_value *a)
{
    return trim_sides(c, a[0], a[1], true, true);
}
struct ag_value
ag_bi_trim_left(struct ag_call *c, const struct ag_value *a)
{
    return trim_sides(c, a[0], a[1], true, false);
}
struct ag_value
ag_bi_trim_right(struct ag_call *c, const struct ag_value *a)
{
    return trim_sides(c, a[0], a[1], false, true);
}

struct ag_value
ag_bi_trim_space(struct ag_call *c, const struct ag_value *a)
{
    // White space as Unicode has it: ASCII, U+0085, U+00A0, and the spaces above.
    static const char blanks[] =
        "\t\n\v\f\r \xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x81\xe2\x80\x82\xe2\x80\x83"
        "\xe2\x80\x84\xe2\x80\x85\xe2\x80\x86\xe2\x80\x87\xe2\x80\x88\xe2\x80\x89\xe2\x80\x8a"
        "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80";
    const struct ag_value cut = {.kind = AG_STRING, .len = sizeof blanks - 1, .p = (const uint8_t *)blanks};
    return trim_sides(c, a[0], cut, true, true);
}

static bool
begins(struct ag_value s, struct ag_value with)
{
    return with.len <= s.len && (with.len == 0 || memcmp(s.p, with.p, with.len) == 0);
}
static bool
ends(struct ag_value s, struct ag_value with)
{
    return with.len <= s.len && (with.len == 0 || memcmp(s.p + s.len - with.len, with.p, with.len) == 0);
}

struct ag_value
ag_bi_trim_prefix(struct ag_call *c, const struct ag_value *a)
{
    if (!ag_charge_bytes(c, a[1].len))
        return ag_undef();
    return begins(a[0], a[1]) ? ag_bi_part(a[0], a[1].len, a[0].len - a[1].len) : a[0];
}
struct ag_value
ag_bi_trim_suffix(struct ag_call *c, const struct ag_value *a)
{
    if (!ag_charge_bytes(c, a[1].len))
        return ag_undef();
    return ends(a[0], a[1]) ? ag_bi_part(a[0], 0, a[0].len - a[1].len) : a[0];
}
struct ag_value
ag_bi_startswith(struct ag_call *c, const struct ag_value *a)
{
    return ag_bool(ag_charge_bytes(c, a[1].len) && begins(a[0], a[1]));
}
struct ag_value
ag_bi_endswith(struct ag_call *c, const struct ag_value *a)
{
    return ag_bool(ag_charge_bytes(c, a[1].len) && ends(a[0], a[1]));
}

// --- searching
// -----------------------------------------------------------------------------------------------------

// First occurrence of b in s at or after `from`; SIZE_MAX when there is none. The empty string occurs
// everywhere.
static size_t
find(struct ag_value s, size_t from, struct ag_value b)
{
    if (b.len == 0)
        return from;
    const uint8_t *at = from < s.len ? memmem(s.p + from, s.len - from, b.p, b.len) : NULL;
    return at ? (size_t)(at - s.p) : SIZE_MAX;
}

static int64_t
points(struct ag_value s, size_t from, size_t to)
{
    int64_t n = 0;
    for (size_t i = from; i < to; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}

struct ag_value
ag_bi_contains(struct ag_call *c, const struct ag_value *a)
{
    return ag_bool(ag_charge_bytes(c, (uint64_t)a[0].len + a[1].len) && find(a[0], 0, a[1]) != SIZE_MAX);
}

static struct ag_value
no_search(struct ag_call *c)
{
    return ag_error(c, AG_VERR_BUILTIN, "empty search character");
}

struct ag_value
ag_bi_indexof(struct ag_call *c, const struct ag_value *a)
{
    if (a[1].len == 0)
        return no_search(c);
    if (!ag_charge_bytes(c, 2 * (uint64_t)a[0].len + a[1].len))
        return ag_undef();
    size_t at = find(a[0], 0, a[1]);
    return ag_int(at == SIZE_MAX ? -1 : points(a[0], 0, at));
}

// Occurrences may overlap.
struct ag_value
ag_bi_indexof_n(struct ag_call *c, const struct ag_value *a)
{
    if (a[1].len == 0)
        return no_search(c);
    if (!ag_charge(c, 1 + (uint64_t)a[0].len))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b;
    int64_t n = 0;
    for (size_t at, from = 0; ok && (at = find(a[0], from, a[1])) != SIZE_MAX; from = at + 1) {
        n += points(a[0], from, at + 1);
        ok = ag_builder_push(&c->mem, b, ag_int(n - 1));
    }
    return ag_bi_close(c, b, ok);
}

// Occurrences that do not overlap; the empty string stands between all characters and at both ends.
struct ag_value
ag_bi_str_count(struct ag_call *c, const struct ag_value *a)
{
    int64_t n = 0;
    if (!ag_charge_bytes(c, 2 * (uint64_t)a[0].len + a[1].len))
        return ag_undef();
    if (a[1].len == 0)
        return ag_int(points(a[0], 0, a[0].len) + 1);
    for (size_t at = 0; (at = find(a[0], at, a[1])) != SIZE_MAX; at += a[1].len)
        n++;
    return ag_int(n);
}

struct ag_value
ag_bi_str_reverse(struct ag_call *c, const struct ag_value *a)
{
    char *p = ag_charge_bytes(c, 2 * (uint64_t)a[0].len) ? ag_call_alloc(c, a[0].len, 1) : NULL;
    for (size_t at = 0, n; p && at < a[0].len; at += n) {
        n = step(a[0], at, false);
        memcpy(p + a[0].len - at - n, a[0].p + at, n);
    }
    return p ? ag_bi_text(p, a[0].len) : ag_undef();
}

// Whether operand `pos` is a string or holds strings only; false: *ret_error is the error.
static bool
is_strings(struct ag_call *c, unsigned pos, struct ag_value v, struct ag_value *ret_error)
{
    for (uint32_t i = 0; v.kind != AG_STRING && i < v.len; i++) {
        struct ag_value e = ag_value_at(&c->mem, v, i);
        if (e.kind == AG_STRING)
            continue;
        *ret_error = ag_bi_element_error(c, pos, v, "string", e);
        return false;
    }
    return true;
}

// Whether some string of xs begins (or ends) with some string of ys.
static struct ag_value
any_match(struct ag_call *c, const struct ag_value *a, bool (*fn)(struct ag_value, struct ag_value))
{
    uint32_t nx = a[0].kind == AG_STRING ? 1 : a[0].len, ny = a[1].kind == AG_STRING ? 1 : a[1].len;
    struct ag_value error;
    if (!ag_charge(c, 1 + (uint64_t)nx + ny + (uint64_t)nx * ny))
        return ag_undef();
    if (!is_strings(c, 1, a[0], &error) || !is_strings(c, 2, a[1], &error))
        return error;
    for (uint32_t i = 0; i < nx; i++) {
        struct ag_value x = a[0].kind == AG_STRING ? a[0] : ag_value_at(&c->mem, a[0], i);
        for (uint32_t k = 0; k < ny; k++) {
            struct ag_value y = a[1].kind == AG_STRING ? a[1] : ag_value_at(&c->mem, a[1], k);
            if (!ag_charge_bytes(c, y.len))
                return ag_undef();
            if (fn(x, y))
                return ag_bool(true);
        }
    }
    return ag_bool(false);
}

struct ag_value
ag_bi_any_prefix(struct ag_call *c, const struct ag_value *a)
{
    return any_match(c, a, begins);
}
struct ag_value
ag_bi_any_suffix(struct ag_call *c, const struct ag_value *a)
{
    return any_match(c, a, ends);
}

// --- taking apart and joining
// ----------------------------------------------------------------------------------------

struct ag_value
ag_bi_concat(struct ag_call *c, const struct ag_value *a)
{
    uint64_t n = 0;
    if (!ag_charge(c, a[1].len))
        return ag_undef();
    for (uint32_t i = 0; i < a[1].len; i++) {
        struct ag_value s = ag_value_at(&c->mem, a[1], i);
        if (s.kind != AG_STRING)
            return ag_bi_element_error(c, 2, a[1], "string", s);
        n += s.len + (i ? a[0].len : 0);
    }
    if (n > AG_STRING_MAX)
        return too_long(c);
    char *p = ag_charge_bytes(c, n) ? ag_call_alloc(c, n, 1) : NULL;
    if (!p)
        return ag_undef();
    struct ag_buf b;
    ag_buf_init(&b, p, n);
    for (uint32_t i = 0; i < a[1].len; i++) {
        if (i)
            ag_buf_str(&b, ag_value_str(a[0]));
        ag_buf_str(&b, ag_value_str(ag_value_at(&c->mem, a[1], i)));
    }
    return ag_bi_text(p, b.n);
}

struct ag_value
ag_bi_split(struct ag_call *c, const struct ag_value *a)
{
    if (!ag_charge(c, 1 + (uint64_t)a[0].len))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b;
    size_t from = 0;
    if (a[1].len == 0) { // between all characters
        for (; ok && from < a[0].len; from += step(a[0], from, false))
            ok = ag_builder_push(&c->mem, b, ag_bi_part(a[0], from, step(a[0], from, false)));
        return ag_bi_close(c, b, ok);
    }
    for (size_t at; ok && (at = find(a[0], from, a[1])) != SIZE_MAX; from = at + a[1].len)
        ok = ag_builder_push(&c->mem, b, ag_bi_part(a[0], from, at - from));
    return ag_bi_close(c, b, ok && ag_builder_push(&c->mem, b, ag_bi_part(a[0], from, a[0].len - from)));
}

struct ag_value
ag_bi_replace(struct ag_call *c, const struct ag_value *a)
{
    uint64_t count = 0;
    if (!ag_charge_bytes(c, 2 * (uint64_t)a[0].len))
        return ag_undef();
    if (a[1].len == 0) // between all characters and at both ends
        count = (uint64_t)points(a[0], 0, a[0].len) + 1;
    for (size_t at = 0; a[1].len && (at = find(a[0], at, a[1])) != SIZE_MAX; at += a[1].len)
        count++;
    uint64_t n = a[0].len - count * a[1].len + count * a[2].len;
    if (n > AG_STRING_MAX)
        return too_long(c);
    char *p = ag_charge_bytes(c, n) ? ag_call_alloc(c, n, 1) : NULL;
    if (!p)
        return ag_undef();
    struct ag_buf b;
    ag_buf_init(&b, p, n);
    size_t from = 0;
    for (uint64_t i = 0; i < count; i++) {
        size_t at = a[1].len ? find(a[0], from, a[1]) : i ? from + step(a[0], from, false) : 0;
        ag_buf_put(&b, a[0].p + from, at - from);
        ag_buf_str(&b, ag_value_str(a[2]));
        from = at + a[1].len;
    }
    ag_buf_put(&b, a[0].p + from, a[0].len - from);
    return ag_bi_text(p, b.n);
}

struct ag_value
ag_bi_substring(struct ag_call *c, const struct ag_value *a)
{
    int64_t from, n;
    struct ag_value error;
    if (!ag_bi_int(c, 2, a[1], &from, &error) || !ag_bi_int(c, 3, a[2], &n, &error))
        return error;
    if (from < 0)
        return ag_error(c, AG_VERR_BUILTIN, "negative offset");
    if (!ag_charge_bytes(c, a[0].len))
        return ag_undef();
    size_t lo = 0;
    for (; from > 0 && lo < a[0].len; from--)
        lo += step(a[0], lo, false);
    size_t hi = n < 0 ? a[0].len : lo;
    for (; n > 0 && hi < a[0].len; n--)
        hi += step(a[0], hi, false);
    return ag_bi_part(a[0], lo, hi - lo);
}

// --- many replacements at once: at each place the key that comes first wins, as in Go's NewReplacer

// The first key (in their order) that stands at `at`, or UINT32_MAX.
static uint32_t
key_at(struct ag_call *c, struct ag_value map, struct ag_value s, size_t at, bool skip_empty)
{
    const struct ag_value rest = ag_bi_part(s, at, s.len - at);
    for (uint32_t i = 0; i < map.len; i++) {
        struct ag_value key = ag_object_key(&c->mem, map, i);
        if (begins(rest, key) && !(skip_empty && key.len == 0))
            return i;
    }
    return UINT32_MAX;
}

static bool
put_replaced(struct ag_call *c, struct ag_value map, struct ag_value s, struct ag_buf *out)
{
    bool was_empty = false; // the empty key matches once at each place
    for (size_t at = 0, n; at <= s.len && !out->is_full;) {
        uint32_t i = key_at(c, map, s, at, was_empty);
        if (i != UINT32_MAX) {
            n = ag_object_key(&c->mem, map, i).len;
            ag_buf_str(out, ag_value_str(ag_value_at(&c->mem, map, i)));
            was_empty = n == 0;
            at += n;
            continue;
        }
        was_empty = false;
        n = at < s.len ? step(s, at, false) : 1;
        if (at < s.len)
            ag_buf_put(out, s.p + at, n);
        at += n;
    }
    return !out->is_full;
}

struct ag_value
ag_bi_replace_n(struct ag_call *c, const struct ag_value *a)
{
    struct ag_buf out;
    uint64_t each = 1 + (uint64_t)a[0].len; // units of the search at one place
    if (!ag_charge(c, a[0].len))
        return ag_undef();
    for (uint32_t i = 0; i < a[0].len; i++) {
        each += ag_object_key(&c->mem, a[0], i).len / AG_STEP_BYTES;
        if (ag_object_key(&c->mem, a[0], i).kind != AG_STRING)
            return ag_error(c, AG_VERR_TYPE, "operand 1 non-string key found in pattern object");
        if (ag_value_at(&c->mem, a[0], i).kind != AG_STRING)
            return ag_error(c, AG_VERR_TYPE, "operand 1 non-string value found in pattern object");
    }
    if (!ag_charge(c, each * (1 + (uint64_t)a[1].len)) || !ag_bi_begin(c, &out))
        return ag_undef();
    return ag_bi_end(c, &out, put_replaced(c, a[0], a[1], &out));
}
