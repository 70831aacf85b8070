// SPDX-License-Identifier: Apache-2.0
// The admin process: policies, kill switch, audit queries and metrics, on listeners of their own. It compiles
// nothing itself and sees no action; every change it makes is a row before it is acknowledged. In: the
// parent's heritage. Out: answers, rows, sealed policies to the parent. Owns: its journal and the kill words.
// Next file to read: admin_policy.c, admin_kill.c, admin_audit.c.
#include "admin.h"

#include "audit_run.h"
#include "log.h"
#include "reply.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TAG_CONTROL 0u
#define TAG_JOURNAL 1u
#define TURN_MS     500

bool
agr_admin_row(struct agr_admin *a, const char *type, const struct ag_buf *body)
{
    return !body->is_full && aegis_ctx_row(a->ctx, type, body->p, body->n) == AEGIS_OK &&
           aegis_ctx_sync(a->ctx, AGR_ADMIN_WAIT_MS) == AEGIS_OK;
}

// --- messages of the parent

static void
on_crash(struct agr_admin *a, const struct agr_msg *m)
{
    char mem[256];
    struct ag_buf b;
    uint64_t digest = m->generation;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"pid\":");
    ag_buf_u64(&b, m->serial);
    ag_buf_lit(&b, ",\"signal\":");
    ag_buf_u64(&b, m->result);
    if (digest) {
        ag_buf_lit(&b, ",\"request_digest\":\"xxh3:");
        for (int i = 7; i >= 0; i--) {
            uint8_t byte = (uint8_t)(digest >> (8 * i));
            ag_buf_hex(&b, &byte, 1);
        }
        ag_buf_char(&b, '"');
    }
    ag_buf_char(&b, '}');
    if (aegis_ctx_row(a->ctx, "worker_crash", b.p, b.n) != AEGIS_OK)
        agr_log(AGR_LOG_WARNING, "the end of worker %llu could not be recorded",
                (unsigned long long)m->serial);
}

static void
on_journal(struct agr_admin *a, int sock)
{
    if (aegis_ctx_resume(a->ctx, sock) == AEGIS_OK)
        agr_loop_watch(&a->loop, aegis_ctx_journal_fd(a->ctx), TAG_JOURNAL);
    else
        close(sock);
}

void
agr_admin_control(struct agr_admin *a)
{
    struct agr_msg m;
    int fd, got;
    bool must_reload = false;
    while ((got = agr_msg_recv(a->control, &m, &fd)) == 1) {
        if (m.kind == AGR_MSG_POLICY_DONE)
            a->generation = m.generation;
        else if (m.kind == AGR_MSG_CRASH)
            on_crash(a, &m);
        else if (m.kind == AGR_MSG_RELOAD)
            must_reload = true;
        else if (m.kind == AGR_MSG_JOURNAL && fd != -1) {
            on_journal(a, fd);
            fd = -1;
        }
        if (fd != -1)
            close(fd);
    }
    if (got == -1)
        a->is_parent_gone = true;
    if (must_reload)
        agr_admin_reload(a);
}

// --- routes

static void
reply_metrics(struct agr_conn *c, const struct agr_request *r)
{
    struct agr_admin *a = c->loop->user;
    struct agr_metrics_source m = {a->state, a->config->audit_dir, a->generation};
    size_t n;
    if (!ag_str_is(r->path, "/metrics") && !ag_str_is(r->path, "/livez")) {
        agr_reply_error(c, 404, "not_found", "this listener has /metrics");
        return;
    }
    if (!agr_method_fits(AGR_BIT(AGR_GET), r->method)) {
        agr_reply_not_allowed(c, AGR_BIT(AGR_GET));
        return;
    }
    if (ag_str_is(r->path, "/livez")) {
        agr_reply_json(c, 200, AG_STR("{\"status\":\"ok\"}"));
        return;
    }
    char *text = agr_metrics_text(&m, &n);
    if (!text) {
        agr_reply_error(c, 503, "unavailable", "out of memory");
        return;
    }
    agr_reply_begin(c, 200, "text/plain; version=0.0.4; charset=utf-8");
    agr_reply_body(c, ag_str_of(text, n));
    free(text);
}

// Health without a credential: the process answers, and whether rows can be written.
static bool
reply_health(struct agr_conn *c, const struct agr_request *r)
{
    struct agr_admin *a = c->loop->user;
    bool is_live = ag_str_is(r->path, "/livez");
    if (!agr_method_fits(AGR_BIT(AGR_GET), r->method) ||
        (!is_live && !ag_str_is(r->path, "/readyz") && !ag_str_is(r->path, "/health")))
        return false;
    char mem[256];
    struct ag_buf b;
    const char *why = is_live                              ? NULL
                      : aegis_ctx_audit_ready(a->ctx) == 0 ? "audit_unavailable"
                      : !agr_kill_is_ready(a->kill)        ? "kill_state_unreadable"
                      : agr_state_is_recovering(a->state)  ? "state_recovering"
                                                           : NULL;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"status\":\"");
    ag_buf_str(&b, why ? AG_STR("degraded\",\"reason\":\"") : AG_STR("ok"));
    if (why)
        ag_buf_str(&b, ag_str_z(why));
    ag_buf_lit(&b, "\",\"version\":");
    ag_buf_json_str(&b, ag_str_z(aegis_version()));
    ag_buf_char(&b, '}');
    agr_reply_json(c, why ? 503 : 200, ag_str_of(b.p, b.n));
    return true;
}

struct admin_route {
    unsigned methods;
    const char *path;
    bool is_prefix;
    enum agr_role role;
    agr_admin_fn *handle;
};
static const struct admin_route routes[] = {
#define ADMIN_ROUTE(methods, path, is_prefix, role, handle) {methods, path, is_prefix, role, handle},
#include "admin_routes.def"
};

static bool
is_on_path(const struct admin_route *route, struct ag_str path, struct ag_str *ret_rest)
{
    size_t n = strlen(route->path);
    if (!route->is_prefix)
        return ag_str_is(path, route->path);
    if (path.n <= n || memcmp(path.p, route->path, n) != 0)
        return false;
    *ret_rest = ag_str_of(path.p + n, path.n - n);
    return true;
}

void
agr_admin_handle(struct agr_conn *c, const struct agr_request *r)
{
    struct agr_admin *a = c->loop->user;
    struct agr_admin_call call = {.a = a, .c = c, .r = r, .rest = AG_STR("")};
    unsigned known = 0; // methods of the path
    if (c->on->plane == AGR_PLANE_METRICS) {
        reply_metrics(c, r);
        return;
    }
    if (reply_health(c, r))
        return;
    call.who = agr_admin_identify(&a->tokens, c, r);
    if (call.who.role == AGR_ROLE_NONE) {
        agr_reply_begin(c, 401, AGR_JSON);
        agr_reply_header(c, "WWW-Authenticate", AG_STR("Bearer"));
        agr_reply_body(c, AG_STR("{\"error\":{\"code\":\"unauthorized\",\"message\":\"admin needs "
                                 "Authorization: Bearer TOKEN, or "
                                 "a peer with the server's uid\"}}"));
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!is_on_path(&routes[i], r->path, &call.rest))
            continue;
        known |= routes[i].methods;
        if (!agr_method_fits(routes[i].methods, r->method))
            continue;
        if (call.who.role < routes[i].role) {
            char why[96];
            snprintf(why, sizeof why, "this needs the role %s, you have %s", agr_role_text(routes[i].role),
                     agr_role_text(call.who.role));
            agr_reply_error(c, 403, "role", why);
            return;
        }
        routes[i].handle(&call);
        return;
    }
    if (known)
        agr_reply_not_allowed(c, known);
    else
        agr_reply_error(c, 404, "not_found", "there is nothing at this path");
}

// --- the process

static bool
set_up(struct agr_admin *a, const struct agr_heritage *h)
{
    struct aegis_error e = {.size = sizeof e, .text = "out of memory"};
    struct aegis_host_fds fds = {.size = sizeof fds,
                                 .state_fd = h->state_fd,
                                 .kill_fd = h->kill_fd,
                                 .journal_sock = h->journal_sock,
                                 .policy_name = "default"};
    char why[512] = "";
    bool ok = aegis_host_attach(&fds, &a->host, &e) == AEGIS_OK;
    if (ok) {
        enum aegis_status s = aegis_ctx_new(NULL, a->host, &a->ctx);
        ok = s == AEGIS_OK;
        if (!ok)
            snprintf(e.text, sizeof e.text, "journal: %s", aegis_status_text(s));
    }
    if (ok && a->config->admin_tokens &&
        !agr_tokens_read(a->config->admin_tokens, &a->tokens, why, sizeof why)) {
        snprintf(e.text, sizeof e.text, "%.200s", why);
        ok = false;
    }
    if (ok && (!agr_loop_init(&a->loop, h->listeners, h->nlisteners, agr_admin_handle, a) ||
               !agr_loop_watch(&a->loop, a->control, TAG_CONTROL) ||
               !agr_loop_watch(&a->loop, aegis_ctx_journal_fd(a->ctx), TAG_JOURNAL))) {
        snprintf(e.text, sizeof e.text, "epoll: %s", strerror(errno));
        ok = false;
    }
    if (!ok)
        agr_log(AGR_LOG_ERROR, "admin: %s", e.text);
    return ok && agr_admin_policy_open(a, h->policy_fd);
}

int
agr_admin_main(const struct agr_heritage *h)
{
    static struct agr_admin process;
    struct agr_admin *a = &process;
    a->config = h->config;
    a->state = h->state;
    a->kill = h->kill;
    a->control = h->control;
    a->generation = h->generation;
    if (!set_up(a, h))
        return 1;
    if (!agr_kill_is_ready(a->kill) || agr_state_is_recovering(a->state))
        agr_admin_kill_rebuild(a);
    while (!a->is_parent_gone) {
        uint32_t ready = agr_loop_turn(&a->loop, TURN_MS);
        if (ready >> TAG_CONTROL & 1)
            agr_admin_control(a);
        if (ready >> TAG_JOURNAL & 1 || aegis_ctx_wants_refill(a->ctx))
            aegis_ctx_refill(a->ctx);
    }
    agr_loop_fini(&a->loop);
    aegis_ctx_free(a->ctx);
    return 0;
}
