// SPDX-License-Identifier: Apache-2.0
// The floor under every HTTP figure: a fixed-answer server that does nothing but accept, find the end of a
// request and write the same bytes. What it costs is the kernel's and the driver's share. In: options. Out:
// prints "listening ADDR" and serves until SIGTERM or the death of its parent. Next file: load.c.
#include "addr.h"

#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_MAX      8192
#define ANSWER_MAX  (1u << 20)
#define REQUEST_MAX 65536
#define WORKERS_MAX 64

static const char usage[] = "usage: floor --listen ADDR [--length N] [--workers N]\n"
                            "  ADDR is 127.0.0.1:PORT (0: any free), [::1]:PORT or unix:PATH\n"
                            "  --length N   bytes of the answer's body, 0 to 1000000 (default 2)\n"
                            "  --workers N  processes (default 1)\n";

struct peer {
    char *in; // REQUEST_MAX bytes, kept for the next connection with this descriptor
    size_t held;
};

static char *answer;
static size_t answer_n;
static struct peer peers[FD_MAX];

// Bytes of the first request in p[0..n): 0 when it is not complete, SIZE_MAX when it cannot be one.
static size_t
request_length(const char *p, size_t n)
{
    static const char key[] = "\r\ncontent-length:";
    const char *end = memmem(p, n, "\r\n\r\n", 4);
    if (end == NULL)
        return n == REQUEST_MAX ? SIZE_MAX : 0;
    size_t head = (size_t)(end - p) + 4, body = 0;
    for (const char *q = p; q + sizeof key - 1 < end; q++) {
        if (*q != '\r' || strncasecmp(q, key, sizeof key - 1) != 0)
            continue;
        for (q += sizeof key - 1; *q == ' ';)
            q++;
        while (*q >= '0' && *q <= '9' && body <= REQUEST_MAX)
            body = body * 10 + (size_t)(*q++ - '0');
        break;
    }
    if (head + body > REQUEST_MAX)
        return SIZE_MAX;
    return n >= head + body ? head + body : 0;
}

static bool
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k == -1 && (errno == EINTR || errno == EAGAIN))
            continue; // answers are small: the peer reads them as they come
        if (k == -1)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

// False when the connection ended.
static bool
serve(int fd)
{
    struct peer *c = &peers[fd];
    ssize_t n = recv(fd, c->in + c->held, REQUEST_MAX - c->held, 0);
    if (n == -1)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    c->held += (size_t)n;
    for (;;) {
        size_t k = request_length(c->in, c->held);
        if (k == SIZE_MAX)
            return false;
        if (k == 0)
            return true;
        if (!write_all(fd, answer, answer_n))
            return false;
        c->held -= k;
        memmove(c->in, c->in + k, c->held);
        if (c->held == 0)
            return true;
    }
}

static void
accept_all(int epoll, int listener)
{
    for (;;) {
        int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd == -1)
            return;
        if (fd < FD_MAX && peers[fd].in == NULL)
            peers[fd].in = malloc(REQUEST_MAX);
        struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= FD_MAX || peers[fd].in == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == -1) {
            close(fd);
            continue;
        }
        peers[fd].held = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); // fails on Unix sockets, which need none
    }
}

static int
worker(int listener)
{
    struct epoll_event events[256], ev = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listener};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll == -1 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) == -1)
        return 1;
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else if (!serve(events[i].data.fd))
                close(events[i].data.fd);
        }
    }
}

static bool
make_answer(size_t body)
{
    answer = malloc(body + 256);
    if (answer == NULL)
        return false;
    int head =
        snprintf(answer, 256,
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", body);
    memset(answer + head, 'x', body);
    answer_n = (size_t)head + body;
    return true;
}

static int
listen_at(struct addr *at)
{
    int one = 1, fd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return -1;
    if (at->sa.ss_family == AF_UNIX)
        unlink(((struct sockaddr_un *)&at->sa)->sun_path);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1 ||
        bind(fd, (struct sockaddr *)&at->sa, at->n) == -1 || listen(fd, 1024) == -1 ||
        getsockname(fd, (struct sockaddr *)&at->sa, &at->n) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
print_listening(const struct addr *at)
{
    if (at->sa.ss_family == AF_UNIX)
        printf("listening unix:%s\n", ((const struct sockaddr_un *)&at->sa)->sun_path);
    else
        printf("listening port %u\n", ntohs(((const struct sockaddr_in *)&at->sa)->sin_port));
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"listen", 1, NULL, 'l'}, {"length", 1, NULL, 'n'}, {"workers", 1, NULL, 'w'}, {NULL, 0, NULL, 0}};
    const char *text = NULL;
    double length = 2, workers = 1;
    struct addr at;
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        bool ok = false;
        switch (c) {
        case 'l': text = optarg, ok = true; break;
        case 'n': ok = arg_number("--length", optarg, 0, 1000000, &length); break;
        case 'w': ok = arg_number("--workers", optarg, 1, WORKERS_MAX, &workers); break;
        default: fputs(usage, stderr); break;
        }
        if (!ok)
            return 2;
    }
    if (text == NULL || !addr_parse(text, &at)) {
        fputs(usage, stderr);
        return 2;
    }
    int listener = listen_at(&at);
    if (listener == -1 || !make_answer((size_t)length)) {
        fprintf(stderr, "%s: %s\n", text, strerror(errno));
        return 1;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    print_listening(&at);
    for (unsigned i = 1; i < (unsigned)workers; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            return worker(listener);
        }
    }
    return worker(listener);
}
