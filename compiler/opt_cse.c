// SPDX-License-Identifier: Apache-2.0
// Pass: a path of the input that a function loads more than once is loaded once, in the innermost block that
// holds all its uses, right before the first of them (so nothing is loaded earlier than before). In and out:
// struct agc_ir.
#include "opt.h"

struct site {
    uint32_t key;   // constant of the path
    unsigned depth; // length of `at` - 1
    uint32_t *at;   // statement number in each enclosing block, outermost first
};

struct cse {
    struct agc_ir *ir;
    struct agc_func *f;
    uint32_t *defs, *uses;
    uint32_t *times; // by constant: zero between uses
    struct site *site;
    uint32_t n, cap;
    uint32_t at[AGC_BLOCK_DEPTH_MAX + 1];
};

static void
collect(struct cse *c, struct agc_block *b, unsigned depth)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct agc_stmt *s = &b->v[i];
        c->at[depth] = i;
        if (s->op == AGC_IR_PATH && s->v[1] == 0) {
            c->site = agc_grow(c->ir->arena, c->site, c->n, &c->cap, sizeof *c->site);
            struct site *st = &c->site[c->n++];
            st->key = s->v[2];
            st->depth = depth;
            st->at = agc_alloc(c->ir->arena, (depth + 1) * sizeof *st->at);
            memcpy(st->at, c->at, (depth + 1) * sizeof *st->at);
        }
        if (s->body && depth < AGC_BLOCK_DEPTH_MAX)
            collect(c, s->body, depth + 1);
    }
}

// The first path that stands at two places: number of its first site, and how deep the block common to all
// sites is.
static bool
repeated(const struct cse *c, uint32_t *ret_first, unsigned *ret_depth)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < c->n; i++)
        c->times[c->site[i].key]++;
    while (first < c->n && c->times[c->site[first].key] < 2)
        first++;
    for (uint32_t i = 0; i < c->n; i++)
        c->times[c->site[i].key] = 0;
    if (first == c->n)
        return false;
    const struct site *f = &c->site[first];
    unsigned depth = f->depth;
    for (uint32_t j = first + 1; j < c->n; j++) {
        unsigned d = 0;
        if (c->site[j].key != f->key)
            continue;
        while (d < depth && d < c->site[j].depth && c->site[j].at[d] == f->at[d])
            d++;
        depth = d;
    }
    *ret_first = first;
    *ret_depth = depth;
    return true;
}

struct rename {
    uint32_t from, to;
};

static void
rename_use(void *self, uint32_t *local)
{
    const struct rename *r = self;
    if (*local == r->from)
        *local = r->to;
}

static void
rename_stmt(void *self, struct agc_stmt *s, unsigned depth)
{
    (void)depth;
    agc_stmt_uses(s, rename_use, self);
}

struct replace {
    struct cse *c;
    uint32_t key, with;
};

// Loads of the path become the shared local: by renaming where the local has no other definition, else by a
// move.
static void
replace_load(void *self, struct agc_stmt *s, unsigned depth)
{
    struct replace *r = self;
    (void)depth;
    if (s->op != AGC_IR_PATH || s->v[1] != 0 || s->v[2] != r->key || s->v[0] == r->with)
        return;
    struct rename name = {s->v[0], r->with};
    if (r->c->defs[s->v[0]] == 1)
        agc_ir_walk(&r->c->f->body, rename_stmt, &name);
    *s = (struct agc_stmt){.op = AGC_IR_MOVE, .v = {s->v[0], r->with, 0}, .span = s->span};
}

static void
hoist(struct cse *c, const struct site *first, unsigned depth)
{
    struct agc_block *b = &c->f->body;
    for (unsigned d = 0; d < depth; d++)
        b = b->v[first->at[d]].body;
    uint32_t at = first->at[depth], local = agc_ir_local(c->f), key = first->key;
    struct agc_span span = b->v[at].span;
    agc_ir_add(c->ir, b, span, AGC_IR_PATH, local, 0, key);
    struct agc_stmt load = b->v[b->n - 1];
    memmove(&b->v[at + 1], &b->v[at], (b->n - 1 - at) * sizeof *b->v);
    b->v[at] = load;
    struct replace r = {c, key, local};
    agc_ir_walk(&c->f->body, replace_load, &r);
}

void
agc_opt_cse(struct agc_ir *ir, int level)
{
    (void)level;
    uint32_t *times = agc_alloc(ir->arena, (ir->nconsts + 1) * sizeof *times);
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        struct cse c = {.ir = ir, .f = &ir->funcs[i], .times = times};
        for (unsigned round = 0; round < AGC_HOIST_MAX; round++) {
            uint32_t first;
            unsigned depth;
            c.n = 0;
            collect(&c, &c.f->body, 0);
            if (c.n < 2 || !repeated(&c, &first, &depth))
                break;
            c.defs = agc_alloc(ir->arena, 2 * c.f->nlocals * sizeof *c.defs);
            c.uses = c.defs + c.f->nlocals;
            agc_opt_count(c.f, c.defs, c.uses);
            hoist(&c, &c.site[first], depth);
        }
    }
}
