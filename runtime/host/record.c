// SPDX-License-Identifier: Apache-2.0
// The decision in bytes: row body for the journal (docs/formats/audit.md), canonical action, kept input, and
// the record that an answer carries (docs/formats/json.md). In: context and outcome. Out: JSON text. Memory:
// the caller's buffers and the context's arena. Next file to read: journal.c.
#include "host.h"

#include "buf.h"

#define ROW_FIELD_MAX  256u // bytes of a name in a row; the action digest covers the whole
#define ROW_TARGET_MAX 512u

// At most `max` bytes, cut before a UTF-8 sequence that would not be whole.
static struct ag_str
clip(struct ag_str s, size_t max)
{
    if (s.n <= max)
        return s;
    while (max > 0 && ((uint8_t)s.p[max] & 0xc0) == 0x80)
        max--;
    return ag_str_of(s.p, max);
}

static void
member(struct ag_buf *b, const char *key, struct ag_str value, size_t max)
{
    if (value.n == 0)
        return;
    ag_buf_lit(b, ",\"");
    ag_buf_str(b, ag_str_z(key));
    ag_buf_lit(b, "\":");
    ag_buf_json_str(b, clip(value, max));
}

static const char *
effect_text(uint8_t s)
{
    static const char *const text[] = {"planned", "charged", "refused", "returned", "noted"};
    return text[s];
}

static const char *
kind_text(uint8_t kind)
{
    static const char *const text[] = {"rate", "window", "quota", "budget"};
    return text[kind];
}

static void
write_effects(const struct aegis_ctx *ctx, const struct ag_image *im, struct ag_buf *b)
{
    const struct ag_outcome *o = &ctx->outcome;
    if (!o->neffects)
        return;
    ag_buf_lit(b, ",\"effects\":[");
    for (uint32_t i = 0; i < o->neffects; i++) {
        if (i)
            ag_buf_char(b, ',');
        if (o->effect[i].op == AG_EFFECT_NOTE) {
            ag_buf_lit(b, "{\"type\":\"note\",\"text\":");
            ag_buf_json_str(b, clip(o->effect[i].key, ROW_FIELD_MAX));
            ag_buf_lit(b, ",\"outcome\":\"noted\"}");
            continue;
        }
        const struct ag_limit *l = &im->limits[o->effect[i].limit_ix];
        ag_buf_lit(b, "{\"type\":\"");
        ag_buf_str(b, ag_str_z(kind_text(l->kind)));
        ag_buf_lit(b, "\",\"name\":");
        ag_buf_json_str(b, clip(ag_image_str(im, l->name), ROW_FIELD_MAX));
        ag_buf_lit(b, ",\"outcome\":\"");
        ag_buf_str(b, ag_str_z(effect_text(ctx->effect_state[i])));
        ag_buf_lit(b, "\"}");
    }
    ag_buf_char(b, ']');
}

static void
write_findings(const struct ag_outcome *o, struct ag_buf *b)
{
    if (!o->nfindings)
        return;
    ag_buf_lit(b, ",\"findings\":[");
    for (uint32_t i = 0; i < o->nfindings; i++) {
        const struct ag_finding *f = &o->finding[i];
        if (i)
            ag_buf_char(b, ',');
        ag_buf_lit(b, "{\"code\":");
        ag_buf_json_str(b, clip(f->code, ROW_FIELD_MAX));
        member(b, "severity", f->severity, ROW_FIELD_MAX);
        member(b, "stage", f->stage, ROW_FIELD_MAX);
        ag_buf_char(b, '}');
    }
    ag_buf_char(b, ']');
}

static void
stage(struct ag_buf *b, struct ag_str number_and_name, struct ag_str outcome)
{
    ag_buf_lit(b, "{\"n\":");
    ag_buf_str(b, number_and_name);
    ag_buf_lit(b, "\",\"outcome\":\"");
    ag_buf_str(b, outcome);
    ag_buf_lit(b, "\"}");
}

// The stages (D1) that this decision passed, in order; the one that decided says the word.
static void
write_stages(const struct aegis_ctx *ctx, struct ag_buf *b)
{
    const struct ag_outcome *o = &ctx->outcome;
    const struct ag_str pass = AG_STR("pass"), word = ag_severity_text(o->decision);
    bool is_killed = o->by == AG_BY_KILL, is_limited = o->by == AG_BY_LIMIT, is_gated = o->by == AG_BY_GATE;
    ag_buf_lit(b, ",\"stages\":[");
    stage(b, AG_STR("0,\"name\":\"kill_switch"), is_killed ? word : pass);
    if (o->neffects) {
        ag_buf_char(b, ',');
        stage(b, AG_STR("2,\"name\":\"limits"), is_limited ? word : pass);
    }
    if (!is_killed && !is_limited) {
        ag_buf_char(b, ',');
        stage(b, AG_STR("4,\"name\":\"policy"), is_gated ? pass : word);
    }
    if (o->gates_run) {
        ag_buf_char(b, ',');
        stage(b, AG_STR("6,\"name\":\"gates"), is_gated ? word : pass);
    }
    ag_buf_char(b, ']');
}

static void
write_governance(const struct aegis_ctx *ctx, struct ag_buf *b)
{
    const struct ag_outcome *o = &ctx->outcome;
    if (o->status != AG_GOV_NONE) {
        member(b, "status", ag_str_z(ag_gov_status_name(o->status)), ROW_FIELD_MAX);
        if (ctx->would_be != AG_GOV_NONE)
            member(b, "would_be", ag_str_z(ag_gov_status_name(ctx->would_be)), ROW_FIELD_MAX);
    }
    if (!o->gates_run)
        return;
    ag_buf_lit(b, ",\"gates\":{");
    bool is_first = true;
    for (uint32_t g = 0; g < AG_GATES; g++) {
        if (!(o->gates_run & (1u << g)))
            continue;
        if (!is_first)
            ag_buf_char(b, ',');
        is_first = false;
        ag_buf_json_str(b, ag_str_z(ag_gate_name(g)));
        ag_buf_char(b, ':');
        ag_buf_json_str(b, ag_str_z(ag_gate_state_name(o->gate[g].state)));
    }
    ag_buf_char(b, '}');
}

bool
agr_record_body(struct aegis_ctx *ctx, const struct aegis_policy *p, const char *entry, struct ag_buf *b)
{
    const struct ag_outcome *o = &ctx->outcome;
    ag_buf_lit(b, "{\"policy\":{\"name\":\"");
    ag_buf_str(b, ag_str_z(ctx->host->policy_name));
    ag_buf_lit(b, "\",\"digest\":\"");
    ag_buf_put(b, p->digest, sizeof p->digest);
    ag_buf_lit(b, "\"},\"entrypoint\":\"");
    ag_buf_str(b, ag_str_z(entry));
    ag_buf_char(b, '"');
    member(b, "tenant", ctx->tenant, ROW_FIELD_MAX);
    member(b, "agent", ctx->agent, ROW_FIELD_MAX);
    member(b, "session_id", ctx->session, ROW_FIELD_MAX);
    ag_buf_lit(b, ",\"action\":{\"type\":");
    ag_buf_json_str(b, clip(ctx->type, ROW_FIELD_MAX));
    member(b, "target", ctx->target, ROW_TARGET_MAX);
    ag_buf_lit(b, "},\"seed\":\"");
    ag_buf_hex(b, ctx->call.seed, sizeof ctx->call.seed);
    ag_buf_lit(b, "\",\"decision\":\"");
    ag_buf_str(b, ag_severity_text(o->decision));
    ag_buf_char(b, '"');
    member(b, "rule", o->rule, ROW_FIELD_MAX);
    member(b, "reason", o->reason, ROW_FIELD_MAX);
    member(b, "risk_level", ag_risk_text(o->risk), ROW_FIELD_MAX);
    member(b, "approval", ag_approval_text(o->approval), ROW_FIELD_MAX);
    write_governance(ctx, b);
    write_findings(o, b);
    write_effects(ctx, &p->im, b);
    write_stages(ctx, b);
    ag_buf_lit(b, ",\"cost\":{\"fuel\":");
    ag_buf_u64(b, p->im.meta->fuel - ctx->call.fuel);
    ag_buf_lit(b, "},\"approvals\":[]}");
    return !b->is_full;
}

// Room for a copy of text whose escapes and framing may be longer than the request was.
static bool
arena_buf(struct aegis_ctx *ctx, struct ag_buf *b)
{
    size_t left = ctx->arena.size - ctx->arena.used;
    size_t want = left < AGR_ACTION_MAX ? left : AGR_ACTION_MAX;
    ag_buf_init(b, ctx->arena.base + ctx->arena.used, want);
    return want > 0;
}

static struct ag_str
arena_keep(struct aegis_ctx *ctx, const struct ag_buf *b)
{
    if (b->is_full)
        return (struct ag_str){NULL, 0};
    ctx->arena.used += b->n;
    return ag_str_of(b->p, b->n);
}

struct ag_str
agr_record_action(struct aegis_ctx *ctx)
{
    static const char *const keys[] = {"agent", "params", "target", "tenant", "type"};
    struct ag_buf b;
    if (!arena_buf(ctx, &b))
        return (struct ag_str){NULL, 0};
    ag_buf_char(&b, '{');
    bool is_first = true;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct ag_value v = ag_object_get(&ctx->call.mem, ctx->input, ag_str_z(keys[i]));
        if (v.kind == AG_UNDEF)
            continue;
        if (!is_first)
            ag_buf_char(&b, ',');
        is_first = false;
        ag_buf_json_str(&b, ag_str_z(keys[i]));
        ag_buf_char(&b, ':');
        if (!ag_json_write_canonical(&ctx->call.mem, v, &b))
            return (struct ag_str){NULL, 0};
    }
    ag_buf_char(&b, '}');
    return arena_keep(ctx, &b);
}

// The input paths that the policy reads: the image's PATHS.
struct paths {
    const struct ag_image *im;
    const struct ag_mem *mem;
};

static inline const struct ag_array_rec *
path_of(const struct paths *s, uint32_t i)
{
    return (const void *)(s->im->heap +
                          (s->im->consts[s->im->paths[i]] >> 32)); // a verified array of strings
}

// Does path p go through the keys of way[0..depth]? The last one first: it settles most of them.
static inline bool
is_on_way(const struct paths *s, const struct ag_array_rec *p, const struct ag_str *way, uint32_t depth)
{
    if (p->n <= depth)
        return false;
    for (uint32_t d = depth + 1; d-- > 0;) {
        struct ag_str key = ag_cell_str(s->mem, p->element[d]);
        if (key.n != way[d].n || !ag_bytes_eq(key.p, way[d].p, key.n))
            return false;
    }
    return true;
}

// Writes of object v the members that some path reads.
static bool
write_read(const struct paths *s, struct ag_value v, struct ag_str *way, uint32_t depth, struct ag_buf *b)
{
    bool is_first = true;
    ag_buf_char(b, '{');
    for (uint32_t k = 0; k < v.len; k++) {
        struct ag_value key = ag_object_key(s->mem, v, k);
        bool is_read = false, is_whole = false;
        way[depth] = ag_value_str(key);
        for (uint32_t i = 0; i < s->im->npaths && !is_whole; i++) {
            const struct ag_array_rec *p = path_of(s, i);
            if (!is_on_way(s, p, way, depth))
                continue;
            is_read = true;
            is_whole = p->n == depth + 1;
        }
        if (!is_read)
            continue;
        struct ag_value member_value = ag_value_at(s->mem, v, k);
        if (!is_first)
            ag_buf_char(b, ',');
        is_first = false;
        ag_buf_json_str(b, way[depth]);
        ag_buf_char(b, ':');
        bool ok = is_whole || member_value.kind != AG_OBJECT || depth + 1 >= AG_DEPTH_MAX
                      ? ag_json_write(s->mem, member_value, b, 0)
                      : write_read(s, member_value, way, depth + 1, b);
        if (!ok)
            return false;
    }
    ag_buf_char(b, '}');
    return !b->is_full;
}

struct ag_str
agr_record_payload(struct aegis_ctx *ctx, const struct aegis_policy *p)
{
    struct ag_buf b;
    enum ag_audit_input level = (enum ag_audit_input)p->im.meta->audit_input;
    if (level == AG_INPUT_DIGEST)
        return (struct ag_str){NULL, 0};
    if (level == AG_INPUT_FULL && ctx->request.n)
        return ctx->request;
    struct paths s = {.im = &p->im, .mem = &ctx->call.mem};
    struct ag_str way[AG_DEPTH_MAX + 1];
    if (!arena_buf(ctx, &b))
        return (struct ag_str){NULL, 0};
    bool ok = level == AG_INPUT_FULL ? ag_json_write(&ctx->call.mem, ctx->input, &b, 0)
                                     : write_read(&s, ctx->input, way, 0, &b);
    return ok ? arena_keep(ctx, &b) : (struct ag_str){NULL, 0};
}

// --- the record of an answer

static struct ag_str
str_in(struct aegis_str s)
{
    return ag_str_of(s.p, s.n);
}

// Six decimals, for display only (A14), without the locale that printf would ask.
static void
write_double(struct ag_buf *b, double v)
{
    const double most = 9e12; // micro-units that fit an int64
    if (v > most || v < -most)
        v = v > 0 ? most : -most;
    int64_t micro = (int64_t)(v * 1e6 + (v < 0 ? -0.5 : 0.5));
    uint64_t u = micro < 0 ? (uint64_t)-micro : (uint64_t)micro;
    char frac[6];
    size_t n = sizeof frac;
    uint64_t f = u % 1000000;
    for (size_t i = n; i-- > 0; f /= 10)
        frac[i] = (char)('0' + f % 10);
    while (n > 0 && frac[n - 1] == '0')
        n--;
    if (micro < 0)
        ag_buf_char(b, '-');
    ag_buf_u64(b, u / 1000000);
    if (n) {
        ag_buf_char(b, '.');
        ag_buf_put(b, frac, n);
    }
}

static void
write_limits_json(const struct aegis_decision *d, struct ag_buf *b)
{
    if (!d->n_limits)
        return;
    ag_buf_lit(b, ",\"limits\":[");
    for (uint32_t i = 0; i < d->n_limits; i++) {
        const struct aegis_limit *l = &d->limits[i];
        if (i)
            ag_buf_char(b, ',');
        ag_buf_lit(b, "{\"name\":");
        ag_buf_json_str(b, str_in(l->name));
        ag_buf_lit(b, ",\"allowed\":");
        ag_buf_str(b, l->allowed ? AG_STR("true") : AG_STR("false"));
        ag_buf_lit(b, ",\"remaining\":");
        ag_buf_u64(b, l->remaining);
        ag_buf_lit(b, ",\"reset_at\":\"");
        ag_buf_time(b, l->reset_at_ns, 3);
        ag_buf_lit(b, "\"}");
    }
    ag_buf_char(b, ']');
}

static void
write_gates_json(const struct aegis_decision *d, struct ag_buf *b)
{
    if (!d->n_gates)
        return;
    ag_buf_lit(b, ",\"gates\":{");
    for (uint32_t i = 0; i < d->n_gates; i++) {
        const struct aegis_gate *g = &d->gates[i];
        if (i)
            ag_buf_char(b, ',');
        ag_buf_json_str(b, str_in(g->name));
        ag_buf_lit(b, ":{\"passed\":");
        ag_buf_str(b, ag_str_is(str_in(g->state), "fail") ? AG_STR("false") : AG_STR("true"));
        member(b, "state", str_in(g->state), SIZE_MAX);
        ag_buf_lit(b, ",\"value\":");
        write_double(b, g->value);
        ag_buf_lit(b, ",\"threshold\":");
        write_double(b, g->threshold);
        ag_buf_char(b, '}');
    }
    ag_buf_char(b, '}');
}

static void
write_findings_json(const struct aegis_decision *d, struct ag_buf *b)
{
    if (!d->n_findings)
        return;
    ag_buf_lit(b, ",\"findings\":[");
    for (uint32_t i = 0; i < d->n_findings; i++) {
        const struct aegis_finding *f = &d->findings[i];
        if (i)
            ag_buf_char(b, ',');
        ag_buf_lit(b, "{\"code\":");
        ag_buf_json_str(b, str_in(f->code));
        member(b, "severity", str_in(f->severity), SIZE_MAX);
        member(b, "stage", str_in(f->stage), SIZE_MAX);
        member(b, "message", str_in(f->message), SIZE_MAX);
        ag_buf_char(b, '}');
    }
    ag_buf_char(b, ']');
}

static void
write_audit_json(const struct aegis_ctx *ctx, const struct aegis_decision *d, struct ag_buf *b)
{
    static const char *const levels[] = {"journaled", "durable", "witnessed"};
    if (!d->id.n)
        return;
    ag_buf_lit(b, ",\"audit\":{\"boot\":");
    ag_buf_json_str(b, str_in(d->boot));
    ag_buf_lit(b, ",\"worker\":");
    ag_buf_u64(b, d->worker);
    ag_buf_lit(b, ",\"journal\":");
    ag_buf_u64(b, d->journal);
    ag_buf_lit(b, ",\"wseq\":");
    ag_buf_u64(b, d->wseq);
    ag_buf_lit(b, ",\"level\":\"");
    ag_buf_str(b, ag_str_z(levels[ctx->call.im->meta->audit_level]));
    ag_buf_char(b, '"');
    if (ctx->call.im->meta->audit_level != AG_JOURNALED)
        ag_buf_lit(b, ",\"gseq\":" AEGIS_GSEQ_BLANK);
    ag_buf_char(b, '}');
}

size_t
agr_record_json(const struct aegis_ctx *ctx, const struct aegis_decision *d, char *out, size_t size)
{
    struct ag_buf buf, *b = &buf;
    ag_buf_init(b, out, size);
    ag_buf_lit(b, "{\"decision\":");
    ag_buf_json_str(b, str_in(d->decision));
    ag_buf_lit(b, ",\"is_allowed\":");
    ag_buf_str(b, d->is_allowed ? AG_STR("true") : AG_STR("false"));
    member(b, "decision_id", str_in(d->id), SIZE_MAX);
    ag_buf_lit(b, ",\"policy\":{\"name\":");
    ag_buf_json_str(b, str_in(d->policy_name));
    member(b, "digest", str_in(d->policy_digest), SIZE_MAX);
    ag_buf_char(b, '}');
    member(b, "rule", str_in(d->rule), SIZE_MAX);
    member(b, "reason", str_in(d->reason), SIZE_MAX);
    member(b, "message", str_in(d->message), SIZE_MAX);
    member(b, "risk_level", str_in(d->risk_level), SIZE_MAX);
    member(b, "approval", str_in(d->approval), SIZE_MAX);
    member(b, "status", str_in(d->gov_status), SIZE_MAX);
    if (d->would_be.n)
        ag_buf_lit(b, ",\"shadow\":true");
    member(b, "would_be", str_in(d->would_be), SIZE_MAX);
    if (d->gov_status.n) {
        ag_buf_lit(b, ",\"confidence\":");
        write_double(b, d->confidence);
        ag_buf_lit(b, ",\"drift\":{\"kl\":");
        write_double(b, d->drift_kl);
        member(b, "status", str_in(d->drift_status), SIZE_MAX);
        ag_buf_char(b, '}');
    }
    write_findings_json(d, b);
    write_gates_json(d, b);
    write_limits_json(d, b);
    if (d->reservation) { // a string: the number has more bits than readers of JSON keep
        ag_buf_lit(b, ",\"reservation\":\"");
        ag_buf_u64(b, d->reservation);
        ag_buf_char(b, '"');
    }
    if (d->status == AEGIS_OK)
        write_stages(ctx, b);
    if (d->retry_after_ns > 0) {
        ag_buf_lit(b, ",\"retry_after\":");
        ag_buf_u64(b, (uint64_t)(d->retry_after_ns + 999999999) / 1000000000u);
    }
    write_audit_json(ctx, d, b);
    ag_buf_char(b, '}');
    return b->is_full ? SIZE_MAX : b->n;
}
