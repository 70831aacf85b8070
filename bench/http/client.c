// SPDX-License-Identifier: Apache-2.0
// Event loop of the load driver. One connection has at most one request in flight: what waits for a free
// connection waits in time (its due time is already fixed), not in memory.
//   connection: IDLE -> (request written) -> WAITING -> (answer complete) -> IDLE; a broken one reconnects.
// In: plan. Out: result. load_run owns everything it allocates. Next file: load.c.
#include "client.h"
#include "answer.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define SPIN_NS 200000 // nearer than this the loop polls: a sleeping driver would be measured itself

struct connection {
    int fd;
    bool waiting, counted;
    uint64_t due; // when the request in flight should have been sent
    const struct load_request *request;
    size_t sent, held, cap;
    char *in;
};

struct engine {
    const struct load_plan *plan;
    struct load_result *res;
    struct connection *connections;
    unsigned *idle, nidle, first_idle; // ring of free connections, the longest free one first
    int epoll;
    uint64_t start, measure_from, end;
    uint64_t next; // number of the next request
};

static uint64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void
idle_push(struct engine *e, unsigned ix)
{
    e->idle[(e->first_idle + e->nidle++) % e->plan->connections] = ix;
}

static unsigned
idle_pop(struct engine *e)
{
    unsigned ix = e->idle[e->first_idle];
    e->first_idle = (e->first_idle + 1) % e->plan->connections;
    e->nidle--;
    return ix;
}

// Opens connection ix; blocking, since the peer is on this machine. 0 or -1.
static int
open_connection(struct engine *e, unsigned ix)
{
    struct connection *c = &e->connections[ix];
    const struct addr *to = &e->plan->to;
    int one = 1;
    c->fd = socket(to->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd == -1)
        return -1;
    if (connect(c->fd, (const struct sockaddr *)&to->sa, to->n) == -1 ||
        fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1)
        goto fail;
    if (to->sa.ss_family != AF_UNIX && setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == -1)
        goto fail;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = ix};
    if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1)
        goto fail;
    c->waiting = false;
    c->sent = c->held = 0;
    return 0;
fail:
    close(c->fd);
    c->fd = -1;
    return -1;
}

// Ends a connection and opens it again; *count says what went wrong, or NULL for a close the server
// announced.
static void
reopen(struct engine *e, unsigned ix, uint64_t *count)
{
    struct connection *c = &e->connections[ix];
    if (count != NULL && c->waiting && c->counted)
        (*count)++;
    close(c->fd);
    c->fd = -1;
    if (open_connection(e, ix) == -1) {
        e->res->connecting++;
        return; // this connection is lost; the end of the run tells
    }
    idle_push(e, ix);
}

static void
write_more(struct engine *e, unsigned ix)
{
    struct connection *c = &e->connections[ix];
    while (c->sent < c->request->n) {
        ssize_t n = send(c->fd, c->request->bytes + c->sent, c->request->n - c->sent, MSG_NOSIGNAL);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1 && errno == EAGAIN)
            return;
        if (n == -1) {
            reopen(e, ix, &e->res->broken);
            return;
        }
        c->sent += (size_t)n;
    }
}

static void
start_request(struct engine *e, uint64_t due)
{
    unsigned ix = idle_pop(e);
    struct connection *c = &e->connections[ix];
    c->request = &e->plan->requests[e->next++ % e->plan->nrequests];
    c->due = due;
    c->counted = due >= e->measure_from && due < e->end;
    c->sent = c->held = 0;
    c->waiting = true;
    if (c->counted && e->plan->rate > 0) {
        uint64_t now = now_ns();
        hist_add(&e->res->lag, now > due ? now - due : 0);
    }
    write_more(e, ix);
}

static void
count_decision(struct load_result *res, const struct answer *a)
{
    char name[sizeof res->decision[0].name];
    if (!answer_decision(a, name, sizeof name))
        return;
    for (unsigned i = 0; i < DECISION_MAX; i++) {
        if (res->decision[i].n == 0)
            memcpy(res->decision[i].name, name, sizeof name);
        else if (strcmp(res->decision[i].name, name) != 0)
            continue;
        res->decision[i].n++;
        return;
    }
}

static void
count_answer(struct engine *e, const struct connection *c, const struct answer *a)
{
    struct load_result *res = e->res;
    uint64_t now = now_ns();
    if (!c->counted || now >= e->end)
        return;
    hist_add(&res->latency, now - c->due);
    res->answers++;
    res->bytes_in += a->total;
    res->status[a->status < 600 ? a->status : 0]++;
    count_decision(res, a);
    if (e->plan->expect_status != 0 && a->status != e->plan->expect_status)
        res->wrong_status++;
    const char *text = e->plan->expect_text;
    if (text != NULL && memmem(a->body, a->body_n, text, strlen(text)) == NULL)
        res->wrong_text++;
}

// Takes what came; false when the connection was replaced.
static bool
take(struct engine *e, unsigned ix)
{
    struct connection *c = &e->connections[ix];
    struct answer a;
    switch (answer_parse(c->in, c->held, &a)) {
    case ANSWER_PARTIAL: return true;
    case ANSWER_BAD: reopen(e, ix, &e->res->framing); return false;
    case ANSWER_COMPLETE: break;
    }
    count_answer(e, c, &a);
    c->waiting = false;
    c->held = 0;
    if (a.closes) {
        reopen(e, ix, NULL);
        return false;
    }
    idle_push(e, ix);
    return true;
}

// The server ended the connection: an answer is lost, or an idle connection is replaced in its place in the
// ring.
static void
end_of_stream(struct engine *e, unsigned ix)
{
    struct connection *c = &e->connections[ix];
    if (c->waiting) {
        reopen(e, ix, &e->res->broken);
        return;
    }
    close(c->fd);
    c->fd = -1;
    if (open_connection(e, ix) == -1)
        e->res->connecting++;
}

static void
read_more(struct engine *e, unsigned ix)
{
    struct connection *c = &e->connections[ix];
    for (;;) {
        if (c->held == c->cap && c->cap < ANSWER_MAX) {
            char *more = realloc(c->in, c->cap * 2);
            if (more != NULL) {
                c->in = more;
                c->cap *= 2;
            }
        }
        if (c->held == c->cap) {
            reopen(e, ix, &e->res->framing);
            return;
        }
        ssize_t n = recv(c->fd, c->in + c->held, c->cap - c->held, 0);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1 && errno == EAGAIN)
            return;
        if (n <= 0) {
            end_of_stream(e, ix);
            return;
        }
        c->held += (size_t)n;
        if (c->waiting && !take(e, ix))
            return;
        if (!c->waiting && c->held < c->cap)
            return; // answered; edge triggered, and nothing more can come before the next request
    }
}

static uint64_t
due_of(const struct engine *e, uint64_t i)
{
    return e->start + (uint64_t)((double)i * 1e9 / e->plan->rate);
}

// Sends everything that is due; returns the time until the next one in ns.
static uint64_t
send_due(struct engine *e)
{
    uint64_t now = now_ns();
    if (e->plan->rate == 0) {
        while (e->nidle > 0 && now < e->end) {
            start_request(e, now);
            now = now_ns();
        }
        return e->end > now ? e->end - now : 0;
    }
    for (;;) {
        uint64_t due = due_of(e, e->next);
        if (due >= e->end)
            return e->end > now ? e->end - now : 0;
        if (due > now)
            return due - now;
        if (e->nidle == 0)
            return e->end > now ? e->end - now : 0; // an answer wakes us
        start_request(e, due);
    }
}

static void
loop(struct engine *e)
{
    struct epoll_event events[256];
    while (now_ns() < e->end) {
        uint64_t wait = send_due(e);
        struct timespec t = {(time_t)(wait / 1000000000), (long)(wait % 1000000000)};
        if (wait < SPIN_NS)
            t = (struct timespec){0, 0};
        else if (wait < 1000000000)
            t.tv_nsec -= SPIN_NS / 2;
        int n = epoll_pwait2(e->epoll, events, 256, &t, NULL);
        for (int i = 0; i < n; i++) {
            unsigned ix = events[i].data.u32;
            struct connection *c = &e->connections[ix];
            if (c->fd != -1 && c->waiting && c->sent < c->request->n && (events[i].events & EPOLLOUT))
                write_more(e, ix);
            if (c->fd != -1 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                read_more(e, ix);
        }
    }
}

static int
open_all(struct engine *e)
{
    for (unsigned i = 0; i < e->plan->connections; i++) {
        struct connection *c = &e->connections[i];
        c->cap = 8192;
        c->in = malloc(c->cap);
        if (c->in == NULL || open_connection(e, i) == -1) {
            fprintf(stderr, "connection %u of %u: %s\n", i + 1, e->plan->connections, strerror(errno));
            return -1;
        }
        idle_push(e, i);
    }
    return 0;
}

// Requests that the measured time owes: in flight, and at a fixed rate those that no connection was free for.
static void
count_unanswered(struct engine *e)
{
    struct load_result *res = e->res;
    for (unsigned i = 0; i < e->plan->connections; i++)
        res->unanswered += e->connections[i].waiting && e->connections[i].counted;
    if (e->plan->rate > 0)
        for (uint64_t i = e->next; due_of(e, i) < e->end; i++)
            res->unanswered++;
    res->errors = res->connecting + res->broken + res->framing + res->wrong_status + res->wrong_text;
}

int
load_run(const struct load_plan *plan, struct load_result *ret)
{
    int rc = -1;
    struct engine e = {.plan = plan, .res = ret, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    memset(ret, 0, sizeof *ret);
    e.connections = calloc(plan->connections, sizeof *e.connections);
    e.idle = calloc(plan->connections, sizeof *e.idle);
    if (e.connections == NULL || e.idle == NULL || e.epoll == -1) {
        fprintf(stderr, "out of memory or descriptors\n");
        goto out;
    }
    for (unsigned i = 0; i < plan->connections; i++)
        e.connections[i].fd = -1;
    if (open_all(&e) == -1)
        goto out;
    e.start = now_ns();
    e.measure_from = e.start + (uint64_t)(plan->warmup * 1e9);
    e.end = e.measure_from + (uint64_t)(plan->seconds * 1e9);
    loop(&e);
    count_unanswered(&e);
    ret->seconds = plan->seconds;
    rc = 0;
out:
    for (unsigned i = 0; e.connections != NULL && i < plan->connections; i++) {
        free(e.connections[i].in);
        if (e.connections[i].fd != -1)
            close(e.connections[i].fd);
    }
    if (e.epoll != -1)
        close(e.epoll);
    free(e.connections);
    free(e.idle);
    return rc;
}
