// SPDX-License-Identifier: Apache-2.0
// sprintf: formats as Go's package fmt has them, with its flags, indexes and marks for mistakes
// (%!d(string=x)). In: a format and an array. Out: text in the call's arena. A number is an int, *big.Int or
// float64 by its spelling, everything that is neither number nor string is the text of its term. Next file to
// read: format_number.c for the verbs of numbers.
#include "format.h"
#include "utf8.h"

#define WIDTH_MAX 1000000 // columns and digits that a verb may ask for, as in Go

void
ag_fmt_fill(struct ag_fmt *f, size_t n, char c)
{
    while (n-- > 0 && !f->out->is_full)
        ag_buf_char(f->out, c);
}

static size_t
points(struct ag_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
    return n;
}

void
ag_fmt_pad(struct ag_fmt *f, struct ag_str s)
{
    size_t n = points(s), fill = f->has_width && (size_t)f->width > n ? (size_t)f->width - n : 0;
    if (!f->minus)
        ag_fmt_fill(f, fill, f->zero ? '0' : ' ');
    ag_buf_str(f->out, s);
    if (f->minus)
        ag_fmt_fill(f, fill, ' ');
}

// --- strings
static struct ag_str
cut(const struct ag_fmt *f, struct ag_str s)
{
    int64_t left = f->precision;
    for (size_t i = 0; f->has_precision && i < s.n; i++)
        if (((uint8_t)s.p[i] & 0xc0) != 0x80 && left-- == 0)
            return ag_str_of(s.p, i);
    return s;
}

static void
put_hex_text(struct ag_fmt *f, struct ag_str s, bool upper)
{
    size_t n = f->has_precision && (size_t)f->precision < s.n ? (size_t)f->precision : s.n;
    size_t width = 2 * n, from;
    if (n && f->space)
        width = (f->sharp ? 4 * n : 2 * n) + n - 1;
    else if (n && f->sharp)
        width += 2;
    size_t fill = f->has_width && (size_t)f->width > width ? (size_t)f->width - width : 0;
    if (!f->minus || !n)
        ag_fmt_fill(f, fill, f->zero && !f->minus ? '0' : ' ');
    for (size_t i = 0; i < n && !f->out->is_full; i++) {
        if (i && f->space)
            ag_buf_char(f->out, ' ');
        if (f->sharp && (i == 0 || f->space))
            ag_buf_str(f->out, upper ? AG_STR("0X") : AG_STR("0x"));
        from = f->out->n;
        ag_buf_hex(f->out, s.p + i, 1);
        for (size_t k = from; upper && k < f->out->n; k++)
            if (f->out->p[k] >= 'a')
                f->out->p[k] = (char)(f->out->p[k] - 'a' + 'A');
    }
    if (f->minus && n)
        ag_fmt_fill(f, fill, ' ');
}

// A raw string can hold everything but ` and control characters other than the tab.
static bool
fits_backquotes(struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '`' || s.p[i] == 0x7f || ((uint8_t)s.p[i] < ' ' && s.p[i] != '\t'))
            return false;
    return !memmem(s.p, s.n, "\xef\xbb\xbf", 3);
}

static void
put_quoted(struct ag_fmt *f, struct ag_str s)
{
    s = cut(f, s);
    size_t from = f->out->n;
    if (f->sharp && fits_backquotes(s)) {
        ag_buf_char(f->out, '`');
        ag_buf_str(f->out, s);
        ag_buf_char(f->out, '`');
    } else {
        ag_bi_put_quoted(f->out, s, '"', f->plus);
    }
    ag_fmt_pad_written(f, from);
}

// Pads what was written from `from` on.
void
ag_fmt_pad_written(struct ag_fmt *f, size_t from)
{
    if (f->out->is_full)
        return;
    size_t bytes = f->out->n - from, n = points(ag_str_of(f->out->p + from, bytes));
    size_t fill = f->has_width && (size_t)f->width > n ? (size_t)f->width - n : 0;
    ag_fmt_fill(f, fill, ' ');
    if (f->minus || f->out->is_full || !fill)
        return;
    memmove(f->out->p + from + fill, f->out->p + from, bytes);
    memset(f->out->p + from, f->zero ? '0' : ' ', fill);
}

static bool
put_string(struct ag_fmt *f, uint32_t verb, struct ag_str s)
{
    switch (verb) {
    case 'v':
        if (f->sharp_v)
            put_quoted(f, s);
        else
            ag_fmt_pad(f, cut(f, s));
        return true;
    case 's': ag_fmt_pad(f, cut(f, s)); return true;
    case 'x':
    case 'X': put_hex_text(f, s, verb == 'X'); return true;
    case 'q': put_quoted(f, s); return true;
    default: return false;
    }
}

// --- arguments

// Classifies v. Texts of terms are written behind the output, where `text` borrows them until the next write.
static bool
read_arg(struct ag_fmt *f, struct ag_value v, struct ag_fmt_arg *ret)
{
    ret->type = AG_FMT_STRING;
    if (v.kind == AG_STRING) {
        ret->text = ag_value_str(v);
        return true;
    }
    if (v.kind == AG_NUMBER)
        return ag_fmt_number(f, v, ret);
    struct ag_buf rest;
    size_t half = (f->out->size - f->out->n) / 2; // the text is copied to the front later
    ag_buf_init(&rest, f->out->p + f->out->n + half, f->out->size - f->out->n - half);
    if (!ag_bi_put_term(&f->c->mem, v, &rest)) {
        f->out->is_full |= rest.is_full;
        return false;
    }
    ret->text = ag_str_of(rest.p, rest.n);
    return true;
}

static void
put_rune(struct ag_buf *out, uint32_t cp)
{
    uint8_t text[4];
    ag_buf_put(out, text, ag_utf8_encode(cp, text));
}

static bool
put_known(struct ag_fmt *f, uint32_t verb, const struct ag_fmt_arg *arg)
{
    switch (arg->type) {
    case AG_FMT_INT: return ag_fmt_put_int(f, verb, arg->i);
    case AG_FMT_BIG: return ag_fmt_put_big(f, verb, arg->text);
    case AG_FMT_FLOAT: return ag_fmt_put_float(f, verb, arg->d);
    case AG_FMT_STRING: break;
    }
    return put_string(f, verb, arg->text);
}

// One argument with one verb; a verb that the type does not have prints the mark with type and value.
static bool
put_arg(struct ag_fmt *f, uint32_t verb, struct ag_value v)
{
    static const char *const names[] = {"int", "*big.Int", "float64", "string"};
    struct ag_fmt_arg arg;
    if (!read_arg(f, v, &arg))
        return false;
    if (verb == 'T') {
        ag_fmt_pad(f, cut(f, ag_str_z(names[arg.type])));
        return true;
    }
    if (put_known(f, verb, &arg))
        return true;
    ag_buf_lit(f->out, "%!");
    put_rune(f->out, verb);
    ag_buf_char(f->out, '(');
    ag_buf_str(f->out, arg.type == AG_FMT_BIG ? AG_STR("big.Int") : ag_str_z(names[arg.type]));
    ag_buf_char(f->out, '=');
    if (arg.type == AG_FMT_BIG)
        ag_buf_str(f->out, arg.text);
    else
        put_known(f, 'v', &arg);
    ag_buf_char(f->out, ')');
    return true;
}

// --- the format
struct parse {
    struct ag_str s;
    size_t at;
    struct ag_value args;
    uint32_t next;
    bool reordered, good_index, after_index;
};

static void
read_flags(struct ag_fmt *f, struct parse *p)
{
    f->minus = f->plus = f->sharp = f->space = f->zero = f->sharp_v = f->has_width = f->has_precision = false;
    f->width = f->precision = 0;
    for (; p->at < p->s.n; p->at++) {
        switch (p->s.p[p->at]) {
        case '#': f->sharp = true; break;
        case '0': f->zero = true; break;
        case '+': f->plus = true; break;
        case '-': f->minus = true; break;
        case ' ': f->space = true; break;
        default: return;
        }
    }
}

// A decimal number at *at, before `end`. One that is too large is none and takes all text up to the end with
// it.
static bool
read_number(struct ag_str s, size_t *at, size_t end, int64_t *ret)
{
    bool found = false;
    *ret = 0;
    for (; *at < end && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++) {
        if (*ret > WIDTH_MAX) {
            *ret = 0;
            *at = end;
            return false;
        }
        *ret = *ret * 10 + (s.p[*at] - '0');
        found = true;
    }
    return found;
}

// An explicit index, [n].
static void
read_index(struct parse *p)
{
    int64_t n = 0;
    p->after_index = false;
    if (p->at >= p->s.n || p->s.p[p->at] != '[')
        return;
    p->reordered = true;
    const char *close = p->s.n - p->at >= 3 ? memchr(p->s.p + p->at + 1, ']', p->s.n - p->at - 1) : NULL;
    if (!close) {
        p->good_index = false;
        p->at++;
        return;
    }
    size_t end = (size_t)(close - p->s.p), at = p->at + 1;
    bool ok = read_number(p->s, &at, end, &n) && at == end;
    p->at = end + 1;
    p->after_index = ok;
    if (ok && n >= 1 && n <= (int64_t)p->args.len)
        p->next = (uint32_t)n - 1;
    else
        p->good_index = false;
}

// A width or precision from the arguments.
static bool
number_argument(struct ag_fmt *f, struct parse *p, int64_t *ret)
{
    *ret = 0;
    if (p->next >= p->args.len)
        return false;
    struct ag_value v = ag_value_at(&f->c->mem, p->args, p->next++);
    if (v.kind != AG_NUMBER || v.sub || v.i > WIDTH_MAX || v.i < -WIDTH_MAX)
        return false;
    *ret = v.i;
    return true;
}

static bool
take(struct parse *p, char c)
{
    if (p->at >= p->s.n || p->s.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

static void
read_width(struct ag_fmt *f, struct parse *p)
{
    if (!take(p, '*')) {
        f->has_width = read_number(p->s, &p->at, p->s.n, &f->width);
        p->good_index &= !(p->after_index && f->has_width);
        return;
    }
    f->has_width = number_argument(f, p, &f->width);
    if (!f->has_width)
        ag_buf_lit(f->out, "%!(BADWIDTH)");
    if (f->width < 0) {
        f->width = -f->width;
        f->minus = true;
        f->zero = false;
    }
    p->after_index = false;
}

static void
read_precision(struct ag_fmt *f, struct parse *p)
{
    if (p->at + 1 >= p->s.n || !take(p, '.'))
        return;
    p->good_index &= !p->after_index;
    read_index(p);
    if (!take(p, '*')) {
        f->has_precision = true;
        read_number(p->s, &p->at, p->s.n, &f->precision);
        return;
    }
    f->has_precision = number_argument(f, p, &f->precision);
    if (f->precision < 0) {
        f->precision = 0;
        f->has_precision = false;
    }
    if (!f->has_precision)
        ag_buf_lit(f->out, "%!(BADPREC)");
    p->after_index = false;
}

static bool
put_verb(struct ag_fmt *f, struct parse *p, uint32_t verb)
{
    if (verb == '%') {
        ag_buf_char(f->out, '%');
        return true;
    }
    if (!p->good_index || p->next >= p->args.len) {
        ag_buf_lit(f->out, "%!");
        put_rune(f->out, verb);
        ag_buf_str(f->out, p->good_index ? AG_STR("(MISSING)") : AG_STR("(BADINDEX)"));
        return true;
    }
    if (verb == 'v' || verb == 'w') {
        f->sharp_v = f->sharp;
        f->sharp = f->plus = false;
    }
    return put_arg(f, verb, ag_value_at(&f->c->mem, p->args, p->next++));
}

static bool
put_extra(struct ag_fmt *f, struct parse *p)
{
    static const char *const names[] = {"int", "*big.Int", "float64", "string"};
    if (p->reordered || p->next >= p->args.len)
        return true;
    *f = (struct ag_fmt){.c = f->c, .out = f->out};
    ag_buf_lit(f->out, "%!(EXTRA ");
    for (uint32_t i = p->next; i < p->args.len; i++) {
        struct ag_fmt_arg arg;
        if (i > p->next)
            ag_buf_lit(f->out, ", ");
        if (!read_arg(f, ag_value_at(&f->c->mem, p->args, i), &arg))
            return false;
        ag_buf_str(f->out, ag_str_z(names[arg.type]));
        ag_buf_char(f->out, '=');
        // The name went where a text may have begun: read it again.
        if (!read_arg(f, ag_value_at(&f->c->mem, p->args, i), &arg) || !put_known(f, 'v', &arg))
            return false;
    }
    ag_buf_char(f->out, ')');
    return true;
}

static bool
format_all(struct ag_fmt *f, struct parse *p)
{
    while (p->at < p->s.n && !f->out->is_full) {
        const char *mark = memchr(p->s.p + p->at, '%', p->s.n - p->at);
        size_t end = mark ? (size_t)(mark - p->s.p) : p->s.n;
        ag_buf_put(f->out, p->s.p + p->at, end - p->at);
        p->at = end + 1;
        if (!mark)
            break;
        p->good_index = true;
        read_flags(f, p);
        read_index(p);
        read_width(f, p);
        read_precision(f, p);
        if (!p->after_index)
            read_index(p);
        if (p->at >= p->s.n) {
            ag_buf_lit(f->out, "%!(NOVERB)");
            break;
        }
        uint32_t verb = 0xfffd;
        size_t n = ag_utf8_decode((const uint8_t *)p->s.p + p->at, p->s.n - p->at, &verb);
        p->at += n ? n : 1;
        if (!put_verb(f, p, verb))
            return false;
    }
    return put_extra(f, p) && !f->out->is_full;
}

struct ag_value
ag_bi_sprintf(struct ag_call *c, const struct ag_value *a)
{
    struct ag_buf out;
    if (!ag_charge_bytes(c, (uint64_t)a[0].len + a[1].len) || !ag_bi_begin(c, &out))
        return ag_undef();
    struct ag_fmt f = {.c = c, .out = &out};
    struct parse p = {.s = ag_value_str(a[0]), .args = a[1]};
    return ag_bi_end(c, &out, format_all(&f, &p));
}
