// SPDX-License-Identifier: Apache-2.0
// Modules and one query as text, read and joined: what the slow evaluator and the machine both begin with.
// In: texts. Out: a built program and its query, or why not. Memory: its own compile arena; texts are copied.
// Thread rule: one struct, one thread. Next file to read: ref_eval.h.
#ifndef AEGIS_TEST_LOAD_H
#define AEGIS_TEST_LOAD_H

#include "program.h"

struct t_program {
    struct agc_arena arena;
    struct agc_sources sources;
    struct agc_diags diags;
    struct agc_policy policy;
    struct agc_program program;
    const struct agc_def *query;
};

// An empty collection of sources: texts can be added with t_source.
void t_init(struct t_program *t);
void t_fini(struct t_program *t);
// The text as a source with a name, ready for the parsers.
struct agc_text t_source(struct t_program *t, const char *name, struct ag_str text);
// Reads modules under the names test-0.rego, test-1.rego ... and the query "query". False: t->diags says why.
bool t_load(struct t_program *t, const struct ag_str *modules, uint32_t n, struct ag_str query);
// The first error as one line "FILE:LINE: id: text".
void t_first_error(const struct agc_diags *d, char *buf, size_t size);
// Whether compilation was refused for something that is not available.
bool t_is_refused(const struct agc_diags *d);

#endif
