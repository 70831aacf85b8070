// SPDX-License-Identifier: Apache-2.0
// Entrypoints that the caller asks for by text: references below data, and queries. In: texts, the built
// program. Out: nodes whose names are decided. Memory: the compile arena. Next file to read: lower_rego.c.
#include "lower_rego.h"

static struct agc_node *
parse(struct agc_job *j, uint32_t source)
{
    const struct agc_source *s = &j->sources.v[source];
    const struct agc_segment whole = {0, 0};
    struct agc_text text = {s->bytes, source, (uint32_t)s->bytes.n, 1, &whole};
    return agc_parse_query(&j->arena, &j->diags, &text);
}

// data, or data followed by constant strings.
static bool
is_document(struct agc_node *n)
{
    struct agc_node *head = n->kind == AGC_REF ? n->kid[0] : n;
    if (head->kind != AGC_VAR || !ag_str_is(head->text, "data"))
        return false;
    for (uint32_t i = 1; n->kind == AGC_REF && i < n->n; i++)
        if (n->kid[i]->kind != AGC_STRING)
            return false;
    head->symbol = AGC_SYM_DATA;
    return true;
}

static bool
read_one(struct agc_job *j, const struct agc_wanted *w, struct agc_wanted_node *ret)
{
    struct agc_node *n = parse(j, w->source);
    *ret = (struct agc_wanted_node){.kind = w->kind, .name = j->sources.v[w->source].bytes};
    if (!n)
        return false;
    if (w->kind == AGC_WANT_QUERY) {
        ret->name = AG_STR("query");
        ret->query = agc_program_query(&j->program, &j->diags, n, NULL, 0);
        return ret->query != NULL;
    }
    if (n->n == 1 && is_document(n->kid[0])) {
        ret->ref = n->kid[0];
        return true;
    }
    agc_diag(&j->diags, AGC_D_UNKNOWN_NAME, n->span,
             "an entrypoint is a reference into data, such as data.authz.allow");
    return false;
}

bool
agc_wanted_read(struct agc_job *j, struct agc_wanted_node **ret)
{
    bool ok = true;
    *ret = agc_alloc(&j->arena, (j->nwanted + 1) * sizeof **ret);
    for (uint32_t i = 0; i < j->nwanted; i++)
        ok = read_one(j, &j->wanted[i], &(*ret)[i]) && ok;
    return ok;
}
