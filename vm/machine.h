// SPDX-License-Identifier: Apache-2.0
// What the parts of the machine share during one evaluation: stopping, fuel, data frames, and who does which
// opcode. In: struct ag_call. Out: nothing; internal to vm/. Who owns memory: the call's arena. Next file to
// read: interp.c, then frame.c (documents), outcome.c (the decision), index.c (candidates).
#ifndef AG_MACHINE_H
#define AG_MACHINE_H

#include "eval.h"
#include "limits.h"
#include "number.h"

// Ends the evaluation with `why` (the first reason stays). Returns undefined so that helpers can return it.
static inline struct ag_value
ag_stop(struct ag_call *c, enum ag_eval_status why)
{
    if (c->stop == AG_EVAL_OK)
        c->stop = why;
    return ag_undef();
}

// Charges n units before the work; false: fuel is exhausted and the evaluation ends.
static inline bool
ag_charge(struct ag_call *c, uint64_t n)
{
    if (c->fuel < n) {
        c->fuel = 0;
        ag_stop(c, AG_EVAL_FUEL);
        return false;
    }
    c->fuel -= n;
    return true;
}

// Charges for n bytes of text.
static inline bool
ag_charge_bytes(struct ag_call *c, uint64_t n)
{
    return ag_charge(c, 1 + n / AG_STEP_BYTES);
}

// n bytes of the arena; NULL ends the evaluation.
static inline void *
ag_call_alloc(struct ag_call *c, size_t n, size_t align)
{
    void *p = ag_arena_alloc(c->mem.arena, n, align);
    if (!p)
        ag_stop(c, AG_EVAL_ARENA);
    return p;
}

// A kind that a cell can hold, undefined and errors excluded.
static inline bool
ag_is_value(struct ag_value v)
{
    return v.kind >= AG_NULL && v.kind <= AG_SET;
}

// --- error.c: errors with a message
// ---------------------------------------------------------
// An error of the built-in that runs: the text (printf-like, %.*s for strings, at most AG_ERROR_TEXT_MAX
// bytes) is kept in the arena; when that is full the code alone says what happened. The name of the built-in
// is put before it by the machine: write "no amount provided", not "units.parse: no amount provided".
#define AG_ERROR_TEXT_MAX 400u
struct ag_value ag_error(struct ag_call *c, enum ag_verr code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// "operand N must be WANTED but got KIND": N counts from 1; wanted NULL: what builtins.def declares.
struct ag_value ag_error_operand(struct ag_call *c, unsigned operand, const char *wanted,
                                 struct ag_value got);
// The same error, which happened in that built-in; one that names its place already is left as it is.
struct ag_value ag_error_in(struct ag_value error, uint32_t builtin_ix);
// An error of an operator on a and b.
enum ag_operator { AG_OPR_PLUS, AG_OPR_MINUS, AG_OPR_MUL, AG_OPR_DIV, AG_OPR_REM, AG_OPR_AND, AG_OPR_OR };
struct ag_value ag_error_operator(enum ag_verr code, enum ag_operator op, struct ag_value a,
                                  struct ag_value b);

// --- frame.c: the data document as an evaluation sees it
// ---------------------------------------------------------

// One `with data.path as value`. The list goes from the newest to the oldest, through all frames below.
struct ag_overlay {
    struct ag_value path, value;
    const struct ag_overlay *next;
};
struct ag_data_frame {
    const struct ag_overlay *overlays;
    struct ag_value *memo; // one per memo slot; NULL until the first is kept; `pad` 1 marks a kept one
};
// A new frame on top of `below` (AG_NONE: the first). AG_NONE: the evaluation ends.
uint32_t ag_frame_new(struct ag_call *c, uint32_t below);
// Lays `pair` = [path, value] over the data of frame `ix`; returns the frame, or an error value for no such
// pair.
struct ag_value ag_frame_overlay(struct ag_call *c, uint32_t ix, struct ag_value pair);
// The base document at the constant path in frame `ix`.
struct ag_value ag_frame_data(struct ag_call *c, uint32_t ix, struct ag_value path);
// Answers a call from memo or overlay; false: the function must run.
bool ag_frame_answers(struct ag_call *c, uint32_t ix, const struct ag_func *f, struct ag_value *ret);
// Completes a computed answer: overlays below its path are written in, then it is kept.
struct ag_value ag_frame_keep(struct ag_call *c, uint32_t ix, const struct ag_func *f, struct ag_value v);
// `doc` with value at the path; objects are made on the way. Charges for what it copies.
struct ag_value ag_value_upsert(struct ag_call *c, struct ag_value doc, struct ag_value path,
                                struct ag_value value);
// Objects merged recursively; a wins where not both are objects.
struct ag_value ag_value_merge(struct ag_call *c, struct ag_value a, struct ag_value b);

// --- arith.c: numbers and sets
// -----------------------------------------------------------------------------------
struct ag_value ag_value_add(struct ag_call *c, struct ag_value a, struct ag_value b);
struct ag_value ag_value_sub(struct ag_call *c, struct ag_value a, struct ag_value b); // sets too
struct ag_value ag_value_mul(struct ag_call *c, struct ag_value a, struct ag_value b);
struct ag_value ag_value_div(struct ag_call *c, struct ag_value a, struct ag_value b);
struct ag_value ag_value_mod(struct ag_call *c, struct ag_value a, struct ag_value b);
struct ag_value ag_set_and(struct ag_call *c, struct ag_value a, struct ag_value b);
struct ag_value ag_set_or(struct ag_call *c, struct ag_value a, struct ag_value b);
// A status of num.h as a value: full ends the evaluation, the rest are errors.
struct ag_value ag_number_result(struct ag_call *c, enum ag_num_status s, struct ag_num n);

// --- outcome.c: opcodes that contribute to the decision
// ----------------------------------------------------------
void ag_outcome_begin(struct ag_call *c);
void ag_outcome_end(struct ag_call *c);
struct ag_value ag_outcome_killed(struct ag_call *c, struct ag_value input);
struct ag_value ag_outcome_rule(struct ag_call *c, struct ag_value rule, struct ag_value condition);
void ag_outcome_default(struct ag_call *c);
void ag_outcome_emit(struct ag_call *c, struct ag_value v);
void ag_outcome_fault(struct ag_call *c, struct ag_value v);
// Contributes a decision that is not a YAML rule's; a tie leaves the earlier one.
void ag_outcome_add(struct ag_call *c, enum ag_severity s, enum ag_decided_by by, struct ag_str rule,
                    struct ag_str reason, struct ag_str message);

// --- effects.c: limits and planned effects
struct ag_value ag_effect_limit(struct ag_call *c, uint32_t limit_ix, const struct ag_value *args,
                                uint32_t n);
void ag_effect_plan(struct ag_call *c, struct ag_value effects);
// The operation that charges a limit of that kind.
const char *ag_effect_op_of(enum ag_limit_kind kind);
// Number of the limit of that name, AG_NONE when there is none.
uint32_t ag_limit_find(const struct ag_image *im, struct ag_str name);
// What is left of a limit under the key values `keys`, read once for each decision. False: the key is another
// than the limit's. Stops the evaluation when the state cannot be read.
bool ag_effect_peek(struct ag_call *c, uint32_t limit_ix, struct ag_value keys, struct ag_limit_view *ret);
// Whether a kill switch holds for the tenant.
struct ag_value ag_effect_killed(struct ag_call *c, struct ag_str tenant);

// --- gating.c: gates of a decision
void ag_gating_run(struct ag_call *c, struct ag_value input, uint32_t mask);
void ag_gating_status(struct ag_call *c, struct ag_value input);

// --- zone.c: the clock
bool ag_window_open(struct ag_call *c, uint32_t window_ix);

#endif
