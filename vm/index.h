// SPDX-License-Identifier: Apache-2.0
// Candidates of a decision index for one input, in priority order, found one at a time.
// In: a verified image, an input. Out: positions and rule numbers. Memory: the call's arena.
// Thread rule: as struct ag_call.
#ifndef AG_INDEX_H
#define AG_INDEX_H

#include "eval.h"

struct ag_cands;

// The four match attributes of the input, as the host looked them up or in `own`. One that is missing, or no
// string, is the empty string (B2).
const struct ag_str *ag_attributes(const struct ag_call *c, const struct ag_index *ix, struct ag_value input,
                                   struct ag_str own[AG_ATTRS]);
// Opens a lookup; NULL: the evaluation ends (fuel or arena).
struct ag_cands *ag_index_lookup(struct ag_call *c, uint32_t index_ix, struct ag_value input);
// The next rule whose match attributes hold; false at the end.
bool ag_cands_next(struct ag_call *c, struct ag_cands *cands, uint32_t *ret_position, uint32_t *ret_rule);

#endif
