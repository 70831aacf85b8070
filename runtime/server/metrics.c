// SPDX-License-Identifier: Apache-2.0
// GET /metrics: Prometheus text (0.0.4) from counters.def, so that every label combination is there from the
// start with 0 (A28, A29), and gauges from the shared state and the sequencer's status page. In: the state
// file's rows. Out: text on the heap of the caller. Next file to read: counters.def.
#include "server.h"

#include "audit_run.h"
#include "state/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_BYTES 131072u

enum row_kind { ROW_COUNTER, ROW_BUCKETS, ROW_GAUGE };

static const struct row {
    enum row_kind kind;
    enum agr_counter id;
    const char *metric, *labels, *help;
    uint64_t divisor;
} rows[] = {
#define COUNTER(ID, metric, labels, type, help) {ROW_COUNTER, AGR_C_##ID, metric, labels, help, 1},
#define BUCKETS(ID, metric, labels, help)       {ROW_BUCKETS, AGR_C_##ID, metric, labels, help, 1},
#define GAUGE(ID, metric, divisor, help)        {ROW_GAUGE, AGR_C_##ID, metric, "", help, divisor},
#include "counters.def"
};

static void
put_text(struct ag_buf *b, const char *z)
{
    ag_buf_str(b, ag_str_z(z));
}

// ns as seconds, without trailing zeros.
static void
put_seconds(struct ag_buf *b, uint64_t ns)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%llu.%09llu", (unsigned long long)(ns / 1000000000u),
                     (unsigned long long)(ns % 1000000000u));
    while (n > 0 && text[n - 1] == '0')
        n--;
    if (n > 0 && text[n - 1] == '.')
        n--;
    ag_buf_put(b, text, (size_t)n);
}

static void
put_head(struct ag_buf *b, const char *metric, const char *type, const char *help)
{
    put_text(b, "# HELP ");
    put_text(b, metric);
    put_text(b, " ");
    put_text(b, help);
    put_text(b, "\n# TYPE ");
    put_text(b, metric);
    put_text(b, " ");
    put_text(b, type);
    put_text(b, "\n");
}

static void
put_name(struct ag_buf *b, const char *metric, const char *suffix, const char *labels, const char *le)
{
    put_text(b, metric);
    put_text(b, suffix);
    if (*labels || le) {
        put_text(b, "{");
        put_text(b, labels);
        if (le) {
            put_text(b, *labels ? ",le=\"" : "le=\"");
            put_text(b, le);
            put_text(b, "\"");
        }
        put_text(b, "}");
    }
    put_text(b, " ");
}

static void
put_histogram(struct ag_buf *b, struct agr_state *st, const struct row *r)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i <= AGR_BUCKETS; i++) {
        char le[32];
        struct ag_buf t;
        ag_buf_init(&t, le, sizeof le - 1);
        if (i < AGR_BUCKETS)
            put_seconds(&t, (uint64_t)agr_bucket_bound(i));
        else
            ag_buf_lit(&t, "+Inf");
        le[t.n] = 0;
        sum += agr_counter_sum(st, (uint32_t)r->id + i);
        put_name(b, r->metric, "_bucket", r->labels, le);
        ag_buf_u64(b, sum);
        ag_buf_char(b, '\n');
    }
    put_name(b, r->metric, "_sum", r->labels, NULL);
    put_seconds(b, agr_counter_sum(st, (uint32_t)r->id + AGR_BUCKETS + 1));
    ag_buf_char(b, '\n');
    put_name(b, r->metric, "_count", r->labels, NULL);
    ag_buf_u64(b, sum);
    ag_buf_char(b, '\n');
}

static void
put_gauge(struct ag_buf *b, const char *metric, const char *help, uint64_t value, uint64_t divisor)
{
    put_head(b, metric, "gauge", help);
    put_name(b, metric, "", "", NULL);
    if (divisor == 1)
        ag_buf_u64(b, value);
    else
        put_seconds(b, value * (1000000000u / divisor));
    ag_buf_char(b, '\n');
}

// Lines that a live process owns, without admin's own.
static uint64_t
count_workers(struct agr_state *st)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < AGR_WORKERS_MAX; i++) {
        uint64_t owner = agr_worker_at(st, i)->owner;
        n += owner != 0 && owner != (uint64_t)getpid();
    }
    return n;
}

static void
put_gauges(struct ag_buf *b, const struct agr_metrics_source *m)
{
    struct agr_audit_page page = agr_audit_page_read(m->audit_dir);
    put_gauge(b, "aegis_active_proposals", "proposals that wait for people", 0, 1);
    put_gauge(b, "aegis_override_partial_oldest_seconds", "age of the oldest override with one signature", 0,
              1);
    put_gauge(b, "aegis_audit_lag_seconds", "age of the oldest row that is not sequenced", page.lag_ns,
              1000000000u);
    put_gauge(b, "aegis_audit_backlog_bytes", "journal bytes that are not sequenced", page.backlog, 1);
    put_gauge(b, "aegis_audit_backlog_max_bytes", "backlog at which answers become unavailable",
              page.backlog_max, 1);
    put_gauge(b, "aegis_audit_space_free_bytes", "free space of the log's file system", page.space_free, 1);
    put_gauge(b, "aegis_audit_rows", "rows in the log", page.rows, 1);
    put_gauge(b, "aegis_audit_flags",
              "1 backlog full, 2 space under the reserve, 4 sequencer failed, 8 half of a limit", page.flags,
              1);
    put_gauge(b, "aegis_limit_entries", "entries of rates, quotas and budgets in use",
              agr_table_used(m->state), 1);
    put_gauge(b, "aegis_policy_generation", "policies published since start, the first one included",
              m->generation, 1);
    put_gauge(b, "aegis_workers", "workers that serve", count_workers(m->state), 1);
}

char *
agr_metrics_text(const struct agr_metrics_source *m, size_t *ret_n)
{
    char *mem = malloc(TEXT_BYTES);
    struct ag_buf b;
    const char *last = "";
    if (!mem)
        return NULL;
    ag_buf_init(&b, mem, TEXT_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        if (r->kind == ROW_GAUGE) {
            put_gauge(&b, r->metric, r->help, agr_gauge_max(m->state, (uint32_t)r->id), r->divisor);
            continue;
        }
        if (strcmp(last, r->metric) != 0)
            put_head(&b, r->metric, r->kind == ROW_BUCKETS ? "histogram" : "counter", r->help);
        last = r->metric;
        if (r->kind == ROW_BUCKETS) {
            put_histogram(&b, m->state, r);
            continue;
        }
        put_name(&b, r->metric, "", r->labels, NULL);
        ag_buf_u64(&b, agr_counter_sum(m->state, (uint32_t)r->id));
        ag_buf_char(&b, '\n');
    }
    put_gauges(&b, m);
    if (b.is_full) {
        free(mem);
        return NULL;
    }
    *ret_n = b.n;
    return mem;
}
