// SPDX-License-Identifier: Apache-2.0
// What a definition demands: facts about single places of the input, an argument or a document, read off its
// body. Facts are necessary: where the body holds each of them holds, so two definitions with facts that
// exclude each other never hold together. In: ordered bodies. Out: facts. Memory: the compile arena. Thread
// rule: one compilation, one thread. Next file to read: conflict.c.
#ifndef AGC_FACTS_H
#define AGC_FACTS_H

#include "program.h"

#define AGC_FACTS_MAX 256u // facts of one definition; further literals say nothing

enum agc_fact_op {
    AGC_FACT_EQ,
    AGC_FACT_NE,
    AGC_FACT_LT,
    AGC_FACT_LE,
    AGC_FACT_GT,
    AGC_FACT_GE,
    AGC_FACT_IN,     // an element of the constant collection
    AGC_FACT_NOT_IN, // and of none
    AGC_FACT_TRUTHY, // defined and not false
    AGC_FACT_LEN,    // an array of so many elements
    AGC_FACT_HINT    // nothing that can be checked; `value`, when there is one, may satisfy it
};

enum agc_root { AGC_ROOT_INPUT, AGC_ROOT_DATA, AGC_ROOT_ARG };

struct agc_place_step {
    const struct agc_node *key; // a constant; NULL: some element, the same for the same `element`
    uint32_t element;           // the local that stands for it
};
struct agc_place {
    enum agc_root root;
    uint32_t arg; // AGC_ROOT_ARG
    uint32_t n;
    const struct agc_place_step *step;
};

struct agc_fact {
    enum agc_fact_op op;
    bool is_negated; // holds where the place is undefined, or the operation is false
    struct agc_place place;
    const struct agc_node *value;   // constant; NULL for TRUTHY
    const struct agc_node *literal; // it was read off
};

struct agc_facts {
    struct agc_arena *arena;
    const struct agc_def *def;
    const struct agc_node **alias; // by local: what it equals, NULL: unknown
    struct agc_place *element;     // by local bound by `some x in xs`: its place; root < 0 never used
    bool *has_element;
    uint32_t n, cap;
    struct agc_fact *v;
    uint32_t nliterals, cap_literals;
    const struct agc_node **literal; // every literal of the clause, for comparison with negated ones
};

// Facts of one clause: the definition's arguments and the body of `clause` (the definition or one of its
// else-clauses).
void agc_facts_read(struct agc_arena *a, const struct agc_def *def, const struct agc_def *clause,
                    struct agc_facts *ret);
// The place that a term names, when it is a reference with constant or free steps.
bool agc_facts_place(struct agc_facts *f, const struct agc_node *n, struct agc_place *ret);
// Can the two clauses never hold for the same input and arguments? True is proof.
bool agc_facts_exclude(const struct agc_facts *x, const struct agc_facts *y);
// The constant that the place must equal, NULL when the clause does not say.
const struct agc_node *agc_facts_constant(const struct agc_facts *f, const struct agc_place *p);
// Do two terms have the same value wherever both clauses hold? True is proof.
bool agc_facts_same_value(const struct agc_facts *x, const struct agc_node *n, const struct agc_facts *y,
                          const struct agc_node *m);
// Does the fact hold for a constant at its place (NULL: undefined)? HINT holds for all.
bool agc_fact_holds(const struct agc_fact *f, const struct agc_node *value);
// No element steps: the place is one value.
bool agc_place_is_single(const struct agc_place *p);
bool agc_place_eq(const struct agc_place *x, const struct agc_place *y);

#endif
