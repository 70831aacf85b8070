// SPDX-License-Identifier: Apache-2.0
// Rules that cannot decide, and rules that are bypassed for some of their actions. In: regions in the order
// in which rules win. Out: unreachable-rule with the rules that shadow it, shadowed-for with the actions.
// Cost: a rule is compared only with rules whose glob prefixes fit, so thousands of rules stay far from n *
// n. Memory: the compile arena. Next file to read: window.c.
#include "analyse.h"

#include "buf.h"
#include "hash.h"

#include <stdlib.h>

#define SHADOWS_SHOWN 6u  // rules named in one message
#define BYPASS_SHOWN  24u // actions named in one message

struct agc_posting {
    struct ag_str key;
    uint32_t n, cap;
    uint32_t *rule;
    bool is_used;
};

const char *
agc_decision_text(uint8_t decision)
{
    static const char *const names[] = {"allow", "monitor", "throttle", "escalate", "deny", "kill"};
    return decision < AG_SEVERITIES ? names[decision] : "?";
}

#define BY_PARAM AG_ATTRS // the table of parameters

static struct agc_posting *
posting(struct agc_rule_set *s, int by, struct ag_str key)
{
    uint32_t h = (uint32_t)ag_hash(key.p, key.n, 0) & (s->nslots - 1);
    while (s->slot[by][h].is_used && !ag_str_eq(s->slot[by][h].key, key))
        h = (h + 1) & (s->nslots - 1);
    return &s->slot[by][h];
}

static struct ag_str
prefix_of(const struct agc_region *r, int attr)
{
    return r->attr[attr] ? r->attr[attr]->prefix : AG_STR("");
}

// "name NUL value" of a parameter that must equal a string; empty for others.
static struct ag_str
param_key(struct agc_arena *a, const struct agc_param *p)
{
    if (!p->is_string)
        return AG_STR("");
    char *k = agc_alloc(a, p->name.n + p->text.n + 1);
    memcpy(k, p->name.p, p->name.n);
    if (p->text.n)
        memcpy(k + p->name.n + 1, p->text.p, p->text.n);
    return ag_str_of(k, p->name.n + 1 + p->text.n);
}

static struct ag_str
first_param_key(struct agc_arena *a, const struct agc_region *r)
{
    for (uint32_t i = 0; i < r->nparams; i++)
        if (r->param[i].is_string)
            return param_key(a, &r->param[i]);
    return AG_STR("");
}

// first_match: source order; deny_overrides: severity first (the same order the decision index uses).
static void
sort_rules(struct agc_rule_set *s)
{
    uint32_t at = 0;
    if (s->policy->combine == AG_FIRST_MATCH) {
        for (uint32_t i = 0; i < s->n; i++)
            s->order[at++] = i;
    } else {
        for (int severity = AG_SEVERITIES - 1; severity >= 0; severity--)
            for (uint32_t i = 0; i < s->n; i++)
                if (s->policy->rules[i].decision == severity)
                    s->order[at++] = i;
    }
    for (uint32_t i = 0; i < s->n; i++)
        s->place[s->order[i]] = i;
}

static void
add_candidate(struct agc_rule_set *s, struct agc_candidates *c, uint32_t rule)
{
    c->rule = agc_grow(s->arena, c->rule, c->n, &c->cap, sizeof *c->rule);
    c->rule[c->n++] = rule;
}

static void
put_posting(struct agc_rule_set *s, int by, struct ag_str key, uint32_t rule)
{
    struct agc_posting *at = posting(s, by, key);
    at->key = key;
    at->is_used = true;
    at->rule = agc_grow(s->arena, at->rule, at->n, &at->cap, sizeof *at->rule);
    at->rule[at->n++] = rule;
}

struct keyed {
    struct ag_str key;
    uint32_t rule;
};

static int
by_key(const void *pa, const void *pb)
{
    const struct keyed *a = pa, *b = pb;
    int c = ag_str_cmp(a->key, b->key);
    return c ? c : a->rule < b->rule ? -1 : a->rule > b->rule;
}

static void
sort_by_prefix(struct agc_rule_set *s, int attr)
{
    struct keyed *v = agc_alloc(s->arena, (s->n + 1u) * sizeof *v);
    for (uint32_t i = 0; i < s->n; i++)
        v[i] = (struct keyed){prefix_of(&s->region[i], attr), i};
    qsort(v, s->n, sizeof *v, by_key);
    s->by_prefix[attr] = agc_alloc(s->arena, (s->n + 1u) * sizeof(uint32_t));
    for (uint32_t i = 0; i < s->n; i++)
        s->by_prefix[attr][i] = v[i].rule;
}

void
agc_rule_set_init(struct agc_rule_set *s, struct agc_arena *a, struct agc_diags *diags,
                  const struct agc_policy *p)
{
    *s = (struct agc_rule_set){.arena = a, .diags = diags, .policy = p, .n = p->nrules};
    s->region = agc_alloc(a, (s->n + 1u) * sizeof *s->region);
    s->empty_at = agc_alloc(a, (s->n + 1u) * sizeof *s->empty_at);
    s->order = agc_alloc(a, (s->n + 1u) * sizeof *s->order);
    s->place = agc_alloc(a, (s->n + 1u) * sizeof *s->place);
    s->is_dead = agc_alloc(a, (s->n + 1u) * sizeof *s->is_dead);
    for (uint32_t i = 0; i < s->n; i++)
        s->region[i] = agc_region_of(a, &p->rules[i], &s->empty_at[i]);
    sort_rules(s);
    s->nslots = 16;
    while (s->nslots < 2 * s->n)
        s->nslots *= 2;
    for (int by = 0; by <= BY_PARAM; by++) {
        s->slot[by] = agc_alloc(a, s->nslots * sizeof *s->slot[by]);
        for (uint32_t i = 0; i < s->n; i++) {
            const struct agc_region *r = &s->region[s->order[i]];
            put_posting(s, by, by == BY_PARAM ? first_param_key(a, r) : prefix_of(r, by), s->order[i]);
        }
    }
    for (int attr = 0; attr < AG_ATTRS; attr++)
        sort_by_prefix(s, attr);
}

// Adds the rules of one posting to `ret`, or only counts them.
static uint32_t
take(struct agc_rule_set *s, int by, struct ag_str key, struct agc_candidates *ret)
{
    const struct agc_posting *at = posting(s, by, key);
    if (!at->is_used)
        return 0;
    for (uint32_t i = 0; ret && i < at->n; i++)
        add_candidate(s, ret, at->rule[i]);
    return at->n;
}

// The rules that table `by` lets cover the region: those whose prefix begins its prefix, or whose parameter
// it has.
static uint32_t
covering_by(struct agc_rule_set *s, const struct agc_region *region, int by, struct agc_candidates *ret)
{
    uint32_t n = 0;
    if (by == BY_PARAM) {
        n = take(s, by, AG_STR(""), ret);
        for (uint32_t i = 0; i < region->nparams; i++)
            if (region->param[i].is_string)
                n += take(s, by, param_key(s->arena, &region->param[i]), ret);
        return n;
    }
    struct ag_str p = prefix_of(region, by);
    for (size_t len = 0; len <= p.n; len++)
        n += take(s, by, ag_str_of(p.p, len), ret);
    return n;
}

void
agc_rule_set_covering(struct agc_rule_set *s, const struct agc_region *region, struct agc_candidates *ret)
{
    int best = 0;
    uint32_t best_n = UINT32_MAX;
    for (int by = 0; by <= BY_PARAM; by++) {
        uint32_t n = covering_by(s, region, by, NULL);
        if (n < best_n) {
            best = by;
            best_n = n;
        }
    }
    ret->n = 0;
    covering_by(s, region, best, ret);
}

static bool
begins(struct ag_str whole, struct ag_str part)
{
    return part.n <= whole.n && memcmp(whole.p, part.p, part.n) == 0;
}

// Rules whose globs may meet the region's: their prefix begins its prefix, or the other way round.
static void
meeting(struct agc_rule_set *s, const struct agc_region *region, struct agc_candidates *ret)
{
    uint32_t best_n = UINT32_MAX, best_lo = 0;
    int best = 0;
    for (int attr = 0; attr < AG_ATTRS; attr++) {
        struct ag_str p = prefix_of(region, attr);
        uint32_t lo = 0, hi = s->n, n = covering_by(s, region, attr, NULL);
        while (lo < hi) {
            uint32_t mid = lo + (hi - lo) / 2;
            if (ag_str_cmp(prefix_of(&s->region[s->by_prefix[attr][mid]], attr), p) < 0)
                lo = mid + 1;
            else
                hi = mid;
        }
        for (uint32_t i = lo;
             i < s->n && n < best_n && begins(prefix_of(&s->region[s->by_prefix[attr][i]], attr), p); i++)
            n++;
        if (n < best_n) {
            best_n = n;
            best = attr;
            best_lo = lo;
        }
    }
    ret->n = 0;
    struct ag_str p = prefix_of(region, best);
    for (size_t len = 0; len < p.n; len++)
        take(s, best, ag_str_of(p.p, len), ret);
    for (uint32_t i = best_lo; i < s->n && begins(prefix_of(&s->region[s->by_prefix[best][i]], best), p); i++)
        add_candidate(s, ret, s->by_prefix[best][i]);
}

static int
by_place(const void *pa, const void *pb)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    return a < b ? -1 : a > b;
}

static void
put_name(struct ag_buf *b, const struct agc_rule *r, bool is_first)
{
    if (!is_first)
        ag_buf_lit(b, ", ");
    ag_buf_str(b, r->name.text);
}

// Do the earlier rules `place[0..n)`, which cover the region but for time, cover it together in time?
static bool
covered_in_time(const struct agc_rule_set *s, const struct agc_region *r, const uint32_t *place, uint32_t n)
{
    struct agc_week all = {{0}};
    for (uint32_t i = 0; i < n; i++) {
        const struct agc_region *e = &s->region[s->order[place[i]]];
        if (!e->week)
            return true;
        if (r->week && e->zone != r->zone)
            continue;
        if (e->zone != s->region[s->order[place[0]]].zone && !r->week)
            continue;
        for (uint32_t k = 0; k < AGC_WEEK_WORDS; k++)
            all.w[k] |= e->week->w[k];
    }
    if (r->week)
        return agc_week_covers(&all, r->week);
    struct agc_week whole = {{0}};
    agc_week_add(&whole, &(struct ag_window){.start = 0, .end = 1440, .days = 0x7f});
    return agc_week_covers(&all, &whole);
}

static void
report_unreachable(struct agc_rule_set *s, uint32_t rule, const uint32_t *place, uint32_t n)
{
    const struct agc_rule *r = &s->policy->rules[rule];
    char text[400];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    for (uint32_t i = 0; i < n && i < SHADOWS_SHOWN; i++)
        put_name(&b, &s->policy->rules[s->order[place[i]]], i == 0);
    const struct agc_rule *first = &s->policy->rules[s->order[place[0]]];
    struct agc_diag *d =
        agc_diag(s->diags, AGC_D_UNREACHABLE_RULE, r->name.span,
                 "rule \"%.*s\" can never decide: %.*s%s always win%s before it", (int)r->name.text.n,
                 r->name.text.p, (int)b.n, text, n > SHADOWS_SHOWN ? " and more" : "", n == 1 ? "s" : "");
    agc_diag_second(s->diags, d, first->name.span, "\"%.*s\" wins first, with %s", (int)first->name.text.n,
                    first->name.text.p, agc_decision_text(first->decision));
    agc_diag_fix(s->diags, d, "move \"%.*s\" above \"%.*s\", or remove it", (int)r->name.text.n,
                 r->name.text.p, (int)first->name.text.n, first->name.text.p);
}

static void
find_unreachable(struct agc_rule_set *s, uint32_t rule, struct agc_candidates *c)
{
    const struct agc_region *r = &s->region[rule];
    agc_rule_set_covering(s, r, c);
    uint32_t n = 0; // earlier rules that cover all but the time, as places, in front of the list
    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t e = c->rule[i];
        s->work++;
        if (s->place[e] >= s->place[rule] || s->region[e].is_never ||
            agc_region_covers_but_time(&s->region[e], r) != AGC_YES)
            continue;
        if (agc_region_covers(&s->region[e], r) == AGC_YES) {
            s->is_dead[rule] = true;
            c->rule[0] = s->place[e];
            report_unreachable(s, rule, c->rule, 1);
            return;
        }
        c->rule[n++] = s->place[e];
    }
    if (n < 2)
        return;
    qsort(c->rule, n, sizeof *c->rule, by_place);
    if (covered_in_time(s, r, c->rule, n)) {
        s->is_dead[rule] = true;
        report_unreachable(s, rule, c->rule, n);
    }
}

// The rule e wins before r for actions that r names, and not because e is a narrower exception: e leaves out
// a condition that r has.
static bool
bypasses(struct agc_rule_set *s, uint32_t e, uint32_t r)
{
    return agc_region_meets(s->arena, &s->region[e], &s->region[r]) == AGC_YES &&
           agc_region_covers(&s->region[r], &s->region[e]) == AGC_NO;
}

static void
put_action(struct ag_buf *b, const struct agc_rule *r, bool is_first)
{
    if (!is_first)
        ag_buf_lit(b, ", ");
    struct ag_str type = r->match[AG_ATTR_TYPE].text, target = r->match[AG_ATTR_TARGET].text;
    ag_buf_str(b, type.p ? type : AG_STR("*"));
    if (target.p) {
        ag_buf_char(b, '@');
        ag_buf_str(b, target);
    }
    ag_buf_lit(b, " (");
    ag_buf_str(b, r->name.text);
    ag_buf_lit(b, ")");
}

// Only a conditional refusal is asked about: an unconditional rule below specific ones is how first match is
// written.
static void
find_bypassed(struct agc_rule_set *s, uint32_t rule, struct agc_candidates *c)
{
    const struct agc_rule *rules = s->policy->rules, *r = &rules[rule];
    if (r->decision < AG_ESCALATE || (!s->region[rule].week && !s->region[rule].nparams))
        return;
    char text[1600];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    uint32_t n = 0, milder = AG_NONE;
    meeting(s, &s->region[rule], c);
    uint32_t all = c->n;
    for (uint32_t i = c->n = 0; i < all && s->work < AGC_WORK_MAX; i++) {
        uint32_t e = c->rule[i];
        s->work++;
        if (s->place[e] < s->place[rule] && !s->is_dead[e] && bypasses(s, e, rule))
            c->rule[c->n++] = s->place[e];
    }
    qsort(c->rule, c->n, sizeof *c->rule, by_place);
    for (; n < c->n; n++) {
        uint32_t e = s->order[c->rule[n]];
        if (rules[e].decision < r->decision && milder == AG_NONE)
            milder = e;
        if (n < BYPASS_SHOWN)
            put_action(&b, &rules[e], n == 0);
    }
    if (milder == AG_NONE)
        return;
    struct agc_diag *d =
        agc_diag(s->diags, AGC_D_SHADOWED_FOR, r->name.span,
                 "rule \"%.*s\" is bypassed for %u of the actions it names, which rules above it decide: "
                 "%.*s%s",
                 (int)r->name.text.n, r->name.text.p, n, (int)b.n, text, n > BYPASS_SHOWN ? " and more" : "");
    agc_diag_second(s->diags, d, rules[milder].name.span,
                    "for example \"%.*s\" answers %s whatever the conditions below say",
                    (int)rules[milder].name.text.n, rules[milder].name.text.p,
                    agc_decision_text(rules[milder].decision));
    agc_diag_fix(s->diags, d, "move \"%.*s\" to the top", (int)r->name.text.n, r->name.text.p);
}

void
agc_analyse_shadow(struct agc_rule_set *s)
{
    struct agc_candidates c = {0};
    for (uint32_t i = 0; i < s->n && s->work < AGC_WORK_MAX; i++) {
        uint32_t rule = s->order[i];
        if (s->region[rule].is_never) {
            s->is_dead[rule] = true;
            continue;
        }
        find_unreachable(s, rule, &c);
    }
    for (uint32_t i = 0; i < s->n && s->work < AGC_WORK_MAX; i++)
        if (s->policy->combine == AG_FIRST_MATCH && !s->is_dead[s->order[i]])
            find_bypassed(s, s->order[i], &c);
    agc_rule_set_limit(s, "shadowed rules");
}

void
agc_rule_set_limit(struct agc_rule_set *s, const char *what)
{
    if (s->work >= AGC_WORK_MAX)
        agc_diag(s->diags, AGC_D_ANALYSIS_LIMIT, s->policy->rules[0].name.span,
                 "the rules overlap too much: %s were looked for in a part of them only", what);
    s->work = 0;
}

void
agc_analyse(struct agc_arena *a, struct agc_diags *diags, const struct agc_policy *p)
{
    struct agc_rule_set s;
    if (p->nrules == 0)
        return;
    agc_rule_set_init(&s, a, diags, p);
    agc_analyse_shadow(&s);
    agc_analyse_windows(&s);
}
