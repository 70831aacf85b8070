// SPDX-License-Identifier: Apache-2.0
// The two gates that only compare: complexity (A8, a floor that nobody overrides) and quality (A9, a score,
// and no subscore of exactly 0). In: checked parameters and proposal. Out: results whose value is the score.
// Next file to read: utility.c.
#include "gates.h"

struct ag_gate_result
ag_gate_complexity(const struct ag_gate_params *p, const struct ag_proposal *in)
{
    return (struct ag_gate_result){.state =
                                       in->complexity >= p->complexity_floor ? AG_GATE_PASS : AG_GATE_FAIL,
                                   .value = in->complexity,
                                   .threshold = p->complexity_floor,
                                   .confidence = 1};
}

struct ag_gate_result
ag_gate_quality(const struct ag_gate_params *p, const struct ag_proposal *in)
{
    bool is_good = in->quality >= p->quality_min;
    for (uint32_t i = 0; i < in->nsubscores; i++)
        is_good = is_good && in->subscores[i] != 0;
    return (struct ag_gate_result){.state = is_good ? AG_GATE_PASS : AG_GATE_FAIL,
                                   .value = in->quality,
                                   .threshold = p->quality_min,
                                   .confidence = 1};
}
