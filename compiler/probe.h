// SPDX-License-Identifier: Apache-2.0
// Running a policy while it is compiled: a second image of the same program, whose documents are asked for
// with guessed inputs. In: a job whose program is built. Out: what the machine answers. Memory: the job's
// arena, and the machine's own; close frees that. Thread rule: one thread. Next file to read: conflict.c.
#ifndef AGC_PROBE_H
#define AGC_PROBE_H

#include "compile.h"

enum agc_probe_answer {
    AGC_PROBE_VALUE,    // an answer, or none
    AGC_PROBE_CONFLICT, // two values of one document or call
    AGC_PROBE_FAILED    // the machine could not answer
};

struct agc_probe;

// Lowers the job's program with entrypoints for `group`[0..n); the job is as before. NULL: that did not work.
struct agc_probe *agc_probe_open(struct agc_job *j, const struct agc_group *const *group, uint32_t n);
// The answer for group `ix` of those given. `input` is JSON; `args` the arguments of a function, JSON values
// separated by commas.
enum agc_probe_answer agc_probe_run(struct agc_probe *p, uint32_t ix, struct ag_str input,
                                    struct ag_str args);
void agc_probe_close(struct agc_probe *p);

#endif
