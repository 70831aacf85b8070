// SPDX-License-Identifier: Apache-2.0
// Constant parts of data.aegis.effects and data.aegis.decisions, and limits that built-ins name: what would
// be refused on every decision is found while compiling. In: a checked program. Out: diagnostics. Memory: the
// compile arena. Thread rule: one compilation, one thread. Next file to read: ../vm/effects.c, which refuses
// the same at run time.
#ifndef AGC_CHECK_EFFECTS_H
#define AGC_CHECK_EFFECTS_H

#include "program.h"

// `knows_limits`: the policy file is among the sources, so that a limit it lacks does not exist. False when
// there was an error.
bool agc_check_effects(struct agc_diags *diags, const struct agc_program *p, bool knows_limits);

#endif
