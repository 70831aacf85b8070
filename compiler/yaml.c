// SPDX-License-Identifier: Apache-2.0
// Step 3, YAML half: values -> struct agc_policy. In: the tree of yaml_tree.c. Out: rules, limits, defaults
// and audit settings; conditions and `when:` become one QUERY a rule. Reads on after an error, so that all
// are shown. Memory: the compile arena. Next file to read: resolve.c.
#include "yaml_read.h"

#include "hash.h"
#include "pattern_check.h"
#include "yaml_check.h"
#include "yaml_parts.h"

#include <strings.h>

#define GLOB_SHOWN 100u // bytes of a glob in the name of a rule without one

static const enum agc_ykey match_keys[AG_ATTRS] = {
    [AG_ATTR_TYPE] = AGC_YK_MATCH_type,
    [AG_ATTR_TARGET] = AGC_YK_MATCH_target,
    [AG_ATTR_AGENT] = AGC_YK_MATCH_agent,
    [AG_ATTR_TENANT] = AGC_YK_MATCH_tenant,
};

// `*` and several of them match everything, so they are left out (p == NULL).
static bool
is_any(struct ag_str glob)
{
    for (size_t i = 0; i < glob.n; i++)
        if (glob.p[i] != '*')
            return false;
    return glob.n > 0;
}

void
agc_yaml_match(struct agc_reader *r, const struct agc_ynode *n, struct agc_str_at match[AG_ATTRS])
{
    struct agc_ymap m;
    if (!agc_yaml_map(r, n, AGC_YS_MATCH, &m))
        return;
    for (int i = 0; i < AG_ATTRS; i++) {
        const struct agc_ynode *v = m.at[match_keys[i]];
        if (!v || is_any(v->text) || !agc_glob_ok(r->diags, v->text, v->span))
            continue;
        match[i] = (struct agc_str_at){v->text, v->span};
    }
}

// "HH:MM" at p. Returns minutes, or -1.
static int
minutes(const char *p)
{
    for (int i = 0; i < 5; i++)
        if (i == 2 ? p[i] != ':' : p[i] < '0' || p[i] > '9')
            return -1;
    int h = (p[0] - '0') * 10 + (p[1] - '0'), m = (p[3] - '0') * 10 + (p[4] - '0');
    if (m > 59 || h > 24 || (h == 24 && m > 0))
        return -1;
    return h * 60 + m;
}

static void
bad_time(struct agc_reader *r, const struct agc_ynode *v, const char *form)
{
    struct agc_diag *d = agc_diag(r->diags, AGC_D_BAD_TIME, v->span, "\"%.*s\" is not a time of the form %s",
                                  (int)v->text.n, v->text.p, form);
    if (v->text.n == 4 && v->text.p[1] == ':')
        agc_diag_fix(r->diags, d, "write \"0%.*s\"", (int)v->text.n, v->text.p);
}

static struct agc_node *
window_node(struct agc_reader *r, struct agc_span span, unsigned start, unsigned end, uint32_t days,
            uint32_t zone)
{
    struct agc_node *n = agc_node_new(r->arena, AGC_WINDOW, span, AG_STR(""), 0);
    n->window =
        (struct ag_window){.zone = zone, .start = (uint16_t)start, .end = (uint16_t)end, .days = days};
    return n;
}

// A condition that no moment satisfies.
static struct agc_node *
never(struct agc_reader *r, const struct agc_ynode *v, const char *why)
{
    agc_diag(r->diags, AGC_D_EMPTY_WINDOW, v->span, "%s", why);
    return agc_node_new(r->arena, AGC_FALSE_LIT, v->span, AG_STR(""), 0);
}

#define ALL_DAYS 0x7fu
#define DAY      1440u

static uint32_t
read_days(struct agc_reader *r, const struct agc_ynode *v)
{
    uint32_t days = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct agc_ynode *d = v->kid[i];
        if (!agc_yaml_is_number(d) || d->text.n != 1 || d->text.p[0] < '1' || d->text.p[0] > '7') {
            agc_diag(r->diags, agc_yaml_is_number(d) ? AGC_D_OUT_OF_RANGE : AGC_D_WRONG_TYPE, d->span,
                     "a weekday is a number from 1 (Monday) to 7 (Sunday)");
            continue;
        }
        days |= 1u << (d->text.p[0] - '1');
    }
    return days;
}

// Index of a zone in the policy's table; AG_NONE for UTC.
static uint32_t
zone_index(struct agc_reader *r, const struct agc_ynode *v)
{
    struct agc_policy *p = r->policy;
    if (ag_str_is(v->text, "UTC") || ag_str_is(v->text, "Etc/UTC"))
        return AG_NONE;
    for (uint32_t i = 0; i < p->nzones; i++)
        if (ag_str_eq(p->zones[i].text, v->text))
            return i;
    struct agc_str_at *zones = agc_alloc(r->arena, (p->nzones + 1u) * sizeof *zones);
    if (p->nzones)
        memcpy(zones, p->zones, p->nzones * sizeof *zones);
    zones[p->nzones] = (struct agc_str_at){v->text, v->span};
    p->zones = zones;
    return p->nzones++;
}

static struct agc_node *
hours_node(struct agc_reader *r, const struct agc_ynode *v, uint32_t days, uint32_t zone)
{
    int start = -1, end = -1;
    if (v->text.n == 11 && v->text.p[5] == '-') {
        start = minutes(v->text.p);
        end = minutes(v->text.p + 6);
    }
    if (start == -1 || end == -1 || start == (int)DAY) {
        bad_time(r, v, "\"HH:MM-HH:MM\"");
        return NULL;
    }
    if (start == end) {
        struct agc_diag *d = agc_diag(r->diags, AGC_D_BAD_TIME, v->span, "the window starts when it ends");
        agc_diag_fix(r->diags, d, "write \"00:00-24:00\" for the whole day");
        return NULL;
    }
    return window_node(r, v->span, (unsigned)start, end == 0 ? DAY : (unsigned)end, days, zone);
}

// The time conditions. `hours` and `weekdays` share one window: the weekday is that of the window's start.
static struct agc_node *
time_node(struct agc_reader *r, const struct agc_ymap *m, enum agc_ykey k)
{
    const struct agc_ynode *v = m->at[k], *tz = m->at[AGC_YK_CONDITIONS_tz];
    uint32_t zone = tz ? zone_index(r, tz) : AG_NONE;
    const struct agc_ynode *weekdays = m->at[AGC_YK_CONDITIONS_weekdays];
    if (k == AGC_YK_CONDITIONS_hours) {
        uint32_t days = weekdays ? read_days(r, weekdays) : ALL_DAYS;
        if (weekdays && days == 0)
            return never(r, weekdays, "an empty list of weekdays matches no day");
        return hours_node(r, v, days, zone);
    }
    if (k == AGC_YK_CONDITIONS_weekdays) {
        uint32_t days = read_days(r, v);
        if (days == 0)
            return never(r, v, "an empty list of weekdays matches no day");
        return window_node(r, v->span, 0, DAY, days, zone);
    }
    int t = v->text.n == 5 ? minutes(v->text.p) : -1;
    if (t == -1 || t == (int)DAY) {
        bad_time(r, v, "\"HH:MM\"");
        return NULL;
    }
    if (k == AGC_YK_CONDITIONS_time_after)
        return window_node(r, v->span, (unsigned)t, DAY, ALL_DAYS, AG_NONE);
    if (t == 0)
        return never(r, v, "no time of a day lies before 00:00");
    return window_node(r, v->span, 0, (unsigned)t, ALL_DAYS, AG_NONE);
}

static bool
in_words(struct ag_str s, const char *const *list)
{
    for (; *list; list++)
        if (s.n == strlen(*list) && strncasecmp(s.p, *list, s.n) == 0)
            return true;
    return false;
}

// A plain scalar that YAML 1.1 readers take for a boolean or a number.
static bool
is_ambiguous(struct ag_str s)
{
    static const char *const list[] = {"yes",  "no",    "on",   "off",   "y",    "n",
                                       "true", "false", ".inf", "-.inf", ".nan", NULL};
    if (in_words(s, list))
        return true;
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    if (i == s.n || !((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] == '.' && s.n > i + 1)))
        return false;
    bool is_octal = s.p[i] == '0' && i + 1 < s.n, has_colon = false, has_digit = false;
    size_t dots = 0;
    for (; i < s.n; i++) {
        char c = s.p[i];
        has_colon |= c == ':';
        has_digit |= c >= '0' && c <= '9';
        dots += c == '.';
        bool is_part = (c >= '0' && c <= '9') || c == '_' || c == ':' || c == '.' || c == 'e' || c == 'E' ||
                       (is_octal && (c == 'o' || c == 'x' || c == 'b' || (c >= 'a' && c <= 'f') ||
                                     (c >= 'A' && c <= 'F'))) ||
                       ((c == '+' || c == '-') && i > 0 && (s.p[i - 1] == 'e' || s.p[i - 1] == 'E'));
        if (!is_part)
            return false;
    }
    return has_digit && dots <= (has_colon ? 0u : 1u);
}

struct agc_node *
agc_yaml_value(struct agc_reader *r, const struct agc_ynode *v)
{
    if (v->kind == AGC_Y_SCALAR) {
        if (agc_yaml_is_null(v))
            return agc_node_new(r->arena, AGC_NULL_LIT, v->span, AG_STR(""), 0);
        if (agc_yaml_is_bool(v))
            return agc_node_new(r->arena, agc_yaml_bool(v) ? AGC_TRUE_LIT : AGC_FALSE_LIT, v->span,
                                AG_STR(""), 0);
        if (agc_yaml_is_number(v))
            return agc_node_new(r->arena, AGC_NUMBER, v->span, v->text, 0);
        if (v->style == AGC_Y_PLAIN && is_ambiguous(v->text)) {
            struct agc_diag *d = agc_diag(
                r->diags, AGC_D_YAML_AMBIGUOUS, v->span,
                "%.*s is the string \"%.*s\" here; other YAML readers take it for a boolean or number",
                (int)v->text.n, v->text.p, (int)v->text.n, v->text.p);
            agc_diag_fix(r->diags, d, "write \"%.*s\"", (int)v->text.n, v->text.p);
        }
        return agc_node_new(r->arena, AGC_STRING, v->span, v->text, 0);
    }
    struct agc_node *n =
        agc_node_new(r->arena, v->kind == AGC_Y_SEQ ? AGC_ARRAY : AGC_OBJECT, v->span, AG_STR(""), v->n);
    for (uint32_t i = 0; i < v->n; i++)
        n->kid[i] = v->kind == AGC_Y_MAP && i % 2 == 0
                        ? agc_node_new(r->arena, AGC_STRING, v->kid[i]->span, v->kid[i]->text, 0)
                        : agc_yaml_value(r, v->kid[i]);
    return n;
}

// Growing list of a rule's literals.
struct body {
    uint32_t n, cap;
    struct agc_node **v;
};

static void
push(struct agc_reader *r, struct body *b, struct agc_node *n)
{
    if (!n)
        return;
    b->v = agc_grow(r->arena, b->v, b->n, &b->cap, sizeof(struct agc_node *));
    b->v[b->n++] = n;
}

static const struct {
    enum agc_ykey key;
    enum agc_node_kind kind;
} params[] = {
    {AGC_YK_CONDITIONS_param_eq, AGC_PARAM_EQ},
    {AGC_YK_CONDITIONS_param_gt, AGC_PARAM_GT},
    {AGC_YK_CONDITIONS_param_lt, AGC_PARAM_LT},
    {AGC_YK_CONDITIONS_param_gte, AGC_PARAM_GTE},
    {AGC_YK_CONDITIONS_param_lte, AGC_PARAM_LTE},
    {AGC_YK_CONDITIONS_param_contains, AGC_PARAM_CONTAINS},
    {AGC_YK_CONDITIONS_param_matches, AGC_PARAM_MATCHES},
};

static void
read_params(struct agc_reader *r, const struct agc_ynode *map, enum agc_node_kind kind, struct body *body)
{
    for (uint32_t i = 0; i + 1 < map->n; i += 2) {
        const struct agc_ynode *key = map->kid[i], *v = map->kid[i + 1];
        if (key->kind != AGC_Y_SCALAR)
            continue;
        struct agc_node *value;
        if (kind == AGC_PARAM_MATCHES) {
            if (v->kind != AGC_Y_SCALAR || agc_yaml_is_null(v)) {
                agc_diag(r->diags, AGC_D_WRONG_TYPE, v->span, "a pattern must be a string, found %s",
                         agc_yaml_what(v));
                continue;
            }
            if (!agc_regex_ok(r->diags, v->text, v->span))
                continue;
            value = agc_node_new(r->arena, AGC_STRING, v->span, v->text, 0);
        } else {
            value = agc_yaml_value(r, v);
        }
        struct agc_node *n = agc_node_new(
            r->arena, kind, (struct agc_span){r->source, key->span.begin, v->span.end}, key->text, 1);
        n->kid[0] = value;
        push(r, body, n);
    }
}

static void
read_conditions(struct agc_reader *r, const struct agc_ynode *n, struct body *body)
{
    struct agc_ymap m;
    if (!agc_yaml_map(r, n, AGC_YS_CONDITIONS, &m))
        return;
    bool has_hours = m.key[AGC_YK_CONDITIONS_hours] != NULL,
         has_days = m.key[AGC_YK_CONDITIONS_weekdays] != NULL;
    const struct agc_ynode *tz = m.key[AGC_YK_CONDITIONS_tz];
    if (tz && !has_hours && !has_days) {
        struct agc_diag *d =
            agc_diag(r->diags, AGC_D_MISSING_KEY, tz->span,
                     "tz applies to hours and weekdays, and neither is given (time_after and "
                     "time_before are UTC)");
        agc_diag_fix(r->diags, d, "write hours: \"HH:MM-HH:MM\"");
    }
    // In the order of the file, so that the first condition that fails is the first the author wrote.
    for (uint32_t i = 0; i + 1 < n->n; i += 2) {
        for (enum agc_ykey k = AGC_YK_CONDITIONS_time_after; k <= AGC_YK_CONDITIONS_hours; k++)
            if (m.at[k] == n->kid[i + 1] && m.key[k] == n->kid[i] &&
                !(k == AGC_YK_CONDITIONS_weekdays && has_hours))
                push(r, body, time_node(r, &m, k));
        for (size_t j = 0; j < sizeof params / sizeof params[0]; j++)
            if (m.at[params[j].key] == n->kid[i + 1] && m.key[params[j].key] == n->kid[i])
                read_params(r, n->kid[i + 1], params[j].kind, body);
    }
}

static void
read_when_text(struct agc_reader *r, const struct agc_ynode *n, struct body *body)
{
    if (n->kind != AGC_Y_SCALAR || agc_yaml_is_null(n)) {
        agc_diag(r->diags, AGC_D_WRONG_TYPE, n->span, "when must be a text or a list of texts, found %s",
                 agc_yaml_what(n));
        return;
    }
    struct agc_text text = agc_yaml_text(r->arena, r->sources, n);
    struct agc_node *q = agc_parse_query(r->arena, r->diags, &text);
    for (uint32_t i = 0; q && i < q->n; i++)
        push(r, body, q->kid[i]);
}

static void
read_when(struct agc_reader *r, const struct agc_ynode *n, struct body *body)
{
    if (n->kind != AGC_Y_SEQ) {
        read_when_text(r, n, body);
        return;
    }
    if (n->n > AGC_WHEN_MAX)
        agc_diag(r->diags, AGC_D_TOO_LARGE, n->span, "when has %u texts, at most %u are accepted", n->n,
                 AGC_WHEN_MAX);
    else
        for (uint32_t i = 0; i < n->n; i++)
            read_when_text(r, n->kid[i], body);
}

static uint8_t
decision_of(unsigned approval)
{
    return approval == AG_APPROVAL_AUTO ? AG_ALLOW : approval == AG_APPROVAL_APPROVE ? AG_ESCALATE : AG_DENY;
}

// `decision` or `approval`, whichever is there. False when neither is.
static bool
read_outcome(struct agc_reader *r, const struct agc_ymap *m, enum agc_ykey dec, enum agc_ykey app,
             uint8_t *ret_decision, uint8_t *ret_approval, struct agc_span *ret_span)
{
    unsigned w;
    if (m->key[dec] && m->key[app]) {
        struct agc_diag *d = agc_diag(r->diags, AGC_D_EXCLUSIVE_KEYS, m->key[app]->span,
                                      "decision and approval exclude each other");
        agc_diag_second(r->diags, d, m->key[dec]->span, "decision is given here");
    }
    if (m->at[dec] && agc_yaml_word(r, m->at[dec], AGC_YT_DECISION, &w)) {
        *ret_decision = (uint8_t)w;
        *ret_approval = AG_APPROVAL_NONE;
        *ret_span = m->at[dec]->span;
        return true;
    }
    if (m->at[app] && agc_yaml_word(r, m->at[app], AGC_YT_APPROVAL, &w)) {
        *ret_approval = (uint8_t)w;
        *ret_decision = decision_of(w);
        *ret_span = m->at[app]->span;
        return true;
    }
    return m->key[dec] || m->key[app];
}

static void
read_rule(struct agc_reader *r, const struct agc_ynode *n, uint32_t number, struct agc_rule *rule)
{
    struct agc_ymap m;
    unsigned w;
    rule->span = n->span;
    rule->risk = AG_RISK_MEDIUM;
    rule->approval = AG_APPROVAL_APPROVE;
    rule->decision = AG_ESCALATE;
    if (!agc_yaml_map(r, n, AGC_YS_RULE, &m))
        return;
    const struct agc_ynode *name = m.at[AGC_YK_RULE_name];
    if (m.at[AGC_YK_RULE_match])
        agc_yaml_match(r, m.at[AGC_YK_RULE_match], rule->match);
    if (name && name->text.n) {
        rule->name = (struct agc_str_at){name->text, name->span};
    } else {
        char text[2 * GLOB_SHOWN + 16];
        int len = snprintf(text, sizeof text, "rule_%u", number);
        if (name) { // given but empty: reported as type@target
            struct ag_str a = rule->match[AG_ATTR_TYPE].text, b = rule->match[AG_ATTR_TARGET].text;
            a = a.p ? a : AG_STR("*");
            b = b.p ? b : AG_STR("*");
            len = snprintf(text, sizeof text, "%.*s@%.*s", (int)(a.n < GLOB_SHOWN ? a.n : GLOB_SHOWN), a.p,
                           (int)(b.n < GLOB_SHOWN ? b.n : GLOB_SHOWN), b.p);
        }
        rule->name = (struct agc_str_at){agc_strdup(r->arena, ag_str_of(text, (size_t)len)),
                                         name ? name->span : n->span};
    }
    rule->decision_span = rule->name.span;
    read_outcome(r, &m, AGC_YK_RULE_decision, AGC_YK_RULE_approval, &rule->decision, &rule->approval,
                 &rule->decision_span);
    if (m.at[AGC_YK_RULE_risk_level] && agc_yaml_word(r, m.at[AGC_YK_RULE_risk_level], AGC_YT_RISK, &w))
        rule->risk = (uint8_t)w;
    struct body body = {0};
    for (uint32_t i = 0; i + 1 < n->n; i += 2) {
        if (m.at[AGC_YK_RULE_conditions] == n->kid[i + 1])
            read_conditions(r, n->kid[i + 1], &body);
        if (m.at[AGC_YK_RULE_when] == n->kid[i + 1])
            read_when(r, n->kid[i + 1], &body);
    }
    if (m.at[AGC_YK_RULE_gates])
        rule->gate_mask = agc_yaml_gate_list(r, m.at[AGC_YK_RULE_gates]);
    if (!body.n)
        return;
    struct agc_span span = body.v[0]->span;
    span.end = body.v[body.n - 1]->span.end;
    rule->body = agc_node_new(r->arena, AGC_QUERY, span, AG_STR(""), body.n);
    memcpy(rule->body->kid, body.v, body.n * sizeof(struct agc_node *));
}

// Two rules of one name cannot be told apart in answers. The format allows it, so it is a warning.
static void
check_names(struct agc_reader *r, const struct agc_policy *p)
{
    uint32_t cap = 16;
    while (cap < p->nrules * 2)
        cap *= 2;
    uint32_t *slot = agc_alloc(r->arena, cap * sizeof *slot);
    for (uint32_t i = 0; i < p->nrules; i++) {
        struct ag_str name = p->rules[i].name.text;
        uint32_t h = (uint32_t)ag_hash(name.p, name.n, 0) & (cap - 1);
        while (slot[h] && !ag_str_eq(p->rules[slot[h] - 1].name.text, name))
            h = (h + 1) & (cap - 1);
        if (slot[h]) {
            struct agc_diag *d = agc_diag(r->diags, AGC_D_DUPLICATE_NAME, p->rules[i].name.span,
                                          "two rules are named \"%.*s\"", (int)name.n, name.p);
            agc_diag_second(r->diags, d, p->rules[slot[h] - 1].name.span, "the first one");
        } else {
            slot[h] = i + 1;
        }
    }
}

static void
read_rules(struct agc_reader *r, const struct agc_ynode *list)
{
    struct agc_policy *p = r->policy;
    if (list->n > AGC_RULES_MAX - p->nrules) {
        agc_diag(r->diags, AGC_D_TOO_LARGE, list->span, "more than %u rules", AGC_RULES_MAX);
        return;
    }
    struct agc_rule *rules = agc_alloc(r->arena, ((size_t)p->nrules + list->n) * sizeof *rules);
    if (p->nrules)
        memcpy(rules, p->rules, p->nrules * sizeof *rules);
    for (uint32_t i = 0; i < list->n; i++)
        read_rule(r, list->kid[i], p->nrules + i, &rules[p->nrules + i]);
    p->rules = rules;
    p->nrules += list->n;
    check_names(r, p);
}

static void
read_defaults(struct agc_reader *r, const struct agc_ymap *root)
{
    struct agc_policy *p = r->policy;
    const struct agc_ynode *n = root->at[AGC_YK_ROOT_defaults];
    struct agc_ymap m;
    unsigned w;
    p->default_decision = AG_DENY;
    p->default_approval = AG_APPROVAL_BLOCK;
    p->default_risk = AG_RISK_MEDIUM;
    bool is_written = false;
    struct agc_span span = {r->source, 0, 0};
    if (n && agc_yaml_map(r, n, AGC_YS_DEFAULTS, &m)) {
        span = root->key[AGC_YK_ROOT_defaults]->span;
        struct agc_span ignored;
        is_written = read_outcome(r, &m, AGC_YK_DEFAULTS_decision, AGC_YK_DEFAULTS_approval,
                                  &p->default_decision, &p->default_approval, &ignored);
        if (m.at[AGC_YK_DEFAULTS_risk_level] &&
            agc_yaml_word(r, m.at[AGC_YK_DEFAULTS_risk_level], AGC_YT_RISK, &w))
            p->default_risk = (uint8_t)w;
    }
    p->defaults_span = span;
    if (!is_written && root->at[AGC_YK_ROOT_rules]) {
        struct agc_diag *d = agc_diag(r->diags, AGC_D_DEFAULT_APPROVAL, span,
                                      "defaults.approval is not given, so what no rule matches is blocked");
        agc_diag_fix(r->diags, d, "write defaults: {approval: block}");
    }
}

static void
read_version(struct agc_reader *r, const struct agc_ymap *root, const struct agc_ynode *top)
{
    const struct agc_ynode *v = root->at[AGC_YK_ROOT_version];
    if (v && !ag_str_is(v->text, "1")) {
        struct agc_diag *d = agc_diag(r->diags, AGC_D_BAD_VERSION, v->span, "version \"%.*s\" is not known",
                                      (int)v->text.n, v->text.p);
        agc_diag_fix(r->diags, d, "write version: \"1\"");
    }
    if (v)
        r->policy->version = (struct agc_str_at){v->text, v->span};
    // A file of parameters alone (the governance documents') has no version.
    bool is_parameters = root->key[AGC_YK_ROOT_parameters] && !root->key[AGC_YK_ROOT_rules];
    if (!root->key[AGC_YK_ROOT_version] && !is_parameters) {
        struct agc_span at = {r->source, top->span.begin, top->span.begin};
        struct agc_diag *d = agc_diag(r->diags, AGC_D_MISSING_KEY, at, "the policy has no version");
        agc_diag_fix(r->diags, d, "begin the file with version: \"1\"");
    }
}

static void
read_audit(struct agc_reader *r, const struct agc_ynode *n)
{
    struct agc_ymap m;
    unsigned w;
    if (!n || !agc_yaml_map(r, n, AGC_YS_AUDIT, &m))
        return;
    if (m.at[AGC_YK_AUDIT_level] && agc_yaml_word(r, m.at[AGC_YK_AUDIT_level], AGC_YT_AUDIT_LEVEL, &w))
        r->policy->audit_level = (uint8_t)w;
    // An answer must not claim a cosigned checkpoint that nobody waits for.
    if (r->policy->audit_level == AG_WITNESSED) {
        struct agc_diag *d = agc_diag(r->diags, AGC_D_NOT_AVAILABLE, m.at[AGC_YK_AUDIT_level]->span,
                                      "level witnessed is not available in this version");
        agc_diag_fix(r->diags, d, "write durable: the row is on disk before the answer leaves");
    }
    if (m.at[AGC_YK_AUDIT_sign] && agc_yaml_word(r, m.at[AGC_YK_AUDIT_sign], AGC_YT_AUDIT_SIGN, &w))
        r->policy->audit_sign = (uint8_t)w;
    // How a log is signed belongs to the log, which outlives policies.
    if (r->policy->audit_sign == AG_SIGN_ROW) {
        struct agc_diag *d =
            agc_diag(r->diags, AGC_D_SERVER_SETTING, m.at[AGC_YK_AUDIT_sign]->span,
                     "sign: row has no effect here: the sequencer of the log decides how it signs");
        agc_diag_fix(r->diags, d, "run aegis sequencer with --sign-rows, and leave the key out");
    }
    if (m.at[AGC_YK_AUDIT_input] && agc_yaml_word(r, m.at[AGC_YK_AUDIT_input], AGC_YT_AUDIT_INPUT, &w))
        r->policy->audit_input = (uint8_t)w;
}

static void
read_server_settings(struct agc_reader *r, const struct agc_ymap *m)
{
    static const enum agc_ykey keys[] = {AGC_YK_ROOT_telemetry_url, AGC_YK_ROOT_mcp_rate_limit};
    for (size_t i = 0; i < 2; i++) {
        const struct agc_ynode *v = m->at[keys[i]];
        if (!v)
            continue;
        if (i == 0 && (v->text.n < 9 || memcmp(v->text.p, "https://", 8) != 0))
            agc_diag(r->diags, AGC_D_OUT_OF_RANGE, v->span, "telemetry_url must begin with https://");
        agc_diag(r->diags, AGC_D_SERVER_SETTING, m->key[keys[i]]->span,
                 "%.*s is a setting of the server and has no effect in a policy",
                 (int)m->key[keys[i]]->text.n, m->key[keys[i]]->text.p);
    }
}

static uint32_t
read_names(struct agc_reader *r, const struct agc_ynode *list, const char *what, struct agc_str_at **ret)
{
    uint32_t n = 0;
    *ret = NULL;
    if (!list)
        return 0;
    *ret = agc_alloc(r->arena, (list->n + 1) * sizeof **ret);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct agc_ynode *v = list->kid[i];
        if (v->kind != AGC_Y_SCALAR || v->text.n == 0)
            agc_diag(r->diags, AGC_D_WRONG_TYPE, v->span, "%s is a list of file names, found %s", what,
                     v->kind == AGC_Y_SCALAR ? "an empty one" : agc_yaml_what(v));
        else
            (*ret)[n++] = (struct agc_str_at){v->text, v->span};
    }
    return n;
}

bool
agc_yaml_read(struct agc_arena *a, const struct agc_sources *s, uint32_t source, struct agc_diags *diags,
              struct agc_policy *policy)
{
    struct agc_reader r = {a, s, diags, policy, source};
    uint32_t errors = diags->nerrors;
    bool is_first = !policy->is_begun;
    policy->is_begun = true;
    policy->named = (struct agc_named_files){0};
    struct agc_ynode *top = agc_yaml_tree(a, s, source, diags);
    if (!top) {
        if (diags->nerrors == errors)
            agc_diag(diags, AGC_D_MISSING_KEY, (struct agc_span){source, 0, 0}, "the file is empty");
        return false;
    }
    struct agc_ymap m;
    if (!agc_yaml_map(&r, top, AGC_YS_ROOT, &m))
        return false;
    read_version(&r, &m, top);
    if (is_first) {
        unsigned w;
        const struct agc_ynode *name = m.at[AGC_YK_ROOT_name];
        if (name)
            policy->name = (struct agc_str_at){name->text, name->span};
        if (m.at[AGC_YK_ROOT_combine] && agc_yaml_word(&r, m.at[AGC_YK_ROOT_combine], AGC_YT_COMBINE, &w))
            policy->combine = (enum ag_combine)w;
        policy->audit_input = AG_INPUT_READ;
        read_audit(&r, m.at[AGC_YK_ROOT_audit]);
        read_defaults(&r, &m);
        agc_yaml_gates(&r, &m);
    }
    read_server_settings(&r, &m);
    struct agc_named_files *named = &policy->named;
    named->nmodules = read_names(&r, m.at[AGC_YK_ROOT_modules], "modules", &named->module);
    named->ndata = read_names(&r, m.at[AGC_YK_ROOT_data], "data", &named->data);
    const struct agc_ynode *schema = m.at[AGC_YK_ROOT_schema];
    if (schema)
        named->schema = (struct agc_str_at){schema->text, schema->span};
    if (m.at[AGC_YK_ROOT_rules])
        read_rules(&r, m.at[AGC_YK_ROOT_rules]);
    if (m.at[AGC_YK_ROOT_limits])
        agc_yaml_limits(&r, m.at[AGC_YK_ROOT_limits]);
    agc_yaml_check_gates(&r);
    return diags->nerrors == errors;
}
