// SPDX-License-Identifier: Apache-2.0
// Explanations of a decision for people. In: a JSON action on a simulated host. Out: callbacks.
// Thread rule: that of the context. Next file to read: api.c.
#ifndef AGR_EXPLAIN_H
#define AGR_EXPLAIN_H

#include "host.h"

enum aegis_status agr_explain_json(struct aegis_ctx *ctx, struct aegis_slot *slot, struct ag_str json,
                                   void (*rule)(void *arg, const struct aegis_explain_rule *r), void *arg,
                                   struct aegis_decision *ret, struct aegis_error *reterr);
// The span that an instruction belongs to; NULL when the image has none.
const struct ag_span *agr_span_at(const struct ag_image *im, uint32_t insn);
// Source place of an instruction, from the debug map; false when the image has none.
bool agr_span_of(const struct ag_image *im, uint32_t insn, uint32_t *ret_line, uint32_t *ret_column);

#endif
