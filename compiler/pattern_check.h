// SPDX-License-Identifier: Apache-2.0
// Patterns that a policy writes down are checked while compiling. In: text and its place. Out: a diagnostic
// when the pattern library refuses it. Memory: scratch of the call. Thread rule: one compilation, one thread.
#ifndef AGC_PATTERN_CHECK_H
#define AGC_PATTERN_CHECK_H

#include "diag.h"

bool agc_glob_ok(struct agc_diags *diags, struct ag_str glob, struct agc_span span);
bool agc_regex_ok(struct agc_diags *diags, struct ag_str regex, struct agc_span span);

#endif
