// SPDX-License-Identifier: Apache-2.0
// `gates:` and its alias `parameters:` (features A1, A2) -> struct ag_gate_params. In: checked mappings. Out:
// the gates section of the policy; what a file leaves out keeps its default. Memory: the policy. Next file to
// read: yaml_limits.c.
#include "yaml_parts.h"

// A number of a mapping and the field that takes it.
struct field {
    enum agc_ykey key;
    double *to;
};

static void
take(const struct agc_ymap *m, const struct field *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (m->at[f[i].key])
            *f[i].to = agc_yaml_double(m->at[f[i].key]);
}
#define TAKE(m, ...)                                                                                         \
    take((m), (const struct field[]){__VA_ARGS__},                                                           \
         sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field))

static void
take_word(struct agc_reader *r, const struct agc_ynode *v, enum agc_ytype set, uint32_t *to)
{
    unsigned w;
    if (v && agc_yaml_word(r, v, set, &w))
        *to = w;
}

static void
take_drift(struct agc_reader *r, const struct agc_ynode *n, struct ag_gate_params *p)
{
    struct agc_ymap m;
    if (!agc_yaml_map(r, n, AGC_YS_GATE_DRIFT, &m))
        return;
    double bins = p->drift_bins, samples = p->drift_min_samples;
    TAKE(&m, {AGC_YK_GATE_DRIFT_alpha, &p->drift_alpha},
         {AGC_YK_GATE_DRIFT_tau_warning, &p->drift_tau_warning},
         {AGC_YK_GATE_DRIFT_tau_critical, &p->drift_tau_critical}, {AGC_YK_GATE_DRIFT_bins, &bins},
         {AGC_YK_GATE_DRIFT_min_samples, &samples});
    p->drift_bins = (uint32_t)bins;
    p->drift_min_samples = (uint32_t)samples;
    take_word(r, m.at[AGC_YK_GATE_DRIFT_on_fail], AGC_YT_ON_FAIL, &p->on_fail[AG_GATE_DRIFT]);
    const struct agc_ynode *range = m.at[AGC_YK_GATE_DRIFT_range];
    if (range) {
        bool is_pair =
            range->n == 2 && agc_yaml_is_number(range->kid[0]) && agc_yaml_is_number(range->kid[1]);
        double lo = is_pair ? agc_yaml_double(range->kid[0]) : 0,
               hi = is_pair ? agc_yaml_double(range->kid[1]) : 0;
        if (!is_pair)
            agc_diag(r->diags, AGC_D_WRONG_TYPE, range->span, "range must be a list of two numbers");
        else if (!(lo < hi) || !agc_in_range(lo, "[-1e9, 1e9]") || !agc_in_range(hi, "[-1e9, 1e9]"))
            agc_diag(r->diags, AGC_D_OUT_OF_RANGE, range->span, "range must rise and lie in [-1e9, 1e9]");
        else {
            p->drift_low = lo;
            p->drift_high = hi;
        }
    }
    if (!(p->drift_tau_warning < p->drift_tau_critical))
        agc_diag(r->diags, AGC_D_OUT_OF_RANGE, n->span,
                 "tau_warning (%g) must be less than tau_critical (%g)", p->drift_tau_warning,
                 p->drift_tau_critical);
}

static void
take_native(struct agc_reader *r, const struct agc_ymap *gates, struct ag_gate_params *p)
{
    struct agc_ymap m;
    TAKE(gates, {AGC_YK_GATES_mu0, &p->mu0}, {AGC_YK_GATES_sigma0, &p->sigma0},
         {AGC_YK_GATES_sigmaL, &p->sigma_l});
    take_word(r, gates->at[AGC_YK_GATES_delta_mode], AGC_YT_DELTA_MODE, &p->delta_mode);
    if (gates->at[AGC_YK_GATES_predictive])
        p->is_predictive = agc_yaml_bool(gates->at[AGC_YK_GATES_predictive]);
    if (gates->at[AGC_YK_GATES_risk] && agc_yaml_map(r, gates->at[AGC_YK_GATES_risk], AGC_YS_GATE_RISK, &m)) {
        TAKE(&m, {AGC_YK_GATE_RISK_epsilon, &p->epsilon_r},
             {AGC_YK_GATE_RISK_trigger_factor, &p->risk_trigger},
             {AGC_YK_GATE_RISK_confidence, &p->risk_confidence});
        take_word(r, m.at[AGC_YK_GATE_RISK_on_fail], AGC_YT_ON_FAIL, &p->on_fail[AG_GATE_RISK]);
    }
    if (gates->at[AGC_YK_GATES_profit] &&
        agc_yaml_map(r, gates->at[AGC_YK_GATES_profit], AGC_YS_GATE_PROFIT, &m)) {
        TAKE(&m, {AGC_YK_GATE_PROFIT_epsilon, &p->epsilon_p},
             {AGC_YK_GATE_PROFIT_trigger_factor, &p->profit_trigger},
             {AGC_YK_GATE_PROFIT_confidence, &p->profit_confidence});
        take_word(r, m.at[AGC_YK_GATE_PROFIT_direction], AGC_YT_DIRECTION, &p->profit_direction);
        take_word(r, m.at[AGC_YK_GATE_PROFIT_on_fail], AGC_YT_ON_FAIL, &p->on_fail[AG_GATE_PROFIT]);
    }
    if (gates->at[AGC_YK_GATES_novelty] &&
        agc_yaml_map(r, gates->at[AGC_YK_GATES_novelty], AGC_YS_GATE_NOVELTY, &m)) {
        TAKE(&m, {AGC_YK_GATE_NOVELTY_N0, &p->novelty_n0}, {AGC_YK_GATE_NOVELTY_k, &p->novelty_k},
             {AGC_YK_GATE_NOVELTY_threshold, &p->novelty_threshold});
        take_word(r, m.at[AGC_YK_GATE_NOVELTY_on_fail], AGC_YT_ON_FAIL, &p->on_fail[AG_GATE_NOVELTY]);
    }
    if (gates->at[AGC_YK_GATES_complexity] &&
        agc_yaml_map(r, gates->at[AGC_YK_GATES_complexity], AGC_YS_GATE_COMPLEXITY, &m))
        TAKE(&m, {AGC_YK_GATE_COMPLEXITY_floor, &p->complexity_floor});
    if (gates->at[AGC_YK_GATES_quality] &&
        agc_yaml_map(r, gates->at[AGC_YK_GATES_quality], AGC_YS_GATE_QUALITY, &m)) {
        TAKE(&m, {AGC_YK_GATE_QUALITY_min, &p->quality_min});
        take_word(r, m.at[AGC_YK_GATE_QUALITY_on_fail], AGC_YT_ON_FAIL, &p->on_fail[AG_GATE_QUALITY]);
    }
    if (gates->at[AGC_YK_GATES_utility] &&
        agc_yaml_map(r, gates->at[AGC_YK_GATES_utility], AGC_YS_GATE_UTILITY, &m)) {
        TAKE(&m, {AGC_YK_GATE_UTILITY_alpha, &p->utility_alpha});
        take_word(r, m.at[AGC_YK_GATE_UTILITY_on_fail], AGC_YT_ON_FAIL, &p->on_fail[AG_GATE_UTILITY]);
    }
    if (gates->at[AGC_YK_GATES_drift])
        take_drift(r, gates->at[AGC_YK_GATES_drift], p);
}

static void
take_parameters(struct agc_reader *r, const struct agc_ynode *n, struct ag_gate_params *p)
{
    struct agc_ymap m, novelty;
    if (!agc_yaml_map(r, n, AGC_YS_PARAMETERS, &m))
        return;
    TAKE(&m, {AGC_YK_PARAMETERS_epsilon_R, &p->epsilon_r}, {AGC_YK_PARAMETERS_epsilon_P, &p->epsilon_p},
         {AGC_YK_PARAMETERS_risk_trigger_factor, &p->risk_trigger},
         {AGC_YK_PARAMETERS_profit_trigger_factor, &p->profit_trigger},
         {AGC_YK_PARAMETERS_trigger_confidence_prob, &p->risk_confidence},
         {AGC_YK_PARAMETERS_trigger_confidence_prob, &p->profit_confidence},
         {AGC_YK_PARAMETERS_complexity_floor, &p->complexity_floor},
         {AGC_YK_PARAMETERS_quality_min_score, &p->quality_min}, {AGC_YK_PARAMETERS_mu0, &p->mu0},
         {AGC_YK_PARAMETERS_sigma0, &p->sigma0}, {AGC_YK_PARAMETERS_sigmaL, &p->sigma_l},
         {AGC_YK_PARAMETERS_utility_alpha, &p->utility_alpha});
    if (m.at[AGC_YK_PARAMETERS_novelty_gate] &&
        agc_yaml_map(r, m.at[AGC_YK_PARAMETERS_novelty_gate], AGC_YS_PARAM_NOVELTY, &novelty))
        TAKE(&novelty, {AGC_YK_PARAM_NOVELTY_N0, &p->novelty_n0}, {AGC_YK_PARAM_NOVELTY_k, &p->novelty_k},
             {AGC_YK_PARAM_NOVELTY_output_threshold, &p->novelty_threshold});
    take_word(r, m.at[AGC_YK_PARAMETERS_delta_mode], AGC_YT_DELTA_MODE, &p->delta_mode);
    take_word(r, m.at[AGC_YK_PARAMETERS_profit_direction], AGC_YT_DIRECTION, &p->profit_direction);
    if (m.at[AGC_YK_PARAMETERS_predictive])
        p->is_predictive = agc_yaml_bool(m.at[AGC_YK_PARAMETERS_predictive]);
    if (m.at[AGC_YK_PARAMETERS_drift])
        take_drift(r, m.at[AGC_YK_PARAMETERS_drift], p);
}

void
agc_yaml_gates(struct agc_reader *r, const struct agc_ymap *root)
{
    static const enum agc_ykey gate_keys[AG_GATES] = {
        [AG_GATE_RISK] = AGC_YK_GATES_risk,       [AG_GATE_PROFIT] = AGC_YK_GATES_profit,
        [AG_GATE_NOVELTY] = AGC_YK_GATES_novelty, [AG_GATE_COMPLEXITY] = AGC_YK_GATES_complexity,
        [AG_GATE_QUALITY] = AGC_YK_GATES_quality, [AG_GATE_UTILITY] = AGC_YK_GATES_utility,
        [AG_GATE_DRIFT] = AGC_YK_GATES_drift,
    };
    const struct agc_ynode *native = root->at[AGC_YK_ROOT_gates], *alias = root->at[AGC_YK_ROOT_parameters];
    if (root->key[AGC_YK_ROOT_gates] && root->key[AGC_YK_ROOT_parameters]) {
        struct agc_diag *d = agc_diag(r->diags, AGC_D_EXCLUSIVE_KEYS, root->key[AGC_YK_ROOT_parameters]->span,
                                      "gates and parameters exclude each other");
        agc_diag_second(r->diags, d, root->key[AGC_YK_ROOT_gates]->span, "gates is given here");
        return;
    }
    if (!native && !alias)
        return;
    struct agc_policy *policy = r->policy;
    struct ag_gate_params p;
    ag_gate_params_default(&p);
    policy->has_gates = true;
    if (alias) {
        take_parameters(r, alias, &p);
        policy->gates.present = (1u << AG_GATES) - 1;
    } else {
        struct agc_ymap m;
        if (!agc_yaml_map(r, native, AGC_YS_GATES, &m))
            return;
        take_native(r, &m, &p);
        for (int g = 0; g < AG_GATES; g++)
            if (m.at[gate_keys[g]])
                policy->gates.present |= 1u << g;
        if (m.at[AGC_YK_GATES_apply])
            policy->gates.apply_always = policy->gates.present;
    }
    _Static_assert(sizeof p <= sizeof policy->gates.params, "the section holds the parameters");
    memcpy(policy->gates.params, &p, sizeof p);
}

uint32_t
agc_yaml_gate_list(struct agc_reader *r, const struct agc_ynode *list)
{
    uint32_t mask = 0;
    unsigned gate;
    for (uint32_t i = 0; i < list->n; i++)
        if (agc_yaml_word(r, list->kid[i], AGC_YT_GATE, &gate))
            mask |= 1u << gate;
    return mask;
}

void
agc_yaml_check_gates(struct agc_reader *r)
{
    const struct agc_policy *p = r->policy;
    for (uint32_t i = 0; i < p->nrules; i++) {
        const struct agc_rule *rule = &p->rules[i];
        uint32_t missing = rule->gate_mask & ~p->gates.present;
        for (uint32_t g = 0; rule->span.source == r->source && g < AG_GATES; g++)
            if (missing >> g & 1) {
                struct agc_diag *d = agc_diag(r->diags, AGC_D_UNKNOWN_GATE, rule->name.span,
                                              "rule \"%.*s\" names the gate %s, which is not configured",
                                              (int)rule->name.text.n, rule->name.text.p, ag_gate_name(g));
                agc_diag_fix(r->diags, d, "add gates: {%s: {}}", ag_gate_name(g));
            }
    }
}
