// SPDX-License-Identifier: Apache-2.0
// Opening and closing: a host over directories, over descriptors of a parent, or simulated; and the contexts
// on it. In: options. Out: struct aegis_host, struct aegis_ctx. All I/O of libaegis's set-up happens here;
// decisions do none. Owns: what the structs hold. Next file to read: decide.c.
#include "host.h"
#include "watch.h"

#include "crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static enum aegis_status
name_set(struct aegis_host *h, const char *name, struct aegis_error *reterr)
{
    struct ag_str s = ag_str_z(name ? name : "default");
    if (s.n == 0 || s.n > AGR_POLICY_NAME_MAX)
        return agr_fail(reterr, AEGIS_USAGE, "a policy name has 1 to %u bytes", AGR_POLICY_NAME_MAX);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && c != '-' && c != '_' && c != '.')
            return agr_fail(reterr, AEGIS_USAGE,
                            "a policy name is made of letters, digits, '-', '_' and '.'");
    }
    memcpy(h->policy_name, s.p, s.n);
    h->policy_name_n = s.n;
    return AEGIS_OK;
}

static enum aegis_status
open_simulated(struct aegis_host *h, const struct aegis_host_options *o, struct aegis_error *reterr)
{
    struct agr_time now;
    agr_clock_now(agr_clock_system(), &now);
    int64_t wall = o->now_ns ? o->now_ns : now.wall_ns;
    h->clock_sim = agr_clock_virtual_init(&h->sim_now, wall, now.boot_ns);
    h->clock = &h->clock_sim;
    // A simulator keeps few keys: a small table costs little to make.
    struct agr_state_options so = {
        .entries = 4096, .share_permille = 1000, .bytes = o->state_bytes, .clock = h->clock};
    enum aegis_status s = agr_state_open_memory(&so, &h->state, reterr);
    return s != AEGIS_OK ? s : agr_kill_open_memory(&h->kill, reterr);
}

static bool
has_log(const char *dir)
{
    char path[4096];
    return snprintf(path, sizeof path, "%s/wal", dir) < (int)sizeof path && access(path, F_OK) == 0;
}

#define DIR_WAIT_MS 10000 // longest wait for another process that opens the same directory

// One process at a time makes or takes up the files of a directory; the lock ends with the descriptor, so
// also when its holder is killed.
static enum aegis_status
lock_dir(const char *dir, int *ret_fd, struct aegis_error *reterr)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        return agr_fail(reterr, AEGIS_IO, "%s: %s", dir, strerror(errno));
    for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; waited++) {
        const struct timespec nap = {.tv_nsec = 1000000};
        if (errno == EINTR || (errno == EWOULDBLOCK && waited < DIR_WAIT_MS)) {
            (void)nanosleep(&nap, NULL);
            continue;
        }
        enum aegis_status s = errno == EWOULDBLOCK ? AEGIS_BUSY : AEGIS_IO;
        agr_fail(reterr, s, "%s: %s", dir,
                 s == AEGIS_BUSY ? "another process is opening it" : strerror(errno));
        close(fd);
        return s;
    }
    *ret_fd = fd;
    return AEGIS_OK;
}

// The caller holds the lock. The state file is made last: while it is missing, and there is no log, the
// directory is new and nothing can have been engaged, whatever a killed process left there. In one with a log
// the switches are rebuilt from it first, by `aegis serve` or `aegis sequencer`; until then decisions are
// unavailable.
static enum aegis_status
open_files(struct aegis_host *h, const char *dir, const struct aegis_host_options *o,
           struct aegis_error *reterr)
{
    char path[4096];
    struct agr_state_options so = {.bytes = o->state_bytes};
    if (snprintf(path, sizeof path, "%s/state", dir) >= (int)sizeof path)
        return agr_fail(reterr, AEGIS_USAGE, "the directory's name is too long");
    bool is_new = access(path, F_OK) == -1 && errno == ENOENT && !has_log(dir);
    enum aegis_status s = agr_kill_open(dir, true, &h->kill, reterr);
    if (s == AEGIS_OK && is_new && !agr_kill_is_ready(h->kill))
        agr_kill_ready(h->kill);
    return s == AEGIS_OK ? agr_state_open(dir, &so, &h->state, &h->origin, reterr) : s;
}

static enum aegis_status
open_dir(struct aegis_host *h, const char *dir, const struct aegis_host_options *o,
         struct aegis_error *reterr)
{
    int fd = -1;
    if (!dir)
        return agr_fail(reterr, AEGIS_USAGE, "a host that is not simulated needs a directory");
    if (mkdir(dir, 0700) == -1 && errno != EEXIST)
        return agr_fail(reterr, AEGIS_IO, "%s: %s", dir, strerror(errno));
    h->audit_dir = strdup(dir);
    if (!h->audit_dir)
        return agr_fail(reterr, AEGIS_NO_MEMORY, "out of memory");
    h->backlog_max = (uint64_t)o->journal_segments * AGR_SEGMENT_SIZE;
    enum aegis_status s = lock_dir(dir, &fd, reterr);
    if (s != AEGIS_OK)
        return s;
    s = open_files(h, dir, o, reterr);
    close(fd);
    return s;
}

enum aegis_status
agr_host_open(const char *dir, const struct aegis_host_options *o, struct aegis_host **ret,
              struct aegis_error *reterr)
{
    struct aegis_host_options none = {.size = sizeof none};
    if (!o)
        o = &none;
    if (!ag_crypto_init())
        return agr_fail(reterr, AEGIS_IO, "libsodium cannot start");
    struct aegis_host *h = calloc(1, sizeof *h);
    if (!h)
        return agr_fail(reterr, AEGIS_NO_MEMORY, "out of memory");
    h->journal_sock = -1;
    h->is_simulated = o->is_simulated;
    h->crypto = o->crypto;
    h->clock = agr_clock_system();
    enum aegis_status s = name_set(h, o->policy_name, reterr);
    if (s == AEGIS_OK)
        s = o->is_simulated ? open_simulated(h, o, reterr) : open_dir(h, dir, o, reterr);
    if (s != AEGIS_OK) {
        agr_host_close(h);
        return s;
    }
    *ret = h;
    return AEGIS_OK;
}

enum aegis_status
agr_host_attach(const struct aegis_host_fds *fds, struct aegis_host **ret, struct aegis_error *reterr)
{
    if (!ag_crypto_init())
        return agr_fail(reterr, AEGIS_IO, "libsodium cannot start");
    struct aegis_host *h = calloc(1, sizeof *h);
    if (!h)
        return agr_fail(reterr, AEGIS_NO_MEMORY, "out of memory");
    h->journal_sock = -1;
    h->crypto = fds->crypto;
    h->clock = agr_clock_system();
    enum aegis_status s = name_set(h, fds->policy_name, reterr);
    if (s == AEGIS_OK)
        s = agr_state_attach_fd(fds->state_fd, &h->state, reterr);
    if (s == AEGIS_OK)
        s = agr_kill_attach_fd(fds->kill_fd, false, &h->kill, reterr);
    if (s != AEGIS_OK) {
        agr_host_close(h);
        return s;
    }
    h->journal_sock = fds->journal_sock;
    *ret = h;
    return AEGIS_OK;
}

void
agr_host_close(struct aegis_host *h)
{
    if (!h)
        return;
    agr_kill_close(h->kill);
    agr_state_close(h->state);
    if (h->journal_sock != -1)
        close(h->journal_sock);
    free(h->audit_dir);
    free(h);
}

// The journal of this context: over the socket that the parent gave, or in the host's directory.
static enum aegis_status
open_journal(struct aegis_ctx *ctx)
{
    struct aegis_host *h = ctx->host;
    enum agr_journal_status js;
    if (h->journal_sock != -1) {
        js = agr_journal_open_socket(&ctx->journal, h->journal_sock, ctx->worker);
        if (js == AGR_JOURNAL_OK)
            h->journal_sock = -1;
    } else if (h->audit_dir) {
        js = agr_journal_open_dir(&ctx->journal, h->audit_dir, ctx->worker, h->backlog_max);
    } else {
        return AEGIS_AUDIT;
    }
    ctx->has_journal = js == AGR_JOURNAL_OK;
    return ctx->has_journal ? AEGIS_OK : AEGIS_AUDIT;
}

enum aegis_status
agr_ctx_new(const struct aegis_limits *limits, struct aegis_host *host, struct aegis_ctx **ret)
{
    struct aegis_limits none = {.size = sizeof none};
    if (!limits)
        limits = &none;
    if (limits->input_max > AGR_INPUT_MAX_MAX || limits->arena_size > AGR_CALL_ARENA_MAX ||
        (limits->arena_size && limits->arena_size < AGR_CALL_ARENA_MIN))
        return AEGIS_USAGE;
    struct aegis_ctx *ctx = calloc(1, sizeof *ctx);
    if (!ctx)
        return AEGIS_NO_MEMORY;
    enum aegis_status s = AEGIS_NO_MEMORY;
    ctx->host = host;
    ctx->input_max = limits->input_max ? limits->input_max : AGR_INPUT_MAX;
    ctx->fuel_max = limits->fuel;
    size_t arena = limits->arena_size ? limits->arena_size : AGR_CALL_ARENA;
    void *mem = mmap(NULL, arena, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mem == MAP_FAILED)
        goto out;
    ag_arena_init(&ctx->arena, mem, arena);
    ag_crypto_random(ctx->seed_key, sizeof ctx->seed_key);
    ctx->call.mem.arena = &ctx->arena;
    ctx->call.mem.base[AG_IN_ARENA] = ctx->arena.base;
    ctx->call.outcome = &ctx->outcome;
    ctx->call.crypto = host->crypto;
    ctx->snapshot = (struct ag_snapshot){ctx, agr_killed, agr_limit_peek, agr_killed_tenant};
    ctx->call.snapshot = &ctx->snapshot;
    s = agr_worker_join(host->state, &ctx->worker);
    if (s != AEGIS_OK)
        goto out;
    ctx->has_worker = true;
    if (!host->is_simulated) {
        s = open_journal(ctx);
        if (s != AEGIS_OK)
            goto out;
    }
    *ret = ctx;
    return AEGIS_OK;
out:
    agr_ctx_free(ctx);
    return s;
}

void
agr_ctx_free(struct aegis_ctx *ctx)
{
    if (!ctx)
        return;
    agr_ctx_begin(ctx);
    agr_watch(ctx, NULL, NULL);
    if (ctx->has_worker)
        agr_worker_leave(ctx->host->state, ctx->worker);
    if (ctx->has_journal)
        agr_journal_close(&ctx->journal);
    if (ctx->arena.base)
        munmap(ctx->arena.base, ctx->arena.size);
    free(ctx->regs);
    ag_crypto_wipe(ctx->seed_key, sizeof ctx->seed_key);
    free(ctx);
}
