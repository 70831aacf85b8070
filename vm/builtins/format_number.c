// SPDX-License-Identifier: Apache-2.0
// Verbs of numbers in sprintf: integers in four bases, characters, floats. In: numbers, flags. Out: text.
// Floats are rounded from their exact binary value. Next file to read: format.c.
#include "big.h"
#include "format.h"
#include "utf8.h"
#include <stdio.h>
#include <stdlib.h>

bool
ag_fmt_number(struct ag_fmt *f, struct ag_value v, struct ag_fmt_arg *ret)
{
    struct ag_buf b;
    (void)f;
    ret->type = AG_FMT_INT;
    ret->i = v.i;
    if (!v.sub)
        return true;
    ag_buf_init(&b, ret->number, sizeof ret->number);
    ag_num_put(&b, ag_number_view(v));
    if (b.is_full)
        return false;
    ret->text = ag_str_of(b.p, b.n);
    bool is_whole = true;
    for (size_t i = b.p[0] == '-'; i < b.n; i++)
        is_whole &= b.p[i] >= '0' && b.p[i] <= '9';
    if (is_whole && ag_num_to_int64(ag_number_view(v), &ret->i))
        return true;
    ret->type = AG_FMT_BIG;
    if (is_whole)
        return true;
    ret->d = ag_number_double(v);
    ret->type = ret->d - ret->d == 0 ? AG_FMT_FLOAT : AG_FMT_STRING;
    return true;
}

// --- integers
static char
lead(const struct ag_fmt *f, bool is_negative)
{
    return is_negative ? '-' : f->plus ? '+' : f->space ? ' ' : 0;
}

static void
upper(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] - 'a' + 'A');
}

// The parts of an integer, filled with blanks up to the width.
static void
put_parts(struct ag_fmt *f, char sign, const char *prefix, size_t zeros, struct ag_str digits)
{
    size_t n = (sign != 0) + strlen(prefix) + zeros + digits.n;
    size_t fill = f->has_width && (size_t)f->width > n ? (size_t)f->width - n : 0;
    if (!f->minus)
        ag_fmt_fill(f, fill, ' ');
    if (sign)
        ag_buf_char(f->out, sign);
    ag_buf_str(f->out, ag_str_z(prefix));
    ag_fmt_fill(f, zeros, '0');
    ag_buf_str(f->out, digits);
    if (f->minus)
        ag_fmt_fill(f, fill, ' ');
}

static const char *
prefix_of(const struct ag_fmt *f, uint32_t verb, bool begins_with_zero)
{
    if (verb == 'O')
        return f->sharp && !begins_with_zero ? "0o0" : "0o";
    if (!f->sharp)
        return "";
    switch (verb) {
    case 'b': return "0b";
    case 'o': return begins_with_zero ? "" : "0";
    case 'x': return "0x";
    case 'X': return "0X";
    default: return "";
    }
}

static unsigned
base_of(uint32_t verb)
{
    switch (verb) {
    case 'v':
    case 'd': return 10;
    case 'b': return 2;
    case 'o':
    case 'O': return 8;
    case 'x':
    case 'X': return 16;
    default: return 0;
    }
}

static void
put_integer(struct ag_fmt *f, uint32_t verb, int64_t i)
{
    char text[64];
    size_t at = sizeof text, zeros = 0;
    unsigned base = base_of(verb);
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    char sign = lead(f, i < 0);
    if (f->has_precision && f->precision == 0 && u == 0) { // nothing but padding
        ag_fmt_fill(f, f->has_width ? (size_t)f->width : 0, ' ');
        return;
    }
    for (; u; u /= base)
        text[--at] = "0123456789abcdef"[u % base];
    if (at == sizeof text)
        text[--at] = '0';
    size_t n = sizeof text - at, wanted = 0;
    if (f->has_precision)
        wanted = (size_t)f->precision;
    else if (f->zero && !f->minus && f->has_width)
        wanted = (size_t)f->width - (sign && f->width > 0);
    zeros = wanted > n ? wanted - n : 0;
    if (verb == 'X')
        upper(text + at, n);
    put_parts(f, sign, prefix_of(f, verb, zeros || text[at] == '0'), zeros, ag_str_of(text + at, n));
}

static uint32_t
rune_of(int64_t i)
{
    return i < 0 || i > 0x10ffff || (i >= 0xd800 && i < 0xe000) ? 0xfffd : (uint32_t)i;
}

static void
put_unicode(struct ag_fmt *f, int64_t i)
{
    char text[20];
    uint8_t rune[4];
    size_t from = f->out->n, n = (size_t)snprintf(text, sizeof text, "%llX", (unsigned long long)i);
    size_t digits = f->has_precision && f->precision > 4 ? (size_t)f->precision : 4;
    ag_buf_lit(f->out, "U+");
    ag_fmt_fill(f, digits > n ? digits - n : 0, '0');
    ag_buf_put(f->out, text, n);
    if (f->sharp && i >= 0 && i <= 0x10ffff && ag_bi_is_printed((uint32_t)i)) {
        ag_buf_lit(f->out, " '");
        ag_buf_put(f->out, rune, ag_utf8_encode((uint32_t)i, rune));
        ag_buf_char(f->out, '\'');
    }
    bool zero = f->zero;
    f->zero = false;
    ag_fmt_pad_written(f, from);
    f->zero = zero;
}

bool
ag_fmt_put_int(struct ag_fmt *f, uint32_t verb, int64_t i)
{
    uint8_t text[4];
    size_t n = ag_utf8_encode(rune_of(i), text), from = f->out->n;
    switch (verb) {
    case 'c': ag_fmt_pad(f, ag_str_of((const char *)text, n)); return true;
    case 'q':
        ag_bi_put_quoted(f->out, ag_str_of((const char *)text, n), '\'', f->plus);
        ag_fmt_pad_written(f, from);
        return true;
    case 'U': put_unicode(f, i); return true;
    default: break;
    }
    if (!base_of(verb))
        return false;
    put_integer(f, verb, i);
    return true;
}

// The decimal digits in another base. False: too many.
static bool
convert(struct ag_str digits, unsigned base, char *text, size_t *ret_n)
{
    struct ag_big b = {.n = 0};
    for (size_t i = 0; i < digits.n; i++) {
        ag_u128 carry = (unsigned)(digits.p[i] - '0');
        for (uint32_t k = 0; k < b.n || carry; k++) {
            if (k == AG_BIG_LIMBS)
                return false;
            carry += (ag_u128)b.limb[k] * 10;
            b.limb[k] = (uint64_t)carry;
            carry >>= 64;
            if (k == b.n && b.limb[k])
                b.n++;
        }
    }
    *ret_n = ag_big_text(&b, base, text);
    return true;
}

bool
ag_fmt_put_big(struct ag_fmt *f, uint32_t verb, struct ag_str digits)
{
    char text[AG_BIG_TEXT];
    bool is_negative = digits.p[0] == '-';
    unsigned base = verb == 's' ? 10 : base_of(verb);
    size_t zeros = 0;
    if (!base)
        return false;
    digits = ag_str_of(digits.p + is_negative, digits.n - is_negative);
    if (base != 10) {
        size_t n;
        if (!convert(digits, base, text, &n))
            return false;
        digits = ag_str_of(text, n);
        if (verb == 'X')
            upper(text, n);
    }
    const char *prefix = verb == 'O' ? "0o" : prefix_of(f, verb, false);
    char sign = lead(f, is_negative);
    if (f->has_precision)
        zeros = (size_t)f->precision > digits.n ? (size_t)f->precision - digits.n : 0;
    size_t n = (sign != 0) + strlen(prefix) + digits.n;
    if (!f->has_precision && f->zero && !f->minus && f->has_width && (size_t)f->width > n)
        zeros = (size_t)f->width - n;
    put_parts(f, sign, prefix, zeros, digits);
    return true;
}

// --- floats

#define FLOAT_DIGITS 1100 // decimals that a double can have; behind them are zeros
#define FLOAT_TEXT   1500

// printf in any locale: what stands between digits is the point.
static size_t
print(char *text, const char *fmt, int precision, double d)
{
    int len = snprintf(text, FLOAT_TEXT, fmt, precision, d);
    size_t n = 0;
    bool after_point = false;
    for (int i = 0; i < len && i < FLOAT_TEXT - 1; i++) {
        bool known = (text[i] >= '0' && text[i] <= '9') || text[i] == 'e' || text[i] == '+' || text[i] == '-';
        if (known || !after_point)
            text[n++] = known ? text[i] : '.';
        after_point = !known;
    }
    text[n] = '\0';
    return n;
}

// Digits of |d| without point and trailing zeros (at least one), and the place of the first: 0.d1d2.. ×
// 10^dp.
struct decimal {
    char digits[20 + FLOAT_DIGITS];
    int n, dp;
};

static void
to_decimal(double d, int precision, struct decimal *ret)
{
    char text[FLOAT_TEXT];
    print(text, "%.*e", precision - 1, d);
    char *p = text + (text[0] == '-'), *e = strchr(p, 'e');
    ret->n = 0;
    for (; p < e; p++)
        if (*p != '.')
            ret->digits[ret->n++] = *p;
    ret->dp = (int)strtol(e + 1, NULL, 10) + 1;
    while (ret->n > 1 && ret->digits[ret->n - 1] == '0')
        ret->n--;
    if (d == 0)
        ret->dp = 1;
}

static bool
reads_back(double d, int precision)
{
    char text[64];
    snprintf(text, sizeof text, "%.*e", precision - 1, d);
    return strtod(text, NULL) == d;
}

static void
put_exponent(struct ag_buf *b, char mark, int exp)
{
    ag_buf_char(b, mark);
    ag_buf_char(b, exp < 0 ? '-' : '+');
    unsigned u = (unsigned)(exp < 0 ? -exp : exp);
    if (u < 10)
        ag_buf_char(b, '0');
    ag_buf_u64(b, u);
}

// %g, shortest when precision is negative.
static void
put_general(struct ag_buf *b, double d, char mark, int64_t precision)
{
    struct decimal dec;
    int eprec = 6; // from this exponent on the shortest form has one, too
    if (precision < 0) {
        int n = 1;
        while (n < 17 && !reads_back(d, n))
            n++;
        to_decimal(d, n, &dec);
    } else {
        int n = precision == 0 ? 1 : precision > FLOAT_DIGITS ? FLOAT_DIGITS : (int)precision;
        to_decimal(d, n, &dec);
        eprec = precision == 0 ? 1 : (int)precision;
        if (eprec > dec.n && dec.n >= dec.dp)
            eprec = dec.n;
    }
    int exp = dec.dp - 1;
    if (exp < -4 || exp >= eprec) {
        ag_buf_char(b, dec.digits[0]);
        if (dec.n > 1)
            ag_buf_char(b, '.');
        ag_buf_put(b, dec.digits + 1, (size_t)dec.n - 1);
        put_exponent(b, mark, exp);
        return;
    }
    if (dec.dp <= 0)
        ag_buf_char(b, '0');
    for (int i = 0; i < dec.dp; i++)
        ag_buf_char(b, i < dec.n ? dec.digits[i] : '0');
    if (dec.n > dec.dp)
        ag_buf_char(b, '.');
    for (int i = dec.dp; i < dec.n; i++)
        ag_buf_char(b, i < 0 ? '0' : dec.digits[i]);
}

// %e and %f.
static void
put_fixed(struct ag_fmt *f, double d, bool is_exponent, char mark, int64_t precision)
{
    char text[FLOAT_TEXT];
    int digits = precision > FLOAT_DIGITS ? FLOAT_DIGITS : (int)precision;
    size_t n = print(text, is_exponent ? "%.*e" : "%.*f", digits, d), mantissa = n;
    char *e = is_exponent ? strchr(text, 'e') : NULL;
    if (e)
        mantissa = (size_t)(e - text);
    ag_buf_put(f->out, text, mantissa);
    ag_fmt_fill(f, (size_t)(precision - digits), '0');
    if (e)
        put_exponent(f->out, mark, (int)strtol(e + 1, NULL, 10));
}

// The mantissa and exponent of d > 0 as stored: d = m × 2^exp.
static uint64_t
mantissa_of(double d, int *ret_exp)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    int biased = (int)(bits >> 52 & 0x7ff);
    bits &= (UINT64_C(1) << 52) - 1;
    *ret_exp = (biased ? biased : 1) - 1075;
    return biased ? bits | UINT64_C(1) << 52 : bits;
}

// %x: 0x1.8p+00, shortest when precision is negative.
static void
put_hex(struct ag_fmt *f, double d, bool is_upper, int64_t precision)
{
    enum { PLACES = 13 }; // hex digits behind the point
    int exp;
    uint64_t m = mantissa_of(d, &exp);
    exp += 52;
    for (; m && !(m >> 52); exp--)
        m <<= 1;
    if (m == 0)
        exp = 0;
    if (precision >= 0 && precision < PLACES) {
        unsigned drop = 4 * (unsigned)(PLACES - precision);
        uint64_t half = UINT64_C(1) << (drop - 1), rest = m & (2 * half - 1);
        m -= rest;
        if (rest > half || (rest == half && m & 2 * half))
            m += 2 * half;
        if (m >> 53) {
            m >>= 1;
            exp++;
        }
    }
    ag_buf_str(f->out, is_upper ? AG_STR("0X") : AG_STR("0x"));
    ag_buf_char(f->out, m ? '1' : '0');
    uint64_t frac = m << 12;
    for (int64_t i = 0; i < PLACES && (precision < 0 ? frac != 0 : i < precision); i++, frac <<= 4) {
        if (i == 0)
            ag_buf_char(f->out, '.');
        ag_buf_char(f->out, (is_upper ? "0123456789ABCDEF" : "0123456789abcdef")[frac >> 60]);
    }
    ag_fmt_fill(f, precision > PLACES ? (size_t)(precision - PLACES) : 0, '0');
    put_exponent(f->out, is_upper ? 'P' : 'p', exp);
}

static void
put_binary(struct ag_fmt *f, double d)
{
    int exp;
    ag_buf_u64(f->out, mantissa_of(d, &exp));
    ag_buf_char(f->out, 'p');
    if (exp >= 0)
        ag_buf_char(f->out, '+');
    ag_buf_i64(f->out, exp);
}

// The flag #: a point always, and with %g the zeros that fill up to the precision. `from` is the first digit.
static void
put_point(struct ag_fmt *f, size_t from, uint32_t verb)
{
    char tail[8];
    size_t n = 0;
    bool is_hex = verb == 'x' || verb == 'X', has_point = false, has_digit = false;
    int64_t digits = 0;
    if (verb == 'v' || verb == 'g' || verb == 'G' || verb == 'x')
        digits = f->has_precision ? f->precision : 6;
    for (size_t i = from; i < f->out->n; i++) {
        char ch = f->out->p[i];
        if (ch == 'p' || ch == 'P' || ((ch == 'e' || ch == 'E') && !is_hex)) {
            n = f->out->n - i < sizeof tail ? f->out->n - i : sizeof tail;
            memcpy(tail, f->out->p + i, n);
            f->out->n = i;
            break;
        }
        has_point |= ch == '.';
        if (ch == '.')
            continue;
        has_digit |= ch != '0';
        digits -= has_digit;
    }
    if (!has_point) {
        if (f->out->n - from == 1 && f->out->p[from] == '0')
            digits--;
        ag_buf_char(f->out, '.');
    }
    ag_fmt_fill(f, digits > 0 ? (size_t)digits : 0, '0');
    ag_buf_put(f->out, tail, n);
}

// The sign in front of what was written from `from` on, and the padding.
static void
finish(struct ag_fmt *f, size_t from, bool is_negative)
{
    char sign = lead(f, is_negative);
    size_t n = f->out->n - from + (sign != 0);
    size_t zeros =
        sign && f->zero && !f->minus && f->has_width && (size_t)f->width > n ? (size_t)f->width - n : 0;
    ag_fmt_fill(f, zeros + (sign != 0), '0');
    if (f->out->is_full)
        return;
    size_t added = zeros + (sign != 0);
    memmove(f->out->p + from + added, f->out->p + from, f->out->n - from - added);
    memset(f->out->p + from, '0', added);
    if (sign)
        f->out->p[from] = sign;
    ag_fmt_pad_written(f, from);
}

bool
ag_fmt_put_float(struct ag_fmt *f, uint32_t verb, double d)
{
    size_t from = f->out->n;
    bool is_negative = d < 0 || (d == 0 && 1 / d < 0);
    int64_t given = f->has_precision ? f->precision : -1, fixed = f->has_precision ? f->precision : 6;
    d = is_negative ? -d : d;
    switch (verb) {
    case 'v':
    case 'g':
    case 'G': put_general(f->out, d, verb == 'G' ? 'E' : 'e', given); break;
    case 'f':
    case 'F': put_fixed(f, d, false, 0, fixed); break;
    case 'e':
    case 'E': put_fixed(f, d, true, (char)verb, fixed); break;
    case 'x':
    case 'X': put_hex(f, d, verb == 'X', given); break;
    case 'b': put_binary(f, d); break;
    default: return false;
    }
    if (f->sharp && verb != 'b')
        put_point(f, from, verb);
    finish(f, from, is_negative);
    return true;
}
