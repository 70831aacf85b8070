// SPDX-License-Identifier: Apache-2.0
// Facts of definitions. In: a body. Out: what must hold of single places. A literal that says nothing about
// one place gives no fact; that only makes proofs weaker. Memory: the compile arena. Next file to read:
// facts_exclude.c, then conflict.c.
#include "facts.h"
#include "type.h"

#include <stdio.h>

static void
add(struct agc_facts *f, enum agc_fact_op op, bool is_negated, struct agc_place place,
    const struct agc_node *value, const struct agc_node *literal)
{
    if (f->n == AGC_FACTS_MAX)
        return;
    f->v = agc_grow(f->arena, f->v, f->n, &f->cap, sizeof *f->v);
    f->v[f->n++] = (struct agc_fact){op, is_negated, place, value, literal};
}

// The term behind a local, followed through aliases.
static const struct agc_node *
resolve(const struct agc_facts *f, const struct agc_node *n)
{
    for (uint32_t i = 0; n->kind == AGC_VAR && n->symbol < f->def->nlocals && f->alias[n->symbol]; i++) {
        if (i > f->def->nlocals)
            break; // x = y and y = x
        n = f->alias[n->symbol];
    }
    return n;
}

// --- places
static bool
append(struct agc_facts *f, struct agc_place *p, struct agc_place_step s)
{
    struct agc_place_step *step = agc_alloc(f->arena, (p->n + 1u) * sizeof *step);
    if (p->n)
        memcpy(step, p->step, p->n * sizeof *step);
    step[p->n++] = s;
    p->step = step;
    return true;
}

static bool
append_node(struct agc_facts *f, struct agc_place *p, const struct agc_node *n)
{
    n = resolve(f, n);
    if (agc_node_is_const(n))
        return append(f, p, (struct agc_place_step){n, AG_NONE});
    if (n->kind != AGC_VAR || n->symbol >= f->def->nlocals)
        return false;
    return append(f, p, (struct agc_place_step){NULL, n->symbol});
}

static bool
root_of(struct agc_facts *f, const struct agc_node *n, struct agc_place *ret)
{
    *ret = (struct agc_place){0};
    if (n->kind != AGC_VAR)
        return false;
    if (n->symbol == AGC_SYM_INPUT || n->symbol == AGC_SYM_DATA) {
        ret->root = n->symbol == AGC_SYM_INPUT ? AGC_ROOT_INPUT : AGC_ROOT_DATA;
        return true;
    }
    for (uint32_t i = 0; i < f->def->nargs; i++)
        if (f->def->arg[i]->kind == AGC_VAR && f->def->arg[i]->symbol == n->symbol) {
            ret->root = AGC_ROOT_ARG;
            ret->arg = i;
            return true;
        }
    if (n->symbol < f->def->nlocals && f->has_element[n->symbol]) {
        *ret = f->element[n->symbol];
        return true;
    }
    return false;
}

bool
agc_facts_place(struct agc_facts *f, const struct agc_node *n, struct agc_place *ret)
{
    n = resolve(f, n);
    if (n->kind != AGC_REF)
        return root_of(f, n, ret);
    const struct agc_node *head = resolve(f, n->kid[0]);
    if (head->kind == AGC_REF ? !agc_facts_place(f, head, ret) : !root_of(f, head, ret))
        return false;
    for (uint32_t i = 1; i < n->n; i++)
        if (!append_node(f, ret, n->kid[i]))
            return false;
    return true;
}

// --- literals
static const struct {
    const char *text;
    enum agc_fact_op op, swapped;
} comparisons[] = {
    {"==", AGC_FACT_EQ, AGC_FACT_EQ}, {"!=", AGC_FACT_NE, AGC_FACT_NE}, {"<", AGC_FACT_LT, AGC_FACT_GT},
    {"<=", AGC_FACT_LE, AGC_FACT_GE}, {">", AGC_FACT_GT, AGC_FACT_LT},  {">=", AGC_FACT_GE, AGC_FACT_LE},
};

static void
read_comparison(struct agc_facts *f, const struct agc_node *n, struct ag_str text, bool is_negated)
{
    struct agc_place p;
    const struct agc_node *l = resolve(f, n->kid[0]), *r = resolve(f, n->kid[1]);
    bool l_const = agc_node_is_const(l), r_const = agc_node_is_const(r);
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
        if (!ag_str_is(text, comparisons[i].text))
            continue;
        if (r_const && agc_facts_place(f, l, &p))
            add(f, comparisons[i].op, is_negated, p, r, n);
        else if (l_const && agc_facts_place(f, r, &p))
            add(f, comparisons[i].swapped, is_negated, p, l, n);
        return;
    }
    if (!ag_str_is(text, "in"))
        return;
    if ((r->kind == AGC_SET || r->kind == AGC_ARRAY) && r_const && agc_facts_place(f, l, &p))
        add(f, AGC_FACT_IN, is_negated, p, r, n);
    else if (l_const && !is_negated && agc_facts_place(f, r, &p)) {
        append(f, &p, (struct agc_place_step){NULL, f->def->nlocals + f->n}); // an element without a name
        add(f, AGC_FACT_EQ, false, p, l, n);
    }
}

// A call that looks at one place and holds for one of its other arguments, most of the time.
static void
read_call(struct agc_facts *f, const struct agc_node *n, bool is_negated)
{
    struct agc_place p;
    for (uint32_t i = 1; !is_negated && i < n->n; i++) {
        if (!agc_facts_place(f, n->kid[i], &p))
            continue;
        for (uint32_t k = 1; k < n->n; k++)
            if (k != i && agc_node_is_const(resolve(f, n->kid[k])))
                add(f, AGC_FACT_HINT, false, p, resolve(f, n->kid[k]), n);
        add(f, AGC_FACT_HINT, false, p, NULL, n);
    }
}

static void
read_equal(struct agc_facts *f, const struct agc_node *n)
{
    const struct agc_node *l = n->kid[0], *r = n->kid[1];
    for (int side = 0; side < 2; side++) {
        const struct agc_node *var = side ? r : l, *other = side ? l : r;
        if (var->kind != AGC_VAR || var->symbol >= f->def->nlocals || f->alias[var->symbol] ||
            f->has_element[var->symbol] || other == var)
            continue;
        struct agc_place p;
        if (root_of(f, var, &p)) // an argument: a comparison
            continue;
        f->alias[var->symbol] = other;
        return;
    }
    read_comparison(f, n, AG_STR("=="), false);
}

static void
read_some(struct agc_facts *f, const struct agc_node *n)
{
    struct agc_place p;
    const struct agc_node *value = n->kid[n->n - 2], *coll = n->kid[n->n - 1];
    if (!agc_facts_place(f, coll, &p))
        return;
    uint32_t element =
        value->kind == AGC_VAR && value->symbol < f->def->nlocals ? value->symbol : f->def->nlocals + f->n;
    append(f, &p, (struct agc_place_step){NULL, element});
    if (agc_node_is_const(value))
        add(f, AGC_FACT_EQ, false, p, value, n);
    else if (value->kind == AGC_VAR && value->symbol < f->def->nlocals && !f->alias[value->symbol]) {
        f->element[value->symbol] = p;
        f->has_element[value->symbol] = true;
        add(f, AGC_FACT_HINT, false, p, NULL, n);
    }
}

static void
read_literal(struct agc_facts *f, const struct agc_node *n, bool is_negated)
{
    struct agc_place p;
    switch (n->kind) {
    case AGC_NOT:
        if (!is_negated && n->kid[0]->kind == AGC_QUERY && n->kid[0]->n == 1)
            read_literal(f, n->kid[0]->kid[0], true);
        else if (!is_negated && n->kid[0]->kind != AGC_QUERY)
            read_literal(f, n->kid[0], true);
        return;
    case AGC_ASSIGN:
    case AGC_UNIFY:
        if (!is_negated)
            read_equal(f, n);
        return;
    case AGC_SOME_IN:
        if (!is_negated)
            read_some(f, n);
        return;
    case AGC_BINARY: read_comparison(f, n, n->text, is_negated); return;
    case AGC_CALL: read_call(f, n, is_negated); return;
    case AGC_VAR:
    case AGC_REF:
        if (agc_facts_place(f, n, &p) && (!is_negated || agc_place_is_single(&p)))
            add(f, AGC_FACT_TRUTHY, is_negated, p, NULL, n);
        return;
    default: return;
    }
}

// A pattern at a place: constants are equal, arrays have their length, names are aliases of places.
static void
read_pattern(struct agc_facts *f, const struct agc_node *n, struct agc_place p)
{
    if (agc_node_is_const(n)) {
        add(f, AGC_FACT_EQ, false, p, n, n);
        return;
    }
    if (n->kind == AGC_VAR && p.n && n->symbol < f->def->nlocals) {
        f->element[n->symbol] = p;
        f->has_element[n->symbol] = true;
    }
    for (uint32_t i = 0; n->kind == AGC_ARRAY && i < n->n; i++) {
        struct agc_place at = p;
        char digits[12];
        int len = snprintf(digits, sizeof digits, "%u", i);
        struct agc_node *ix = agc_node_new(f->arena, AGC_NUMBER, n->span,
                                           agc_strdup(f->arena, ag_str_of(digits, (size_t)len)), 0);
        append(f, &at, (struct agc_place_step){ix, AG_NONE});
        read_pattern(f, n->kid[i], at);
    }
    for (uint32_t i = 0; n->kind == AGC_OBJECT && i < n->n; i += 2) {
        struct agc_place at = p;
        if (agc_node_is_const(n->kid[i]) && append(f, &at, (struct agc_place_step){n->kid[i], AG_NONE}))
            read_pattern(f, n->kid[i + 1], at);
    }
    if (n->kind == AGC_ARRAY)
        add(f, AGC_FACT_LEN, false, p, n, n);
}

void
agc_facts_read(struct agc_arena *a, const struct agc_def *def, const struct agc_def *clause,
               struct agc_facts *ret)
{
    *ret = (struct agc_facts){.arena = a, .def = def};
    ret->alias = agc_alloc(a, (def->nlocals + 1u) * sizeof *ret->alias);
    ret->element = agc_alloc(a, (def->nlocals + 1u) * sizeof *ret->element);
    ret->has_element = agc_alloc(a, def->nlocals + 1u);
    for (uint32_t i = 0; i < def->nargs; i++)
        read_pattern(ret, def->arg[i], (struct agc_place){.root = AGC_ROOT_ARG, .arg = i});
    const struct agc_node *body = clause->body;
    for (uint32_t i = 0; body && i < body->n; i++) {
        ret->literal = agc_grow(a, ret->literal, ret->nliterals, &ret->cap_literals, sizeof *ret->literal);
        ret->literal[ret->nliterals++] = body->kid[i];
        read_literal(ret, body->kid[i], false);
    }
}
