// SPDX-License-Identifier: Apache-2.0
// Pieces of the admin process that its files share: admin.c (loop, routes), admin_policy.c (policies),
// admin_kill.c (kill switch), admin_audit.c (queries). Thread rule: one process, one thread. Next file to
// read: admin.c.
#ifndef AGR_ADMIN_H
#define AGR_ADMIN_H

#include "json.h"
#include "server.h"

#define AGR_ADMIN_WAIT_MS 10000 // for all workers to serve a new policy, for a row to be synced

struct agr_admin {
    const struct agr_server_config *config;
    struct agr_loop loop;
    struct aegis_host *host;
    struct aegis_ctx *ctx;
    struct agr_state *state;
    struct agr_kill *kill;
    int control;                 // to the parent
    uint64_t generation;         // served by all workers, as the parent last said
    uint64_t serial;             // of the policy served
    struct aegis_policy *policy; // for GET; NULL only before the first was opened
    struct agr_admin_tokens tokens;
    bool is_parent_gone;
};

// What a handler gets besides the request.
struct agr_admin_call {
    struct agr_admin *a;
    struct agr_conn *c;
    const struct agr_request *r;
    struct ag_str rest; // of the path, behind the route's prefix
    struct agr_admin_id who;
};
typedef void agr_admin_fn(const struct agr_admin_call *call);
agr_admin_fn agr_admin_policy_get, agr_admin_policy_put, agr_admin_kill, agr_admin_audit;

// admin.c: writes a row and waits for its sync. False: it could not be written, or not be synced in time.
bool agr_admin_row(struct agr_admin *a, const char *type, const struct ag_buf *body);
// Handles what the parent sent; policies served and deaths of workers.
void agr_admin_control(struct agr_admin *a);

// admin_policy.c
// SIGHUP: compiles POLICY again. A bad one leaves the old one serving; why stands on standard error and in a
// row.
void agr_admin_reload(struct agr_admin *a);
// Opens the sealed image that is served, for GET. The descriptor stays the caller's.
bool agr_admin_policy_open(struct agr_admin *a, int fd);

// admin_kill.c
// After another kernel boot or a lost state file: engages again what the log says is engaged, then lets
// decisions go on.
void agr_admin_kill_rebuild(struct agr_admin *a);

#endif
