// SPDX-License-Identifier: Apache-2.0
// Lines of sources, counted once: the debug map asks for the place of every instruction, and agc_source_place
// counts from the start of the file each time. In: sources. Out: line and column. Memory: the compile arena.
// Thread rule: one compilation, one thread.
#ifndef AGC_PLACES_H
#define AGC_PLACES_H

#include "source.h"

struct agc_lines {
    uint32_t n;
    uint32_t *start; // byte offset of each line
};

struct agc_places {
    uint32_t n; // sources
    struct agc_lines *lines;
};

// sources may be NULL: every place is then 1:1.
void agc_places_init(struct agc_places *p, struct agc_arena *a, const struct agc_sources *sources);
// As agc_source_place.
void agc_place(const struct agc_places *p, struct agc_span span, uint32_t *ret_line, uint32_t *ret_column);

#endif
