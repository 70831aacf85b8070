// SPDX-License-Identifier: Apache-2.0
// A governance decision as the record of A14. In: a decision of entrypoint "evaluate" and which gates
// escalate. Out: JSON in the caller's buffer; nothing is kept. The status is the one that is enforced: a kill
// switch halts whatever the gates say. Next file to read: compat.c.
#include "govern.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const gate_names[] = {"risk",    "profit",  "novelty", "complexity",
                                         "quality", "utility", "drift"};
#define NGATES (sizeof gate_names / sizeof *gate_names)

void
agr_govern_take(void *arg, const char *name, double value)
{
    struct agr_govern *g = arg;
    for (size_t i = 0; i < NGATES; i++)
        if (strncmp(name, "on_fail.", 8) == 0 && strcmp(name + 8, gate_names[i]) == 0 && value > 1.5 &&
            value < 2.5)
            g->escalating |= 1u << i;
}

static bool
is(struct aegis_str s, const char *z)
{
    return ag_str_is(ag_str_of(s.p, s.n), z);
}

static void
number(struct ag_buf *b, double v)
{
    char text[64];
    if (!isfinite(v)) {
        ag_buf_lit(b, "null");
        return;
    }
    int n = snprintf(text, sizeof text, "%.6f", v);
    if (n < 0 || (size_t)n >= sizeof text)
        n = snprintf(text, sizeof text, "%.6e", v);
    else
        while (text[n - 1] == '0')
            n--;
    if (n > 0 && text[n - 1] == '.')
        n++; // 1.0, not 1.
    ag_buf_put(b, text, (size_t)n);
}

static void
text_member(struct ag_buf *b, const char *key, struct aegis_str s)
{
    ag_buf_char(b, '"');
    ag_buf_str(b, ag_str_z(key));
    ag_buf_lit(b, "\":");
    ag_buf_json_str(b, ag_str_of(s.p, s.n));
}

// A switch or a limit that was more severe than the gates.
static bool
is_stopped(const struct aegis_decision *d)
{
    return d->outcome == AEGIS_KILL || d->outcome == AEGIS_THROTTLE;
}

struct ag_str
agr_govern_status(const struct aegis_decision *d)
{
    if (d->gov_status.n && !(is_stopped(d) && (d->outcome == AEGIS_KILL || is(d->gov_status, "proceed"))))
        return ag_str_of(d->gov_status.p, d->gov_status.n);
    switch (d->outcome) {
    case AEGIS_ALLOW:
    case AEGIS_MONITOR: return AG_STR("proceed");
    case AEGIS_THROTTLE: return AG_STR("pause");
    case AEGIS_ESCALATE: return AG_STR("escalate");
    default: return AG_STR("halt");
    }
}

// Was a gate the reason for the status? Flags of the request escalate, they never pause or halt.
static bool
is_override_eligible(const struct agr_govern *g, const struct aegis_decision *d)
{
    bool is_by_gate = is(d->gov_status, "pause") || is(d->gov_status, "halt");
    if (is_stopped(d))
        return false;
    for (uint32_t i = 0; i < d->n_gates; i++) {
        if (is(d->gates[i].name, "complexity") && is(d->gates[i].state, "fail"))
            return false;
        for (size_t k = 0; k < NGATES; k++)
            if (is(d->gates[i].name, gate_names[k]) && is(d->gates[i].state, "fail") &&
                (g->escalating >> k & 1))
                is_by_gate = true;
    }
    if (is(d->gov_status, "escalate") && is(d->drift_status, "critical"))
        is_by_gate = true;
    return is_by_gate && !is(d->gov_status, "proceed");
}

// "0.119203, needs at least 0.6": the words hold nothing that JSON would escape.
static void
write_reason(const struct aegis_gate *g, struct ag_buf *b)
{
    bool is_probability = is(g->name, "risk") || is(g->name, "profit");
    if (is(g->state, "skipped")) {
        ag_buf_lit(b, "no data, skipped");
        return;
    }
    if (is_probability)
        ag_buf_lit(b, "probability of the trigger ");
    number(b, g->value);
    if (is_probability)
        ag_buf_lit(b, ", must stay below ");
    else if (is(g->name, "utility"))
        ag_buf_lit(b, ", must be above ");
    else
        ag_buf_lit(b, ", needs at least ");
    number(b, g->threshold);
    if (is(g->name, "quality") && is(g->state, "fail") && g->value >= g->threshold)
        ag_buf_lit(b, "; a subscore is 0");
}

// What decided, in words: each failing gate with its figures, else the request's own flag.
static void
write_rationale(const struct aegis_decision *d, struct ag_buf *b)
{
    bool is_first = true;
    ag_buf_lit(b, ",\"rationale\":\"");
    for (uint32_t i = 0; i < d->n_gates && !is_stopped(d); i++) {
        const struct aegis_gate *g = &d->gates[i];
        if (!is(g->state, "fail") || is(g->name, "drift"))
            continue;
        if (!is_first)
            ag_buf_lit(b, "; ");
        is_first = false;
        ag_buf_put(b, g->name.p, g->name.n);
        ag_buf_lit(b, ": ");
        write_reason(g, b);
    }
    if (is(d->drift_status, "critical") && !is_stopped(d)) {
        ag_buf_str(b, is_first ? AG_STR("drift is critical") : AG_STR("; drift is critical"));
        is_first = false;
    }
    if (is_first && is(d->gov_status, "proceed") && !is_stopped(d))
        ag_buf_lit(b, "all gates passed");
    else if (is_first)
        ag_buf_put(b, d->reason.p, d->reason.n);
    ag_buf_char(b, '"');
}

void
agr_govern_gate(const struct aegis_gate *g, struct ag_buf *b)
{
    ag_buf_lit(b, "{\"passed\":");
    ag_buf_str(b, is(g->state, "fail") ? AG_STR("false") : AG_STR("true"));
    ag_buf_char(b, ',');
    text_member(b, "state", g->state);
    ag_buf_lit(b, ",\"value\":");
    number(b, g->value);
    ag_buf_lit(b, ",\"threshold\":");
    number(b, g->threshold);
    ag_buf_lit(b, ",\"confidence\":");
    number(b, g->confidence);
    ag_buf_lit(b, ",\"message\":\"");
    write_reason(g, b);
    ag_buf_lit(b, "\"}");
}

static void
write_gates(const struct aegis_decision *d, struct ag_buf *b)
{
    ag_buf_lit(b, ",\"gates\":{");
    bool is_first = true;
    for (uint32_t i = 0; i < d->n_gates; i++) {
        const struct aegis_gate *g = &d->gates[i];
        if (is(g->name, "drift"))
            continue; // a monitor: it stands in "drift"
        if (!is_first)
            ag_buf_char(b, ',');
        is_first = false;
        ag_buf_json_str(b, ag_str_of(g->name.p, g->name.n));
        ag_buf_char(b, ':');
        agr_govern_gate(&d->gates[i], b);
    }
    ag_buf_char(b, '}');
}

// Names of failing gates as JSON strings; the counts go to the caller.
static void
write_counts(const struct aegis_decision *d, struct ag_buf *b)
{
    unsigned failed = 0, passed = 0;
    for (uint32_t i = 0; i < d->n_gates; i++) {
        if (is(d->gates[i].name, "drift"))
            continue;
        failed += is(d->gates[i].state, "fail");
        passed += !is(d->gates[i].state, "fail");
    }
    ag_buf_lit(b, ",\"gates_passed\":");
    ag_buf_u64(b, passed);
    ag_buf_lit(b, ",\"gates_failed\":");
    ag_buf_u64(b, failed);
    ag_buf_lit(b, ",\"failing_gates\":[");
    bool is_first = true;
    for (uint32_t i = 0; i < d->n_gates; i++) {
        if (!is(d->gates[i].state, "fail") || is(d->gates[i].name, "drift"))
            continue;
        if (!is_first)
            ag_buf_char(b, ',');
        is_first = false;
        ag_buf_json_str(b, ag_str_of(d->gates[i].name.p, d->gates[i].name.n));
    }
    ag_buf_char(b, ']');
}

static const char *
next_step(const struct aegis_decision *d)
{
    struct ag_str s = d->would_be.n ? ag_str_of(d->would_be.p, d->would_be.n) : agr_govern_status(d);
    if (d->outcome == AEGIS_KILL)
        return "wait until the kill switch is lifted";
    if (d->outcome == AEGIS_THROTTLE)
        return "ask again after Retry-After";
    if (ag_str_is(s, "pause"))
        return "improve what the failing gates measure and propose again";
    if (ag_str_is(s, "escalate"))
        return "ask a person to approve the proposal";
    if (ag_str_is(s, "halt"))
        return "do not proceed: make the change simpler or reversible";
    return NULL;
}

void
agr_govern_json(const struct agr_govern *g, const struct aegis_decision *d, struct ag_buf *b)
{
    const char *step = next_step(d);
    bool is_eligible = is_override_eligible(g, d);
    ag_buf_char(b, '{');
    struct ag_str status = agr_govern_status(d);
    text_member(b, "status", (struct aegis_str){status.p, status.n});
    if (d->id.n) {
        ag_buf_char(b, ',');
        text_member(b, "decision_id", d->id);
    }
    ag_buf_lit(b, ",\"confidence\":");
    number(b, d->confidence);
    write_counts(d, b);
    write_rationale(d, b);
    ag_buf_lit(b, ",\"next_steps\":[");
    if (step)
        ag_buf_json_str(b, ag_str_z(step));
    ag_buf_lit(b, "],\"constraints\":[],\"timestamp\":\"");
    ag_buf_time(b, d->now_ns, 0);
    ag_buf_lit(b, "\",\"override_eligible\":");
    ag_buf_str(b, is_eligible ? AG_STR("true") : AG_STR("false"));
    ag_buf_lit(b, ",\"override_requires\":[");
    if (is_eligible)
        ag_buf_lit(b, "\"risk_lead\",\"security_lead\"");
    ag_buf_char(b, ']');
    if (d->would_be.n) {
        ag_buf_lit(b, ",\"shadow\":true,");
        text_member(b, "would_be", d->would_be);
    }
    write_gates(d, b);
    ag_buf_lit(b, ",\"drift\":{\"kl\":");
    number(b, d->drift_kl);
    ag_buf_char(b, ',');
    text_member(b, "status", d->drift_status.n ? d->drift_status : (struct aegis_str){"skipped", 7});
    ag_buf_lit(b, "},\"policy\":{");
    text_member(b, "digest", d->policy_digest);
    ag_buf_lit(b, "}}");
}
