// SPDX-License-Identifier: Apache-2.0
// The order of literals in passes over the text: a pass places what it can, in order; what a placed literal
// binds may let later ones of the same pass through, and earlier ones in the next pass. Heaps of positions
// stand for the passes, so that a body in reverse order does not cost a pass for each literal.
// In: pending literals. Out: placed ones. Memory: the compile arena. Next file to read: flatten.c.
#include "settle.h"

struct heap {
    uint32_t n, *v;
};

static void
swap(uint32_t *x, uint32_t *y)
{
    uint32_t t = *x;
    *x = *y;
    *y = t;
}

static void
heap_push(struct heap *h, uint32_t x)
{
    uint32_t i = h->n++;
    h->v[i] = x;
    for (; i && h->v[i] < h->v[(i - 1) / 2]; i = (i - 1) / 2)
        swap(&h->v[i], &h->v[(i - 1) / 2]);
}

static uint32_t
heap_pop(struct heap *h)
{
    uint32_t top = h->v[0], i = 0;
    h->v[0] = h->v[--h->n];
    for (;;) {
        uint32_t k = 2 * i + 1;
        if (k >= h->n)
            return top;
        if (k + 1 < h->n && h->v[k + 1] < h->v[k])
            k++;
        if (h->v[i] <= h->v[k])
            return top;
        swap(&h->v[i], &h->v[k]);
        i = k;
    }
}

// A match waits for two variables: it may be read either way.
#define WAYS 2u

struct pass {
    struct agc_settle *t;
    struct agc_body *body;
    struct heap now, later;
    uint32_t *next; // by literal and way: the next one that waits for the same variable, plus one
    uint8_t *state; // of each literal
    uint32_t nvars, vars_cap;
    uint32_t *vars; // variables that something waited for
};
enum { PLACED = 1, QUEUED = 2, WAITS = 4 }; // WAITS << way

static void
room(struct agc_settle *t, uint32_t nlocals)
{
    if (nlocals <= t->nwaiting)
        return;
    uint32_t n = nlocals + nlocals / 2;
    uint32_t *w = agc_alloc(t->s->a, (size_t)n * sizeof *w);
    if (t->nwaiting)
        memcpy(w, t->waiting, t->nwaiting * sizeof *w);
    t->waiting = w;
    t->nwaiting = n;
}

static void
queue(struct pass *p, uint32_t at, uint32_t after)
{
    if (p->state[at] & (PLACED | QUEUED))
        return;
    p->state[at] |= QUEUED;
    heap_push(at > after ? &p->now : &p->later, at);
}

// Literals that waited for what was just bound may be tried again.
static void
wake(struct pass *p, uint32_t from, uint32_t at)
{
    const struct agc_marks *bound = &p->t->s->bound;
    for (uint32_t k = from; k < bound->n; k++) {
        uint32_t local = bound->trail[k];
        for (uint32_t e = p->t->waiting[local]; e; e = p->next[e - 1]) {
            p->state[(e - 1) / WAYS] &= (uint8_t) ~(WAITS << (e - 1) % WAYS);
            queue(p, (e - 1) / WAYS, at);
        }
        p->t->waiting[local] = 0;
    }
}

static void
wait_for(struct pass *p, uint32_t at, uint32_t way, const struct agc_node *var)
{
    if (!var || p->state[at] & WAITS << way)
        return;
    uint32_t e = at * WAYS + way;
    if (!p->t->waiting[var->symbol]) {
        p->vars = agc_grow(p->t->s->a, p->vars, p->nvars, &p->vars_cap, sizeof *p->vars);
        p->vars[p->nvars++] = var->symbol;
    }
    p->next[e] = p->t->waiting[var->symbol];
    p->t->waiting[var->symbol] = e + 1;
    p->state[at] |= (uint8_t)(WAITS << way);
}

static void
try(struct pass *p, uint32_t at)
{
    struct agc_bind *s = p->t->s;
    struct agc_body *body = p->body;
    uint32_t mark = s->bound.n;
    p->state[at] &= (uint8_t)~QUEUED;
    if (!agc_bind_literal(s, body->pending[at].literal)) {
        wait_for(p, at, 0, s->missing);
        wait_for(p, at, 1, s->other);
        return;
    }
    body->placed = agc_grow(s->a, body->placed, body->nplaced, &body->placed_cap, sizeof *body->placed);
    body->placed[body->nplaced++] = body->pending[at].literal;
    p->state[at] |= PLACED;
    wake(p, mark, at);
}

// What is left keeps its order, and nothing waits any more.
static void
keep_rest(struct pass *p)
{
    struct agc_body *body = p->body;
    uint32_t n = 0;
    for (uint32_t i = 0; i < body->npending; i++)
        if (!(p->state[i] & PLACED))
            body->pending[n++] = body->pending[i];
    body->npending = n;
    for (uint32_t i = 0; i < p->nvars; i++)
        p->t->waiting[p->vars[i]] = 0;
}

void
agc_settle(struct agc_settle *t, struct agc_body *body)
{
    uint32_t n = body->npending;
    struct agc_arena *a = t->s->a;
    struct pass p = {.t = t, .body = body};
    room(t, t->s->def->nlocals);
    p.now.v = agc_alloc(a, (n + 1) * sizeof *p.now.v);
    p.later.v = agc_alloc(a, (n + 1) * sizeof *p.later.v);
    p.next = agc_alloc(a, (n + 1) * WAYS * sizeof *p.next);
    p.state = agc_alloc(a, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        p.state[i] = QUEUED;
        p.now.v[p.now.n++] = i;
    }
    while (p.now.n || p.later.n) {
        if (!p.now.n) {
            struct heap h = p.now;
            p.now = p.later;
            p.later = h;
        }
        try(&p, heap_pop(&p.now));
    }
    keep_rest(&p);
}
