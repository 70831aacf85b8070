// SPDX-License-Identifier: Apache-2.0
// Tables of actions and what must be decided (B32). A table names one policy; each case is decided on a fresh
// simulated host, so cases do not share limits. A key that is not known is an error: a misspelt expectation
// must not pass. In: a YAML table (docs: aegis(1), "Test tables"). Out: struct agr_results. Next file to
// read: test_report.c.
#include "test.h"

#include "yaml_doc.h"

#include <stdlib.h>

#define ACTION_MAX (1u << 20) // bytes of one action as JSON
#define REPEAT_MAX 100000     // times that one case may be decided
#define DEFAULT_NOW                                                                                          \
    1767614400000000000 // 2026-01-05T12:00:00Z, a Monday: a table gives the same result every day

// One table while it is run.
struct table {
    const char *path;
    yaml_document_t doc;
    struct aegis_slot *slot;
    const struct aegis_crypto *crypto; // when its policy needs it
    struct agr_results *results;
    size_t first_rule; // of its policy in results->rules
    int64_t now;
    const regex_t *only; // names to run; NULL: all
    char *json;          // ACTION_MAX bytes
};

static const char *const table_keys[] = {"policy", "now", "cases", "description", NULL};
static const char *const case_keys[] = {"name",    "action", "proposal", "params", "agent",  "tenant",
                                        "session", "now",    "kill",     "repeat", "expect", NULL};
static const char *const expect_keys[] = {"decision", "rule",   "reason",     "risk_level",
                                          "approval", "status", "is_allowed", NULL};

static bool
malformed(const struct table *t, const yaml_node_t *at, const char *what, const char *detail)
{
    agr_die(0, "%s:%zu: %s%s", t->path, at ? at->start_mark.line + 1 : 1, what, detail);
    return false;
}

static bool
keys_fit(struct table *t, const yaml_node_t *map, const char *const *allowed, const char *what)
{
    size_t line;
    if (map->type != YAML_MAPPING_NODE)
        return malformed(t, map, what, " must be a mapping");
    const char *key = agr_yaml_unknown(&t->doc, map, allowed, &line);
    if (key)
        agr_die(0, "%s:%zu: %s has no key \"%s\"", t->path, line, what, key);
    return !key;
}

static bool
member(struct table *t, struct ag_buf *b, const char *key, const yaml_node_t *value)
{
    if (!value)
        return true;
    ag_buf_lit(b, ",\"");
    ag_buf_str(b, ag_str_z(key));
    ag_buf_lit(b, "\":");
    return agr_yaml_json(&t->doc, value, b);
}

// {"type":…,"target":…} from "type:target".
static void
write_short(struct ag_buf *b, const char *text)
{
    const char *colon = strchr(text, ':');
    ag_buf_lit(b, "{\"type\":");
    ag_buf_json_str(b, colon ? ag_str_of(text, (size_t)(colon - text)) : ag_str_z(text));
    if (colon) {
        ag_buf_lit(b, ",\"target\":");
        ag_buf_json_str(b, ag_str_z(colon + 1));
    }
    ag_buf_char(b, '}');
}

// The input of a case as JSON. Members given beside the action are appended; one given twice is refused by
// the machine.
static bool
write_input(struct table *t, const yaml_node_t *c, struct ag_buf *b)
{
    const yaml_node_t *action = agr_yaml_get(&t->doc, c, "action"),
                      *proposal = agr_yaml_get(&t->doc, c, "proposal");
    bool ok = true;
    if (!action == !proposal)
        return malformed(t, c, "a case has either an action or a proposal", "");
    ag_buf_init(b, t->json, ACTION_MAX);
    if (proposal)
        ok = agr_yaml_json(&t->doc, proposal, b);
    else if (agr_yaml_text(action))
        write_short(b, agr_yaml_text(action));
    else
        ok = agr_yaml_json(&t->doc, action, b);
    if (ok && b->n > 2 && b->p[b->n - 1] == '}') {
        b->n--;
        ok = member(t, b, "params", agr_yaml_get(&t->doc, c, "params")) &&
             member(t, b, "agent", agr_yaml_get(&t->doc, c, "agent")) &&
             member(t, b, "tenant", agr_yaml_get(&t->doc, c, "tenant")) &&
             member(t, b, "session_id", agr_yaml_get(&t->doc, c, "session"));
        ag_buf_char(b, '}');
    }
    return ok && !b->is_full ? true : malformed(t, c, "the action is too long or nests too deep", "");
}

// Appends "key is X, not Y" when they differ.
static void
compare(struct ag_buf *why, const char *key, const char *wanted, struct aegis_str got)
{
    if (!wanted || ag_str_is(ag_str_of(got.p, got.n), wanted))
        return;
    if (why->n)
        ag_buf_lit(why, "; ");
    ag_buf_str(why, ag_str_z(key));
    ag_buf_lit(why, " is ");
    ag_buf_str(why, got.n ? ag_str_of(got.p, got.n) : AG_STR("absent"));
    ag_buf_lit(why, ", not ");
    ag_buf_str(why, ag_str_z(wanted));
}

static void
judge(struct table *t, const yaml_node_t *expect, const struct aegis_decision *d, struct ag_buf *why)
{
    struct aegis_str allowed = {d->is_allowed ? "true" : "false", d->is_allowed ? 4 : 5};
    const struct {
        const char *key;
        struct aegis_str got;
    } rows[] = {{"decision", d->decision},     {"rule", d->rule},         {"reason", d->reason},
                {"risk_level", d->risk_level}, {"approval", d->approval}, {"status", d->gov_status},
                {"is_allowed", allowed}};
    if (agr_yaml_text(expect)) {
        compare(why, d->gov_status.n ? "status" : "decision", agr_yaml_text(expect),
                d->gov_status.n ? d->gov_status : d->decision);
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        compare(why, rows[i].key, agr_yaml_text(agr_yaml_get(&t->doc, expect, rows[i].key)), rows[i].got);
}

static void
cover(struct table *t, const struct aegis_decision *d)
{
    size_t ix = t->first_rule + d->rule_ix;
    if (d->rule_ix != UINT32_MAX && ix < t->results->nrules)
        t->results->rules[ix].n++;
}

// What a case says besides its action.
struct circumstances {
    int64_t now;
    long repeat;
    const char *kill, *entry;
};

static bool
read_circumstances(struct table *t, const yaml_node_t *c, struct circumstances *ret)
{
    const yaml_node_t *now = agr_yaml_get(&t->doc, c, "now"), *repeat = agr_yaml_get(&t->doc, c, "repeat");
    const yaml_node_t *kill = agr_yaml_get(&t->doc, c, "kill");
    *ret = (struct circumstances){t->now, 1, agr_yaml_text(kill),
                                  agr_yaml_get(&t->doc, c, "proposal") ? "evaluate" : "decide"};
    if (now && (!agr_yaml_text(now) || !agr_parse_time(agr_yaml_text(now), &ret->now)))
        return malformed(t, now, "now must be a time like 2026-03-20T12:00:00Z", "");
    if (repeat) {
        char *end = NULL;
        const char *text = agr_yaml_text(repeat);
        ret->repeat = text ? strtol(text, &end, 10) : 0;
        if (!text || *end || ret->repeat < 1 || ret->repeat > REPEAT_MAX)
            return malformed(t, repeat, "repeat must be 1 to 100000", "");
    }
    if (kill && !ret->kill)
        return malformed(t, kill, "kill must be the name of a tenant, or *", "");
    return true;
}

// Decides on a host of its own. The strings of *ret live until the context is freed, so the judgement is made
// here.
static bool
decide(struct table *t, const struct circumstances *w, struct ag_str json, const yaml_node_t *expect,
       struct ag_buf *why)
{
    struct aegis_host_options o = {
        .size = sizeof o, .is_simulated = 1, .now_ns = w->now, .crypto = t->crypto};
    struct aegis_limits limits = {.size = sizeof limits};
    struct aegis_error e = {.size = sizeof e};
    struct aegis_decision d = {.size = sizeof d};
    struct aegis_host *host = NULL;
    struct aegis_ctx *ctx = NULL;
    bool ok =
        aegis_host_open(NULL, &o, &host, &e) == AEGIS_OK && aegis_ctx_new(&limits, host, &ctx) == AEGIS_OK;
    if (!ok)
        agr_die(0, "%s: no simulated host: %s", t->path, e.text);
    if (ok && w->kill)
        aegis_host_set_kill(host, (struct aegis_str){w->kill, strlen(w->kill)}, 1);
    enum aegis_status s = AEGIS_OK;
    for (long i = 0; ok && s == AEGIS_OK && i < w->repeat; i++)
        s = aegis_ctx_decide_json(ctx, t->slot, w->entry, json.p, json.n, &d, &e);
    if (ok && s != AEGIS_OK) {
        if (agr_yaml_text(expect) && strcmp(agr_yaml_text(expect), "malformed") == 0)
            s = AEGIS_OK;
        else
            ag_buf_str(why, ag_str_z(e.text));
    } else if (ok) {
        judge(t, expect, &d, why);
        cover(t, &d);
    }
    if (ctx)
        aegis_ctx_free(ctx);
    if (host)
        aegis_host_close(host);
    return ok;
}

static bool
keep(struct agr_results *r, const char *file, const char *name, struct ag_str why)
{
    struct agr_result c = {.file = strdup(file),
                           .name = strdup(name),
                           .why = why.n ? strndup(why.p, why.n) : NULL,
                           .outcome = why.n ? AGR_TEST_FAILED : AGR_TEST_PASSED};
    return c.file && c.name && (c.why || !why.n) && agr_results_add(r, &c);
}

static bool
run_case(struct table *t, const yaml_node_t *c, size_t number)
{
    char fallback[64], why_mem[2048];
    struct circumstances w;
    struct ag_buf json, why;
    if (!keys_fit(t, c, case_keys, "a case"))
        return false;
    snprintf(fallback, sizeof fallback, "case %zu", number);
    const yaml_node_t *name_node = agr_yaml_get(&t->doc, c, "name"),
                      *expect = agr_yaml_get(&t->doc, c, "expect");
    const char *name = name_node ? agr_yaml_text(name_node) : fallback;
    if (!name)
        return malformed(t, name_node, "name must be a text", "");
    if (!expect)
        return malformed(t, c, "expect is missing: a decision, or a mapping of decision, rule, reason, ...",
                         "");
    if (!agr_yaml_text(expect) && !keys_fit(t, expect, expect_keys, "expect"))
        return false;
    if (t->only && regexec(t->only, name, 0, NULL, 0) != 0)
        return true;
    if (!read_circumstances(t, c, &w) || !write_input(t, c, &json))
        return false;
    ag_buf_init(&why, why_mem, sizeof why_mem);
    if (!decide(t, &w, ag_str_of(json.p, json.n), expect, &why))
        return false;
    return keep(t->results, t->path, name, ag_str_of(why.p, why.n))
               ? true
               : malformed(t, c, "too many cases, or out of memory", "");
}

// The policy of a table is found beside the table.
static char *
beside(const char *table, const char *policy)
{
    const char *slash = strrchr(table, '/');
    size_t n = slash ? (size_t)(slash - table) + 1 : 0;
    char *p = malloc(n + strlen(policy) + 1);
    if (!p)
        return NULL;
    if (policy[0] == '/')
        n = 0;
    memcpy(p, table, n);
    memcpy(p + n, policy, strlen(policy) + 1);
    return p;
}

static bool
add_rules(struct table *t, const struct aegis_policy *p, const char *policy_path)
{
    struct agr_results *r = t->results;
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(p, &info);
    struct agr_covered *more = realloc(r->rules, (r->nrules + info.rules + 1) * sizeof *more);
    if (!more)
        return false;
    r->rules = more;
    t->first_rule = r->nrules;
    for (uint32_t i = 0; i < info.rules; i++) {
        struct aegis_rule_info rule = {.size = sizeof rule};
        aegis_policy_rule(p, i, &rule);
        more[r->nrules++] = (struct agr_covered){strdup(policy_path), strndup(rule.name.p, rule.name.n), 0};
    }
    return true;
}

static bool
open_policy(struct table *t, const yaml_node_t *root, int *ret_exit)
{
    const yaml_node_t *node = agr_yaml_get(&t->doc, root, "policy");
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (!agr_yaml_text(node))
        return malformed(t, root, "policy is missing: the path of a policy, relative to this file", "");
    char *path = beside(t->path, agr_yaml_text(node));
    struct aegis_policy *p = path ? agr_load(path, NULL, ret_exit) : NULL;
    bool ok = p && add_rules(t, p, path) && aegis_slot_new(&t->slot) == AEGIS_OK;
    if (ok) {
        t->crypto = agr_crypto_for(p);
        aegis_slot_publish(t->slot, p);
    } else if (p)
        aegis_policy_close(p);
    free(path);
    return ok;
}

static bool
run_cases(struct table *t, const yaml_node_t *root, int *ret_exit)
{
    const yaml_node_t *now = agr_yaml_get(&t->doc, root, "now"),
                      *cases = agr_yaml_get(&t->doc, root, "cases");
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (now && (!agr_yaml_text(now) || !agr_parse_time(agr_yaml_text(now), &t->now)))
        return malformed(t, now, "now must be a time like 2026-03-20T12:00:00Z", "");
    if (!cases || cases->type != YAML_SEQUENCE_NODE)
        return malformed(t, root, "cases is missing: a list", "");
    if (!open_policy(t, root, ret_exit))
        return false;
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    size_t number = 0;
    for (const yaml_node_item_t *i = cases->data.sequence.items.start; i < cases->data.sequence.items.top;
         i++)
        if (!run_case(t, yaml_document_get_node(&t->doc, *i), ++number))
            return false;
    return true;
}

bool
agr_test_table(const char *path, const regex_t *only, struct agr_results *results, int *ret_exit)
{
    struct table t = {
        .path = path, .results = results, .only = only, .now = DEFAULT_NOW, .json = malloc(ACTION_MAX)};
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (!t.json || !agr_yaml_load(path, &t.doc)) {
        free(t.json);
        return false;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&t.doc);
    bool ok = keys_fit(&t, root, table_keys, "a table") && run_cases(&t, root, ret_exit);
    if (t.slot)
        aegis_slot_free(t.slot);
    yaml_document_delete(&t.doc);
    free(t.json);
    return ok;
}
