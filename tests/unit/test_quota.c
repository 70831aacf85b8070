// SPDX-License-Identifier: Apache-2.0
// Calendar quotas, budgets, containment (D5, D6, D66, B9): windows of UTC days and months, caps, one warning,
// reservations settled once, rebuild, and the recovering state.
#include "state/budget.h"
#include "state/contain.h"
#include "state/layout.h"

#include "t.h"

#include <pthread.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)
#define NOON   (INT64_C(1795176000) * SECOND) // 2026-11-20T12:00:00Z

static struct agr_state *st;
static struct agr_time now;

static struct agr_key
key_of(enum agr_kind kind, enum agr_period period, const char *tenant)
{
    struct agr_key k;
    if (agr_key_make(st, kind, period, AG_STR("limit"), ag_str_z(tenant), AG_STR(""), &k) != AEGIS_OK)
        abort();
    return k;
}

// ---- windows against the C library ----

static void
test_windows(void)
{
    int good = 0, months = 0;
    const int n = 16000;
    for (int day = 0; day < n; day++) {
        int64_t wall = INT64_C(1577836800) * SECOND + day * DAY + (day * INT64_C(7919) % 86400) * SECOND;
        time_t t = (time_t)(wall / SECOND);
        struct tm tm;
        (void)gmtime_r(&t, &tm);
        good += agr_window_of(AGR_DAY, wall) == (uint32_t)day;
        uint32_t month = (uint32_t)((tm.tm_year - 120) * 12 + tm.tm_mon);
        tm.tm_mday = 1;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        months += agr_window_of(AGR_MONTH, wall) == month &&
                  agr_window_start(AGR_MONTH, month) == timegm(&tm) * SECOND;
    }
    OK(good == n && months == n, "days and months of 43 years agree with the C library");
    OK(agr_window_of(AGR_DAY, INT64_C(1577836800) * SECOND - 1) == 0 &&
           agr_window_of(AGR_MONTH, INT64_MIN) == 0,
       "before 2020 is window 0");
    int64_t last = agr_window_start(AGR_DAY, AGR_WINDOW_MAX);
    OK(agr_window_of(AGR_DAY, last + DAY - 1) == AGR_WINDOW_MAX &&
           agr_window_of(AGR_DAY, last + DAY) == AGR_WINDOW_MAX + 1,
       "the last window, and past it");
    struct agr_view v;
    struct agr_key k = key_of(AGR_QUOTA, AGR_DAY, "far");
    struct agr_time far = {last + DAY, now.boot_ns};
    OK(agr_quota_peek(st, &k, 5, 1, &far, &v) == AEGIS_STATE_UNAVAILABLE,
       "past the end is unavailable, not admitted");
}

// ---- quotas ----

static bool
take(const struct agr_key *k, uint64_t cap, uint64_t n, struct agr_view *v, struct agr_charge *c)
{
    return agr_quota_take(st, k, cap, n, false, &now, v, c) == AEGIS_OK && v->admits;
}

static void
test_quota(void)
{
    struct agr_view v;
    struct agr_charge c;
    uint64_t used, previous;
    struct agr_key day = key_of(AGR_QUOTA, AGR_DAY, "a"), month = key_of(AGR_QUOTA, AGR_MONTH, "a");
    now.wall_ns = NOON;
    int admitted = 0;
    for (int i = 0; i < 6; i++)
        admitted += take(&day, 5, 1, &v, &c);
    OK(admitted == 5 && c.at == 0 && v.remaining == 0, "D5: cap passes, cap + 1 is refused and not charged");
    OK(v.retry_after_ns == DAY / 2 && v.reset_after_ns == DAY / 2, "reset at UTC midnight");
    OK(agr_quota_read(st, &day, &now, &used, &previous) == AEGIS_OK && used == 5 && previous == 0,
       "D66: read changes nothing");
    OK(!take(&day, 5, 6, &v, &c) && v.retry_after_ns == -1, "more than the cap never fits");
    OK(take(&month, 5, 5, &v, &c) && !take(&month, 5, 1, &v, &c) && v.reset_after_ns == 10 * DAY + DAY / 2,
       "the month ends on December 1");
    OK(take(&day, 7, 2, &v, &c) && !take(&day, 7, 1, &v, &c), "a raised cap applies to the old count");
    agr_charge_undo(st, &c, &now);
    OK(agr_quota_read(st, &day, &now, &used, &previous) == AEGIS_OK && used == 7,
       "undoing nothing gives nothing");
    now.wall_ns += DAY / 2;
    OK(take(&day, 5, 1, &v, &c) && v.remaining == 4, "a new day starts at zero");
    OK(agr_quota_read(st, &day, &now, &used, &previous) == AEGIS_OK && used == 1 && previous == 7,
       "the day before is kept");
    now.wall_ns -= SECOND;
    OK(take(&day, 5, 4, &v, &c) && !take(&day, 5, 1, &v, &c),
       "a clock that steps back charges the newest window");
    agr_charge_undo(st, &c, &now);
    now.wall_ns += DAY;
    struct agr_charge old = c;
    OK(agr_quota_read(st, &day, &now, &used, &previous) == AEGIS_OK && used == 5, "same day");
    now.wall_ns += DAY;
    OK(take(&day, 5, 3, &v, &c), "two days later");
    old.at = c.at;
    agr_charge_undo(st, &old, &now);
    OK(agr_quota_read(st, &day, &now, &used, &previous) == AEGIS_OK && used == 3,
       "an old charge gives nothing to a new window");
    agr_charge_undo(st, &c, &now);
    OK(agr_quota_read(st, &day, &now, &used, &previous) == AEGIS_OK && used == 0,
       "a charge of this window is given back");
    struct agr_key denied = key_of(AGR_QUOTA, AGR_DAY, "denied");
    for (int i = 0; i < 4; i++)
        (void)agr_quota_take(st, &denied, 2, 1, true, &now, &v, &c);
    OK(!v.admits && c.n == 1 && agr_quota_read(st, &denied, &now, &used, &previous) == AEGIS_OK && used == 4,
       "count_denied counts past the cap and still refuses");
    OK(agr_quota_take(st, &denied, AGR_COUNT_MAX + 1, 1, false, &now, &v, &c) == AEGIS_USAGE,
       "a cap past the word");
    (void)agr_quota_take(st, &denied, AGR_COUNT_MAX, AGR_COUNT_MAX - 4, false, &now, &v, &c);
    OK(v.admits && v.remaining == 0, "a full word");
    (void)agr_quota_take(st, &denied, AGR_COUNT_MAX, 10, true, &now, &v, &c);
    OK(!v.admits && agr_quota_read(st, &denied, &now, &used, &previous) == AEGIS_OK && used == AGR_COUNT_MAX,
       "counts stop at the word's end");
}

static void
test_recovery(void)
{
    struct agr_view v;
    struct agr_charge c;
    uint64_t used, previous;
    struct agr_key day = key_of(AGR_QUOTA, AGR_DAY, "recover");
    uint32_t window = agr_window_of(AGR_DAY, now.wall_ns);
    bool is_contained;
    struct agr_key agent;
    (void)agr_contain_key(st, AG_STR("t"), AG_STR("agent"), &agent);
    agr_state_recover_begin(st);
    OK(agr_quota_peek(st, &day, 9, 1, &now, &v) == AEGIS_STATE_UNAVAILABLE &&
           agr_quota_take(st, &day, 9, 1, false, &now, &v, &c) == AEGIS_STATE_UNAVAILABLE &&
           agr_contain_get(st, &agent, &is_contained) == AEGIS_STATE_UNAVAILABLE,
       "while recovering nothing is admitted");
    OK(agr_quota_restore(st, &day, window - 1, 4, &now) == AEGIS_OK &&
           agr_quota_restore(st, &day, window, 6, &now) == AEGIS_OK &&
           agr_quota_restore(st, &day, window, 2, &now) == AEGIS_OK &&
           agr_quota_restore(st, &day, window - 1, 9, &now) == AEGIS_OK,
       "counts are restored in any order");
    OK(agr_quota_restore(st, &day, AGR_WINDOW_MAX + 1, 0, &now) == AEGIS_USAGE,
       "a window past the end is refused");
    agr_state_recovered(st);
    OK(agr_quota_read(st, &day, &now, &used, &previous) == AEGIS_OK && used == 6 && previous == 4,
       "D5: and hold afterwards");
}

// ---- budgets ----

static const struct agr_budget spend = {25000000, 20000000}; // 25 dollars, warn at 80 %

static void
test_budget(void)
{
    struct agr_view v;
    struct agr_charge c[2], none = {0};
    bool warns[4];
    uint64_t id, used, previous;
    struct agr_key day = key_of(AGR_BUDGET, AGR_DAY, "money"), month = key_of(AGR_BUDGET, AGR_MONTH, "money");
    (void)agr_budget_take(st, &day, &spend, 19999999, &now, &v, &c[0], &warns[0]);
    OK(v.admits && !warns[0] && v.remaining == 5000001, "under the level: no warning");
    (void)agr_budget_take(st, &day, &spend, 1, &now, &v, &c[0], &warns[0]);
    (void)agr_budget_take(st, &day, &spend, 1, &now, &v, &c[0], &warns[1]);
    (void)agr_budget_take(st, &day, &spend, 6000000, &now, &v, &c[0], &warns[2]);
    OK(warns[0] && !warns[1] && !warns[2] && !v.admits, "D6: one warning at the level, blocked past the cap");
    agr_charge_undo(st, &none, &now);
    (void)agr_budget_take(st, &day, &spend, 4000000, &now, &v, &c[0], &warns[0]);
    (void)agr_budget_take(st, &month, &spend, 4000000, &now, &v, &c[1], &warns[1]);
    OK(agr_reservation_open(st, c, 2, &now, &id) == AEGIS_OK && id != 0 && agr_reservation_count(st) == 1,
       "reserved twice");
    OK(agr_reservation_settle(st, id, 1500000, &now) == AEGIS_OK && agr_reservation_count(st) == 0,
       "settled");
    (void)agr_budget_read(st, &day, &now, &used, &previous);
    OK(used == 20000001 + 1500000, "the day has what was spent");
    (void)agr_budget_read(st, &month, &now, &used, &previous);
    OK(used == 1500000, "and the month");
    OK(agr_reservation_settle(st, id, 0, &now) == AEGIS_USAGE, "settling twice is refused");
    (void)agr_budget_read(st, &month, &now, &used, &previous);
    OK(used == 1500000, "and changes nothing");
    OK(agr_reservation_settle(st, 0, 0, &now) == AEGIS_USAGE &&
           agr_reservation_settle(st, UINT64_MAX, 0, &now) == AEGIS_USAGE,
       "unknown numbers are refused");
    OK(agr_reservation_open(st, c, 0, &now, &id) == AEGIS_USAGE &&
           agr_reservation_open(st, &none, 1, &now, &id) == AEGIS_USAGE,
       "a reservation needs charges");
    (void)agr_budget_take(st, &month, &spend, 1000000, &now, &v, &c[1], &warns[1]);
    (void)agr_reservation_open(st, &c[1], 1, &now, &id);
    OK(agr_reservation_settle(st, id, 3000000, &now) == AEGIS_OK &&
           agr_budget_read(st, &month, &now, &used, &previous) == AEGIS_OK && used == 4500000,
       "more than reserved is charged too");
    (void)agr_budget_take(st, &month, &spend, 1000000, &now, &v, &c[1], &warns[1]);
    (void)agr_reservation_open(st, &c[1], 1, &now, &id);
    struct agr_time late = {now.wall_ns, now.boot_ns + AGR_RESERVATION_TTL_NS + 2000000};
    OK(agr_reservation_settle(st, id, 0, &late) == AEGIS_USAGE &&
           agr_budget_read(st, &month, &now, &used, &previous) == AEGIS_OK && used == 5500000,
       "an unsettled reservation counts as spent");
    uint64_t n = 0;
    while (agr_reservation_open(st, &c[1], 1, &now, &id) == AEGIS_OK && n < 100)
        n++;
    OK(n == 15, "16 records in use: state_exhausted (%llu)", (unsigned long long)n);
    OK(agr_reservation_open(st, &c[1], 1, &late, &id) == AEGIS_OK, "expired records are used again");
    // Settle balances to zero when nothing was spent.
    struct agr_key zero = key_of(AGR_BUDGET, AGR_DAY, "zero");
    late.boot_ns += AGR_RESERVATION_TTL_NS * 2;
    (void)agr_budget_take(st, &zero, &spend, 777, &late, &v, &c[0], &warns[0]);
    (void)agr_reservation_open(st, &c[0], 1, &late, &id);
    (void)agr_reservation_settle(st, id, 0, &late);
    OK(agr_budget_read(st, &zero, &late, &used, &previous) == AEGIS_OK && used == 0,
       "D6: reserve and settle balance to zero");
    now.wall_ns += 2 * DAY;
    (void)agr_budget_take(st, &day, &spend, 20000000, &now, &v, &c[0], &warns[0]);
    OK(v.admits && warns[0], "the next window warns again");
    struct agr_key back = key_of(AGR_BUDGET, AGR_DAY, "restored");
    (void)agr_budget_restore(st, &back, agr_window_of(AGR_DAY, now.wall_ns), 21000000, true, &now);
    (void)agr_budget_take(st, &back, &spend, 1, &now, &v, &c[0], &warns[0]);
    OK(v.admits && v.remaining == 3999999 && !warns[0], "a rebuilt budget does not warn a second time");
}

#define THREADS 8

static _Atomic uint64_t warnings, spent;

static void *
spender(void *arg)
{
    const struct agr_key *k = arg;
    for (int i = 0; i < 4000; i++) {
        struct agr_view v;
        struct agr_charge c;
        bool warns;
        if (agr_budget_take(st, k, &spend, 1000, &now, &v, &c, &warns) == AEGIS_OK && v.admits)
            atomic_fetch_add(&spent, 1000);
        if (warns)
            atomic_fetch_add(&warnings, 1);
    }
    return NULL;
}

static void
test_warning(void)
{
    pthread_t t[THREADS];
    struct agr_key k = key_of(AGR_BUDGET, AGR_DAY, "crowd");
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, spender, &k) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(t[i], NULL);
    OK(atomic_load(&warnings) == 1, "D6: exactly one warning with eight workers");
    OK(atomic_load(&spent) == spend.cap, "D6: and exactly the cap is spent (%llu)",
       (unsigned long long)atomic_load(&spent));
}

// ---- stealing ----

static void
test_steal(void)
{
    struct agr_view v;
    struct agr_charge c;
    bool warns;
    struct agr_state *small, *usual = st;
    struct agr_clock_virtual clock_state;
    struct agr_clock clock = agr_clock_virtual_init(&clock_state, NOON, SECOND);
    if (agr_state_open_memory(
            &(struct agr_state_options){.entries = 128, .share_permille = 1000, .clock = &clock}, &small,
            NULL) != AEGIS_OK)
        abort();
    st = small;
    now = (struct agr_time){NOON, 2 * SECOND};
    char name[32];
    for (int i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        struct agr_key k = key_of(i % 2 ? AGR_QUOTA : AGR_BUDGET, AGR_DAY, name);
        if (i % 2)
            (void)agr_quota_take(st, &k, 5, 1, false, &now, &v, &c);
        else
            (void)agr_budget_take(st, &k, &spend, 1, &now, &v, &c, &warns);
    }
    struct agr_key agent;
    (void)agr_contain_key(st, AG_STR("t"), AG_STR("a"), &agent);
    uint64_t full = agr_table_used(st), quotas = 0, budgets = 0;
    OK(full == 128 && agr_contain_set(st, &agent, &now) == AEGIS_STATE,
       "a full table of charges in use refuses");
    now.wall_ns += DAY / 2 + 3 * SECOND; // the day is over, reservations of it may be open
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < 4000; i++) {
            (void)snprintf(name, sizeof name, "n%d", i + 10000 * pass);
            struct agr_key k = key_of(AGR_QUOTA, AGR_MONTH, name);
            *(pass ? &budgets : &quotas) +=
                (uint64_t)(agr_quota_take(st, &k, 5, 1, false, &now, &v, &c) == AEGIS_OK);
        }
        now.wall_ns += AGR_RESERVATION_TTL_NS;
    }
    OK(quotas > 20 && budgets > 20 && quotas + budgets == 128,
       "quotas of yesterday are replaced (%llu), budgets an hour later (%llu)", (unsigned long long)quotas,
       (unsigned long long)budgets);
    agr_state_close(small);
    st = usual;
}

static void
test_contain(void)
{
    bool is;
    struct agr_key a, b;
    (void)agr_contain_key(st, AG_STR("t"), AG_STR("a"), &a);
    (void)agr_contain_key(st, AG_STR("t"), AG_STR("b"), &b);
    OK(agr_contain_get(st, &a, &is) == AEGIS_OK && !is, "not contained");
    OK(agr_contain_set(st, &a, &now) == AEGIS_OK && agr_contain_set(st, &a, &now) == AEGIS_OK &&
           agr_contain_get(st, &a, &is) == AEGIS_OK && is && agr_contain_get(st, &b, &is) == AEGIS_OK && !is,
       "one agent is contained, another is not");
    agr_contain_lift(st, &a);
    agr_contain_lift(st, &b);
    OK(agr_contain_get(st, &a, &is) == AEGIS_OK && !is, "lifted");
    OK(agr_contain_set(st, &a, &now) == AEGIS_OK && agr_contain_get(st, &a, &is) == AEGIS_OK && is,
       "and contained again");
}

int
main(void)
{
    struct agr_clock_virtual v;
    struct agr_clock clock = agr_clock_virtual_init(&v, NOON, SECOND);
    now = (struct agr_time){NOON, 10 * SECOND};
    if (agr_state_open_memory(
            &(struct agr_state_options){.entries = 1024, .reservations = 16, .clock = &clock}, &st, NULL) !=
        AEGIS_OK)
        return 1;
    test_windows();
    test_quota();
    test_recovery();
    test_budget();
    test_warning();
    test_contain();
    test_steal();
    agr_state_close(st);
    return t_done();
}
