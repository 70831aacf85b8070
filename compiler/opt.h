// SPDX-License-Identifier: Apache-2.0
// Step 7: passes over the intermediate form. Each leaves the meaning as it was and passes ir_check.c.
// Next file to read: opt.c, then one opt_*.c per pass.
#ifndef AGC_OPT_H
#define AGC_OPT_H

#include "ir.h"

// Runs every pass; level 0 runs only what the image needs (the index, with every rule in the list always
// tried). False: `text` names the pass and what it broke (a defect of the compiler).
bool agc_opt(struct agc_ir *ir, int level, char *text, size_t size);

void agc_opt_fold(struct agc_ir *ir, int level);
void agc_opt_dead(struct agc_ir *ir, int level);
void agc_opt_cse(struct agc_ir *ir, int level);
void agc_opt_index(struct agc_ir *ir, int level);

// opt_index.c: the bytes of the decision index (struct ag_index) under a hash seed, appended to out.
// `text_const` gives the image's constant index of a text. False: under this seed two keys of one table
// cannot be told apart.
struct agc_heap;
bool agc_index_write(const struct agc_ir *ir, struct agc_heap *heap, uint64_t seed, struct agc_bytes *out);

// How often each local of a function is defined and read; both arrays have nlocals elements. opt.c.
void agc_opt_count(struct agc_func *f, uint32_t *ret_defs, uint32_t *ret_uses);

#endif
