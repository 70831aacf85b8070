// SPDX-License-Identifier: Apache-2.0
// The slow evaluator of the tests: walks a program (compiler/program.h) as Rego describes it, with logic
// variables and backtracking, and never sees the intermediate form. Values, their order and the built-ins are
// the machine's; only the language is told a second time.
// In: a built program, one of its queries, input and data as JSON text. Out: values, or one error.
// Memory: the evaluator's own arena; results live until the next ref_begin.
// Thread rule: one evaluator, one thread. Next file to read: ref.h, ref_rule.c.
#ifndef REF_EVAL_H
#define REF_EVAL_H

#include "eval.h"
#include "program.h"

enum ref_code {
    REF_OK,
    REF_CONFLICT, // eval_conflict_error
    REF_TYPE,     // eval_type_error
    REF_BUILTIN,  // eval_builtin_error
    REF_LIMIT,    // steps, memory or depth of this evaluator
    REF_DEFECT    // a program that breaks the rules of program.h
};

// What an error is called in Rego; "internal" for the last two.
const char *ref_code_name(enum ref_code c);

struct ref_error {
    enum ref_code code;
    struct agc_span span;
    char text[512]; // the message alone
};

struct ref;
// `bytes` of address space for values, at most 4 GiB; touched only as far as it is used. NULL: none left.
struct ref *ref_new(size_t bytes);
void ref_free(struct ref *r);

// Forgets everything made.
void ref_begin(struct ref *r);
// What the next queries belong to. `im` lends its time zones to built-ins, NULL: none.
void ref_use(struct ref *r, const struct agc_program *p, const struct ag_image *im);
// Values to give to ref_query; the text is copied, the number spelling kept. False: not JSON.
bool ref_json(struct ref *r, struct ag_str text, struct ag_value *ret);
// A ground term (agc_parse_term) as a value. False: it is none, or does not end.
bool ref_ground(struct ref *r, const struct agc_node *term, struct ag_value *ret);
// All solutions of a query: an array of the values of `query`, in the order in which they were found.
// `input` may be undefined. Under `is_strict` errors of built-ins end the evaluation.
enum ref_code ref_query(struct ref *r, const struct agc_def *query, struct ag_value input,
                        struct ag_value data, bool is_strict, int64_t now_ns, struct ag_value *ret,
                        struct ref_error *reterr);
// To print and compare values of this evaluator.
struct ag_mem *ref_mem(struct ref *r);
struct ag_call *ref_machine(struct ref *r);

#endif
