// SPDX-License-Identifier: Apache-2.0
// Which definitions of a group are found by a constant. In: a group. Out: a plan. Memory: the compile arena.
// Thread rule: one compilation, one thread. Next file to read: lower_index.c.
#ifndef AGC_LOWER_INDEX_H
#define AGC_LOWER_INDEX_H

#include "facts.h"

#define AGC_INDEX_DEFS_MIN   8u  // definitions from which a look-up costs less than trying them
#define AGC_INDEX_SET_MAX    64u // constants of one membership that become keys
#define AGC_INDEX_COPIES_MAX 4u  // times that a definition may be copied, on average, to stand under its keys
#define AGC_INDEX_PLACES_MAX 16u // places compared before one is chosen

struct agc_index_key {
    const struct agc_node *key; // a scalar constant
    uint32_t ndefs;
    struct agc_def **defs; // in source order, those that compare with no constant included
};
struct agc_group_index {
    const struct agc_place *place; // in the input or an argument
    uint32_t nkeys;
    struct agc_index_key *key; // ascending
    uint32_t nalways;
    struct agc_def **always; // definitions that compare with no constant there
    uint32_t *always_ix;
};

// False: the group is not worth an index.
bool agc_group_index(struct agc_arena *a, const struct agc_group *g, struct agc_group_index *ret);

#endif
