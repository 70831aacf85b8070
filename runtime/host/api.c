// SPDX-License-Identifier: Apache-2.0
// The only file that defines aegis_* functions: each checks its arguments and calls inside.
// In: the embedder's arguments. Out: what aegis.h and aegis_tools.h promise. Owns nothing.
// Next file to read: decide.c.
#include "host.h"

#include <time.h>

#include "crypto.h"
#include "dump.h"
#include "explain.h"
#include "watch.h"

#include <stdlib.h>

#define PACE_NS 250000000 // over which segments are counted

const char *
aegis_status_text(enum aegis_status s)
{
    static const char *const text[] = {
#define S(name, words) words,
        AEGIS_STATUSES(S)
#undef S
    };
    return (unsigned)s < AEGIS_STATUS_COUNT ? text[s] : "unknown status";
}

const char *
aegis_version(void)
{
    return AEGIS_VERSION;
}

// ---- policies

// Takes a sized struct of the embedder into one of ours; NULL is all zero. The fields that an older, shorter
// one lacks are zero. False: its size is not set, or it has fields that this version does not know and that
// ask for something. Passing over either would open with less than was asked for.
static bool
take_sized(void *full, uint32_t full_size, const void *given)
{
    uint32_t size;
    if (!given)
        return true;
    memcpy(&size, given, sizeof size);
    if (size <= sizeof size)
        return false;
    for (uint32_t i = full_size; i < size; i++)
        if (((const unsigned char *)given)[i])
            return false;
    memcpy(full, given, size < full_size ? size : full_size);
    memcpy(full, &full_size, sizeof full_size);
    return true;
}

static const char unsized[] =
    "options: set size = sizeof of the struct, and leave what this version lacks at zero";

enum aegis_status
aegis_policy_open(const char *path, const struct aegis_policy_options *options, struct aegis_policy **ret,
                  struct aegis_error *reterr)
{
    if (!path || !ret)
        return agr_fail(reterr, AEGIS_USAGE, "path and ret must be given");
    struct aegis_policy_options o = {.size = sizeof o};
    if (!take_sized(&o, sizeof o, options))
        return agr_fail(reterr, AEGIS_USAGE, "%s", unsized);
    return agr_policy_open(path, &o, ret, reterr);
}

enum aegis_status
aegis_policy_open_fd(int fd, const struct aegis_policy_options *options, struct aegis_policy **ret,
                     struct aegis_error *reterr)
{
    if (fd < 0 || !ret)
        return agr_fail(reterr, AEGIS_USAGE, "a descriptor and ret must be given");
    struct aegis_policy_options o = {.size = sizeof o};
    if (!take_sized(&o, sizeof o, options))
        return agr_fail(reterr, AEGIS_USAGE, "%s", unsized);
    return agr_policy_open_fd(fd, &o, ret, reterr);
}

enum aegis_status
aegis_policy_open_bytes(const void *bytes, size_t n, const struct aegis_policy_options *options,
                        struct aegis_policy **ret, struct aegis_error *reterr)
{
    if (!bytes || !ret)
        return agr_fail(reterr, AEGIS_USAGE, "bytes and ret must be given");
    struct aegis_policy_options o = {.size = sizeof o};
    if (!take_sized(&o, sizeof o, options))
        return agr_fail(reterr, AEGIS_USAGE, "%s", unsized);
    return agr_policy_open_bytes(bytes, n, &o, ret, reterr);
}

void
aegis_policy_close(struct aegis_policy *p)
{
    agr_policy_close(p);
}

static struct aegis_str
str_out(struct ag_str s)
{
    return (struct aegis_str){s.p, s.n};
}

// Writes only the fields the caller's struct has.
static void
copy_sized(void *ret, uint32_t size, const void *full, size_t full_size)
{
    memcpy(ret, full, size && size < full_size ? size : full_size);
    memcpy(ret, &size, sizeof size);
}

void
aegis_policy_info(const struct aegis_policy *p, struct aegis_policy_info *ret)
{
    const struct ag_meta *m = p->im.meta;
    struct aegis_policy_info i = {
        .name = str_out(ag_image_str(&p->im, m->name)),
        .serial = m->serial,
        .fuel = m->fuel,
        .rules = p->im.nrules,
        .limits = p->im.nlimits,
        .entries = p->im.nentries,
        .is_signed = p->im.signature != NULL,
        .has_gates = p->im.gates != NULL,
        .audit_level = m->audit_level,
        .audit_sign = m->audit_sign,
        .audit_input = m->audit_input,
        .image_bytes = p->im.size,
        .combine = m->combine,
        .default_decision = m->default_decision,
        .default_risk = m->default_risk,
        .default_approval = m->default_approval,
        .tzdata = str_out(ag_image_str(&p->im, m->tzdata)),
        .needs_crypto = (m->dependencies & AG_NEEDS_CRYPTO) != 0,
    };
    memcpy(i.digest, p->im.header->digest, sizeof i.digest);
    memcpy(i.source_digest, m->source_digest, sizeof i.source_digest);
    if (p->im.signature)
        memcpy(i.key, p->im.signature->key, sizeof i.key);
    copy_sized(ret, ret->size, &i, sizeof i);
}

// The match patterns of a rule stand in the decision index, the only place that needs them at run time.
static void
rule_patterns(const struct ag_image *im, uint32_t ix, struct aegis_rule_info *r)
{
    struct aegis_str *out[AG_ATTRS] = {&r->type, &r->target, &r->agent, &r->tenant};
    for (unsigned a = 0; a < AG_ATTRS; a++)
        *out[a] = str_out(AG_STR("*"));
    const uint32_t *offs = (const uint32_t *)(const void *)im->index;
    for (uint32_t t = 0; t < im->nindexes; t++) {
        const struct ag_index *index = (const struct ag_index *)(const void *)(im->index + offs[1 + t]);
        const struct ag_index_rule *rules =
            (const struct ag_index_rule *)(const void *)((const uint8_t *)index + index->rules);
        for (uint32_t i = 0; i < index->nrules; i++) {
            if (rules[i].rule != ix)
                continue;
            for (unsigned a = 0; a < AG_ATTRS; a++)
                if (rules[i].kind[a] != AG_MATCH_ANY)
                    *out[a] = str_out(ag_image_str(im, rules[i].pattern[a]));
            return;
        }
    }
}

enum aegis_status
aegis_policy_rule(const struct aegis_policy *p, uint32_t ix, struct aegis_rule_info *ret)
{
    if (ix >= p->im.nrules)
        return AEGIS_USAGE;
    const struct ag_rule *r = &p->im.rules[ix];
    struct aegis_rule_info i = {.name = str_out(ag_image_str(&p->im, r->name)),
                                .line = r->line,
                                .column = r->column,
                                .decision = str_out(ag_severity_text((enum ag_severity)r->decision)),
                                .risk_level = str_out(ag_risk_text((enum ag_risk_level)r->risk)),
                                .approval = str_out(ag_approval_text((enum ag_approval)r->approval))};
    if (r->source < p->im.nsources)
        i.source = str_out(ag_image_str(&p->im, p->im.sources[r->source]));
    rule_patterns(&p->im, ix, &i);
    copy_sized(ret, ret->size, &i, sizeof i);
    return AEGIS_OK;
}

enum aegis_status
aegis_policy_entry(const struct aegis_policy *p, uint32_t ix, struct aegis_entry_info *ret)
{
    if (ix >= p->im.nentries)
        return AEGIS_USAGE;
    struct aegis_entry_info i = {.name = str_out(ag_image_str(&p->im, p->im.entries[ix].name)),
                                 .is_decision = p->im.entries[ix].is_decision};
    const struct ag_span *at = agr_span_at(&p->im, p->im.funcs[p->im.entries[ix].func].code_at);
    if (at && at->source < p->im.nsources) {
        i.source = str_out(ag_image_str(&p->im, p->im.sources[at->source]));
        i.line = at->line;
        i.column = at->column;
    }
    copy_sized(ret, ret->size, &i, sizeof i);
    return AEGIS_OK;
}

void
aegis_policy_disasm(const struct aegis_policy *p, void (*line)(void *arg, const char *text, size_t n),
                    void *arg)
{
    agr_dump_image(&p->im, line, arg);
}

enum aegis_status
aegis_policy_gate_params(const struct aegis_policy *p,
                         void (*param)(void *arg, const char *name, double value), void *arg)
{
    static const char *const on_fail[AG_GATES] = {"on_fail.risk",       "on_fail.profit",  "on_fail.novelty",
                                                  "on_fail.complexity", "on_fail.quality", "on_fail.utility",
                                                  "on_fail.drift"};
    struct ag_gate_params g;
    if (!p->im.gates)
        return AEGIS_NO_ENTRY;
    memcpy(&g, p->im.gates->params, sizeof g);
    const struct {
        const char *name;
        double value;
    } rows[] = {{"epsilon_R", g.epsilon_r},
                {"epsilon_P", g.epsilon_p},
                {"risk_trigger_factor", g.risk_trigger},
                {"profit_trigger_factor", g.profit_trigger},
                {"trigger_confidence_prob", g.risk_confidence},
                {"novelty_gate.N0", g.novelty_n0},
                {"novelty_gate.k", g.novelty_k},
                {"novelty_gate.output_threshold", g.novelty_threshold},
                {"complexity_floor", g.complexity_floor},
                {"quality_min_score", g.quality_min},
                {"mu0", g.mu0},
                {"sigma0", g.sigma0},
                {"sigmaL", g.sigma_l},
                {"utility_alpha", g.utility_alpha}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        param(arg, rows[i].name, rows[i].value);
    for (uint32_t i = 0; i < AG_GATES; i++)
        param(arg, on_fail[i], g.on_fail[i]);
    return AEGIS_OK;
}

enum aegis_status
aegis_ctx_gate_params(const struct aegis_ctx *ctx, void (*param)(void *arg, const char *name, double value),
                      void *arg)
{
    return ctx->is_pinned ? aegis_policy_gate_params(ctx->pin.policy, param, arg) : AEGIS_NO_ENTRY;
}

struct aegis_str
aegis_decision_text(unsigned decision)
{
    return str_out(decision < AG_SEVERITIES ? ag_severity_text((enum ag_severity)decision) : AG_STR(""));
}

struct aegis_str
aegis_risk_text(unsigned risk)
{
    return str_out(risk <= AG_RISK_CRITICAL ? ag_risk_text((enum ag_risk_level)risk) : AG_STR(""));
}

struct aegis_str
aegis_approval_text(unsigned approval)
{
    return str_out(approval <= AG_APPROVAL_BLOCK ? ag_approval_text((enum ag_approval)approval) : AG_STR(""));
}

// ---- slots

static void
close_policy(struct aegis_policy *p, void *arg)
{
    (void)arg;
    agr_policy_close(p);
}

enum aegis_status
aegis_slot_new(struct aegis_slot **ret)
{
    *ret = agr_slot_new(close_policy, NULL);
    return *ret ? AEGIS_OK : AEGIS_NO_MEMORY;
}

void
aegis_slot_publish(struct aegis_slot *s, struct aegis_policy *p)
{
    agr_slot_publish(s, p);
}

void
aegis_slot_free(struct aegis_slot *s)
{
    agr_slot_free(s);
}

// ---- hosts

enum aegis_status
aegis_host_open(const char *dir, const struct aegis_host_options *options, struct aegis_host **ret,
                struct aegis_error *reterr)
{
    struct aegis_host_options full = {.size = sizeof full};
    if (!ret)
        return agr_fail(reterr, AEGIS_USAGE, "ret must be given");
    if (!take_sized(&full, sizeof full, options))
        return agr_fail(reterr, AEGIS_USAGE, "%s", unsized);
    return agr_host_open(dir, &full, ret, reterr);
}

enum aegis_status
aegis_host_attach(const struct aegis_host_fds *fds, struct aegis_host **ret, struct aegis_error *reterr)
{
    if (!fds || !ret)
        return agr_fail(reterr, AEGIS_USAGE, "fds and ret must be given");
    return agr_host_attach(fds, ret, reterr);
}

void
aegis_host_close(struct aegis_host *h)
{
    agr_host_close(h);
}

enum aegis_status
aegis_host_set_now(struct aegis_host *h, int64_t now_ns)
{
    if (!h->is_simulated)
        return AEGIS_USAGE;
    agr_clock_virtual_set(&h->sim_now, now_ns);
    return AEGIS_OK;
}

enum aegis_status
aegis_host_set_kill(struct aegis_host *h, struct aegis_str tenant, int engaged)
{
    struct ag_str t = ag_str_of(tenant.p, tenant.n);
    enum agr_kill_scope scope = ag_str_is(t, "*") ? AGR_KILL_GLOBAL : AGR_KILL_TENANT;
    if (!h->is_simulated)
        return AEGIS_USAGE;
    if (!engaged)
        return agr_kill_disengage(h->kill, scope, t, (struct ag_str){NULL, 0}, NULL);
    struct agr_kill_entry e = {
        .scope = scope, .tenant = t, .by = AG_STR("simulation"), .reason = AG_STR("assumed")};
    e.at_ns = h->sim_now.now.wall_ns;
    return agr_kill_engage(h->kill, h->state, &e, NULL, NULL, NULL, NULL);
}

// ---- contexts

enum aegis_status
aegis_ctx_new(const struct aegis_limits *limits, struct aegis_host *host, struct aegis_ctx **ret)
{
    if (!host || !ret)
        return AEGIS_USAGE;
    struct aegis_limits full = {.size = sizeof full};
    if (!take_sized(&full, sizeof full, limits))
        return AEGIS_USAGE;
    return agr_ctx_new(&full, host, ret);
}

void
aegis_ctx_free(struct aegis_ctx *ctx)
{
    agr_ctx_free(ctx);
}

static bool
has_text(const char *entry)
{
    return entry && entry[0];
}

enum aegis_status
aegis_ctx_decide_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry, const char *json,
                      size_t n, struct aegis_decision *ret, struct aegis_error *reterr)
{
    if (!ctx || !slot || !has_text(entry) || (!json && n) || !ret)
        return agr_fail(reterr, AEGIS_USAGE, "ctx, slot, entry, json and ret must be given");
    return agr_decide_json(ctx, slot, entry, ag_str_of(json, n), ret, reterr);
}

enum aegis_status
aegis_ctx_decide(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry,
                 struct aegis_decision *ret, struct aegis_error *reterr)
{
    if (!ctx || !slot || !has_text(entry) || !ret)
        return agr_fail(reterr, AEGIS_USAGE, "ctx, slot, entry and ret must be given");
    return agr_decide_built(ctx, slot, entry, ret, reterr);
}

enum aegis_status
aegis_ctx_eval_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry, const char *json,
                    size_t n, char *out, size_t out_size, size_t *ret_n, struct aegis_error *reterr)
{
    if (!ctx || !slot || !has_text(entry) || (!json && n) || !out || !ret_n)
        return agr_fail(reterr, AEGIS_USAGE, "ctx, slot, entry, json, out and ret_n must be given");
    return agr_eval_json(ctx, slot, entry, ag_str_of(json, n), out, out_size, ret_n, reterr);
}

enum aegis_status
aegis_ctx_document_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const struct aegis_str *step,
                        uint32_t n, const char *json, size_t json_n, char *out, size_t out_size,
                        size_t *ret_n, struct aegis_error *reterr)
{
    if (!ctx || !slot || (!step && n) || (!json && json_n) || !out || !ret_n)
        return agr_fail(reterr, AEGIS_USAGE, "ctx, slot, step, json, out and ret_n must be given");
    return agr_document_json(ctx, slot, step, n, ag_str_of(json, json_n), out, out_size, ret_n, reterr);
}

enum aegis_status
aegis_ctx_explain_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *json, size_t n,
                       void (*rule)(void *arg, const struct aegis_explain_rule *r), void *arg,
                       struct aegis_decision *ret, struct aegis_error *reterr)
{
    if (!ctx->host->is_simulated)
        return agr_fail(reterr, AEGIS_USAGE, "explanations run on a simulated host only");
    return agr_explain_json(ctx, slot, ag_str_of(json, n), rule, arg, ret, reterr);
}

size_t
aegis_decision_json(const struct aegis_ctx *ctx, const struct aegis_decision *d, char *out, size_t size)
{
    return agr_record_json(ctx, d, out, size);
}

enum aegis_status
aegis_ctx_settle(struct aegis_ctx *ctx, uint64_t reservation, int64_t actual_micro_usd)
{
    if (actual_micro_usd < 0)
        return AEGIS_USAGE;
    struct agr_time now;
    agr_clock_now(ctx->host->clock, &now);
    return agr_reservation_settle(ctx->host->state, reservation, (uint64_t)actual_micro_usd, &now);
}

void
aegis_ctx_release(struct aegis_ctx *ctx)
{
    agr_ctx_begin(ctx);
}

// ---- inputs built by calls

void
aegis_input_begin(struct aegis_ctx *ctx)
{
    agr_input_begin(ctx);
}
void
aegis_input_object(struct aegis_ctx *ctx)
{
    agr_input_open(ctx, AG_OBJECT);
}
void
aegis_input_array(struct aegis_ctx *ctx)
{
    agr_input_open(ctx, AG_ARRAY);
}
void
aegis_input_end(struct aegis_ctx *ctx)
{
    agr_input_close(ctx);
}
void
aegis_input_key(struct aegis_ctx *ctx, const char *p, size_t n)
{
    agr_input_key(ctx, ag_str_of(p, n));
}
void
aegis_input_string(struct aegis_ctx *ctx, const char *p, size_t n)
{
    agr_input_string(ctx, ag_str_of(p, n));
}
void
aegis_input_int(struct aegis_ctx *ctx, int64_t v)
{
    agr_input_add(ctx, ag_int(v));
}
void
aegis_input_number(struct aegis_ctx *ctx, const char *text, size_t n)
{
    agr_input_number(ctx, ag_str_of(text, n));
}
void
aegis_input_bool(struct aegis_ctx *ctx, int v)
{
    agr_input_add(ctx, ag_bool(v != 0));
}
void
aegis_input_null(struct aegis_ctx *ctx)
{
    agr_input_add(ctx, ag_null());
}

// ---- tools

void
aegis_ctx_hold(struct aegis_ctx *ctx, int is_held)
{
    ctx->is_held = is_held != 0;
}

void
aegis_ctx_leave(struct aegis_ctx *ctx)
{
    agr_ctx_leave(ctx);
}

void
aegis_ctx_identity(struct aegis_ctx *ctx, struct aegis_str tenant, struct aegis_str agent)
{
    ctx->identity_tenant = ag_str_of(tenant.p, tenant.n);
    ctx->identity_agent = ag_str_of(agent.p, agent.n);
    ctx->has_scanned = false;
}

void
aegis_ctx_aliases(struct aegis_ctx *ctx, int is_on)
{
    ctx->has_aliases = is_on != 0;
    ctx->has_scanned = false;
}

uint32_t
aegis_ctx_worker(const struct aegis_ctx *ctx)
{
    return ctx->worker;
}

int
aegis_ctx_journal_fd(const struct aegis_ctx *ctx)
{
    return ctx->has_journal ? agr_journal_fd(&ctx->journal) : -1;
}

int
aegis_ctx_wants_refill(const struct aegis_ctx *ctx)
{
    return ctx->has_journal && agr_journal_wants_refill(&ctx->journal);
}

// As many segments are kept ready as half a second fills: a sync that the disk draws out then stops nobody.
static void
set_pace(struct aegis_ctx *ctx)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    uint32_t at = ctx->journal.segment, used = at - ctx->pace_from;
    int64_t took = now - ctx->pace_ns;
    if (took < PACE_NS && used < AGR_JOURNAL_AHEAD)
        return;
    agr_journal_set_ahead(&ctx->journal, took < 2 * PACE_NS ? 2 * used + 1 : 1);
    ctx->pace_ns = now;
    ctx->pace_from = at;
}

enum aegis_status
aegis_ctx_refill(struct aegis_ctx *ctx)
{
    if (!ctx->has_journal)
        return AEGIS_OK;
    set_pace(ctx);
    return agr_journal_refill(&ctx->journal) == AGR_JOURNAL_OK ? AEGIS_OK : AEGIS_AUDIT;
}

int
aegis_ctx_is_synced(const struct aegis_ctx *ctx, uint64_t wseq, uint64_t position, uint64_t *ret_gseq)
{
    struct agr_journal_pos pos = {
        .wseq = wseq, .segment = (uint32_t)(position >> 32), .offset = (uint32_t)position};
    return ctx->has_journal && agr_journal_is_synced(&ctx->journal, pos, ret_gseq);
}

void
aegis_ctx_wake_sequencer(struct aegis_ctx *ctx)
{
    if (ctx->has_journal)
        agr_journal_wake(&ctx->journal, ctx->pos);
}

enum aegis_status
aegis_ctx_row(struct aegis_ctx *ctx, const char *type, const char *body, size_t n)
{
    if (!ctx->has_journal)
        return AEGIS_AUDIT;
    struct agr_record r = {.body = ag_str_of(body, n)};
    for (unsigned t = AGR_ROW_DECISION; t < AGR_ROW_TYPES; t++)
        if (strcmp(type, agr_row_type_text(t)) == 0)
            r.type = (enum agr_row_type)t;
    if (!r.type)
        return AEGIS_USAGE;
    struct agr_time now;
    struct agr_journal_pos pos;
    agr_clock_now(ctx->host->clock, &now);
    r.time_ns = now.wall_ns;
    if (agr_journal_append(&ctx->journal, &r, &pos) != AGR_JOURNAL_OK)
        return AEGIS_AUDIT;
    ctx->row_pos = pos;
    return AEGIS_OK;
}

enum aegis_status
aegis_ctx_sync(struct aegis_ctx *ctx, unsigned ms)
{
    const struct timespec step = {.tv_nsec = 1000000};
    uint64_t gseq;
    if (!ctx->has_journal)
        return AEGIS_AUDIT;
    agr_journal_wake(&ctx->journal, ctx->row_pos);
    for (unsigned waited = 0; !agr_journal_is_synced(&ctx->journal, ctx->row_pos, &gseq); waited++) {
        if (waited >= ms)
            return AEGIS_DEADLINE;
        nanosleep(&step, NULL);
    }
    return AEGIS_OK;
}

enum aegis_status
aegis_ctx_resume(struct aegis_ctx *ctx, int sock)
{
    if (!ctx->has_journal)
        return AEGIS_AUDIT;
    return agr_journal_resume_socket(&ctx->journal, sock) == AGR_JOURNAL_OK ? AEGIS_OK : AEGIS_AUDIT;
}

int
aegis_ctx_audit_ready(const struct aegis_ctx *ctx)
{
    if (!ctx->has_journal || !agr_journal_has_room(&ctx->journal, AGR_BODY_MAX, 0, 0))
        return 0;
    const struct agr_audit_status *st = ctx->journal.status;
    return st && (st->flags & AGR_STATUS_WARNING) ? 2 : 1;
}

int
aegis_ctx_recheck_kill(struct aegis_ctx *ctx, struct aegis_str tenant, struct aegis_str agent,
                       struct aegis_str type)
{
    int scope = 0;
    if (!ctx->is_in_span)
        agr_kill_enter(ctx->host->state, ctx->worker);
    ctx->is_in_span = true;
    return agr_killed(ctx, ag_str_of(tenant.p, tenant.n), ag_str_of(agent.p, agent.n),
                      ag_str_of(type.p, type.n), &scope) != 0;
}

int
aegis_ctx_kill_text(struct aegis_ctx *ctx, struct aegis_str *ret_by, struct aegis_str *ret_reason,
                    int64_t *ret_at_ns)
{
    struct ag_str by, reason;
    if (!ctx->kill_hit.is_engaged ||
        !agr_kill_text(ctx->host->kill, &ctx->kill_hit, ctx->kill_text, &by, &reason))
        return 0;
    *ret_by = str_out(by);
    *ret_reason = str_out(reason);
    *ret_at_ns = ctx->kill_hit.at_ns;
    return 1;
}

static void
trace_step(void *self, const struct ag_call *c, uint32_t insn, const struct ag_value *frame)
{
    struct aegis_ctx *ctx = self;
    char mem[256];
    (void)frame;
    struct ag_str s = agr_dump_step(c->im, insn, mem, sizeof mem);
    ctx->trace(ctx->trace_arg, s.p, s.n);
}

void
aegis_ctx_trace(struct aegis_ctx *ctx, void (*line)(void *arg, const char *text, size_t n), void *arg)
{
    ctx->trace = line;
    ctx->trace_arg = arg;
    ctx->call.trace = line ? trace_step : NULL;
    ctx->call.trace_self = ctx;
}

void
aegis_ctx_watch(struct aegis_ctx *ctx, void (*event)(void *arg, const struct aegis_event *e), void *arg)
{
    agr_watch(ctx, event, arg);
}

uint32_t
aegis_policy_instructions(const struct aegis_policy *p)
{
    return p->im.ncode;
}

void
aegis_ctx_cover(struct aegis_ctx *ctx, uint8_t *hit)
{
    agr_cover(ctx, hit);
}

enum aegis_status
aegis_policy_coverage(const struct aegis_policy *p, const uint8_t *hit,
                      void (*place)(void *arg, const struct aegis_place *at), void *arg)
{
    return agr_coverage(&p->im, hit, place, arg) ? AEGIS_OK : AEGIS_NO_MEMORY;
}

enum aegis_status
aegis_ctx_explain_value(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry, const char *json,
                        size_t n, void (*def)(void *arg, const struct aegis_explain_def *d), void *arg,
                        char *out, size_t out_size, size_t *ret_n, struct aegis_error *reterr)
{
    if (!ctx->host->is_simulated)
        return agr_fail(reterr, AEGIS_USAGE, "explanations run on a simulated host only");
    return agr_explain_value(ctx, slot, entry, ag_str_of(json, n), def, arg, out, out_size, ret_n, reterr);
}
