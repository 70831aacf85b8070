// SPDX-License-Identifier: Apache-2.0
// Globs of glob.match: the dialect with delimiters and alternatives, rewritten as a regular expression.
// In: glob and delimiters, UTF-8. Out: a pattern blob. The rewritten text is scratch in the arena.
// Next: compile.c.
#include "pattern.h"
#include "utf8.h"

struct rewrite {
    struct ag_str g;
    size_t at;
    struct ag_str delimiters;
    struct ag_buf out;
    struct ag_pattern_error *err;
    uint32_t depth; // open braces
    bool is_bad;
};

static void
refuse(struct rewrite *w, size_t at, const char *text)
{
    struct ag_buf b;
    if (w->is_bad)
        return;
    w->is_bad = true;
    w->err->offset = (uint32_t)at;
    ag_buf_init(&b, w->err->text, sizeof(w->err->text) - 1);
    ag_buf_str(&b, ag_str_z(text));
    b.p[b.n] = '\0';
}

static uint32_t
next_cp(struct rewrite *w)
{
    uint32_t cp = 0;
    size_t n = ag_utf8_decode((const uint8_t *)w->g.p + w->at, w->g.n - w->at, &cp);
    if (!n)
        refuse(w, w->at, "glob is not UTF-8 here");
    w->at += n ? n : 1;
    return cp;
}

static bool
looking_at(const struct rewrite *w, char ch)
{
    return w->at < w->g.n && w->g.p[w->at] == ch;
}

// A code point as \x{...}: never syntax, in or outside brackets.
static void
put_cp(struct rewrite *w, uint32_t cp)
{
    ag_buf_lit(&w->out, "\\x{");
    ag_buf_hex(&w->out, (uint8_t[]){(uint8_t)(cp >> 16), (uint8_t)(cp >> 8), (uint8_t)cp}, 3);
    ag_buf_char(&w->out, '}');
}

// One code point that is no delimiter.
static void
put_single(struct rewrite *w)
{
    if (!w->delimiters.n) {
        ag_buf_lit(&w->out, "(?s:.)");
        return;
    }
    ag_buf_lit(&w->out, "[^");
    for (size_t at = 0; at < w->delimiters.n;) {
        uint32_t cp = 0;
        size_t n = ag_utf8_decode((const uint8_t *)w->delimiters.p + at, w->delimiters.n - at, &cp);
        if (!n)
            refuse(w, 0, "delimiters are not UTF-8");
        put_cp(w, cp);
        at += n ? n : 1;
    }
    ag_buf_char(&w->out, ']');
}

// One character, perhaps behind a backslash.
static uint32_t
plain_cp(struct rewrite *w)
{
    size_t begin = w->at;
    uint32_t cp = next_cp(w);
    if (cp != '\\')
        return cp;
    if (w->at == w->g.n) {
        refuse(w, begin, "trailing \\: write \\\\ for a backslash");
        return cp;
    }
    return next_cp(w);
}

// Behind `[`: either one range a-z or a list of characters, perhaps after !.
static void
put_class(struct rewrite *w, size_t begin)
{
    ag_buf_char(&w->out, '[');
    if (looking_at(w, '!')) {
        w->at++;
        ag_buf_char(&w->out, '^');
    }
    size_t first = w->at;
    uint32_t n = 0;
    while (w->at < w->g.n && !looking_at(w, ']') && !w->is_bad) {
        uint32_t cp = plain_cp(w);
        put_cp(w, cp);
        if (n++ == 0 && looking_at(w, '-') && w->at + 1 < w->g.n) {
            w->at++;
            uint32_t hi = next_cp(w);
            ag_buf_char(&w->out, '-');
            put_cp(w, hi);
            if (hi < cp)
                refuse(w, first, "range in [ ] is backwards: write the smaller character first");
            else if (!looking_at(w, ']'))
                refuse(w, w->at, "expected ] after the range: a class is one range or a list of characters");
        }
    }
    if (!looking_at(w, ']'))
        refuse(w, begin, "missing ] after [");
    else if (!n)
        refuse(w, begin, "empty class: write \\[ for a bracket");
    w->at++;
    ag_buf_char(&w->out, ']');
}

static void
rewrite_one(struct rewrite *w)
{
    size_t begin = w->at;
    char ch = w->g.p[begin];
    if (ch == '*' && begin + 1 < w->g.n && w->g.p[begin + 1] == '*') {
        w->at += 2;
        ag_buf_lit(&w->out, "(?s:.)*");
    } else if (ch == '*' || ch == '?') {
        w->at++;
        put_single(w);
        if (ch == '*')
            ag_buf_char(&w->out, '*');
    } else if (ch == '[') {
        w->at++;
        put_class(w, begin);
    } else if (ch == '{') {
        w->at++;
        w->depth++;
        ag_buf_lit(&w->out, "(?:");
    } else if (w->depth && ch == ',') {
        w->at++;
        ag_buf_char(&w->out, '|');
    } else if (w->depth && ch == '}') {
        w->at++;
        w->depth--;
        ag_buf_char(&w->out, ')');
    } else {
        put_cp(w, plain_cp(w));
    }
}

enum ag_pattern_status
ag_glob_to_pattern(struct ag_str pattern, struct ag_str delimiters, unsigned flags, struct ag_arena *arena,
                   uint64_t *fuel, struct ag_str *ret_blob, struct ag_pattern_error *reterr)
{
    size_t mark = ag_arena_mark(arena);
    struct rewrite w = {.g = pattern, .delimiters = delimiters, .err = reterr};
    ag_buf_init(&w.out, arena->base + mark, arena->size - mark);
    if (pattern.n > AG_GLOB_TEXT_MAX) {
        refuse(&w, AG_GLOB_TEXT_MAX, "glob is longer than 4096 bytes");
        return AG_PATTERN_BAD;
    }
    ag_buf_lit(&w.out, "\\A");
    while (w.at < pattern.n && !w.is_bad && !w.out.is_full && w.out.n <= AG_PATTERN_TEXT_MAX)
        rewrite_one(&w);
    ag_buf_lit(&w.out, "\\z");
    if (!w.is_bad && !w.out.is_full && w.out.n > AG_PATTERN_TEXT_MAX)
        refuse(&w, w.at, "glob is too large here: shorten it or its delimiters");
    if (!w.is_bad && !w.out.is_full && w.depth)
        refuse(&w, pattern.n, "missing } at the end");
    if (w.is_bad || w.out.is_full)
        return w.is_bad ? AG_PATTERN_BAD : AG_PATTERN_ARENA;
    const char *text = ag_arena_alloc(arena, w.out.n, 1); // where the writer wrote
    enum ag_pattern_status status =
        ag_pattern_compile(ag_str_of(text, w.out.n), flags, arena, fuel, ret_blob, reterr);
    ag_arena_reset(arena, mark);
    if (status == AG_PATTERN_BAD)
        reterr->offset = 0; // places in the rewritten text mean nothing to the reader
    if (status == AG_PATTERN_YES) {
        void *final = ag_arena_alloc(arena, ret_blob->n, 8);
        memmove(final, ret_blob->p, ret_blob->n);
        ret_blob->p = final;
    }
    return status;
}
