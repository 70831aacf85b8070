// SPDX-License-Identifier: Apache-2.0
// One evaluation: a pure function of image, input, clock, seed and a snapshot of shared state.
// In: a verified image and an input value. Out: a value (entrypoints that return one) or an outcome with its
// plan of effects, which runtime/host/commit.c applies. No system call, lock or malloc; everything made lives
// in the arena. Next file to read: interp.c. Thread rule: one struct ag_call per thread; images are shared
// freely.
#ifndef AG_EVAL_H
#define AG_EVAL_H

#include "gates.h"
#include "image.h"

enum ag_eval_status {
    AG_EVAL_OK,
    AG_EVAL_FUEL,  // fuel_exhausted
    AG_EVAL_ARENA, // arena_exhausted
    AG_EVAL_STATE, // the snapshot could not be read: state_unavailable
    AG_EVAL_KILL_UNREADABLE
};

// What the snapshot says about one limit and key.
struct ag_limit_view {
    bool admits;
    uint64_t remaining;     // further charges of 1 that would be admitted now
    int64_t reset_at_ns;    // UNIX time at which `remaining` is full again
    int64_t retry_after_ns; // 0 when it admits
};

// Read-only access to shared state, given by the host. Each function is called at most once per word and
// decision.
struct ag_snapshot {
    void *self;
    // 1 engaged, 0 clear, -1 unreadable. `what` is the index of the scope: 0 global, 1 tenant, 2 agent, 3
    // tool.
    int (*killed)(void *self, struct ag_str tenant, struct ag_str agent, struct ag_str type, int *ret_scope);
    // False: unreadable or the state table is full.
    bool (*limit_peek)(void *self, const struct ag_image *im, uint32_t limit_ix, struct ag_str key,
                       uint64_t n, struct ag_limit_view *ret);
    // Whether a switch holds for the whole tenant: 1, 0, -1 unreadable. NULL: none does.
    int (*killed_tenant)(void *self, struct ag_str tenant);
};

// What a planned effect does at commit.
enum ag_effect_op {
    AG_EFFECT_CHARGE, // charge n to a limit
    AG_EFFECT_NOTE    // a text in the row of the audit log
};

// One planned effect. `key` is the canonical encoding of the key values: u8 kind, u32 length, bytes, for
// each. `n` counts events, or micro-dollars of a budget.
struct ag_effect {
    uint32_t limit_ix; // AG_NONE: no limit is meant, `op` says what
    enum ag_effect_op op;
    struct ag_str key; // of a limit, or the text of a note; in the arena
    uint64_t n;
    struct ag_limit_view view; // what the snapshot said
};
#define AG_EFFECTS_MAX  16u
#define AG_FINDINGS_MAX 16u

struct ag_finding {
    struct ag_str code, severity, stage, message;
};

// Source of the deciding word; names the reason when no rule does.
enum ag_decided_by {
    AG_BY_NONE,
    AG_BY_DEFAULT, // reason no_rule
    AG_BY_RULE,
    AG_BY_ERROR, // condition_error
    AG_BY_POLICY_ERROR,
    AG_BY_EMIT, // data.aegis.decisions
    AG_BY_GATE,
    AG_BY_LIMIT,
    AG_BY_KILL // kill_switch
};

struct ag_outcome {
    enum ag_severity decision;
    enum ag_decided_by by;
    uint32_t rule_ix;   // AG_NONE when no YAML rule decided
    struct ag_str rule; // name of the deciding rule, limit, gate; in image or arena
    struct ag_str reason;
    struct ag_str message;
    enum ag_risk_level risk;
    enum ag_approval approval;
    uint32_t gate_mask; // gates that the winning decision of a module names
    uint32_t kill_scope;
    uint32_t nfindings;
    struct ag_finding finding[AG_FINDINGS_MAX];
    uint32_t neffects;
    struct ag_effect effect[AG_EFFECTS_MAX];
    uint32_t gates_run; // bit set of gates evaluated
    struct ag_gate_result gate[AG_GATES];
    struct ag_drift_result drift;
    enum ag_gov_status status; // of `evaluate`
    double confidence;
};

// Match attributes of an input, for a host that has looked them up already; a missing one is the empty
// string.
struct ag_action {
    const uint8_t *input; // the object they come from
    struct ag_str attr[AG_ATTRS];
};

// Everything one evaluation needs. The arena and the register stack are the caller's and reused from call to
// call.
struct ag_call {
    const struct ag_image *im;
    struct ag_mem mem;     // regions; mem.arena is reset to `mark` by the caller
    struct ag_value *regs; // at least meta->stack_regs + AG_REGS_MAX
    uint32_t nregs;
    uint64_t fuel;                      // steps left; written back
    int64_t now_ns;                     // UNIX time of the decision
    uint8_t seed[16];                   // randomness of the decision
    const struct ag_snapshot *snapshot; // NULL: nothing killed, every limit admits
    struct ag_outcome *outcome;         // filled for decision entrypoints
    const struct ag_action *action;     // NULL: the machine looks the attributes up itself
    const struct aegis_crypto *crypto;  // aegis.h; NULL: built-ins flagged HOST are errors
    // optional trace, tests and `explain` only: called after each instruction with the registers of its
    // function
    void (*trace)(void *self, const struct ag_call *c, uint32_t insn, const struct ag_value *frame);
    void *trace_self;
    // private to the machine (machine.h)
    enum ag_eval_status stop; // why evaluation ends early
    uint32_t error_at; // instruction that returned the first error of this evaluation, AG_NONE: none did
    uint32_t nframes, frames_cap;
    struct ag_data_frame *frames;
    struct ag_clock *clock; // the decision's clock broken down per zone, made when first asked for
    struct ag_peek *peeks;  // state that built-ins have read, so that each word is read once
    bool contributed;       // the outcome has a decision
    bool is_evaluate;       // the input is a governance proposal
};

// Runs entrypoint `entry_ix` on `input`. ret_value may be NULL for decision entrypoints.
enum ag_eval_status ag_eval(struct ag_call *c, uint32_t entry_ix, struct ag_value input,
                            struct ag_value *ret_value);
// Index of the entrypoint called `name`, or AG_NONE.
uint32_t ag_entry_find(const struct ag_image *im, struct ag_str name);

// --- error.c: an error value that ag_eval gave, in words. `c` is the call as ag_eval left it.
// "eval_type_error", "eval_builtin_error", "eval_conflict_error".
const char *ag_error_code(struct ag_value error);
// The message alone: "div: divide by zero", "complete rules must not produce multiple outputs".
struct ag_buf;
void ag_error_message(const struct ag_call *c, struct ag_value error, struct ag_buf *out);
// "FILE:LINE: CODE: MESSAGE"; the place is left out when it is not known.
void ag_error_text(const struct ag_call *c, struct ag_value error, struct ag_buf *out);

// Words of the closed sets, as they stand in records and rows.
struct ag_str ag_severity_text(enum ag_severity s);
struct ag_str ag_risk_text(enum ag_risk_level r);   // "low" ... ; empty for none
struct ag_str ag_approval_text(enum ag_approval a); // "auto" ...
bool ag_severity_parse(struct ag_str s, enum ag_severity *ret);
bool ag_risk_parse(struct ag_str s, enum ag_risk_level *ret);
bool ag_approval_parse(struct ag_str s, enum ag_approval *ret);

#endif
