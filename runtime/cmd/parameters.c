// SPDX-License-Identifier: Apache-2.0
// Governance parameters as policies (A2): a flat dictionary becomes the `parameters:` of a policy and goes
// through aegisc like every other one. In: files. Out: policies, freed by the caller; exit codes of
// decisions. Next file to read: evaluate.c.
#include "parameters.h"

#include "store.h"
#include "yaml_doc.h"

#include <stdlib.h>

#define PARAMETERS_MAX (1u << 20)

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
agr_parameters_load(const char *path, int *ret_exit)
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

static bool
is(struct aegis_str s, const char *z)
{
    return ag_str_is(ag_str_of(s.p, s.n), z);
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
