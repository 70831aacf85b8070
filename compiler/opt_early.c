// SPDX-License-Identifier: Apache-2.0
// Pass: a function whose value comes from one definition, found once, returns it there; nothing has to agree
// with it. In: `undef a; block { .. once a v n; reterr a }; block { leave-def a; move a d }; ret a`. Out:
// `block { .. ret v }; block { move a d }; ret a`. In and out: struct agc_ir.
#include "opt.h"

struct once {
    uint32_t acc, n, others; // how often ONCE has the local as its value; statements of other kinds
    struct agc_block *b;     // that holds the only ONCE
    uint32_t at;
    bool in_loop;
};

static void
find_once(struct once *o, struct agc_block *b, bool in_loop)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct agc_stmt *s = &b->v[i];
        if (s->op == AGC_IR_ONCE && s->v[0] == o->acc) {
            o->n++;
            o->b = b;
            o->at = i;
            o->in_loop = in_loop;
        }
        if (s->body)
            find_once(o, s->body, in_loop || s->op == AGC_IR_LOOP);
    }
}

// Behind the definition only a default may stand, which a value that was found leaves out.
static bool
only_default_follows(const struct agc_func *f, uint32_t from, uint32_t acc)
{
    for (uint32_t i = from; i + 1 < f->body.n; i++) {
        const struct agc_stmt *s = &f->body.v[i];
        if (s->op != AGC_IR_BLOCK || !s->body->n)
            return false;
        const struct agc_stmt *first = &s->body->v[0];
        if (first->op != AGC_IR_LEAVE_DEF || first->v[0] != acc || first->v[1] != 0)
            return false;
    }
    return true;
}

static void
take_out(struct agc_block *b, uint32_t at, uint32_t n)
{
    memmove(&b->v[at], &b->v[at + n], (b->n - at - n) * sizeof *b->v);
    b->n -= n;
}

static void
return_early(struct agc_func *f)
{
    struct agc_stmt *last = &f->body.v[f->body.n - 1];
    struct once o = {.acc = last->v[0]};
    uint32_t at = 0;
    find_once(&o, &f->body, false);
    if (o.n != 1 || o.in_loop || o.b == &f->body)
        return;
    while (f->body.v[at].op != AGC_IR_UNDEF || f->body.v[at].v[0] != o.acc)
        if (++at == f->body.n)
            return;
    struct once in = {.acc = o.acc}; // the definition is the statement that holds the ONCE
    do {
        if (++at == f->body.n)
            return;
        if (f->body.v[at].body)
            find_once(&in, f->body.v[at].body, false);
    } while (!in.n);
    if (!only_default_follows(f, at + 1, o.acc))
        return;
    bool is_checked = o.at + 1 < o.b->n && o.b->v[o.at + 1].op == AGC_IR_RETERR;
    if (!is_checked || o.b->v[o.at + 1].v[0] != o.acc)
        return;
    struct agc_stmt *s = &o.b->v[o.at];
    *s = (struct agc_stmt){.op = AGC_IR_RET, .v = {s->v[1]}, .span = s->span};
    o.b->n = o.at + 1;
    for (uint32_t i = at + 1; i + 1 < f->body.n; i++)
        take_out(f->body.v[i].body, 0, 1);
}

void
agc_opt_early(struct agc_ir *ir, int level)
{
    (void)level;
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        return_early(&ir->funcs[i]);
}
