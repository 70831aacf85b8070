// SPDX-License-Identifier: Apache-2.0
// The intermediate form: functions of nested blocks over locals, and the tables that they name.
// In: lower.c builds it. Out: passes (opt.h) rewrite it, emit.c and image_write.c read it. Memory: the
// compile arena. Constants are shared: equal constants have equal numbers, so passes compare numbers. Thread
// rule: one compilation, one thread. Next file to read: ir.def, then lower.c.
#ifndef AGC_IR_H
#define AGC_IR_H

#include "ast.h"
#include "bytes.h"
#include "limits.h"

#include <stdio.h>

enum agc_irop {
#define IR(NAME, text, A, B, C, flags, opcode, effect) AGC_IR_##NAME,
#include "ir.def"
    AGC_IR_COUNT
};
enum agc_irk { AGC_IRK_NO, AGC_IRK_D, AGC_IRK_U, AGC_IRK_M, AGC_IRK_K, AGC_IRK_NUM, AGC_IRK_UP };
enum agc_irf {
    AGC_IRF_PURE = 1,
    AGC_IRF_ARGS = 2,
    AGC_IRF_BODY = 4,
    AGC_IRF_LEAVE = 8,
    AGC_IRF_END = 16,
    AGC_IRF_ERR = 32,
    AGC_IRF_COMPLEX = 64
};
struct agc_irop_info {
    const char *text;
    uint8_t operand[3]; // enum agc_irk
    uint8_t flags;
    uint8_t opcode; // enum ag_op
};
extern const struct agc_irop_info agc_irop_table[AGC_IR_COUNT];

struct agc_block;
struct agc_stmt {
    enum agc_irop op;
    uint32_t v[3]; // operands a, b, c as ir.def has them
    uint32_t nargs;
    uint32_t *arg; // locals
    struct agc_block *body;
    struct agc_span span;
};
struct agc_block {
    uint32_t n, cap;
    struct agc_stmt *v;
};

// Locals 0..nargs-1 are the arguments; 0 is the input and 1 the data frame.
struct agc_func {
    struct ag_str name;
    struct agc_span span;
    uint32_t nargs, nlocals;
    uint32_t flags; // enum ag_func_flag; memo slots are given out by emit.c
    uint32_t path;  // constant: path of the document below data, AG_NONE: overlays do not reach it
    struct agc_block body;
};

// A constant: enum ag_kind; numbers are an integer (is_int) or a spelling; objects hold key, value, key,
// value ... Objects and sets are sorted by key and free of duplicates.
struct agc_const {
    uint8_t kind;
    bool is_int;
    int64_t i; // integer or boolean
    struct ag_str text;
    uint32_t n;
    const uint32_t *kid;
    uint64_t hash;
};

struct agc_call_table {
    uint32_t n;
    uint32_t *key;  // constants, ascending; NULL: the keys are 0..n-1
    uint32_t *func; // function of key i, AG_NONE: the answer is true
};

struct agc_pattern {
    struct ag_str text; // regular expression
    struct agc_span span;
    struct ag_str blob; // compiled
};

// Where a rule of a decision index is found.
enum agc_home { AGC_HOME_ALWAYS, AGC_HOME_HASH, AGC_HOME_PREFIX, AGC_HOME_SUFFIX };
struct agc_index_rule {
    uint32_t rule;
    uint8_t kind[AG_ATTRS];       // enum ag_match_kind
    struct ag_str text[AG_ATTRS]; // literal (decoded) or glob
    uint8_t home;                 // enum agc_home
    uint8_t attr;                 // of a prefix or suffix home
    uint8_t mask;                 // attributes of a hash home
    struct ag_str key;            // prefix or suffix text
};
struct agc_index {
    uint32_t n;
    struct agc_index_rule *v; // in priority order
};

struct agc_ir_rule {
    const struct agc_rule *rule;
    uint8_t sort_as;
    bool can_err;
    uint32_t cond; // function, AG_NONE: always
};

struct agc_entry {
    struct ag_str name;
    uint32_t func;
    bool is_decision;
};

// Functions of modules that `decide` calls, AG_NONE: there is none.
struct agc_hooks {
    uint32_t decisions; // data.aegis.decisions
    uint32_t effects;   // data.aegis.effects
    uint32_t decision;  // the reference of --decision
    struct ag_str decision_name;
    uint32_t *when; // by rule: its agc_rule.when, AG_NONE: none; NULL: no rule has one
};

struct agc_ir {
    struct agc_arena *arena;
    const struct agc_policy *policy;
    uint32_t nconsts, cap_consts;
    struct agc_const *consts;
    uint32_t *const_table, const_slots; // open addressing over consts, number + 1
    uint32_t nfuncs, cap_funcs;
    struct agc_func *funcs; // callees before callers
    uint32_t nrules;
    struct agc_ir_rule *rules;
    uint32_t ntables, cap_tables;
    struct agc_call_table *tables;
    uint32_t npatterns, cap_patterns;
    struct agc_pattern *patterns;
    uint32_t nwindows, cap_windows;
    struct ag_window *windows;
    uint32_t nindexes; // 0 or 1 in this version
    struct agc_index index;
    uint32_t nentries;
    uint32_t cap_entries;
    struct agc_entry *entries;
    uint32_t data; // constant: the base document, AG_NONE: none
    struct agc_hooks hooks;
    bool is_values_only; // no policy and no hooks: there is nothing to decide
};

// Why the back half refuses a policy: where, and one sentence with the remedy.
struct agc_refusal {
    struct agc_span span;
    char text[200];
};
bool agc_refuse(struct agc_refusal *r, struct agc_span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// --- constants (ir_const.c); the same value always gives the same number
uint32_t agc_const_null(struct agc_ir *ir);
uint32_t agc_const_bool(struct agc_ir *ir, bool b);
uint32_t agc_const_int(struct agc_ir *ir, int64_t i);
uint32_t agc_const_string(struct agc_ir *ir, struct ag_str s);
// A number by its spelling (valid JSON number).
uint32_t agc_const_number(struct agc_ir *ir, struct ag_str spelling);
uint32_t agc_const_array(struct agc_ir *ir, const uint32_t *kid, uint32_t n);
uint32_t agc_const_set(struct agc_ir *ir, const uint32_t *kid, uint32_t n);
// Pairs key, value; false when one key has two values.
bool agc_const_object(struct agc_ir *ir, const uint32_t *kid, uint32_t npairs, uint32_t *ret);
// Order of values, as value.h has it.
int agc_const_cmp(const struct agc_ir *ir, uint32_t a, uint32_t b);
// An array of strings: an input path.
uint32_t agc_const_path(struct agc_ir *ir, const struct ag_str *keys, uint32_t n);
void agc_const_print(const struct agc_ir *ir, uint32_t ix, FILE *out);

// --- building (ir.c)
void agc_ir_init(struct agc_ir *ir, struct agc_arena *arena, const struct agc_policy *policy);
uint32_t agc_ir_func(struct agc_ir *ir, struct ag_str name, struct agc_span span, uint32_t flags);
uint32_t agc_ir_local(struct agc_func *f);
// Appends a statement; the pointer is valid until the next one is appended to the same block.
struct agc_stmt *agc_ir_add(struct agc_ir *ir, struct agc_block *b, struct agc_span span, enum agc_irop op,
                            uint32_t a, uint32_t bb, uint32_t c);
struct agc_block *agc_ir_body(struct agc_ir *ir, struct agc_stmt *s);
// Appends a finished function; returns its number.
uint32_t agc_ir_func_add(struct agc_ir *ir, const struct agc_func *f);
void agc_ir_entry(struct agc_ir *ir, struct ag_str name, uint32_t func, bool is_decision);
void agc_ir_args(struct agc_ir *ir, struct agc_stmt *s, const uint32_t *local, uint32_t n);
uint32_t agc_ir_table(struct agc_ir *ir, uint32_t n);
// A table with constants as keys, filled by the caller in ascending order.
uint32_t agc_ir_keyed_table(struct agc_ir *ir, uint32_t n);
uint32_t agc_ir_pattern(struct agc_ir *ir, struct ag_str text, struct agc_span span);
uint32_t agc_ir_window(struct agc_ir *ir, const struct ag_window *w);

// --- looking
void agc_ir_print(const struct agc_ir *ir, FILE *out);
void agc_index_print(const struct agc_ir *ir, FILE *out);
// Calls fn for every statement of the block in order, outer before inner; depth counts nested bodies.
typedef void (*agc_stmt_fn)(void *self, struct agc_stmt *s, unsigned depth);
void agc_ir_walk(struct agc_block *b, agc_stmt_fn fn, void *self);
// Locals read by a statement: fn gets pointers so that passes can rename them.
void agc_stmt_uses(struct agc_stmt *s, void (*fn)(void *self, uint32_t *local), void *self);
// The local a statement defines or redefines as its result, AG_NONE when there is none (LOOP: see v[1],
// v[2]).
uint32_t agc_stmt_def(const struct agc_stmt *s);

// --- ir_check.c: what every pass must leave true. False: `text` says what is wrong (a defect of the
// compiler).
bool agc_ir_check(const struct agc_ir *ir, char *text, size_t size);

#endif
