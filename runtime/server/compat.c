// SPDX-License-Identifier: Apache-2.0
// The endpoints of the systems we follow: agent-aegis /api/v1/evaluate and /execute (B15, B16, B22),
// governance /evaluate and /risk-check (A14 to A16). Each answers in the words and statuses of its own
// system; the row holds ours. In: struct agr_request. Out: the connection's answer. Memory: the answer is
// built in a buffer that is kept. Next file to read: data.c.
#include "data.h"

#include "aegis_tools.h"
#include "govern.h"
#include "json.h"
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>

#define ITEM_BYTES 8192u // one answer of agent-aegis: two names and a rule

static struct agr_worker_process *
worker_of(struct agr_conn *c)
{
    return c->loop->user;
}

static struct ag_str
str_in(struct aegis_str s)
{
    return ag_str_of(s.p, s.n);
}

// The buffer that answers of this file are built in; grows to the longest and stays.
static bool
room(struct ag_buf *b, size_t n)
{
    static char *mem;
    static size_t size;
    while (size - b->n < n || !mem) {
        size_t want = size ? size * 2 : 65536;
        char *more = realloc(mem, want);
        if (!more)
            return false;
        mem = more;
        size = want;
    }
    b->p = mem;
    b->size = size;
    return true;
}

static void
put_upper(struct ag_buf *b, struct ag_str s)
{
    for (size_t i = 0; i < s.n; i++)
        ag_buf_char(b, s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 32) : s.p[i]);
}

static void
put_member(struct ag_buf *b, const char *key, struct ag_str value)
{
    if (b->n && b->p[b->n - 1] != '{')
        ag_buf_char(b, ',');
    ag_buf_json_str(b, ag_str_z(key));
    ag_buf_char(b, ':');
    ag_buf_json_str(b, value);
}

// --- agent-aegis

// Its three words; ours are finer.
static const char *
approval_of(const struct aegis_decision *d)
{
    if (d->outcome == AEGIS_ALLOW || d->outcome == AEGIS_MONITOR)
        return "auto";
    return d->outcome == AEGIS_ESCALATE ? "approve" : "block";
}

static struct ag_str
matched_rule(const struct aegis_decision *d)
{
    if (d->rule.n)
        return str_in(d->rule);
    return ag_str_is(str_in(d->reason), "no_rule") ? AG_STR("<default>") : str_in(d->reason);
}

// "approve" counts as allowed there: the caller is expected to ask a person.
static void
put_evaluation(struct ag_buf *b, const struct aegis_decision *d)
{
    const char *approval = approval_of(d);
    ag_buf_char(b, '{');
    put_member(b, "action_type", str_in(d->type));
    put_member(b, "target", str_in(d->target));
    ag_buf_lit(b, ",\"risk_level\":\"");
    put_upper(b, str_in(d->risk_level));
    ag_buf_char(b, '"');
    put_member(b, "approval", ag_str_z(approval));
    ag_buf_lit(b, ",\"is_allowed\":");
    ag_buf_str(b, approval[0] == 'b' ? AG_STR("false") : AG_STR("true"));
    put_member(b, "matched_rule", matched_rule(d));
    put_member(b, "decision", str_in(d->decision));
    put_member(b, "reason", str_in(d->reason));
    if (d->id.n)
        put_member(b, "decision_id", str_in(d->id));
    ag_buf_char(b, '}');
}

// Nothing is executed here: the words say what the caller may do.
static void
put_execution(struct ag_buf *b, const struct aegis_decision *d)
{
    const char *approval = approval_of(d);
    ag_buf_char(b, '{');
    put_member(b, "action_type", str_in(d->type));
    put_member(b, "target", str_in(d->target));
    put_member(b, "status",
               ag_str_z(approval[1] == 'u'   ? "allowed"
                        : approval[0] == 'b' ? "blocked"
                                             : "pending_approval"));
    ag_buf_lit(b, ",\"data\":null,\"error\":");
    if (approval[0] == 'b')
        ag_buf_json_str(b, matched_rule(d));
    else
        ag_buf_lit(b, "null");
    ag_buf_char(b, '}');
}

typedef void put_fn(struct ag_buf *b, const struct aegis_decision *d);

static void
reply_b_error(struct agr_conn *c, int status, const char *error, const char *detail)
{
    char mem[1024];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_char(&b, '{');
    put_member(&b, "error", ag_str_z(error));
    if (detail)
        put_member(&b, "detail", ag_str_z(detail));
    ag_buf_char(&b, '}');
    agr_reply_json(c, status, b.is_full ? AG_STR("{\"error\":\"Bad request\"}") : ag_str_of(b.p, b.n));
}

// Decides one item and appends its answer. False: the request as a whole is answered already.
static bool
decide_item(struct agr_conn *c, struct ag_str item, put_fn *put, struct ag_buf *out, struct aegis_decision *d)
{
    struct aegis_error e;
    enum aegis_status s = agr_data_decide(c, "decide", item, d, &e);
    if (s == AEGIS_OK && d->outcome == AEGIS_UNAVAILABLE) {
        reply_b_error(c, 503, "Unavailable", aegis_status_text(d->status));
        return false;
    }
    if (s == AEGIS_MALFORMED) {
        agr_count(worker_of(c), AGR_C_REFUSED);
        reply_b_error(c, 400, "Bad request", e.text);
        return false;
    }
    if (s != AEGIS_OK) {
        agr_data_refuse(c, s, &e);
        return false;
    }
    if (!room(out, ITEM_BYTES + 6 * (d->type.n + d->target.n + d->reason.n + 2 * d->rule.n)))
        return false;
    put(out, d);
    return true;
}

static void
answer_b(struct agr_conn *c, const struct agr_request *r, put_fn *put)
{
    struct agr_worker_process *w = worker_of(c);
    struct aegis_decision d = {.size = sizeof d};
    struct ag_buf out = {.n = 0};
    const char *why = NULL;
    size_t offset = 0, at = 0;
    struct ag_str list = r->body, item;
    enum agr_json_kind kind = agr_json_read(r->body, &why, &offset);
    if (kind == AGR_JSON_NONE) {
        agr_count(w, AGR_C_REFUSED);
        reply_b_error(c, 400, "Invalid JSON", why);
        return;
    }
    if (kind == AGR_JSON_OBJECT && agr_json_member("actions") == AGR_JSON_ARRAY)
        list = agr_json_raw(r->body, "actions");
    else if (kind == AGR_JSON_OBJECT)
        list = ag_str_of("", 0);
    else if (kind != AGR_JSON_ARRAY) {
        agr_count(w, AGR_C_REFUSED);
        reply_b_error(c, 400, "Bad request", "an action, a list of actions, or {\"actions\":[...]}");
        return;
    }
    unsigned n = 0;
    if (!room(&out, ITEM_BYTES))
        return;
    while (list.n && agr_json_item(list, &at, &item))
        n++;
    if (n > AGR_BATCH_MAX || (list.n && n == 0)) {
        agr_count(w, AGR_C_REFUSED);
        reply_b_error(c, 400, "Bad request", "a batch has 1 to 256 actions");
        return;
    }
    bool is_waiting = false, ok = true;
    aegis_ctx_aliases(w->ctx, 1);
    if (n > 1) // one action is answered as an object, also when it came in a list
        ag_buf_char(&out, '[');
    at = 0;
    for (unsigned i = 0; ok && i < (n ? n : 1); i++) {
        if (!n)
            item = r->body;
        else
            agr_json_item(list, &at, &item);
        if (i)
            ag_buf_char(&out, ',');
        ok = decide_item(c, item, put, &out, &d);
        is_waiting = is_waiting || (ok && d.audit_level && d.id.n);
    }
    aegis_ctx_aliases(w->ctx, 0);
    if (!ok)
        return;
    if (n > 1)
        ag_buf_char(&out, ']');
    agr_reply_json(c, 200, ag_str_of(out.p, out.n));
    if (is_waiting)
        agr_data_park(c, &d, false);
}

void
agr_compat_evaluate(struct agr_conn *c, const struct agr_request *r)
{
    answer_b(c, r, put_evaluation);
}

void
agr_compat_execute(struct agr_conn *c, const struct agr_request *r)
{
    answer_b(c, r, put_execution);
}

// --- governance

static void
put_governance(struct agr_conn *c, struct ag_buf *b, const struct aegis_decision *d)
{
    struct agr_govern g = {0};
    aegis_ctx_gate_params(worker_of(c)->ctx, agr_govern_take, &g);
    agr_govern_json(&g, d, b);
}

// What an unfinished decision means to a caller of system A: it must be told apart from a status (A44).
static bool
is_answered_a(struct agr_conn *c, struct ag_str body, enum aegis_status s, const struct aegis_decision *d,
              const struct aegis_error *e)
{
    const char *why;
    size_t offset;
    if (s == AEGIS_MALFORMED &&
        agr_json_read(body, &why, &offset) != AGR_JSON_NONE) { // the text names the field
        agr_count(worker_of(c), AGR_C_REFUSED);
        agr_reply_error(c, 422, "invalid_proposal", e->text);
        return true;
    }
    if (s != AEGIS_OK) {
        agr_data_refuse(c, s, e);
        return true;
    }
    if (d->outcome != AEGIS_UNAVAILABLE)
        return false;
    agr_reply_error(c, d->status == AEGIS_DEADLINE ? 504 : 503, "availability", aegis_status_text(d->status));
    return true;
}

static void
put_retry_after(struct agr_conn *c, const struct aegis_decision *d)
{
    char text[24];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    ag_buf_u64(&b, (uint64_t)(d->retry_after_ns + 999999999) / 1000000000u);
    agr_reply_header(c, "Retry-After", ag_str_of(b.p, b.n));
}

// The six headers of A19 that this server knows something for.
static void
put_a_headers(struct agr_conn *c, const struct agr_request *r, const struct aegis_decision *d)
{
    agr_reply_header(c, "X-AEGIS-Version", ag_str_z(aegis_version()));
    agr_reply_header(c, "X-AEGIS-Tenant", str_in(d->tenant));
    agr_reply_header(c, "X-AEGIS-Customer", str_in(d->tenant));
    agr_reply_header(c, "X-AEGIS-Tier", AG_STR("self-hosted"));
    uint64_t remaining = UINT64_MAX;
    for (uint32_t i = 0; i < d->n_limits; i++)
        remaining = d->limits[i].remaining < remaining ? d->limits[i].remaining : remaining;
    char text[24];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    if (remaining == UINT64_MAX)
        ag_buf_lit(&b, "unlimited");
    else
        ag_buf_u64(&b, remaining);
    agr_reply_header(c, "X-AEGIS-Rate-Remaining", ag_str_of(b.p, b.n));
    struct ag_str id = agr_header_get(r, "x-request-id");
    agr_reply_header(c, "X-AEGIS-Request-Id", id.n ? id : str_in(d->id));
}

static void
reply_a(struct agr_conn *c, const struct agr_request *r, const struct aegis_decision *d,
        const struct ag_buf *out)
{
    agr_reply_begin(c, d->outcome == AEGIS_THROTTLE ? 429 : 200, AGR_JSON);
    put_a_headers(c, r, d);
    if (d->retry_after_ns > 0)
        put_retry_after(c, d);
    agr_reply_body(c, ag_str_of(out->p, out->n));
    agr_data_park(c, d, false);
}

void
agr_compat_governance(struct agr_conn *c, const struct agr_request *r)
{
    struct aegis_decision d;
    struct aegis_error e;
    struct ag_buf out = {.n = 0};
    enum aegis_status s = agr_data_decide(c, "evaluate", r->body, &d, &e);
    if (is_answered_a(c, r->body, s, &d, &e) || !room(&out, ITEM_BYTES))
        return;
    put_governance(c, &out, &d);
    reply_a(c, r, &d, &out);
}

// {risk_baseline, risk_proposed} or {risk_score} becomes a proposal that holds nothing else.
static struct ag_str
risk_proposal(struct ag_str body, char *mem, size_t size)
{
    static const char *const keys[] = {"risk_baseline", "risk_proposed", "risk_score", "agent_id",
                                       "session_id"};
    struct ag_buf b;
    ag_buf_init(&b, mem, size);
    ag_buf_lit(&b, "{\"proposal_summary\":\"risk check\"");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct ag_str raw = agr_json_raw(body, keys[i]);
        if (!raw.n)
            continue;
        ag_buf_char(&b, ',');
        ag_buf_json_str(&b, ag_str_z(keys[i]));
        ag_buf_char(&b, ':');
        ag_buf_str(&b, raw);
    }
    ag_buf_char(&b, '}');
    return b.is_full ? ag_str_of("", 0) : ag_str_of(b.p, b.n);
}

void
agr_compat_risk_check(struct agr_conn *c, const struct agr_request *r)
{
    static const char *const known[] = {"risk_baseline", "risk_proposed", "risk_score",
                                        "agent_id",      "session_id",    NULL};
    struct aegis_decision d;
    struct aegis_error e;
    struct ag_buf out = {.n = 0};
    char mem[4096];
    const char *why = NULL;
    size_t offset;
    struct ag_str unknown;
    if (agr_json_read(r->body, &why, &offset) != AGR_JSON_OBJECT) {
        agr_count(worker_of(c), AGR_C_REFUSED);
        agr_reply_error(c, why ? 400 : 422, "malformed", why ? why : "the input must be a JSON object");
        return;
    }
    if (!agr_json_only(known, &unknown)) {
        agr_count(worker_of(c), AGR_C_REFUSED);
        agr_reply_error(c, 422, "invalid_proposal",
                        "a risk check takes risk_baseline and risk_proposed, or risk_score, and who asks");
        return;
    }
    struct ag_str proposal = risk_proposal(r->body, mem, sizeof mem);
    enum aegis_status s = agr_data_decide(c, "risk_check", proposal, &d, &e);
    if (is_answered_a(c, r->body, s, &d, &e) || !room(&out, ITEM_BYTES))
        return;
    const struct aegis_gate *risk = NULL;
    for (uint32_t i = 0; i < d.n_gates; i++)
        if (ag_str_is(str_in(d.gates[i].name), "risk"))
            risk = &d.gates[i];
    if (!risk || d.outcome == AEGIS_KILL ||
        d.outcome == AEGIS_THROTTLE) { // a switch or limit spoke, not the gate
        put_governance(c, &out, &d);
        reply_a(c, r, &d, &out);
        return;
    }
    ag_buf_lit(&out, "{\"status\":");
    ag_buf_str(&out, ag_str_is(str_in(risk->state), "fail") ? AG_STR("\"pause\"") : AG_STR("\"proceed\""));
    ag_buf_lit(&out, ",\"risk\":");
    agr_govern_gate(risk, &out);
    put_member(&out, "decision_id", str_in(d.id));
    ag_buf_char(&out, '}');
    reply_a(c, r, &d, &out);
}
