// SPDX-License-Identifier: Apache-2.0
// Exact windows (B8): call max + 1 is blocked with the right retry_after, keys do not share, no window ever
// holds more than max, give-back, many chunks, limits of the parameters.
#include "state/ring.h"

#include "state/layout.h"
#include "t.h"

#include <pthread.h>

#define SECOND INT64_C(1000000000)

static struct agr_state *st;
static struct agr_time now = {INT64_C(1790000000) * SECOND, 10 * SECOND};

static struct agr_key
key_of(const char *tenant)
{
    struct agr_key k;
    if (agr_key_make(st, AGR_RING, AGR_NO_PERIOD, AG_STR("ring"), ag_str_z(tenant), AG_STR(""), &k) !=
        AEGIS_OK)
        abort();
    return k;
}

static bool
take(const struct agr_key *k, const struct agr_ring *r, struct agr_view *v, struct agr_charge *c)
{
    return agr_ring_take(st, k, r, &now, v, c) == AEGIS_OK && v->admits;
}

static void
test_window(void)
{
    struct agr_ring r = {3, (uint64_t)(60 * SECOND)};
    struct agr_key a = key_of("a"), b = key_of("b");
    struct agr_view v;
    struct agr_charge c[4];
    for (int i = 0; i < 3; i++) {
        OK(take(&a, &r, &v, &c[i]) && v.remaining == (uint64_t)(2 - i), "B8: call %d of 3", i + 1);
        now.boot_ns += 10 * SECOND;
    }
    OK(!take(&a, &r, &v, &c[3]) && v.retry_after_ns == 30 * SECOND && c[3].at == 0,
       "B8: call 4 waits for oldest + window - now");
    OK(v.reset_after_ns == 50 * SECOND, "full again when the newest is out");
    OK(take(&b, &r, &v, &c[3]), "B8: two agents do not share");
    agr_charge_undo(st, &c[1], &now);
    OK(agr_ring_peek(st, &a, &r, 1, &now, &v) == AEGIS_OK && v.admits && v.remaining == 1,
       "a charge is given back");
    OK(take(&a, &r, &v, &c[1]) && !take(&a, &r, &v, &c[3]), "and can be used once");
    now.boot_ns += 30 * SECOND - AGR_TICK_NS;
    OK(!take(&a, &r, &v, &c[3]) && v.retry_after_ns == AGR_TICK_NS, "one tick early");
    now.boot_ns += AGR_TICK_NS;
    OK(take(&a, &r, &v, &c[3]) && !take(&a, &r, &v, &c[3]), "at the end of the window one call is free");
    OK(agr_ring_peek(st, &a, &r, 4, &now, &v) == AEGIS_OK && !v.admits && v.retry_after_ns == -1,
       "more than max never fits");
    OK(agr_ring_peek(st, &a, &r, 2, &now, &v) == AEGIS_OK && !v.admits &&
           v.retry_after_ns == v.reset_after_ns,
       "several wait for the newest at most");
    struct agr_ring more = {4, r.window_ns};
    OK(take(&a, &more, &v, &c[3]) && !take(&a, &more, &v, &c[3]), "a raised max applies to the old ring");
}

static void
test_parameters(void)
{
    struct agr_view v;
    struct agr_charge c;
    struct agr_key k = key_of("p");
    const struct agr_ring bad[] = {{0, 1}, {AGR_RING_MAX + 1, 1}, {1, 0}, {1, AGR_RING_WINDOW_MAX + 1}};
    for (size_t i = 0; i < 4; i++)
        OK(agr_ring_take(st, &k, &bad[i], &now, &v, &c) == AEGIS_USAGE &&
               agr_ring_peek(st, &k, &bad[i], 1, &now, &v) == AEGIS_USAGE,
           "parameters %zu are refused", i);
    struct agr_ring longest = {1, AGR_RING_WINDOW_MAX};
    OK(take(&k, &longest, &v, &c) && !take(&k, &longest, &v, &c), "the longest window");
}

static void
test_chunks(void)
{
    struct agr_view v;
    struct agr_charge c;
    const uint32_t sizes[] = {AGR_RING_CELLS, AGR_RING_CELLS + 1, 1000, AGR_RING_MAX};
    for (size_t i = 0; i < 4; i++) {
        struct agr_ring r = {sizes[i], (uint64_t)SECOND};
        char name[16];
        (void)snprintf(name, sizeof name, "c%zu", i);
        struct agr_key k = key_of(name);
        uint32_t n = 0, limit = i < 3 ? sizes[i]
                                      : 600; // the largest is only begun: each charge reads the whole ring
        while (n < limit && take(&k, &r, &v, &c))
            n++;
        bool is_full = i == 3 || !take(&k, &r, &v, &c);
        OK(n == limit && is_full, "max %u: %u admitted", sizes[i], n);
    }
}

static void
test_exhaustion(void)
{
    struct agr_state *small, *usual = st;
    struct agr_view v;
    struct agr_charge c;
    struct agr_ring r = {AGR_RING_MAX, (uint64_t)SECOND};
    if (agr_state_open_memory(
            &(struct agr_state_options){.entries = 128, .ring_chunks = 128, .share_permille = 1000}, &small,
            NULL) != AEGIS_OK)
        abort();
    st = small;
    agr_clock_now(agr_clock_system(), &now);
    struct agr_key k = key_of("big");
    uint32_t n = 0;
    while (take(&k, &r, &v, &c))
        n++;
    OK(agr_ring_take(st, &k, &r, &now, &v, &c) == AEGIS_STATE && n > 50 * AGR_RING_CELLS &&
           n <= 128 * AGR_RING_CELLS,
       "a ring larger than the pool ends in state_exhausted, not in an admission (%u)", n);
    now.boot_ns += 3 * SECOND + 1;
    struct agr_key other = key_of("other");
    struct agr_ring one = {1, (uint64_t)SECOND};
    OK(take(&other, &one, &v, &c) && !take(&other, &one, &v, &c),
       "chunks whose times are over are used by others");
    agr_state_close(small);
    st = usual;
}

// ---- no window holds more than max, whatever the clocks of the decisions ----

static uint64_t seed = 7;

static uint64_t
random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static int
by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void
test_property(void)
{
    int kept = 0;
    uint64_t admitted = 0;
    now.boot_ns = 1000 * SECOND;
    for (int round = 0; round < 100; round++) {
        static int64_t at[500];
        size_t n = 0;
        char name[16];
        (void)snprintf(name, sizeof name, "r%d", round);
        struct agr_key k = key_of(name);
        struct agr_ring r = {1 + (uint32_t)(random_u64() % 70), 4 * (1 + random_u64() % 1000000)};
        for (int i = 0; i < 500; i++) {
            now.boot_ns += (int64_t)(4 * (random_u64() % (r.window_ns / r.max / 2 + 1)));
            struct agr_time mine = now;
            if (random_u64() % 4 == 0)
                mine.boot_ns -= (int64_t)(4 * (random_u64() % (r.window_ns / 4)));
            struct agr_view v;
            struct agr_charge c;
            if (agr_ring_take(st, &k, &r, &mine, &v, &c) != AEGIS_OK || !v.admits)
                continue;
            if (random_u64() % 8 == 0)
                agr_charge_undo(st, &c, &now);
            else
                at[n++] = mine.boot_ns;
        }
        qsort(at, n, sizeof at[0], by_time);
        bool is_good = n > 0;
        for (size_t i = r.max; i < n; i++)
            is_good = is_good && at[i] - at[i - r.max] >= (int64_t)r.window_ns;
        kept += is_good;
        admitted += n;
    }
    OK(kept == 100, "B8: of any max + 1 admitted calls two are a window apart (%llu calls)",
       (unsigned long long)admitted);
}

#define THREADS 4
static _Atomic uint64_t counted;

static void *
taker(void *arg)
{
    const struct agr_key *k = arg;
    struct agr_ring r = {500, (uint64_t)(60 * SECOND)};
    for (int i = 0; i < 300; i++) {
        struct agr_view v;
        struct agr_charge c;
        while (agr_ring_take(st, k, &r, &now, &v, &c) == AEGIS_BUSY)
            ;
        if (v.admits)
            atomic_fetch_add(&counted, 1);
    }
    return NULL;
}

static void
test_threads(void)
{
    pthread_t t[THREADS];
    struct agr_key k = key_of("threads");
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, taker, &k) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(t[i], NULL);
    OK(atomic_load(&counted) == 500, "four threads share exactly max (%llu)",
       (unsigned long long)atomic_load(&counted));
}

static void
test_cold(void)
{
    struct agr_ring r = {5, (uint64_t)SECOND};
    struct agr_key k = key_of("cold");
    struct agr_view v;
    struct agr_charge c;
    struct agr_time then = now;
    st->h->cold_tick = 1;
    now.boot_ns = st->h->origin_boot_ns + SECOND / 2;
    OK(!take(&k, &r, &v, &c) && v.retry_after_ns == SECOND / 2,
       "after a change of boot a window starts used up");
    now.boot_ns += SECOND / 2;
    OK(take(&k, &r, &v, &c), "and is free one window later");
    st->h->cold_tick = 0;
    now = then;
}

int
main(void)
{
    struct agr_clock_virtual v;
    struct agr_clock clock = agr_clock_virtual_init(&v, now.wall_ns, SECOND);
    if (agr_state_open_memory(&(struct agr_state_options){.share_permille = 1000, .clock = &clock}, &st,
                              NULL) != AEGIS_OK)
        return 1;
    test_window();
    test_parameters();
    test_chunks();
    test_cold();
    test_threads();
    test_property();
    test_exhaustion();
    agr_state_close(st);
    return t_done();
}
