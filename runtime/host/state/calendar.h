// SPDX-License-Identifier: Apache-2.0
// Calendar quotas: events per UTC day or month, window number and count in one word.
// In: cap, cost, the decision's wall time. Out: admitted or not. The window number never falls: a clock that
// steps back charges the newest window seen. Owns: nothing. Thread rule: safe between processes. Next:
// budget.h, which uses the same word with micro-dollars.
#ifndef AGR_CALENDAR_H
#define AGR_CALENDAR_H

#include "state/table.h"

#define AGR_COUNT_BITS 42
#define AGR_COUNT_MAX  ((UINT64_C(1) << AGR_COUNT_BITS) - 1) // 4.39e12 events, or 4.39 million dollars
#define AGR_WINDOW_MAX 16383u // days or months since 2020-01-01: the last day is in 2064

// Number of the UTC day or month since 2020-01-01; 0 before that, AGR_WINDOW_MAX + 1 past the end (refused).
uint32_t agr_window_of(enum agr_period period, int64_t wall_ns);
// First UNIX nanosecond of a window.
int64_t agr_window_start(enum agr_period period, uint32_t window);

// Would n more stay within cap? Never writes. AEGIS_STATE_UNAVAILABLE while the state recovers.
enum aegis_status agr_quota_peek(struct agr_state *st, const struct agr_key *key, uint64_t cap, uint64_t n,
                                 const struct agr_time *now, struct agr_view *ret);
// Charges n, or nothing when it would pass cap (charge_over: count it all the same, as `count_denied` wants).
enum aegis_status agr_quota_take(struct agr_state *st, const struct agr_key *key, uint64_t cap, uint64_t n,
                                 bool charge_over, const struct agr_time *now, struct agr_view *ret,
                                 struct agr_charge *ret_charge);
// Counts of the current and the previous window.
enum aegis_status agr_quota_read(struct agr_state *st, const struct agr_key *key, const struct agr_time *now,
                                 uint64_t *ret_used, uint64_t *ret_previous);
// Rebuild from the log: the count of `window` becomes at least `count`. Works while recovering.
enum aegis_status agr_quota_restore(struct agr_state *st, const struct agr_key *key, uint32_t window,
                                    uint64_t count, const struct agr_time *now);

#endif
