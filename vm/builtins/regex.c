// SPDX-License-Identifier: Apache-2.0
// Built-ins regex.*: RE2 syntax, leftmost-first matches, in linear time. In: pattern and subject. Out:
// booleans and strings. A pattern given at run time is compiled into the top of the arena, so that results
// can grow below it, and dropped afterwards. Memory: the call's arena. Next file to read: pattern/match.c.
#include "regex.h"
#include "builtin_fns.h"
#include "utf8.h"

struct ag_value
ag_regex_status(struct ag_call *c, enum ag_pattern_status s)
{
    switch (s) {
    case AG_PATTERN_NO: return ag_bool(false);
    case AG_PATTERN_YES: return ag_bool(true);
    case AG_PATTERN_FUEL: return ag_stop(c, AG_EVAL_FUEL);
    case AG_PATTERN_ARENA: return ag_stop(c, AG_EVAL_ARENA);
    case AG_PATTERN_BAD: break;
    }
    return ag_bi_error();
}

// --- patterns of the call
// ----------------------------------------------------------------------------------

void
ag_regex_keep(struct ag_call *c, size_t mark, struct ag_str blob, struct ag_regex_open *ret)
{
    struct ag_arena *a = c->mem.arena;
    ret->arena_size = a->size;
    memmove(a->base + a->size - blob.n, blob.p, blob.n);
    ag_arena_reset(a, mark);
    a->size -= blob.n;
    ret->blob = a->base + a->size;
}

bool
ag_regex_compile(struct ag_call *c, struct ag_str text, struct ag_regex_open *ret, struct ag_value *ret_error)
{
    struct ag_pattern_error e;
    struct ag_str blob;
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_pattern_status s = ag_pattern_compile(text, AG_PATTERN_NO_DFA, c->mem.arena, &c->fuel, &blob, &e);
    if (s == AG_PATTERN_YES) {
        ag_regex_keep(c, mark, blob, ret);
        return true;
    }
    *ret_error = s == AG_PATTERN_BAD
                     ? ag_error(c, AG_VERR_BUILTIN, "error parsing regexp: %s: `%.*s`", e.text,
                                (int)(text.n < AG_ERROR_TEXT_MAX ? text.n : AG_ERROR_TEXT_MAX), text.p)
                     : ag_regex_status(c, s);
    return false;
}

void
ag_regex_close(struct ag_call *c, const struct ag_regex_open *o)
{
    c->mem.arena->size = o->arena_size;
}

// --- runs
// --------------------------------------------------------------------------------------------------

struct ag_value
ag_regex_match(struct ag_call *c, const void *blob, struct ag_value s)
{
    return ag_regex_status(c, ag_pattern_match(blob, ag_value_str(s), c->mem.arena, &c->fuel));
}

static struct ag_value
part(struct ag_value s, struct ag_pattern_span span)
{
    return span.from == AG_PATTERN_NONE ? ag_bi_part(s, 0, 0) : ag_bi_part(s, span.from, span.to - span.from);
}

static struct ag_value
array_of_parts(struct ag_call *c, struct ag_value s, const struct ag_pattern_span *spans, uint32_t n)
{
    struct ag_builder *b = ag_charge(c, n) ? ag_builder_new(&c->mem, AG_ARRAY) : NULL;
    bool ok = b != NULL;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = ag_builder_push(&c->mem, b, part(s, spans[i]));
    return ag_bi_close(c, b, ok);
}

// Up to n matches, each as its text or as an array of its groups.
static struct ag_value
collect(struct ag_call *c, const void *blob, struct ag_value s, int64_t n, bool with_groups)
{
    struct ag_pattern_iter it = {.subject = ag_value_str(s)};
    uint32_t n_span = with_groups ? ag_pattern_groups(blob) : 1;
    struct ag_pattern_span *spans = ag_call_alloc(c, n_span * sizeof *spans, 8);
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = spans && b;
    for (int64_t i = 0; ok && (n < 0 || i < n); i++) {
        enum ag_pattern_status st = ag_pattern_next(blob, &it, spans, n_span, c->mem.arena, &c->fuel);
        if (st == AG_PATTERN_NO)
            break;
        if (st != AG_PATTERN_YES || !ag_charge(c, 1))
            return ag_regex_status(c, st);
        struct ag_value v = with_groups ? array_of_parts(c, s, spans, n_span) : part(s, spans[0]);
        if (v.kind == AG_UNDEF)
            return v;
        ok = ag_builder_push(&c->mem, b, v);
    }
    return ag_bi_close(c, b, ok);
}

struct ag_value
ag_regex_find(struct ag_call *c, const void *blob, struct ag_value s, int64_t n)
{
    return collect(c, blob, s, n, false);
}

struct ag_value
ag_regex_groups(struct ag_call *c, const void *blob, struct ag_value s, int64_t n)
{
    return collect(c, blob, s, n, true);
}

struct ag_value
ag_regex_split(struct ag_call *c, const void *blob, bool is_empty, struct ag_value s)
{
    struct ag_pattern_iter it = {.subject = ag_value_str(s)};
    struct ag_pattern_span m;
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    uint32_t begin = 0, end = 0;
    bool ok = b != NULL;
    while (ok) {
        enum ag_pattern_status st = ag_pattern_next(blob, &it, &m, 1, c->mem.arena, &c->fuel);
        if (st == AG_PATTERN_NO)
            break;
        if (st != AG_PATTERN_YES || !ag_charge(c, 1))
            return ag_regex_status(c, st);
        end = m.from;
        if (m.to != 0) // an empty match at the start splits nothing off
            ok = ag_builder_push(&c->mem, b, ag_bi_part(s, begin, end - begin));
        begin = m.to;
    }
    if (ok && (end != s.len || (s.len == 0 && !is_empty)))
        ok = ag_builder_push(&c->mem, b, ag_bi_part(s, begin, s.len - begin));
    return ag_bi_close(c, b, ok);
}

// --- replacing
// ---------------------------------------------------------------------------------------------

#define NO_GROUP   UINT32_MAX
#define NUMBER_MAX 100000000u // a longer number is a name

// A match, kept until the size of the result is known.
struct match {
    struct match *next;
    struct ag_pattern_span span[];
};

// The group that a name stands for; NO_GROUP: none, which expands to nothing.
static uint32_t
group_of(const void *blob, struct ag_str name)
{
    uint32_t number = 0;
    bool is_number = name.n == 1 || name.p[0] != '0';
    for (size_t i = 0; is_number && i < name.n; i++) {
        is_number = name.p[i] >= '0' && name.p[i] <= '9' && number < NUMBER_MAX;
        number = number * 10 + (uint32_t)(name.p[i] - '0');
    }
    if (is_number)
        return number < ag_pattern_groups(blob) ? number : NO_GROUP;
    return ag_pattern_group_named(blob, name);
}

// Reads NAME or {NAME} at t[*at], behind a dollar sign. False, nothing read: it is none.
static bool
template_name(struct ag_str t, size_t *at, struct ag_str *ret)
{
    size_t i = *at;
    bool in_braces = i < t.n && t.p[i] == '{';
    i += in_braces;
    size_t begin = i;
    while (i < t.n) {
        uint32_t cp;
        size_t n = ag_utf8_decode((const uint8_t *)t.p + i, t.n - i, &cp);
        if (n == 0 || (cp != '_' && !ag_pattern_is_letter_or_digit(cp)))
            break;
        i += n;
    }
    if (i == begin || (in_braces && (i == t.n || t.p[i] != '}')))
        return false;
    *ret = ag_str_of(t.p + begin, i - begin);
    *at = i + in_braces;
    return true;
}

// Writes the template for one match into `out`, or with `out` NULL only counts its bytes.
static size_t
expand(const void *blob, struct ag_str s, struct ag_str t, const struct match *m, char *out)
{
    size_t n = 0;
    for (size_t at = 0; at < t.n;) {
        struct ag_str piece = ag_str_of(t.p + at, 1), name;
        if (t.p[at++] == '$') {
            if (at < t.n && t.p[at] == '$') {
                at++;
            } else if (template_name(t, &at, &name)) {
                uint32_t g = group_of(blob, name);
                bool has = g != NO_GROUP && m->span[g].from != AG_PATTERN_NONE;
                piece = has ? ag_str_of(s.p + m->span[g].from, m->span[g].to - m->span[g].from) : AG_STR("");
            }
        }
        if (out && piece.n)
            memcpy(out + n, piece.p, piece.n);
        n += piece.n;
    }
    return n;
}

// The subject with its matches replaced; with `out` NULL only its size.
static size_t
replaced(const void *blob, struct ag_str s, struct ag_str t, const struct match *m, char *out)
{
    size_t n = 0, last = 0;
    for (; m; m = m->next) {
        if (out)
            memcpy(out + n, s.p + last, m->span[0].from - last);
        n += m->span[0].from - last;
        n += expand(blob, s, t, m, out ? out + n : NULL);
        last = m->span[0].to;
    }
    if (out)
        memcpy(out + n, s.p + last, s.n - last);
    return n + s.n - last;
}

// All matches in order; *ret_ok false: the evaluation ends.
static struct match *
all_matches(struct ag_call *c, const void *blob, struct ag_str s, uint32_t n_span, uint64_t cost,
            bool *ret_ok)
{
    struct ag_pattern_iter it = {.subject = s};
    struct match *first = NULL, **end = &first;
    *ret_ok = false;
    for (;;) {
        struct match *m = ag_call_alloc(c, sizeof *m + n_span * sizeof m->span[0], 8);
        if (!m)
            return NULL;
        m->next = NULL;
        enum ag_pattern_status st = ag_pattern_next(blob, &it, m->span, n_span, c->mem.arena, &c->fuel);
        if (st == AG_PATTERN_NO)
            break;
        if (st != AG_PATTERN_YES || !ag_charge(c, cost))
            return ag_regex_status(c, st), NULL;
        *end = m;
        end = &m->next;
    }
    *ret_ok = true;
    return first;
}

struct ag_value
ag_regex_replace(struct ag_call *c, const void *blob, struct ag_value v, struct ag_str with)
{
    struct ag_arena *a = c->mem.arena;
    struct ag_str s = ag_value_str(v);
    size_t mark = ag_arena_mark(a);
    bool ok, has_groups = with.n && memchr(with.p, '$', with.n);
    const struct match *m =
        all_matches(c, blob, s, has_groups ? ag_pattern_groups(blob) : 1, 1 + with.n, &ok);
    if (!ok)
        return ag_undef();
    if (!m) {
        ag_arena_reset(a, mark);
        return v;
    }
    size_t n = replaced(blob, s, with, m, NULL);
    if (!ag_charge_bytes(c, n))
        return ag_undef();
    char *out = n > AG_STRING_MAX ? NULL : ag_call_alloc(c, n, 1);
    if (!out)
        return n > AG_STRING_MAX ? ag_error(c, AG_VERR_BUILTIN, "the result is too long") : ag_undef();
    replaced(blob, s, with, m, out);
    memmove(a->base + mark, out, n); // over the matches, which are done with
    ag_arena_reset(a, mark + n);
    return ag_bi_text((char *)a->base + mark, n);
}

// --- the built-ins
// ------------------------------------------------------------------------------------------

struct ag_value
ag_bi_regex_match(struct ag_call *c, const struct ag_value *a)
{
    struct ag_regex_open o;
    struct ag_value v;
    if (!ag_regex_compile(c, ag_value_str(a[0]), &o, &v))
        return v;
    v = ag_regex_match(c, o.blob, a[1]);
    ag_regex_close(c, &o);
    return v;
}

struct ag_value
ag_bi_regex_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct ag_pattern_error e;
    struct ag_str blob;
    if (a[0].kind != AG_STRING)
        return ag_bool(false);
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_pattern_status s =
        ag_pattern_compile(ag_value_str(a[0]), AG_PATTERN_NO_DFA, c->mem.arena, &c->fuel, &blob, &e);
    ag_arena_reset(c->mem.arena, mark);
    return s == AG_PATTERN_BAD ? ag_bool(false) : ag_regex_status(c, s);
}

static struct ag_value
find(struct ag_call *c, const struct ag_value *a, bool with_groups)
{
    struct ag_regex_open o;
    struct ag_value v;
    int64_t n;
    if (!ag_bi_int(c, 3, a[2], &n, &v) || !ag_regex_compile(c, ag_value_str(a[0]), &o, &v))
        return v;
    v = collect(c, o.blob, a[1], n, with_groups);
    ag_regex_close(c, &o);
    return v;
}

struct ag_value
ag_bi_regex_find_n(struct ag_call *c, const struct ag_value *a)
{
    return find(c, a, false);
}

struct ag_value
ag_bi_regex_find_groups(struct ag_call *c, const struct ag_value *a)
{
    return find(c, a, true);
}

struct ag_value
ag_bi_regex_split(struct ag_call *c, const struct ag_value *a)
{
    struct ag_regex_open o;
    struct ag_value v;
    if (!ag_regex_compile(c, ag_value_str(a[0]), &o, &v))
        return v;
    v = ag_regex_split(c, o.blob, a[0].len == 0, a[1]);
    ag_regex_close(c, &o);
    return v;
}

struct ag_value
ag_bi_regex_replace(struct ag_call *c, const struct ag_value *a)
{
    struct ag_regex_open o;
    struct ag_value v;
    if (!ag_regex_compile(c, ag_value_str(a[1]), &o, &v))
        return v;
    v = ag_regex_replace(c, o.blob, a[0], ag_value_str(a[2]));
    ag_regex_close(c, &o);
    return v;
}

// --- regex.template_match: text with patterns between two delimiters
// ---------------------------------------

static void
put_quoted(struct ag_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strchr("\\.+*?()|[]{}^$", p[i]) && p[i])
            ag_buf_char(out, '\\');
        ag_buf_char(out, p[i]);
    }
}

// Whether a pattern between delimiters is one by itself; false: `*ret_error` is the value to return.
static bool
check_part(struct ag_call *c, struct ag_str part, struct ag_value *ret_error)
{
    struct ag_regex_open o;
    if (!ag_regex_compile(c, part, &o, ret_error))
        return false;
    ag_regex_close(c, &o);
    return true;
}

// Writes ^TEXT(PATTERN)TEXT$ for the template, whose delimiters may nest. False: `*ret_error` is the value.
static bool
rewrite_template(struct ag_call *c, struct ag_str t, char open, char close, struct ag_buf *out,
                 struct ag_value *ret_error)
{
    size_t level = 0, begin = 0;
    bool is_balanced = true;
    ag_buf_char(out, '^');
    for (size_t i = 0; i < t.n && is_balanced; i++) {
        if (t.p[i] == open) { // also when both delimiters are the same: nothing ever closes
            if (level++ == 0) {
                put_quoted(out, t.p + begin, i - begin);
                begin = i + 1;
            }
        } else if (t.p[i] == close) {
            is_balanced = level > 0;
            level -= is_balanced;
            if (is_balanced && level == 0) {
                if (!check_part(c, ag_str_of(t.p + begin, i - begin), ret_error))
                    return false;
                ag_buf_char(out, '(');
                ag_buf_put(out, t.p + begin, i - begin);
                ag_buf_char(out, ')');
                begin = i + 1;
            }
        }
    }
    if (!is_balanced || level) {
        *ret_error =
            ag_error(c, AG_VERR_BUILTIN, "unbalanced braces in \"%.*s\"", (int)(t.n < 300 ? t.n : 300), t.p);
        return false;
    }
    put_quoted(out, t.p + begin, t.n - begin);
    ag_buf_char(out, '$');
    return true;
}

struct ag_value
ag_bi_regex_template_match(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str t = ag_value_str(a[0]);
    struct ag_regex_open o;
    struct ag_buf out;
    struct ag_value v;
    for (int i = 2; i < 4; i++)
        if (a[i].len != 1)
            return ag_error(c, AG_VERR_BUILTIN,
                            "%s delimiter has to be exactly one character long but is %u long",
                            i == 2 ? "start" : "end", (unsigned)a[2].len);
    if (!ag_charge_bytes(c, t.n))
        return ag_undef();
    size_t mark = ag_arena_mark(c->mem.arena),
           size = 2 * t.n + 16; // every byte quoted; brackets replace delimiters
    char *text = ag_call_alloc(c, size, 1);
    if (!text)
        return ag_undef();
    ag_buf_init(&out, text, size);
    if (!rewrite_template(c, t, (char)a[2].p[0], (char)a[3].p[0], &out, &v) ||
        !ag_regex_compile(c, ag_str_of(out.p, out.n), &o, &v))
        return v;
    v = ag_regex_match(c, o.blob, a[1]);
    ag_regex_close(c, &o);
    ag_arena_reset(c->mem.arena, mark);
    return v;
}
