/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aegis_tools.h: what our own server and commands need beyond aegis.h. Installed, but NOT stable: any release
 * may change it. Strings borrow as aegis.h says. C99 and C++ clean.
 */
#ifndef AEGIS_TOOLS_H
#define AEGIS_TOOLS_H

#include "aegis.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- images ---- */

/* Calls `line` with each line of the disassembly (no line end). */
AEGIS_API void aegis_policy_disasm(const struct aegis_policy *p,
                                   void (*line)(void *arg, const char *text, size_t n), void *arg);

/*
 * Calls `param` with every number of the governance gates, by the names of the governance documents
 * ("epsilon_R", "novelty_gate.N0"). "on_fail.<gate>" is 0 own, 1 pause, 2 escalate, 3 deny. AEGIS_NO_ENTRY:
 * the policy has no gates.
 */
AEGIS_API enum aegis_status aegis_policy_gate_params(const struct aegis_policy *p,
                                                     void (*param)(void *arg, const char *name, double value),
                                                     void *arg);
/* The same of the policy that the last decision of ctx used. AEGIS_NO_ENTRY: no gates, or no decision yet. */
AEGIS_API enum aegis_status aegis_ctx_gate_params(const struct aegis_ctx *ctx,
                                                  void (*param)(void *arg, const char *name, double value),
                                                  void *arg);

/* Words for the numbers in struct aegis_policy_info; static, empty when there is none. */
AEGIS_API struct aegis_str aegis_decision_text(unsigned decision);
AEGIS_API struct aegis_str aegis_risk_text(unsigned risk);
AEGIS_API struct aegis_str aegis_approval_text(unsigned approval);

/* sized. Entrypoint `ix` (from 0); its name borrows from the policy. AEGIS_USAGE past the end. */
struct aegis_entry_info {
    uint32_t size;
    struct aegis_str name; /* "decide", "data.a.b", ... */
    uint32_t is_decision;  /* 0: aegis_ctx_eval_json gives its value */
    struct aegis_str source;
    uint32_t line, column; /* where it is defined; 0: unknown */
};
AEGIS_API enum aegis_status aegis_policy_entry(const struct aegis_policy *p, uint32_t ix,
                                               struct aegis_entry_info *ret);

/* ---- hosts of a server: descriptors made by the parent, nothing opened by path ---- */

/* sized */
struct aegis_host_fds {
    uint32_t size;
    int state_fd;     /* STATE/state */
    int kill_fd;      /* STATE/kill, read-only */
    int journal_sock; /* connected sequencer.sock, taken over by the first context; -1: rows cannot be written
                       */
    const char *policy_name;
    const struct aegis_crypto *crypto; /* as in aegis_host_options */
};
AEGIS_API enum aegis_status aegis_host_attach(const struct aegis_host_fds *fds, struct aegis_host **ret,
                                              struct aegis_error *reterr);

/* ---- contexts ---- */

/* At level durable the record ends in "gseq":, this blank, and two braces; the number is written into it
 * after the sync. */
#define AEGIS_GSEQ_BLANK "                    "

/*
 * 1: the span in which an engagement of the kill switch waits for this context opens with the first allow and
 * stays open over further decide calls, so that one reply can carry several; it ends with aegis_ctx_leave.
 * Default 0: each decide call ends its own.
 */
AEGIS_API void aegis_ctx_hold(struct aegis_ctx *ctx, int is_held);
AEGIS_API void aegis_ctx_leave(struct aegis_ctx *ctx);
/* Who asks, as the listener authenticated it; an input that says otherwise gets AEGIS_IDENTITY. Empty
   strings: the input says it. The bytes must stay until the next call. */
AEGIS_API void aegis_ctx_identity(struct aegis_ctx *ctx, struct aegis_str tenant, struct aegis_str agent);
/* 1: read `action_type` as `type` and `agent_id` as `agent` where the native name is missing (agent-aegis
 * requests). */
AEGIS_API void aegis_ctx_aliases(struct aegis_ctx *ctx, int is_on);
/* Number of this context's line in the state file (worker number in rows and metrics). */
AEGIS_API uint32_t aegis_ctx_worker(const struct aegis_ctx *ctx);
/* Descriptor that is readable when the sequencer sent something, or -1; call aegis_ctx_refill then. */
AEGIS_API int aegis_ctx_journal_fd(const struct aegis_ctx *ctx);
/* Is the row of a decision (its wseq and position) synced? Fills *ret_gseq when it is. */
AEGIS_API int aegis_ctx_is_synced(const struct aegis_ctx *ctx, uint64_t wseq, uint64_t position,
                                  uint64_t *ret_gseq);
/* Asks the sequencer to sync now (level durable). */
AEGIS_API void aegis_ctx_wake_sequencer(struct aegis_ctx *ctx);
/* Appends a row of another type ("refused", "policy", "kill", "worker_crash", "note"); body is a JSON object.
 */
AEGIS_API enum aegis_status aegis_ctx_row(struct aegis_ctx *ctx, const char *type, const char *body,
                                          size_t n);
/*
 * Asks the sequencer to sync the last row of aegis_ctx_row and waits for it, at most `ms`: AEGIS_DEADLINE
 * when it did not come. Blocks; never call it where decisions are made.
 */
AEGIS_API enum aegis_status aegis_ctx_sync(struct aegis_ctx *ctx, unsigned ms);
/* Gives the context a connection to a sequencer that replaced the one before; takes the descriptor over on
 * success. */
AEGIS_API enum aegis_status aegis_ctx_resume(struct aegis_ctx *ctx, int sock);
/* Is audit able to take rows now? 0 no, 1 yes, 2 yes but half of a limit is used. */
AEGIS_API int aegis_ctx_audit_ready(const struct aegis_ctx *ctx);
/* Reads the kill words again before a parked allow is sent, and opens the span. 0: still clear; 1: engaged or
 * unreadable. */
AEGIS_API int aegis_ctx_recheck_kill(struct aegis_ctx *ctx, struct aegis_str tenant, struct aegis_str agent,
                                     struct aegis_str type);
/* The kill switch that made the last outcome `kill`: texts borrow from ctx. 0 when none did. */
AEGIS_API int aegis_ctx_kill_text(struct aegis_ctx *ctx, struct aegis_str *ret_by,
                                  struct aegis_str *ret_reason, int64_t *ret_at_ns);

/*
 * The value of the document at `step[0..n)` below data, as aegis_ctx_eval_json gives it: of a rule that has
 * an entrypoint (aegisc --all-documents makes one for each), of a part of its value, or of a base document.
 * json NULL: without an input.
 */
AEGIS_API enum aegis_status aegis_ctx_document_json(struct aegis_ctx *ctx, struct aegis_slot *slot,
                                                    const struct aegis_str *step, uint32_t n,
                                                    const char *json, size_t json_n, char *out,
                                                    size_t out_size, size_t *ret_n,
                                                    struct aegis_error *reterr);

/* One rule as `explain` shows it. */
struct aegis_explain_rule {
    uint32_t size;
    uint32_t rule_ix; /* UINT32_MAX: a decision that modules contributed, which has no line */
    struct aegis_str name, source;
    uint32_t line, column;
    uint32_t is_candidate; /* the index let it through: type, target, agent and tenant match */
    uint32_t has_matched;
    uint32_t is_error;
    uint32_t is_winner;
    uint32_t fail_line, fail_column; /* first condition that failed, 0 when unknown */
};
/* Decides `json` against `slot` on a simulated host context and calls `rule` for every rule, in source order,
 * and then for the decisions that modules contributed. */
AEGIS_API enum aegis_status
aegis_ctx_explain_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *json, size_t n,
                       void (*rule)(void *arg, const struct aegis_explain_rule *r), void *arg,
                       struct aegis_decision *ret, struct aegis_error *reterr);

/* What an evaluation did, from the trace of the machine and the debug map (aegisc -O0). */
enum aegis_event_kind {
    AEGIS_EVENT_ENTER, /* a function begins */
    AEGIS_EVENT_STEP,  /* an instruction of a place in the source ran and left a value */
    AEGIS_EVENT_EXIT   /* a function gives its value */
};
/* sized; strings are valid during the call */
struct aegis_event {
    uint32_t size;
    enum aegis_event_kind kind;
    uint32_t depth; /* functions around it */
    struct aegis_str function, source;
    uint32_t line, column;
    struct aegis_str value; /* JSON, "undefined" or an error; cut off with "..." */
};
/* Calls `event` for the evaluations that follow; NULL ends it. */
AEGIS_API void aegis_ctx_watch(struct aegis_ctx *ctx, void (*event)(void *arg, const struct aegis_event *e),
                               void *arg);

/* sized. A place in a module that has instructions. */
struct aegis_place {
    uint32_t size;
    struct aegis_str source;
    uint32_t line, column;
    uint32_t is_rule; /* a definition begins here; it is hit when the definition has succeeded */
    uint32_t is_hit;
};
/* Instructions of a policy: bytes that aegis_ctx_cover wants. */
AEGIS_API uint32_t aegis_policy_instructions(const struct aegis_policy *p);
/* Sets hit[i] to 1 when instruction i runs in the evaluations that follow; NULL ends it. The evaluations must
 * be of one policy, and hit must have its instructions. */
AEGIS_API void aegis_ctx_cover(struct aegis_ctx *ctx, uint8_t *hit);
/* Calls `place` for every place, ascending. */
AEGIS_API enum aegis_status aegis_policy_coverage(const struct aegis_policy *p, const uint8_t *hit,
                                                  void (*place)(void *arg, const struct aegis_place *at),
                                                  void *arg);

/* sized. A definition of a rule or function that was tried. */
struct aegis_explain_def {
    uint32_t size;
    struct aegis_str function, source;
    uint32_t line, column;
    uint32_t has_succeeded;
    uint32_t fail_line, fail_column; /* the literal that its last attempt came to */
    struct aegis_str value;          /* and the values it looked at */
};
/* Evaluates a value entrypoint on a simulated host, as aegis_ctx_eval_json does, and calls `def` for every
 * definition that was tried. */
AEGIS_API enum aegis_status aegis_ctx_explain_value(struct aegis_ctx *ctx, struct aegis_slot *slot,
                                                    const char *entry, const char *json, size_t n,
                                                    void (*def)(void *arg, const struct aegis_explain_def *d),
                                                    void *arg, char *out, size_t out_size, size_t *ret_n,
                                                    struct aegis_error *reterr);

/* One executed instruction, for `eval --trace`: text without line end. */
AEGIS_API void aegis_ctx_trace(struct aegis_ctx *ctx, void (*line)(void *arg, const char *text, size_t n),
                               void *arg);

#ifdef __cplusplus
}
#endif

#endif
