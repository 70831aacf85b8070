// SPDX-License-Identifier: Apache-2.0
// What the files of the template parser share. In: the text and the place in it. Out: nodes in the call's
// arena; after a failure nothing more is made. Next file to read: template.c. Thread rule: as struct ag_call.
#ifndef AG_TEMPLATE_PARSE_H
#define AG_TEMPLATE_PARSE_H

#include "template.h"

// Why a list of nodes ends.
enum ag_tpl_stop { AG_TPL_AT_EOF, AG_TPL_AT_END, AG_TPL_AT_ELSE, AG_TPL_AT_ELSE_IF, AG_TPL_AT_ELSE_WITH };

struct ag_tpl_parser {
    struct ag_call *c;
    struct ag_str s;
    size_t at;
    unsigned depth, parens, ranges, nvars;
    struct ag_str vars[AG_TPL_VARS_MAX];
    bool failed;
    struct ag_value error; // undefined when the evaluation ends
};

// The first failure, in words; returns NULL, so that it can be returned as any pointer or false.
void *ag_tpl_fail(struct ag_tpl_parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Zeroed memory; NULL after a failure.
void *ag_tpl_new(struct ag_tpl_parser *p, size_t size);

// --- template_const.c: a number or character, a string in quotes, at p->at
bool ag_tpl_number(struct ag_tpl_parser *p, struct ag_tpl_operand *o);
bool ag_tpl_string(struct ag_tpl_parser *p, struct ag_tpl_operand *o);

#endif
