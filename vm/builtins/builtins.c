// SPDX-License-Identifier: Apache-2.0
// The table of built-ins made of builtins.def, and how one is called. In: rows. Out: ag_builtin_table.
// Nothing is allocated. Next file to read: operand.c for errors, then one file per topic.
#include "builtin_fns.h"

#define NO    0
#define ANY   AG_T_ANY
#define NUL   AG_T_NULL
#define BLN   AG_T_BOOL
#define NUM   AG_T_NUMBER
#define STR   AG_T_STRING
#define ARR   AG_T_ARRAY
#define OBJ   AG_T_OBJECT
#define SET   AG_T_SET
#define PURE  AG_BUILTIN_PURE
#define CLOCK AG_BUILTIN_CLOCK
#define SEED  AG_BUILTIN_SEED
#define HOST  AG_BUILTIN_HOST
#define STATE AG_BUILTIN_STATE

const struct ag_builtin ag_builtin_table[AG_BUILTIN_COUNT] = {
#define BUILTIN(ID, name, fn, nargs, a0, a1, a2, a3, result, flags, cost, sig, doc)                          \
    {name, fn, nargs, (flags), (result), {(a0), (a1), (a2), (a3), 0, 0}, cost, sig, doc},
#include "builtins.def"
};

uint32_t
ag_builtin_find(struct ag_str name)
{
    for (uint32_t i = 0; i < AG_BUILTIN_COUNT; i++)
        if (ag_str_eq(ag_str_z(ag_builtin_table[i].name), name))
            return i;
    return AG_NONE;
}

struct ag_value
ag_builtin_call(struct ag_call *c, uint32_t ix, const struct ag_value *args, uint32_t n)
{
    const struct ag_builtin *b = &ag_builtin_table[ix];
    bool undefined = false;
    for (uint32_t i = 0; i < n; i++) {
        if (args[i].kind == AG_ERROR)
            return args[i];
        undefined |= args[i].kind == AG_UNDEF;
        if (args[i].kind > AG_SET)
            return ag_err(AG_VERR_TYPE, 0);
    }
    if (undefined || !ag_charge(c, b->cost))
        return ag_undef();
    for (uint32_t i = 0; i < n; i++)
        if (!(b->arg[i] >> (args[i].kind - AG_NULL) & 1))
            return ag_error_in(ag_error_operand(c, i + 1, NULL, args[i]), ix);
    return ag_error_in(b->fn(c, args), ix);
}
