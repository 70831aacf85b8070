// SPDX-License-Identifier: Apache-2.0
// One image, one call, one outcome: what tests need to run a decision. In: image bytes, JSON, a clock. Out:
// an outcome whose strings live until the next run. Memory: its own arena. Thread rule: one struct, one
// thread.
#ifndef AEGIS_TEST_DECIDE_H
#define AEGIS_TEST_DECIDE_H

#include "eval.h"

#include <stdio.h>
#include <stdlib.h>

#define TM_ARENA (16u << 20)

struct tm {
    struct ag_image im;
    struct ag_call call;
    struct ag_arena arena;
    struct ag_outcome outcome;
    struct ag_snapshot snapshot;
    char why[200]; // why an open or a run failed
};

static inline bool
tm_open(struct tm *m, struct ag_str image)
{
    struct ag_image_error e;
    memset(m, 0, sizeof *m);
    if (ag_image_open(image.p, image.n, &m->im, &e) != AG_IMAGE_OK ||
        ag_image_verify(&m->im, &e) != AG_IMAGE_OK) {
        snprintf(m->why, sizeof m->why, "image refused at %llu: %s", (unsigned long long)e.offset, e.text);
        return false;
    }
    ag_arena_init(&m->arena, malloc(TM_ARENA), TM_ARENA);
    m->call.im = &m->im;
    m->call.nregs = m->im.meta->stack_regs + AG_REGS_MAX;
    m->call.regs = calloc(m->call.nregs, sizeof *m->call.regs);
    m->call.mem.base[AG_IN_IMAGE] = m->im.heap;
    m->call.mem.base[AG_IN_ARENA] = m->arena.base;
    m->call.mem.arena = &m->arena;
    m->call.outcome = &m->outcome;
    return true;
}

static inline void
tm_close(struct tm *m)
{
    free(m->arena.base);
    free(m->call.regs);
}

// False: the evaluation ended without a decision; `why` says how.
static inline bool
tm_run(struct tm *m, const char *entry, struct ag_str json, int64_t now_ns)
{
    struct ag_value input;
    struct ag_json_error e;
    uint32_t ix = ag_entry_find(&m->im, ag_str_z(entry));
    if (ix == AG_NONE) {
        snprintf(m->why, sizeof m->why, "no entrypoint %s", entry);
        return false;
    }
    ag_arena_reset(&m->arena, AG_ARENA_RESERVED);
    m->call.mem.base[AG_IN_REQUEST] = (const uint8_t *)json.p;
    if (ag_json_read(&m->call.mem, json, &input, &e) != AG_JSON_OK) {
        snprintf(m->why, sizeof m->why, "input at %zu: %s", e.offset, ag_json_status_text(e.status));
        return false;
    }
    m->call.fuel = m->im.meta->fuel;
    m->call.now_ns = now_ns;
    enum ag_eval_status st = ag_eval(&m->call, ix, input, NULL);
    snprintf(m->why, sizeof m->why, "evaluation ended with status %d", (int)st);
    return st == AG_EVAL_OK;
}

#endif
