// SPDX-License-Identifier: Apache-2.0
// First step of a pattern: RE2 text to a tree (https://github.com/google/re2/wiki/Syntax, Perl-like flags).
// In: UTF-8 text. Out: `struct ast` in the compile arena, or a refusal with the byte offset.
// Recursion is one level per group, at most AG_PATTERN_DEPTH_MAX. What linear time cannot do
// (back-references, look-around) is refused by name. Next: nfa.c.
#include "ast.h"
#include "utf8.h"

#define HEIGHT_MAX                                                                                           \
    (4 * AG_PATTERN_DEPTH_MAX) // a group adds alternation, concatenation, repetition and itself

enum parse_flags {
    FLAG_FOLD = 1,   // i
    FLAG_MULTI = 2,  // m
    FLAG_DOT_NL = 4, // s
    FLAG_LAZY = 8,   // U
};

struct parser {
    struct pattern_compile *c;
    const char *p; // text
    size_t n, at;
    unsigned flags;
    uint32_t depth;
};

static const struct cp_range range_any[] = {{0, SURROGATE_MIN - 1}, {SURROGATE_MAX + 1, 0x10FFFF}};
static const struct cp_range range_not_nl[] = {
    {0, '\n' - 1}, {'\n' + 1, SURROGATE_MIN - 1}, {SURROGATE_MAX + 1, 0x10FFFF}};

static bool
is_ok(const struct parser *s)
{
    return s->c->status == AG_PATTERN_YES;
}

static bool
looking_at(const struct parser *s, const char *z)
{
    size_t n = strlen(z);
    return s->n - s->at >= n && memcmp(s->p + s->at, z, n) == 0;
}

// The byte `ahead` bytes from here, or 0 past the end (a real NUL is not syntax anywhere).
static char
peek(const struct parser *s, size_t ahead)
{
    return s->n - s->at > ahead ? s->p[s->at + ahead] : '\0';
}

static uint32_t
next_cp(struct parser *s)
{
    uint32_t cp = 0;
    s->at += ag_utf8_decode((const uint8_t *)s->p + s->at, s->n - s->at, &cp);
    return cp;
}

static struct ast *
node(struct parser *s, enum ast_kind kind, struct ast *child)
{
    struct ast *a = pattern_alloc(s->c, sizeof(*a), 8);
    if (!a)
        return NULL;
    *a = (struct ast){.kind = kind, .child = child, .repeat = 1, .height = 1};
    a->is_nullable = kind == AST_EMPTY || kind == AST_FACT || kind == AST_CAT;
    for (; child; child = child->next) {
        a->is_nullable =
            kind == AST_CAT ? a->is_nullable && child->is_nullable : a->is_nullable || child->is_nullable;
        a->repeat = child->repeat > a->repeat ? child->repeat : a->repeat;
        a->height = child->height >= a->height ? child->height + 1 : a->height;
    }
    if (a->height > HEIGHT_MAX)
        pattern_refuse(s->c, s->at, "nested too deeply");
    return a;
}

static struct ast *
node_class(struct parser *s, const struct cp_range *r, uint32_t n)
{
    struct ast *a = node(s, AST_CLASS, NULL);
    if (a) {
        a->ranges = r;
        a->n_range = n;
    }
    return a;
}

static struct ast *
node_literal(struct parser *s, uint32_t cp)
{
    if (s->flags & FLAG_FOLD) {
        struct class_build b;
        class_init(&b, s->c, true);
        class_add(&b, cp, cp);
        uint32_t n;
        const struct cp_range *r = class_done(&b, false, &n);
        return node_class(s, r, n);
    }
    struct ast *a =
        node_class(s, NULL, cp < SURROGATE_MIN || cp > SURROGATE_MAX); // a surrogate is in no text
    if (a) {
        a->one = (struct cp_range){cp, cp};
        a->ranges = &a->one;
    }
    return a;
}

static struct ast *
node_fact(struct parser *s, uint32_t fact)
{
    struct ast *a = node(s, AST_FACT, NULL);
    if (a)
        a->fact = fact;
    return a;
}

static int
hex_value(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    char low = (char)(ch | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// After `\x`: two hex digits or {hex digits}.
static uint32_t
escape_hex(struct parser *s, size_t begin)
{
    uint32_t cp = 0;
    int digits = 0;
    bool is_braced = peek(s, 0) == '{';
    s->at += is_braced;
    while (hex_value(peek(s, 0)) >= 0 && (is_braced || digits < 2) && cp <= 0x10FFFF) {
        cp = cp * 16 + (uint32_t)hex_value(peek(s, 0));
        s->at++;
        digits++;
    }
    bool is_closed = is_braced ? digits > 0 && peek(s, 0) == '}' : digits == 2;
    s->at += is_braced && is_closed;
    if (!is_closed || cp > 0x10FFFF)
        pattern_refuse(s->c, begin, "bad \\x escape: write \\x41 or \\x{41}, at most \\x{10FFFF}");
    return cp;
}

static uint32_t
escape_octal(struct parser *s, char first)
{
    uint32_t cp = (uint32_t)(first - '0');
    for (int i = 0; i < 2 && peek(s, 0) >= '0' && peek(s, 0) <= '7'; i++)
        cp = cp * 8 + (uint32_t)(s->p[s->at++] - '0');
    return cp;
}

// One escape that stands for a code point; `\` is at s->at.
static uint32_t
escape(struct parser *s)
{
    size_t begin = s->at++;
    if (s->at == s->n) {
        pattern_refuse(s->c, begin, "trailing \\: write \\\\ for a backslash");
        return 0;
    }
    uint32_t cp = next_cp(s);
    switch (cp) {
    case 'a': return '\a';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case 'x': return escape_hex(s, begin);
    case '0': return escape_octal(s, '0');
    default: break;
    }
    if (cp >= '1' && cp <= '9') {
        if (cp <= '7' && peek(s, 0) >= '0' && peek(s, 0) <= '7')
            return escape_octal(s, (char)cp);
        pattern_refuse(s->c, begin, "back-references are not supported: linear time cannot match them");
    } else if (cp < 0x80 && (!is_word_byte(cp) || cp == '_')) {
        return cp;
    } else if (cp == 'C') {
        pattern_refuse(s->c, begin, "\\C is not supported: it would split a character into bytes");
    } else {
        pattern_refuse_with(s->c, begin, "unknown escape ", ag_str_of(s->p + begin, s->at - begin));
    }
    return 0;
}

// `\pN`, `\p{Name}`, `\p{^Name}`, `\P...`; the backslash is at s->at.
static void
unicode_class(struct parser *s, struct class_build *b)
{
    size_t begin = s->at;
    bool is_negated = s->p[begin + 1] == 'P';
    struct ag_str name = {NULL, 0};
    s->at += 2;
    if (peek(s, 0) == '{') {
        const char *from = s->p + s->at + 1;
        const char *close = memchr(from, '}', s->n - s->at - 1);
        if (close) {
            name = ag_str_of(from, (size_t)(close - from));
            s->at += name.n + 2;
        }
    } else if (s->at < s->n) {
        const char *from = s->p + s->at;
        next_cp(s);
        name = ag_str_of(from, (size_t)(s->p + s->at - from));
    }
    if (name.n && name.p[0] == '^') {
        is_negated = !is_negated;
        name = ag_str_of(name.p + 1, name.n - 1);
    }
    if (!name.n)
        pattern_refuse(s->c, begin, "bad Unicode class: write \\pL or \\p{Greek}");
    else if (!class_add_unicode(b, name, is_negated))
        pattern_refuse_with(s->c, begin, "unknown Unicode category or script ", name);
}

// A named class at s->at, in or outside brackets; false when there is none here.
static bool
named_class(struct parser *s, struct class_build *b)
{
    char letter = peek(s, 1);
    if (peek(s, 0) != '\\')
        return false;
    if (letter == 'p' || letter == 'P') {
        unicode_class(s, b);
        return true;
    }
    if (!class_add_perl(b, letter))
        return false;
    s->at += 2;
    return true;
}

// `[:name:]` inside brackets; false when it is not one.
static bool
posix_class(struct parser *s, struct class_build *b)
{
    if (!looking_at(s, "[:"))
        return false;
    const char *from = s->p + s->at + 2;
    const char *end = memmem(from, s->n - s->at - 2, ":]", 2);
    if (!end)
        return false;
    struct ag_str name = ag_str_of(from, (size_t)(end - from));
    bool is_negated = name.n && name.p[0] == '^';
    if (!class_add_posix(b, ag_str_of(name.p + is_negated, name.n - is_negated), is_negated))
        pattern_refuse_with(s->c, s->at, "unknown character class name ", name);
    s->at += name.n + 4;
    return true;
}

static uint32_t
class_char(struct parser *s)
{
    return peek(s, 0) == '\\' ? escape(s) : next_cp(s);
}

// `[...]`; the bracket is at s->at.
static struct ast *
bracket(struct parser *s)
{
    struct class_build b;
    size_t begin = s->at++;
    class_init(&b, s->c, s->flags & FLAG_FOLD);
    bool is_negated = peek(s, 0) == '^';
    s->at += is_negated;
    for (bool is_first = true; is_ok(s) && (is_first || peek(s, 0) != ']'); is_first = false) {
        if (s->at >= s->n) {
            pattern_refuse(s->c, begin, "missing ] after [");
            break;
        }
        if (posix_class(s, &b) || named_class(s, &b))
            continue;
        size_t item = s->at;
        uint32_t lo = class_char(s), hi = lo;
        if (peek(s, 0) == '-' && s->n - s->at >= 2 && peek(s, 1) != ']') {
            s->at++;
            hi = class_char(s);
        }
        if (is_ok(s) && hi < lo)
            pattern_refuse_with(s->c, item,
                                "character range is backwards: ", ag_str_of(s->p + item, s->at - item));
        else if (is_ok(s))
            class_add(&b, lo, hi);
    }
    if (!is_ok(s))
        return NULL;
    s->at++;
    uint32_t n;
    const struct cp_range *r = class_done(&b, is_negated, &n);
    return node_class(s, r, n);
}

// Reads digits at s->p[*at]; false when there are none or the number has a leading zero. Stops counting past
// 1000.
static bool
repeat_number(const struct parser *s, size_t *at, uint32_t *ret)
{
    size_t i = *at;
    uint32_t v = 0;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++)
        v = v > AG_PATTERN_REPEAT_MAX ? v : v * 10 + (uint32_t)(s->p[i] - '0');
    if (i == *at || (s->p[*at] == '0' && i - *at > 1))
        return false;
    *at = i;
    *ret = v;
    return true;
}

// `{n}` `{n,}` `{n,m}` at s->at; false (nothing read) when it is plain text.
static bool
repeat_braces(struct parser *s, uint32_t *min, uint32_t *max)
{
    size_t at = s->at + 1;
    if (!repeat_number(s, &at, min))
        return false;
    *max = *min;
    if (at < s->n && s->p[at] == ',') {
        at++;
        if (at < s->n && s->p[at] == '}')
            *max = AST_UNBOUNDED;
        else if (!repeat_number(s, &at, max))
            return false;
    }
    if (at >= s->n || s->p[at] != '}')
        return false;
    s->at = at + 1;
    return true;
}

// A repetition operator at s->at, applied to *last; false when there is none here.
static bool
repetition(struct parser *s, struct ast **last, size_t *last_repeat)
{
    size_t begin = s->at;
    uint32_t min = peek(s, 0) == '+', max = peek(s, 0) == '?' ? 1 : AST_UNBOUNDED;
    if (peek(s, 0) == '*' || peek(s, 0) == '+' || peek(s, 0) == '?')
        s->at++;
    else if (peek(s, 0) != '{' || !repeat_braces(s, &min, &max))
        return false;
    bool is_lazy = peek(s, 0) == '?';
    s->at += is_lazy;
    struct ag_str text = ag_str_of(s->p + begin, s->at - begin);
    if (min > AG_PATTERN_REPEAT_MAX || (max != AST_UNBOUNDED && (max > AG_PATTERN_REPEAT_MAX || max < min))) {
        pattern_refuse_with(s->c, begin, "repeat count must rise and be at most 1000: ", text);
    } else if (!*last) {
        pattern_refuse_with(s->c, begin, "nothing to repeat before ", text);
    } else if (*last_repeat == begin) {
        pattern_refuse_with(s->c, begin,
                            "repetition of a repetition (group it, possessive is not supported): ", text);
    } else {
        struct ast *a = node(s, AST_REPEAT, *last);
        if (!a)
            return true;
        uint32_t times = max == AST_UNBOUNDED ? min : max;
        a->is_lazy = is_lazy != !!(s->flags & FLAG_LAZY);
        a->is_nullable |= min == 0;
        a->min = min;
        a->max = max;
        a->repeat *= times ? times : 1;
        if (a->repeat > AG_PATTERN_REPEAT_MAX)
            pattern_refuse_with(s->c, begin, "nested repeats multiply to more than 1000 at ", text);
        *last = a;
        *last_repeat = s->at;
    }
    return true;
}

static struct ast *alternation(struct parser *s);

// The name of (?P<name> or (?<name>; s->at is after the `<`.
static void
group_name(struct parser *s, uint32_t group)
{
    size_t begin = s->at;
    while (s->at < s->n && is_word_byte((uint8_t)s->p[s->at]))
        s->at++;
    struct ag_str name = ag_str_of(s->p + begin, s->at - begin);
    if (!name.n || peek(s, 0) != '>') {
        pattern_refuse(s->c, begin, "bad group name: letters, digits and _, closed by >");
        return;
    }
    s->at++;
    for (const struct ast_name *k = s->c->names; k; k = k->next) {
        if (ag_str_eq(k->name, name)) {
            pattern_refuse_with(s->c, begin, "group name used twice: ", name);
            return;
        }
    }
    struct ast_name *k = pattern_alloc(s->c, sizeof(*k), 8);
    if (!k)
        return;
    *k = (struct ast_name){name, group, NULL};
    *s->c->names_end = k;
    s->c->names_end = &k->next;
}

// Constructs of other engines that start with `(?`, refused by name.
static const struct {
    const char *text, *why;
} foreign_groups[] = {
    {"(?=", "look-ahead (?= is not supported: linear time cannot match it"},
    {"(?!", "negative look-ahead (?! is not supported: linear time cannot match it"},
    {"(?<=", "look-behind (?<= is not supported: linear time cannot match it"},
    {"(?<!", "negative look-behind (?<! is not supported: linear time cannot match it"},
    {"(?P=", "back-reference (?P= is not supported: linear time cannot match it"},
    {"(?P>", "recursion (?P> is not supported"},
    {"(?>", "atomic group (?> is not supported"},
    {"(?|", "branch reset (?| is not supported"},
    {"(?(", "conditional (?( is not supported"},
    {"(?#", "comment (?# is not supported"},
};

// `(?flags)` or the head of `(?flags:`; s->at is after the `?`. Returns the byte that ended it.
static char
group_flags(struct parser *s, size_t begin)
{
    unsigned flags = s->flags;
    bool is_off = false, is_seen = false;
    for (; s->at < s->n; s->at++) {
        unsigned bit = 0;
        char ch = s->p[s->at];
        switch (ch) {
        case 'i': bit = FLAG_FOLD; break;
        case 'm': bit = FLAG_MULTI; break;
        case 's': bit = FLAG_DOT_NL; break;
        case 'U': bit = FLAG_LAZY; break;
        default: break;
        }
        if (bit) {
            flags = is_off ? flags & ~bit : flags | bit;
            is_seen = true;
        } else if (ch == '-' && !is_off) {
            is_off = true;
            is_seen = false;
        } else if ((ch == ':' || ch == ')') && (!is_off || is_seen)) {
            s->flags = flags;
            s->at++;
            return ch;
        } else {
            break;
        }
    }
    size_t end = s->at < s->n ? s->at + 1 : s->at;
    pattern_refuse_with(s->c, begin,
                        "unknown group or flag (known: i m s U): ", ag_str_of(s->p + begin, end - begin));
    return '\0';
}

// `(`...`)` at s->at. NULL without a refusal for `(?flags)`.
static struct ast *
group(struct parser *s)
{
    size_t begin = s->at;
    unsigned flags = s->flags;
    uint32_t ix = 0;
    for (size_t i = 0; i < sizeof(foreign_groups) / sizeof(foreign_groups[0]); i++) {
        if (looking_at(s, foreign_groups[i].text)) {
            pattern_refuse(s->c, begin, foreign_groups[i].why);
            return NULL;
        }
    }
    bool is_named = looking_at(s, "(?P<") || looking_at(s, "(?<");
    if (is_named || !looking_at(s, "(?")) {
        ix = s->c->n_group++;
        if (ix >= AG_PATTERN_GROUP_MAX)
            pattern_refuse(s->c, begin, "more than 999 groups: use (?:...) where no capture is needed");
        s->at += !is_named ? 1 : peek(s, 2) == 'P' ? 4 : 3;
        if (is_named)
            group_name(s, ix);
    } else {
        s->at += 2;
        if (group_flags(s, begin) == ')')
            return NULL;
    }
    if (is_ok(s) && ++s->depth > AG_PATTERN_DEPTH_MAX)
        pattern_refuse(s->c, begin, "groups nested more than 250 deep");
    if (!is_ok(s))
        return NULL;
    struct ast *a = alternation(s);
    if (!is_ok(s))
        return NULL;
    if (peek(s, 0) != ')') {
        pattern_refuse(s->c, begin, "missing ) for this (");
        return NULL;
    }
    s->at++;
    s->depth--;
    s->flags = flags;
    struct ast *g = ix ? node(s, AST_GROUP, a) : a;
    if (g && ix)
        g->group = ix;
    return g;
}

// The facts that an escape letter stands for, or 0.
static uint32_t
escape_fact(char letter)
{
    switch (letter) {
    case 'A': return FACT_TEXT_START;
    case 'z': return FACT_TEXT_END;
    case 'b': return FACT_WORD;
    case 'B': return FACT_NOT_WORD;
    default: return 0;
    }
}

static struct ast *
escaped_atom(struct parser *s)
{
    uint32_t fact = escape_fact(peek(s, 1));
    if (fact) {
        s->at += 2;
        return node_fact(s, fact);
    }
    struct class_build b;
    class_init(&b, s->c, s->flags & FLAG_FOLD);
    if (named_class(s, &b)) {
        uint32_t n;
        const struct cp_range *r = class_done(&b, false, &n);
        return node_class(s, r, n);
    }
    if (looking_at(s, "\\Z"))
        pattern_refuse(s->c, s->at, "\\Z is not supported: write \\z, or \\n?\\z");
    if (looking_at(s, "\\G") || looking_at(s, "\\k"))
        pattern_refuse_with(s->c, s->at, "not supported: ", ag_str_of(s->p + s->at, 2));
    uint32_t cp = escape(s);
    return is_ok(s) ? node_literal(s, cp) : NULL;
}

// One piece that is not a group, a repetition or \Q.
static struct ast *
atom(struct parser *s)
{
    bool is_multi = s->flags & FLAG_MULTI;
    switch (peek(s, 0)) {
    case '[': return bracket(s);
    case '\\': return escaped_atom(s);
    case '.':
        s->at++;
        return s->flags & FLAG_DOT_NL ? node_class(s, range_any, 2) : node_class(s, range_not_nl, 3);
    case '^': s->at++; return node_fact(s, is_multi ? FACT_LINE_START : FACT_TEXT_START);
    case '$': s->at++; return node_fact(s, is_multi ? FACT_LINE_END : FACT_TEXT_END);
    default: return node_literal(s, next_cp(s));
    }
}

// Turns a list of siblings round.
static struct ast *
turned(struct ast *list)
{
    struct ast *out = NULL;
    while (list) {
        struct ast *next = list->next;
        list->next = out;
        out = list;
        list = next;
    }
    return out;
}

static struct ast *
concatenation(struct parser *s)
{
    struct ast *first = NULL, **end = &first; // *end is the last piece, once there is one
    size_t last_repeat = SIZE_MAX;            // where the last repetition operator ended
    bool is_quoted = false;                   // between \Q and \E
    while (is_ok(s) && s->at < s->n) {
        if (is_quoted && looking_at(s, "\\E")) {
            is_quoted = false;
            s->at += 2;
            continue;
        }
        if (!is_quoted) {
            if (peek(s, 0) == '|' || peek(s, 0) == ')')
                break;
            if (looking_at(s, "\\Q")) {
                is_quoted = true;
                s->at += 2;
                continue;
            }
            if (repetition(s, end, &last_repeat))
                continue;
        }
        struct ast *a = is_quoted ? node_literal(s, next_cp(s)) : peek(s, 0) == '(' ? group(s) : atom(s);
        if (!a)
            continue;
        if (*end)
            end = &(*end)->next;
        *end = a;
    }
    if (!is_ok(s))
        return NULL;
    return first && !first->next ? first : node(s, first ? AST_CAT : AST_EMPTY, turned(first));
}

static struct ast *
alternation(struct parser *s)
{
    struct ast *first = concatenation(s), *last = first;
    while (is_ok(s) && peek(s, 0) == '|') {
        s->at++;
        last->next = concatenation(s);
        last = last->next;
    }
    if (!is_ok(s))
        return NULL;
    return first->next ? node(s, AST_ALT, turned(first)) : first;
}

struct ast *
pattern_parse(struct pattern_compile *c)
{
    struct parser s = {.c = c, .p = c->text.p, .n = c->text.n};
    if (c->text.n > AG_PATTERN_TEXT_MAX) {
        pattern_refuse(c, AG_PATTERN_TEXT_MAX, "pattern is longer than 32768 bytes");
        return NULL;
    }
    for (size_t i = 0, step; i < s.n; i += step) {
        uint32_t cp;
        step = ag_utf8_decode((const uint8_t *)s.p + i, s.n - i, &cp);
        if (!step) {
            pattern_refuse(c, i, "pattern is not UTF-8 here");
            return NULL;
        }
    }
    if (!pattern_pay(c, s.n))
        return NULL;
    struct ast *tree = alternation(&s);
    if (is_ok(&s) && s.at < s.n)
        pattern_refuse(c, s.at, "unexpected ): write \\) for a parenthesis");
    return is_ok(&s) ? tree : NULL;
}
