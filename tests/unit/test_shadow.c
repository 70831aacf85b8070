// SPDX-License-Identifier: Apache-2.0
// The questions about sets of rules: the five shipped policies give exactly the findings of B14, the algebra
// of regions answers as brute force does, and thousands of rules that do not meet cost little work.
#include "t.h"

#include "compiler/analyse.h"
#include "compiler/yaml_read.h"

#include "pattern/pattern.h"

static struct agc_arena arena;
static struct agc_sources sources;
static struct agc_diags diags;
static struct agc_policy policy;

static void
analyse(int ix)
{
    agc_yaml_read(&arena, &sources, (uint32_t)ix, &diags, &policy);
    agc_analyse(&arena, &diags, &policy);
}

static void
fresh(void)
{
    agc_arena_fini(&arena);
    sources = (struct agc_sources){0};
    policy = (struct agc_policy){0};
    agc_diags_init(&diags, &arena, &sources);
}

static unsigned
count(enum agc_diag_id id)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < diags.n; i++)
        n += diags.v[i].id == id;
    return n;
}

static int
says(enum agc_diag_id id, const char *part)
{
    for (uint32_t i = 0; i < diags.n; i++) {
        char text[2100];
        snprintf(text, sizeof text, "%.*s", (int)diags.v[i].text.n, diags.v[i].text.p);
        if (diags.v[i].id == id && strstr(text, part))
            return 1;
    }
    return 0;
}

static void
test_vectors(void)
{
    // unreachable-rule, shadowed-for, window-gap, missing-param-fallthrough, empty-window
    static const struct {
        const char *file;
        unsigned n[5];
    } want[] = {{"devops", {0, 0, 2, 1, 0}},
                {"financial", {0, 1, 1, 1, 0}},
                {"healthcare", {1, 0, 0, 0, 0}},
                {"policy-ci-v1", {0, 0, 0, 0, 0}},
                {"policy-ci-v2", {0, 0, 0, 0, 0}}};
    static const enum agc_diag_id ids[5] = {AGC_D_UNREACHABLE_RULE, AGC_D_SHADOWED_FOR, AGC_D_WINDOW_GAP,
                                            AGC_D_MISSING_PARAM, AGC_D_EMPTY_WINDOW};
    const char *shared = getenv("AEGIS_SHARED");
    for (size_t i = 0; i < 5; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/vectors/agent-aegis/%s.yaml", shared ? shared : "none", want[i].file);
        fresh();
        int ix = agc_source_read(&arena, &sources, path);
        if (ix == -1) {
            t_skip("shared vectors are not here (AEGIS_SHARED)");
            continue;
        }
        analyse(ix);
        for (int k = 0; k < 5; k++)
            OK(count(ids[k]) == want[i].n[k], "%s: %u times %s (B14)", want[i].file, want[i].n[k],
               agc_diag_name(ids[k]));
        if (i == 0)
            OK(says(AGC_D_WINDOW_GAP,
                    "Mon-Fri 00:00 to 09:00, Sat-Sun 00:00 to 17:00 falls to the default (escalate)"),
               "devops: the gap of production deploys");
        if (i == 1)
            OK(says(AGC_D_SHADOWED_FOR, "bypassed for 10 ") &&
                   says(AGC_D_SHADOWED_FOR, "view (view_auto), read (read_auto), "
                                            "report (report_auto), create_invoice (create_invoice), payment "
                                            "(payment_small_approve), payment "
                                            "(payment_large_approve), refund (refund_approve), transfer "
                                            "(transfer_critical), delete (delete_block), "
                                            "modify_account (modify_account_block)"),
               "financial: the ten bypassed actions");
        if (i == 2)
            OK(says(AGC_D_UNREACHABLE_RULE, "\"after_hours_phi\"") &&
                   says(AGC_D_UNREACHABLE_RULE, "access_phi_high"),
               "healthcare: the dead rule and what shadows it");
    }
}

static const char *const globs[] = {"a",     "*",   "a*",   "*a", "a?", "?a",   "[ab]", "[!a]",
                                    "a*b",   "*a*", "ab",   "?",  "??", "a[b]", "**",   "b*a",
                                    "[a-c]", "*?",  "a**b", "",   "[a", "ba*"};

// All strings of up to four characters over {a, b, c}.
static size_t
word(size_t i, char out[5])
{
    size_t n = 0;
    for (; i; i = (i - 1) / 3)
        out[n++] = "abc"[(i - 1) % 3];
    out[n] = '\0';
    return n;
}

static void
test_globs(void)
{
    int covers_ok = 1, meets_ok = 1, sample_ok = 1, found = 0;
    size_t n = sizeof globs / sizeof globs[0];
    fresh();
    for (size_t i = 0; i < n; i++) {
        const struct agc_glob *a = agc_glob_parse(&arena, ag_str_z(globs[i]));
        struct ag_str sample = agc_glob_sample(&arena, a);
        if (!ag_glob_match(ag_str_z(globs[i]), sample)) {
            sample_ok = 0;
            printf("# sample of %s is %.*s\n", globs[i], (int)sample.n, sample.p);
        }
        for (size_t j = 0; j < n; j++) {
            const struct agc_glob *b = agc_glob_parse(&arena, ag_str_z(globs[j]));
            bool subset = true, meet = false;
            for (size_t k = 0; k < 121; k++) {
                char text[5];
                struct ag_str w = ag_str_of(text, word(k, text));
                bool in_a = ag_glob_match(ag_str_z(globs[i]), w), in_b = ag_glob_match(ag_str_z(globs[j]), w);
                subset &= !in_b || in_a;
                meet |= in_a && in_b;
            }
            bool covers = agc_glob_covers(a, b);
            found += covers && i != j;
            if (covers && !subset) {
                covers_ok = 0;
                printf("# %s does not cover %s\n", globs[i], globs[j]);
            }
            if (meet && !agc_glob_meets(&arena, a, b)) {
                meets_ok = 0;
                printf("# %s meets %s\n", globs[i], globs[j]);
            }
        }
    }
    OK(covers_ok, "no glob is said to cover more than brute force finds");
    OK(found > 40, "inclusion is found between different globs (%d pairs)", found);
    OK(meets_ok, "no two globs that share a string are said to be disjoint");
    OK(sample_ok, "a sample matches its glob");
    OK(!agc_glob_meets(&arena, agc_glob_parse(&arena, AG_STR("bulk_*")),
                       agc_glob_parse(&arena, AG_STR("write*"))) &&
           !agc_glob_meets(&arena, agc_glob_parse(&arena, AG_STR("*x")),
                           agc_glob_parse(&arena, AG_STR("*y"))),
       "disjoint prefixes and suffixes are seen");
}

static void
test_weeks(void)
{
    struct agc_week night = {{0}}, all = {{0}};
    fresh();
    agc_week_add(&night, &(struct ag_window){.start = 1320, .end = 360, .days = 1 << 6});
    OK(agc_week_has(&night, 6 * 1440 + 1320) && agc_week_has(&night, 0) && agc_week_has(&night, 359) &&
           !agc_week_has(&night, 360),
       "a window over Sunday midnight goes on into Monday");
    OK(ag_str_is(agc_week_text(&arena, &night), "Sun 22:00 to Mon 06:00"), "and prints as one run");
    agc_week_add(&all, &(struct ag_window){.start = 0, .end = 1440, .days = 0x7f});
    OK(ag_str_is(agc_week_text(&arena, &all), "always") && agc_week_covers(&all, &night) &&
           !agc_week_covers(&night, &all),
       "the whole week");
}

static void
test_many(void)
{
    fresh();
    uint32_t n = 10000;
    char *text = agc_alloc(&arena, n * 140u + 100), *p = text;
    p += snprintf(p, 140, "version: \"1\"\ndefaults: {approval: block}\nrules:\n");
    for (uint32_t i = 0; i < n; i++)
        p += snprintf(
            p, 140,
            " - {name: r%u, match: {type: \"act%u_*\"}, conditions: {time_after: \"18:00\"}, approval: %s}\n",
            i, i, i % 2 ? "auto" : "block");
    analyse(agc_source_add(&arena, &sources, AG_STR("many"), ag_str_of(text, (size_t)(p - text))));
    OK(policy.nrules == n && count(AGC_D_ANALYSIS_LIMIT) == 0 && diags.n == 0,
       "10,000 rules that do not meet are quiet");
    struct agc_rule_set s;
    agc_rule_set_init(&s, &arena, &diags, &policy);
    for (uint32_t i = 0; i < n; i++) {
        struct agc_candidates c = {0};
        agc_rule_set_covering(&s, &s.region[i], &c);
        s.work += c.n;
    }
    OK(s.work < 10 * n, "each is compared with a few others only (%u comparisons)", s.work);
}

int
main(void)
{
    test_vectors();
    test_globs();
    test_weeks();
    test_many();
    agc_arena_fini(&arena);
    return t_done();
}
