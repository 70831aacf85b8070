// SPDX-License-Identifier: Apache-2.0
// What the load driver reads of an HTTP/1.1 answer: status, length, whether the connection stays, and the
// body as far as it is held. In: bytes. Out: one struct answer; nothing is owned. Next file: load.c.
#ifndef AEGIS_BENCH_ANSWER_H
#define AEGIS_BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

enum answer_state {
    ANSWER_PARTIAL,  // more bytes are needed
    ANSWER_COMPLETE, // head and body are there
    ANSWER_BAD       // not HTTP/1.x with a Content-Length: the driver speaks nothing else
};

struct answer {
    unsigned status;
    const char *body; // in the caller's buffer
    size_t body_n;
    size_t total; // bytes of head and body
    bool closes;  // the server ends the connection after this answer
};

// Reads the answer at the start of p[0..n). *ret is written only on ANSWER_COMPLETE.
enum answer_state answer_parse(const char *p, size_t n, struct answer *ret);

// Finds "decision":"x" in a body and copies x (at most cap-1 bytes, cut to [a-z_]); false when there is none.
bool answer_decision(const struct answer *a, char *ret, size_t cap);

#endif
