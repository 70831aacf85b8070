// SPDX-License-Identifier: Apache-2.0
// Where a journal gets its segments: from the sequencer over sequencer.sock, or made in LOG/journal by
// itself. In: a connected socket or a log directory. Out: an open journal, further segments attached by
// refills. All I/O of a writer is in this file, none of it on the decision path. Owns: the socket and
// directory descriptors once they are in the journal. Next: runtime/host/journal.c (append),
// runtime/audit/link.c (the other end).
#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 3 // an answer to open carries two segments and the status page

static bool
send_msg(int sock, const struct agr_journal_msg *m, int flags)
{
    ssize_t n;
    do
        n = send(sock, m, sizeof(*m), flags | MSG_NOSIGNAL);
    while (n == -1 && errno == EINTR);
    return n == (ssize_t)sizeof(*m);
}

// Takes one message. Returns 1, 0 when none is there (MSG_DONTWAIT), -1 when the peer is gone or talks
// nonsense.
static int
recv_msg(int sock, int flags, struct agr_journal_msg *m, int fds[FDS_MAX], size_t *ret_fds)
{
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {m, sizeof(*m)};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
    ssize_t n;
    do
        n = recvmsg(sock, &h, flags | MSG_CMSG_CLOEXEC);
    while (n == -1 && errno == EINTR);
    *ret_fds = 0;
    if (n == -1)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (*ret_fds < FDS_MAX)
                fds[(*ret_fds)++] = fd;
            else
                close(fd);
        }
    }
    if (n == (ssize_t)sizeof(*m) && memcmp(m->magic, "AJS1", 4) == 0)
        return 1;
    while (*ret_fds)
        close(fds[--*ret_fds]);
    return -1;
}

static struct agr_journal_msg
message(const struct agr_journal *j, enum agr_journal_op op, uint64_t value)
{
    struct agr_journal_msg m = {.op = op,
                                .worker = j->worker,
                                .journal = j->journal,
                                .segment = j->segment + j->next_n + 1,
                                .boot = j->boot,
                                .value = value};
    memcpy(m.magic, "AJS1", 4);
    return m;
}

enum agr_journal_status
agr_journal_open_socket(struct agr_journal *j, int sock, uint32_t worker)
{
    struct agr_journal_msg m = {.op = AGR_JOP_OPEN, .worker = worker};
    int fds[FDS_MAX];
    size_t count;
    memcpy(m.magic, "AJS1", 4);
    *j = (struct agr_journal){.sock = -1, .dir_fd = -1};
    if (!send_msg(sock, &m, 0) || recv_msg(sock, 0, &m, fds, &count) != 1)
        return AGR_JOURNAL_SYSTEM;
    enum agr_journal_status s = AGR_JOURNAL_UNAVAILABLE;
    if (m.op == AGR_JOP_OPEN && m.result == 0 && count == FDS_MAX)
        s = agr_journal_attach(j, fds[0], fds[1], fds[2]);
    while (count)
        close(fds[--count]);
    if (s == AGR_JOURNAL_OK) {
        j->worker = worker;
        j->sock = sock;
    }
    return s;
}

enum agr_journal_status
agr_journal_resume_socket(struct agr_journal *j, int sock)
{
    struct agr_journal_msg m = message(j, AGR_JOP_RESUME, j->wseq);
    int fds[FDS_MAX];
    size_t count;
    if (!j->current || !send_msg(sock, &m, 0) || recv_msg(sock, 0, &m, fds, &count) != 1)
        return AGR_JOURNAL_SYSTEM;
    while (count)
        close(fds[--count]);
    if (m.op != AGR_JOP_RESUME || m.result != 0)
        return AGR_JOURNAL_UNAVAILABLE;
    if (j->sock != -1)
        close(j->sock);
    j->sock = sock;
    j->asked = 0;
    return AGR_JOURNAL_OK;
}

// --- own segments
// ------------------------------------------------------------------------------------------------

// Bytes of all segments in the directory: what a sequencer has not yet taken away.
static uint64_t
backlog_of(int dir_fd)
{
    uint64_t total = 0;
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd == -1 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd != -1)
            close(fd);
        return UINT64_MAX;
    }
    for (struct dirent *e; (e = readdir(d));) {
        uint64_t boot;
        uint32_t journal, segment;
        if (agr_segment_name_parse(e->d_name, &boot, &journal, &segment))
            total += AGR_SEGMENT_SIZE;
    }
    closedir(d);
    return total;
}

static enum agr_journal_status
make_segment(const struct agr_journal *j, uint32_t segment, int *ret_fd)
{
    if (segment > 0 && backlog_of(j->dir_fd) >= j->backlog_max)
        return AGR_JOURNAL_UNAVAILABLE;
    struct agr_segment h = {.boot = j->boot,
                            .journal = j->journal,
                            .segment = segment,
                            .worker = j->worker,
                            .pid = (uint32_t)getpid()};
    agr_segment_seal(&h);
    return agr_segment_create(j->dir_fd, &h, ret_fd);
}

static enum agr_journal_status
open_own(struct agr_journal *j, int dir_fd, uint32_t worker, uint64_t backlog_max)
{
    struct agr_journal plan = {.dir_fd = dir_fd, .worker = worker, .journal = 1, .backlog_max = backlog_max};
    uint8_t random[5];
    int first = -1, status_fd = -1;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return AGR_JOURNAL_SYSTEM;
    for (size_t i = 0; i < sizeof(random); i++)
        plan.boot = plan.boot << 8 | random[i];
    enum agr_journal_status s = make_segment(&plan, 0, &first);
    if (s != AGR_JOURNAL_OK)
        return s;
    status_fd = openat(dir_fd, "status", O_RDONLY | O_CLOEXEC); // absent when no sequencer ever ran here
    s = agr_journal_attach(j, first, -1, status_fd);
    close(first);
    if (status_fd != -1)
        close(status_fd);
    if (s != AGR_JOURNAL_OK)
        return s;
    j->dir_fd = dir_fd;
    j->backlog_max = backlog_max;
    s = agr_journal_refill(j);
    if (s != AGR_JOURNAL_OK) {
        j->dir_fd = -1; // the caller still owns it
        agr_journal_close(j);
    }
    return s;
}

static int
connect_sequencer(const char *dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/sequencer.sock", dir);
    if (n < 0 || (size_t)n >= sizeof(a.sun_path))
        return -1;
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (sock != -1 && connect(sock, (struct sockaddr *)&a, sizeof(a)) != 0) {
        close(sock);
        return -1;
    }
    return sock;
}

enum agr_journal_status
agr_journal_open_dir(struct agr_journal *j, const char *dir, uint32_t worker, uint64_t backlog_max)
{
    *j = (struct agr_journal){.sock = -1, .dir_fd = -1};
    if (backlog_max == 0)
        backlog_max = AGR_BACKLOG_MAX;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return AGR_JOURNAL_SYSTEM;
    int log_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log_fd == -1)
        return AGR_JOURNAL_SYSTEM;
    int dir_fd = -1;
    if (mkdirat(log_fd, "journal", 0700) == 0 || errno == EEXIST)
        dir_fd = openat(log_fd, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(log_fd);
    if (dir_fd == -1)
        return AGR_JOURNAL_SYSTEM;

    enum agr_journal_status s = AGR_JOURNAL_UNAVAILABLE;
    int sock = connect_sequencer(dir);
    if (sock != -1) {
        s = agr_journal_open_socket(j, sock, worker);
        if (s == AGR_JOURNAL_OK) {
            j->dir_fd = dir_fd;
            j->backlog_max = backlog_max;
            return s;
        }
        close(sock);
    }
    s = open_own(j, dir_fd, worker, backlog_max);
    if (s != AGR_JOURNAL_OK)
        close(dir_fd);
    return s;
}

// --- refill
// ------------------------------------------------------------------------------------------------------

// Takes what the sequencer sent. False: the connection is over.
static bool
take_answers(struct agr_journal *j)
{
    struct agr_journal_msg m;
    int fds[FDS_MAX];
    size_t count;
    for (;;) {
        int r = recv_msg(j->sock, MSG_DONTWAIT, &m, fds, &count);
        if (r <= 0)
            return r == 0;
        if (m.op == AGR_JOP_NEXT) {
            if (j->asked)
                j->asked--;
            if (m.result == 0 && count == 1)
                agr_journal_attach_next(j,
                                        fds[0]); // one that does not fit is as good as none: asked for again
        }
        while (count)
            close(fds[--count]);
    }
}

static enum agr_journal_status
refill_socket(struct agr_journal *j)
{
    bool is_open = take_answers(j);
    while (is_open && j->next_n + j->asked < j->ahead) {
        struct agr_journal_msg m = message(j, AGR_JOP_NEXT, j->wseq);
        m.segment += j->asked;
        if (!send_msg(j->sock, &m, MSG_DONTWAIT)) {
            is_open = errno == EAGAIN || errno == EWOULDBLOCK;
            break;
        }
        j->asked++;
    }
    if (is_open)
        return AGR_JOURNAL_OK;
    close(j->sock);
    j->sock = -1;
    j->asked = 0;
    return AGR_JOURNAL_SYSTEM;
}

enum agr_journal_status
agr_journal_refill(struct agr_journal *j)
{
    if (!j->current || !j->guard || *j->guard == 0)
        return AGR_JOURNAL_UNAVAILABLE;
    if (j->sock != -1) {
        enum agr_journal_status s = refill_socket(j);
        if (s == AGR_JOURNAL_OK || j->dir_fd == -1)
            return s;
    }
    // The sequencer is gone (or never was): an embedder goes on with segments of its own.
    while (j->dir_fd != -1 && j->next_n < j->ahead) {
        int fd = -1;
        enum agr_journal_status s = make_segment(j, j->segment + j->next_n + 1, &fd);
        if (s == AGR_JOURNAL_OK) {
            s = agr_journal_attach_next(j, fd);
            close(fd);
        }
        if (s != AGR_JOURNAL_OK)
            return s;
    }
    return j->next_n ? AGR_JOURNAL_OK : AGR_JOURNAL_UNAVAILABLE;
}

enum agr_journal_status
agr_journal_wake(struct agr_journal *j, struct agr_journal_pos pos)
{
    if (!j->current)
        return AGR_JOURNAL_UNAVAILABLE;
    if (j->sock == -1)
        return AGR_JOURNAL_OK; // append already marked the segment
    struct agr_journal_msg m = message(j, AGR_JOP_WAKE, pos.wseq);
    return send_msg(j->sock, &m, MSG_DONTWAIT) || errno == EAGAIN ? AGR_JOURNAL_OK : AGR_JOURNAL_SYSTEM;
}
