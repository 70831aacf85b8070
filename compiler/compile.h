// SPDX-License-Identifier: Apache-2.0
// The map of the compiler: policy text in, image bytes out. main.c, tests and the bench call this.
// In: struct agc_job with sources. Out: the products of every step that ran. Memory: the job's arena owns
// everything. Thread rule: one job, one thread. Next file to read: compile.c.
#ifndef AGC_COMPILE_H
#define AGC_COMPILE_H

#include "diag.h"
#include "emit.h"
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

struct agc_job {
    // in
    int level; // of optimisation: 0 or 1
    uint64_t serial;
    const char *tzdata;    // directory of time-zone files, NULL: the system's
    const uint8_t *secret; // AG_ED25519_SECRET bytes that sign the image, NULL: unsigned
    FILE *emit;            // prints the product of stage `last`, NULL: nothing
    enum agc_stage last;   // stop after this stage
    // in and out: sources may be added before agc_compile
    struct agc_arena arena;
    struct agc_sources sources;
    struct agc_diags diags;
    // out
    struct agc_policy policy;
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
// Runs the steps over all sources of the job.
enum agc_result agc_compile(struct agc_job *j);

#endif
