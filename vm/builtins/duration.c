// SPDX-License-Identifier: Apache-2.0
// time.parse_duration_ns: "1h30m", "-1.5h", and with days, weeks and years of 24, 168 and 8760 hours. The
// limits and roundings are those of Go's time.ParseDuration. In: text. Out: nanoseconds or an error. No
// memory. Next file to read: time.c.
#include "builtin_fns.h"
#include "layout.h"

#define NS_PER_HOUR 3600000000000ull
#define LIMIT       ((uint64_t)1 << 63) // nanoseconds, and what a part may hold

static const struct {
    const char *name;
    uint64_t ns;    // of one; of an hour for those that are counted in hours
    unsigned hours; // of one d, w, y
} units[] = {
    {"ns", 1, 0},           {"us", 1000, 0},         {"\xc2\xb5s", 1000, 0},   {"\xce\xbcs", 1000, 0},
    {"ms", 1000000, 0},     {"s", 1000000000, 0},    {"m", 60000000000, 0},    {"h", NS_PER_HOUR, 0},
    {"d", NS_PER_HOUR, 24}, {"w", NS_PER_HOUR, 168}, {"y", NS_PER_HOUR, 8760},
};

// An amount without its unit: whole + fraction / scale.
struct part {
    uint64_t whole, fraction;
    double scale;
};

static bool
digit_at(struct ag_str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

// DIGITS[.DIGITS] at s[*at]; false: none, or a whole part past 2^63.
static bool
read_number(struct ag_str s, size_t *at, struct part *ret)
{
    size_t begin = *at, i = begin, digits;
    bool is_full = false;
    *ret = (struct part){.scale = 1};
    for (; digit_at(s, i); i++) {
        if (ret->whole > LIMIT / 10)
            return false;
        ret->whole = ret->whole * 10 + (uint64_t)(s.p[i] - '0');
        if (ret->whole > LIMIT)
            return false;
    }
    digits = i - begin;
    if (i < s.n && s.p[i] == '.') {
        for (i++; digit_at(s, i); i++, digits++) {
            uint64_t next = ret->fraction * 10 + (uint64_t)(s.p[i] - '0');
            is_full |= ret->fraction > (LIMIT - 1) / 10 || next > LIMIT;
            if (is_full) // what lies behind is too small to count
                continue;
            ret->fraction = next;
            ret->scale *= 10;
        }
    }
    *at = i;
    return digits > 0;
}

// The amount times `hours`, as the double nearest to it and then as the shortest decimal of that double: so
// many hours. False: the evaluation ends, or there are more digits than can be.
static bool
in_hours(struct ag_call *c, const struct part *p, unsigned hours, struct part *ret)
{
    struct ag_num n = ag_num_of_int(0);
    double x = ((double)p->whole + (double)p->fraction / p->scale) * hours;
    if (!(x < (double)LIMIT))
        return false;
    if (ag_num_from_double(x, c->mem.arena, &n) != AG_NUM_OK)
        return ag_stop(c, AG_EVAL_ARENA), false;
    *ret = (struct part){.whole = (uint64_t)x, .scale = 1};
    if (!n.rec)
        return true;
    int32_t point = n.rec->digits_n + n.rec->exp10; // digits before the decimal point
    for (int32_t i = point < 0 ? point : 0; i < n.rec->digits_n && ret->scale < 1e18; i++) {
        if (i >= 0 && i < point)
            continue;
        ret->fraction = ret->fraction * 10 + (i < 0 ? 0 : (uint64_t)(n.rec->bytes[i] - '0'));
        ret->scale *= 10;
    }
    return true;
}

// Nanoseconds of one part; false: too many.
static bool
part_ns(struct ag_call *c, const struct part *p, size_t unit, uint64_t *ret)
{
    struct part h = *p;
    if (units[unit].hours && !in_hours(c, p, units[unit].hours, &h))
        return false;
    if (h.whole > LIMIT / units[unit].ns)
        return false;
    *ret = h.whole * units[unit].ns;
    if (h.fraction)
        *ret += (uint64_t)((double)h.fraction * ((double)units[unit].ns / h.scale));
    return *ret <= LIMIT;
}

// time: WHAT "TEXT", and of an unknown unit its name.
static struct ag_value
invalid(struct ag_call *c, const char *what, struct ag_str s, struct ag_str unit)
{
    char words[AG_ERROR_TEXT_MAX];
    struct ag_buf out;
    ag_buf_init(&out, words, sizeof words);
    ag_buf_lit(&out, "time: ");
    ag_buf_str(&out, ag_str_z(what));
    if (unit.n) {
        ag_layout_quote(&out, unit);
        ag_buf_lit(&out, " in duration ");
    }
    ag_layout_quote(&out, s);
    return ag_error(c, AG_VERR_BUILTIN, "%.*s", (int)out.n, out.p);
}

// A text with days, weeks or years is read by a grammar of its own: DIGITS UNIT, a unit being ms, us, ns, µs
// (U+00B5) or one small letter.
static bool
is_extended(struct ag_str s)
{
    return s.n && (memchr(s.p, 'd', s.n) || memchr(s.p, 'w', s.n) || memchr(s.p, 'y', s.n));
}

static bool
is_extended_unit(struct ag_str u)
{
    if (u.n == 1)
        return u.p[0] >= 'a' && u.p[0] <= 'z';
    return ag_str_is(u, "ms") || ag_str_is(u, "us") || ag_str_is(u, "ns") || ag_str_is(u, "\xc2\xb5s");
}

struct ag_value
ag_bi_time_parse_duration(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str s = ag_value_str(a[0]), none = {NULL, 0};
    struct part p;
    bool extended = is_extended(s);
    uint64_t sum = 0, ns;
    bool minus = s.n && s.p[0] == '-';
    size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+');
    if (!ag_charge_bytes(c, s.n))
        return ag_undef();
    if (s.n == at + 1 && s.p[at] == '0')
        return ag_int(0);
    if (s.n == at)
        return invalid(c, "invalid duration ", s, none);
    while (at < s.n) {
        if (!read_number(s, &at, &p))
            return invalid(c, "invalid duration ", s, none);
        size_t begin = at, unit = 0;
        while (at < s.n && s.p[at] != '.' && !digit_at(s, at))
            at++;
        struct ag_str word = ag_str_of(s.p + begin, at - begin);
        if (!word.n)
            return invalid(c, extended ? "invalid duration " : "missing unit in duration ", s, none);
        if (extended && !is_extended_unit(word))
            return invalid(c, "invalid duration ", s, none);
        while (unit < sizeof units / sizeof *units && !ag_str_is(word, units[unit].name))
            unit++;
        if (unit == sizeof units / sizeof *units)
            return invalid(c, "unknown unit ", s, word);
        if (!part_ns(c, &p, unit, &ns) || (sum += ns) > LIMIT)
            return invalid(c, "invalid duration ", s, none);
    }
    if (sum == LIMIT && !minus)
        return invalid(c, "invalid duration ", s, none);
    return ag_int((int64_t)(minus ? -sum : sum));
}
