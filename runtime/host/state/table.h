// SPDX-License-Identifier: Apache-2.0
// Keyed entries of the shared state: two buckets of eight per key, claimed, stolen and abandoned without a
// lock. In: a key (limit name, kind, period, key bytes, tenant). Out: an entry whose word the kinds change by
// CAS. The word of an entry is the only authority over it: bits 63..56 are its generation; a steal changes
// them, so a charge prepared for the old owner fails. Owns: nothing. Thread rule: everything here is safe
// between processes; the atomics of an entry pair with those of table.c. Next: gcra.h; the claim protocol and
// its proof stand in table.c, its picture in docs/formats/state.md.
#ifndef AGR_TABLE_H
#define AGR_TABLE_H

#include "state/state.h"

#define AGR_BUCKET_SLOTS 8u    // entries of one bucket
#define AGR_ENTRY_AUX    4u    // words for the kind beside the main one: an entry is one cache line
#define AGR_RING_CELLS   60u   // times in one ring chunk: 512 bytes with its head
#define AGR_TAKE_TRIES   64u   // lost races before a call answers AEGIS_BUSY (treated as unavailable)
#define AGR_KEY_MAX      4096u // bytes of name and key fields together

#define AGR_GEN_SHIFT 56
#define AGR_WORD_MASK ((UINT64_C(1) << AGR_GEN_SHIFT) - 1)

enum agr_kind { AGR_RATE = 1, AGR_RING, AGR_QUOTA, AGR_BUDGET, AGR_CONTAIN, AGR_KINDS };
enum agr_period { AGR_DAY, AGR_MONTH, AGR_NO_PERIOD };

struct agr_key {
    uint64_t tag[2];
    uint32_t tenant; // hash of the tenant, for its share of the table
    uint8_t kind, period;
};

// Result of a peek or take. Durations are from `now`; add the decision's wall time to show a time.
struct agr_view {
    bool admits;            // take: it was charged
    uint64_t remaining;     // further charges of 1 (budget: micro-dollars) that would be admitted now
    int64_t reset_after_ns; // until `remaining` is full again; 0 when it is
    int64_t retry_after_ns; // until this charge could be admitted; 0 when it is; -1 when never
};

// A charge that was made, so that it can be given back (agr_charge_undo) or settled (budget.h). Plain data.
struct agr_charge {
    uint64_t at;     // offset of the word or cell in the state file; 0 = nothing was charged
    uint64_t n;      // rate: ticks; quota: events; budget: micro-dollars; ring: the time its cell held before
    uint64_t stamp;  // rate: tick of the take; ring: the cell's value
    uint32_t window; // quota, budget
    uint8_t kind, period, gen;
};

// Tag of a key. `name` is the limit's name, `fields` the canonical encoding of the key values; `tenant`
// groups keys into shares ("" for the unauthenticated). AEGIS_TOO_LARGE past AGR_KEY_MAX. Never allocates.
enum aegis_status agr_key_make(const struct agr_state *st, enum agr_kind kind, enum agr_period period,
                               struct ag_str name, struct ag_str tenant, struct ag_str fields,
                               struct agr_key *ret);

// Gives back an unused charge: rates return what has not flowed back by itself since, windows only inside the
// same window. `now` is read at this moment, not at the decision. Safe to call for an empty charge; at most
// once for each. A charge whose entry was stolen meanwhile is dropped.
void agr_charge_undo(struct agr_state *st, const struct agr_charge *c, const struct agr_time *now);

// Rebuilds the share counters from the table (parent, after a worker died between count and claim).
void agr_table_recount(struct agr_state *st);
// Entries in use, for metrics; walks the table.
uint64_t agr_table_used(struct agr_state *st);

// ---- for the kinds (gcra.c, calendar.c, ring.c, budget.c, contain.c) ----

struct agr_entry {
    _Atomic uint64_t word;   // generation 8 | kind's payload 56; odd generation = a claim is under way
    _Atomic uint64_t tag[2]; // hash bits 63..8 | generation of the claim
    _Atomic uint64_t meta;   // generation 8 | kind 4 | period 4 | 16 zero | tenant 32
    _Atomic uint64_t aux[]; // AGR_ENTRY_AUX or AGR_RING_CELLS; each word carries the generation it belongs to
};

enum agr_table { AGR_TABLE_MAIN, AGR_TABLE_RING };

struct agr_found {
    struct agr_entry *e;
    uint64_t word; // live word seen; pass it to compare-and-swap
};

// Looks the key up; false when it has no entry. Never writes.
bool agr_table_find(struct agr_state *st, enum agr_table t, const struct agr_key *key, struct agr_found *ret);
// Finds or claims the key's entry; a new one starts with payload `fresh` (< 2^56). AEGIS_STATE when both
// buckets are full of entries that differ from fresh ones, or the tenant's share is used up.
enum aegis_status agr_table_claim(struct agr_state *st, enum agr_table t, const struct agr_key *key,
                                  uint64_t fresh, const struct agr_time *now, struct agr_found *ret);
// Changes the payload if the word is still *word; on success and on failure *word is what stands there now.
bool agr_word_cas(_Atomic uint64_t *word, uint64_t *seen, uint64_t payload);
// Offset of a word in the file and back; NULL when the offset is not inside the entries.
uint64_t agr_table_offset(const struct agr_state *st, const _Atomic uint64_t *p);
_Atomic uint64_t *agr_table_word_at(struct agr_state *st, uint64_t offset);

static inline uint8_t
agr_word_gen(uint64_t word)
{
    return (uint8_t)(word >> AGR_GEN_SHIFT);
}

#endif
