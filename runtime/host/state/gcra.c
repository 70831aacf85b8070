// SPDX-License-Identifier: Apache-2.0
// Rates in one word. In: rate, burst, cost, the decision's time. Out: admitted or not. Owns: nothing.
// Atomics: every change is one CAS on the entry's word and pairs with the same CAS of other processes. Next:
// calendar.c.
//
// The payload is the theoretical arrival time TAT in ticks. A charge of n at decision time `now`:
//     base = max(TAT, now);  new = base + n*T;  admitted iff new - now <= B = burst*T;  TAT := new by one CAS
//
// Never more than burst + rate*t. Take the charges whose decision time lies in [s, s+t], in the order of
// their CAS. The first has base >= now >= s. Each adds n*T to a TAT that otherwise only grows, so after the
// last, N events in, TAT >= s + N*T. The last was admitted, so TAT <= now + B <= s + t + B. Hence N*T <= t +
// B, N <= t/T + burst, and 1/T <= rate because T is rounded up. Nothing here needs the clocks of two
// processes to agree on an order: a decision time that lags only makes the test harder to pass. A process
// killed before its CAS charged nothing, after it the charge stands: a kill only lowers what is admitted. A
// steal happens only when TAT lies AGR_LAG_NS before the thief's clock, so a key that comes back starts with
// TAT = its now >= the TAT that was lost.
//
// Giving back: without this charge the backlog today would be smaller by at least n*T - (now - then), because
// the gap between the two histories shrinks only while the lighter one is idle, by one tick per tick. Exactly
// that much is taken off, so the word is never lighter than if the charge had never been, and the promise
// holds for what is kept.
#include "state/gcra.h"

#include "state/layout.h"

enum aegis_status
agr_rate_ticks(const struct agr_rate *rate, struct agr_rate_ticks *ret)
{
    if (rate->events == 0 || rate->per_ns == 0 || rate->burst == 0 || rate->per_ns > AGR_RATE_PER_MAX ||
        rate->burst > AGR_RATE_BURST_MAX)
        return AEGIS_USAGE;
    // More events than ticks in the period: one tick each is the fastest there is.
    uint64_t unit = rate->events > AGR_RATE_PER_MAX / AGR_TICK_NS ? UINT64_MAX : rate->events * AGR_TICK_NS;
    uint64_t interval = rate->per_ns / unit + (rate->per_ns % unit != 0);
    // A quarter of the word for the tolerance leaves three quarters, six years, for the time of day itself.
    if (interval > AGR_WORD_MASK / 4 / rate->burst)
        return AEGIS_USAGE;
    *ret = (struct agr_rate_ticks){interval, interval * rate->burst};
    return AEGIS_OK;
}

static int64_t
ticks_ns(uint64_t ticks)
{
    return (int64_t)(ticks * AGR_TICK_NS);
}

// What a word says at tick `now` about a charge of n. *ret_next is the TAT after it.
static void
judge(const struct agr_rate_ticks *r, uint64_t burst, uint64_t tat, uint64_t n, uint64_t now,
      struct agr_view *ret, uint64_t *ret_next)
{
    uint64_t base = tat > now ? tat : now, backlog = base - now;
    ret->remaining = backlog < r->burst ? (r->burst - backlog) / r->interval : 0;
    ret->reset_after_ns = ticks_ns(backlog);
    *ret_next = base;
    if (n > burst) {
        ret->admits = false;
        ret->retry_after_ns = -1;
        return;
    }
    *ret_next = base + n * r->interval;
    uint64_t needed = *ret_next - now;
    ret->admits = n == 0 || needed <= r->burst;
    ret->retry_after_ns = ret->admits ? 0 : ticks_ns(needed - r->burst);
}

// A new entry starts full, except after a change of boot: then as if its whole burst had been used at that
// moment.
static uint64_t
fresh_tat(const struct agr_state *st, const struct agr_rate_ticks *r, uint64_t now)
{
    uint64_t cold = agr_state_cold_tick(st);
    if (cold)
        cold += r->burst;
    return cold > now ? cold : now;
}

enum aegis_status
agr_gcra_peek(struct agr_state *st, const struct agr_key *key, const struct agr_rate *rate, uint64_t n,
              const struct agr_time *now, struct agr_view *ret)
{
    struct agr_rate_ticks r;
    enum aegis_status s = agr_rate_ticks(rate, &r);
    if (s != AEGIS_OK)
        return s;
    uint64_t tick = agr_state_ticks(st, now->boot_ns), next;
    struct agr_found f;
    bool is_known = agr_table_find(st, AGR_TABLE_MAIN, key, &f);
    judge(&r, rate->burst, is_known ? f.word & AGR_WORD_MASK : fresh_tat(st, &r, tick), n, tick, ret, &next);
    return next <= AGR_WORD_MASK ? AEGIS_OK : AEGIS_STATE_UNAVAILABLE;
}

enum aegis_status
agr_gcra_take(struct agr_state *st, const struct agr_key *key, const struct agr_rate *rate, uint64_t n,
              const struct agr_time *now, struct agr_view *ret, struct agr_charge *ret_charge)
{
    struct agr_rate_ticks r;
    *ret_charge = (struct agr_charge){0};
    enum aegis_status s = agr_rate_ticks(rate, &r);
    if (s != AEGIS_OK)
        return s;
    if (n == 0 || n > rate->burst)
        return agr_gcra_peek(st, key, rate, n, now, ret);
    uint64_t tick = agr_state_ticks(st, now->boot_ns), fresh = fresh_tat(st, &r, tick), next;
    struct agr_found f = {NULL, 0};
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        s = f.e ? AEGIS_OK : agr_table_claim(st, AGR_TABLE_MAIN, key, fresh, now, &f);
        if (s != AEGIS_OK)
            return s;
        judge(&r, rate->burst, f.word & AGR_WORD_MASK, n, tick, ret, &next);
        if (!ret->admits)
            return AEGIS_OK;
        if (next > AGR_WORD_MASK)
            return AEGIS_STATE_UNAVAILABLE;
        uint64_t seen = f.word;
        if (!agr_word_cas(&f.e->word, &seen, next)) {
            // The same owner: judge the newer word. Another one: look the key up again.
            f.e = agr_word_gen(seen) == agr_word_gen(f.word) ? f.e : NULL;
            f.word = seen;
            continue;
        }
        ret->remaining = (r.burst - (next - tick)) / r.interval;
        ret->reset_after_ns = ticks_ns(next - tick);
        *ret_charge = (struct agr_charge){.at = agr_table_offset(st, &f.e->word),
                                          .n = n * r.interval,
                                          .stamp = tick,
                                          .kind = AGR_RATE,
                                          .gen = agr_word_gen(seen)};
        return AEGIS_OK;
    }
    ret->admits = false;
    return AEGIS_BUSY;
}

static void
undo_rate(struct agr_state *st, const struct agr_charge *c, const struct agr_time *now)
{
    _Atomic uint64_t *w = agr_table_word_at(st, c->at);
    uint64_t tick = agr_state_ticks(st, now->boot_ns), gone = tick > c->stamp ? tick - c->stamp : 0;
    if (!w || gone >= c->n)
        return;
    uint64_t back = c->n - gone, seen = atomic_load(w);
    // Unbounded in theory only: every failure means that another process made progress. A give-back that is
    // dropped costs quota, nothing else, so it is bounded all the same.
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        uint64_t tat = seen & AGR_WORD_MASK;
        if (agr_word_gen(seen) != c->gen || tat < back || agr_word_cas(w, &seen, tat - back))
            return;
    }
}

static void
undo_cell(struct agr_state *st, const struct agr_charge *c)
{
    _Atomic uint64_t *w = agr_table_word_at(st, c->at);
    uint64_t seen = c->stamp;
    if (w)
        (void)agr_word_cas(w, &seen, c->n);
}

void
agr_charge_undo(struct agr_state *st, const struct agr_charge *c, const struct agr_time *now)
{
    switch (c->at ? c->kind : 0) {
    case AGR_RATE: undo_rate(st, c, now); break;
    case AGR_RING: undo_cell(st, c); break;
    case AGR_QUOTA:
    case AGR_BUDGET: (void)agr_window_adjust(st, c, -(int64_t)c->n); break;
    default: break;
    }
}
