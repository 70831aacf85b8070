// SPDX-License-Identifier: Apache-2.0
// Trees of GraphQL as objects and back. In: a tree of the parsers, or an object of graphql.parse_query and
// graphql.parse_schema. Out: an object with the fields of gqlparser's trees, without places and without what
// is null or empty; or a tree. Tables below say which fields there are. Who owns memory: the call's arena.
// Next file to read: graphql_schema.c.
#include <stddef.h>

#include "graphql.h"

enum member_kind {
    TEXT,
    FLAG,
    WHOLE,
    RECORD,
    NEEDED,
    RECORDS,
    NAMES,
    SET
}; // NEEDED: a record that must be there

struct shape;
struct member {
    const char *name;
    enum member_kind kind;
    size_t offset;
    const struct shape *shape; // of RECORD and RECORDS
    const char *type;          // how the errors call it
};
struct shape {
    const char *name; // how the errors call it
    size_t size, count;
    const struct member *member;
    bool is_exact; // names of members are taken as they are; else their case does not count
};

#define AT(type, field) offsetof(struct ag_gql_##type, field)
#define SHAPE(id, type, name, exact)                                                                         \
    static const struct shape id##_shape = {name, sizeof(struct ag_gql_##type),                              \
                                            sizeof id##_members / sizeof id##_members[0], id##_members,      \
                                            exact}
#define COMMENTS(type, name, field)                                                                          \
    {                                                                                                        \
        name, RECORD, AT(type, field), &comments_shape, "ast.CommentGroup"                                   \
    }

static const struct member comment_members[] = {{"Value", TEXT, AT(name, name), NULL, "string"}};
SHAPE(comment, name, "ast.Comment", false);
static const struct member comments_members[] = {
    {"List", RECORDS, AT(comments, list), &comment_shape, "[]*ast.Comment"}};
SHAPE(comments, comments, "ast.CommentGroup", false);

static const struct shape child_shape, directive_shape;
static const struct member value_members[] = {
    {"Raw", TEXT, AT(value, raw), NULL, "string"},
    {"Children", RECORDS, AT(value, children), &child_shape, "ast.ChildValueList"},
    {"Kind", WHOLE, AT(value, kind), NULL, "ast.ValueKind"},
    COMMENTS(value, "Comment", comment),
    {"ExpectedTypeHasDefault", FLAG, AT(value, has_default), NULL, "bool"}};
SHAPE(value, value, "ast.Value", false);
static const struct member child_members[] = {{"Name", TEXT, AT(child, name), NULL, "string"},
                                              {"Value", NEEDED, AT(child, value), &value_shape, "ast.Value"},
                                              COMMENTS(child, "Comment", comment)};
SHAPE(child, child, "ast.ChildValue", false);
static const struct member argument_members[] = {
    {"Name", TEXT, AT(argument, name), NULL, "string"},
    {"Value", NEEDED, AT(argument, value), &value_shape, "ast.Value"},
    COMMENTS(argument, "Comment", comment)};
SHAPE(argument, argument, "ast.Argument", false);
static const struct member directive_members[] = {
    {"Name", TEXT, AT(directive, name), NULL, "string"},
    {"Arguments", RECORDS, AT(directive, arguments), &argument_shape, "ast.ArgumentList"},
    {"Location", TEXT, AT(directive, location), NULL, "ast.DirectiveLocation"}};
SHAPE(directive, directive, "ast.Directive", false);

#define DIRECTIVES(type)                                                                                     \
    {                                                                                                        \
        "Directives", RECORDS, AT(type, directives), &directive_shape, "ast.DirectiveList"                   \
    }

static const struct shape type_shape;
static const struct member type_members[] = {{"NamedType", TEXT, AT(type, name), NULL, "string"},
                                             {"Elem", RECORD, AT(type, elem), &type_shape, "ast.Type"},
                                             {"NonNull", FLAG, AT(type, non_null), NULL, "bool"}};
SHAPE(type, type, "ast.Type", false);
static const struct member variable_members[] = {
    {"Variable", TEXT, AT(variable, name), NULL, "string"},
    {"Type", NEEDED, AT(variable, type), &type_shape, "ast.Type"},
    {"DefaultValue", RECORD, AT(variable, fallback), &value_shape, "ast.Value"},
    DIRECTIVES(variable),
    COMMENTS(variable, "Comment", comment),
    {"Used", FLAG, AT(variable, used), NULL, "bool"}};
SHAPE(variable, variable, "ast.VariableDefinition", false);

// Selections: three shapes of one record. The comments of those with a set are not read back.
#define SELECTIONS(type)                                                                                     \
    {                                                                                                        \
        "SelectionSet", SET, AT(type, set), NULL, "[]json.RawMessage"                                        \
    }
static const struct member field_members[] = {
    {"Alias", TEXT, AT(selection, alias), NULL, "string"},
    {"Name", TEXT, AT(selection, name), NULL, "string"},
    {"Arguments", RECORDS, AT(selection, arguments), &argument_shape, "ast.ArgumentList"},
    DIRECTIVES(selection),
    SELECTIONS(selection),
    COMMENTS(selection, "Comment", comment)};
SHAPE(field, selection, "ast.Field", true);
static const struct member spread_members[] = {{"Name", TEXT, AT(selection, name), NULL, "string"},
                                               DIRECTIVES(selection),
                                               COMMENTS(selection, "Comment", comment)};
SHAPE(spread, selection, "ast.FragmentSpread", false);
static const struct member inline_members[] = {
    {"TypeCondition", TEXT, AT(selection, condition), NULL, "string"},
    DIRECTIVES(selection),
    SELECTIONS(selection),
    COMMENTS(selection, "Comment", comment)};
SHAPE(inline, selection, "ast.InlineFragment", true);

static const struct member operation_members[] = {
    {"Operation", TEXT, AT(operation, operation), NULL, "ast.Operation"},
    {"Name", TEXT, AT(operation, name), NULL, "string"},
    {"VariableDefinitions", RECORDS, AT(operation, variables), &variable_shape, "ast.VariableDefinitionList"},
    DIRECTIVES(operation),
    SELECTIONS(operation),
    COMMENTS(operation, "Comment", comment)};
SHAPE(operation, operation, "ast.OperationDefinition", true);
static const struct member fragment_members[] = {
    {"Name", TEXT, AT(fragment, name), NULL, "string"},
    {"VariableDefinition", RECORDS, AT(fragment, variables), &variable_shape, "ast.VariableDefinitionList"},
    {"TypeCondition", TEXT, AT(fragment, condition), NULL, "string"},
    DIRECTIVES(fragment),
    SELECTIONS(fragment),
    COMMENTS(fragment, "Comment", comment)};
SHAPE(fragment, fragment, "ast.FragmentDefinition", true);
static const struct member query_members[] = {
    {"Operations", RECORDS, AT(query, operations), &operation_shape, "ast.OperationList"},
    {"Fragments", RECORDS, AT(query, fragments), &fragment_shape, "ast.FragmentDefinitionList"},
    COMMENTS(query, "Comment", comment)};
SHAPE(query, query, "QueryDocument", false);

#define DESCRIBED(type)                                                                                      \
    {"Description", TEXT, AT(type, description), NULL, "string"},                                            \
        COMMENTS(type, "BeforeDescriptionComment", before), COMMENTS(type, "AfterDescriptionComment", after)

static const struct shape definition_field_shape;
static const struct member definition_field_members[] = {
    DESCRIBED(field),
    {"Name", TEXT, AT(field, name), NULL, "string"},
    {"Arguments", RECORDS, AT(field, arguments), &definition_field_shape, "ast.ArgumentDefinitionList"},
    {"DefaultValue", RECORD, AT(field, fallback), &value_shape, "ast.Value"},
    {"Type", NEEDED, AT(field, type), &type_shape, "ast.Type"},
    DIRECTIVES(field)};
SHAPE(definition_field, field, "ast.FieldDefinition", false);
static const struct member enum_value_members[] = {
    DESCRIBED(enum_value), {"Name", TEXT, AT(enum_value, name), NULL, "string"}, DIRECTIVES(enum_value)};
SHAPE(enum_value, enum_value, "ast.EnumValueDefinition", false);
static const struct member definition_members[] = {
    {"Kind", TEXT, AT(definition, kind), NULL, "ast.DefinitionKind"},
    DESCRIBED(definition),
    COMMENTS(definition, "EndOfDefinitionComment", end),
    {"Name", TEXT, AT(definition, name), NULL, "string"},
    DIRECTIVES(definition),
    {"Interfaces", NAMES, AT(definition, interfaces), NULL, "[]string"},
    {"Fields", RECORDS, AT(definition, fields), &definition_field_shape, "ast.FieldList"},
    {"Types", NAMES, AT(definition, types), NULL, "[]string"},
    {"EnumValues", RECORDS, AT(definition, values), &enum_value_shape, "ast.EnumValueList"},
    {"BuiltIn", FLAG, AT(definition, builtin), NULL, "bool"}};
SHAPE(definition, definition, "ast.Definition", false);
static const struct member directive_definition_members[] = {
    DESCRIBED(directive_definition),
    {"Name", TEXT, AT(directive_definition, name), NULL, "string"},
    {"Arguments", RECORDS, AT(directive_definition, arguments), &definition_field_shape,
     "ast.ArgumentDefinitionList"},
    {"Locations", NAMES, AT(directive_definition, locations), NULL, "[]ast.DirectiveLocation"},
    {"IsRepeatable", FLAG, AT(directive_definition, repeatable), NULL, "bool"}};
SHAPE(directive_definition, directive_definition, "ast.DirectiveDefinition", false);
static const struct member root_members[] = {{"Operation", TEXT, AT(root, operation), NULL, "ast.Operation"},
                                             {"Type", TEXT, AT(root, type), NULL, "string"},
                                             COMMENTS(root, "Comment", comment)};
SHAPE(root, root, "ast.OperationTypeDefinition", false);
static const struct member schema_definition_members[] = {
    DESCRIBED(schema_definition),
    COMMENTS(schema_definition, "EndOfDefinitionComment", end),
    DIRECTIVES(schema_definition),
    {"OperationTypes", RECORDS, AT(schema_definition, roots), &root_shape,
     "ast.OperationTypeDefinitionList"}};
SHAPE(schema_definition, schema_definition, "ast.SchemaDefinition", false);
static const struct member document_members[] = {
    {"Schema", RECORDS, AT(document, schema), &schema_definition_shape, "ast.SchemaDefinitionList"},
    {"SchemaExtension", RECORDS, AT(document, schema_extension), &schema_definition_shape,
     "ast.SchemaDefinitionList"},
    {"Directives", RECORDS, AT(document, directives), &directive_definition_shape,
     "ast.DirectiveDefinitionList"},
    {"Definitions", RECORDS, AT(document, definitions), &definition_shape, "ast.DefinitionList"},
    {"Extensions", RECORDS, AT(document, extensions), &definition_shape, "ast.DefinitionList"},
    COMMENTS(document, "Comment", comment)};
SHAPE(document, document, "SchemaDocument", false);

static const struct shape *const selection_shape[] = {&field_shape, &spread_shape, &inline_shape};

// --- a tree as a value
// ---------------------------------------------------------------------------------------------------------

static struct ag_value write_record(struct ag_gql *g, const struct shape *shape, const void *record);

static struct ag_value
write_records(struct ag_gql *g, const struct member *m, const struct ag_gql_list *list)
{
    struct ag_builder *b = ag_builder_new(&g->c->mem, AG_ARRAY);
    bool ok = b != NULL;
    for (const struct ag_gql_node *node = list->first; node && ok; node = node->next) {
        struct ag_value v;
        if (m->kind == NAMES)
            v = ag_bi_copy(g->c, ((const struct ag_gql_name *)node)->name);
        else if (m->kind == SET)
            v = write_record(g, selection_shape[((const struct ag_gql_selection *)node)->kind], node);
        else
            v = write_record(g, m->shape, node);
        if (!ag_is_value(v))
            return v;
        ok = (v.kind == AG_OBJECT && v.len == 0) || ag_builder_push(&g->c->mem, b, v);
    }
    return ag_bi_close(g->c, b, ok);
}

// Undefined without an end of the evaluation: nothing is written.
static struct ag_value
write_member(struct ag_gql *g, const struct member *m, const char *at)
{
    const void *inner;
    switch (m->kind) {
    case TEXT: return ag_bi_copy(g->c, *(const struct ag_str *)(const void *)at);
    case FLAG: return ag_bool(*(const bool *)at);
    case WHOLE: return ag_int(*(const int64_t *)(const void *)at);
    case RECORD:
    case NEEDED:
        inner = *(const void *const *)(const void *)at;
        return inner ? write_record(g, m->shape, inner) : ag_undef();
    default: return write_records(g, m, (const struct ag_gql_list *)(const void *)at);
    }
}

static struct ag_value
write_record(struct ag_gql *g, const struct shape *shape, const void *record)
{
    struct ag_mem *mem = &g->c->mem;
    struct ag_builder *b = ag_builder_new(mem, AG_OBJECT);
    bool ok = b && ag_gql_charge(g, shape->count);
    for (size_t i = 0; i < shape->count && ok; i++) {
        const struct member *m = &shape->member[i];
        struct ag_value v = write_member(g, m, (const char *)record + m->offset);
        if (g->c->stop != AG_EVAL_OK)
            return ag_undef();
        if (!ag_is_value(v) || ((v.kind == AG_OBJECT || v.kind == AG_ARRAY) && v.len == 0))
            continue;
        struct ag_value key = ag_bi_copy(g->c, ag_str_z(m->name));
        ok = ag_is_value(key) && ag_builder_put(mem, b, key, v);
    }
    return ag_bi_close(g->c, b, ok);
}

struct ag_value
ag_gql_write_query(struct ag_gql *g, const struct ag_gql_query *q)
{
    return write_record(g, &query_shape, q);
}

struct ag_value
ag_gql_write_schema(struct ag_gql *g, const struct ag_gql_document *d)
{
    return write_record(g, &document_shape, d);
}

// --- a value as a tree
// ---------------------------------------------------------------------------------------------------------

struct reader {
    struct ag_gql *g;
    unsigned depth;
    bool is_wrong; // the value does not have the shape; `why` says where
    const struct shape *shape;
    const struct member *member;
    struct ag_value found;
};

static bool read_record(struct reader *r, const struct shape *shape, struct ag_value v, void *record);

static bool
wrong(struct reader *r, const struct shape *shape, const struct member *m, struct ag_value v)
{
    if (!r->is_wrong) {
        r->is_wrong = true;
        r->shape = shape;
        r->member = m;
        r->found = v;
    }
    return false;
}

static bool
same_letters(struct ag_str a, const char *z)
{
    if (a.n != strlen(z))
        return false;
    for (size_t i = 0; i < a.n; i++) {
        char x = a.p[i] >= 'A' && a.p[i] <= 'Z' ? (char)(a.p[i] + 32) : a.p[i];
        char y = z[i] >= 'A' && z[i] <= 'Z' ? (char)(z[i] + 32) : z[i];
        if (x != y)
            return false;
    }
    return true;
}

static struct ag_value
member_of(struct reader *r, const struct shape *shape, struct ag_value v, const char *name)
{
    const struct ag_mem *mem = &r->g->c->mem;
    struct ag_value found = ag_object_get(mem, v, ag_str_z(name));
    if (found.kind != AG_UNDEF || shape->is_exact)
        return found;
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value key = ag_object_key(mem, v, i);
        if (key.kind == AG_STRING && same_letters(ag_value_str(key), name))
            return ag_value_at(mem, v, i);
    }
    return ag_undef();
}

// A selection is a field if it can be one, else a spread or an inline fragment; what is none is left out.
static bool
read_selection(struct reader *r, struct ag_value v, struct ag_gql_list *ret)
{
    struct reader before = *r;
    for (int kind = AG_GQL_FIELD; kind <= AG_GQL_INLINE; kind++) {
        struct ag_gql_selection *s = ag_gql_new(r->g, sizeof *s, 0, 0);
        if (!s)
            return false;
        s->kind = (enum ag_gql_selection_kind)kind;
        if (read_record(r, selection_shape[kind], v, s)) {
            ag_gql_add(ret, s);
            return true;
        }
        if (r->g->failed)
            return false;
        *r = before;
    }
    return true;
}

static bool
read_element(struct reader *r, const struct shape *shape, const struct member *m, struct ag_value v,
             struct ag_gql_list *ret)
{
    if (m->kind == SET)
        return read_selection(r, v, ret);
    if (m->kind == NAMES) {
        struct ag_gql_name *name = ag_gql_new(r->g, sizeof *name, 0, 0);
        if (!name)
            return false;
        if (v.kind != AG_STRING)
            return wrong(r, shape, m, v);
        name->name = ag_value_str(v);
        ag_gql_add(ret, name);
        return true;
    }
    void *record = ag_gql_new(r->g, m->shape->size, 0, 0);
    if (!record || !read_record(r, m->shape, v, record))
        return false;
    ag_gql_add(ret, record);
    return true;
}

static bool
read_records(struct reader *r, const struct shape *shape, const struct member *m, struct ag_value v,
             struct ag_gql_list *ret)
{
    if (v.kind != AG_ARRAY && v.kind != AG_SET)
        return wrong(r, shape, m, v);
    for (uint32_t i = 0; i < v.len; i++)
        if (!read_element(r, shape, m, ag_value_at(&r->g->c->mem, v, i), ret))
            return false;
    return true;
}

static bool
read_member(struct reader *r, const struct shape *shape, const struct member *m, struct ag_value v, char *at)
{
    switch (m->kind) {
    case TEXT:
        if (v.kind != AG_STRING)
            return wrong(r, shape, m, v);
        *(struct ag_str *)(void *)at = ag_value_str(v);
        return true;
    case FLAG:
        if (v.kind != AG_BOOL)
            return wrong(r, shape, m, v);
        *(bool *)at = v.i != 0;
        return true;
    case WHOLE:
        if (v.kind != AG_NUMBER || v.sub != 0)
            return wrong(r, shape, m, v);
        *(int64_t *)(void *)at = v.i;
        return true;
    case RECORD:
    case NEEDED: {
        void *record = ag_gql_new(r->g, m->shape->size, 0, 0);
        *(void **)(void *)at = record;
        return record && read_record(r, m->shape, v, record);
    }
    default: return read_records(r, shape, m, v, (struct ag_gql_list *)(void *)at);
    }
}

static bool
read_record(struct reader *r, const struct shape *shape, struct ag_value v, void *record)
{
    static const struct member itself = {.name = ""};
    struct ag_gql_node none = {.line = 0};
    if (v.kind != AG_OBJECT)
        return wrong(r, shape, &itself, v);
    if (r->depth >= AG_GQL_DEPTH_MAX * 3) { // an object, a list and an object for one level
        ag_gql_error(r->g, &none, "nests more than %u deep", AG_GQL_DEPTH_MAX);
        return false;
    }
    if (!ag_gql_charge(r->g, shape->count + v.len))
        return false;
    r->depth++;
    for (size_t i = 0; i < shape->count; i++) {
        const struct member *m = &shape->member[i];
        struct ag_value inner = member_of(r, shape, v, m->name);
        bool is_left_out = shape->is_exact && m->kind == RECORD; // comments
        bool is_missing = inner.kind == AG_UNDEF || inner.kind == AG_NULL;
        if (is_missing && m->kind == NEEDED)
            return wrong(r, shape, m, ag_null());
        if (is_missing || is_left_out)
            continue;
        if (!read_member(r, shape, m, inner, (char *)record + m->offset))
            return false;
    }
    r->depth--;
    return true;
}

static bool
read_document(struct ag_gql *g, const struct shape *shape, struct ag_value v, void *record)
{
    struct ag_gql_node none = {.line = 0};
    struct reader r = {.g = g};
    if (record && read_record(&r, shape, v, record))
        return true;
    if (r.is_wrong) {
        const char *kind = r.found.kind == AG_BOOL  ? "bool"
                           : r.found.kind == AG_SET ? "array"
                                                    : ag_bi_kind(r.found);
        bool is_whole = !r.member->name[0];
        ag_gql_error(g, &none, "json: cannot unmarshal %s into Go %s %s%s%s%s%s", kind,
                     is_whole ? "value" : "struct field", is_whole ? "" : r.shape->name, is_whole ? "" : ".",
                     is_whole ? "" : r.member->name, is_whole ? "of type " : " of type ",
                     is_whole ? r.shape->name : r.member->type);
    }
    return false;
}

struct ag_gql_query *
ag_gql_read_query(struct ag_gql *g, struct ag_value v)
{
    struct ag_gql_query *q = ag_gql_new(g, sizeof *q, 0, 0);
    return read_document(g, &query_shape, v, q) ? q : NULL;
}

struct ag_gql_document *
ag_gql_read_schema(struct ag_gql *g, struct ag_value v)
{
    struct ag_gql_document *d = ag_gql_new(g, sizeof *d, 0, 0);
    return read_document(g, &document_shape, v, d) ? d : NULL;
}
