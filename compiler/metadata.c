// SPDX-License-Identifier: Apache-2.0
// rego.metadata: annotations are known when a policy is compiled, so its calls are constants.
// In: METADATA blocks as OBJECT nodes with a "scope". Out: terms. Memory: the compile arena.
// Next file to read: program.c.
#include "program_parts.h"

static const struct agc_node *
field(const struct agc_node *object, const char *key)
{
    for (uint32_t i = 0; object && i + 1 < object->n; i += 2)
        if (object->kid[i]->kind == AGC_STRING && ag_str_is(object->kid[i]->text, key))
            return object->kid[i + 1];
    return NULL;
}

static bool
has_scope(const struct agc_node *annotations, const char *scope)
{
    const struct agc_node *s = field(annotations, "scope");
    return s && ag_str_is(s->text, scope);
}

const struct agc_node *
agc_metadata_block(const struct agc_def *def, const char *scope)
{
    for (uint32_t i = 0; def->annotations && i < def->annotations->n; i++)
        if (has_scope(def->annotations->kid[i], scope))
            return def->annotations->kid[i];
    return NULL;
}

struct agc_node *
agc_metadata_rule(struct agc_builder *b, const struct agc_def *def, struct agc_span span)
{
    const struct agc_node *block = agc_metadata_block(def, "rule");
    if (block)
        return agc_node_copy(b->a, block);
    return agc_node_new(b->a, AGC_OBJECT, span, (struct ag_str){0}, 0);
}

// {"path": [...], "annotations": ...}; annotations NULL: left out.
static struct agc_node *
link(struct agc_builder *b, struct agc_span span, const struct ag_str *path, uint32_t npath,
     const struct agc_node *ref, const struct agc_node *annotations)
{
    uint32_t nref = !ref ? 0 : ref->kind == AGC_REF ? ref->n : 1;
    struct agc_node *o = agc_node_new(b->a, AGC_OBJECT, span, (struct ag_str){0}, annotations ? 4 : 2);
    struct agc_node *steps = agc_node_new(b->a, AGC_ARRAY, span, (struct ag_str){0}, npath + nref);
    for (uint32_t i = 0; i < npath; i++)
        steps->kid[i] = agc_node_string(b->a, span, path[i]);
    for (uint32_t i = 0; i < nref; i++) {
        const struct agc_node *s = ref->kind == AGC_REF ? ref->kid[i] : ref;
        steps->kid[npath + i] = agc_node_string(b->a, span, s->text);
    }
    o->kid[0] = agc_node_string(b->a, span, AG_STR("path"));
    o->kid[1] = steps;
    if (annotations) {
        o->kid[2] = agc_node_string(b->a, span, AG_STR("annotations"));
        o->kid[3] = agc_node_copy(b->a, annotations);
    }
    steps->depth = 2;
    o->depth = annotations && annotations->depth > 2 ? annotations->depth + 1 : 3;
    return o;
}

struct agc_chain {
    struct agc_builder *b;
    struct agc_span span;
    uint32_t n, cap;
    struct agc_node **v;
};

static void
add(struct agc_chain *c, struct agc_node *n)
{
    c->v = agc_grow(c->b->a, c->v, c->n, &c->cap, sizeof *c->v);
    c->v[c->n++] = n;
}

// Blocks of a scope in modules of the package path[0..npath).
static void
add_package(struct agc_chain *c, const struct ag_str *path, uint32_t npath, const char *scope)
{
    const struct agc_policy *p = c->b->p->policy;
    for (uint32_t i = 0; i < p->nmodules; i++) {
        const struct agc_module *m = p->modules[i];
        bool same = m->npath == npath && m->annotations;
        for (uint32_t k = 0; same && k < npath; k++)
            same = ag_str_eq(m->path[k], path[k]);
        for (uint32_t k = 0; same && k < m->annotations->n; k++)
            if (has_scope(m->annotations->kid[k], scope))
                add(c, link(c->b, c->span, path, npath, NULL, m->annotations->kid[k]));
    }
}

// A block of scope document holds for every definition of its path.
static void
add_document(struct agc_chain *c, const struct agc_def *def)
{
    const struct agc_module *m = def->module;
    for (uint32_t i = 0; i < c->b->p->ndefs; i++) {
        const struct agc_def *d = c->b->p->defs[i];
        const struct agc_node *block = d->group == def->group ? agc_metadata_block(d, "document") : NULL;
        if (block)
            add(c, link(c->b, c->span, m->path, m->npath, def->ref, block));
    }
}

struct agc_node *
agc_metadata_chain(struct agc_builder *b, const struct agc_def *def, struct agc_span span)
{
    struct agc_chain c = {.b = b, .span = span};
    const struct agc_module *m = def->module;
    add(&c, link(b, span, m->path, m->npath, def->ref, agc_metadata_block(def, "rule")));
    add_document(&c, def);
    add_package(&c, m->path, m->npath, "package");
    for (uint32_t n = m->npath + 1; n-- > 0;)
        add_package(&c, m->path, n, "subpackages");
    struct agc_node *array = agc_node_new(b->a, AGC_ARRAY, span, (struct ag_str){0}, c.n);
    memcpy(array->kid, c.v, c.n * sizeof *array->kid);
    for (uint32_t i = 0; i < c.n; i++)
        if (array->kid[i]->depth >= array->depth)
            array->depth = array->kid[i]->depth + 1;
    return array;
}
