// SPDX-License-Identifier: Apache-2.0
// Builders behind the grammar's expressions, and the texts of syntax errors. In: tokens. Out: nodes. Memory:
// the compile arena. Next file to read: parse_rule.c.
#include "parse_build.h"

void
agc_build_error(struct agc_lexer *lx, struct agc_span at, const char *text)
{
    agc_token_fail(lx, AGC_D_SYNTAX, at, "%s", text);
}

// What to write instead where a frequent mistake shows in the unexpected token.
static const char *
fix_of(const struct agc_lexer *lx, const char *got)
{
    static const struct {
        const char *token, *fix;
    } fixes[] = {
        {"if", "`if` stands between the head of a rule and its body"},
        {"contains", "write contains(text, part) to call the function"},
        {"else", "`else` follows the body of a rule: `p := 1 if { .. } else := 2`"},
        {"default", "`default` begins a rule: `default p := false`"},
        {"import", "imports stand alone on their line, behind the package"},
        {"package", "the package stands first in the file"},
        {"with", "`with` follows an expression: `p with input as {}`"},
        {"as", "`as` belongs to an import or to `with`"},
        {"some", "`some` begins a line of a body: `some x in xs`"},
        {"every", "`every` begins a line of a body: `every x in xs { .. }`"},
        {"not", "`not` begins a line of a body"},
    };
    bool is_query = lx->start != START_MODULE;
    for (size_t i = 0; i < sizeof fixes / sizeof fixes[0]; i++)
        if (strcmp(got, fixes[i].token) == 0)
            return is_query && i == 0 ? "conditions of a rule stand one a line" : fixes[i].fix;
    return NULL;
}

void
agc_build_unexpected(struct agc_lexer *lx, struct agc_span at, const char *got, const char *const *want,
                     unsigned n)
{
    char text[200];
    bool is_end = strcmp(got, "end of file") == 0;
    int len = snprintf(text, sizeof text, "%s%s",
                       is_end ? lx->start == START_MODULE ? "the module ends too early"
                                                          : "the expression ends too early"
                              : "unexpected ",
                       is_end ? "" : got);
    for (unsigned i = 0; n <= 4 && i < n && len > 0 && (size_t)len < sizeof text; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%s%s",
                        i == 0       ? ", expected "
                        : i + 1 == n ? " or "
                                     : ", ",
                        want[i]);
    struct agc_diag *d = agc_token_fail(lx, AGC_D_SYNTAX, at, "%s", text);
    const char *fix = fix_of(lx, got);
    if (!fix && agc_token_is_apart(lx))
        fix = "an operator is missing, or a `;` or new line between two expressions of a body";
    if (fix)
        agc_diag_fix(lx->diags, d, "%s", fix);
    agc_token_skip(lx);
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
        if (!lx->is_too_deep)
            agc_token_fail(lx, AGC_D_EXPR_DEPTH, at, "the expression is nested more than %u deep",
                           AGC_EXPR_DEPTH_MAX);
        lx->is_too_deep = true;
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
agc_build_parens(struct agc_span at, struct agc_node *n)
{
    if (n && (n->kind == AGC_BINARY || n->kind == AGC_MEMBER2))
        n->span = at;
    return n;
}

struct agc_node *
agc_build_step(struct agc_lexer *lx, struct agc_span at, struct agc_node *ref, struct agc_node *step)
{
    if (!ref || !step)
        return NULL;
    switch (ref->kind) {
    case AGC_NULL_LIT:
    case AGC_TRUE_LIT:
    case AGC_FALSE_LIT:
    case AGC_NUMBER:
    case AGC_STRING:
    case AGC_TEMPLATE:
        agc_token_fail(lx, AGC_D_SYNTAX, ref->span, "a %s has no parts to refer to",
                       agc_node_name(ref->kind));
        return NULL;
    default: break;
    }
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
agc_build_op(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k, struct agc_node *a,
             struct agc_node *b)
{
    struct agc_node *kids[2] = {a, b};
    return make(lx, at, k, AG_STR(""), kids, 2);
}

struct agc_node *
agc_build_many(struct agc_lexer *lx, struct agc_span at, enum agc_node_kind k, struct agc_list *list)
{
    return make(lx, at, k, AG_STR(""), list ? list->v : NULL, list ? list->n : 0);
}

struct agc_node *
agc_build_query(struct agc_lexer *lx, struct agc_span at, struct agc_list *list)
{
    return list ? make(lx, at, AGC_QUERY, AG_STR(""), list->v, list->n) : NULL;
}

struct agc_node *
agc_build_single(struct agc_lexer *lx, struct agc_span at, struct agc_node *literal)
{
    return make(lx, at, AGC_QUERY, AG_STR(""), &literal, 1);
}

struct agc_node *
agc_build_condition(struct agc_lexer *lx, struct agc_span at, struct agc_node *literal)
{
    const struct agc_node *n = literal && literal->kind == AGC_WITH ? literal->kid[0] : literal;
    if (n && n->kind == AGC_NOT && n->kid[0]->kind == AGC_SET && n->kid[0]->n) {
        struct agc_diag *d = agc_token_fail(lx, AGC_D_SYNTAX, n->span, "a set is never false or undefined");
        agc_diag_fix(lx->diags, d, "`import future.keywords.not` makes `not { .. }` negate a body");
    }
    return agc_build_single(lx, at, literal);
}

struct agc_node *
agc_build_not(struct agc_lexer *lx, struct agc_span at, struct agc_node *literal)
{
    if (lx->has_not_bodies && literal)
        literal = agc_build_single(lx, literal->span, literal);
    return agc_build_1(lx, at, AGC_NOT, literal);
}

struct agc_node *
agc_build_with(struct agc_lexer *lx, struct agc_span at, struct agc_node *literal, struct agc_list *list)
{
    struct agc_node **kids = agc_alloc(lx->arena, (list->n + 1u) * sizeof *kids);
    kids[0] = literal;
    memcpy(kids + 1, list->v, list->n * sizeof *kids);
    return make(lx, at, AGC_WITH, AG_STR(""), kids, list->n + 1);
}

struct agc_node *
agc_build_target(struct agc_lexer *lx, struct agc_node *target)
{
    if (!target || target->kind == AGC_VAR || (target->kind == AGC_REF && target->kid[0]->kind == AGC_VAR))
        return target;
    agc_build_error(lx, target->span,
                    "`with` replaces input, a part of data, or a function, each by its name");
    return NULL;
}

// `some x in xs` reads its parts as a declaration first; so does a parenthesis around them.
struct agc_node *
agc_build_some(struct agc_lexer *lx, struct agc_span at, struct agc_list *list)
{
    const struct agc_node *one = list->n == 1 ? list->v[0] : NULL;
    if (one && one->kind == AGC_BINARY && ag_str_is(one->text, "in"))
        return agc_build_op(lx, at, AGC_SOME_IN, one->kid[0], one->kid[1]);
    if (one && one->kind == AGC_MEMBER2)
        return agc_build_3(lx, at, AGC_SOME_IN, one->kid[0], one->kid[1], one->kid[2]);
    struct agc_node *n = make(lx, at, AGC_SOME, AG_STR(""), list->v, list->n);
    // An `in` behind it makes patterns of what is no variable; without one agc_build_declared refuses them.
    return n;
}

struct agc_node *
agc_build_declared(struct agc_lexer *lx, struct agc_node *some)
{
    for (uint32_t i = 0; some && some->kind == AGC_SOME && i < some->n; i++)
        if (some->kid[i]->kind != AGC_VAR) {
            struct agc_diag *d = agc_token_fail(lx, AGC_D_SYNTAX, some->kid[i]->span,
                                                "`some` declares variables, and this is none");
            agc_diag_fix(lx->diags, d, "write `some x` or `some x in xs`");
            return NULL;
        }
    return some;
}

struct agc_node *
agc_build_some_in(struct agc_lexer *lx, struct agc_span at, struct agc_node *some, struct agc_node *domain)
{
    if (!some)
        return NULL;
    if (some->kind == AGC_SOME && some->n == 1)
        return agc_build_op(lx, at, AGC_SOME_IN, some->kid[0], domain);
    if (some->kind == AGC_SOME && some->n == 2)
        return agc_build_3(lx, at, AGC_SOME_IN, some->kid[0], some->kid[1], domain);
    agc_build_error(lx, at, "`some .. in` takes a value, or a key and a value");
    return NULL;
}

// `in` joins to the left: of `some x in xs in ys` the value is `x in xs`.
struct agc_node *
agc_build_some_deep(struct agc_lexer *lx, struct agc_span at, struct agc_node *some, struct agc_node *domain)
{
    if (!some)
        return NULL;
    struct agc_span to = {at.source, some->kid[0]->span.begin, some->span.end};
    struct agc_node *value = some->n == 2
                                 ? agc_build_2(lx, to, "in", some->kid[0], some->kid[1])
                                 : agc_build_3(lx, to, AGC_MEMBER2, some->kid[0], some->kid[1], some->kid[2]);
    return agc_build_op(lx, at, AGC_SOME_IN, value, domain);
}

struct agc_node *
agc_build_every(struct agc_lexer *lx, struct agc_span at, struct agc_list *names, struct agc_node *domain,
                struct agc_node *body)
{
    bool ok = names->n <= 2;
    for (uint32_t i = 0; ok && i < names->n; i++)
        ok = names->v[i] && names->v[i]->kind == AGC_VAR;
    if (!ok) {
        agc_build_error(lx, at, "`every` takes the name of the value, or of key and value");
        return NULL;
    }
    struct agc_node *kids[4] = {names->v[0], names->n == 2 ? names->v[1] : domain,
                                names->n == 2 ? domain : body, body};
    return make(lx, at, AGC_EVERY, AG_STR(""), kids, names->n + 2);
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

struct agc_list *
agc_build_pair(struct agc_lexer *lx, struct agc_list *list, struct agc_node *k, struct agc_node *v)
{
    return agc_build_list(lx, agc_build_list(lx, list, k), v);
}

// Pieces and expressions take turns in the tree: empty pieces fill in.
struct agc_list *
agc_build_piece(struct agc_lexer *lx, struct agc_span at, struct agc_list *list, struct agc_node *expr)
{
    const struct agc_node *e = expr && expr->kind == AGC_WITH ? expr->kid[0] : expr;
    static const char *const what[AGC_NODE_COUNT] = {
        [AGC_NOT] = "not",   [AGC_ASSIGN] = ":=",    [AGC_UNIFY] = "=",
        [AGC_SOME] = "some", [AGC_SOME_IN] = "some", [AGC_EVERY] = "every"};
    if (e && what[e->kind]) {
        agc_token_fail(lx, AGC_D_SYNTAX, e->span, "`%s` has no value to put into a template string",
                       what[e->kind]);
        expr = NULL;
    }
    if (!list || list->n % 2 == 0)
        list = agc_build_list(lx, list, agc_build_leaf(lx, at, AGC_STRING, AG_STR("")));
    return agc_build_list(lx, list, expr);
}

struct agc_node *
agc_build_template(struct agc_lexer *lx, struct agc_span at, struct agc_list *list)
{
    struct agc_span end = {at.source, at.end - 1, at.end - 1};
    if (!list || list->n % 2 == 0)
        list = agc_build_list(lx, list, agc_build_leaf(lx, end, AGC_STRING, AG_STR("")));
    return make(lx, at, AGC_TEMPLATE, AG_STR(""), list->v, list->n);
}
