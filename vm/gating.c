// SPDX-License-Identifier: Apache-2.0
// Gates inside a decision: finds the proposal in the input, runs the gates asked for, and turns their verdict
// into a contribution. In: the image's gate parameters, the input. Out: results and decision in the outcome.
// Who owns memory: arrays of the proposal lie in the call's arena. Next file to read: proposal.c,
// gates/combine.c.
#include "machine.h"
#include "proposal.h"

// The proposal: the input itself in `evaluate`; in `decide` input.proposal when it is an object, else
// input.params.
static bool
read_proposal(struct ag_call *c, struct ag_value input, struct ag_proposal *ret)
{
    struct ag_proposal_error err = {.is_full = false};
    struct ag_value v = input;
    bool is_whole = c->is_evaluate;
    if (!is_whole) {
        v = ag_object_get(&c->mem, input, AG_STR("proposal"));
        is_whole = v.kind == AG_OBJECT;
        if (!is_whole)
            v = ag_object_get(&c->mem, input, AG_STR("params"));
        if (v.kind != AG_OBJECT) {
            ag_proposal_default(ret);
            return true;
        }
    }
    if (is_whole ? ag_proposal_read(&c->mem, v, ret, &err) : ag_proposal_read_params(&c->mem, v, ret, &err))
        return true;
    if (err.is_full) {
        ag_stop(c, AG_EVAL_ARENA);
        return false;
    }
    struct ag_value text = ag_string_copy(&c->mem, ag_str_z(err.text));
    ag_outcome_add(c, AG_DENY, AG_BY_POLICY_ERROR, ag_str_of(NULL, 0), AG_STR("policy_error"),
                   text.kind == AG_STRING ? ag_value_str(text) : AG_STR("the proposal is not valid"));
    return false;
}

static enum ag_severity
severity_of(enum ag_gov_status s)
{
    return s == AG_GOV_HALT ? AG_DENY : s >= AG_GOV_PAUSE ? AG_ESCALATE : AG_ALLOW;
}

// The name of what decided: the first failing gate, or the request's own flag.
static struct ag_str
cause(const struct ag_gates_verdict *v, const struct ag_proposal *p)
{
    for (uint32_t g = 0; g < AG_GATES; g++)
        if (v->failing >> g & 1)
            return ag_str_z(ag_gate_name(g));
    if (v->status == AG_GOV_PROCEED)
        return AG_STR("gates");
    return p->requires_human_approval ? AG_STR("requires_human_approval") : AG_STR("estimated_impact");
}

static void
contribute(struct ag_call *c, const struct ag_gates_verdict *v, const struct ag_proposal *p)
{
    struct ag_str name = cause(v, p);
    c->outcome->status = v->status;
    c->outcome->confidence = v->confidence;
    ag_outcome_add(c, severity_of(v->status), AG_BY_GATE, name, name, ag_str_of(NULL, 0));
}

void
ag_gating_run(struct ag_call *c, struct ag_value input, uint32_t mask)
{
    struct ag_outcome *o = c->outcome;
    const struct ag_gates_section *section = c->im->gates;
    if (!section)
        return;
    if (!mask) {
        mask = section->apply_always;
        mask |= o->rule_ix != AG_NONE ? c->im->rules[o->rule_ix].gate_mask : o->gate_mask;
    }
    mask &= section->present;
    if (!mask)
        return;
    struct ag_gate_params params;
    struct ag_proposal proposal;
    struct ag_gates_verdict verdict;
    memcpy(&params, section->params, sizeof params);
    if (!read_proposal(c, input, &proposal))
        return;
    if (!ag_charge(c, 1 + (uint64_t)proposal.ndrift_baseline + proposal.ndrift_current + proposal.nsubscores))
        return;
    ag_gates_run(&params, &proposal, mask, o->gate, &o->drift);
    o->gates_run = mask;
    ag_gates_combine(&params, &proposal, mask, o->gate, &o->drift, &verdict);
    if (verdict.status > AG_GOV_PROCEED)
        contribute(c, &verdict, &proposal);
}

void
ag_gating_status(struct ag_call *c, struct ag_value input)
{
    struct ag_outcome *o = c->outcome;
    struct ag_gate_params params;
    struct ag_proposal proposal;
    struct ag_gates_verdict verdict;
    if (!c->im->gates || !read_proposal(c, input, &proposal))
        return;
    memcpy(&params, c->im->gates->params, sizeof params);
    ag_gates_combine(&params, &proposal, o->gates_run, o->gate, &o->drift, &verdict);
    contribute(c, &verdict, &proposal);
}
