// SPDX-License-Identifier: Apache-2.0
// The data API of Open Policy Agent: the document at a path, computed for an input. Values only: no effect is
// planned or committed. Every answer gets an id and a `note` row, so that what was decided with it can be
// found. In: GET or POST /v1/data/PATH, POST /. Out: {"result": ..}; errors as {code, message, errors}.
// Memory: the worker's record buffer, one malloc'd answer. Next file to read: runtime/host/document.c.
#include "data.h"

#include "buf.h"
#include "json.h"
#include "json_text.h"
#include "reply.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define STEPS_MAX 64u         // of a path
#define VALUE_MIN 65536u      // bytes of a result at first
#define VALUE_MAX (64u << 20) // and at most
#define ID_SIZE   37u

struct query {
    struct agr_worker_process *w;
    struct agr_conn *c;
    const struct agr_request *r;
    struct aegis_str step[STEPS_MAX];
    uint32_t nsteps;
    char path[AGR_URL_MAX + 1], input_mem[AGR_URL_MAX];
    struct ag_str input; // p NULL: none
    char id[ID_SIZE];
    size_t value_n;
    int64_t begin_ns, eval_ns;
    bool is_pretty, has_metrics, has_provenance;
};

static int64_t
clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// --- errors

static void
refuse(struct query *q, int status, const char *code, const char *message)
{
    char mem[2048];
    struct ag_buf b;
    agr_count(q->w, AGR_C_REFUSED);
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"code\":");
    ag_buf_json_str(&b, ag_str_z(code));
    ag_buf_lit(&b, ",\"message\":");
    ag_buf_json_str(&b, ag_str_z(message));
    ag_buf_char(&b, '}');
    agr_reply_json(q->c, status, ag_str_of(b.p, b.n));
}

// "FILE:LINE: CODE: MESSAGE" of the machine as one of the errors of an answer.
static void
policy_error(struct query *q, const char *text)
{
    char mem[2048];
    struct ag_buf b;
    const char *code = strstr(text, "eval_"), *after = code ? strchr(code, ':') : NULL;
    size_t place = code && code > text + 2 ? (size_t)(code - text) - 2 : 0, line = place;
    while (line > 0 && text[line - 1] != ':')
        line--;
    agr_count(q->w, AGR_C_ERRORS_EVALUATE);
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"code\":\"internal_error\",\"message\":\"error(s) occurred while evaluating query\","
                   "\"errors\":[{\"code\":");
    ag_buf_json_str(&b, after ? ag_str_of(code, (size_t)(after - code)) : AG_STR("eval_internal_error"));
    ag_buf_lit(&b, ",\"message\":");
    ag_buf_json_str(&b, ag_str_z(after ? after + 2 : text));
    if (line) {
        ag_buf_lit(&b, ",\"location\":{\"file\":");
        ag_buf_json_str(&b, ag_str_of(text, line - 1));
        ag_buf_lit(&b, ",\"row\":");
        ag_buf_put(&b, text + line, place - line);
        ag_buf_char(&b, '}');
    }
    ag_buf_lit(&b, "}]}");
    agr_reply_json(q->c, 500, ag_str_of(b.p, b.n));
}

static void
refuse_status(struct query *q, enum aegis_status s, const struct aegis_error *e)
{
    switch (s) {
    case AEGIS_POLICY: policy_error(q, e->text); return;
    case AEGIS_MALFORMED: refuse(q, 400, "invalid_parameter", e->text); return;
    case AEGIS_TOO_LARGE: refuse(q, 413, "invalid_parameter", e->text); return;
    case AEGIS_NO_ENTRY:
        refuse(q, 404, "undefined_document", "the policy has no documents that can be asked for by path");
        return;
    default: refuse(q, 503, "unavailable", e->text); return;
    }
}

// --- the request

static bool
read_path(struct query *q)
{
    struct ag_str rest = q->r->path, step;
    size_t prefix = sizeof "/v1/data" - 1, used = 0;
    rest = ag_str_of(rest.p + prefix, rest.n - prefix);
    while (rest.n) {
        rest = ag_str_of(rest.p + 1, rest.n - 1); // the slash
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '/')
            n++;
        if (n && (q->nsteps == STEPS_MAX ||
                  !agr_percent_decode(ag_str_of(rest.p, n), q->path + used, sizeof q->path - used, &step)))
            return false;
        if (n) {
            q->step[q->nsteps++] = (struct aegis_str){step.p, step.n};
            used += step.n;
        }
        rest = ag_str_of(rest.p + n, rest.n - n);
    }
    return true;
}

// "name", "name=" and "name=true" switch it on.
static bool
flag(const struct agr_request *r, const char *name)
{
    char mem[16];
    struct ag_str v;
    size_t n = strlen(name);
    if (agr_query_get(r, name, mem, sizeof mem, &v))
        return v.n == 0 || ag_str_is(v, "true");
    for (size_t at = 0, end; at < r->query.n; at = end + 1) {
        for (end = at; end < r->query.n && r->query.p[end] != '&'; end++)
            continue;
        if (end - at == n && memcmp(r->query.p + at, name, n) == 0)
            return true;
    }
    return false;
}

// Parameters that would change the answer in a way this server cannot are refused, not ignored.
static bool
read_parameters(struct query *q)
{
    char mem[32];
    struct ag_str v;
    q->is_pretty = flag(q->r, "pretty");
    q->has_metrics = flag(q->r, "metrics");
    q->has_provenance = flag(q->r, "provenance");
    if (flag(q->r, "strict-builtin-errors")) {
        refuse(q, 400, "invalid_parameter",
               "strict-builtin-errors is decided when the policy is compiled: aegisc --strict-errors");
        return false;
    }
    if (agr_query_get(q->r, "explain", mem, sizeof mem, &v) && v.n && !ag_str_is(v, "off")) {
        refuse(q, 400, "invalid_parameter", "explain is not answered here: use aegis explain");
        return false;
    }
    return true;
}

static bool
read_input(struct query *q, bool is_whole_body)
{
    const char *why = "not JSON";
    size_t offset;
    struct ag_str v;
    if (q->r->method != AGR_POST) {
        if (agr_query_get(q->r, "input", q->input_mem, sizeof q->input_mem, &v))
            q->input = v;
        return true;
    }
    if (!q->r->body.n)
        return true;
    enum agr_json_kind kind = agr_json_read(q->r->body, &why, &offset);
    if (kind == AGR_JSON_NONE || (!is_whole_body && kind != AGR_JSON_OBJECT)) {
        char text[256];
        snprintf(text, sizeof text, "body contains malformed input document: %s",
                 kind == AGR_JSON_NONE ? why : "it must be an object");
        refuse(q, 400, "invalid_parameter", text);
        return false;
    }
    v = is_whole_body ? q->r->body : agr_json_raw(q->r->body, "input");
    if (v.n)
        q->input = v;
    return true;
}

// --- the value

static void
make_id(struct query *q)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t r[16] = {0};
    if (getrandom(r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r)
        memcpy(r, &q->begin_ns, sizeof q->begin_ns);
    r[6] = (uint8_t)((r[6] & 15) | 64);
    r[8] = (uint8_t)((r[8] & 63) | 128);
    for (unsigned i = 0, at = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            q->id[at++] = '-';
        q->id[at++] = hex[r[i] >> 4];
        q->id[at++] = hex[r[i] & 15];
    }
}

static enum aegis_status
evaluate(struct query *q, struct aegis_error *e)
{
    struct agr_worker_process *w = q->w;
    enum aegis_status s = AEGIS_TOO_LARGE;
    int64_t begin = clock_now();
    for (size_t size = w->record_size > VALUE_MIN ? w->record_size : VALUE_MIN;
         s == AEGIS_TOO_LARGE && size <= VALUE_MAX; size *= 4) {
        char *more = size > w->record_size ? realloc(w->record, size) : w->record;
        if (!more)
            return AEGIS_NO_MEMORY;
        w->record = more;
        w->record_size = size;
        s = aegis_ctx_document_json(w->ctx, w->slot, q->step, q->nsteps, q->input.p, q->input.n, w->record,
                                    w->record_size, &q->value_n, e);
    }
    q->eval_ns = clock_now() - begin;
    agr_count_latency(w, AGR_C_LATENCY_DECISION, q->eval_ns);
    return s;
}

// The row: which document of which policy, whether it is defined, and a result that is true or false.
static bool
journal(struct query *q)
{
    char mem[AGR_URL_MAX + 512];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_lit(&b, "{\"event\":\"data\",\"decision_id\":\"");
    ag_buf_str(&b, ag_str_z(q->id));
    ag_buf_lit(&b, "\",\"path\":[");
    for (uint32_t i = 0; i < q->nsteps; i++) {
        if (i)
            ag_buf_char(&b, ',');
        ag_buf_json_str(&b, ag_str_of(q->step[i].p, q->step[i].n));
    }
    ag_buf_lit(&b, "],\"defined\":");
    ag_buf_str(&b, q->value_n ? AG_STR("true") : AG_STR("false"));
    ag_buf_lit(&b, ",\"policy_digest\":\"");
    ag_buf_put(&b, q->w->digest, sizeof q->w->digest);
    ag_buf_lit(&b, "\"");
    if (q->value_n == 4 || q->value_n == 5) { // a plain answer is kept as it is
        if (memcmp(q->w->record, "true", 4) == 0)
            ag_buf_lit(&b, ",\"result\":true");
        else if (q->value_n == 5 && memcmp(q->w->record, "false", 5) == 0)
            ag_buf_lit(&b, ",\"result\":false");
    }
    ag_buf_char(&b, '}');
    return !b.is_full && aegis_ctx_row(q->w->ctx, "note", b.p, b.n) == AEGIS_OK;
}

static void
put_metrics(const struct query *q, struct ag_buf *b)
{
    ag_buf_lit(b, ",\"metrics\":{\"timer_rego_query_eval_ns\":");
    ag_buf_u64(b, (uint64_t)q->eval_ns);
    ag_buf_lit(b, ",\"timer_server_handler_ns\":");
    ag_buf_u64(b, (uint64_t)(clock_now() - q->begin_ns));
    ag_buf_char(b, '}');
}

static void
put_provenance(const struct query *q, struct ag_buf *b)
{
    ag_buf_lit(b, ",\"provenance\":{\"version\":");
    ag_buf_json_str(b, ag_str_z(aegis_version()));
    ag_buf_lit(b, ",\"policy_digest\":\"");
    ag_buf_put(b, q->w->digest, sizeof q->w->digest);
    ag_buf_lit(b, "\"}");
}

static void
reply(struct query *q, struct ag_str body)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = q->is_pretty ? open_memstream(&text, &n) : NULL;
    if (!f) {
        agr_reply_json(q->c, 200, body);
        return;
    }
    agr_json_indent(f, body, 0);
    fputc('\n', f);
    if (fclose(f) == 0)
        agr_reply_json(q->c, 200, ag_str_of(text, n));
    free(text);
}

static void
answer(struct query *q)
{
    size_t size = q->value_n + 1024;
    char *mem = malloc(size);
    struct ag_buf b;
    if (!mem)
        return;
    ag_buf_init(&b, mem, size);
    ag_buf_lit(&b, "{\"decision_id\":\"");
    ag_buf_str(&b, ag_str_z(q->id));
    ag_buf_char(&b, '"');
    if (q->has_metrics)
        put_metrics(q, &b);
    if (q->has_provenance)
        put_provenance(q, &b);
    if (q->value_n) {
        ag_buf_lit(&b, ",\"result\":");
        ag_buf_put(&b, q->w->record, q->value_n);
    }
    if (!q->input.p && q->r->method == AGR_POST)
        ag_buf_lit(&b, ",\"warning\":{\"code\":\"api_usage_warning\",\"message\":"
                       "\"'input' key missing from the request\"}");
    ag_buf_char(&b, '}');
    reply(q, ag_str_of(b.p, b.n));
    free(mem);
}

// Evaluates and journals; false when an error was answered.
static bool
run(struct query *q)
{
    struct aegis_error e = {.size = sizeof e};
    enum aegis_status s = evaluate(q, &e);
    if (s != AEGIS_OK) {
        refuse_status(q, s, &e);
        return false;
    }
    make_id(q);
    if (!journal(q)) {
        refuse(q, 503, "audit_unavailable", "the answer could not be recorded");
        return false;
    }
    return true;
}

static struct query *
begin(struct agr_conn *c, const struct agr_request *r)
{
    struct query *q = calloc(1, sizeof *q);
    if (q) {
        q->w = c->loop->user;
        q->c = c;
        q->r = r;
        q->begin_ns = clock_now();
    }
    return q;
}

void
agr_data_api(struct agr_conn *c, const struct agr_request *r)
{
    struct query *q = begin(c, r);
    if (!q)
        return;
    if (!read_path(q))
        refuse(q, 400, "invalid_parameter", "the path is malformed or has too many steps");
    else if (read_parameters(q) && read_input(q, false) && run(q))
        answer(q);
    free(q);
}

void
agr_data_api_main(struct agr_conn *c, const struct agr_request *r)
{
    struct query *q = begin(c, r);
    if (!q)
        return;
    q->step[0] = (struct aegis_str){"system", 6};
    q->step[1] = (struct aegis_str){"main", 4};
    q->nsteps = 2;
    q->is_pretty = flag(r, "pretty");
    if (read_input(q, true) && run(q)) {
        if (q->value_n)
            reply(q, ag_str_of(q->w->record, q->value_n));
        else
            refuse(q, 404, "undefined_document", "document missing: data.system.main");
    }
    free(q);
}
