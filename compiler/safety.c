// SPDX-License-Identifier: Apache-2.0
// Order of literals: each stands as early as its variables allow, otherwise in the order of the text. Where
// no order of whole literals exists, calls and references inside of them become literals of their own. In:
// definitions whose names are decided. Out: ordered bodies; unsafe variables. Memory: the compile arena. Next
// file to read: flatten.c, recursion.c.
#include "settle.h"

#include "scope.h"

struct order {
    struct agc_builder *b;
    struct agc_def *def;
    struct agc_bind s;
    struct agc_settle settle;
    struct agc_bits reported;
    uint32_t prints_cap; // of def->print
};

static void nested(struct order *o, struct agc_node *n);

// Variables of a body outside of nested bodies.
void
agc_visible(struct agc_arena *a, struct agc_marks *to, const struct agc_node *n)
{
    if (agc_is_local(n))
        agc_marks_add(a, to, n->symbol);
    if (agc_is_comprehension(n))
        return;
    if (n->kind == AGC_EVERY) {
        agc_visible(a, to, n->kid[n->n - 2]);
        return;
    }
    if (agc_is_not_body(n))
        return;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        agc_visible(a, to, n->kid[i]);
}

// Takes apart the literals that need nothing which another one binds. False when there are none.
static bool
take_parts(struct order *o, const struct agc_body *body, struct agc_flat *f)
{
    uint32_t mark = o->s.bound.n;
    bool any = false;
    for (uint32_t i = 0; i < body->npending; i++) {
        struct agc_pending *p = &body->pending[i];
        bool may = !p->is_flat && (!p->waits || agc_marks_has(&o->s.bound, p->waits - 1));
        if (may && agc_bind_alone(&o->s, p->literal)) {
            any |= agc_flatten(f, p);
            continue;
        }
        if (may)
            p->waits = o->s.missing ? o->s.missing->symbol + 1 : 0;
        agc_flatten_keep(f, p);
    }
    agc_marks_undo(&o->s.bound, mark);
    return any;
}

// Takes apart what is stuck: first the calls of each literal, then its references. False when nothing is left
// to take apart.
static bool
take_apart(struct order *o, struct agc_body *body)
{
    struct agc_flat f = {.a = o->b->a, .def = o->def};
    bool any = false;
    for (uint32_t i = 0; i < body->npending; i++)
        any |= agc_flatten_calls(&f, &body->pending[i]);
    if (!any) {
        f = (struct agc_flat){.a = o->b->a, .def = o->def};
        if (!take_parts(o, body, &f))
            return false;
    }
    for (uint32_t i = 0; i < f.n; i++)
        agc_visible(o->b->a, &o->s.visible, f.v[i].literal);
    body->pending = f.v;
    body->npending = f.n;
    body->pending_cap = f.cap;
    return true;
}

static void
unsafe(struct order *o, const struct agc_node *var)
{
    if (agc_bits_has(&o->reported, var->symbol))
        return;
    agc_bits_add(o->b->a, &o->reported, var->symbol);
    const struct agc_local *l = &o->def->local[var->symbol];
    struct agc_diags *diags = o->b->diags;
    bool is_named = l->name.n && l->name.p[0] != '$';
    if (!is_named) {
        struct agc_diag *d =
            agc_diag(diags, AGC_D_UNSAFE_VARIABLE, var->span, "_ is read here, and nothing gives it values");
        agc_diag_fix(diags, d, "bind a variable first: some x in .., or x := ..");
        return;
    }
    int shown = (int)(l->name.n < 100 ? l->name.n : 100);
    struct agc_diag *d = agc_diag(diags, AGC_D_UNSAFE_VARIABLE, var->span,
                                  "variable %.*s is unsafe: nothing gives it values", shown, l->name.p);
    const char *near = agc_unsafe_nearest(o->b, o->def, var->symbol);
    if (near)
        agc_diag_fix(diags, d, "write %s", near);
    else
        agc_diag_fix(diags, d, "bind it: %.*s := .., or some %.*s in ..", shown, l->name.p, shown, l->name.p);
}

// Of the literals that are stuck, those count that wait for something that no other one would give.
static void
report(struct order *o, const struct agc_body *body)
{
    struct agc_bits given = {0};
    bool any = false;
    for (uint32_t i = 0; i < body->npending; i++) {
        const struct agc_node *l = body->pending[i].literal;
        if (l->kind != AGC_UNIFY && l->kind != AGC_ASSIGN)
            continue;
        for (uint32_t k = 0; k < 2; k++)
            if (agc_is_local(l->kid[k]))
                agc_bits_add(o->b->a, &given, l->kid[k]->symbol);
    }
    for (int pass = 0; pass < 2 && !any; pass++)
        for (uint32_t i = 0; i < body->npending; i++) {
            if (agc_bind_literal(&o->s, body->pending[i].literal))
                continue;
            if (pass || !agc_bits_has(&given, o->s.missing->symbol)) {
                unsafe(o, o->s.missing);
                any = true;
            }
        }
}

// The first variable of a term that nothing has bound; NULL: none.
static const struct agc_node *
undeclared(const struct order *o, const struct agc_node *n)
{
    if (agc_is_local(n))
        return agc_marks_has(&o->s.bound, n->symbol) || ag_str_eq(o->def->local[n->symbol].name, AGC_RELATION)
                   ? NULL
                   : n;
    const struct agc_node *found = NULL;
    for (uint32_t i = n->kind == AGC_CALL; !agc_is_comprehension(n) && !found && i < n->n; i++)
        found = undeclared(o, n->kid[i]);
    return found;
}

// What print shows is bound by what stands before it in the text.
static void
check_print(struct order *o, struct agc_node *print)
{
    struct agc_def *def = o->def;
    const struct agc_node *var = undeclared(o, print);
    if (var) {
        unsafe(o, var);
        return;
    }
    for (uint32_t i = 1; i < print->n; i++)
        nested(o, print->kid[i]);
    def->print = agc_grow(o->b->a, def->print, def->nprints, &o->prints_cap, sizeof(struct agc_node *));
    def->print[def->nprints++] = print;
}

// Takes the calls of print out of a body.
static void
take_prints(struct order *o, struct agc_node *q)
{
    uint32_t bound = o->s.bound.n, around = o->s.visible.n, n = 0;
    struct agc_body body = {0};
    bool any = false;
    for (uint32_t i = 0; !any && i < q->n; i++)
        any = agc_print_of(q->kid[i]) != NULL;
    if (!any)
        return;
    agc_visible(o->b->a, &o->s.visible, q);
    for (uint32_t i = 0; i < q->n; i++) {
        struct agc_node *print = agc_print_of(q->kid[i]);
        if (!print) {
            body.pending =
                agc_grow(o->b->a, body.pending, body.npending, &body.pending_cap, sizeof *body.pending);
            body.pending[body.npending++] = (struct agc_pending){.literal = q->kid[i]};
            q->kid[n++] = q->kid[i];
            continue;
        }
        agc_settle(&o->settle, &body);
        check_print(o, print);
    }
    agc_marks_undo(&o->s.visible, around);
    agc_marks_undo(&o->s.bound, bound);
    if (!n)
        q->kid[n++] = agc_node_new(o->b->a, AGC_TRUE_LIT, q->span, (struct ag_str){0}, 0);
    q->n = n;
}

static struct agc_body
open_body(struct order *o, struct agc_node *q)
{
    struct agc_flat f = {.a = o->b->a, .def = o->def};
    for (uint32_t i = 0; i < q->n; i++)
        agc_flatten_not(&f, q->kid[i], o->def->number == AG_NONE);
    if (f.n != q->n)
        q->kid = agc_alloc(o->b->a, f.n * sizeof *q->kid);
    q->n = f.n;
    for (uint32_t i = 0; i < f.n; i++)
        q->kid[i] = f.v[i].literal;
    return (struct agc_body){.npending = f.n, .pending_cap = f.cap, .pending = f.v};
}

// Orders a body; o->s.bound grows by what it binds.
static void
order_body(struct order *o, struct agc_node *q)
{
    take_prints(o, q);
    uint32_t around = o->s.visible.n;
    struct agc_body body = open_body(o, q);
    agc_visible(o->b->a, &o->s.visible, q);
    do
        agc_settle(&o->settle, &body);
    while (body.npending && take_apart(o, &body));
    if (body.npending)
        report(o, &body);
    else {
        q->kid = body.placed;
        q->n = body.nplaced;
        for (uint32_t i = 0; i < q->n; i++)
            nested(o, q->kid[i]);
    }
    agc_marks_undo(&o->s.visible, around);
}

// Does a term hold a reference that steps through something?
static bool
may_bind(const struct agc_node *n)
{
    if (agc_is_comprehension(n) || n->kind == AGC_TEMPLATE)
        return false;
    for (uint32_t i = n->kind == AGC_CALL; i < n->n; i++)
        if ((n->kind == AGC_REF && i && agc_is_local(n->kid[i])) || may_bind(n->kid[i]))
            return true;
    return false;
}

// Would the body, as it stands, bind all that the terms behind it read?
static bool
heads_are_bound(struct order *o, struct agc_node *q, struct agc_node *const *head, uint32_t nheads)
{
    uint32_t mark = o->s.bound.n;
    uint32_t around = o->s.visible.n;
    struct agc_body body = {0};
    if (q) {
        body = open_body(o, q);
        agc_visible(o->b->a, &o->s.visible, q);
        agc_settle(&o->settle, &body);
    }
    uint32_t before = o->s.bound.n;
    bool ok = !body.npending;
    for (uint32_t i = 0; ok && i < nheads; i++)
        ok = agc_bind_term(&o->s, head[i]);
    ok = ok && o->s.bound.n == before;
    agc_marks_undo(&o->s.visible, around);
    agc_marks_undo(&o->s.bound, mark);
    return ok;
}

// A term behind a body that steps through something becomes a literal: its variables are bound there.
static void
append_head(struct order *o, struct agc_node **q, struct agc_node **head)
{
    struct agc_span span = (*head)->span;
    uint32_t local = agc_local_generated(o->b->a, o->def, span), n = *q ? (*q)->n : 0;
    struct ag_str name = o->def->local[local].name;
    struct agc_node *body =
        agc_node_new(o->b->a, AGC_QUERY, *q ? (*q)->span : span, (struct ag_str){0}, n + 1);
    if (n)
        memcpy(body->kid, (*q)->kid, n * sizeof *body->kid);
    body->kid[n] = agc_node_pair(o->b->a, AGC_UNIFY, agc_node_var(o->b->a, span, name, local), *head);
    *head = agc_node_var(o->b->a, span, name, local);
    *q = body;
}

// A body and the terms that are evaluated for each of its solutions.
static void
order_with_heads(struct order *o, struct agc_node **q, struct agc_node **head, uint32_t nheads)
{
    bool any = false;
    uint32_t errors = o->b->diags->nerrors;
    if (*q)
        take_prints(o, *q);
    for (uint32_t i = 0; i < nheads; i++)
        any |= may_bind(head[i]);
    if (any && !heads_are_bound(o, *q, head, nheads))
        for (uint32_t i = 0; i < nheads; i++)
            if (may_bind(head[i]))
                append_head(o, q, &head[i]);
    if (*q)
        order_body(o, *q);
    for (uint32_t i = 0; i < nheads && o->b->diags->nerrors == errors; i++) {
        o->s.missing = NULL;
        if (!agc_bind_term(&o->s, head[i]))
            unsafe(o, o->s.missing);
        else
            nested(o, head[i]);
    }
}

// Bodies inside of a literal or term whose outer variables are bound.
static void
nested(struct order *o, struct agc_node *n)
{
    uint32_t mark = o->s.bound.n;
    uint32_t from = n->kind == AGC_CALL;
    if (agc_is_comprehension(n)) {
        order_with_heads(o, &n->kid[n->n - 1], n->kid, n->n - 1);
        agc_marks_undo(&o->s.bound, mark);
        return;
    }
    if (n->kind == AGC_EVERY) {
        nested(o, n->kid[n->n - 2]);
        for (uint32_t i = 0; i + 2 < n->n; i++)
            agc_marks_add(o->b->a, &o->s.bound, n->kid[i]->symbol);
        from = n->n - 1;
    }
    if (n->kind == AGC_QUERY) {
        order_body(o, n);
        agc_marks_undo(&o->s.bound, mark);
        return;
    }
    for (uint32_t i = from; i < n->n; i++)
        nested(o, n->kid[i]);
    agc_marks_undo(&o->s.bound, mark);
}

// Arguments bind the variables of arrays and of values of objects.
static void
bind_args(struct order *o, const struct agc_node *n)
{
    if (agc_is_local(n)) {
        agc_marks_add(o->b->a, &o->s.bound, n->symbol);
        agc_marks_add(o->b->a, &o->s.visible, n->symbol);
    }
    for (uint32_t i = n->kind == AGC_OBJECT; i < n->n && n->kind != AGC_SET;
         i += n->kind == AGC_OBJECT ? 2 : 1)
        bind_args(o, n->kid[i]);
}

void
agc_safety_def(struct agc_builder *b, struct agc_def *def)
{
    struct order o = {.b = b, .def = def, .s = {.a = b->a, .def = def}};
    o.settle.s = &o.s;
    for (uint32_t i = 0; i < def->nargs; i++)
        bind_args(&o, def->arg[i]);
    for (uint32_t i = 0; i < def->nargs; i++) {
        const struct agc_node *var = undeclared(&o, def->arg[i]);
        if (var)
            unsafe(&o, var);
    }
    uint32_t mark = o.s.bound.n;
    for (struct agc_def *clause = def; clause; clause = clause->otherwise) {
        uint32_t nsuffix = clause == def ? def->nsuffix : 0, n = 0;
        struct agc_node **head = agc_alloc(b->a, (nsuffix + 1) * sizeof *head);
        for (; n < nsuffix; n++)
            head[n] = def->suffix[n];
        if (clause->value)
            head[n++] = clause->value;
        order_with_heads(&o, &clause->body, head, n);
        for (uint32_t i = 0; i < nsuffix; i++)
            def->suffix[i] = head[i];
        if (clause->value)
            clause->value = head[nsuffix];
        agc_marks_undo(&o.s.bound, mark);
    }
}
