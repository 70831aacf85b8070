// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/audit (B17): the newest rows that match, oldest first, in the columns of agent-aegis (B36).
// In: filters session_id, action_type, risk_level, result_status, limit. Out: a JSON array. The log is read
// backwards in steps, so that the newest rows of a long log are found without reading all of it. Memory: the
// matching rows of one request. Next file to read: audit_run.h.
#include "admin.h"

#include "audit_run.h"
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_DEFAULT 100u
#define LIMIT_MAX     1000u
#define STEP          8192u // rows read at a time
#define FILTERS       4u
#define FILTER_BYTES  300u

struct query {
    char value[FILTERS][FILTER_BYTES]; // as a JSON string, empty: any
    size_t value_n[FILTERS];
    unsigned limit;
    char **found; // newest STEP's matches, in order
    unsigned nfound;
    bool is_out_of_memory;
};

static const char *const filter_name[FILTERS] = {"session_id", "action_type", "risk_level", "result_status"};

static struct ag_str
action_member(struct ag_str line, const char *key)
{
    struct ag_str action = agr_json_raw(line, "action");
    return action.n ? agr_json_raw(action, key) : action;
}

static struct ag_str
result_of(struct ag_str line)
{
    struct ag_str d = agr_json_raw(line, "decision");
    if (ag_str_is(d, "\"allow\"") || ag_str_is(d, "\"monitor\""))
        return AG_STR("\"allowed\"");
    return ag_str_is(d, "\"escalate\"") ? AG_STR("\"pending_approval\"") : AG_STR("\"blocked\"");
}

static bool
matches(const struct query *q, struct ag_str line)
{
    const struct ag_str have[FILTERS] = {agr_json_raw(line, "session_id"), action_member(line, "type"),
                                         agr_json_raw(line, "risk_level"), result_of(line)};
    for (unsigned i = 0; i < FILTERS; i++)
        if (q->value_n[i] && !ag_str_eq(have[i], ag_str_of(q->value[i], q->value_n[i])))
            return false;
    return true;
}

static void
put_raw(struct ag_buf *b, const char *key, struct ag_str raw)
{
    if (b->p[b->n - 1] != '{')
        ag_buf_char(b, ',');
    ag_buf_json_str(b, ag_str_z(key));
    ag_buf_char(b, ':');
    ag_buf_str(b, raw.n ? raw : AG_STR("null"));
}

static bool
take_row(void *arg, uint64_t gseq, struct ag_str line)
{
    struct query *q = arg;
    if (!ag_str_is(agr_json_raw(line, "type"), "\"decision\"") || !matches(q, line))
        return true;
    size_t size = line.n + 1024;
    char *text = malloc(size);
    if (!text) {
        q->is_out_of_memory = true;
        return false;
    }
    struct ag_buf b;
    ag_buf_init(&b, text, size - 1);
    ag_buf_lit(&b, "{\"id\":");
    ag_buf_u64(&b, gseq);
    put_raw(&b, "decision_id", agr_json_raw(line, "id"));
    put_raw(&b, "timestamp", agr_json_raw(line, "time"));
    put_raw(&b, "session_id", agr_json_raw(line, "session_id"));
    put_raw(&b, "tenant", agr_json_raw(line, "tenant"));
    put_raw(&b, "agent_id", agr_json_raw(line, "agent"));
    put_raw(&b, "action_type", action_member(line, "type"));
    put_raw(&b, "action_target", action_member(line, "target"));
    put_raw(&b, "risk_level", agr_json_raw(line, "risk_level"));
    put_raw(&b, "approval", agr_json_raw(line, "approval"));
    put_raw(&b, "decision", agr_json_raw(line, "decision"));
    put_raw(&b, "matched_rule", agr_json_raw(line, "rule"));
    put_raw(&b, "reason", agr_json_raw(line, "reason"));
    put_raw(&b, "result_status", result_of(line));
    ag_buf_char(&b, '}');
    text[b.n] = 0;
    if (q->nfound == STEP) { // cannot be: a step has no more rows
        free(text);
        return false;
    }
    q->found[q->nfound++] = text;
    return true;
}

// Reads the filters; false: answered with 400.
static bool
read_filters(const struct agr_admin_call *call, struct query *q)
{
    char mem[FILTER_BYTES], number[24];
    struct ag_str v;
    for (unsigned i = 0; i < FILTERS; i++) {
        if (!agr_query_get(call->r, filter_name[i], mem, sizeof mem, &v))
            continue;
        struct ag_buf b;
        ag_buf_init(&b, q->value[i], FILTER_BYTES);
        ag_buf_json_str(&b, v);
        // Risk levels are asked for in the capitals of agent-aegis, too.
        for (size_t k = 0; i == 2 && k < b.n; k++)
            if (b.p[k] >= 'A' && b.p[k] <= 'Z')
                b.p[k] = (char)(b.p[k] + 32);
        q->value_n[i] = b.n;
    }
    q->limit = LIMIT_DEFAULT;
    if (!agr_query_get(call->r, "limit", number, sizeof number - 1, &v))
        return true;
    number[v.n] = 0;
    char *end;
    long limit = v.n && number[0] >= '0' && number[0] <= '9' ? strtol(number, &end, 10) : (end = number, 0);
    if (*end || limit < 1 || limit > (long)LIMIT_MAX) {
        agr_reply_error(call->c, 400, "bad_limit", "limit is a number from 1 to 1000");
        return false;
    }
    q->limit = (unsigned)limit;
    return true;
}

// Puts the newest q->limit rows before row `end` into rows[0..limit), newest first; returns how many.
static unsigned
collect(const struct agr_admin *a, struct query *q, char **rows, char *why, size_t why_size)
{
    unsigned n = 0;
    uint64_t to = agr_audit_rows_count(a->config->audit_dir);
    while (to > 0 && n < q->limit && !q->is_out_of_memory) {
        uint64_t from = to > STEP ? to - STEP : 0;
        q->nfound = 0;
        bool ok = agr_audit_rows(a->config->audit_dir, from, to, take_row, q, why, why_size);
        while (q->nfound) {
            char *row = q->found[--q->nfound];
            if (n < q->limit)
                rows[n++] = row;
            else
                free(row);
        }
        if (!ok)
            break;
        to = from;
    }
    return n;
}

void
agr_admin_audit(const struct agr_admin_call *call)
{
    static struct query q;
    static char *found[STEP], *rows[LIMIT_MAX];
    char why[512] = "";
    memset(&q, 0, sizeof q);
    q.found = found;
    if (!read_filters(call, &q))
        return;
    unsigned n = collect(call->a, &q, rows, why, sizeof why);
    size_t size = 2;
    for (unsigned i = 0; i < n; i++)
        size += strlen(rows[i]) + 1;
    char *mem = malloc(size);
    struct ag_buf b;
    ag_buf_init(&b, mem, mem ? size : 0);
    ag_buf_char(&b, '[');
    for (unsigned i = n; i-- > 0;) {
        ag_buf_str(&b, ag_str_z(rows[i]));
        if (i)
            ag_buf_char(&b, ',');
        free(rows[i]);
    }
    ag_buf_char(&b, ']');
    if (why[0])
        agr_reply_error(call->c, 503, "audit_unreadable", why);
    else if (b.is_full || q.is_out_of_memory)
        agr_reply_error(call->c, 503, "unavailable", "out of memory");
    else
        agr_reply_json(call->c, 200, ag_str_of(b.p, b.n));
    free(mem);
}
