// SPDX-License-Identifier: Apache-2.0
// Probes: each group is asked through a query of its own; a function is called with arguments that stand in
// the input. The program is lowered twice, once for the probe and once for the image: lowering leaves it as
// it is. In: a job, groups. Out: answers. Memory: the job's arena. Next file to read: conflict.c.
#include "probe.h"

#include "aegis.h"
#include "bytes.h"
#include "lower_rego.h"
#include "witness.h"

#include <stdlib.h>

#define ANSWER_MAX 65536u // bytes of an answer that is looked at
#define STEPS_MAX  64u    // steps of a document's path

struct agc_probe {
    struct agc_arena *arena;
    struct ag_str *entry; // with a NUL behind it
    bool *is_function;
    struct aegis_host *host;
    struct aegis_slot *slot;
    struct aegis_ctx *ctx;
    char answer[ANSWER_MAX];
};

static void
put_text(struct agc_bytes *b, const char *text)
{
    agc_bytes_put(b, text, strlen(text));
}

// data["a"]["b"]: any name can stand so.
static void
put_path(struct agc_bytes *b, const struct agc_tree *t)
{
    const struct agc_tree *step[STEPS_MAX];
    uint32_t n = 0;
    for (; t->parent && n < STEPS_MAX; t = t->parent)
        step[n++] = t;
    put_text(b, "data");
    while (n-- > 0) {
        struct agc_node key = {.kind = AGC_STRING, .text = step[n]->key};
        put_text(b, "[");
        agc_node_const_put(b, &key);
        put_text(b, "]");
    }
}

static struct ag_str
query_text(struct agc_arena *a, const struct agc_group *g)
{
    char text[64];
    struct agc_bytes b = {.arena = a};
    bool is_function = g->kind == AGC_GROUP_FUNCTION;
    put_text(&b, is_function ? "args := input.args; value := " : "value := ");
    put_path(&b, g->at);
    for (uint32_t i = 0; is_function && i < g->nargs; i++) {
        snprintf(text, sizeof text, "%sargs[%u]", i ? ", " : "(", i);
        put_text(&b, text);
    }
    if (is_function)
        put_text(&b, g->nargs ? ") with input as input.input" : "() with input as input.input");
    return ag_str_of((const char *)b.p, b.n);
}

static bool
add_query(struct agc_job *j, struct agc_probe *p, const struct agc_group *g, uint32_t ix,
          struct agc_wanted_node *ret)
{
    static const struct agc_segment whole = {0, 0};
    char name[32];
    struct ag_str text = query_text(&j->arena, g);
    int source = agc_source_add(&j->arena, &j->sources, AG_STR("probe"), text);
    struct agc_text t = {text, (uint32_t)source, (uint32_t)text.n, 1, &whole};
    struct agc_node *query = source < 0 ? NULL : agc_parse_query(&j->arena, &j->diags, &t);
    struct agc_def *def = query ? agc_program_query(&j->program, &j->diags, query, NULL, 0) : NULL;
    int n = snprintf(name, sizeof name, "probe%u", ix);
    p->entry[ix] = agc_strdup(&j->arena, ag_str_of(name, (size_t)n));
    p->is_function[ix] = g->kind == AGC_GROUP_FUNCTION;
    *ret = (struct agc_wanted_node){.kind = AGC_WANT_QUERY, .name = p->entry[ix], .query = def};
    return def != NULL;
}

static bool
make_image(struct agc_job *j, struct agc_probe *p, const struct agc_group *const *group, uint32_t n,
           struct ag_str *ret)
{
    struct agc_job before = *j;
    bool ok = true;
    j->wanted_nodes = agc_alloc(&j->arena, n * sizeof *j->wanted_nodes);
    j->nwanted = j->nwanted_nodes = n;
    j->emit = NULL;
    j->last = AGC_STAGE_IMAGE;
    j->secret = NULL;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = add_query(j, p, group[i], i, &j->wanted_nodes[i]);
    ok = ok && agc_compile_program(j) == AGC_DONE;
    *ret = j->image;
    struct agc_arena arena = j->arena; // what the probe is made of lives on
    *j = before;
    j->arena = arena;
    return ok;
}

static bool
open_image(struct agc_probe *p, struct ag_str image)
{
    struct aegis_host_options options = {.size = sizeof options, .is_simulated = 1};
    struct aegis_limits limits = {.size = sizeof limits};
    struct aegis_policy *policy = NULL;
    enum aegis_status s = aegis_host_open(NULL, &options, &p->host, NULL);
    if (s == AEGIS_OK)
        s = aegis_ctx_new(&limits, p->host, &p->ctx);
    if (s == AEGIS_OK)
        s = aegis_slot_new(&p->slot);
    if (s == AEGIS_OK)
        s = aegis_policy_open_bytes(image.p, image.n, NULL, &policy, NULL);
    // Without the probe a conflict is a warning: what compiles must not depend on the memory that is left.
    if (s == AEGIS_NO_MEMORY)
        agc_out_of_memory(image.n);
    if (s == AEGIS_OK)
        aegis_slot_publish(p->slot, policy);
    return s == AEGIS_OK;
}

struct agc_probe *
agc_probe_open(struct agc_job *j, const struct agc_group *const *group, uint32_t n)
{
    struct agc_probe *p = calloc(1, sizeof *p);
    struct ag_str image;
    if (!p)
        agc_out_of_memory(sizeof *p);
    p->arena = &j->arena;
    p->entry = agc_alloc(&j->arena, n * sizeof *p->entry);
    p->is_function = agc_alloc(&j->arena, n);
    if (make_image(j, p, group, n, &image) && open_image(p, image))
        return p;
    agc_probe_close(p);
    return NULL;
}

enum agc_probe_answer
agc_probe_run(struct agc_probe *p, uint32_t ix, struct ag_str input, struct ag_str args)
{
    struct agc_bytes b = {.arena = p->arena};
    struct aegis_error why = {.size = sizeof why};
    size_t n = 0;
    if (p->is_function[ix]) {
        put_text(&b, "{\"args\": [");
        agc_bytes_put(&b, args.p, args.n);
        put_text(&b, "], \"input\": ");
        agc_bytes_put(&b, input.p, input.n);
        put_text(&b, "}");
        input = ag_str_of((const char *)b.p, b.n);
    }
    if (aegis_ctx_eval_json(p->ctx, p->slot, p->entry[ix].p, input.p, input.n, p->answer, sizeof p->answer,
                            &n, &why) == AEGIS_OK)
        return AGC_PROBE_VALUE;
    return strstr(why.text, "multiple outputs") ? AGC_PROBE_CONFLICT : AGC_PROBE_FAILED;
}

void
agc_probe_close(struct agc_probe *p)
{
    if (!p)
        return;
    aegis_ctx_free(p->ctx);
    aegis_slot_free(p->slot);
    aegis_host_close(p->host);
    free(p);
}
