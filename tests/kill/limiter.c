// SPDX-License-Identifier: Apache-2.0
// Limiters under kill -9 (D4, D6, B8): PROCESSES workers charge a few keys while a parent kills them at
// random and starts others. Usage: limiter [SECONDS [KEYS]]; 2 s, with AEGIS_LONG 5 s. Checked: no key ever
// admitted more than its limit allows, every key can still be charged afterwards, one key never had two
// entries.
//
// A worker counts a charge after it was made, so a kill in between loses a count and never adds one: the sums
// are lower bounds of what was admitted, and of what the limiters allowed each is proved from below.
#include "state/budget.h"
#include "state/gcra.h"
#include "state/layout.h"
#include "state/ring.h"

#include "t.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 8
#define KEYS_MAX  64
#define SECOND    INT64_C(1000000000)
#define MONEY_CAP UINT64_C(1000000)

static const struct agr_rate rate = {2000, (uint64_t)SECOND, 50};
static const struct agr_ring ring = {100, (uint64_t)(SECOND / 10)};
static const struct agr_budget budget = {MONEY_CAP, MONEY_CAP * 8 / 10};

struct board {
    _Atomic uint64_t rate[KEYS_MAX], ring[KEYS_MAX], money[KEYS_MAX], warnings[KEYS_MAX];
    _Atomic uint64_t refused, errors, error_status, churned;
};

static struct agr_state *st;
static struct agr_state *crowded; // a table far too small for its keys: every call claims or steals
static struct board *board;
static uint32_t keys = 4;

static struct agr_key
key_of(enum agr_kind kind, uint32_t ix)
{
    struct agr_key k;
    enum agr_period period = kind == AGR_BUDGET ? AGR_MONTH : AGR_NO_PERIOD;
    if (agr_key_make(st, kind, period, AG_STR("limit"), AG_STR("t"), ag_str_of((void *)&ix, sizeof ix), &k) !=
        AEGIS_OK)
        abort();
    return k;
}

static void
note(enum aegis_status s)
{
    // Lost races are allowed to happen; anything else is not.
    if (s != AEGIS_OK && s != AEGIS_BUSY) {
        atomic_fetch_add(&board->errors, 1);
        atomic_store(&board->error_status, (uint64_t)s);
    }
}

static void
charge_all(uint32_t ix, struct agr_time *now, uint64_t roll)
{
    struct agr_view v = {.admits = false};
    struct agr_charge c;
    bool warns;
    struct agr_key k = key_of(AGR_RATE, ix);
    enum aegis_status s = agr_gcra_take(st, &k, &rate, 1, now, &v, &c);
    note(s);
    if (s == AEGIS_OK && v.admits && roll % 8 == 0) {
        agr_clock_now(agr_clock_system(), now);
        agr_charge_undo(st, &c, now);
    } else if (s == AEGIS_OK && v.admits) {
        atomic_fetch_add(&board->rate[ix], 1);
    } else {
        atomic_fetch_add(&board->refused, 1);
    }
    k = key_of(AGR_RING, ix);
    s = agr_ring_take(st, &k, &ring, now, &v, &c);
    note(s);
    if (s == AEGIS_OK && v.admits)
        atomic_fetch_add(&board->ring[ix], 1);
    k = key_of(AGR_BUDGET, ix);
    uint64_t amount = 1 + roll % 7, id;
    s = agr_budget_take(st, &k, &budget, amount, now, &v, &c, &warns);
    note(s);
    if (s == AEGIS_OK && warns)
        atomic_fetch_add(&board->warnings[ix], 1);
    if (s == AEGIS_OK && v.admits && agr_reservation_open(st, &c, 1, now, &id) == AEGIS_OK) {
        uint64_t actual = amount - (roll >> 8) % 2;
        if (agr_reservation_settle(st, id, actual, now) == AEGIS_OK)
            atomic_fetch_add(&board->money[ix], actual);
    }
}

// Keys come and go; the clock runs a thousand times faster, so that entries become stealable at once.
static void
churn(uint64_t roll, const struct agr_time *now)
{
    int64_t origin = crowded->h->origin_boot_ns;
    struct agr_time fast = {now->wall_ns, origin + (now->boot_ns - origin) * 1000};
    struct agr_view v;
    struct agr_charge c;
    uint64_t name = roll % 4096;
    struct agr_key k;
    if (agr_key_make(crowded, AGR_RATE, AGR_NO_PERIOD, AG_STR("churn"), AG_STR("t"),
                     ag_str_of((void *)&name, sizeof name), &k) != AEGIS_OK)
        abort();
    enum aegis_status s = agr_gcra_take(crowded, &k, &rate, 1, &fast, &v, &c);
    if (s != AEGIS_STATE) // all places of a key can be in use for a moment
        note(s);
    if (s == AEGIS_OK && v.admits)
        atomic_fetch_add(&board->churned, 1);
}

static _Noreturn void
worker(uint64_t seed)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        struct agr_time now;
        agr_clock_now(agr_clock_system(), &now);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        charge_all((uint32_t)(seed >> 33) % keys, &now, seed >> 40);
        churn(seed >> 30, &now);
    }
}

static pid_t
start(uint64_t seed)
{
    pid_t pid = fork();
    if (pid == -1)
        abort();
    if (pid == 0)
        worker(seed);
    return pid;
}

static uint64_t
run(int64_t seconds, int64_t *ret_elapsed)
{
    struct agr_time begin, now;
    pid_t pid[PROCESSES];
    const char *from_env = getenv("AEGIS_SEED");
    uint64_t seed = from_env ? strtoull(from_env, NULL, 10) : 42, killed = 0;
    agr_clock_now(agr_clock_system(), &begin);
    for (int i = 0; i < PROCESSES; i++)
        pid[i] = start(++seed);
    do {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        const struct timespec nap = {.tv_nsec = (long)(seed >> 42)}; // up to 4 ms
        (void)nanosleep(&nap, NULL);
        uint32_t i = (uint32_t)(seed >> 20) % PROCESSES;
        (void)kill(pid[i], SIGKILL);
        (void)waitpid(pid[i], NULL, 0);
        killed++;
        pid[i] = start(seed);
        agr_clock_now(agr_clock_system(), &now);
    } while (now.boot_ns - begin.boot_ns < seconds * SECOND);
    for (int i = 0; i < PROCESSES; i++) {
        (void)kill(pid[i], SIGKILL);
        (void)waitpid(pid[i], NULL, 0);
    }
    agr_clock_now(agr_clock_system(), &now);
    *ret_elapsed = now.boot_ns - begin.boot_ns;
    return killed;
}

static void
check_after(void)
{
    struct agr_time now;
    struct agr_view v;
    struct agr_charge c;
    uint32_t alive = 0, rings = 0, readable = 0, warned = 0;
    agr_clock_now(agr_clock_system(), &now);
    now.boot_ns += 100 * SECOND; // whatever is in the words has flowed off by then
    for (uint32_t i = 0; i < keys; i++) {
        struct agr_key k = key_of(AGR_RATE, i);
        alive += agr_gcra_take(st, &k, &rate, rate.burst, &now, &v, &c) == AEGIS_OK && v.admits;
        alive -= agr_gcra_take(st, &k, &rate, 1, &now, &v, &c) == AEGIS_OK && v.admits;
        k = key_of(AGR_RING, i);
        uint32_t n = 0;
        while (agr_ring_take(st, &k, &ring, &now, &v, &c) == AEGIS_OK && v.admits)
            n++;
        rings += n == ring.max;
        uint64_t used = 0, previous;
        k = key_of(AGR_BUDGET, i);
        readable += agr_budget_read(st, &k, &now, &used, &previous) == AEGIS_OK && used <= MONEY_CAP &&
                    used >= atomic_load(&board->money[i]);
        warned += atomic_load(&board->warnings[i]) <= 1;
    }
    OK(alive == keys, "every rate admits exactly its burst afterwards: nothing is stuck");
    OK(rings == keys, "every ring admits exactly its max afterwards");
    OK(readable == keys, "D6: settled money is within what the budget says, and that within the cap");
    OK(warned == keys, "D6: at most one warning for each budget");
}

// After the kills: no key stands twice in the crowded table, and all of its places can be claimed again.
static void
check_crowded(void)
{
    struct agr_time now;
    struct agr_view v;
    struct agr_charge c;
    uint32_t twice = 0, claimed = 0;
    for (uint32_t i = 0; i < crowded->h->entries; i++) {
        struct agr_entry *a = (void *)(crowded->base + crowded->at.entries + i * AGR_ENTRY_SIZE);
        for (uint32_t j = 0; j < i; j++) {
            struct agr_entry *b = (void *)(crowded->base + crowded->at.entries + j * AGR_ENTRY_SIZE);
            uint8_t ga = agr_word_gen(a->word), gb = agr_word_gen(b->word);
            bool are_live = !(ga & 1) && !(gb & 1) && (uint8_t)a->tag[0] == (uint8_t)(ga - 1) &&
                            (uint8_t)b->tag[0] == (uint8_t)(gb - 1);
            twice += are_live && a->tag[0] >> 8 == b->tag[0] >> 8 && a->tag[1] >> 8 == b->tag[1] >> 8;
        }
    }
    OK(twice == 0, "one key, one entry, after %llu charges of passing keys",
       (unsigned long long)atomic_load(&board->churned));
    agr_clock_now(agr_clock_system(), &now);
    now.boot_ns =
        crowded->h->origin_boot_ns + (now.boot_ns - crowded->h->origin_boot_ns) * 1000 + 1000 * SECOND;
    agr_table_recount(crowded); // as the parent does after each death
    for (uint64_t name = 10000; name < 14000; name++) {
        struct agr_key k;
        (void)agr_key_make(crowded, AGR_RATE, AGR_NO_PERIOD, AG_STR("churn"), AG_STR("t"),
                           ag_str_of((void *)&name, sizeof name), &k);
        claimed += agr_gcra_take(crowded, &k, &rate, 1, &now, &v, &c) == AEGIS_OK && v.admits;
    }
    OK(claimed == crowded->h->entries && agr_table_used(crowded) == claimed,
       "all %u places can be claimed again", claimed);
}

int
main(int argc, char **argv)
{
    int64_t seconds = argc > 1 ? strtol(argv[1], NULL, 10) : getenv("AEGIS_LONG") ? 5 : 2, elapsed;
    keys = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : keys;
    keys = keys < 1 ? 1 : keys > KEYS_MAX ? KEYS_MAX : keys;
    setvbuf(stdout, NULL, _IONBF, 0);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED ||
        agr_state_open_memory(
            &(struct agr_state_options){.entries = 1024, .ring_chunks = 1024, .share_permille = 1000}, &st,
            NULL) != AEGIS_OK ||
        agr_state_open_memory(&(struct agr_state_options){.entries = 128, .share_permille = 1000}, &crowded,
                              NULL) != AEGIS_OK)
        return 1;
    uint64_t killed = run(seconds, &elapsed), admitted = 0;
    uint32_t within = 0, exact = 0;
    for (uint32_t i = 0; i < keys; i++) {
        uint64_t n = atomic_load(&board->rate[i]), r = atomic_load(&board->ring[i]);
        uint64_t room = rate.burst + (uint64_t)elapsed * rate.events / rate.per_ns + 1;
        uint64_t windows = (uint64_t)elapsed / ring.window_ns + 2;
        admitted += n;
        within += n <= room;
        exact += r <= windows * ring.max;
        if (n > room || r > windows * ring.max)
            printf("# key %u: %llu of %llu, ring %llu of %llu\n", i, (unsigned long long)n,
                   (unsigned long long)room, (unsigned long long)r, (unsigned long long)(windows * ring.max));
    }
    OK(within == keys,
       "D4: burst + rate * t holds for %u keys (%llu admitted, %llu refused, %llu workers killed, %lld ms)",
       keys, (unsigned long long)admitted, (unsigned long long)atomic_load(&board->refused),
       (unsigned long long)killed, (long long)(elapsed / 1000000));
    OK(exact == keys, "B8: no window held more than max");
    OK(admitted > 0 && killed > 0, "workers worked and were killed");
    OK(atomic_load(&board->errors) == 0, "no status but success and lost races (%llu, last %llu)",
       (unsigned long long)atomic_load(&board->errors),
       (unsigned long long)atomic_load(&board->error_status));
    check_after();
    check_crowded();
    agr_state_close(crowded);
    agr_state_close(st);
    return t_done();
}
