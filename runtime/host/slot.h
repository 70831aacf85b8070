// SPDX-License-Identifier: Apache-2.0
// Step 11, in process: the place that always holds the current policy. Readers never wait and never allocate;
// a publisher swaps the pointer and releases the old policy when no reader holds it any more. In: immutable
// policies with a release function. Out: a pinned pointer. Owns: every policy published into it. Atomics:
// slot.c only; readers are the partner of the publisher. Thread rule: all functions but init and fini may be
// called by any thread at any time. Next: slot.c.
#ifndef AGR_SLOT_H
#define AGR_SLOT_H

#include <stdbool.h>
#include <stdint.h>

struct aegis_policy;
struct aegis_slot;

#define AGR_SLOT_CELLS   256u // readers that can pin at one moment without holding back every release
#define AGR_SLOT_RETIRED 512u // replaced policies that may wait for their readers

// A pin, held by the reader between agr_slot_pin and agr_slot_unpin.
struct agr_pin {
    struct aegis_policy *policy; // NULL: nothing was published yet
    uint32_t cell;               // AGR_SLOT_CELLS: counted, not listed
};

typedef void (*agr_slot_release)(struct aegis_policy *p, void *arg);

// Makes an empty slot. `release` is called once for every policy that leaves it, from the publishing thread
// or from agr_slot_reclaim and agr_slot_free, never from a reader. NULL when memory is short.
struct aegis_slot *agr_slot_new(agr_slot_release release, void *arg);
// Takes over p (NULL empties the slot); a policy is published once in its life. The policy before is released
// now or, while a reader holds it, by a later publish, reclaim or free. Waits only when AGR_SLOT_RETIRED
// replaced policies are still pinned.
void agr_slot_publish(struct aegis_slot *s, struct aegis_policy *p);
// Pins the current policy. `hint` spreads readers over cells: give each context its own number.
struct agr_pin agr_slot_pin(struct aegis_slot *s, uint32_t hint);
void agr_slot_unpin(struct aegis_slot *s, struct agr_pin pin);
// Releases what no reader holds; the number still waiting.
uint32_t agr_slot_reclaim(struct aegis_slot *s);
// Releases everything. No reader may be left. NULL is accepted.
void agr_slot_free(struct aegis_slot *s);

#endif
