// SPDX-License-Identifier: Apache-2.0
// Pass: base documents are part of the image, so where no `with` lays anything over data a read of them is a
// constant, and a part that is not there is undefined. In and out: struct agc_ir.
#include "opt.h"

// The member of a constant under a constant key, as the machine finds it in a value (ag_value_get).
bool
agc_const_get(const struct agc_ir *ir, uint32_t coll, uint32_t key, uint32_t *ret)
{
    const struct agc_const *c = &ir->consts[coll], *k = &ir->consts[key];
    if (c->kind == AG_ARRAY) {
        bool has = k->kind == AG_NUMBER && k->is_int && k->i >= 0 && k->i < (int64_t)c->n;
        if (has)
            *ret = c->kid[k->i];
        return has;
    }
    if (c->kind != AG_OBJECT && c->kind != AG_SET)
        return false;
    uint32_t width = c->kind == AG_OBJECT ? 2 : 1;
    for (uint32_t lo = 0, hi = c->n / width; lo < hi;) {
        uint32_t mid = lo + (hi - lo) / 2;
        int r = agc_const_cmp(ir, c->kid[mid * width], key);
        if (r == 0) {
            *ret = c->kid[mid * width + width - 1];
            return true;
        }
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

bool
agc_const_follow(const struct agc_ir *ir, uint32_t at, uint32_t path, uint32_t *ret)
{
    const struct agc_const *p = &ir->consts[path];
    for (uint32_t i = 0; i < p->n; i++)
        if (!agc_const_get(ir, at, p->kid[i], &at))
            return false;
    *ret = at;
    return true;
}

static void
note_overlay(void *self, struct agc_stmt *s, unsigned depth)
{
    (void)depth;
    if (s->op == AGC_IR_FRAMED)
        *(bool *)self = true;
}

bool
agc_opt_has_overlays(struct agc_ir *ir)
{
    bool has = false;
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        agc_ir_walk(&ir->funcs[i].body, note_overlay, &has);
    return has;
}

// Names alone: a number in a path means its text too (frame.c), which is left to the machine.
static bool
has_names_only(const struct agc_ir *ir, uint32_t path)
{
    for (uint32_t i = 0; i < ir->consts[path].n; i++)
        if (ir->consts[ir->consts[path].kid[i]].kind != AG_STRING)
            return false;
    return true;
}

static void
read_document(void *self, struct agc_stmt *s, unsigned depth)
{
    const struct agc_ir *ir = self;
    uint32_t k;
    (void)depth;
    if (s->op != AGC_IR_DATA || !has_names_only(ir, s->v[2]))
        return;
    if (ir->data != AG_NONE && agc_const_follow(ir, ir->data, s->v[2], &k))
        *s = (struct agc_stmt){.op = AGC_IR_CONST, .v = {s->v[0], k, 0}, .span = s->span};
    else
        *s = (struct agc_stmt){.op = AGC_IR_UNDEF, .v = {s->v[0], 0, 0}, .span = s->span};
}

void
agc_opt_data(struct agc_ir *ir, int level)
{
    (void)level;
    if (agc_opt_has_overlays(ir))
        return;
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        agc_ir_walk(&ir->funcs[i].body, read_document, ir);
}
