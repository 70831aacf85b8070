// SPDX-License-Identifier: Apache-2.0
// Queries of GraphQL: operations and fragments; and what both parsers share: values, directives, types.
// In: tokens of graphql_lex.c. Out: a tree, or the first error with its place. The nesting is bounded by
// AG_GQL_DEPTH_MAX. Who owns memory: the call's arena. Next file to read: graphql_sdl.c.
#include "graphql_parse.h"

// --- tokens
// ---------------------------------------------------------------------------------------------------------

void
ag_gql_parser_begin(struct ag_gql_parser *p, struct ag_gql *g, struct ag_str text)
{
    memset(p, 0, sizeof *p);
    p->g = g;
    p->text = text.n ? text.p : "";
    p->n = text.n;
    p->line = 1;
    p->token.kind = p->last.kind = AG_GQL_T_INVALID;
    if (!ag_charge_bytes(g->c, 4 * (uint64_t)text.n)) // once for the tokens, once for what they make
        g->failed = true;
}

static void
fail_at(struct ag_gql_parser *p, const struct ag_gql_token *t, const char *before, const char *what,
        struct ag_str text)
{
    char memory[AG_GQL_ERROR_MAX];
    struct ag_buf out;
    struct ag_gql_node at = {.line = t->line, .column = t->column};
    if (p->g->failed)
        return;
    ag_buf_init(&out, memory, sizeof memory - 1);
    ag_buf_str(&out, ag_str_z(before));
    ag_buf_str(&out, ag_str_z(what));
    if (text.n) {
        ag_buf_char(&out, ' ');
        text.n = text.n < AG_ERROR_TEXT_MAX / 4 ? text.n : AG_ERROR_TEXT_MAX / 4;
        ag_bi_put_quoted(&out, text, '"', false);
    }
    ag_gql_error(p->g, &at, "%.*s", (int)out.n, memory);
}

void
ag_gql_unexpected(struct ag_gql_parser *p, const struct ag_gql_token *t)
{
    fail_at(p, t, "Unexpected ", ag_gql_kind_text(t->kind), t->text);
}

static void
unexpected(struct ag_gql_parser *p)
{
    ag_gql_unexpected(p, ag_gql_peek(p));
}

// Comments in a row are kept for the record that begins with the token after them.
static void
take_comments(struct ag_gql_parser *p)
{
    struct ag_gql_comments *group = ag_gql_new(p->g, sizeof *group, 0, 0);
    while (group && p->token.kind == AG_GQL_T_COMMENT && !p->g->failed) {
        struct ag_gql_name *comment = ag_gql_new(p->g, sizeof *comment, 0, 0);
        if (comment) {
            comment->name = p->token.text;
            ag_gql_add(&group->list, comment);
        }
        p->last = p->token;
        p->token = ag_gql_lex(p);
    }
    p->comment = group;
}

const struct ag_gql_token *
ag_gql_peek(struct ag_gql_parser *p)
{
    if (p->g->failed)
        return &p->last;
    if (!p->is_peeked) {
        p->token = ag_gql_lex(p);
        p->is_peeked = true;
        if (p->token.kind == AG_GQL_T_COMMENT)
            take_comments(p);
    }
    return &p->token;
}

const struct ag_gql_token *
ag_gql_next(struct ag_gql_parser *p)
{
    if (p->g->failed)
        return &p->last;
    ag_gql_peek(p);
    p->is_peeked = false;
    p->comment = NULL;
    p->last = p->token;
    if (p->last.kind == AG_GQL_T_INVALID)
        fail_at(p, &p->last, "", p->why, AG_STR(""));
    return &p->last;
}

bool
ag_gql_at(struct ag_gql_parser *p, enum ag_gql_token_kind kind)
{
    return !p->g->failed && ag_gql_peek(p)->kind == kind;
}

bool
ag_gql_at_word(struct ag_gql_parser *p, const char *word)
{
    return !p->g->failed && ag_str_is(ag_gql_peek(p)->text, word);
}

bool
ag_gql_skip(struct ag_gql_parser *p, enum ag_gql_token_kind kind)
{
    if (!ag_gql_at(p, kind))
        return false;
    ag_gql_next(p);
    return true;
}

const struct ag_gql_token *
ag_gql_expect(struct ag_gql_parser *p, enum ag_gql_token_kind kind)
{
    char before[32];
    const struct ag_gql_token *t = ag_gql_peek(p);
    if (p->g->failed)
        return t;
    if (t->kind == kind)
        return ag_gql_next(p);
    struct ag_buf out;
    ag_buf_init(&out, before, sizeof before - 1);
    ag_buf_lit(&out, "Expected ");
    ag_buf_str(&out, ag_str_z(ag_gql_kind_text(kind)));
    ag_buf_lit(&out, ", found ");
    before[out.n] = 0;
    fail_at(p, t, before, ag_gql_kind_text(t->kind), AG_STR(""));
    return t;
}

void
ag_gql_expect_word(struct ag_gql_parser *p, const char *word)
{
    char before[48];
    const struct ag_gql_token *t = ag_gql_peek(p);
    if (p->g->failed)
        return;
    if (t->kind == AG_GQL_T_NAME && ag_str_is(t->text, word)) {
        ag_gql_next(p);
        return;
    }
    struct ag_buf out;
    ag_buf_init(&out, before, sizeof before - 1);
    ag_buf_lit(&out, "Expected \"");
    ag_buf_str(&out, ag_str_z(word));
    ag_buf_lit(&out, "\", found ");
    before[out.n] = 0;
    fail_at(p, t, before, ag_gql_kind_text(t->kind), t->text);
}

struct ag_str
ag_gql_parse_name(struct ag_gql_parser *p)
{
    return ag_gql_expect(p, AG_GQL_T_NAME)->text;
}

void *
ag_gql_make(struct ag_gql_parser *p, size_t size)
{
    const struct ag_gql_token *t = ag_gql_peek(p);
    return p->g->failed ? NULL : ag_gql_new(p->g, size, t->line, t->column);
}

struct ag_gql_comments *
ag_gql_some(struct ag_gql_parser *p, enum ag_gql_token_kind begin, enum ag_gql_token_kind end,
            ag_gql_item *item, struct ag_gql_list *ret)
{
    if (!ag_gql_skip(p, begin))
        return NULL;
    if (ag_gql_at(p, end)) {
        fail_at(p, &p->token, "expected at least one definition, found ", ag_gql_kind_text(end), AG_STR(""));
        return NULL;
    }
    while (!p->g->failed && !ag_gql_at(p, end))
        ag_gql_add(ret, item(p));
    struct ag_gql_comments *comment = p->comment;
    ag_gql_next(p);
    return comment;
}

// One level deeper; false: too deep.
static bool
enter(struct ag_gql_parser *p)
{
    struct ag_gql_node at = {.line = p->token.line, .column = p->token.column};
    if (p->g->failed)
        return false;
    if (p->depth >= AG_GQL_DEPTH_MAX) {
        ag_gql_error(p->g, &at, "nests more than %u deep", AG_GQL_DEPTH_MAX);
        return false;
    }
    p->depth++;
    return true;
}

// --- values, directives, types
// ---------------------------------------------------------------------------------------------------------

static struct ag_gql_value *
parse_list(struct ag_gql_parser *p, bool is_const)
{
    struct ag_gql_value *v = ag_gql_make(p, sizeof *v);
    if (!v || !enter(p))
        return NULL;
    v->kind = AG_GQL_LIST;
    v->comment = p->comment;
    ag_gql_next(p);
    while (!p->g->failed && !ag_gql_at(p, AG_GQL_T_BRACKET_R)) {
        struct ag_gql_child *child = ag_gql_new(p->g, sizeof *child, 0, 0);
        if (child) {
            child->value = ag_gql_parse_value(p, is_const);
            ag_gql_add(&v->children, child);
        }
    }
    ag_gql_next(p);
    p->depth--;
    return v;
}

static struct ag_gql_value *
parse_object(struct ag_gql_parser *p, bool is_const)
{
    struct ag_gql_value *v = ag_gql_make(p, sizeof *v);
    if (!v || !enter(p))
        return NULL;
    v->kind = AG_GQL_OBJECT;
    v->comment = p->comment;
    ag_gql_next(p);
    while (!p->g->failed && !ag_gql_at(p, AG_GQL_T_BRACE_R)) {
        struct ag_gql_child *child = ag_gql_make(p, sizeof *child);
        if (child) {
            child->comment = p->comment;
            child->name = ag_gql_parse_name(p);
            ag_gql_expect(p, AG_GQL_T_COLON);
            child->value = ag_gql_parse_value(p, is_const);
            ag_gql_add(&v->children, child);
        }
    }
    ag_gql_next(p);
    p->depth--;
    return v;
}

static int
value_kind(const struct ag_gql_token *t)
{
    switch (t->kind) {
    case AG_GQL_T_INT: return AG_GQL_INT;
    case AG_GQL_T_FLOAT: return AG_GQL_FLOAT;
    case AG_GQL_T_STRING: return AG_GQL_STRING;
    case AG_GQL_T_BLOCK: return AG_GQL_BLOCK;
    case AG_GQL_T_NAME:
        if (ag_str_is(t->text, "true") || ag_str_is(t->text, "false"))
            return AG_GQL_BOOLEAN;
        return ag_str_is(t->text, "null") ? AG_GQL_NULL : AG_GQL_ENUM;
    default: return -1;
    }
}

struct ag_gql_value *
ag_gql_parse_value(struct ag_gql_parser *p, bool is_const)
{
    const struct ag_gql_token *t = ag_gql_peek(p);
    if (ag_gql_at(p, AG_GQL_T_BRACKET_L))
        return parse_list(p, is_const);
    if (ag_gql_at(p, AG_GQL_T_BRACE_L))
        return parse_object(p, is_const);
    bool is_variable = !is_const && t->kind == AG_GQL_T_DOLLAR;
    int kind = is_variable ? AG_GQL_VARIABLE : value_kind(t);
    if (kind < 0) {
        unexpected(p);
        return NULL;
    }
    struct ag_gql_value *v = ag_gql_make(p, sizeof *v);
    if (!v)
        return NULL;
    v->kind = kind;
    v->raw = ag_gql_next(p)->text;
    if (is_variable)
        v->raw = ag_gql_parse_name(p);
    return v;
}

static struct ag_gql_argument *
parse_argument(struct ag_gql_parser *p, bool is_const)
{
    struct ag_gql_argument *a = ag_gql_make(p, sizeof *a);
    if (!a)
        return NULL;
    a->comment = p->comment;
    a->name = ag_gql_parse_name(p);
    ag_gql_expect(p, AG_GQL_T_COLON);
    a->value = ag_gql_parse_value(p, is_const);
    return a;
}

static void *
parse_free_argument(struct ag_gql_parser *p)
{
    return parse_argument(p, false);
}

static void *
parse_const_argument(struct ag_gql_parser *p)
{
    return parse_argument(p, true);
}

static void
parse_arguments(struct ag_gql_parser *p, bool is_const, struct ag_gql_list *ret)
{
    ag_gql_some(p, AG_GQL_T_PAREN_L, AG_GQL_T_PAREN_R, is_const ? parse_const_argument : parse_free_argument,
                ret);
}

void
ag_gql_parse_directives(struct ag_gql_parser *p, bool is_const, struct ag_gql_list *ret)
{
    while (ag_gql_skip(p, AG_GQL_T_AT)) {
        struct ag_gql_directive *d = ag_gql_make(p, sizeof *d);
        if (!d)
            return;
        d->name = ag_gql_parse_name(p);
        parse_arguments(p, is_const, &d->arguments);
        ag_gql_add(ret, d);
    }
}

struct ag_gql_type *
ag_gql_parse_type(struct ag_gql_parser *p)
{
    bool is_list = ag_gql_skip(p, AG_GQL_T_BRACKET_L);
    struct ag_gql_type *t = ag_gql_make(p, sizeof *t);
    if (!t || !enter(p))
        return NULL;
    if (is_list) {
        t->elem = ag_gql_parse_type(p);
        ag_gql_expect(p, AG_GQL_T_BRACKET_R);
    } else {
        t->name = ag_gql_parse_name(p);
    }
    t->non_null = ag_gql_skip(p, AG_GQL_T_BANG);
    p->depth--;
    return t;
}

// --- queries
// ---------------------------------------------------------------------------------------------------------

struct ag_str
ag_gql_parse_operation_word(struct ag_gql_parser *p)
{
    const struct ag_gql_token *t = ag_gql_next(p);
    if (!ag_str_is(t->text, "query") && !ag_str_is(t->text, "mutation") &&
        !ag_str_is(t->text, "subscription"))
        ag_gql_unexpected(p, t);
    return t->text;
}

static void *parse_selection(struct ag_gql_parser *p);

static void
parse_set(struct ag_gql_parser *p, struct ag_gql_set *ret)
{
    if (!ag_gql_at(p, AG_GQL_T_BRACE_L)) {
        ag_gql_expect(p, AG_GQL_T_BRACE_L);
        return;
    }
    if (!enter(p))
        return;
    ag_gql_some(p, AG_GQL_T_BRACE_L, AG_GQL_T_BRACE_R, parse_selection, &ret->list);
    p->depth--;
}

static struct ag_str
parse_fragment_name(struct ag_gql_parser *p)
{
    if (ag_gql_at_word(p, "on"))
        unexpected(p);
    return ag_gql_parse_name(p);
}

static struct ag_gql_selection *
parse_spread(struct ag_gql_parser *p)
{
    struct ag_gql_comments *comment = p->comment;
    ag_gql_next(p);
    struct ag_gql_selection *s = ag_gql_make(p, sizeof *s);
    if (!s)
        return NULL;
    s->comment = comment;
    if (ag_gql_at(p, AG_GQL_T_NAME) && !ag_gql_at_word(p, "on")) {
        s->kind = AG_GQL_SPREAD;
        s->name = ag_gql_parse_name(p);
        ag_gql_parse_directives(p, false, &s->directives);
        return s;
    }
    s->kind = AG_GQL_INLINE;
    if (ag_gql_at_word(p, "on")) {
        ag_gql_next(p);
        s->condition = ag_gql_parse_name(p);
    }
    ag_gql_parse_directives(p, false, &s->directives);
    parse_set(p, &s->set);
    return s;
}

static void *
parse_selection(struct ag_gql_parser *p)
{
    if (ag_gql_at(p, AG_GQL_T_SPREAD))
        return parse_spread(p);
    struct ag_gql_selection *s = ag_gql_make(p, sizeof *s);
    if (!s)
        return NULL;
    s->kind = AG_GQL_FIELD;
    s->comment = p->comment;
    s->alias = ag_gql_parse_name(p);
    s->name = ag_gql_skip(p, AG_GQL_T_COLON) ? ag_gql_parse_name(p) : s->alias;
    parse_arguments(p, false, &s->arguments);
    ag_gql_parse_directives(p, false, &s->directives);
    if (ag_gql_at(p, AG_GQL_T_BRACE_L))
        parse_set(p, &s->set);
    return s;
}

static void *
parse_variable(struct ag_gql_parser *p)
{
    struct ag_gql_variable *v = ag_gql_make(p, sizeof *v);
    if (!v)
        return NULL;
    v->comment = p->comment;
    ag_gql_expect(p, AG_GQL_T_DOLLAR);
    v->name = ag_gql_parse_name(p);
    ag_gql_expect(p, AG_GQL_T_COLON);
    v->type = ag_gql_parse_type(p);
    if (ag_gql_skip(p, AG_GQL_T_EQUALS))
        v->fallback = ag_gql_parse_value(p, true);
    ag_gql_parse_directives(p, false, &v->directives);
    return v;
}

static struct ag_gql_operation *
parse_operation(struct ag_gql_parser *p)
{
    struct ag_gql_operation *o = ag_gql_make(p, sizeof *o);
    if (!o)
        return NULL;
    if (ag_gql_at(p, AG_GQL_T_BRACE_L)) { // the comment before it is dropped
        o->operation = AG_STR("query");
        parse_set(p, &o->set);
        return o;
    }
    o->comment = p->comment;
    o->operation = ag_gql_parse_operation_word(p);
    if (ag_gql_at(p, AG_GQL_T_NAME))
        o->name = ag_gql_next(p)->text;
    ag_gql_some(p, AG_GQL_T_PAREN_L, AG_GQL_T_PAREN_R, parse_variable, &o->variables);
    ag_gql_parse_directives(p, false, &o->directives);
    parse_set(p, &o->set);
    return o;
}

static struct ag_gql_fragment *
parse_fragment(struct ag_gql_parser *p)
{
    struct ag_gql_fragment *f = ag_gql_make(p, sizeof *f);
    if (!f)
        return NULL;
    f->comment = p->comment;
    ag_gql_next(p);
    f->name = parse_fragment_name(p);
    ag_gql_some(p, AG_GQL_T_PAREN_L, AG_GQL_T_PAREN_R, parse_variable, &f->variables);
    ag_gql_expect_word(p, "on");
    f->condition = ag_gql_parse_name(p);
    ag_gql_parse_directives(p, false, &f->directives);
    parse_set(p, &f->set);
    return f;
}

struct ag_gql_query *
ag_gql_parse_query(struct ag_gql *g, struct ag_str text)
{
    struct ag_gql_parser parser, *p = &parser;
    ag_gql_parser_begin(p, g, text);
    struct ag_gql_query *q = ag_gql_make(p, sizeof *q);
    while (q && !g->failed && !ag_gql_at(p, AG_GQL_T_EOF)) {
        if (ag_gql_at(p, AG_GQL_T_BRACE_L))
            ag_gql_add(&q->operations, parse_operation(p));
        else if (!ag_gql_at(p, AG_GQL_T_NAME))
            unexpected(p);
        else if (ag_gql_at_word(p, "fragment"))
            ag_gql_add(&q->fragments, parse_fragment(p));
        else if (ag_gql_at_word(p, "query") || ag_gql_at_word(p, "mutation") ||
                 ag_gql_at_word(p, "subscription"))
            ag_gql_add(&q->operations, parse_operation(p));
        else
            unexpected(p);
    }
    return g->failed ? NULL : q;
}
