// SPDX-License-Identifier: Apache-2.0
// From gates to a status (A12): every row of the table that applies contributes, the most severe wins.
// In: parameters, proposal, results. Out: proceed, pause, escalate or halt, and what an answer says about it.
// Next file to read: the evaluator, which calls ag_gates_run and ag_gates_combine.
#include "gates.h"

#define BIT(g) (1u << (g))

void
ag_gates_run(const struct ag_gate_params *p, const struct ag_proposal *in, uint32_t mask,
             struct ag_gate_result result[AG_GATES], struct ag_drift_result *ret_drift)
{
    typedef struct ag_gate_result gate_fn(const struct ag_gate_params *, const struct ag_proposal *);
    static gate_fn *const counted[AG_GATES_COUNTED] = {ag_gate_risk,       ag_gate_profit,  ag_gate_novelty,
                                                       ag_gate_complexity, ag_gate_quality, ag_gate_utility};
    const struct ag_gate_result skipped = {.state = AG_GATE_SKIPPED};
    for (uint32_t g = 0; g < AG_GATES_COUNTED; g++)
        result[g] = mask & BIT(g) ? counted[g](p, in) : skipped;

    *ret_drift = (struct ag_drift_result){.status = AG_DRIFT_SKIPPED};
    result[AG_GATE_DRIFT] = skipped;
    if (!(mask & BIT(AG_GATE_DRIFT)))
        return;
    *ret_drift = ag_gate_drift(p, in);
    if (ret_drift->status != AG_DRIFT_SKIPPED)
        result[AG_GATE_DRIFT] = (struct ag_gate_result){
            .state = ret_drift->status == AG_DRIFT_CRITICAL ? AG_GATE_FAIL : AG_GATE_PASS,
            .value = ret_drift->kl,
            .threshold = p->drift_tau_critical,
            .confidence = 1};
}

static bool
has_zero_subscore(const struct ag_proposal *in)
{
    for (uint32_t i = 0; i < in->nsubscores; i++)
        if (in->subscores[i] == 0)
            return true;
    return false;
}

// What the failure of gate g contributes.
static enum ag_gov_status
row_of(const struct ag_gate_params *p, const struct ag_proposal *in, uint32_t g)
{
    static const enum ag_gov_status replaced[AG_ON_FAILS] = {AG_GOV_NONE, AG_GOV_PAUSE, AG_GOV_ESCALATE,
                                                             AG_GOV_HALT};
    if (g == AG_GATE_COMPLEXITY)
        return AG_GOV_HALT;
    if (p->on_fail[g] != AG_ON_FAIL_OWN)
        return replaced[p->on_fail[g]];
    if (g == AG_GATE_DRIFT)
        return AG_GOV_ESCALATE;
    if (g == AG_GATE_RISK || (g == AG_GATE_QUALITY && has_zero_subscore(in)))
        return in->is_reversible ? AG_GOV_PAUSE : AG_GOV_HALT;
    return AG_GOV_PAUSE;
}

void
ag_gates_combine(const struct ag_gate_params *p, const struct ag_proposal *in, uint32_t mask,
                 const struct ag_gate_result result[AG_GATES], const struct ag_drift_result *drift,
                 struct ag_gates_verdict *ret)
{
    enum ag_gov_status by_gate = AG_GOV_PROCEED, by_flag = AG_GOV_PROCEED;
    *ret = (struct ag_gates_verdict){.confidence = 1};
    for (uint32_t g = 0; g < AG_GATES; g++) {
        if (!(mask & BIT(g)))
            continue;
        bool is_failed =
            g == AG_GATE_DRIFT ? drift->status == AG_DRIFT_CRITICAL : result[g].state == AG_GATE_FAIL;
        if (g < AG_GATES_COUNTED) {
            ret->failed += is_failed;
            ret->passed += !is_failed;
        }
        if (result[g].state != AG_GATE_SKIPPED && result[g].confidence < ret->confidence)
            ret->confidence = result[g].confidence;
        if (!is_failed)
            continue;
        ret->failing |= BIT(g);
        enum ag_gov_status row = row_of(p, in, g);
        if (row > by_gate)
            by_gate = row;
    }
    if (in->requires_human_approval || in->impact == AG_IMPACT_HIGH || in->impact == AG_IMPACT_CRITICAL)
        by_flag = AG_GOV_ESCALATE;
    ret->status = by_gate > by_flag ? by_gate : by_flag;
    ret->is_override_eligible =
        ret->status != AG_GOV_PROCEED && by_gate == ret->status && !(ret->failing & BIT(AG_GATE_COMPLEXITY));
}

static const char *
name_of(const char *const *names, uint32_t n, uint32_t i)
{
    return i < n ? names[i] : "unknown";
}

const char *
ag_gate_name(uint32_t gate)
{
    static const char *const names[AG_GATES] = {"risk",    "profit",  "novelty", "complexity",
                                                "quality", "utility", "drift"};
    return name_of(names, AG_GATES, gate);
}

const char *
ag_gate_state_name(uint32_t state)
{
    static const char *const names[] = {"pass", "fail", "skipped"};
    return name_of(names, 3, state);
}

const char *
ag_drift_status_name(uint32_t status)
{
    static const char *const names[] = {"normal", "warning", "critical", "skipped"};
    return name_of(names, 4, status);
}

const char *
ag_gov_status_name(uint32_t status)
{
    static const char *const names[] = {"none", "proceed", "pause", "escalate", "halt"};
    return name_of(names, 5, status);
}
