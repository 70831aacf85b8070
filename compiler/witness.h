// SPDX-License-Identifier: Apache-2.0
// Inputs on which clauses hold: guesses made of the constants that the clauses compare with. Whoever asks
// runs the policy on a guess; a wrong guess costs a try and never a wrong answer. In: facts. Out: JSON.
// Memory: the compile arena. Thread rule: one compilation, one thread. Next file to read: conflict.c.
#ifndef AGC_WITNESS_H
#define AGC_WITNESS_H

#include "bytes.h"
#include "facts.h"

#define AGC_WITNESS_TRIES 24u // guesses for one pair of clauses

// Guess number `attempt` for an input (*ret_input, JSON) and arguments (*ret_args, terms separated by commas)
// for which both clauses hold; documents that they refer to are followed into `program`.
void agc_witness_guess(struct agc_arena *a, const struct agc_program *program, const struct agc_facts *x,
                       const struct agc_facts *y, uint32_t nargs, uint32_t attempt, struct ag_str *ret_input,
                       struct ag_str *ret_args);
// A constant as text of the language (JSON but for sets).
void agc_node_const_put(struct agc_bytes *out, const struct agc_node *n);

#endif
