// SPDX-License-Identifier: Apache-2.0
// Connections: buffers, one write per answer, time limits for slow clients. Requests on one connection are
// answered in order: the next one is not looked at before the answer to the last is with the kernel. In:
// readiness from epoll. Out: calls of the handler, bytes. Memory: buffers are kept by their connection and
// returned to the system when it closes. Next file to read: worker.c.
#include "conn.h"

#include "reply.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX   64
#define TAG_LISTENER (UINT64_C(1) << 62) // + listener number
#define TAG_FOREIGN  (UINT64_C(1) << 63) // + tag
#define SECOND_NS    INT64_C(1000000000)
#define SWEEP        64u // connections looked at for a timeout per turn

static int64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

bool
agr_loop_watch(struct agr_loop *l, int fd, unsigned tag)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = TAG_FOREIGN | tag};
    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

bool
agr_loop_init(struct agr_loop *l, struct agr_listener *listeners, unsigned n, agr_handler *handle, void *user)
{
    memset(l, 0, sizeof *l);
    l->handle = handle;
    l->user = user;
    l->listener = listeners;
    l->nlisteners = n;
    l->now_ns = now_ns();
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll == -1)
        return false;
    for (unsigned i = 0; i < n; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = TAG_LISTENER | i};
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, listeners[i].fd, &e) == -1)
            return false;
    }
    return true;
}

static void
conn_close(struct agr_conn *c)
{
    struct agr_loop *l = c->loop;
    for (struct agr_conn **p = &l->parked; *p; p = &(*p)->next_parked)
        if (*p == c) {
            *p = c->next_parked;
            break;
        }
    struct agr_conn *last = l->conn[--l->nconns];
    l->conn[c->slot] = last;
    last->slot = c->slot;
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void
watch(struct agr_conn *c, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    epoll_ctl(c->loop->epoll, EPOLL_CTL_MOD, c->fd, &e);
    c->wants_write = (events & EPOLLOUT) != 0;
}

static void
accept_one(struct agr_loop *l, const struct agr_listener *on)
{
    int fd = accept4(on->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd == -1)
        return; // another worker was faster, or the client left
    struct agr_conn *c = l->nconns < AGR_CONN_MAX ? calloc(1, sizeof *c) : NULL;
    char *in = c ? malloc(AGR_CONN_IN) : NULL, *out = c ? malloc(AGR_CONN_OUT) : NULL;
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    if (!in || !out || epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) == -1) {
        free(in);
        free(out);
        free(c);
        close(fd);
        return;
    }
    *c = (struct agr_conn){.fd = fd,
                           .on = on,
                           .loop = l,
                           .in = in,
                           .out = out,
                           .in_size = AGR_CONN_IN,
                           .out_size = AGR_CONN_OUT,
                           .peer_uid = (uid_t)-1,
                           .slot = l->nconns,
                           .deadline_ns = l->now_ns + AGR_TIMEOUT_IDLE_S * SECOND_NS};
    if (on->is_unix) {
        struct ucred who;
        socklen_t n = sizeof who;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0)
            c->peer_uid = who.uid;
    }
    l->conn[l->nconns++] = c;
}

bool
agr_conn_reserve(struct agr_conn *c, size_t n)
{
    if (n <= c->out_size - c->out_n)
        return true;
    size_t size = c->out_size;
    while (size - c->out_n < n)
        size *= 2;
    char *out = realloc(c->out, size);
    if (!out)
        return false;
    c->out = out;
    c->out_size = size;
    return true;
}

// Sends what is there. False: the connection is gone.
static bool
flush(struct agr_conn *c)
{
    struct agr_loop *l = c->loop;
    ssize_t n = send(c->fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL);
    if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        n = 0;
    bool is_first = c->out_at == 0;
    if (l->after_write && is_first)
        l->after_write(l, c, n);
    if (n == -1) {
        conn_close(c);
        return false;
    }
    c->out_at += (size_t)n;
    if (c->out_at < c->out_n) {
        if (!c->wants_write)
            watch(c, EPOLLOUT | EPOLLRDHUP);
        c->deadline_ns = l->now_ns + AGR_TIMEOUT_WRITE_S * SECOND_NS;
        return true;
    }
    c->out_n = c->out_at = 0;
    if (c->is_closing && c->is_refused) {
        // Closing with unread input would reset the connection, and a reset may destroy the answer on its
        // way.
        shutdown(c->fd, SHUT_WR);
        c->is_lingering = true;
        c->deadline_ns = l->now_ns + AGR_TIMEOUT_LINGER_S * SECOND_NS;
        watch(c, EPOLLIN | EPOLLRDHUP);
        return false;
    }
    if (c->is_closing) {
        conn_close(c);
        return false;
    }
    if (c->wants_write)
        watch(c, EPOLLIN | EPOLLRDHUP);
    c->deadline_ns = l->now_ns + AGR_TIMEOUT_IDLE_S * SECOND_NS;
    return true;
}

// The answer to HEAD ends with its head; the length it names is that of the body left out.
static void
cut_body(struct agr_conn *c)
{
    const char *end = memmem(c->out, c->out_n, "\r\n\r\n", 4);
    if (end)
        c->out_n = (size_t)(end - c->out) + 4;
}

// Looks at the next request in the buffer; its answer waits for the end of the turn. False: the connection is
// gone.
static bool
serve_buffer(struct agr_conn *c)
{
    struct agr_loop *l = c->loop;
    if (c->in_n && !c->is_parked && !c->out_n) {
        struct agr_request r;
        size_t used = 0;
        int status = 0;
        const char *why = NULL;
        enum agr_parse got =
            agr_parse(&c->parser, c->in, c->in_n, AGR_BODY_MAX_HTTP, &r, &used, &status, &why);
        if (got == AGR_PARSE_MORE) {
            if (r.expects_continue && !c->parser.has_continued) {
                c->parser.has_continued = true;
                if (send(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL) == -1 && errno != EAGAIN) {
                    conn_close(c);
                    return false;
                }
            }
            return true;
        }
        if (got == AGR_PARSE_REFUSE) {
            c->is_closing = c->is_refused = true;
            c->in_n = 0;
            agr_reply_error(c, status, "malformed", why);
            return flush(c);
        }
        if (!r.is_keep_alive || l->is_draining)
            c->is_closing = true;
        l->handle(c, &r);
        if (r.method == AGR_HEAD)
            cut_body(c);
        c->in_n -= used;
        if (c->in_n)
            memmove(c->in, c->in + used, c->in_n);
        agr_parser_reset(&c->parser);
        if (c->is_parked)
            return true;
        if (!c->out_n) { // no memory for an answer
            conn_close(c);
            return false;
        }
        l->ready[l->nready++] = c; // there is room: whoever calls us writes a full queue first
    }
    return true;
}

// Writes the answers that wait. What a client sent behind its request is served next.
static void
write_ready(struct agr_loop *l)
{
    while (l->nready) {
        struct agr_conn *c[AGR_READY_MAX];
        unsigned n = l->nready;
        memcpy(c, l->ready, n * sizeof c[0]);
        l->nready = 0;
        for (unsigned i = 0; i < n; i++)
            if (!flush(c[i]))
                c[i] = NULL;
        if (l->after_turn)
            l->after_turn(l);
        for (unsigned i = 0; i < n; i++)
            if (c[i] && !c[i]->out_n && c[i]->in_n)
                serve_buffer(c[i]);
    }
    if (l->after_turn)
        l->after_turn(l);
}

static void
on_readable(struct agr_conn *c)
{
    struct agr_loop *l = c->loop;
    size_t most = AGR_HEAD_MAX + AGR_BODY_MAX_HTTP + (AGR_BODY_MAX_HTTP >> 3); // chunk framing included
    if (c->in_n == c->in_size) {
        char *in = c->in_size < most ? realloc(c->in, c->in_size * 4) : NULL;
        if (!in) {
            c->is_closing = c->is_refused = true;
            agr_reply_error(c, 413, "too_large", "the request is too large");
            flush(c);
            return;
        }
        c->in = in;
        c->in_size *= 4;
    }
    ssize_t n = recv(c->fd, c->in + c->in_n, c->in_size - c->in_n, 0);
    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        conn_close(c);
        return;
    }
    if (c->in_n == 0)
        c->deadline_ns = l->now_ns + AGR_TIMEOUT_HEAD_S * SECOND_NS;
    c->in_n += (size_t)n;
    serve_buffer(c);
}

// Throws input away until the client has closed.
static void
linger(struct agr_conn *c)
{
    ssize_t n = recv(c->fd, c->in, c->in_size, 0);
    if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
        conn_close(c);
}

static void
on_event(struct agr_conn *c, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP)) {
        conn_close(c);
        return;
    }
    if (c->is_lingering) {
        linger(c);
        return;
    }
    if (c->wants_write) {
        if ((events & EPOLLOUT) && flush(c) && !c->out_n)
            serve_buffer(c);
        return;
    }
    if (events & EPOLLIN)
        on_readable(c);
    else if (events & EPOLLRDHUP)
        conn_close(c);
}

void
agr_conn_park(struct agr_conn *c)
{
    c->is_parked = true;
    c->next_parked = c->loop->parked;
    c->loop->parked = c;
    c->deadline_ns = c->loop->now_ns + AGR_TIMEOUT_PARK_S * SECOND_NS;
    watch(c, EPOLLRDHUP);
}

void
agr_conn_resume(struct agr_conn *c)
{
    for (struct agr_conn **p = &c->loop->parked; *p; p = &(*p)->next_parked)
        if (*p == c) {
            *p = c->next_parked;
            break;
        }
    c->is_parked = false;
    watch(c, EPOLLIN | EPOLLRDHUP);
    struct agr_loop *l = c->loop;
    if (flush(c) && !c->out_n)
        serve_buffer(c);
    write_ready(l);
}

static void
on_timeout(struct agr_conn *c)
{
    if (c->is_lingering) {
        conn_close(c);
    } else if (c->is_parked) {
        // The row is journaled but not synced in time: the client learns that there is no answer.
        c->out_n = c->out_at = 0;
        c->is_closing = true;
        agr_reply_error(c, 504, "deadline", "the audit row was not synced in time");
        agr_conn_resume(c);
    } else if (c->in_n && !c->out_n) {
        c->is_closing = c->is_refused = true;
        agr_reply_error(c, 408, "timeout", "the request did not arrive in time");
        flush(c);
    } else {
        conn_close(c);
    }
}

// A few connections each turn, so that no turn is long.
static void
sweep(struct agr_loop *l)
{
    for (unsigned i = 0; i < SWEEP && l->nconns; i++) {
        if (l->hand >= l->nconns)
            l->hand = 0;
        struct agr_conn *c = l->conn[l->hand++];
        if (c->deadline_ns < l->now_ns)
            on_timeout(c);
        if (i + 1 >= l->nconns)
            break;
    }
}

uint32_t
agr_loop_turn(struct agr_loop *l, int ms)
{
    struct epoll_event event[EVENTS_MAX];
    uint32_t foreign = 0;
    int n = epoll_wait(l->epoll, event, EVENTS_MAX, ms);
    l->now_ns = now_ns();
    for (int i = 0; i < n; i++) {
        uint64_t tag = event[i].data.u64;
        if (tag & TAG_FOREIGN)
            foreign |= 1u << (tag & 31);
        else if (tag & TAG_LISTENER)
            accept_one(l, &l->listener[tag & 0xff]);
        else
            on_event(event[i].data.ptr, event[i].events);
        if (l->nready == AGR_READY_MAX)
            write_ready(l);
    }
    write_ready(l);
    sweep(l);
    return foreign;
}

void
agr_loop_drain(struct agr_loop *l)
{
    l->is_draining = true;
    for (unsigned i = 0; i < l->nlisteners; i++)
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->listener[i].fd, NULL);
    for (uint32_t i = l->nconns; i-- > 0;) {
        struct agr_conn *c = l->conn[i];
        if (c->is_lingering || (!c->in_n && !c->out_n && !c->is_parked))
            conn_close(c);
        else
            c->is_closing = true;
    }
}

void
agr_loop_fini(struct agr_loop *l)
{
    while (l->nconns)
        conn_close(l->conn[l->nconns - 1]);
    if (l->epoll != -1)
        close(l->epoll);
}
