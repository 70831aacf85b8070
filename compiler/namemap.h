// SPDX-License-Identifier: Apache-2.0
// Maps from names to numbers and sets of numbers: what resolution and safety keep their books with.
// In: borrowed names, which must outlive the map. Out: numbers. Memory: the compile arena. Thread rule: one
// compilation, one thread. Next file to read: scope.h.
#ifndef AGC_NAMEMAP_H
#define AGC_NAMEMAP_H

#include "compile_arena.h"

struct agc_name_slot {
    struct ag_str name; // p == NULL: free
    uint32_t value;
};

// Zero is the empty map.
struct agc_namemap {
    uint32_t n, cap; // cap is 0 or a power of two
    struct agc_name_slot *slot;
};

// The value of a name, or NULL. Valid until the next agc_namemap_put.
uint32_t *agc_namemap_find(const struct agc_namemap *m, struct ag_str name);
// The value of a name, which becomes `first` when the name is new.
uint32_t *agc_namemap_put(struct agc_arena *a, struct agc_namemap *m, struct ag_str name, uint32_t first);

// A set of small numbers; zero is the empty set. Numbers past the end are not in it.
struct agc_bits {
    uint32_t nwords;
    uint64_t *word;
};

void agc_bits_add(struct agc_arena *a, struct agc_bits *s, uint32_t i);
static inline bool
agc_bits_has(const struct agc_bits *s, uint32_t i)
{
    return i / 64 < s->nwords && (s->word[i / 64] >> (i % 64) & 1) != 0;
}

// A set that remembers the order of its members, so that later ones can be taken away again.
struct agc_marks {
    struct agc_bits bits;
    uint32_t n, cap;
    uint32_t *trail;
};

void agc_marks_add(struct agc_arena *a, struct agc_marks *m, uint32_t i);
// Takes away what was added after the set had n members.
void agc_marks_undo(struct agc_marks *m, uint32_t n);
static inline bool
agc_marks_has(const struct agc_marks *m, uint32_t i)
{
    return agc_bits_has(&m->bits, i);
}

#endif
