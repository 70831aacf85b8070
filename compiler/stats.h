// SPDX-License-Identifier: Apache-2.0
// The stated cost of a decision and the sizes of an image (`aegisc --stats`).
// In: code, index, patterns. Out: a bound that is linear in the bytes of the input. Memory: none of its own.
// Thread rule: one compilation, one thread.
#ifndef AGC_STATS_H
#define AGC_STATS_H

#include "emit.h"

struct agc_stats {
    // fuel of one decision for an input of n bytes is at most fixed + per16 * n / 16
    uint64_t fixed, per16;
    uint64_t fuel_bound; // at AGC_INPUT_MAX bytes
    bool is_open;        // no bound: modules loop over data, only the image's fuel ends them
    uint64_t fuel;       // what the image states
    uint32_t arena_size;
    uint32_t stack_regs;
    uint32_t rules, conditions, functions, instructions, constants, patterns;
    uint64_t section[AG_SECTION_COUNT]; // bytes
    uint64_t image;
};

// Fills everything but the section sizes, from the costliest entrypoint.
void agc_stats_cost(const struct agc_ir *ir, const struct agc_code *code, struct agc_stats *ret);
void agc_stats_print(const struct agc_stats *s, FILE *out);

#endif
