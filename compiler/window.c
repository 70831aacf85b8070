// SPDX-License-Identifier: Apache-2.0
// What falls between rules: windows that are empty, times that no sibling covers, and parameters whose
// absence slips past. In: the rule set. Out: empty-window, window-gap, missing-param-fallthrough. A fall to a
// refusing default is silent where one rule stands alone: that is how permissions are written. Memory: the
// compile arena. Next file to read: lower.c.
#include "analyse.h"

#include "buf.h"
#include "hash.h"

#define NAMES_SHOWN 6u // rules named in one message

// Rules with the same four globs are siblings.
struct group {
    uint32_t n, cap;
    uint32_t *rule; // in source order
};

struct groups {
    uint32_t n;
    struct group *v;
};

static bool
same_match(const struct agc_rule *a, const struct agc_rule *b)
{
    for (int i = 0; i < AG_ATTRS; i++)
        if (!a->match[i].text.p != !b->match[i].text.p || !ag_str_eq(a->match[i].text, b->match[i].text))
            return false;
    return true;
}

static struct groups
group_rules(struct agc_rule_set *s)
{
    uint32_t cap = 16;
    while (cap < 2 * s->n)
        cap *= 2;
    uint32_t *slot = agc_alloc(s->arena, cap * sizeof *slot);
    struct groups g = {0, agc_alloc(s->arena, (s->n + 1u) * sizeof *g.v)};
    for (uint32_t i = 0; i < s->n; i++) {
        const struct agc_rule *r = &s->policy->rules[i];
        uint64_t h = 0;
        for (int k = 0; k < AG_ATTRS; k++)
            h = ag_hash(r->match[k].text.p ? r->match[k].text.p : "", r->match[k].text.n,
                        h + (r->match[k].text.p != NULL));
        uint32_t at = (uint32_t)h & (cap - 1);
        while (slot[at] && !same_match(&s->policy->rules[g.v[slot[at] - 1].rule[0]], r))
            at = (at + 1) & (cap - 1);
        if (!slot[at])
            slot[at] = ++g.n;
        struct group *to = &g.v[slot[at] - 1];
        to->rule = agc_grow(s->arena, to->rule, to->n, &to->cap, sizeof *to->rule);
        to->rule[to->n++] = i;
    }
    return g;
}

static bool
is_refusing(uint8_t decision)
{
    return decision >= AG_DENY;
}

static void
put_match(struct ag_buf *b, const struct agc_rule *r)
{
    static const char *const names[AG_ATTRS] = {"", "@", " of agent ", " of tenant "};
    struct ag_str type = r->match[AG_ATTR_TYPE].text;
    if (type.p)
        ag_buf_str(b, type);
    else
        ag_buf_lit(b, "any action");
    for (int i = 1; i < AG_ATTRS; i++)
        if (r->match[i].text.p) {
            ag_buf_str(b, ag_str_z(names[i]));
            ag_buf_str(b, r->match[i].text);
        }
}

static bool
same_params(const struct agc_region *a, const struct agc_region *b)
{
    if (a->nparams != b->nparams)
        return false;
    for (uint32_t i = 0; i < a->nparams; i++) {
        const struct agc_param *p = agc_region_param(b, a->param[i].name);
        if (!p || !agc_param_covers(&a->param[i], p) || !agc_param_covers(p, &a->param[i]))
            return false;
    }
    return true;
}

// --- window-gap

static void
put_params(struct ag_buf *b, const struct agc_region *r)
{
    for (uint32_t i = 0; i < r->nparams; i++) {
        const struct agc_param *p = &r->param[i];
        ag_buf_str(b, i ? AG_STR(", ") : AG_STR(" with "));
        ag_buf_str(b, p->name);
        if (p->is_string) {
            ag_buf_char(b, ' ');
            ag_buf_json_str(b, p->text);
        }
    }
}

static void
report_gap(struct agc_rule_set *s, const uint32_t *rule, uint32_t n, const struct agc_week *gap)
{
    const struct agc_rule *rules = s->policy->rules, *first = &rules[rule[0]], *last = &rules[rule[n - 1]];
    const struct agc_region *r = &s->region[rule[0]];
    char text[300], sample_text[300];
    struct ag_buf b, ex;
    ag_buf_init(&b, text, sizeof text);
    put_match(&b, first);
    put_params(&b, r);
    struct agc_region hole = *r;
    hole.week = gap;
    struct ag_str example = agc_region_sample(s->arena, &hole), when = agc_week_text(s->arena, gap);
    ag_buf_init(&ex, sample_text, sizeof sample_text);
    if (r->zone != AG_NONE) {
        ag_buf_char(&ex, ' ');
        ag_buf_str(&ex, s->policy->zones[r->zone].text);
    }
    struct agc_diag *d = agc_diag(s->diags, AGC_D_WINDOW_GAP, first->name.span,
                                  "%.*s: %.*s%.*s falls to the default (%s); for example %.*s", (int)b.n,
                                  text, (int)when.n, when.p, (int)ex.n, sample_text,
                                  agc_decision_text(s->policy->default_decision), (int)example.n, example.p);
    if (n > 1)
        agc_diag_second(s->diags, d, last->name.span, "the last of %u rules with these actions and windows",
                        n);
    agc_diag_fix(s->diags, d, "add a rule for these times, or one without a window after them");
}

// Takes from the gap what other rules cover that match all of `r` but for time. Returns false when it cannot
// be told.
static bool
fill_gap(struct agc_rule_set *s, const struct agc_region *r, struct agc_week *gap, struct agc_candidates *c)
{
    struct agc_region any_time = *r;
    any_time.week = NULL;
    agc_rule_set_covering(s, &any_time, c);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct agc_region *e = &s->region[c->rule[i]];
        s->work++;
        enum agc_answer covers = agc_region_covers_but_time(e, &any_time);
        if (covers == AGC_NO || e->is_never)
            continue;
        if (covers == AGC_UNKNOWN || (e->week && e->zone != r->zone))
            return false;
        for (uint32_t k = 0; k < AGC_WEEK_WORDS; k++)
            gap->w[k] &= e->week ? ~e->week->w[k] : 0;
    }
    return true;
}

// One set of siblings with the same constraints on parameters, windows of one zone.
static void
find_gap(struct agc_rule_set *s, const uint32_t *rule, uint32_t n, struct agc_candidates *c)
{
    if (n < 2 && is_refusing(s->policy->default_decision))
        return;
    struct agc_week gap = {{0}};
    agc_week_add(&gap, &(struct ag_window){.start = 0, .end = 1440, .days = 0x7f});
    if (fill_gap(s, &s->region[rule[0]], &gap, c) && !agc_week_is_empty(&gap))
        report_gap(s, rule, n, &gap);
}

static void
find_gaps(struct agc_rule_set *s, const struct group *g, struct agc_candidates *c)
{
    bool *is_done = agc_alloc(s->arena, g->n * sizeof *is_done);
    uint32_t *same = agc_alloc(s->arena, g->n * sizeof *same);
    for (uint32_t i = 0; i < g->n && s->work < AGC_WORK_MAX; i++) {
        const struct agc_region *r = &s->region[g->rule[i]];
        if (is_done[i] || !r->week || r->is_upper || s->is_dead[g->rule[i]])
            continue;
        uint32_t n = 0;
        for (uint32_t j = i; j < g->n; j++) {
            const struct agc_region *q = &s->region[g->rule[j]];
            s->work++;
            if (is_done[j] || !q->week || q->is_upper || s->is_dead[g->rule[j]] || q->zone != r->zone ||
                !same_params(r, q))
                continue;
            is_done[j] = true;
            same[n++] = g->rule[j];
        }
        find_gap(s, same, n, c);
    }
}

// --- missing-param-fallthrough

// The first rule that decides an action of the group without the parameter at every time, or AG_NONE.
// *ret_unknown: some rule may decide it, which cannot be told.
static uint32_t
decides_without(struct agc_rule_set *s, const struct agc_rule *like, struct agc_candidates *c,
                bool *ret_unknown)
{
    struct agc_rule bare = *like;
    bare.body = NULL;
    struct agc_region r = agc_region_of(s->arena, &bare, NULL);
    uint32_t best = AG_NONE;
    agc_rule_set_covering(s, &r, c);
    for (uint32_t i = 0; i < c->n; i++) {
        s->work++;
        enum agc_answer a = agc_region_covers(&s->region[c->rule[i]], &r);
        if (a == AGC_UNKNOWN && s->region[c->rule[i]].nparams == 0)
            *ret_unknown = true;
        if (a == AGC_YES && (best == AG_NONE || s->place[c->rule[i]] < s->place[best]))
            best = c->rule[i];
    }
    return best;
}

static void
report_missing(struct agc_rule_set *s, const struct group *g, const struct agc_param *p, uint32_t by)
{
    const struct agc_rule *rules = s->policy->rules;
    char text[300], names[400], outcome[200];
    struct ag_buf b, who, what;
    ag_buf_init(&b, text, sizeof text);
    ag_buf_init(&who, names, sizeof names);
    ag_buf_init(&what, outcome, sizeof outcome);
    put_match(&b, &rules[g->rule[0]]);
    for (uint32_t i = 0, n = 0; i < g->n; i++)
        if (agc_region_param(&s->region[g->rule[i]], p->name) && !s->is_dead[g->rule[i]]) {
            if (n++ == NAMES_SHOWN)
                ag_buf_lit(&who, ", ...");
            if (n > NAMES_SHOWN)
                continue;
            if (n > 1)
                ag_buf_lit(&who, ", ");
            ag_buf_str(&who, rules[g->rule[i]].name.text);
        }
    if (by == AG_NONE) {
        ag_buf_lit(&what, "falls to the default");
    } else {
        ag_buf_lit(&what, "is decided by ");
        ag_buf_str(&what, rules[by].name.text);
    }
    uint8_t decision = by == AG_NONE ? s->policy->default_decision : rules[by].decision;
    struct agc_diag *d = agc_diag(s->diags, AGC_D_MISSING_PARAM, p->span,
                                  "%.*s without the parameter \"%.*s\" matches none of %.*s and %.*s (%s)",
                                  (int)b.n, text, (int)p->name.n, p->name.p, (int)who.n, names, (int)what.n,
                                  outcome, agc_decision_text(decision));
    agc_diag_fix(s->diags, d, "add a rule for %.*s without conditions after these", (int)b.n, text);
}

static void
find_missing(struct agc_rule_set *s, const struct group *g, struct agc_candidates *c)
{
    const struct agc_rule *rules = s->policy->rules;
    for (uint32_t i = 0; i < g->n && s->work < AGC_WORK_MAX; i++) {
        const struct agc_region *r = &s->region[g->rule[i]];
        for (uint32_t k = 0; k < r->nparams && !s->is_dead[g->rule[i]]; k++) {
            bool is_repeat = false, unknown = false;
            uint8_t most = 0;
            for (uint32_t j = 0; j < g->n; j++) {
                bool has =
                    agc_region_param(&s->region[g->rule[j]], r->param[k].name) && !s->is_dead[g->rule[j]];
                s->work++;
                is_repeat |= has && j < i;
                if (has && rules[g->rule[j]].decision > most)
                    most = rules[g->rule[j]].decision;
                if (is_repeat)
                    break;
            }
            if (is_repeat)
                continue;
            uint32_t by = decides_without(s, &rules[g->rule[i]], c, &unknown);
            bool is_safe =
                by == AG_NONE ? is_refusing(s->policy->default_decision) : rules[by].decision >= most;
            if (!is_safe && !unknown)
                report_missing(s, g, &r->param[k], by);
        }
    }
}

void
agc_analyse_windows(struct agc_rule_set *s)
{
    struct agc_candidates c = {0};
    for (uint32_t i = 0; i < s->n; i++)
        if (s->empty_at[i])
            agc_diag_fix(s->diags,
                         agc_diag(s->diags, AGC_D_EMPTY_WINDOW, s->empty_at[i]->span,
                                  "rule \"%.*s\": no moment satisfies its conditions on time",
                                  (int)s->policy->rules[i].name.text.n, s->policy->rules[i].name.text.p),
                         "write hours: \"HH:MM-HH:MM\" for a window over midnight");
    struct groups g = group_rules(s);
    for (uint32_t i = 0; i < g.n && s->work < AGC_WORK_MAX; i++) {
        find_gaps(s, &g.v[i], &c);
        find_missing(s, &g.v[i], &c);
    }
    agc_rule_set_limit(s, "gaps between rules");
}
