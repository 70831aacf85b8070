// SPDX-License-Identifier: Apache-2.0
// Step 6: the checked tree becomes the intermediate form. Next file to read: lower.c, then opt.h.
#ifndef AGC_LOWER_H
#define AGC_LOWER_H

#include "ir.h"

// Builds functions, tables and entrypoints of `policy` in `ir` (initialised). The tree has passed resolve.c
// and check.c. False: `ret` says which bound the policy crosses.
bool agc_lower(struct agc_ir *ir, struct agc_refusal *ret);

// lower_expr.c: a literal of `when` as a local of f holding its value (undefined and errors included),
// appended to b.
bool agc_lower_expr(struct agc_ir *ir, uint32_t func, struct agc_block *b, const struct agc_node *n,
                    uint32_t *ret_local, struct agc_refusal *ret);

#endif
