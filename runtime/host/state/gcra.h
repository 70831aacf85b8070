// SPDX-License-Identifier: Apache-2.0
// Rates: the generic cell rate algorithm (ITU-T I.371, virtual scheduling form) in one 64-bit word.
// In: rate, burst, cost and the decision's time. Out: admitted or not, with remaining, reset and retry times.
// Promise: in any interval of t seconds the net charge of a key is at most burst + rate * t, with any number
// of processes, lost races and kills. Owns: nothing. Thread rule: safe between processes. Next: calendar.h.
#ifndef AGR_GCRA_H
#define AGR_GCRA_H

#include "state/table.h"

#define AGR_RATE_BURST_MAX UINT64_C(1000000000)       // events at once
#define AGR_RATE_PER_MAX   INT64_C(31622400000000000) // longest period of a rate: 366 days, in ns

// `events` per `per_ns` nanoseconds (50/s = 50 per 1e9, 60/m = 60 per 60e9, 0.5/s = 1 per 2e9), `burst` at
// once.
struct agr_rate {
    uint64_t events, per_ns, burst;
};

// The rate in ticks: T between events and B of tolerance, both exact multiples. AEGIS_USAGE when a field is
// 0, past its maximum, or B does not fit.
struct agr_rate_ticks {
    uint64_t interval; // T = ceil(per_ns / (events * AGR_TICK_NS)): rounding only lowers the rate, by < 1
                       // tick per event
    uint64_t burst;    // B = burst * T
};
enum aegis_status agr_rate_ticks(const struct agr_rate *rate, struct agr_rate_ticks *ret);

// Would n be admitted? Never claims an entry and never writes.
enum aegis_status agr_gcra_peek(struct agr_state *st, const struct agr_key *key, const struct agr_rate *rate,
                                uint64_t n, const struct agr_time *now, struct agr_view *ret);
// Charges n events, or nothing when they do not fit. AEGIS_OK: look at ret->admits. AEGIS_STATE: table full.
// AEGIS_BUSY: AGR_TAKE_TRIES lost races. n > burst is never admitted (retry_after -1). n = 0 charges nothing.
enum aegis_status agr_gcra_take(struct agr_state *st, const struct agr_key *key, const struct agr_rate *rate,
                                uint64_t n, const struct agr_time *now, struct agr_view *ret,
                                struct agr_charge *ret_charge);

#endif
