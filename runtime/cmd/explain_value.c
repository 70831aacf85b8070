// SPDX-License-Identifier: Apache-2.0
// aegis explain over modules: the value of a document, which definitions of the rules it needs succeeded, and
// the first literal that failed in each other one, with the values it looked at. aegis eval --trace: what
// ran, in its order. In: modules, a reference, an input. Out: text or JSON. Memory: malloc'd, freed before
// return. Next file to read: runtime/host/coverage.c, runtime/host/watch.c.
#include "explain_value.h"

#include "json_text.h"
#include "sources.h"

#include <stdlib.h>

#define VALUE_MAX (16u << 20) // bytes of the value
#define PLACE_MAX 4096u

static struct ag_str
trimmed(struct ag_str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = ag_str_of(s.p + 1, s.n - 1);
    return s;
}

static void
print_place(FILE *f, struct aegis_str source, uint32_t line, uint32_t column)
{
    struct ag_str text = trimmed(agr_source_line(source, line));
    fprintf(f, "%.*s:%u:%u: %.*s", (int)source.n, source.p, line, column, (int)text.n, text.p);
}

// --- explain
struct listing {
    bool is_json, has_row;
};

static void
print_json_def(const struct listing *l, const struct aegis_explain_def *d)
{
    printf("%s\n {\"function\":", l->has_row ? "," : "");
    agr_print_json_str(stdout, ag_str_of(d->function.p, d->function.n));
    fputs(",\"file\":", stdout);
    agr_print_json_str(stdout, ag_str_of(d->source.p, d->source.n));
    printf(",\"line\":%u,\"column\":%u,\"succeeded\":%s", d->line, d->column,
           d->has_succeeded ? "true" : "false");
    if (!d->has_succeeded) {
        printf(",\"failed\":{\"line\":%u,\"column\":%u,\"values\":", d->fail_line, d->fail_column);
        agr_print_json_str(stdout, ag_str_of(d->value.p, d->value.n));
        putchar('}');
    }
    putchar('}');
}

static void
print_def(void *arg, const struct aegis_explain_def *d)
{
    struct listing *l = arg;
    if (l->is_json) {
        print_json_def(l, d);
    } else {
        printf("  %s ", d->has_succeeded ? "*" : "-");
        print_place(stdout, d->source, d->line, d->column);
        putchar('\n');
        if (!d->has_succeeded) {
            fputs("      fails at ", stdout);
            print_place(stdout, d->source, d->fail_line, d->fail_column);
            printf("   (%.*s)\n", (int)d->value.n, d->value.p);
        }
    }
    l->has_row = true;
}

static int
explain(struct agr_sim *sim, const struct agr_explain *o, const char *json, size_t json_n)
{
    struct listing l = {.is_json = o->is_json};
    struct aegis_error e = {.size = sizeof e};
    char *out = malloc(VALUE_MAX);
    size_t n = 0;
    if (!out)
        return agr_die(AGR_EXIT_UNAVAILABLE, "out of memory");
    if (l.is_json)
        fputs("{\"definitions\":[", stdout);
    enum aegis_status s = aegis_ctx_explain_value(sim->ctx, sim->slot, o->reference, json, json_n, print_def,
                                                  &l, out, VALUE_MAX, &n, &e);
    if (l.is_json)
        fputs("\n]", stdout);
    if (s != AEGIS_OK) {
        if (l.is_json) {
            fputs(",\"error\":", stdout);
            agr_print_json_str(stdout, ag_str_z(e.text));
        } else
            printf("\n%s: error: %s\n", o->reference, e.text);
    } else if (l.is_json) {
        printf("%s%.*s", n ? ",\"value\":" : "", (int)n, out);
    } else {
        printf("\n%s: ", o->reference);
        agr_json_indent(stdout, n ? ag_str_of(out, n) : AG_STR("undefined"), 0);
        putchar('\n');
    }
    fputs(l.is_json ? "}\n" : "", stdout);
    free(out);
    return s == AEGIS_OK ? AGR_EXIT_OK : s == AEGIS_POLICY ? AGR_EXIT_DENIED : AGR_EXIT_UNAVAILABLE;
}

int
agr_explain_reference(const struct agr_explain *o)
{
    const char *const options[] = {"--rego", "-O0", "-e", o->reference, NULL};
    struct agr_sources sources = {0};
    struct agr_refusal refusal = {0};
    struct agr_sim sim;
    struct aegis_policy *p;
    size_t n = 0;
    int code = AGR_EXIT_UNAVAILABLE;
    char *json = o->input ? agr_read_file(o->input, AGR_LARGE_INPUT_MAX, &n) : NULL;
    bool ok = json || !o->input;
    for (unsigned i = 0; ok && i < o->data.n; i++)
        ok = agr_sources_add(&sources, o->data.v[i]);
    if (!ok)
        goto out;
    if (sources.image) {
        code =
            agr_die(AGR_EXIT_HELD, "explain: an image does not keep what it was made of; give its sources");
        goto out;
    }
    p = agr_sources_compile(&sources, options, &refusal);
    if (!p) {
        fputs(refusal.text ? refusal.text : "", stderr);
        code = refusal.code == 1 ? AGR_EXIT_DENIED : AGR_EXIT_UNAVAILABLE;
    } else if (agr_sim_open_large(&sim, p, o->now)) {
        code = explain(&sim, o, json, n);
        agr_sim_close(&sim);
    }
out:
    free(refusal.text);
    free(json);
    agr_sources_free(&sources);
    return code;
}

// --- trace
void
agr_trace_flush(struct agr_trace *t)
{
    if (!t->is_pending)
        return;
    fprintf(t->f, "%*s| %s   = %s\n", 2 * (int)t->depth, "", t->place, t->value);
    t->is_pending = false;
}

static void
keep_step(struct agr_trace *t, const struct aegis_event *e)
{
    struct ag_str text = trimmed(agr_source_line(e->source, e->line));
    char place[PLACE_MAX];
    snprintf(place, sizeof place, "%.*s:%u:%u: %.*s", (int)e->source.n, e->source.p, e->line, e->column,
             (int)text.n, text.p);
    if (strcmp(place, t->place) != 0 || t->depth != e->depth)
        agr_trace_flush(t);
    snprintf(t->place, sizeof t->place, "%s", place);
    snprintf(t->value, sizeof t->value, "%.*s", (int)e->value.n, e->value.p);
    t->depth = e->depth;
    t->is_pending = true;
}

void
agr_trace_event(void *arg, const struct aegis_event *e)
{
    struct agr_trace *t = arg;
    if (e->kind == AEGIS_EVENT_STEP) {
        if (e->line && e->source.n)
            keep_step(t, e);
        return;
    }
    agr_trace_flush(t);
    fprintf(t->f, "%*s%s %.*s", 2 * (int)e->depth, "", e->kind == AEGIS_EVENT_ENTER ? "Enter" : "Exit",
            (int)e->function.n, e->function.p);
    if (e->kind == AEGIS_EVENT_EXIT)
        fprintf(t->f, " = %.*s", (int)e->value.n, e->value.p);
    fputc('\n', t->f);
}
