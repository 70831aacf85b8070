// SPDX-License-Identifier: Apache-2.0
// Rules that are tests: names that begin with test_ or todo_test_. In: modules as parsed. Out: modules in
// which every test can be asked for alone. Memory: the compile arena. Thread rule: one compilation, one
// thread. Next file to read: test_rules.c, wanted.c.
#ifndef AGC_TEST_RULES_H
#define AGC_TEST_RULES_H

#include "module.h"

// What is behind the name of a test with cases: the set of their names.
#define AGC_TEST_CASES "#cases"

// Whether a rule of this name is a test, or the set of cases of one.
bool agc_test_is(struct ag_str name);
// Definitions after the first of one name become tests of their own, "test_x#01" and so on. A test whose
// head has steps (test_x[name] if ..) gets a set "test_x#cases" beside it, which holds the steps of every
// case as an array, whether the rest of the body holds for it or not.
void agc_test_rules(struct agc_arena *a, struct agc_policy *policy);

#endif
