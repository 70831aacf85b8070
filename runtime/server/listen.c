// SPDX-License-Identifier: Apache-2.0
// Listening descriptors from text. In: "ADDR:PORT", "[v6]:PORT" or "unix:PATH". Out: struct agr_listener.
// A Unix socket left by a dead server is replaced; one that answers is not. Next file to read: parent.c.
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static int
fail(int fd, char *why, size_t n, const char *spec, const char *what)
{
    int e = errno;
    snprintf(why, n, "%s: %s: %s%s", spec, what, strerror(e),
             e == EADDRINUSE ? "; another program listens there, choose another port" : "");
    if (fd != -1)
        close(fd);
    return -1;
}

static int
listen_unix(const char *path, int type, struct agr_listener *ret, char *why, size_t n)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path) {
        snprintf(why, n, "unix:%s: a socket path has at most %zu bytes", path, sizeof a.sun_path - 1);
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return fail(fd, why, n, path, "socket");
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        int probe = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        bool is_alive = probe != -1 && connect(probe, (struct sockaddr *)&a, sizeof a) == 0;
        if (probe != -1)
            close(probe);
        if (is_alive) {
            snprintf(why, n, "%s: %s", path,
                     type == SOCK_SEQPACKET ? "a server or a sequencer that runs writes this log"
                                            : "another program listens on this socket");
            close(fd);
            return -1;
        }
        unlink(path);
    }
    mode_t old = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&a, sizeof a);
    umask(old);
    if (bound == -1 || listen(fd, BACKLOG) == -1)
        return fail(fd, why, n, path, "bind");
    ret->is_unix = ret->is_loopback = true;
    return ret->fd = fd;
}

static bool
parse_address(const char *spec, struct sockaddr_storage *a, socklen_t *ret_n, bool *ret_is_loopback)
{
    char host[64];
    const char *colon = strrchr(spec, ':');
    if (!colon || (size_t)(colon - spec) >= sizeof host || colon == spec)
        return false;
    char *end;
    long port = strtol(colon + 1, &end, 10);
    if (*end || end == colon + 1 || port < 0 || port > 65535)
        return false;
    memcpy(host, spec, (size_t)(colon - spec));
    host[colon - spec] = 0;
    memset(a, 0, sizeof *a);
    if (host[0] == '[') {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)a;
        size_t n = strlen(host);
        if (host[n - 1] != ']')
            return false;
        host[n - 1] = 0;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *ret_n = sizeof *v6;
        bool ok = inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1;
        *ret_is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
        return ok;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)a;
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    *ret_n = sizeof *v4;
    bool ok = inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4->sin_addr) == 1;
    *ret_is_loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    return ok;
}

int
agr_listen(const char *spec, bool is_seqpacket, struct agr_listener *ret, char *why, size_t n)
{
    struct sockaddr_storage a;
    socklen_t a_n;
    int one = 1;
    if (strncmp(spec, "unix:", 5) == 0)
        return listen_unix(spec + 5, is_seqpacket ? SOCK_SEQPACKET : SOCK_STREAM, ret, why, n);
    if (!parse_address(spec, &a, &a_n, &ret->is_loopback)) {
        snprintf(why, n, "%s: an address is HOST:PORT with a numeric host, [HOST]:PORT, or unix:PATH", spec);
        return -1;
    }
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return fail(fd, why, n, spec, "socket");
    // Accepted sockets inherit both: a restart does not wait for old connections, an answer leaves at once.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, a_n) == -1 || listen(fd, BACKLOG) == -1)
        return fail(fd, why, n, spec, "bind");
    return ret->fd = fd;
}
