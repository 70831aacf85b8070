// SPDX-License-Identifier: Apache-2.0
// Step 6 for modules, shared by its files: a function that is being lowered, and what all of them know.
// In: struct agc_program. Out: functions of struct agc_ir. Memory: the compile arena. Thread rule: one
// compilation, one thread. Next file to read: lower_rego.c (groups), lower_body.c (literals), lower_term.c
// (terms), lower_unify.c (patterns), lower_doc.c (references into data), lower_env.c (`with`).
//
// "Current block": lowering appends to l->b. A step with several answers opens a loop and leaves l->b in its
// body; a literal that fails leaves the innermost block. Whoever needs the block back saves and restores it.
// A local that is read holds a value: what may be undefined or an error is tested where it is made.
#ifndef AGC_LOWER_REGO_H
#define AGC_LOWER_REGO_H

#include "compile.h"
#include "lower.h"

// What `with f as ..` puts in the place of a function or built-in.
enum agc_mock_kind {
    AGC_MOCK_CONST,   // a constant
    AGC_MOCK_FUNC,    // a function of a module
    AGC_MOCK_BUILTIN, // a built-in
    AGC_MOCK_OVERLAY  // a value that the frame carries
};
struct agc_mock {
    uint32_t target; // built-in's number, or AG_BUILTIN_COUNT + the function's group number
    enum agc_mock_kind kind;
    uint32_t number; // constant; group; built-in; OVERLAY: constant of the overlay's path
};

// A set of replacements, by ascending target. Equal sets are one object, so pointers compare.
struct agc_env {
    uint32_t n;
    const struct agc_mock *v;
    const struct agc_env *next; // of the list of all sets
};

struct agc_instance { // a function already made
    const void *of;   // struct agc_group or struct agc_tree
    const struct agc_env *env;
    uint32_t func;
};

struct agc_rego {
    struct agc_ir *ir;
    const struct agc_program *program;
    bool strict;     // errors of built-ins are the function's result
    bool is_indexed; // groups get call tables (lower_index.h)
    struct agc_refusal *refusal;
    const struct agc_env *empty, *envs;
    uint32_t slots, ninstances; // open addressing
    struct agc_instance *instance;
    uint32_t ntargets, cap_targets; // reach of replaced targets, as far as asked for
    struct agc_reach {
        uint32_t target;
        bool *is_reached; // by group
    } * reach;
    unsigned depth; // functions being lowered inside each other
};

// A function being lowered.
struct agc_fn {
    struct agc_rego *g;
    struct agc_ir *ir;
    struct agc_func f;         // joins ir->funcs when it is done
    struct agc_block *b;       // where the next statement goes
    uint32_t depth;            // blocks around it
    const struct agc_def *def; // NULL: none
    uint32_t nvars, *var;      // by local of the definition: its local here, AG_NONE while unbound
    uint32_t *trail, ntrail, cap_trail;
    uint32_t input, frame; // locals
    const struct agc_env *env;
    bool strict;
    unsigned nest; // of terms
};

// A place to come back to: what was bound since then is unbound again.
struct agc_mark {
    struct agc_block *b;
    uint32_t depth, ntrail;
};

// --- lower_rego.c: building
static inline uint32_t
agc_fn_local(struct agc_fn *l)
{
    return agc_ir_local(&l->f);
}
struct agc_stmt *agc_fn_add(struct agc_fn *l, struct agc_span span, enum agc_irop op, uint32_t a, uint32_t b,
                            uint32_t c);
uint32_t agc_fn_const(struct agc_fn *l, struct agc_span span, uint32_t k);
struct agc_mark agc_fn_mark(const struct agc_fn *l);
void agc_fn_back(struct agc_fn *l, struct agc_mark m);
// Opens a block, or a loop over the value of `coll`, and goes on inside it. False: nested too deeply.
bool agc_fn_block(struct agc_fn *l, struct agc_span span);
bool agc_fn_loop(struct agc_fn *l, struct agc_span span, uint32_t coll, uint32_t *ret_key,
                 uint32_t *ret_value);
// Leaves `depth` blocks being open: up to and including the block number depth + 1 counted from outside.
void agc_fn_leave_to(struct agc_fn *l, struct agc_span span, uint32_t depth);
// The value must exist; an error of a called function ends this one.
void agc_fn_need(struct agc_fn *l, struct agc_span span, uint32_t local);
void agc_fn_need_call(struct agc_fn *l, struct agc_span span, uint32_t local);
void agc_fn_need_strict(struct agc_fn *l, struct agc_span span, uint32_t local);
void agc_fn_bind(struct agc_fn *l, uint32_t symbol, uint32_t local);
bool agc_fn_refuse(struct agc_fn *l, struct agc_span span, const char *what);
// The function of a group or tree node under a set of replacements; made when it is not there yet.
bool agc_rego_group(struct agc_rego *g, const struct agc_group *group, const struct agc_env *env,
                    uint32_t *ret);
bool agc_rego_tree(struct agc_rego *g, const struct agc_tree *t, const struct agc_env *env, uint32_t *ret);
void agc_fn_begin(struct agc_fn *l, struct agc_rego *g, struct ag_str name, struct agc_span span,
                  const struct agc_env *env, const struct agc_def *def);
uint32_t agc_fn_end(struct agc_fn *l, struct agc_span span, uint32_t result);
uint32_t *agc_rego_slot(struct agc_rego *g, const void *of, const struct agc_env *env);

// --- lower_body.c
bool agc_fn_literal(struct agc_fn *l, const struct agc_node *n);
bool agc_fn_query(struct agc_fn *l, const struct agc_node *n);
bool agc_fn_comprehension(struct agc_fn *l, const struct agc_node *n, uint32_t *ret);

// --- lower_term.c
bool agc_lower_constant(struct agc_ir *ir, const struct agc_node *n, uint32_t *ret);
bool agc_fn_term(struct agc_fn *l, const struct agc_node *n, uint32_t *ret);
// The steps [from..] of a reference whose value so far is `at`.
bool agc_fn_steps(struct agc_fn *l, const struct agc_node *ref, uint32_t from, uint32_t at, uint32_t *ret);
bool agc_fn_call_group(struct agc_fn *l, struct agc_span span, const struct agc_group *group,
                       const uint32_t *arg, uint32_t narg, uint32_t *ret);

// --- lower_unify.c
// Whether a value can be computed of the term now; open variables in steps of references do not matter.
bool agc_fn_ready(const struct agc_fn *l, const struct agc_node *n);
// Whether the term has unbound variables where a pattern can bind them.
bool agc_fn_is_open(const struct agc_fn *l, const struct agc_node *n);
bool agc_fn_match(struct agc_fn *l, const struct agc_node *pattern, uint32_t value);
bool agc_fn_unify(struct agc_fn *l, const struct agc_node *a, const struct agc_node *b);
// Matches several patterns with values; what is not ready yet is left in `later` (as long as `n`).
struct agc_pair {
    const struct agc_node *a, *b; // b == NULL: the value is in `local`
    uint32_t local;
};
struct agc_pairs {
    uint32_t n, cap;
    struct agc_pair *v;
};
void agc_pairs_add(struct agc_fn *l, struct agc_pairs *p, const struct agc_node *a, const struct agc_node *b,
                   uint32_t local);
// Solves all pairs that are ready; what remains stands in p.
bool agc_fn_solve(struct agc_fn *l, struct agc_pairs *p);

// --- lower_doc.c
bool agc_fn_document(struct agc_fn *l, const struct agc_node *ref, uint32_t *ret);
bool agc_fn_tree(struct agc_fn *l, struct agc_span span, const struct agc_tree *t, uint32_t *ret);

// --- lower_env.c
const struct agc_env *agc_env_none(struct agc_rego *g);
const struct agc_env *agc_env_with(struct agc_rego *g, const struct agc_env *env, const struct agc_mock *more,
                                   uint32_t n);
// The replacements that the group, or what stands below the tree node, can reach.
const struct agc_env *agc_env_for_group(struct agc_rego *g, const struct agc_env *env,
                                        const struct agc_group *group);
const struct agc_env *agc_env_for_tree(struct agc_rego *g, const struct agc_env *env,
                                       const struct agc_tree *t);
const struct agc_mock *agc_env_find(const struct agc_env *env, uint32_t target);
// `with` around a literal or term: changes input, frame and env of l until the other call.
struct agc_with {
    uint32_t input, frame;
    const struct agc_env *env;
};
bool agc_fn_with(struct agc_fn *l, const struct agc_node *n, struct agc_with *ret_before);
void agc_fn_with_end(struct agc_fn *l, const struct agc_with *before);

// --- lower_data.c: documents become one constant object, ir->data; false after a diagnostic
bool agc_lower_data(struct agc_job *j);

// --- wanted.c: the texts of wanted entrypoints, read; false after a diagnostic
struct agc_wanted_node {
    enum agc_wanted_kind kind;
    struct ag_str name;          // of the entrypoint
    const struct agc_node *ref;  // VALUE, DECISION
    const struct agc_def *query; // QUERY
    uint32_t nliterals;          // QUERY: its literals as they were written, when somebody wants to know
    const struct agc_literal *literal;
};
struct agc_literal {
    struct ag_str text;
    uint32_t line, column; // from 1
};
bool agc_wanted_read(struct agc_job *j, struct agc_wanted_node **ret, uint32_t *ret_n);
// "data", then for each step ".name" or ["any text"]; in the arena.
struct ag_str agc_document_name(struct agc_arena *a, const struct ag_str *step, uint32_t n);

// --- lower_rego.c: the wanted entrypoints, and what `decide` calls (ir->hooks)
bool agc_lower_program(struct agc_ir *ir, const struct agc_program *program,
                       const struct agc_wanted_node *wanted, uint32_t nwanted, bool strict, bool is_indexed,
                       struct agc_refusal *ret);

#endif
