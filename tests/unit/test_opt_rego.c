// SPDX-License-Identifier: Apache-2.0
// Passes on modules at their bounds: what is inlined, grouped and compiled at the limit and not beyond it.
// That they leave the meaning as it was is held by the differential test and the conformance cases.
#include "compile.h"
#include "crypto.h"
#include "limits.h"
#include "t.h"

static char text[1 << 17], data[1 << 16];
static size_t used, data_used;

__attribute__((format(printf, 1, 2))) static void
say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text + used, sizeof text - used, fmt, ap);
    va_end(ap);
    used += n > 0 ? (size_t)n : 0;
}

__attribute__((format(printf, 1, 2))) static void
say_data(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(data + data_used, sizeof data - data_used, fmt, ap);
    va_end(ap);
    data_used += n > 0 ? (size_t)n : 0;
}

struct counted {
    enum agc_irop op;
    uint32_t n, all;
};

static void
count(void *self, struct agc_stmt *s, unsigned depth)
{
    struct counted *c = self;
    (void)depth;
    c->n += s->op == c->op;
    c->all++;
}

// Compiles the module; how many statements of the kind are left in all functions, AG_NONE: it is refused.
static uint32_t
left(struct agc_job *j, enum agc_irop op)
{
    struct counted c = {.op = op};
    agc_job_init(j);
    j->is_rego = true;
    j->level = 1;
    agc_source_add(&j->arena, &j->sources, AG_STR("m.rego"), ag_str_of(text, used));
    if (data_used)
        agc_job_add_data(j, AG_STR("data.json"), ag_str_of(data, data_used), NULL, 0);
    agc_job_add_entry(j, AG_STR("data.m.p"));
    if (agc_compile(j) != AGC_DONE)
        return AG_NONE;
    for (uint32_t i = 0; i < j->ir.nfuncs; i++)
        agc_ir_walk(&j->ir.funcs[i].body, count, &c);
    return c.n;
}

static uint32_t
statements(struct agc_job *j, const char *name)
{
    struct counted c = {.op = AGC_IR_COUNT};
    for (uint32_t i = 0; i < j->ir.nfuncs; i++)
        if (ag_str_is(j->ir.funcs[i].name, name))
            agc_ir_walk(&j->ir.funcs[i].body, count, &c);
    return c.all;
}

// A function of a few statements more for each n, which `calls` places call in a loop.
static bool
compile_f(struct agc_job *j, uint32_t n, unsigned calls)
{
    used = data_used = 0;
    say("package m\n\np contains x if {\n\tsome x in input.xs\n\tx.a\n\tf(x)\n}\n\n");
    if (calls > 1)
        say("p contains x if {\n\tsome x in input.ys\n\tx.b\n\tf(x)\n}\n\n");
    say("f(x) if {\n");
    for (uint32_t i = 0; i < n; i++)
        say("\tx.k%u == %u\n", i, i);
    say("}\n");
    return left(j, AGC_IR_CALL) != AG_NONE;
}

// The first n from which the function stays one, and that its size is the reason.
static void
test_inline(unsigned calls, uint32_t max, const char *what)
{
    struct agc_job j;
    uint32_t lo = 0, hi = 600, here, next, others;
    while (lo + 1 < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        bool stays = compile_f(&j, mid, calls) && statements(&j, "data.m.f") != 0;
        agc_job_fini(&j);
        if (stays)
            hi = mid;
        else
            lo = mid;
    }
    compile_f(&j, hi, calls);
    here = statements(&j, "data.m.f");
    others = calls > 1 ? 0 : statements(&j, "data.m.p"); // by now with the entrypoint around it
    agc_job_fini(&j);
    compile_f(&j, hi + 1, calls);
    next = statements(&j, "data.m.f");
    agc_job_fini(&j);
    OK(here + others > max && here - (next - here) <= max, "%s: up to %u statements (%u, %u)", what, max,
       here, others);
}

// data.at under n computed steps holds `elements` of which the one with k == input.k is looked for.
static uint32_t
tests_left(struct agc_job *j, unsigned steps, unsigned elements)
{
    uint32_t n;
    used = data_used = 0;
    say("package m\n\np if {\n\tsome x in data.at");
    for (unsigned i = 0; i < steps; i++)
        say("[input.s%u]", i);
    say("\n\tx.k == input.k\n}\n");
    say_data("{\"at\":");
    for (unsigned i = 0; i < steps; i++)
        say_data("{\"a\":");
    for (unsigned i = 0; i < elements; i++)
        say_data("%s{\"k\":%u}", i ? "," : "[", i);
    say_data("]");
    for (unsigned i = 0; i < steps; i++)
        say_data("}");
    say_data("}");
    n = left(j, AGC_IR_NEED_EQ);
    agc_job_fini(j);
    return n;
}

static void
test_group(void)
{
    struct agc_job j;
    OK(tests_left(&j, AGC_GROUP_STEPS_MAX, 5) == 0, "%u steps to the collection", AGC_GROUP_STEPS_MAX);
    OK(tests_left(&j, AGC_GROUP_STEPS_MAX + 1, 5) == 1, "one more is searched");
    OK(tests_left(&j, 1, AGC_GROUP_MIN) == 0, "a collection of %u", AGC_GROUP_MIN);
    OK(tests_left(&j, 1, AGC_GROUP_MIN - 1) == 1, "a smaller one is searched");
    used = 0;
    say("package m\n\np if q with data.at as []\n\nq if {\n\tsome x in data.at\n\tx.k == input.k\n}\n");
    OK(left(&j, AGC_IR_NEED_EQ) == 1, "data over which something is laid is no constant");
    agc_job_fini(&j);
}

static void
test_regex(void)
{
    struct agc_job j;
    used = data_used = 0;
    say("package m\n\np if regex.match(`^a+$`, input.x)\n");
    OK(left(&j, AGC_IR_MATCH) == 1 && j.ir.npatterns == 1 && j.ir.patterns[0].blob.n, "a constant pattern");
    agc_job_fini(&j);
    used = 0;
    say("package m\n\np if regex.match(input.y, input.x)\n");
    OK(left(&j, AGC_IR_MATCH) == 0 && j.ir.npatterns == 0, "another one is left to the run");
    agc_job_fini(&j);
}

int
main(void)
{
    ag_crypto_init();
    test_inline(2, AGC_INLINE_SMALL, "a function that two places call");
    test_inline(1, AGC_INLINE_MAX, "one that one place calls, with its caller");
    test_group();
    test_regex();
    return t_done();
}
