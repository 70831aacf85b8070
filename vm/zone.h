// SPDX-License-Identifier: Apache-2.0
// Calendar and time zones without libc: day numbers count from 1970-01-01. Thread rule: pure functions.
#ifndef AG_ZONE_H
#define AG_ZONE_H

#include "image.h"

// b > 0. Inline, so that a constant divisor becomes a multiplication.
static inline int64_t
ag_floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b < 0);
}
int64_t ag_days_from_civil(int64_t y, unsigned m, unsigned d);
void ag_civil_from_days(int64_t days, int64_t *ret_y, unsigned *ret_m, unsigned *ret_d);
unsigned ag_weekday(int64_t days); // 0 = Monday
// Seconds east of UTC in the (verified) zone at UNIX time t.
int32_t ag_zone_offset(const struct ag_zone *z, int64_t t);
// The same, with the abbreviation that holds then ("CET"), borrowed from the zone.
int32_t ag_zone_local(const struct ag_zone *z, int64_t t, struct ag_str *ret_abbr);
const struct ag_zone *ag_image_zone(const struct ag_image *im, uint32_t ix); // ix < im->nzones
// Whether a window is open at a minute of its zone's week (0 = Monday 00:00).
bool ag_window_holds(const struct ag_window *w, int32_t week_min);

#endif
