// SPDX-License-Identifier: Apache-2.0
// Exact windows. In: max, window, time. Out: admitted or not. Owns: nothing. Next: contain.c.
//
// A ring of `max` times is ceil(max / AGR_RING_CELLS) chunks, each an entry of the ring table with its own
// tag. A charge takes any cell whose time no longer counts (time + window <= now) by one CAS, so two times
// that follow each other in a cell are at least one window apart, and max cells hold at most max events of
// any half-open window, whatever the order of the processes' clocks. Before that the chunk's word is raised
// to now + window: an entry is stolen only when its word has passed, so the time counts for as long as it has
// to. A process killed in between charged nothing. A cell belongs to the generation it carries; others are
// free. Partners of the atomics: the same functions in other processes.
#include "state/ring.h"

#include "state/layout.h"

// One pass over the chunks of a key.
struct scan {
    uint64_t counted;        // times inside the window
    uint64_t oldest, newest; // of those
    struct agr_found f;      // chunk with a free cell
    bool has_free, has_missing;
    uint32_t cell, missing; // the free cell; the first chunk without an entry
};

static uint64_t
mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

// Tag of a chunk: a bijection of the key's tag for each number, so chunks collide no more often than keys.
static struct agr_key
chunk_key(const struct agr_key *key, uint32_t ix)
{
    struct agr_key k = *key;
    k.tag[0] = mix(key->tag[0] + ix * UINT64_C(0x9e3779b97f4a7c15));
    k.tag[1] = mix(key->tag[1] ^ (ix + 1) * UINT64_C(0xd1b54a32d192ed03));
    return k;
}

static uint32_t
cells_of(const struct agr_ring *ring, uint32_t chunk)
{
    uint32_t left = ring->max - chunk * AGR_RING_CELLS;
    return left < AGR_RING_CELLS ? left : AGR_RING_CELLS;
}

static uint64_t
window_ticks(const struct agr_ring *ring)
{
    return ring->window_ns / AGR_TICK_NS + (ring->window_ns % AGR_TICK_NS != 0);
}

// Does the cell hold a time that counts at tick `now`?
static bool
counts(uint64_t cell, uint64_t word, uint64_t window, uint64_t now)
{
    uint64_t t = cell & AGR_WORD_MASK;
    return t != 0 && agr_word_gen(cell) == agr_word_gen(word) && t + window > now;
}

static void
scan_chunk(struct scan *s, const struct agr_found *f, uint32_t cells, uint64_t window, uint64_t now)
{
    for (uint32_t i = 0; i < cells; i++) {
        uint64_t cell = atomic_load_explicit(&f->e->aux[i], memory_order_acquire);
        uint64_t t = cell & AGR_WORD_MASK;
        if (!counts(cell, f->word, window, now)) {
            if (!s->has_free) {
                s->f = *f;
                s->cell = i;
                s->has_free = true;
            }
            continue;
        }
        s->counted++;
        s->oldest = t < s->oldest ? t : s->oldest;
        s->newest = t > s->newest ? t : s->newest;
    }
}

static struct scan
scan_ring(struct agr_state *st, const struct agr_key *key, const struct agr_ring *ring, uint64_t now)
{
    struct scan s = {.oldest = UINT64_MAX};
    uint32_t chunks = (ring->max + AGR_RING_CELLS - 1) / AGR_RING_CELLS;
    for (uint32_t ix = 0; ix < chunks; ix++) {
        struct agr_key k = chunk_key(key, ix);
        struct agr_found f;
        if (agr_table_find(st, AGR_TABLE_RING, &k, &f)) {
            scan_chunk(&s, &f, cells_of(ring, ix), window_ticks(ring), now);
        } else if (!s.has_missing) {
            s.has_missing = true;
            s.missing = ix;
        }
    }
    return s;
}

static void
judge(const struct agr_state *st, const struct scan *s, const struct agr_ring *ring, uint32_t n, uint64_t now,
      struct agr_view *ret)
{
    uint64_t window = window_ticks(ring), cold = agr_state_cold_tick(st);
    if (cold && cold + window > now) {
        // The times before a change of boot are lost: as if `max` events had happened at that moment.
        int64_t wait = (int64_t)((cold + window - now) * AGR_TICK_NS);
        *ret = (struct agr_view){.retry_after_ns = n > ring->max ? -1 : wait, .reset_after_ns = wait};
        return;
    }
    ret->remaining = s->counted < ring->max ? ring->max - s->counted : 0;
    ret->admits = n <= ret->remaining;
    ret->reset_after_ns = s->counted ? (int64_t)((s->newest + window - now) * AGR_TICK_NS) : 0;
    ret->retry_after_ns = 0;
    if (n > ring->max)
        ret->retry_after_ns = -1;
    else if (!ret->admits)
        // One more fits when the oldest is out; several at the latest when the newest is.
        ret->retry_after_ns =
            n == 1 ? (int64_t)((s->oldest + window - now) * AGR_TICK_NS) : ret->reset_after_ns;
}

static bool
is_valid(const struct agr_ring *ring)
{
    return ring->max > 0 && ring->max <= AGR_RING_MAX && ring->window_ns > 0 &&
           ring->window_ns <= AGR_RING_WINDOW_MAX;
}

enum aegis_status
agr_ring_peek(struct agr_state *st, const struct agr_key *key, const struct agr_ring *ring, uint32_t n,
              const struct agr_time *now, struct agr_view *ret)
{
    if (!is_valid(ring))
        return AEGIS_USAGE;
    uint64_t tick = agr_state_ticks(st, now->boot_ns);
    struct scan s = scan_ring(st, key, ring, tick);
    judge(st, &s, ring, n, tick, ret);
    return AEGIS_OK;
}

// Raises the chunk's word so that it outlives the time about to be written. False: the chunk has another
// owner.
static bool
hold_chunk(struct agr_found *f, uint64_t until)
{
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        uint64_t seen = f->word;
        if ((seen & AGR_WORD_MASK) >= until || agr_word_cas(&f->e->word, &seen, until)) {
            f->word = seen;
            // Unchanged is as good as changed only while the owner is the same.
            return agr_word_gen(atomic_load(&f->e->word)) == agr_word_gen(seen);
        }
        if (agr_word_gen(seen) != agr_word_gen(f->word))
            return false;
        f->word = seen;
    }
    return false;
}

enum aegis_status
agr_ring_take(struct agr_state *st, const struct agr_key *key, const struct agr_ring *ring,
              const struct agr_time *now, struct agr_view *ret, struct agr_charge *ret_charge)
{
    *ret_charge = (struct agr_charge){0};
    if (!is_valid(ring))
        return AEGIS_USAGE;
    uint64_t tick = agr_state_ticks(st, now->boot_ns), window = window_ticks(ring);
    if (tick > AGR_WORD_MASK - window)
        return AEGIS_STATE_UNAVAILABLE;
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        struct scan s = scan_ring(st, key, ring, tick);
        judge(st, &s, ring, 1, tick, ret);
        if (!ret->admits)
            return AEGIS_OK;
        if (!s.has_free) {
            struct agr_key k = chunk_key(key, s.missing);
            enum aegis_status claimed = agr_table_claim(st, AGR_TABLE_RING, &k, tick, now, &s.f);
            if (claimed != AEGIS_OK)
                return claimed;
            continue; // the next pass finds its cells
        }
        uint64_t cell = atomic_load(&s.f.e->aux[s.cell]);
        if (!hold_chunk(&s.f, tick + window) || counts(cell, s.f.word, window, tick))
            continue;
        // Kept for a give-back: to a process with a lagging clock the time that stood here may still count.
        uint64_t before = agr_word_gen(cell) == agr_word_gen(s.f.word) ? cell & AGR_WORD_MASK : 0;
        uint64_t next = (uint64_t)agr_word_gen(s.f.word) << AGR_GEN_SHIFT | tick;
        if (!atomic_compare_exchange_strong(&s.f.e->aux[s.cell], &cell, next))
            continue;
        ret->remaining--;
        ret->reset_after_ns = (int64_t)(window * AGR_TICK_NS);
        *ret_charge = (struct agr_charge){.at = agr_table_offset(st, &s.f.e->aux[s.cell]),
                                          .n = before,
                                          .stamp = next,
                                          .kind = AGR_RING,
                                          .gen = agr_word_gen(next)};
        return AEGIS_OK;
    }
    ret->admits = false;
    return AEGIS_BUSY;
}
