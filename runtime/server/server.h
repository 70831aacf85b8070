// SPDX-License-Identifier: Apache-2.0
// What the processes of `aegis serve` share: configuration, the messages between them, counters.
//
//   parent ── binds sockets, forks, reaps, hands sealed policies on; reads no foreign byte
//     ├── worker × N   decides
//     ├── sequencer    alone writes LOG and holds signing keys
//     └── admin        reload, kill switch, audit queries, metrics
//
// Thread rule: each process has one thread. Next file to read: parent.c.
#ifndef AGR_SERVER_H
#define AGR_SERVER_H

#include "aegis.h"
#include "aegis_tools.h"
#include "conn.h"
#include "log.h"
#include "state/kill.h"
#include "state/state.h"

#define AGR_WORKERS_DEFAULT_MAX 64
#define AGR_LISTENERS_MAX       16u
#define AGR_TRUST_MAX           16u
#define AGR_DRAIN_S             20   // a stopping worker is ended after this
#define AGR_IDENTITY_NAME_MAX   127u // bytes of a tenant, agent or operator in a key file
#define AGR_BUCKETS             22u  // bounds of a latency histogram
#define AGR_EXIT_LOG_REFUSED    4    // exit code of a sequencer whose log is damaged: it is not started again

enum agr_identity_mode { AGR_IDENTITY_REQUEST, AGR_IDENTITY_KEY };
enum agr_role {
    AGR_ROLE_NONE,
    AGR_ROLE_VIEWER,
    AGR_ROLE_AUDITOR,
    AGR_ROLE_OPERATOR,
    AGR_ROLE_SECURITY,
    AGR_ROLE_ADMIN
};

// Everything `serve` was told, after flags, environment, file and defaults were merged (conf.def). Strings
// live as long as the process.
struct agr_server_config {
    const char *policy; // path of POLICY
    const char *listen[AGR_LISTENERS_MAX];
    unsigned nlisten;
    const char *admin;   // unix:PATH or ADDR:PORT
    const char *metrics; // ADDR:PORT; "" switches it off
    const char *audit_dir, *state_dir, *keys_dir;
    const char *api_keys;     // file of data-plane API keys; NULL: identity request
    const char *admin_tokens; // file of hashed bearer tokens; NULL: peers only
    long workers;
    bool is_sandboxed;
    bool allow_rollback;
    bool ignore_kept; // serve POLICY even when a PUT one has a serial at least as high
    uint8_t trust[AGR_TRUST_MAX][32];
    unsigned ntrust;
    long throttle_status; // /v1/check: 429 or 403
    long sync_interval_ms;
    uint64_t backlog_max, reserve;
    enum agr_log_level log_level;
};

// Messages over the SOCK_SEQPACKET pairs between the parent and the others. A policy travels as a sealed
// memfd.
enum agr_msg_kind {
    AGR_MSG_POLICY = 1,  // parent -> worker, admin -> parent: publish this image; fd attached
    AGR_MSG_POLICY_DONE, // worker -> parent, parent -> admin: generation now served
    AGR_MSG_DRAIN,       // parent -> worker: answer what is there, then exit
    AGR_MSG_RELOAD,      // parent -> admin: SIGHUP arrived
    AGR_MSG_JOURNAL, // parent -> worker, admin: the sequencer was replaced; a connection to the new one is
                     // attached
    AGR_MSG_CRASH,   // parent -> admin: a worker died; generation = request digest, serial = pid, result =
                     // signal
    AGR_MSG_KEYS     // admin -> parent -> worker: the API keys were read again; sealed descriptor attached
};
struct agr_msg {
    uint32_t kind;
    uint32_t result; // enum aegis_status
    uint64_t generation;
    uint64_t serial;
    uint32_t workers, zero;
};
// fd -1: none. False with errno.
bool agr_msg_send(int sock, const struct agr_msg *m, int fd);
// 1: a message, *ret_fd is -1 or a descriptor the caller owns; 0: nothing there; -1: the other side is gone.
int agr_msg_recv(int sock, struct agr_msg *ret, int *ret_fd);

// What a child gets from the parent.
struct agr_heritage {
    const struct agr_server_config *config;
    struct agr_listener *listeners; // of this process
    unsigned nlisteners;
    int control; // to the parent
    int state_fd, kill_fd;
    int journal_sock; // connected to the sequencer
    int policy_fd;    // sealed image to start with
    int keys_fd;      // API keys that were read again since the start; -1: the file holds them
    uint64_t generation;
    struct agr_state *state; // the parent's mapping, shared
    struct agr_kill *kill;
};

int agr_worker_main(const struct agr_heritage *h);
int agr_admin_main(const struct agr_heritage *h);
int agr_serve(struct agr_server_config *c);

// ---- worker state, seen by the data-plane handlers
struct agr_worker_process {
    const struct agr_server_config *config;
    struct agr_loop loop;
    struct aegis_host *host;
    struct aegis_ctx *ctx;
    struct aegis_slot *slot;
    struct agr_state *state;
    struct agr_kill *kill; // read-only
    int control;           // to the parent
    int64_t drain_until_ns;
    uint32_t line;       // in the state file
    uint64_t generation; // of the policy served
    char digest[72];     // of the policy served, as text
    char *record;        // text of one decision record
    size_t record_size;
    struct agr_api_key *keys;
    uint32_t nkeys;
};
void agr_data_handle(struct agr_conn *c, const struct agr_request *r);
void agr_admin_handle(struct agr_conn *c, const struct agr_request *r);

// ---- counters
enum agr_counter {
#define COUNTER(ID, metric, labels, type, help) AGR_C_##ID,
#define GAUGE(ID, metric, divisor, help)        AGR_C_##ID,
#define BUCKETS(ID, metric, labels, help)       AGR_C_##ID, AGR_C_##ID##_SUM = AGR_C_##ID + (int)AGR_BUCKETS + 1,
#include "counters.def"
    AGR_C_COUNT
};
_Static_assert((int)AGR_C_COUNT <= (int)AGR_COUNTERS_MAX, "counters fit their row of the state file");
void agr_count(const struct agr_worker_process *w, enum agr_counter c);
int64_t agr_bucket_bound(unsigned i); // ns
void agr_count_latency(const struct agr_worker_process *w, enum agr_counter histogram, int64_t ns);
// Prometheus text of all counters and gauges into malloc'd memory; NULL when memory is out.
struct agr_metrics_source {
    struct agr_state *state;
    const char *audit_dir;
    uint64_t generation; // of the policy served
};
char *agr_metrics_text(const struct agr_metrics_source *m, size_t *ret_n);

// ---- listen.c: "ADDR:PORT" or "unix:PATH" -> a listening descriptor. -1 with a message in why.
int agr_listen(const char *spec, bool is_seqpacket, struct agr_listener *ret, char *why, size_t why_size);

// ---- sandbox.c: seccomp filter of a worker; false with a message when it cannot be installed.
bool agr_sandbox_worker(char *why, size_t why_size);

// ---- identity.c
struct agr_api_key;
// Reads a key file: lines "sha256-hex tenant [agent]". NULL with a message on failure.
struct agr_api_key *agr_keys_read(const char *path, uint32_t *ret_n, char *why, size_t why_size);
// Who sent the request on an identity:key listener; false: 401.
// The keys as a sealed descriptor for workers, which open no file; -1 with errno. agr_keys_map is the other
// end: one mapping of the same pages, or NULL when the descriptor holds no keys.
int agr_keys_seal(const struct agr_api_key *keys, uint32_t n);
struct agr_api_key *agr_keys_map(int fd, uint32_t *ret_n);
void agr_keys_free(struct agr_api_key *keys, uint32_t n);
bool agr_key_identify(const struct agr_api_key *keys, uint32_t n, const struct agr_request *r,
                      struct aegis_str *ret_tenant, struct aegis_str *ret_agent);

// Admin tokens: lines "sha256-hex role name". Start with a zeroed struct; reading again replaces it only when
// all is well.
struct agr_admin_token;
struct agr_admin_tokens {
    struct agr_admin_token *token;
    uint32_t n;
    size_t bytes;
};
bool agr_tokens_read(const char *path, struct agr_admin_tokens *ret, char *why, size_t why_size);
// Who sent an admin request: a bearer token has the role of its line; the server's own uid (or root) on a
// Unix socket is admin. Role none: 401.
struct agr_admin_id {
    enum agr_role role;
    char name[AGR_IDENTITY_NAME_MAX + 1];
    size_t name_n;
};
struct agr_admin_id agr_admin_identify(const struct agr_admin_tokens *tokens, const struct agr_conn *c,
                                       const struct agr_request *r);
const char *agr_role_text(enum agr_role role);

#endif
