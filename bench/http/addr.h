// SPDX-License-Identifier: Apache-2.0
// Addresses of the measuring programs: "127.0.0.1:8000", "[::1]:8000" or "unix:/path". Anything that is not
// this machine is refused: these programs are made to measure, not to load others. Shared by load.c and
// floor.c.
#ifndef AEGIS_BENCH_ADDR_H
#define AEGIS_BENCH_ADDR_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
    struct sockaddr_storage sa;
    socklen_t n;
};

// Reads a whole decimal number within [low, high]; false (and a message) otherwise.
static inline int
arg_number(const char *what, const char *text, double low, double high, double *ret)
{
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(v >= low && v <= high)) {
        fprintf(stderr, "%s: '%s' is not a number from %g to %g\n", what, text, low, high);
        return 0;
    }
    *ret = v;
    return 1;
}

// Writes *ret; false (and a message on stderr) when the text is no address of this machine.
static inline int
addr_parse(const char *text, struct addr *ret)
{
    memset(ret, 0, sizeof *ret);
    if (strncmp(text, "unix:", 5) == 0) {
        struct sockaddr_un *un = (struct sockaddr_un *)&ret->sa;
        size_t n = strlen(text + 5);
        if (n == 0 || n >= sizeof un->sun_path) {
            fprintf(stderr, "%s: a socket path has 1 to %zu bytes\n", text, sizeof un->sun_path - 1);
            return 0;
        }
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, text + 5, n + 1);
        ret->n = sizeof *un;
        return 1;
    }
    const char *colon = strrchr(text, ':');
    double port;
    char host[64];
    size_t n = colon == NULL ? 0 : (size_t)(colon - text);
    if (n == 0 || n >= sizeof host) {
        fprintf(stderr, "%s: expected 127.0.0.1:PORT, [::1]:PORT or unix:PATH\n", text);
        return 0;
    }
    if (!arg_number("port", colon + 1, 0, 65535, &port))
        return 0;
    memcpy(host, text, n);
    host[n] = '\0';
    struct sockaddr_in *in = (struct sockaddr_in *)&ret->sa;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->sa;
    const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (strcmp(name, "[::1]") == 0) {
        in6->sin6_family = AF_INET6;
        in6->sin6_addr = in6addr_loopback;
        in6->sin6_port = htons((in_port_t)port);
        ret->n = sizeof *in6;
        return 1;
    }
    if (inet_pton(AF_INET, name, &in->sin_addr) != 1 || (ntohl(in->sin_addr.s_addr) >> 24) != 127) {
        fprintf(stderr,
                "%s: not an address of this machine; only 127.0.0.0/8, [::1] and unix: are measured\n", text);
        return 0;
    }
    in->sin_family = AF_INET;
    in->sin_port = htons((in_port_t)port);
    ret->n = sizeof *in;
    return 1;
}

#endif
