// SPDX-License-Identifier: Apache-2.0
// Regions: globs as element lists (inclusion by matching one pattern against the other, intersection by a
// product walk), weeks as bit sets, parameters as intervals. In: rules. Out: answers that are exact or say
// that they are not. Memory: the compile arena. Next file to read: shadow.c.
#include "region.h"

#include "buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_DIGITS 15u // decimal digits that a double keeps: longer numbers are opaque

// --- globs

static void
set_byte(struct agc_gelem *e, unsigned b)
{
    e->set[b / 64] |= UINT64_C(1) << (b % 64);
}

// A class at text[i] == '['. Returns the index after it, or i when it is not closed.
static size_t
parse_class(struct ag_str t, size_t i, struct agc_gelem *e)
{
    size_t j = i + 1;
    bool is_not = j < t.n && t.p[j] == '!';
    j += is_not;
    size_t from = j;
    while (j < t.n && (t.p[j] != ']' || j == from))
        j++;
    if (j >= t.n)
        return i;
    *e = (struct agc_gelem){.kind = AGC_G_CLASS};
    for (size_t k = from; k < j; k++) {
        unsigned lo = (unsigned char)t.p[k], hi = lo;
        if (k + 2 < j && t.p[k + 1] == '-') {
            hi = (unsigned char)t.p[k + 2];
            k += 2;
        }
        e->is_wide |= lo >= 0x80 || hi >= 0x80;
        for (unsigned b = lo; b <= hi && b < 0x80; b++)
            set_byte(e, b);
    }
    if (is_not) {
        e->is_wide = true; // it also takes characters past ASCII
        e->set[0] = ~e->set[0];
        e->set[1] = ~e->set[1];
    }
    return j + 1;
}

const struct agc_glob *
agc_glob_parse(struct agc_arena *a, struct ag_str text)
{
    struct agc_glob *g = agc_alloc(a, sizeof *g);
    struct agc_gelem *e = agc_alloc(a, (text.n + 1) * sizeof *e);
    char *prefix = agc_alloc(a, text.n + 1);
    g->text = text;
    g->is_literal = true;
    for (size_t i = 0; i < text.n;) {
        struct agc_gelem *at = &e[g->n];
        size_t next = text.p[i] == '[' ? parse_class(text, i, at) : i;
        if (next > i) {
            i = next;
            unsigned members = 0, last = 0;
            for (unsigned b = 0; b < 128 && !at->is_wide; b++)
                if (at->set[b / 64] >> (b % 64) & 1)
                    members++, last = b;
            if (!at->is_wide && members == 1)
                *at = (struct agc_gelem){.kind = AGC_G_BYTE, .byte = (uint8_t)last};
        } else {
            char c = text.p[i++];
            *at = (struct agc_gelem){.kind = c == '*'   ? AGC_G_STAR
                                             : c == '?' ? AGC_G_ONE
                                                        : AGC_G_BYTE,
                                     .byte = (uint8_t)c};
        }
        if (at->kind == AGC_G_STAR && g->n && e[g->n - 1].kind == AGC_G_STAR)
            continue;
        if (at->kind != AGC_G_BYTE)
            g->is_literal = false;
        else if (g->is_literal)
            prefix[g->prefix.n++] = (char)at->byte;
        g->n++;
    }
    g->prefix.p = prefix;
    g->e = e;
    return g;
}

// Is element b, one character, inside element a? A byte past ASCII is part of a character, so `?` takes only
// whole ones: it is not counted as covering such a byte.
static bool
elem_covers(const struct agc_gelem *a, const struct agc_gelem *b)
{
    if (a->kind == AGC_G_BYTE)
        return b->kind == AGC_G_BYTE && a->byte == b->byte;
    if (b->kind == AGC_G_BYTE) {
        if (b->byte >= 0x80)
            return false;
        return a->kind == AGC_G_ONE || (a->set[b->byte / 64] >> (b->byte % 64) & 1);
    }
    if (a->kind == AGC_G_ONE)
        return true;
    if (b->kind == AGC_G_ONE || a->is_wide || b->is_wide)
        return false;
    return !((b->set[0] & ~a->set[0]) | (b->set[1] & ~a->set[1]));
}

// Pattern a against pattern b read as a string in which only a star of a takes a star: greedy with one way
// back, which is enough for star patterns.
bool
agc_glob_covers(const struct agc_glob *a, const struct agc_glob *b)
{
    if (!a)
        return true;
    if (!b)
        return a->n == 1 && a->e[0].kind == AGC_G_STAR;
    if (a->is_literal)
        return b->is_literal && ag_str_eq(a->prefix, b->prefix);
    if (a->prefix.n > b->prefix.n || memcmp(a->prefix.p, b->prefix.p, a->prefix.n) != 0)
        return false;
    uint32_t i = 0, j = 0, star = UINT32_MAX, mark = 0;
    while (j < b->n) {
        if (i < a->n && a->e[i].kind == AGC_G_STAR) {
            star = i++;
            mark = j;
        } else if (i < a->n && b->e[j].kind != AGC_G_STAR && elem_covers(&a->e[i], &b->e[j])) {
            i++;
            j++;
        } else if (star != UINT32_MAX) {
            i = star + 1;
            j = ++mark;
        } else {
            return false;
        }
    }
    while (i < a->n && a->e[i].kind == AGC_G_STAR)
        i++;
    return i == a->n;
}

static bool
elem_meets(const struct agc_gelem *a, const struct agc_gelem *b)
{
    if (a->kind == AGC_G_ONE || b->kind == AGC_G_ONE)
        return true;
    if (a->kind == AGC_G_BYTE && b->kind == AGC_G_BYTE)
        return a->byte == b->byte;
    if (a->kind == AGC_G_BYTE)
        return a->byte >= 0x80 ? b->is_wide : (b->set[a->byte / 64] >> (a->byte % 64) & 1);
    if (b->kind == AGC_G_BYTE)
        return elem_meets(b, a);
    return (a->is_wide && b->is_wide) || (a->set[0] & b->set[0]) || (a->set[1] & b->set[1]);
}

bool
agc_glob_meets(struct agc_arena *arena, const struct agc_glob *x, const struct agc_glob *y)
{
    if (!x || !y)
        return true;
    if (x->is_literal && y->is_literal)
        return ag_str_eq(x->prefix, y->prefix);
    size_t common = x->prefix.n < y->prefix.n ? x->prefix.n : y->prefix.n;
    if (memcmp(x->prefix.p, y->prefix.p, common) != 0)
        return false;
    // can[j]: elements of x so far and the first j of y can have made the same string
    uint8_t mem[2][256] = {{0}}; // globs are short; a long one goes to the arena
    bool is_long = y->n >= sizeof mem[0];
    uint8_t *can = is_long ? agc_alloc(arena, y->n + 1u) : mem[0];
    uint8_t *next = is_long ? agc_alloc(arena, y->n + 1u) : mem[1];
    can[0] = 1;
    for (uint32_t j = 0; j < y->n && y->e[j].kind == AGC_G_STAR; j++)
        can[j + 1] = 1;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct agc_gelem *a = &x->e[i];
        for (uint32_t j = 0; j <= y->n; j++) {
            bool ok = a->kind == AGC_G_STAR && can[j]; // the star takes nothing more
            ok |= j > 0 && y->e[j - 1].kind == AGC_G_STAR &&
                  (can[j] || next[j - 1]);                       // y's star takes a, or nothing
            ok |= j > 0 && a->kind == AGC_G_STAR && next[j - 1]; // x's star takes y's element
            ok |= j > 0 && a->kind != AGC_G_STAR && y->e[j - 1].kind != AGC_G_STAR && can[j - 1] &&
                  elem_meets(a, &y->e[j - 1]);
            next[j] = ok;
        }
        uint8_t *t = can;
        can = next;
        next = t;
    }
    return can[y->n];
}

struct ag_str
agc_glob_sample(struct agc_arena *a, const struct agc_glob *g)
{
    if (!g)
        return AG_STR("");
    char *p = agc_alloc(a, g->n + 1u);
    size_t n = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        const struct agc_gelem *e = &g->e[i];
        if (e->kind == AGC_G_STAR)
            continue;
        char c = 'x';
        if (e->kind == AGC_G_BYTE)
            c = (char)e->byte;
        else if (e->kind == AGC_G_CLASS)
            for (unsigned b = 127; b >= 32; b--) // printable where there is one
                if (e->set[b / 64] >> (b % 64) & 1)
                    c = (char)b;
        p[n++] = c;
    }
    return ag_str_of(p, n);
}

// --- weeks

// Minutes [from, to) of one week, to <= AGC_WEEK_MINUTES.
static void
fill(struct agc_week *w, uint32_t from, uint32_t to)
{
    while (from < to) {
        uint32_t bit = from % 64, n = 64 - bit < to - from ? 64 - bit : to - from;
        w->w[from / 64] |= (n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1) << bit;
        from += n;
    }
}

void
agc_week_add(struct agc_week *w, const struct ag_window *window)
{
    uint32_t length = window->end > window->start ? (uint32_t)window->end - window->start
                                                  : 1440u - window->start + window->end;
    for (uint32_t day = 0; day < 7; day++) {
        if (!(window->days >> day & 1))
            continue;
        uint32_t from = day * 1440 + window->start, to = from + length;
        fill(w, from, to < AGC_WEEK_MINUTES ? to : AGC_WEEK_MINUTES);
        if (to > AGC_WEEK_MINUTES)
            fill(w, 0, to - AGC_WEEK_MINUTES);
    }
}

bool
agc_week_is_empty(const struct agc_week *w)
{
    for (uint32_t i = 0; i < AGC_WEEK_WORDS; i++)
        if (w->w[i])
            return false;
    return true;
}

bool
agc_week_covers(const struct agc_week *a, const struct agc_week *b)
{
    for (uint32_t i = 0; i < AGC_WEEK_WORDS; i++)
        if (b->w[i] & ~a->w[i])
            return false;
    return true;
}

static const char *const day_names[7] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

struct run {
    uint32_t from, length; // minutes
};

static void
put_moment(struct ag_buf *b, uint32_t minute, bool is_end)
{
    char text[16];
    uint32_t day = minute / 1440 % 7, m = minute % 1440;
    if (is_end && m == 0) { // the end of a day is that day's 24:00
        day = (day + 6) % 7;
        m = 1440;
    }
    int n = snprintf(text, sizeof text, "%s %02u:%02u", day_names[day], m / 60, m % 60);
    ag_buf_put(b, text, (size_t)n);
}

static void
put_clock(struct ag_buf *b, uint32_t m)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%02u:%02u", m / 60, m % 60);
    ag_buf_put(b, text, (size_t)n);
}

// Runs inside one day at the same times on neighbouring days share one text.
static void
put_run(struct ag_buf *b, const struct run *r, uint32_t days)
{
    uint32_t day = r->from / 1440, start = r->from % 1440, end = start + r->length;
    if (end > 1440) {
        put_moment(b, r->from, false);
        ag_buf_lit(b, " to ");
        put_moment(b, r->from + r->length, true);
        return;
    }
    if (days == 7) {
        ag_buf_lit(b, "every day");
    } else {
        ag_buf_str(b, ag_str_z(day_names[day]));
        if (days > 1) {
            ag_buf_lit(b, "-");
            ag_buf_str(b, ag_str_z(day_names[day + days - 1]));
        }
    }
    ag_buf_char(b, ' ');
    put_clock(b, start);
    ag_buf_lit(b, " to ");
    put_clock(b, end);
}

struct ag_str
agc_week_text(struct agc_arena *a, const struct agc_week *w)
{
    enum { RUNS = 512, SHOWN = 7 };
    struct run runs[RUNS];
    uint32_t n = 0, first = 0;
    char text[400];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    // Begin at a minute outside, so that a run over Sunday midnight stays whole.
    while (first < AGC_WEEK_MINUTES && agc_week_has(w, first))
        first++;
    if (first == AGC_WEEK_MINUTES)
        return AG_STR("always");
    for (uint32_t i = 0; i < AGC_WEEK_MINUTES; i++) {
        uint32_t m = (first + i) % AGC_WEEK_MINUTES, before = (m + AGC_WEEK_MINUTES - 1) % AGC_WEEK_MINUTES;
        if (!agc_week_has(w, m))
            continue;
        if (n && i && agc_week_has(w, before))
            runs[n - 1].length++;
        else if (n < RUNS)
            runs[n++] = (struct run){m, 1};
    }
    uint32_t low = 0; // Monday first again
    for (uint32_t i = 1; i < n; i++)
        if (runs[i].from < runs[low].from)
            low = i;
    uint32_t shown = 0, k = 0;
    for (; k < n && shown < SHOWN; shown++) {
        const struct run *r = &runs[(low + k) % n];
        uint32_t days = 1;
        while (k + days < n && runs[(low + k + days) % n].from == r->from + days * 1440 &&
               runs[(low + k + days) % n].length == r->length && r->from % 1440 + r->length <= 1440)
            days++;
        if (shown)
            ag_buf_lit(&b, ", ");
        put_run(&b, r, days);
        k += days;
    }
    if (k < n)
        ag_buf_lit(&b, " and more");
    return agc_strdup(a, ag_str_of(b.p, b.n));
}

// --- parameters

static bool
number_of(const struct agc_node *n, double *ret)
{
    size_t digits = 0;
    if (n->kind != AGC_NUMBER || n->text.n > 40)
        return false;
    for (size_t i = 0; i < n->text.n; i++)
        digits += n->text.p[i] >= '0' && n->text.p[i] <= '9';
    if (digits > EXACT_DIGITS)
        return false;
    char text[48];
    memcpy(text, n->text.p, n->text.n);
    text[n->text.n] = '\0';
    *ret = strtod(text, NULL);
    return isfinite(*ret);
}

// Joins one condition with what is known of the parameter. Returns false when nothing is left.
static bool
narrow(struct agc_param *p, const struct agc_node *c)
{
    const struct agc_node *v = c->kid[0];
    double x;
    bool is_string = c->kind == AGC_PARAM_EQ && v->kind == AGC_STRING;
    if (is_string) {
        if (p->is_number || (p->is_string && !ag_str_eq(p->text, v->text)))
            return false;
        p->is_string = true;
        p->text = v->text;
        return true;
    }
    bool is_order = c->kind >= AGC_PARAM_EQ && c->kind <= AGC_PARAM_LTE;
    if (!is_order || !number_of(v, &x)) {
        p->is_opaque = true;
        return true;
    }
    if (p->is_string)
        return false;
    if (!p->is_number) {
        p->is_number = true;
        p->lo = -INFINITY;
        p->hi = INFINITY;
    }
    bool is_low = c->kind == AGC_PARAM_EQ || c->kind == AGC_PARAM_GT || c->kind == AGC_PARAM_GTE;
    bool is_high = c->kind == AGC_PARAM_EQ || c->kind == AGC_PARAM_LT || c->kind == AGC_PARAM_LTE;
    if (is_low && (x > p->lo || (x == p->lo && c->kind == AGC_PARAM_GT))) {
        p->lo = x;
        p->lo_open = c->kind == AGC_PARAM_GT;
    }
    if (is_high && (x < p->hi || (x == p->hi && c->kind == AGC_PARAM_LT))) {
        p->hi = x;
        p->hi_open = c->kind == AGC_PARAM_LT;
    }
    return p->lo < p->hi || (p->lo == p->hi && !p->lo_open && !p->hi_open);
}

bool
agc_param_covers(const struct agc_param *a, const struct agc_param *b)
{
    if (a->is_opaque)
        return false;
    if (a->is_string)
        return b->is_string && ag_str_eq(a->text, b->text);
    if (!a->is_number)
        return true; // only presence
    if (!b->is_number)
        return false;
    bool low = a->lo < b->lo || (a->lo == b->lo && (!a->lo_open || b->lo_open));
    bool high = a->hi > b->hi || (a->hi == b->hi && (!a->hi_open || b->hi_open));
    return low && high;
}

static bool
param_meets(const struct agc_param *a, const struct agc_param *b)
{
    if (a->is_string && b->is_string)
        return ag_str_eq(a->text, b->text);
    if ((a->is_string && b->is_number) || (a->is_number && b->is_string))
        return false;
    if (!a->is_number || !b->is_number)
        return true;
    const struct agc_param *low = a->lo > b->lo || (a->lo == b->lo && a->lo_open) ? a : b;
    const struct agc_param *high = a->hi < b->hi || (a->hi == b->hi && a->hi_open) ? a : b;
    return low->lo < high->hi || (low->lo == high->hi && !low->lo_open && !high->hi_open);
}

const struct agc_param *
agc_region_param(const struct agc_region *r, struct ag_str name)
{
    for (uint32_t i = 0; i < r->nparams; i++)
        if (ag_str_eq(r->param[i].name, name))
            return &r->param[i];
    return NULL;
}

// --- regions

static struct agc_param *
param_slot(struct agc_region *r, struct agc_param *list, const struct agc_node *c)
{
    for (uint32_t i = 0; i < r->nparams; i++)
        if (ag_str_eq(list[i].name, c->text))
            return &list[i];
    list[r->nparams] = (struct agc_param){.name = c->text, .span = c->span};
    return &list[r->nparams++];
}

struct agc_region
agc_region_of(struct agc_arena *a, const struct agc_rule *rule, const struct agc_node **ret_empty_at)
{
    struct agc_region r = {.zone = AG_NONE};
    struct agc_week *week = NULL;
    if (ret_empty_at)
        *ret_empty_at = NULL;
    for (int i = 0; i < AG_ATTRS; i++)
        if (rule->match[i].text.p)
            r.attr[i] = agc_glob_parse(a, rule->match[i].text);
    uint32_t n = rule->body ? rule->body->n : 0;
    struct agc_param *params = n ? agc_alloc(a, n * sizeof *params) : NULL;
    for (uint32_t i = 0; i < n; i++) {
        const struct agc_node *c = rule->body->kid[i];
        if (c->kind >= AGC_PARAM_EQ && c->kind <= AGC_PARAM_MATCHES) {
            struct agc_param *p = param_slot(&r, params, c);
            r.is_never |= !narrow(p, c);
            r.is_upper |= p->is_opaque;
        } else if (c->kind == AGC_WINDOW && (!week || r.zone == c->window.zone)) {
            struct agc_week *now = agc_alloc(a, sizeof *now);
            agc_week_add(now, &c->window);
            for (uint32_t k = 0; week && k < AGC_WEEK_WORDS; k++)
                now->w[k] &= week->w[k];
            week = now;
            r.zone = c->window.zone;
            if (agc_week_is_empty(week)) {
                if (ret_empty_at && !*ret_empty_at)
                    *ret_empty_at = c;
                r.is_never = true;
            }
        } else if (c->kind == AGC_FALSE_LIT) {
            r.is_never = true;
        } else {
            r.is_upper = true;
        }
    }
    r.is_upper |= rule->when != NULL;
    r.week = week;
    r.param = params;
    return r;
}

enum agc_answer
agc_region_covers_but_time(const struct agc_region *a, const struct agc_region *b)
{
    for (int i = 0; i < AG_ATTRS; i++)
        if (!agc_glob_covers(a->attr[i], b->attr[i]))
            return AGC_NO;
    for (uint32_t i = 0; i < a->nparams; i++) {
        const struct agc_param *p = agc_region_param(b, a->param[i].name);
        if (!p || !agc_param_covers(&a->param[i], p))
            return a->param[i].is_opaque ? AGC_UNKNOWN : AGC_NO;
    }
    return a->is_upper ? AGC_UNKNOWN : a->is_never ? AGC_NO : AGC_YES;
}

enum agc_answer
agc_region_covers(const struct agc_region *a, const struct agc_region *b)
{
    enum agc_answer r = agc_region_covers_but_time(a, b);
    if (r == AGC_NO || !a->week)
        return r;
    if (!b->week || a->zone != b->zone)
        return b->week ? AGC_UNKNOWN : AGC_NO;
    return agc_week_covers(a->week, b->week) ? r : AGC_NO;
}

enum agc_answer
agc_region_meets(struct agc_arena *arena, const struct agc_region *a, const struct agc_region *b)
{
    if (a->is_never || b->is_never)
        return AGC_NO;
    for (uint32_t i = 0; i < a->nparams; i++) {
        const struct agc_param *p = agc_region_param(b, a->param[i].name);
        if (p && !param_meets(&a->param[i], p))
            return AGC_NO;
    }
    if (a->week && b->week && a->zone == b->zone) {
        bool meets = false;
        for (uint32_t i = 0; i < AGC_WEEK_WORDS; i++)
            meets |= (a->week->w[i] & b->week->w[i]) != 0;
        if (!meets)
            return AGC_NO;
    }
    for (int i = 0; i < AG_ATTRS; i++)
        if (!agc_glob_meets(arena, a->attr[i], b->attr[i]))
            return AGC_NO;
    bool is_exact = !a->is_upper && !b->is_upper && !(a->week && b->week && a->zone != b->zone);
    return is_exact ? AGC_YES : AGC_UNKNOWN;
}

struct ag_str
agc_region_sample(struct agc_arena *a, const struct agc_region *r)
{
    char text[400];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    struct ag_str type = agc_glob_sample(a, r->attr[AG_ATTR_TYPE]),
                  target = agc_glob_sample(a, r->attr[AG_ATTR_TARGET]);
    ag_buf_str(&b, type.n ? type : AG_STR("any"));
    if (target.n) {
        ag_buf_char(&b, ':');
        ag_buf_str(&b, target);
    }
    for (uint32_t i = 0; i < r->nparams; i++) {
        const struct agc_param *p = &r->param[i];
        ag_buf_str(&b, i ? AG_STR(", ") : AG_STR(" with "));
        ag_buf_str(&b, p->name);
        ag_buf_char(&b, ' ');
        if (p->is_string) {
            ag_buf_json_str(&b, p->text);
        } else if (p->is_number) {
            double v = isfinite(p->lo) && isfinite(p->hi) ? p->lo + (p->hi - p->lo) / (p->lo_open ? 2 : 1)
                       : isfinite(p->lo)                  ? p->lo + (p->lo_open ? 1 : 0)
                       : isfinite(p->hi)                  ? p->hi - (p->hi_open ? 1 : 0)
                                                          : 0;
            if (isfinite(p->lo) && !p->lo_open)
                v = p->lo;
            char num[40];
            int n = snprintf(num, sizeof num, "%.15g", v);
            ag_buf_put(&b, num, (size_t)n);
        } else {
            ag_buf_lit(&b, "given");
        }
    }
    for (uint32_t m = 0; r->week && m < AGC_WEEK_MINUTES; m++)
        if (agc_week_has(r->week, m)) {
            ag_buf_lit(&b, ", ");
            put_moment(&b, m, false);
            break;
        }
    return agc_strdup(a, ag_str_of(b.p, b.n));
}
