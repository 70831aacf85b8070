// SPDX-License-Identifier: Apache-2.0
// Exact windows (reference B8): at most `max` events in any window, kept as one time per event.
// In: max, window, the decision's time. Out: admitted iff fewer than max lie in (now - window, now]; a
// refusal says oldest + window - now. Owns: nothing. Thread rule: safe between processes. Next: kill.h.
#ifndef AGR_RING_H
#define AGR_RING_H

#include "state/table.h"

#define AGR_RING_MAX        16384u                      // events per window; more belongs into a rate
#define AGR_RING_WINDOW_MAX UINT64_C(31622400000000000) // longest window: 366 days, in ns

struct agr_ring {
    uint32_t max;
    uint64_t window_ns;
};

enum aegis_status agr_ring_peek(struct agr_state *st, const struct agr_key *key, const struct agr_ring *ring,
                                uint32_t n, const struct agr_time *now, struct agr_view *ret);
// Charges one event.
enum aegis_status agr_ring_take(struct agr_state *st, const struct agr_key *key, const struct agr_ring *ring,
                                const struct agr_time *now, struct agr_view *ret,
                                struct agr_charge *ret_charge);

#endif
