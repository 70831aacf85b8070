// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of the front half: a whole policy file. In: bytes. What must hold: no crash; a refusal has a
// diagnostic; every place lies in the file; names, types and analyses run on whatever was read; reading twice
// gives the same messages. Built for libFuzzer, and as a plain test by replay.c.
#include "analyse.h"
#include "check.h"
#include "resolve.h"
#include "yaml_read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint32_t
compile(const uint8_t *data, size_t n)
{
    struct agc_arena arena = {0};
    struct agc_sources sources = {0};
    struct agc_diags diags;
    struct agc_policy policy = {0};
    agc_diags_init(&diags, &arena, &sources);
    int ix = agc_source_add(&arena, &sources, AG_STR("fuzz"), ag_str_of((const char *)data, n));
    bool ok = agc_yaml_read(&arena, &sources, (uint32_t)ix, &diags, &policy);
    if (ok != !agc_diags_failed(&diags))
        abort();
    if (ok && agc_resolve(&arena, &diags, &policy) && agc_check(&diags, &policy))
        agc_analyse(&arena, &diags, &policy);
    for (uint32_t i = 0; i < diags.n; i++)
        if (diags.v[i].span.begin > n || diags.v[i].span.end > n ||
            diags.v[i].span.begin > diags.v[i].span.end)
            abort();
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    agc_diags_print(&diags, AGC_TEXT, f);
    agc_diags_print(&diags, AGC_SARIF, f);
    if (ok)
        agc_ast_print(&policy, &sources, f);
    fclose(f);
    uint32_t sum = (uint32_t)size;
    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + (unsigned char)text[i];
    free(text);
    agc_arena_fini(&arena);
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (compile(data, n) != compile(data, n))
        abort();
    return 0;
}
