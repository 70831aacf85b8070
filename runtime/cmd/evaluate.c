// SPDX-License-Identifier: Apache-2.0
// aegis evaluate: one governance proposal (A4) against the six gates and the drift monitor (A22). The
// proposal's fields, aliases and ranges are the machine's business (vm/proposal.c); this file only adds what
// options say. In: JSON. Out: the record of A14; exit 0 proceed, 1 halt, 2 pause or escalate, 3 malformed.
// Next: parameters.c, server/govern.c.
#include "parameters.h"

#include "aegis_tools.h"
#include "govern.h"
#include "json.h"

#include <stdlib.h>

#define INPUT_MAX  (1u << 20)
#define RECORD_MAX 65536u

struct request {
    const char *input, *config, *drift, *now;
    int is_shadow, is_json;
};

// The samples of --drift-baseline: a JSON array, or numbers separated by white space or commas.
static bool
write_samples(const char *path, struct ag_buf *b)
{
    size_t n;
    char *text = agr_read_file(path, INPUT_MAX / 4, &n);
    if (!text)
        return false;
    char *p = text + strspn(text, " \t\r\n");
    bool is_list = *p == '[', is_first = true;
    if (is_list)
        ag_buf_str(b, ag_str_z(p));
    else
        ag_buf_char(b, '[');
    while (!is_list && *(p += strspn(p, " \t\r\n,"))) {
        size_t len = strcspn(p, " \t\r\n,");
        if (!is_first)
            ag_buf_char(b, ',');
        is_first = false;
        ag_buf_put(b, p, len);
        p += len;
    }
    if (!is_list)
        ag_buf_char(b, ']');
    free(text);
    return true;
}

// The proposal with shadow_mode and drift_baseline_data as the options say; what the options give replaces
// nothing that the proposal says already: a field given twice is an error of the proposal.
static bool
compose(const struct request *r, struct ag_str proposal, struct ag_buf *b)
{
    size_t at = strspn(proposal.p, " \t\r\n");
    if (proposal.p[at] != '{') { // not an object: the machine says so
        ag_buf_str(b, proposal);
        return !b->is_full;
    }
    ag_buf_char(b, '{');
    bool is_empty = proposal.p[at + 1 + strspn(proposal.p + at + 1, " \t\r\n")] == '}';
    if (r->is_shadow && !ag_str_is(agr_json_raw(proposal, "shadow_mode"), "true"))
        ag_buf_str(b,
                   is_empty && !r->drift ? AG_STR("\"shadow_mode\":true") : AG_STR("\"shadow_mode\":true,"));
    if (r->drift) {
        ag_buf_lit(b, "\"drift_baseline_data\":");
        if (!write_samples(r->drift, b))
            return false;
        if (!is_empty)
            ag_buf_char(b, ',');
    }
    ag_buf_put(b, proposal.p + at + 1, proposal.n - at - 1);
    return !b->is_full;
}

static int
judge(struct agr_sim *sim, const struct agr_govern *g, struct ag_str json, const char *name)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_decision d = {.size = sizeof d};
    static char record[RECORD_MAX];
    struct ag_buf b;
    if (aegis_ctx_decide_json(sim->ctx, sim->slot, "evaluate", json.p, json.n, &d, &e) != AEGIS_OK)
        return agr_die(AGR_EXIT_UNAVAILABLE, "%s: %s", name, e.text);
    if (d.outcome == AEGIS_UNAVAILABLE || !d.gov_status.n)
        return agr_die(AGR_EXIT_UNAVAILABLE, "%s: no status: %.*s", name, (int)d.reason.n, d.reason.p);
    ag_buf_init(&b, record, sizeof record);
    agr_govern_json(g, &d, &b);
    if (b.is_full)
        return agr_die(AGR_EXIT_UNAVAILABLE, "%s: the record is longer than %u bytes", name, RECORD_MAX);
    fwrite(b.p, 1, b.n, stdout);
    putchar('\n');
    return agr_govern_exit(&d);
}

static int
run(const struct request *r, const char *policy, int64_t now)
{
    int code = AGR_EXIT_UNAVAILABLE;
    size_t n = 0;
    char *text = agr_read_file(r->input, INPUT_MAX, &n), *mem = malloc(2 * INPUT_MAX);
    struct aegis_policy *p = NULL;
    struct agr_sim sim;
    struct agr_govern g = {0};
    struct ag_buf b;
    if (!text || !mem)
        goto out;
    ag_buf_init(&b, mem, 2 * INPUT_MAX - 1);
    if (!compose(r, ag_str_of(text, n), &b))
        goto out;
    p = agr_parameters_load(policy, &code);
    if (!p)
        goto out;
    aegis_policy_gate_params(p, agr_govern_take, &g);
    code = AGR_EXIT_UNAVAILABLE;
    if (!agr_sim_open(&sim, p, now))
        goto out;
    code = judge(&sim, &g, ag_str_of(b.p, b.n), strcmp(r->input, "-") == 0 ? "proposal" : r->input);
    agr_sim_close(&sim);
out:
    free(text);
    free(mem);
    return code;
}

int
cmd_evaluate(int argc, char **argv)
{
    struct request r = {.input = "-"};
    struct agr_list args = {0};
    int code;
    int64_t now = 0;
    const struct agr_opt opts[] = {
        {"input", 'i', AGR_OPT_STR, &r.input, "FILE", "proposal as JSON (default: standard input)"},
        {"config", 'c', AGR_OPT_STR, &r.config, "FILE",
         "parameters (default: AEGIS_CONFIG_PATH, else built in)"},
        {"shadow", 0, AGR_OPT_FLAG, &r.is_shadow, NULL, "answer proceed and say what it would be"},
        {"drift-baseline", 0, AGR_OPT_STR, &r.drift, "FILE",
         "samples to compare with: a JSON list, or numbers"},
        {"now", 0, AGR_OPT_STR, &r.now, "TIME", "virtual clock"},
        {"json", 0, AGR_OPT_FLAG, &r.is_json, NULL, "the output is JSON in any case"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n > 1 || (args.n == 1 && r.config))
        return agr_die(AGR_EXIT_HELD, "evaluate: give one policy, or --config, or neither");
    if (r.now && !agr_parse_time(r.now, &now))
        return agr_die(AGR_EXIT_HELD, "evaluate: --now \"%s\" is not a time like 2026-03-20T12:00:00Z",
                       r.now);
    const char *from_env = getenv("AEGIS_CONFIG_PATH");
    const char *policy = args.n ? args.v[0] : r.config ? r.config : from_env && *from_env ? from_env : NULL;
    return run(&r, policy, now);
}
