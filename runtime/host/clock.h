// SPDX-License-Identifier: Apache-2.0
// The clocks of a decision: UTC and the time since boot, read once and handed to everything that follows.
// In: the system, or a virtual time. Out: one struct agr_time. Owns: nothing.
// Thread rule: agr_clock_system() is shared freely; a virtual clock belongs to one thread. Next:
// state/state.h.
#ifndef AGR_CLOCK_H
#define AGR_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agr_time {
    int64_t wall_ns; // CLOCK_REALTIME: UNIX nanoseconds, may step; calendar windows and rows
    int64_t boot_ns; // CLOCK_BOOTTIME: nanoseconds since boot, never falls; rates, rings and heartbeats
};

struct agr_clock {
    void (*read)(void *self, struct agr_time *ret);
    void *self;
};

// A clock that stands still until it is told to move.
struct agr_clock_virtual {
    struct agr_time now;
};

// The real clocks of this machine.
const struct agr_clock *agr_clock_system(void);
// Reads both clocks of c.
void agr_clock_now(const struct agr_clock *c, struct agr_time *ret);

// A clock over *v, which the caller owns and keeps alive. wall_ns is UNIX time; boot_ns starts at boot_ns.
struct agr_clock agr_clock_virtual_init(struct agr_clock_virtual *v, int64_t wall_ns, int64_t boot_ns);
// Sets the wall time. Forward steps move boot_ns by the same amount, backward steps leave it, as on a real
// machine.
void agr_clock_virtual_set(struct agr_clock_virtual *v, int64_t wall_ns);

#endif
