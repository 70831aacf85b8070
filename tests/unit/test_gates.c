// SPDX-License-Identifier: Apache-2.0
// The gates against the published tables and computed vectors (A1, A4-A12); numbers come from the formulas,
// not from this code. With --digest it prints one hash over all result bits of a fixed grid instead, so that
// builds by other compilers and at other levels can be compared (tests/api/gate_bits.sh).
#include "t.h"

#include "fmath.h"
#include "gates.h"

#include <stdint.h>

#define ALL_GATES ((1u << AG_GATES) - 1)
#define BIT(g)    (1u << (g))

static int
near(double a, double b, double tolerance)
{
    double d = a - b;
    int ok = d <= tolerance && d >= -tolerance;
    if (!ok)
        printf("# got %.17g, want %.17g\n", a, b);
    return ok;
}

static struct ag_gate_params
defaults(void)
{
    struct ag_gate_params p;
    ag_gate_params_default(&p);
    return p;
}

static struct ag_proposal
proposal(void)
{
    struct ag_proposal in;
    ag_proposal_default(&in);
    return in;
}

static struct ag_gate_result
risk_of(const struct ag_gate_params *p, double baseline, double proposed)
{
    struct ag_proposal in = proposal();
    in.risk_baseline = baseline;
    in.risk_proposed = proposed;
    in.present = AG_HAS_RISK_BASELINE | AG_HAS_RISK_PROPOSED;
    return ag_gate_risk(p, &in);
}

static struct ag_gate_result
profit_of(const struct ag_gate_params *p, double baseline, double proposed)
{
    struct ag_proposal in = proposal();
    in.profit_baseline = baseline;
    in.profit_proposed = proposed;
    in.present = AG_HAS_PROFIT_BASELINE | AG_HAS_PROFIT_PROPOSED;
    return ag_gate_profit(p, &in);
}

// --- A1: parameters

static void
test_params(void)
{
    struct ag_gate_params p = defaults();
    OK(ag_gate_params_check(&p) == NULL, "A1 defaults are accepted");
    OK(p.epsilon_r == 0.01 && p.risk_trigger == 2 && p.risk_confidence == 0.95 && p.novelty_n0 == 0.7 &&
           p.novelty_k == 10 && p.novelty_threshold == 0.6 && p.complexity_floor == 0.5 &&
           p.quality_min == 0.7 && p.utility_alpha == 0.05 && p.drift_bins == 10 && p.drift_min_samples == 30,
       "A1 defaults are the published ones");

    static const double bad[] = {-1e300, 1e300, (double)__builtin_nanf(""), (double)__builtin_inff()};
    const char *last = "";
    for (size_t i = 0; i < 20; i++) { // the doubles stand first, in order
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            p = defaults();
            memcpy((char *)&p + i * sizeof(double), &bad[k], sizeof(double));
            last = ag_gate_params_check(&p);
            OK(last != NULL, "A1 double %zu refuses %g (%s)", i, bad[k], last ? last : "accepted");
        }
    }
    struct {
        const char *name;
        double *field, at_limit, past;
    } rows[] = {{"epsilon_R", &p.epsilon_r, 1, 1.0000001},
                {"epsilon_R", &p.epsilon_r, 1e-300, 0},
                {"risk_trigger_factor", &p.risk_trigger, 1000, 1000.1},
                {"trigger_confidence_prob", &p.risk_confidence, 0.999, 1},
                {"trigger_confidence_prob", &p.profit_confidence, 0.501, 0.5},
                {"complexity_floor", &p.complexity_floor, 0.5, 0.4},
                {"complexity_floor", &p.complexity_floor, 1, 1.01},
                {"quality_min_score", &p.quality_min, 0, -0.01},
                {"novelty_gate.output_threshold", &p.novelty_threshold, 0.999, 1},
                {"novelty_gate.k", &p.novelty_k, 1000, 1001},
                {"sigma0", &p.sigma0, 1e-6, 0},
                {"utility_alpha", &p.utility_alpha, 0.5, 0.51},
                {"drift.tau_warning", &p.drift_tau_warning, 0.49, 0.5},
                {"drift.range", &p.drift_low, 0.999, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p = defaults();
        *rows[i].field = rows[i].at_limit;
        OK(!ag_gate_params_check(&p), "A1 %s accepts %g", rows[i].name, rows[i].at_limit);
        *rows[i].field = rows[i].past;
        last = ag_gate_params_check(&p);
        OK(last && !strcmp(last, rows[i].name), "A1 %s refuses %g", rows[i].name, rows[i].past);
    }
    struct {
        const char *name;
        uint32_t *field, at_limit, past;
    } whole[] = {{"drift.bins", &p.drift_bins, AG_DRIFT_BINS_MAX, AG_DRIFT_BINS_MAX + 1},
                 {"drift.bins", &p.drift_bins, 2, 1},
                 {"drift.min_samples", &p.drift_min_samples, 1, 0},
                 {"drift.min_samples", &p.drift_min_samples, 1000000, 1000001},
                 {"delta_mode", &p.delta_mode, AG_DELTA_ABSOLUTE, AG_DELTA_MODES},
                 {"predictive", &p.is_predictive, 1, 2},
                 {"profit_direction", &p.profit_direction, AG_PROFIT_EITHER, AG_PROFIT_DIRECTIONS},
                 {"on_fail", &p.on_fail[AG_GATE_DRIFT], AG_ON_FAIL_DENY, AG_ON_FAILS},
                 {"on_fail", &p.on_fail[AG_GATE_COMPLEXITY], AG_ON_FAIL_OWN, AG_ON_FAIL_PAUSE}};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        p = defaults();
        *whole[i].field = whole[i].at_limit;
        OK(!ag_gate_params_check(&p), "A1 %s accepts %u", whole[i].name, whole[i].at_limit);
        *whole[i].field = whole[i].past;
        last = ag_gate_params_check(&p);
        OK(last && !strcmp(last, whole[i].name), "A1 %s refuses %u", whole[i].name, whole[i].past);
    }
}

// --- A4: proposals

static void
test_proposal(void)
{
    struct ag_proposal in = proposal();
    OK(!ag_proposal_check(&in), "A4 the default proposal is accepted");
    OK(in.novelty == 0.5 && in.complexity == 0.5 && in.quality == 0.7 && in.nsubscores == 3 &&
           in.impact == AG_IMPACT_MEDIUM && in.is_reversible && !in.requires_human_approval,
       "A4 defaults");
    struct {
        const char *name;
        double *field;
    } rows[] = {{"risk_baseline", &in.risk_baseline},
                {"risk_proposed", &in.risk_proposed},
                {"novelty_score", &in.novelty},
                {"complexity_score", &in.complexity},
                {"quality_score", &in.quality}};
    static const double bad[] = {-0.0001, 1.0001, (double)__builtin_nanf(""), (double)__builtin_inff()};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            in = proposal();
            *rows[i].field = bad[k];
            const char *name = ag_proposal_check(&in);
            OK(name && !strcmp(name, rows[i].name), "A4 %s refuses %g", rows[i].name, bad[k]);
        }
        *rows[i].field = 1;
        OK(!ag_proposal_check(&in), "A4 %s accepts 1", rows[i].name);
    }
    in = proposal();
    in.profit_proposed = -1e308;
    OK(!ag_proposal_check(&in), "A4 profit may be any finite number");
    in.profit_proposed = (double)__builtin_inff();
    OK(ag_proposal_check(&in) != NULL, "A4 profit refuses infinity");
    in = proposal();
    in.utility_sd = -0.1;
    OK(ag_proposal_check(&in) != NULL, "A10 a negative sd is refused");

    double scores[AG_SUBSCORES_MAX + 1];
    for (size_t i = 0; i <= AG_SUBSCORES_MAX; i++)
        scores[i] = 0.5;
    in = proposal();
    in.subscores = scores;
    in.nsubscores = AG_SUBSCORES_MAX;
    OK(!ag_proposal_check(&in), "A9 64 subscores are accepted");
    in.nsubscores = AG_SUBSCORES_MAX + 1;
    OK(ag_proposal_check(&in) != NULL, "A9 65 subscores are refused");
    in.nsubscores = 0;
    OK(ag_proposal_check(&in) != NULL, "A9 an empty subscore list is refused");
    in.nsubscores = 2;
    scores[1] = 1.5;
    OK(ag_proposal_check(&in) != NULL, "A9 a subscore above 1 is refused");
    in = proposal();
    in.drift_baseline = bad + 2;
    in.ndrift_baseline = 1;
    OK(ag_proposal_check(&in) != NULL, "A11 NaN in drift data is refused");
}

// --- A5, A6: risk and profit

static const struct {
    double observed, mu, posterior, predictive;
} bayes[] = {
    {0.0, 0.0, 3.872108215522048e-06, 0.00143455639603831},
    {0.15, 0.12, 1.3123091477223387e-05, 0.0025351079690768895},
    {0.5, 0.4, 0.00017330967556733343, 0.0085363305468942},
    {1.0, 0.8, 0.003645179045767822, 0.03681913506015135},
    {1.5, 1.2000000000000002, 0.03681913506015135, 0.11651899113695274},
    {2.0, 1.6, 0.18554668476134883, 0.27549249379254687},
    {2.5, 2.0, 0.5, 0.5},
    {3.0, 2.4000000000000004, 0.8144533152386515, 0.7245075062074533},
    {3.4, 2.72, 0.9462976818348732, 0.8584345646688267},
    {3.42, 2.736, 0.9500919711785707, 0.8637151509978762},
    {3.5, 2.8000000000000003, 0.9631808649398487, 0.8834810088630474},
    {3.8, 3.04, 0.9899776656886863, 0.9394700900104502},
    {3.9, 3.12, 0.9938669693068936, 0.9525004797083932},
    {15.0, 12.0, 1.0, 1.0},
};

static void
test_bayes(void)
{
    struct ag_gate_params p = defaults();
    p.delta_mode = AG_DELTA_ABSOLUTE;
    p.profit_direction = AG_PROFIT_RISE;
    for (size_t i = 0; i < sizeof bayes / sizeof bayes[0]; i++) {
        p.is_predictive = 0;
        OK(near(profit_of(&p, 0, bayes[i].observed).value, bayes[i].posterior, 1e-12),
           "A5 posterior at delta %g", bayes[i].observed);
        p.is_predictive = 1;
        OK(near(profit_of(&p, 0, bayes[i].observed).value, bayes[i].predictive, 1e-12),
           "A5 predictive at delta %g", bayes[i].observed);
    }
    p.is_predictive = 0;
    OK(profit_of(&p, 0, 3.4195011307).state == AG_GATE_PASS, "A5 posterior passes just below the crossing");
    OK(profit_of(&p, 0, 3.419501130726).state == AG_GATE_FAIL, "A5 posterior fails at the crossing");
    p.is_predictive = 1;
    OK(profit_of(&p, 0, 3.879251696087).state == AG_GATE_PASS,
       "A5 predictive passes just below the crossing");
    OK(profit_of(&p, 0, 3.879251696088).state == AG_GATE_FAIL, "A5 predictive fails at the crossing");
    p.is_predictive = 0;
    p.mu0 = 1;
    // var = 0.2, mu = 0.2 × (1 + 4 × 2.25) = 2 = t
    OK(near(profit_of(&p, 0, 2.25).value, 0.5, 1e-15), "A5 a prior mean shifts the posterior");
}

static void
test_risk(void)
{
    struct ag_gate_params p = defaults();
    static const struct {
        double baseline, proposed, prob;
        int state;
    } rows[] = {{0.02, 0.05, 0.036819, AG_GATE_PASS},
                {0.09, 0.156, 0.000788, AG_GATE_PASS},
                {0.02, 0.0883, 0.949164, AG_GATE_PASS},
                {0.02, 0.0884, 0.950092, AG_GATE_FAIL},
                {0, 0.0341, 0.948222, AG_GATE_PASS},
                {0, 0.0342, 0.950092, AG_GATE_FAIL},
                {0, 0.1, 1.0, AG_GATE_FAIL},
                {0, 0.15, 1.0, AG_GATE_FAIL},
                {0, 0.3, 1.0, AG_GATE_FAIL},
                {1, 0, 0, AG_GATE_PASS}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ag_gate_result r = risk_of(&p, rows[i].baseline, rows[i].proposed);
        OK(near(r.value, rows[i].prob, 5e-7) && r.state == (uint32_t)rows[i].state && r.threshold == 0.95,
           "A5 risk %g -> %g", rows[i].baseline, rows[i].proposed);
    }
    struct ag_gate_result r = risk_of(&p, 0.02, 0.05);
    OK(near(r.confidence, 0.963181, 5e-7), "A14 confidence is max(p, 1-p)");
    OK(!r.is_epsilon_divisor, "A5 a given baseline is its own divisor");
    struct ag_proposal in = proposal();
    in.risk_proposed = 0.0342;
    r = ag_gate_risk(&p, &in);
    OK(r.is_epsilon_divisor && r.state == AG_GATE_FAIL, "A5 an omitted baseline says that epsilon divided");
}

static void
test_profit(void)
{
    struct ag_gate_params p = defaults();
    OK(profit_of(&p, 1, -3).state == AG_GATE_FAIL, "A6 a drop of 4 fails");
    OK(profit_of(&p, 1.2, 1.8).state == AG_GATE_PASS, "A6 a rise passes");
    OK(profit_of(&p, -1, -5).state == AG_GATE_FAIL, "A6 a negative baseline divides by its size");
    p.profit_direction = AG_PROFIT_RISE;
    OK(profit_of(&p, 1, -3).state == AG_GATE_PASS && profit_of(&p, 1, 5).state == AG_GATE_FAIL,
       "A6 rise reverses");
    p.profit_direction = AG_PROFIT_EITHER;
    OK(profit_of(&p, 1, -3).state == AG_GATE_FAIL && profit_of(&p, 1, 5).state == AG_GATE_FAIL,
       "A6 either fails both");
    p.profit_direction = AG_PROFIT_DROP;
    OK(profit_of(&p, 1e308, -1e308).value == 1, "A6 a drop past the largest double is certain");
    OK(profit_of(&p, -1e308, 1e308).value == 0, "A6 a rise past the largest double never fails");
}

// --- A7 - A10

static const struct {
    double n, g;
    bool is_pass_6, is_pass_8;
} novelty[] = {
    {0.0, 0.0009110511944006454, false, false},
    {0.3, 0.017986209962091566, false, false},
    {0.5, 0.1192029220221176, false, false},
    {0.65, 0.3775406687981456, false, false},
    {0.7, 0.5, false, false},
    {0.74, 0.5986876601124521, false, false},
    {0.741, 0.6010878788483698, true, false},
    {0.75, 0.6224593312018547, true, false},
    {0.8, 0.7310585786300051, true, false},
    {0.838, 0.7989910002494707, true, false},
    {0.839, 0.8005922431513315, true, true},
    {0.85, 0.8175744761936437, true, true},
    {0.9, 0.8807970779778825, true, true},
    {1.0, 0.9525741268224334, true, true},
};

static struct ag_gate_result
novelty_of(const struct ag_gate_params *p, double n)
{
    struct ag_proposal in = proposal();
    in.novelty = n;
    return ag_gate_novelty(p, &in);
}

static void
test_novelty(void)
{
    struct ag_gate_params p = defaults(), strict = defaults();
    strict.novelty_threshold = 0.8;
    for (size_t i = 0; i < sizeof novelty / sizeof novelty[0]; i++) {
        struct ag_gate_result r = novelty_of(&p, novelty[i].n);
        OK(near(r.value, novelty[i].g, 1e-12) && (r.state == AG_GATE_PASS) == novelty[i].is_pass_6 &&
               (novelty_of(&strict, novelty[i].n).state == AG_GATE_PASS) == novelty[i].is_pass_8,
           "A7 novelty %g", novelty[i].n);
    }
    OK(novelty_of(&p, 0.7405465).state == AG_GATE_FAIL && novelty_of(&p, 0.7405466).state == AG_GATE_PASS,
       "A7 crossing at 0.7405465");
    OK(novelty_of(&strict, 0.8386294).state == AG_GATE_FAIL &&
           novelty_of(&strict, 0.8386295).state == AG_GATE_PASS,
       "A7 crossing at 0.8386294");
    p.novelty_k = 1000;
    p.novelty_n0 = 1;
    OK(novelty_of(&p, 0).value == 0 && novelty_of(&p, 1).value == 0.5,
       "A7 the steepest slope does not overflow");
}

static void
test_simple(void)
{
    struct ag_gate_params p = defaults();
    struct ag_proposal in = proposal();
    OK(ag_gate_complexity(&p, &in).state == AG_GATE_PASS, "A8 the floor itself passes");
    in.complexity = 0.49;
    OK(ag_gate_complexity(&p, &in).state == AG_GATE_FAIL, "A8 0.49 fails");

    static const double with_zero[] = {0.9, 0, 0.9}, low[] = {0.9, 0.1, 0.9};
    in = proposal();
    OK(ag_gate_quality(&p, &in).state == AG_GATE_PASS, "A9 the minimum itself passes");
    in.quality = 0.9;
    in.subscores = with_zero;
    OK(ag_gate_quality(&p, &in).state == AG_GATE_FAIL, "A9 a zero subscore fails");
    in.subscores = low;
    OK(ag_gate_quality(&p, &in).state == AG_GATE_PASS, "A9 a low subscore passes");
    in.quality = 0.6999;
    OK(ag_gate_quality(&p, &in).state == AG_GATE_FAIL, "A9 a low score fails");

    in = proposal();
    OK(ag_gate_utility(&p, &in).state == AG_GATE_SKIPPED, "A10 without a result the gate is skipped");
    in.present = AG_HAS_UTILITY;
    in.utility_mean = 0.10;
    in.utility_sd = 0.05;
    struct ag_gate_result r = ag_gate_utility(&p, &in);
    OK(r.state == AG_GATE_PASS && near(r.value, 0.0177573187, 5e-11) && near(r.confidence, 0.95, 1e-15),
       "A10 (0.10, 0.05) passes");
    in.utility_mean = 0.05;
    r = ag_gate_utility(&p, &in);
    OK(r.state == AG_GATE_FAIL && near(r.value, -0.0322426813, 5e-11), "A10 (0.05, 0.05) fails");
    in.utility_mean = in.utility_sd = 0;
    OK(ag_gate_utility(&p, &in).state == AG_GATE_FAIL, "A10 a bound of exactly 0 fails");
    static const double z[][2] = {{0.5, 0},
                                  {0.1, 1.2815515655446004},
                                  {0.025, 1.959963984540054},
                                  {0.01, 2.3263478740408408},
                                  {0.001, 3.090232306167813},
                                  {1e-9, 5.997807015007686}};
    in.utility_sd = 1;
    for (size_t i = 0; i < sizeof z / sizeof z[0]; i++) {
        p.utility_alpha = z[i][0];
        OK(near(-ag_gate_utility(&p, &in).value, z[i][1], 1e-14), "A10 z of alpha %g", z[i][0]);
    }
    p.utility_alpha = 0.05 + 1e-17;
    OK(near(-ag_gate_utility(&p, &in).value, 1.6448536269514722, 1e-15), "A10 z of alpha 0.05");
    in.utility_mean = -1e308;
    in.utility_sd = 1e308;
    r = ag_gate_utility(&p, &in);
    OK(r.state == AG_GATE_FAIL && r.value >= -1.7976931348623157e308, "A10 the bound stays finite");
}

// --- A11: drift

static void
fill(double *v, uint32_t from, uint32_t n, double x)
{
    for (uint32_t i = 0; i < n; i++)
        v[from + i] = x;
}

static struct ag_drift_result
drift_of(const double *base, uint32_t nbase, const double *now, uint32_t nnow)
{
    struct ag_gate_params p = defaults();
    struct ag_proposal in = proposal();
    in.drift_baseline = base;
    in.ndrift_baseline = nbase;
    in.drift_current = now;
    in.ndrift_current = nnow;
    return ag_gate_drift(&p, &in);
}

static void
test_drift(void)
{
    double base[30], now[30];
    struct ag_drift_result r;
    fill(base, 0, 15, 0.05), fill(base, 15, 15, 0.15);
    r = drift_of(base, 30, base, 30);
    OK(r.kl == 0 && r.status == AG_DRIFT_NORMAL, "A11 same data: 0, normal");
    fill(now, 0, 30, 0.15);
    r = drift_of(base, 30, now, 30);
    OK(near(r.kl, 0.443269, 5e-7) && r.status == AG_DRIFT_WARNING, "A11 30 of 0.15: warning");
    fill(now, 0, 8, 0.05), fill(now, 8, 7, 0.15), fill(now, 15, 15, 0.25);
    r = drift_of(base, 30, now, 30);
    OK(near(r.kl, 0.840949, 5e-7) && r.status == AG_DRIFT_CRITICAL, "A11 half moved: critical");
    static const double far[] = {0.25, 0.95, 1.0, 7, -3};
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        fill(now, 0, 30, far[i]);
        r = drift_of(base, 30, now, 30);
        if (i < 4)
            OK(near(r.kl, 2.522711, 5e-7) && r.status == AG_DRIFT_CRITICAL, "A11 30 of %g: critical", far[i]);
        else
            OK(near(r.kl, 0.443269, 5e-7), "A11 below the range counts in the first bin");
    }
    OK(drift_of(base, 29, now, 30).status == AG_DRIFT_SKIPPED &&
           drift_of(base, 30, now, 29).status == AG_DRIFT_SKIPPED,
       "A11 29 samples on either side: skipped");
    OK(drift_of(NULL, 0, NULL, 0).status == AG_DRIFT_SKIPPED, "A11 no data: skipped");
}

// --- A12: combination

static struct ag_gates_verdict
verdict_of(const struct ag_gate_params *p, const struct ag_proposal *in)
{
    struct ag_gate_result result[AG_GATES];
    struct ag_drift_result drift;
    struct ag_gates_verdict v;
    ag_gates_run(p, in, ALL_GATES, result, &drift);
    ag_gates_combine(p, in, ALL_GATES, result, &drift, &v);
    return v;
}

static double drift_base[30], drift_now[30];

// Makes row `row` of the table apply to a proposal that otherwise proceeds. Returns the status it
// contributes.
static enum ag_gov_status
apply_row(int row, struct ag_proposal *in)
{
    static const double zero[] = {0.9, 0};
    switch (row) {
    case 0: in->complexity = 0.2; return AG_GOV_HALT;
    case 1: in->risk_baseline = 0.02, in->risk_proposed = 0.9; return AG_GOV_PAUSE;
    case 2: in->risk_baseline = 0.02, in->risk_proposed = 0.9, in->is_reversible = false; return AG_GOV_HALT;
    case 3: in->subscores = zero, in->nsubscores = 2; return AG_GOV_PAUSE;
    case 4: in->subscores = zero, in->nsubscores = 2, in->is_reversible = false; return AG_GOV_HALT;
    case 5: in->profit_baseline = 1, in->profit_proposed = -9; return AG_GOV_PAUSE;
    case 6: in->novelty = 0.3; return AG_GOV_PAUSE;
    case 7: in->present |= AG_HAS_UTILITY, in->utility_mean = -1; return AG_GOV_PAUSE;
    case 8: in->quality = 0.1; return AG_GOV_PAUSE;
    case 9:
        in->drift_baseline = drift_base, in->drift_current = drift_now;
        in->ndrift_baseline = in->ndrift_current = 30;
        return AG_GOV_ESCALATE;
    case 10: in->requires_human_approval = true; return AG_GOV_ESCALATE;
    case 11: in->impact = AG_IMPACT_HIGH; return AG_GOV_ESCALATE;
    case 12: in->impact = AG_IMPACT_CRITICAL; return AG_GOV_ESCALATE;
    default: return AG_GOV_PROCEED;
    }
}

#define ROWS 14

static struct ag_proposal
good_proposal(void)
{
    struct ag_proposal in = proposal();
    in.risk_baseline = 0.02, in.risk_proposed = 0.05;
    in.novelty = 0.75, in.complexity = 0.8, in.quality = 0.9;
    in.present =
        AG_HAS_RISK_BASELINE | AG_HAS_RISK_PROPOSED | AG_HAS_NOVELTY | AG_HAS_COMPLEXITY | AG_HAS_QUALITY;
    return in;
}

static void
test_rows(void)
{
    struct ag_gate_params p = defaults();
    fill(drift_base, 0, 30, 0.05), fill(drift_now, 0, 30, 0.95);
    for (int a = 0; a < ROWS; a++) {
        for (int b = a; b < ROWS; b++) {
            struct ag_proposal in = good_proposal();
            bool is_reversible = true;
            enum ag_gov_status sa = apply_row(a, &in);
            is_reversible &= in.is_reversible;
            enum ag_gov_status sb = apply_row(b, &in);
            is_reversible &= in.is_reversible;
            // "irreversible" of one row turns the pause of a risk or zero-subscore row into a halt
            bool is_hard = !is_reversible && (a == 1 || a == 3 || b == 1 || b == 3);
            enum ag_gov_status want = is_hard ? AG_GOV_HALT : sa > sb ? sa : sb;
            struct ag_gates_verdict v = verdict_of(&p, &in);
            OK(v.status == want, "A12 rows %d and %d: %s", a, b, ag_gov_status_name(v.status));
            OK(v.passed + v.failed == AG_GATES_COUNTED, "A12 rows %d and %d: six gates counted", a, b);
        }
    }
    struct ag_proposal in = good_proposal();
    in.is_reversible = false;
    in.novelty = 0.1, in.quality = 0.1;
    OK(verdict_of(&p, &in).status == AG_GOV_PAUSE, "A12 an irreversible pause of other gates stays a pause");
}

static void
test_vectors(void)
{
    struct ag_gate_params p = defaults();
    struct ag_proposal in = good_proposal();
    struct ag_gates_verdict v = verdict_of(&p, &in);
    OK(v.status == AG_GOV_PROCEED && v.passed == 6 && v.failed == 0 && v.failing == 0,
       "A12 first vector proceeds");
    OK(near(v.confidence, 0.963181, 5e-7), "A14 confidence is the least of the gates");
    OK(!v.is_override_eligible, "A14 proceed needs no override");

    static const double trade[] = {0.85, 0.9, 0.8};
    in = proposal();
    in.risk_baseline = 0.09, in.risk_proposed = 0.156, in.profit_baseline = 1.2, in.profit_proposed = 1.8;
    in.novelty = 0.65, in.complexity = 0.9, in.quality = 0.85, in.subscores = trade;
    v = verdict_of(&p, &in);
    OK(v.status == AG_GOV_PAUSE && v.failing == BIT(AG_GATE_NOVELTY),
       "A12 trading template pauses on novelty");
    in = proposal();
    v = verdict_of(&p, &in);
    OK(v.status == AG_GOV_PAUSE && v.failing == BIT(AG_GATE_NOVELTY), "A12 summary only pauses on novelty");
    in.risk_proposed = 0.3, in.profit_proposed = 0.1;
    v = verdict_of(&p, &in);
    OK(v.status == AG_GOV_PAUSE && v.failing == (BIT(AG_GATE_NOVELTY) | BIT(AG_GATE_RISK)),
       "A12 risk .3 pauses on risk and novelty");
    OK(v.is_override_eligible, "A14 a pause by gates may be overridden");
    in.complexity = 0.1;
    OK(!verdict_of(&p, &in).is_override_eligible, "A8 nobody overrides complexity");
    in = good_proposal();
    in.requires_human_approval = true;
    OK(!verdict_of(&p, &in).is_override_eligible, "A14 a request for approval is no gate");
    in.novelty = 0.1;
    OK(!verdict_of(&p, &in).is_override_eligible, "A14 the flag outweighs the failed gate");
}

static void
test_on_fail(void)
{
    static const enum ag_gov_status want[] = {AG_GOV_PAUSE, AG_GOV_PAUSE, AG_GOV_ESCALATE, AG_GOV_HALT};
    for (uint32_t how = AG_ON_FAIL_OWN; how < AG_ON_FAILS; how++) {
        struct ag_gate_params p = defaults();
        struct ag_proposal in = good_proposal();
        p.on_fail[AG_GATE_NOVELTY] = how;
        in.novelty = 0.1;
        OK(verdict_of(&p, &in).status == want[how], "A12 on_fail %u replaces the novelty row", how);
        p = defaults();
        in = good_proposal();
        in.is_reversible = false;
        in.risk_proposed = 0.9;
        p.on_fail[AG_GATE_RISK] = how;
        OK(verdict_of(&p, &in).status == (how ? want[how] : AG_GOV_HALT),
           "A12 on_fail %u replaces the risk row", how);
        p = defaults();
        in = good_proposal();
        apply_row(9, &in);
        p.on_fail[AG_GATE_DRIFT] = how;
        OK(verdict_of(&p, &in).status == (how ? want[how] : AG_GOV_ESCALATE), "A12 on_fail %u replaces drift",
           how);
        in = good_proposal();
        in.complexity = 0.1;
        p = defaults();
        p.on_fail[AG_GATE_COMPLEXITY] = how;
        OK(verdict_of(&p, &in).status == AG_GOV_HALT, "A12 on_fail %u never softens complexity", how);
    }
}

static void
test_mask(void)
{
    struct ag_gate_params p = defaults();
    struct ag_proposal in = proposal();
    struct ag_gate_result r[AG_GATES];
    struct ag_drift_result drift;
    struct ag_gates_verdict v;
    in.complexity = 0.1;
    ag_gates_run(&p, &in, BIT(AG_GATE_RISK), r, &drift);
    ag_gates_combine(&p, &in, BIT(AG_GATE_RISK), r, &drift, &v);
    OK(v.status == AG_GOV_PROCEED && v.passed == 1 && v.failed == 0 &&
           r[AG_GATE_COMPLEXITY].state == AG_GATE_SKIPPED,
       "A16 only the gates of the mask count");
    ag_gates_run(&p, &in, 0, r, &drift);
    ag_gates_combine(&p, &in, 0, r, &drift, &v);
    OK(v.status == AG_GOV_PROCEED && v.confidence == 1 && drift.status == AG_DRIFT_SKIPPED,
       "A12 no gates: proceed");
    OK(!strcmp(ag_gate_name(AG_GATE_DRIFT), "drift") && !strcmp(ag_gate_name(AG_GATES), "unknown") &&
           !strcmp(ag_gate_state_name(AG_GATE_SKIPPED), "skipped") &&
           !strcmp(ag_gate_state_name(3), "unknown") &&
           !strcmp(ag_drift_status_name(AG_DRIFT_WARNING), "warning") &&
           !strcmp(ag_gov_status_name(AG_GOV_HALT), "halt"),
       "A14 names");
}

// --- the same bits everywhere

static uint64_t
mix(uint64_t h, double v)
{
    uint64_t b;
    memcpy(&b, &v, sizeof b);
    h = (h ^ b) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t
digest_functions(void)
{
    uint64_t h = 0;
    for (int i = -20000; i <= 20000; i++) {
        double x = i / 731.0;
        h = mix(h, ag_erfc(x));
        h = mix(h, ag_exp(x * 27.0));
        h = mix(h, ag_log((i + 20001) / 613.0));
        h = mix(h, ag_sqrt((i + 20001) / 613.0));
    }
    return h;
}

static uint64_t
digest_gates(void)
{
    uint64_t h = digest_functions();
    double base[64], now[64];
    for (uint32_t i = 0; i < 5000; i++) {
        struct ag_gate_params p = defaults();
        struct ag_proposal in = proposal();
        p.is_predictive = i & 1;
        p.delta_mode = i >> 1 & 1;
        p.profit_direction = i % 3;
        p.utility_alpha = (i % 49 + 1) / 100.0;
        p.sigma_l = (i % 17 + 1) / 9.0;
        in.present = AG_HAS_UTILITY;
        in.risk_baseline = (i * 7 % 101) / 100.0, in.risk_proposed = (i * 13 % 97) / 96.0;
        in.profit_baseline = (i * 11 % 211) / 7.0 - 9, in.profit_proposed = (i * 5 % 223) / 3.0 - 21;
        in.novelty = (i % 1001) / 1000.0;
        in.utility_mean = (i % 37) / 11.0, in.utility_sd = (i % 41) / 13.0;
        for (uint32_t k = 0; k < 64; k++) {
            base[k] = ((i + k * 3) % 29) / 28.0;
            now[k] = ((i * 3 + k * k) % 31) / 29.0;
        }
        in.drift_baseline = base, in.drift_current = now;
        in.ndrift_baseline = in.ndrift_current = 64;
        struct ag_gate_result r[AG_GATES];
        struct ag_drift_result drift;
        struct ag_gates_verdict v;
        ag_gates_run(&p, &in, ALL_GATES, r, &drift);
        ag_gates_combine(&p, &in, ALL_GATES, r, &drift, &v);
        for (int g = 0; g < AG_GATES; g++)
            h = mix(mix(mix(h, r[g].value), r[g].confidence), r[g].state);
        h = mix(mix(mix(h, drift.kl), v.confidence), v.status);
    }
    return h;
}

int
main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--digest")) {
        printf("%016llx\n", (unsigned long long)digest_gates());
        return 0;
    }
    test_params();
    test_proposal();
    test_bayes();
    test_risk();
    test_profit();
    test_novelty();
    test_simple();
    test_drift();
    test_rows();
    test_vectors();
    test_on_fail();
    test_mask();
    // Bits that were computed once: every compiler, level of optimization and machine must give them again.
    uint64_t bits = digest_gates();
    OK(bits == UINT64_C(0xf6011c65edd5e701), "A5 to A12: bit for bit what other builds compute (%016llx)",
       (unsigned long long)bits);
    return t_done();
}
