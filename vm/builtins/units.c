// SPDX-License-Identifier: Apache-2.0
// Built-ins units.*: amounts with a unit ("10Ki", "1.5 GB") as numbers. units.parse is exact and prints what
// is not whole with ten decimals, units.parse_bytes multiplies with a 64-bit mantissa and drops the fraction:
// both as Open Policy Agent 1.18. In: texts. Out: numbers. Memory: the call's arena. Next file to read:
// base/num.h.
#include "builtin_fns.h"
#include "dec.h"

#define AMOUNT_MAX          400u // bytes of an amount: with its unit the product stays below AG_NUM_TEXT_MAX digits
#define EXPONENT_DIGITS_MAX 6u
#define LIMBS               64u // of nine digits: an amount, a unit and 5^60
#define LIMB                1000000000u
#define FRACTION            10 // decimals of what is not whole

// An amount as it was written, and its unit.
struct amount {
    struct ag_str number, unit;
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Splits in front of the first character that no number has. False: an exponent of too many digits.
static bool
split(struct ag_str s, struct amount *ret)
{
    size_t i = 0;
    for (; i < s.n; i++) {
        char ch = s.p[i];
        if (!is_digit(ch) && !strchr(".eE+-", ch))
            break;
        if (!ch)
            break;
        if (ch != 'e' && ch != 'E')
            continue;
        char next = i + 1 < s.n ? s.p[i + 1] : 0;
        if (!is_digit(next) && next != '+' && next != '-')
            break;
        i += !is_digit(next);
        size_t n = 0;
        while (i + 1 + n < s.n && is_digit(s.p[i + 1 + n]))
            n++;
        if (n > EXPONENT_DIGITS_MAX)
            return false;
    }
    *ret = (struct amount){ag_str_of(s.p, i), ag_str_of(s.p + i, s.n - i)};
    return true;
}

// The digits and exponent of [+-]D[.D][e[+-]D]: ±DIGITS × 10^exp.
struct decimal {
    bool is_negative;
    char digits[AMOUNT_MAX];
    size_t n;
    int32_t exp;
};

static bool
parse_number(struct ag_str s, struct decimal *d)
{
    size_t at = 0, n = 0;
    bool has_point = false;
    int32_t e = 0;
    *d = (struct decimal){.is_negative = s.n && s.p[0] == '-'};
    if (s.n > AMOUNT_MAX)
        return false;
    at += s.n && (s.p[0] == '-' || s.p[0] == '+');
    for (; at < s.n && (is_digit(s.p[at]) || (s.p[at] == '.' && !has_point)); at++) {
        has_point |= s.p[at] == '.';
        if (s.p[at] == '.')
            continue;
        n++;
        d->exp -= has_point;
        if (d->n || s.p[at] != '0')
            d->digits[d->n++] = s.p[at];
    }
    if (n == 0)
        return false;
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        bool minus = ++at < s.n && s.p[at] == '-';
        at += at < s.n && (s.p[at] == '-' || s.p[at] == '+');
        if (at == s.n)
            return false;
        for (; at < s.n && is_digit(s.p[at]); at++)
            e = e * 10 + (s.p[at] - '0');
        d->exp += minus ? -e : e;
    }
    return at == s.n;
}

// --- units.parse
// ----------------------------------------------------------------------------------------

__extension__ typedef unsigned __int128 u128;

// A whole number of nine-digit limbs, least first.
struct big {
    uint32_t limb[LIMBS];
    uint32_t n;
};

static void
big_mul(struct big *b, uint64_t by)
{
    u128 carry = 0;
    for (uint32_t i = 0; i < b->n || carry; i++) {
        if (i == b->n)
            b->limb[b->n++] = 0;
        carry += (u128)b->limb[i] * by;
        b->limb[i] = (uint32_t)(carry % LIMB);
        carry /= LIMB;
    }
}

static void
big_add(struct big *b, uint32_t x)
{
    for (uint32_t i = 0; x; i++) {
        if (i == b->n)
            b->limb[b->n++] = 0;
        x += b->limb[i];
        b->limb[i] = x % LIMB;
        x /= LIMB;
    }
}

// The decimal digits of b without leading zeros; "" for zero.
static size_t
big_digits(const struct big *b, char *ret)
{
    size_t n = 0;
    for (uint32_t i = b->n; i-- > 0;) {
        uint32_t v = b->limb[i];
        for (uint32_t unit = LIMB / 10; unit; unit /= 10)
            if (n || v / unit % 10)
                ret[n++] = (char)('0' + v / unit % 10);
    }
    return n;
}

// The number of a JSON text, or an error.
static struct ag_value
number_of(struct ag_call *c, struct ag_str text, const char *what)
{
    struct ag_num n = ag_num_of_int(0);
    enum ag_num_status s = ag_num_parse(text, c->mem.arena, &n);
    if (s == AG_NUM_FULL)
        return ag_stop(c, AG_EVAL_ARENA);
    return s == AG_NUM_OK ? ag_number_value(&c->mem, n) : ag_error(c, AG_VERR_BUILTIN, "%s", what);
}

// ±digits × 10^exp, whole ones plain and others with FRACTION decimals, rounded half away from zero.
static struct ag_value
put_exact(struct ag_call *c, bool is_negative, struct big *b, int32_t exp)
{
    static const char what[] = "could not parse amount to a number";
    char digits[LIMBS * 9], text[AG_NUM_TEXT_MAX];
    struct ag_buf out;
    size_t n = big_digits(b, digits);
    while (n && exp < 0 && digits[n - 1] == '0')
        n--, exp++;
    if (n == 0)
        return ag_int(0);
    ag_buf_init(&out, text, sizeof text);
    if (exp >= 0) {
        if (is_negative)
            ag_buf_char(&out, '-');
        ag_buf_put(&out, digits, n);
        for (int32_t i = 0; i < exp && exp <= 500; i++)
            ag_buf_char(&out, '0');
        if (exp > 500) { // the same number, too long to be written out
            ag_buf_char(&out, 'e');
            ag_buf_i64(&out, exp);
        }
        return number_of(c, ag_str_of(text, out.n), what);
    }
    if (exp < -FRACTION) { // drop what lies behind the last decimal, rounded
        size_t drop = (size_t)(-exp - FRACTION);
        bool up = drop <= n && digits[n - drop] >= '5';
        n = drop < n ? n - drop : 0;
        *b = (struct big){.n = 0};
        for (size_t i = 0; i < n; i++) {
            big_mul(b, 10);
            big_add(b, (uint32_t)(digits[i] - '0'));
        }
        big_add(b, up);
        n = big_digits(b, digits);
        exp = -FRACTION;
    }
    size_t decimals = (size_t)-exp, whole = n > decimals ? n - decimals : 0;
    if (is_negative)
        ag_buf_char(&out, '-');
    ag_buf_put(&out, whole ? digits : "0", whole ? whole : 1);
    ag_buf_char(&out, '.');
    for (size_t i = n; i < decimals; i++)
        ag_buf_char(&out, '0');
    ag_buf_put(&out, digits + whole, n - whole);
    for (size_t i = decimals; i < FRACTION; i++)
        ag_buf_char(&out, '0');
    return number_of(c, ag_str_of(text, out.n), what);
}

// A copy of s without quotes, ASCII letters in lower case when `lower`. NULL bytes: the evaluation ends.
static struct ag_str
without_quotes(struct ag_call *c, struct ag_str s, bool lower)
{
    char *p = ag_charge_bytes(c, s.n) ? ag_call_alloc(c, s.n + 1, 1) : NULL;
    size_t n = 0;
    for (size_t i = 0; p && i < s.n; i++)
        if (s.p[i] != '"')
            p[n++] = lower && s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    return ag_str_of(p, n);
}

// 1000 or 1024 to the power that a letter of k m g t p e stands for.
static bool
power(char letter, bool is_binary, uint64_t *ret)
{
    static const char letters[] = "kmgtpe";
    const char *at = letter ? strchr(letters, letter) : NULL;
    *ret = 1;
    for (const char *p = letters; at && p <= at; p++)
        *ret *= is_binary ? 1024 : 1000;
    return at != NULL;
}

// Units of units.parse: k K Ki ki and so on; m alone is a thousandth, which is factor 0 here.
static bool
unit_factor(struct ag_str u, uint64_t *ret)
{
    *ret = u.n == 0;
    if (u.n == 0 || ag_str_is(u, "m"))
        return true;
    char letter = u.p[0] >= 'A' && u.p[0] <= 'Z' ? (char)(u.p[0] + 32) : u.p[0];
    bool is_binary = u.n == 2 && u.p[1] == 'i';
    return (u.n == 1 || is_binary) && power(letter, is_binary, ret);
}

struct ag_value
ag_bi_units_parse(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str s = without_quotes(c, ag_value_str(a[0]), false);
    struct amount m;
    struct decimal d;
    uint64_t factor;
    if (!s.p)
        return ag_undef();
    if (memchr(s.p, ' ', s.n))
        return ag_error(c, AG_VERR_BUILTIN, "units.parse: spaces not allowed in resource strings");
    if (!split(s, &m))
        return ag_error(c, AG_VERR_BUILTIN, "units.parse: exponent too large");
    if (m.number.n == 0)
        return ag_error(c, AG_VERR_BUILTIN, "units.parse: no amount provided");
    for (size_t i = 1; i < m.unit.n; i++) { // the copy is ours
        char *p = (char *)(uintptr_t)m.unit.p + i;
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    }
    if (!unit_factor(m.unit, &factor))
        return ag_error(c, AG_VERR_BUILTIN, "units.parse: unit %.*s not recognized",
                        (int)(m.unit.n < 200 ? m.unit.n : 200), m.unit.p);
    if (!parse_number(m.number, &d))
        return ag_error(c, AG_VERR_BUILTIN, "units.parse: could not parse amount to a number");
    struct big b = {.n = 0};
    for (size_t i = 0; i < d.n; i++) {
        big_mul(&b, 10);
        big_add(&b, (uint32_t)(d.digits[i] - '0'));
    }
    if (!ag_charge(c, 2 * d.n + 16))
        return ag_undef();
    if (factor) {
        big_mul(&b, factor);
        return put_exact(c, d.is_negative, &b, d.exp);
    }
    // A thousandth is the double next to 0.001: 1152921504606847 / 2^60, and 2^-60 is 5^60 / 10^60.
    big_mul(&b, 1152921504606847u);
    for (int i = 0; i < 3; i++)
        big_mul(&b, 95367431640625u); // 5^20
    return put_exact(c, d.is_negative, &b, d.exp - 60);
}

// --- units.parse_bytes
// ----------------------------------------------------------------------------------

// Units of units.parse_bytes, in lower case: k kb ki kib and so on.
static bool
byte_factor(struct ag_str u, uint64_t *ret)
{
    *ret = 1;
    if (u.n == 0)
        return true;
    struct ag_str rest = ag_str_of(u.p + 1, u.n - 1);
    bool is_binary = ag_str_is(rest, "i") || ag_str_is(rest, "ib");
    return (is_binary || rest.n == 0 || ag_str_is(rest, "b")) && power(u.p[0], is_binary, ret);
}

// A number past int64 with all the digits of its binary mantissa.
static struct ag_value
all_digits(struct ag_call *c, struct ag_num n, bool is_negative, const char *what)
{
    char digits[AG_NUM_TEXT_MAX], text[AG_NUM_TEXT_MAX];
    struct ag_buf out;
    int32_t exp10 = 0;
    size_t len = ag_dec_exact(n.rec->mant, n.rec->exp2, digits, &exp10);
    ag_buf_init(&out, text, sizeof text);
    if (is_negative)
        ag_buf_char(&out, '-');
    ag_buf_put(&out, digits, len);
    for (; exp10 > 0 && !out.is_full; exp10--)
        ag_buf_char(&out, '0');
    if (len == 0 || out.is_full)
        return ag_error(c, AG_VERR_BUILTIN, "%s", what);
    return number_of(c, ag_str_of(text, out.n), what);
}

// The amount times the factor as soft floats, cut off towards zero.
static struct ag_value
whole_bytes(struct ag_call *c, const struct decimal *d, uint64_t factor)
{
    static const char what[] = "units.parse_bytes: could not parse byte amount to a number";
    char text[AMOUNT_MAX + 16];
    struct ag_buf out;
    int64_t i;
    ag_buf_init(&out, text, sizeof text);
    ag_buf_put(&out, d->n ? d->digits : "0", d->n ? d->n : 1);
    ag_buf_char(&out, 'e');
    ag_buf_i64(&out, d->n ? d->exp : 0);
    struct ag_num n = ag_num_of_int(0);
    enum ag_num_status s = ag_num_parse(ag_str_of(text, out.n), c->mem.arena, &n);
    if (s == AG_NUM_OK)
        s = ag_num_mul(n, ag_num_of_int((int64_t)factor), c->mem.arena, &n);
    if (s == AG_NUM_OK)
        s = ag_num_floor(n, c->mem.arena, &n);
    if (s == AG_NUM_FULL)
        return ag_stop(c, AG_EVAL_ARENA);
    if (s != AG_NUM_OK)
        return ag_error(c, AG_VERR_BUILTIN, "%s", what);
    if (ag_num_to_int64(n, &i))
        return ag_int(d->is_negative ? -i : i);
    return all_digits(c, n, d->is_negative, what);
}

struct ag_value
ag_bi_units_parse_bytes(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str s = without_quotes(c, ag_value_str(a[0]), true);
    struct amount m;
    struct decimal d;
    uint64_t factor;
    if (!s.p)
        return ag_undef();
    if (memchr(s.p, ' ', s.n))
        return ag_error(c, AG_VERR_BUILTIN, "units.parse_bytes: spaces not allowed in resource strings");
    if (!split(s, &m))
        return ag_error(c, AG_VERR_BUILTIN, "units.parse_bytes: exponent too large");
    if (m.number.n == 0)
        return ag_error(c, AG_VERR_BUILTIN, "units.parse_bytes: no byte amount provided");
    if (!byte_factor(m.unit, &factor))
        return ag_error(c, AG_VERR_BUILTIN, "units.parse_bytes: byte unit %.*s not recognized",
                        (int)(m.unit.n < 200 ? m.unit.n : 200), m.unit.p);
    if (!parse_number(m.number, &d))
        return ag_error(c, AG_VERR_BUILTIN, "units.parse_bytes: could not parse byte amount to a number");
    if (!ag_charge(c, AG_NUM_TEXT_MAX))
        return ag_undef();
    return whole_bytes(c, &d, factor);
}
