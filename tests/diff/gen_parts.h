// SPDX-License-Identifier: Apache-2.0
// What the parts of the generator share. In: struct gen. Out: text appended to it. Memory: the caller's.
// Next file to read: gen.c.
#ifndef AEGIS_TEST_GEN_PARTS_H
#define AEGIS_TEST_GEN_PARTS_H

#include "gen.h"

#include <stdarg.h>

#define GEN_TEXT  (1u << 18)
#define GEN_DEF   (1u << 16) // bytes of one definition
#define GEN_RULES 16u
#define GEN_VARS  64u

// Kinds of values that expressions are made for.
enum gen_type { GEN_NUM, GEN_STR, GEN_BOOL, GEN_ARRN, GEN_ARRS, GEN_SETN, GEN_SETS, GEN_OBJN, GEN_TYPES };
enum gen_kind { GEN_COMPLETE, GEN_SET, GEN_OBJECT, GEN_NESTED, GEN_FUNCTION };

struct gen_rule {
    char name[8];
    uint32_t package;
    enum gen_kind kind;
    enum gen_type type; // of the value; of a function's result
    uint32_t nargs;     // of a function; of a nested rule: 1 when its leaves are sets
    enum gen_type arg[2];
};

struct gen_var {
    char name[8];
    enum gen_type type;
};

struct gen {
    uint64_t random;
    struct ag_arena *arena;
    const char *prefix;
    const bool *without;
    uint32_t nunits;
    char *text;
    size_t n;
    uint32_t package, nrules;
    struct gen_rule rule[GEN_RULES];
    uint32_t nvars, next_var; // variables that have values here; number of the next new one
    struct gen_var var[GEN_VARS];
};

struct gen_unit {
    uint32_t number;
    size_t at;
};

uint32_t gen_below(struct gen *g, uint32_t n); // 0 .. n-1
__attribute__((format(printf, 2, 3))) void gen_put(struct gen *g, const char *fmt, ...);
// Text that can be left out.
struct gen_unit gen_unit_begin(struct gen *g);
bool gen_unit_end(struct gen *g, struct gen_unit u);

enum gen_type gen_element(enum gen_type collection);
// --- gen_expr.c
void gen_constant(struct gen *g, enum gen_type t);
void gen_expr(struct gen *g, enum gen_type t, uint32_t depth);
// A collection with elements of the type.
void gen_collection(struct gen *g, enum gen_type element, uint32_t depth);
void gen_new_var(struct gen *g, enum gen_type t);
// --- gen_body.c: n literals, one a line, indented
void gen_body(struct gen *g, uint32_t n, uint32_t depth);

#endif
