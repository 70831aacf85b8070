// SPDX-License-Identifier: Apache-2.0
// The questions about sets of rules (feature B14). In: a policy. Out: warnings. shadow.c asks which rules can
// decide, window.c what falls between them; both look rules up through the same table of glob prefixes.
// Memory: the compile arena. Thread rule: one compilation, one thread. Next file to read: shadow.c.
#ifndef AGC_ANALYSE_H
#define AGC_ANALYSE_H

#include "diag.h"
#include "region.h"

struct agc_posting;

struct agc_rule_set {
    struct agc_arena *arena;
    struct agc_diags *diags;
    const struct agc_policy *policy;
    uint32_t n;
    struct agc_region *region;        // by rule
    const struct agc_node **empty_at; // by rule: the condition that empties its windows
    uint32_t *place;                  // by rule: position in the order in which rules win
    uint32_t *order;                  // by position: rule
    bool *is_dead;                    // by rule: cannot decide (shadow.c fills it)
    uint32_t work;                    // comparisons of the present question; past AGC_WORK_MAX it stops
    // Rules by key: the prefix of each attribute's glob, and last the first parameter that must equal a
    // string.
    uint32_t nslots;
    struct agc_posting *slot[AG_ATTRS + 1];
    uint32_t *by_prefix[AG_ATTRS]; // rules in the order of their prefixes
};

// Regions, order and prefix tables.
void agc_rule_set_init(struct agc_rule_set *s, struct agc_arena *a, struct agc_diags *diags,
                       const struct agc_policy *p);

// Rules whose globs may cover those of `region`, in no order: a superset of the rules that do. The list lives
// until the next call.
struct agc_candidates {
    uint32_t n, cap;
    uint32_t *rule;
};
void agc_rule_set_covering(struct agc_rule_set *s, const struct agc_region *region,
                           struct agc_candidates *ret);

// Says that a question stopped early, when it did, and gives the next one its own allowance of work.
void agc_rule_set_limit(struct agc_rule_set *s, const char *what);

// unreachable-rule, shadowed-for.
void agc_analyse_shadow(struct agc_rule_set *s);
// empty-window, window-gap, missing-param-fallthrough. Call after agc_analyse_shadow: dead rules are skipped.
void agc_analyse_windows(struct agc_rule_set *s);
// Both, with the tables they need: step 5 of the compiler calls this.
void agc_analyse(struct agc_arena *a, struct agc_diags *diags, const struct agc_policy *p);

const char *agc_decision_text(uint8_t decision);

#endif
