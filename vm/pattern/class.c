// SPDX-License-Identifier: Apache-2.0
// Character classes: sets of code points as sorted ranges, with the named classes and case folding of
// Unicode. In: single ranges and names from the parser. Out: sorted ranges that do not touch, left in the
// compile arena. The builder owns the end of the arena while it is open. Tables: unicode.def. Next: nfa.c
// turns the ranges into byte ranges.
#include "ast.h"

#define CP_MAX          0x10FFFFu
#define AG_UNI_EVEN_ODD 0x200000 // even -> +1, odd -> -1
#define AG_UNI_ODD_EVEN 0x200001 // odd -> +1, even -> -1

static const struct cp_range uni_ranges[] = {
#define AG_UNI_RANGE(lo, hi) {lo, hi},
#include "unicode.def"
};

static const struct uni_group {
    const char *name;
    uint16_t first, n;
} uni_groups[] = {
#define AG_UNI_GROUP(name, first, n) {name, first, n},
#include "unicode.def"
};

static const struct uni_fold {
    uint32_t lo, hi;
    int32_t delta;
} uni_folds[] = {
#define AG_UNI_FOLD(lo, hi, delta) {lo, hi, delta},
#include "unicode.def"
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
push(struct class_build *b, uint32_t lo, uint32_t hi)
{
    struct cp_range *r = pattern_alloc(b->c, sizeof(*r), 4);
    if (!r)
        return;
    *r = (struct cp_range){lo, hi};
    b->n++;
}

// Shell sort by lo, then merges what overlaps or touches; works on r[from .. n).
static void
tidy(struct class_build *b, uint32_t from)
{
    struct cp_range *r = b->r + from;
    uint32_t n = b->n - from;
    for (uint32_t gap = n / 2; gap; gap /= 2) {
        for (uint32_t i = gap; i < n; i++) {
            struct cp_range x = r[i];
            uint32_t j = i;
            for (; j >= gap && r[j - gap].lo > x.lo; j -= gap)
                r[j] = r[j - gap];
            r[j] = x;
        }
    }
    uint32_t out = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (out && r[i].lo <= r[out - 1].hi + 1) {
            if (r[i].hi > r[out - 1].hi)
                r[out - 1].hi = r[i].hi;
        } else {
            r[out++] = r[i];
        }
    }
    b->n = from + out;
    ag_arena_reset(b->c->arena, (size_t)((uint8_t *)(b->r + b->n) - b->c->arena->base));
}

static void
fold_range(struct class_build *b, struct cp_range x)
{
    size_t lo = 0, hi = COUNT(uni_folds);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (uni_folds[mid].hi < x.lo)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < COUNT(uni_folds) && uni_folds[lo].lo <= x.hi; lo++) {
        const struct uni_fold *f = &uni_folds[lo];
        uint32_t from = x.lo > f->lo ? x.lo : f->lo, to = x.hi < f->hi ? x.hi : f->hi;
        if (f->delta == AG_UNI_EVEN_ODD)
            push(b, from & ~1u, to | 1u);
        else if (f->delta == AG_UNI_ODD_EVEN)
            push(b, ((from + 1) & ~1u) - 1, (to + 1) & ~1u);
        else
            push(b, (uint32_t)((int32_t)from + f->delta), (uint32_t)((int32_t)to + f->delta));
    }
}

// Closes r[from .. n) under case folding: the table maps each code point to the next of its orbit, and orbits
// have at most four members, so three rounds reach everything.
static void
fold(struct class_build *b, uint32_t from)
{
    for (int round = 0; round < 3; round++) {
        tidy(b, from);
        uint32_t n = b->n;
        for (uint32_t i = from; i < n && b->c->status == AG_PATTERN_YES; i++)
            fold_range(b, b->r[i]);
    }
}

static void
negate(struct class_build *b, uint32_t from)
{
    tidy(b, from);
    uint32_t n = b->n, out = from, next = 0;
    for (uint32_t i = from; i < n; i++) {
        struct cp_range x = b->r[i];
        if (x.lo > next)
            b->r[out++] = (struct cp_range){next, x.lo - 1};
        next = x.hi + 1;
    }
    b->n = out;
    ag_arena_reset(b->c->arena, (size_t)((uint8_t *)(b->r + b->n) - b->c->arena->base));
    if (next <= CP_MAX)
        push(b, next, CP_MAX);
}

// Ends one item that began at r[from].
static void
finish(struct class_build *b, uint32_t from, bool is_negated)
{
    if (b->is_fold)
        fold(b, from);
    if (is_negated)
        negate(b, from);
}

void
class_init(struct class_build *b, struct pattern_compile *c, bool is_fold)
{
    *b = (struct class_build){.c = c, .is_fold = is_fold};
    b->r = pattern_alloc(c, 0, 8);
}

void
class_add(struct class_build *b, uint32_t lo, uint32_t hi)
{
    class_add_set(b, &(struct cp_range){lo, hi}, 1, false);
}

void
class_add_set(struct class_build *b, const struct cp_range *r, size_t n, bool is_negated)
{
    uint32_t from = b->n;
    for (size_t i = 0; i < n; i++)
        push(b, r[i].lo, r[i].hi);
    finish(b, from, is_negated);
}

bool
class_add_unicode(struct class_build *b, struct ag_str name, bool is_negated)
{
    static const struct cp_range any = {0, CP_MAX};
    if (ag_str_is(name, "Any")) {
        class_add_set(b, &any, 1, is_negated);
        return true;
    }
    uint32_t from = b->n;
    bool is_found = false;
    for (size_t i = 0; i < COUNT(uni_groups); i++) {
        const struct uni_group *g = &uni_groups[i];
        bool is_part = name.n == 1 && strchr("CLMNPSZ", name.p[0]) && g->name[0] == name.p[0] && !g->name[2];
        if (!is_part && !ag_str_is(name, g->name))
            continue;
        is_found = true;
        for (size_t k = 0; k < g->n; k++)
            push(b, uni_ranges[g->first + k].lo, uni_ranges[g->first + k].hi);
    }
    if (is_found)
        finish(b, from, is_negated);
    return is_found;
}

bool
ag_pattern_is_letter_or_digit(uint32_t cp)
{
    for (size_t i = 0; i < COUNT(uni_groups); i++) {
        const struct uni_group *g = &uni_groups[i];
        bool is_letter = g->name[0] == 'L' && g->name[1] && !g->name[2];
        if (!is_letter && strcmp(g->name, "Nd") != 0)
            continue;
        for (size_t k = 0; k < g->n; k++)
            if (cp >= uni_ranges[g->first + k].lo && cp <= uni_ranges[g->first + k].hi)
                return true;
    }
    return false;
}

// ASCII classes: name as in [:name:], or one letter of \d \s \w.
static const struct {
    const char *name;
    uint8_t n;
    struct cp_range r[4];
} ascii_classes[] = {
    {"d", 1, {{'0', '9'}}},
    {"s", 3, {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}},
    {"w", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
    {"alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
    {"ascii", 1, {{0, 0x7F}}},
    {"blank", 2, {{'\t', '\t'}, {' ', ' '}}},
    {"cntrl", 2, {{0, 0x1F}, {0x7F, 0x7F}}},
    {"digit", 1, {{'0', '9'}}},
    {"graph", 1, {{'!', '~'}}},
    {"lower", 1, {{'a', 'z'}}},
    {"print", 1, {{' ', '~'}}},
    {"punct", 4, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
    {"space", 2, {{'\t', '\r'}, {' ', ' '}}},
    {"upper", 1, {{'A', 'Z'}}},
    {"word", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"xdigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

static bool
add_ascii(struct class_build *b, struct ag_str name, bool is_negated)
{
    for (size_t i = 0; i < COUNT(ascii_classes); i++) {
        if (!ag_str_is(name, ascii_classes[i].name))
            continue;
        class_add_set(b, ascii_classes[i].r, ascii_classes[i].n, is_negated);
        return true;
    }
    return false;
}

bool
class_add_perl(struct class_build *b, char letter)
{
    char lower = (char)(letter | 0x20);
    if (lower != 'd' && lower != 's' && lower != 'w')
        return false;
    return add_ascii(b, ag_str_of(&lower, 1), letter != lower);
}

bool
class_add_posix(struct class_build *b, struct ag_str name, bool is_negated)
{
    return name.n > 1 && add_ascii(b, name, is_negated);
}

static void
drop_surrogates(struct class_build *b)
{
    uint32_t n = b->n, out = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct cp_range x = b->r[i];
        if (x.lo < SURROGATE_MIN && x.hi > SURROGATE_MAX)
            push(b, SURROGATE_MAX + 1, x.hi);
        if (x.lo < SURROGATE_MIN && x.hi >= SURROGATE_MIN)
            x.hi = SURROGATE_MIN - 1;
        if (x.lo >= SURROGATE_MIN && x.lo <= SURROGATE_MAX)
            x.lo = SURROGATE_MAX + 1;
        if (x.lo <= x.hi)
            b->r[out++] = x;
    }
    for (uint32_t i = n; i < b->n; i++)
        b->r[out++] = b->r[i];
    b->n = out;
    tidy(b, 0);
}

const struct cp_range *
class_done(struct class_build *b, bool is_negated, uint32_t *ret_n)
{
    if (is_negated)
        negate(b, 0);
    else
        tidy(b, 0);
    drop_surrogates(b);
    pattern_pay(b->c, b->n);
    *ret_n = b->n;
    return b->r;
}
