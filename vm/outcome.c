// SPDX-License-Identifier: Apache-2.0
// How a decision comes about: rules, emitted decisions, faults and the kill switch contribute; the most
// severe wins, and of equal ones the first in source order is named. In: contributions of the entrypoint's
// opcodes. Out: struct ag_outcome. Who owns memory: names borrow from the image or lie in the call's arena.
// Next file to read: effects.c (limits), gating.c (gates).
#include "machine.h"
#include "buf.h"

static enum ag_approval
approval_of(enum ag_severity s)
{
    return s <= AG_MONITOR ? AG_APPROVAL_AUTO : s <= AG_ESCALATE ? AG_APPROVAL_APPROVE : AG_APPROVAL_BLOCK;
}

void
ag_outcome_begin(struct ag_call *c)
{
    struct ag_outcome *o = c->outcome;
    // The arrays at the end are valid up to their counts; clearing them would cost more than a small
    // decision.
    o->decision = AG_ALLOW;
    o->by = AG_BY_NONE;
    o->rule_ix = AG_NONE;
    o->rule =
        ag_str_of(NULL, 0); // one by one: reading back what was just written in halves would wait for it
    o->reason = ag_str_of(NULL, 0);
    o->message = ag_str_of(NULL, 0);
    o->risk = AG_RISK_NONE;
    o->approval = AG_APPROVAL_NONE;
    o->gate_mask = 0;
    o->kill_scope = 0;
    o->nfindings = o->neffects = o->gates_run = 0;
    o->drift = (struct ag_drift_result){0};
    o->status = AG_GOV_NONE;
    o->confidence = 1;
    c->contributed = false;
}

void
ag_outcome_add(struct ag_call *c, enum ag_severity s, enum ag_decided_by by, struct ag_str rule,
               struct ag_str reason, struct ag_str message)
{
    struct ag_outcome *o = c->outcome;
    if (c->contributed && s <= o->decision)
        return;
    c->contributed = true;
    o->decision = s;
    o->by = by;
    o->rule_ix = AG_NONE;
    o->gate_mask = 0;
    o->rule = rule;
    o->reason = reason;
    o->message = message;
    o->approval = approval_of(s);
}

static void
policy_error(struct ag_call *c, const char *message)
{
    ag_outcome_add(c, AG_DENY, AG_BY_POLICY_ERROR, ag_str_of(NULL, 0), AG_STR("policy_error"),
                   ag_str_z(message));
}

// The message of an error, in the arena.
static struct ag_str
error_words(struct ag_call *c, struct ag_value error)
{
    char *text = ag_arena_alloc(c->mem.arena, AG_ERROR_TEXT_MAX, 1);
    struct ag_buf out;
    if (!text)
        return AG_STR("evaluation failed");
    ag_buf_init(&out, text, AG_ERROR_TEXT_MAX);
    ag_error_message(c, error, &out);
    return ag_str_of(text, out.n);
}

void
ag_outcome_fault(struct ag_call *c, struct ag_value v)
{
    if (v.kind == AG_ERROR)
        ag_outcome_add(c, AG_DENY, AG_BY_POLICY_ERROR, ag_str_of(NULL, 0), AG_STR("policy_error"),
                       error_words(c, v));
}

// --- YAML rules
// ----------------------------------------------------------------------------------------------------

// An equally severe rule that stands earlier in the source takes the name over: deny_overrides tries by
// severity.
static bool
rule_takes_over(const struct ag_call *c, uint32_t ix, enum ag_severity s)
{
    const struct ag_outcome *o = c->outcome;
    if (!c->contributed || s > o->decision)
        return true;
    return s == o->decision && o->rule_ix != AG_NONE && ix < o->rule_ix;
}

struct ag_value
ag_outcome_rule(struct ag_call *c, struct ag_value rule, struct ag_value condition)
{
    if (rule.kind != AG_NUMBER || rule.sub || rule.i < 0 || rule.i >= (int64_t)c->im->nrules) {
        policy_error(c, "the policy names a rule that it does not have");
        return ag_bool(true);
    }
    if (condition.kind != AG_ERROR && !ag_is_true(condition))
        return ag_bool(false);
    uint32_t ix = (uint32_t)rule.i;
    const struct ag_rule *r = &c->im->rules[ix];
    bool failed = condition.kind == AG_ERROR;
    enum ag_severity s = failed ? AG_DENY : (enum ag_severity)r->decision;
    struct ag_outcome *o = c->outcome;
    if (rule_takes_over(c, ix, s)) {
        c->contributed = true;
        o->decision = s;
        o->by = failed ? AG_BY_ERROR : AG_BY_RULE;
        o->rule_ix = ix;
        o->gate_mask = 0;
        struct ag_str name = ag_image_str(c->im, r->name);
        o->rule = name;
        o->reason = failed ? AG_STR("condition_error") : name;
        o->message = failed ? error_words(c, condition) : ag_str_of(NULL, 0);
        o->risk = (enum ag_risk_level)r->risk;
        o->approval =
            failed || r->approval == AG_APPROVAL_NONE ? approval_of(s) : (enum ag_approval)r->approval;
    }
    // Later candidates sort no higher than this one, so they can beat it only when it fell below its place.
    return ag_bool(c->im->meta->combine == AG_FIRST_MATCH || s >= (enum ag_severity)r->sort_as);
}

void
ag_outcome_default(struct ag_call *c)
{
    const struct ag_meta *meta = c->im->meta;
    if (c->contributed)
        return;
    ag_outcome_add(c, (enum ag_severity)meta->default_decision, AG_BY_DEFAULT, ag_str_of(NULL, 0),
                   AG_STR("no_rule"), ag_str_of(NULL, 0));
    c->outcome->risk = (enum ag_risk_level)meta->default_risk;
    if (meta->default_approval != AG_APPROVAL_NONE)
        c->outcome->approval = (enum ag_approval)meta->default_approval;
}

void
ag_outcome_end(struct ag_call *c)
{
    if (!c->contributed) // a policy that decides nothing denies
        ag_outcome_add(c, AG_DENY, AG_BY_DEFAULT, ag_str_of(NULL, 0), AG_STR("no_rule"), ag_str_of(NULL, 0));
    struct ag_outcome *o = c->outcome;
    for (uint32_t i = 1; i < o->neffects; i++) { // commit charges in the order of the limits table
        struct ag_effect e = o->effect[i];
        uint32_t k = i;
        for (; k > 0 && o->effect[k - 1].limit_ix > e.limit_ix; k--)
            o->effect[k] = o->effect[k - 1];
        o->effect[k] = e;
    }
}

// --- emitted decisions
// -----------------------------------------------------------------------------------------------

// An element of data.aegis.decisions that cannot be used denies, and says which part is wrong.
static void
bad_decision(struct ag_call *c, const char *what, struct ag_str name)
{
    ag_outcome_fault(c, ag_error(c, AG_VERR_BUILTIN, "an element of data.aegis.decisions %s%.*s%s", what,
                                 (int)(name.n < AG_WORD_SHOWN_MAX ? name.n : AG_WORD_SHOWN_MAX), name.p,
                                 name.n ? "\"" : ""));
}

struct emitted {
    enum ag_severity decision;
    enum ag_risk_level risk;
    struct ag_str rule, reason, message;
    uint32_t gates;
    bool has_decision;
};

static bool
add_gate(struct ag_call *c, struct ag_value name, uint32_t *mask)
{
    for (uint32_t g = 0; name.kind == AG_STRING && g < AG_GATES; g++)
        if (ag_str_is(ag_value_str(name), ag_gate_name(g)) && c->im->gates &&
            c->im->gates->present >> g & 1) {
            *mask |= 1u << g;
            return true;
        }
    if (name.kind == AG_STRING)
        bad_decision(c, "names a gate that gates: does not configure: \"", ag_value_str(name));
    else
        bad_decision(c, "has a gate that is no string", ag_str_of("", 0));
    return false;
}

static bool
read_gates(struct ag_call *c, struct ag_value v, uint32_t *mask)
{
    if (v.kind != AG_ARRAY && v.kind != AG_SET) {
        bad_decision(c, "has gates that are no array or set", ag_str_of("", 0));
        return false;
    }
    for (uint32_t i = 0; i < v.len; i++)
        if (!add_gate(c, ag_value_at(&c->mem, v, i), mask))
            return false;
    return true;
}

// One member of an element. Unknown ones are refused: a misspelt key must not change a decision silently.
static bool
read_member(struct ag_call *c, struct ag_str key, struct ag_value v, struct emitted *e)
{
    if (ag_str_is(key, "gates"))
        return read_gates(c, v, &e->gates);
    struct ag_str text = v.kind == AG_STRING ? ag_value_str(v) : ag_str_of("", 0);
    bool is_text = v.kind == AG_STRING;
    if (ag_str_is(key, "decision"))
        e->has_decision = is_text = is_text && ag_severity_parse(text, &e->decision);
    else if (ag_str_is(key, "risk_level"))
        is_text = is_text && ag_risk_parse(text, &e->risk);
    else if (ag_str_is(key, "rule"))
        e->rule = text;
    else if (ag_str_is(key, "reason"))
        e->reason = text;
    else if (ag_str_is(key, "message"))
        e->message = text;
    else {
        bad_decision(
            c, "has a member that is none of decision, rule, reason, risk_level, message and gates: \"", key);
        return false;
    }
    if (!is_text)
        bad_decision(c, "has a value that cannot be used under \"", key);
    return is_text;
}

void
ag_outcome_emit(struct ag_call *c, struct ag_value v)
{
    struct emitted e = {.risk = AG_RISK_NONE};
    if (v.kind == AG_UNDEF)
        return;
    if (v.kind == AG_ERROR) {
        ag_outcome_fault(c, v);
        return;
    }
    if (v.kind != AG_OBJECT) {
        bad_decision(c, "is no object", ag_str_of("", 0));
        return;
    }
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value key = ag_object_key(&c->mem, v, i);
        struct ag_str name = key.kind == AG_STRING ? ag_value_str(key) : ag_str_of("", 0);
        if (!read_member(c, name, ag_value_at(&c->mem, v, i), &e))
            return;
    }
    if (!e.has_decision) {
        bad_decision(c, "has no decision", ag_str_of("", 0));
        return;
    }
    if (c->contributed && e.decision <= c->outcome->decision)
        return;
    ag_outcome_add(c, e.decision, AG_BY_EMIT, e.rule,
                   e.reason.n ? e.reason
                   : e.rule.n ? e.rule
                              : AG_STR("policy"),
                   e.message);
    c->outcome->gate_mask = e.gates;
    c->outcome->risk = e.risk != AG_RISK_NONE ? e.risk : c->outcome->risk;
}

// --- kill switch
// -------------------------------------------------------------------------------------------------------

static struct ag_str
text_of(const struct ag_call *c, struct ag_value input, struct ag_str name)
{
    struct ag_value v = ag_object_get(&c->mem, input, name);
    return v.kind == AG_STRING ? ag_value_str(v) : ag_str_of("", 0);
}

struct ag_value
ag_outcome_killed(struct ag_call *c, struct ag_value input)
{
    if (!c->snapshot || !c->snapshot->killed)
        return ag_bool(false);
    int scope = 0;
    struct ag_action own;
    const struct ag_action *a = c->action;
    if (!a || input.kind != AG_OBJECT || input.p != a->input) {
        own.attr[AG_ATTR_TENANT] = text_of(c, input, AG_STR("tenant"));
        own.attr[AG_ATTR_AGENT] = text_of(c, input, AG_STR("agent"));
        own.attr[AG_ATTR_TYPE] = text_of(c, input, AG_STR("type"));
        a = &own;
    }
    int r = c->snapshot->killed(c->snapshot->self, a->attr[AG_ATTR_TENANT], a->attr[AG_ATTR_AGENT],
                                a->attr[AG_ATTR_TYPE], &scope);
    if (r < 0)
        return ag_stop(c, AG_EVAL_KILL_UNREADABLE);
    if (r == 0)
        return ag_bool(false);
    ag_outcome_add(c, AG_KILL, AG_BY_KILL, AG_STR("kill_switch"), AG_STR("kill_switch"), ag_str_of(NULL, 0));
    c->outcome->kill_scope = (uint32_t)scope;
    c->outcome->risk = AG_RISK_CRITICAL;
    return ag_bool(true);
}

// --- words
// ---------------------------------------------------------------------------------------------------------------

#define WORD(text)                                                                                           \
    {                                                                                                        \
        text, sizeof(text) - 1                                                                               \
    }
static const struct ag_str severity_words[] = {WORD("allow"),    WORD("monitor"), WORD("throttle"),
                                               WORD("escalate"), WORD("deny"),    WORD("kill")};
static const struct ag_str risk_words[] = {WORD(""), WORD("low"), WORD("medium"), WORD("high"),
                                           WORD("critical")};
static const struct ag_str approval_words[] = {WORD(""), WORD("auto"), WORD("approve"), WORD("block")};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
find_word(const struct ag_str *words, size_t from, size_t n, struct ag_str s, unsigned *ret)
{
    for (size_t i = from; i < n; i++) {
        if (ag_str_eq(words[i], s)) {
            *ret = (unsigned)i;
            return true;
        }
    }
    return false;
}

struct ag_str
ag_severity_text(enum ag_severity s)
{
    return (unsigned)s < COUNT(severity_words) ? severity_words[s] : ag_str_of("", 0);
}
struct ag_str
ag_risk_text(enum ag_risk_level r)
{
    return (unsigned)r < COUNT(risk_words) ? risk_words[r] : ag_str_of("", 0);
}
struct ag_str
ag_approval_text(enum ag_approval a)
{
    return (unsigned)a < COUNT(approval_words) ? approval_words[a] : ag_str_of("", 0);
}
bool
ag_severity_parse(struct ag_str s, enum ag_severity *ret)
{
    unsigned i;
    if (!find_word(severity_words, 0, COUNT(severity_words), s, &i))
        return false;
    *ret = (enum ag_severity)i;
    return true;
}
bool
ag_risk_parse(struct ag_str s, enum ag_risk_level *ret)
{
    unsigned i;
    if (!find_word(risk_words, 1, COUNT(risk_words), s, &i))
        return false;
    *ret = (enum ag_risk_level)i;
    return true;
}
bool
ag_approval_parse(struct ag_str s, enum ag_approval *ret)
{
    unsigned i;
    if (!find_word(approval_words, 1, COUNT(approval_words), s, &i))
        return false;
    *ret = (enum ag_approval)i;
    return true;
}
