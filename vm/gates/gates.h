// SPDX-License-Identifier: Apache-2.0
// The governance gates: pure arithmetic from parameters and one proposal to a result per gate, and from the
// results to a status. Formulas and defaults: features A1, A4-A12. Order of reading: params.c, risk.c (risk
// and profit), novelty.c, quality.c (complexity, quality), utility.c, drift.c, combine.c. The same bits on
// every machine: only
// + - * / sqrt on IEEE doubles and our own exp, log and erfc.
// Thread rule: pure functions; nothing is allocated, arrays of a proposal are borrowed.
#ifndef AG_GATES_H
#define AG_GATES_H

#include <stdbool.h>
#include <stdint.h>

// Bits of gate masks are 1 << enum ag_gate.
enum ag_gate {
    AG_GATE_RISK,
    AG_GATE_PROFIT,
    AG_GATE_NOVELTY,
    AG_GATE_COMPLEXITY,
    AG_GATE_QUALITY,
    AG_GATE_UTILITY,
    AG_GATE_DRIFT, // a monitor: not one of the six that are counted as passed or failed
    AG_GATES
};
#define AG_GATES_COUNTED 6u

enum ag_delta_mode { AG_DELTA_RELATIVE, AG_DELTA_ABSOLUTE, AG_DELTA_MODES };
enum ag_profit_direction { AG_PROFIT_DROP, AG_PROFIT_RISE, AG_PROFIT_EITHER, AG_PROFIT_DIRECTIONS };
// What a failed gate means; OWN is the row of table A12.
enum ag_on_fail { AG_ON_FAIL_OWN, AG_ON_FAIL_PAUSE, AG_ON_FAIL_ESCALATE, AG_ON_FAIL_DENY, AG_ON_FAILS };

#define AG_DRIFT_BINS_MAX 256u // the histograms live on the stack
#define AG_SUBSCORES_MAX  64u  // A9

// Stored verbatim in an image: 20 little-endian doubles at offsets 0..159 in this order, then 12 u32 at
// 160..207. Ranges are in brackets; ag_gate_params_check enforces them.
struct ag_gate_params {
    double epsilon_r;           // (0, 1] floor of the divisor in the risk delta
    double epsilon_p;           // (0, 1] same, profit
    double risk_trigger;        // (0, 1000] t in P(delta >= t)
    double profit_trigger;      // (0, 1000]
    double risk_confidence;     // (0.5, 1) the gate fails at or above this probability
    double profit_confidence;   // (0.5, 1)
    double mu0;                 // [-1e6, 1e6] prior mean
    double sigma0;              // [1e-6, 1e6] prior standard deviation
    double sigma_l;             // [1e-6, 1e6] standard deviation of the likelihood
    double novelty_n0;          // [0, 1] logistic centre
    double novelty_k;           // (0, 1000] slope
    double novelty_threshold;   // (0, 1) pass level of the output
    double complexity_floor;    // [0.5, 1]
    double quality_min;         // [0, 1]
    double utility_alpha;       // [1e-9, 0.5] one-sided
    double drift_low;           // [-1e9, 1e9] the histogram's range, low < high
    double drift_high;          // [-1e9, 1e9]
    double drift_alpha;         // (0, 1000] Laplace smoothing
    double drift_tau_warning;   // (0, 1000], < critical
    double drift_tau_critical;  // (0, 1000]
    uint32_t drift_bins;        // 2..AG_DRIFT_BINS_MAX
    uint32_t drift_min_samples; // 1..1e6
    uint32_t delta_mode;        // enum ag_delta_mode
    uint32_t is_predictive;     // 0, 1: add the likelihood's variance
    uint32_t profit_direction;  // enum ag_profit_direction
    uint32_t on_fail[AG_GATES]; // enum ag_on_fail; OWN for complexity, whose floor nobody replaces
};

_Static_assert(sizeof(struct ag_gate_params) == 208, "part of the image format: no padding");

// The defaults of A1.
void ag_gate_params_default(struct ag_gate_params *p);
// NULL when every field is in range, else the name of the first that is not (as in policy.yaml, static
// storage).
const char *ag_gate_params_check(const struct ag_gate_params *p);

enum ag_proposal_field { // bits of ag_proposal.present: given, not defaulted
    AG_HAS_RISK_BASELINE = 1u << 0,
    AG_HAS_RISK_PROPOSED = 1u << 1,
    AG_HAS_PROFIT_BASELINE = 1u << 2,
    AG_HAS_PROFIT_PROPOSED = 1u << 3,
    AG_HAS_NOVELTY = 1u << 4,
    AG_HAS_COMPLEXITY = 1u << 5,
    AG_HAS_QUALITY = 1u << 6,
    AG_HAS_SUBSCORES = 1u << 7,
    AG_HAS_UTILITY = 1u << 8, // without it the utility gate is skipped
    AG_HAS_DRIFT_BASELINE = 1u << 9,
    AG_HAS_DRIFT_CURRENT = 1u << 10
};

enum ag_impact { AG_IMPACT_LOW, AG_IMPACT_MEDIUM, AG_IMPACT_HIGH, AG_IMPACT_CRITICAL };

// The fields of A4 that the gates read. Start from ag_proposal_default, then set fields and their bits.
struct ag_proposal {
    uint32_t present;                        // enum ag_proposal_field
    enum ag_impact impact;                   // estimated_impact
    bool requires_human_approval;            // false
    bool is_reversible;                      // true
    double risk_baseline, risk_proposed;     // 0..1, default 0
    double profit_baseline, profit_proposed; // finite, default 0
    double novelty, complexity, quality;     // 0..1, defaults 0.5, 0.5, 0.7; complexity: higher is simpler
    double utility_mean, utility_sd;         // finite, sd >= 0
    const double *subscores;                 // 0..1 each; default three times 0.7
    uint32_t nsubscores;                     // 1..AG_SUBSCORES_MAX
    const double *drift_baseline, *drift_current; // finite numbers
    uint32_t ndrift_baseline, ndrift_current;
};

void ag_proposal_default(struct ag_proposal *p);
// NULL when every field is acceptable, else the name of the first that is not (A4; static storage).
const char *ag_proposal_check(const struct ag_proposal *p);

enum ag_gate_state { AG_GATE_PASS, AG_GATE_FAIL, AG_GATE_SKIPPED };

struct ag_gate_result {
    uint32_t state;              // enum ag_gate_state; skipped counts as passed
    uint32_t is_epsilon_divisor; // risk, profit: the baseline was omitted and epsilon stood in its place as
                                 // divisor
    double value; // risk, profit: probability; novelty: output; complexity, quality: score; utility: lower
                  // bound; drift: divergence
    double threshold;  // what value was compared with
    double confidence; // max(p, 1-p), 1 - alpha, or 1
};

enum ag_drift_status { AG_DRIFT_NORMAL, AG_DRIFT_WARNING, AG_DRIFT_CRITICAL, AG_DRIFT_SKIPPED };

struct ag_drift_result {
    double kl;       // KL(current || baseline) in nats, 0 when skipped
    uint32_t status; // enum ag_drift_status
    uint32_t zero;
};

// Each takes checked parameters and a checked proposal.
struct ag_gate_result ag_gate_risk(const struct ag_gate_params *p, const struct ag_proposal *in);
struct ag_gate_result ag_gate_profit(const struct ag_gate_params *p, const struct ag_proposal *in);
struct ag_gate_result ag_gate_novelty(const struct ag_gate_params *p, const struct ag_proposal *in);
struct ag_gate_result ag_gate_complexity(const struct ag_gate_params *p, const struct ag_proposal *in);
struct ag_gate_result ag_gate_quality(const struct ag_gate_params *p, const struct ag_proposal *in);
struct ag_gate_result ag_gate_utility(const struct ag_gate_params *p, const struct ag_proposal *in);
struct ag_drift_result ag_gate_drift(const struct ag_gate_params *p, const struct ag_proposal *in);

// The gates of `mask` in one call: fills result[g] for each (others are skipped with zeros), and *ret_drift
// (skipped when its bit is not set).
void ag_gates_run(const struct ag_gate_params *p, const struct ag_proposal *in, uint32_t mask,
                  struct ag_gate_result result[AG_GATES], struct ag_drift_result *ret_drift);

// Severity rises with the number.
enum ag_gov_status { AG_GOV_NONE, AG_GOV_PROCEED, AG_GOV_PAUSE, AG_GOV_ESCALATE, AG_GOV_HALT };

struct ag_gates_verdict {
    enum ag_gov_status status;
    double confidence;         // least over the evaluated gates, 1 when none; never influences the status
    uint32_t passed, failed;   // of the counted gates in the mask; skipped ones count as passed
    uint32_t failing;          // bit set of failed gates, drift included
    bool is_override_eligible; // not proceed, complexity passed, and a gate is the cause
};

// Table A12 over the gates of `mask`: every row that applies contributes, the most severe wins.
void ag_gates_combine(const struct ag_gate_params *p, const struct ag_proposal *in, uint32_t mask,
                      const struct ag_gate_result result[AG_GATES], const struct ag_drift_result *drift,
                      struct ag_gates_verdict *ret);

// Names as in answers; "unknown" past the end.
const char *ag_gate_name(uint32_t gate);
const char *ag_gate_state_name(uint32_t state);
const char *ag_drift_status_name(uint32_t status);
const char *ag_gov_status_name(uint32_t status);

#endif
