// SPDX-License-Identifier: Apache-2.0
// The GraphQL language: documents of queries and schemas as trees in the call's arena.
// In: text (June 2018, with the additions of gqlparser 2.5) or the objects that graphql.parse_query and
// graphql.parse_schema return. Out: trees, objects, whether they are valid and what is wrong, in the words of
// Open Policy Agent. Who owns memory: the call's arena; strings borrow the texts. Thread rule: as struct
// ag_call. Next file to read: graphql_lex.c, graphql_parse.c, graphql_sdl.c, graphql_ast.c, then
// graphql_schema.c and graphql_walk.c.
#ifndef AG_GRAPHQL_H
#define AG_GRAPHQL_H

#include "builtin_fns.h"

#define AG_GQL_DEPTH_MAX 100u // selections, values and types inside of each other in one document
#define AG_GQL_WALK_MAX  500u // the same with the fragments that are spread; bounds the recursion of the rules
#define AG_GQL_ERROR_MAX 512u // bytes of the messages of one call: more than an error value keeps

// Every record begins with this; records of one kind form lists.
struct ag_gql_node {
    void *next;
    int32_t line, column; // from 1, in code points; line 0: it does not come from a text
};
struct ag_gql_list {
    void *first, *last;
    uint32_t n;
};
#define AG_GQL_EACH(type, var, list) for (type *var = (list).first; var; var = var->at.next)

struct ag_gql_name { // of an interface, member, location; a comment
    struct ag_gql_node at;
    struct ag_str name;
};
struct ag_gql_comments { // in a row
    struct ag_gql_node at;
    struct ag_gql_list list; // struct ag_gql_name
};

enum ag_gql_value_kind {
    AG_GQL_VARIABLE,
    AG_GQL_INT,
    AG_GQL_FLOAT,
    AG_GQL_STRING,
    AG_GQL_BLOCK,
    AG_GQL_BOOLEAN,
    AG_GQL_NULL,
    AG_GQL_ENUM,
    AG_GQL_LIST,
    AG_GQL_OBJECT
};

struct ag_gql_type {
    struct ag_gql_node at;
    struct ag_str name;       // empty for a list
    struct ag_gql_type *elem; // of a list
    bool non_null;
};
struct ag_gql_value {
    struct ag_gql_node at;
    struct ag_str raw;
    struct ag_gql_list children; // struct ag_gql_child
    int64_t kind;                // enum ag_gql_value_kind
    struct ag_gql_comments *comment;
    bool has_default; // of the place where it stands
    // set by the rules
    const struct ag_gql_type *expected;
    struct ag_gql_definition *def;
    struct ag_gql_variable *variable;
};
struct ag_gql_child {
    struct ag_gql_node at;
    struct ag_str name;
    struct ag_gql_value *value;
    struct ag_gql_comments *comment;
};
struct ag_gql_argument {
    struct ag_gql_node at;
    struct ag_str name;
    struct ag_gql_value *value;
    struct ag_gql_comments *comment;
};
struct ag_gql_directive {
    struct ag_gql_node at;
    struct ag_str name, location;
    struct ag_gql_list arguments; // struct ag_gql_argument
};
struct ag_gql_variable {
    struct ag_gql_node at;
    struct ag_str name;
    struct ag_gql_type *type;
    struct ag_gql_value *fallback;
    struct ag_gql_list directives;
    struct ag_gql_comments *comment;
    bool used;
    struct ag_gql_definition *def;
};

enum ag_gql_selection_kind { AG_GQL_FIELD, AG_GQL_SPREAD, AG_GQL_INLINE };

struct ag_gql_set {           // of selections
    struct ag_gql_list list;  // struct ag_gql_selection
    struct ag_gql_flat *flat; // graphql_merge.c
};
struct ag_gql_selection {
    struct ag_gql_node at;
    enum ag_gql_selection_kind kind;
    struct ag_str alias, name;
    struct ag_str condition;                  // the type of an inline fragment
    struct ag_gql_list arguments, directives; // struct ag_gql_argument, struct ag_gql_directive
    struct ag_gql_set set;
    struct ag_gql_comments *comment;
    // set by the rules
    struct ag_gql_field *field;
    struct ag_gql_definition *parent;
    struct ag_gql_fragment *fragment;
};
struct ag_gql_operation {
    struct ag_gql_node at;
    struct ag_str operation, name;
    struct ag_gql_list variables, directives;
    struct ag_gql_set set;
    struct ag_gql_comments *comment;
};
struct ag_gql_fragment {
    struct ag_gql_node at;
    struct ag_str name, condition;
    struct ag_gql_list variables, directives;
    struct ag_gql_set set;
    struct ag_gql_comments *comment;
    // set by the rules
    struct ag_gql_definition *def;
    uint32_t walked, compared; // number of the walk, of the comparison that saw it
    bool used, visited, on_path;
    struct ag_gql_pair *pairs;           // graphql_merge.c
    uint8_t depth_known, depth_exceeded; // bit of an introspection depth
};
struct ag_gql_query {
    struct ag_gql_node at;
    struct ag_gql_list operations, fragments;
    struct ag_gql_comments *comment;
};

struct ag_gql_field { // of a type, an input object; an argument
    struct ag_gql_node at;
    struct ag_str description, name;
    struct ag_gql_list arguments; // struct ag_gql_field
    struct ag_gql_value *fallback;
    struct ag_gql_type *type;
    struct ag_gql_list directives;
    struct ag_gql_comments *before, *after; // the description
};
struct ag_gql_enum_value {
    struct ag_gql_node at;
    struct ag_str description, name;
    struct ag_gql_list directives;
    struct ag_gql_comments *before, *after;
};
struct ag_gql_definition {
    struct ag_gql_node at;
    struct ag_str kind, description, name;
    struct ag_gql_list directives, interfaces, fields, types, values;
    bool builtin;
    struct ag_gql_comments *before, *after, *end;
    // set by the schema
    struct ag_gql_list possible; // struct ag_gql_possible
};
struct ag_gql_possible {
    struct ag_gql_node at;
    struct ag_gql_definition *def;
};
struct ag_gql_directive_definition {
    struct ag_gql_node at;
    struct ag_str description, name;
    struct ag_gql_list arguments, locations; // struct ag_gql_field, struct ag_gql_name
    bool repeatable;
    struct ag_gql_comments *before, *after;
};
struct ag_gql_root { // the type of an operation
    struct ag_gql_node at;
    struct ag_str operation, type;
    struct ag_gql_comments *comment;
};
struct ag_gql_schema_definition {
    struct ag_gql_node at;
    struct ag_str description;
    struct ag_gql_list directives, roots;
    struct ag_gql_comments *before, *after, *end;
};
struct ag_gql_document { // of a schema
    struct ag_gql_node at;
    struct ag_gql_list schema, schema_extension, directives, definitions, extensions;
    struct ag_gql_comments *comment;
};

// What one call found wrong.
struct ag_gql {
    struct ag_call *c;
    bool failed;          // something is wrong, or the evaluation ended
    bool is_quiet;        // only whether something is wrong is asked for: the first error is enough
    int32_t line, column; // of the first error; line 0: it has none
    struct ag_buf error;  // messages, each with a line feed; all but the first with their place
    char text[AG_GQL_ERROR_MAX];
};

void ag_gql_begin(struct ag_gql *g, struct ag_call *c);
// A cleared record with that place; NULL: the evaluation ended and g->failed is set.
void *ag_gql_new(struct ag_gql *g, size_t size, int32_t line, int32_t column);
// Appends a record (NULL is left out).
void ag_gql_add(struct ag_gql_list *list, void *node);
// Appends the records of `more`.
void ag_gql_join(struct ag_gql_list *list, const struct ag_gql_list *more);
// One more message about the place of `at`.
void ag_gql_error(struct ag_gql *g, const struct ag_gql_node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// Whether to go on looking for errors.
bool ag_gql_goes_on(const struct ag_gql *g);
// Charges n units; false: the evaluation ended.
bool ag_gql_charge(struct ag_gql *g, uint64_t n);
// %.*s of a string
#define AG_GQL_ARG(s) (int)((s).n < AG_GQL_ERROR_MAX ? (s).n : AG_GQL_ERROR_MAX), (s).n ? (s).p : ""

// --- graphql_parse.c, graphql_sdl.c: NULL: g says what is wrong
struct ag_gql_query *ag_gql_parse_query(struct ag_gql *g, struct ag_str text);
struct ag_gql_document *ag_gql_parse_schema(struct ag_gql *g, struct ag_str text);

// --- graphql_ast.c: objects. Reading NULL: the object is none of the kind, g says why.
struct ag_gql_query *ag_gql_read_query(struct ag_gql *g, struct ag_value v);
struct ag_gql_document *ag_gql_read_schema(struct ag_gql *g, struct ag_value v);
struct ag_value ag_gql_write_query(struct ag_gql *g, const struct ag_gql_query *q);
struct ag_value ag_gql_write_schema(struct ag_gql *g, const struct ag_gql_document *d);

// --- graphql_schema.c: a document with the types that every schema has, ready for the rules
struct ag_gql_schema {
    struct ag_gql *g;
    uint32_t ntypes, ndirectives;
    struct ag_gql_definition **type;                // by name
    struct ag_gql_directive_definition **directive; // by name
    struct ag_gql_definition *query, *mutation, *subscription;
};
// False: the document is not valid, g->error says why. The document's definitions are changed.
bool ag_gql_schema(struct ag_gql *g, struct ag_gql_document *d, struct ag_gql_schema *ret);
struct ag_gql_definition *ag_gql_type_find(const struct ag_gql_schema *s, struct ag_str name);
struct ag_gql_directive_definition *ag_gql_directive_find(const struct ag_gql_schema *s, struct ag_str name);
struct ag_gql_field *ag_gql_field_find(struct ag_gql *g, const struct ag_gql_list *fields,
                                       struct ag_str name);
// The name below the lists of a type.
struct ag_str ag_gql_type_name(const struct ag_gql_type *t);
bool ag_gql_is_kind(const struct ag_gql_definition *d, const char *kind);
bool ag_gql_is_leaf(const struct ag_gql_definition *d);
bool ag_gql_is_composite(const struct ag_gql_definition *d);
bool ag_gql_is_input(const struct ag_gql_definition *d);
// Whether a value of type t can stand where `other` is expected.
bool ag_gql_type_fits(const struct ag_gql_type *t, const struct ag_gql_type *other);
// "[Int!]!" in `out`, which has room for AG_GQL_ERROR_MAX bytes; returns out.
const char *ag_gql_type_text(const struct ag_gql_type *t, char *out);

// --- graphql_walk.c: whether a query is valid; else g->error says why.
bool ag_gql_validate(struct ag_gql *g, const struct ag_gql_schema *s, struct ag_gql_query *q);

#endif
