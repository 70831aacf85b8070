// SPDX-License-Identifier: Apache-2.0
// The data plane: one function per endpoint, from request to answer. Decisions are made by libaegis through
// aegis.h alone. In: struct agr_request. Out: the connection's answer. Contracts: docs/formats/http.md
// (ours), features B15, A15, A16. Next file to read: runtime/host/decide.c.
#include "data.h"

#include "hash.h"
#include "json.h"
#include "reply.h"

#include <stdlib.h>
#include <time.h>

#define RECORD_SIZE 16384u

static struct agr_worker_process *
worker_of(struct agr_conn *c)
{
    return c->loop->user;
}

static int64_t
clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct ag_str
str_in(struct aegis_str s)
{
    return ag_str_of(s.p, s.n);
}

// --- deciding

static void
count_outcome(const struct agr_worker_process *w, const struct aegis_decision *d)
{
    agr_count(w, (enum agr_counter)(AGR_C_OUTCOME_ALLOW + d->outcome));
    if (d->outcome == AEGIS_UNAVAILABLE) {
        agr_count(w, d->status == AEGIS_AUDIT ? AGR_C_ERRORS_AUDIT
                     : d->status == AEGIS_STATE || d->status == AEGIS_STATE_UNAVAILABLE
                         ? AGR_C_ERRORS_STATE
                         : AGR_C_ERRORS_EVALUATE);
        return;
    }
    unsigned gate = 0; // first gate that failed, from 1
    enum agr_counter status = d->outcome <= AEGIS_MONITOR    ? AGR_C_DECISIONS_PROCEED
                              : d->outcome == AEGIS_THROTTLE ? AGR_C_DECISIONS_PAUSE
                              : d->outcome == AEGIS_ESCALATE
                                  ? (d->gov_status.n && d->gov_status.p[0] == 'p' ? AGR_C_DECISIONS_PAUSE
                                                                                  : AGR_C_DECISIONS_ESCALATE)
                                  : AGR_C_DECISIONS_HALT;
    for (uint32_t i = 0; i < d->n_gates && i < 6; i++) {
        unsigned row = (unsigned)(AGR_C_GATE_RISK_PASS + 3 * i);
        char state = d->gates[i].state.p[0];
        agr_count(w, (enum agr_counter)(row + (state == 'p' ? 0 : state == 'f' ? 1 : 2)));
        if (state == 'f' && !gate)
            gate = i + 1;
    }
    agr_count(w, (enum agr_counter)(status + gate));
    if (!d->gov_status.n)
        return;
    agr_count(w, AGR_C_PROPOSALS_DECIDED);
    if (d->drift_status.n && d->drift_status.p[0] != 's') {
        agr_gauge_set(w->state, w->line, AGR_C_KL_MICRO,
                      d->drift_kl < 1e9 ? (uint64_t)(d->drift_kl * 1e6 + 0.5) : 1000000000000000u);
        agr_gauge_set(w->state, w->line, AGR_C_KL_STATUS,
                      d->drift_status.p[0] == 'n'   ? 0
                      : d->drift_status.p[0] == 'w' ? 1
                                                    : 2);
    }
}

enum aegis_status
agr_data_decide(struct agr_conn *c, const char *entry, struct ag_str json, struct aegis_decision *d,
                struct aegis_error *e)
{
    struct agr_worker_process *w = worker_of(c);
    memset(d, 0, sizeof *d);
    d->size = sizeof *d;
    e->size = sizeof *e;
    int64_t begin = clock_now();
    enum aegis_status s = aegis_ctx_decide_json(w->ctx, w->slot, entry, json.p, json.n, d, e);
    int64_t took = clock_now() - begin;
    agr_count_latency(w, AGR_C_LATENCY_DECISION, took);
    if (s != AEGIS_OK) {
        agr_count(w, AGR_C_ERRORS_INPUT);
        return s;
    }
    agr_count_latency(w, AGR_C_LATENCY_DECIDE, took);
    count_outcome(w, d);
    if (d->is_allowed)
        c->has_allow = true;
    return s;
}

void
agr_data_refused_row(struct agr_conn *c, int status, const char *reason)
{
    static int64_t second;
    static uint64_t rows, left_out;
    struct agr_worker_process *w = worker_of(c);
    char mem[256];
    struct ag_buf b;
    if (second != c->loop->now_ns / 1000000000) {
        second = c->loop->now_ns / 1000000000;
        rows = 0;
    }
    if (rows >= AGR_REFUSED_MAX) {
        left_out++;
        return;
    }
    rows++;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"status\":");
    ag_buf_u64(&b, (uint64_t)status);
    ag_buf_lit(&b, ",\"reason\":");
    ag_buf_json_str(&b, ag_str_z(reason));
    ag_buf_lit(&b, ",\"not_recorded_before\":");
    ag_buf_u64(&b, left_out);
    ag_buf_char(&b, '}');
    if (aegis_ctx_row(w->ctx, "refused", b.p, b.n) == AEGIS_OK)
        left_out = 0;
    else
        left_out++;
}

void
agr_data_unauthorized(struct agr_conn *c, const struct agr_request *r)
{
    (void)r;
    agr_count(worker_of(c), AGR_C_REFUSED);
    agr_count(worker_of(c), AGR_C_ERRORS_AUTH);
    agr_data_refused_row(c, 401, "unauthorized");
    agr_reply_begin(c, 401, AGR_JSON);
    agr_reply_header(c, "WWW-Authenticate", AG_STR("Bearer"));
    agr_reply_body(c, AG_STR("{\"error\":{\"code\":\"unauthorized\",\"message\":\"no valid API key: send "
                             "Authorization: Bearer "
                             "KEY or X-Api-Key: KEY\"}}"));
}

// No decision was made: the status that says why.
void
agr_data_refuse(struct agr_conn *c, enum aegis_status s, const struct aegis_error *e)
{
    struct agr_worker_process *w = worker_of(c);
    agr_count(w, AGR_C_REFUSED);
    switch (s) {
    case AEGIS_MALFORMED:
        // Text that is no JSON is the client's framing mistake; JSON of the wrong shape is understood and
        // refused.
        if (e->offset || strncmp(e->text, "field", 5) != 0)
            agr_reply_error(c, 400, "malformed", e->text);
        else
            agr_reply_error(c, 422, "malformed", e->text);
        return;
    case AEGIS_TOO_LARGE: agr_reply_error(c, 413, "too_large", e->text); return;
    case AEGIS_IDENTITY:
        agr_data_refused_row(c, 403, "identity_mismatch");
        agr_reply_error(c, 403, "identity_mismatch", e->text);
        return;
    case AEGIS_NO_ENTRY: agr_reply_error(c, 404, "no_entrypoint", e->text); return;
    default: agr_reply_error(c, 503, "unavailable", e->text); return;
    }
}

struct ag_str
agr_data_record(struct agr_worker_process *w, const struct aegis_decision *d)
{
    for (;;) {
        size_t n = w->record ? aegis_decision_json(w->ctx, d, w->record, w->record_size) : SIZE_MAX;
        if (n != SIZE_MAX)
            return ag_str_of(w->record, n);
        size_t size = w->record_size ? w->record_size * 2 : RECORD_SIZE;
        char *record = realloc(w->record, size);
        if (!record)
            return AG_STR("");
        w->record = record;
        w->record_size = size;
    }
}

// At level durable the answer waits for the sync of its row; the row's number is then written into the
// record.
void
agr_data_park(struct agr_conn *c, const struct aegis_decision *d, bool is_record_last)
{
    struct agr_worker_process *w = worker_of(c);
    if (d->audit_level == 0 || !d->id.n || !c->out_n)
        return;
    c->park_wseq = d->wseq;
    c->park_position = d->position;
    c->park_gseq_at = is_record_last ? c->out_n - 2 - (sizeof AEGIS_GSEQ_BLANK - 1) : 0;
    agr_data_park_identity(c, d);
    aegis_ctx_wake_sequencer(w->ctx);
    agr_conn_park(c);
}

static int
status_of(const struct aegis_decision *d)
{
    return d->status == AEGIS_DEADLINE ? 504 : d->outcome == AEGIS_UNAVAILABLE ? 503 : 200;
}

// --- POST /v1/decide

static struct ag_str
trim(struct ag_str s)
{
    while (s.n && strchr(" \t\r\n", s.p[0]) && s.p[0])
        s = ag_str_of(s.p + 1, s.n - 1);
    while (s.n && s.p[s.n - 1] && strchr(" \t\r\n", s.p[s.n - 1]))
        s.n--;
    return s;
}

static void
decide_batch(struct agr_conn *c, struct ag_str body)
{
    static struct ag_str item[AGR_BATCH_MAX];
    struct agr_worker_process *w = worker_of(c);
    struct aegis_decision d = {.size = sizeof d};
    struct aegis_error e;
    unsigned n = 0;
    const char *why = "a batch is a JSON array of 1 to 256 actions";
    size_t offset, next = 0;
    struct ag_str one;
    bool is_list = agr_json_read(body, &why, &offset) == AGR_JSON_ARRAY;
    while (is_list && n <= AGR_BATCH_MAX && agr_json_item(body, &next, &one)) {
        if (n < AGR_BATCH_MAX)
            item[n] = one;
        n++;
    }
    if (n == 0 || n > AGR_BATCH_MAX) {
        agr_count(w, AGR_C_REFUSED);
        agr_reply_error(c, 400, "malformed", why);
        return;
    }
    size_t size = 65536, at = 0;
    char *out = malloc(size);
    if (!out)
        return;
    out[at++] = '[';
    bool is_waiting = false;
    for (unsigned i = 0; i < n; i++) {
        char text[512];
        struct ag_str record;
        enum aegis_status s = agr_data_decide(c, "decide", item[i], &d, &e);
        if (s == AEGIS_OK) {
            record = agr_data_record(w, &d);
            is_waiting = is_waiting || (d.audit_level && d.id.n);
        } else {
            struct ag_buf b;
            ag_buf_init(&b, text, sizeof text);
            ag_buf_lit(&b, "{\"error\":{\"code\":");
            ag_buf_json_str(&b, ag_str_z(s == AEGIS_IDENTITY ? "identity_mismatch" : "malformed"));
            ag_buf_lit(&b, ",\"message\":");
            ag_buf_json_str(&b, ag_str_z(e.text));
            ag_buf_lit(&b, "}}");
            record = ag_str_of(b.p, b.n);
        }
        while (size - at < record.n + 2) {
            char *more = realloc(out, size *= 2);
            if (!more) {
                free(out);
                return;
            }
            out = more;
        }
        if (i)
            out[at++] = ',';
        memcpy(out + at, record.p, record.n);
        at += record.n;
    }
    out[at++] = ']';
    agr_reply_json(c, 200, ag_str_of(out, at));
    free(out);
    if (is_waiting) // the last row is synced only after all before it
        agr_data_park(c, &d, false);
}

void
agr_data_v1_decide(struct agr_conn *c, const struct agr_request *r)
{
    struct aegis_decision d;
    struct aegis_error e;
    struct ag_str body = trim(r->body);
    if (body.n && body.p[0] == '[') {
        decide_batch(c, body);
        return;
    }
    enum aegis_status s = agr_data_decide(c, "decide", r->body, &d, &e);
    if (s != AEGIS_OK) {
        agr_data_refuse(c, s, &e);
        return;
    }
    agr_reply_json(c, status_of(&d), agr_data_record(worker_of(c), &d));
    agr_data_park(c, &d, true);
}

// --- GET/POST /v1/check: the decision as a status, for nginx auth_request and Envoy ext_authz

static void
check_member(struct ag_buf *b, const char *key, struct ag_str value)
{
    if (!value.n)
        return;
    if (b->p[b->n - 1] != '{')
        ag_buf_char(b, ',');
    ag_buf_json_str(b, ag_str_z(key));
    ag_buf_char(b, ':');
    ag_buf_json_str(b, value);
}

static struct ag_str
either(struct ag_str a, struct ag_str b)
{
    return a.n ? a : b;
}

void
agr_data_v1_check(struct agr_conn *c, const struct agr_request *r)
{
    struct agr_worker_process *w = worker_of(c);
    struct aegis_decision d;
    struct aegis_error e;
    char json[16384];
    struct ag_buf b;
    ag_buf_init(&b, json, sizeof json);
    ag_buf_char(&b, '{');
    check_member(&b, "type",
                 either(agr_header_get(r, "x-aegis-type"), agr_header_get(r, "x-original-method")));
    check_member(&b, "target",
                 either(agr_header_get(r, "x-aegis-target"), agr_header_get(r, "x-original-uri")));
    check_member(&b, "agent", agr_header_get(r, "x-agent-id"));
    check_member(&b, "tenant", agr_header_get(r, "x-tenant-id"));
    ag_buf_char(&b, '}');
    enum aegis_status s = agr_data_decide(c, "decide", ag_str_of(b.p, b.n), &d, &e);
    if (s != AEGIS_OK) {
        agr_data_refuse(c, s, &e);
        return;
    }
    int status = d.outcome == AEGIS_UNAVAILABLE ? status_of(&d)
                 : d.is_allowed                 ? 200
                 : d.outcome == AEGIS_THROTTLE  ? (int)w->config->throttle_status
                                                : 403;
    agr_reply_begin(c, status, AGR_JSON);
    agr_reply_header(c, "X-Aegis-Decision", str_in(d.decision));
    agr_reply_header(c, "X-Aegis-Reason", str_in(d.reason));
    if (d.rule.n)
        agr_reply_header(c, "X-Aegis-Rule", str_in(d.rule));
    if (d.id.n)
        agr_reply_header(c, "X-Aegis-Decision-Id", str_in(d.id));
    if (d.outcome == AEGIS_THROTTLE && d.retry_after_ns > 0) { // a rule that throttles knows no time
        char seconds[24];
        struct ag_buf t;
        ag_buf_init(&t, seconds, sizeof seconds);
        ag_buf_u64(&t, (uint64_t)(d.retry_after_ns + 999999999) / 1000000000u);
        agr_reply_header(c, "Retry-After", ag_str_of(t.p, t.n));
    }
    agr_reply_body(c, agr_data_record(w, &d));
    agr_data_park(c, &d, true);
}

// --- health

void
agr_data_livez(struct agr_conn *c, const struct agr_request *r)
{
    (void)r;
    agr_reply_json(c, 200, AG_STR("{\"status\":\"ok\"}"));
}

void
agr_data_readyz(struct agr_conn *c, const struct agr_request *r)
{
    struct agr_worker_process *w = worker_of(c);
    (void)r;
    int audit = aegis_ctx_audit_ready(w->ctx);
    if (audit == 0)
        agr_reply_json(c, 503, AG_STR("{\"status\":\"unavailable\",\"reason\":\"audit_unavailable\"}"));
    else if (!agr_kill_is_ready(w->kill))
        agr_reply_json(c, 503, AG_STR("{\"status\":\"unavailable\",\"reason\":\"kill_state_unreadable\"}"));
    else if (agr_state_is_recovering(w->state))
        agr_reply_json(c, 503, AG_STR("{\"status\":\"unavailable\",\"reason\":\"state_recovering\"}"));
    else if (c->loop->is_draining)
        agr_reply_json(c, 503, AG_STR("{\"status\":\"unavailable\",\"reason\":\"draining\"}"));
    else if (audit == 2)
        agr_reply_json(c, 200, AG_STR("{\"status\":\"ok\",\"warning\":\"half of an audit limit is used\"}"));
    else
        agr_reply_json(c, 200, AG_STR("{\"status\":\"ok\"}"));
}

void
agr_data_health(struct agr_conn *c, const struct agr_request *r)
{
    struct agr_worker_process *w = worker_of(c);
    char json[1024];
    struct ag_buf b;
    (void)r;
    bool is_ok = aegis_ctx_audit_ready(w->ctx) != 0;
    ag_buf_init(&b, json, sizeof json);
    ag_buf_lit(&b, "{\"status\":");
    ag_buf_str(&b, is_ok ? AG_STR("\"ok\"") : AG_STR("\"degraded\""));
    ag_buf_lit(&b, ",\"version\":");
    ag_buf_json_str(&b, ag_str_z(aegis_version()));
    ag_buf_lit(&b, ",\"stage\":\"serving\",\"policy_digest\":\"");
    ag_buf_str(&b, ag_str_of(w->digest, sizeof w->digest));
    ag_buf_lit(&b, "\",\"identity\":");
    ag_buf_str(&b, c->on->identity == AGR_IDENTITY_KEY ? AG_STR("\"key\"") : AG_STR("\"request\""));
    ag_buf_lit(&b, ",\"checks\":{\"config\":{\"ok\":true},\"gates\":{\"ok\":true},\"audit\":{\"ok\":");
    ag_buf_str(&b, is_ok ? AG_STR("true") : AG_STR("false"));
    ag_buf_lit(&b, "}},\"healthy\":");
    ag_buf_str(&b, is_ok ? AG_STR("true") : AG_STR("false"));
    ag_buf_lit(&b, ",\"config_ok\":true,\"gates_ok\":true}");
    agr_reply_json(c, is_ok ? 200 : 503, ag_str_of(b.p, b.n));
}

// --- dispatch

// Names the request in the shared state while it is worked on. The same bytes that ended two workers are not
// tried again.
static void
serve(struct agr_conn *c, const struct agr_request *r, agr_handler *handle)
{
    struct agr_worker_process *w = worker_of(c);
    if (!r->body.n) {
        handle(c, r);
        return;
    }
    uint64_t digest = ag_hash(r->body.p, r->body.n, ag_hash(r->path.p, r->path.n, 0));
    if (agr_digest_is_refused(w->state, digest)) {
        agr_count(w, AGR_C_CRASH_REFUSED);
        agr_data_refused_row(c, 503, "crash_digest");
        agr_reply_error(c, 503, "crash_digest", "this request ended two workers and is not tried again");
        return;
    }
    agr_worker_begin(w->state, w->line, digest);
    handle(c, r);
    agr_worker_end(w->state, w->line);
}

static bool
is_at(struct ag_str path, const char *route)
{
    size_t n = strlen(route);
    if (n > 1 && route[n - 1] == '/' && path.n > n)
        return memcmp(path.p, route, n) == 0;
    return ag_str_is(path, route);
}

void
agr_data_handle(struct agr_conn *c, const struct agr_request *r)
{
    static const struct {
        unsigned methods;
        const char *path;
        agr_handler *handle;
    } routes[] = {
#define ROUTE(methods, path, handler) {methods, path, handler},
#include "data_routes.def"
    };
    struct agr_worker_process *w = worker_of(c);
    struct aegis_str tenant = {NULL, 0}, agent = {NULL, 0};
    unsigned known = 0; // methods of the path
    int64_t begin = clock_now();
    agr_count(w, AGR_C_REQUESTS);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!is_at(r->path, routes[i].path))
            continue;
        known |= routes[i].methods;
        if (!agr_method_fits(routes[i].methods, r->method))
            continue;
        if (routes[i].methods != AGR_BIT(AGR_GET) && c->on->identity == AGR_IDENTITY_KEY &&
            !agr_key_identify(w->keys, w->nkeys, r, &tenant, &agent)) {
            agr_data_unauthorized(c, r);
            return;
        }
        aegis_ctx_identity(w->ctx, tenant, agent);
        serve(c, r, routes[i].handle);
        agr_count_latency(w, AGR_C_LATENCY_REQUEST, clock_now() - begin);
        return;
    }
    agr_count(w, AGR_C_ERRORS_HTTP);
    if (known)
        agr_reply_not_allowed(c, known);
    else
        agr_reply_error(c, 404, "not_found", "there is nothing at this path");
}
