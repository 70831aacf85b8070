// SPDX-License-Identifier: Apache-2.0
// Which time zones a program needs: the image carries them, and nothing reads zone files at run time. In: a
// resolved program. Out: names added to policy->zones. Memory: the compile arena. Thread rule: one
// compilation, one thread. Next file to read: zone_read.c.
#ifndef AGC_ZONE_COLLECT_H
#define AGC_ZONE_COLLECT_H

#include "program.h"

#define AGC_ZONES_MAX      4096u // zones that a directory of time-zone files is searched for
#define AGC_ZONE_DIR_DEPTH 3u    // of directories in it

// Adds the zones that constant strings name in times ([ns, "Europe/Berlin"]) given to time.clock, date,
// weekday, format, add_date and diff, in order of first use; or all zones of `dir` (NULL: the system's),
// ascending, when a zone or a whole time is computed. A constant name that no file has is left out: using it
// is an error of the built-in at run time. To be called after agc_check_program, which tells numbers from
// arrays, and before agc_zones_read.
void agc_zones_collect(struct agc_arena *a, const struct agc_program *p, const char *dir);

#endif
