// SPDX-License-Identifier: Apache-2.0
// The utility gate (A10): a one-sided lower confidence bound, mean - z × sd, must lie above 0.
// In: checked parameters and proposal. Out: a result whose value is the bound; skipped without a
// utility_result. z is the constant of A10 for alpha 0.05; other alphas invert our own erfc, so every machine
// finds the same z. Next file to read: drift.c.
#include "fmath.h"
#include "gates.h"

#define ALPHA_DEFAULT 0.05
#define Z_DEFAULT     1.6448536269514722
#define SQRT_HALF     0.70710678118654752440 // 1/sqrt(2)
#define SQRT_2PI      2.50662827463100050242
#define NEWTON_STEPS                                                                                         \
    4 // from 4.5e-4 each step squares the error: two reach the last bits, two more settle them
#define LARGEST 1.7976931348623157e308

// z with P(normal > z) = alpha, 0 < alpha <= 0.5. Start: Abramowitz and Stegun 26.2.23.
static double
upper_quantile(double alpha)
{
    double t = ag_sqrt(-2.0 * ag_log(alpha));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int i = 0; i < NEWTON_STEPS; i++) {
        double excess = 0.5 * ag_erfc(z * SQRT_HALF) - alpha;
        z += excess * SQRT_2PI * ag_exp(0.5 * z * z);
    }
    return z;
}

struct ag_gate_result
ag_gate_utility(const struct ag_gate_params *p, const struct ag_proposal *in)
{
    if (!(in->present & AG_HAS_UTILITY))
        return (struct ag_gate_result){.state = AG_GATE_SKIPPED};
    double z = p->utility_alpha == ALPHA_DEFAULT ? Z_DEFAULT : upper_quantile(p->utility_alpha);
    double bound = in->utility_mean - z * in->utility_sd;
    if (bound < -LARGEST) // the result is printed as JSON, which has no infinity
        bound = -LARGEST;
    return (struct ag_gate_result){.state = bound > 0 ? AG_GATE_PASS : AG_GATE_FAIL,
                                   .value = bound,
                                   .threshold = 0,
                                   .confidence = 1.0 - p->utility_alpha};
}
