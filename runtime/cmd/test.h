// SPDX-License-Identifier: Apache-2.0
// Results of test tables and the forms in which they are printed. In: results. Out: text, TAP, JSON or JUnit
// XML. Memory: strings of a result are malloc'd and freed by agr_results_free. Next file to read: test.c.
#ifndef AGR_TEST_H
#define AGR_TEST_H

#include "cmd.h"

#define AGR_CASES_MAX 100000u // cases of one run

struct agr_result {
    char *file, *name;
    char *why; // NULL when the case passed
};

// A rule of a tested policy and how many cases it decided.
struct agr_covered {
    char *policy, *rule;
    unsigned n;
};

struct agr_results {
    struct agr_result *list;
    size_t n, size;
    size_t failed;
    struct agr_covered *rules;
    size_t nrules;
};

enum agr_test_format { AGR_TEST_TEXT, AGR_TEST_TAP, AGR_TEST_JSON, AGR_TEST_JUNIT };

// False when `word` is none of text, tap, json, junit.
bool agr_test_format(const char *word, enum agr_test_format *ret);
void agr_results_print(const struct agr_results *r, enum agr_test_format format, bool has_coverage, FILE *f);
void agr_results_free(struct agr_results *r);

#endif
