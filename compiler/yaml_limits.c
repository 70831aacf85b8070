// SPDX-License-Identifier: Apache-2.0
// `limits:` -> struct agc_limit: token rates (GCRA), exact sliding windows, calendar quotas and budgets (B8,
// D). In: the tree. Out: limits of the policy, keys as terms over the input. Memory: the compile arena. Next
// file to read: resolve.c.
#include "yaml_parts.h"

#include "../vm/limits.h"

#define RATE_MAX   1000000000u // events of one rate
#define MICRO      1000000u    // micro-dollars of a dollar
#define SECOND_NS  UINT64_C(1000000000)
#define TICK_NS    4u              // unit of state time (runtime/host/state/state.h)
#define PERIOD_MAX (366u * 86400u) // seconds of one window

// Digits at the front of s. Returns their number; 0 when there is none or the value passes `max`.
static size_t
digits(struct ag_str s, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        v = v * 10 + (uint64_t)(s.p[i] - '0');
        if (v > max)
            return 0;
    }
    *ret = v;
    return i;
}

static uint64_t
unit_seconds(struct ag_str s)
{
    if (s.n != 1)
        return 0;
    return s.p[0] == 's' ? 1 : s.p[0] == 'm' ? 60 : s.p[0] == 'h' ? 3600 : s.p[0] == 'd' ? 86400 : 0;
}

static void
read_rate(struct agc_reader *r, const struct agc_ynode *v, struct ag_limit *spec)
{
    uint64_t n = 0;
    size_t at = digits(v->text, RATE_MAX, &n);
    struct ag_str rest = ag_str_of(v->text.p + at, v->text.n - at);
    uint64_t unit = rest.n == 2 && rest.p[0] == '/' ? unit_seconds(ag_str_of(rest.p + 1, 1)) : 0;
    if (at == 0 || n == 0 || unit == 0) {
        struct agc_diag *d =
            agc_diag(r->diags, AGC_D_BAD_RATE, v->span, "\"%.*s\" is not a rate", (int)v->text.n, v->text.p);
        agc_diag_fix(r->diags, d, "write a number from 1 to %u, a slash and s, m, h or d, such as 50/s",
                     RATE_MAX);
        return;
    }
    spec->kind = AG_LIMIT_RATE;
    spec->rate_num = n;
    spec->rate_per_ns = unit * SECOND_NS;
    spec->burst = n;
}

// A burst that takes longer to come back than a word of state can say would make every decision unavailable.
static void
check_burst(struct agc_reader *r, struct agc_span span, const struct ag_limit *spec)
{
    uint64_t interval = spec->rate_per_ns / spec->rate_num + TICK_NS; // rounded up to whole ticks at run time
    uint64_t max = AG_RATE_FILL_MAX_NS / interval;
    if (spec->burst <= max)
        return;
    struct agc_diag *d =
        agc_diag(r->diags, AGC_D_OUT_OF_RANGE, span,
                 "a burst of %llu at this rate comes back in %llu days, at most 833 are accepted",
                 (unsigned long long)spec->burst,
                 (unsigned long long)((double)interval * (double)spec->burst / 86400e9));
    agc_diag_fix(r->diags, d, "write a burst of at most %llu, or a higher rate", (unsigned long long)max);
}

static void
read_window(struct agc_reader *r, const struct agc_ynode *n, struct ag_limit *spec)
{
    struct agc_ymap m;
    if (!agc_yaml_map(r, n, AGC_YS_LIMIT_WINDOW, &m))
        return;
    spec->kind = AG_LIMIT_WINDOW;
    spec->burst = 100;
    spec->rate_per_ns = 60 * SECOND_NS;
    if (m.at[AGC_YK_LIMIT_WINDOW_max])
        spec->burst = (uint64_t)agc_yaml_double(m.at[AGC_YK_LIMIT_WINDOW_max]);
    spec->rate_num = spec->burst;
    const struct agc_ynode *per = m.at[AGC_YK_LIMIT_WINDOW_per];
    if (!per)
        return;
    uint64_t v = 0;
    size_t at = digits(per->text, PERIOD_MAX, &v);
    uint64_t unit = at == per->text.n ? 1 : unit_seconds(ag_str_of(per->text.p + at, per->text.n - at));
    if (at == 0 || v == 0 || unit == 0 || v > PERIOD_MAX / unit) {
        struct agc_diag *d =
            agc_diag(r->diags, AGC_D_BAD_RATE, per->span, "\"%.*s\" is not a length of time up to 366d",
                     (int)per->text.n, per->text.p);
        agc_diag_fix(r->diags, d, "write a number and s, m, h or d, such as 60s");
        return;
    }
    spec->rate_per_ns = v * unit * SECOND_NS;
}

static void
read_key(struct agc_reader *r, const struct agc_ynode *list, struct agc_limit *l)
{
    static const char *const names[] = {"tenant", "agent", "type", "target", "session_id"};
    uint32_t n = list ? list->n : 1;
    if (list && n == 0) {
        agc_diag(r->diags, AGC_D_OUT_OF_RANGE, list->span, "key needs at least one field");
        return;
    }
    struct agc_node **key = agc_alloc(r->arena, (size_t)n * sizeof(struct agc_node *));
    for (uint32_t i = 0; i < n; i++) {
        unsigned bit = AG_KEY_TENANT;
        struct agc_span span = list ? list->kid[i]->span : l->name.span;
        if (list && !agc_yaml_word(r, list->kid[i], AGC_YT_KEY_FIELD, &bit))
            continue;
        if (l->spec.key_fields & bit) {
            agc_diag(r->diags, AGC_D_DUPLICATE_KEY, span, "key names the same field twice");
            continue;
        }
        l->spec.key_fields |= bit;
        unsigned ix = 0;
        while (1u << ix != bit)
            ix++;
        struct agc_node *ref = agc_node_new(r->arena, AGC_REF, span, AG_STR(""), 2);
        ref->kid[0] = agc_node_new(r->arena, AGC_VAR, span, AG_STR("input"), 0);
        ref->kid[1] = agc_node_new(r->arena, AGC_STRING, span, ag_str_z(names[ix]), 0);
        key[l->nkeys++] = ref;
    }
    l->key = key;
    l->spec.nkeys = l->nkeys;
}

// The keys that say what kind of limit it is: exactly one of them.
static void
one_kind(struct agc_reader *r, const struct agc_ynode *n, const struct agc_ymap *m)
{
    static const enum agc_ykey kinds[] = {AGC_YK_LIMIT_rate, AGC_YK_LIMIT_window, AGC_YK_LIMIT_quota,
                                          AGC_YK_LIMIT_budget};
    const struct agc_ynode *first = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct agc_ynode *key = m->key[kinds[i]];
        if (key && first) {
            struct agc_diag *d =
                agc_diag(r->diags, AGC_D_EXCLUSIVE_KEYS, key->span, "%.*s and %.*s exclude each other",
                         (int)first->text.n, first->text.p, (int)key->text.n, key->text.p);
            agc_diag_second(r->diags, d, first->span, "%.*s is given here", (int)first->text.n,
                            first->text.p);
        }
        first = first ? first : key;
    }
    if (!first)
        agc_diag(r->diags, AGC_D_MISSING_KEY, n->span, "a limit needs rate, window, quota or budget");
}

static void
read_quota(struct agc_reader *r, const struct agc_ynode *n, struct ag_limit *spec)
{
    struct agc_ymap m;
    if (!agc_yaml_map(r, n, AGC_YS_LIMIT_QUOTA, &m))
        return;
    spec->kind = AG_LIMIT_QUOTA;
    if (m.at[AGC_YK_LIMIT_QUOTA_daily])
        spec->cap[0] = (uint64_t)agc_yaml_double(m.at[AGC_YK_LIMIT_QUOTA_daily]);
    if (m.at[AGC_YK_LIMIT_QUOTA_monthly])
        spec->cap[1] = (uint64_t)agc_yaml_double(m.at[AGC_YK_LIMIT_QUOTA_monthly]);
    if (!m.key[AGC_YK_LIMIT_QUOTA_daily] && !m.key[AGC_YK_LIMIT_QUOTA_monthly])
        agc_diag(r->diags, AGC_D_MISSING_KEY, n->span, "a quota needs daily, monthly or both");
}

// Dollars with at most six decimals, in micro-dollars: never through binary floating point.
static bool
dollars(struct ag_str s, uint64_t *ret)
{
    uint64_t whole = 0, part = 0;
    size_t at = digits(s, AG_COUNT_MAX / MICRO, &whole), n = 0;
    if (!at)
        return false;
    if (at < s.n) {
        struct ag_str rest = ag_str_of(s.p + at + 1, s.n - at - 1);
        n = digits(rest, MICRO - 1, &part);
        if (s.p[at] != '.' || n == 0 || n != rest.n || n > 6)
            return false;
    }
    for (; n < 6; n++)
        part *= 10;
    *ret = whole * MICRO + part;
    return *ret && *ret <= AG_COUNT_MAX;
}

static void
read_dollars(struct agc_reader *r, const struct agc_ynode *v, uint64_t *ret)
{
    if (!v || dollars(v->text, ret))
        return;
    struct agc_diag *d = agc_diag(r->diags, AGC_D_BAD_AMOUNT, v->span,
                                  "\"%.*s\" is not an amount of dollars from 0.000001 to 4398046.511103",
                                  (int)v->text.n, v->text.p);
    agc_diag_fix(r->diags, d, "write digits and at most six decimals, such as \"25.00\"");
}

static void
read_budget(struct agc_reader *r, const struct agc_ynode *n, struct ag_limit *spec)
{
    struct agc_ymap m;
    if (!agc_yaml_map(r, n, AGC_YS_LIMIT_BUDGET, &m))
        return;
    spec->kind = AG_LIMIT_BUDGET;
    read_dollars(r, m.at[AGC_YK_LIMIT_BUDGET_daily_usd], &spec->cap[0]);
    read_dollars(r, m.at[AGC_YK_LIMIT_BUDGET_monthly_usd], &spec->cap[1]);
    if (!m.key[AGC_YK_LIMIT_BUDGET_daily_usd] && !m.key[AGC_YK_LIMIT_BUDGET_monthly_usd])
        agc_diag(r->diags, AGC_D_MISSING_KEY, n->span, "a budget needs daily_usd, monthly_usd or both");
    if (m.at[AGC_YK_LIMIT_BUDGET_warn_at])
        for (int i = 0; i < 2; i++) { // rounded up: a warning never comes before its share is used
            double level = agc_yaml_double(m.at[AGC_YK_LIMIT_BUDGET_warn_at]) * (double)spec->cap[i];
            spec->warn[i] = (uint64_t)level + ((double)(uint64_t)level < level);
        }
}

// The cost is one expression; when.c refuses what needs more than the input.
static void
read_cost(struct agc_reader *r, const struct agc_ymap *m, struct agc_limit *l)
{
    const struct agc_ynode *v = m->at[AGC_YK_LIMIT_cost];
    if (!v)
        return;
    if (v->kind != AGC_Y_SCALAR || agc_yaml_is_null(v)) {
        agc_diag(r->diags, AGC_D_WRONG_TYPE, v->span, "cost must be an expression, found %s",
                 agc_yaml_what(v));
        return;
    }
    struct agc_text text = agc_yaml_text(r->arena, r->sources, v);
    struct agc_node *q = agc_parse_query(r->arena, r->diags, &text);
    if (!q)
        return;
    if (q->n == 1)
        l->cost = q->kid[0];
    else
        agc_diag(r->diags, AGC_D_WRONG_TYPE, v->span, "cost is one expression, found %u", q->n);
}

static void
check_together(struct agc_reader *r, const struct agc_ymap *m, const struct agc_limit *l)
{
    const struct agc_ynode *cost = m->key[AGC_YK_LIMIT_cost], *counts = m->key[AGC_YK_LIMIT_count_denied];
    bool is_budget = m->key[AGC_YK_LIMIT_budget] != NULL;
    if (is_budget && !cost && !l->is_by_effects)
        agc_diag(r->diags, AGC_D_MISSING_KEY, m->key[AGC_YK_LIMIT_budget]->span,
                 "a budget needs cost, or charge: effects");
    if (cost && (m->key[AGC_YK_LIMIT_window] || l->is_by_effects))
        agc_diag(r->diags, AGC_D_EXCLUSIVE_KEYS, cost->span, "cost does not go together with %s",
                 l->is_by_effects ? "charge: effects" : "window, which counts single events");
    if (counts && is_budget)
        agc_diag(r->diags, AGC_D_EXCLUSIVE_KEYS, counts->span,
                 "count_denied does not go together with budget: what did not happen cost nothing");
    if (m->key[AGC_YK_LIMIT_match] && l->is_by_effects)
        agc_diag(r->diags, AGC_D_EXCLUSIVE_KEYS, m->key[AGC_YK_LIMIT_match]->span,
                 "match does not go together with charge: effects, whose rules say when it is charged");
}

static void
read_limit(struct agc_reader *r, const struct agc_ynode *n, struct agc_limit *l)
{
    struct agc_ymap m;
    unsigned w;
    l->span = n->span;
    l->spec.on_exceed = AG_THROTTLE;
    if (!agc_yaml_map(r, n, AGC_YS_LIMIT, &m))
        return;
    const struct agc_ynode *name = m.at[AGC_YK_LIMIT_name];
    if (name && name->text.n)
        l->name = (struct agc_str_at){name->text, name->span};
    else if (name || !m.key[AGC_YK_LIMIT_name])
        agc_diag(r->diags, AGC_D_MISSING_KEY, n->span, "a limit needs a name");
    if (m.at[AGC_YK_LIMIT_match])
        agc_yaml_match(r, m.at[AGC_YK_LIMIT_match], l->match);
    if (!m.key[AGC_YK_LIMIT_key] || m.at[AGC_YK_LIMIT_key])
        read_key(r, m.at[AGC_YK_LIMIT_key], l);
    one_kind(r, n, &m);
    if (m.at[AGC_YK_LIMIT_rate])
        read_rate(r, m.at[AGC_YK_LIMIT_rate], &l->spec);
    else if (m.at[AGC_YK_LIMIT_window])
        read_window(r, m.at[AGC_YK_LIMIT_window], &l->spec);
    else if (m.at[AGC_YK_LIMIT_quota])
        read_quota(r, m.at[AGC_YK_LIMIT_quota], &l->spec);
    else if (m.at[AGC_YK_LIMIT_budget])
        read_budget(r, m.at[AGC_YK_LIMIT_budget], &l->spec);
    if (m.at[AGC_YK_LIMIT_burst]) {
        if (l->spec.kind != AG_LIMIT_RATE || !m.key[AGC_YK_LIMIT_rate])
            agc_diag(r->diags, AGC_D_EXCLUSIVE_KEYS, m.key[AGC_YK_LIMIT_burst]->span,
                     "burst belongs to rate, not to window, quota or budget");
        l->spec.burst = (uint64_t)agc_yaml_double(m.at[AGC_YK_LIMIT_burst]);
    }
    if (l->spec.kind == AG_LIMIT_RATE && l->spec.rate_num)
        check_burst(r, m.key[AGC_YK_LIMIT_burst] ? m.key[AGC_YK_LIMIT_burst]->span : n->span, &l->spec);
    if (m.at[AGC_YK_LIMIT_on_exceed] && agc_yaml_word(r, m.at[AGC_YK_LIMIT_on_exceed], AGC_YT_ON_EXCEED, &w))
        l->spec.on_exceed = (uint8_t)w;
    if (m.at[AGC_YK_LIMIT_count_denied])
        l->spec.count_denied = agc_yaml_bool(m.at[AGC_YK_LIMIT_count_denied]);
    if (m.at[AGC_YK_LIMIT_charge] && agc_yaml_word(r, m.at[AGC_YK_LIMIT_charge], AGC_YT_CHARGE, &w))
        l->is_by_effects = w;
    read_cost(r, &m, l);
    check_together(r, &m, l);
}

void
agc_yaml_limits(struct agc_reader *r, const struct agc_ynode *list)
{
    struct agc_policy *p = r->policy;
    if (list->n > AGC_LIMITS_MAX - p->nlimits) {
        agc_diag(r->diags, AGC_D_TOO_LARGE, list->span, "more than %u limits", AGC_LIMITS_MAX);
        return;
    }
    struct agc_limit *limits = agc_alloc(r->arena, ((size_t)p->nlimits + list->n) * sizeof *limits);
    if (p->nlimits)
        memcpy(limits, p->limits, p->nlimits * sizeof *limits);
    for (uint32_t i = 0; i < list->n; i++) {
        struct agc_limit *l = &limits[p->nlimits + i];
        read_limit(r, list->kid[i], l);
        for (uint32_t j = 0; l->name.text.n && j < p->nlimits + i; j++)
            if (ag_str_eq(limits[j].name.text, l->name.text)) {
                struct agc_diag *d =
                    agc_diag(r->diags, AGC_D_DUPLICATE_LIMIT, l->name.span, "two limits are named \"%.*s\"",
                             (int)l->name.text.n, l->name.text.p);
                agc_diag_second(r->diags, d, limits[j].name.span, "the first one");
                break;
            }
    }
    p->limits = limits;
    p->nlimits += list->n;
}
