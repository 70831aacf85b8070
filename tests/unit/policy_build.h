// SPDX-License-Identifier: Apache-2.0
// Policies built by hand, for tests of the compiler's back half without a front end.
// In: rules as C text. Out: struct agc_policy in the arena. Thread rule: one test, one thread.
#ifndef AEGIS_TEST_POLICY_BUILD_H
#define AEGIS_TEST_POLICY_BUILD_H

#include "compiler/ast.h"

struct pb {
    struct agc_arena arena;
    struct agc_sources sources;
    struct agc_policy policy;
};

static inline void
pb_init(struct pb *b, enum ag_combine combine)
{
    memset(b, 0, sizeof *b);
    agc_source_add(&b->arena, &b->sources, AG_STR("dir/policy.yaml"), AG_STR("version: \"1\"\nrules: []\n"));
    b->policy.name = (struct agc_str_at){.text = AG_STR("test")};
    b->policy.combine = combine;
    b->policy.default_decision = AG_DENY;
    b->policy.default_risk = AG_RISK_MEDIUM;
    b->policy.rules = agc_alloc(&b->arena, 64 * sizeof *b->policy.rules);
    b->policy.limits = agc_alloc(&b->arena, 64 * sizeof *b->policy.limits);
}

static inline void
pb_fini(struct pb *b)
{
    agc_arena_fini(&b->arena);
}

static inline struct agc_node *
pb_node(struct pb *b, enum agc_node_kind kind, const char *text, uint32_t n, struct agc_node *k0,
        struct agc_node *k1)
{
    struct agc_node *node = agc_node_new(&b->arena, kind, (struct agc_span){0, 0, 1}, ag_str_z(text), n);
    if (n > 0)
        node->kid[0] = k0;
    if (n > 1)
        node->kid[1] = k1;
    return node;
}

static inline struct agc_node *
pb_input(struct pb *b, const char *key)
{
    return pb_node(b, AGC_REF, "", 2, pb_node(b, AGC_VAR, "input", 0, NULL, NULL),
                   pb_node(b, AGC_STRING, key, 0, NULL, NULL));
}

// A rule whose match attributes are globs; NULL is any.
static inline struct agc_rule *
pb_rule(struct pb *b, const char *name, const char *type, const char *target, enum ag_severity decision,
        struct agc_node *body)
{
    struct agc_rule *r = &b->policy.rules[b->policy.nrules++];
    r->name.text = ag_str_z(name);
    if (type)
        r->match[AG_ATTR_TYPE].text = ag_str_z(type);
    if (target)
        r->match[AG_ATTR_TARGET].text = ag_str_z(target);
    r->decision = (uint8_t)decision;
    r->risk = AG_RISK_LOW;
    r->body = body;
    return r;
}

// A body of one literal.
static inline struct agc_node *
pb_query(struct pb *b, struct agc_node *literal)
{
    return pb_node(b, AGC_QUERY, "", 1, literal, NULL);
}

#endif
