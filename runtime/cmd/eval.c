// SPDX-License-Identifier: Apache-2.0
// aegis eval: a query over modules and documents (eval_query.c), or one JSON action from a file or standard
// input, decided on a simulated host; --trace prints what ran. aegis evaluate (same machine, other
// entrypoint) is evaluate.c. In: a query, or a policy and JSON. Out: results, or the decision record. Next
// file to read: eval_query.c, runtime/host/decide.c.
#include "query.h"

#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

static void
print_trace(void *arg, const char *text, size_t n)
{
    fprintf(arg, "%.*s\n", (int)n, text);
}

static int
print_decision(const struct agr_sim *sim, const struct aegis_decision *d)
{
    size_t n;
    char *text = agr_decision_text(sim->ctx, d, &n);
    if (!text)
        return agr_die(AGR_EXIT_UNAVAILABLE, "out of memory");
    fwrite(text, 1, n, stdout);
    putchar('\n');
    free(text);
    return agr_exit_of(d);
}

static int
decide(const char *policy, const struct agr_eval *o)
{
    const char *input = o->input ? o->input : "-", *entry = o->entry ? o->entry : "decide";
    int code;
    size_t n;
    char *json = agr_read_file(input, INPUT_MAX, &n);
    if (!json)
        return AGR_EXIT_UNAVAILABLE;
    struct aegis_policy *p = agr_load(policy, NULL, &code);
    struct agr_sim sim;
    if (!p || !agr_sim_open(&sim, p, o->now)) {
        free(json);
        return p ? AGR_EXIT_UNAVAILABLE : code;
    }
    struct aegis_error e = {.size = sizeof e};
    struct aegis_decision d = {.size = sizeof d};
    if (o->is_traced)
        aegis_ctx_trace(sim.ctx, print_trace, stderr);
    if (aegis_ctx_decide_json(sim.ctx, sim.slot, entry, json, n, &d, &e) == AEGIS_OK)
        code = print_decision(&sim, &d);
    else
        code = agr_die(AGR_EXIT_UNAVAILABLE, "%s: %s", input, e.text);
    agr_sim_close(&sim);
    free(json);
    return code;
}

// One argument that names a file, without --data: a policy whose decision is asked for.
static bool
is_decision(const struct agr_list *args, const struct agr_eval *o)
{
    struct stat st;
    return !o->data.n && args->n == 1 && stat(args->v[0], &st) == 0 && S_ISREG(st.st_mode);
}

int
cmd_eval(int argc, char **argv)
{
    struct agr_eval o = {0};
    const char *now_text = NULL, *format = NULL;
    int is_json = 0, code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {
        {"data", 'd', AGR_OPT_LIST, &o.data, "PATH",
         "module, policy, document, directory of them, or image; a.b:PATH puts documents below data.a.b"},
        {"input", 'i', AGR_OPT_STR, &o.input, "FILE", "input as JSON (an action: default standard input)"},
        {"stdin-input", 'I', AGR_OPT_FLAG, &o.is_stdin, NULL, "read the input from standard input"},
        {"entry", 'e', AGR_OPT_STR, &o.entry, "NAME",
         "entrypoint: decide (default), evaluate or risk_check; with --data a reference, as data.a.b"},
        {"format", 'f', AGR_OPT_STR, &format, "FORM", "json (default), pretty, values, raw or bindings"},
        {"package", 0, AGR_OPT_STR, &o.package, "PATH",
         "package in which bare names of the query are looked up"},
        {"import", 0, AGR_OPT_LIST, &o.imports, "PATH", "import that the query sees"},
        {"strict-builtin-errors", 'S', AGR_OPT_FLAG, &o.is_strict, NULL,
         "an error of a built-in ends the evaluation"},
        {"fail", 0, AGR_OPT_FLAG, &o.fail, NULL, "exit code 1 when the query is undefined"},
        {"fail-defined", 0, AGR_OPT_FLAG, &o.fail_defined, NULL, "exit code 1 when the query is defined"},
        {"now", 0, AGR_OPT_STR, &now_text, "TIME", "virtual clock"},
        {"trace", 't', AGR_OPT_FLAG, &o.is_traced, NULL, "print what ran to standard error"},
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "the same as --format=json"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (now_text && !agr_parse_time(now_text, &o.now))
        return agr_die(AGR_EXIT_HELD, "eval: --now \"%s\" is not a time like 2026-03-20T12:00:00Z", now_text);
    if (is_decision(&args, &o))
        return decide(args.v[0], &o);
    if (args.n + (o.entry != NULL) != 1)
        return agr_die(AGR_EXIT_HELD, "eval: give one policy, or one query (or --entry) with --data PATH");
    if (!agr_eval_format(is_json || !format ? "json" : format, &o.format))
        return agr_die(AGR_EXIT_HELD, "eval: --format is json, pretty, values, raw or bindings, not \"%s\"",
                       format);
    if (o.is_stdin && o.input)
        return agr_die(AGR_EXIT_HELD, "eval: give --input or --stdin-input, not both");
    o.query = o.entry ? o.entry : args.v[0];
    return agr_eval_query(&o);
}
