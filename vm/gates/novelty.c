// SPDX-License-Identifier: Apache-2.0
// The novelty gate (A7): a logistic curve G(N) = 1 / (1 + e^(-k (N - N0))), passed when G reaches the
// threshold. In: checked parameters and proposal. Out: a result whose value is G. The default novelty 0.5
// fails by design. Next file to read: quality.c.
#include "fmath.h"
#include "gates.h"

struct ag_gate_result
ag_gate_novelty(const struct ag_gate_params *p, const struct ag_proposal *in)
{
    double g = 1.0 / (1.0 + ag_exp(-p->novelty_k * (in->novelty - p->novelty_n0)));
    return (struct ag_gate_result){.state = g >= p->novelty_threshold ? AG_GATE_PASS : AG_GATE_FAIL,
                                   .value = g,
                                   .threshold = p->novelty_threshold,
                                   .confidence = 1};
}
