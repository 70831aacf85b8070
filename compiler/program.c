// SPDX-License-Identifier: Apache-2.0
// The program, step by step: the tree, names, safety, recursion. Queries join a program afterwards.
// In: modules. Out: struct agc_program. Memory: the compile arena. Next file to read: tree.c.
#include "program.h"

#include "names.h"
#include "resolve.h"

bool
agc_program_build(struct agc_arena *a, struct agc_diags *diags, struct agc_policy *policy,
                  const struct agc_program_options *options, struct agc_program *ret)
{
    struct agc_builder b = {.a = a, .diags = diags, .p = ret};
    uint32_t errors = diags->nerrors;
    (void)options;
    *ret = (struct agc_program){.arena = a, .policy = policy};
    agc_resolve(a, diags, policy);
    for (uint32_t i = 0; i < policy->nmodules; i++)
        agc_imports_check(&b, policy->modules[i]);
    agc_tree_build(&b);
    ret->builder = agc_alloc(a, sizeof b);
    *ret->builder = b;
    if (diags->nerrors != errors)
        return false;
    agc_mocks_find(&b);
    *ret->builder = b;
    for (uint32_t i = 0; i < ret->ndefs; i++)
        agc_names_def(&b, ret->defs[i]);
    for (uint32_t i = 0; i < policy->nmodules; i++)
        agc_imports_unused(&b, policy->modules[i]);
    if (diags->nerrors != errors)
        return false;
    for (uint32_t i = 0; i < ret->ndefs; i++)
        agc_safety_def(&b, ret->defs[i]);
    agc_recursion_check(&b);
    return diags->nerrors == errors;
}

// Literals without a value of their own.
static bool
is_statement(const struct agc_node *n)
{
    return n->kind == AGC_UNIFY || n->kind == AGC_ASSIGN || n->kind == AGC_SOME_IN || n->kind == AGC_EVERY ||
           n->kind == AGC_NOT;
}

static bool
steps_through(const struct agc_node *n)
{
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        if ((n->kind == AGC_REF && i && n->kid[i]->kind == AGC_VAR) || steps_through(n->kid[i]))
            return true;
    return false;
}

// Makes `$n = term` of a literal that is a term. Its value.
static struct agc_node *
capture(struct agc_program *p, struct agc_def *def, struct agc_node **literal)
{
    struct agc_node **slot = (*literal)->kind == AGC_WITH ? &(*literal)->kid[0] : literal;
    struct agc_span span = (*literal)->span;
    while ((*slot)->kind == AGC_WITH)
        slot = &(*slot)->kid[0];
    if (is_statement(*slot))
        return agc_node_new(p->arena, AGC_TRUE_LIT, span, (struct ag_str){0}, 0);
    uint32_t local = agc_local_generated(p->arena, def, span);
    struct ag_str name = def->local[local].name;
    *slot = agc_node_pair(p->arena, AGC_UNIFY, agc_node_var(p->arena, span, name, local), *slot);
    return agc_node_var(p->arena, span, name, local);
}

// {"bindings": {name: value ...}, "expressions": [value ...]}, before the body is put in order.
static struct agc_node *
result_of(struct agc_program *p, struct agc_def *def)
{
    struct agc_node *q = def->body;
    struct agc_span span = q->span;
    uint32_t nlocals = def->nlocals, nchecks = 0, nliterals = q->n;
    bool checks = nliterals > 1 || steps_through(q);
    struct agc_node *values = agc_node_new(p->arena, AGC_ARRAY, span, (struct ag_str){0}, nliterals);
    struct agc_node **kid = agc_alloc(p->arena, 2 * (size_t)nliterals * sizeof *kid);
    values->depth = 2;
    for (uint32_t i = 0; i < nliterals; i++) {
        values->kid[i] = capture(p, def, &q->kid[i]);
        kid[i] = q->kid[i];
        if (checks && values->kid[i]->kind == AGC_VAR)
            kid[nliterals + nchecks++] = agc_node_copy(p->arena, values->kid[i]);
    }
    q->kid = kid;
    q->n = nliterals + nchecks;
    uint32_t nnamed = 0;
    struct agc_node *bindings = agc_node_new(p->arena, AGC_OBJECT, span, (struct ag_str){0}, 2 * nlocals);
    for (uint32_t i = 0; i < nlocals; i++) {
        if (!agc_marks_has(&p->builder->visible, i) || def->local[i].name.p[0] == '$')
            continue;
        bindings->kid[nnamed++] = agc_node_string(p->arena, span, def->local[i].name);
        bindings->kid[nnamed++] = agc_node_var(p->arena, span, def->local[i].name, i);
    }
    bindings->n = nnamed;
    bindings->depth = 2;
    struct agc_node *o = agc_node_new(p->arena, AGC_OBJECT, span, (struct ag_str){0}, 4);
    o->kid[0] = agc_node_string(p->arena, span, AG_STR("bindings"));
    o->kid[1] = bindings;
    o->kid[2] = agc_node_string(p->arena, span, AG_STR("expressions"));
    o->kid[3] = values;
    o->depth = 3;
    return o;
}

struct agc_def *
agc_program_query(struct agc_program *p, struct agc_diags *diags, struct agc_node *query,
                  const struct agc_import *imports, uint32_t nimports)
{
    struct agc_module scope = {.nimports = nimports, .imports = (struct agc_import *)(uintptr_t)imports};
    return agc_program_query_in(p, diags, query, &scope);
}

struct agc_def *
agc_program_query_in(struct agc_program *p, struct agc_diags *diags, struct agc_node *query,
                     const struct agc_module *scope)
{
    struct agc_builder *b = p->builder;
    uint32_t errors = diags->nerrors;
    struct agc_module *m = agc_alloc(p->arena, sizeof *m);
    struct agc_def *def = agc_alloc(p->arena, sizeof *def);
    b->diags = diags;
    b->p = p;
    m->span = query->span;
    m->source = query->span.source;
    m->npath = scope->npath;
    m->path = scope->path;
    m->nimports = scope->nimports;
    m->imports = agc_alloc(p->arena, (m->nimports + 1) * sizeof *m->imports);
    if (m->nimports)
        memcpy(m->imports, scope->imports, m->nimports * sizeof *m->imports);
    *def = (struct agc_def){
        .span = query->span, .head_span = query->span, .body = query, .module = m, .number = AG_NONE};
    agc_imports_check(b, m);
    agc_names_query(b, def);
    if (diags->nerrors != errors)
        return NULL;
    b->visible = (struct agc_marks){0};
    agc_visible(p->arena, &b->visible, def->body);
    def->value = result_of(p, def);
    agc_safety_def(b, def);
    if (diags->nerrors != errors)
        return NULL;
    struct agc_def **queries = agc_alloc(p->arena, (p->nqueries + 1) * sizeof *queries);
    if (p->nqueries)
        memcpy(queries, p->queries, p->nqueries * sizeof *queries);
    queries[p->nqueries++] = def;
    p->queries = queries;
    return def;
}
