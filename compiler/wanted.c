// SPDX-License-Identifier: Apache-2.0
// Entrypoints that the caller asks for by text: references below data, and queries. In: texts, the built
// program. Out: nodes whose names are decided. Memory: the compile arena. Next file to read: lower_rego.c.
#include "lower_rego.h"

#include "buf.h"
#include "program_parts.h"
#include "test_rules.h"

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

// Declarations and print leave the body; they are no expressions of the result.
static bool
leaves(const struct agc_node *literal)
{
    while (literal->kind == AGC_WITH)
        literal = literal->kid[0];
    const struct agc_node *f = literal->kind == AGC_CALL ? literal->kid[0] : NULL;
    return literal->kind == AGC_SOME || (f && f->kind == AGC_VAR && ag_str_is(f->text, "print"));
}

// The literals of a query as they were written.
static void
describe(struct agc_job *j, const struct agc_node *query, struct agc_wanted_node *ret)
{
    struct agc_literal *literal = agc_alloc(&j->arena, (query->n + 1) * sizeof *literal);
    for (uint32_t i = 0; i < query->n; i++) {
        struct agc_span at = query->kid[i]->span;
        struct agc_literal *l = &literal[ret->nliterals];
        if (leaves(query->kid[i]))
            continue;
        l->text = ag_str_of(j->sources.v[at.source].bytes.p + at.begin, at.end - at.begin);
        agc_source_place(&j->sources, at, &l->line, &l->column);
        ret->nliterals++;
    }
    ret->literal = literal;
}

// The module whose package and imports a query sees.
static const struct agc_module *
scope_of(struct agc_job *j)
{
    static const struct agc_module nothing;
    static const struct agc_segment whole = {0, 0};
    if (!j->scope.n)
        return &nothing;
    uint32_t source = (uint32_t)agc_source_add(&j->arena, &j->sources, AG_STR("query scope"), j->scope);
    struct agc_text text = {j->scope, source, (uint32_t)j->scope.n, 1, &whole};
    return agc_parse_module(&j->arena, &j->diags, &text);
}

static bool
read_query(struct agc_job *j, struct agc_node *n, struct agc_wanted_node *ret)
{
    const struct agc_module *scope = scope_of(j);
    ret->name = AG_STR("query");
    if (!scope)
        return false;
    if (j->describes_queries)
        describe(j, n, ret);
    ret->query = agc_program_query_in(&j->program, &j->diags, n, scope);
    return ret->query != NULL;
}

static bool
read_one(struct agc_job *j, const struct agc_wanted *w, struct agc_wanted_node *ret)
{
    struct agc_node *n = parse(j, w->source);
    *ret = (struct agc_wanted_node){.kind = w->kind, .name = j->sources.v[w->source].bytes};
    if (!n)
        return false;
    if (w->kind == AGC_WANT_QUERY)
        return read_query(j, n, ret);
    if (n->n == 1 && is_document(n->kid[0])) {
        ret->ref = n->kid[0];
        return true;
    }
    agc_diag(&j->diags, AGC_D_UNKNOWN_NAME, n->span,
             "an entrypoint is a reference into data, such as data.authz.allow");
    return false;
}

// --- all documents
struct ag_str
agc_document_name(struct agc_arena *a, const struct ag_str *step, uint32_t n)
{
    size_t size = 8;
    struct ag_buf b;
    for (uint32_t i = 0; i < n; i++)
        size += 6 * step[i].n + 4;
    ag_buf_init(&b, agc_alloc(a, size), size);
    ag_buf_lit(&b, "data");
    for (uint32_t i = 0; i < n; i++) {
        if (ag_str_is_name(step[i])) {
            ag_buf_char(&b, '.');
            ag_buf_str(&b, step[i]);
        } else {
            ag_buf_char(&b, '[');
            ag_buf_json_str(&b, step[i]);
            ag_buf_char(&b, ']');
        }
    }
    return ag_str_of(b.p, b.n);
}

struct documents {
    struct agc_job *j;
    struct agc_wanted_node *v;
    uint32_t n, cap;
    struct ag_str step[AGC_TERM_DEPTH_MAX];
};

// A reference to the node; its place is where the rule is first defined.
static struct agc_node *
document_ref(struct documents *d, const struct agc_tree *t, uint32_t depth)
{
    struct agc_span place = {0};
    struct agc_arena *a = &d->j->arena;
    if (t->group)
        place = (t->group->ndefs ? t->group->defs[0] : t->group->fallback)->head_span;
    struct agc_node *root = agc_node_var(a, place, AG_STR("data"), AGC_SYM_DATA);
    if (!depth)
        return root;
    struct agc_node *ref = agc_node_new(a, AGC_REF, place, (struct ag_str){0}, depth + 1);
    ref->depth = 2;
    ref->kid[0] = root;
    for (uint32_t i = 0; i < depth; i++)
        ref->kid[i + 1] = agc_node_string(a, place, d->step[i]);
    return ref;
}

static void
add_documents(struct documents *d, const struct agc_tree *t, uint32_t depth)
{
    bool is_asked = false;
    if ((t->group && t->group->kind == AGC_GROUP_FUNCTION) || depth == AGC_TERM_DEPTH_MAX)
        return;
    struct ag_str name = agc_document_name(&d->j->arena, d->step, depth);
    for (uint32_t i = 0; i < d->n; i++)
        is_asked = is_asked || (i < d->j->nwanted && ag_str_eq(d->v[i].name, name));
    bool is_test = t->group && depth && agc_test_is(d->step[depth - 1]);
    if (!is_asked && (d->j->all_documents || is_test)) {
        d->v = agc_grow(&d->j->arena, d->v, d->n, &d->cap, sizeof *d->v);
        d->v[d->n++] =
            (struct agc_wanted_node){.kind = AGC_WANT_VALUE, .name = name, .ref = document_ref(d, t, depth)};
    }
    for (uint32_t i = 0; i < t->nkids; i++) {
        d->step[depth] = t->kid[i]->key;
        add_documents(d, t->kid[i], depth + 1);
    }
}

bool
agc_wanted_read(struct agc_job *j, struct agc_wanted_node **ret, uint32_t *ret_n)
{
    struct documents d = {.j = j, .n = j->nwanted, .cap = j->nwanted};
    bool ok = true;
    d.v = agc_alloc(&j->arena, (j->nwanted + 1) * sizeof *d.v);
    for (uint32_t i = 0; i < j->nwanted; i++)
        ok = read_one(j, &j->wanted[i], &d.v[i]) && ok;
    if (ok && (j->all_documents || j->has_tests))
        add_documents(&d, j->program.root, 0);
    *ret = d.v;
    *ret_n = d.n;
    return ok;
}
