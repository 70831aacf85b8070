// SPDX-License-Identifier: Apache-2.0
// Words for types. In: a set of kinds. Out: text. Memory: the caller's. Next file to read: check.c.
#include "type.h"

#include "buf.h"

const char *
agc_type_text(uint32_t types, char *text, size_t n)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object", "set"};
    struct ag_buf b;
    ag_buf_init(&b, text, n - 1);
    uint32_t left = types & AGC_T_ANY;
    if (left == AGC_T_ANY)
        ag_buf_lit(&b, "any value");
    for (uint32_t k = AG_NULL; left != AGC_T_ANY && k <= AG_SET; k++) {
        if (!(left & AGC_T(k)))
            continue;
        if (b.n)
            ag_buf_str(&b, left >> (k + 1) ? AG_STR(", ") : AG_STR(" or "));
        ag_buf_str(&b, ag_str_z(names[k - AG_NULL]));
    }
    text[b.n] = '\0';
    return text;
}
