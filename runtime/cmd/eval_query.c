// SPDX-License-Identifier: Apache-2.0
// A query over modules and documents: aegisc compiles them together in a jailed child, and the machine runs
// the entrypoint `query`. Over an image the query is a reference, because an image holds no names. In:
// options. Out: results on standard output, errors in the form of --format. Memory: malloc'd, freed before
// return. Next file to read: eval_print.c, sources.h.
#include "query.h"

#include "buf.h"
#include "explain_value.h"
#include "sources.h"

#include <stdlib.h>

#define SCOPE_MAX 8192u
#define STEPS_MAX 64u
#define OUT_MIN   (1u << 20) // bytes of results at first
#define OUT_MAX   (1u << 30) // and at most
#define OPTIONS   12u

struct query {
    const struct agr_eval *o;
    struct agr_sources sources;
    struct agr_sim sim;
    char *input; // JSON, NULL: no input
    size_t input_n;
    char *out, *literals;
    size_t out_n, literals_n;
};

// "package P" and the imports; false when they are too long.
static bool
write_scope(const struct agr_eval *o, struct ag_buf *b)
{
    if (!o->package && !o->imports.n)
        return true;
    ag_buf_lit(b, "package ");
    ag_buf_str(b, ag_str_z(o->package ? o->package : "aegis_query"));
    ag_buf_char(b, '\n');
    for (unsigned i = 0; i < o->imports.n; i++) {
        ag_buf_lit(b, "import ");
        ag_buf_str(b, ag_str_z(o->imports.v[i]));
        ag_buf_char(b, '\n');
    }
    ag_buf_char(b, 0);
    return !b->is_full;
}

static int
report_refusal(const struct agr_eval *o, struct agr_refusal *r)
{
    bool is_shown = r->text && o->format == AGR_EVAL_JSON && agr_eval_print_refusal(r->text);
    if (!is_shown && r->text)
        fputs(r->text, stderr);
    if (r->code == -1)
        agr_die(0, "eval: the compiler did not finish");
    int code = r->code == 1 ? AGR_EVAL_ERROR : AGR_EXIT_UNAVAILABLE;
    free(r->text);
    return code;
}

static struct aegis_policy *
compile(struct query *q, int *ret_exit)
{
    char scope[SCOPE_MAX];
    struct agr_refusal refusal;
    const char *options[OPTIONS] = {"--rego", "--query", q->o->query};
    unsigned n = 3;
    struct ag_buf b;
    ag_buf_init(&b, scope, sizeof scope);
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (!write_scope(q->o, &b)) {
        *ret_exit = agr_die(AGR_EXIT_HELD, "eval: --package and --import are too long");
        return NULL;
    }
    if (b.n) {
        options[n++] = "--query-scope";
        options[n++] = scope;
    }
    if (q->o->is_strict)
        options[n++] = "--strict-errors";
    if (q->o->is_traced)
        options[n++] = "-O0";
    if (q->o->format == AGR_EVAL_JSON)
        options[n++] = "--format=json";
    struct aegis_policy *p = agr_sources_compile(&q->sources, options, &refusal);
    if (!p)
        *ret_exit = report_refusal(q->o, &refusal);
    return p;
}

// --- a reference: data, .name, ["any text"]
static bool
parse_reference(const char *s, struct aegis_str *step, uint32_t *ret_n)
{
    uint32_t n = 0;
    if (strncmp(s, "data", 4) != 0)
        return false;
    for (s += 4; *s; n++) {
        size_t length;
        if (n == STEPS_MAX)
            return false;
        if (*s == '.') {
            length = strspn(++s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
            step[n] = (struct aegis_str){s, length};
            s += length;
        } else {
            if (strncmp(s, "[\"", 2) != 0)
                return false;
            s += 2;
            length = strcspn(s, "\"\\");
            step[n] = (struct aegis_str){s, length};
            s += length;
            if (strncmp(s, "\"]", 2) != 0)
                return false;
            s += 2;
        }
        if (length == 0)
            return false;
    }
    *ret_n = n;
    return true;
}

// --- evaluation

// Runs the entrypoint (steps NULL) or the document; grows *out until the value fits.
static enum aegis_status
value_of(struct query *q, const char *entry, const struct aegis_str *step, uint32_t n, char **out,
         size_t *ret_n, struct aegis_error *e)
{
    enum aegis_status s = AEGIS_TOO_LARGE;
    for (size_t size = OUT_MIN; s == AEGIS_TOO_LARGE && size <= OUT_MAX; size *= 4) {
        free(*out);
        *out = malloc(size);
        if (!*out)
            return AEGIS_NO_MEMORY;
        s = entry ? aegis_ctx_eval_json(q->sim.ctx, q->sim.slot, entry, q->input, q->input_n, *out, size,
                                        ret_n, e)
                  : aegis_ctx_document_json(q->sim.ctx, q->sim.slot, step, n, q->input, q->input_n, *out,
                                            size, ret_n, e);
        if (q->input_n > AGR_LARGE_INPUT_MAX)
            break;
    }
    return s;
}

// The value of a reference in the form of one result.
static bool
wrap_value(struct query *q)
{
    static const char before[] = "[{\"bindings\":{},\"expressions\":[", after[] = "]}]";
    size_t size = q->out_n + sizeof before + sizeof after + 6 * strlen(q->o->query) + 100;
    char *text = malloc(size), *literals = malloc(size);
    struct ag_buf b, l;
    if (!text || !literals) {
        free(text);
        free(literals);
        return false;
    }
    ag_buf_init(&b, text, size);
    ag_buf_init(&l, literals, size);
    if (q->out_n) {
        ag_buf_lit(&b, before);
        ag_buf_put(&b, q->out, q->out_n);
        ag_buf_lit(&b, after);
    } else
        ag_buf_lit(&b, "[]");
    ag_buf_lit(&l, "[{\"text\":");
    ag_buf_json_str(&l, ag_str_z(q->o->query));
    ag_buf_lit(&l, ",\"location\":{\"row\":1,\"col\":1}}]");
    free(q->out);
    q->out = text;
    q->out_n = b.n;
    q->literals = literals;
    q->literals_n = l.n;
    return true;
}

static enum aegis_status
evaluate(struct query *q, struct aegis_error *e)
{
    struct aegis_str step[STEPS_MAX];
    uint32_t n = 0;
    if (q->sources.image) {
        if (!parse_reference(q->o->query, step, &n)) {
            snprintf(e->text, sizeof e->text,
                     "over an image a query is a reference such as data.authz.allow");
            return AEGIS_USAGE;
        }
        enum aegis_status s = value_of(q, NULL, step, n, &q->out, &q->out_n, e);
        return s != AEGIS_OK ? s : wrap_value(q) ? AEGIS_OK : AEGIS_NO_MEMORY;
    }
    struct agr_trace trace = {.f = stderr};
    if (q->o->is_traced)
        aegis_ctx_watch(q->sim.ctx, agr_trace_event, &trace);
    enum aegis_status s = value_of(q, "query", NULL, 0, &q->out, &q->out_n, e);
    agr_trace_flush(&trace);
    aegis_ctx_watch(q->sim.ctx, NULL, NULL);
    if (s == AEGIS_OK)
        s = value_of(q, "query.expressions", NULL, 0, &q->literals, &q->literals_n, e);
    return s;
}

static int
report_error(const struct agr_eval *o, enum aegis_status s, const struct aegis_error *e)
{
    if (s != AEGIS_POLICY)
        return agr_die(AGR_EVAL_ERROR, "eval: %s", e->text);
    if (o->format == AGR_EVAL_JSON)
        agr_eval_print_error(e->text);
    else
        agr_die(0, "%s", e->text);
    return AGR_EVAL_ERROR;
}

static int
answer(struct query *q)
{
    struct aegis_error e = {.size = sizeof e};
    enum aegis_status s = evaluate(q, &e);
    if (s != AEGIS_OK)
        return report_error(q->o, s, &e);
    bool is_defined = q->out_n > 2; // more than []
    agr_eval_print(q->o->format, ag_str_of(q->out, q->out_n), ag_str_of(q->literals, q->literals_n));
    return (q->o->fail && !is_defined) || (q->o->fail_defined && is_defined) ? 1 : AGR_EXIT_OK;
}

static bool
read_all(struct query *q)
{
    for (unsigned i = 0; i < q->o->data.n; i++)
        if (!agr_sources_add(&q->sources, q->o->data.v[i]))
            return false;
    const char *input = q->o->is_stdin ? "-" : q->o->input;
    if (input) {
        q->input = agr_read_file(input, AGR_LARGE_INPUT_MAX, &q->input_n);
        return q->input != NULL;
    }
    return true;
}

int
agr_eval_query(const struct agr_eval *o)
{
    struct query q = {.o = o};
    int code = AGR_EXIT_UNAVAILABLE;
    struct aegis_policy *p = NULL;
    if (!read_all(&q))
        goto out;
    if (q.sources.image && (q.sources.args.n || q.sources.tables.n)) {
        code = agr_die(AGR_EXIT_HELD, "eval: an image stands alone; compile the other files into it");
        goto out;
    }
    p = q.sources.image ? agr_load(q.sources.image, NULL, &code) : compile(&q, &code);
    if (!p)
        goto out;
    code = AGR_EXIT_UNAVAILABLE;
    if (!agr_sim_open_large(&q.sim, p, o->now))
        goto out;
    code = answer(&q);
    agr_sim_close(&q.sim);
out:
    agr_sources_free(&q.sources);
    free(q.input);
    free(q.out);
    free(q.literals);
    return code;
}
