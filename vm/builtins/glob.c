// SPDX-License-Identifier: Apache-2.0
// Built-ins on globs: glob.match with delimiters, glob.quote_meta, and regex.globs_match, which asks whether
// two globs have a text in common. In: globs and texts. Out: booleans, a string. A glob is compiled into the
// arena, used once and dropped. Next file to read: pattern/glob_opa.c.
#include "builtin_fns.h"
#include "regex.h"
#include "utf8.h"

#define DELIMITERS_MAX 64u // bytes of all delimiters of one glob

// The delimiters of arg 1: null means none, [] a full stop. False: *ret_error.
static bool
delimiters(struct ag_call *c, struct ag_value v, struct ag_buf *out, struct ag_value *ret_error)
{
    if (v.kind == AG_ARRAY && v.len == 0)
        ag_buf_char(out, '.');
    for (uint32_t i = 0; v.kind == AG_ARRAY && i < v.len && !out->is_full; i++) {
        struct ag_value d = ag_value_at(&c->mem, v, i);
        uint32_t cp;
        bool is_rune = d.kind == AG_STRING && d.len && ag_utf8_decode(d.p, d.len, &cp) == d.len;
        if (!is_rune) {
            *ret_error = ag_bi_element_error(c, 2, v, d.kind == AG_STRING ? "rune" : "string", d);
            return false;
        }
        ag_buf_str(out, ag_value_str(d));
    }
    if (out->is_full)
        *ret_error = ag_error(c, AG_VERR_BUILTIN, "more than %u bytes of delimiters", DELIMITERS_MAX);
    return !out->is_full;
}

struct ag_value
ag_bi_glob_match(struct ag_call *c, const struct ag_value *a)
{
    char text[DELIMITERS_MAX];
    struct ag_buf out;
    struct ag_pattern_error e;
    struct ag_str blob;
    struct ag_value v;
    ag_buf_init(&out, text, sizeof text);
    if (!delimiters(c, a[1], &out, &v))
        return v;
    size_t mark = ag_arena_mark(c->mem.arena);
    enum ag_pattern_status s = ag_glob_to_pattern(ag_value_str(a[0]), ag_str_of(text, out.n),
                                                  AG_PATTERN_NO_DFA, c->mem.arena, &c->fuel, &blob, &e);
    if (s == AG_PATTERN_YES)
        s = ag_pattern_match(blob.p, ag_value_str(a[2]), c->mem.arena, &c->fuel);
    ag_arena_reset(c->mem.arena, mark);
    if (s == AG_PATTERN_BAD)
        return ag_error(c, AG_VERR_BUILTIN, "%s", e.text);
    return ag_regex_status(c, s);
}

struct ag_value
ag_bi_glob_quote_meta(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str s = ag_value_str(a[0]);
    size_t n = s.n, at = 0;
    if (!ag_charge_bytes(c, 2 * (uint64_t)s.n))
        return ag_undef();
    for (size_t i = 0; i < s.n; i++)
        n += memchr("*?\\[]{}", s.p[i], 7) != NULL;
    if (n == s.n)
        return a[0];
    char *out = ag_call_alloc(c, n, 1);
    if (!out)
        return ag_undef();
    for (size_t i = 0; i < s.n; i++) {
        if (memchr("*?\\[]{}", s.p[i], 7))
            out[at++] = '\\';
        out[at++] = s.p[i];
    }
    return ag_bi_text(out, n);
}
