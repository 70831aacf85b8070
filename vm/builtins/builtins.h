// SPDX-License-Identifier: Apache-2.0
// Built-in functions: one row each in builtins.def, one C function each in this folder.
// In: argument registers, all of stored kinds (never undefined, never errors). Out: a value, an error value,
// or undefined when the built-in has no answer. Work is charged before it is done. Memory: the call's arena.
// Thread rule: as struct ag_call.
#ifndef AG_BUILTINS_H
#define AG_BUILTINS_H

#include "eval.h"

#define AG_BUILTIN_ARGS_MAX 6u

// Declared types, for the compiler's checker: a bit set, so that unions are written with |.
enum ag_type {
    AG_T_NULL = 1,
    AG_T_BOOL = 2,
    AG_T_NUMBER = 4,
    AG_T_STRING = 8,
    AG_T_ARRAY = 16,
    AG_T_OBJECT = 32,
    AG_T_SET = 64,
    AG_T_ANY = 127,
    AG_T_COLL = AG_T_ARRAY | AG_T_OBJECT | AG_T_SET
};

enum ag_builtin_flag {
    AG_BUILTIN_PURE = 1,   // the same arguments give the same result in every call
    AG_BUILTIN_CLOCK = 2,  // also reads the decision's clock
    AG_BUILTIN_SEED = 4,   // also reads the decision's randomness
    AG_BUILTIN_STATE = 16, // reads shared state: once per word and decision, never while compiling
    AG_BUILTIN_HOST = 8    // calls the host's crypto provider, which may allocate
};

typedef struct ag_value ag_builtin_fn(struct ag_call *c, const struct ag_value *args);

struct ag_builtin {
    const char *name;
    ag_builtin_fn *fn;
    uint8_t nargs;
    uint8_t flags;
    uint8_t result;                   // enum ag_type
    uint8_t arg[AG_BUILTIN_ARGS_MAX]; // enum ag_type of each argument
    uint32_t cost;                    // units of one call, before the price per byte
    const char *signature;            // types of arguments and result, in the notation of builtins.def
    const char *doc;
};

enum ag_builtin_ix {
#define BUILTIN(ID, name, fn, nargs, a0, a1, a2, a3, result, flags, cost, sig, doc) AG_BI_##ID,
#include "builtins.def"
    AG_BUILTIN_COUNT
};

extern const struct ag_builtin ag_builtin_table[AG_BUILTIN_COUNT];

// Calls a built-in with `n` registers: errors and undefined arguments pass, other kinds than the row's are an
// error, the row's cost is charged.
struct ag_value ag_builtin_call(struct ag_call *c, uint32_t ix, const struct ag_value *args, uint32_t n);

// The words of a row's signature for argument `pos`, from 1: "string", "one of {array, object}".
struct ag_buf;
void ag_builtin_wanted(uint32_t ix, unsigned pos, struct ag_buf *out);

// Row of a name, or AG_NONE.
uint32_t ag_builtin_find(struct ag_str name);

#endif
