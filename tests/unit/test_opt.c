// SPDX-License-Identifier: Apache-2.0
// Passes on small functions built by hand: what is folded, dropped and shared, and what must not be.
#include "opt.h"

#include "policy_build.h"
#include "t.h"

static struct pb b;
static struct agc_ir ir;
static const struct agc_span span;

static struct agc_block *
begin(void)
{
    pb_init(&b, AG_FIRST_MATCH);
    agc_ir_init(&ir, &b.arena, &b.policy);
    agc_ir_func(&ir, AG_STR("f"), span, AG_FUNC_ENTRY);
    agc_ir_entry(&ir, AG_STR("f"), 0, true);
    return &ir.funcs[0].body;
}

static uint32_t
local(void)
{
    return agc_ir_local(&ir.funcs[0]);
}

static uint32_t
constant(struct agc_block *at, uint32_t k)
{
    uint32_t v = local();
    agc_ir_add(&ir, at, span, AGC_IR_CONST, v, k, 0);
    return v;
}

static uint32_t
op(struct agc_block *at, enum agc_irop o, uint32_t x, uint32_t y)
{
    uint32_t v = local();
    agc_ir_add(&ir, at, span, o, v, x, y);
    return v;
}

// Runs the passes; true when the function is then `const expected; ret` (AG_NONE: when it is something else).
static bool
folds_to(struct agc_block *body, uint32_t result, uint32_t expected)
{
    char text[200] = "";
    agc_ir_add(&ir, body, span, AGC_IR_RET, result, 0, 0);
    if (!agc_opt(&ir, 1, text, sizeof text)) {
        printf("# %s\n", text);
        return false;
    }
    const struct agc_block *f = &ir.funcs[0].body;
    bool is_const = f->n == 2 && f->v[0].op == AGC_IR_CONST;
    bool ok = expected == AG_NONE ? !is_const : is_const && f->v[0].v[1] == expected;
    if (!ok)
        agc_ir_print(&ir, stdout);
    pb_fini(&b);
    return ok;
}

static void
test_fold(void)
{
    struct agc_block *at = begin();
    uint32_t v = op(at, AGC_IR_ADD, constant(at, agc_const_int(&ir, 2)), constant(at, agc_const_int(&ir, 3)));
    OK(folds_to(at, v, agc_const_int(&ir, 5)), "2 + 3");
    at = begin();
    v = op(at, AGC_IR_MUL, constant(at, agc_const_number(&ir, AG_STR("1.5"))),
           constant(at, agc_const_int(&ir, 2)));
    v = op(at, AGC_IR_EQ, v, constant(at, agc_const_int(&ir, 3)));
    OK(folds_to(at, v, agc_const_bool(&ir, true)), "1.5 * 2 == 3");
    at = begin();
    v = op(at, AGC_IR_DIV, constant(at, agc_const_int(&ir, 1)), constant(at, agc_const_int(&ir, 0)));
    OK(folds_to(at, v, AG_NONE), "1 / 0 is left for run time");
    at = begin();
    v = op(at, AGC_IR_SEQ, constant(at, agc_const_int(&ir, 1)),
           constant(at, agc_const_string(&ir, AG_STR("1"))));
    OK(folds_to(at, v, AG_NONE), "a strict comparison of two kinds too");
    at = begin();
    v = op(at, AGC_IR_LT, constant(at, agc_const_int(&ir, 1)),
           constant(at, agc_const_string(&ir, AG_STR("1"))));
    OK(folds_to(at, v, agc_const_bool(&ir, true)), "the total order compares kinds");
    at = begin();
    v = op(at, AGC_IR_GLOB, constant(at, agc_const_string(&ir, AG_STR("prod-1"))),
           agc_const_string(&ir, AG_STR("prod*")));
    OK(folds_to(at, v, agc_const_bool(&ir, true)), "a glob on a constant");
    at = begin();
    v = op(at, AGC_IR_NOT, constant(at, agc_const_int(&ir, 0)), 0);
    OK(folds_to(at, v, agc_const_bool(&ir, false)), "not 0 is false: only false and undefined are");
    at = begin();
    v = op(at, AGC_IR_PATH, 0, agc_const_path(&ir, (struct ag_str[]){AG_STR("x")}, 1));
    OK(folds_to(at, v, AG_NONE), "the input is not known");
}

static void
count(void *self, struct agc_stmt *s, unsigned depth)
{
    (void)depth;
    if (s->op == AGC_IR_PATH)
        ++*(unsigned *)self;
}

static void
test_cse(void)
{
    struct agc_block *at = begin();
    uint32_t key = agc_const_path(&ir, (struct ag_str[]){AG_STR("x")}, 1),
             acc = constant(at, agc_const_bool(&ir, true));
    struct agc_block *all = agc_ir_body(&ir, agc_ir_add(&ir, at, span, AGC_IR_BLOCK, 0, 0, 0));
    for (int i = 0; i < 3; i++) {
        struct agc_block *in = agc_ir_body(&ir, agc_ir_add(&ir, all, span, AGC_IR_BLOCK, 0, 0, 0));
        uint32_t x = op(in, AGC_IR_PATH, 0, key);
        uint32_t t = op(in, AGC_IR_EQ, x, constant(in, agc_const_int(&ir, i)));
        agc_ir_add(&ir, in, span, AGC_IR_ALSO, acc, t, 1);
    }
    agc_ir_add(&ir, at, span, AGC_IR_RET, acc, 0, 0);
    char text[200] = "";
    unsigned n = 0;
    OK(agc_opt(&ir, 1, text, sizeof text), "three conditions on one parameter %s", text);
    agc_ir_walk(&ir.funcs[0].body, count, &n);
    OK(n == 1, "load it once");
    OK(ir.funcs[0].body.v[1].body->v[0].op == AGC_IR_PATH, "where the first of them stands");
    pb_fini(&b);
}

static void
test_leave(void)
{
    struct agc_block *at = begin();
    char text[200] = "";
    uint32_t v = constant(at, agc_const_bool(&ir, true)), k = constant(at, agc_const_bool(&ir, false));
    struct agc_block *in = agc_ir_body(&ir, agc_ir_add(&ir, at, span, AGC_IR_BLOCK, 0, 0, 0));
    agc_ir_add(&ir, in, span, AGC_IR_LEAVE_FALSE, k, 0, 0);
    agc_ir_add(&ir, in, span, AGC_IR_KILLED, v, 0, 0);
    agc_ir_add(&ir, at, span, AGC_IR_RET, v, 0, 0);
    OK(agc_opt(&ir, 1, text, sizeof text), "a test that always leaves %s", text);
    OK(ir.funcs[0].body.n == 2, "takes what follows it along");
    pb_fini(&b);
}

static void
test_dead(void)
{
    struct agc_block *at = begin();
    char text[200] = "";
    agc_ir_func(&ir, AG_STR("unused"), span, 0);
    uint32_t v = constant(&ir.funcs[1].body, agc_const_bool(&ir, true));
    ir.funcs[1].nlocals = v + 1;
    agc_ir_add(&ir, &ir.funcs[1].body, span, AGC_IR_RET, v, 0, 0);
    at = &ir.funcs[0].body;
    uint32_t killed = op(at, AGC_IR_KILLED, 0, 0);
    (void)killed;
    v = constant(at, agc_const_bool(&ir, true));
    agc_ir_add(&ir, at, span, AGC_IR_RET, v, 0, 0);
    OK(agc_opt(&ir, 1, text, sizeof text), "an effect whose result nobody reads %s", text);
    OK(ir.funcs[0].body.n == 3 && ir.funcs[0].body.v[0].op == AGC_IR_KILLED, "stays");
    OK(ir.nfuncs == 1 && ir.entries[0].func == 0, "a function that nothing calls goes");
    pb_fini(&b);
}

int
main(void)
{
    test_fold();
    test_cse();
    test_leave();
    test_dead();
    return t_done();
}
