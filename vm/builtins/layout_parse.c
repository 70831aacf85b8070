// SPDX-License-Identifier: Apache-2.0
// Times read by a layout, as lenient and as strict as Go's time.Parse (1.26), with its messages. In: layout
// and text. Out: a moment or an error. Memory: none but for the error's text. Next file to read: time.c.
#include "layout.h"
#include "zone.h"

#define DAY_S      86400
#define QUOTED_MAX 300u // bytes of a text quoted in an error

enum verdict { FINE, BAD, OUT_OF_RANGE };

// What has been read; -1: not given.
struct parsed {
    int year, month, day, yearday, hour, minute, second;
    uint32_t ns;
    bool is_am, is_pm, is_utc;
    int32_t offset;
    const char *range; // what was out of range
};

// --- small pieces
// ------------------------------------------------------------------------------------------

static void
skip_bytes(struct ag_str *s, size_t n)
{
    s->p += n;
    s->n -= n;
}

static bool
digit_at(struct ag_str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

// One or two digits; `fixed` wants two.
static bool
number2(struct ag_str *s, bool fixed, int *ret)
{
    if (!digit_at(*s, 0) || (fixed && !digit_at(*s, 1)))
        return false;
    size_t n = digit_at(*s, 1) ? 2 : 1;
    *ret = s->p[0] - '0';
    if (n == 2)
        *ret = *ret * 10 + (s->p[1] - '0');
    skip_bytes(s, n);
    return true;
}

static bool
number3(struct ag_str *s, bool fixed, int *ret)
{
    size_t n = 0;
    *ret = 0;
    for (; n < 3 && digit_at(*s, n); n++)
        *ret = *ret * 10 + (s->p[n] - '0');
    skip_bytes(s, n);
    return n && (!fixed || n == 3);
}

// n bytes that are all digits, a sign allowed in front.
static bool
signed_digits(struct ag_str *s, size_t n, int *ret)
{
    struct ag_str p = ag_str_of(s->p, n);
    if (s->n < n)
        return false;
    skip_bytes(s, n);
    bool minus = n && p.p[0] == '-';
    if (n && (p.p[0] == '-' || p.p[0] == '+'))
        skip_bytes(&p, 1);
    int v = 0;
    for (size_t i = 0; i < p.n; i++) {
        if (!digit_at(p, i))
            return false;
        v = v * 10 + (p.p[i] - '0');
    }
    *ret = minus ? -v : v;
    return true;
}

// The index of the name that the text begins with, whatever its case; `n` bytes of each name, 0: all.
static bool
name(struct ag_str *s, const char *const *names, int count, size_t n, int *ret)
{
    for (int i = 0; i < count; i++) {
        size_t len = n ? n : strlen(names[i]), k = 0;
        while (k < len && k < s->n) {
            char a = s->p[k], b = names[i][k];
            if (a != b && ((a | 32) != (b | 32) || (a | 32) < 'a' || (a | 32) > 'z'))
                break;
            k++;
        }
        if (k == len) {
            skip_bytes(s, len);
            *ret = i;
            return true;
        }
    }
    return false;
}

// Skips the layout's plain text; a blank of it stands for any number of blanks.
static bool
skip_text(struct ag_str *s, struct ag_str prefix)
{
    while (prefix.n) {
        if (prefix.p[0] == ' ') {
            if (s->n && s->p[0] != ' ')
                return false;
            while (prefix.n && prefix.p[0] == ' ')
                skip_bytes(&prefix, 1);
            while (s->n && s->p[0] == ' ')
                skip_bytes(s, 1);
            continue;
        }
        if (!s->n || s->p[0] != prefix.p[0])
            return false;
        skip_bytes(&prefix, 1);
        skip_bytes(s, 1);
    }
    return true;
}

static bool
is_separator(char c)
{
    return c == '.' || c == ',';
}

// A separator and n - 1 digits; digits past the ninth are dropped.
static enum verdict
fraction(struct ag_str *s, size_t n, struct parsed *p)
{
    struct ag_str d = ag_str_of(s->p, n > 10 ? 10 : n);
    if (!n || s->n < n || !is_separator(d.p[0]))
        return BAD;
    skip_bytes(s, n);
    skip_bytes(&d, 1);
    bool minus = d.n && d.p[0] == '-'; // a sign takes the place of a digit
    size_t width = d.n;
    if (d.n && (d.p[0] == '-' || d.p[0] == '+'))
        skip_bytes(&d, 1);
    uint32_t v = 0;
    for (size_t i = 0; i < d.n; i++) {
        if (!digit_at(d, i))
            return BAD;
        v = v * 10 + (uint32_t)(d.p[i] - '0');
    }
    if (minus && v) {
        p->range = "fractional second";
        return OUT_OF_RANGE;
    }
    for (size_t i = width; i < 9; i++)
        v *= 10;
    p->ns = v;
    return FINE;
}

static enum verdict
in_range(struct parsed *p, bool ok, const char *what)
{
    if (!ok)
        p->range = what;
    return ok ? FINE : OUT_OF_RANGE;
}

// --- pieces of the layout
// ----------------------------------------------------------------------------------

static enum verdict
read_date(const struct ag_layout_piece *l, struct ag_str *s, struct parsed *p)
{
    int ignored;
    switch (l->kind) {
    case AG_LAYOUT_YEAR:
        if (!signed_digits(s, 2, &p->year))
            return BAD;
        p->year += p->year >= 69 ? 1900 : 2000;
        return FINE;
    case AG_LAYOUT_LONG_YEAR: return digit_at(*s, 0) && signed_digits(s, 4, &p->year) ? FINE : BAD;
    case AG_LAYOUT_MONTH:
    case AG_LAYOUT_LONG_MONTH:
        if (!name(s, ag_month_names, 12, l->kind == AG_LAYOUT_MONTH ? 3 : 0, &p->month))
            return BAD;
        p->month++;
        return FINE;
    case AG_LAYOUT_NUM_MONTH:
    case AG_LAYOUT_ZERO_MONTH:
        if (!number2(s, l->kind == AG_LAYOUT_ZERO_MONTH, &p->month))
            return BAD;
        return in_range(p, p->month >= 1 && p->month <= 12, "month");
    case AG_LAYOUT_WEEKDAY: return name(s, ag_weekday_names, 7, 3, &ignored) ? FINE : BAD;
    case AG_LAYOUT_LONG_WEEKDAY: return name(s, ag_weekday_names, 7, 0, &ignored) ? FINE : BAD;
    case AG_LAYOUT_UNDER_DAY:
        if (s->n && s->p[0] == ' ')
            skip_bytes(s, 1);
        return number2(s, false, &p->day) ? FINE : BAD;
    case AG_LAYOUT_DAY:
    case AG_LAYOUT_ZERO_DAY: return number2(s, l->kind == AG_LAYOUT_ZERO_DAY, &p->day) ? FINE : BAD;
    default: // AG_LAYOUT_UNDER_YEARDAY, AG_LAYOUT_ZERO_YEARDAY
        for (int i = 0; i < 2 && l->kind == AG_LAYOUT_UNDER_YEARDAY && s->n && s->p[0] == ' '; i++)
            skip_bytes(s, 1);
        return number3(s, l->kind == AG_LAYOUT_ZERO_YEARDAY, &p->yearday) ? FINE : BAD;
    }
}

// Seconds; a fraction that the layout does not mention is read too.
static enum verdict
read_second(const struct ag_layout_piece *l, struct ag_str *s, struct ag_str rest, struct parsed *p)
{
    if (!number2(s, l->kind == AG_LAYOUT_ZERO_SECOND, &p->second))
        return BAD;
    if (p->second >= 60)
        return in_range(p, false, "second");
    if (s->n < 2 || !is_separator(s->p[0]) || !digit_at(*s, 1) ||
        ag_layout_next(&rest).kind == AG_LAYOUT_FRACTION)
        return FINE;
    size_t n = 2;
    while (digit_at(*s, n))
        n++;
    return fraction(s, n, p);
}

static enum verdict
read_noon(const struct ag_layout_piece *l, struct ag_str *s, struct parsed *p)
{
    const char *am = l->kind == AG_LAYOUT_PM ? "AM" : "am", *pm = l->kind == AG_LAYOUT_PM ? "PM" : "pm";
    if (s->n < 2)
        return BAD;
    bool is_am = memcmp(s->p, am, 2) == 0, is_pm = memcmp(s->p, pm, 2) == 0;
    skip_bytes(s, 2);
    p->is_am |= is_am;
    p->is_pm |= is_pm;
    return is_am || is_pm ? FINE : BAD;
}

static enum verdict
read_clock(const struct ag_layout_piece *l, struct ag_str *s, struct ag_str rest, struct parsed *p)
{
    switch (l->kind) {
    case AG_LAYOUT_HOUR: return !number2(s, false, &p->hour) ? BAD : in_range(p, p->hour < 24, "hour");
    case AG_LAYOUT_HOUR12:
    case AG_LAYOUT_ZERO_HOUR12:
        return !number2(s, l->kind == AG_LAYOUT_ZERO_HOUR12, &p->hour) ? BAD
                                                                       : in_range(p, p->hour <= 12, "hour");
    case AG_LAYOUT_MINUTE:
    case AG_LAYOUT_ZERO_MINUTE:
        return !number2(s, l->kind == AG_LAYOUT_ZERO_MINUTE, &p->minute)
                   ? BAD
                   : in_range(p, p->minute < 60, "minute");
    case AG_LAYOUT_SECOND:
    case AG_LAYOUT_ZERO_SECOND: return read_second(l, s, rest, p);
    default: return read_noon(l, s, p);
    }
}

// +hh, +hhmm, +hh:mm:ss and so on, or Z where the layout has it.
static enum verdict
read_offset(const struct ag_layout_piece *l, struct ag_str *s, struct parsed *p)
{
    static const char *const what[] = {"time zone offset hour", "time zone offset minute",
                                       "time zone offset second"};
    static const int max[] = {24, 60, 60};
    int part[3] = {0};
    if (l->has_z && s->n && s->p[0] == 'Z') {
        p->is_utc = true;
        skip_bytes(s, 1);
        return FINE;
    }
    size_t step = l->has_colon ? 3 : 2, n = 1 + step * l->parts - l->has_colon;
    if (s->n < n)
        return BAD;
    for (unsigned i = 0; i < l->parts; i++)
        if (i && l->has_colon && s->p[step * i] != ':')
            return BAD;
    bool ok = true;
    for (unsigned i = 0; ok && i < l->parts; i++) {
        struct ag_str two = ag_str_of(s->p + 1 + step * i, 2);
        ok = number2(&two, true, &part[i]);
    }
    for (unsigned i = 0; i < 3; i++)
        if (part[i] > max[i])
            p->range = what[i];
    bool minus = s->p[0] == '-';
    ok &= minus || s->p[0] == '+';
    skip_bytes(s, n);
    p->offset = (part[0] * 60 + part[1]) * 60 + part[2];
    p->offset = minus ? -p->offset : p->offset;
    return p->range ? OUT_OF_RANGE : ok ? FINE : BAD;
}

// Length of a sign and an hour up to 23; 0: none.
static size_t
signed_hour(struct ag_str s)
{
    size_t n = 1;
    uint32_t v = 0;
    if (!s.n || (s.p[0] != '-' && s.p[0] != '+'))
        return 0;
    for (; digit_at(s, n); n++)
        v = v > 23 ? v : v * 10 + (uint32_t)(s.p[n] - '0');
    return n == 1 || v > 23 ? 0 : n;
}

// Length of an abbreviation of a zone: GMT+3, +03, or three to five capitals of a usual form; 0: none.
static size_t
zone_name(struct ag_str s)
{
    size_t n = 0;
    if (s.n < 3)
        return 0;
    if (s.n >= 4 && (memcmp(s.p, "ChST", 4) == 0 || memcmp(s.p, "MeST", 4) == 0))
        return 4;
    if (memcmp(s.p, "GMT", 3) == 0)
        return 3 + signed_hour(ag_str_of(s.p + 3, s.n - 3));
    if (s.p[0] == '+' || s.p[0] == '-')
        return signed_hour(s);
    while (n < 6 && n < s.n && s.p[n] >= 'A' && s.p[n] <= 'Z')
        n++;
    bool ends_in_t = (n == 4 || n == 5) && s.p[n - 1] == 'T';
    return n == 3 || ends_in_t || (n == 4 && memcmp(s.p, "WITA", 4) == 0) ? n : 0;
}

static enum verdict
read_zone(struct ag_str *s, struct parsed *p)
{
    if (s->n >= 3 && memcmp(s->p, "UTC", 3) == 0) {
        p->is_utc = true;
        skip_bytes(s, 3);
        return FINE;
    }
    size_t n = zone_name(*s);
    skip_bytes(s, n);
    return n ? FINE : BAD;
}

static enum verdict
read_fraction(const struct ag_layout_piece *l, struct ag_str *s, struct parsed *p)
{
    size_t n = 1;
    if (!l->is_trimmed)
        return fraction(s, (size_t)l->digits + 1, p);
    if (s->n < 2 || !is_separator(s->p[0]) || !digit_at(*s, 1))
        return FINE;
    while (digit_at(*s, n))
        n++;
    return fraction(s, n, p);
}

static enum verdict
read_piece(const struct ag_layout_piece *l, struct ag_str *s, struct ag_str rest, struct parsed *p)
{
    switch (l->kind) {
    case AG_LAYOUT_OFFSET: return read_offset(l, s, p);
    case AG_LAYOUT_TZ: return read_zone(s, p);
    case AG_LAYOUT_FRACTION: return read_fraction(l, s, p);
    case AG_LAYOUT_HOUR:
    case AG_LAYOUT_HOUR12:
    case AG_LAYOUT_ZERO_HOUR12:
    case AG_LAYOUT_MINUTE:
    case AG_LAYOUT_ZERO_MINUTE:
    case AG_LAYOUT_SECOND:
    case AG_LAYOUT_ZERO_SECOND:
    case AG_LAYOUT_PM:
    case AG_LAYOUT_pm: return read_clock(l, s, rest, p);
    default: return read_date(l, s, p);
    }
}

// --- the whole
// ---------------------------------------------------------------------------------------------

void
ag_layout_quote(struct ag_buf *out, struct ag_str s)
{
    ag_buf_char(out, '"');
    for (size_t i = 0; i < s.n && i < QUOTED_MAX; i++) {
        uint8_t b = (uint8_t)s.p[i];
        if (b < ' ' || b >= 0x80) {
            ag_buf_lit(out, "\\x");
            ag_buf_hex(out, &b, 1);
            continue;
        }
        if (b == '"' || b == '\\')
            ag_buf_char(out, '\\');
        ag_buf_char(out, (char)b);
    }
    ag_buf_char(out, '"');
}

// parsing time "TEXT" as "LAYOUT": cannot parse "REST" as "PIECE"
static struct ag_value
cannot_parse(struct ag_call *c, struct ag_str layout, struct ag_str text, struct ag_str piece,
             struct ag_str rest)
{
    char words[AG_ERROR_TEXT_MAX];
    struct ag_buf out;
    ag_buf_init(&out, words, sizeof words);
    ag_buf_lit(&out, "parsing time ");
    ag_layout_quote(&out, text);
    ag_buf_lit(&out, " as ");
    ag_layout_quote(&out, layout);
    ag_buf_lit(&out, ": cannot parse ");
    ag_layout_quote(&out, rest);
    ag_buf_lit(&out, " as ");
    ag_layout_quote(&out, piece);
    return ag_error(c, AG_VERR_BUILTIN, "%.*s", (int)out.n, out.p);
}

// parsing time "TEXT": WHAT
static struct ag_value
wrong(struct ag_call *c, struct ag_str text, const char *what, const char *what2, const struct ag_str *extra)
{
    char words[AG_ERROR_TEXT_MAX];
    struct ag_buf out;
    ag_buf_init(&out, words, sizeof words);
    ag_buf_lit(&out, "parsing time ");
    ag_layout_quote(&out, text);
    ag_buf_lit(&out, ": ");
    ag_buf_str(&out, ag_str_z(what));
    ag_buf_str(&out, ag_str_z(what2));
    if (extra)
        ag_layout_quote(&out, *extra);
    return ag_error(c, AG_VERR_BUILTIN, "%.*s", (int)out.n, out.p);
}

static bool
is_leap(int y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static int
days_in(int year, int month)
{
    return month == 2 ? 28 + is_leap(year) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Month and day from the day of the year; NULL, or what is wrong.
static const char *
settle_yearday(struct parsed *p)
{
    int day = p->yearday, month = 1;
    if (day < 1 || day > 365 + is_leap(p->year))
        return "day-of-year out of range";
    for (; day > days_in(p->year, month); month++)
        day -= days_in(p->year, month);
    if (p->month >= 0 && p->month != month)
        return "day-of-year does not match month";
    if (p->day >= 0 && p->day != day)
        return "day-of-year does not match day";
    p->month = month;
    p->day = day;
    return NULL;
}

// Completes date, hour and offset; NULL, or what is wrong.
static const char *
settle(struct parsed *p)
{
    const char *why = p->yearday >= 0 ? settle_yearday(p) : NULL;
    if (why)
        return why;
    if (p->is_pm && p->hour < 12)
        p->hour += 12;
    else if (p->is_am && !p->is_pm && p->hour == 12)
        p->hour = 0;
    p->month = p->month < 0 ? 1 : p->month;
    p->day = p->day < 0 ? 1 : p->day;
    if (p->day < 1 || p->day > days_in(p->year, p->month))
        return "day out of range";
    // A zone's name alone does not move the clock, and an offset of -1 second is what Go takes for none.
    if (p->is_utc || p->offset == -1)
        p->offset = 0;
    return NULL;
}

struct ag_value
ag_layout_parse(struct ag_call *c, struct ag_str layout, struct ag_str text, int64_t *ret_s, uint32_t *ret_ns)
{
    struct parsed p = {.month = -1, .day = -1, .yearday = -1};
    struct ag_str s = text, rest = layout;
    for (;;) {
        struct ag_layout_piece l = ag_layout_next(&rest);
        if (!skip_text(&s, l.before))
            return cannot_parse(c, layout, text, l.before, s);
        if (l.kind == AG_LAYOUT_END)
            break;
        struct ag_str before = s;
        enum verdict v = read_piece(&l, &s, rest, &p);
        if (v == OUT_OF_RANGE)
            return wrong(c, text, p.range, " out of range", NULL);
        if (v == BAD)
            return cannot_parse(c, layout, text, l.text, before);
    }
    if (s.n)
        return wrong(c, text, "extra text: ", "", &s);
    const char *why = settle(&p);
    if (why)
        return wrong(c, text, why, "", NULL);
    *ret_s = ag_days_from_civil(p.year, (unsigned)p.month, (unsigned)p.day) * DAY_S + p.hour * 3600 +
             p.minute * 60 + p.second - p.offset;
    *ret_ns = p.ns;
    return ag_undef();
}
