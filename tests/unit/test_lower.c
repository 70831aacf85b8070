// SPDX-License-Identifier: Apache-2.0
// Lowering: which functions, tables and entrypoints a policy gets, and what each condition key becomes.
#include "lower.h"

#include "policy_build.h"
#include "t.h"

struct find {
    enum agc_irop op;
    uint32_t n;
    const struct agc_stmt *last;
};

static void
find_stmt(void *self, struct agc_stmt *s, unsigned depth)
{
    struct find *f = self;
    (void)depth;
    if (s->op == f->op) {
        f->n++;
        f->last = s;
    }
}

static struct find
find(struct agc_ir *ir, uint32_t func, enum agc_irop op)
{
    struct find f = {.op = op};
    agc_ir_walk(&ir->funcs[func].body, find_stmt, &f);
    return f;
}

static bool
lower(struct pb *b, struct agc_ir *ir)
{
    struct agc_refusal why;
    char text[200];
    agc_ir_init(ir, &b->arena, &b->policy);
    if (!agc_lower(ir, &why)) {
        printf("# %s\n", why.text);
        return false;
    }
    bool ok = agc_ir_check(ir, text, sizeof text);
    if (!ok)
        printf("# %s\n", text);
    return ok;
}

static struct agc_node *
param(struct pb *b, enum agc_node_kind kind, const char *name, enum agc_node_kind value, const char *text)
{
    return pb_query(b, pb_node(b, kind, name, 1, pb_node(b, value, text, 0, NULL, NULL), NULL));
}

static void
test_shape(void)
{
    struct pb b;
    struct agc_ir ir;
    pb_init(&b, AG_FIRST_MATCH);
    pb_rule(&b, "a", "t", NULL, AG_ALLOW, NULL);
    pb_rule(&b, "b", "t", NULL, AG_DENY, param(&b, AGC_PARAM_EQ, "x", AGC_NUMBER, "1"));
    pb_rule(&b, "c", "u", NULL, AG_ALLOW, param(&b, AGC_PARAM_EQ, "x", AGC_NUMBER, "1"));
    pb_rule(&b, "d", "u", NULL, AG_ALLOW, param(&b, AGC_PARAM_EQ, "x", AGC_NUMBER, "2"));
    OK(lower(&b, &ir), "a policy of four rules is lowered");
    OK(ir.nfuncs == 3, "equal conditions share one function");
    OK(ir.rules[0].cond == AG_NONE && ir.rules[1].cond == ir.rules[2].cond &&
           ir.rules[3].cond != ir.rules[1].cond,
       "the call table names the right ones");
    OK(ir.nentries == 1 && ag_str_is(ir.entries[0].name, "decide") && ir.entries[0].is_decision,
       "one entrypoint");
    OK(ir.rules[0].sort_as == AG_ALLOW && !ir.rules[0].can_err,
       "a rule without conditions keeps its severity");
    OK(ir.rules[3].sort_as == AG_DENY && ir.rules[3].can_err, "a permission that can err sorts as deny");
    OK(find(&ir, ir.entries[0].func, AGC_IR_KILLED).n == 1, "the kill switch is asked once");
    OK(find(&ir, ir.entries[0].func, AGC_IR_GATES).n == 0, "without gates none are evaluated");
    b.policy.has_gates = true;
    b.policy.gates.present = 5;
    OK(lower(&b, &ir) && ir.nentries == 3 && ag_str_is(ir.entries[1].name, "evaluate") &&
           ag_str_is(ir.entries[2].name, "risk_check"),
       "gates make `evaluate`, a risk gate `risk_check`");
    OK(find(&ir, ir.entries[1].func, AGC_IR_GATES).last->v[1] == 5,
       "which evaluates all that are configured");
    OK(find(&ir, ir.entries[2].func, AGC_IR_GATES).last->v[1] == 1, "which evaluates that one");
    b.policy.gates.present = 4;
    OK(lower(&b, &ir) && ir.nentries == 2, "no risk gate, no `risk_check`");
    pb_fini(&b);
}

static void
test_conditions(void)
{
    static const struct {
        enum agc_node_kind kind;
        enum agc_irop op;
        bool swaps;
    } row[] = {
        {AGC_PARAM_EQ, AGC_IR_SEQ, false},  {AGC_PARAM_GT, AGC_IR_SLT, true},
        {AGC_PARAM_LT, AGC_IR_SLT, false},  {AGC_PARAM_GTE, AGC_IR_SLE, true},
        {AGC_PARAM_LTE, AGC_IR_SLE, false}, {AGC_PARAM_CONTAINS, AGC_IR_SHAS, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct pb b;
        struct agc_ir ir;
        pb_init(&b, AG_FIRST_MATCH);
        pb_rule(&b, "r", "t", NULL, AG_ALLOW, param(&b, row[i].kind, "x", AGC_NUMBER, "1"));
        bool ok = lower(&b, &ir);
        struct find test = find(&ir, 0, row[i].op), path = find(&ir, 0, AGC_IR_PATH);
        OK(ok && test.n == 1 && path.n == 1 && test.last->v[row[i].swaps ? 2 : 1] == path.last->v[0],
           "%s becomes %s%s", agc_node_name(row[i].kind), agc_irop_table[row[i].op].text,
           row[i].swaps ? " with its operands swapped" : "");
        pb_fini(&b);
    }
}

static void
test_patterns(void)
{
    struct pb b;
    struct agc_ir ir;
    struct agc_refusal why;
    pb_init(&b, AG_FIRST_MATCH);
    pb_rule(&b, "r", "t", NULL, AG_ALLOW, param(&b, AGC_PARAM_MATCHES, "x", AGC_STRING, "^a+$"));
    pb_rule(&b, "s", "u", NULL, AG_ALLOW, param(&b, AGC_PARAM_MATCHES, "y", AGC_STRING, "^a+$"));
    OK(lower(&b, &ir) && ir.npatterns == 1 && ir.patterns[0].blob.n > 0, "equal patterns are one program");
    b.policy.nrules = 1;
    b.policy.rules[0].body = param(&b, AGC_PARAM_MATCHES, "x", AGC_STRING, "(");
    agc_ir_init(&ir, &b.arena, &b.policy);
    OK(!agc_lower(&ir, &why) && strstr(why.text, "pattern"),
       "a bad pattern that got past the front end is refused");
    pb_fini(&b);
}

static void
test_depth(void)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        struct pb b;
        struct agc_ir ir;
        struct agc_refusal why = {.text = ""};
        pb_init(&b, AG_FIRST_MATCH);
        struct agc_node *n = pb_input(&b, "x");
        for (unsigned i = 0; i < AGC_TERM_DEPTH_MAX - 2 + extra; i++)
            n = pb_node(&b, AGC_NOT, "", 1, n, NULL);
        pb_rule(&b, "r", "t", NULL, AG_ALLOW, pb_query(&b, n));
        agc_ir_init(&ir, &b.arena, &b.policy);
        OK(agc_lower(&ir, &why) == !extra, "an expression %s the limit of nesting",
           extra ? "one past" : "at");
        pb_fini(&b);
    }
}

int
main(void)
{
    test_shape();
    test_conditions();
    test_patterns();
    test_depth();
    return t_done();
}
