// SPDX-License-Identifier: Apache-2.0
// Governance parameters as policies and governance decisions as JSON (A2, A14). A flat dictionary becomes the
// `parameters:` of a policy and goes through aegisc like every other one. In: files, decisions. Out:
// policies, text. Next file to read: evaluate.c.
#include "govern.h"

#include "store.h"
#include "yaml_doc.h"

#include <stdlib.h>

#define PARAMETERS_MAX (1u << 20)
static const char *const gate_names[] = {"risk",    "profit",  "novelty", "complexity",
                                         "quality", "utility", "drift"};
#define NGATES (sizeof gate_names / sizeof *gate_names)

// A dictionary without any key of a policy is one of parameters.
static bool
is_flat(yaml_document_t *d)
{
    static const char *const policy_keys[] = {"version",  "parameters", "gates", "rules",
                                              "defaults", "limits",     "audit"};
    const yaml_node_t *root = yaml_document_get_root_node(d);
    if (root->type != YAML_MAPPING_NODE)
        return false;
    for (size_t i = 0; i < sizeof policy_keys / sizeof *policy_keys; i++)
        if (agr_yaml_get(d, root, policy_keys[i]))
            return false;
    return true;
}

// telemetry_url and mcp_rate_limit stand beside the parameters, everything else inside.
static bool
write_policy(yaml_document_t *d, struct ag_buf *b)
{
    static const char *const beside[] = {"telemetry_url", "mcp_rate_limit"};
    const yaml_node_t *root = yaml_document_get_root_node(d);
    bool ok = true;
    for (size_t i = 0; i < 2 && ok; i++) {
        const yaml_node_t *n = agr_yaml_get(d, root, beside[i]);
        if (!n)
            continue;
        ag_buf_str(b, ag_str_z(beside[i]));
        ag_buf_lit(b, ": ");
        ok = agr_yaml_json(d, n, b);
        ag_buf_char(b, '\n');
    }
    ag_buf_lit(b, "parameters: {");
    bool is_first = true;
    for (const yaml_node_pair_t *p = root->data.mapping.pairs.start; ok && p < root->data.mapping.pairs.top;
         p++) {
        const char *key = agr_yaml_text(yaml_document_get_node(d, p->key));
        if (strcmp(key, beside[0]) == 0 || strcmp(key, beside[1]) == 0)
            continue;
        if (!is_first)
            ag_buf_lit(b, ", ");
        is_first = false;
        ag_buf_json_str(b, ag_str_z(key));
        ag_buf_lit(b, ": ");
        ok = agr_yaml_json(d, yaml_document_get_node(d, p->value), b);
    }
    ag_buf_lit(b, "}\n");
    return ok && !b->is_full;
}

static struct aegis_policy *
load_flat(yaml_document_t *d, const char *path, int *ret_exit)
{
    struct ag_buf b;
    struct aegis_policy *p = NULL;
    char *mem = malloc(PARAMETERS_MAX);
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (!mem)
        return NULL;
    ag_buf_init(&b, mem, PARAMETERS_MAX);
    if (write_policy(d, &b))
        p = agr_load_text(ag_str_of(b.p, b.n), path, ret_exit);
    else
        agr_die(0, "%s: the parameters are too long or nest too deep", path);
    free(mem);
    return p;
}

static bool
has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n > m && strcmp(s + n - m, suffix) == 0;
}

struct aegis_policy *
agr_govern_load(const char *path, int *ret_exit)
{
    if (!path)
        return agr_load_text(AG_STR("parameters: {}\n"), "built-in", ret_exit);
    if (!agr_is_source(path) && !has_suffix(path, ".json"))
        return agr_load(path, NULL, ret_exit);
    yaml_document_t d;
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (!agr_yaml_load(path, &d))
        return NULL;
    struct aegis_policy *p;
    size_t n;
    if (is_flat(&d)) {
        p = load_flat(&d, path, ret_exit);
    } else if (agr_is_source(path)) {
        p = agr_load(path, NULL, ret_exit);
    } else {
        char *text = agr_read_file(path, PARAMETERS_MAX, &n);
        p = text ? agr_load_text(ag_str_of(text, n), path, ret_exit) : NULL;
        free(text);
    }
    yaml_document_delete(&d);
    return p;
}

static void
take_on_fail(void *arg, const char *name, double value)
{
    struct agr_govern *g = arg;
    for (size_t i = 0; i < NGATES; i++)
        if (strncmp(name, "on_fail.", 8) == 0 && strcmp(name + 8, gate_names[i]) == 0 && value > 1.5 &&
            value < 2.5)
            g->escalating |= 1u << i;
}

void
agr_govern_read(const struct aegis_policy *p, struct agr_govern *ret)
{
    memset(ret, 0, sizeof *ret);
    aegis_policy_gate_params(p, take_on_fail, ret);
}

static bool
is(struct aegis_str s, const char *z)
{
    return ag_str_is(ag_str_of(s.p, s.n), z);
}

static void
number(struct ag_buf *b, double v)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%.6f", v);
    if (n < 0 || (size_t)n >= sizeof text)
        n = snprintf(text, sizeof text, "%.6e", v);
    else
        while (text[n - 1] == '0')
            n--;
    if (n > 0 && text[n - 1] == '.')
        n++; // 1.0, not 1.
    ag_buf_put(b, text, (size_t)n);
}

static void
text_member(struct ag_buf *b, const char *key, struct aegis_str s)
{
    ag_buf_char(b, '"');
    ag_buf_str(b, ag_str_z(key));
    ag_buf_lit(b, "\":");
    ag_buf_json_str(b, ag_str_of(s.p, s.n));
}

// Was a gate the reason for the status? Flags of the request escalate, they never pause or halt.
static bool
is_override_eligible(const struct agr_govern *g, const struct aegis_decision *d)
{
    bool is_by_gate = is(d->gov_status, "pause") || is(d->gov_status, "halt");
    for (uint32_t i = 0; i < d->n_gates; i++) {
        if (is(d->gates[i].name, "complexity") && is(d->gates[i].state, "fail"))
            return false;
        for (size_t k = 0; k < NGATES; k++)
            if (is(d->gates[i].name, gate_names[k]) && is(d->gates[i].state, "fail") &&
                (g->escalating >> k & 1))
                is_by_gate = true;
    }
    if (is(d->gov_status, "escalate") && is(d->drift_status, "critical"))
        is_by_gate = true;
    return is_by_gate && !is(d->gov_status, "proceed");
}

// "0.119203, needs at least 0.6": the words hold nothing that JSON would escape.
static void
write_reason(const struct aegis_gate *g, struct ag_buf *b)
{
    bool is_probability = is(g->name, "risk") || is(g->name, "profit");
    if (is(g->state, "skipped")) {
        ag_buf_lit(b, "no data, skipped");
        return;
    }
    if (is_probability)
        ag_buf_lit(b, "probability of the trigger ");
    number(b, g->value);
    if (is_probability)
        ag_buf_lit(b, ", must stay below ");
    else if (is(g->name, "utility"))
        ag_buf_lit(b, ", must be above ");
    else
        ag_buf_lit(b, ", needs at least ");
    number(b, g->threshold);
    if (is(g->name, "quality") && is(g->state, "fail") && g->value >= g->threshold)
        ag_buf_lit(b, "; a subscore is 0");
}

// What decided, in words: each failing gate with its figures, else the request's own flag.
static void
write_rationale(const struct aegis_decision *d, struct ag_buf *b)
{
    bool is_first = true;
    ag_buf_lit(b, ",\"rationale\":\"");
    for (uint32_t i = 0; i < d->n_gates; i++) {
        const struct aegis_gate *g = &d->gates[i];
        if (!is(g->state, "fail") || is(g->name, "drift"))
            continue;
        if (!is_first)
            ag_buf_lit(b, "; ");
        is_first = false;
        ag_buf_put(b, g->name.p, g->name.n);
        ag_buf_lit(b, ": ");
        write_reason(g, b);
    }
    if (is(d->drift_status, "critical")) {
        ag_buf_str(b, is_first ? AG_STR("drift is critical") : AG_STR("; drift is critical"));
        is_first = false;
    }
    if (is_first && is(d->gov_status, "proceed"))
        ag_buf_lit(b, "all gates passed");
    else if (is_first)
        ag_buf_put(b, d->reason.p, d->reason.n);
    ag_buf_char(b, '"');
}

static void
write_gates(const struct aegis_decision *d, struct ag_buf *b)
{
    ag_buf_lit(b, ",\"gates\":{");
    bool is_first = true;
    for (uint32_t i = 0; i < d->n_gates; i++) {
        const struct aegis_gate *g = &d->gates[i];
        if (is(g->name, "drift"))
            continue; // a monitor: it stands in "drift"
        if (!is_first)
            ag_buf_char(b, ',');
        is_first = false;
        ag_buf_json_str(b, ag_str_of(g->name.p, g->name.n));
        ag_buf_lit(b, ":{\"passed\":");
        ag_buf_str(b, is(g->state, "fail") ? AG_STR("false") : AG_STR("true"));
        ag_buf_char(b, ',');
        text_member(b, "state", g->state);
        ag_buf_lit(b, ",\"value\":");
        number(b, g->value);
        ag_buf_lit(b, ",\"threshold\":");
        number(b, g->threshold);
        ag_buf_lit(b, ",\"confidence\":");
        number(b, g->confidence);
        ag_buf_lit(b, ",\"message\":\"");
        write_reason(g, b);
        ag_buf_char(b, '"');
        ag_buf_char(b, '}');
    }
    ag_buf_char(b, '}');
}

// Names of failing gates as JSON strings; the counts go to the caller.
static void
write_counts(const struct aegis_decision *d, struct ag_buf *b)
{
    unsigned failed = 0, passed = 0;
    for (uint32_t i = 0; i < d->n_gates; i++) {
        if (is(d->gates[i].name, "drift"))
            continue;
        failed += is(d->gates[i].state, "fail");
        passed += !is(d->gates[i].state, "fail");
    }
    ag_buf_lit(b, ",\"gates_passed\":");
    ag_buf_u64(b, passed);
    ag_buf_lit(b, ",\"gates_failed\":");
    ag_buf_u64(b, failed);
    ag_buf_lit(b, ",\"failing_gates\":[");
    bool is_first = true;
    for (uint32_t i = 0; i < d->n_gates; i++) {
        if (!is(d->gates[i].state, "fail"))
            continue;
        if (!is_first)
            ag_buf_char(b, ',');
        is_first = false;
        ag_buf_json_str(b, ag_str_of(d->gates[i].name.p, d->gates[i].name.n));
    }
    ag_buf_char(b, ']');
}

static const char *
next_step(const struct aegis_decision *d)
{
    struct aegis_str s = d->would_be.n ? d->would_be : d->gov_status;
    if (is(s, "pause"))
        return "improve what the failing gates measure and propose again";
    if (is(s, "escalate"))
        return "ask a person to approve the proposal";
    if (is(s, "halt"))
        return "do not proceed: make the change simpler or reversible";
    return NULL;
}

void
agr_govern_json(const struct agr_govern *g, const struct aegis_decision *d, struct ag_buf *b)
{
    const char *step = next_step(d);
    bool is_eligible = is_override_eligible(g, d);
    ag_buf_char(b, '{');
    text_member(b, "status", d->gov_status);
    if (d->id.n) {
        ag_buf_char(b, ',');
        text_member(b, "decision_id", d->id);
    }
    ag_buf_lit(b, ",\"confidence\":");
    number(b, d->confidence);
    write_counts(d, b);
    write_rationale(d, b);
    ag_buf_lit(b, ",\"next_steps\":[");
    if (step)
        ag_buf_json_str(b, ag_str_z(step));
    ag_buf_lit(b, "],\"constraints\":[],\"timestamp\":\"");
    ag_buf_time(b, d->now_ns, 0);
    ag_buf_lit(b, "\",\"override_eligible\":");
    ag_buf_str(b, is_eligible ? AG_STR("true") : AG_STR("false"));
    ag_buf_lit(b, ",\"override_requires\":[");
    if (is_eligible)
        ag_buf_lit(b, "\"risk_lead\",\"security_lead\"");
    ag_buf_char(b, ']');
    if (d->would_be.n) {
        ag_buf_lit(b, ",\"shadow\":true,");
        text_member(b, "would_be", d->would_be);
    }
    write_gates(d, b);
    ag_buf_lit(b, ",\"drift\":{\"kl\":");
    number(b, d->drift_kl);
    ag_buf_char(b, ',');
    text_member(b, "status", d->drift_status.n ? d->drift_status : (struct aegis_str){"skipped", 7});
    ag_buf_lit(b, "},\"policy\":{");
    text_member(b, "digest", d->policy_digest);
    ag_buf_lit(b, "}}");
}

int
agr_govern_exit(const struct aegis_decision *d)
{
    if (is(d->gov_status, "proceed"))
        return AGR_EXIT_OK;
    if (is(d->gov_status, "halt"))
        return AGR_EXIT_DENIED;
    return is(d->gov_status, "pause") || is(d->gov_status, "escalate") ? AGR_EXIT_HELD : AGR_EXIT_UNAVAILABLE;
}
