// SPDX-License-Identifier: Apache-2.0
// Results of tests and the forms in which they are printed. In: results. Out: text, TAP, JSON or JUnit XML.
// Memory: strings of a result are malloc'd and freed by agr_results_free. Thread rule: one thread. Next file
// to read: test.c.
#ifndef AGR_TEST_H
#define AGR_TEST_H

#include "cmd.h"
#include "test_coverage.h"

#include <regex.h>

#define AGR_CASES_MAX    100000u // cases of one run
#define AGR_TEST_SECONDS 5       // of one test rule

enum agr_test_outcome { AGR_TEST_PASSED, AGR_TEST_FAILED, AGR_TEST_ERROR, AGR_TEST_SKIPPED };

struct agr_result {
    char *file, *name;
    char *why; // of a failure or an error
    enum agr_test_outcome outcome;
    char *package; // of a test rule: "data.a"; NULL: a case of a table
    uint32_t line, column;
    int64_t ns;  // how long it took
    char *cases; // of a test with cases: lines "NAME: PASS"; NULL: none
};

// A rule of a tested policy and how many cases it decided.
struct agr_covered {
    char *policy, *rule;
    unsigned n;
};

struct agr_results {
    struct agr_result *list;
    size_t n, size;
    size_t failed, skipped; // errors count as failed
    size_t nmodules;        // tested modules
    struct agr_covered *rules;
    size_t nrules;
    struct agr_coverage coverage; // of the modules
};

enum agr_test_format { AGR_TEST_TEXT, AGR_TEST_TAP, AGR_TEST_JSON, AGR_TEST_JUNIT };

struct agr_test {
    const regex_t *only; // names to run; NULL: all
    enum agr_test_format format;
    double fail_under;
    long timeout_s;
    int is_verbose, has_coverage, has_threshold;
    const char *html; // file of the page of coverage, NULL: none
};

struct agr_sources;

// False when `word` is none of text, pretty, tap, json, junit.
bool agr_test_format(const char *word, enum agr_test_format *ret);
// Takes the strings of *c over, also on failure (too many, or out of memory).
bool agr_results_add(struct agr_results *r, const struct agr_result *c);
void agr_results_print(const struct agr_results *r, const struct agr_test *o, FILE *f);
void agr_results_free(struct agr_results *r);

// Each runs what it is named after and adds the results; false with a message and the exit code when
// something cannot be read.
bool agr_test_table(const char *path, const regex_t *only, struct agr_results *results, int *ret_exit);
bool agr_test_modules(const struct agr_sources *s, const struct agr_test *o, struct agr_results *results,
                      int *ret_exit);

#endif
