// SPDX-License-Identifier: Apache-2.0
// Expressions of YAML rules that need more than values of the input: variables, loops, comprehensions,
// `with`, documents and functions of modules. In: rules as they were read. Out: bodies without those
// expressions, and a definition for them. Memory: the compile arena. Thread rule: one compilation, one
// thread. Next file to read: when.c.
#ifndef AGC_WHEN_H
#define AGC_WHEN_H

#include "compile.h"

// Moves the expressions of each rule that belong to the program out of its body, into agc_rule.when. True
// when there is one. To be called before names are resolved.
bool agc_when_split(struct agc_job *j);
// Joins them to the built program as agc_rule.when_def. False after a diagnostic.
bool agc_when_join(struct agc_job *j);

#endif
