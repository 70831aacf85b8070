// SPDX-License-Identifier: Apache-2.0
// Instructions: registers by nesting, jumps that land behind their blocks, loops in pairs, bounds of the
// instruction set.
#include "emit.h"
#include "lower.h"
#include "opt.h"

#include "policy_build.h"
#include "t.h"

static struct pb b;
static struct agc_ir ir;
static struct agc_heap heap;
static struct agc_code code;
static struct agc_refusal why;

static bool
make(int level)
{
    char text[200];
    agc_ir_init(&ir, &b.arena, &b.policy);
    if (!agc_lower(&ir, &why) || !agc_opt(&ir, level, text, sizeof text))
        return false;
    agc_heap_init(&heap, &ir);
    return agc_emit(&ir, &b.sources, &heap, &code, &why);
}

static const ag_insn *
insns(void)
{
    return (const ag_insn *)(const void *)code.insns.p;
}

static struct agc_node *
equals(const char *name, const char *number)
{
    return pb_node(&b, AGC_PARAM_EQ, name, 1, pb_node(&b, AGC_NUMBER, number, 0, NULL, NULL), NULL);
}

static struct agc_node *
many(uint32_t n)
{
    struct agc_node *q = pb_node(&b, AGC_QUERY, "", 0, NULL, NULL);
    q->n = n;
    q->kid = agc_alloc(&b.arena, n * sizeof *q->kid);
    for (uint32_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%u", i);
        q->kid[i] = equals(agc_strdup(&b.arena, ag_str_z(name)).p, "1");
    }
    return q;
}

static void
test_shape(void)
{
    pb_init(&b, AG_FIRST_MATCH);
    pb_rule(&b, "r", "t", NULL, AG_ALLOW, many(3));
    OK(make(1), "a condition of three literals");
    const struct ag_func *f = &code.funcs[0];
    OK(f->nregs == 6, "literals reuse each other's registers (%u)", (unsigned)f->nregs);
    const ag_insn *v = insns() + f->code_at;
    OK(ag_insn_op(v[f->code_n - 1]) == AG_OP_RET, "the last instruction returns");
    uint32_t conds = 0;
    bool ok = true;
    for (uint32_t i = 0; i < f->code_n; i++)
        if (ag_insn_op(v[i]) == AG_OP_JCOND) {
            conds++;
            ok = ok && i + 1 + ag_insn_c(v[i]) == f->code_n - 1;
        }
    OK(conds == 3 && ok, "each false literal jumps to the return");
    f = &code.funcs[1];
    v = insns() + f->code_at;
    uint32_t iter = 0, next = 0;
    for (uint32_t i = 0; i < f->code_n; i++) {
        iter = ag_insn_op(v[i]) == AG_OP_ITER ? i : iter;
        next = ag_insn_op(v[i]) == AG_OP_NEXT ? i : next;
    }
    OK(iter && iter + 1 + ag_insn_x(v[iter]) == next + 1, "an empty loop goes on behind it");
    OK(next + 1 - ag_insn_x(v[next]) == iter + 1, "the loop goes back to its body");
    OK(code.stack[1] == (uint32_t)f->nregs + code.funcs[0].nregs, "the deepest chain is both functions");
    const struct ag_span *s = (const struct ag_span *)(const void *)code.spans.p;
    OK(code.spans.n >= 2 * sizeof *s && s[0].insn == 0 && s[0].line == 1, "instructions have places");
    pb_fini(&b);
}

static void
test_bounds(void)
{
    pb_init(&b, AG_FIRST_MATCH);
    pb_rule(&b, "r", "t", NULL, AG_ALLOW, many(16383)); // 4 instructions each, and 65,535 can be skipped
    OK(make(1), "the largest condition that a jump can skip");
    b.policy.rules[0].body = many(16385);
    OK(!make(1) && strstr(why.text, "65535 instructions"), "a larger one is refused: %s", why.text);
    b.policy.nrules = 0;
    for (unsigned i = 0; i < 3; i++)
        pb_rule(&b, "r", "t", NULL, AG_ALLOW, many(16000));
    for (unsigned k = 0; k < 3; k++)
        for (uint32_t i = 0; i < 16000; i++) {
            char name[32];
            snprintf(name, sizeof name, "q%u-%u", k, i);
            b.policy.rules[k].body->kid[i] = equals(agc_strdup(&b.arena, ag_str_z(name)).p, "1");
        }
    OK(make(1), "48,000 parameter names");
    for (unsigned k = 0; k < 2; k++) {
        pb_rule(&b, "r", "t", NULL, AG_ALLOW, many(16000));
        for (uint32_t i = 0; i < 16000; i++) {
            char name[32];
            snprintf(name, sizeof name, "s%u-%u", k, i);
            b.policy.rules[3 + k].body->kid[i] = equals(agc_strdup(&b.arena, ag_str_z(name)).p, "1");
        }
    }
    OK(!make(1) && strstr(why.text, "65536"), "80,000 do not fit 16-bit operands: %s", why.text);
    pb_fini(&b);
}

int
main(void)
{
    test_shape();
    test_bounds();
    return t_done();
}
