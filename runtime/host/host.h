// SPDX-License-Identifier: Apache-2.0
// The host: clock, randomness, shared state, kill words and journal behind one context, real or simulated.
// Simulator, tests and server differ in nothing else, so what is simulated is what will happen. In:
// directories, descriptors, or nothing (simulated). Out: struct aegis_host, struct aegis_ctx. Owns: mappings
// and descriptors. Thread rule: a host is shared by threads; a context belongs to one. Next file to read:
// decide.c.
#ifndef AGR_HOST_H
#define AGR_HOST_H

#include "aegis_tools.h"
#include "clock.h"
#include "eval.h"
#include "journal.h"
#include "open.h"
#include "slot.h"
#include "state/budget.h"
#include "state/contain.h"
#include "state/gcra.h"
#include "state/kill.h"
#include "state/ring.h"

#define AGR_POLICY_NAME_MAX 64u
#define AGR_INPUT_MAX       (1u << 20)  // default bytes of one JSON input
#define AGR_INPUT_MAX_MAX   (64u << 20) // a host may raise it to this
#define AGR_CALL_ARENA      (4u << 20)  // default working memory of one context
#define AGR_CALL_ARENA_MIN  (64u << 10)
#define AGR_CALL_ARENA_MAX  (1u << 30)
#define AGR_INPUT_DEPTH     AG_DEPTH_MAX
#define AGR_SEEDS           64u // decisions' seeds made at once

struct aegis_host {
    bool is_simulated;
    const struct aegis_crypto *crypto; // NULL: images that need it are refused
    char policy_name[AGR_POLICY_NAME_MAX + 1];
    size_t policy_name_n;
    char *audit_dir; // where contexts open their journals; NULL when attached or simulated
    struct agr_state *state;
    struct agr_kill *kill;
    enum agr_state_origin origin;
    uint64_t backlog_max;
    int journal_sock; // attached: for the first context; -1 afterwards
    const struct agr_clock *clock;
    struct agr_clock clock_sim;
    struct agr_clock_virtual sim_now;
};

// The fields of an action that the host itself reads.
enum agr_field {
    AGR_F_TYPE,
    AGR_F_TARGET,
    AGR_F_AGENT,
    AGR_F_TENANT,
    AGR_F_PARAMS,
    AGR_F_PROPOSAL,
    AGR_F_SESSION_ID,
    AGR_F_DESCRIPTION,
    AGR_F_ACTION_TYPE,
    AGR_F_AGENT_ID,
    AGR_FIELDS
};

// One open container of aegis_input_*.
struct agr_input_level {
    struct ag_builder *builder;
    struct ag_value key;
    bool has_key;
};

struct aegis_ctx {
    struct aegis_host *host;
    struct agr_journal journal;
    bool has_journal;
    int64_t pace_ns;    // when segments were last counted
    uint32_t pace_from; // segment at that time
    uint32_t worker;    // line in the state file
    bool has_worker;
    bool is_held;                                  // keep the kill span open until it is left explicitly
    bool has_aliases;                              // accept the names of agent-aegis requests
    struct ag_str identity_tenant, identity_agent; // as authenticated; empty: the input says it
    bool is_in_span;
    uint32_t input_max;
    uint64_t fuel_max;
    uint8_t seed_key[32];
    uint64_t seed_block;
    uint8_t seeds[AGR_SEEDS][16];
    uint32_t seeds_left;

    // the decision being made; strings of the answer borrow from here
    struct ag_arena arena;
    struct ag_call call;
    struct ag_value *regs;
    uint32_t nregs;
    struct ag_snapshot snapshot;
    struct ag_outcome outcome;
    struct agr_time now;
    struct aegis_slot *slot;
    struct agr_pin pin;
    bool is_pinned;
    struct ag_value input;
    struct ag_str request;             // JSON bytes, for audit.input full
    struct ag_value field[AGR_FIELDS]; // as they stand in the input
    struct ag_action action;           // the same for the machine
    struct ag_str tenant, agent, type, target, session;
    struct agr_charge charge[AG_EFFECTS_MAX * 2];
    uint32_t ncharges;
    uint8_t charge_of[AG_EFFECTS_MAX * 2]; // effect of each charge
    uint8_t effect_state[AG_EFFECTS_MAX];  // enum agr_effect_state
    uint64_t reservation;                  // of this decision's budgets, 0 = none
    uint64_t reserved;                     // bit set of the charges that it covers
    struct agr_kill_hit kill_hit;
    bool is_shadow;              // evaluate with shadow_mode: recorded, never enforced
    enum ag_gov_status would_be; // status that shadow mode did not enforce
    char id[AGR_DECISION_ID_SIZE];
    char boot[AGR_BOOT_TEXT_SIZE];
    struct agr_journal_pos pos;
    struct agr_journal_pos row_pos; // of the last row that is no decision
    struct aegis_finding findings[AG_FINDINGS_MAX];
    struct aegis_gate gates[AG_GATES];
    struct aegis_limit limits[AG_EFFECTS_MAX];
    char body[AGR_BODY_MAX];
    char kill_text[AGR_KILL_REASON_SIZE + AGR_KILL_BY_MAX];

    // input built by calls
    struct agr_input_level level[AGR_INPUT_DEPTH];
    uint32_t nlevels;
    struct ag_value built;
    size_t built_mark; // end of the built value in the arena
    enum aegis_status input_status;
    bool has_input;
    bool is_proposal; // the last input was a governance proposal
    bool has_scanned; // field[] belongs to the built value, which was accepted as an action

    void (*trace)(void *arg, const char *text, size_t n);
    void *trace_arg;
    struct agr_watcher *watcher; // of watch.c, NULL: nobody watches
};

// What became of a planned effect; the word stands in the row.
enum agr_effect_state {
    AGR_EFFECT_PLANNED,
    AGR_EFFECT_CHARGED,
    AGR_EFFECT_REFUSED,
    AGR_EFFECT_RETURNED,
    AGR_EFFECT_NOTED
};

// host.c
enum aegis_status agr_host_open(const char *dir, const struct aegis_host_options *o, struct aegis_host **ret,
                                struct aegis_error *reterr);
enum aegis_status agr_host_attach(const struct aegis_host_fds *fds, struct aegis_host **ret,
                                  struct aegis_error *reterr);
void agr_host_close(struct aegis_host *h);
enum aegis_status agr_ctx_new(const struct aegis_limits *limits, struct aegis_host *host,
                              struct aegis_ctx **ret);
void agr_ctx_free(struct aegis_ctx *ctx);

// decide.c: input -> evaluation -> commit -> answer.
enum aegis_status agr_decide_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry,
                                  struct ag_str json, struct aegis_decision *ret, struct aegis_error *reterr);
enum aegis_status agr_decide_built(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry,
                                   struct aegis_decision *ret, struct aegis_error *reterr);
enum aegis_status agr_eval_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry,
                                struct ag_str json, char *out, size_t out_size, size_t *ret_n,
                                struct aegis_error *reterr);
enum aegis_status agr_document_json(struct aegis_ctx *ctx, struct aegis_slot *slot,
                                    const struct aegis_str *step, uint32_t n, struct ag_str json, char *out,
                                    size_t out_size, size_t *ret_n, struct aegis_error *reterr);
void agr_ctx_begin(struct aegis_ctx *ctx); // takes back everything of the decision before
void agr_ctx_leave(struct aegis_ctx *ctx); // ends the kill span

// commit.c: charges, kill words, journal. Returns why the answer is unavailable, or AEGIS_OK.
enum aegis_status agr_commit(struct aegis_ctx *ctx, const struct aegis_policy *p, const char *entry);
bool agr_limit_peek(void *ctx, const struct ag_image *im, uint32_t limit_ix, struct ag_str key, uint64_t n,
                    struct ag_limit_view *ret);
int agr_killed_tenant(void *ctx, struct ag_str tenant);
int agr_killed(void *ctx, struct ag_str tenant, struct ag_str agent, struct ag_str type, int *ret_scope);

// input.c: a value built by calls instead of JSON. Mistakes are remembered in ctx->input_status.
void agr_input_begin(struct aegis_ctx *ctx);
void agr_input_open(struct aegis_ctx *ctx, enum ag_kind kind);
void agr_input_close(struct aegis_ctx *ctx);
void agr_input_key(struct aegis_ctx *ctx, struct ag_str key);
void agr_input_add(struct aegis_ctx *ctx, struct ag_value v);
void agr_input_string(struct aegis_ctx *ctx, struct ag_str s);
void agr_input_number(struct aegis_ctx *ctx, struct ag_str text);

// record.c: the decision in bytes.
// Row body; false when it does not fit.
bool agr_record_body(struct aegis_ctx *ctx, const struct aegis_policy *p, const char *entry,
                     struct ag_buf *out);
// Canonical action of the row's action_digest, into the arena; empty when the arena is full.
struct ag_str agr_record_action(struct aegis_ctx *ctx);
// Input kept for replay as audit.input says; empty for `digest`.
struct ag_str agr_record_payload(struct aegis_ctx *ctx, const struct aegis_policy *p);
size_t agr_record_json(const struct aegis_ctx *ctx, const struct aegis_decision *d, char *out, size_t size);

#endif
