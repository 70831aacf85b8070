// SPDX-License-Identifier: Apache-2.0
// The drift monitor (A11): Kullback-Leibler divergence of the current data from the baseline, over
// equal-width bins with Laplace smoothing. In: checked parameters and proposal. Out: divergence in nats and
// normal, warning, critical, or skipped when either side has too few samples.
//
//   p_i = (count_i + alpha) / (n + alpha × bins)        KL = sum over bins of p_i × ln(p_i / q_i), p current,
//   q baseline
//
// Next file to read: combine.c.
#include "fmath.h"
#include "gates.h"

// Values outside the range fall into the end bins; the upper bound belongs to the last bin.
static void
histogram(const struct ag_gate_params *p, const double *v, uint32_t n, double share[AG_DRIFT_BINS_MAX])
{
    uint32_t count[AG_DRIFT_BINS_MAX] = {0};
    double width = p->drift_high - p->drift_low;
    for (uint32_t i = 0; i < n; i++) {
        double place = (v[i] - p->drift_low) / width * (double)p->drift_bins;
        uint32_t bin = place <= 0 ? 0 : place >= (double)p->drift_bins ? p->drift_bins - 1 : (uint32_t)place;
        count[bin]++;
    }
    for (uint32_t b = 0; b < p->drift_bins; b++)
        share[b] = (count[b] + p->drift_alpha) / (n + p->drift_alpha * (double)p->drift_bins);
}

struct ag_drift_result
ag_gate_drift(const struct ag_gate_params *p, const struct ag_proposal *in)
{
    if (in->ndrift_baseline < p->drift_min_samples || in->ndrift_current < p->drift_min_samples)
        return (struct ag_drift_result){.status = AG_DRIFT_SKIPPED};
    double base[AG_DRIFT_BINS_MAX], now[AG_DRIFT_BINS_MAX];
    histogram(p, in->drift_baseline, in->ndrift_baseline, base);
    histogram(p, in->drift_current, in->ndrift_current, now);
    double kl = 0;
    for (uint32_t b = 0; b < p->drift_bins; b++)
        kl += now[b] * ag_log(now[b] / base[b]);
    if (kl < 0) // a divergence is never negative; rounding may be
        kl = 0;
    uint32_t status = kl >= p->drift_tau_critical  ? AG_DRIFT_CRITICAL
                      : kl >= p->drift_tau_warning ? AG_DRIFT_WARNING
                                                   : AG_DRIFT_NORMAL;
    return (struct ag_drift_result){.kl = kl, .status = status};
}
