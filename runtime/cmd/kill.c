// SPDX-License-Identifier: Apache-2.0
// aegis kill: engage, disengage or read the kill switch of a running server over its admin listener. An
// engagement is acknowledged only when no worker can still let an action pass. In: words and options. Out:
// the server's answer. Next file to read: client.c.
#include "client.h"

#include "buf.h"

#include <stdlib.h>

#define REASON_MAX 512u // bytes; longer ones do not fit the kill page

struct request {
    const char *admin, *token_file, *reason, *agent, *tool;
    int is_json;
};

static void
member(struct ag_buf *b, const char *key, const char *value)
{
    if (!value)
        return;
    ag_buf_lit(b, ",\"");
    ag_buf_str(b, ag_str_z(key));
    ag_buf_lit(b, "\":");
    ag_buf_json_str(b, ag_str_z(value));
}

static int
print_answer(const struct agr_answer *a, const char *verb, const char *tenant, bool is_json)
{
    bool ok = a->status >= 200 && a->status < 300;
    if (is_json || strcmp(verb, "status") == 0 || !ok) {
        fwrite(a->body, 1, a->n, ok ? stdout : stderr);
        if (!a->n || a->body[a->n - 1] != '\n')
            fputc('\n', ok ? stdout : stderr);
    } else {
        printf("Kill switch %s for %s.\n", strcmp(verb, "engage") == 0 ? "engaged" : "disengaged",
               strcmp(tenant, "*") == 0 ? "all tenants" : tenant);
    }
    if (!ok)
        return agr_die(a->status >= 500 ? AGR_EXIT_UNAVAILABLE : AGR_EXIT_DENIED,
                       "kill: the server answered %d", a->status);
    return AGR_EXIT_OK;
}

static char *
token_of(const char *path)
{
    size_t n;
    char *t = agr_read_file(path, 4096, &n);
    if (t)
        t[strcspn(t, "\r\n")] = 0;
    return t;
}

static int
ask(const struct request *r, const char *verb, const char *tenant)
{
    char segment[800], path[1024], body[8192];
    struct agr_answer a;
    struct ag_buf b;
    bool is_status = strcmp(verb, "status") == 0;
    if (!agr_client_segment(tenant, segment, sizeof segment))
        return agr_die(AGR_EXIT_HELD, "kill: the tenant's name is too long");
    snprintf(path, sizeof path, "/v1/kill-switch/%s", segment);
    ag_buf_init(&b, body, sizeof body - 1);
    ag_buf_lit(&b, "{\"action\":");
    ag_buf_json_str(&b, ag_str_z(verb));
    member(&b, "reason", r->reason);
    member(&b, "agent", r->agent);
    member(&b, "tool", r->tool);
    ag_buf_char(&b, '}');
    if (b.is_full)
        return agr_die(AGR_EXIT_HELD, "kill: --reason, --agent and --tool are too long together");
    body[b.n] = 0;
    char *token = r->token_file ? token_of(r->token_file) : NULL;
    if (r->token_file && !token)
        return AGR_EXIT_UNAVAILABLE;
    bool ok = agr_client(r->admin, is_status ? "GET" : "POST", path, token, is_status ? NULL : body, &a);
    free(token);
    if (!ok)
        return AGR_EXIT_UNAVAILABLE;
    int code = print_answer(&a, verb, tenant, r->is_json);
    free(a.body);
    return code;
}

int
cmd_kill(int argc, char **argv)
{
    struct request r = {.admin = getenv("AEGIS_ADMIN")};
    int code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {
        {"admin", 0, AGR_OPT_STR, &r.admin, "ADDRESS",
         "unix:PATH or HOST:PORT of the admin listener (or AEGIS_ADMIN)"},
        {"token-file", 0, AGR_OPT_STR, &r.token_file, "FILE", "bearer token for an admin listener on TCP"},
        {"reason", 0, AGR_OPT_STR, &r.reason, "TEXT",
         "why: stands in the log; needed to engage and disengage"},
        {"agent", 0, AGR_OPT_STR, &r.agent, "NAME", "only this agent of the tenant"},
        {"tool", 0, AGR_OPT_STR, &r.tool, "TYPE", "only this action type"},
        {"json", 0, AGR_OPT_FLAG, &r.is_json, NULL, "print the server's answer"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    const char *verb = args.n ? args.v[0] : "";
    bool is_status = strcmp(verb, "status") == 0;
    if (args.n < 1 || args.n > 2 ||
        (!is_status && strcmp(verb, "engage") != 0 && strcmp(verb, "disengage") != 0))
        return agr_die(AGR_EXIT_HELD, "kill: say engage, disengage or status, and a tenant (* = all)");
    if (args.n < 2 && !is_status)
        return agr_die(AGR_EXIT_HELD, "kill: name the tenant; * is all of them");
    if (!is_status && (!r.reason || !*r.reason || strlen(r.reason) > REASON_MAX))
        return agr_die(AGR_EXIT_HELD, "kill: --reason TEXT (1 to %u bytes) is needed", REASON_MAX);
    if (!r.admin || !*r.admin)
        return agr_die(AGR_EXIT_HELD, "kill: --admin unix:PATH names the server's admin listener");
    return ask(&r, verb, args.n == 2 ? args.v[1] : "*");
}
