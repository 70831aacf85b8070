// SPDX-License-Identifier: Apache-2.0
// The policy slot: readers see whole policies while a publisher swaps them, every policy is released once,
// after its last reader; more readers than cells are served too.
#include "slot.h"

#include "t.h"

#include <pthread.h>
#include <stdatomic.h>

#define READERS   4
#define PUBLISHES 20000

// A policy of the test: alive until its release.
struct aegis_policy {
    _Atomic uint64_t magic;
    uint64_t serial;
};

#define ALIVE UINT64_C(0xa11fe)
#define DEAD  UINT64_C(0xdead)

static _Atomic uint64_t released, wrong, reads;
static _Atomic int is_over;
static struct aegis_policy policies[PUBLISHES];

static void
release(struct aegis_policy *p, void *arg)
{
    (void)arg;
    if (atomic_exchange(&p->magic, DEAD) != ALIVE)
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(&released, 1);
}

static struct aegis_policy *
make(uint64_t serial)
{
    policies[serial].serial = serial;
    atomic_store(&policies[serial].magic, ALIVE);
    return &policies[serial];
}

static void
test_order(void)
{
    struct aegis_slot *s = agr_slot_new(release, NULL);
    struct agr_pin empty = agr_slot_pin(s, 0);
    OK(empty.policy == NULL, "an empty slot gives no policy");
    agr_slot_unpin(s, empty);
    agr_slot_publish(s, make(0));
    struct agr_pin a = agr_slot_pin(s, 7), b = agr_slot_pin(s, 7);
    OK(a.policy && a.policy->serial == 0 && b.policy == a.policy && a.cell != b.cell,
       "two readers pin one policy");
    agr_slot_publish(s, make(1));
    OK(atomic_load(&released) == 0, "a pinned policy is kept");
    struct agr_pin c = agr_slot_pin(s, 7);
    OK(c.policy->serial == 1, "a new reader sees the new policy");
    agr_slot_unpin(s, a);
    OK(agr_slot_reclaim(s) == 1, "one reader is left");
    agr_slot_unpin(s, b);
    OK(agr_slot_reclaim(s) == 0 && atomic_load(&released) == 1, "the last reader is gone: released");
    agr_slot_unpin(s, c);
    agr_slot_publish(s, NULL);
    OK(atomic_load(&released) == 2 && agr_slot_pin(s, 1).policy == NULL, "a slot can be emptied");
    agr_slot_free(s);
    OK(atomic_load(&released) == 2 && atomic_load(&wrong) == 0, "nothing is released twice");
}

static void
test_crowd(void)
{
    static struct agr_pin pins[AGR_SLOT_CELLS + 2];
    struct aegis_slot *s = agr_slot_new(release, NULL);
    atomic_store(&released, 0);
    agr_slot_publish(s, make(0));
    for (uint32_t i = 0; i < AGR_SLOT_CELLS + 2; i++)
        pins[i] = agr_slot_pin(s, 0);
    OK(pins[AGR_SLOT_CELLS - 1].cell < AGR_SLOT_CELLS && pins[AGR_SLOT_CELLS].cell == AGR_SLOT_CELLS &&
           pins[AGR_SLOT_CELLS + 1].policy->serial == 0,
       "%u readers have cells, the next ones are counted", AGR_SLOT_CELLS);
    agr_slot_publish(s, make(1));
    for (uint32_t i = 0; i <= AGR_SLOT_CELLS; i++)
        agr_slot_unpin(s, pins[i]);
    OK(agr_slot_reclaim(s) == 1 && atomic_load(&released) == 0, "a counted reader holds everything back");
    agr_slot_unpin(s, pins[AGR_SLOT_CELLS + 1]);
    OK(agr_slot_reclaim(s) == 0 && atomic_load(&released) == 1, "until it leaves");
    agr_slot_free(s);
}

static void *
reader(void *arg)
{
    struct aegis_slot *s = arg;
    uint64_t last = 0, n = 0;
    while (!atomic_load(&is_over)) {
        struct agr_pin p = agr_slot_pin(s, (uint32_t)(uintptr_t)&last >> 6);
        // Dead or older than what this thread saw before: both must not happen.
        if (atomic_load(&p.policy->magic) != ALIVE || p.policy->serial < last)
            atomic_fetch_add(&wrong, 1);
        last = p.policy->serial;
        agr_slot_unpin(s, p);
        n++;
    }
    atomic_fetch_add(&reads, n);
    return NULL;
}

static void
test_threads(void)
{
    pthread_t t[READERS];
    struct aegis_slot *s = agr_slot_new(release, NULL);
    atomic_store(&released, 0);
    agr_slot_publish(s, make(0));
    for (int i = 0; i < READERS; i++)
        if (pthread_create(&t[i], NULL, reader, s) != 0)
            abort();
    for (uint64_t i = 1; i < PUBLISHES; i++)
        agr_slot_publish(s, make(i));
    atomic_store(&is_over, 1);
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(t[i], NULL);
    OK(atomic_load(&wrong) == 0 && atomic_load(&reads) > 0,
       "readers saw only living policies, in order (%llu reads)", (unsigned long long)atomic_load(&reads));
    OK(agr_slot_reclaim(s) == 0 && atomic_load(&released) == PUBLISHES - 1, "all but the last are released");
    agr_slot_free(s);
    OK(atomic_load(&released) == PUBLISHES && atomic_load(&wrong) == 0, "free releases the last");
}

int
main(void)
{
    test_order();
    test_crowd();
    test_threads();
    return t_done();
}
