// SPDX-License-Identifier: Apache-2.0
// One conformance case: read from JSON, and judged against what an evaluation gave.
// In: members of a case (docs/HACKING.md names the format). Out: struct c_case, a verdict. Memory: the
// values' arena. Thread rule: as the arena. Next file to read: conformance.c.
#ifndef AEGIS_CONFORMANCE_JUDGE_H
#define AEGIS_CONFORMANCE_JUDGE_H

#include "value.h"

#define C_MODULES_MAX 64u

struct c_case {
    struct ag_str id, note, query;
    uint32_t nmodules;
    struct ag_str module[C_MODULES_MAX];
    struct ag_value data;          // {} when absent
    struct ag_value input;         // undefined when absent
    struct ag_str input_term;      // p == NULL: none
    struct ag_value want_result;   // undefined when absent
    struct ag_str want_error;      // p == NULL: none
    struct ag_str want_error_code; // p == NULL: none
    bool is_strict, is_sorted, drops_generated;
};

// False: the case is not of the format; *reterr says why.
bool c_read(const struct ag_mem *m, struct ag_value json, struct c_case *ret, const char **reterr);

// An evaluation: all solutions, or an error in words ("FILE:LINE: CODE: MESSAGE").
struct c_answer {
    bool is_error;
    struct ag_value solutions; // array of {"bindings": {...}, ...}
    struct ag_str code, text;
};

// NULL: as wanted; else what is wrong, in `buf`.
const char *c_judge(struct ag_mem *m, const struct c_case *c, const struct c_answer *got, char *buf,
                    size_t size);

#endif
