// SPDX-License-Identifier: Apache-2.0
// Globs and regular expressions of a policy, tried by the library that will run them. In: text. Out:
// diagnostics. Memory: scratch that is freed here. Next file to read: vm/pattern/pattern.h.
#include "pattern_check.h"

#include "pattern/pattern.h"

#include <stdlib.h>

#define SCRATCH (16u << 20) // enough for the largest program that the library makes

bool
agc_glob_ok(struct agc_diags *diags, struct ag_str glob, struct agc_span span)
{
    struct ag_pattern_error e;
    if (ag_glob_check(glob, &e))
        return true;
    agc_diag(diags, AGC_D_BAD_GLOB, span, "glob \"%.*s\": %s (at byte %u)",
             (int)(glob.n < 200 ? glob.n : 200), glob.p, e.text, e.offset);
    return false;
}

bool
agc_regex_ok(struct agc_diags *diags, struct ag_str regex, struct agc_span span)
{
    void *mem = malloc(SCRATCH);
    if (!mem) {
        agc_diag(diags, AGC_D_TOO_LARGE, span, "out of memory for the pattern");
        return false;
    }
    struct ag_arena scratch;
    ag_arena_init(&scratch, mem, SCRATCH);
    struct ag_str blob;
    struct ag_pattern_error e;
    enum ag_pattern_status st = ag_pattern_compile(regex, AG_PATTERN_NO_DFA, &scratch, NULL, &blob, &e);
    free(mem);
    if (st == AG_PATTERN_YES)
        return true;
    int n = (int)(regex.n < 200 ? regex.n : 200);
    if (st == AG_PATTERN_BAD)
        agc_diag(diags, AGC_D_BAD_REGEX, span, "pattern \"%.*s\": %s (at byte %u)", n, regex.p, e.text,
                 e.offset);
    else
        agc_diag(diags, AGC_D_BAD_REGEX, span, "pattern \"%.*s\" needs too large a program", n, regex.p);
    return false;
}
