// SPDX-License-Identifier: Apache-2.0
// Pass: operations on constants become constants, by the machine's own number, glob and order functions;
// tests of constants become plain flow; calls through a table that always answers true become true. In and
// out: struct agc_ir. What would be an error or undefined at run time is left for run time.
#include "opt.h"

#include "num.h"
#include "pattern.h"

struct fold {
    struct agc_ir *ir;
    struct agc_func *f;
    uint32_t *defs, *uses;
    uint32_t *value; // constant that a local always holds, AG_NONE when it may differ
};

static bool
number_of(const struct agc_const *c, struct ag_arena *scratch, struct ag_num *ret)
{
    if (c->is_int) {
        *ret = ag_num_of_int(c->i);
        return true;
    }
    return ag_num_parse(c->text, scratch, ret) == AG_NUM_OK;
}

static bool
fold_arithmetic(struct agc_ir *ir, enum agc_irop op, uint32_t x, uint32_t y, uint32_t *ret)
{
    uint64_t mem[2048];
    char text[AG_NUM_TEXT_MAX];
    struct ag_arena scratch;
    struct ag_num a, b, r;
    struct ag_buf out;
    enum ag_num_status st = AG_NUM_SYNTAX;
    ag_arena_init(&scratch, mem, sizeof mem);
    ag_buf_init(&out, text, sizeof text);
    if (ir->consts[x].kind != AG_NUMBER || ir->consts[y].kind != AG_NUMBER ||
        !number_of(&ir->consts[x], &scratch, &a) || !number_of(&ir->consts[y], &scratch, &b))
        return false;
    switch (op) {
    case AGC_IR_ADD: st = ag_num_add(a, b, &scratch, &r); break;
    case AGC_IR_SUB: st = ag_num_sub(a, b, &scratch, &r); break;
    case AGC_IR_MUL: st = ag_num_mul(a, b, &scratch, &r); break;
    case AGC_IR_DIV: st = ag_num_div(a, b, &scratch, &r); break;
    case AGC_IR_MOD: st = ag_num_mod(a, b, &scratch, &r); break;
    default: break;
    }
    if (st != AG_NUM_OK)
        return false;
    ag_num_put(&out, r);
    if (out.is_full)
        return false;
    *ret = agc_const_number(ir, ag_str_of(text, out.n));
    return true;
}

static bool
fold_in(struct agc_ir *ir, uint32_t x, uint32_t coll)
{
    const struct agc_const *c = &ir->consts[coll];
    if (c->kind != AG_ARRAY && c->kind != AG_SET && c->kind != AG_OBJECT)
        return false;
    for (uint32_t i = c->kind == AG_OBJECT; i < c->n; i += c->kind == AG_OBJECT ? 2 : 1)
        if (agc_const_cmp(ir, c->kid[i], x) == 0)
            return true;
    return false;
}

static bool
fold_length(struct agc_ir *ir, uint32_t x, uint32_t *ret)
{
    const struct agc_const *c = &ir->consts[x];
    if (c->kind != AG_ARRAY && c->kind != AG_SET && c->kind != AG_OBJECT)
        return false;
    *ret = agc_const_int(ir, c->kind == AG_OBJECT ? c->n / 2 : c->n);
    return true;
}

// The constant that s computes, when its operands are constants.
static bool
fold_value(struct fold *fo, const struct agc_stmt *s, uint32_t *ret)
{
    struct agc_ir *ir = fo->ir;
    uint32_t x = s->v[1] < fo->f->nlocals ? fo->value[s->v[1]] : AG_NONE, y = AG_NONE;
    if (s->op == AGC_IR_CONST || x == AG_NONE)
        return false;
    if (agc_irop_table[s->op].operand[2] == AGC_IRK_U && (y = fo->value[s->v[2]]) == AG_NONE)
        return false;
    bool is_strict_ok = y != AG_NONE && ir->consts[x].kind == ir->consts[y].kind;
    switch (s->op) {
    case AGC_IR_MOVE: *ret = x; return true;
    case AGC_IR_PATH: return agc_const_follow(ir, x, s->v[2], ret);
    case AGC_IR_DOT: return agc_const_get(ir, x, y, ret);
    case AGC_IR_KIND: *ret = agc_const_bool(ir, ir->consts[x].kind == s->v[2]); return true;
    case AGC_IR_LEN: return fold_length(ir, x, ret);
    case AGC_IR_NOT:
        *ret = agc_const_bool(ir, ir->consts[x].kind == AG_BOOL && !ir->consts[x].i);
        return true;
    case AGC_IR_EQ: *ret = agc_const_bool(ir, agc_const_cmp(ir, x, y) == 0); return true;
    case AGC_IR_NE: *ret = agc_const_bool(ir, agc_const_cmp(ir, x, y) != 0); return true;
    case AGC_IR_LT: *ret = agc_const_bool(ir, agc_const_cmp(ir, x, y) < 0); return true;
    case AGC_IR_LE: *ret = agc_const_bool(ir, agc_const_cmp(ir, x, y) <= 0); return true;
    case AGC_IR_IN: *ret = agc_const_bool(ir, fold_in(ir, x, y)); return true;
    case AGC_IR_SEQ:
        *ret = is_strict_ok ? agc_const_bool(ir, agc_const_cmp(ir, x, y) == 0) : AG_NONE;
        return is_strict_ok;
    case AGC_IR_SLT:
        *ret = is_strict_ok ? agc_const_bool(ir, agc_const_cmp(ir, x, y) < 0) : AG_NONE;
        return is_strict_ok;
    case AGC_IR_SLE:
        *ret = is_strict_ok ? agc_const_bool(ir, agc_const_cmp(ir, x, y) <= 0) : AG_NONE;
        return is_strict_ok;
    case AGC_IR_GLOB:
        *ret = agc_const_bool(ir, ir->consts[x].kind == AG_STRING &&
                                      ag_glob_match(ir->consts[s->v[2]].text, ir->consts[x].text));
        return true;
    case AGC_IR_ADD:
    case AGC_IR_SUB:
    case AGC_IR_MUL:
    case AGC_IR_DIV:
    case AGC_IR_MOD: return fold_arithmetic(ir, s->op, x, y, ret);
    default: return false;
    }
}

static bool
answers_true(const struct agc_call_table *t)
{
    if (t->key) // a key that it does not hold is undefined
        return false;
    for (uint32_t i = 0; i < t->n; i++)
        if (t->func[i] != AG_NONE)
            return false;
    return true;
}

static void
to_const(struct fold *fo, struct agc_stmt *s, uint32_t k)
{
    *s = (struct agc_stmt){.op = AGC_IR_CONST, .v = {s->v[0], k, 0}, .span = s->span};
    if (fo->defs[s->v[0]] == 1)
        fo->value[s->v[0]] = k;
}

static bool
is_false_const(const struct fold *fo, uint32_t k)
{
    return fo->ir->consts[k].kind == AG_BOOL && !fo->ir->consts[k].i;
}

static void
to_nothing(struct fold *fo, struct agc_stmt *s)
{
    *s = (struct agc_stmt){.op = AGC_IR_BLOCK, .span = s->span};
    agc_ir_body(fo->ir, s);
}

// A test of a constant: it leaves always or never.
static void
fold_leave(struct fold *fo, struct agc_stmt *s)
{
    uint32_t k = fo->value[s->v[0]];
    if (k == AG_NONE)
        return;
    bool leaves = s->op == AGC_IR_LEAVE_DEF || (s->op == AGC_IR_LEAVE_FALSE) == is_false_const(fo, k);
    if (leaves)
        *s = (struct agc_stmt){.op = AGC_IR_LEAVE, .v = {s->v[1]}, .span = s->span};
    else
        to_nothing(fo, s);
}

// A comparison of two constants that must hold.
static void
fold_comparison(struct fold *fo, struct agc_stmt *s)
{
    uint32_t x = fo->value[s->v[0]], y = s->op == AGC_IR_NEED_IS ? s->v[1] : fo->value[s->v[1]];
    if (x == AG_NONE || y == AG_NONE)
        return;
    bool is_equal = agc_const_cmp(fo->ir, x, y) == 0;
    if (is_equal == (s->op == AGC_IR_NEED_NE))
        *s = (struct agc_stmt){.op = AGC_IR_LEAVE, .v = {s->v[2]}, .span = s->span};
    else
        to_nothing(fo, s);
}

static void
fold_stmt(void *self, struct agc_stmt *s, unsigned depth)
{
    struct fold *fo = self;
    uint32_t k;
    (void)depth;
    if (s->op == AGC_IR_LEAVE_DEF || s->op == AGC_IR_LEAVE_FALSE || s->op == AGC_IR_LEAVE_TRUE)
        fold_leave(fo, s);
    else if (s->op == AGC_IR_NEED_EQ || s->op == AGC_IR_NEED_NE || s->op == AGC_IR_NEED_IS)
        fold_comparison(fo, s);
    else if (s->op == AGC_IR_ALSO && fo->value[s->v[1]] != AG_NONE && !is_false_const(fo, fo->value[s->v[1]]))
        to_nothing(fo, s);
    else if (s->op == AGC_IR_CALLT && answers_true(&fo->ir->tables[s->v[1]]))
        to_const(fo, s, agc_const_bool(fo->ir, true));
    else if (fold_value(fo, s, &k))
        to_const(fo, s, k);
}

static void
note_const(void *self, struct agc_stmt *s, unsigned depth)
{
    struct fold *fo = self;
    (void)depth;
    if (s->op == AGC_IR_CONST && fo->defs[s->v[0]] == 1)
        fo->value[s->v[0]] = s->v[1];
}

// What stands behind an unconditional leave never runs.
static void
cut(struct agc_block *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (b->v[i].body)
            cut(b->v[i].body);
        if (agc_irop_table[b->v[i].op].flags & AGC_IRF_END)
            b->n = i + 1;
    }
}

static void
is_plain_true(void *self, struct agc_stmt *s, unsigned depth)
{
    (void)depth;
    if (s->op != AGC_IR_CONST && s->op != AGC_IR_BLOCK && s->op != AGC_IR_RET)
        *(bool *)self = false;
}

// Whether a function does nothing but return the constant true.
static bool
returns_true(struct agc_ir *ir, struct agc_func *f)
{
    bool plain = true;
    uint32_t yes = agc_const_bool(ir, true);
    agc_ir_walk(&f->body, is_plain_true, &plain);
    if (!plain || f->body.v[0].op != AGC_IR_CONST || f->body.v[0].v[1] != yes)
        return false;
    return f->body.v[f->body.n - 1].v[0] == f->body.v[0].v[0];
}

void
agc_opt_fold(struct agc_ir *ir, int level)
{
    (void)level;
    bool *is_true = agc_alloc(ir->arena, ir->nfuncs + 1);
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        struct agc_func *f = &ir->funcs[i];
        struct fold fo = {.ir = ir, .f = f};
        fo.defs = agc_alloc(ir->arena, 3 * f->nlocals * sizeof *fo.defs);
        fo.uses = fo.defs + f->nlocals;
        fo.value = fo.uses + f->nlocals;
        agc_opt_count(f, fo.defs, fo.uses);
        for (uint32_t l = 0; l < f->nlocals; l++)
            fo.value[l] = AG_NONE;
        agc_ir_walk(&f->body, note_const, &fo);
        agc_ir_walk(&f->body, fold_stmt, &fo);
        cut(&f->body);
        is_true[i] = returns_true(ir, f);
    }
    for (uint32_t t = 0; t < ir->ntables; t++)
        for (uint32_t k = 0; k < ir->tables[t].n; k++)
            if (ir->tables[t].func[k] != AG_NONE && is_true[ir->tables[t].func[k]])
                ir->tables[t].func[k] = AG_NONE;
}
