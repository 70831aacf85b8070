// SPDX-License-Identifier: Apache-2.0
// Step 11, in process: the current policy, its readers and the policies that wait for them. In: policies.
// Out: pins. Owns: every published policy until its release. Next: open.c.
//
// Reader: write the pointer into a cell of its own, then read the current pointer again; when they agree the
// cell was visible before the pointer could be replaced, because all four accesses are sequentially
// consistent:
//     reader: cell := p; load current == p            publisher: current := q; load cells
// If the publisher's look at the cell came before the reader's store, the reader's second load sees q and
// tries again. A reader that finds no free cell counts itself in `unlisted`; while that is not 0 nothing is
// released. Partners: agr_slot_pin and agr_slot_unpin (readers) with agr_slot_publish and agr_slot_reclaim
// (publishers).
#include "slot.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

// One cache line per cell: readers of different contexts do not share lines.
struct slot_cell {
    _Atomic uintptr_t held; // 0 free, 1 taken, else the pinned policy
    uint8_t pad[64 - sizeof(uintptr_t)];
};

struct aegis_slot {
    _Atomic uintptr_t current;
    _Atomic uint64_t unlisted;
    agr_slot_release release;
    void *arg;
    _Atomic uintptr_t retired[AGR_SLOT_RETIRED]; // 0 free
    struct slot_cell cells[AGR_SLOT_CELLS];
};

#define CELL_TAKEN ((uintptr_t)1)

struct aegis_slot *
agr_slot_new(agr_slot_release release, void *arg)
{
    struct aegis_slot *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->release = release;
    s->arg = arg;
    return s;
}

struct agr_pin
agr_slot_pin(struct aegis_slot *s, uint32_t hint)
{
    for (uint32_t i = 0; i < AGR_SLOT_CELLS; i++) {
        uint32_t ix = (hint + i) % AGR_SLOT_CELLS;
        _Atomic uintptr_t *cell = &s->cells[ix].held;
        uintptr_t none = 0, p = atomic_load(&s->current);
        // Taking the cell and saying what it holds is one step.
        if (!atomic_compare_exchange_strong(cell, &none, p ? p : CELL_TAKEN))
            continue;
        // Repeats only when a publish came in between.
        for (uintptr_t now; (now = atomic_load(&s->current)) != p; p = now)
            atomic_store(cell, now ? now : CELL_TAKEN);
        return (struct agr_pin){(struct aegis_policy *)p, ix};
    }
    atomic_fetch_add(&s->unlisted, 1);
    return (struct agr_pin){(struct aegis_policy *)atomic_load(&s->current), AGR_SLOT_CELLS};
}

void
agr_slot_unpin(struct aegis_slot *s, struct agr_pin pin)
{
    if (pin.cell < AGR_SLOT_CELLS)
        atomic_store_explicit(&s->cells[pin.cell].held, 0, memory_order_release);
    else
        atomic_fetch_sub(&s->unlisted, 1);
}

static bool
is_pinned(struct aegis_slot *s, uintptr_t p)
{
    if (atomic_load(&s->unlisted))
        return true;
    for (uint32_t i = 0; i < AGR_SLOT_CELLS; i++)
        if (atomic_load(&s->cells[i].held) == p)
            return true;
    return false;
}

uint32_t
agr_slot_reclaim(struct aegis_slot *s)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < AGR_SLOT_RETIRED; i++) {
        // Taken out of the list first: of two threads here only one can release a policy.
        uintptr_t p = atomic_exchange(&s->retired[i], 0);
        if (!p)
            continue;
        if (!is_pinned(s, p)) {
            s->release((struct aegis_policy *)p, s->arg);
            continue;
        }
        waiting++;
        uintptr_t none = 0;
        for (uint32_t j = i; !atomic_compare_exchange_strong(&s->retired[j], &none, p); none = 0)
            j = (j + 1) % AGR_SLOT_RETIRED;
    }
    return waiting;
}

void
agr_slot_publish(struct aegis_slot *s, struct aegis_policy *p)
{
    uintptr_t old = atomic_exchange(&s->current, (uintptr_t)p);
    while (old) {
        for (uint32_t i = 0; i < AGR_SLOT_RETIRED; i++) {
            uintptr_t none = 0;
            if (atomic_compare_exchange_strong(&s->retired[i], &none, old)) {
                (void)agr_slot_reclaim(s);
                return;
            }
        }
        if (agr_slot_reclaim(s) == AGR_SLOT_RETIRED)
            (void)sched_yield();
    }
}

void
agr_slot_free(struct aegis_slot *s)
{
    if (!s)
        return;
    uintptr_t p = atomic_exchange(&s->current, 0);
    if (p)
        s->release((struct aegis_policy *)p, s->arg);
    (void)agr_slot_reclaim(s);
    free(s);
}
