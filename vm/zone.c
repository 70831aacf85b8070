// SPDX-License-Identifier: Apache-2.0
// The decision's clock against time windows: minute of the week per zone, computed once per decision.
// In: UNIX time, zones and windows of the image. Out: yes or no. No libc time, no zone files: the image has
// both. Who owns memory: one small table in the call's arena. Next file to read: docs/formats/image.md.
#include "zone.h"
#include "machine.h"

#define DAY_S     86400
#define DAY_MIN   1440
#define NS_PER_S  1000000000
#define NOT_YET   (-1)
#define EPOCH_ISO 3 // 1970-01-01 was a Thursday; Monday is 0

struct ag_clock {
    int32_t week_minute[1]; // [0] UTC, [1 + zone]; NOT_YET until asked for
};

// --- calendar
// ------------------------------------------------------------------------------------------------

// Howard Hinnant's day arithmetic: years begin in March, so the leap day is the last of a 400-year era.
int64_t
ag_days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = ag_floor_div(y, 400);
    unsigned yoe = (unsigned)(y - era * 400), doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

void
ag_civil_from_days(int64_t days, int64_t *ret_y, unsigned *ret_m, unsigned *ret_d)
{
    days += 719468;
    int64_t era = ag_floor_div(days, 146097);
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *ret_d = doy - (153 * mp + 2) / 5 + 1;
    *ret_m = mp < 10 ? mp + 3 : mp - 9;
    *ret_y = (int64_t)yoe + era * 400 + (*ret_m <= 2);
}

unsigned
ag_weekday(int64_t days)
{
    int64_t w = (days + EPOCH_ISO) % 7;
    return (unsigned)(w < 0 ? w + 7 : w);
}

// --- zones
// -----------------------------------------------------------------------------------------------------

// Local seconds since 1970 at which rule Mm.w.d (week 5: the last, day 0: Sunday) falls in year y.
static int64_t
rule_at(int64_t y, uint32_t month, uint32_t week, uint32_t day, int32_t time)
{
    int64_t first = ag_days_from_civil(y, month, 1);
    int64_t next = month == 12 ? ag_days_from_civil(y + 1, 1, 1) : ag_days_from_civil(y, month + 1, 1);
    unsigned sunday_based = (ag_weekday(first) + 1) % 7;
    int64_t d = first + (day + 7 - sunday_based) % 7 + 7 * ((int64_t)week - 1);
    while (d >= next)
        d -= 7;
    return d * DAY_S + time;
}

static bool
rule_is_dst(const struct ag_zone *z, int64_t t)
{
    int64_t y;
    unsigned m, d;
    ag_civil_from_days(ag_floor_div(t + z->std_offset, DAY_S), &y, &m, &d);
    int64_t start = rule_at(y, z->dst_start.month, z->dst_start.week, z->dst_start.day, z->dst_start.time) -
                    z->std_offset;
    int64_t end =
        rule_at(y, z->dst_end.month, z->dst_end.week, z->dst_end.day, z->dst_end.time) - z->dst_offset;
    return start < end ? t >= start && t < end : t >= start || t < end;
}

// The offset at t and the place of its abbreviation.
static int32_t
local_at(const struct ag_zone *z, int64_t t, uint32_t *ret_abbr)
{
    uint32_t lo = 0, hi = z->ntrans; // the number of transitions at or before t
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (z->trans[mid].at <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == z->ntrans && z->has_dst) {
        bool is_dst = rule_is_dst(z, t);
        *ret_abbr = is_dst ? z->dst_abbr : z->std_abbr;
        return is_dst ? z->dst_offset : z->std_offset;
    }
    *ret_abbr = lo == 0 ? z->first_abbr : lo == z->ntrans ? z->std_abbr : z->trans[lo - 1].abbr;
    return lo == 0 ? z->first_offset : lo == z->ntrans ? z->std_offset : z->trans[lo - 1].offset;
}

int32_t
ag_zone_offset(const struct ag_zone *z, int64_t t)
{
    uint32_t ignored;
    return local_at(z, t, &ignored);
}

int32_t
ag_zone_local(const struct ag_zone *z, int64_t t, struct ag_str *ret_abbr)
{
    uint32_t abbr;
    int32_t offset = local_at(z, t, &abbr);
    *ret_abbr = ag_str_z((const char *)z + z->abbr_off + abbr);
    return offset;
}

const struct ag_zone *
ag_image_zone(const struct ag_image *im, uint32_t ix)
{
    const uint32_t *offsets = (const void *)(im->zones + 4);
    return (const void *)(im->zones + offsets[ix]);
}

// --- windows
// -----------------------------------------------------------------------------------------------------

static int32_t
week_minute(const struct ag_call *c, uint32_t zone)
{
    int64_t t = ag_floor_div(c->now_ns, NS_PER_S);
    if (zone != AG_NONE)
        t += ag_zone_offset(ag_image_zone(c->im, zone), t);
    int64_t days = ag_floor_div(t, DAY_S);
    return (int32_t)ag_weekday(days) * DAY_MIN + (int32_t)((t - days * DAY_S) / 60);
}

static int32_t
cached_week_minute(struct ag_call *c, uint32_t zone)
{
    uint32_t slot = zone == AG_NONE ? 0 : zone + 1;
    if (!c->clock) {
        size_t n = 1 + (size_t)c->im->nzones;
        c->clock = ag_call_alloc(c, n * sizeof c->clock->week_minute[0], 8);
        if (!c->clock)
            return 0;
        memset(c->clock, 0xff, n * sizeof c->clock->week_minute[0]); // NOT_YET in every slot
    }
    int32_t *at = (int32_t *)(void *)c->clock + slot;
    if (*at == NOT_YET)
        *at = week_minute(c, zone);
    return *at;
}

bool
ag_window_holds(const struct ag_window *w, int32_t week_min)
{
    unsigned day = (unsigned)week_min / DAY_MIN, minute = (unsigned)week_min % DAY_MIN;
    bool today = w->days >> day & 1, yesterday = w->days >> (day + 6) % 7 & 1;
    if (w->end > w->start)
        return today && minute >= w->start && minute < w->end;
    // It wraps midnight and belongs to the day on which it started.
    return (today && minute >= w->start) || (yesterday && minute < w->end);
}

bool
ag_window_open(struct ag_call *c, uint32_t window_ix)
{
    const struct ag_window *w = &c->im->windows[window_ix];
    return ag_window_holds(w, cached_week_minute(c, w->zone));
}
