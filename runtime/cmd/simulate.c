// SPDX-License-Identifier: Apache-2.0
// aegis simulate: what would be decided, with the bytes that production runs, against a simulated host.
// In: a policy and actions. Out: the layout of reference B28, or JSON. Nothing live is touched.
// Next file to read: action.c.
#include "action.h"

#include <stdlib.h>

struct options {
    struct agr_list actions; // --action
    struct agr_list kills;
    const char *params, *agent, *tenant, *session, *now, *format;
    int is_json;
};

struct totals {
    unsigned n, proceeds, held, throttled, blocked, unavailable;
    int exit_code;
};

static const char *
word_of(const struct aegis_decision *d)
{
    switch (d->outcome) {
    case AEGIS_ALLOW: return "ALLOWED";
    case AEGIS_MONITOR: return "ALLOWED (monitored)";
    case AEGIS_THROTTLE: return "THROTTLED";
    case AEGIS_ESCALATE: return "NEEDS APPROVAL";
    case AEGIS_DENY: return "BLOCKED";
    case AEGIS_KILL: return "KILLED";
    case AEGIS_UNAVAILABLE: break;
    }
    return "UNAVAILABLE";
}

static void
count(struct totals *t, const struct aegis_decision *d)
{
    static const int severity[] = {0, 2, 1, 3}; // by exit code: 1 (denied) is worse than 2 (held)
    int code = agr_exit_of(d);
    t->n++;
    if (code == AGR_EXIT_OK)
        t->proceeds++;
    else if (d->outcome == AEGIS_THROTTLE)
        t->throttled++;
    else if (code == AGR_EXIT_HELD)
        t->held++;
    else if (code == AGR_EXIT_DENIED)
        t->blocked++;
    else
        t->unavailable++;
    if (severity[code] > severity[t->exit_code])
        t->exit_code = code;
}

static void
print_line(unsigned number, const char *label, const struct aegis_decision *d)
{
    bool has_colour = agr_has_colour(stdout);
    const char *on = !has_colour                    ? ""
                     : d->is_allowed                ? "\033[32m"
                     : d->outcome <= AEGIS_ESCALATE ? "\033[33m"
                                                    : "\033[31m";
    printf("  %u. %s  [", number, label);
    agr_print_upper(stdout, d->approval.n ? d->approval : d->decision);
    printf("]  risk=");
    if (d->risk_level.n)
        agr_print_upper(stdout, d->risk_level);
    else
        printf("NONE");
    printf("  rule=");
    if (d->rule.n)
        agr_print_str(stdout, d->rule);
    else
        printf(d->reason.n && memcmp(d->reason.p, "no_rule", d->reason.n < 7 ? d->reason.n : 7) != 0
                   ? "-"
                   : "<default>");
    printf("  -> %s%s%s", on, word_of(d), has_colour ? "\033[0m" : "");
    if (d->outcome == AEGIS_THROTTLE && d->retry_after_ns > 0)
        printf(" (retry after %.3f s)", (double)d->retry_after_ns / 1e9);
    if (d->outcome == AEGIS_KILL || d->outcome == AEGIS_UNAVAILABLE ||
        (d->reason.n == 15 && memcmp(d->reason.p, "condition_error", 15) == 0)) {
        printf(" (");
        agr_print_str(stdout, d->reason);
        printf(")");
    }
    printf("\n");
}

static bool
simulate_one(struct agr_sim *sim, const struct options *o, const char *json, size_t n, const char *label,
             struct totals *t)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_decision d = {.size = sizeof d};
    if (aegis_ctx_decide_json(sim->ctx, sim->slot, "decide", json, n, &d, &e) != AEGIS_OK) {
        agr_die(0, "%s: %s", label, e.text);
        return false;
    }
    count(t, &d);
    if (!o->is_json) {
        print_line(t->n, label, &d);
        return true;
    }
    size_t text_n;
    char *text = agr_decision_text(sim->ctx, &d, &text_n);
    if (!text)
        return false;
    printf("%s{\"action\":%.*s,", t->n > 1 ? ",\n " : "", (int)n, json);
    fwrite(text + 1, 1, text_n - 1, stdout);
    free(text);
    return true;
}

static bool
simulate_all(struct agr_sim *sim, const struct options *o, const struct agr_list *args, struct totals *t)
{
    struct agr_action_opts a = {
        .params = o->params, .agent = o->agent, .tenant = o->tenant, .session = o->session};
    bool ok = true;
    for (unsigned i = 1; i < args->n && ok; i++) {
        size_t n;
        char *json = agr_action_json(args->v[i], &a, &n);
        ok = json && simulate_one(sim, o, json, n, args->v[i], t);
        free(json);
    }
    for (unsigned i = 0; i < o->actions.n && ok; i++) {
        char label[512];
        agr_action_label(o->actions.v[i], label, sizeof label);
        ok = simulate_one(sim, o, o->actions.v[i], strlen(o->actions.v[i]), label, t);
    }
    return ok;
}

static void
print_summary(const struct totals *t)
{
    printf("\nSummary: %u actions\n  %u auto-execute, %u need approval, %u blocked", t->n, t->proceeds,
           t->held, t->blocked);
    if (t->throttled)
        printf(", %u throttled", t->throttled);
    if (t->unavailable)
        printf(", %u unavailable", t->unavailable);
    printf("\n");
}

int
cmd_simulate(int argc, char **argv)
{
    struct options o = {0};
    struct agr_list args = {0};
    int code;
    const struct agr_opt opts[] = {
        {"action", 'a', AGR_OPT_LIST, &o.actions, "JSON", "an action as JSON; may be repeated"},
        {"params", 'p', AGR_OPT_STR, &o.params, "JSON", "parameters of the positional actions"},
        {"agent", 0, AGR_OPT_STR, &o.agent, "NAME", "agent of the positional actions"},
        {"tenant", 0, AGR_OPT_STR, &o.tenant, "NAME", "tenant of the positional actions"},
        {"session", 0, AGR_OPT_STR, &o.session, "ID", "session of the positional actions"},
        {"now", 0, AGR_OPT_STR, &o.now, "TIME", "virtual clock: RFC 3339, YYYY-MM-DDTHH:MM (UTC), or HH:MM"},
        {"kill", 0, AGR_OPT_LIST, &o.kills, "TENANT", "assume the kill switch engaged (* = all)"},
        {"format", 0, AGR_OPT_STR, &o.format, "FORM", "table (default) or json"},
        {"json", 0, AGR_OPT_FLAG, &o.is_json, NULL, "the same as --format=json"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (o.format && strcmp(o.format, "json") != 0 && strcmp(o.format, "table") != 0)
        return agr_die(AGR_EXIT_HELD, "simulate: --format is table or json, not \"%s\"", o.format);
    if (o.format && strcmp(o.format, "json") == 0)
        o.is_json = 1;
    if (args.n < 1 || (args.n == 1 && o.actions.n == 0))
        return agr_die(AGR_EXIT_HELD, "simulate: give a policy and at least one TYPE:TARGET or --action");
    int64_t now = 0;
    if (o.now && !agr_parse_time(o.now, &now))
        return agr_die(AGR_EXIT_HELD, "simulate: --now \"%s\" is not a time like 2026-03-20T12:00:00Z",
                       o.now);
    struct aegis_policy *p = agr_load(args.v[0], NULL, &code);
    if (!p)
        return code;
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(p, &info);
    struct agr_sim sim;
    if (!agr_sim_open(&sim, p, now))
        return AGR_EXIT_UNAVAILABLE;
    for (unsigned i = 0; i < o.kills.n; i++)
        aegis_host_set_kill(sim.host, (struct aegis_str){o.kills.v[i], strlen(o.kills.v[i])}, 1);
    if (o.is_json)
        printf("[");
    else
        printf("Policy: %s (%u rules)\nActions: %u\n\n", args.v[0], info.rules, args.n - 1 + o.actions.n);
    struct totals t = {0};
    bool ok = simulate_all(&sim, &o, &args, &t);
    if (o.is_json)
        printf("]\n");
    else if (ok)
        print_summary(&t);
    agr_sim_close(&sim);
    return ok ? t.exit_code : AGR_EXIT_UNAVAILABLE;
}
