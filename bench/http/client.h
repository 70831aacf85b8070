// SPDX-License-Identifier: Apache-2.0
// The engine of the load driver: N keep-alive connections on one thread, closed loop or a fixed rate.
// At a fixed rate request i is due at start + i/rate whatever the answers do; its latency counts from then,
// so a server that stalls is charged for every request that should have been sent meanwhile. In: struct
// load_plan. Out: struct load_result. The caller owns both. Next file: client.c.
#ifndef AEGIS_BENCH_CLIENT_H
#define AEGIS_BENCH_CLIENT_H

#include "addr.h"
#include "histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTIONS_MAX 4096
#define DECISION_MAX    32 // kinds of "decision" values told apart
#define ANSWER_MAX      (1u << 20)

struct load_request {
    char *bytes; // whole HTTP request
    size_t n;
};

struct load_plan {
    struct addr to;
    const struct load_request *requests; // sent in turn
    size_t nrequests;
    unsigned connections;
    double rate;             // per second; 0: closed loop
    double seconds, warmup;  // warm-up is sent but not counted
    unsigned expect_status;  // 0: any
    const char *expect_text; // NULL: any; borrowed
};

struct load_result {
    double seconds; // measured
    uint64_t answers, bytes_in;
    uint64_t errors;     // all of the following
    uint64_t connecting, // connect refused or reset
        broken,          // connection ended in the middle of an answer
        framing,         // not an answer with a length
        wrong_status, wrong_text;
    uint64_t unanswered; // sent or due in the measured time, no answer until the end
    uint64_t status[600];
    struct {
        char name[24];
        uint64_t n;
    } decision[DECISION_MAX];
    struct histogram latency;
    struct histogram
        lag; // fixed rate: from due to written; large when the driver or the connections are short
};

// Runs the plan. 0, or -1 with a message on stderr (no memory, no connection at all).
int load_run(const struct load_plan *plan, struct load_result *ret);

#endif
