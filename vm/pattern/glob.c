// SPDX-License-Identifier: Apache-2.0
// Globs of policy.yaml (B2): the fnmatch dialect, matched directly on its text.
// In: glob and subject, both UTF-8. Out: yes or no, or what is fixed at the ends. No memory.
// Between two stars lies a run; the first place where it fits is right, so nothing is tried again once a run
// is placed. Next: glob_opa.c for the dialect with delimiters.
#include "pattern.h"
#include "utf8.h"

enum glob_kind {
    GLOB_END,
    GLOB_STAR,
    GLOB_ANY, // ?
    GLOB_CHAR,
    GLOB_CLASS, // items in `body`
};

struct glob_item {
    enum glob_kind kind;
    uint32_t cp;        // of GLOB_CHAR
    bool is_negated;    // of GLOB_CLASS
    struct ag_str body; // of GLOB_CLASS, without brackets and !
    size_t next;        // where the next item starts
};

// One code point; a byte that is not UTF-8 stands for itself, outside Unicode, so that it equals only itself.
static size_t
decode(struct ag_str s, size_t at, uint32_t *ret)
{
    size_t n = ag_utf8_decode((const uint8_t *)s.p + at, s.n - at, ret);
    if (n)
        return n;
    *ret = 0x110000u + (uint8_t)s.p[at];
    return 1;
}

// Reads the item at `at`. A class of one character that is not negated is that character ([*] is an escape).
static struct glob_item
item_at(struct ag_str g, size_t at)
{
    struct glob_item it = {.kind = GLOB_END, .next = at};
    if (at >= g.n)
        return it;
    it.next = at + decode(g, at, &it.cp);
    it.kind = it.cp == '*' ? GLOB_STAR : it.cp == '?' ? GLOB_ANY : GLOB_CHAR;
    if (it.cp != '[')
        return it;
    size_t from = at + 1;
    it.is_negated = from < g.n && g.p[from] == '!';
    from += it.is_negated;
    size_t search = from < g.n && g.p[from] == ']' ? from + 1 : from;
    const char *close = search < g.n ? memchr(g.p + search, ']', g.n - search) : NULL;
    if (!close)
        return it; // unclosed: an ordinary [
    it.body = ag_str_of(g.p + from, (size_t)(close - g.p) - from);
    it.next = (size_t)(close - g.p) + 1;
    it.kind = GLOB_CLASS;
    uint32_t cp;
    if (!it.is_negated && decode(it.body, 0, &cp) == it.body.n) {
        it.kind = GLOB_CHAR;
        it.cp = cp;
    }
    return it;
}

// The next member of a class body: lo..hi (lo > hi: an empty range, matches nothing). Returns the next place.
static size_t
member_at(struct ag_str body, size_t at, uint32_t *lo, uint32_t *hi)
{
    at += decode(body, at, lo);
    *hi = *lo;
    if (at + 1 < body.n && body.p[at] == '-')
        at += 1 + decode(body, at + 1, hi);
    return at;
}

static bool
item_fits(const struct glob_item *it, uint32_t cp)
{
    if (it->kind == GLOB_ANY)
        return true;
    if (it->kind == GLOB_CHAR)
        return it->cp == cp;
    bool is_in = false;
    for (size_t at = 0; at < it->body.n && !is_in;) {
        uint32_t lo, hi;
        at = member_at(it->body, at, &lo, &hi);
        is_in = lo <= cp && cp <= hi;
    }
    return is_in != it->is_negated;
}

// Matches the run of items that starts at *g_at, up to a star or the end, with the subject at `s_at`.
// True when it fits: *g_at is then behind the run, *ret_s behind what it took.
static bool
run_fits(struct ag_str g, size_t *g_at, struct ag_str s, size_t s_at, size_t *ret_s)
{
    size_t at = *g_at;
    for (;;) {
        struct glob_item it = item_at(g, at);
        if (it.kind == GLOB_STAR || it.kind == GLOB_END)
            break;
        if (s_at >= s.n)
            return false;
        uint32_t cp;
        s_at += decode(s, s_at, &cp);
        if (!item_fits(&it, cp))
            return false;
        at = it.next;
    }
    *g_at = at;
    *ret_s = s_at;
    return true;
}

// Bytes of plain text at `at`: no wildcard, no bracket.
static size_t
plain_length(struct ag_str g, size_t at)
{
    size_t n = 0;
    while (at + n < g.n && g.p[at + n] != '*' && g.p[at + n] != '?' && g.p[at + n] != '[')
        n++;
    return n;
}

// Places the run at *g_at, which ends at a star, at the first place from *s_at on.
static bool
run_place(struct ag_str g, size_t *g_at, struct ag_str s, size_t *s_at)
{
    size_t plain = plain_length(g, *g_at);
    bool is_plain = g.p[*g_at + plain] == '*';
    for (size_t at = *s_at;;) {
        if (plain) {
            const char *p = at < s.n ? memmem(s.p + at, s.n - at, g.p + *g_at, plain) : NULL;
            if (!p)
                return false;
            at = (size_t)(p - s.p);
            if (is_plain) {
                *g_at += plain;
                *s_at = at + plain;
                return true;
            }
        }
        if (run_fits(g, g_at, s, at, s_at))
            return true;
        if (at >= s.n)
            return false;
        uint32_t cp;
        at += decode(s, at, &cp);
    }
}

// Code points of the run at `at` (a star or the end ends it); *ret_next is where it ends.
static size_t
run_length(struct ag_str g, size_t at, size_t *ret_next)
{
    size_t n = 0;
    for (struct glob_item it = item_at(g, at); it.kind != GLOB_STAR && it.kind != GLOB_END;
         it = item_at(g, at)) {
        n++;
        at = it.next;
    }
    *ret_next = at;
    return n;
}

// The last run must end at the subject's end: steps back over as many code points as it has.
static bool
run_at_end(struct ag_str g, size_t g_at, struct ag_str s, size_t s_at)
{
    size_t end, n = run_length(g, g_at, &end), at = s.n;
    for (; n; n--) {
        if (at <= s_at)
            return false;
        uint32_t cp;
        size_t begin = at - 1;
        while (begin > s_at && at - begin < 4 && ((uint8_t)s.p[begin] & 0xC0) == 0x80)
            begin--;
        at = ag_utf8_decode((const uint8_t *)s.p + begin, at - begin, &cp) == at - begin ? begin : at - 1;
    }
    return run_fits(g, &g_at, s, at, &s_at) && s_at == s.n;
}

// True when a star is in the glob at or behind `at`.
static bool
has_star(struct ag_str g, size_t at)
{
    run_length(g, at, &at);
    return at < g.n;
}

// Most globs are plain text with a star behind it: two comparisons of bytes. *ret_is_settled is false when
// the general way must answer, as it must where the subject goes on inside a character.
static bool
match_prefix(struct ag_str g, struct ag_str s, bool *ret_is_settled)
{
    size_t n = plain_length(g, 0);
    *ret_is_settled = n + 1 == g.n && g.p[n] == '*' && (s.n <= n || ((uint8_t)s.p[n] & 0xC0) != 0x80);
    return *ret_is_settled && s.n >= n && ag_bytes_eq(s.p, g.p, n);
}

bool
ag_glob_match(struct ag_str pattern, struct ag_str subject)
{
    size_t g = 0, s = 0;
    bool is_settled, is_prefix = match_prefix(pattern, subject, &is_settled);
    if (is_settled)
        return is_prefix;
    if (!run_fits(pattern, &g, subject, 0, &s))
        return false;
    if (g == pattern.n)
        return s == subject.n;
    for (;;) {
        while (g < pattern.n && pattern.p[g] == '*')
            g++;
        if (g == pattern.n)
            return true;
        if (!has_star(pattern, g))
            return run_at_end(pattern, g, subject, s);
        if (!run_place(pattern, &g, subject, &s))
            return false;
    }
}

// What comparing the run at `at` once may cost; *ret_next is where it ends. A class looks at each of its
// members, an unclosed [ at the rest of the text (32 bytes to a step).
static uint64_t
run_cost(struct ag_str g, size_t at, size_t *ret_next)
{
    uint64_t cost = 0;
    for (struct glob_item it = item_at(g, at); it.kind != GLOB_STAR && it.kind != GLOB_END;
         it = item_at(g, at)) {
        cost += it.next - at;
        if (g.p[at] == '[' && !it.body.n)
            cost += (g.n - at) / 32;
        at = it.next;
    }
    *ret_next = at;
    return cost;
}

uint64_t
ag_glob_fuel(struct ag_str pattern, uint64_t n)
{
    uint64_t all = pattern.n, longest = 0;
    size_t plain = plain_length(pattern, 0);
    if (plain + 1 == pattern.n &&
        pattern.p[plain] == '*') // the sum below, for one run of text before one star
        return all + 2 * plain + n + 1;
    for (size_t at = 0; at < pattern.n; at++) {
        size_t begin = at;
        uint64_t cost = run_cost(pattern, at, &at);
        all += 2 * cost;
        if (plain_length(pattern, begin) != at - begin && cost > longest)
            longest = cost;
    }
    return all + (n + 1) * (longest + 1);
}

bool
ag_glob_is_any(struct ag_str pattern)
{
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] != '*')
            return false;
    }
    return pattern.n > 0;
}

static void
put_item(struct ag_buf *out, struct ag_str g, size_t at, const struct glob_item *it)
{
    if (g.p[at] == '[' && it->body.n)
        ag_buf_str(out, it->body);
    else
        ag_buf_put(out, g.p + at, it->next - at);
}

bool
ag_glob_literal(struct ag_str pattern, struct ag_buf *out)
{
    size_t before = out->n, at = 0;
    for (; at < pattern.n;) {
        struct glob_item it = item_at(pattern, at);
        if (it.kind != GLOB_CHAR) {
            out->n = before;
            return false;
        }
        put_item(out, pattern, at, &it);
        at = it.next;
    }
    return true;
}

void
ag_glob_prefix(struct ag_str pattern, struct ag_buf *out)
{
    for (size_t at = 0; at < pattern.n;) {
        struct glob_item it = item_at(pattern, at);
        if (it.kind != GLOB_CHAR)
            return;
        put_item(out, pattern, at, &it);
        at = it.next;
    }
}

void
ag_glob_suffix(struct ag_str pattern, struct ag_buf *out)
{
    size_t last = 0; // behind the last wildcard
    for (size_t at = 0; at < pattern.n;) {
        struct glob_item it = item_at(pattern, at);
        at = it.next;
        if (it.kind != GLOB_CHAR)
            last = at;
    }
    ag_glob_prefix(ag_str_of(pattern.p + last, pattern.n - last), out);
}

static bool
refuse(struct ag_pattern_error *err, size_t at, const char *text)
{
    struct ag_buf b;
    err->offset = (uint32_t)at;
    ag_buf_init(&b, err->text, sizeof(err->text) - 1);
    ag_buf_str(&b, ag_str_z(text));
    b.p[b.n] = '\0';
    return false;
}

bool
ag_glob_check(struct ag_str pattern, struct ag_pattern_error *reterr)
{
    if (pattern.n > AG_GLOB_TEXT_MAX)
        return refuse(reterr, AG_GLOB_TEXT_MAX, "glob is longer than 4096 bytes");
    for (size_t at = 0, n; at < pattern.n; at += n) {
        uint32_t cp;
        n = ag_utf8_decode((const uint8_t *)pattern.p + at, pattern.n - at, &cp);
        if (!n)
            return refuse(reterr, at, "glob is not UTF-8 here");
    }
    for (size_t at = 0; at < pattern.n;) {
        struct glob_item it = item_at(pattern, at);
        for (size_t k = 0; it.kind == GLOB_CLASS && k < it.body.n;) {
            uint32_t lo, hi;
            k = member_at(it.body, k, &lo, &hi);
            if (lo > hi)
                return refuse(reterr, at, "range in [ ] is backwards: write the smaller character first");
        }
        at = it.next;
    }
    return true;
}
