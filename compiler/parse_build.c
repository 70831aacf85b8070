// SPDX-License-Identifier: Apache-2.0
// Builders behind the grammar's actions, and agc_parse_query. In: tokens. Out: nodes. Constructs of the
// language that expressions of rules do not have are refused here by name. Memory: the compile arena. Next
// file to read: resolve.c.
#include "parse_build.h"

void
agc_build_error(struct agc_lexer *lx, struct agc_span at, const char *text)
{
    lx->is_failed = true;
    if (lx->errors_max == 0)
        return;
    lx->errors_max--;
    agc_diag(lx->diags, AGC_D_SYNTAX, at, "%s", text);
}

static void
refuse(struct agc_lexer *lx, struct agc_span at, const char *construct, const char *fix)
{
    lx->is_failed = true;
    if (lx->errors_max == 0)
        return;
    lx->errors_max--;
    struct agc_diag *d =
        agc_diag(lx->diags, AGC_D_NOT_AVAILABLE, at, "%s is not available in when:", construct);
    if (fix)
        agc_diag_fix(lx->diags, d, "%s", fix);
}

void
agc_build_unexpected(struct agc_lexer *lx, struct agc_span at, const char *got, const char *const *want,
                     unsigned n)
{
    static const struct {
        const char *token, *construct, *fix;
    } refused[] = {
        {":=", "assignment (:=)", "write the value where it is used, or compare with =="},
        {"=", "unification (=)", "write == to compare"},
        {"some", "some", "write `value in collection`"},
        {"every", "every", NULL},
        {"with", "with", NULL},
        {"as", "as", NULL},
        {"if", "if", "conditions of a rule stand one a line"},
        {"else", "else", NULL},
        {"default", "default", NULL},
        {"contains", "contains", "call contains(text, part), or write `value in collection`"},
        {"import", "import", NULL},
        {"package", "package", NULL},
        {"template string", "a template string", NULL},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (strcmp(got, refused[i].token) == 0) {
            refuse(lx, at, refused[i].construct, refused[i].fix);
            return;
        }
    if (strcmp(got, "end of line or ;") == 0 && lx->depth && lx->bracket[lx->depth - 1] != '(') {
        refuse(lx, at, "a comprehension", NULL);
        return;
    }
    char text[200];
    bool is_end = strcmp(got, "end of file") == 0;
    int len = snprintf(text, sizeof text, "%s%s", is_end ? "the expression ends too early" : "unexpected ",
                       is_end ? "" : got);
    for (unsigned i = 0; n <= 4 && i < n && len > 0 && (size_t)len < sizeof text; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%s%s",
                        i == 0       ? ", expected "
                        : i + 1 == n ? " or "
                                     : ", ",
                        want[i]);
    agc_build_error(lx, at, text);
}

static struct agc_node *
make(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k, struct ag_str text,
     struct agc_node *const *kids, uint32_t n)
{
    uint32_t depth = 1;
    for (uint32_t i = 0; i < n; i++) {
        if (!kids[i])
            return NULL;
        if (kids[i]->depth >= depth)
            depth = kids[i]->depth + 1;
    }
    if (depth > AGC_EXPR_DEPTH_MAX) {
        if (!lx->is_failed)
            agc_diag(lx->diags, AGC_D_EXPR_DEPTH, at, "the expression is nested more than %u deep",
                     AGC_EXPR_DEPTH_MAX);
        lx->is_failed = true;
        return NULL;
    }
    struct agc_node *node = agc_node_new(lx->arena, k, at, text, n);
    if (n)
        memcpy(node->kid, kids, n * sizeof(struct agc_node *));
    node->depth = depth;
    return node;
}

struct agc_node *
agc_build_leaf(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k, struct ag_str text)
{
    return make(lx, at, k, text, NULL, 0);
}

struct agc_node *
agc_build_1(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k, struct agc_node *a)
{
    return make(lx, at, k, AG_STR(""), &a, 1);
}

struct agc_node *
agc_build_2(struct agc_lexer *lx, struct agc_span at, const char *op, struct agc_node *a, struct agc_node *b)
{
    struct agc_node *kids[2] = {a, b};
    return make(lx, at, AGC_BINARY, ag_str_z(op), kids, 2);
}

struct agc_node *
agc_build_3(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k, struct agc_node *a,
            struct agc_node *b, struct agc_node *c)
{
    struct agc_node *kids[3] = {a, b, c};
    return make(lx, at, k, AG_STR(""), kids, 3);
}

struct agc_node *
agc_build_minus(struct agc_lexer *lx, struct agc_span at, struct ag_str digits)
{
    char *p = agc_alloc(lx->arena, digits.n + 2);
    p[0] = '-';
    memcpy(p + 1, digits.p, digits.n);
    return make(lx, at, AGC_NUMBER, ag_str_of(p, digits.n + 1), NULL, 0);
}

struct agc_node *
agc_build_step(struct agc_lexer *lx, struct agc_span at, struct agc_node *ref, struct agc_node *step)
{
    if (!ref || !step)
        return NULL;
    if (ref->kind != AGC_REF) {
        struct agc_node *kids[2] = {ref, step};
        return make(lx, at, AGC_REF, AG_STR(""), kids, 2);
    }
    struct agc_node **kids = agc_alloc(lx->arena, (ref->n + 1u) * sizeof *kids);
    memcpy(kids, ref->kid, ref->n * sizeof *kids);
    kids[ref->n] = step;
    return make(lx, at, AGC_REF, AG_STR(""), kids, ref->n + 1);
}

struct agc_node *
agc_build_call(struct agc_lexer *lx, struct agc_span at, struct agc_node *f, struct agc_list *args)
{
    if (!f)
        return NULL;
    bool is_name = f->kind == AGC_VAR || (f->kind == AGC_REF && f->kid[0]->kind == AGC_VAR);
    for (uint32_t i = 1; is_name && f->kind == AGC_REF && i < f->n; i++)
        is_name = f->kid[i]->kind == AGC_STRING;
    if (!is_name) {
        agc_build_error(lx, f->span, "only a name can be called");
        return NULL;
    }
    if (f->kind == AGC_VAR && ag_str_is(f->text, "set") && !args)
        return make(lx, at, AGC_SET, AG_STR(""), NULL, 0);
    uint32_t n = args ? args->n : 0;
    struct agc_node **kids = agc_alloc(lx->arena, (n + 1u) * sizeof *kids);
    kids[0] = f;
    if (n)
        memcpy(kids + 1, args->v, n * sizeof *kids);
    return make(lx, at, AGC_CALL, AG_STR(""), kids, n + 1);
}

struct agc_node *
agc_build_many(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k, struct agc_list *list)
{
    if (list && list->bar.end > list->bar.begin) {
        refuse(lx, list->bar, "a comprehension", "parentheses make `|` the union of two sets: {(a | b)}");
        return NULL;
    }
    return make(lx, at, k, AG_STR(""), list ? list->v : NULL, list ? list->n : 0);
}

struct agc_node *
agc_build_query(struct agc_lexer *lx, struct agc_span at, struct agc_list *list)
{
    return list ? make(lx, at, AGC_QUERY, AG_STR(""), list->v, list->n) : NULL;
}

struct agc_list *
agc_build_list(struct agc_lexer *lx, struct agc_list *list, struct agc_node *n)
{
    if (!list)
        list = agc_alloc(lx->arena, sizeof *list);
    list->v = agc_grow(lx->arena, list->v, list->n, &list->cap, sizeof(struct agc_node *));
    list->v[list->n++] = n;
    return list;
}

// `[x | ...` is a comprehension when a bare term stands before the bar: the leftmost operator is then `|` and
// its left side begins where the element begins (a parenthesis would stand between them).
static struct agc_span
bar_of(struct agc_span at, const struct agc_node *n)
{
    const struct agc_node *op = n;
    while (op && op->kind == AGC_BINARY && op->kid[0]->kind == AGC_BINARY)
        op = op->kid[0];
    if (!op || op->kind != AGC_BINARY || !ag_str_is(op->text, "|") || op->kid[0]->span.begin != at.begin)
        return (struct agc_span){at.source, 0, 0};
    return (struct agc_span){at.source, op->kid[0]->span.end, op->kid[1]->span.begin};
}

struct agc_list *
agc_build_first(struct agc_lexer *lx, struct agc_span at, struct agc_node *n)
{
    struct agc_list *list = agc_build_list(lx, NULL, n);
    list->bar = bar_of(at, n);
    return list;
}

struct agc_list *
agc_build_pair(struct agc_lexer *lx, struct agc_list *list, struct agc_node *k, struct agc_span at,
               struct agc_node *v)
{
    bool is_first = !list;
    list = agc_build_list(lx, list, k);
    agc_build_list(lx, list, v);
    if (is_first)
        list->bar = bar_of(at, v);
    return list;
}
