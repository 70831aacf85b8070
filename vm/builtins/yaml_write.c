// SPDX-License-Identifier: Apache-2.0
// yaml.marshal: values as Go's yaml.v2 writes them: blocks of two columns, keys in natural order, strings
// plain where they mean themselves, else in quotes or as blocks. In: a value. Out: text in the call's arena.
// Next file to read: uri.c.
#include "format.h"
#include "number.h"
#include "yaml.h"
#include "utf8.h"

#define WIDTH   80u    // a line is broken at the first blank beyond
#define SCRATCH 16384u // bytes to read one scalar
#define KEY_MAX 128u   // bytes of a key that stands before its colon on one line

enum style { PLAIN, SINGLE, DOUBLE, LITERAL };

// Keys of one object in the order of the text.
struct order {
    struct order *next;
    uint32_t ix[]; // and as many for sorting
};

struct writer {
    struct ag_call *c;
    struct ag_buf *out;
    struct order *orders, **end;
    struct ag_arena scratch; // for reading scalars while the text has the free memory
    bool failed;
};

static bool
is_printable(uint32_t cp)
{
    return cp == '\n' || (cp >= 0x20 && cp <= 0x7e) || cp == 0x85 || (cp >= 0xa0 && cp <= 0xd7ff) ||
           (cp >= 0xe000 && cp <= 0xfffd && cp != 0xfeff);
}

static bool
is_break(uint32_t cp)
{
    return cp == '\n' || cp == '\r' || cp == 0x85 || cp == 0x2028 || cp == 0x2029;
}

static size_t
column(const struct ag_buf *out)
{
    size_t n = 0;
    for (size_t i = out->n; i > 0 && out->p[i - 1] != '\n'; i--)
        n += ((uint8_t)out->p[i - 1] & 0xc0) != 0x80;
    return n;
}

static void
new_line(struct writer *w, unsigned indent)
{
    ag_buf_char(w->out, '\n');
    for (unsigned i = 0; i < indent; i++)
        ag_buf_char(w->out, ' ');
}

// What is in a text that forbids one style or another.
struct traits {
    bool indicator, special, breaks, edge_space, edge_break, trailing_space, break_space, space_break;
};

static struct traits
traits_of(struct ag_str s)
{
    struct traits t = {0};
    bool was_space = false, was_break = false, was_blank = true;
    t.indicator = s.n >= 3 && (memcmp(s.p, "---", 3) == 0 || memcmp(s.p, "...", 3) == 0);
    for (size_t i = 0, size; i < s.n; i += size) {
        uint32_t cp = 0, next = 0;
        size = ag_utf8_decode((const uint8_t *)s.p + i, s.n - i, &cp);
        bool is_first = i == 0, is_last = i + size >= s.n;
        if (!is_last)
            ag_utf8_decode((const uint8_t *)s.p + i + size, s.n - i - size, &next);
        bool before_blank = is_last || next == ' ' || next == '\t' || is_break(next);
        if (is_first && cp && cp < 0x80 && strchr("#,[]{}&*!|>'\"%@`", (int)cp))
            t.indicator = true;
        if (((cp == '?' || cp == '-') && is_first && before_blank) || (cp == ':' && before_blank) ||
            (cp == '#' && was_blank))
            t.indicator = true;
        t.special |= !is_printable(cp);
        t.breaks |= is_break(cp);
        if (cp == ' ') {
            t.edge_space |= is_first || is_last;
            t.trailing_space |= is_last;
            t.break_space |= was_break;
        } else if (is_break(cp)) {
            t.edge_break |= is_first || is_last;
            t.space_break |= was_space;
        }
        was_space = cp == ' ';
        was_break = is_break(cp);
        was_blank = cp == ' ' || cp == '\t' || was_break;
    }
    return t;
}

// Digits parted by colons (12:30:45), which YAML 1.1 reads as a number of base 60.
static bool
is_base60(struct ag_str s)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+'), colons = 0;
    if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
        return false;
    while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
        i++;
    for (; i < s.n && s.p[i] == ':'; colons++) {
        size_t from = ++i;
        while (i < s.n && i - from < 2 && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == from || (i - from == 2 && s.p[from] > '5'))
            return false;
    }
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_');)
            i++;
    return colons && i == s.n;
}

static enum ag_yaml_kind
resolve(struct writer *w, struct ag_str s, struct ag_value *ret)
{
    struct ag_arena *arena = w->c->mem.arena;
    ag_arena_reset(&w->scratch, 0);
    w->c->mem.arena = &w->scratch;
    enum ag_yaml_kind kind = ag_yaml_resolve(w->c, s, ret);
    w->c->mem.arena = arena;
    return kind;
}

static enum style
style_of(struct writer *w, struct ag_str s, const struct traits *t, bool is_key)
{
    struct ag_value ignored;
    bool means_text = resolve(w, s, &ignored) == AG_YAML_TEXT && !is_base60(s);
    enum style style = memchr(s.p, '\n', s.n) ? LITERAL : means_text ? PLAIN : DOUBLE;
    bool no_block = t->trailing_space || t->space_break || t->special || is_key;
    if (style == LITERAL)
        return no_block ? DOUBLE : LITERAL;
    if (style == PLAIN && (t->edge_space || t->edge_break || t->break_space || t->space_break || t->special ||
                           t->breaks || t->indicator || !s.n))
        style = SINGLE;
    if (style == SINGLE && (t->break_space || t->space_break || t->special))
        style = DOUBLE;
    return style;
}

// --- the styles
static void
put_escaped(struct ag_buf *out, uint32_t cp)
{
    static const char marks[] = "\0\a\b\t\n\v\f\r\x1b\"\\", letters[] = "0abtnvfre\"\\";
    static const char hex[] = "0123456789ABCDEF";
    const char *known = cp < 0x80 ? memchr(marks, (int)cp, sizeof marks - 1) : NULL;
    ag_buf_char(out, '\\');
    if (known) {
        ag_buf_char(out, letters[known - marks]);
    } else if (cp == 0x85 || cp == 0x2028 || cp == 0x2029) {
        ag_buf_char(out, cp == 0x85 ? 'N' : cp == 0x2028 ? 'L' : 'P');
    } else {
        unsigned n = cp <= 0xff ? 2 : cp <= 0xffff ? 4 : 8;
        ag_buf_char(out, n == 2 ? 'x' : n == 4 ? 'u' : 'U');
        for (unsigned i = n; i > 0; i--)
            ag_buf_char(out, hex[cp >> (4 * (i - 1)) & 15]);
    }
}

// Plain, single or double quoted; long lines are broken at blanks unless it is a key.
static void
put_line(struct writer *w, struct ag_str s, enum style style, unsigned indent, bool is_key)
{
    bool was_space = false;
    const char *quote = style == SINGLE ? "'" : style == DOUBLE ? "\"" : "";
    ag_buf_str(w->out, ag_str_z(quote));
    size_t col = column(w->out);
    for (size_t i = 0, size; i < s.n && !w->out->is_full; i += size) {
        uint32_t cp = 0;
        size_t from = w->out->n;
        size = ag_utf8_decode((const uint8_t *)s.p + i, s.n - i, &cp);
        char next = i + size < s.n ? s.p[i + size] : '\0';
        bool is_inside = style == PLAIN || (i > 0 && i + 1 < s.n);
        if (cp == ' ' && !is_key && !was_space && col > WIDTH && is_inside &&
            (style == DOUBLE || next != ' ')) {
            new_line(w, indent);
            if (style == DOUBLE && next == ' ')
                ag_buf_char(w->out, '\\');
            col = column(w->out);
            was_space = true;
            continue;
        }
        was_space = cp == ' ';
        if (style == DOUBLE && (!is_printable(cp) || is_break(cp) || cp == '"' || cp == '\\'))
            put_escaped(w->out, cp);
        else
            ag_buf_put(w->out, s.p + i, size);
        if (style == SINGLE && cp == '\'')
            ag_buf_char(w->out, '\'');
        col += w->out->n - from > size || size == 1 ? w->out->n - from : 1;
    }
    ag_buf_str(w->out, ag_str_z(quote));
}

static void
put_literal(struct writer *w, struct ag_str s, unsigned indent)
{
    bool ends = s.p[s.n - 1] == '\n';
    ag_buf_char(w->out, '|');
    if (s.p[0] == ' ' || s.p[0] == '\n')
        ag_buf_char(w->out, '2');
    if (!ends)
        ag_buf_char(w->out, '-');
    else if (s.n == 1 || s.p[s.n - 2] == '\n')
        ag_buf_char(w->out, '+');
    for (size_t i = 0; i < s.n && !w->out->is_full;) {
        const char *end = memchr(s.p + i, '\n', s.n - i);
        size_t n = end ? (size_t)(end - s.p) - i : s.n - i;
        new_line(w, n ? indent : 0);
        ag_buf_put(w->out, s.p + i, n);
        i += n + 1;
    }
}

// --- values
static void
put_string(struct writer *w, struct ag_str s, unsigned indent, bool is_key)
{
    struct traits t = traits_of(s);
    for (size_t i = 0; i < s.n; i++)
        w->failed |= s.p[i] == 0x7f;
    enum style style = style_of(w, s, &t, is_key);
    if (style == LITERAL)
        put_literal(w, s, indent + 2);
    else
        put_line(w, s, style, indent + 2, is_key);
}

// By its JSON text, read as YAML: an integer, a float64, or beyond that a text.
static void
put_number(struct writer *w, struct ag_value v)
{
    size_t from = w->out->n;
    ag_num_put(w->out, ag_number_view(v));
    struct ag_str s = ag_str_of(w->out->p + from, w->out->n - from);
    struct ag_value number;
    if (w->out->is_full || resolve(w, s, &number) != AG_YAML_NUMBER)
        return;
    bool is_whole = !memchr(s.p, '.', s.n) && !memchr(s.p, 'e', s.n) && !memchr(s.p, 'E', s.n);
    double d = ag_number_double(number);
    bool is_big = is_whole && (d >= 18446744073709551616.0 || d < -9223372036854775808.0);
    if (is_whole && !is_big)
        return;
    w->out->n = from;
    struct ag_fmt f = {.c = w->c, .out = w->out};
    ag_fmt_put_float(&f, 'g', d);
}

static bool
is_simple_key(struct ag_str s)
{
    return s.n <= KEY_MAX && !traits_of(s).breaks;
}

static void put(struct writer *w, struct ag_value v, unsigned indent);

static void
put_object(struct writer *w, struct ag_value v, unsigned indent, const uint32_t *order)
{
    const struct ag_mem *m = &w->c->mem;
    for (uint32_t i = 0; i < v.len && !w->failed && !w->out->is_full; i++) {
        struct ag_str key = ag_value_str(ag_object_key(m, v, order[i]));
        struct ag_value e = ag_value_at(m, v, order[i]);
        bool is_simple = is_simple_key(key), is_list = (e.kind == AG_ARRAY || e.kind == AG_SET) && e.len;
        if (i)
            new_line(w, indent);
        if (!is_simple)
            ag_buf_lit(w->out, "? ");
        put_string(w, key, indent, is_simple);
        if (!is_simple)
            new_line(w, indent);
        ag_buf_char(w->out, ':');
        bool is_block = e.kind >= AG_ARRAY && e.len;
        if (is_block && is_simple)
            new_line(w, is_list ? indent : indent + 2);
        else
            ag_buf_char(w->out, ' ');
        put(w, e, is_block ? is_list && is_simple ? indent : indent + 2 : indent);
    }
}

// unicode.IsLetter, near enough: what is no ASCII is one.
static bool
is_letter(char ch)
{
    char low = (char)(ch | 0x20);
    return (low >= 'a' && low <= 'z') || (unsigned char)ch >= 0x80;
}

static bool
is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static size_t
read_digits(struct ag_str s, size_t at, uint64_t *value)
{
    for (; at < s.n && is_digit(s.p[at]); at++)
        *value = *value * 10 + (uint64_t)(s.p[at] - '0');
    return at;
}

// Natural order: numbers in texts by their value, letters behind other characters.
static bool
is_less(struct ag_str a, struct ag_str b)
{
    bool digits = false;
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        if (a.p[i] == b.p[i]) {
            digits = is_digit(a.p[i]);
            continue;
        }
        bool al = is_letter(a.p[i]), bl = is_letter(b.p[i]);
        if (al && bl)
            return (unsigned char)a.p[i] < (unsigned char)b.p[i];
        if (al || bl)
            return digits ? al : bl;
        uint64_t an = 0, bn = 0;
        if (a.p[i] == '0' || b.p[i] == '0')
            for (size_t j = i; j > 0 && is_digit(a.p[j - 1]); j--)
                if (a.p[j - 1] != '0') {
                    an = bn = 1;
                    break;
                }
        size_t ai = read_digits(a, i, &an), bi = read_digits(b, i, &bn);
        if (an != bn)
            return (int64_t)an < (int64_t)bn;
        return ai != bi ? ai < bi : (unsigned char)a.p[i] < (unsigned char)b.p[i];
    }
    return a.n < b.n;
}

// --- orders of keys: made before the text, which then has the free memory; one for each object, in the order
// in which objects are written
static bool
sort_keys(struct writer *w, struct ag_value v, uint32_t *ix, uint32_t *other)
{
    const struct ag_mem *m = &w->c->mem;
    for (uint32_t i = 0; i < v.len; i++)
        ix[i] = i;
    for (uint32_t width = 1; width < v.len; width *= 2) {
        if (!ag_charge(w->c, v.len))
            return false;
        for (uint32_t lo = 0; lo < v.len; lo += 2 * width) {
            uint32_t mid = lo + width < v.len ? lo + width : v.len;
            uint32_t hi = lo + 2 * width < v.len ? lo + 2 * width : v.len;
            uint32_t a = lo, b = mid;
            for (uint32_t k = lo; k < hi; k++) {
                bool is_right = a == mid;
                if (a < mid && b < hi)
                    is_right = is_less(ag_value_str(ag_object_key(m, v, ix[b])),
                                       ag_value_str(ag_object_key(m, v, ix[a])));
                other[k] = is_right ? ix[b++] : ix[a++];
            }
        }
        memcpy(ix, other, v.len * sizeof *ix);
    }
    return true;
}

static bool
make_orders(struct writer *w, struct ag_value v, unsigned depth)
{
    uint32_t *order = NULL;
    if (v.kind < AG_ARRAY || !v.len)
        return true;
    if (depth >= AG_NEST_MAX)
        return false;
    if (v.kind == AG_OBJECT) {
        struct order *o = ag_call_alloc(w->c, sizeof *o + 2 * (size_t)v.len * sizeof *order, 8);
        if (!o || !sort_keys(w, v, o->ix, o->ix + v.len))
            return false;
        o->next = NULL;
        *w->end = o;
        w->end = &o->next;
        order = o->ix;
    }
    for (uint32_t i = 0; i < v.len; i++)
        if (!make_orders(w, ag_value_at(&w->c->mem, v, order ? order[i] : i), depth + 1))
            return false;
    return true;
}

static void
put(struct writer *w, struct ag_value v, unsigned indent)
{
    if (w->failed || w->out->is_full)
        return;
    if (v.kind == AG_NULL) {
        ag_buf_lit(w->out, "null");
    } else if (v.kind == AG_BOOL) {
        ag_buf_str(w->out, v.i ? AG_STR("true") : AG_STR("false"));
    } else if (v.kind == AG_NUMBER) {
        put_number(w, v);
    } else if (v.kind == AG_STRING) {
        put_string(w, ag_value_str(v), indent, false);
    } else if (!v.len) {
        ag_buf_str(w->out, v.kind == AG_OBJECT ? AG_STR("{}") : AG_STR("[]"));
    } else if (v.kind == AG_OBJECT) {
        struct order *o = w->orders;
        w->orders = o->next;
        put_object(w, v, indent, o->ix);
    } else {
        for (uint32_t i = 0; i < v.len && !w->out->is_full; i++) {
            struct ag_value e = ag_value_at(&w->c->mem, v, i);
            if (i)
                new_line(w, indent);
            ag_buf_lit(w->out, "- ");
            put(w, e, e.kind >= AG_ARRAY && e.len ? indent + 2 : indent);
        }
    }
}

// The value as JSON says it: sets are arrays, keys texts.
static struct ag_value
as_json(struct ag_call *c, struct ag_value v)
{
    struct ag_json_error e;
    struct ag_value text = ag_bi_json_marshal(c, &v);
    if (text.kind != AG_STRING)
        return text;
    enum ag_json_status s = ag_json_read_last(&c->mem, ag_value_str(text), &v, &e);
    if (s == AG_JSON_ARENA)
        return ag_stop(c, AG_EVAL_ARENA);
    return s == AG_JSON_OK ? v : ag_error(c, AG_VERR_BUILTIN, "%s", ag_json_status_text(s));
}

struct ag_value
ag_bi_yaml_marshal(struct ag_call *c, const struct ag_value *a)
{
    struct ag_buf out;
    struct writer w = {.c = c, .out = &out, .end = &w.orders};
    struct ag_value v = as_json(c, a[0]);
    if (v.kind <= AG_ERROR)
        return v;
    uint8_t *scratch = ag_call_alloc(c, SCRATCH, 64);
    if (!scratch || !make_orders(&w, v, 0) || !ag_bi_begin(c, &out))
        return c->stop == AG_EVAL_OK ? ag_bi_error() : ag_undef();
    ag_arena_init(&w.scratch, scratch, SCRATCH);
    put(&w, v, 0);
    ag_buf_char(&out, '\n');
    struct ag_value text = ag_bi_end(c, &out, !w.failed);
    if (w.failed && c->stop == AG_EVAL_OK)
        return ag_error(c, AG_VERR_BUILTIN, "yaml: control characters are not allowed");
    return text;
}
