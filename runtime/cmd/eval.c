// SPDX-License-Identifier: Apache-2.0
// aegis eval: one JSON action from a file or standard input, decided on a simulated host; --trace prints each
// instruction as it ran. aegis evaluate (same machine, other entrypoint) is evaluate.c.
// In: policy, JSON. Out: the decision record. Next file to read: runtime/host/decide.c.
#include "cmd.h"

#include <stdlib.h>

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

int
cmd_eval(int argc, char **argv)
{
    const char *input = "-", *now_text = NULL, *entry = "decide";
    int is_traced = 0, is_json = 0, code;
    int64_t now = 0;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {
        {"input", 'i', AGR_OPT_STR, &input, "FILE", "action as JSON (default: standard input)"},
        {"entry", 'e', AGR_OPT_STR, &entry, "NAME", "entrypoint: decide (default), evaluate or risk_check"},
        {"now", 0, AGR_OPT_STR, &now_text, "TIME", "virtual clock"},
        {"trace", 't', AGR_OPT_FLAG, &is_traced, NULL, "print every instruction to standard error"},
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "the output is JSON in any case"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n != 1)
        return agr_die(AGR_EXIT_HELD, "eval: give one policy");
    if (now_text && !agr_parse_time(now_text, &now))
        return agr_die(AGR_EXIT_HELD, "eval: --now \"%s\" is not a time like 2026-03-20T12:00:00Z", now_text);
    size_t n;
    char *json = agr_read_file(input, INPUT_MAX, &n);
    if (!json)
        return AGR_EXIT_UNAVAILABLE;
    struct aegis_policy *p = agr_load(args.v[0], NULL, &code);
    struct agr_sim sim;
    if (!p || !agr_sim_open(&sim, p, now)) {
        free(json);
        return p ? AGR_EXIT_UNAVAILABLE : code;
    }
    struct aegis_error e = {.size = sizeof e};
    struct aegis_decision d = {.size = sizeof d};
    if (is_traced)
        aegis_ctx_trace(sim.ctx, print_trace, stderr);
    if (aegis_ctx_decide_json(sim.ctx, sim.slot, entry, json, n, &d, &e) == AEGIS_OK)
        code = print_decision(&sim, &d);
    else
        code = agr_die(AGR_EXIT_UNAVAILABLE, "%s: %s", input, e.text);
    agr_sim_close(&sim);
    free(json);
    return code;
}
