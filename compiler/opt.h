// SPDX-License-Identifier: Apache-2.0
// Step 7: passes over the intermediate form. Each leaves the meaning as it was and passes ir_check.c.
// Next file to read: opt.c, then one opt_*.c per pass.
#ifndef AGC_OPT_H
#define AGC_OPT_H

#include "ir.h"

// Runs every pass; level 0 runs only what the image needs (the index, with every rule in the list always
// tried). False: `text` names the pass and what it broke (a defect of the compiler).
bool agc_opt(struct agc_ir *ir, int level, char *text, size_t size);

void agc_opt_data(struct agc_ir *ir, int level);
void agc_opt_early(struct agc_ir *ir, int level);
void agc_opt_known(struct agc_ir *ir, int level);
void agc_opt_inline(struct agc_ir *ir, int level);
void agc_opt_hoist(struct agc_ir *ir, int level);
void agc_opt_group(struct agc_ir *ir, int level);
void agc_opt_value(struct agc_ir *ir, int level);
void agc_opt_regex(struct agc_ir *ir, int level);
void agc_opt_fold(struct agc_ir *ir, int level);
void agc_opt_dead(struct agc_ir *ir, int level);
void agc_opt_cse(struct agc_ir *ir, int level);
void agc_opt_index(struct agc_ir *ir, int level);

// opt_index.c: the bytes of the decision index (struct ag_index) under a hash seed, appended to out.
// `text_const` gives the image's constant index of a text. False: under this seed two keys of one table
// cannot be told apart.
struct agc_heap;
bool agc_index_write(const struct agc_ir *ir, struct agc_heap *heap, uint64_t seed, struct agc_bytes *out);

// opt_data.c: an element of a constant, found as the machine finds it; false: there is none.
bool agc_const_get(const struct agc_ir *ir, uint32_t coll, uint32_t key, uint32_t *ret);
bool agc_const_follow(const struct agc_ir *ir, uint32_t at, uint32_t path, uint32_t *ret);
// Whether any function lays something over data (`with data.x as`).
bool agc_opt_has_overlays(struct agc_ir *ir);

// How often each local of a function is defined and read; both arrays have nlocals elements. opt.c.
void agc_opt_count(struct agc_func *f, uint32_t *ret_defs, uint32_t *ret_uses);

#endif
