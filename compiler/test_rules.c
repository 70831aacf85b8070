// SPDX-License-Identifier: Apache-2.0
// Makes tests of a module distinct, and gives those with cases a list of their cases: a case that fails is
// no part of the test's value, so the value alone cannot tell. In: modules as parsed. Out: the same modules,
// definitions renamed and added. Memory: the compile arena. Next file to read: program.h.
#include "test_rules.h"

#include "buf.h"
#include "program_parts.h"

static bool
begins(struct ag_str s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && memcmp(s.p, with, n) == 0;
}

bool
agc_test_is(struct ag_str name)
{
    return begins(name, "test_") || begins(name, "todo_test_");
}

static struct agc_node *
name_of(const struct agc_def *d)
{
    struct agc_node *n = d->ref && d->ref->kind == AGC_REF ? d->ref->kid[0] : d->ref;
    return n && n->kind == AGC_VAR && agc_test_is(n->text) ? n : NULL;
}

static bool
same_package(const struct agc_module *a, const struct agc_module *b)
{
    if (a->npath != b->npath)
        return false;
    for (uint32_t i = 0; i < a->npath; i++)
        if (!ag_str_eq(a->path[i], b->path[i]))
            return false;
    return true;
}

// A definition that is renamed when it is not the first: a value with nothing but a name as its head.
static bool
is_plain(const struct agc_def *d)
{
    return d->kind == AGC_DEF_VALUE && !d->is_default && d->ref->kind == AGC_VAR && name_of(d);
}

struct names { // of the tests seen so far
    uint32_t n, cap;
    struct name {
        const struct agc_module *module;
        struct ag_str text;
        uint32_t count;
    } * v;
};

static void
number(struct agc_arena *a, struct names *names, const struct agc_module *m, struct agc_def *d)
{
    struct agc_node *name = name_of(d);
    for (uint32_t i = 0; i < names->n; i++) {
        struct name *seen = &names->v[i];
        if (!ag_str_eq(seen->text, name->text) || !same_package(seen->module, m))
            continue;
        struct ag_buf b;
        size_t size = name->text.n + 16;
        ag_buf_init(&b, agc_alloc(a, size), size);
        ag_buf_str(&b, name->text);
        ag_buf_str(&b, seen->count < 10 ? AG_STR("#0") : AG_STR("#"));
        ag_buf_u64(&b, seen->count++);
        name->text = ag_str_of(b.p, b.n);
        return;
    }
    names->v = agc_grow(a, names->v, names->n, &names->cap, sizeof *names->v);
    names->v[names->n++] = (struct name){m, name->text, 1};
}

// --- cases
static bool
mentions(const struct agc_node *n, struct ag_str var)
{
    if (n->kind == AGC_VAR && ag_str_eq(n->text, var))
        return true;
    for (uint32_t i = 0; i < n->n; i++)
        if (n->kid[i] && mentions(n->kid[i], var))
            return true;
    return false;
}

// Literals of the body up to where every variable of the step was first used; declarations do not count.
static uint32_t
reach(const struct agc_node *body, const struct agc_node *step)
{
    uint32_t n = 0;
    if (step->kind == AGC_VAR) {
        for (uint32_t i = 0; i < body->n; i++)
            if (body->kid[i]->kind != AGC_SOME && mentions(body->kid[i], step->text))
                return i + 1;
        return body->n;
    }
    for (uint32_t i = 0; i < step->n; i++) {
        uint32_t m = step->kid[i] ? reach(body, step->kid[i]) : 0;
        n = m > n ? m : n;
    }
    return n;
}

static struct agc_node *
beginning(struct agc_arena *a, const struct agc_def *d, uint32_t nsteps)
{
    uint32_t n = 0;
    if (!d->body)
        return NULL;
    for (uint32_t i = 1; i <= nsteps; i++) {
        uint32_t m = reach(d->body, d->ref->kid[i]);
        n = m > n ? m : n;
    }
    if (!n)
        return NULL;
    struct agc_node *body = agc_node_copy(a, d->body);
    body->n = n;
    return body;
}

static struct agc_def *
cases_of(struct agc_arena *a, const struct agc_def *d)
{
    struct agc_def *cases = agc_alloc(a, sizeof *cases);
    struct agc_node *name = name_of(d);
    uint32_t nsteps = d->ref->n - 1;
    struct agc_node *steps = agc_node_new(a, AGC_ARRAY, d->head_span, (struct ag_str){0}, nsteps);
    struct ag_buf b;
    size_t size = name->text.n + sizeof AGC_TEST_CASES;
    for (uint32_t i = 0; i < nsteps; i++) {
        steps->kid[i] = agc_node_copy(a, d->ref->kid[i + 1]);
        steps->depth = steps->kid[i]->depth + 1 > steps->depth ? steps->kid[i]->depth + 1 : steps->depth;
    }
    ag_buf_init(&b, agc_alloc(a, size), size);
    ag_buf_str(&b, name->text);
    ag_buf_lit(&b, AGC_TEST_CASES);
    *cases = (struct agc_def){.kind = AGC_DEF_CONTAINS,
                              .span = d->span,
                              .head_span = d->head_span,
                              .ref = agc_node_new(a, AGC_VAR, name->span, ag_str_of(b.p, b.n), 0),
                              .value = steps,
                              .body = beginning(a, d, nsteps)};
    return cases;
}

static bool
has_cases(const struct agc_def *d)
{
    return d->kind == AGC_DEF_VALUE && !d->is_default && d->ref->kind == AGC_REF && d->ref->n > 1 &&
           name_of(d);
}

void
agc_test_rules(struct agc_arena *a, struct agc_policy *policy)
{
    struct names names = {0};
    for (uint32_t i = 0; i < policy->nmodules; i++) {
        struct agc_module *m = policy->modules[i];
        struct agc_def **defs = agc_alloc(a, (2 * (size_t)m->ndefs + 1) * sizeof *defs);
        uint32_t n = 0;
        for (uint32_t k = 0; k < m->ndefs; k++) {
            struct agc_def *d = m->defs[k];
            defs[n++] = d;
            if (is_plain(d))
                number(a, &names, m, d);
            else if (has_cases(d))
                defs[n++] = cases_of(a, d);
        }
        m->defs = defs;
        m->ndefs = n;
    }
}
