// SPDX-License-Identifier: Apache-2.0
// Calendar, time zones and windows (B3): leap years, daylight saving on both sides, midnight, days of the
// week.
#include "t.h"
#include "zone.h"

static void
test_calendar(void)
{
    OK(ag_days_from_civil(1970, 1, 1) == 0 && ag_weekday(0) == 3, "1970-01-01 is day 0, a Thursday");
    OK(ag_days_from_civil(2026, 3, 20) == 20532 && ag_weekday(20532) == 4, "2026-03-20 is a Friday");
    bool ok = true;
    for (int64_t d = -800000; d < 800000; d += 37) {
        int64_t y;
        unsigned m, day;
        ag_civil_from_days(d, &y, &m, &day);
        ok &= ag_days_from_civil(y, m, day) == d && m >= 1 && m <= 12 && day >= 1 && day <= 31;
    }
    OK(ok, "days and dates agree over four thousand years");
    OK(ag_days_from_civil(2024, 3, 1) - ag_days_from_civil(2024, 2, 28) == 2, "2024 has a February 29");
    OK(ag_days_from_civil(2100, 3, 1) - ag_days_from_civil(2100, 2, 28) == 1, "2100 has none");
}

static void
test_zones(void)
{
    // Europe/Berlin after its last transition: M3.5.0 02:00 to M10.5.0 03:00.
    static const struct ag_zone berlin = {.size = sizeof berlin,
                                          .first_offset = 3600,
                                          .std_offset = 3600,
                                          .dst_offset = 7200,
                                          .has_dst = 1,
                                          .dst_start = {3, 5, 0, 7200},
                                          .dst_end = {10, 5, 0, 10800}};
    OK(ag_zone_offset(&berlin, 1774745999) == 3600, "2026-03-29 00:59:59 UTC is still winter in Berlin");
    OK(ag_zone_offset(&berlin, 1774746000) == 7200, "2026-03-29 01:00 UTC is summer");
    OK(ag_zone_offset(&berlin, 1792889999) == 7200, "2026-10-25 00:59:59 UTC is still summer");
    OK(ag_zone_offset(&berlin, 1792890000) == 3600, "2026-10-25 01:00 UTC is winter");
    // Southern half: summer over the new year.
    static const struct ag_zone sydney = {.size = sizeof sydney,
                                          .first_offset = 36000,
                                          .std_offset = 36000,
                                          .dst_offset = 39600,
                                          .has_dst = 1,
                                          .dst_start = {10, 1, 0, 7200},
                                          .dst_end = {4, 1, 0, 10800}};
    OK(ag_zone_offset(&sydney, 1767225600) == 39600, "2026-01-01 is summer in Sydney");
    OK(ag_zone_offset(&sydney, 1782864000) == 36000, "2026-07-01 is winter in Sydney");
}

static int32_t
minute(int day, int hour, int min)
{
    return day * 1440 + hour * 60 + min;
}

static void
test_windows(void)
{
    const struct ag_window work = {AG_NONE, 9 * 60, 17 * 60, 0x1f, 0};
    OK(ag_window_holds(&work, minute(4, 9, 0)) && !ag_window_holds(&work, minute(4, 8, 59)),
       "start is inside");
    OK(!ag_window_holds(&work, minute(4, 17, 0)) && ag_window_holds(&work, minute(4, 16, 59)),
       "end is outside");
    OK(!ag_window_holds(&work, minute(5, 12, 0)), "Saturday is no working day");
    const struct ag_window night = {AG_NONE, 18 * 60, 8 * 60, 0x1f, 0};
    OK(ag_window_holds(&night, minute(5, 7, 59)), "Saturday morning belongs to Friday's night");
    OK(!ag_window_holds(&night, minute(5, 18, 0)), "Saturday's own night does not begin");
    OK(!ag_window_holds(&night, minute(0, 7, 0)), "Monday morning would belong to Sunday");
    OK(ag_window_holds(&night, minute(0, 18, 0)), "Monday evening does begin");
    const struct ag_window all = {AG_NONE, 0, 1440, 0x7f, 0};
    OK(ag_window_holds(&all, 0) && ag_window_holds(&all, minute(6, 23, 59)), "the whole day, every day");
}

int
main(void)
{
    test_calendar();
    test_zones();
    test_windows();
    return t_done();
}
