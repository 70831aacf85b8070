// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 as a client: connect, one write, read to the end ("Connection: close"), then the answer is taken
// apart. In: an address and a request. Out: status and body. Memory: the body is the caller's. Next file to
// read: kill.c.
#include "client.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static bool
start(int fd, const struct sockaddr *to, socklen_t n)
{
    struct timeval t = {.tv_sec = AGR_CLIENT_TIMEOUT_S};
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0 && connect(fd, to, n) == 0;
}

static int
connect_unix(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path) {
        agr_die(0, "%s: the path of a socket has at most %zu bytes", path, sizeof to.sun_path - 1);
        return -1;
    }
    memcpy(to.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || !start(fd, (const struct sockaddr *)&to, sizeof to)) {
        agr_die(0, "%s: %s; is the server running?", path, strerror(errno));
        if (fd != -1)
            close(fd);
        return -1;
    }
    return fd;
}

static int
connect_tcp(const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    if (!colon || colon == address || (size_t)(colon - address) >= sizeof host) {
        agr_die(0, "\"%s\" is no address: use unix:PATH or HOST:PORT", address);
        return -1;
    }
    bool is_bracketed = address[0] == '[' && colon[-1] == ']';
    size_t n = (size_t)(colon - address) - (is_bracketed ? 2 : 0);
    memcpy(host, address + is_bracketed, n);
    host[n] = 0;
    int error = getaddrinfo(host, colon + 1, &hints, &list);
    if (error) {
        agr_die(0, "%s: %s", address, gai_strerror(error));
        return -1;
    }
    int fd = -1, why = 0;
    for (const struct addrinfo *a = list; a && fd == -1; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd != -1 && !start(fd, a->ai_addr, a->ai_addrlen)) {
            why = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd == -1)
        agr_die(0, "%s: %s; is the server running?", address, strerror(why));
    return fd;
}

static bool
send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent == -1 && errno == EINTR)
            continue;
        if (sent == -1)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static char *
receive_all(int fd, size_t *ret_n)
{
    size_t n = 0, size = 65536;
    char *p = malloc(size);
    while (p) {
        ssize_t got = recv(fd, p + n, size - n - 1, 0);
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1 || n + (size_t)got > AGR_CLIENT_MAX) {
            free(p);
            return NULL;
        }
        if (got == 0) {
            p[n] = 0;
            *ret_n = n;
            return p;
        }
        n += (size_t)got;
        if (n + 1 == size) {
            char *more = realloc(p, size *= 2);
            if (!more)
                free(p);
            p = more;
        }
    }
    return NULL;
}

// Joins the chunks of a chunked body in place; false when the framing is wrong.
static bool
join_chunks(char *body, size_t *n)
{
    size_t at = 0, to = 0;
    for (;;) {
        char *end;
        unsigned long len = strtoul(body + at, &end, 16);
        char *line_end = strstr(end, "\r\n");
        if (end == body + at || !line_end)
            return false;
        at = (size_t)(line_end + 2 - body);
        if (len == 0)
            break;
        if (len > *n - at || *n - at - len < 2)
            return false;
        memmove(body + to, body + at, len);
        to += len;
        at += len + 2;
    }
    body[to] = 0;
    *n = to;
    return true;
}

static bool
take_apart(char *text, size_t n, struct agr_answer *ret)
{
    char *head_end = strstr(text, "\r\n\r\n");
    if (!head_end || n < 12 || memcmp(text, "HTTP/1.", 7) != 0)
        return false;
    ret->status = (int)strtol(text + 9, NULL, 10);
    bool is_chunked = false;
    for (char *line = strstr(text, "\r\n"); line && line < head_end; line = strstr(line + 2, "\r\n"))
        is_chunked = is_chunked || strncasecmp(line + 2, "transfer-encoding: chunked", 26) == 0;
    char *body = head_end + 4;
    ret->n = n - (size_t)(body - text);
    ret->body = malloc(ret->n + 1);
    if (!ret->body)
        return false;
    memcpy(ret->body, body, ret->n + 1);
    if (is_chunked && !join_chunks(ret->body, &ret->n)) {
        free(ret->body);
        ret->body = NULL;
        return false;
    }
    return ret->status >= 100 && ret->status <= 599;
}

static char *
compose(const char *method, const char *path, const char *token, const char *body, size_t *ret_n)
{
    size_t body_n = body ? strlen(body) : 0, size = 512 + strlen(path) + (token ? strlen(token) : 0) + body_n;
    char *p = malloc(size);
    if (!p)
        return NULL;
    int n = snprintf(
        p, size,
        "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n%s%s%s\r\n%s",
        method, path, body_n, token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "",
        body ? body : "");
    *ret_n = (size_t)n;
    return p;
}

bool
agr_client(const char *address, const char *method, const char *path, const char *token, const char *body,
           struct agr_answer *ret)
{
    memset(ret, 0, sizeof *ret);
    if (strncmp(address, "http://", 7) == 0)
        address += 7;
    int fd = strncmp(address, "unix:", 5) == 0 ? connect_unix(address + 5) : connect_tcp(address);
    if (fd == -1)
        return false;
    size_t n = 0, got = 0;
    char *request = compose(method, path, token, body, &n);
    char *text = request && send_all(fd, request, n) ? receive_all(fd, &got) : NULL;
    bool ok = text && take_apart(text, got, ret);
    if (!ok)
        agr_die(0, "%s: %s", address, text ? "the answer is not HTTP" : "no answer in time");
    free(request);
    free(text);
    close(fd);
    return ok;
}

bool
agr_client_segment(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~*", c);
        if (n + (is_plain ? 1 : 3) >= size)
            return false;
        if (is_plain)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", c);
    }
    out[n] = 0;
    return true;
}
