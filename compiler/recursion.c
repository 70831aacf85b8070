// SPDX-License-Identifier: Apache-2.0
// What reaches what: calls between groups, cycles, and an order in which callees come first (Tarjan 1972,
// with a stack of its own). A reference with computed steps reaches every group that it may name.
// In: definitions whose names are decided. Out: `calls` and `number` of groups. Memory: the compile arena.
// Next file to read: check_program.c.
#include "program_parts.h"

#include <stdio.h>

// A definition reads what `ref` names in `to`; its steps from `rest` on look into the group. ref NULL: a
// call.
struct edge {
    struct agc_group *to;
    const struct agc_node *ref;
    uint32_t rest;
};

struct reach {
    struct agc_builder *b;
    uint32_t ngroups, nedges, cap;
    struct agc_group **group; // by number, which is the order of the first definitions until the end
    struct edge *edge;        // of one group at a time, appended
    uint32_t *first_edge;     // by number of the definition
    uint32_t *seen, stamp;    // by group: the definition that reached the whole of it last
    struct agc_tree **stack;
    uint32_t nstack, stack_cap;
};

static void
add_edge(struct reach *r, struct agc_group *g, const struct agc_node *ref, uint32_t rest)
{
    bool is_whole = g->kind != AGC_GROUP_OBJECT || !ref || rest >= ref->n;
    if (r->seen[g->number] == r->stamp)
        return;
    if (is_whole)
        r->seen[g->number] = r->stamp;
    r->edge = agc_grow(r->b->a, r->edge, r->nedges, &r->cap, sizeof *r->edge);
    r->edge[r->nedges++] = (struct edge){g, ref, rest};
}

static void
push(struct reach *r, struct agc_tree *t)
{
    r->stack = agc_grow(r->b->a, r->stack, r->nstack, &r->stack_cap, sizeof *r->stack);
    r->stack[r->nstack++] = t;
}

// Everything below a node.
static void
all_below(struct reach *r, struct agc_tree *t)
{
    uint32_t base = r->nstack;
    push(r, t);
    while (r->nstack > base) {
        t = r->stack[--r->nstack];
        if (t->group)
            add_edge(r, t->group, NULL, 0);
        for (uint32_t i = 0; i < t->nkids; i++)
            push(r, t->kid[i]);
    }
}

// Everything that a reference may name from step `at` on, below a node. A step is taken for each node that it
// fits; the recursion is as deep as the reference has computed steps (AGC_EXPR_DEPTH_MAX bounds them).
static void
match_from(struct reach *r, struct agc_tree *t, const struct agc_node *ref, uint32_t at)
{
    for (; at < ref->n && !t->group; at++) {
        const struct agc_node *step = ref->kid[at];
        if (step->kind == AGC_STRING) {
            bool found;
            uint32_t i = agc_tree_kid(t, step->text, &found);
            if (!found)
                return;
            t = t->kid[i];
            continue;
        }
        if (step->kind < AGC_STRING)
            return; // a constant that is no key of the tree
        for (uint32_t i = 0; i < t->nkids; i++)
            match_from(r, t->kid[i], ref, at + 1);
        return;
    }
    if (t->group)
        add_edge(r, t->group, ref, at);
    else
        all_below(r, t);
}

static void
visit(struct reach *r, const struct agc_node *n)
{
    if (n->group)
        add_edge(r, n->group, NULL, 0);
    else if (n->kind == AGC_REF && n->kid[0]->kind == AGC_VAR && n->kid[0]->symbol == AGC_SYM_DATA)
        match_from(r, r->b->p->root, n, 1);
    else if (n->kind == AGC_VAR && n->symbol == AGC_SYM_DATA)
        all_below(r, r->b->p->root);
    bool is_path = n->kind == AGC_REF && n->kid[0]->kind == AGC_VAR;
    for (uint32_t i = n->kind == AGC_CALL || is_path; i < n->n; i++)
        visit(r, n->kid[i]);
}

static void
visit_def(struct reach *r, const struct agc_def *def)
{
    r->stamp++;
    for (uint32_t i = 0; i < def->nargs; i++)
        visit(r, def->arg[i]);
    for (uint32_t i = 0; i < def->nsuffix; i++)
        visit(r, def->suffix[i]);
    for (uint32_t i = 0; i < def->nprints; i++)
        visit(r, def->print[i]);
    for (; def; def = def->otherwise) {
        if (def->body)
            visit(r, def->body);
        if (def->value)
            visit(r, def->value);
    }
}

// May a reference into an object group name what this definition makes?
static bool
fits(const struct edge *e, const struct agc_def *def)
{
    for (uint32_t i = 0; e->ref && i < def->nsuffix && e->rest + i < e->ref->n; i++) {
        const struct agc_node *x = e->ref->kid[e->rest + i], *y = def->suffix[i];
        if (y->kind > AGC_STRING)
            return true; // from the first computed step on anything may come
        if (x->kind <= AGC_STRING && (x->kind != y->kind || !ag_str_eq(x->text, y->text)))
            return false;
    }
    return true;
}

// --- strongly connected groups

struct node {
    uint32_t index, low; // 0: not visited
    uint32_t edge;       // next call to look at
    bool on_stack;
};

struct tarjan {
    struct reach *r;
    struct node *node;
    uint32_t *path, npath; // being visited
    uint32_t *open, nopen; // components not closed yet
    uint32_t next, ndone;
    struct agc_group **done;
};

static void
calls_of(struct reach *r, struct agc_group *g, uint32_t *seen)
{
    uint32_t cap = 0;
    for (uint32_t d = 0; d <= g->ndefs; d++) {
        const struct agc_def *def = d < g->ndefs ? g->defs[d] : g->fallback;
        if (!def)
            continue;
        for (uint32_t i = r->first_edge[def->number]; i < r->first_edge[def->number + 1]; i++) {
            struct agc_group *to = r->edge[i].to;
            if (seen[to->number] == g->number + 1)
                continue;
            seen[to->number] = g->number + 1;
            g->calls = agc_grow(r->b->a, g->calls, g->ncalls, &cap, sizeof *g->calls);
            g->calls[g->ncalls++] = to;
        }
    }
}

// --- cycles of definitions inside one component

struct chase {
    struct reach *r;
    const uint32_t *component; // by group: its component, 0 none yet
    uint32_t here;
    uint8_t *state; // by definition: 0 new, 1 on the path, 2 done
    uint32_t *path, npath;
    uint32_t *at_edge, *at_def; // of each definition on the path
};

static const struct agc_def *
def_at(const struct agc_group *g, uint32_t i)
{
    return i < g->ndefs ? g->defs[i] : i == g->ndefs ? g->fallback : NULL;
}

static void
name_cycle(struct chase *c, uint32_t from)
{
    struct agc_builder *b = c->r->b;
    uint32_t len = c->npath - from, start = 0;
    for (uint32_t i = 1; i < len; i++)
        if (c->path[from + i] < c->path[from + start])
            start = i;
    const struct agc_def *first = b->p->defs[c->path[from + start]];
    char text[600];
    size_t n = 0;
    for (uint32_t i = 0; i <= len && n + 140 < sizeof text; i++) {
        const struct agc_def *d = b->p->defs[c->path[from + (start + i) % len]];
        struct ag_str name = d->group->name;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s", i ? " -> " : "",
                              (int)(name.n < 120 ? name.n : 120), name.p);
    }
    struct agc_diag *diag =
        agc_diag(b->diags, AGC_D_RECURSION, first->head_span, "the definition reaches itself: %s", text);
    if (len > 1)
        agc_diag_second(b->diags, diag, b->p->defs[c->path[from + (start + 1) % len]]->head_span,
                        "by way of this one");
}

// The next definition that the last one of the path reaches; false when there is none.
static bool
next_reached(struct chase *c, uint32_t *ret)
{
    uint32_t top = c->path[c->npath - 1];
    const struct reach *r = c->r;
    for (uint32_t *e = &c->at_edge[top]; *e < r->first_edge[top + 1]; ++*e) {
        const struct edge *edge = &r->edge[*e];
        if (c->component[edge->to->number] != c->here)
            continue;
        while (c->at_def[top] <= edge->to->ndefs) {
            const struct agc_def *d = def_at(edge->to, c->at_def[top]++);
            if (d && fits(edge, d)) {
                *ret = d->number;
                return true;
            }
        }
        c->at_def[top] = 0;
    }
    return false;
}

// True when a cycle was found and named.
static bool
chase_from(struct chase *c, uint32_t def)
{
    c->npath = 0;
    c->path[c->npath++] = def;
    c->state[def] = 1;
    c->at_edge[def] = c->r->first_edge[def];
    while (c->npath) {
        uint32_t next;
        if (!next_reached(c, &next)) {
            c->state[c->path[--c->npath]] = 2;
            continue;
        }
        if (c->state[next] == 1) {
            uint32_t from = c->npath;
            while (c->path[--from] != next)
                ;
            name_cycle(c, from);
            return true;
        }
        if (c->state[next] == 0) {
            c->state[next] = 1;
            c->at_edge[next] = c->r->first_edge[next];
            c->at_def[next] = 0;
            c->path[c->npath++] = next;
        }
    }
    return false;
}

static bool
calls_itself(const struct agc_group *g)
{
    for (uint32_t i = 0; i < g->ncalls; i++)
        if (g->calls[i] == g)
            return true;
    return false;
}

// A component of several groups, or of one that calls itself.
static void
check_component(struct chase *c, struct agc_group *const *v, uint32_t n)
{
    struct agc_builder *b = c->r->b;
    if (n == 1 && !calls_itself(v[0]))
        return;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k <= v[i]->ndefs; k++) {
            const struct agc_def *d = def_at(v[i], k);
            if (d && c->state[d->number] == 0 && chase_from(c, d->number))
                return;
        }
    const struct agc_def *d = def_at(v[0], 0) ? def_at(v[0], 0) : v[0]->fallback;
    struct agc_diag *diag =
        agc_diag(b->diags, AGC_D_NOT_AVAILABLE, d->head_span,
                 "%.*s has computed keys and reads itself under other keys, which is not available",
                 (int)(v[0]->name.n < 120 ? v[0]->name.n : 120), v[0]->name.p);
    agc_diag_fix(b->diags, diag, "give what is read a rule of its own name");
}

static void
close_component(struct tarjan *t, uint32_t root, uint32_t *component, struct chase *c)
{
    uint32_t from = t->ndone, top;
    c->here++;
    do {
        top = t->open[--t->nopen];
        t->node[top].on_stack = false;
        component[top] = c->here;
        t->done[t->ndone++] = t->r->group[top];
    } while (top != root);
    check_component(c, t->done + from, t->ndone - from);
}

static void
open_node(struct tarjan *t, uint32_t g)
{
    t->node[g] = (struct node){.index = ++t->next, .low = t->next, .on_stack = true};
    t->path[t->npath++] = g;
    t->open[t->nopen++] = g;
}

static void
walk(struct tarjan *t, uint32_t start, uint32_t *component, struct chase *c)
{
    open_node(t, start);
    while (t->npath) {
        uint32_t g = t->path[t->npath - 1];
        struct node *n = &t->node[g];
        const struct agc_group *group = t->r->group[g];
        if (n->edge < group->ncalls) {
            uint32_t to = group->calls[n->edge++]->number;
            if (!t->node[to].index)
                open_node(t, to);
            else if (t->node[to].on_stack && t->node[to].index < n->low)
                n->low = t->node[to].index;
            continue;
        }
        t->npath--;
        if (t->npath && t->node[t->path[t->npath - 1]].low > n->low)
            t->node[t->path[t->npath - 1]].low = n->low;
        if (n->low == n->index)
            close_component(t, g, component, c);
    }
}

static void
collect_groups(struct reach *r)
{
    struct agc_program *p = r->b->p;
    r->group = agc_alloc(r->b->a, (p->ngroups + 1) * sizeof *r->group);
    for (uint32_t i = 0; i < p->ndefs; i++)
        if (p->defs[i]->group)
            p->defs[i]->group->number = AG_NONE;
    for (uint32_t i = 0; i < p->ndefs; i++) {
        struct agc_group *g = p->defs[i]->group;
        if (!g || g->number != AG_NONE)
            continue;
        g->number = r->ngroups;
        r->group[r->ngroups++] = g;
    }
}

static void *
numbers(struct agc_builder *b, uint32_t n)
{
    return agc_alloc(b->a, ((size_t)n + 2) * sizeof(uint32_t));
}

void
agc_recursion_check(struct agc_builder *b)
{
    struct agc_program *p = b->p;
    struct reach r = {.b = b};
    collect_groups(&r);
    r.seen = numbers(b, r.ngroups);
    r.first_edge = numbers(b, p->ndefs);
    for (uint32_t i = 0; i < p->ndefs; i++) {
        r.first_edge[i] = r.nedges;
        visit_def(&r, p->defs[i]);
        r.first_edge[i + 1] = r.nedges;
    }
    uint32_t *seen = numbers(b, r.ngroups), *component = numbers(b, r.ngroups);
    for (uint32_t i = 0; i < r.ngroups; i++)
        calls_of(&r, r.group[i], seen);
    struct chase c = {.r = &r,
                      .component = component,
                      .path = numbers(b, p->ndefs),
                      .at_edge = numbers(b, p->ndefs),
                      .at_def = numbers(b, p->ndefs)};
    c.state = agc_alloc(b->a, p->ndefs + 1);
    struct tarjan t = {.r = &r, .path = numbers(b, r.ngroups), .open = numbers(b, r.ngroups)};
    t.node = agc_alloc(b->a, (r.ngroups + 1) * sizeof *t.node);
    t.done = agc_alloc(b->a, (r.ngroups + 1) * sizeof *t.done);
    for (uint32_t i = 0; i < r.ngroups; i++)
        if (!t.node[i].index)
            walk(&t, i, component, &c);
    for (uint32_t i = 0; i < t.ndone; i++)
        t.done[i]->number = i;
    p->groups = t.done;
    p->ngroups = t.ndone;
}
