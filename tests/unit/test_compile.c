// SPDX-License-Identifier: Apache-2.0
// The whole compiler in process: stages, refusals without an image, reproducible bytes, merging of sources.
#include "compile.h"

#include "crypto.h"
#include "eval.h"
#include "t.h"

static const char policy[] = "version: \"1\"\n"
                             "name: p\n"
                             "defaults: {decision: deny}\n"
                             "rules:\n"
                             "  - name: a\n"
                             "    match: {type: \"read*\"}\n"
                             "    conditions: {hours: \"09:00-17:00\", tz: Europe/Berlin, param_eq: {x: 1}}\n"
                             "    decision: allow\n";

static enum agc_result
run(struct agc_job *j, const char *text, const char *more, enum agc_stage last)
{
    agc_job_init(j);
    j->last = last;
    agc_source_add(&j->arena, &j->sources, AG_STR("p.yaml"), ag_str_z(text));
    if (more)
        agc_source_add(&j->arena, &j->sources, AG_STR("q.yaml"), ag_str_z(more));
    return agc_compile(j);
}

static void
test_stages(void)
{
    static const char *const name[] = {
#define S(NAME, text) text,
        AGC_STAGES(S)
#undef S
    };
    for (unsigned s = 0; s < AGC_STAGE_COUNT; s++) {
        struct agc_job j;
        bool ok = run(&j, policy, NULL, (enum agc_stage)s) == AGC_DONE;
        OK(ok && (j.image.n != 0) == (s == AGC_STAGE_IMAGE), "stopping after %s", name[s]);
        agc_job_fini(&j);
    }
}

static void
test_refusals(void)
{
    static const char *const bad[] = {
        "version: \"1\"\nrules: [{name: a, decision: alow}]\n",
        "version: \"1\"\nrules: [{name: a, mach: {type: x}, decision: allow}]\n",
        "version: \"1\"\nrules: [{name: a, conditions: {param_matches: {x: \"(\"}}, decision: allow}]\n",
        "version: \"1\"\nrules: [{name: a, conditions: {hours: \"1-2\", tz: No/Zone}}]\n",
        "version: \"1\"\nrules: [{name: a, when: \"input.x ==\", decision: allow}]\n",
        "version: [\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct agc_job j;
        bool refused = run(&j, bad[i], NULL, AGC_STAGE_IMAGE) == AGC_REFUSED;
        OK(refused && j.image.n == 0 && j.diags.nerrors > 0, "mistake %zu: diagnostics and no image", i);
        agc_job_fini(&j);
    }
}

// As many limits count each payment as a decision can charge, and one more, which stands after them.
static void
test_charges(void)
{
    for (unsigned past = 0; past < 2; past++) {
        char text[2000];
        int n = snprintf(text, sizeof text,
                         "version: \"1\"\nlimits:\n- {name: p, match: {type: pay}, rate: 1/s}\n");
        for (unsigned i = 1; i < AG_EFFECTS_MAX + past; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "- {name: l%u, rate: 1/s}\n", i);
        struct agc_job j;
        OK(run(&j, text, NULL, AGC_STAGE_IMAGE) == (past ? AGC_REFUSED : AGC_DONE),
           "%u limits for one action are %s", AG_EFFECTS_MAX + past, past ? "refused" : "accepted");
        agc_job_fini(&j);
    }
}

static void
test_same(void)
{
    struct agc_job a, c;
    bool ok = run(&a, policy, NULL, AGC_STAGE_IMAGE) == AGC_DONE &&
              run(&c, policy, NULL, AGC_STAGE_IMAGE) == AGC_DONE;
    OK(ok && a.image.n == c.image.n && memcmp(a.image.p, c.image.p, a.image.n) == 0,
       "two runs, the same bytes");
    agc_job_fini(&c);
    OK(run(&c, policy, "version: \"1\"\ndefaults: {decision: allow}\nrules: [{name: b, decision: monitor}]\n",
           AGC_STAGE_IMAGE) == AGC_DONE &&
           c.policy.nrules == 2 && c.policy.default_decision == AG_DENY,
       "a second file appends its rules and leaves the defaults");
    agc_job_fini(&a);
    agc_job_fini(&c);
}

int
main(void)
{
    if (!ag_crypto_init())
        return 2;
    test_stages();
    test_refusals();
    test_charges();
    test_same();
    return t_done();
}
