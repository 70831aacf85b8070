// SPDX-License-Identifier: Apache-2.0
// Built-ins that are refused may still be replaced: tests put `with http.send as ..` around what they test.
// A program that does so gets a function of that name which has no result; a warning says where it is called.
// In: modules. Out: groups of such functions. Memory: the compile arena. Next file to read: names.c.
#include "names.h"

static const struct {
    const char *name;
    uint32_t nargs;
} replaceable[] = {{"http.send", 1}, {"net.lookup_ip_addr", 1}};

#define NREPLACEABLE (sizeof replaceable / sizeof replaceable[0])

// A definition f(x) := x if false: its type is any value, and it never has one.
static struct agc_def *
silent(struct agc_builder *b, struct agc_module *m, struct ag_str name, uint32_t nargs, struct agc_span span)
{
    struct agc_def *def = agc_alloc(b->a, sizeof *def);
    struct agc_node *body = agc_node_new(b->a, AGC_QUERY, span, (struct ag_str){0}, 1);
    body->kid[0] = agc_node_new(b->a, AGC_FALSE_LIT, span, (struct ag_str){0}, 0);
    *def = (struct agc_def){.kind = AGC_DEF_FUNCTION,
                            .span = span,
                            .head_span = span,
                            .nargs = nargs,
                            .body = body,
                            .module = m,
                            .number = b->p->ndefs};
    def->ref = agc_node_new(b->a, AGC_VAR, span, name, 0);
    def->arg = agc_alloc(b->a, nargs * sizeof *def->arg);
    for (uint32_t i = 0; i < nargs; i++)
        def->arg[i] = agc_node_new(b->a, AGC_VAR, span, AG_STR("x"), 0);
    def->value = agc_node_new(b->a, AGC_VAR, span, AG_STR("x"), 0);
    b->p->defs[b->p->ndefs++] = def;
    return def;
}

static void
add_mock(struct agc_builder *b, struct agc_module *m, uint32_t i, struct agc_span span)
{
    struct agc_group *g = agc_alloc(b->a, sizeof *g);
    struct agc_tree *at = agc_alloc(b->a, sizeof *at);
    if (b->mock[i])
        return;
    g->kind = AGC_GROUP_FUNCTION;
    g->name = ag_str_z(replaceable[i].name);
    g->nargs = replaceable[i].nargs;
    g->at = at;
    g->ndefs = 1;
    g->defs = agc_alloc(b->a, sizeof *g->defs);
    g->defs[0] = silent(b, m, g->name, g->nargs, span);
    g->defs[0]->group = g;
    *at = (struct agc_tree){.key = g->name, .parent = b->p->root, .group = g}; // no reference reaches it
    b->p->ngroups++;
    b->mock[i] = g;
}

static void
find_in(struct agc_builder *b, struct agc_module *m, const struct agc_node *n)
{
    for (uint32_t i = 1; n->kind == AGC_WITH && i + 1 < n->n; i += 2) {
        struct ag_str name = agc_dotted(b->a, n->kid[i]);
        for (uint32_t k = 0; name.p && k < NREPLACEABLE; k++)
            if (ag_str_is(name, replaceable[k].name))
                add_mock(b, m, k, n->kid[i]->span);
    }
    for (uint32_t i = 0; i < n->n; i++)
        find_in(b, m, n->kid[i]);
}

void
agc_mocks_find(struct agc_builder *b)
{
    _Static_assert(NREPLACEABLE == AGC_MOCKS, "one place for each");
    for (uint32_t i = 0; i < b->p->policy->nmodules; i++) {
        struct agc_module *m = b->p->policy->modules[i];
        for (uint32_t k = 0; k < m->ndefs; k++)
            for (const struct agc_def *d = m->defs[k]; d; d = d->otherwise) {
                if (d->body)
                    find_in(b, m, d->body);
                if (d->value)
                    find_in(b, m, d->value);
            }
    }
}

struct agc_group *
agc_mock_of(const struct agc_builder *b, struct ag_str name)
{
    for (uint32_t i = 0; i < NREPLACEABLE; i++)
        if (b->mock[i] && ag_str_is(name, replaceable[i].name))
            return b->mock[i];
    return NULL;
}
