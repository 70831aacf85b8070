// SPDX-License-Identifier: Apache-2.0
// Pieces of time layouts, and times written by them. In: layout and moment. Out: text. Memory: the caller's
// buffer. Next file to read: layout_parse.c.
#include "layout.h"
#include "zone.h"

#define DAY_S 86400

const char *const ag_month_names[12] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
const char *const ag_weekday_names[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                         "Friday", "Saturday", "Sunday"};

// --- pieces
// ------------------------------------------------------------------------------------------------

// Fixed spellings; of those that begin alike the longer one first.
static const struct spelling {
    const char *text;
    enum ag_layout_kind kind;
    bool not_lower; // no lower-case letter may follow: "Month" is no month
} spellings[] = {
    {"January", AG_LAYOUT_LONG_MONTH, false},
    {"Jan", AG_LAYOUT_MONTH, true},
    {"Monday", AG_LAYOUT_LONG_WEEKDAY, false},
    {"Mon", AG_LAYOUT_WEEKDAY, true},
    {"MST", AG_LAYOUT_TZ, false},
    {"01", AG_LAYOUT_ZERO_MONTH, false},
    {"02", AG_LAYOUT_ZERO_DAY, false},
    {"03", AG_LAYOUT_ZERO_HOUR12, false},
    {"04", AG_LAYOUT_ZERO_MINUTE, false},
    {"05", AG_LAYOUT_ZERO_SECOND, false},
    {"06", AG_LAYOUT_YEAR, false},
    {"002", AG_LAYOUT_ZERO_YEARDAY, false},
    {"15", AG_LAYOUT_HOUR, false},
    {"1", AG_LAYOUT_NUM_MONTH, false},
    {"2006", AG_LAYOUT_LONG_YEAR, false},
    {"2", AG_LAYOUT_DAY, false},
    {"_2", AG_LAYOUT_UNDER_DAY, false},
    {"__2", AG_LAYOUT_UNDER_YEARDAY, false},
    {"3", AG_LAYOUT_HOUR12, false},
    {"4", AG_LAYOUT_MINUTE, false},
    {"5", AG_LAYOUT_SECOND, false},
    {"PM", AG_LAYOUT_PM, false},
    {"pm", AG_LAYOUT_pm, false},
};

// Behind - or Z, in the order in which they are tried.
static const struct offset_spelling {
    const char *text;
    bool has_colon;
    uint8_t parts;
} offsets[] = {
    {"070000", false, 3}, {"07:00:00", true, 3}, {"0700", false, 2}, {"07:00", true, 2}, {"07", false, 1}};

static bool
begins(struct ag_str s, const char *z)
{
    size_t n = strlen(z);
    return s.n >= n && memcmp(s.p, z, n) == 0;
}

// A fraction .000 or ,999 at the start of s, which no digit may follow.
static size_t
fraction_at(struct ag_str s, struct ag_layout_piece *p)
{
    size_t n = 1;
    if (s.n < 2 || (s.p[1] != '0' && s.p[1] != '9'))
        return 0;
    while (n < s.n && s.p[n] == s.p[1])
        n++;
    if (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        return 0;
    p->kind = AG_LAYOUT_FRACTION;
    p->is_trimmed = s.p[1] == '9';
    p->separator = s.p[0];
    p->digits = (uint32_t)(n - 1) & 0xfff;
    return n;
}

// Length of the piece at the start of s, 0: plain text.
static size_t
piece_at(struct ag_str s, struct ag_layout_piece *p)
{
    if (s.p[0] == '.' || s.p[0] == ',')
        return fraction_at(s, p);
    if (s.p[0] == '-' || s.p[0] == 'Z') {
        for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
            if (begins(ag_str_of(s.p + 1, s.n - 1), offsets[i].text)) {
                p->kind = AG_LAYOUT_OFFSET;
                p->has_z = s.p[0] == 'Z';
                p->has_colon = offsets[i].has_colon;
                p->parts = offsets[i].parts;
                return 1 + strlen(offsets[i].text);
            }
        return 0;
    }
    if (begins(s, "_2006")) // a plain _ before the year
        return 0;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        const struct spelling *k = &spellings[i];
        size_t n = strlen(k->text);
        if (!begins(s, k->text) || (k->not_lower && s.n > n && s.p[n] >= 'a' && s.p[n] <= 'z'))
            continue;
        p->kind = k->kind;
        return n;
    }
    return 0;
}

struct ag_layout_piece
ag_layout_next(struct ag_str *layout)
{
    struct ag_layout_piece p = {.kind = AG_LAYOUT_END};
    struct ag_str s = *layout;
    size_t at = 0, n = 0;
    while (at < s.n && (n = piece_at(ag_str_of(s.p + at, s.n - at), &p)) == 0)
        at++;
    p.before = ag_str_of(s.p, at);
    p.text = ag_str_of(s.p + at, n);
    *layout = ag_str_of(s.p + at + n, s.n - at - n);
    return p;
}

struct ag_str
ag_layout_named(struct ag_str name)
{
    static const struct {
        const char *name, *layout;
    } known[] = {
        {"ANSIC", "Mon Jan _2 15:04:05 2006"},
        {"UnixDate", "Mon Jan _2 15:04:05 MST 2006"},
        {"RubyDate", "Mon Jan 02 15:04:05 -0700 2006"},
        {"RFC822", "02 Jan 06 15:04 MST"},
        {"RFC822Z", "02 Jan 06 15:04 -0700"},
        {"RFC850", "Monday, 02-Jan-06 15:04:05 MST"},
        {"RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"},
        {"RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"},
        {"RFC3339", "2006-01-02T15:04:05Z07:00"},
        {"RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (ag_str_is(name, known[i].name))
            return ag_str_z(known[i].layout);
    return name;
}

// --- writing
// -----------------------------------------------------------------------------------------------

// At least `width` digits, zeros in front.
static void
put_int(struct ag_buf *out, int64_t v, unsigned width)
{
    char text[20];
    unsigned n = 0;
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
    if (v < 0)
        ag_buf_char(out, '-');
    do
        text[n++] = (char)('0' + u % 10);
    while ((u /= 10) != 0);
    for (unsigned i = n; i < width; i++)
        ag_buf_char(out, '0');
    while (n)
        ag_buf_char(out, text[--n]);
}

static void
put_blank_int(struct ag_buf *out, int64_t v, unsigned width)
{
    for (int64_t limit = 10; width > 1; width--, limit *= 10)
        if (v < limit)
            ag_buf_char(out, ' ');
    put_int(out, v, 0);
}

static void
put_offset(struct ag_buf *out, const struct ag_layout_piece *p, int32_t offset)
{
    if (offset == 0 && p->has_z) {
        ag_buf_char(out, 'Z');
        return;
    }
    int32_t minutes = offset / 60, seconds = offset % 60;
    ag_buf_char(out, minutes < 0 ? '-' : '+');
    minutes = minutes < 0 ? -minutes : minutes;
    put_int(out, minutes / 60, 2);
    if (p->parts >= 2) {
        if (p->has_colon)
            ag_buf_char(out, ':');
        put_int(out, minutes % 60, 2);
    }
    if (p->parts == 3) {
        if (p->has_colon)
            ag_buf_char(out, ':');
        put_int(out, seconds < 0 ? -seconds : seconds, 2);
    }
}

static void
put_fraction(struct ag_buf *out, const struct ag_layout_piece *p, uint32_t ns)
{
    char text[9];
    size_t n = p->digits < 9 ? p->digits : 9;
    if (p->is_trimmed && (n == 0 || ns == 0))
        return;
    for (size_t i = 9; i-- > 0; ns /= 10)
        text[i] = (char)('0' + ns % 10);
    while (p->is_trimmed && n && text[n - 1] == '0')
        n--;
    if (p->is_trimmed && n == 0)
        return;
    ag_buf_char(out, p->separator);
    ag_buf_put(out, text, n);
}

// The abbreviation, or +hhmm where there is none.
static void
put_zone(struct ag_buf *out, const struct ag_local *t)
{
    static const struct ag_layout_piece number = {.kind = AG_LAYOUT_OFFSET, .parts = 2};
    if (t->abbreviation.n)
        ag_buf_str(out, t->abbreviation);
    else
        put_offset(out, &number, t->offset);
}

struct fields {
    int64_t year;
    unsigned month, day, weekday, yearday; // Monday is 0; the first day is 1
    int32_t hour, minute, second;
};

static struct fields
fields_of(const struct ag_local *t)
{
    struct fields f;
    int64_t s = t->s + t->offset, days = ag_floor_div(s, DAY_S);
    ag_civil_from_days(days, &f.year, &f.month, &f.day);
    f.weekday = ag_weekday(days);
    f.yearday = (unsigned)(days - ag_days_from_civil(f.year, 1, 1)) + 1;
    int32_t in_day = (int32_t)(s - days * DAY_S);
    f.hour = in_day / 3600;
    f.minute = in_day / 60 % 60;
    f.second = in_day % 60;
    return f;
}

static void
put_date(struct ag_buf *out, const struct ag_layout_piece *p, const struct fields *f)
{
    const char *month = ag_month_names[f->month - 1], *day = ag_weekday_names[f->weekday];
    switch (p->kind) {
    case AG_LAYOUT_YEAR: put_int(out, (f->year < 0 ? -f->year : f->year) % 100, 2); break;
    case AG_LAYOUT_LONG_YEAR: put_int(out, f->year, 4); break;
    case AG_LAYOUT_MONTH: ag_buf_put(out, month, 3); break;
    case AG_LAYOUT_LONG_MONTH: ag_buf_str(out, ag_str_z(month)); break;
    case AG_LAYOUT_NUM_MONTH: put_int(out, f->month, 0); break;
    case AG_LAYOUT_ZERO_MONTH: put_int(out, f->month, 2); break;
    case AG_LAYOUT_WEEKDAY: ag_buf_put(out, day, 3); break;
    case AG_LAYOUT_LONG_WEEKDAY: ag_buf_str(out, ag_str_z(day)); break;
    case AG_LAYOUT_DAY: put_int(out, f->day, 0); break;
    case AG_LAYOUT_UNDER_DAY: put_blank_int(out, f->day, 2); break;
    case AG_LAYOUT_ZERO_DAY: put_int(out, f->day, 2); break;
    case AG_LAYOUT_UNDER_YEARDAY: put_blank_int(out, f->yearday, 3); break;
    case AG_LAYOUT_ZERO_YEARDAY: put_int(out, f->yearday, 3); break;
    default: break;
    }
}

static void
put_clock(struct ag_buf *out, const struct ag_layout_piece *p, const struct fields *f)
{
    int32_t hour12 = f->hour % 12 ? f->hour % 12 : 12;
    switch (p->kind) {
    case AG_LAYOUT_HOUR: put_int(out, f->hour, 2); break;
    case AG_LAYOUT_HOUR12: put_int(out, hour12, 0); break;
    case AG_LAYOUT_ZERO_HOUR12: put_int(out, hour12, 2); break;
    case AG_LAYOUT_MINUTE: put_int(out, f->minute, 0); break;
    case AG_LAYOUT_ZERO_MINUTE: put_int(out, f->minute, 2); break;
    case AG_LAYOUT_SECOND: put_int(out, f->second, 0); break;
    case AG_LAYOUT_ZERO_SECOND: put_int(out, f->second, 2); break;
    case AG_LAYOUT_PM: ag_buf_put(out, f->hour >= 12 ? "PM" : "AM", 2); break;
    case AG_LAYOUT_pm: ag_buf_put(out, f->hour >= 12 ? "pm" : "am", 2); break;
    default: break;
    }
}

void
ag_layout_format(struct ag_buf *out, struct ag_str layout, const struct ag_local *t)
{
    struct fields f = fields_of(t);
    while (layout.n) {
        struct ag_layout_piece p = ag_layout_next(&layout);
        ag_buf_str(out, p.before);
        if (p.kind == AG_LAYOUT_OFFSET)
            put_offset(out, &p, t->offset);
        else if (p.kind == AG_LAYOUT_TZ)
            put_zone(out, t);
        else if (p.kind == AG_LAYOUT_FRACTION)
            put_fraction(out, &p, t->ns);
        else {
            put_date(out, &p, &f);
            put_clock(out, &p, &f);
        }
    }
}

// The longest growth of one byte of layout: "1" to two digits, "Monday" to "Wednesday", MST to an
// abbreviation.
size_t
ag_layout_size(struct ag_str layout, const struct ag_local *t)
{
    return 8 + layout.n * (3 + t->abbreviation.n);
}
