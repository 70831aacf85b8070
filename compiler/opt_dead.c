// SPDX-License-Identifier: Apache-2.0
// Pass: drops what cannot matter: pure operations whose result nobody reads, statements behind an
// unconditional leave, blocks that do nothing, and functions that nothing calls. In and out: struct agc_ir.
#include "opt.h"

struct dead {
    uint32_t *defs, *uses;
    bool changed;
};

static bool
is_removable(const struct dead *d, const struct agc_stmt *s)
{
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    if (s->op == AGC_IR_BLOCK)
        return s->body->n == 0;
    if (!(info->flags & AGC_IRF_PURE))
        return false;
    return info->operand[0] == AGC_IRK_D && d->uses[s->v[0]] == 0 && d->defs[s->v[0]] == 1;
}

static void
sweep(struct dead *d, struct agc_block *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        struct agc_stmt *s = &b->v[i];
        if (s->body && s->body->n)
            sweep(d, s->body);
        if (is_removable(d, s)) {
            d->changed = true;
            continue;
        }
        b->v[n++] = *s;
        if (agc_irop_table[s->op].flags & AGC_IRF_END) {
            d->changed = d->changed || i + 1 < b->n;
            break;
        }
    }
    // leaving the innermost block with its last statement is falling out of it; a loop's body too
    if (n && b->v[n - 1].op == AGC_IR_LEAVE && b->v[n - 1].v[0] == 0) {
        n--;
        d->changed = true;
    }
    b->n = n;
}

struct reach {
    struct agc_ir *ir;
    bool *is_used;
};

static void
mark_callees(void *self, struct agc_stmt *s, unsigned depth)
{
    struct reach *r = self;
    (void)depth;
    if (s->op == AGC_IR_CALL)
        r->is_used[s->v[1]] = true;
    if (s->op != AGC_IR_CALLT)
        return;
    const struct agc_call_table *t = &r->ir->tables[s->v[1]];
    for (uint32_t i = 0; i < t->n; i++)
        if (t->func[i] != AG_NONE)
            r->is_used[t->func[i]] = true;
}

static void
rename_callees(void *self, struct agc_stmt *s, unsigned depth)
{
    (void)depth;
    if (s->op == AGC_IR_CALL)
        s->v[1] = ((uint32_t *)self)[s->v[1]];
}

// Callees stand before callers, so one walk from the last function back finds everything that is called.
static void
drop_functions(struct agc_ir *ir)
{
    struct reach r = {ir, agc_alloc(ir->arena, ir->nfuncs + 1)};
    uint32_t *number = agc_alloc(ir->arena, (ir->nfuncs + 1) * sizeof *number), n = 0;
    for (uint32_t i = 0; i < ir->nentries; i++)
        r.is_used[ir->entries[i].func] = true;
    for (uint32_t i = ir->nfuncs; i-- > 0;) {
        if (r.is_used[i])
            agc_ir_walk(&ir->funcs[i].body, mark_callees, &r);
    }
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        number[i] = r.is_used[i] ? n : AG_NONE;
        if (r.is_used[i])
            ir->funcs[n++] = ir->funcs[i];
    }
    ir->nfuncs = n;
    for (uint32_t i = 0; i < n; i++)
        agc_ir_walk(&ir->funcs[i].body, rename_callees, number);
    for (uint32_t t = 0; t < ir->ntables; t++)
        for (uint32_t k = 0; k < ir->tables[t].n; k++)
            if (ir->tables[t].func[k] != AG_NONE)
                ir->tables[t].func[k] = number[ir->tables[t].func[k]];
    for (uint32_t i = 0; i < ir->nentries; i++)
        ir->entries[i].func = number[ir->entries[i].func];
}

struct table_use {
    bool *is_used;
    uint32_t *number;
};

static void
mark_table(void *self, struct agc_stmt *s, unsigned depth)
{
    struct table_use *u = self;
    (void)depth;
    if (s->op == AGC_IR_CALLT)
        u->is_used[s->v[1]] = true;
}

static void
rename_table(void *self, struct agc_stmt *s, unsigned depth)
{
    struct table_use *u = self;
    (void)depth;
    if (s->op == AGC_IR_CALLT)
        s->v[1] = u->number[s->v[1]];
}

static void
drop_tables(struct agc_ir *ir)
{
    struct table_use u = {agc_alloc(ir->arena, ir->ntables + 1),
                          agc_alloc(ir->arena, (ir->ntables + 1) * sizeof(uint32_t))};
    uint32_t n = 0;
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        agc_ir_walk(&ir->funcs[i].body, mark_table, &u);
    for (uint32_t t = 0; t < ir->ntables; t++) {
        u.number[t] = n;
        if (u.is_used[t])
            ir->tables[n++] = ir->tables[t];
    }
    ir->ntables = n;
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        agc_ir_walk(&ir->funcs[i].body, rename_table, &u);
}

void
agc_opt_dead(struct agc_ir *ir, int level)
{
    (void)level;
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        struct agc_func *f = &ir->funcs[i];
        struct dead d;
        d.defs = agc_alloc(ir->arena, 2 * f->nlocals * sizeof *d.defs);
        d.uses = d.defs + f->nlocals;
        do {
            d.changed = false;
            agc_opt_count(f, d.defs, d.uses);
            sweep(&d, &f->body);
        } while (d.changed);
    }
    drop_tables(ir);
    drop_functions(ir);
}
