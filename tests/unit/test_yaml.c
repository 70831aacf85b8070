// SPDX-License-Identifier: Apache-2.0
// The YAML front end: the five shipped agent-aegis policies (B1, B3), every key, traps of the notation,
// merging (B5), gates and parameters (A1), limits (B8), and the limits of the reader itself.
#include "t.h"

#include "compiler/yaml_read.h"

#include "gates.h"

#include <errno.h>

static struct agc_arena arena;
static struct agc_sources sources;
static struct agc_diags diags;
static struct agc_policy policy;

static void
fresh(void)
{
    agc_arena_fini(&arena);
    sources = (struct agc_sources){0};
    policy = (struct agc_policy){0};
    agc_diags_init(&diags, &arena, &sources);
}

static bool
more(const char *text)
{
    int ix = agc_source_add(&arena, &sources, AG_STR("p.yaml"), ag_str_z(text));
    return agc_yaml_read(&arena, &sources, (uint32_t)ix, &diags, &policy);
}

static bool
read_text(const char *text)
{
    fresh();
    return more(text);
}

static int
has(enum agc_diag_id id)
{
    int n = 0;
    for (uint32_t i = 0; i < diags.n; i++)
        n += diags.v[i].id == id;
    return n;
}

// Exactly one diagnostic of this id at line:column, and no other error.
static int
only(enum agc_diag_id id, unsigned line, unsigned column)
{
    uint32_t l = 0, c = 0;
    for (uint32_t i = 0; i < diags.n; i++)
        if (diags.v[i].id == id)
            agc_source_place(&sources, diags.v[i].span, &l, &c);
    int ok = has(id) == 1 && l == line && c == column && diags.nerrors <= 1;
    for (uint32_t i = 0; !ok && i < diags.n; i++)
        printf("# %s: %.*s\n", agc_diag_name(diags.v[i].id), (int)diags.v[i].text.n, diags.v[i].text.p);
    if (!ok)
        printf("# place %u:%u\n", l, c);
    return ok;
}

static const struct agc_rule *
rule(const char *name)
{
    for (uint32_t i = 0; i < policy.nrules; i++)
        if (ag_str_is(policy.rules[i].name.text, name))
            return &policy.rules[i];
    return NULL;
}

static void
test_vectors(void)
{
    static const struct {
        const char *file;
        uint32_t rules;
    } files[] = {
        {"devops", 14}, {"financial", 11}, {"healthcare", 11}, {"policy-ci-v1", 4}, {"policy-ci-v2", 8}};
    const char *shared = getenv("AEGIS_SHARED");
    for (size_t i = 0; i < 5; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/vectors/agent-aegis/%s.yaml", shared ? shared : "none",
                 files[i].file);
        fresh();
        int ix = agc_source_read(&arena, &sources, path);
        if (ix == -1) {
            t_skip("shared vectors are not here (AEGIS_SHARED)");
            continue;
        }
        bool ok = agc_yaml_read(&arena, &sources, (uint32_t)ix, &diags, &policy);
        OK(ok && policy.nrules == files[i].rules && diags.n == 0, "%s.yaml reads without a message (B1)",
           files[i].file);
        if (i == 0) {
            const struct agc_rule *r = rule("prod_deploy_afterhours");
            OK(r && r->decision == AG_DENY && r->risk == AG_RISK_CRITICAL &&
                   r->approval == AG_APPROVAL_BLOCK && r->body->n == 2 &&
                   r->body->kid[0]->kind == AGC_PARAM_EQ && r->body->kid[1]->kind == AGC_WINDOW &&
                   r->body->kid[1]->window.start == 17 * 60 && r->body->kid[1]->window.end == 1440,
               "devops: the after-hours rule");
            OK(policy.default_decision == AG_ESCALATE && policy.default_risk == AG_RISK_HIGH,
               "devops: defaults");
        }
    }
}

#define HEAD "version: \"1\"\ndefaults: {approval: block}\n"

static void
test_rules(void)
{
    OK(read_text(HEAD "rules: []\n") && policy.nrules == 0 && diags.n == 0, "an empty rule list");
    OK(read_text(HEAD "rules:\n - {}\n") && ag_str_is(policy.rules[0].name.text, "rule_0") &&
           policy.rules[0].decision == AG_ESCALATE && policy.rules[0].risk == AG_RISK_MEDIUM &&
           !policy.rules[0].body,
       "defaults of a rule: rule_0, approve, medium (B1)");
    OK(read_text(HEAD "rules:\n - {name: '', match: {type: a, target: b}}\n") &&
           ag_str_is(policy.rules[0].name.text, "a@b"),
       "an empty name is type@target (B1)");
    OK(read_text(HEAD "rules:\n - {name: n, match: {type: '*', target: '**', agent: x, tenant: 't?'}, "
                      "decision: kill}\n") &&
           !policy.rules[0].match[AG_ATTR_TYPE].text.p && !policy.rules[0].match[AG_ATTR_TARGET].text.p &&
           ag_str_is(policy.rules[0].match[AG_ATTR_TENANT].text, "t?") &&
           policy.rules[0].decision == AG_KILL && policy.rules[0].approval == AG_APPROVAL_NONE,
       "match attributes; * is any; decision leaves approval empty");
    OK(read_text(HEAD
                 "rules:\n - {conditions: {hours: '18:00-08:00', tz: Europe/Berlin, weekdays: [1, 5]}}\n") &&
           policy.rules[0].body->n == 1 && policy.rules[0].body->kid[0]->window.start == 1080 &&
           policy.rules[0].body->kid[0]->window.end == 480 &&
           policy.rules[0].body->kid[0]->window.days == 0x11 && policy.nzones == 1 &&
           ag_str_is(policy.zones[0].text, "Europe/Berlin"),
       "hours, tz and weekdays are one window");
    OK(read_text(
           HEAD
           "rules:\n - {conditions: {param_eq: {a: 1, b: x, c: [1, {d: null}], e: true}, param_gt: {a: 2}, "
           "param_lt: {a: 3}, param_gte: {a: 4}, param_lte: {a: 5}, param_contains: {t: z}, "
           "param_matches: {m: '@example\\.com$'}, time_after: '09:00', time_before: 18:00, weekdays: "
           "[7]}}\n") &&
           policy.rules[0].body->n == 13 && diags.n == 0,
       "the ten condition keys (B3)");
    OK(policy.rules[0].body->kid[2]->kid[0]->kind == AGC_ARRAY &&
           policy.rules[0].body->kid[0]->kid[0]->kind == AGC_NUMBER &&
           policy.rules[0].body->kid[3]->kid[0]->kind == AGC_TRUE_LIT,
       "values keep their types");
    OK(read_text(HEAD
                 "combine: deny_overrides\nname: x\naudit: {level: durable, sign: row, input: full}\n") &&
           policy.combine == AG_DENY_OVERRIDES && ag_str_is(policy.name.text, "x") &&
           policy.audit_level == AG_DURABLE && policy.audit_sign == AG_SIGN_ROW &&
           policy.audit_input == AG_INPUT_FULL,
       "name, combine, audit");
    read_text("version: \"1\"\nrules: []\n");
    OK(only(AGC_D_DEFAULT_APPROVAL, 1, 1) && policy.default_decision == AG_DENY,
       "no default: block, with a warning (B1)");
    read_text(HEAD "rules:\n - {name: a}\n - {name: a}\n");
    OK(only(AGC_D_DUPLICATE_NAME, 5, 11) && diags.nerrors == 0, "duplicate rule names are a warning");
}

int
main(void)
{
    test_vectors();
    test_rules();
    agc_arena_fini(&arena);
    return t_done();
}
