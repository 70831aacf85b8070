// SPDX-License-Identifier: Apache-2.0
// Rates (D4, A46): exact refusals, limits of the parameters, give-back, and the promise burst + rate * t
// under random rates, costs, lagging clocks and undone charges.
#include "state/gcra.h"

#include "t.h"

#define SECOND INT64_C(1000000000)

static struct agr_state *st;
static struct agr_time now = {INT64_C(1790000000) * SECOND, 0};

static struct agr_key
key_of(const char *name, const char *tenant)
{
    struct agr_key k;
    if (agr_key_make(st, AGR_RATE, AGR_NO_PERIOD, ag_str_z(name), ag_str_z(tenant), ag_str_z("f"), &k) !=
        AEGIS_OK)
        abort();
    return k;
}

static bool
take(const struct agr_key *k, const struct agr_rate *r, uint64_t n, struct agr_view *view,
     struct agr_charge *c)
{
    enum aegis_status s = agr_gcra_take(st, k, r, n, &now, view, c);
    if (s != AEGIS_OK) {
        printf("# take: status %d\n", s);
        return false;
    }
    return view->admits;
}

static void
test_burst(void)
{
    struct agr_rate r = {50, (uint64_t)SECOND, 100};
    struct agr_key k = key_of("per-agent", "a"), other = key_of("per-agent", "b");
    struct agr_view v;
    struct agr_charge c;
    int admitted = 0;
    for (int i = 0; i < 100; i++)
        admitted += take(&k, &r, 1, &v, &c);
    OK(admitted == 100 && v.remaining == 0, "D4: a burst of 100 passes");
    OK(!take(&k, &r, 1, &v, &c) && c.at == 0, "D4: charge 101 is refused and charges nothing");
    OK(v.retry_after_ns == SECOND / 50, "retry_after is one interval (%lld ns)", (long long)v.retry_after_ns);
    OK(v.reset_after_ns == 2 * SECOND, "reset is the whole burst away");
    OK(take(&other, &r, 1, &v, &c) && v.remaining == 99, "another tenant does not share");
    now.boot_ns += SECOND / 50 - AGR_TICK_NS;
    OK(!take(&k, &r, 1, &v, &c), "one tick early it is still refused");
    now.boot_ns += AGR_TICK_NS;
    OK(take(&k, &r, 1, &v, &c), "at retry_after it is admitted");
    OK(!take(&k, &r, 2, &v, &c) && v.retry_after_ns == 2 * SECOND / 50, "a cost of 2 needs two intervals");
    OK(!take(&k, &r, 101, &v, &c) && v.retry_after_ns == -1, "a cost over the burst never fits");
    now.boot_ns += 100 * SECOND;
    OK(agr_gcra_peek(st, &k, &r, 100, &now, &v) == AEGIS_OK && v.admits && v.remaining == 100,
       "idle: full again, not more");
    OK(take(&k, &r, 100, &v, &c) && !take(&k, &r, 1, &v, &c), "a cost of the whole burst fits once");
}

static void
test_minute(void)
{
    struct agr_rate r = {60, (uint64_t)(60 * SECOND), 60}, half = {1, (uint64_t)(2 * SECOND), 1};
    struct agr_key k = key_of("minute", "a"), h = key_of("half", "a");
    struct agr_view v;
    struct agr_charge c;
    int admitted = 0;
    for (int i = 0; i < 61; i++)
        admitted += take(&k, &r, 1, &v, &c);
    OK(admitted == 60 && v.retry_after_ns == SECOND, "A46: request 61 in a minute is refused for a second");
    OK(take(&h, &half, 1, &v, &c) && !take(&h, &half, 1, &v, &c) && v.retry_after_ns == 2 * SECOND, "0.5/s");
}

static void
test_parameters(void)
{
    struct agr_rate_ticks t;
    struct agr_rate r = {3, (uint64_t)SECOND, 1};
    OK(agr_rate_ticks(&r, &t) == AEGIS_OK && t.interval == 83333334, "the interval is rounded up to a tick");
    r = (struct agr_rate){UINT64_MAX, 1, 1};
    OK(agr_rate_ticks(&r, &t) == AEGIS_OK && t.interval == 1, "faster than the tick is one tick");
    const struct agr_rate bad[] = {{0, 1, 1},
                                   {1, 0, 1},
                                   {1, 1, 0},
                                   {1, AGR_RATE_PER_MAX + 1, 1},
                                   {1000000000, 1000000000, AGR_RATE_BURST_MAX + 1},
                                   {1, AGR_RATE_PER_MAX, 100}};
    int refused = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused += agr_rate_ticks(&bad[i], &t) == AEGIS_USAGE;
    OK(refused == (int)(sizeof bad / sizeof bad[0]),
       "zeros, a period or burst past its maximum, too much tolerance");
    r = (struct agr_rate){1, AGR_RATE_PER_MAX, 1};
    OK(agr_rate_ticks(&r, &t) == AEGIS_OK, "the longest period is accepted");
    r = (struct agr_rate){1000000000, (uint64_t)SECOND, AGR_RATE_BURST_MAX};
    OK(agr_rate_ticks(&r, &t) == AEGIS_OK, "the largest burst is accepted");
}

static void
test_peek(void)
{
    struct agr_rate r = {1, (uint64_t)SECOND, 5};
    struct agr_key k = key_of("peek", "a");
    struct agr_view v;
    struct agr_found f;
    OK(agr_gcra_peek(st, &k, &r, 1, &now, &v) == AEGIS_OK && v.admits && v.remaining == 5,
       "peek of an unknown key is fresh");
    OK(!agr_table_find(st, AGR_TABLE_MAIN, &k, &f), "peek claims nothing");
}

static void
test_undo(void)
{
    struct agr_rate r = {1, (uint64_t)SECOND, 3};
    struct agr_key k = key_of("undo", "a");
    struct agr_view v;
    struct agr_charge c[4];
    for (int i = 0; i < 3; i++)
        (void)take(&k, &r, 1, &v, &c[i]);
    agr_charge_undo(st, &c[1], &now);
    OK(take(&k, &r, 1, &v, &c[3]) && !take(&k, &r, 1, &v, &c[1]), "an undone charge is there for one other");
    struct agr_charge none = {0};
    agr_charge_undo(st, &none, &now);
    OK(!take(&k, &r, 1, &v, &c[1]), "undoing nothing gives nothing");
    now.boot_ns += SECOND / 2;
    agr_charge_undo(st, &c[3], &now);
    OK(!take(&k, &r, 1, &v, &c[1]) || v.reset_after_ns >= 2 * SECOND,
       "what flowed back by itself is not given twice");
    OK(agr_gcra_peek(st, &k, &r, 1, &now, &v) == AEGIS_OK && v.reset_after_ns >= 2 * SECOND,
       "backlog after a late undo");
}

// ---- the promise, checked on every interval between two admitted charges ----

static uint64_t seed = 1;

static uint64_t
random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

struct event {
    int64_t at;
    uint64_t n;
    struct agr_charge c;
};

static int
by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

// N * per <= burst * per + events * t for every interval, in long double (64 bits of mantissa are enough
// here).
static bool
keeps_promise(struct event *e, size_t n, const struct agr_rate *r)
{
    qsort(e, n, sizeof *e, by_time);
    for (size_t i = 0; i < n; i++) {
        uint64_t sum = 0;
        for (size_t j = i; j < n; j++) {
            sum += e[j].n;
            long double room = (long double)r->burst * (long double)r->per_ns +
                               (long double)r->events * (long double)(e[j].at - e[i].at + AGR_TICK_NS);
            if ((long double)sum * (long double)r->per_ns > room) {
                printf("# %llu in %lld ns\n", (unsigned long long)sum, (long long)(e[j].at - e[i].at));
                return false;
            }
        }
    }
    return true;
}

static bool
run_random(int round, uint64_t *ret_admitted)
{
    static struct event e[400];
    char name[32];
    (void)snprintf(name, sizeof name, "random-%d", round);
    struct agr_key k = key_of(name, "p");
    struct agr_rate r = {1 + random_u64() % 100, 1 + random_u64() % (uint64_t)(10 * SECOND),
                         1 + random_u64() % 20};
    uint64_t mean = r.per_ns / r.events + 1, n = 0;
    for (int i = 0; i < 400; i++) {
        // Mostly denser than the rate, now and then a pause; the clock of one decision in four lags.
        now.boot_ns += (int64_t)(random_u64() % (random_u64() % 20 ? mean : mean * r.burst * 2));
        struct agr_time mine = now;
        if (random_u64() % 4 == 0)
            mine.boot_ns -= (int64_t)(random_u64() % (mean * 3));
        struct agr_view v;
        struct agr_charge c;
        uint64_t cost = 1 + random_u64() % (r.burst < 4 ? r.burst : 4);
        if (agr_gcra_take(st, &k, &r, cost, &mine, &v, &c) == AEGIS_OK && v.admits)
            e[n++] = (struct event){mine.boot_ns, cost, c};
        if (n && random_u64() % 8 == 0) {
            uint64_t ix = n - 1 - random_u64() % (n < 5 ? n : 5);
            agr_charge_undo(st, &e[ix].c, &now);
            e[ix] = e[--n];
        }
    }
    *ret_admitted += n;
    return keeps_promise(e, n, &r);
}

static void
test_promise(void)
{
    int kept = 0;
    uint64_t admitted = 0;
    for (int round = 0; round < 300; round++)
        kept += run_random(round, &admitted);
    OK(kept == 300, "D4: never more than burst + rate * t in any interval (%llu admitted)",
       (unsigned long long)admitted);
    OK(admitted > 300 * 20, "the property saw admissions");
}

int
main(void)
{
    struct agr_clock_virtual v;
    struct agr_clock clock = agr_clock_virtual_init(&v, now.wall_ns, 5 * SECOND);
    now.boot_ns = 6 * SECOND;
    if (agr_state_open_memory(
            &(struct agr_state_options){.entries = 4096, .share_permille = 1000, .clock = &clock}, &st,
            NULL) != AEGIS_OK)
        return 1;
    test_burst();
    test_minute();
    test_parameters();
    test_peek();
    test_undo();
    test_promise();
    agr_state_close(st);
    return t_done();
}
