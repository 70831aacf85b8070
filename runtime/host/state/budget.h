// SPDX-License-Identifier: Apache-2.0
// Budgets: integer micro-dollars per UTC day or month, reserved before an action and settled once after it.
// In: cap, warn level, amount. Out: admitted or not, whether this charge is the one that warns, a reservation
// number. A reservation that is never settled counts as spent. Owns: nothing. Thread rule: safe between
// processes. Next: kill.h.
#ifndef AGR_BUDGET_H
#define AGR_BUDGET_H

#include "state/calendar.h"

#define AGR_RESERVATION_PARTS 8u // budgets one action can draw on
#define AGR_RESERVATION_TTL_NS                                                                               \
    INT64_C(3600000000000) // after this it counts as spent and its record is reused

struct agr_budget {
    uint64_t cap;     // micro-dollars per window, at most AGR_COUNT_MAX
    uint64_t warn_at; // micro-dollars; 0 = no warning
};

// Would `amount` more stay within the cap? ret->remaining is in micro-dollars. Never writes.
enum aegis_status agr_budget_peek(struct agr_state *st, const struct agr_key *key, const struct agr_budget *b,
                                  uint64_t amount, const struct agr_time *now, struct agr_view *ret);
// Charges `amount`, or nothing when it would pass the cap. *ret_warns is true for exactly one charge per
// window: the first that finds spent + reserved at or over warn_at with no warning given.
enum aegis_status agr_budget_take(struct agr_state *st, const struct agr_key *key, const struct agr_budget *b,
                                  uint64_t amount, const struct agr_time *now, struct agr_view *ret,
                                  struct agr_charge *ret_charge, bool *ret_warns);
// Spent + reserved of the current and the previous window.
enum aegis_status agr_budget_read(struct agr_state *st, const struct agr_key *key, const struct agr_time *now,
                                  uint64_t *ret_used, uint64_t *ret_previous);
enum aegis_status agr_budget_restore(struct agr_state *st, const struct agr_key *key, uint32_t window,
                                     uint64_t spent, bool has_warned, const struct agr_time *now);

// Binds n budget charges of the same amount to one reservation. AEGIS_STATE when no record is free: undo the
// charges.
enum aegis_status agr_reservation_open(struct agr_state *st, const struct agr_charge *charges, uint32_t n,
                                       const struct agr_time *now, uint64_t *ret_id);
// The action cost `actual` micro-dollars: gives the rest back to every budget (or charges the excess). Once
// only: AEGIS_USAGE when the number is unknown, settled or expired.
enum aegis_status agr_reservation_settle(struct agr_state *st, uint64_t id, uint64_t actual,
                                         const struct agr_time *now);
// Open reservations, for metrics; walks the records.
uint64_t agr_reservation_count(struct agr_state *st);

#endif
