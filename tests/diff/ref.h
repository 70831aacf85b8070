// SPDX-License-Identifier: Apache-2.0
// What the parts of the slow evaluator share. Everything is written in continuation-passing style: a function
// finds solutions one after the other and calls `go` of its continuation for each; bindings made for a
// solution are undone when `go` returns. A result of false means "stop searching": somebody has seen enough,
// or the evaluation has ended with an error (r->error.code). Memory: the evaluator's arena. Next file to
// read: ref_term.c, ref_unify.c, ref_body.c, ref_rule.c.
#ifndef REF_H
#define REF_H

#include "machine.h"
#include "ref_eval.h"

#define REF_STEPS_MAX 50000000u // terms evaluated in one query; generated policies need thousands
#define REF_DEPTH_MAX 20000u    // terms open at once: bounds the C stack

// A continuation; v is undefined where there is no value to hand on.
struct ref_k {
    bool (*go)(struct ref_k *k, struct ag_value v);
};

// A variable of a definition: nothing, a value, or another term of the same frame that is not ground yet.
struct ref_binding {
    enum { REF_FREE, REF_VALUE, REF_TERM } what;
    struct ag_value value;
    const struct agc_node *term;
};

struct ref_frame {
    const struct agc_def *def;
    struct ref_binding *local; // def->nlocals
};

// A function or built-in that `with` replaces.
struct ref_mock {
    const struct agc_group *group; // what is replaced: a function, or NULL and
    uint32_t symbol;               // a built-in
    bool is_value;
    struct ag_value value;      // by a value, or
    const struct agc_group *by; // by a function, or NULL and
    uint32_t by_symbol;         // by a built-in
    const struct ref_mock *next;
};

// A node of the tree that `with data.x` hides: its documents come from the base document alone.
struct ref_hidden {
    const struct agc_tree *at;
    const struct ref_hidden *next;
};

// `with` below a rule: written into the rule's value.
struct ref_patch {
    const struct agc_group *group;
    struct ag_value path, value;
    const struct ref_patch *next;
};

// What `with` can change.
struct ref_scope {
    struct ag_value input, data;
    const struct ref_mock *mocks;
    const struct ref_hidden *hidden;
    const struct ref_patch *patches;
    struct ag_value *memo; // by number of the group; `pad` 1: computed
};

struct ref_env {
    const struct ref_scope *scope;
    const struct ref_frame *frame;
};

struct ref {
    struct ag_arena arena;
    void *bytes;
    size_t nbytes;
    struct ag_call call;
    const struct agc_program *program;
    bool is_strict;
    uint32_t steps, depth;
    struct ref_error error;
};

// --- ref_eval.c
void *ref_alloc(struct ref *r, size_t n); // zeroed; never NULL
// Ends the evaluation; the first error stays. Returns false, to be returned.
__attribute__((format(printf, 4, 5))) bool ref_halt(struct ref *r, enum ref_code code, struct agc_span span,
                                                    const char *fmt, ...);
// What an operation or built-in gave: hands a value on, an error ends the evaluation under strict errors and
// is no solution otherwise.
bool ref_result(struct ref *r, const struct agc_node *at, struct ag_value v, struct ref_k *k);
struct ag_value ref_string(struct ref *r, struct ag_str s);
// Closes a builder; memory is the only thing that can fail there, or a key with two values.
struct ag_value ref_close(struct ref *r, struct ag_builder *b);

// --- ref_text.c: the value as Rego writes it; a string at the top without quotes
void ref_print(struct ref *r, struct ag_value v, struct ag_buf *out, bool is_top);

// --- ref_term.c: solutions of a term
bool ref_term(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k);
// Values of all terms together; `then` gets them in the order of the terms.
struct ref_all_k {
    bool (*go)(struct ref_all_k *k, const struct ag_value *v);
};
bool ref_all(struct ref *r, const struct ref_env *e, struct agc_node *const *term, uint32_t n,
             struct ref_all_k *k);

// --- ref_doc.c: references, and documents below data
bool ref_ref(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k);
// The whole document at a node of the tree over its base document.
struct ag_value ref_extent(struct ref *r, const struct ref_scope *s, const struct agc_tree *t,
                           struct ag_value base);

// --- ref_unify.c
// True when the term holds variables without values where a pattern may hold them.
bool ref_is_open(const struct ref_env *e, const struct agc_node *n);
// True when the term can be evaluated now: each variable it needs has a value or gets one inside of it.
bool ref_is_ready(struct ref *r, const struct ref_env *e, const struct agc_node *n);
// a = b for each of n pairs, in an order that works. `value` may be NULL; where it is not, value[i] stands
// for b[i].
bool ref_unify(struct ref *r, const struct ref_env *e, struct agc_node *const *a, struct agc_node *const *b,
               const struct ag_value *value, uint32_t n, struct ref_k *k);

// --- ref_body.c
bool ref_body(struct ref *r, const struct ref_env *e, const struct agc_node *query, struct ref_k *k);
// Whether there is a solution; ask r->error.code afterwards.
bool ref_holds(struct ref *r, const struct ref_env *e, const struct agc_node *literal);

// --- ref_with.c
// The scope in which the literal of a WITH is evaluated; value[i] is that of the i-th target.
struct ref_scope *ref_with(struct ref *r, const struct ref_env *e, const struct agc_node *with,
                           const struct ag_value *value);
struct ref_scope *ref_scope_copy(struct ref *r, const struct ref_scope *s);
// The values of all targets of a WITH together; null where a function stands.
bool ref_with_values(struct ref *r, const struct ref_env *e, const struct agc_node *with,
                     struct ref_all_k *k);

// --- ref_rule.c
struct ag_value ref_group(struct ref *r, const struct ref_scope *s, const struct agc_group *g);
bool ref_call(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k);
bool ref_def_solutions(struct ref *r, const struct ref_scope *s, const struct agc_def *def, struct ref_k *k);

#endif
