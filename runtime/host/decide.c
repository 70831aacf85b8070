// SPDX-License-Identifier: Apache-2.0
// Steps 13 to 15 of one decision: pin the policy, read the clock once, JSON to values, evaluate, commit,
// answer. In: a JSON action or a built value. Out: struct aegis_decision whose strings borrow from ctx and
// policy. Allocates nothing: values live in the context's arena. Next file to read: vm/interp.c, then
// commit.c.
#include "document.h"
#include "host.h"

#include "buf.h"
#include "crypto.h"
#include "proposal.h"

#include <stdlib.h>

void
agr_ctx_leave(struct aegis_ctx *ctx)
{
    if (!ctx->is_in_span)
        return;
    agr_kill_leave(ctx->host->state, ctx->worker);
    ctx->is_in_span = false;
}

static void
unpin(struct aegis_ctx *ctx)
{
    if (ctx->is_pinned)
        agr_slot_unpin(ctx->slot, ctx->pin);
    ctx->is_pinned = false;
}

void
agr_ctx_begin(struct aegis_ctx *ctx)
{
    if (!ctx->is_held)
        agr_ctx_leave(ctx);
    unpin(ctx);
    ag_arena_reset(&ctx->arena, AG_ARENA_RESERVED);
    ctx->nlevels = 0;
    ctx->has_scanned = false;
    ctx->has_input = false;
    ctx->input_status = AEGIS_OK;
    ctx->request = (struct ag_str){NULL, 0};
}

// Registers grow with the largest policy seen; after that a decision allocates nothing.
static enum aegis_status
reserve_regs(struct aegis_ctx *ctx, const struct ag_image *im, struct aegis_error *reterr)
{
    uint32_t n = im->meta->stack_regs + AG_REGS_MAX;
    if (n > ctx->nregs) {
        struct ag_value *regs = realloc(ctx->regs, n * sizeof *regs);
        if (!regs)
            return agr_fail(reterr, AEGIS_NO_MEMORY, "out of memory");
        ctx->regs = regs;
        ctx->nregs = n;
    }
    ctx->call.regs = ctx->regs;
    ctx->call.nregs = ctx->nregs;
    return AEGIS_OK;
}

// Randomness of one decision: cut from a ChaCha20 stream that is keyed once, so no decision asks the kernel
// for any. A simulated host has none, so that a simulation gives the same answer twice.
static void
next_seed(struct aegis_ctx *ctx)
{
    if (ctx->host->is_simulated)
        return;
    if (ctx->seeds_left == 0) {
        ag_crypto_stream(ctx->seeds, sizeof ctx->seeds, ctx->seed_key, ctx->seed_block++);
        ctx->seeds_left = AGR_SEEDS;
    }
    memcpy(ctx->call.seed, ctx->seeds[--ctx->seeds_left], sizeof ctx->call.seed);
}

static enum aegis_status
prepare(struct aegis_ctx *ctx, struct aegis_slot *slot, struct aegis_error *reterr)
{
    ctx->slot = slot;
    ctx->pin = agr_slot_pin(slot, ctx->worker);
    ctx->is_pinned = true;
    if (!ctx->pin.policy)
        return agr_fail(reterr, AEGIS_USAGE, "no policy has been published into this slot");
    const struct ag_image *im = &ctx->pin.policy->im;
    if (im->meta->dependencies & AG_NEEDS_CRYPTO && !ctx->host->crypto)
        return agr_fail(
            reterr, AEGIS_PROVIDER,
            "the policy verifies tokens or certificates, and this host has no crypto provider; set crypto "
            "in aegis_host_options, for example to aegis_crypto_openssl() of libaegis-crypto");
    ctx->call.im = im;
    ctx->call.mem.base[AG_IN_IMAGE] = im->heap;
    ctx->call.fuel = im->meta->fuel;
    if (ctx->fuel_max && ctx->fuel_max < ctx->call.fuel)
        ctx->call.fuel = ctx->fuel_max;
    agr_clock_now(ctx->host->clock, &ctx->now);
    ctx->call.now_ns = ctx->now.wall_ns;
    next_seed(ctx);
    ctx->ncharges = 0;
    ctx->reservation = ctx->reserved = 0;
    memset(ctx->effect_state, 0, sizeof ctx->effect_state);
    ctx->kill_hit.is_engaged = false;
    ctx->is_shadow = false;
    return reserve_regs(ctx, im, reterr);
}

// Which field of an action a key names; AGR_FIELDS when it names none.
static enum agr_field
field_of(const char *p, size_t n)
{
#define IS(text, field) (memcmp(p, text, sizeof(text) - 1) == 0 ? field : AGR_FIELDS)
    switch (n) {
    case 4: return IS("type", AGR_F_TYPE);
    case 5: return IS("agent", AGR_F_AGENT);
    case 6:
        if (p[0] == 'p')
            return IS("params", AGR_F_PARAMS);
        return p[1] == 'e' ? IS("tenant", AGR_F_TENANT) : IS("target", AGR_F_TARGET);
    case 8: return p[0] == 'a' ? IS("agent_id", AGR_F_AGENT_ID) : IS("proposal", AGR_F_PROPOSAL);
    case 10: return IS("session_id", AGR_F_SESSION_ID);
    case 11: return p[0] == 'a' ? IS("action_type", AGR_F_ACTION_TYPE) : IS("description", AGR_F_DESCRIPTION);
    default: return AGR_FIELDS;
    }
#undef IS
}

// Finds the known fields of the input in one pass. Fields of an action must have the right type: a number as
// `type` is a mistake, not a wildcard.
static enum aegis_status
scan_fields(struct aegis_ctx *ctx, bool is_strict, struct aegis_error *reterr)
{
    const struct ag_mem *m = &ctx->call.mem;
    const ag_cell *keys = ag_object_keys(m, ctx->input), *values = ag_value_cells(ctx->input);
    for (unsigned f = 0; f < AGR_FIELDS; f++)
        ctx->field[f] = ag_undef();
    for (uint32_t i = 0; i < ctx->input.len; i++) {
        struct ag_str key = ag_cell_str(m, keys[i]); // keys of an input are strings
        enum agr_field f = field_of(key.p, key.n);
        if (f == AGR_FIELDS)
            continue;
        struct ag_value v = ag_cell_load(m, values[i]);
        ctx->field[f] = v;
        enum ag_kind want = f == AGR_F_PARAMS || f == AGR_F_PROPOSAL ? AG_OBJECT : AG_STRING;
        if (is_strict && v.kind != want)
            return agr_fail(reterr, AEGIS_MALFORMED, "field \"%.*s\" must be %s", (int)key.n, key.p,
                            want == AG_OBJECT ? "an object" : "a string");
    }
    return AEGIS_OK;
}

static struct ag_str
text_of(const struct aegis_ctx *ctx, enum agr_field f)
{
    return ctx->field[f].kind == AG_STRING ? ag_value_str(ctx->field[f]) : (struct ag_str){"", 0};
}

// A member that the input must have under this name with this value, or under another name as it is.
struct wanted {
    enum agr_field field, alias; // alias AGR_FIELDS: none
    const char *key, *alias_key;
    struct ag_str value; // added when the input has neither
};

// The input with `w`'s member added or renamed; undefined when the arena is full.
static struct ag_value
with_member(struct aegis_ctx *ctx, const struct wanted *w)
{
    struct ag_mem *m = &ctx->call.mem;
    struct ag_builder *b = ag_builder_new(m, AG_OBJECT);
    struct ag_value key = ag_string_copy(m, ag_str_z(w->key)), value = ag_undef();
    if (!b || key.kind != AG_STRING)
        return ag_undef();
    for (uint32_t i = 0; i < ctx->input.len; i++) {
        struct ag_value k = ag_object_key(m, ctx->input, i), v = ag_value_at(m, ctx->input, i);
        if (w->alias_key && ag_str_is(ag_value_str(k), w->alias_key))
            value = v;
        else if (!ag_str_is(ag_value_str(k), w->key) && !ag_builder_put(m, b, k, v))
            return ag_undef();
    }
    if (value.kind == AG_UNDEF)
        value = ag_string_copy(m, w->value);
    if (value.kind == AG_UNDEF || !ag_builder_put(m, b, key, value))
        return ag_undef();
    return ag_builder_close(m, b);
}

// Makes the input say who asks and what in the native names. An action without a tenant belongs to the tenant
// "default": it never escapes a limit or a switch by leaving it out.
static enum aegis_status
complete_action(struct aegis_ctx *ctx, struct aegis_error *reterr)
{
    // Nearly every action is complete already.
    if (text_of(ctx, AGR_F_TENANT).n && !ctx->has_aliases &&
        (!ctx->identity_agent.n || text_of(ctx, AGR_F_AGENT).n))
        return AEGIS_OK;
    const struct wanted all[] = {{AGR_F_TYPE, AGR_F_ACTION_TYPE, "type", "action_type", {NULL, 0}},
                                 {AGR_F_AGENT, AGR_F_AGENT_ID, "agent", "agent_id", {NULL, 0}},
                                 {AGR_F_AGENT, AGR_FIELDS, "agent", NULL, ctx->identity_agent},
                                 {AGR_F_TENANT, AGR_FIELDS, "tenant", NULL,
                                  ctx->identity_tenant.n ? ctx->identity_tenant : AG_STR("default")}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const struct wanted *w = &all[i];
        bool is_wanted =
            w->alias == AGR_FIELDS ? w->value.n != 0 : ctx->has_aliases && text_of(ctx, w->alias).n != 0;
        if (!is_wanted || text_of(ctx, w->field).n != 0)
            continue;
        struct ag_value v = with_member(ctx, w);
        if (v.kind != AG_OBJECT)
            return agr_fail(reterr, AEGIS_TOO_LARGE, "the input does not fit into the working memory");
        ctx->input = v;
        scan_fields(ctx, false, NULL);
    }
    return AEGIS_OK;
}

static enum aegis_status
check_identity(const struct aegis_ctx *ctx, struct aegis_error *reterr)
{
    if (ctx->identity_tenant.n && !ag_str_eq(ctx->identity_tenant, ctx->tenant))
        return agr_fail(reterr, AEGIS_IDENTITY, "identity_mismatch: the input names another tenant");
    if (ctx->identity_agent.n && !ag_str_eq(ctx->identity_agent, ctx->agent))
        return agr_fail(reterr, AEGIS_IDENTITY, "identity_mismatch: the input names another agent");
    return AEGIS_OK;
}

static enum aegis_status
check_proposal(struct aegis_ctx *ctx, struct aegis_error *reterr)
{
    struct ag_proposal proposal;
    struct ag_proposal_error e;
    if (!ag_proposal_read(&ctx->call.mem, ctx->input, &proposal, &e))
        return agr_fail(reterr, AEGIS_MALFORMED, "%s", e.text);
    struct ag_value shadow = ag_object_get(&ctx->call.mem, ctx->input, AG_STR("shadow_mode"));
    ctx->is_shadow = shadow.kind == AG_BOOL && shadow.i;
    return AEGIS_OK;
}

static enum aegis_status
check_input(struct aegis_ctx *ctx, bool is_proposal, struct aegis_error *reterr)
{
    if (ctx->input.kind != AG_OBJECT)
        return agr_fail(reterr, AEGIS_MALFORMED, "the input must be a JSON object");
    enum aegis_status s = scan_fields(ctx, !is_proposal, reterr);
    if (s == AEGIS_OK)
        s = is_proposal ? check_proposal(ctx, reterr) : complete_action(ctx, reterr);
    if (s != AEGIS_OK)
        return s;
    struct ag_str tenant = text_of(ctx, AGR_F_TENANT), target = text_of(ctx, AGR_F_TARGET);
    struct ag_str agent = text_of(ctx, is_proposal ? AGR_F_AGENT_ID : AGR_F_AGENT);
    struct ag_str type = is_proposal ? AG_STR("proposal") : text_of(ctx, AGR_F_TYPE);
    if (is_proposal && tenant.n == 0)
        tenant = ctx->identity_tenant.n ? ctx->identity_tenant : AG_STR("default");
    if (is_proposal && agent.n == 0)
        agent = ctx->identity_agent;
    ctx->tenant = tenant;
    ctx->agent = agent;
    ctx->type = type;
    ctx->target = target;
    ctx->session = text_of(ctx, AGR_F_SESSION_ID);
    ctx->action.input = ctx->input.p;
    ctx->action.attr[AG_ATTR_TYPE] = type;
    ctx->action.attr[AG_ATTR_TARGET] = target;
    ctx->action.attr[AG_ATTR_AGENT] = agent;
    ctx->action.attr[AG_ATTR_TENANT] = tenant;
    ctx->call.action = &ctx->action;
    return check_identity(ctx, reterr);
}

static enum aegis_status
status_of_eval(enum ag_eval_status s)
{
    switch (s) {
    case AG_EVAL_OK: return AEGIS_OK;
    case AG_EVAL_FUEL: return AEGIS_FUEL;
    case AG_EVAL_ARENA: return AEGIS_ARENA;
    case AG_EVAL_STATE: return AEGIS_STATE;
    case AG_EVAL_KILL_UNREADABLE: break;
    }
    return AEGIS_KILL_UNREADABLE;
}

static struct aegis_str
str_out(struct ag_str s)
{
    return (struct aegis_str){s.p, s.n};
}

static void
fill_lists(struct aegis_ctx *ctx, struct aegis_decision *d)
{
    const struct ag_outcome *o = &ctx->outcome;
    d->n_findings = o->nfindings;
    d->findings = ctx->findings;
    for (uint32_t i = 0; i < o->nfindings; i++)
        ctx->findings[i] =
            (struct aegis_finding){str_out(o->finding[i].code), str_out(o->finding[i].severity),
                                   str_out(o->finding[i].stage), str_out(o->finding[i].message)};
    d->gates = ctx->gates;
    for (uint32_t g = 0; g < AG_GATES; g++) {
        if (!(o->gates_run & (1u << g)))
            continue;
        const struct ag_gate_result *r = &o->gate[g];
        ctx->gates[d->n_gates++] = (struct aegis_gate){{ag_gate_name(g), strlen(ag_gate_name(g))},
                                                       str_out(ag_str_z(ag_gate_state_name(r->state))),
                                                       r->value,
                                                       r->threshold,
                                                       r->confidence};
    }
    d->limits = ctx->limits;
    for (uint32_t i = 0; i < o->neffects; i++) {
        const struct ag_effect *e = &o->effect[i];
        if (e->op != AG_EFFECT_CHARGE)
            continue;
        ctx->limits[d->n_limits++] = (struct aegis_limit){
            str_out(ag_image_str(ctx->call.im, ctx->call.im->limits[e->limit_ix].name)), e->view.admits,
            e->view.remaining, e->view.reset_at_ns, e->view.retry_after_ns};
        if (e->view.retry_after_ns > d->retry_after_ns)
            d->retry_after_ns = e->view.retry_after_ns;
    }
}

static inline void
no_text(struct aegis_str *s)
{
    s->p = NULL;
    s->n = 0;
}

// Every field, in the order of the struct: a general clearing would cost more than the rest.
static void
fill_blank(struct aegis_decision *d)
{
    d->outcome = AEGIS_UNAVAILABLE;
    d->status = AEGIS_OK;
    d->is_allowed = 0;
    no_text(&d->decision);
    no_text(&d->rule);
    no_text(&d->reason);
    no_text(&d->message);
    no_text(&d->risk_level);
    no_text(&d->approval);
    no_text(&d->id);
    no_text(&d->policy_name);
    no_text(&d->policy_digest);
    d->now_ns = 0;
    d->retry_after_ns = 0;
    d->cost = 0;
    d->n_findings = 0;
    d->n_gates = 0;
    d->n_limits = 0;
    d->findings = NULL;
    d->gates = NULL;
    d->limits = NULL;
    no_text(&d->gov_status);
    no_text(&d->would_be);
    d->confidence = 0;
    no_text(&d->drift_status);
    d->drift_kl = 0;
    no_text(&d->boot);
    d->worker = 0;
    d->journal = 0;
    d->wseq = 0;
    d->position = 0;
    d->reservation = 0;
    d->rule_ix = AG_NONE;
    d->audit_level = 0;
    no_text(&d->type);
    no_text(&d->target);
    no_text(&d->agent);
    no_text(&d->tenant);
}

// The answer. `s` is why there is none (unavailable), or AEGIS_OK.
static void
fill(struct aegis_ctx *ctx, const struct aegis_policy *p, enum aegis_status s, uint64_t fuel_before,
     struct aegis_decision *d)
{
    const struct ag_outcome *o = &ctx->outcome;
    fill_blank(d);
    d->status = s;
    d->now_ns = ctx->now.wall_ns;
    d->cost = fuel_before - ctx->call.fuel;
    d->audit_level = p->im.meta->audit_level;
    d->type = str_out(ctx->type);
    d->target = str_out(ctx->target);
    d->agent = str_out(ctx->agent);
    d->tenant = str_out(ctx->tenant);
    d->policy_name = str_out(ag_str_of(ctx->host->policy_name, ctx->host->policy_name_n));
    d->policy_digest = (struct aegis_str){p->digest, sizeof p->digest};
    if (s != AEGIS_OK) {
        d->outcome = AEGIS_UNAVAILABLE;
        d->decision = str_out(AG_STR("unavailable"));
        d->reason = str_out(ag_str_z(aegis_status_text(s)));
        return;
    }
    d->outcome = (enum aegis_outcome)o->decision;
    d->is_allowed = o->decision <= AG_MONITOR;
    d->decision = str_out(ag_severity_text(o->decision));
    d->rule = str_out(o->rule);
    d->reason = str_out(o->reason);
    d->message = str_out(o->message);
    d->risk_level = str_out(ag_risk_text(o->risk));
    d->approval = str_out(ag_approval_text(o->approval));
    d->rule_ix = o->rule_ix;
    if (o->status != AG_GOV_NONE) {
        d->gov_status = str_out(ag_str_z(ag_gov_status_name(o->status)));
        if (ctx->would_be != AG_GOV_NONE)
            d->would_be = str_out(ag_str_z(ag_gov_status_name(ctx->would_be)));
        d->confidence = o->confidence;
        d->drift_status = str_out(ag_str_z(ag_drift_status_name(o->drift.status)));
        d->drift_kl = o->drift.kl;
    }
    d->reservation = ctx->reservation;
    fill_lists(ctx, d);
    if (!ctx->host->is_simulated) {
        d->id = (struct aegis_str){ctx->id, sizeof ctx->id};
        d->boot = (struct aegis_str){ctx->boot, sizeof ctx->boot};
        d->worker = ctx->worker;
        d->journal = ctx->journal.journal;
        d->wseq = ctx->pos.wseq;
        d->position = (uint64_t)ctx->pos.segment << 32 | ctx->pos.offset;
    }
}

// Shadow mode: what would have been enforced is recorded, and the answer lets the proposal proceed (A13).
static void
apply_shadow(struct aegis_ctx *ctx)
{
    struct ag_outcome *o = &ctx->outcome;
    ctx->would_be = AG_GOV_NONE;
    if (!ctx->is_shadow || o->decision <= AG_MONITOR || o->decision == AG_KILL)
        return;
    ctx->would_be = o->status;
    o->status = AG_GOV_PROCEED;
    o->decision = AG_MONITOR;
}

// From a pinned policy and ctx->input to a filled decision.
static enum aegis_status
decide(struct aegis_ctx *ctx, const char *entry, struct aegis_decision *ret, struct aegis_error *reterr)
{
    const struct aegis_policy *p = ctx->pin.policy;
    bool is_risk = entry[0] == 'r' && strcmp(entry, "risk_check") == 0;
    bool is_proposal = is_risk || (entry[0] == 'e' && strcmp(entry, "evaluate") == 0);
    ctx->is_proposal = is_proposal;
    uint32_t ix = is_risk                        ? p->risk_ix
                  : is_proposal                  ? p->evaluate_ix
                  : strcmp(entry, "decide") == 0 ? p->decide_ix
                                                 : AG_NONE;
    if (ix == AG_NONE)
        return agr_fail(reterr, AEGIS_NO_ENTRY, "the policy has no entrypoint \"%s\"%s", entry,
                        is_risk       ? "; add risk: {} to its gates"
                        : is_proposal ? "; add a gates: section"
                                      : "");
    // A built value that was accepted as an action, by the same identity, is one still.
    enum aegis_status s = AEGIS_OK;
    if (!ctx->has_scanned || is_proposal)
        s = check_input(ctx, is_proposal, reterr);
    if (s != AEGIS_OK)
        return s;
    uint64_t fuel = ctx->call.fuel;
    s = status_of_eval(ag_eval(&ctx->call, ix, ctx->input, NULL));
    if (s == AEGIS_OK) {
        apply_shadow(ctx);
        s = agr_commit(ctx, p, entry);
    }
    fill(ctx, p, s, fuel, ret);
    return AEGIS_OK;
}

static enum aegis_status
read_json(struct aegis_ctx *ctx, struct ag_str json, struct aegis_error *reterr)
{
    struct ag_json_error e;
    if (json.n > ctx->input_max)
        return agr_fail(reterr, AEGIS_TOO_LARGE, "the input has %zu bytes, %u are accepted", json.n,
                        ctx->input_max);
    ctx->request = json;
    ctx->call.mem.base[AG_IN_REQUEST] = (const uint8_t *)json.p;
    enum ag_json_status s = ag_json_read(&ctx->call.mem, json, &ctx->input, &e);
    if (s == AG_JSON_OK)
        return AEGIS_OK;
    agr_fail(reterr, s == AG_JSON_ARENA ? AEGIS_ARENA : AEGIS_MALFORMED, "%s at byte %zu",
             ag_json_status_text(s), e.offset);
    if (reterr)
        reterr->offset = e.offset;
    return s == AG_JSON_ARENA || s == AG_JSON_LIMIT ? AEGIS_TOO_LARGE : AEGIS_MALFORMED;
}

enum aegis_status
agr_decide_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry, struct ag_str json,
                struct aegis_decision *ret, struct aegis_error *reterr)
{
    agr_ctx_begin(ctx);
    enum aegis_status s = prepare(ctx, slot, reterr);
    if (s == AEGIS_OK)
        s = read_json(ctx, json, reterr);
    return s == AEGIS_OK ? decide(ctx, entry, ret, reterr) : s;
}

enum aegis_status
agr_decide_built(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry,
                 struct aegis_decision *ret, struct aegis_error *reterr)
{
    if (ctx->input_status != AEGIS_OK)
        return agr_fail(reterr, ctx->input_status, "the input was not built correctly");
    if (!ctx->has_input)
        return agr_fail(reterr, AEGIS_USAGE, "build an input between aegis_input_begin and this call");
    // The built value stays: the same input may be decided again, by this policy or another.
    if (!ctx->is_held)
        agr_ctx_leave(ctx);
    unpin(ctx);
    ag_arena_reset(&ctx->arena, ctx->built_mark);
    // Fields found once stay found, as long as the value they belong to is the one that was built.
    ctx->has_scanned = ctx->has_scanned && ctx->input.p == ctx->built.p;
    ctx->input = ctx->built;
    enum aegis_status s = prepare(ctx, slot, reterr);
    if (s == AEGIS_OK)
        s = decide(ctx, entry, ret, reterr);
    ctx->has_scanned = s == AEGIS_OK && !ctx->is_proposal;
    return s;
}

// --- values

// Pins the policy and reads the input; no text at all is no input.
static enum aegis_status
begin_value(struct aegis_ctx *ctx, struct aegis_slot *slot, struct ag_str json, struct aegis_error *reterr)
{
    agr_ctx_begin(ctx);
    enum aegis_status s = prepare(ctx, slot, reterr);
    ctx->call.action = NULL;
    ctx->input = ag_undef();
    if (s == AEGIS_OK && json.p)
        s = read_json(ctx, json, reterr);
    return s;
}

static enum aegis_status
eval_entry(struct aegis_ctx *ctx, uint32_t ix, struct ag_value *ret, struct aegis_error *reterr)
{
    enum aegis_status s = status_of_eval(ag_eval(&ctx->call, ix, ctx->input, ret));
    return s == AEGIS_OK ? s : agr_fail(reterr, s, "%s", aegis_status_text(s));
}

static enum aegis_status
write_value(struct aegis_ctx *ctx, struct ag_value v, char *out, size_t out_size, size_t *ret_n,
            struct aegis_error *reterr)
{
    struct ag_buf b;
    if (v.kind == AG_ERROR) {
        char text[200];
        ag_buf_init(&b, text, sizeof text - 1);
        ag_error_text(&ctx->call, v, &b);
        text[b.n] = '\0';
        return agr_fail(reterr, AEGIS_POLICY, "%s", text);
    }
    ag_buf_init(&b, out, out_size);
    if (v.kind >= AG_NULL && (!ag_json_write(&ctx->call.mem, v, &b, 0) || b.is_full))
        return agr_fail(reterr, AEGIS_TOO_LARGE, "the result does not fit into %zu bytes", out_size);
    *ret_n = b.n;
    return AEGIS_OK;
}

enum aegis_status
agr_eval_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry, struct ag_str json,
              char *out, size_t out_size, size_t *ret_n, struct aegis_error *reterr)
{
    struct ag_value v = ag_undef();
    enum aegis_status s = begin_value(ctx, slot, json, reterr);
    if (s != AEGIS_OK)
        return s;
    uint32_t ix = ag_entry_find(ctx->call.im, ag_str_z(entry));
    if (ix == AG_NONE)
        return agr_fail(reterr, AEGIS_NO_ENTRY, "the policy has no entrypoint \"%s\"", entry);
    s = eval_entry(ctx, ix, &v, reterr);
    return s == AEGIS_OK ? write_value(ctx, v, out, out_size, ret_n, reterr) : s;
}

enum aegis_status
agr_document_json(struct aegis_ctx *ctx, struct aegis_slot *slot, const struct aegis_str *step, uint32_t n,
                  struct ag_str json, char *out, size_t out_size, size_t *ret_n, struct aegis_error *reterr)
{
    struct ag_value v = ag_undef();
    struct agr_document d;
    enum aegis_status s = begin_value(ctx, slot, json, reterr);
    if (s != AEGIS_OK)
        return s;
    agr_document_find(ctx->call.im, step, n, &d);
    if (d.entry == AG_NONE && ctx->call.im->meta->data == AG_NONE)
        return agr_fail(reterr, AEGIS_NO_ENTRY, "the policy has no entrypoint for this document");
    if (d.entry == AG_NONE)
        v = ag_image_const(ctx->call.im, ctx->call.im->meta->data);
    else
        s = eval_entry(ctx, d.entry, &v, reterr);
    if (s != AEGIS_OK)
        return s;
    if (v.kind >= AG_NULL)
        v = agr_document_walk(&ctx->call.mem, v, step + d.nsteps, n - d.nsteps);
    return write_value(ctx, v, out, out_size, ret_n, reterr);
}
