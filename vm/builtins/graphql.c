// SPDX-License-Identifier: Apache-2.0
// Built-ins graphql.*: queries and schemas as objects, and whether they are valid.
// In: strings, or the objects that graphql.parse_query and graphql.parse_schema give. Out: objects, verdicts,
// errors in the words of Open Policy Agent. Who owns memory: the call's arena. Next file to read: graphql.h.
#include "graphql.h"

// What is wrong with a text or object.
static struct ag_value
parse_error(struct ag_gql *g)
{
    size_t n = g->error.n ? g->error.n - (g->text[g->error.n - 1] == '\n') : 0;
    if (g->c->stop != AG_EVAL_OK)
        return ag_undef();
    if (!g->line)
        return ag_error(g->c, AG_VERR_BUILTIN, "%.*s", (int)n, g->text);
    return ag_error(g->c, AG_VERR_BUILTIN, "%.*s in GraphQL string at location %d:%d", (int)n, g->text,
                    (int)g->line, (int)g->column);
}

static struct ag_value
schema_error(struct ag_gql *g)
{
    if (g->c->stop != AG_EVAL_OK)
        return ag_undef();
    return ag_error(g->c, AG_VERR_BUILTIN,
                    "Error in gqlparser SchemaDocument to Schema conversion: input:%d:%d: %.*s",
                    g->line ? (int)g->line : -1, g->line ? (int)g->column : -1,
                    (int)(g->error.n ? g->error.n - (g->text[g->error.n - 1] == '\n') : 0), g->text);
}

// What is wrong with a query, one message on a line.
static struct ag_value
query_error(struct ag_gql *g)
{
    size_t n = g->error.n;
    if (g->c->stop != AG_EVAL_OK)
        return ag_undef();
    if (!g->line)
        return ag_error(g->c, AG_VERR_BUILTIN, "GraphQL parse error: input: %.*s", (int)n, g->text);
    if (n >= 2 && memcmp(g->text + n - 2, ".\n", 2) == 0)
        n -= 2;
    return ag_error(g->c, AG_VERR_BUILTIN, "%.*s in GraphQL string at location %d:%d", (int)n, g->text,
                    (int)g->line, (int)g->column);
}

static struct ag_gql_query *
take_query(struct ag_gql *g, struct ag_value v)
{
    return v.kind == AG_STRING ? ag_gql_parse_query(g, ag_value_str(v)) : ag_gql_read_query(g, v);
}

static struct ag_gql_document *
take_schema(struct ag_gql *g, struct ag_value v)
{
    return v.kind == AG_STRING ? ag_gql_parse_schema(g, ag_value_str(v)) : ag_gql_read_schema(g, v);
}

static struct ag_value
list_of(struct ag_call *c, const struct ag_value *v, uint32_t n)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b != NULL;
    for (uint32_t i = 0; i < n && ok; i++)
        ok = ag_builder_push(&c->mem, b, v[i]);
    return ag_bi_close(c, b, ok);
}

// Query and schema as objects, if they are valid. An error, or undefined at the end of the evaluation.
static struct ag_value
verify(struct ag_gql *g, const struct ag_value *a, bool with_objects, struct ag_value ret[2])
{
    struct ag_gql_schema schema;
    struct ag_gql_query *q = take_query(g, a[0]);
    struct ag_gql_document *d = q ? take_schema(g, a[1]) : NULL;
    if (!d)
        return parse_error(g);
    if (with_objects) { // before the rules change the trees
        ret[0] = ag_gql_write_query(g, q);
        ret[1] = g->c->stop == AG_EVAL_OK ? ag_gql_write_schema(g, d) : ag_undef();
        if (g->c->stop != AG_EVAL_OK)
            return ag_undef();
    }
    if (!ag_gql_schema(g, d, &schema))
        return schema_error(g);
    return ag_gql_validate(g, &schema, q) ? ag_bool(true) : query_error(g);
}

struct ag_value
ag_bi_graphql_parse(struct ag_call *c, const struct ag_value *a)
{
    struct ag_gql g;
    struct ag_value tree[2];
    ag_gql_begin(&g, c);
    struct ag_value v = verify(&g, a, true, tree);
    return v.kind == AG_BOOL ? list_of(c, tree, 2) : v;
}

struct ag_value
ag_bi_graphql_parse_and_verify(struct ag_call *c, const struct ag_value *a)
{
    struct ag_gql g;
    struct ag_value ret[3];
    ag_gql_begin(&g, c);
    g.is_quiet = true;
    struct ag_value v = verify(&g, a, true, ret + 1);
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    ret[0] = ag_bool(v.kind == AG_BOOL);
    if (v.kind != AG_BOOL) {
        struct ag_builder *b = ag_builder_new(&c->mem, AG_OBJECT);
        ret[1] = ret[2] = ag_bi_close(c, b, b != NULL);
    }
    return c->stop == AG_EVAL_OK ? list_of(c, ret, 3) : ag_undef();
}

struct ag_value
ag_bi_graphql_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct ag_gql g;
    ag_gql_begin(&g, c);
    g.is_quiet = true;
    struct ag_value v = verify(&g, a, false, NULL);
    return c->stop == AG_EVAL_OK ? ag_bool(v.kind == AG_BOOL) : ag_undef();
}

struct ag_value
ag_bi_graphql_parse_query(struct ag_call *c, const struct ag_value *a)
{
    struct ag_gql g;
    ag_gql_begin(&g, c);
    struct ag_gql_query *q = ag_gql_parse_query(&g, ag_value_str(a[0]));
    return q ? ag_gql_write_query(&g, q) : parse_error(&g);
}

struct ag_value
ag_bi_graphql_parse_schema(struct ag_call *c, const struct ag_value *a)
{
    struct ag_gql g;
    ag_gql_begin(&g, c);
    struct ag_gql_document *d = ag_gql_parse_schema(&g, ag_value_str(a[0]));
    return d ? ag_gql_write_schema(&g, d) : parse_error(&g);
}

struct ag_value
ag_bi_graphql_schema_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct ag_gql g;
    struct ag_gql_schema schema;
    ag_gql_begin(&g, c);
    g.is_quiet = true;
    struct ag_gql_document *d = take_schema(&g, a[0]);
    bool is_valid = d && ag_gql_schema(&g, d, &schema);
    return c->stop == AG_EVAL_OK ? ag_bool(is_valid) : ag_undef();
}
