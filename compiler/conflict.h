// SPDX-License-Identifier: Apache-2.0
// Two definitions of one document or function that may both hold with different values. Proved apart: silent.
// Shown by an input on which the machine found both: an error. Neither: a warning, and the machine checks at
// run time. In: a program. Out: diagnostics. Memory: the compile arena. Thread rule: one compilation, one
// thread. Next file to read: facts.h, witness.h, probe.h.
#ifndef AGC_CONFLICT_H
#define AGC_CONFLICT_H

#include "compile.h"

#define AGC_CONFLICT_PAIRS_MAX                                                                               \
    500000u                       // pairs of clauses compared in one group; further ones are left to the run
#define AGC_CONFLICT_SHOWN_MAX 3u // pairs reported of one group

// Looks at every group of j->program.
void agc_conflicts(struct agc_job *j);

#endif
