// SPDX-License-Identifier: Apache-2.0
// Calendar quotas, and the window word that budgets share. In: cap, cost, wall time. Out: admitted or not.
// Owns: nothing. Next: budget.c.
//
// Payload: window 14 | count 42. A charge in a newer window replaces both by one CAS, so no reader ever sees
// the new window with the old count. Before that the old word is kept in aux 0: killed in between, the old
// window is kept twice, which reads the same. A charge in an older window than the word's (the clock stepped
// back) counts in the word's. Partners of the atomics: the same functions in other processes.
#include "state/layout.h"

#define AUX_PREVIOUS 0
#define DAY_NS       INT64_C(86400000000000)
#define DAYS_2020    18262 // from 1970-01-01 to 2020-01-01

// Days from 2020-01-01 to the first of a month (months counted from January 2020).
static int64_t
month_first_day(int64_t month)
{
    static const int16_t before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t year = 2020 + month / 12, m = month % 12;
    // Leap days in the years 2020 .. year-1, then this year's, from March on.
    int64_t y = year - 1;
    int64_t leaps = (y / 4 - y / 100 + y / 400) - (2019 / 4 - 2019 / 100 + 2019 / 400);
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return (year - 2020) * 365 + leaps + before[m] + (is_leap && m >= 2 ? 1 : 0);
}

uint32_t
agr_window_of(enum agr_period period, int64_t wall_ns)
{
    int64_t day = wall_ns / DAY_NS - (wall_ns % DAY_NS < 0) - DAYS_2020;
    if (day < 0)
        return 0;
    int64_t window = day;
    if (period == AGR_MONTH) {
        window = day / 31; // never past the true month
        while (month_first_day(window + 1) <= day)
            window++;
    }
    return window <= AGR_WINDOW_MAX ? (uint32_t)window : AGR_WINDOW_MAX + 1;
}

int64_t
agr_window_start(enum agr_period period, uint32_t window)
{
    int64_t day = period == AGR_MONTH ? month_first_day(window) : window;
    int64_t ns;
    return __builtin_mul_overflow(day + DAYS_2020, DAY_NS, &ns) ? INT64_MAX : ns;
}

static uint64_t
payload_of(uint32_t window, uint64_t count)
{
    return (uint64_t)window << AGR_COUNT_BITS | count;
}

static uint32_t
window_in(uint64_t word)
{
    return (uint32_t)((word & AGR_WORD_MASK) >> AGR_COUNT_BITS);
}

static uint64_t
previous_in(const struct agr_found *f, uint32_t window)
{
    if (window == 0)
        return 0;
    if (window_in(f->word) == window - 1)
        return f->word & AGR_COUNT_MAX;
    uint64_t aux = atomic_load(&f->e->aux[AUX_PREVIOUS]);
    bool is_it = agr_word_gen(aux) == agr_word_gen(f->word) && window_in(aux) == window - 1;
    return is_it ? aux & AGR_COUNT_MAX : 0;
}

// Where a word stands at the clock's window.
static struct agr_window_state
state_of(uint64_t word, uint32_t window)
{
    uint32_t in = window_in(word);
    if (in >= window)
        return (struct agr_window_state){.window = in, .used = word & AGR_COUNT_MAX};
    return (struct agr_window_state){.window = window, .used = 0};
}

static void
judge(const struct agr_key *key, const struct agr_window_state *w, uint64_t cap, uint64_t n,
      const struct agr_time *now, struct agr_view *ret)
{
    int64_t end = agr_window_start((enum agr_period)key->period, w->window + 1);
    ret->remaining = w->used < cap ? cap - w->used : 0;
    ret->admits = n <= ret->remaining;
    ret->reset_after_ns = w->used ? end - now->wall_ns : 0;
    ret->retry_after_ns = ret->admits ? 0 : n > cap ? -1 : end - now->wall_ns;
}

enum aegis_status
agr_window_peek(struct agr_state *st, const struct agr_key *key, uint64_t cap, uint64_t n,
                const struct agr_time *now, struct agr_view *ret, struct agr_window_state *ret_w)
{
    uint32_t window = agr_window_of((enum agr_period)key->period, now->wall_ns);
    if (agr_state_is_recovering(st) || window > AGR_WINDOW_MAX)
        return AEGIS_STATE_UNAVAILABLE;
    if (key->period > AGR_MONTH || cap > AGR_COUNT_MAX)
        return AEGIS_USAGE;
    struct agr_found f;
    *ret_w = (struct agr_window_state){.window = window};
    if (agr_table_find(st, AGR_TABLE_MAIN, key, &f)) {
        *ret_w = state_of(f.word, window);
        ret_w->previous = previous_in(&f, ret_w->window);
    }
    judge(key, ret_w, cap, n, now, ret);
    return AEGIS_OK;
}

// Keeps the word that is about to be replaced. Newer windows and higher counts of one window win.
static void
keep_previous(const struct agr_found *f)
{
    _Atomic uint64_t *aux = &f->e->aux[AUX_PREVIOUS];
    uint64_t seen = atomic_load(aux);
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        bool is_ours = agr_word_gen(seen) == agr_word_gen(f->word);
        if ((is_ours && seen >= f->word) || atomic_compare_exchange_strong(aux, &seen, f->word))
            return;
    }
}

enum aegis_status
agr_window_take(struct agr_state *st, const struct agr_key *key, uint64_t cap, uint64_t n, bool charge_over,
                const struct agr_time *now, struct agr_view *ret, struct agr_charge *ret_charge,
                struct agr_window_state *ret_w)
{
    *ret_charge = (struct agr_charge){0};
    enum aegis_status s = agr_window_peek(st, key, cap, n, now, ret, ret_w);
    if (s != AEGIS_OK || n == 0)
        return s;
    uint32_t window = agr_window_of((enum agr_period)key->period, now->wall_ns);
    struct agr_found f = {NULL, 0};
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        s = f.e ? AEGIS_OK : agr_table_claim(st, AGR_TABLE_MAIN, key, payload_of(window, 0), now, &f);
        if (s != AEGIS_OK)
            return s;
        *ret_w = state_of(f.word, window);
        judge(key, ret_w, cap, n, now, ret);
        if (!ret->admits && !charge_over)
            return AEGIS_OK;
        uint64_t room = AGR_COUNT_MAX - ret_w->used, charged = n < room ? n : room;
        if (window_in(f.word) < ret_w->window)
            keep_previous(&f);
        uint64_t seen = f.word;
        if (!agr_word_cas(&f.e->word, &seen, payload_of(ret_w->window, ret_w->used + charged))) {
            f.e = agr_word_gen(seen) == agr_word_gen(f.word) ? f.e : NULL;
            f.word = seen;
            continue;
        }
        ret_w->used += charged;
        ret->remaining = ret_w->used < cap ? cap - ret_w->used : 0;
        ret->reset_after_ns =
            agr_window_start((enum agr_period)key->period, ret_w->window + 1) - now->wall_ns;
        *ret_charge = (struct agr_charge){.at = agr_table_offset(st, &f.e->word),
                                          .n = charged,
                                          .window = ret_w->window,
                                          .kind = key->kind,
                                          .period = key->period,
                                          .gen = agr_word_gen(seen)};
        return AEGIS_OK;
    }
    ret->admits = false;
    return AEGIS_BUSY;
}

bool
agr_window_adjust(struct agr_state *st, const struct agr_charge *c, int64_t delta)
{
    _Atomic uint64_t *w = agr_table_word_at(st, c->at);
    uint64_t seen = w ? atomic_load(w) : 0;
    for (uint32_t try = 0; w && try < AGR_TAKE_TRIES; try++) {
        if (agr_word_gen(seen) != c->gen || window_in(seen) != c->window)
            return false;
        int64_t count = (int64_t)(seen & AGR_COUNT_MAX) + delta;
        count = count < 0 ? 0 : count > (int64_t)AGR_COUNT_MAX ? (int64_t)AGR_COUNT_MAX : count;
        if (agr_word_cas(w, &seen, payload_of(c->window, (uint64_t)count)))
            return true;
    }
    return false;
}

enum aegis_status
agr_window_restore(struct agr_state *st, const struct agr_key *key, uint32_t window, uint64_t count,
                   const struct agr_time *now, struct agr_charge *ret_charge)
{
    *ret_charge = (struct agr_charge){0};
    if (window > AGR_WINDOW_MAX || count > AGR_COUNT_MAX || key->period > AGR_MONTH)
        return AEGIS_USAGE;
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        struct agr_found f;
        enum aegis_status s = agr_table_claim(st, AGR_TABLE_MAIN, key, payload_of(window, 0), now, &f);
        if (s != AEGIS_OK)
            return s;
        uint64_t seen = f.word;
        bool is_behind = (f.word & AGR_WORD_MASK) < payload_of(window, count);
        if (is_behind && window_in(f.word) < window)
            keep_previous(&f);
        if (is_behind && !agr_word_cas(&f.e->word, &seen, payload_of(window, count)))
            continue;
        *ret_charge = (struct agr_charge){.at = agr_table_offset(st, &f.e->word),
                                          .window = window,
                                          .kind = key->kind,
                                          .period = key->period,
                                          .gen = agr_word_gen(seen)};
        return AEGIS_OK;
    }
    return AEGIS_BUSY;
}

// ---- quotas ----

enum aegis_status
agr_quota_peek(struct agr_state *st, const struct agr_key *key, uint64_t cap, uint64_t n,
               const struct agr_time *now, struct agr_view *ret)
{
    struct agr_window_state w;
    return agr_window_peek(st, key, cap, n, now, ret, &w);
}

enum aegis_status
agr_quota_take(struct agr_state *st, const struct agr_key *key, uint64_t cap, uint64_t n, bool charge_over,
               const struct agr_time *now, struct agr_view *ret, struct agr_charge *ret_charge)
{
    struct agr_window_state w;
    return agr_window_take(st, key, cap, n, charge_over, now, ret, ret_charge, &w);
}

enum aegis_status
agr_quota_read(struct agr_state *st, const struct agr_key *key, const struct agr_time *now,
               uint64_t *ret_used, uint64_t *ret_previous)
{
    struct agr_view view;
    struct agr_window_state w;
    enum aegis_status s = agr_window_peek(st, key, 0, 0, now, &view, &w);
    if (s != AEGIS_OK)
        return s;
    *ret_used = w.used;
    *ret_previous = w.previous;
    return AEGIS_OK;
}

enum aegis_status
agr_quota_restore(struct agr_state *st, const struct agr_key *key, uint32_t window, uint64_t count,
                  const struct agr_time *now)
{
    struct agr_charge c;
    return agr_window_restore(st, key, window, count, now, &c);
}
