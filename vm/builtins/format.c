// SPDX-License-Identifier: Apache-2.0
// sprintf: the verbs of Go that policies use. In: a format and an array. Out: text in the call's arena.
// Unknown verbs and missing arguments print Go's marks (%!d(MISSING)) instead of failing, as OPA does.
// Next file to read: match.c.
#include "builtin_fns.h"
#include <stdio.h>

struct format {
    struct ag_call *c;
    struct ag_buf *out;
    bool minus, zero, has_precision;
    uint32_t width, precision;
};

#define WIDTH_MAX 1000u // columns a verb may ask for

static void
pad_to(struct format *f, size_t from)
{
    size_t n = f->out->n - from, at = from;
    if (n >= f->width || f->out->is_full)
        return;
    size_t fill = f->width - n;
    char pad = f->zero && !f->minus ? '0' : ' ';
    for (size_t i = 0; i < fill; i++)
        ag_buf_char(f->out, pad);
    if (f->minus || f->out->is_full)
        return;
    at += pad == '0' && f->out->p[from] == '-'; // the sign stays in front of zeros
    memmove(f->out->p + at + fill, f->out->p + at, n - (at - from));
    memset(f->out->p + at, pad, fill);
}

static void
put_float(struct format *f, double d, char verb)
{
    char fmt[] = "%.*f", text[400];
    fmt[3] = verb;
    int n = snprintf(text, sizeof text, fmt, (int)(f->has_precision ? f->precision : 6), d);
    ag_buf_put(f->out, text, n > 0 && (size_t)n < sizeof text ? (size_t)n : 0);
}

static void
put_hex(struct format *f, struct ag_value v, bool upper)
{
    int64_t i;
    size_t from = f->out->n;
    if (v.kind == AG_STRING) {
        ag_buf_hex(f->out, v.p, v.len);
    } else if (ag_number_int(v, &i)) {
        char text[20];
        int n = snprintf(text, sizeof text, "%s%llx", i < 0 ? "-" : "",
                         (unsigned long long)(i < 0 ? 0 - (uint64_t)i : (uint64_t)i));
        ag_buf_put(f->out, text, (size_t)n);
    }
    for (size_t k = from; upper && k < f->out->n; k++)
        if (f->out->p[k] >= 'a')
            f->out->p[k] = (char)(f->out->p[k] - 'a' + 'A');
}

static bool
put_value(struct format *f, struct ag_value v)
{
    if (v.kind == AG_STRING)
        ag_buf_str(f->out, ag_value_str(v));
    else
        return ag_json_write(&f->c->mem, v, f->out, 0);
    return true;
}

static bool
put_verb(struct format *f, char verb, struct ag_value v)
{
    int64_t i;
    switch (verb) {
    case 'v':
    case 's': return put_value(f, v);
    case 'q':
        if (v.kind == AG_STRING)
            ag_buf_json_str(f->out, ag_value_str(v));
        return v.kind == AG_STRING || put_value(f, v);
    case 't': return put_value(f, v);
    case 'x':
    case 'X': put_hex(f, v, verb == 'X'); return true;
    case 'd':
        if (v.kind != AG_NUMBER || !ag_num_is_int(ag_number_view(v)))
            break;
        if (ag_number_int(v, &i))
            ag_buf_i64(f->out, i);
        else
            return put_value(f, v);
        return true;
    case 'e':
    case 'f':
    case 'g':
        if (v.kind != AG_NUMBER)
            break;
        if (verb == 'g' && !f->has_precision)
            return put_value(f, v);
        put_float(f, ag_number_double(v), verb);
        return true;
    default: break;
    }
    ag_buf_lit(f->out, "%!");
    ag_buf_char(f->out, verb);
    ag_buf_char(f->out, '(');
    bool ok = put_value(f, v);
    ag_buf_char(f->out, ')');
    return ok;
}

static uint32_t
read_number(struct ag_str s, size_t *at)
{
    uint32_t n = 0;
    while (*at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9') {
        n = n > WIDTH_MAX ? n : n * 10 + (uint32_t)(s.p[*at] - '0');
        (*at)++;
    }
    return n > WIDTH_MAX ? WIDTH_MAX : n;
}

static bool
format_all(struct format *f, struct ag_str s, struct ag_value args)
{
    uint32_t next = 0;
    for (size_t at = 0; at < s.n && !f->out->is_full;) {
        if (s.p[at] != '%') {
            ag_buf_char(f->out, s.p[at++]);
            continue;
        }
        at++;
        f->minus = f->zero = f->has_precision = false;
        for (; at < s.n && (s.p[at] == '-' || s.p[at] == '0' || s.p[at] == '+' || s.p[at] == '#'); at++) {
            f->minus |= s.p[at] == '-';
            f->zero |= s.p[at] == '0';
        }
        f->width = read_number(s, &at);
        if (at < s.n && s.p[at] == '.') {
            at++;
            f->has_precision = true;
            f->precision = read_number(s, &at);
            if (f->precision > 60)
                f->precision = 60;
        }
        char verb = at < s.n ? s.p[at++] : '!';
        size_t from = f->out->n;
        if (verb == '%') {
            ag_buf_char(f->out, '%');
        } else if (next >= args.len) {
            ag_buf_lit(f->out, "%!");
            ag_buf_char(f->out, verb);
            ag_buf_lit(f->out, "(MISSING)");
        } else {
            if (!put_verb(f, verb, ag_value_at(&f->c->mem, args, next++)))
                return false;
            pad_to(f, from);
        }
    }
    return !f->out->is_full;
}

struct ag_value
ag_bi_sprintf(struct ag_call *c, const struct ag_value *a)
{
    // The text grows in the arena's free space and keeps what it used.
    struct ag_arena *arena = c->mem.arena;
    size_t room = arena->size - arena->used;
    if (room > AG_STRING_MAX)
        room = AG_STRING_MAX;
    struct ag_buf out;
    size_t mark = ag_arena_mark(arena);
    if (!ag_charge_bytes(c, 16 * (uint64_t)a[0].len + a[1].len))
        return ag_undef();
    char *p = ag_call_alloc(c, room, 1);
    if (!p)
        return ag_undef();
    ag_buf_init(&out, p, room);
    struct format f = {.c = c, .out = &out};
    bool ok = format_all(&f, ag_value_str(a[0]), a[1]);
    ag_arena_reset(arena, mark + out.n);
    if (out.is_full)
        return ag_stop(c, AG_EVAL_ARENA);
    return ok && ag_charge_bytes(c, out.n) ? ag_bi_text(p, out.n) : ag_bi_error();
}
