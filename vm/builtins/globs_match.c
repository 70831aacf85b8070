// SPDX-License-Identifier: Apache-2.0
// regex.globs_match: do two globs of literals, `.`, [sets], `+` and `*` have a text in common? The walk is
// the one of Open Policy Agent 1.18, its answers included where it gives up early; what was answered for two
// positions is kept, so that time is bounded by the product of both lengths. In: two globs. Out: a boolean.
// Memory: scratch in the call's arena. Next file to read: glob.c.
#include "builtin_fns.h"
#include "utf8.h"

#define TOKENS_MAX 512u // tokens of one glob: bounds the recursion and the table of answers

enum token_kind { CHARACTER, ANY_CHARACTER, SET };

struct range {
    uint32_t lo, hi;
};

struct token {
    enum token_kind kind;
    char flag;       // '+', '*' or 0
    uint32_t cp;     // CHARACTER
    uint32_t nrange; // SET: ascending, not touching
    struct range *range;
};

// A glob being read.
struct reader {
    struct ag_call *c;
    struct ag_str s;
    const uint32_t *cp;
    uint32_t n, at;
    struct ag_value error; // undefined until something is wrong
};

struct globs {
    struct ag_call *c;
    const struct token *token[2];
    uint32_t from[2], to[2]; // the parts that are compared
    uint8_t *answers;        // 0 not known, 1 no, 2 yes, for (which first, i, j)
};

// --- reading
// -----------------------------------------------------------------------------------------------

static bool
refuse(struct reader *r, const char *why)
{
    r->error = ag_error(r->c, AG_VERR_BUILTIN, "input:%.*s, pos:%u, %s: the input provided is invalid",
                        (int)(r->s.n < 200 ? r->s.n : 200), r->s.p, r->at, why);
    return false;
}

// The next code point, perhaps behind a backslash. False at the end, and for a lonely backslash (error set).
static bool
next_cp(struct reader *r, uint32_t *ret, bool *ret_escaped)
{
    if (r->at >= r->n)
        return false;
    *ret_escaped = r->cp[r->at] == '\\';
    if (*ret_escaped && r->at + 1 == r->n)
        return refuse(r, "input ends with a \\ (escape) character");
    r->at += *ret_escaped;
    *ret = r->cp[r->at++];
    return true;
}

// Adds lo..hi to the ascending ranges of a set.
static void
add_range(struct token *t, uint32_t lo, uint32_t hi)
{
    uint32_t i = 0, n = 0;
    struct range *r = t->range;
    while (i < t->nrange && r[i].hi + 1 < lo)
        i++;
    for (n = i; n < t->nrange && r[n].lo <= hi + 1; n++) {
        lo = r[n].lo < lo ? r[n].lo : lo;
        hi = r[n].hi > hi ? r[n].hi : hi;
    }
    memmove(r + i + 1, r + n, (t->nrange - n) * sizeof *r);
    r[i] = (struct range){lo, hi};
    t->nrange = t->nrange - (n - i) + 1;
}

// Behind `lo-`.
static bool
read_range_end(struct reader *r, struct token *t, uint32_t lo)
{
    uint32_t hi = 0;
    bool escaped = false;
    if (r->at + 1 >= r->n)
        return refuse(r, "range character '-' must be followed by a Unicode character");
    if (!next_cp(r, &hi, &escaped))
        return r->error.kind == AG_UNDEF ? refuse(r, "found [ without matching ]") : false;
    if (!escaped && (hi == ']' || hi == '-'))
        return refuse(r, "range character '-' cannot be followed by a special symbol");
    if (hi < lo)
        return refuse(r, "range is out of order");
    add_range(t, lo, hi);
    return true;
}

// Behind `[`.
static bool
read_set(struct reader *r, struct token *t)
{
    uint32_t cp = 0, previous = 0;
    bool escaped = false, has_previous = false;
    t->kind = SET;
    t->range = ag_call_alloc(r->c, (r->n - r->at + 1) * sizeof *t->range, 4);
    if (!t->range || !ag_charge(r->c, r->n))
        return false;
    while (next_cp(r, &cp, &escaped)) {
        if (!escaped && cp == ']')
            return true;
        if (!escaped && cp == '-') {
            if (!has_previous)
                return refuse(r, "range character '-' must be preceded by a Unicode character");
            if (!read_range_end(r, t, previous))
                return false;
            has_previous = false;
            continue;
        }
        if (!ag_charge(r->c, 1 + t->nrange / 8))
            return false;
        add_range(t, cp, cp);
        previous = cp;
        has_previous = true;
    }
    return r->error.kind == AG_UNDEF ? refuse(r, "found [ without matching ]") : false;
}

static bool
read_token(struct reader *r, struct token *t)
{
    bool escaped = false;
    *t = (struct token){.kind = CHARACTER};
    if (!next_cp(r, &t->cp, &escaped))
        return false;
    if (!escaped) {
        if (t->cp == ']')
            return refuse(r, "set-close ']' with no preceding '['");
        if (t->cp == '+' || t->cp == '*')
            return refuse(r, t->cp == '+' ? "flag '+' must be preceded by a non-flag"
                                          : "flag '*' must be preceded by a non-flag");
        if (t->cp == '.')
            t->kind = ANY_CHARACTER;
        if (t->cp == '[' && !read_set(r, t))
            return false;
    }
    if (r->at < r->n && (r->cp[r->at] == '+' || r->cp[r->at] == '*'))
        t->flag = (char)r->cp[r->at++];
    return true;
}

static bool
is_same(const struct token *a, const struct token *b)
{
    if (a->kind != b->kind || (a->kind == CHARACTER && a->cp != b->cp))
        return false;
    return a->kind != SET || (a->nrange == b->nrange &&
                              (!a->nrange || memcmp(a->range, b->range, a->nrange * sizeof *a->range) == 0));
}

// Tokens of a glob, repeated flagged ones made one. NULL: `r->error` or the end of the evaluation.
static struct token *
read_glob(struct reader *r, uint32_t *ret_n)
{
    uint32_t *cp = ag_call_alloc(r->c, (r->s.n + 1) * sizeof *cp, 4), n = 0;
    if (!cp || !ag_charge(r->c, 1 + r->s.n))
        return NULL;
    for (size_t at = 0, step; at < r->s.n; at += step ? step : 1) {
        step = ag_utf8_decode((const uint8_t *)r->s.p + at, r->s.n - at, &cp[r->n]);
        r->n += step != 0;
    }
    r->cp = cp;
    struct token *t = ag_call_alloc(r->c, (TOKENS_MAX + 1) * sizeof *t, 8);
    if (!t)
        return NULL;
    while (read_token(r, &t[n])) {
        if (n && t[n].flag && t[n - 1].flag && is_same(&t[n], &t[n - 1])) {
            t[n - 1].flag = t[n].flag == '+' || t[n - 1].flag == '+' ? '+' : '*';
        } else if (n++ == TOKENS_MAX) {
            r->error = ag_error(r->c, AG_VERR_BUILTIN, "a glob of more than %u tokens", TOKENS_MAX);
            return NULL;
        }
    }
    *ret_n = n;
    return r->error.kind == AG_UNDEF && r->c->stop == AG_EVAL_OK ? t : NULL;
}

// --- comparing
// ---------------------------------------------------------------------------------------------

static bool
sets_meet(const struct token *a, const struct token *b)
{
    for (uint32_t i = 0, j = 0; i < a->nrange && j < b->nrange;) {
        if (a->range[i].hi < b->range[j].lo)
            i++;
        else if (b->range[j].hi < a->range[i].lo)
            j++;
        else
            return true;
    }
    return false;
}

static bool
meet(struct ag_call *c, const struct token *a, const struct token *b)
{
    if (a->kind > b->kind) {
        const struct token *swap = a;
        a = b;
        b = swap;
    }
    if (!ag_charge(c, 1 + ((uint64_t)a->nrange + b->nrange) / 8))
        return false;
    if (a->kind == ANY_CHARACTER || b->kind == ANY_CHARACTER)
        return true;
    if (a->kind == SET)
        return sets_meet(a, b);
    if (b->kind == CHARACTER)
        return a->cp == b->cp;
    struct range one = {a->cp, a->cp};
    struct token as_set = {.kind = SET, .nrange = 1, .range = &one};
    return sets_meet(&as_set, b);
}

static bool intersect(struct globs *g, unsigned first, uint32_t i, uint32_t j);

// Token i of `starred` repeats: it takes tokens of the other glob from j on until the rest goes together.
static bool
intersect_star(struct globs *g, unsigned starred, uint32_t i, uint32_t j)
{
    const struct token *a = g->token[starred], *b = g->token[!starred];
    const struct token *next = i + 1 < g->to[starred] ? &a[i + 1] : NULL;
    for (; j < g->to[!starred] && g->c->stop == AG_EVAL_OK; j++) {
        if (next && meet(g->c, &b[j], next) && intersect(g, starred, i + 1, j))
            return true;
        if (!meet(g->c, &b[j], &a[i]))
            return false;
    }
    return !next;
}

static bool
intersect_plus(struct globs *g, unsigned plussed, uint32_t i, uint32_t j)
{
    const struct token *a = g->token[plussed], *b = g->token[!plussed];
    if (!meet(g->c, &a[i], &b[j]))
        return false;
    return intersect_star(g, plussed, i, j + 1) || (b[j].flag && intersect(g, plussed, i + 1, j));
}

static bool
intersect_now(struct globs *g, unsigned first, uint32_t i, uint32_t j)
{
    const struct token *a = g->token[first], *b = g->token[!first];
    for (; i < g->to[first] && j < g->to[!first]; i++, j++) {
        if (a[i].flag)
            return a[i].flag == '+' ? intersect_plus(g, first, i, j) : intersect_star(g, first, i, j);
        if (b[j].flag)
            return b[j].flag == '+' ? intersect_plus(g, !first, j, i) : intersect_star(g, !first, j, i);
        if (!meet(g->c, &a[i], &b[j]))
            return false;
    }
    return i == g->to[first] && j == g->to[!first];
}

// Whether the rests of both globs, `first` from i on and the other from j on, have a text in common.
static bool
intersect(struct globs *g, unsigned first, uint32_t i, uint32_t j)
{
    uint8_t *kept =
        &g->answers[(first * (size_t)(TOKENS_MAX + 1) + i) * (TOKENS_MAX + 1) + j]; // rows of the first glob
    if (g->c->stop != AG_EVAL_OK)
        return false;
    if (!*kept)
        *kept = intersect_now(g, first, i, j) ? 2 : 1;
    return *kept == 2;
}

// Cuts off what is equal at both ends, but for one token. False: the ends differ.
static bool
trim(struct globs *g)
{
    const struct token *a = g->token[0], *b = g->token[1];
    uint32_t l = 0, r1 = g->to[0], r2 = g->to[1]; // r1, r2: one behind the token looked at
    for (; l < r1 && l < r2 && !a[l].flag && !b[l].flag; l++)
        if (!meet(g->c, &a[l], &b[l]))
            return false;
    l -= l > 0;
    for (; r1 > l && r2 > l && !a[r1 - 1].flag && !b[r2 - 1].flag; r1--, r2--)
        if (!meet(g->c, &a[r1 - 1], &b[r2 - 1]))
            return false;
    bool is_cut = r1 < g->to[0];
    g->from[0] = g->from[1] = l;
    g->to[0] = r1 + is_cut;
    g->to[1] = r2 + is_cut;
    return true;
}

struct ag_value
ag_bi_globs_match(struct ag_call *c, const struct ag_value *a)
{
    struct globs g = {.c = c};
    size_t mark = ag_arena_mark(c->mem.arena), size = 2 * (size_t)(TOKENS_MAX + 1) * (TOKENS_MAX + 1);
    for (int i = 0; i < 2; i++) {
        struct reader r = {.c = c, .s = ag_value_str(a[i]), .error = ag_undef()};
        g.token[i] = read_glob(&r, &g.to[i]);
        if (!g.token[i])
            return r.error;
    }
    if (!ag_charge_bytes(c, size))
        return ag_undef();
    g.answers = ag_call_alloc(c, size, 1);
    if (!g.answers)
        return ag_undef();
    memset(g.answers, 0, size);
    bool is_hit = trim(&g) && intersect(&g, 0, g.from[0], g.from[1]);
    ag_arena_reset(c->mem.arena, mark);
    return c->stop == AG_EVAL_OK ? ag_bool(is_hit) : ag_undef();
}
