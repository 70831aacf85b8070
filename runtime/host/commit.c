// SPDX-License-Identifier: Apache-2.0
// Step 15: planned effects become charges, the kill words are read once more, the row is journaled; only then
// does the answer exist. No policy code runs here, so commit can only make a decision more severe. In:
// ctx->outcome with its plan. Out: the same, and the row's position. A crash between the steps may cost
// quota, but never lets an unlogged action through: the row is complete before the answer leaves. Next file
// to read: record.c for the bytes, journal.c for where they go.
#include "host.h"

#include "buf.h"

static struct agr_rate
rate_of(const struct ag_limit *l)
{
    return (struct agr_rate){.events = l->rate_num, .per_ns = l->rate_per_ns, .burst = l->burst};
}

static struct agr_ring
ring_of(const struct ag_limit *l)
{
    return (struct agr_ring){.max = (uint32_t)l->burst, .window_ns = l->rate_per_ns};
}

static struct agr_budget
budget_of(const struct ag_limit *l, enum agr_period period)
{
    return (struct agr_budget){.cap = l->cap[period], .warn_at = l->warn[period]};
}

static struct ag_limit_view
view_of(const struct aegis_ctx *ctx, const struct agr_view *v)
{
    return (struct ag_limit_view){.admits = v->admits,
                                  .remaining = v->remaining,
                                  .reset_at_ns = ctx->now.wall_ns + v->reset_after_ns,
                                  .retry_after_ns = v->retry_after_ns};
}

static enum agr_kind
kind_of(const struct ag_limit *l)
{
    switch (l->kind) {
    case AG_LIMIT_RATE: return AGR_RATE;
    case AG_LIMIT_WINDOW: return AGR_RING;
    case AG_LIMIT_QUOTA: return AGR_QUOTA;
    default: return AGR_BUDGET;
    }
}

static enum aegis_status
key_of(const struct aegis_ctx *ctx, const struct ag_image *im, const struct ag_limit *l, struct ag_str fields,
       enum agr_period period, struct agr_key *ret)
{
    return agr_key_make(ctx->host->state, kind_of(l), period, ag_image_str(im, l->name), ctx->tenant, fields,
                        ret);
}

// A quota or budget has up to two caps; the tighter answer counts.
static void
view_tighten(struct agr_view *all, const struct agr_view *one)
{
    all->admits = all->admits && one->admits;
    if (one->remaining < all->remaining)
        all->remaining = one->remaining;
    if (one->reset_after_ns > all->reset_after_ns)
        all->reset_after_ns = one->reset_after_ns;
    if (one->retry_after_ns > all->retry_after_ns)
        all->retry_after_ns = one->retry_after_ns;
}

// Place for one more charge, remembered so that it can be given back.
static struct agr_charge *
charge_slot(struct aegis_ctx *ctx, uint32_t effect)
{
    ctx->charge_of[ctx->ncharges] = (uint8_t)effect;
    struct agr_charge *c = &ctx->charge[ctx->ncharges++];
    c->at = 0;
    return c;
}

// A question to one limit: would n more be admitted, or (effect set) are they, and then charged.
struct question {
    const struct ag_image *im;
    const struct ag_limit *limit;
    struct ag_str fields; // key values
    uint64_t n;
    uint32_t effect; // planned effect that is charged now, AG_NONE: only asked
};

// One decision of a period says that the budget is used up to the level that its policy names.
static void
warn(struct aegis_ctx *ctx, const struct question *q)
{
    struct ag_outcome *o = &ctx->outcome;
    if (o->nfindings < AG_FINDINGS_MAX)
        o->finding[o->nfindings++] = (struct ag_finding){.code = AG_STR("budget_warning"),
                                                         .severity = AG_STR("warning"),
                                                         .stage = AG_STR("limits"),
                                                         .message = ag_image_str(q->im, q->limit->name)};
}

static enum aegis_status
ask_budget(struct aegis_ctx *ctx, const struct question *q, const struct agr_key *key, enum agr_period period,
           struct agr_view *ret)
{
    struct agr_state *st = ctx->host->state;
    struct agr_budget b = budget_of(q->limit, period);
    bool warns = false;
    if (q->effect == AG_NONE)
        return agr_budget_peek(st, key, &b, q->n, &ctx->now, ret);
    enum aegis_status s =
        agr_budget_take(st, key, &b, q->n, &ctx->now, ret, charge_slot(ctx, q->effect), &warns);
    if (warns)
        warn(ctx, q);
    return s;
}

// Asks the word of one calendar period, or of the only one.
static enum aegis_status
ask_period(struct aegis_ctx *ctx, const struct question *q, enum agr_period period, struct agr_view *ret)
{
    struct agr_state *st = ctx->host->state;
    const struct ag_limit *l = q->limit;
    bool is_taken = q->effect != AG_NONE;
    struct agr_key key;
    enum aegis_status s = key_of(ctx, q->im, l, q->fields, period, &key);
    if (s != AEGIS_OK)
        return s;
    if (l->kind == AG_LIMIT_QUOTA)
        return is_taken ? agr_quota_take(st, &key, l->cap[period], q->n, l->count_denied, &ctx->now, ret,
                                         charge_slot(ctx, q->effect))
                        : agr_quota_peek(st, &key, l->cap[period], q->n, &ctx->now, ret);
    if (l->kind == AG_LIMIT_BUDGET)
        return ask_budget(ctx, q, &key, period, ret);
    if (l->kind == AG_LIMIT_WINDOW) {
        struct agr_ring ring = ring_of(l);
        return is_taken ? agr_ring_take(st, &key, &ring, &ctx->now, ret, charge_slot(ctx, q->effect))
                        : agr_ring_peek(st, &key, &ring, (uint32_t)q->n, &ctx->now, ret);
    }
    struct agr_rate rate = rate_of(l);
    return is_taken ? agr_gcra_take(st, &key, &rate, q->n, &ctx->now, ret, charge_slot(ctx, q->effect))
                    : agr_gcra_peek(st, &key, &rate, q->n, &ctx->now, ret);
}

static enum aegis_status
ask(struct aegis_ctx *ctx, const struct question *q, struct agr_view *ret)
{
    if (q->limit->kind != AG_LIMIT_QUOTA && q->limit->kind != AG_LIMIT_BUDGET)
        return ask_period(ctx, q, AGR_NO_PERIOD, ret);
    *ret = (struct agr_view){.admits = true, .remaining = UINT64_MAX};
    for (enum agr_period p = AGR_DAY; p <= AGR_MONTH; p++) {
        struct agr_view one;
        if (!q->limit->cap[p])
            continue;
        enum aegis_status s = ask_period(ctx, q, p, &one);
        if (s != AEGIS_OK)
            return s;
        view_tighten(ret, &one);
    }
    return AEGIS_OK;
}

bool
agr_limit_peek(void *self, const struct ag_image *im, uint32_t limit_ix, struct ag_str key, uint64_t n,
               struct ag_limit_view *ret)
{
    struct aegis_ctx *ctx = self;
    struct question q = {im, &im->limits[limit_ix], key, n, AG_NONE};
    struct agr_view v;
    if (ask(ctx, &q, &v) != AEGIS_OK)
        return false;
    *ret = view_of(ctx, &v);
    return true;
}

// Reads the kill words for this action.
int
agr_killed(void *self, struct ag_str tenant, struct ag_str agent, struct ag_str type, int *ret_scope)
{
    struct aegis_ctx *ctx = self;
    ctx->kill_hit.is_engaged = false;
    if (agr_kill_check(ctx->host->kill, tenant, agent, type, &ctx->kill_hit) != AEGIS_OK)
        return -1;
    if (ctx->kill_hit.is_engaged) {
        *ret_scope = (int)ctx->kill_hit.scope;
        return 1;
    }
    return 0;
}

int
agr_killed_tenant(void *self, struct ag_str tenant)
{
    struct aegis_ctx *ctx = self;
    struct agr_kill_hit hit = {.is_engaged = false};
    if (agr_kill_check(ctx->host->kill, tenant, AG_STR(""), AG_STR(""), &hit) != AEGIS_OK)
        return -1;
    return hit.is_engaged;
}

// Charges one planned effect.
static enum aegis_status
take(struct aegis_ctx *ctx, const struct ag_image *im, uint32_t i, struct agr_view *ret)
{
    const struct ag_effect *e = &ctx->outcome.effect[i];
    struct question q = {im, &im->limits[e->limit_ix], e->key, e->n, i};
    return ask(ctx, &q, ret);
}

// The charges of one reservation: all budgets that are charged the amount of the first one.
static enum aegis_status
reserve(struct aegis_ctx *ctx)
{
    struct agr_charge part[AGR_RESERVATION_PARTS];
    uint32_t n = 0;
    uint64_t amount = 0;
    for (uint32_t i = 0; i < ctx->ncharges && n < AGR_RESERVATION_PARTS; i++) {
        const struct agr_charge *c = &ctx->charge[i];
        if (c->kind != AGR_BUDGET || !c->at || (n && c->n != amount))
            continue;
        amount = c->n;
        ctx->reserved |= UINT64_C(1) << i;
        part[n++] = *c;
    }
    return n ? agr_reservation_open(ctx->host->state, part, n, &ctx->now, &ctx->reservation) : AEGIS_OK;
}

// Settling at nothing gives the parts back and frees the record.
static void
drop_reservation(struct aegis_ctx *ctx, const struct agr_time *now)
{
    if (!ctx->reservation)
        return;
    agr_reservation_settle(ctx->host->state, ctx->reservation, 0, now);
    ctx->reservation = 0;
    for (uint32_t i = 0; i < ctx->ncharges; i++)
        if (ctx->reserved >> i & 1) {
            ctx->charge[i].at = 0;
            ctx->effect_state[ctx->charge_of[i]] = AGR_EFFECT_RETURNED;
        }
}

// Gives charges back, those of limits with count_denied only when the answer could not be given at all.
static void
give_back(struct aegis_ctx *ctx, const struct ag_image *im, bool is_everything)
{
    struct agr_time now;
    if (!ctx->ncharges)
        return;
    agr_clock_now(ctx->host->clock, &now);
    drop_reservation(ctx, &now);
    for (uint32_t i = ctx->ncharges; i-- > 0;) {
        uint32_t effect = ctx->charge_of[i];
        const struct ag_limit *l = &im->limits[ctx->outcome.effect[effect].limit_ix];
        if (!ctx->charge[i].at || (l->count_denied && !is_everything))
            continue;
        agr_charge_undo(ctx->host->state, &ctx->charge[i], &now);
        ctx->charge[i].at = 0;
        if (ctx->effect_state[effect] == AGR_EFFECT_CHARGED)
            ctx->effect_state[effect] = AGR_EFFECT_RETURNED;
    }
}

static bool
proceeds(const struct aegis_ctx *ctx)
{
    return ctx->outcome.decision <= AG_MONITOR;
}

// A limit refused: the outcome becomes what the limit says, unless something more severe already spoke.
static void
refuse(struct aegis_ctx *ctx, const struct ag_image *im, const struct ag_limit *l)
{
    struct ag_outcome *o = &ctx->outcome;
    if (l->on_exceed <= o->decision)
        return;
    o->decision = (enum ag_severity)l->on_exceed;
    o->by = AG_BY_LIMIT;
    o->rule_ix = AG_NONE;
    o->rule = o->reason = ag_image_str(im, l->name);
    o->approval = l->on_exceed == AG_DENY ? AG_APPROVAL_BLOCK : AG_APPROVAL_APPROVE;
}

static enum aegis_status
charge(struct aegis_ctx *ctx, const struct ag_image *im)
{
    struct ag_outcome *o = &ctx->outcome;
    for (uint32_t i = 0; i < o->neffects; i++) {
        struct agr_view v;
        if (o->effect[i].op == AG_EFFECT_NOTE) {
            ctx->effect_state[i] = AGR_EFFECT_NOTED;
            continue;
        }
        const struct ag_limit *l = &im->limits[o->effect[i].limit_ix];
        if (!proceeds(ctx) && !l->count_denied) {
            if (!o->effect[i].view.admits)
                ctx->effect_state[i] = AGR_EFFECT_REFUSED;
            continue;
        }
        enum aegis_status s = take(ctx, im, i, &v);
        if (s != AEGIS_OK)
            return s;
        o->effect[i].view = view_of(ctx, &v);
        ctx->effect_state[i] = v.admits ? AGR_EFFECT_CHARGED : AGR_EFFECT_REFUSED;
        if (!v.admits)
            refuse(ctx, im, l);
    }
    if (proceeds(ctx))
        return reserve(ctx);
    give_back(ctx, im, false);
    return AEGIS_OK;
}

// The second reading of the kill words, inside the span in which an engagement waits for us.
static enum aegis_status
check_kill(struct aegis_ctx *ctx, const struct ag_image *im)
{
    int scope = 0;
    if (!ctx->is_in_span)
        agr_kill_enter(ctx->host->state, ctx->worker);
    ctx->is_in_span = true;
    int killed = agr_killed(ctx, ctx->tenant, ctx->agent, ctx->type, &scope);
    if (killed == -1)
        return AEGIS_KILL_UNREADABLE;
    if (killed) {
        struct ag_outcome *o = &ctx->outcome;
        o->decision = AG_KILL;
        o->by = AG_BY_KILL;
        o->rule_ix = AG_NONE;
        o->kill_scope = (uint32_t)scope;
        o->rule = (struct ag_str){NULL, 0};
        o->reason = AG_STR("kill_switch");
        o->approval = AG_APPROVAL_BLOCK;
        give_back(ctx, im, false);
    }
    return AEGIS_OK;
}

static enum aegis_status
journal(struct aegis_ctx *ctx, const struct aegis_policy *p, const char *entry)
{
    struct ag_buf body;
    ag_buf_init(&body, ctx->body, sizeof ctx->body);
    if (!agr_record_body(ctx, p, entry, &body))
        return AEGIS_AUDIT;
    struct agr_record r = {.type = AGR_ROW_DECISION,
                           .flags = p->im.meta->audit_level == AG_DURABLE ? AGR_RECORD_DURABLE : 0,
                           .time_ns = ctx->now.wall_ns,
                           .body = ag_str_of(body.p, body.n),
                           .action = agr_record_action(ctx),
                           .payload = agr_record_payload(ctx, p)};
    uint64_t wseq = agr_journal_next_wseq(&ctx->journal);
    if (agr_journal_append(&ctx->journal, &r, &ctx->pos) != AGR_JOURNAL_OK)
        return AEGIS_AUDIT;
    agr_journal_id(&ctx->journal, wseq, ctx->id);
    memcpy(ctx->boot, ctx->id, sizeof ctx->boot); // an id begins with its boot
    return AEGIS_OK;
}

enum aegis_status
agr_commit(struct aegis_ctx *ctx, const struct aegis_policy *p, const char *entry)
{
    enum aegis_status s = charge(ctx, &p->im);
    // A simulated decision acts on nothing: what the evaluation read is what counts, and there is no row.
    if (s == AEGIS_OK && !ctx->host->is_simulated) {
        if (proceeds(ctx))
            s = check_kill(ctx, &p->im);
        if (s == AEGIS_OK)
            s = journal(ctx, p, entry);
    }
    if (s != AEGIS_OK)
        give_back(ctx, &p->im, true);
    if (!ctx->is_held)
        agr_ctx_leave(ctx);
    return s;
}
