// SPDX-License-Identifier: Apache-2.0
// The kill switch over HTTP (D2, D35): engage, read, disengage. An engagement stores the word, waits for
// every worker that may still carry an allow, writes its row and waits for its sync; only then is it
// acknowledged. A lifting is recorded first, so that the log never shows less than what was done. In:
// {action, reason, agent?, tool?}. Out: words that workers read, `kill` rows. Next file to read:
// host/state/kill.h.
#include "admin.h"

#include "audit_run.h"
#include "log.h"
#include "reply.h"

#include <stdio.h>
#include <time.h>

struct kill_request {
    struct agr_kill_entry entry;
    bool is_engage;
};

static int64_t
wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static const char *
scope_text(enum agr_kill_scope scope)
{
    static const char *const text[] = {"global", "tenant", "agent", "tool"};
    return text[scope];
}

static void
member(struct ag_buf *b, const char *key, struct ag_str value)
{
    if (b->n && b->p[b->n - 1] != '{')
        ag_buf_char(b, ',');
    ag_buf_json_str(b, ag_str_z(key));
    ag_buf_char(b, ':');
    ag_buf_json_str(b, value);
}

static void
put_entry(struct ag_buf *b, const struct agr_kill_entry *e)
{
    member(b, "scope", ag_str_z(scope_text(e->scope)));
    member(b, "tenant_id", e->tenant);
    if (e->scope == AGR_KILL_AGENT)
        member(b, "agent", e->subject);
    if (e->scope == AGR_KILL_TOOL)
        member(b, "tool", e->subject);
    member(b, "reason", e->reason);
    member(b, "engaged_by", e->by);
    char when[40];
    struct ag_buf t;
    ag_buf_init(&t, when, sizeof when);
    ag_buf_time(&t, e->at_ns, 3);
    member(b, "engaged_at", ag_str_of(t.p, t.n));
}

// --- GET

static bool
covers(const struct agr_kill_entry *e, struct ag_str tenant)
{
    return e->scope == AGR_KILL_GLOBAL || ag_str_eq(e->tenant, tenant) ||
           (e->scope >= AGR_KILL_AGENT && ag_str_is(e->tenant, "*"));
}

// The state of a tenant: engaged when everything of it is stopped; narrower switches are listed.
static void
show(const struct agr_admin_call *call, struct ag_str tenant)
{
    static char mem[1u << 20];
    struct ag_buf b;
    struct agr_kill_entry e, whole = {.scope = AGR_KILL_TOOL};
    uint32_t at = 0, n = 0;
    bool is_engaged = false;
    if (!agr_kill_is_ready(call->a->kill)) {
        agr_reply_error(call->c, 503, "kill_state_unreadable",
                        "the switches are being read back from the log");
        return;
    }
    while (agr_kill_next(call->a->kill, &at, &e))
        if (e.scope <= AGR_KILL_TENANT && covers(&e, tenant)) {
            if (!is_engaged || e.scope < whole.scope)
                whole = e;
            is_engaged = true;
        }
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_char(&b, '{');
    member(&b, "status", is_engaged ? AG_STR("engaged") : AG_STR("disengaged"));
    if (is_engaged)
        put_entry(&b, &whole);
    else
        member(&b, "tenant_id", tenant);
    ag_buf_lit(&b, ",\"switches\":[");
    at = 0;
    while (agr_kill_next(call->a->kill, &at, &e)) {
        if (!ag_str_is(tenant, "*") && !covers(&e, tenant))
            continue;
        if (b.size - b.n < 4096 * 6)
            break; // the count below says that there are more
        if (n++)
            ag_buf_char(&b, ',');
        ag_buf_char(&b, '{');
        put_entry(&b, &e);
        ag_buf_char(&b, '}');
    }
    ag_buf_lit(&b, "],\"count\":");
    ag_buf_u64(&b, n);
    ag_buf_char(&b, '}');
    agr_reply_json(call->c, 200, ag_str_of(b.p, b.n));
}

// --- POST, DELETE

static bool
write_row(struct agr_admin *a, const struct kill_request *k, struct ag_str by)
{
    char mem[AGR_KILL_REASON_SIZE * 2 + 4 * AGR_KILL_NAME_MAX * 2];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_char(&b, '{');
    member(&b, "action", k->is_engage ? AG_STR("engage") : AG_STR("disengage"));
    member(&b, "scope", ag_str_z(scope_text(k->entry.scope)));
    member(&b, "tenant", k->entry.tenant);
    if (k->entry.scope == AGR_KILL_AGENT)
        member(&b, "agent", k->entry.subject);
    if (k->entry.scope == AGR_KILL_TOOL)
        member(&b, "tool", k->entry.subject);
    member(&b, "by", by);
    member(&b, "reason", k->entry.reason);
    ag_buf_char(&b, '}');
    return agr_admin_row(a, "kill", &b);
}

static void
reply_done(const struct agr_admin_call *call, const struct kill_request *k)
{
    char mem[AGR_KILL_REASON_SIZE * 2 + 4096];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_char(&b, '{');
    member(&b, "status", k->is_engage ? AG_STR("engaged") : AG_STR("disengaged"));
    member(&b, "scope", ag_str_z(scope_text(k->entry.scope)));
    member(&b, "tenant_id", k->entry.tenant);
    if (k->entry.subject.n)
        member(&b, k->entry.scope == AGR_KILL_AGENT ? "agent" : "tool", k->entry.subject);
    member(&b, "reason", k->entry.reason);
    ag_buf_char(&b, '}');
    agr_reply_json(call->c, 200, ag_str_of(b.p, b.n));
}

static void
engage(const struct agr_admin_call *call, const struct kill_request *k)
{
    struct agr_admin *a = call->a;
    struct aegis_error e = {.size = sizeof e};
    uint32_t slow = 0;
    enum aegis_status s = agr_kill_engage(a->kill, a->state, &k->entry, NULL, NULL, &slow, &e);
    if (s == AEGIS_USAGE) {
        agr_reply_error(call->c, 422, "invalid", e.text);
        return;
    }
    if (s == AEGIS_STATE) {
        agr_reply_error(call->c, 503, "state_exhausted", "too many switches are engaged; engage a wider one");
        return;
    }
    bool is_recorded = write_row(a, k, k->entry.by);
    if (s == AEGIS_BUSY)
        agr_reply_error(call->c, 503, "worker_stuck",
                        "the switch is engaged, but one worker could neither be waited for nor be ended");
    else if (s != AEGIS_OK)
        agr_reply_error(call->c, 503, "unavailable", e.text);
    else if (!is_recorded)
        agr_reply_error(call->c, 503, "audit_unavailable",
                        "the switch is engaged; its row could not be made durable");
    else
        reply_done(call, k);
}

static void
disengage(const struct agr_admin_call *call, const struct kill_request *k)
{
    struct agr_admin *a = call->a;
    if (call->who.role < AGR_ROLE_SECURITY) {
        agr_reply_error(call->c, 403, "role", "lifting a kill switch needs the role security");
        return;
    }
    if (!write_row(a, k, k->entry.by)) {
        agr_reply_error(call->c, 503, "audit_unavailable",
                        "the switch stays engaged: its row could not be made durable");
        return;
    }
    if (agr_kill_disengage(a->kill, k->entry.scope, k->entry.tenant, k->entry.subject, NULL) != AEGIS_OK)
        agr_reply_error(call->c, 503, "unavailable", "the switch could not be lifted");
    else
        reply_done(call, k);
}

static bool
refuse(const struct agr_admin_call *call, const char *why)
{
    agr_reply_error(call->c, 422, "invalid", why);
    return false;
}

// Reads the body. False: answered.
static bool
read_request(const struct agr_admin_call *call, struct ag_str tenant, struct kill_request *k)
{
    static const char *const known[] = {"action", "reason", "agent", "tool", NULL};
    static char reason_mem[AGR_KILL_REASON_SIZE + 1];
    struct ag_str body = call->r->body, action = AG_STR("disengage"), agent = AG_STR(""), tool = AG_STR(""),
                  unknown;
    const char *why = "";
    size_t offset;
    *k =
        (struct kill_request){.entry = {.tenant = tenant, .by = ag_str_of(call->who.name, call->who.name_n)}};
    if (body.n || call->r->method != AGR_DELETE) {
        enum agr_json_kind kind = agr_json_read(body, &why, &offset);
        if (kind == AGR_JSON_NONE) {
            agr_reply_error(call->c, 400, "malformed", why);
            return false;
        }
        if (kind != AGR_JSON_OBJECT || !agr_json_only(known, &unknown))
            return refuse(
                call,
                "the body is {\"action\":\"engage\"|\"disengage\",\"reason\":\"...\",\"agent\"?,\"tool\"?}");
        for (const char *const *name = known; *name; name++)
            if (agr_json_member(*name) != AGR_JSON_NONE && agr_json_member(*name) != AGR_JSON_STRING)
                return refuse(call, "action, reason, agent and tool are strings");
        agr_json_text("action", &action);
        agr_json_text("reason", &k->entry.reason);
        agr_json_text("agent", &agent);
        agr_json_text("tool", &tool);
    } else {
        agr_query_get(call->r, "reason", reason_mem, sizeof reason_mem, &k->entry.reason);
    }
    if (call->r->method == AGR_DELETE)
        action = AG_STR("disengage");
    k->is_engage = ag_str_is(action, "engage");
    if (!k->is_engage && !ag_str_is(action, "disengage"))
        return refuse(call, "action is engage or disengage");
    if (!k->entry.reason.n)
        return refuse(call, "a reason of 1 to 500 characters is needed");
    if (k->entry.reason.n > AGR_KILL_REASON_SIZE)
        return refuse(call, "the reason has more than 500 characters");
    if (agent.n && tool.n)
        return refuse(call, "name an agent or a tool, not both");
    k->entry.scope = agent.n                  ? AGR_KILL_AGENT
                     : tool.n                 ? AGR_KILL_TOOL
                     : ag_str_is(tenant, "*") ? AGR_KILL_GLOBAL
                                              : AGR_KILL_TENANT;
    k->entry.subject = agent.n ? agent : tool;
    k->entry.at_ns = wall_ns();
    return true;
}

void
agr_admin_kill(const struct agr_admin_call *call)
{
    char name[AGR_KILL_NAME_MAX + 1];
    struct ag_str tenant;
    struct kill_request k;
    if (!agr_percent_decode(call->rest, name, AGR_KILL_NAME_MAX, &tenant) || !tenant.n ||
        memchr(call->rest.p, '/', call->rest.n)) {
        agr_reply_error(call->c, 422, "invalid", "the path ends in a tenant of 1 to 256 bytes, or * for all");
        return;
    }
    if (agr_method_fits(AGR_BIT(AGR_GET), call->r->method))
        show(call, tenant);
    else if (!read_request(call, tenant, &k))
        return;
    else if (!agr_kill_is_ready(call->a->kill))
        agr_reply_error(call->c, 503, "kill_state_unreadable",
                        "the switches are being read back from the log");
    else if (k.is_engage)
        engage(call, &k);
    else
        disengage(call, &k);
}

// --- from the log

static bool
replay(void *arg, uint64_t gseq, struct ag_str line)
{
    struct agr_admin *a = arg;
    struct kill_request k = {.entry = {.at_ns = wall_ns()}};
    struct ag_str action = AG_STR(""), scope = AG_STR("");
    const char *why;
    size_t offset;
    (void)gseq;
    if (!memmem(line.p, line.n, "\"type\":\"kill\"", 13) ||
        agr_json_read(line, &why, &offset) != AGR_JSON_OBJECT)
        return true;
    struct ag_str type;
    if (!agr_json_text("type", &type) || !ag_str_is(type, "kill"))
        return true;
    agr_json_text("action", &action);
    agr_json_text("scope", &scope);
    agr_json_text("tenant", &k.entry.tenant);
    agr_json_text("reason", &k.entry.reason);
    agr_json_text("by", &k.entry.by);
    for (unsigned i = AGR_KILL_GLOBAL; i <= AGR_KILL_TOOL; i++)
        if (ag_str_is(scope, scope_text((enum agr_kill_scope)i)))
            k.entry.scope = (enum agr_kill_scope)i;
    if (k.entry.scope >= AGR_KILL_AGENT)
        agr_json_text(scope_text(k.entry.scope), &k.entry.subject);
    if (ag_str_is(action, "engage"))
        agr_kill_engage(a->kill, a->state, &k.entry, NULL, NULL, NULL, NULL);
    else
        agr_kill_disengage(a->kill, k.entry.scope, k.entry.tenant, k.entry.subject, NULL);
    return true;
}

void
agr_admin_kill_rebuild(struct agr_admin *a)
{
    char why[512] = "";
    uint64_t rows = agr_audit_rows_count(a->config->audit_dir);
    if (!agr_kill_is_ready(a->kill)) {
        agr_kill_rebuild(a->kill);
        if (rows && !agr_audit_rows(a->config->audit_dir, 0, rows, replay, a, why, sizeof why)) {
            agr_log(AGR_LOG_ERROR,
                    "the kill switches cannot be read back from the log, no decision is made: %s", why);
            return;
        }
        agr_kill_ready(a->kill);
    }
    if (agr_state_is_recovering(a->state)) {
        agr_state_recovered(a->state);
        agr_log(AGR_LOG_WARNING, "the machine was restarted: rates begin without a burst, quotas begin anew");
        aegis_ctx_row(a->ctx, "note", "{\"note\":\"limits began anew after a restart of the machine\"}", 61);
    }
}
