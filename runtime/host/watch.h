// SPDX-License-Identifier: Apache-2.0
// What the machine did, for people: events of an evaluation, places that were reached, definitions that
// succeeded and where the others failed. All of it comes from the trace of the machine and the debug map of
// the image; compile with -O0, so that every place has instructions of its own. Thread rule: that of the
// context. Next file to read: watch.c, coverage.c.
#ifndef AGR_WATCH_H
#define AGR_WATCH_H

#include "host.h"

// Calls `event` for every event of the evaluations that follow; NULL: no more.
void agr_watch(struct aegis_ctx *ctx, void (*event)(void *arg, const struct aegis_event *e), void *arg);

// Marks in hit[insn] what runs from now on; NULL: no more.
void agr_cover(struct aegis_ctx *ctx, uint8_t *hit);
// Every place of the modules, ascending by source, line and column. False: out of memory.
bool agr_coverage(const struct ag_image *im, const uint8_t *hit,
                  void (*place)(void *arg, const struct aegis_place *p), void *arg);
// Evaluates a value entrypoint and then calls `def` for every definition of every function that ran, in the
// order of the image.
enum aegis_status agr_explain_value(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry,
                                    struct ag_str json,
                                    void (*def)(void *arg, const struct aegis_explain_def *d), void *arg,
                                    char *out, size_t out_size, size_t *ret_n, struct aegis_error *reterr);

// The function that an instruction belongs to.
const struct ag_func *agr_func_at(const struct ag_image *im, uint32_t insn);
// Whether the instruction is reached only when a definition of its function has succeeded.
bool agr_is_success(const struct ag_image *im, const struct ag_func *f, uint32_t insn);

#endif
