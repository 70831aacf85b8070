// SPDX-License-Identifier: Apache-2.0
// Races engagements of the kill switch against a stream of allows: switch_race DATA.sock ADMIN.sock TRIALS.
// A Unix socket delivers at once, so whatever the server sent before it acknowledged stands in our receive
// buffers when the acknowledgement is read. Those bytes are taken first; an allow in anything that comes
// later breaks the promise (D2). In: a running server. Out: a line; exit 0 when no allow came late. Next file
// to read: runtime/host/state/kill.h.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNS   8
#define DEPTH   4 // requests on their way per connection
#define WAIT_MS 15000
#define BYTES   65536

static const char request[] = "POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Length: "
                              "31\r\n\r\n{\"type\":\"read\",\"tenant\":\"race\"}";

struct conn {
    int fd;
    unsigned owed; // answers not yet read
    char buf[BYTES];
    size_t n;
};

static int
dial(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || strlen(path) >= sizeof a.sun_path)
        return -1;
    memcpy(a.sun_path, path, strlen(path));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
ask(struct conn *c)
{
    while (c->owed < DEPTH && c->fd != -1) {
        size_t n = sizeof request - 1;
        if (send(c->fd, request, n, MSG_NOSIGNAL) != (ssize_t)n) {
            close(c->fd);
            c->fd = -1;
            return;
        }
        c->owed++;
    }
}

// Counts answers in the buffer and keeps what is not whole. Returns how many of them were allows.
static unsigned
count(struct conn *c)
{
    unsigned allows = 0;
    for (;;) {
        c->buf[c->n] = 0;
        char *body = strstr(c->buf, "\r\n\r\n"), *length = strstr(c->buf, "Content-Length: ");
        if (!body || !length || length > body)
            return allows;
        size_t whole = (size_t)(body - c->buf) + 4 + (size_t)strtoul(length + 16, NULL, 10);
        if (whole > c->n)
            return allows;
        char after = c->buf[whole];
        c->buf[whole] = 0;
        allows += strstr(body, "\"is_allowed\":true") != NULL;
        c->buf[whole] = after;
        memmove(c->buf, c->buf + whole, c->n - whole);
        c->n -= whole;
        c->owed--;
    }
}

// Takes what is there now; -1 when the connection is gone, else the allows in it.
static int
take(struct conn *c)
{
    ssize_t n = recv(c->fd, c->buf + c->n, BYTES - 1 - c->n, MSG_DONTWAIT);
    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) { // its worker was ended
        close(c->fd);
        c->fd = -1;
        c->n = c->owed = 0;
        return -1;
    }
    c->n += (size_t)n;
    return (int)count(c);
}

static bool
send_admin(int fd, const char *action)
{
    char body[128], text[512];
    int n = snprintf(body, sizeof body, "{\"action\":\"%s\",\"reason\":\"race\"}", action);
    n = snprintf(text, sizeof text,
                 "POST /v1/kill-switch/race HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", n, body);
    return send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool
read_admin(int fd)
{
    char text[4096];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, WAIT_MS) != 1)
        return false;
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    if (n > 0 && strncmp(text, "HTTP/1.1 200 ", 13) == 0)
        return true;
    fprintf(stderr, "admin: %s\n", text);
    return false;
}

// Keeps the stream running until `admin` is readable; the allows that came meanwhile.
static unsigned
stream(struct conn *all, int admin)
{
    unsigned allows = 0;
    struct pollfd p[CONNS + 1];
    for (;;) {
        p[CONNS] = (struct pollfd){.fd = admin, .events = POLLIN};
        for (int i = 0; i < CONNS; i++) {
            ask(&all[i]);
            p[i] = (struct pollfd){.fd = all[i].fd, .events = POLLIN};
        }
        if (poll(p, CONNS + 1, WAIT_MS) <= 0 || p[CONNS].revents)
            return allows;
        for (int i = 0; i < CONNS; i++)
            if (p[i].revents && all[i].fd != -1) {
                int got = take(&all[i]);
                allows += got > 0 ? (unsigned)got : 0;
            }
    }
}

// Reads every answer that is still owed; the allows among them.
static unsigned
settle(struct conn *all)
{
    unsigned allows = 0;
    for (int i = 0; i < CONNS; i++)
        while (all[i].fd != -1 && all[i].owed) {
            struct pollfd p = {.fd = all[i].fd, .events = POLLIN};
            if (poll(&p, 1, WAIT_MS) != 1) {
                fprintf(stderr, "an answer is missing\n");
                close(all[i].fd);
                all[i].fd = -1;
                break;
            }
            int got = take(&all[i]);
            allows += got > 0 ? (unsigned)got : 0;
        }
    return allows;
}

int
main(int argc, char **argv)
{
    static struct conn all[CONNS];
    unsigned before = 0, late = 0;
    if (argc != 4)
        return 2;
    long trials = strtol(argv[3], NULL, 10);
    int admin = dial(argv[2]);
    for (int i = 0; i < CONNS; i++)
        all[i].fd = -1;
    for (long t = 0; t < trials; t++) {
        for (int i = 0; i < CONNS; i++)
            if (all[i].fd == -1) {
                all[i] = (struct conn){.fd = dial(argv[1])};
                if (all[i].fd == -1)
                    return 2;
            }
        for (int i = 0; i < CONNS; i++)
            ask(&all[i]);
        struct timespec pause = {.tv_nsec = 1000 * (t % 50)};
        nanosleep(&pause, NULL);
        if (!send_admin(admin, "engage"))
            return 2;
        before += stream(all, admin);
        for (int i = 0; i < CONNS; i++)
            for (int again = 0; again < 4 && all[i].fd != -1; again++) {
                int got = take(&all[i]);
                before += got > 0 ? (unsigned)got : 0;
            }
        if (!read_admin(admin))
            return 2;
        for (int i = 0; i < CONNS; i++)
            ask(&all[i]);
        late += settle(all);
        if (!send_admin(admin, "disengage") || !read_admin(admin))
            return 2;
    }
    printf("%ld trials: %u allows before the acknowledgement, %u after it\n", trials, before, late);
    return late || (trials > 100 && !before) ? 1 : 0;
}
