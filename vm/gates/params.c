// SPDX-License-Identifier: Apache-2.0
// The parameters of the gates and the fields of a proposal: their defaults and their ranges, one table row
// each. In: foreign bytes of an image, values from a request. Out: NULL, or the name of the first field that
// is refused. NaN and infinities lie in no range, so they never pass. Next file to read: risk.c.
#include "gates.h"

#include <stddef.h>
#include <string.h>

#define FINITE 1.7976931348623157e308

struct range {
    const char *name;
    size_t off;
    double low, high;
    bool is_low_open, is_high_open;
};

#define CLOSED(field, name, low, high)                                                                       \
    {                                                                                                        \
        name, offsetof(struct ag_gate_params, field), low, high, false, false                                \
    }
#define OPEN_LOW(field, name, high)                                                                          \
    {                                                                                                        \
        name, offsetof(struct ag_gate_params, field), 0, high, true, false                                   \
    }
#define OPEN(field, name, low, high)                                                                         \
    {                                                                                                        \
        name, offsetof(struct ag_gate_params, field), low, high, true, true                                  \
    }

// Names as in the `parameters:` block of A1.
static const struct range param_range[] = {
    OPEN_LOW(epsilon_r, "epsilon_R", 1),
    OPEN_LOW(epsilon_p, "epsilon_P", 1),
    OPEN_LOW(risk_trigger, "risk_trigger_factor", 1000),
    OPEN_LOW(profit_trigger, "profit_trigger_factor", 1000),
    OPEN(risk_confidence, "trigger_confidence_prob", 0.5, 1),
    OPEN(profit_confidence, "trigger_confidence_prob", 0.5, 1),
    CLOSED(mu0, "mu0", -1e6, 1e6),
    CLOSED(sigma0, "sigma0", 1e-6, 1e6),
    CLOSED(sigma_l, "sigmaL", 1e-6, 1e6),
    CLOSED(novelty_n0, "novelty_gate.N0", 0, 1),
    OPEN_LOW(novelty_k, "novelty_gate.k", 1000),
    OPEN(novelty_threshold, "novelty_gate.output_threshold", 0, 1),
    CLOSED(complexity_floor, "complexity_floor", 0.5, 1),
    CLOSED(quality_min, "quality_min_score", 0, 1),
    CLOSED(utility_alpha, "utility_alpha", 1e-9, 0.5),
    CLOSED(drift_low, "drift.range", -1e9, 1e9),
    CLOSED(drift_high, "drift.range", -1e9, 1e9),
    OPEN_LOW(drift_alpha, "drift.alpha", 1000),
    OPEN_LOW(drift_tau_warning, "drift.tau_warning", 1000),
    OPEN_LOW(drift_tau_critical, "drift.tau_critical", 1000),
};

static bool
is_inside(double v, const struct range *r)
{
    bool is_above = r->is_low_open ? v > r->low : v >= r->low;
    bool is_below = r->is_high_open ? v < r->high : v <= r->high;
    return is_above && is_below;
}

void
ag_gate_params_default(struct ag_gate_params *p)
{
    *p = (struct ag_gate_params){.epsilon_r = 0.01,
                                 .epsilon_p = 0.01,
                                 .risk_trigger = 2.0,
                                 .profit_trigger = 2.0,
                                 .risk_confidence = 0.95,
                                 .profit_confidence = 0.95,
                                 .mu0 = 0.0,
                                 .sigma0 = 1.0,
                                 .sigma_l = 0.5,
                                 .novelty_n0 = 0.7,
                                 .novelty_k = 10.0,
                                 .novelty_threshold = 0.6,
                                 .complexity_floor = 0.5,
                                 .quality_min = 0.7,
                                 .utility_alpha = 0.05,
                                 .drift_low = 0.0,
                                 .drift_high = 1.0,
                                 .drift_alpha = 1.0,
                                 .drift_tau_warning = 0.35,
                                 .drift_tau_critical = 0.5,
                                 .drift_bins = 10,
                                 .drift_min_samples = 30};
}

const char *
ag_gate_params_check(const struct ag_gate_params *p)
{
    for (size_t i = 0; i < sizeof param_range / sizeof param_range[0]; i++) {
        double v;
        memcpy(&v, (const char *)p + param_range[i].off, sizeof v);
        if (!is_inside(v, &param_range[i]))
            return param_range[i].name;
    }
    if (!(p->drift_low < p->drift_high))
        return "drift.range";
    if (!(p->drift_tau_warning < p->drift_tau_critical))
        return "drift.tau_warning";
    if (p->drift_bins < 2 || p->drift_bins > AG_DRIFT_BINS_MAX)
        return "drift.bins";
    if (p->drift_min_samples < 1 || p->drift_min_samples > 1000000)
        return "drift.min_samples";
    if (p->delta_mode >= AG_DELTA_MODES)
        return "delta_mode";
    if (p->is_predictive > 1)
        return "predictive";
    if (p->profit_direction >= AG_PROFIT_DIRECTIONS)
        return "profit_direction";
    for (int g = 0; g < AG_GATES; g++)
        if (p->on_fail[g] >= AG_ON_FAILS)
            return "on_fail";
    return p->on_fail[AG_GATE_COMPLEXITY] == AG_ON_FAIL_OWN ? NULL : "on_fail";
}

static const double default_subscores[3] = {0.7, 0.7, 0.7};

void
ag_proposal_default(struct ag_proposal *p)
{
    *p = (struct ag_proposal){.impact = AG_IMPACT_MEDIUM,
                              .is_reversible = true,
                              .novelty = 0.5,
                              .complexity = 0.5,
                              .quality = 0.7,
                              .subscores = default_subscores,
                              .nsubscores = 3};
}

static bool
is_unit(double v)
{
    return v >= 0 && v <= 1;
}

static bool
is_finite(double v)
{
    return v >= -FINITE && v <= FINITE;
}

static bool
are_finite(const double *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!is_finite(v[i]))
            return false;
    return true;
}

const char *
ag_proposal_check(const struct ag_proposal *p)
{
    const struct {
        const char *name;
        bool is_good;
    } field[] = {{"risk_baseline", is_unit(p->risk_baseline)},
                 {"risk_proposed", is_unit(p->risk_proposed)},
                 {"profit_baseline", is_finite(p->profit_baseline)},
                 {"profit_proposed", is_finite(p->profit_proposed)},
                 {"novelty_score", is_unit(p->novelty)},
                 {"complexity_score", is_unit(p->complexity)},
                 {"quality_score", is_unit(p->quality)},
                 {"utility_result.mean", is_finite(p->utility_mean)},
                 {"utility_result.sd", is_finite(p->utility_sd) && p->utility_sd >= 0},
                 {"estimated_impact", p->impact <= AG_IMPACT_CRITICAL},
                 {"quality_subscores", p->nsubscores >= 1 && p->nsubscores <= AG_SUBSCORES_MAX},
                 {"drift_baseline_data", are_finite(p->drift_baseline, p->ndrift_baseline)},
                 {"drift_current_data", are_finite(p->drift_current, p->ndrift_current)}};
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++)
        if (!field[i].is_good)
            return field[i].name;
    for (uint32_t i = 0; i < p->nsubscores; i++)
        if (!is_unit(p->subscores[i]))
            return "quality_subscores";
    return NULL;
}
