// SPDX-License-Identifier: Apache-2.0
// The decision record of the governance contract (A14), for `aegis evaluate` and for POST /evaluate and
// /risk-check. In: a decision of entrypoint "evaluate". Out: JSON appended to the caller's buffer. Thread
// rule: no state. Next file to read: govern.c.
#ifndef AGR_GOVERN_H
#define AGR_GOVERN_H

#include "aegis.h"
#include "buf.h"

// What of a policy's gates the record depends on; starts zeroed.
struct agr_govern {
    uint32_t escalating; // bit i: on_fail of gate i is "escalate"
};

// For aegis_policy_gate_params and aegis_ctx_gate_params: takes one parameter into the struct agr_govern at
// arg.
void agr_govern_take(void *arg, const char *name, double value);
// The status that is enforced: proceed, pause, escalate or halt.
struct ag_str agr_govern_status(const struct aegis_decision *d);
// Appends the record; the numbers are rounded to six decimals, for display only.
void agr_govern_json(const struct agr_govern *g, const struct aegis_decision *d, struct ag_buf *b);
// Appends one gate of it: passed, state, value, threshold, confidence, message.
void agr_govern_gate(const struct aegis_gate *g, struct ag_buf *b);

#endif
