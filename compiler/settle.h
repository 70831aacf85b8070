// SPDX-License-Identifier: Apache-2.0
// Places the literals of one body: each as soon as the variables that it reads are bound, otherwise in the
// order of the text. In: pending literals and what is bound. Out: the placed ones, the rest stays pending.
// Memory: the compile arena. Thread rule: one compilation, one thread. Next file to read: flatten.h.
#ifndef AGC_SETTLE_H
#define AGC_SETTLE_H

#include "flatten.h"
#include "safety.h"

// A body on its way: what waits, and what stands in order.
struct agc_body {
    uint32_t npending, pending_cap, nplaced, placed_cap;
    struct agc_pending *pending;
    struct agc_node **placed;
};

// Kept from body to body, so that many small bodies do not pay for the number of variables.
struct agc_settle {
    struct agc_bind *s;
    uint32_t nwaiting;
    uint32_t *waiting; // by variable: the first literal that waits for it, plus one; all 0 between calls
};

// Time: n log n for n literals, times the size of a literal for each variable that it had to wait for.
void agc_settle(struct agc_settle *t, struct agc_body *body);

#endif
