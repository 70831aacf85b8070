// SPDX-License-Identifier: Apache-2.0
// Keyed entries without a lock. In: keys. Out: entries whose word the kinds change by CAS. Owns: nothing.
//
// The word is the only authority: even generation G = free, or live when tags and meta carry G-1; odd = a
// claim. Claim: (1) load word, tags, meta; (2) CAS word G -> G+1 with the fresh payload: the old owner is
// out, every charge prepared for it fails; (3) CAS meta and tags from the values of (1) to ours with
// generation G+1; (4) look through both buckets: a live entry of our key -> call our claim off; a claim of
// our key with complete tags -> call it off; (5) CAS word G+1 -> G+2: live. A claim is called off by CAS word
// G+1 -> G+4, by anybody, at any time: the claimer then fails at (5) and starts again, and a dead claimer
// blocks nobody.
//
// One key never has two live entries: let A and B be claims of one key, B the one whose step (3) ended last.
// B's step (4) comes after A's (3) in the single order of sequentially consistent operations, so B sees A's
// tags. If A is live B calls itself off; if A is a claim B calls it off or sees it become live. Hence never
// both.
//
// A claimer that sleeps between (2) and (3) and is called off meanwhile cannot harm its successor: its CAS
// expects what stood there before its claim, the successor's words carry another generation (128 claims of
// one place would have to pass, with the same key before, for it to come round).
// Partners of all atomics here: the same functions in other processes. Next: gcra.c.
#include "state/layout.h"

#include "hash.h"

#include <stdlib.h>

#define GEN_MASK   UINT64_C(0xff)
#define SPIN_TRIES 256

struct place {
    struct agr_entry *e;
    uint64_t word, tag[2], meta; // as loaded, word first
};

static inline void
pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint64_t
gen_of(uint64_t word)
{
    return word >> AGR_GEN_SHIFT;
}

static uint64_t
word_of(uint64_t gen, uint64_t payload)
{
    return (gen & GEN_MASK) << AGR_GEN_SHIFT | payload;
}

static uint64_t
tag_of(const struct agr_key *key, int i, uint64_t gen)
{
    return (key->tag[i] & ~GEN_MASK) | (gen & GEN_MASK);
}

static uint64_t
meta_of(const struct agr_key *key, uint64_t gen)
{
    return (gen & GEN_MASK) << AGR_GEN_SHIFT | (uint64_t)key->kind << 52 | (uint64_t)key->period << 48 |
           key->tenant;
}

// ---- keys ----

static size_t
put_field(uint8_t *p, struct ag_str s)
{
    uint32_t n = (uint32_t)s.n;
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(n >> (8 * i));
    if (s.n)
        memcpy(p + 4, s.p, s.n);
    return 4 + s.n;
}

enum aegis_status
agr_key_make(const struct agr_state *st, enum agr_kind kind, enum agr_period period, struct ag_str name,
             struct ag_str tenant, struct ag_str fields, struct agr_key *ret)
{
    uint8_t mem[2 + 3 * 4 + AGR_KEY_MAX];
    if (name.n > AGR_KEY_MAX || tenant.n > AGR_KEY_MAX || fields.n > AGR_KEY_MAX ||
        name.n + tenant.n + fields.n > AGR_KEY_MAX)
        return AEGIS_TOO_LARGE;
    mem[0] = (uint8_t)kind;
    mem[1] = (uint8_t)period;
    size_t n = 2;
    n += put_field(mem + n, name);
    size_t tenant_at = n;
    n += put_field(mem + n, tenant);
    size_t tenant_n = n - tenant_at;
    n += put_field(mem + n, fields);
    ag_siphash128(mem, n, st->h->key, ret->tag);
    uint64_t share[2];
    ag_siphash128(mem + tenant_at, tenant_n, st->h->key, share);
    ret->tenant = (uint32_t)share[0];
    ret->kind = (uint8_t)kind;
    ret->period = (uint8_t)period;
    return AEGIS_OK;
}

// ---- places ----

static size_t
stride(enum agr_table t)
{
    return t == AGR_TABLE_MAIN ? AGR_ENTRY_SIZE : AGR_CHUNK_SIZE;
}

static uint8_t *
table_base(const struct agr_state *st, enum agr_table t)
{
    return st->base + (t == AGR_TABLE_MAIN ? st->at.entries : st->at.ring);
}

// The i-th of the 16 places of a key, bucket a first.
static struct agr_entry *
place_at(const struct agr_state *st, enum agr_table t, const struct agr_key *key, uint32_t i)
{
    uint64_t n = st->buckets[t], a = key->tag[0] & (n - 1), b = key->tag[1] & (n - 1);
    if (a == b)
        b = (b + 1) & (n - 1);
    uint64_t bucket = i < AGR_BUCKET_SLOTS ? a : b;
    uint64_t ix = bucket * AGR_BUCKET_SLOTS + i % AGR_BUCKET_SLOTS;
    return (void *)(table_base(st, t) + ix * stride(t));
}

static struct place
place_load(struct agr_entry *e)
{
    struct place p = {.e = e};
    p.word = atomic_load(&e->word);
    p.tag[0] = atomic_load(&e->tag[0]);
    p.tag[1] = atomic_load(&e->tag[1]);
    p.meta = atomic_load(&e->meta);
    return p;
}

// Do all tags carry this generation, so that the entry belongs to somebody?
static bool
carries(const struct place *p, uint64_t gen)
{
    gen &= GEN_MASK;
    return (p->tag[0] & GEN_MASK) == gen && (p->tag[1] & GEN_MASK) == gen && p->meta >> AGR_GEN_SHIFT == gen;
}

static bool
is_live(const struct place *p)
{
    return (gen_of(p->word) & 1) == 0 && carries(p, gen_of(p->word) - 1);
}

static bool
has_key(const struct place *p, const struct agr_key *key, uint64_t gen)
{
    return p->tag[0] == tag_of(key, 0, gen) && p->tag[1] == tag_of(key, 1, gen) &&
           p->meta >> AGR_GEN_SHIFT == (gen & GEN_MASK);
}

bool
agr_table_find(struct agr_state *st, enum agr_table t, const struct agr_key *key, struct agr_found *ret)
{
    for (uint32_t i = 0; i < 2 * AGR_BUCKET_SLOTS; i++) {
        struct agr_entry *e = place_at(st, t, key, i);
        uint64_t word = atomic_load_explicit(&e->word, memory_order_acquire);
        uint64_t gen = gen_of(word) - 1;
        // The word is loaded first: tags that carry its generation were in force when it was loaded.
        if ((gen & 1) == 0 || atomic_load_explicit(&e->tag[0], memory_order_acquire) != tag_of(key, 0, gen) ||
            atomic_load_explicit(&e->tag[1], memory_order_acquire) != tag_of(key, 1, gen))
            continue;
        *ret = (struct agr_found){e, word};
        return true;
    }
    return false;
}

// ---- shares ----

static _Atomic uint64_t *
share_cell(const struct agr_state *st, enum agr_table t, uint32_t tenant, uint32_t row)
{
    _Atomic uint64_t *cells = (void *)(st->base + st->at.shares);
    uint32_t ix = (row ? tenant >> 16 : tenant) % AGR_TENANT_CELLS;
    return &cells[((uint32_t)t * 2 + row) * AGR_TENANT_CELLS + ix];
}

static uint64_t
share_of(const struct agr_state *st, enum agr_table t)
{
    if (t == AGR_TABLE_MAIN)
        return st->h->share;
    uint64_t n = (uint64_t)st->h->ring_chunks * st->h->share / st->h->entries;
    return n ? n : 1;
}

static void
share_add(struct agr_state *st, enum agr_table t, uint8_t kind, uint32_t tenant, uint64_t n)
{
    if (kind == AGR_CONTAIN)
        return;
    atomic_fetch_add(share_cell(st, t, tenant, 0), n);
    atomic_fetch_add(share_cell(st, t, tenant, 1), n);
}

// Counts one more entry of the tenant; false when it has its share. A cell is shared by tenants with the same
// hash bits, so the lower of two independent cells decides.
static bool
share_take(struct agr_state *st, enum agr_table t, const struct agr_key *key)
{
    if (key->kind == AGR_CONTAIN)
        return true;
    // Cells may be below their true value for a moment, never by more than the claims under way; signed for
    // that.
    int64_t a = (int64_t)atomic_fetch_add(share_cell(st, t, key->tenant, 0), 1);
    int64_t b = (int64_t)atomic_fetch_add(share_cell(st, t, key->tenant, 1), 1);
    uint64_t share = share_of(st, t), all = st->buckets[t] * AGR_BUCKET_SLOTS;
    if (share >= all || (a < b ? a : b) < (int64_t)share)
        return true;
    share_add(st, t, key->kind, key->tenant, UINT64_MAX);
    return false;
}

// ---- claims ----

static bool
is_fresh(const struct agr_state *st, const struct place *p, const struct agr_time *now)
{
    uint64_t payload = p->word & AGR_WORD_MASK, tick = agr_state_ticks(st, now->boot_ns);
    enum agr_period period = (enum agr_period)(p->meta >> 48 & 15);
    uint32_t window = (uint32_t)(payload >> AGR_COUNT_BITS);
    switch (p->meta >> 52 & 15) {
    case AGR_RATE:
    case AGR_RING: return tick > AGR_LAG_TICKS && payload <= tick - AGR_LAG_TICKS;
    case AGR_QUOTA: return window < agr_window_of(period, now->wall_ns - AGR_LAG_NS);
    case AGR_BUDGET:
        return window < AGR_WINDOW_MAX &&
               now->wall_ns - agr_window_start(period, window + 1) > AGR_RESERVATION_TTL_NS;
    case AGR_CONTAIN: return payload == 0;
    default: return false;
    }
}

static bool
call_off(struct agr_entry *e, uint64_t word)
{
    return atomic_compare_exchange_strong(&e->word, &word, word_of(gen_of(word) + 3, 0));
}

enum choice { CHOICE_FOUND, CHOICE_FULL, CHOICE_UNDER_WAY };

// The first place that may be claimed: free, else equal to a fresh one. When there is none but claims are
// under way, they may be dead: with `is_pressed` they are called off. With `is_own` only the tenant's entries
// count: a tenant that has its share may replace its own.
static enum choice
choose(struct agr_state *st, enum agr_table t, const struct agr_key *key, const struct agr_time *now,
       bool is_pressed, bool is_own, struct place *ret)
{
    enum choice found = CHOICE_FULL;
    for (uint32_t i = 0; i < 2 * AGR_BUCKET_SLOTS; i++) {
        struct place p = place_load(place_at(st, t, key, i));
        if (gen_of(p.word) & 1) {
            if (found == CHOICE_FULL)
                found = CHOICE_UNDER_WAY;
            if (is_pressed)
                (void)call_off(p.e, p.word);
            continue;
        }
        if (!is_live(&p)) {
            if (is_own)
                continue;
            *ret = p;
            return CHOICE_FOUND;
        }
        if (is_own && ((uint32_t)p.meta != key->tenant || (p.meta >> 52 & 15) == AGR_CONTAIN))
            continue;
        if (found != CHOICE_FOUND && is_fresh(st, &p, now)) {
            *ret = p;
            found = CHOICE_FOUND;
        }
    }
    return found;
}

// Step 3 for one word: puts `next` where `seen` stood, while the claim `mine` holds. A sleeper of an earlier
// claim may come in between, once for each such sleeper.
static bool
publish(struct agr_entry *e, uint64_t mine, _Atomic uint64_t *w, uint64_t seen, uint64_t next)
{
    for (uint32_t i = 0; i < AGR_TAKE_TRIES; i++) {
        if (atomic_load(&e->word) != mine)
            return false;
        if (atomic_compare_exchange_strong(w, &seen, next))
            return true;
    }
    return false;
}

// Step 4 at one other place: true when a live entry of the key stands there.
static bool
meets_live(struct agr_entry *e, const struct agr_key *key, bool is_before)
{
    for (uint32_t spin = 0;; spin++) {
        struct place p = place_load(e);
        uint64_t gen = gen_of(p.word);
        if ((gen & 1) == 0)
            return has_key(&p, key, gen - 1);
        if (!has_key(&p, key, gen))
            return false;
        // Two claims of one key: the earlier place is given time to finish, or both might go on calling each
        // other off.
        if ((!is_before || spin >= SPIN_TRIES) && call_off(e, p.word))
            return false;
        pause_cpu();
    }
}

// Steps 2 to 5 at a chosen place. False: somebody was faster, look again.
static bool
claim_place(struct agr_state *st, enum agr_table t, const struct agr_key *key, const struct place *p,
            uint64_t fresh)
{
    uint64_t gen = gen_of(p->word) + 1, mine = word_of(gen, fresh), seen = p->word;
    bool was_live = is_live(p);
    if (!atomic_compare_exchange_strong(&p->e->word, &seen, mine))
        return false;
    if (was_live)
        share_add(st, t, (uint8_t)(p->meta >> 52 & 15), (uint32_t)p->meta, UINT64_MAX);
    if (!publish(p->e, mine, &p->e->meta, p->meta, meta_of(key, gen)) ||
        !publish(p->e, mine, &p->e->tag[1], p->tag[1], tag_of(key, 1, gen)) ||
        !publish(p->e, mine, &p->e->tag[0], p->tag[0], tag_of(key, 0, gen))) {
        (void)call_off(p->e, mine);
        return false;
    }
    bool is_before = true;
    for (uint32_t i = 0; i < 2 * AGR_BUCKET_SLOTS; i++) {
        struct agr_entry *e = place_at(st, t, key, i);
        if (e == p->e) {
            is_before = false;
        } else if (meets_live(e, key, is_before)) {
            (void)call_off(p->e, mine);
            return false;
        }
    }
    return atomic_compare_exchange_strong(&p->e->word, &mine, word_of(gen + 1, fresh));
}

enum aegis_status
agr_table_claim(struct agr_state *st, enum agr_table t, const struct agr_key *key, uint64_t fresh,
                const struct agr_time *now, struct agr_found *ret)
{
    for (uint32_t try = 0; try < AGR_TAKE_TRIES; try++) {
        if (agr_table_find(st, t, key, ret))
            return AEGIS_OK;
        struct place p = {0};
        // Claims under way are left alone at first: their owners need them for less than a microsecond.
        enum choice c = choose(st, t, key, now, try > 8, false, &p);
        if (c == CHOICE_FULL)
            return AEGIS_STATE;
        if (c == CHOICE_UNDER_WAY) {
            for (int i = 0; i < SPIN_TRIES; i++)
                pause_cpu();
            continue;
        }
        if (!share_take(st, t, key)) {
            if (choose(st, t, key, now, false, true, &p) != CHOICE_FOUND)
                return AEGIS_STATE;
            share_add(st, t, key->kind, key->tenant, 1);
        }
        if (!claim_place(st, t, key, &p, fresh & AGR_WORD_MASK))
            share_add(st, t, key->kind, key->tenant, UINT64_MAX);
    }
    return AEGIS_BUSY;
}

bool
agr_word_cas(_Atomic uint64_t *word, uint64_t *seen, uint64_t payload)
{
    uint64_t next = word_of(gen_of(*seen), payload & AGR_WORD_MASK);
    if (!atomic_compare_exchange_strong_explicit(word, seen, next, memory_order_acq_rel,
                                                 memory_order_acquire))
        return false;
    *seen = next;
    return true;
}

// ---- offsets ----

uint64_t
agr_table_offset(const struct agr_state *st, const _Atomic uint64_t *p)
{
    return (uint64_t)((const uint8_t *)p - st->base);
}

_Atomic uint64_t *
agr_table_word_at(struct agr_state *st, uint64_t offset)
{
    if (offset < st->at.entries || offset >= st->at.reservations || offset % sizeof(uint64_t) != 0)
        return NULL;
    return (void *)(st->base + offset);
}

// ---- upkeep ----

// Calls `each` for every live entry of table t.
static void
table_walk(struct agr_state *st, enum agr_table t, void (*each)(void *arg, enum agr_table t, uint64_t meta),
           void *arg)
{
    uint64_t n = st->buckets[t] * AGR_BUCKET_SLOTS;
    for (uint64_t i = 0; i < n; i++) {
        struct place p = place_load((void *)(table_base(st, t) + i * stride(t)));
        if (is_live(&p))
            each(arg, t, p.meta);
    }
}

static void
count_each(void *arg, enum agr_table t, uint64_t meta)
{
    (void)t;
    (void)meta;
    (*(uint64_t *)arg)++;
}

uint64_t
agr_table_used(struct agr_state *st)
{
    uint64_t n = 0;
    table_walk(st, AGR_TABLE_MAIN, count_each, &n);
    return n;
}

struct recount {
    uint64_t before[4 * AGR_TENANT_CELLS], counted[4 * AGR_TENANT_CELLS];
};

static void
recount_each(void *arg, enum agr_table t, uint64_t meta)
{
    struct recount *r = arg;
    uint32_t tenant = (uint32_t)meta;
    if ((meta >> 52 & 15) == AGR_CONTAIN)
        return;
    r->counted[((uint32_t)t * 2 + 0) * AGR_TENANT_CELLS + tenant % AGR_TENANT_CELLS]++;
    r->counted[((uint32_t)t * 2 + 1) * AGR_TENANT_CELLS + (tenant >> 16) % AGR_TENANT_CELLS]++;
}

void
agr_table_recount(struct agr_state *st)
{
    struct recount *r = calloc(1, sizeof *r);
    if (!r)
        return; // the next death recounts
    _Atomic uint64_t *cells = (void *)(st->base + st->at.shares);
    for (uint32_t i = 0; i < 4 * AGR_TENANT_CELLS; i++)
        r->before[i] = atomic_load(&cells[i]);
    table_walk(st, AGR_TABLE_MAIN, recount_each, r);
    table_walk(st, AGR_TABLE_RING, recount_each, r);
    // A cell that moved meanwhile keeps its value; it is right to within the claims under way.
    for (uint32_t i = 0; i < 4 * AGR_TENANT_CELLS; i++)
        (void)atomic_compare_exchange_strong(&cells[i], &r->before[i], r->counted[i]);
    free(r);
}
