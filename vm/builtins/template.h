// SPDX-License-Identifier: Apache-2.0
// Templates of strings.render_template: what the parser makes and the renderer walks. In: the text of a
// template in the syntax of Go's text/template. Out: nodes in the call's arena that borrow the text. Who owns
// memory: the call's arena. Next files to read: template.c (the parser), template_run.c. Thread rule: as
// struct ag_call.
#ifndef AG_TEMPLATE_H
#define AG_TEMPLATE_H

#include "builtin_fns.h"

#define AG_TPL_DEPTH_MAX 64u // if, range, with and parentheses in one another
#define AG_TPL_VARS_MAX  64u // variables in sight at once
#define AG_TPL_ARGS_MAX  32u // arguments of one function

enum ag_tpl_type { AG_TPL_DATA, AG_TPL_INT, AG_TPL_FLOAT };

// What a pipeline yields. DATA is a value of the input, whose numbers are texts (json.Number); its kind
// undefined is "no value". INT and FLOAT are what Go calls int and float64.
struct ag_tpl_value {
    enum ag_tpl_type type;
    struct ag_value v; // DATA, and INT as a number
    double d;
};

enum ag_tpl_operand_kind {
    AG_TPL_DOT,
    AG_TPL_FIELD, // of dot
    AG_TPL_VAR,
    AG_TPL_CONST,
    AG_TPL_NIL,
    AG_TPL_PIPE, // in parentheses
    AG_TPL_FUNC
};

struct ag_tpl_name {
    struct ag_str text;
    struct ag_tpl_name *next;
};

struct ag_tpl_operand {
    enum ag_tpl_operand_kind kind;
    struct ag_str source;       // as written, for errors
    size_t at;                  // the place that errors name
    struct ag_str name;         // VAR with its $, FUNC
    struct ag_tpl_name *fields; // what is followed from it
    struct ag_tpl_value value;  // CONST
    struct ag_tpl_pipe *pipe;
    struct ag_tpl_operand *next;
};

struct ag_tpl_command {
    struct ag_str source;
    struct ag_tpl_operand *operands; // at least one
    struct ag_tpl_command *next;
};

struct ag_tpl_pipe {
    struct ag_str decl[2]; // variables that take the value
    unsigned ndecl;
    bool is_assign; // to variables that exist
    size_t at;
    struct ag_str source;
    struct ag_tpl_command *commands;
};

enum ag_tpl_kind {
    AG_TPL_TEXT,
    AG_TPL_ACTION,
    AG_TPL_IF,
    AG_TPL_RANGE,
    AG_TPL_WITH,
    AG_TPL_BREAK,
    AG_TPL_CONTINUE
};

struct ag_tpl_node {
    enum ag_tpl_kind kind;
    struct ag_str text;
    struct ag_tpl_pipe *pipe;
    struct ag_tpl_node *body, *otherwise, *next;
};

// Parses a template. NULL with *ret_error set: a syntax error, a limit, or the end of the evaluation. An
// empty template is a text node without bytes.
struct ag_tpl_node *ag_tpl_parse(struct ag_call *c, struct ag_str text, struct ag_value *ret_error);

// The names that functions have here.
bool ag_tpl_is_function(struct ag_str name);

// "template: template:LINE:COLUMN" of a place, or without the column.
void ag_tpl_put_place(struct ag_buf *out, struct ag_str text, size_t at, bool has_column);

#endif
