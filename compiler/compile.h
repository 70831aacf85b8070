// SPDX-License-Identifier: Apache-2.0
// The map of the compiler: policy text in, image bytes out. main.c, tests and the bench call this.
// In: struct agc_job with sources, documents and wanted entrypoints. Out: the products of every step that
// ran. Memory: the job's arena owns everything. Thread rule: one job, one thread. Next file to read:
// compile.c.
//
// A source whose name ends in ".rego" is a module; every other source is a policy in YAML. To run a query
// over modules, as the conformance runner does:
//
//   agc_job_init(&j);
//   agc_source_add(&j.arena, &j.sources, AG_STR("test-0.rego"), text);   // once for each module
//   agc_job_add_data(&j, AG_STR("data.json"), json, NULL, 0);
//   agc_job_add_query(&j, AG_STR("data.a.b = x"));
//   j.is_rego = true;
//   j.strict_errors = case_says_so;
//   agc_compile(&j);
//
// and ag_eval with entrypoint "query" gives an array with one object for each solution,
// {"bindings": {name: value ...}, "expressions": [value ...]}, or an error value (ag_error_code,
// ag_error_message).
#ifndef AGC_COMPILE_H
#define AGC_COMPILE_H

#include "check_program.h"
#include "diag.h"
#include "emit.h"
#include "program.h"
#include "stats.h"

// What `--emit=` can print, in the order in which the steps make it.
#define AGC_STAGES(S)                                                                                        \
    S(TOKENS, "tokens")                                                                                      \
    S(AST, "ast")                                                                                            \
    S(NAMES, "names")                                                                                        \
    S(TYPES, "types")                                                                                        \
    S(IR, "ir")                                                                                              \
    S(OPT, "opt")                                                                                            \
    S(INDEX, "index")                                                                                        \
    S(ASM, "asm")                                                                                            \
    S(IMAGE, "image")

enum agc_stage {
#define S(NAME, text) AGC_STAGE_##NAME,
    AGC_STAGES(S)
#undef S
        AGC_STAGE_COUNT
};

// A base document: JSON that stands in `data` at the path.
struct agc_document {
    uint32_t source; // its bytes are a source, so that messages have places
    uint32_t npath;
    const struct ag_str *path;
};

enum agc_wanted_kind {
    AGC_WANT_VALUE,    // entrypoint of the reference's name that returns its value
    AGC_WANT_DECISION, // entrypoint `decide`: true allows, everything else denies
    AGC_WANT_QUERY     // entrypoint `query`: all solutions
};
struct agc_wanted {
    enum agc_wanted_kind kind;
    uint32_t source; // its text: a reference below data, or a query
};

struct agc_job {
    // in
    int level; // of optimisation: 0 or 1
    uint64_t serial;
    const char *tzdata;    // directory of time-zone files, NULL: the system's
    const uint8_t *secret; // AG_ED25519_SECRET bytes that sign the image, NULL: unsigned
    FILE *emit;            // prints the product of stage `last`, NULL: nothing
    enum agc_stage last;   // stop after this stage
    bool is_rego;          // what only the run can decide is left to it, as other Rego compilers do
    bool strict_errors; // an error of a built-in becomes the answer instead of making its literal undefined
    bool all_documents; // an entrypoint for every document of the modules, named as agc_document_name says
    bool has_tests;     // one for every test instead (test_rules.h)
    bool
        describes_queries; // beside "query" an entrypoint "query.expressions": text and place of each literal
    struct ag_str scope; // "package .." and imports in which the names of queries are looked up; empty: none
    uint32_t nwanted, cap_wanted; // agc_job_add_entry, agc_job_add_decision, agc_job_add_query
    struct agc_wanted *wanted;
    uint32_t ndocuments, cap_documents; // agc_job_add_data
    struct agc_document *documents;
    bool has_schema;
    uint32_t schema; // source of the JSON Schema of the input, which gives it a type
    // in and out: sources may be added before agc_compile
    struct agc_arena arena;
    struct agc_sources sources;
    struct agc_diags diags;
    uint32_t cap_modules;
    // out
    struct agc_policy policy;
    struct agc_program program;
    struct agc_types types; // of its groups
    uint32_t nwanted_nodes;
    struct agc_wanted_node *wanted_nodes; // one for each wanted entrypoint, then those of all_documents
    struct agc_ir ir;
    struct agc_heap heap;
    struct agc_code code;
    struct agc_stats stats;
    struct ag_str image; // aligned to AG_IMAGE_ALIGN
};

enum agc_result {
    AGC_DONE,    // every step up to `last` succeeded
    AGC_REFUSED, // diagnostics say why
    AGC_DEFECT   // the compiler broke one of its own rules; a diagnostic names the pass
};

// An empty job: optimised, unsigned, the whole way to the image.
void agc_job_init(struct agc_job *j);
void agc_job_fini(struct agc_job *j);
// Entrypoints beside those that the policy itself has. Texts are copied.
void agc_job_add_entry(struct agc_job *j, struct ag_str ref);
void agc_job_add_decision(struct agc_job *j, struct ag_str ref);
void agc_job_add_query(struct agc_job *j, struct ag_str query);
// A base document at the path (npath 0: the whole of `data`); several are merged, and two values at one place
// are an error. `json` is copied.
void agc_job_add_data(struct agc_job *j, struct ag_str name, struct ag_str json, const struct ag_str *path,
                      uint32_t npath);
// The same of a source that was added already; the path's strings are kept.
void agc_job_add_document(struct agc_job *j, uint32_t source, const struct ag_str *path, uint32_t npath);
// Steps 6 to 9 alone, for a job whose policy and program are checked. May run again: lowering changes
// neither.
enum agc_result agc_compile_program(struct agc_job *j);
// Runs the steps over all sources of the job.
enum agc_result agc_compile(struct agc_job *j);

#endif
