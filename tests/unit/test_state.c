// SPDX-License-Identifier: Apache-2.0
// The state file (D4-D6, D53): boot rule, refusal of foreign bytes, entries that are claimed, stolen and
// abandoned, shares, workers, crash digests, counters.
#include "state/gcra.h"
#include "state/layout.h"

#include "hash.h"
#include "t.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define SMALL                                                                                                \
    (&(struct agr_state_options){                                                                            \
        .entries = 128, .ring_chunks = 128, .reservations = 16, .share_permille = 1000})

static const struct agr_rate slow = {1, (uint64_t)SECOND, 10};
static struct agr_time now;

static struct agr_key
key_of(const struct agr_state *st, const char *tenant, uint64_t n)
{
    struct agr_key k;
    if (agr_key_make(st, AGR_RATE, AGR_NO_PERIOD, AG_STR("limit"), ag_str_z(tenant),
                     ag_str_of((void *)&n, sizeof n), &k) != AEGIS_OK)
        abort();
    return k;
}

static enum aegis_status
take(struct agr_state *st, const struct agr_key *k, uint64_t n, struct agr_view *v)
{
    struct agr_charge c;
    return agr_gcra_take(st, k, &slow, n, &now, v, &c);
}

// ---- opening ----

static void
patch_boot(const char *dir)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/state", dir);
    int fd = open(path, O_RDWR);
    struct agr_state_header h;
    uint64_t tag[2];
    if (fd == -1 || pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h)
        abort();
    h.kernel_boot[0] ^= 1;
    ag_siphash128(&h, offsetof(struct agr_state_header, recovering), h.key, tag);
    h.check = tag[0];
    if (pwrite(fd, &h, sizeof h, 0) != (ssize_t)sizeof h)
        abort();
    close(fd);
}

static void
test_open(const char *dir)
{
    struct agr_state *st, *other;
    struct agr_view v;
    enum agr_state_origin origin;
    struct aegis_error err = {.size = sizeof err};
    OK(agr_state_open(dir, SMALL, &st, &origin, &err) == AEGIS_OK && origin == AGR_STATE_NEW,
       "a new state file");
    agr_clock_now(agr_clock_system(), &now);
    struct agr_key k = key_of(st, "t", 1);
    OK(take(st, &k, 10, &v) == AEGIS_OK && v.admits, "new: the burst is there");
    OK(agr_state_attach_fd(agr_state_fd(st), &other, &err) == AEGIS_OK,
       "a second mapping from the descriptor");
    struct agr_key same = key_of(other, "t", 1);
    OK(take(other, &same, 1, &v) == AEGIS_OK && !v.admits, "both see one entry");
    agr_state_close(other);
    agr_state_close(st);
    OK(agr_state_open(dir, SMALL, &st, &origin, &err) == AEGIS_OK && origin == AGR_STATE_SAME,
       "same boot: used as it is");
    OK(take(st, &k, 1, &v) == AEGIS_OK && !v.admits && !agr_state_is_recovering(st),
       "and the charge is still there");
    agr_state_close(st);

    patch_boot(dir);
    OK(agr_state_open(dir, SMALL, &st, &origin, &err) == AEGIS_OK && origin == AGR_STATE_RESTART,
       "another boot");
    OK(agr_state_is_recovering(st), "another boot: quotas are recovering");
    agr_clock_now(agr_clock_system(), &now);
    k = key_of(st, "t", 1);
    OK(take(st, &k, 1, &v) == AEGIS_OK && !v.admits, "another boot: a limiter starts with no burst");
    int64_t wait = v.retry_after_ns;
    now.boot_ns += wait;
    OK(wait > 0 && wait <= SECOND && take(st, &k, 1, &v) == AEGIS_OK && v.admits, "and fills at its rate");
    agr_state_recovered(st);
    OK(!agr_state_is_recovering(st), "recovered");
    agr_state_close(st);
}

static void
test_damage(const char *dir)
{
    struct agr_state *st;
    enum agr_state_origin origin;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/state", dir);
    const struct {
        off_t at;
        const char *what;
    } bits[] = {{0, "magic"}, {8, "version"}, {16, "size"}, {60, "key"}, {96, "entries"}, {120, "check"}};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        int fd = open(path, O_RDWR);
        uint8_t b = 0;
        if (fd == -1 || pread(fd, &b, 1, bits[i].at) != 1)
            abort();
        b ^= 0x40;
        if (pwrite(fd, &b, 1, bits[i].at) != 1)
            abort();
        struct aegis_error err = {.size = sizeof err};
        OK(agr_state_attach_fd(fd, &st, &err) == AEGIS_STATE_UNAVAILABLE && err.text[0], "damaged %s: %s",
           bits[i].what, err.text);
        close(fd);
        OK(agr_state_open(dir, SMALL, &st, &origin, &err) == AEGIS_OK && origin == AGR_STATE_RESTART,
           "made anew");
        agr_state_close(st);
    }
    if (truncate(path, 100) == -1)
        abort();
    OK(agr_state_open(dir, SMALL, &st, &origin, NULL) == AEGIS_OK && origin == AGR_STATE_RESTART,
       "a short file too");
    agr_state_close(st);
    struct aegis_error err = {.size = sizeof err};
    OK(agr_state_open("/nonexistent/dir", SMALL, &st, &origin, &err) == AEGIS_IO &&
           strstr(err.text, "/nonexistent/dir"),
       "a missing directory is named: %s", err.text);
}

static void
test_sizes(void)
{
    struct agr_state *st;
    OK(agr_state_open_memory(&(struct agr_state_options){.entries = 129}, &st, NULL) == AEGIS_OK &&
           st->h->entries == 256,
       "entries are rounded up");
    agr_state_close(st);
    if (agr_state_open_memory(&(struct agr_state_options){.bytes = 8u << 20}, &st, NULL) != AEGIS_OK)
        abort();
    OK(st->size <= 8u << 20 && st->h->entries >= 32768, "bytes: the largest table that fits (%zu of 8 MiB)",
       st->size);
    agr_state_close(st);
}

// ---- entries ----

static void
test_exhaustion(void)
{
    struct agr_state *st;
    struct agr_view v;
    if (agr_state_open_memory(SMALL, &st, NULL) != AEGIS_OK)
        abort();
    agr_clock_now(agr_clock_system(), &now);
    uint64_t n = 0, full = 0;
    enum aegis_status s = AEGIS_OK;
    for (uint64_t i = 0; i < 1000; i++) {
        struct agr_key k = key_of(st, "t", i);
        s = take(st, &k, 1, &v);
        n += s == AEGIS_OK;
        full += s == AEGIS_STATE;
    }
    OK(n == agr_table_used(st) && n > 100 && n <= 128 && n + full == 1000,
       "128 places held %llu of 1000 keys, the rest: state_exhausted", (unsigned long long)n);
    uint64_t refused = 0;
    for (uint64_t i = 0; i < n; i++) {
        struct agr_key k = key_of(st, "t", i);
        refused += agr_gcra_peek(st, &k, &slow, 10, &now, &v) == AEGIS_OK && !v.admits;
    }
    OK(refused > 90, "no entry in use was stolen");
    now.boot_ns += SECOND;
    struct agr_key late = key_of(st, "t", 5000);
    OK(take(st, &late, 1, &v) == AEGIS_STATE, "an entry that became fresh is kept for the lag of clocks");
    now.boot_ns += AGR_LAG_NS;
    OK(take(st, &late, 1, &v) == AEGIS_OK && v.admits && v.remaining == 9, "then it is stolen");
    agr_state_close(st);
}

// A charge prepared for the old owner fails: the word it saw is gone, its undo does nothing.
static void
test_steal(void)
{
    struct agr_state *st;
    struct agr_view v;
    struct agr_found before;
    struct agr_charge c;
    if (agr_state_open_memory(SMALL, &st, NULL) != AEGIS_OK)
        abort();
    agr_clock_now(agr_clock_system(), &now);
    struct agr_key first = key_of(st, "t", 0);
    (void)agr_gcra_take(st, &first, &slow, 1, &now, &v, &c);
    OK(agr_table_find(st, AGR_TABLE_MAIN, &first, &before), "the first owner's word");
    now.boot_ns += SECOND + AGR_LAG_NS;
    struct agr_found f = {NULL, 0};
    for (uint64_t i = 1; i < 1000 && agr_table_find(st, AGR_TABLE_MAIN, &first, &f); i++) {
        struct agr_key k = key_of(st, "t", i);
        (void)take(st, &k, 5, &v);
    }
    OK(!agr_table_find(st, AGR_TABLE_MAIN, &first, &f), "stolen under pressure");
    uint64_t word = atomic_load(&before.e->word), seen = before.word;
    OK(agr_word_gen(word) != agr_word_gen(before.word), "a steal changes the generation");
    OK(!agr_word_cas(&before.e->word, &seen, 7), "a charge prepared for the old owner fails");
    struct agr_time then = now;
    then.boot_ns -= SECOND + AGR_LAG_NS;
    agr_charge_undo(st, &c, &then);
    OK(atomic_load(&before.e->word) == word, "its give-back does not touch the new owner");
    agr_state_close(st);
}

static void
test_share(void)
{
    struct agr_state *st;
    struct agr_view v;
    if (agr_state_open_memory(&(struct agr_state_options){.entries = 1024, .share_permille = 100}, &st,
                              NULL) != AEGIS_OK)
        abort();
    agr_clock_now(agr_clock_system(), &now);
    uint64_t n = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        struct agr_key k = key_of(st, "greedy", i);
        n += take(st, &k, 1, &v) == AEGIS_OK;
    }
    OK(n == 102, "D53: one tenant gets its tenth (%llu)", (unsigned long long)n);
    struct agr_key other = key_of(st, "modest", 1), more = key_of(st, "greedy", 2000),
                   own = key_of(st, "greedy", 1);
    OK(take(st, &other, 1, &v) == AEGIS_OK && v.admits, "another tenant still has room");
    OK(take(st, &own, 1, &v) == AEGIS_OK && v.admits, "keys that have an entry go on");
    // A claimer killed between count and claim leaves its count behind.
    _Atomic uint64_t *cells = (void *)(st->base + st->at.shares);
    for (uint32_t i = 0; i < 2 * AGR_TENANT_CELLS; i++)
        atomic_fetch_add(&cells[i], 500);
    struct agr_key third = key_of(st, "third", 1);
    OK(take(st, &third, 1, &v) == AEGIS_STATE, "leaked counts refuse");
    agr_table_recount(st);
    OK(take(st, &third, 1, &v) == AEGIS_OK && take(st, &more, 1, &v) == AEGIS_STATE,
       "a recount repairs them exactly");
    agr_state_close(st);
}

// Every place of every bucket is left as a kill at some step of a claim leaves it.
static void
test_abandoned(void)
{
    struct agr_state *st;
    struct agr_view v;
    for (int step = 0; step < 5; step++) {
        if (agr_state_open_memory(SMALL, &st, NULL) != AEGIS_OK)
            abort();
        agr_clock_now(agr_clock_system(), &now);
        struct agr_key k = key_of(st, "t", 77);
        uint64_t gen = 1;
        for (uint32_t i = 0; i < 128; i++) {
            struct agr_entry *e = (void *)(st->base + st->at.entries + i * AGR_ENTRY_SIZE);
            atomic_store(&e->word, gen << AGR_GEN_SHIFT | 5);
            if (step > 0)
                atomic_store(&e->meta, gen << AGR_GEN_SHIFT | (uint64_t)AGR_RATE << 52 | k.tenant);
            if (step > 1)
                atomic_store(&e->tag[1], (k.tag[1] & ~UINT64_C(255)) | gen);
            if (step > 2)
                atomic_store(&e->tag[0], (k.tag[0] & ~UINT64_C(255)) | gen);
            if (step > 3) // called off by somebody else
                atomic_store(&e->word, (gen + 3) << AGR_GEN_SHIFT);
        }
        bool first = take(st, &k, 10, &v) == AEGIS_OK && v.admits;
        OK(first && take(st, &k, 1, &v) == AEGIS_OK && !v.admits,
           "claims abandoned at step %d are taken over, once", step);
        uint64_t n = 0;
        for (uint64_t i = 0; i < 200; i++) {
            struct agr_key o = key_of(st, "t", 1000 + i);
            n += take(st, &o, 1, &v) == AEGIS_OK;
        }
        OK(n > 90, "and no place stays stuck (%llu)", (unsigned long long)n);
        agr_state_close(st);
    }
}

// ---- claims of one key by many threads at once ----

#define THREADS 4
#define ROUNDS  400

static struct agr_state *shared;
static pthread_barrier_t barrier;
static _Atomic uint64_t admitted[ROUNDS];

static void *
claimer(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct agr_key k = key_of(shared, "t", i);
        struct agr_view v;
        struct agr_charge c;
        (void)pthread_barrier_wait(&barrier);
        for (int n = 0; n < 4; n++)
            if (agr_gcra_take(shared, &k, &slow, 1, &now, &v, &c) == AEGIS_OK && v.admits)
                atomic_fetch_add(&admitted[i], 1);
    }
    return NULL;
}

static void
test_threads(void)
{
    pthread_t t[THREADS];
    if (agr_state_open_memory(&(struct agr_state_options){.entries = 2048, .share_permille = 1000}, &shared,
                              NULL) != AEGIS_OK ||
        pthread_barrier_init(&barrier, NULL, THREADS) != 0)
        abort();
    agr_clock_now(agr_clock_system(), &now);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, claimer, NULL) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(t[i], NULL);
    int exact = 0;
    for (int i = 0; i < ROUNDS; i++)
        exact += atomic_load(&admitted[i]) == 10;
    OK(exact == ROUNDS, "16 concurrent takes of a new key admit exactly its burst of 10 (%d of %d)", exact,
       ROUNDS);
    OK(agr_table_used(shared) == ROUNDS, "one key, one entry");
    (void)pthread_barrier_destroy(&barrier);
    agr_state_close(shared);
}

// ---- keys ----

static void
test_keys(void)
{
    struct agr_state *st;
    struct agr_key a, b, c;
    if (agr_state_open_memory(SMALL, &st, NULL) != AEGIS_OK)
        abort();
    (void)agr_key_make(st, AGR_RATE, AGR_NO_PERIOD, AG_STR("ab"), AG_STR("c"), AG_STR("d"), &a);
    (void)agr_key_make(st, AGR_RATE, AGR_NO_PERIOD, AG_STR("a"), AG_STR("bc"), AG_STR("d"), &b);
    (void)agr_key_make(st, AGR_QUOTA, AGR_DAY, AG_STR("ab"), AG_STR("c"), AG_STR("d"), &c);
    OK(a.tag[0] != b.tag[0] && a.tag[1] != b.tag[1], "D53: borders between fields are part of the tag");
    OK(a.tag[0] != c.tag[0] && a.tenant == c.tenant, "the kind is part of the tag, not of the share");
    static char long_key[AGR_KEY_MAX + 1];
    OK(agr_key_make(st, AGR_RATE, AGR_NO_PERIOD, AG_STR(""), AG_STR(""), ag_str_of(long_key, AGR_KEY_MAX),
                    &a) == AEGIS_OK,
       "a key of %u bytes", AGR_KEY_MAX);
    OK(agr_key_make(st, AGR_RATE, AGR_NO_PERIOD, AG_STR("x"), AG_STR(""), ag_str_of(long_key, AGR_KEY_MAX),
                    &a) == AEGIS_TOO_LARGE,
       "one byte more is refused");
    OK(!agr_table_word_at(st, 0) && !agr_table_word_at(st, st->at.entries + 1) &&
           !agr_table_word_at(st, st->size),
       "offsets outside the entries are refused");
    agr_state_close(st);
}

// ---- workers and words ----

static void
test_workers(void)
{
    struct agr_state *st;
    uint32_t ix, n = 0;
    if (agr_state_open_memory(SMALL, &st, NULL) != AEGIS_OK)
        abort();
    while (n <= AGR_WORKERS_MAX && agr_worker_join(st, &ix) == AEGIS_OK)
        n++;
    OK(n == AGR_WORKERS_MAX, "%u workers join, one more is refused", n);
    agr_worker_leave(st, 7);
    OK(agr_worker_join(st, &ix) == AEGIS_OK && ix == 7, "a line that was left is taken again");
    OK(agr_worker_find(st, (uint64_t)getpid()) == 0 && agr_worker_find(st, 1u << 30) == AGR_WORKERS_MAX,
       "find by pid");
    OK(atomic_load(&agr_worker_at(st, 7)->start_ticks) == agr_start_ticks((uint64_t)getpid()) &&
           agr_start_ticks((uint64_t)getpid()) != 0,
       "the start time is kept");
    atomic_fetch_add(&agr_worker_at(st, 7)->epoch, 1);
    agr_worker_begin(st, 7, 0xd1);
    OK(!agr_digest_is_refused(st, 0xd1), "a new request is not refused");
    OK(agr_worker_crashed(st, 7) == 0xd1 && !agr_digest_is_refused(st, 0xd1), "one death is not enough");
    OK((atomic_load(&agr_worker_at(st, 7)->epoch) & 1) == 0, "a dead worker's epoch is made even");
    agr_worker_begin(st, 8, 0xd1);
    (void)agr_worker_crashed(st, 8);
    OK(agr_digest_is_refused(st, 0xd1), "a digest that killed twice is refused");
    OK(agr_worker_crashed(st, 9) == 0, "a death while idle names nothing");
    for (uint64_t d = 1000; d < 1000 + 2 * AGR_CRASH_DIGESTS; d++) {
        agr_worker_begin(st, 10, d);
        (void)agr_worker_crashed(st, 10);
    }
    OK(agr_digest_is_refused(st, 0xd1), "digests that killed once make room before it");
    agr_worker_begin(st, 11, 5);
    agr_worker_end(st, 11);
    OK(atomic_load(&agr_worker_at(st, 11)->served) == 1 && atomic_load(&agr_worker_at(st, 11)->digest) == 0,
       "served");
    agr_counter_add(st, 0, 3, 5);
    agr_counter_add(st, AGR_WORKERS_MAX - 1, 3, 2);
    agr_counter_add(st, AGR_WORKERS_MAX, 3, 100);
    agr_counter_add(st, 0, AGR_COUNTERS_MAX, 100);
    OK(agr_counter_sum(st, 3) == 7 && agr_counter_sum(st, 4) == 0 &&
           agr_counter_sum(st, AGR_COUNTERS_MAX) == 0,
       "counters sum over workers, out of range is ignored");
    agr_policy_bump(st, AGR_POLICIES_MAX - 1);
    OK(agr_policy_generation(st, AGR_POLICIES_MAX - 1) == 1 && agr_policy_generation(st, 0) == 0,
       "policy generations");
    agr_state_close(st);
}

int
main(void)
{
    char dir[] = "/tmp/aegis-state-XXXXXX", path[64];
    if (!mkdtemp(dir))
        return 1;
    test_open(dir);
    test_damage(dir);
    (void)snprintf(path, sizeof path, "%s/state", dir);
    (void)unlink(path);
    (void)rmdir(dir);
    test_sizes();
    test_keys();
    test_exhaustion();
    test_steal();
    test_share();
    test_abandoned();
    test_threads();
    test_workers();
    return t_done();
}
