// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of expressions: lexer, parser, names, types. In: bytes of one query. What must hold: no crash; a
// refusal has a diagnostic; every place lies in the text; the tokens print. Built for libFuzzer, and as a
// plain test by replay.c.
#include "check.h"
#include "parse.h"
#include "resolve.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct agc_segment whole = {0, 0};
    struct agc_arena arena = {0};
    struct agc_sources sources = {0};
    struct agc_diags diags;
    agc_diags_init(&diags, &arena, &sources);
    struct ag_str bytes = ag_str_of((const char *)data, n);
    int ix = agc_source_add(&arena, &sources, AG_STR("fuzz"), bytes);
    struct agc_text text = {bytes, (uint32_t)ix, (uint32_t)n, 1, &whole};
    struct agc_node *q = agc_parse_query(&arena, &diags, &text);
    if (!q != agc_diags_failed(&diags))
        abort();
    struct agc_rule rule = {.body = q};
    struct agc_policy policy = {.nrules = 1, .rules = &rule};
    if (q && agc_resolve(&arena, &diags, &policy))
        agc_check(&diags, &policy);
    for (uint32_t i = 0; i < diags.n; i++)
        if (diags.v[i].span.end > n || diags.v[i].span.begin > diags.v[i].span.end)
            abort();
    FILE *f = fopen("/dev/null", "w");
    agc_tokens_print(&arena, &diags, &text, f);
    fclose(f);
    agc_arena_fini(&arena);
    return 0;
}
