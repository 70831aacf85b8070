// SPDX-License-Identifier: Apache-2.0
// The risk and profit gates (A5, A6): a normal prior, one observed relative change, and the probability that
// the true change reaches the trigger. In: checked parameters and proposal. Out: a result each.
//
//   var = 1 / (1/sigma0² + 1/sigmaL²)    mu = var × (mu0/sigma0² + delta/sigmaL²)    p = 1 - Phi((t - mu) /
//   sd)
//
// sd is sqrt(var), or sqrt(var + sigmaL²) in the predictive form. The gate fails when p >= the confidence
// asked for. Next file to read: novelty.c.
#include "fmath.h"
#include "gates.h"

#define SQRT_HALF 0.70710678118654752440 // 1/sqrt(2)

// P(change >= trigger) after observing delta.
static double
reach_probability(const struct ag_gate_params *p, double delta, double trigger)
{
    double prior = 1.0 / (p->sigma0 * p->sigma0);
    double noise = p->sigma_l * p->sigma_l;
    double var = 1.0 / (prior + 1.0 / noise);
    double mu = var * (p->mu0 * prior + delta / noise);
    double sd = ag_sqrt(p->is_predictive ? var + noise : var);
    return 0.5 * ag_erfc((trigger - mu) / sd * SQRT_HALF);
}

// The change as a share of the baseline, whose smallness epsilon bounds (A5: "We define").
static double
relative(const struct ag_gate_params *p, double change, double baseline, double epsilon)
{
    if (p->delta_mode == AG_DELTA_ABSOLUTE)
        return change;
    double divisor = baseline < 0 ? -baseline : baseline;
    return change / (divisor > epsilon ? divisor : epsilon);
}

static struct ag_gate_result
judge(const struct ag_gate_params *p, double delta, double trigger, double confidence, bool has_baseline)
{
    double prob = reach_probability(p, delta, trigger);
    return (struct ag_gate_result){.state = prob >= confidence ? AG_GATE_FAIL : AG_GATE_PASS,
                                   .is_epsilon_divisor = !has_baseline && p->delta_mode == AG_DELTA_RELATIVE,
                                   .value = prob,
                                   .threshold = confidence,
                                   .confidence = prob > 0.5 ? prob : 1.0 - prob};
}

struct ag_gate_result
ag_gate_risk(const struct ag_gate_params *p, const struct ag_proposal *in)
{
    double delta = relative(p, in->risk_proposed - in->risk_baseline, in->risk_baseline, p->epsilon_r);
    return judge(p, delta, p->risk_trigger, p->risk_confidence, in->present & AG_HAS_RISK_BASELINE);
}

struct ag_gate_result
ag_gate_profit(const struct ag_gate_params *p, const struct ag_proposal *in)
{
    double delta = relative(p, in->profit_baseline - in->profit_proposed, in->profit_baseline, p->epsilon_p);
    if (p->profit_direction == AG_PROFIT_RISE || (p->profit_direction == AG_PROFIT_EITHER && delta < 0))
        delta = -delta;
    return judge(p, delta, p->profit_trigger, p->profit_confidence, in->present & AG_HAS_PROFIT_BASELINE);
}
