// SPDX-License-Identifier: Apache-2.0
// The intermediate form: constants shared by value, order of constants, and every rule of the checker.
#include "ir.h"

#include "t.h"

static struct agc_arena arena;
static struct agc_policy policy;
static struct agc_ir ir;
static const struct agc_span span;

static void
begin(void)
{
    agc_ir_init(&ir, &arena, &policy);
}

// The constant behind a spelling (taken after the table may have moved).
static struct agc_const
number(const char *spelling)
{
    uint32_t ix = agc_const_number(&ir, ag_str_z(spelling));
    return ir.consts[ix];
}

static void
test_constants(void)
{
    begin();
    uint32_t a = agc_const_string(&ir, AG_STR("x")), one = agc_const_int(&ir, 1);
    OK(a == agc_const_string(&ir, AG_STR("x")), "equal strings have one number");
    OK(a != agc_const_string(&ir, AG_STR("y")), "different strings differ");
    OK(agc_const_number(&ir, AG_STR("1")) == one, "a plain integer by its spelling");
    OK(agc_const_number(&ir, AG_STR("1.0")) != one, "another spelling is kept");
    OK(agc_const_cmp(&ir, agc_const_number(&ir, AG_STR("1.0")), one) == 0, "but compares equal");
    OK(agc_const_cmp(&ir, agc_const_number(&ir, AG_STR("1e0")), agc_const_int(&ir, 2)) < 0, "1e0 < 2");
    OK(number("9223372036854775807").is_int, "the largest int64 is an integer");
    OK(!number("9223372036854775808").is_int, "one more is a record");
    OK(number("-9223372036854775808").i == INT64_MIN, "the smallest int64");
    OK(!number("-9223372036854775809").is_int, "one less is a record");
    OK(!number("-0").is_int, "-0 keeps its spelling");
    uint32_t v[4] = {one, a, agc_const_number(&ir, AG_STR("1.0")), agc_const_null(&ir)};
    uint32_t set_ix = agc_const_set(&ir, v, 4);
    const struct agc_const *set = &ir.consts[set_ix];
    OK(set->n == 3 && set->kid[0] == v[3] && set->kid[1] == one && set->kid[2] == a,
       "a set is sorted and free of equal values");
    uint32_t pair[4] = {a, one, a, one}, clash[4] = {a, one, a, a}, ret = 0;
    OK(agc_const_object(&ir, pair, 2, &ret) && ir.consts[ret].n == 2, "the same pair twice is one");
    OK(!agc_const_object(&ir, clash, 2, &ret), "one key with two values is refused");
    uint32_t first = agc_const_int(&ir, 1000);
    for (int i = 0; i < 5000; i++)
        agc_const_int(&ir, i);
    OK(agc_const_int(&ir, 1000) == first, "numbers stay when the table grows");
}

// A function that is right: v2 = const; ret v2. Returns its body for spoiling.
static struct agc_func *
good(uint32_t flags)
{
    begin();
    uint32_t ix = agc_ir_func(&ir, AG_STR("f"), span, flags);
    struct agc_func *f = &ir.funcs[ix];
    uint32_t v = agc_ir_local(f);
    agc_ir_add(&ir, &f->body, span, AGC_IR_CONST, v, agc_const_bool(&ir, true), 0);
    agc_ir_add(&ir, &f->body, span, AGC_IR_RET, v, 0, 0);
    return f;
}

static bool
checks(const char *expected)
{
    char text[200] = "";
    bool ok = agc_ir_check(&ir, text, sizeof text);
    if (!expected)
        return ok;
    if (ok || !strstr(text, expected))
        printf("# %s: %s\n", ok ? "accepted" : "said", text);
    return !ok && strstr(text, expected);
}

static void
test_checker(void)
{
    struct agc_func *f = good(0);
    OK(checks(NULL), "a right function passes");
    f->body.n = 1;
    OK(checks("does not end in ret"), "a function without ret");
    f = good(0);
    f->body.v[1].v[0] = agc_ir_local(f);
    OK(checks("before it is defined"), "a local read before it is defined");
    f = good(0);
    f->body.v[1].v[0] = 99;
    OK(checks("names local v99"), "a local that does not exist");
    f = good(0);
    f->body.v[0].v[1] = ir.nconsts;
    OK(checks("names constant"), "a constant that does not exist");
    f = good(0);
    f->body.v[0] = (struct agc_stmt){.op = AGC_IR_LEAVE_TRUE, .v = {0, 0, 0}};
    OK(checks("leaves 1 blocks of 0"), "leaving a block outside every block");
    f = good(0);
    f->body.v[0] = (struct agc_stmt){.op = AGC_IR_CALL, .v = {2, 0, 0}};
    OK(checks("names number 0 of 0"), "a function that calls itself");
    f = good(0);
    f->body.v[0] = (struct agc_stmt){.op = AGC_IR_KILLED, .v = {2, 0, 0}};
    OK(checks("outside an entrypoint"), "a decision outside an entrypoint");
    f = good(AG_FUNC_ENTRY);
    f->body.v[0] = (struct agc_stmt){.op = AGC_IR_KILLED, .v = {2, 0, 0}};
    OK(checks(NULL), "and inside one");
    f = good(0);
    f->body.v[0] = f->body.v[1];
    f->body.v[0].v[0] = 0;
    OK(checks("statements after ret"), "statements behind the end");
}

static void
test_blocks(void)
{
    struct agc_func *f = good(0);
    struct agc_block top = {0};
    uint32_t v = agc_ir_local(f), k = agc_const_bool(&ir, true);
    struct agc_block *in = agc_ir_body(&ir, agc_ir_add(&ir, &top, span, AGC_IR_BLOCK, 0, 0, 0));
    agc_ir_add(&ir, in, span, AGC_IR_CONST, v, k, 0);
    agc_ir_add(&ir, &top, span, AGC_IR_RET, v, 0, 0);
    f->body = top;
    OK(checks("before it is defined"), "what a block defines ends with it");
    good(0);
    f = &ir.funcs[0];
    struct agc_block b = {0}, *at = &b;
    for (unsigned i = 0; i <= AGC_BLOCK_DEPTH_MAX; i++)
        at = agc_ir_body(&ir, agc_ir_add(&ir, at, span, AGC_IR_BLOCK, 0, 0, 0));
    agc_ir_add(&ir, &b, span, AGC_IR_RET, 0, 0, 0);
    f->body = b;
    OK(checks("nest deeper"), "one block too many");
    at = &b;
    for (unsigned i = 0; i < AGC_BLOCK_DEPTH_MAX; i++)
        at = at->v[0].body;
    at->n = 0;
    OK(checks(NULL), "as many as there may be");
}

int
main(void)
{
    test_constants();
    test_checker();
    test_blocks();
    agc_arena_fini(&arena);
    return t_done();
}
