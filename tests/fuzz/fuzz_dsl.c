// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of the language: lexer, parser, names and types of a query; parser, printer and formatter of a
// module; parser of a term. In: bytes of one text, read as each of them. What must hold: no crash; a refusal
// has a diagnostic; every place lies in the text; tokens and trees print; the canonical text of a module
// parses, to as many definitions and comments, and is its own canonical text. Built for libFuzzer, and as a
// plain test by replay.c.
#include "check.h"
#include "fmt.h"
#include "module.h"
#include "parse.h"
#include "resolve.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct agc_segment whole = {0, 0};

static struct agc_text
text_of(struct agc_arena *a, struct agc_sources *sources, struct ag_str bytes)
{
    int ix = agc_source_add(a, sources, AG_STR("fuzz"), bytes);
    return (struct agc_text){bytes, (uint32_t)ix, (uint32_t)bytes.n, 1, &whole};
}

static void
check_places(const struct agc_diags *diags, size_t n)
{
    for (uint32_t i = 0; i < diags->n; i++)
        if (diags->v[i].span.end > n || diags->v[i].span.begin > diags->v[i].span.end)
            abort();
}

static void
query(struct ag_str bytes, FILE *f)
{
    struct agc_arena arena = {0};
    struct agc_sources sources = {0};
    struct agc_diags diags;
    agc_diags_init(&diags, &arena, &sources);
    struct agc_text text = text_of(&arena, &sources, bytes);
    struct agc_node *q = agc_parse_query(&arena, &diags, &text);
    if (!q != agc_diags_failed(&diags))
        abort();
    struct agc_rule rule = {.body = q};
    struct agc_policy policy = {.nrules = 1, .rules = &rule};
    if (q && agc_resolve(&arena, &diags, &policy))
        agc_check(&diags, &policy);
    check_places(&diags, bytes.n);
    agc_tokens_print(&arena, &diags, &text, f);
    agc_arena_fini(&arena);
}

static void
term(struct ag_str bytes, FILE *f)
{
    struct agc_arena arena = {0};
    struct agc_sources sources = {0};
    struct agc_diags diags;
    agc_diags_init(&diags, &arena, &sources);
    struct agc_text text = text_of(&arena, &sources, bytes);
    struct agc_node *n = agc_parse_term(&arena, &diags, &text);
    if (!n != agc_diags_failed(&diags))
        abort();
    if (n)
        agc_node_print(n, &sources, 0, f);
    check_places(&diags, bytes.n);
    agc_arena_fini(&arena);
}

// Formats what was parsed, and that again.
static void
formats(struct agc_arena *a, struct agc_sources *sources, struct agc_diags *diags, const struct agc_module *m)
{
    struct ag_str once = agc_fmt(a, sources, m);
    struct agc_text text = text_of(a, sources, once);
    struct agc_module *again = agc_parse_module(a, diags, &text);
    if (!again || again->ndefs != m->ndefs || again->ncomments != m->ncomments)
        abort();
    if (!ag_str_eq(once, agc_fmt(a, sources, again)))
        abort();
}

static void
module(struct ag_str bytes, FILE *f)
{
    struct agc_arena arena = {0};
    struct agc_sources sources = {0};
    struct agc_diags diags;
    agc_diags_init(&diags, &arena, &sources);
    struct agc_text text = text_of(&arena, &sources, bytes);
    struct agc_module *m = agc_parse_module(&arena, &diags, &text);
    if (!m != agc_diags_failed(&diags))
        abort();
    check_places(&diags, bytes.n);
    agc_module_tokens_print(&arena, &diags, &text, f);
    if (m) {
        agc_module_print(m, &sources, f);
        formats(&arena, &sources, &diags, m);
    }
    agc_arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ag_str bytes = ag_str_of((const char *)data, n);
    FILE *f = fopen("/dev/null", "w");
    query(bytes, f);
    term(bytes, f);
    module(bytes, f);
    fclose(f);
    return 0;
}
