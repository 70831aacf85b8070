// SPDX-License-Identifier: Apache-2.0
// What the grammar's actions call: builders that keep count of depth, and error texts. In: semantic values.
// Out: nodes (parse_build.c), definitions of the module (parse_rule.c); NULL operands (after an error) give
// NULL. Memory: the compile arena. Thread rule: one parser, one thread. Next file to read: parse_build.c.
#ifndef AGC_PARSE_BUILD_H
#define AGC_PARSE_BUILD_H

#include "aegis.tab.h"

struct agc_node *agc_build_leaf(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k,
                                struct ag_str text);
struct agc_node *agc_build_1(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k,
                             struct agc_node *a);
// A BINARY with this operator.
struct agc_node *agc_build_2(struct agc_lexer *lx, struct agc_span at, const char *op, struct agc_node *a,
                             struct agc_node *b);
// A node of two children.
struct agc_node *agc_build_op(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k,
                              struct agc_node *a, struct agc_node *b);
struct agc_node *agc_build_3(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k,
                             struct agc_node *a, struct agc_node *b, struct agc_node *c);
// `-` before a number is part of the number.
struct agc_node *agc_build_minus(struct agc_lexer *lx, struct agc_span at, struct ag_str digits);
// What parentheses hold; of an operation they are a part.
struct agc_node *agc_build_parens(struct agc_span at, struct agc_node *n);
// One more step of a reference.
struct agc_node *agc_build_step(struct agc_lexer *lx, struct agc_span at, struct agc_node *ref,
                                struct agc_node *step);
// A call; `set()` is the empty set.
struct agc_node *agc_build_call(struct agc_lexer *lx, struct agc_span at, struct agc_node *f,
                                struct agc_list *args);
// A collection.
struct agc_node *agc_build_many(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k,
                                struct agc_list *list);
struct agc_node *agc_build_query(struct agc_lexer *lx, struct agc_span at, struct agc_list *list);
// The query of one literal.
struct agc_node *agc_build_single(struct agc_lexer *lx, struct agc_span at, struct agc_node *literal);
// The same of the literal behind `if`.
struct agc_node *agc_build_condition(struct agc_lexer *lx, struct agc_span at, struct agc_node *literal);
struct agc_node *agc_build_not(struct agc_lexer *lx, struct agc_span at, struct agc_node *literal);
struct agc_node *agc_build_with(struct agc_lexer *lx, struct agc_span at, struct agc_node *literal,
                                struct agc_list *list);
struct agc_node *agc_build_target(struct agc_lexer *lx, struct agc_node *target);
struct agc_node *agc_build_some(struct agc_lexer *lx, struct agc_span at, struct agc_list *list);
// A `some` without `in`: its parts must be variables.
struct agc_node *agc_build_declared(struct agc_lexer *lx, struct agc_node *some);
struct agc_node *agc_build_some_in(struct agc_lexer *lx, struct agc_span at, struct agc_node *some,
                                   struct agc_node *domain);
struct agc_node *agc_build_some_deep(struct agc_lexer *lx, struct agc_span at, struct agc_node *some,
                                     struct agc_node *domain);
struct agc_node *agc_build_every(struct agc_lexer *lx, struct agc_span at, struct agc_list *names,
                                 struct agc_node *domain, struct agc_node *body);
// Lists grow in place; `list` NULL begins one.
struct agc_list *agc_build_list(struct agc_lexer *lx, struct agc_list *list, struct agc_node *n);
struct agc_list *agc_build_pair(struct agc_lexer *lx, struct agc_list *list, struct agc_node *k,
                                struct agc_node *v);
// Template strings: `list` holds pieces and expressions in turn.
struct agc_list *agc_build_piece(struct agc_lexer *lx, struct agc_span at, struct agc_list *list,
                                 struct agc_node *expr);
struct agc_node *agc_build_template(struct agc_lexer *lx, struct agc_span at, struct agc_list *list);

// --- modules (parse_rule.c)
void agc_build_package(struct agc_lexer *lx, struct agc_span at, struct agc_node *path);
void agc_build_import(struct agc_lexer *lx, struct agc_span at, struct agc_node *path,
                      struct agc_node *alias);
struct agc_head *agc_build_head(struct agc_lexer *lx, struct agc_span at, struct agc_node *name, int op,
                                struct agc_node *value);
void agc_build_default(struct agc_lexer *lx, struct agc_span at, struct agc_head *head);
void agc_build_constant(struct agc_lexer *lx, struct agc_span at, struct agc_head *head);
// The bodies of a rule: definitions linked by `otherwise` until agc_build_rule gives them their head.
// `has_if`: written with `if`.
struct agc_def *agc_build_body(struct agc_lexer *lx, struct agc_span at, struct agc_def *first,
                               struct agc_node *body, bool has_if);
struct agc_def *agc_build_else(struct agc_lexer *lx, struct agc_span at, int op, struct agc_node *value,
                               struct agc_node *body, bool has_if);
struct agc_def *agc_build_elses(struct agc_lexer *lx, struct agc_def *first, struct agc_def *next);
void agc_build_rule(struct agc_lexer *lx, struct agc_span at, struct agc_head *head, struct agc_def *bodies,
                    struct agc_def *elses);

// parse_meta.c: the annotations, when everything else is read.
void agc_build_metadata(struct agc_lexer *lx);

void agc_build_error(struct agc_lexer *lx, struct agc_span at, const char *text);
void agc_build_unexpected(struct agc_lexer *lx, struct agc_span at, const char *got, const char *const *want,
                          unsigned n);

#endif
