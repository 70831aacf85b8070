// SPDX-License-Identifier: Apache-2.0
// The smallest HTTP/1.1 client: one request, one answer, over a Unix socket or a loopback port, for commands
// that ask a running server. In: an address and a request. Out: status and body. Thread rule: one thread.
// Next file to read: client.c.
#ifndef AGR_CLIENT_H
#define AGR_CLIENT_H

#include "cmd.h"

#define AGR_CLIENT_MAX       (16u << 20) // bytes of an answer
#define AGR_CLIENT_TIMEOUT_S 10          // for connecting and for each read

struct agr_answer {
    int status;
    char *body; // malloc'd, with a NUL after n bytes
    size_t n;
};

// address: "unix:PATH" or "HOST:PORT" (an optional "http://" is skipped). body NULL: none; token NULL: no
// Authorization. False with a message on standard error when there is no answer.
bool agr_client(const char *address, const char *method, const char *path, const char *token,
                const char *body, struct agr_answer *ret);
// Percent-encodes a path segment into out; false when it does not fit.
bool agr_client_segment(const char *text, char *out, size_t size);

#endif
