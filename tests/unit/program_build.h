// SPDX-License-Identifier: Apache-2.0
// Builds programs from module texts for tests of the steps behind program.h. In: texts. Out: the program and
// its diagnostics; pb_text prints what --emit=names prints. Memory: one struct pb owns all; pb_fini frees it.
// Thread rule: one thread. Next file to read: test_safety.c.
#ifndef AEGIS_TEST_PROGRAM_BUILD_H
#define AEGIS_TEST_PROGRAM_BUILD_H

#include "compiler/parse.h"
#include "compiler/program.h"
#include "t.h"

#define PB_MODULES_MAX 8

struct pb {
    struct agc_arena a;
    struct agc_sources sources;
    struct agc_diags diags;
    struct agc_policy policy;
    struct agc_program program;
    struct agc_module *modules[PB_MODULES_MAX];
    char *text;
    size_t ntext;
};

static inline struct agc_text
pb_source(struct pb *b, const char *text)
{
    static const struct agc_segment whole = {0, 0};
    char name[32];
    snprintf(name, sizeof name, "m%u.rego", b->sources.n);
    int at = agc_source_add(&b->a, &b->sources, agc_strdup(&b->a, ag_str_z(name)), ag_str_z(text));
    return (struct agc_text){ag_str_z(text), (uint32_t)at, (uint32_t)strlen(text), 1, &whole};
}

// Builds the modules up to the first NULL. True when there was no error.
static inline bool
pb_build(struct pb *b, const char *const *modules)
{
    *b = (struct pb){0};
    agc_diags_init(&b->diags, &b->a, &b->sources);
    b->policy.modules = b->modules;
    for (; *modules && b->policy.nmodules < PB_MODULES_MAX; modules++) {
        struct agc_text text = pb_source(b, *modules);
        struct agc_module *m = agc_parse_module(&b->a, &b->diags, &text);
        if (m)
            b->modules[b->policy.nmodules++] = m;
    }
    struct agc_program_options options = {.is_rego = true};
    return !agc_diags_failed(&b->diags) &&
           agc_program_build(&b->a, &b->diags, &b->policy, &options, &b->program);
}

static inline bool
pb_one(struct pb *b, const char *module)
{
    const char *const v[] = {module, NULL};
    return pb_build(b, v);
}

static inline struct agc_def *
pb_query(struct pb *b, const char *query)
{
    struct agc_text text = pb_source(b, query);
    struct agc_node *n = agc_parse_query(&b->a, &b->diags, &text);
    return n ? agc_program_query(&b->program, &b->diags, n, NULL, 0) : NULL;
}

static inline bool
pb_prints(struct pb *b, const char *part)
{
    free(b->text);
    FILE *f = open_memstream(&b->text, &b->ntext);
    agc_program_print(&b->program, &b->sources, f);
    fclose(f);
    bool has = strstr(b->text, part) != NULL;
    if (!has)
        printf("# no \"%s\" in\n# %s\n", part, b->text);
    return has;
}

static inline bool
pb_has(const struct pb *b, enum agc_diag_id id)
{
    for (uint32_t i = 0; i < b->diags.n; i++)
        if (b->diags.v[i].id == id)
            return true;
    return false;
}

static inline void
pb_fini(struct pb *b)
{
    free(b->text);
    agc_arena_fini(&b->a);
}

// The module is accepted and its listing holds `part`.
#define ACCEPTED(module, part)                                                                               \
    do {                                                                                                     \
        struct pb b_;                                                                                        \
        bool ok_ = pb_one(&b_, "package t\n" module);                                                        \
        OK(ok_ &&pb_prints(&b_, part), "%s", #module);                                                       \
        pb_fini(&b_);                                                                                        \
    } while (0)

// The module is refused with a diagnostic of this id.
#define REFUSED(module, id)                                                                                  \
    do {                                                                                                     \
        struct pb b_;                                                                                        \
        bool ok_ = pb_one(&b_, "package t\n" module);                                                        \
        OK(!ok_ && pb_has(&b_, id), "%s: %s", agc_diag_name(id), #module);                                   \
        pb_fini(&b_);                                                                                        \
    } while (0)

#endif
