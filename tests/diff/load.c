// SPDX-License-Identifier: Apache-2.0
// Reads modules and a query into a program. In: texts. Out: struct t_program. Memory: its compile arena.
// Next file to read: ref_eval.c.
#include "load.h"

#include <stdio.h>

void
t_init(struct t_program *t)
{
    memset(t, 0, sizeof *t);
    agc_diags_init(&t->diags, &t->arena, &t->sources);
}

void
t_fini(struct t_program *t)
{
    agc_arena_fini(&t->arena);
}

struct agc_text
t_source(struct t_program *t, const char *name, struct ag_str text)
{
    struct ag_str copy = agc_strdup(&t->arena, text);
    struct agc_segment *seg = agc_alloc(&t->arena, sizeof *seg);
    uint32_t source = (uint32_t)agc_source_add(&t->arena, &t->sources, ag_str_z(name), copy);
    return (struct agc_text){copy, source, (uint32_t)copy.n, 1, seg};
}

bool
t_load(struct t_program *t, const struct ag_str *modules, uint32_t n, struct ag_str query)
{
    const struct agc_program_options options = {.is_rego = true};
    bool ok = true;
    t->policy.modules = agc_alloc(&t->arena, (n + 1) * sizeof *t->policy.modules);
    for (uint32_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "test-%u.rego", i);
        struct agc_text text = t_source(t, name, modules[i]);
        struct agc_module *m = agc_parse_module(&t->arena, &t->diags, &text);
        if (m)
            t->policy.modules[t->policy.nmodules++] = m;
        ok &= m != NULL;
    }
    if (!ok || !agc_program_build(&t->arena, &t->diags, &t->policy, &options, &t->program))
        return false;
    struct agc_text text = t_source(t, "query", query);
    struct agc_node *parsed = agc_parse_query(&t->arena, &t->diags, &text);
    if (parsed)
        t->query = agc_program_query(&t->program, &t->diags, parsed, NULL, 0);
    return t->query != NULL && !agc_diags_failed(&t->diags);
}

void
t_first_error(const struct agc_diags *d, char *buf, size_t size)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const struct agc_diag *at = &d->v[i];
        uint32_t line, column;
        if (at->level != AGC_ERROR)
            continue;
        agc_source_place(d->sources, at->span, &line, &column);
        const struct ag_str name =
            at->span.source < d->sources->n ? d->sources->v[at->span.source].name : AG_STR("?");
        snprintf(buf, size, "%.*s:%u: %s: %.*s", (int)name.n, name.p, line, agc_diag_name(at->id),
                 (int)at->text.n, at->text.p);
        return;
    }
    snprintf(buf, size, "refused without a word");
}

bool
t_is_refused(const struct agc_diags *d)
{
    bool is_refused = false;
    for (uint32_t i = 0; i < d->n; i++) {
        if (d->v[i].level == AGC_ERROR && d->v[i].id != AGC_D_NOT_AVAILABLE)
            return false;
        is_refused |= d->v[i].id == AGC_D_NOT_AVAILABLE;
    }
    return is_refused;
}
