// SPDX-License-Identifier: Apache-2.0
// A worker: serves the data plane from one loop, with everything it needs opened before the sandbox closes
// behind it. In: the parent's heritage. Out: answers. Holds no signing key and opens nothing. A new policy
// arrives as a sealed memfd that was verified before; requests before and after the switch each see one
// policy. Next file to read: data.c.
#include "data.h"

#include "reply.h"
#include "aegis_crypto.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS    100000 // the shortest that the scheduler grants
#define TAG_CONTROL 0u
#define TAG_JOURNAL 1u
#define TURN_MS     500 // heartbeat and time limits

void
agr_count(const struct agr_worker_process *w, enum agr_counter c)
{
    agr_counter_add(w->state, w->line, (uint32_t)c, 1);
}

// Upper bounds in ns: 1, 2.5, 5 times each power of ten from a microsecond to ten seconds (A29).
static const int64_t bucket_ns[AGR_BUCKETS] = {
    1000,      2500,      5000,       10000,      25000,      50000,      100000,   250000,
    500000,    1000000,   2500000,    5000000,    10000000,   25000000,   50000000, 100000000,
    250000000, 500000000, 1000000000, 2500000000, 5000000000, 10000000000};

int64_t
agr_bucket_bound(unsigned i)
{
    return bucket_ns[i];
}

void
agr_count_latency(const struct agr_worker_process *w, enum agr_counter histogram, int64_t ns)
{
    unsigned i = 0;
    while (i < AGR_BUCKETS && ns > bucket_ns[i])
        i++;
    agr_counter_add(w->state, w->line, (uint32_t)histogram + i, 1);
    agr_counter_add(w->state, w->line, (uint32_t)histogram + AGR_BUCKETS + 1, (uint64_t)ns);
}

// An answer of which nothing could be sent may not leave later without a new reading of the kill words, so
// its connection closes.
static void
after_write(struct agr_loop *l, struct agr_conn *c, ssize_t written)
{
    (void)l;
    if (c->has_allow && written <= 0) {
        c->out_n = c->out_at = 0;
        c->is_closing = true;
    }
    c->has_allow = false;
}

// The first bytes of all answers are with the kernel: an engagement of the kill switch need not wait for us
// any longer.
static void
after_turn(struct agr_loop *l)
{
    aegis_ctx_leave(((struct agr_worker_process *)l->user)->ctx);
}

static void
keep_name(struct agr_conn *c, unsigned i, struct aegis_str s)
{
    c->park_who_n[i] = s.n <= AGR_PARK_NAME ? (uint16_t)s.n : 0;
    if (c->park_who_n[i])
        memcpy(c->park_who[i], s.p, s.n);
}

void
agr_data_park_identity(struct agr_conn *c, const struct aegis_decision *d)
{
    c->park_is_allow = c->has_allow;
    c->has_allow = false;
    keep_name(c, 0, d->tenant);
    keep_name(c, 1, d->agent);
    keep_name(c, 2, d->type);
}

static struct aegis_str
kept(const struct agr_conn *c, unsigned i)
{
    return (struct aegis_str){c->park_who[i], c->park_who_n[i]};
}

// Sends the parked answers whose rows are synced.
static void
resume_synced(struct agr_worker_process *w)
{
    for (struct agr_conn *c = w->loop.parked, *next; c; c = next) {
        uint64_t gseq = 0;
        next = c->next_parked;
        if (!aegis_ctx_is_synced(w->ctx, c->park_wseq, c->park_position, &gseq))
            continue;
        if (c->park_gseq_at) {
            char text[24];
            struct ag_buf b;
            ag_buf_init(&b, text, sizeof text);
            ag_buf_u64(&b, gseq);
            memcpy(c->out + c->park_gseq_at, b.p, b.n);
        }
        if (c->park_is_allow && aegis_ctx_recheck_kill(w->ctx, kept(c, 0), kept(c, 1), kept(c, 2))) {
            c->out_n = 0;
            agr_reply_error(c, 403, "kill_switch",
                            "the kill switch was engaged while the answer waited for its audit row");
        } else {
            c->has_allow = c->park_is_allow;
        }
        agr_conn_resume(c);
    }
}

// Publishes an image the parent sent; the sealed bytes were verified in a child before.
static void
publish(struct agr_worker_process *w, const struct agr_msg *m, int fd)
{
    struct aegis_policy *p;
    struct aegis_error e = {.size = sizeof e};
    enum aegis_status s = aegis_policy_open_fd(fd, NULL, &p, &e);
    if (s == AEGIS_OK) {
        struct aegis_policy_info info = {.size = sizeof info};
        struct ag_buf b;
        aegis_policy_info(p, &info);
        ag_buf_init(&b, w->digest, sizeof w->digest);
        ag_buf_lit(&b, "blake2b:");
        ag_buf_hex(&b, info.digest, sizeof info.digest);
        aegis_slot_publish(w->slot, p);
        w->generation = m->generation;
    }
    struct agr_msg done = {.kind = AGR_MSG_POLICY_DONE, .result = (uint32_t)s, .generation = m->generation};
    agr_msg_send(w->control, &done, -1);
}

// API keys that admin read again. What is no set of keys is not taken: the ones before stay.
static void
take_keys(struct agr_worker_process *w, int fd)
{
    uint32_t n;
    struct agr_api_key *keys = w->config->api_keys ? agr_keys_map(fd, &n) : NULL;
    if (!keys)
        return;
    agr_keys_free(w->keys, w->nkeys);
    w->keys = keys;
    w->nkeys = n;
}

// False: the parent is gone.
static bool
on_control(struct agr_worker_process *w)
{
    struct agr_msg m;
    int fd, got;
    while ((got = agr_msg_recv(w->control, &m, &fd)) == 1) {
        if (m.kind == AGR_MSG_POLICY && fd != -1) {
            publish(w, &m, fd);
        } else if (m.kind == AGR_MSG_KEYS && fd != -1) {
            take_keys(w, fd);
        } else if (m.kind == AGR_MSG_JOURNAL && fd != -1) {
            if (aegis_ctx_resume(w->ctx, fd) == AEGIS_OK) {
                agr_loop_watch(&w->loop, fd, TAG_JOURNAL);
                fd = -1;
            }
        }
        if (m.kind == AGR_MSG_DRAIN && !w->loop.is_draining) {
            agr_loop_drain(&w->loop);
            w->drain_until_ns = w->loop.now_ns + (int64_t)AGR_DRAIN_S * 1000000000 / 2;
        }
        if (fd != -1)
            close(fd);
    }
    return got == 0;
}

// Asks the scheduler for short turns on the CPU (Linux 6.12 and later; before it the wish has no effect).
// Whoever wakes with a shorter slice than the one that runs need not wait for its end: a worker then gets the
// CPU from the sequencer at once, with the same share in the long run and without a privilege.
static void
ask_short_slice(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr = {.size = sizeof attr, .policy = SCHED_OTHER, .runtime = SLICE_NS};
    errno = 0;
    attr.nice = getpriority(PRIO_PROCESS, 0);
    if (errno == 0)
        syscall(SYS_sched_setattr, 0, &attr, 0);
}

static bool
set_up(struct agr_worker_process *w, const struct agr_heritage *h)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_host_fds fds = {.size = sizeof fds,
                                 .state_fd = h->state_fd,
                                 .kill_fd = h->kill_fd,
                                 .journal_sock = h->journal_sock,
                                 .policy_name = "default",
                                 .crypto = aegis_crypto_openssl()}; // before the filter closes
    char why[256] = "";
    if (aegis_host_attach(&fds, &w->host, &e) != AEGIS_OK ||
        agr_kill_attach_fd(h->kill_fd, false, &w->kill, &e) != AEGIS_OK)
        goto fail;
    agr_kill_close(h->kill); // the parent's mapping can be written; ours may not
    enum aegis_status s = aegis_ctx_new(NULL, w->host, &w->ctx);
    if (s != AEGIS_OK) {
        snprintf(e.text, sizeof e.text, "context: %s", aegis_status_text(s));
        goto fail;
    }
    aegis_ctx_hold(w->ctx, 1);
    w->line = aegis_ctx_worker(w->ctx);
    agr_gauge_set(w->state, w->line, AGR_C_KL_MICRO, 0); // of whoever had this line before
    agr_gauge_set(w->state, w->line, AGR_C_KL_STATUS, 0);
    if (aegis_slot_new(&w->slot) != AEGIS_OK)
        goto fail;
    struct agr_msg first = {.kind = AGR_MSG_POLICY, .generation = h->generation};
    publish(w, &first, h->policy_fd);
    if (h->keys_fd != -1)
        take_keys(w, h->keys_fd);
    if (w->config->api_keys && !w->keys) {
        w->keys = agr_keys_read(w->config->api_keys, &w->nkeys, why, sizeof why);
        if (!w->keys) {
            snprintf(e.text, sizeof e.text, "%s", why);
            goto fail;
        }
    }
    if (!agr_loop_init(&w->loop, h->listeners, h->nlisteners, agr_data_handle, w) ||
        !agr_loop_watch(&w->loop, w->control, TAG_CONTROL)) {
        snprintf(e.text, sizeof e.text, "epoll: %s", strerror(errno));
        goto fail;
    }
    w->loop.after_write = after_write;
    w->loop.after_turn = after_turn;
    int journal = aegis_ctx_journal_fd(w->ctx);
    if (journal != -1)
        agr_loop_watch(&w->loop, journal, TAG_JOURNAL);
    ask_short_slice();
    if (w->config->is_sandboxed && !agr_sandbox_worker(why, sizeof why)) {
        snprintf(e.text, sizeof e.text, "%s", why);
        goto fail;
    }
    return true;
fail:
    fprintf(stderr, "aegis: worker %d: %s\n", (int)getpid(), e.text);
    return false;
}

int
agr_worker_main(const struct agr_heritage *h)
{
    static struct agr_worker_process process;
    struct agr_worker_process *w = &process;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    w->config = h->config;
    w->state = h->state;
    w->control = h->control;
    if (!set_up(w, h))
        return 1;
    for (;;) {
        uint32_t ready = agr_loop_turn(&w->loop, TURN_MS);
        if ((ready >> TAG_CONTROL & 1) && !on_control(w))
            return 0;
        if (ready >> TAG_JOURNAL & 1 || aegis_ctx_wants_refill(w->ctx))
            aegis_ctx_refill(w->ctx);
        if (w->loop.parked)
            resume_synced(w);
        agr_worker_beat(w->state, w->line, w->loop.now_ns);
        if (w->loop.is_draining && (!w->loop.nconns || w->loop.now_ns > w->drain_until_ns))
            break;
    }
    agr_loop_fini(&w->loop);
    aegis_ctx_free(w->ctx);
    return 0;
}
