// SPDX-License-Identifier: Apache-2.0
// What the renderer of templates and its functions share. In: nodes, the object. Out: text in pieces; after
// a failure nothing more is done. Next file to read: template_run.c. Thread rule: as struct ag_call.
#ifndef AG_TEMPLATE_RUN_H
#define AG_TEMPLATE_RUN_H

#include "template.h"

#define AG_TPL_PIECE 256u // bytes of a piece of output, at least

struct ag_tpl_piece {
    struct ag_tpl_piece *next;
    uint32_t n, size;
    char bytes[];
};

struct ag_tpl_var {
    struct ag_str name;
    struct ag_tpl_value value;
};

// Where a list of nodes goes on.
enum ag_tpl_jump { AG_TPL_GO_ON, AG_TPL_GO_NEXT, AG_TPL_GO_OUT };

struct ag_tpl_run {
    struct ag_call *c;
    struct ag_str text;      // of the template
    struct ag_tpl_value dot; // what "." is
    unsigned nvars;
    struct ag_tpl_var vars[AG_TPL_VARS_MAX + 3]; // "$", and two of a loop more than the parser counts
    bool is_range_pipe;                          // the variables of a loop are set by each round
    bool failed;
    struct ag_value error; // undefined when the evaluation ends
    struct ag_tpl_piece *first, *last;
    size_t total;
};

// Fails with "template: template:1:2: executing "template" at <SOURCE>: MESSAGE"; no value.
struct ag_tpl_value ag_tpl_fault(struct ag_tpl_run *r, size_t at, struct ag_str source, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// Appends text, or a value as Go's %v has it; no value is <nil>.
void ag_tpl_put(struct ag_tpl_run *r, struct ag_str s);
void ag_tpl_put_value(struct ag_tpl_run *r, struct ag_tpl_value t, unsigned depth);
// Everything written as one string; undefined after a failure.
struct ag_value ag_tpl_joined(struct ag_tpl_run *r);
bool ag_tpl_truth(struct ag_tpl_value t);
struct ag_tpl_value ag_tpl_operand(struct ag_tpl_run *r, const struct ag_tpl_operand *o);
struct ag_tpl_value ag_tpl_pipe(struct ag_tpl_run *r, const struct ag_tpl_pipe *pipe);

// --- template_fns.c: the function at the head of a command; `last` is the value of the command before, NULL
// for none.
struct ag_tpl_value ag_tpl_function(struct ag_tpl_run *r, const struct ag_tpl_operand *f,
                                    struct ag_str source, const struct ag_tpl_value *last);

#endif
