// SPDX-License-Identifier: Apache-2.0
// aegis audit: an audit log read, verified and proved (B30). In: a log directory, maybe while its sequencer
// writes. Out: rows, reports, receipts, checkpoints. Next file to read: rows.c, runtime/audit/verify.c.
#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define TAIL_ROWS 10 // of tail without --limit

struct options {
    struct agr_rows_filter filter;
    const char *format, *out, *vkey, *row_vkey;
    long limit;
    int is_json, is_following;
};

// What a line of the table below runs: argument 0 is the log.
struct request {
    const struct options *o;
    const struct agr_list *args; // without the word
    const char *dir;
};

static int
fail(const struct request *q, enum agr_audit_result r, const struct agr_audit_error *e)
{
    int code = r == AGR_AUDIT_REFUSED || r == AGR_AUDIT_NOT_FOUND ? AGR_EXIT_DENIED : AGR_EXIT_UNAVAILABLE;
    return agr_die(code, "%s: %s", q->dir, e->text[0] ? e->text : "it cannot be read");
}

static bool
size_of(const struct request *q, uint64_t *ret)
{
    uint64_t signed_rows;
    if (agr_audit_size(q->dir, &signed_rows, ret) == AGR_AUDIT_OK)
        return true;
    agr_die(0, "%s: no audit log here", q->dir);
    return false;
}

static bool
open_out(const struct options *o, FILE **ret)
{
    *ret = o->out ? fopen(o->out, "we") : stdout;
    if (!*ret)
        agr_die(0, "%s: %s", o->out, strerror(errno));
    return *ret != NULL;
}

static int
close_out(const struct options *o, FILE *f, int code)
{
    bool ok = fflush(f) == 0 && !ferror(f);
    if (f != stdout)
        ok = fclose(f) == 0 && ok;
    return ok ? code
              : agr_die(AGR_EXIT_UNAVAILABLE, "%s: %s", o->out ? o->out : "standard output", strerror(errno));
}

// Rows from `from` on; with follow it looks again each second, until it is ended by a signal or its reader
// goes.
static int
show(const struct request *q, uint64_t from, uint64_t to, bool is_following)
{
    struct agr_rows r = {.filter = q->o->filter, .limit = is_following ? 0 : (uint64_t)q->o->limit};
    struct agr_audit_error e = {.text = ""};
    if (!agr_rows_format(q->o->is_json && !q->o->format ? "json" : q->o->format, &r.format))
        return AGR_EXIT_HELD;
    if (is_following && r.format == AGR_ROWS_JSON)
        r.format = AGR_ROWS_JSONL; // an array would never end
    if (!open_out(q->o, &r.out))
        return AGR_EXIT_UNAVAILABLE;
    agr_rows_begin(&r);
    enum agr_audit_result result = agr_audit_iterate(q->dir, from, to, agr_rows_write, &r, &e);
    while (is_following && result == AGR_AUDIT_OK && fflush(r.out) == 0) {
        sleep(1);
        from = to;
        if (!size_of(q, &to))
            break;
        if (to > from)
            result = agr_audit_iterate(q->dir, from, to, agr_rows_write, &r, &e);
    }
    agr_rows_end(&r);
    return close_out(q->o, r.out, result == AGR_AUDIT_OK ? AGR_EXIT_OK : fail(q, result, &e));
}

static int
run_list(const struct request *q)
{
    uint64_t all;
    return size_of(q, &all) ? show(q, 0, all, false) : AGR_EXIT_UNAVAILABLE;
}

static int
run_export(const struct request *q)
{
    struct options o = *q->o;
    struct request jsonl = {&o, q->args, q->dir};
    if (!o.format)
        o.format = "jsonl";
    return run_list(&jsonl);
}

static int
run_tail(const struct request *q)
{
    uint64_t all, n = q->o->limit ? (uint64_t)q->o->limit : TAIL_ROWS;
    if (!size_of(q, &all))
        return AGR_EXIT_UNAVAILABLE;
    return show(q, all > n ? all - n : 0, all, q->o->is_following != 0);
}

static int
run_stats(const struct request *q)
{
    return agr_rows_stats(q->dir, q->o->is_json != 0);
}

// ---- verify

static void
print_progress(void *ctx, uint64_t rows, uint64_t of)
{
    (void)ctx;
    fprintf(stderr, "\r%llu of %llu rows", (unsigned long long)rows, (unsigned long long)of);
}

// A key given as text, or as a file holding it.
static const char *
key_text(const char *text_or_file, char **ret_mem)
{
    size_t n;
    if (!text_or_file || strchr(text_or_file, '+'))
        return text_or_file;
    *ret_mem = agr_read_file(text_or_file, 4096, &n);
    if (*ret_mem)
        (*ret_mem)[strcspn(*ret_mem, "\r\n")] = 0;
    return *ret_mem;
}

static void
print_hash(const struct agr_hash *h)
{
    char mem[64];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_base64(&b, h->b, sizeof h->b);
    printf("%.*s", (int)b.n, b.p);
}

static void
print_report_json(const struct agr_verify_report *r, bool ok)
{
    printf("{\"verified\":%s,\"rows\":%llu,\"bytes\":%llu,\"journals\":%u,\"days\":%u,\"payloads\":%llu,"
           "\"bundles_gone\":%llu",
           ok ? "true" : "false", (unsigned long long)r->rows, (unsigned long long)r->bytes, r->journals,
           r->days, (unsigned long long)r->payloads, (unsigned long long)r->bundles_gone);
    printf(",\"origin\":");
    agr_print_json_str(stdout, ag_str_z(r->origin));
    printf(",\"root\":\"");
    print_hash(&r->root);
    printf("\"");
    if (r->has_bad_row)
        printf(",\"bad_row\":%llu", (unsigned long long)r->bad_gseq);
    if (!ok) {
        printf(",\"file\":");
        agr_print_json_str(stdout, ag_str_z(r->file));
        printf(",\"error\":");
        agr_print_json_str(stdout, ag_str_z(r->text));
    }
    printf("}\n");
}

static int
print_report(const struct request *q, const struct agr_verify_report *r, enum agr_audit_result result)
{
    bool ok = result == AGR_AUDIT_OK;
    int code = ok ? AGR_EXIT_OK : result == AGR_AUDIT_REFUSED ? AGR_EXIT_DENIED : AGR_EXIT_UNAVAILABLE;
    if (q->o->is_json) {
        print_report_json(r, ok);
        return code;
    }
    if (!ok) {
        fprintf(stderr, "aegis: %s: the log is NOT verified\n", q->dir);
        if (r->has_bad_row)
            fprintf(stderr, "  first bad row: %llu\n", (unsigned long long)r->bad_gseq);
        if (r->file[0])
            fprintf(stderr, "  file:          %s\n", r->file);
        fprintf(stderr, "  what differs:  %s\n", r->text[0] ? r->text : "the log cannot be read");
        return code;
    }
    printf("origin   %s\nroot     ", r->origin);
    print_hash(&r->root);
    printf("\nrows     %llu (%llu bytes, %u journals, %u days, %llu payloads)\n", (unsigned long long)r->rows,
           (unsigned long long)r->bytes, r->journals, r->days, (unsigned long long)r->payloads);
    if (r->bundles_gone)
        printf("pruned   %llu bundles, as the signed floor says\n", (unsigned long long)r->bundles_gone);
    if (!q->o->vkey)
        printf("key      from the log itself; --vkey checks against a key kept elsewhere\n");
    printf("log verified\n");
    return code;
}

static int
run_verify(const struct request *q)
{
    static struct agr_verify_report report;
    char *mem = NULL, *row_mem = NULL;
    bool is_terminal = isatty(STDERR_FILENO) && !q->o->is_json;
    struct agr_verify_options v = {.vkey = key_text(q->o->vkey, &mem),
                                   .row_vkey = key_text(q->o->row_vkey, &row_mem)};
    if ((q->o->vkey && !v.vkey) || (q->o->row_vkey && !v.row_vkey)) {
        free(mem);
        free(row_mem);
        return AGR_EXIT_UNAVAILABLE;
    }
    v.progress = is_terminal ? print_progress : NULL;
    memset(&report, 0, sizeof report);
    enum agr_audit_result r = agr_audit_verify(q->dir, &v, &report);
    if (is_terminal)
        fprintf(stderr, "\r\033[K");
    free(mem);
    free(row_mem);
    return print_report(q, &report, r);
}

// ---- proofs

static bool
is_decimal(const char *s, uint64_t *ret)
{
    return agr_decimal_parse(ag_str_z(s), ret);
}

static int
write_text(const struct request *q, const char *p, size_t n)
{
    FILE *f;
    if (!open_out(q->o, &f))
        return AGR_EXIT_UNAVAILABLE;
    fwrite(p, 1, n, f);
    return close_out(q->o, f, AGR_EXIT_OK);
}

static int
run_receipt(const struct request *q)
{
    struct agr_audit_error e = {.text = ""};
    uint64_t gseq = 0;
    char *text = NULL;
    size_t n = 0;
    if (q->args->n != 2)
        return agr_die(AGR_EXIT_HELD, "audit receipt: give the log, and a decision_id or a row number");
    const char *what = q->args->v[1];
    enum agr_audit_result r =
        is_decimal(what, &gseq) ? AGR_AUDIT_OK : agr_audit_find(q->dir, ag_str_z(what), &gseq, &e);
    uint64_t all = 0;
    if (r == AGR_AUDIT_OK && !size_of(q, &all))
        return AGR_EXIT_UNAVAILABLE;
    if (r == AGR_AUDIT_OK && gseq >= all)
        r = AGR_AUDIT_NOT_FOUND;
    if (r == AGR_AUDIT_OK)
        r = agr_audit_receipt(q->dir, gseq, &text, &n, &e);
    if (r == AGR_AUDIT_NOT_FOUND)
        return agr_die(AGR_EXIT_DENIED, "%s: no row %s", q->dir, what);
    if (r == AGR_AUDIT_PENDING)
        return agr_die(AGR_EXIT_HELD, "%s: row %s is not under a checkpoint yet; ask again in a second",
                       q->dir, what);
    if (r != AGR_AUDIT_OK)
        return fail(q, r, &e);
    int code = write_text(q, text, n);
    free(text);
    return code;
}

static int
run_root(const struct request *q)
{
    static char note[AGR_NOTE_MAX];
    struct agr_audit_error e = {.text = ""};
    char today[40];
    struct ag_buf b;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    ag_buf_init(&b, today, sizeof today);
    ag_buf_time(&b, now.tv_sec * 1000000000ll, 0);
    today[10] = 0; // the date alone
    if (q->args->n > 2)
        return agr_die(AGR_EXIT_HELD, "audit root: give the log and at most one day YYYY-MM-DD");
    enum agr_audit_result r =
        agr_audit_root(q->dir, q->args->n == 2 ? q->args->v[1] : today, note, sizeof note, &e);
    return r == AGR_AUDIT_OK ? write_text(q, note, strlen(note)) : fail(q, r, &e);
}

static int
run_prove(const struct request *q)
{
    struct agr_audit_error e = {.text = ""};
    struct agr_proof proof;
    uint64_t old, size;
    if (q->args->n != 3 || !is_decimal(q->args->v[1], &old) || !is_decimal(q->args->v[2], &size) || old < 1 ||
        old > size)
        return agr_die(AGR_EXIT_HELD, "audit prove: give the log and two sizes, 1 <= OLD <= SIZE");
    enum agr_audit_result r = agr_audit_consistency(q->dir, old, size, &proof, &e);
    if (r != AGR_AUDIT_OK)
        return fail(q, r, &e);
    for (uint32_t i = 0; i < proof.n; i++) {
        print_hash(&proof.h[i]);
        putchar('\n');
    }
    return AGR_EXIT_OK;
}

static const struct {
    const char *word;
    int (*run)(const struct request *q);
    unsigned args; // most arguments behind the word, the log included
} words[] = {{"list", run_list, 1},     {"tail", run_tail, 1},     {"stats", run_stats, 1},
             {"export", run_export, 1}, {"verify", run_verify, 1}, {"receipt", run_receipt, 2},
             {"root", run_root, 2},     {"prove", run_prove, 3}};

static int
run(const struct options *o, const struct agr_list *args)
{
    struct agr_list rest = {.n = 0};
    for (size_t i = 0; args->n && i < sizeof words / sizeof *words; i++) {
        if (strcmp(args->v[0], words[i].word) != 0)
            continue;
        for (unsigned k = 1; k < args->n; k++)
            rest.v[rest.n++] = args->v[k];
        if (rest.n < 1 || rest.n > words[i].args)
            return agr_die(AGR_EXIT_HELD, "audit %s: give the directory of a log%s", args->v[0],
                           rest.n > words[i].args ? " and no more than it takes" : "");
        return words[i].run(&(struct request){o, &rest, rest.v[0]});
    }
    return agr_die(
        AGR_EXIT_HELD,
        "audit: say list, tail, stats, export, verify, receipt, root or prove, then a log directory");
}

// Puts the word as rows have it in the place of *word, whatever its case. False: text_of gives no such word,
// and that was said.
static bool
known_word(const char *option, const char **word, struct aegis_str (*text_of)(unsigned))
{
    for (unsigned i = 0; *word && i <= AEGIS_KILL; i++) { // as many decisions; there are fewer levels of risk
        struct aegis_str t = text_of(i);
        if (t.n && strlen(*word) == t.n && strncasecmp(*word, t.p, t.n) == 0) {
            *word = t.p;
            return true;
        }
    }
    if (*word)
        agr_die(AGR_EXIT_HELD, "audit: no row has --%s %s", option, *word);
    return !*word;
}

int
cmd_audit(int argc, char **argv)
{
    struct options o = {0};
    struct agr_list args = {0};
    int code;
    const struct agr_opt opts[] = {
        {"session", 0, AGR_OPT_STR, &o.filter.session, "ID", "rows of this session"},
        {"action-type", 0, AGR_OPT_STR, &o.filter.action_type, "TYPE", "rows of this action type"},
        {"risk-level", 0, AGR_OPT_STR, &o.filter.risk_level, "LEVEL", "low, medium, high or critical"},
        {"decision", 0, AGR_OPT_STR, &o.filter.decision, "WORD",
         "allow, monitor, throttle, escalate, deny or kill"},
        {"rule", 0, AGR_OPT_STR, &o.filter.rule, "NAME", "rows that this rule decided"},
        {"tenant", 0, AGR_OPT_STR, &o.filter.tenant, "NAME", "rows of this tenant"},
        {"agent", 0, AGR_OPT_STR, &o.filter.agent, "NAME", "rows of this agent"},
        {"type", 0, AGR_OPT_STR, &o.filter.type, "TYPE", "row type: decision, refused, kill, policy, ..."},
        {"limit", 'n', AGR_OPT_INT, &o.limit, "N", "rows at most; of tail: the last N (default 10)"},
        {"format", 0, AGR_OPT_STR, &o.format, "FORM", "table (default), json or jsonl"},
        {"output", 'o', AGR_OPT_STR, &o.out, "FILE", "write there instead of standard output"},
        {"follow", 'f', AGR_OPT_FLAG, &o.is_following, NULL, "tail: keep looking, once a second"},
        {"vkey", 0, AGR_OPT_STR, &o.vkey, "KEY", "verify: checkpoint verifier key, or a file holding it"},
        {"row-vkey", 0, AGR_OPT_STR, &o.row_vkey, "KEY", "verify: row verifier key, or a file holding it"},
        {"json", 0, AGR_OPT_FLAG, &o.is_json, NULL, "print JSON"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (o.limit < 0)
        return agr_die(AGR_EXIT_HELD, "audit: --limit is not negative");
    if (!known_word("risk-level", &o.filter.risk_level, aegis_risk_text) ||
        !known_word("decision", &o.filter.decision, aegis_decision_text))
        return AGR_EXIT_HELD;
    return run(&o, &args);
}
