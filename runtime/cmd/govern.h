// SPDX-License-Identifier: Apache-2.0
// Governance for the commands: policies of parameters (A2) and the decision record of the governance contract
// (A14). In: parameter files, a decision of entrypoint "evaluate". Out: a policy, JSON. Next file to read:
// govern.c.
#ifndef AGR_GOVERN_H
#define AGR_GOVERN_H

#include "cmd.h"

#include "buf.h"

// What of a policy's gates the record depends on.
struct agr_govern {
    uint32_t escalating; // bit i: on_fail of gate i is "escalate"
};

// A policy from governance parameters: path is a policy, an image, a file with `parameters:`, or a flat
// dictionary of parameters; NULL means the built-in defaults. Prints what is wrong. NULL on failure;
// *ret_exit says the code.
struct aegis_policy *agr_govern_load(const char *path, int *ret_exit);
void agr_govern_read(const struct aegis_policy *p, struct agr_govern *ret);
// Appends the record; the numbers are rounded to six decimals.
void agr_govern_json(const struct agr_govern *g, const struct aegis_decision *d, struct ag_buf *b);
// 0 proceed, 1 halt, 2 pause or escalate, 3 unavailable (A22).
int agr_govern_exit(const struct aegis_decision *d);

#endif
