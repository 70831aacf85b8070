// SPDX-License-Identifier: Apache-2.0
// The smallest embedder, for tests: policy, slot, host and context, opened in that order, closed in the
// other. In: an image, a directory or NULL for a simulated host. Out: decisions. Owns what it opened. Thread
// rule: one thread.
#ifndef AEGIS_TEST_EMBED_H
#define AEGIS_TEST_EMBED_H

#include "aegis.h"

#include <string.h>

struct embed {
    struct aegis_policy *policy; // until it is published
    struct aegis_slot *slot;
    struct aegis_host *host;
    struct aegis_ctx *ctx;
    struct aegis_error err;
};

static inline void
embed_close(struct embed *e)
{
    aegis_ctx_free(e->ctx);
    aegis_host_close(e->host);
    aegis_slot_free(e->slot);
    aegis_policy_close(e->policy);
    *e = (struct embed){0};
}

// Whatever was opened stays in e, also on failure.
static inline enum aegis_status
embed_open(struct embed *e, const char *image, const char *dir)
{
    struct aegis_host_options o = {.size = sizeof o, .is_simulated = dir == NULL};
    *e = (struct embed){.err = {.size = sizeof e->err}};
    enum aegis_status s = aegis_policy_open(image, NULL, &e->policy, &e->err);
    if (s == AEGIS_OK)
        s = aegis_slot_new(&e->slot);
    if (s == AEGIS_OK)
        s = aegis_host_open(dir, &o, &e->host, &e->err);
    if (s == AEGIS_OK)
        s = aegis_ctx_new(NULL, e->host, &e->ctx);
    if (s == AEGIS_OK) {
        aegis_slot_publish(e->slot, e->policy);
        e->policy = NULL;
    }
    return s;
}

// Inputs of tests/fault/every.yaml that take every way through a decision: allowed, denied, over a limit,
// with gates, a pattern, a window, a condition in error, a proposal, and texts that are refused.
struct embed_input {
    const char *entry, *json;
    enum aegis_status status;
};

static const struct embed_input embed_inputs[] = {
    {"decide",
     "{\"type\":\"deploy\",\"target\":\"dev-1\",\"agent\":\"a\",\"tenant\":\"acme\",\"params\":{\"x\":1}}",
     AEGIS_OK},
    {"decide", "{\"type\":\"deploy\",\"target\":\"prod-1\",\"agent\":\"b\",\"tenant\":\"acme\"}", AEGIS_OK},
    {"decide", "{\"type\":\"payment\",\"agent\":\"a\",\"tenant\":\"acme\",\"params\":{\"amount\":250.5}}",
     AEGIS_OK},
    {"decide", "{\"type\":\"payment\",\"tenant\":\"acme\",\"params\":{\"amount\":\"text\"}}", AEGIS_OK},
    {"decide", "{\"type\":\"query\",\"params\":{\"sql\":\"  SELECT a FROM b WHERE c = 'd'\"}}", AEGIS_OK},
    {"decide", "{\"type\":\"read\",\"target\":\"x.key\",\"session_id\":\"s\"}", AEGIS_OK},
    {"decide",
     "{\"type\":\"read\",\"params\":{\"env\":\"staging\",\"tags\":[\"safe\",{\"a\":[1,2.5e300,null]}]}}",
     AEGIS_OK},
    {"decide", "{\"type\":\"\\ud83d\\ude00\",\"agent\":\"\\u00e9\"}", AEGIS_OK},
    {"evaluate",
     "{\"proposal_summary\":\"s\",\"agent_id\":\"a\",\"risk_proposed\":0.4,\"risk_baseline\":0.1,\"novelty_"
     "score\":0.8,"
     "\"quality_score\":0.9}",
     AEGIS_OK},
    {"decide", "{\"type\":1}", AEGIS_MALFORMED},
    {"decide", "{\"type\":\"a\",\"type\":\"b\"}", AEGIS_MALFORMED},
    {"decide", "[1,2", AEGIS_MALFORMED},
    {"nothing", "{}", AEGIS_NO_ENTRY},
};
#define EMBED_INPUTS (sizeof embed_inputs / sizeof *embed_inputs)

// One decision, and its record. False: not the status that stands in the table.
static inline int
embed_decide(struct embed *e, const struct embed_input *i, struct aegis_decision *d)
{
    static char record[16384];
    d->size = sizeof *d;
    enum aegis_status s =
        aegis_ctx_decide_json(e->ctx, e->slot, i->entry, i->json, strlen(i->json), d, &e->err);
    return s == i->status &&
           (s != AEGIS_OK || aegis_decision_json(e->ctx, d, record, sizeof record) != SIZE_MAX);
}

#endif
