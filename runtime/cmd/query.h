// SPDX-License-Identifier: Apache-2.0
// aegis eval: its options, the results of a query and how they are printed. Thread rule: one thread.
// Next file to read: eval.c, eval_query.c, eval_print.c.
#ifndef AGR_QUERY_H
#define AGR_QUERY_H

#include "cmd.h"

enum agr_eval_format { AGR_EVAL_JSON, AGR_EVAL_PRETTY, AGR_EVAL_VALUES, AGR_EVAL_RAW, AGR_EVAL_BINDINGS };

struct agr_eval {
    const char *query, *input, *entry, *package;
    struct agr_list data, imports;
    enum agr_eval_format format;
    int is_stdin, is_strict, is_traced, fail, fail_defined;
    int64_t now; // 0: the real time
};

// False when `word` names no format.
bool agr_eval_format(const char *word, enum agr_eval_format *ret);

#define AGR_EVAL_ERROR 2 // exit code of a query that could not be compiled or evaluated

// Compiles and evaluates; prints the results, or why there are none. Exit code: 0, 1 as --fail and
// --fail-defined say, AGR_EVAL_ERROR, 3 when a file cannot be read.
int agr_eval_query(const struct agr_eval *o);

// --- eval_print.c: both texts are JSON that the machine wrote: [{"bindings":{..},"expressions":[..]}, ..]
// and
// [{"text":..,"location":{..}}, ..], one for each literal.
void agr_eval_print(enum agr_eval_format format, struct ag_str results, struct ag_str literals);
// The compiler's diagnostics (its JSON form) as {"errors": [{message, code, location}]}. False when `text`
// holds none.
bool agr_eval_print_refusal(const char *text);
// "FILE:LINE: CODE: MESSAGE" in the same form.
void agr_eval_print_error(const char *text);

#endif
