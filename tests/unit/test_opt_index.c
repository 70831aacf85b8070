// SPDX-License-Identifier: Apache-2.0
// The decision index: priority order, the home of each rule, and a size that grows with the rules, not with
// their product.
#include "heap.h"
#include "lower.h"
#include "opt.h"

#include "policy_build.h"
#include "t.h"

static bool
make(struct pb *b, struct agc_ir *ir, int level)
{
    struct agc_refusal why;
    char text[200];
    agc_ir_init(ir, &b->arena, &b->policy);
    return agc_lower(ir, &why) && agc_opt(ir, level, text, sizeof text);
}

static const struct agc_index_rule *
at(const struct agc_ir *ir, uint32_t rule)
{
    for (uint32_t i = 0; i < ir->index.n; i++)
        if (ir->index.v[i].rule == rule)
            return &ir->index.v[i];
    return NULL;
}

static void
test_homes(void)
{
    struct pb b;
    struct agc_ir ir;
    pb_init(&b, AG_FIRST_MATCH);
    pb_rule(&b, "eq", "deploy", "prod*", AG_ALLOW, NULL);
    pb_rule(&b, "two", "deploy", "x", AG_ALLOW, NULL);
    pb_rule(&b, "prefix", "read*", NULL, AG_ALLOW, NULL);
    pb_rule(&b, "suffix", NULL, "*.internal", AG_ALLOW, NULL);
    pb_rule(&b, "longer", "a*zz", NULL, AG_ALLOW, NULL);
    pb_rule(&b, "inner", "*x*", NULL, AG_ALLOW, NULL);
    pb_rule(&b, "any", "*", NULL, AG_ALLOW, NULL);
    pb_rule(&b, "escaped", "a[*]b", NULL, AG_ALLOW, NULL);
    OK(make(&b, &ir, 1), "eight rules");
    OK(at(&ir, 0)->home == AGC_HOME_HASH && at(&ir, 0)->mask == 1, "a literal type: the hash of types");
    OK(at(&ir, 1)->home == AGC_HOME_HASH && at(&ir, 1)->mask == 3, "two literals: the hash of both");
    OK(at(&ir, 2)->home == AGC_HOME_PREFIX && ag_str_is(at(&ir, 2)->key, "read"), "a fixed beginning");
    OK(at(&ir, 3)->home == AGC_HOME_SUFFIX && ag_str_is(at(&ir, 3)->key, ".internal"), "a fixed end");
    OK(at(&ir, 4)->home == AGC_HOME_SUFFIX, "of both the longer");
    OK(at(&ir, 5)->home == AGC_HOME_ALWAYS, "neither: always tried");
    OK(at(&ir, 6)->home == AGC_HOME_ALWAYS && at(&ir, 6)->kind[0] == AG_MATCH_ANY, "a lone star is any");
    OK(at(&ir, 7)->kind[0] == AG_MATCH_EQ && ag_str_is(at(&ir, 7)->text[0], "a*b"), "[*] is a literal star");
    OK(make(&b, &ir, 0) && at(&ir, 0)->home == AGC_HOME_ALWAYS, "without optimisation all are always tried");
    pb_fini(&b);
}

static void
test_crowded(void)
{
    struct pb b;
    struct agc_ir ir;
    pb_init(&b, AG_FIRST_MATCH);
    for (unsigned i = 0; i <= AGC_LINEAR_MAX; i++) {
        char glob[16];
        snprintf(glob, sizeof glob, "p%c*", (char)('a' + i));
        pb_rule(&b, "r", "same", agc_strdup(&b.arena, ag_str_z(glob)).p, AG_ALLOW, NULL);
    }
    b.policy.nrules--;
    OK(make(&b, &ir, 1) && at(&ir, 0)->home == AGC_HOME_HASH, "as many rules as a key may share");
    b.policy.nrules++;
    OK(make(&b, &ir, 1) && at(&ir, 0)->home == AGC_HOME_PREFIX, "one more: their globs tell them apart");
    pb_fini(&b);
}

static void
test_order(void)
{
    struct pb b;
    struct agc_ir ir;
    pb_init(&b, AG_DENY_OVERRIDES);
    pb_rule(&b, "a", "x", NULL, AG_ALLOW, NULL);
    pb_rule(&b, "b", "x", NULL, AG_DENY, NULL);
    pb_rule(&b, "c", "x", NULL, AG_KILL, NULL);
    struct agc_node *v = pb_node(&b, AGC_NUMBER, "1", 0, NULL, NULL);
    pb_rule(&b, "d", "x", NULL, AG_ALLOW, pb_query(&b, pb_node(&b, AGC_PARAM_LT, "n", 1, v, NULL)));
    static const uint32_t severe[] = {2, 1, 3, 0}, source[] = {0, 1, 2, 3};
    bool ok = make(&b, &ir, 1);
    for (uint32_t i = 0; i < 4; i++)
        ok = ok && ir.index.v[i].rule == severe[i];
    OK(ok, "deny_overrides: by severity, then source; what can err sorts as deny");
    b.policy.combine = AG_FIRST_MATCH;
    ok = make(&b, &ir, 1);
    for (uint32_t i = 0; i < 4; i++)
        ok = ok && ir.index.v[i].rule == source[i];
    OK(ok, "first_match: source order");
    pb_fini(&b);
}

static size_t
index_bytes(uint32_t n)
{
    struct pb b;
    struct agc_ir ir;
    struct agc_heap heap;
    pb_init(&b, AG_FIRST_MATCH);
    b.policy.rules = agc_alloc(&b.arena, n * sizeof *b.policy.rules);
    for (uint32_t i = 0; i < n; i++) {
        char text[32];
        snprintf(text, sizeof text, i % 2 ? "verb%06u" : "%06u*", i);
        pb_rule(&b, "r", agc_strdup(&b.arena, ag_str_z(text)).p, "*.internal", AG_ALLOW, NULL);
    }
    struct agc_bytes out = {.arena = &b.arena};
    if (!make(&b, &ir, 1))
        return 0;
    agc_heap_init(&heap, &ir);
    uint64_t seed = 0;
    while (!agc_index_write(&ir, &heap, seed, &out)) {
        out.n = 0;
        seed++;
    }
    size_t bytes = out.n;
    OK(((const struct ag_index *)(const void *)out.p)->size == bytes, "%u rules: the struct states its size",
       n);
    pb_fini(&b);
    return bytes;
}

int
main(void)
{
    test_homes();
    test_crowded();
    test_order();
    size_t small = index_bytes(1000), large = index_bytes(10000);
    OK(small && large < 12 * small, "ten times the rules, about ten times the bytes (%zu, %zu)", small,
       large);
    return t_done();
}
