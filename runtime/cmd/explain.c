// SPDX-License-Identifier: Apache-2.0
// aegis explain: why this decision. The winning rule, and for every other rule the first thing that kept it
// from firing, with its place in the source; over modules the same of definitions (explain_value.c). In: a
// policy and one action, or modules and a reference. Out: text. Next file to read: runtime/host/explain.c.
#include "action.h"
#include "explain_value.h"

#include <stdlib.h>

struct listing {
    bool is_json, has_row;
    uint32_t winner; // UINT32_MAX while none was seen
    bool is_first_match;
};

static const char *
verdict(const struct listing *l, const struct aegis_explain_rule *r)
{
    if (r->is_winner)
        return r->is_error ? "decides: its condition is in error" : "decides";
    if (r->has_matched)
        return "matches, but another rule is more severe";
    if (r->is_candidate)
        return "a condition is false";
    if (l->is_first_match && l->winner != UINT32_MAX && r->rule_ix > l->winner)
        return "not tried: an earlier rule decides";
    return l->is_first_match ? "type, target, agent or tenant does not match"
                             : "type, target, agent or tenant does not match, or a more severe rule decides";
}

static void
print_rule(void *arg, const struct aegis_explain_rule *r)
{
    struct listing *l = arg;
    if (r->is_winner)
        l->winner = r->rule_ix;
    uint32_t line = r->fail_line ? r->fail_line : r->line, column = r->fail_line ? r->fail_column : r->column;
    if (l->is_json) {
        printf("%s{\"rule\":", l->has_row ? "," : "");
        agr_print_json_str(stdout, ag_str_of(r->name.p, r->name.n));
        printf(",\"matched\":%s,\"winner\":%s,\"why\":\"%s\",\"line\":%u,\"column\":%u}",
               r->has_matched ? "true" : "false", r->is_winner ? "true" : "false", verdict(l, r), line,
               column);
    } else if (!line) {
        printf("  %s %.*s: %.*s: %s\n", r->is_winner ? "*" : " ", (int)r->source.n, r->source.p,
               (int)r->name.n, r->name.p, verdict(l, r));
    } else {
        printf("  %s %.*s:%u:%u: %.*s: %s\n", r->is_winner ? "*" : " ", (int)r->source.n, r->source.p, line,
               column, (int)r->name.n, r->name.p, verdict(l, r));
    }
    l->has_row = true;
}

int
cmd_explain(int argc, char **argv)
{
    struct agr_action_opts a = {0};
    struct agr_explain values = {0};
    struct agr_list kills = {0};
    const char *now_text = NULL, *action = NULL;
    int is_json = 0, is_stdin = 0, code;
    int64_t now = 0;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {
        {"action", 'a', AGR_OPT_STR, &action, "JSON", "the action as JSON"},
        {"params", 'p', AGR_OPT_STR, &a.params, "JSON", "parameters of the positional action"},
        {"agent", 0, AGR_OPT_STR, &a.agent, "NAME", "agent of the positional action"},
        {"tenant", 0, AGR_OPT_STR, &a.tenant, "NAME", "tenant of the positional action"},
        {"session", 0, AGR_OPT_STR, &a.session, "ID", "session of the positional action"},
        {"kill", 0, AGR_OPT_LIST, &kills, "TENANT", "assume the kill switch engaged (* = all)"},
        {"data", 'd', AGR_OPT_LIST, &values.data, "PATH",
         "modules and documents, as eval takes them: explain the value of a reference"},
        {"input", 'i', AGR_OPT_STR, &values.input, "FILE", "with --data: the input as JSON"},
        {"stdin-input", 'I', AGR_OPT_FLAG, &is_stdin, NULL, "with --data: the input from standard input"},
        {"now", 0, AGR_OPT_STR, &now_text, "TIME", "virtual clock"},
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "print JSON"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (!values.data.n && args.n + (action ? 1 : 0) != 2)
        return agr_die(AGR_EXIT_HELD,
                       "explain: give a policy and one TYPE:TARGET or --action, or --data and a "
                       "reference");
    if (now_text && !agr_parse_time(now_text, &now))
        return agr_die(AGR_EXIT_HELD, "explain: --now \"%s\" is not a time like 2026-03-20T12:00:00Z",
                       now_text);
    if (values.data.n) {
        if (args.n != 1)
            return agr_die(AGR_EXIT_HELD,
                           "explain: with --data give one reference, such as data.authz.allow");
        values.reference = args.v[0];
        values.input = is_stdin ? "-" : values.input;
        values.now = now;
        values.is_json = is_json;
        return agr_explain_reference(&values);
    }
    size_t n = action ? strlen(action) : 0;
    char *json = action ? strdup(action) : agr_action_json(args.v[1], &a, &n);
    if (!json)
        return agr_die(AGR_EXIT_UNAVAILABLE, "out of memory");
    struct aegis_policy *p = agr_load(args.v[0], NULL, &code);
    struct agr_sim sim;
    struct aegis_policy_info info = {.size = sizeof info};
    if (p)
        aegis_policy_info(p, &info);
    if (!p || !agr_sim_open(&sim, p, now)) {
        free(json);
        return p ? AGR_EXIT_UNAVAILABLE : code;
    }
    for (unsigned i = 0; i < kills.n; i++)
        aegis_host_set_kill(sim.host, (struct aegis_str){kills.v[i], strlen(kills.v[i])}, 1);
    struct listing l = {.is_json = is_json, .winner = UINT32_MAX, .is_first_match = info.combine == 0};
    struct aegis_decision d = {.size = sizeof d};
    struct aegis_error e = {.size = sizeof e};
    if (is_json)
        printf("{\"rules\":[");
    if (aegis_ctx_explain_json(sim.ctx, sim.slot, json, n, print_rule, &l, &d, &e) != AEGIS_OK) {
        code = agr_die(AGR_EXIT_UNAVAILABLE, "explain: %s", e.text);
    } else {
        size_t text_n;
        char *text = agr_decision_text(sim.ctx, &d, &text_n);
        code = agr_exit_of(&d);
        printf(is_json ? "],\"decision\":" : "\ndecision: ");
        if (text)
            fwrite(text, 1, text_n, stdout);
        printf(is_json ? "}\n" : "\n");
        free(text);
    }
    agr_sim_close(&sim);
    free(json);
    return code;
}
