// SPDX-License-Identifier: Apache-2.0
// Budgets in micro-dollars and their reservations. In: cap, warn level, amounts. Out: admitted or not, warned
// once, settled once. Owns: nothing. Next: ring.c.
//
// A budget is the window word of calendar.c counting spent + reserved; aux 1 names the window that has
// warned. A reservation record remembers which words were charged, so that settling can correct them:
//
//     free --take--> filling --fields, check--> open --settle--> settling --corrected--> free
//
// A process killed on the way leaves the amounts charged, which only costs quota; the record is reused after
// an hour, when nobody may settle it any more. A filler that slept that long writes into a record of another
// owner at worst; the check over generation and fields then fails and that record is never refunded. Partners
// of the atomics: the same functions in other processes.
#include "state/budget.h"

#include "state/layout.h"

#define AUX_WARNED  1
#define PROBES      32u // records tried for a free one
#define GEN_SHIFT   48
#define STATE_SHIFT 44
#define MS_MASK     ((UINT64_C(1) << STATE_SHIFT) - 1)
#define ID_IX_MASK  ((UINT64_C(1) << GEN_SHIFT) - 1)
#define TTL_MS      (uint64_t)(AGR_RESERVATION_TTL_NS / 1000000)

enum record_state { RECORD_FREE, RECORD_FILLING, RECORD_OPEN, RECORD_SETTLING };

// ---- charges ----

enum aegis_status
agr_budget_peek(struct agr_state *st, const struct agr_key *key, const struct agr_budget *b, uint64_t amount,
                const struct agr_time *now, struct agr_view *ret)
{
    struct agr_window_state w;
    return agr_window_peek(st, key, b->cap, amount, now, ret, &w);
}

// True for the one caller that puts the window's mark where there is none.
static bool
mark_warned(struct agr_found *f, uint32_t window)
{
    _Atomic uint64_t *aux = &f->e->aux[AUX_WARNED];
    uint64_t mark = (uint64_t)agr_word_gen(f->word) << AGR_GEN_SHIFT | (uint64_t)window << AGR_COUNT_BITS | 1;
    uint64_t seen = atomic_load(aux);
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        // Same owner, this window or a newer one: somebody warned already.
        if (agr_word_gen(seen) == agr_word_gen(mark) && seen >= mark)
            return false;
        if (atomic_compare_exchange_strong(aux, &seen, mark))
            return true;
    }
    return false;
}

enum aegis_status
agr_budget_take(struct agr_state *st, const struct agr_key *key, const struct agr_budget *b, uint64_t amount,
                const struct agr_time *now, struct agr_view *ret, struct agr_charge *ret_charge,
                bool *ret_warns)
{
    struct agr_window_state w;
    struct agr_found f;
    *ret_warns = false;
    enum aegis_status s = agr_window_take(st, key, b->cap, amount, false, now, ret, ret_charge, &w);
    // The mark follows the charge: killed in between, the next call finds the level passed and no mark. So
    // the warning comes at least once as long as anybody asks, and the CAS makes it at most once.
    if (s == AEGIS_OK && b->warn_at && w.used >= b->warn_at && agr_table_find(st, AGR_TABLE_MAIN, key, &f))
        *ret_warns = mark_warned(&f, w.window);
    return s;
}

enum aegis_status
agr_budget_read(struct agr_state *st, const struct agr_key *key, const struct agr_time *now,
                uint64_t *ret_used, uint64_t *ret_previous)
{
    return agr_quota_read(st, key, now, ret_used, ret_previous);
}

enum aegis_status
agr_budget_restore(struct agr_state *st, const struct agr_key *key, uint32_t window, uint64_t spent,
                   bool has_warned, const struct agr_time *now)
{
    struct agr_charge c;
    struct agr_found f;
    enum aegis_status s = agr_window_restore(st, key, window, spent, now, &c);
    if (s == AEGIS_OK && has_warned && agr_table_find(st, AGR_TABLE_MAIN, key, &f))
        (void)mark_warned(&f, window);
    return s;
}

// ---- reservation records ----

static struct agr_reservation *
record_at(struct agr_state *st, uint64_t ix)
{
    struct agr_reservation *records = (void *)(st->base + st->at.reservations);
    return &records[ix & (st->h->reservations - 1)];
}

static uint64_t
word_make(uint64_t gen, enum record_state state, uint64_t ms)
{
    return gen << GEN_SHIFT | (uint64_t)state << STATE_SHIFT | (ms & MS_MASK);
}

static enum record_state
state_in(uint64_t word)
{
    return (enum record_state)(word >> STATE_SHIFT & 15);
}

static uint64_t
ms_of(const struct agr_state *st, const struct agr_time *now)
{
    return agr_state_ticks(st, now->boot_ns) / (1000000 / AGR_TICK_NS) & MS_MASK;
}

static bool
is_expired(uint64_t word, uint64_t ms)
{
    uint64_t since = word & MS_MASK;
    return ms > since && ms - since > TTL_MS;
}

static uint64_t
part_make(const struct agr_charge *c)
{
    return c->at / 8 << 24 | (uint64_t)c->gen << 16 | (uint64_t)(c->period & 3) << 14 | c->window;
}

static struct agr_charge
part_open(uint64_t part)
{
    return (struct agr_charge){.at = (part >> 24) * 8,
                               .window = (uint32_t)(part & 0x3fff),
                               .kind = AGR_BUDGET,
                               .period = (uint8_t)(part >> 14 & 3),
                               .gen = (uint8_t)(part >> 16)};
}

static uint64_t
check_of(struct agr_reservation *r, uint64_t gen)
{
    uint64_t h = gen ^ atomic_load(&r->amount) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < AGR_RESERVATION_PARTS; i++) {
        h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
        h += atomic_load(&r->part[i]);
    }
    return h ^ h >> 32;
}

// Takes a free or expired record near `start`; its word is then FILLING under a new generation.
static struct agr_reservation *
record_take(struct agr_state *st, uint64_t start, uint64_t ms, uint64_t *ret_ix, uint64_t *ret_word)
{
    for (uint32_t i = 0; i < PROBES; i++) {
        uint64_t ix = (start + i) & (st->h->reservations - 1);
        struct agr_reservation *r = record_at(st, ix);
        uint64_t word = atomic_load(&r->word);
        if (state_in(word) != RECORD_FREE && !is_expired(word, ms))
            continue;
        uint64_t gen = (word >> GEN_SHIFT) + 1;
        if ((gen & 0xffff) == 0)
            gen = 1; // a number is never 0
        uint64_t next = word_make(gen, RECORD_FILLING, ms);
        if (!atomic_compare_exchange_strong(&r->word, &word, next))
            continue;
        *ret_ix = ix;
        *ret_word = next;
        return r;
    }
    return NULL;
}

enum aegis_status
agr_reservation_open(struct agr_state *st, const struct agr_charge *charges, uint32_t n,
                     const struct agr_time *now, uint64_t *ret_id)
{
    if (n == 0 || n > AGR_RESERVATION_PARTS)
        return AEGIS_USAGE;
    for (uint32_t i = 0; i < n; i++)
        if (charges[i].kind != AGR_BUDGET || charges[i].at == 0 || charges[i].n != charges[0].n)
            return AEGIS_USAGE;
    uint64_t ms = ms_of(st, now), ix, word;
    // Spread by entry and time, so that processes do not meet at the first record.
    uint64_t start =
        (charges[0].at * UINT64_C(0x9e3779b97f4a7c15) >> 32) + agr_state_ticks(st, now->boot_ns) * PROBES;
    struct agr_reservation *r = record_take(st, start, ms, &ix, &word);
    if (!r)
        return AEGIS_STATE;
    uint64_t gen = word >> GEN_SHIFT;
    atomic_store(&r->amount, charges[0].n);
    for (uint32_t i = 0; i < AGR_RESERVATION_PARTS; i++)
        atomic_store(&r->part[i], i < n ? part_make(&charges[i]) : 0);
    atomic_store(&r->check, check_of(r, gen));
    if (!atomic_compare_exchange_strong(&r->word, &word, word_make(gen, RECORD_OPEN, ms)))
        return AEGIS_BUSY;
    *ret_id = gen << GEN_SHIFT | (ix + 1);
    return AEGIS_OK;
}

enum aegis_status
agr_reservation_settle(struct agr_state *st, uint64_t id, uint64_t actual, const struct agr_time *now)
{
    uint64_t ix = (id & ID_IX_MASK) - 1, gen = id >> GEN_SHIFT;
    if ((id & ID_IX_MASK) == 0 || ix >= st->h->reservations || actual > AGR_COUNT_MAX)
        return AEGIS_USAGE;
    struct agr_reservation *r = record_at(st, ix);
    uint64_t word = atomic_load(&r->word), ms = ms_of(st, now);
    if (word >> GEN_SHIFT != gen || state_in(word) != RECORD_OPEN || is_expired(word, ms) ||
        !atomic_compare_exchange_strong(&r->word, &word, word_make(gen, RECORD_SETTLING, word & MS_MASK)))
        return AEGIS_USAGE;
    uint64_t settling = word_make(gen, RECORD_SETTLING, word & MS_MASK);
    enum aegis_status s = AEGIS_STATE_UNAVAILABLE;
    if (atomic_load(&r->check) == check_of(r, gen)) {
        int64_t delta = (int64_t)actual - (int64_t)atomic_load(&r->amount);
        for (uint32_t i = 0; i < AGR_RESERVATION_PARTS; i++) {
            uint64_t part = atomic_load(&r->part[i]);
            struct agr_charge c = part_open(part);
            if (part && delta)
                (void)agr_window_adjust(st, &c, delta); // a window that is over keeps what was reserved
        }
        s = AEGIS_OK;
    }
    (void)atomic_compare_exchange_strong(&r->word, &settling, word_make(gen, RECORD_FREE, ms));
    return s;
}

uint64_t
agr_reservation_count(struct agr_state *st)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < st->h->reservations; i++)
        n += state_in(atomic_load(&record_at(st, i)->word)) == RECORD_OPEN;
    return n;
}
