// SPDX-License-Identifier: Apache-2.0
// Pass: cheap operations that a loop repeats on operands from outside stand before it, once; calls too where
// every round begins with them. They have no effect and cannot end a function; the tests of what they yield
// stay where they were, so a failure that was not reached stays unseen. In and out: struct agc_ir.
#include "opt.h"

#include "builtins/builtins.h"

struct hoist {
    struct agc_ir *ir;
    uint32_t *defs, *uses;
    bool *is_inside; // by local: defined in the loop at hand
    uint32_t n;      // moved so far in this function
    struct agc_stmt *moved;
    uint32_t nmoved, cap;
};

static bool
is_cheap(enum agc_irop op)
{
    switch (op) {
    case AGC_IR_CONST:
    case AGC_IR_PATH:
    case AGC_IR_DATA:
    case AGC_IR_DOT:
    case AGC_IR_KIND:
    case AGC_IR_LEN:
    case AGC_IR_ADD:
    case AGC_IR_SUB:
    case AGC_IR_EQ:
    case AGC_IR_NE:
    case AGC_IR_LT:
    case AGC_IR_LE:
    case AGC_IR_NOT: return true;
    default: return false;
    }
}

static void
note_inside(void *self, struct agc_stmt *s, unsigned depth)
{
    struct hoist *h = self;
    uint32_t def = agc_stmt_def(s);
    (void)depth;
    if (def != AG_NONE)
        h->is_inside[def] = true;
    if (s->op == AGC_IR_LOOP)
        h->is_inside[s->v[1]] = h->is_inside[s->v[2]] = true;
}

static void
note_outside(void *self, struct agc_stmt *s, unsigned depth)
{
    struct hoist *h = self;
    uint32_t def = agc_stmt_def(s);
    (void)depth;
    if (def != AG_NONE)
        h->is_inside[def] = false;
    if (s->op == AGC_IR_LOOP)
        h->is_inside[s->v[1]] = h->is_inside[s->v[2]] = false;
}

static bool
is_call(const struct agc_stmt *s)
{
    if (s->op == AGC_IR_BUILTIN || s->op == AGC_IR_BUILTINS)
        return ag_builtin_table[s->v[1]].flags & AG_BUILTIN_PURE;
    return s->op == AGC_IR_CALL;
}

static bool
is_invariant(const struct hoist *h, const struct agc_stmt *s, bool is_head)
{
    if (!(is_cheap(s->op) || (is_head && is_call(s))) || h->defs[s->v[0]] != 1 || h->n >= AGC_HOIST_MAX)
        return false;
    for (uint32_t i = 0; i < s->nargs; i++)
        if (h->is_inside[s->arg[i]] || h->defs[s->arg[i]] != 1)
            return false;
    for (unsigned i = 1; i < 3; i++)
        if (agc_irop_table[s->op].operand[i] == AGC_IRK_U && (h->is_inside[s->v[i]] || h->defs[s->v[i]] != 1))
            return false;
    return true;
}

// `is_head`: no round has been left yet.
static void
take(struct hoist *h, struct agc_block *b, bool is_head)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct agc_stmt *s = &b->v[i];
        if (is_invariant(h, s, is_head)) {
            h->moved = agc_grow(h->ir->arena, h->moved, h->nmoved, &h->cap, sizeof *h->moved);
            h->moved[h->nmoved++] = *s;
            h->is_inside[s->v[0]] = false;
            h->n++;
            continue;
        }
        if (s->body)
            take(h, s->body, is_head && s->op == AGC_IR_BLOCK);
        is_head = is_head && !s->body && !(agc_irop_table[s->op].flags & AGC_IRF_LEAVE);
        b->v[n++] = *s;
    }
    b->n = n;
}

// Puts what was taken before statement `at`; returns how far that moved.
static uint32_t
put(struct hoist *h, struct agc_block *b, uint32_t at)
{
    const struct agc_stmt none = {0};
    for (uint32_t i = 0; i < h->nmoved; i++) {
        b->v = agc_grow(h->ir->arena, b->v, b->n, &b->cap, sizeof *b->v);
        b->v[b->n++] = none;
    }
    memmove(&b->v[at + h->nmoved], &b->v[at], (b->n - h->nmoved - at) * sizeof *b->v);
    memcpy(&b->v[at], h->moved, h->nmoved * sizeof *b->v);
    return h->nmoved;
}

// Inner loops first: what leaves them may leave the outer one too.
static void
block(struct hoist *h, struct agc_block *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (b->v[i].body)
            block(h, b->v[i].body);
        // the collection is made right before its loop, which then takes its register; one of candidates
        // seldom holds more than one
        bool has_own = i > 0 && agc_stmt_def(&b->v[i - 1]) == b->v[i].v[0];
        if (b->v[i].op != AGC_IR_LOOP || (has_own && b->v[i - 1].op == AGC_IR_CAND))
            continue;
        struct agc_stmt loop = b->v[i];
        struct agc_block whole = {1, 1, &loop};
        h->nmoved = 0;
        agc_ir_walk(&whole, note_inside, h);
        take(h, loop.body, true);
        agc_ir_walk(&whole, note_outside, h);
        if (h->nmoved)
            i += put(h, b, has_own ? i - 1 : i);
    }
}

void
agc_opt_hoist(struct agc_ir *ir, int level)
{
    (void)level;
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        struct agc_func *f = &ir->funcs[i];
        struct hoist h = {.ir = ir};
        h.defs = agc_alloc(ir->arena, 2 * f->nlocals * sizeof *h.defs);
        h.uses = h.defs + f->nlocals;
        h.is_inside = agc_alloc(ir->arena, f->nlocals + 1);
        agc_opt_count(f, h.defs, h.uses);
        block(&h, &f->body);
    }
}
