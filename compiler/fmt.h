// SPDX-License-Identifier: Apache-2.0
// Canonical text of a module, as `opa fmt` writes it (`aegisc --fmt`, `aegis fmt`). In: a module and its
// source. Out: text that parses to the same tree and is its own canonical text. Memory: the compile arena.
// Thread rule: one compilation, one thread. Next file to read: fmt.c.
#ifndef AGC_FMT_H
#define AGC_FMT_H

#include "module.h"

// Indentation is a tab; one blank line stands between rules (rules of one line may stay together);
// collections and calls that had a line break get one line for each line of elements; comments stay where
// they were; parentheses stand only where the tree needs them. Sources must hold the text that `m` was parsed
// from.
struct ag_str agc_fmt(struct agc_arena *a, const struct agc_sources *sources, const struct agc_module *m);

struct agc_fmt_options {
    bool list;  // names of the files that are not canonical
    bool diff;  // their differences
    bool write; // rewrites them; without any of these three the texts are printed
    bool fail;  // exit code 1 when a file is not canonical
    enum agc_diag_format format;
};

// `aegisc --fmt`: formats each file ("-", or no file at all: standard input). Returns an exit code of aegisc.
int agc_fmt_files(char *const *path, int n, const struct agc_fmt_options *o);

#endif
