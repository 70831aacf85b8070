// SPDX-License-Identifier: Apache-2.0
// Random policies: text of modules, base document and inputs from a seed. Mostly safe and well typed, over
// small domains so that joins succeed; whatever is wrong in them is wrong for every evaluator alike.
// In: a seed, and units (definitions, literals) to leave out. Out: texts. Memory: the caller's arena.
// Thread rule: one generator, one thread. Next file to read: gen.c.
#ifndef AEGIS_TEST_GEN_H
#define AEGIS_TEST_GEN_H

#include "arena.h"
#include "str.h"

#define GEN_MODULES 3u
#define GEN_INPUTS  12u
#define GEN_UNITS   1024u // definitions and literals that can be left out

struct gen_policy {
    uint32_t nmodules;
    struct ag_str module[GEN_MODULES];
    struct ag_str query, data;
    uint32_t ninputs;
    struct ag_str input[GEN_INPUTS];
    bool is_strict;
    uint32_t nunits;
};

// The policy of a seed without the units that are set in `without` (NULL: whole). `prefix` begins the names
// of its packages and of the base document's members.
void gen_policy(struct ag_arena *a, uint64_t seed, const char *prefix, const bool *without,
                struct gen_policy *ret);

#endif
