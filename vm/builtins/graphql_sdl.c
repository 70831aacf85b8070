// SPDX-License-Identifier: Apache-2.0
// Schemas of GraphQL: types, directives, roots and their extensions.
// In: tokens of graphql_lex.c. Out: a tree, or the first error with its place. Who owns memory: the call's
// arena. Next file to read: graphql_ast.c.
#include "graphql_parse.h"

struct description {
    struct ag_str text;
    struct ag_gql_comments *comment; // before it
};

static struct description
parse_description(struct ag_gql_parser *p)
{
    struct description d = {.text = AG_STR("")};
    if (ag_gql_at(p, AG_GQL_T_STRING) || ag_gql_at(p, AG_GQL_T_BLOCK)) {
        d.comment = p->comment;
        d.text = ag_gql_next(p)->text;
    }
    return d;
}

// The description of a part of a definition; the comment before an empty one is dropped.
static void
parse_part_description(struct ag_gql_parser *p, struct ag_str *text, struct ag_gql_comments **before,
                       struct ag_gql_comments **after)
{
    struct description d = parse_description(p);
    if (d.text.n) {
        *text = d.text;
        *before = d.comment;
    }
    ag_gql_peek(p);
    *after = p->comment;
}

static void
parse_names(struct ag_gql_parser *p, enum ag_gql_token_kind between, struct ag_gql_list *ret)
{
    ag_gql_skip(p, between);
    do {
        struct ag_gql_name *n = ag_gql_make(p, sizeof *n);
        if (!n)
            return;
        n->name = ag_gql_parse_name(p);
        ag_gql_add(ret, n);
    } while (ag_gql_skip(p, between));
}

// --- fields, arguments, values of an enum, roots
// ---------------------------------------------------------------------------------------------------------

static struct ag_gql_field *
begin_field(struct ag_gql_parser *p)
{
    struct ag_gql_field *f = ag_gql_make(p, sizeof *f);
    if (!f)
        return NULL;
    parse_part_description(p, &f->description, &f->before, &f->after);
    f->name = ag_gql_parse_name(p);
    return f;
}

// An argument of a field or directive, a field of an input object.
static void *
parse_input(struct ag_gql_parser *p)
{
    struct ag_gql_field *f = begin_field(p);
    if (!f)
        return NULL;
    ag_gql_expect(p, AG_GQL_T_COLON);
    f->type = ag_gql_parse_type(p);
    if (ag_gql_skip(p, AG_GQL_T_EQUALS))
        f->fallback = ag_gql_parse_value(p, true);
    ag_gql_parse_directives(p, true, &f->directives);
    return f;
}

static void *
parse_field(struct ag_gql_parser *p)
{
    struct ag_gql_field *f = begin_field(p);
    if (!f)
        return NULL;
    ag_gql_some(p, AG_GQL_T_PAREN_L, AG_GQL_T_PAREN_R, parse_input, &f->arguments);
    ag_gql_expect(p, AG_GQL_T_COLON);
    f->type = ag_gql_parse_type(p);
    ag_gql_parse_directives(p, true, &f->directives);
    return f;
}

static void *
parse_enum_value(struct ag_gql_parser *p)
{
    struct ag_gql_enum_value *v = ag_gql_make(p, sizeof *v);
    if (!v)
        return NULL;
    parse_part_description(p, &v->description, &v->before, &v->after);
    v->name = ag_gql_parse_name(p);
    ag_gql_parse_directives(p, true, &v->directives);
    return v;
}

static void *
parse_root(struct ag_gql_parser *p)
{
    struct ag_gql_root *r = ag_gql_make(p, sizeof *r);
    if (!r)
        return NULL;
    r->comment = p->comment;
    r->operation = ag_gql_parse_operation_word(p);
    ag_gql_expect(p, AG_GQL_T_COLON);
    r->type = ag_gql_parse_name(p);
    return r;
}

// --- definitions
// ---------------------------------------------------------------------------------------------------------

static const struct form {
    const char *word, *kind;
    bool has_interfaces, extends_interfaces, has_const_extension;
    enum { NO_BODY, FIELDS, INPUTS, VALUES, MEMBERS } body;
} forms[] = {
    {"scalar", "SCALAR", false, false, true, NO_BODY},
    {"type", "OBJECT", true, true, true, FIELDS},
    {"interface", "INTERFACE", true, false, true, FIELDS},
    {"union", "UNION", false, false, true, MEMBERS},
    {"enum", "ENUM", false, false, true, VALUES},
    {"input", "INPUT_OBJECT", false, false, false, INPUTS},
};

static const struct form *
form_of(struct ag_str word)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (ag_str_is(word, forms[i].word))
            return &forms[i];
    return NULL;
}

static void
parse_body(struct ag_gql_parser *p, const struct form *form, struct ag_gql_definition *d)
{
    if (form->body == FIELDS)
        d->end = ag_gql_some(p, AG_GQL_T_BRACE_L, AG_GQL_T_BRACE_R, parse_field, &d->fields);
    else if (form->body == INPUTS)
        d->end = ag_gql_some(p, AG_GQL_T_BRACE_L, AG_GQL_T_BRACE_R, parse_input, &d->fields);
    else if (form->body == VALUES)
        d->end = ag_gql_some(p, AG_GQL_T_BRACE_L, AG_GQL_T_BRACE_R, parse_enum_value, &d->values);
    else if (form->body == MEMBERS && ag_gql_skip(p, AG_GQL_T_EQUALS))
        parse_names(p, AG_GQL_T_PIPE, &d->types);
}

// The definition or extension whose first word comes next; `after` is what stands before it.
static struct ag_gql_definition *
parse_definition(struct ag_gql_parser *p, const struct form *form, struct description about,
                 struct ag_gql_comments *after, bool is_extension)
{
    ag_gql_next(p);
    struct ag_gql_definition *d = ag_gql_make(p, sizeof *d);
    if (!d)
        return NULL;
    d->kind = ag_str_z(form->kind);
    d->description = about.text;
    d->before = about.comment;
    d->after = after;
    d->name = ag_gql_parse_name(p);
    if ((is_extension ? form->extends_interfaces : form->has_interfaces) && ag_gql_at_word(p, "implements")) {
        ag_gql_next(p);
        parse_names(p, AG_GQL_T_AMP, &d->interfaces);
    }
    ag_gql_parse_directives(p, !is_extension || form->has_const_extension, &d->directives);
    parse_body(p, form, d);
    if (is_extension && d->interfaces.n + d->directives.n + d->fields.n + d->types.n + d->values.n == 0)
        ag_gql_unexpected(p, ag_gql_peek(p));
    return d;
}

static struct ag_gql_schema_definition *
parse_schema(struct ag_gql_parser *p, struct description about, struct ag_gql_comments *after,
             bool is_extension)
{
    ag_gql_next(p);
    struct ag_gql_schema_definition *d = ag_gql_make(p, sizeof *d);
    if (!d)
        return NULL;
    d->description = about.text;
    d->before = about.comment;
    d->after = after;
    ag_gql_parse_directives(p, true, &d->directives);
    d->end = ag_gql_some(p, AG_GQL_T_BRACE_L, AG_GQL_T_BRACE_R, parse_root, &d->roots);
    if (is_extension && d->directives.n + d->roots.n == 0)
        ag_gql_unexpected(p, ag_gql_peek(p));
    return d;
}

static void
check_location(struct ag_gql_parser *p, const struct ag_gql_token *t)
{
    static const char *const known[] = {"QUERY",
                                        "MUTATION",
                                        "SUBSCRIPTION",
                                        "FIELD",
                                        "FRAGMENT_DEFINITION",
                                        "FRAGMENT_SPREAD",
                                        "INLINE_FRAGMENT",
                                        "VARIABLE_DEFINITION",
                                        "SCHEMA",
                                        "SCALAR",
                                        "OBJECT",
                                        "FIELD_DEFINITION",
                                        "ARGUMENT_DEFINITION",
                                        "INTERFACE",
                                        "UNION",
                                        "ENUM",
                                        "ENUM_VALUE",
                                        "INPUT_OBJECT",
                                        "INPUT_FIELD_DEFINITION"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ag_str_is(t->text, known[i]))
            return;
    ag_gql_unexpected(p, t);
}

static struct ag_gql_directive_definition *
parse_directive(struct ag_gql_parser *p, struct description about)
{
    struct ag_gql_comments *after = p->comment;
    ag_gql_next(p);
    ag_gql_expect(p, AG_GQL_T_AT);
    struct ag_gql_directive_definition *d = ag_gql_make(p, sizeof *d);
    if (!d)
        return NULL;
    d->description = about.text;
    d->before = about.comment;
    d->after = after;
    d->name = ag_gql_parse_name(p);
    ag_gql_some(p, AG_GQL_T_PAREN_L, AG_GQL_T_PAREN_R, parse_input, &d->arguments);
    if (ag_gql_at(p, AG_GQL_T_NAME) && ag_gql_at_word(p, "repeatable")) {
        d->repeatable = true;
        ag_gql_next(p);
    }
    ag_gql_expect_word(p, "on");
    ag_gql_skip(p, AG_GQL_T_PIPE);
    do {
        struct ag_gql_name *n = ag_gql_make(p, sizeof *n);
        if (!n)
            return NULL;
        const struct ag_gql_token *t = ag_gql_expect(p, AG_GQL_T_NAME);
        n->name = t->text;
        check_location(p, t);
        ag_gql_add(&d->locations, n);
    } while (ag_gql_skip(p, AG_GQL_T_PIPE));
    return d;
}

static void
parse_extension(struct ag_gql_parser *p, struct ag_gql_document *doc)
{
    struct ag_gql_comments *after = p->comment;
    ag_gql_next(p);
    const struct form *form = form_of(ag_gql_peek(p)->text);
    struct description none = {.text = AG_STR("")};
    if (ag_gql_at_word(p, "schema"))
        ag_gql_add(&doc->schema_extension, parse_schema(p, none, after, true));
    else if (form)
        ag_gql_add(&doc->extensions, parse_definition(p, form, none, after, true));
    else
        ag_gql_unexpected(p, ag_gql_peek(p));
}

static void
parse_one(struct ag_gql_parser *p, struct ag_gql_document *doc)
{
    struct description about = parse_description(p);
    struct ag_gql_token described = p->last;
    const struct ag_gql_token *t = ag_gql_peek(p);
    const struct form *form = form_of(t->text);
    if (!ag_gql_at(p, AG_GQL_T_NAME)) {
        ag_gql_unexpected(p, t);
    } else if (form) {
        ag_gql_add(&doc->definitions, parse_definition(p, form, about, p->comment, false));
    } else if (ag_gql_at_word(p, "schema")) {
        ag_gql_add(&doc->schema, parse_schema(p, about, p->comment, false));
    } else if (ag_gql_at_word(p, "directive")) {
        ag_gql_add(&doc->directives, parse_directive(p, about));
    } else if (ag_gql_at_word(p, "extend")) {
        if (about.text.n) // extensions have no description
            ag_gql_unexpected(p, &described);
        parse_extension(p, doc);
    } else {
        ag_gql_unexpected(p, t);
    }
}

struct ag_gql_document *
ag_gql_parse_schema(struct ag_gql *g, struct ag_str text)
{
    struct ag_gql_parser parser, *p = &parser;
    ag_gql_parser_begin(p, g, text);
    struct ag_gql_document *doc = ag_gql_make(p, sizeof *doc);
    while (doc && !g->failed && !ag_gql_at(p, AG_GQL_T_EOF))
        parse_one(p, doc);
    if (g->failed)
        return NULL;
    doc->comment = p->comment;
    return doc;
}
