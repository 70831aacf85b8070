// SPDX-License-Identifier: Apache-2.0
// Sources: file bytes, and spans into them. Line and column are worked out when a message needs them.
// In: paths. Out: struct agc_source. Memory: the compile arena. Next file to read: diag.h.
#ifndef AGC_SOURCE_H
#define AGC_SOURCE_H

#include "compile_arena.h"

struct agc_span {
    uint32_t source;     // index into agc_sources
    uint32_t begin, end; // byte offsets, end exclusive
};

struct agc_source {
    struct ag_str name; // as given on the command line
    struct ag_str bytes;
    uint32_t nlines, *line; // byte at which each line begins
};

struct agc_sources {
    uint32_t n, cap;
    struct agc_source *v;
};

#define AGC_SOURCE_MAX (64u << 20) // bytes of one source file

// Reads a file ("-" is standard input). Returns its index, or -1 with errno set.
int agc_source_read(struct agc_arena *a, struct agc_sources *s, const char *path);
int agc_source_add(struct agc_arena *a, struct agc_sources *s, struct ag_str name, struct ag_str bytes);
// 1-based line and column (column in bytes) of a byte offset.
void agc_source_place(const struct agc_sources *s, struct agc_span span, uint32_t *ret_line,
                      uint32_t *ret_column);
// The bytes of a 1-based line, without its end.
struct ag_str agc_source_line(const struct agc_sources *s, uint32_t source, uint32_t line);

#endif
