// SPDX-License-Identifier: Apache-2.0
// Governance for the commands: policies of parameters (A2) and the exit code of a decision (A22). The record
// itself is written by runtime/server/govern.h. In: parameter files. Out: a policy that the caller closes.
// Next file to read: parameters.c.
#ifndef AGR_PARAMETERS_H
#define AGR_PARAMETERS_H

#include "cmd.h"

#include "buf.h"

// A policy from governance parameters: path is a policy, an image, a file with `parameters:`, or a flat
// dictionary of parameters; NULL means the built-in defaults. Prints what is wrong. NULL on failure;
// *ret_exit says the code.
struct aegis_policy *agr_parameters_load(const char *path, int *ret_exit);
// 0 proceed, 1 halt, 2 pause or escalate, 3 unavailable (A22).
int agr_govern_exit(const struct aegis_decision *d);

#endif
