// SPDX-License-Identifier: Apache-2.0
// Policies of a running server: GET shows what serves, PUT and SIGHUP replace it. A new one is compiled and
// verified in a jailed child, kept, handed to the parent, and acknowledged only when every living worker
// serves it; a bad one changes nothing (B18). In: YAML, an image, or JSON around YAML. Out: a generation
// more, a `policy` row. Next file to read: store.c.
#include "admin.h"

#include "log.h"
#include "reply.h"
#include "store.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WHY_SIZE 65536

static struct ag_str
str_in(struct aegis_str s)
{
    return ag_str_of(s.p, s.n);
}

bool
agr_admin_policy_open(struct agr_admin *a, int fd)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_policy *p;
    if (aegis_policy_open_fd(fd, NULL, &p, &e) != AEGIS_OK) {
        agr_log(AGR_LOG_ERROR, "admin: %s", e.text);
        return false;
    }
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(p, &info);
    a->serial = info.serial;
    aegis_policy_close(a->policy);
    a->policy = p;
    return true;
}

// --- GET

// A buffer on the heap that grows; b.p is freed by the caller.
static bool
reserve(struct ag_buf *b, size_t n)
{
    if (b->size - b->n >= n)
        return true;
    size_t size = (b->size + n) * 2;
    char *p = realloc(b->p, size);
    if (!p)
        return false;
    b->p = p;
    b->size = size;
    return true;
}

static void
member(struct ag_buf *b, const char *key, struct ag_str value)
{
    char last = b->n ? b->p[b->n - 1] : '{';
    if (last != '{')
        ag_buf_char(b, ',');
    ag_buf_json_str(b, ag_str_z(key));
    ag_buf_char(b, ':');
    ag_buf_json_str(b, value);
}

static void
put_digest(struct ag_buf *b, const uint8_t digest[32])
{
    ag_buf_lit(b, ",\"digest\":\"blake2b:");
    ag_buf_hex(b, digest, 32);
    ag_buf_char(b, '"');
}

// The approval that a policy wrote, else the one that its decision means (B18): clients read nothing else.
static struct ag_str
approval_of(struct ag_str written, struct ag_str decision)
{
    if (written.n)
        return written;
    if (ag_str_is(decision, "allow") || ag_str_is(decision, "monitor"))
        return AG_STR("auto");
    bool is_held = ag_str_is(decision, "throttle") || ag_str_is(decision, "escalate");
    return is_held ? AG_STR("approve") : AG_STR("block");
}

static void
put_rule(struct ag_buf *b, const struct aegis_rule_info *i)
{
    ag_buf_char(b, '{');
    member(b, "name", str_in(i->name));
    ag_buf_lit(b, ",\"match\":{");
    member(b, "type", str_in(i->type));
    member(b, "target", str_in(i->target));
    member(b, "agent", str_in(i->agent));
    member(b, "tenant", str_in(i->tenant));
    ag_buf_char(b, '}');
    member(b, "decision", str_in(i->decision));
    member(b, "risk_level", str_in(i->risk_level));
    member(b, "approval", approval_of(str_in(i->approval), str_in(i->decision)));
    ag_buf_lit(b, ",\"line\":");
    ag_buf_u64(b, i->line);
    ag_buf_char(b, '}');
}

void
agr_admin_policy_get(const struct agr_admin_call *call)
{
    struct agr_admin *a = call->a;
    struct aegis_policy_info info = {.size = sizeof info};
    struct ag_buf b = {.n = 0};
    aegis_policy_info(a->policy, &info);
    bool ok = reserve(&b, 65536);
    if (ok) {
        ag_buf_lit(&b, "{\"name\":\"default\"");
        member(&b, "label", str_in(info.name));
        put_digest(&b, info.digest);
        ag_buf_lit(&b, ",\"serial\":");
        ag_buf_u64(&b, info.serial);
        ag_buf_lit(&b, ",\"generation\":");
        ag_buf_u64(&b, a->generation);
        ag_buf_lit(&b, ",\"is_signed\":");
        ag_buf_str(&b, info.is_signed ? AG_STR("true") : AG_STR("false"));
        member(&b, "default_decision", str_in(aegis_decision_text(info.default_decision)));
        member(&b, "default_risk_level", str_in(aegis_risk_text(info.default_risk)));
        member(&b, "default_approval",
               approval_of(str_in(aegis_approval_text(info.default_approval)),
                           str_in(aegis_decision_text(info.default_decision))));
        ag_buf_lit(&b, ",\"rules\":[");
    }
    for (uint32_t i = 0; ok && i < info.rules; i++) {
        struct aegis_rule_info rule = {.size = sizeof rule};
        if (aegis_policy_rule(a->policy, i, &rule) != AEGIS_OK)
            break;
        ok =
            reserve(&b, 512 + 6 * (rule.name.n + rule.type.n + rule.target.n + rule.agent.n + rule.tenant.n));
        if (!ok)
            break;
        if (i)
            ag_buf_char(&b, ',');
        put_rule(&b, &rule);
    }
    if (ok && reserve(&b, 2)) {
        ag_buf_lit(&b, "]}");
        agr_reply_json(call->c, 200, ag_str_of(b.p, b.n));
    } else {
        agr_reply_error(call->c, 503, "unavailable", "out of memory");
    }
    free(b.p);
}

// --- replacing

static int64_t
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// Waits until the parent says that every living worker serves generation `want`.
static bool
wait_served(struct agr_admin *a, uint64_t want)
{
    struct pollfd f = {.fd = a->control, .events = POLLIN};
    for (int64_t end = now_ms() + AGR_ADMIN_WAIT_MS;
         a->generation < want && now_ms() < end && !a->is_parent_gone;)
        if (poll(&f, 1, 50) == 1)
            agr_admin_control(a);
    return a->generation >= want;
}

static void
policy_row(struct agr_admin *a, const char *what, struct ag_str by, const struct agr_store_policy *p,
           const char *why)
{
    char mem[2048];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"action\":");
    ag_buf_json_str(&b, ag_str_z(what));
    member(&b, "by", by);
    if (p) {
        ag_buf_lit(&b, ",\"policy\":{\"name\":\"default\"");
        put_digest(&b, p->digest);
        ag_buf_lit(&b, "},\"serial\":");
        ag_buf_u64(&b, p->serial);
        ag_buf_lit(&b, ",\"rules\":");
        ag_buf_u64(&b, p->rules);
    } else {
        size_t n = strcspn(why, "\n");
        member(&b, "error", ag_str_of(why, n > 200 ? 200 : n));
    }
    ag_buf_char(&b, '}');
    if (!agr_admin_row(a, "policy", &b))
        agr_log(AGR_LOG_WARNING, "the change of the policy could not be recorded in time");
}

static struct agr_store_options
store_options(const struct agr_admin *a)
{
    return (struct agr_store_options){.trust = a->config->trust,
                                      .ntrust = a->config->ntrust,
                                      .serial_min = a->config->allow_rollback ? 0 : a->serial,
                                      .work_dir = a->config->state_dir};
}

// Hands a verified policy to the parent. 1: every worker serves it; 0: not all in time; -1: the parent is
// gone.
static int
publish(struct agr_admin *a, struct agr_store_policy *p)
{
    struct agr_msg m = {.kind = AGR_MSG_POLICY, .serial = p->serial};
    uint64_t want = a->generation + 1;
    if (!agr_msg_send(a->control, &m, p->fd) || !agr_admin_policy_open(a, p->fd))
        return -1;
    return wait_served(a, want);
}

static void
kept_path(const struct agr_admin *a, char *path, size_t size)
{
    snprintf(path, size, "%s/policies/default.bin", a->config->state_dir);
}

static bool
keep(struct agr_admin *a, int fd)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/policies", a->config->state_dir);
    if (mkdir(path, 0700) == -1 && errno != EEXIST)
        return false;
    kept_path(a, path, sizeof path);
    return agr_store_keep(fd, path);
}

static void
reply_invalid(struct agr_conn *c, const char *why)
{
    size_t n = strlen(why);
    struct ag_buf b = {.n = 0};
    if (!reserve(&b, 256 + 6 * n)) {
        agr_reply_error(c, 503, "unavailable", "out of memory");
        return;
    }
    ag_buf_lit(&b, "{\"error\":{\"code\":\"policy_invalid\",\"message\":\"the policy was not accepted; the "
                   "old one serves\"");
    member(&b, "diagnostics", ag_str_z(why));
    ag_buf_lit(&b, "}}");
    agr_reply_json(c, 422, ag_str_of(b.p, b.n));
    free(b.p);
}

static void
reply_updated(const struct agr_admin_call *call, const struct agr_store_policy *p, bool is_served)
{
    char mem[512];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"status\":\"updated\",\"rule_count\":");
    ag_buf_u64(&b, p->rules);
    put_digest(&b, p->digest);
    ag_buf_lit(&b, ",\"serial\":");
    ag_buf_u64(&b, p->serial);
    ag_buf_lit(&b, ",\"generation\":");
    ag_buf_u64(&b, call->a->generation);
    ag_buf_char(&b, '}');
    if (is_served)
        agr_reply_json(call->c, 200, ag_str_of(b.p, b.n));
    else
        agr_reply_error(
            call->c, 503, "not_served_yet",
            "the policy was accepted and kept, but a worker does not serve it yet; GET shows the generation");
}

// A policy dict without a version is one of version 1 for the clients that send it (B18). False: out of
// memory.
static bool
with_version(struct ag_str dict, struct ag_str *ret)
{
    static struct ag_buf text; // kept for the next one
    text.n = 0;
    if (!reserve(&text, dict.n + 32))
        return false;
    ag_buf_lit(&text, "{\"version\":\"1\",");
    ag_buf_put(&text, dict.p + 1, dict.n - 1);
    *ret = ag_str_of(text.p, text.n);
    return true;
}

// The policy in the body: YAML or an image as it is, YAML inside {"yaml": …}, or a JSON object with rules
// (JSON is YAML).
static bool
body_policy(const struct agr_admin_call *call, struct ag_str *ret)
{
    struct ag_str type = agr_header_get(call->r, "content-type"), body = call->r->body;
    const char *why = NULL;
    size_t offset;
    size_t at = 0;
    while (at < body.n &&
           (body.p[at] == ' ' || body.p[at] == '\n' || body.p[at] == '\r' || body.p[at] == '\t'))
        at++;
    bool is_json = (type.n >= 16 && agr_str_is_nocase(ag_str_of(type.p, 16), "application/json")) ||
                   (at < body.n && body.p[at] == '{');
    *ret = body;
    if (!is_json)
        return body.n > 0;
    if (agr_json_read(body, &why, &offset) == AGR_JSON_NONE) {
        agr_reply_json(call->c, 400, AG_STR("{\"error\":\"Invalid JSON\"}"));
        return false;
    }
    if (agr_json_text("yaml", ret) && ret->n)
        return true;
    *ret = body;
    if (agr_json_member("rules") == AGR_JSON_ARRAY)
        return agr_json_member("version") != AGR_JSON_NONE ||
               with_version(ag_str_of(body.p + at, body.n - at), ret);
    agr_reply_json(call->c, 400, AG_STR("{\"error\":\"Provide 'yaml' string or policy dict with 'rules'\"}"));
    return false;
}

void
agr_admin_policy_put(const struct agr_admin_call *call)
{
    static char why[WHY_SIZE];
    struct agr_admin *a = call->a;
    struct agr_store_options o = store_options(a);
    struct agr_store_policy p;
    struct ag_str bytes, by = ag_str_of(call->who.name, call->who.name_n);
    if (!body_policy(call, &bytes)) {
        if (!call->c->out_n)
            agr_reply_json(call->c, 400,
                           AG_STR("{\"error\":\"Provide 'yaml' string or policy dict with 'rules'\"}"));
        return;
    }
    if (!agr_store_load_bytes(bytes, &o, &p, why, sizeof why)) {
        policy_row(a, "put_refused", by, NULL, why);
        reply_invalid(call->c, why);
        return;
    }
    if (!keep(a, p.fd)) {
        agr_reply_error(call->c, 503, "unavailable",
                        "the policy could not be kept in the state directory; the old one serves");
        close(p.fd);
        return;
    }
    int served = publish(a, &p);
    policy_row(a, "put", by, &p, NULL);
    reply_updated(call, &p, served == 1);
    close(p.fd);
}

// The API keys of the data plane, for the workers, which open no file. A file that does not read leaves the
// keys read before.
static void
reload_keys(struct agr_admin *a)
{
    char why[256] = "";
    uint32_t n = 0;
    struct agr_msg m = {.kind = AGR_MSG_KEYS};
    struct agr_api_key *keys = agr_keys_read(a->config->api_keys, &n, why, sizeof why);
    int fd = keys ? agr_keys_seal(keys, n) : -1;
    if (keys && (fd == -1 || !agr_msg_send(a->control, &m, fd)))
        snprintf(why, sizeof why, "%s: %s", a->config->api_keys, strerror(errno));
    if (why[0])
        agr_log(AGR_LOG_WARNING, "%s; the API keys read before stay", why);
    else
        agr_log(AGR_LOG_INFO, "%u API keys were read again", n);
    agr_keys_free(keys, n);
    if (fd != -1)
        close(fd);
}

void
agr_admin_reload(struct agr_admin *a)
{
    static char why[WHY_SIZE];
    struct agr_store_options o = store_options(a);
    struct agr_store_policy p;
    char path[4096];
    if (a->config->admin_tokens && !agr_tokens_read(a->config->admin_tokens, &a->tokens, why, sizeof why))
        agr_log(AGR_LOG_WARNING, "%s; the tokens read before stay", why);
    if (a->config->api_keys)
        reload_keys(a);
    if (!agr_store_load(a->config->policy, &o, &p, why, sizeof why)) {
        agr_log(AGR_LOG_WARNING, "the policy was not reloaded, the old one serves: %s", why);
        policy_row(a, "reload_refused", AG_STR("SIGHUP"), NULL, why);
        return;
    }
    int served = publish(a, &p);
    // The file is the newest wish now: what a PUT left must not come back at the next start.
    kept_path(a, path, sizeof path);
    unlink(path);
    policy_row(a, "reload", AG_STR("SIGHUP"), &p, NULL);
    agr_log(AGR_LOG_INFO, "reloaded %s: %u rules, generation %llu%s", a->config->policy, p.rules,
            (unsigned long long)a->generation, served == 1 ? "" : "; not all workers serve it yet");
    close(p.fd);
}
