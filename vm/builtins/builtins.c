// SPDX-License-Identifier: Apache-2.0
// The table of built-ins made of builtins.def. In: rows. Out: ag_builtin_table. Nothing is allocated.
// Next file to read: coll.c, num.c, str.c, enc.c, time.c, gate.c for the functions.
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

const struct ag_builtin ag_builtin_table[AG_BUILTIN_COUNT] = {
#define BUILTIN(ID, name, fn, nargs, a0, a1, a2, a3, result, flags, cost, doc)                               \
    {name, fn, nargs, (flags), (result), {(a0), (a1), (a2), (a3), 0, 0}, cost, doc},
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
