// SPDX-License-Identifier: Apache-2.0
// Explanations and traces of values. Thread rule: one thread. Next file to read: explain_value.c.
#ifndef AGR_EXPLAIN_VALUE_H
#define AGR_EXPLAIN_VALUE_H

#include "cmd.h"

struct agr_explain {
    struct agr_list data;
    const char *reference, *input; // input: a file, "-" standard input, NULL none
    int64_t now;
    int is_json;
};
// Exit code: 0, 1 when the evaluation ends in an error or the modules have errors, 3.
int agr_explain_reference(const struct agr_explain *o);

// Lines of a trace; begin with {.f = file}.
struct agr_trace {
    FILE *f;
    bool is_pending;
    uint32_t depth;
    char place[4096], value[600]; // last step that is not printed yet
};
void agr_trace_event(void *arg, const struct aegis_event *e); // for aegis_ctx_watch; arg: struct agr_trace
void agr_trace_flush(struct agr_trace *t);

#endif
