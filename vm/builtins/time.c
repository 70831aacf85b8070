// SPDX-License-Identifier: Apache-2.0
// Built-ins time.*: the decision's clock, calendar fields and text of a time, and arithmetic on dates. A time
// is nanoseconds since 1970 UTC, or [nanoseconds, zone], or [nanoseconds, zone, layout]. Zones are those that
// the image carries; "" and "Local" are UTC, since a decision must not depend on where it is made. In: times
// and texts. Out: numbers, arrays, names. Memory: the call's arena. Next file to read: layout.h, then
// ../zone.h.
#include "builtin_fns.h"
#include "layout.h"
#include "zone.h"

#define NS_PER_S  1000000000
#define DAY_S     86400
#define YEARS_MAX 1000000000000000 // of an operand: the calendar is computed in int64
#define ZONE_COST 16u              // zones compared by name for one unit

__extension__ typedef __int128 i128;

// A time operand.
struct moment {
    struct ag_local at;
    const struct ag_zone *zone; // NULL: UTC
    struct ag_str layout;
};

struct ag_value
ag_bi_now_ns(struct ag_call *c, const struct ag_value *a)
{
    (void)a;
    return ag_int(c->now_ns);
}

// --- operands
// ----------------------------------------------------------------------------------------------

static void
set_seconds(struct moment *m, int64_t s)
{
    m->at.s = s;
    m->at.offset = 0;
    m->at.abbreviation = AG_STR("UTC");
    if (m->zone)
        m->at.offset = ag_zone_local(m->zone, s, &m->at.abbreviation);
}

bool
ag_bi_zone(struct ag_call *c, struct ag_str name, const struct ag_zone **ret, struct ag_value *ret_error)
{
    *ret = NULL;
    if (name.n == 0 || ag_str_is(name, "UTC") || ag_str_is(name, "Local"))
        return true;
    if (!ag_charge(c, 1 + c->im->nzones / ZONE_COST)) {
        *ret_error = ag_undef();
        return false;
    }
    for (uint32_t i = 0; i < c->im->nzones; i++) {
        const struct ag_zone *z = ag_image_zone(c->im, i);
        if (ag_str_eq(ag_image_str(c->im, z->name), name)) {
            *ret = z;
            return true;
        }
    }
    *ret_error =
        ag_error(c, AG_VERR_BUILTIN, "unknown time zone %.*s", (int)(name.n < 300 ? name.n : 300), name.p);
    return false;
}

// Reads a time; false: *ret_error is the value to return.
static bool
moment(struct ag_call *c, struct ag_value v, struct moment *ret, struct ag_value *ret_error)
{
    static const char wanted[] = "either number (ns) or [number (ns), string (tz)]";
    struct ag_value ns = v, text;
    int64_t n;
    *ret = (struct moment){0};
    if (v.kind == AG_ARRAY && v.len)
        ns = ag_value_at(&c->mem, v, 0);
    else if (v.kind != AG_NUMBER) {
        *ret_error = ag_error_operand(c, 1, wanted, v);
        return false;
    }
    if (ns.kind != AG_NUMBER) {
        *ret_error = ag_error_operand(c, 1, "number", ns);
        return false;
    }
    for (uint32_t i = 1; v.kind == AG_ARRAY && i < v.len && i < 3; i++) {
        text = ag_value_at(&c->mem, v, i);
        if (text.kind != AG_STRING) {
            *ret_error = ag_error_operand(c, 1, "string", text);
            return false;
        }
        if (i == 1 && !ag_bi_zone(c, ag_value_str(text), &ret->zone, ret_error))
            return false;
        if (i == 2)
            ret->layout = ag_value_str(text);
    }
    if (!ag_number_int(ns, &n)) {
        *ret_error = ag_error(c, AG_VERR_BUILTIN, "timestamp too big");
        return false;
    }
    set_seconds(ret, ag_floor_div(n, NS_PER_S));
    // not from the seconds: those of the least integer are past what nanoseconds can count
    ret->at.ns = (uint32_t)(n % NS_PER_S + (n % NS_PER_S < 0 ? NS_PER_S : 0));
    return true;
}

// Year, month, day, hour, minute, second in the place of the time.
static void
fields(const struct ag_local *t, int64_t ret[6])
{
    int64_t s = t->s + t->offset, days = ag_floor_div(s, DAY_S);
    unsigned month, day;
    ag_civil_from_days(days, &ret[0], &month, &day);
    ret[1] = month;
    ret[2] = day;
    s -= days * DAY_S;
    ret[3] = s / 3600;
    ret[4] = s / 60 % 60;
    ret[5] = s % 60;
}

static struct ag_value
numbers(struct ag_call *c, const int64_t *x, int n)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = ag_builder_push(&c->mem, b, ag_int(x[i]));
    return ag_bi_close(c, b, ok);
}

// s seconds and ns nanoseconds as one number.
static struct ag_value
unix_ns(struct ag_call *c, int64_t s, uint32_t ns)
{
    i128 whole = (i128)s * NS_PER_S + ns;
    if (whole < INT64_MIN || whole > INT64_MAX)
        return ag_error(c, AG_VERR_BUILTIN, "time outside of valid range");
    return ag_int((int64_t)whole);
}

// --- fields and text
// ---------------------------------------------------------------------------------------

struct ag_value
ag_bi_time_clock(struct ag_call *c, const struct ag_value *a)
{
    struct moment m;
    struct ag_value error;
    int64_t f[6];
    if (!moment(c, a[0], &m, &error))
        return error;
    fields(&m.at, f);
    return numbers(c, f + 3, 3);
}

struct ag_value
ag_bi_time_date(struct ag_call *c, const struct ag_value *a)
{
    struct moment m;
    struct ag_value error;
    int64_t f[6];
    if (!moment(c, a[0], &m, &error))
        return error;
    fields(&m.at, f);
    return numbers(c, f, 3);
}

struct ag_value
ag_bi_time_weekday(struct ag_call *c, const struct ag_value *a)
{
    struct moment m;
    struct ag_value error;
    if (!moment(c, a[0], &m, &error))
        return error;
    unsigned day = ag_weekday(ag_floor_div(m.at.s + m.at.offset, DAY_S));
    return ag_bi_copy(c, ag_str_z(ag_weekday_names[day]));
}

struct ag_value
ag_bi_time_format(struct ag_call *c, const struct ag_value *a)
{
    struct moment m;
    struct ag_value error;
    struct ag_buf out;
    if (!moment(c, a[0], &m, &error))
        return error;
    struct ag_str layout = ag_layout_named(m.layout.n ? m.layout : AG_STR("RFC3339Nano"));
    size_t size = ag_layout_size(layout, &m.at), mark = ag_arena_mark(c->mem.arena);
    char *text = ag_charge_bytes(c, size) ? ag_call_alloc(c, size, 1) : NULL;
    if (!text)
        return ag_undef();
    ag_buf_init(&out, text, size);
    ag_layout_format(&out, layout, &m.at);
    ag_arena_reset(c->mem.arena, mark + out.n); // align 1: the text starts at the mark
    return out.is_full ? ag_stop(c, AG_EVAL_ARENA) : ag_bi_text(text, out.n);
}

static struct ag_value
parse(struct ag_call *c, struct ag_str layout, struct ag_str text)
{
    int64_t s;
    uint32_t ns;
    if (!ag_charge_bytes(c, 64 + 4 * (uint64_t)(layout.n + text.n)))
        return ag_undef();
    struct ag_value error = ag_layout_parse(c, layout, text, &s, &ns);
    return error.kind == AG_ERROR ? error : unix_ns(c, s, ns);
}

struct ag_value
ag_bi_time_parse(struct ag_call *c, const struct ag_value *a)
{
    return parse(c, ag_layout_named(ag_value_str(a[0])), ag_value_str(a[1]));
}

struct ag_value
ag_bi_time_parse_rfc3339(struct ag_call *c, const struct ag_value *a)
{
    return parse(c, ag_layout_named(AG_STR("RFC3339")), ag_value_str(a[0]));
}

// --- arithmetic
// --------------------------------------------------------------------------------------------

// Local seconds as UNIX seconds: the offset before the moment, but the one that holds there when they differ.
static int64_t
to_utc(const struct ag_zone *z, int64_t local)
{
    struct ag_str ignored;
    int64_t offset = z ? ag_zone_local(z, local, &ignored) : 0;
    return offset ? local - ag_zone_local(z, local - offset, &ignored) : local;
}

struct ag_value
ag_bi_time_add_date(struct ag_call *c, const struct ag_value *a)
{
    struct moment m;
    struct ag_value error;
    int64_t f[6], add[3];
    if (!moment(c, a[0], &m, &error))
        return error;
    for (unsigned i = 0; i < 3; i++)
        if (!ag_bi_int(c, i + 2, a[i + 1], &add[i], &error))
            return error;
    bool is_far = false;
    for (int i = 0; i < 3; i++)
        is_far |= add[i] > YEARS_MAX || add[i] < -YEARS_MAX;
    fields(&m.at, f);
    int64_t month = f[1] - 1 + add[1], year = f[0] + add[0] + ag_floor_div(month, 12);
    is_far |= year > YEARS_MAX / DAY_S || year < -YEARS_MAX / DAY_S;
    is_far |= add[2] > YEARS_MAX / DAY_S || add[2] < -YEARS_MAX / DAY_S;
    if (is_far)
        return ag_error(c, AG_VERR_BUILTIN, "time outside of valid range");
    int64_t days =
        ag_days_from_civil(year, (unsigned)(month - 12 * ag_floor_div(month, 12)) + 1, 1) + f[2] - 1 + add[2];
    int64_t local = days * DAY_S + f[3] * 3600 + f[4] * 60 + f[5];
    return unix_ns(c, to_utc(m.zone, local), m.at.ns);
}

static bool
is_after(const struct moment *x, const struct moment *y)
{
    return x->at.s != y->at.s ? x->at.s > y->at.s : x->at.ns > y->at.ns;
}

struct ag_value
ag_bi_time_diff(struct ag_call *c, const struct ag_value *a)
{
    static const int64_t size[6] = {0, 12, 0, 24, 60, 60};
    struct moment x, y;
    struct ag_value error;
    int64_t f[6], g[6];
    if (!moment(c, a[0], &x, &error) || !moment(c, a[1], &y, &error))
        return error;
    y.zone = x.zone; // both are told in the place of the first
    set_seconds(&y, y.at.s);
    fields(&x.at, f);
    fields(&y.at, g);
    const int64_t *from = is_after(&x, &y) ? g : f, *to = from == f ? g : f;
    int64_t d[6];
    for (int i = 0; i < 6; i++)
        d[i] = to[i] - from[i];
    for (int i = 5; i > 0; i--) {
        if (d[i] >= 0)
            continue;
        int64_t next = from[1] == 12 ? ag_days_from_civil(from[0] + 1, 1, 1)
                                     : ag_days_from_civil(from[0], (unsigned)from[1] + 1, 1);
        d[i] += i == 2 ? next - ag_days_from_civil(from[0], (unsigned)from[1], 1) : size[i];
        d[i - 1]--;
    }
    return numbers(c, d, 6);
}
