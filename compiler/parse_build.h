// SPDX-License-Identifier: Apache-2.0
// What the grammar's actions call: node builders that keep count of depth, and error texts. In: semantic
// values. Out: nodes; NULL operands (after an error) give NULL. Memory: the compile arena. Thread rule: one
// parser, one thread.
#ifndef AGC_PARSE_BUILD_H
#define AGC_PARSE_BUILD_H

#include "aegis.tab.h"

struct agc_node *agc_build_leaf(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k,
                                struct ag_str text);
struct agc_node *agc_build_1(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k,
                             struct agc_node *a);
struct agc_node *agc_build_2(struct agc_lexer *lx, struct agc_span at, const char *op, struct agc_node *a,
                             struct agc_node *b);
struct agc_node *agc_build_3(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k,
                             struct agc_node *a, struct agc_node *b, struct agc_node *c);
// `-` before a number is part of the number.
struct agc_node *agc_build_minus(struct agc_lexer *lx, struct agc_span at, struct ag_str digits);
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
// Lists grow in place; `list` NULL begins one. _first and _pair remember a `|` that would begin a
// comprehension.
struct agc_list *agc_build_list(struct agc_lexer *lx, struct agc_list *list, struct agc_node *n);
struct agc_list *agc_build_first(struct agc_lexer *lx, struct agc_span at, struct agc_node *n);
struct agc_list *agc_build_pair(struct agc_lexer *lx, struct agc_list *list, struct agc_node *k,
                                struct agc_span at, struct agc_node *v);
void agc_build_error(struct agc_lexer *lx, struct agc_span at, const char *text);
void agc_build_unexpected(struct agc_lexer *lx, struct agc_span at, const char *got, const char *const *want,
                          unsigned n);

#endif
