// SPDX-License-Identifier: Apache-2.0
// Step 17, the door to writers: sequencer.sock, journals handed out as descriptors, wake-ups and their
// answers. In: messages of 64 bytes from writers. Out: locked segments and the status page as descriptors. A
// writer that talks nonsense or does not read its answers loses its connection, nothing else. Owns: the
// listening socket it made, connections. Next: sequencer.c.
#include "seq.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum agr_audit_result
seq_link_open(struct sequencer *s)
{
    s->conns = calloc(SEQ_CONNS_MAX, sizeof(*s->conns));
    if (!s->conns)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "out of memory");
    if (s->o->has_listen_fd) {
        s->listen_fd = s->o->listen_fd;
        return AGR_AUDIT_OK;
    }
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/sequencer.sock", s->o->log_dir);
    if (n < 0 || (size_t)n >= sizeof(a.sun_path)) {
        seq_say(s, "the path of sequencer.sock is too long for a socket: writers use their own segments");
        return AGR_AUDIT_OK;
    }
    // It appears under its name when it listens, so that whoever sees it can connect.
    struct sockaddr_un hidden = {.sun_family = AF_UNIX};
    snprintf(hidden.sun_path, sizeof(hidden.sun_path), "%s/seq.sock", s->o->log_dir);
    unlink(hidden.sun_path); // LOG/lock is ours, so whoever left it is gone
    s->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listen_fd == -1 || bind(s->listen_fd, (struct sockaddr *)&hidden, sizeof(hidden)) != 0 ||
        chmod(hidden.sun_path, 0600) != 0 || listen(s->listen_fd, 128) != 0 ||
        rename(hidden.sun_path, a.sun_path) != 0)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "%s: %s", a.sun_path, strerror(errno));
    return AGR_AUDIT_OK;
}

void
seq_link_close(struct sequencer *s)
{
    for (uint32_t i = 0; i < s->conns_n; i++)
        close(s->conns[i].fd);
    free(s->conns);
    s->conns = NULL;
    s->conns_n = 0;
    if (s->listen_fd != -1 && !s->o->has_listen_fd) {
        close(s->listen_fd);
        unlinkat(s->log_fd, "sequencer.sock", 0);
    }
    s->listen_fd = -1;
}

// Sends an answer with descriptors; false when the writer does not take it.
static bool
answer(int sock, const struct agr_journal_msg *m, const int *fds, size_t count)
{
    union {
        char bytes[CMSG_SPACE(3 * sizeof(int))];
        struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof(control));
    struct iovec iov = {(void *)(uintptr_t)m, sizeof(*m)};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count) {
        h.msg_control = control.bytes;
        h.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    }
    return sendmsg(sock, &h, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(*m);
}

// A locked segment of journal j for its writer; -1 with errno. The lock lives in the descriptor that is
// passed on.
static int
make_segment(struct sequencer *s, const struct agr_wal_journal *j, uint32_t segment)
{
    struct agr_segment h = {.boot = j->boot, .journal = j->journal, .segment = segment, .worker = j->worker};
    int fd = -1;
    agr_segment_seal(&h);
    return agr_segment_create(s->journal_fd, &h, &fd) == AGR_JOURNAL_OK ? fd : -1;
}

static bool
handle_open(struct sequencer *s, struct seq_conn *c, struct agr_journal_msg *m)
{
    int fds[3] = {-1, -1, -1};
    struct agr_wal_journal w = {.boot = s->boot, .worker = m->worker};
    if (c->has_journal || s->last_journal == AGR_JOURNAL_NO_MAX)
        return false;
    w.journal = ++s->last_journal;
    w.last_time_ns = seq_now_ns();
    memcpy(w.kernel_boot, s->kernel_boot, sizeof(w.kernel_boot));
    fds[0] = make_segment(s, &w, 0);
    fds[1] = fds[0] == -1 ? -1 : make_segment(s, &w, 1);
    fds[2] = openat(s->journal_fd, "status", O_RDONLY | O_CLOEXEC);
    bool ok = fds[0] != -1 && fds[1] != -1 && fds[2] != -1;
    struct seq_journal *j = ok ? seq_journal_add(s, &w) : NULL;
    m->result = j ? 0 : (uint32_t)(errno ? errno : ENOMEM);
    if (j) {
        j->made = 1;
        c->has_journal = true;
        c->boot = m->boot = w.boot;
        c->journal = m->journal = w.journal;
        m->segment = 0;
    }
    ok = answer(c->fd, m, fds, j ? 3 : 0);
    for (int i = 0; i < 3; i++)
        if (fds[i] != -1)
            close(fds[i]);
    return ok;
}

static bool
handle_next(struct sequencer *s, struct seq_conn *c, struct agr_journal_msg *m)
{
    struct seq_journal *j = c->has_journal ? seq_journal_find(s, c->boot, c->journal) : NULL;
    if (!j)
        return false;
    // One that was made and never arrived (its answer was lost with a sequencer) is made again.
    bool is_next = m->segment == j->made + 1 || (m->segment == j->made && m->segment > j->segment);
    bool has_room = m->segment <= j->segment + s->o->backlog_max / AGR_SEGMENT_SIZE + 2 &&
                    !(s->status->flags & AGR_STATUS_REFUSE);
    int fd = -1;
    errno = ENOBUFS;
    if (is_next && has_room)
        fd = make_segment(s, &j->w, m->segment);
    m->result = fd == -1 ? (uint32_t)errno : 0;
    if (fd != -1)
        j->made = m->segment;
    bool ok = answer(c->fd, m, &fd, fd == -1 ? 0 : 1);
    if (fd != -1)
        close(fd);
    return ok;
}

static bool
handle_resume(struct sequencer *s, struct seq_conn *c, struct agr_journal_msg *m)
{
    seq_scan_dir(s);
    struct seq_journal *j = c->has_journal ? NULL : seq_journal_find(s, m->boot, m->journal);
    m->result = j ? 0 : ENOENT;
    if (j) {
        c->has_journal = true;
        c->boot = m->boot;
        c->journal = m->journal;
        j->has_hung_up = false;
        if (m->segment && j->made < m->segment - 1)
            j->made = m->segment - 1;
    }
    return answer(c->fd, m, NULL, 0);
}

// One message. False: the connection is over.
static bool
handle(struct sequencer *s, struct seq_conn *c, bool *ret_wake)
{
    struct agr_journal_msg m;
    ssize_t n = recv(c->fd, &m, sizeof(m), MSG_DONTWAIT);
    if (n == -1)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (n != (ssize_t)sizeof(m) || memcmp(m.magic, "AJS1", 4) != 0)
        return false;
    switch (m.op) {
    case AGR_JOP_OPEN: return handle_open(s, c, &m);
    case AGR_JOP_NEXT: return handle_next(s, c, &m);
    case AGR_JOP_RESUME: return handle_resume(s, c, &m);
    case AGR_JOP_WAKE:
        *ret_wake = true;
        if (m.value > c->wake_wseq)
            c->wake_wseq = m.value;
        return c->has_journal;
    default: return false;
    }
}

static void
hang_up(struct sequencer *s, uint32_t i)
{
    struct seq_conn *c = &s->conns[i];
    struct seq_journal *j = c->has_journal ? seq_journal_find(s, c->boot, c->journal) : NULL;
    if (j)
        j->has_hung_up = true;
    close(c->fd);
    *c = s->conns[--s->conns_n];
}

void
seq_link_answer_wakes(struct sequencer *s)
{
    for (uint32_t i = s->conns_n; i-- > 0;) {
        struct seq_conn *c = &s->conns[i];
        struct seq_journal *j = c->wake_wseq ? seq_journal_find(s, c->boot, c->journal) : NULL;
        if (!j || j->synced_wseq < c->wake_wseq)
            continue;
        struct agr_journal_msg m = {
            .op = AGR_JOP_WAKE, .boot = c->boot, .journal = c->journal, .value = j->synced_wseq};
        memcpy(m.magic, "AJS1", 4);
        c->wake_wseq = 0;
        if (!answer(c->fd, &m, NULL, 0))
            hang_up(s, i);
    }
}

bool
seq_link_wait(struct sequencer *s, int timeout_ms, bool *ret_wake)
{
    static const short readable = POLLIN;
    struct pollfd fds[SEQ_CONNS_MAX + 2];
    nfds_t n = 0;
    *ret_wake = false;
    fds[n++] = (struct pollfd){s->o->has_stop_fd ? s->o->stop_fd : -1, readable, 0};
    fds[n++] = (struct pollfd){s->conns_n < SEQ_CONNS_MAX ? s->listen_fd : -1, readable, 0};
    for (uint32_t i = 0; i < s->conns_n; i++)
        fds[n++] = (struct pollfd){s->conns[i].fd, readable, 0};
    if (poll(fds, n, timeout_ms) <= 0)
        return false;
    // From the end: hanging up moves the last connection into the place of one that was looked at already.
    for (uint32_t i = s->conns_n; i-- > 0;)
        if (fds[i + 2].revents && !handle(s, &s->conns[i], ret_wake))
            hang_up(s, i);
    if (fds[1].revents & POLLIN) {
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd != -1)
            s->conns[s->conns_n++] = (struct seq_conn){.fd = fd};
    }
    return fds[0].revents != 0;
}
