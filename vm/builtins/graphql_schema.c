// SPDX-License-Identifier: Apache-2.0
// Schemas of GraphQL: the types that every schema has, extensions, roots, and whether the definitions are
// valid. In: a tree. Out: types and directives by name, for the rules; or the first error. Checks and their
// order are those of gqlparser's ValidateSchemaDocument. Who owns memory: the call's arena. Next file to
// read: graphql_walk.c.
#include <stdlib.h>

#include "graphql.h"

// The scalars, directives and types of introspection that the language defines.
static const char prelude[] =
    "scalar Int scalar Float scalar String scalar Boolean scalar ID "
    "directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @deprecated(reason: String = \"No longer supported\") "
    "on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE "
    "directive @specifiedBy(url: String!) on SCALAR "
    "directive @oneOf on INPUT_OBJECT "
    "type __Schema { description: String types: [__Type!]! queryType: __Type! mutationType: __Type "
    "subscriptionType: __Type directives: [__Directive!]! } "
    "type __Type { kind: __TypeKind! name: String description: String specifiedByURL: String "
    "fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!] "
    "enumValues(includeDeprecated: Boolean = false): [__EnumValue!] "
    "inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type isOneOf: Boolean } "
    "enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL } "
    "type __Field { name: String! description: String "
    "args(includeDeprecated: Boolean = false): [__InputValue!]! type: __Type! isDeprecated: Boolean! "
    "deprecationReason: String } "
    "type __InputValue { name: String! description: String type: __Type! defaultValue: String "
    "isDeprecated: Boolean! deprecationReason: String } "
    "type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String } "
    "type __Directive { name: String! description: String isRepeatable: Boolean! "
    "locations: [__DirectiveLocation!]! args(includeDeprecated: Boolean = false): [__InputValue!]! } "
    "enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD "
    "INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE "
    "UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION } ";

// What the root of queries gets besides its fields.
static const char root_fields[] = "type Q { __schema: __Schema! __type(name: String!): __Type }";

static const char *const builtin_directives[] = {"include",     "skip",  "deprecated",
                                                 "specifiedBy", "defer", "oneOf"};

// --- small questions
// ---------------------------------------------------------------------------------------------------------

bool
ag_gql_is_kind(const struct ag_gql_definition *d, const char *kind)
{
    return ag_str_is(d->kind, kind);
}

bool
ag_gql_is_leaf(const struct ag_gql_definition *d)
{
    return ag_gql_is_kind(d, "ENUM") || ag_gql_is_kind(d, "SCALAR");
}

bool
ag_gql_is_composite(const struct ag_gql_definition *d)
{
    return ag_gql_is_kind(d, "OBJECT") || ag_gql_is_kind(d, "INTERFACE") || ag_gql_is_kind(d, "UNION");
}

bool
ag_gql_is_input(const struct ag_gql_definition *d)
{
    return ag_gql_is_leaf(d) || ag_gql_is_kind(d, "INPUT_OBJECT");
}

struct ag_str
ag_gql_type_name(const struct ag_gql_type *t)
{
    while (t->elem && !t->name.n)
        t = t->elem;
    return t->name;
}

bool
ag_gql_type_fits(const struct ag_gql_type *t, const struct ag_gql_type *other)
{
    for (; ag_str_eq(t->name, other->name); t = t->elem, other = other->elem) {
        if ((t->elem && !other->elem) || (other->non_null && !t->non_null))
            return false;
        if (!t->elem)
            return true;
    }
    return false;
}

const char *
ag_gql_type_text(const struct ag_gql_type *t, char *out)
{
    struct ag_buf b;
    const struct ag_gql_type *chain[AG_GQL_DEPTH_MAX * 3 + 1];
    unsigned n = 0;
    ag_buf_init(&b, out, AG_GQL_ERROR_MAX - 1);
    for (; t && n < sizeof chain / sizeof chain[0]; t = t->name.n ? NULL : t->elem) {
        chain[n++] = t;
        if (!t->name.n)
            ag_buf_char(&b, '[');
    }
    while (n-- > 0) {
        if (chain[n]->name.n)
            ag_buf_str(&b, chain[n]->name);
        else
            ag_buf_char(&b, ']');
        if (chain[n]->non_null)
            ag_buf_char(&b, '!');
    }
    out[b.n] = 0;
    return out;
}

struct ag_gql_field *
ag_gql_field_find(struct ag_gql *g, const struct ag_gql_list *fields, struct ag_str name)
{
    if (!ag_gql_charge(g, 1 + fields->n / 8))
        return NULL;
    AG_GQL_EACH(struct ag_gql_field, f, *fields)
    {
        if (ag_str_eq(f->name, name))
            return f;
    }
    return NULL;
}

static int
type_order(const void *a, const void *b)
{
    const struct ag_gql_definition *const *p = a, *const *q = b;
    return ag_str_cmp((*p)->name, (*q)->name);
}

static int
directive_order(const void *a, const void *b)
{
    const struct ag_gql_directive_definition *const *p = a, *const *q = b;
    return ag_str_cmp((*p)->name, (*q)->name);
}

struct ag_gql_definition *
ag_gql_type_find(const struct ag_gql_schema *s, struct ag_str name)
{
    struct ag_gql_definition wanted = {.name = name}, *key = &wanted, **found;
    if (!ag_gql_charge(s->g, 2))
        return NULL;
    found = s->ntypes ? bsearch(&key, s->type, s->ntypes, sizeof *s->type, type_order) : NULL;
    return found ? *found : NULL;
}

struct ag_gql_directive_definition *
ag_gql_directive_find(const struct ag_gql_schema *s, struct ag_str name)
{
    struct ag_gql_directive_definition wanted = {.name = name}, *key = &wanted, **found;
    if (!ag_gql_charge(s->g, 2))
        return NULL;
    found = s->ndirectives
                ? bsearch(&key, s->directive, s->ndirectives, sizeof *s->directive, directive_order)
                : NULL;
    return found ? *found : NULL;
}

// --- the first error
// ---------------------------------------------------------------------------------------------------------

#define S(s) AG_GQL_ARG(s)

// False, with the message about the place of `at`.
#define FAIL(s, where, ...) (ag_gql_error((s)->g, &(where)->at, __VA_ARGS__), false)

static bool
check_name(struct ag_gql_schema *s, const struct ag_gql_node *at, struct ag_str name)
{
    if (name.n < 2 || memcmp(name.p, "__", 2) != 0)
        return true;
    ag_gql_error(s->g, at,
                 "Name \"%.*s\" must not begin with \"__\", which is reserved by GraphQL introspection.",
                 S(name));
    return false;
}

static bool
check_type_name(struct ag_gql_schema *s, const struct ag_gql_type *t)
{
    struct ag_str name = ag_gql_type_name(t);
    if (ag_gql_type_find(s, name))
        return true;
    return FAIL(s, t, "Undefined type %.*s.", S(name));
}

// --- directives
// ---------------------------------------------------------------------------------------------------------

static bool
check_directive_arguments(struct ag_gql_schema *s, const struct ag_gql_directive *d,
                          const struct ag_gql_directive_definition *def)
{
    AG_GQL_EACH(struct ag_gql_argument, a, d->arguments)
    {
        if (!ag_gql_field_find(s->g, &def->arguments, a->name))
            return FAIL(s, a, "Undefined argument %.*s for directive %.*s.", S(a->name), S(d->name));
    }
    AG_GQL_EACH(struct ag_gql_field, f, def->arguments)
    {
        bool is_given = !f->type->non_null || f->fallback;
        AG_GQL_EACH(struct ag_gql_argument, a, d->arguments)
        {
            if (is_given || !ag_gql_charge(s->g, 1))
                break;
            if (ag_str_eq(a->name, f->name)) {
                is_given = a->value->kind != AG_GQL_NULL;
                break;
            }
        }
        if (!is_given)
            return FAIL(s, d, "Argument %.*s for directive %.*s cannot be null.", S(f->name), S(d->name));
    }
    return true;
}

static bool
is_repeated(struct ag_gql_schema *s, const struct ag_gql_list *list, const struct ag_gql_directive *d)
{
    AG_GQL_EACH(struct ag_gql_directive, other, *list)
    {
        if (other == d || !ag_gql_charge(s->g, 1))
            return false;
        if (ag_str_eq(other->name, d->name))
            return true;
    }
    return false;
}

static bool
check_directives(struct ag_gql_schema *s, const struct ag_gql_list *list, struct ag_str location,
                 const struct ag_gql_directive_definition *inside)
{
    AG_GQL_EACH(struct ag_gql_directive, d, *list)
    {
        if (!check_name(s, &d->at, d->name))
            return false;
        if (inside && ag_str_eq(inside->name, d->name))
            return FAIL(s, d, "Directive %.*s cannot refer to itself.", S(d->name));
        struct ag_gql_directive_definition *def = ag_gql_directive_find(s, d->name);
        if (!def)
            return FAIL(s, d, "Undefined directive %.*s.", S(d->name));
        bool is_here = false;
        AG_GQL_EACH(struct ag_gql_name, n, def->locations)
        {
            is_here = is_here || ag_str_eq(n->name, location);
        }
        if (!is_here)
            return FAIL(s, d, "Directive %.*s is not applicable on %.*s.", S(d->name), S(location));
        if (!def->repeatable && is_repeated(s, list, d))
            return FAIL(s, d, "The directive %.*s can only be used once at this location.", S(d->name));
        if (!check_directive_arguments(s, d, def))
            return false;
    }
    return true;
}

static bool
check_arguments(struct ag_gql_schema *s, const struct ag_gql_list *list,
                const struct ag_gql_directive_definition *inside)
{
    char text[AG_GQL_ERROR_MAX];
    AG_GQL_EACH(struct ag_gql_field, a, *list)
    {
        if (!check_name(s, &a->at, a->name) || !check_type_name(s, a->type))
            return false;
        const struct ag_gql_definition *def = ag_gql_type_find(s, ag_gql_type_name(a->type));
        if (def && !ag_gql_is_input(def))
            return FAIL(s, a, "cannot use %s as argument %.*s because %.*s is not a valid input type",
                        ag_gql_type_text(a->type, text), S(a->name), S(def->kind));
        if (!check_directives(s, &a->directives, AG_STR("ARGUMENT_DEFINITION"), inside))
            return false;
    }
    return true;
}

// --- interfaces
// ---------------------------------------------------------------------------------------------------------

// Whether a field of type `actual` does for one of type `required`.
static bool
is_covariant(struct ag_gql_schema *s, const struct ag_gql_type *required, const struct ag_gql_type *actual)
{
    for (; required && actual; required = required->elem, actual = actual->elem) {
        if (required->non_null && !actual->non_null)
            return false;
        if (!required->name.n)
            continue;
        if (ag_str_eq(required->name, actual->name))
            return true;
        const struct ag_gql_definition *def = ag_gql_type_find(s, required->name);
        if (!def || !ag_gql_charge(s->g, 1 + def->possible.n / 8))
            return false;
        AG_GQL_EACH(struct ag_gql_possible, p, def->possible)
        {
            if (ag_str_eq(p->def->name, actual->name))
                return true;
        }
        return false;
    }
    return false;
}

static bool
check_implemented_arguments(struct ag_gql_schema *s, const struct ag_gql_definition *d,
                            const struct ag_gql_definition *i, const struct ag_gql_field *required,
                            const struct ag_gql_field *found)
{
    AG_GQL_EACH(struct ag_gql_field, a, required->arguments)
    {
        const struct ag_gql_field *b = ag_gql_field_find(s->g, &found->arguments, a->name);
        if (!b)
            return FAIL(
                s, found,
                "For %.*s to implement %.*s the field %.*s must have the same arguments but it is missing "
                "%.*s.",
                S(d->name), S(i->name), S(required->name), S(a->name));
        if (!ag_gql_type_fits(a->type, b->type))
            return FAIL(
                s, b,
                "For %.*s to implement %.*s the field %.*s must have the same arguments but %.*s has the "
                "wrong type.",
                S(d->name), S(i->name), S(required->name), S(a->name));
    }
    AG_GQL_EACH(struct ag_gql_field, b, found->arguments)
    {
        if (b->type->non_null && !b->fallback && !ag_gql_field_find(s->g, &required->arguments, b->name))
            return FAIL(
                s, b,
                "For %.*s to implement %.*s any additional arguments on %.*s must be optional or have a "
                "default value but %.*s is required.",
                S(d->name), S(i->name), S(found->name), S(b->name));
    }
    return true;
}

static bool
has_name(const struct ag_gql_list *names, struct ag_str name)
{
    AG_GQL_EACH(struct ag_gql_name, n, *names)
    {
        if (ag_str_eq(n->name, name))
            return true;
    }
    return false;
}

static bool
check_implements(struct ag_gql_schema *s, const struct ag_gql_definition *d, struct ag_str name)
{
    char text[AG_GQL_ERROR_MAX];
    const struct ag_gql_definition *i = ag_gql_type_find(s, name);
    if (!i)
        return FAIL(s, d, "Undefined type \"%.*s\".", S(name));
    if (!ag_gql_is_kind(i, "INTERFACE"))
        return FAIL(s, d, "\"%.*s\" is a non interface type %.*s.", S(name), S(i->kind));
    AG_GQL_EACH(struct ag_gql_field, required, i->fields)
    {
        const struct ag_gql_field *found = ag_gql_field_find(s->g, &d->fields, required->name);
        if (!found)
            return FAIL(s, d, "For %.*s to implement %.*s it must have a field called %.*s.", S(d->name),
                        S(i->name), S(required->name));
        if (!is_covariant(s, required->type, found->type))
            return FAIL(s, found, "For %.*s to implement %.*s the field %.*s must have type %s.", S(d->name),
                        S(i->name), S(required->name), ag_gql_type_text(required->type, text));
        if (!check_implemented_arguments(s, d, i, required, found))
            return false;
    }
    AG_GQL_EACH(struct ag_gql_name, above, i->interfaces)
    {
        if (!ag_gql_charge(s->g, 1 + d->interfaces.n / 8))
            return false;
        if (has_name(&d->interfaces, above->name))
            continue;
        if (ag_str_eq(above->name, d->name))
            return FAIL(s, d, "Type %.*s cannot implement %.*s because it would create a circular reference.",
                        S(d->name), S(name));
        return FAIL(s, d, "Type %.*s must implement %.*s because it is implemented by %.*s.", S(d->name),
                    S(above->name), S(name));
    }
    return true;
}

// --- types
// ---------------------------------------------------------------------------------------------------------

static bool
check_fields(struct ag_gql_schema *s, const struct ag_gql_definition *d)
{
    struct ag_str location =
        ag_gql_is_kind(d, "INPUT_OBJECT") ? AG_STR("INPUT_FIELD_DEFINITION") : AG_STR("FIELD_DEFINITION");
    AG_GQL_EACH(struct ag_gql_field, f, d->fields)
    {
        if (!check_name(s, &f->at, f->name) || !check_type_name(s, f->type) ||
            !check_arguments(s, &f->arguments, NULL) || !check_directives(s, &f->directives, location, NULL))
            return false;
    }
    return true;
}

static bool
check_members(struct ag_gql_schema *s, const struct ag_gql_definition *d)
{
    AG_GQL_EACH(struct ag_gql_name, n, d->types)
    {
        const struct ag_gql_definition *member = ag_gql_type_find(s, n->name);
        if (!member)
            return FAIL(s, d, "Undefined type \"%.*s\".", S(n->name));
        if (!ag_gql_is_kind(member, "OBJECT"))
            return FAIL(s, d, "%.*s type \"%.*s\" must be OBJECT.", S(d->kind), S(n->name));
    }
    AG_GQL_EACH(struct ag_gql_name, n, d->interfaces)
    {
        if (!check_implements(s, d, n->name))
            return false;
    }
    return true;
}

static bool
check_enum(struct ag_gql_schema *s, const struct ag_gql_definition *d)
{
    if (d->values.n == 0)
        return FAIL(s, d, "%.*s %.*s: must define one or more unique enum values.", S(d->kind), S(d->name));
    AG_GQL_EACH(struct ag_gql_enum_value, v, d->values)
    {
        if (ag_str_is(v->name, "true") || ag_str_is(v->name, "false") || ag_str_is(v->name, "null"))
            return FAIL(s, d, "%.*s %.*s: non-enum value %.*s.", S(d->kind), S(d->name), S(v->name));
        if (!check_directives(s, &v->directives, AG_STR("ENUM_VALUE"), NULL))
            return false;
    }
    return true;
}

// The types of the fields of an object or interface give values, those of an input object take them.
static bool
check_field_kinds(struct ag_gql_schema *s, const struct ag_gql_definition *d)
{
    bool is_input = ag_gql_is_kind(d, "INPUT_OBJECT");
    if (!is_input && !ag_gql_is_kind(d, "OBJECT") && !ag_gql_is_kind(d, "INTERFACE"))
        return true;
    if (d->fields.n == 0)
        return FAIL(s, d, "%.*s %.*s: must define one or more %sfields.", S(d->kind), S(d->name),
                    is_input ? "input " : "");
    AG_GQL_EACH(struct ag_gql_field, f, d->fields)
    {
        const struct ag_gql_definition *t = ag_gql_type_find(s, ag_gql_type_name(f->type));
        if (!t)
            continue;
        if (is_input && !ag_gql_is_input(t))
            return FAIL(s, f, "%.*s %.*s: field must be one of SCALAR, ENUM, INPUT_OBJECT.", S(t->kind),
                        S(f->name));
        if (!is_input && !ag_gql_is_leaf(t) && !ag_gql_is_composite(t))
            return FAIL(s, f, "%.*s %.*s: field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM.",
                        S(d->kind), S(d->name));
    }
    return true;
}

// Names of fields and of the values of an enum are unique.
static bool
check_unique(struct ag_gql_schema *s, const struct ag_gql_definition *d)
{
    AG_GQL_EACH(struct ag_gql_field, f, d->fields)
    {
        if (!ag_gql_charge(s->g, 1 + d->fields.n / 8))
            return false;
        for (const struct ag_gql_field *other = f->at.next; other; other = other->at.next)
            if (ag_str_eq(f->name, other->name))
                return FAIL(s, other, "Field %.*s.%.*s can only be defined once.", S(d->name),
                            S(other->name));
    }
    AG_GQL_EACH(struct ag_gql_enum_value, v, d->values)
    {
        if (!ag_gql_charge(s->g, 1 + d->values.n / 8))
            return false;
        for (const struct ag_gql_enum_value *other = v->at.next; other; other = other->at.next)
            if (ag_str_eq(v->name, other->name))
                return FAIL(s, other, "Enum value %.*s.%.*s can only be defined once.", S(d->name),
                            S(other->name));
    }
    return true;
}

static bool
check_definition(struct ag_gql_schema *s, const struct ag_gql_definition *d)
{
    return check_fields(s, d) && check_members(s, d) && (!ag_gql_is_kind(d, "ENUM") || check_enum(s, d)) &&
           check_field_kinds(s, d) && check_unique(s, d) && (d->builtin || check_name(s, &d->at, d->name)) &&
           check_directives(s, &d->directives, d->kind, NULL) && s->g->c->stop == AG_EVAL_OK;
}

// --- the whole
// ---------------------------------------------------------------------------------------------------------

static bool
take_types(struct ag_gql_schema *s, struct ag_gql_document *d, const struct ag_gql_document *base)
{
    uint32_t n = base->definitions.n + d->definitions.n, most = n + d->extensions.n;
    s->type =
        ag_charge(s->g->c, (uint64_t)most * 4) ? ag_call_alloc(s->g->c, most * sizeof *s->type, 8) : NULL;
    if (!s->type) {
        s->g->failed = true;
        return false;
    }
    AG_GQL_EACH(struct ag_gql_definition, t, base->definitions)
    {
        t->builtin = true;
        s->type[s->ntypes++] = t;
    }
    qsort(s->type, s->ntypes, sizeof *s->type, type_order);
    uint32_t nbase = s->ntypes;
    AG_GQL_EACH(struct ag_gql_definition, t, d->definitions)
    {
        s->type[s->ntypes++] = t;
    }
    // the first definition whose name is taken: equal names stand together after sorting
    struct ag_gql_definition *again = NULL;
    uint32_t at = nbase;
    AG_GQL_EACH(struct ag_gql_definition, t, d->definitions)
    {
        t->possible.n = at++; // its number, until the possible types are known
    }
    qsort(s->type, s->ntypes, sizeof *s->type, type_order);
    for (uint32_t i = 1; i < s->ntypes; i++) {
        struct ag_gql_definition *a = s->type[i - 1], *b = s->type[i];
        if (!ag_str_eq(a->name, b->name))
            continue;
        struct ag_gql_definition *later = b->possible.n > a->possible.n ? b : a;
        if (!again || later->possible.n < again->possible.n)
            again = later;
    }
    for (uint32_t i = 0; i < s->ntypes; i++)
        s->type[i]->possible.n = 0;
    return !again || FAIL(s, again, "Cannot redeclare type %.*s.", S(again->name));
}

static bool
extend_types(struct ag_gql_schema *s, struct ag_gql_document *d)
{
    struct ag_gql_definition *next;
    for (struct ag_gql_definition *e = d->extensions.first; e; e = next) {
        next = e->at.next;
        struct ag_gql_definition *t = ag_gql_type_find(s, e->name);
        if (!t) {
            t = ag_gql_new(s->g, sizeof *t, e->at.line, e->at.column);
            if (!t || !ag_gql_charge(s->g, s->ntypes / 4))
                return false;
            t->kind = e->kind;
            t->name = e->name;
            uint32_t at = s->ntypes++; // the place by name
            for (; at > 0 && ag_str_cmp(s->type[at - 1]->name, t->name) > 0; at--)
                s->type[at] = s->type[at - 1];
            s->type[at] = t;
        }
        if (!ag_str_eq(t->kind, e->kind))
            return FAIL(s, e, "Cannot extend type %.*s because the base type is a %.*s, not %.*s.",
                        S(e->name), S(t->kind), S(e->kind));
        ag_gql_join(&t->directives, &e->directives);
        ag_gql_join(&t->interfaces, &e->interfaces);
        ag_gql_join(&t->fields, &e->fields);
        ag_gql_join(&t->types, &e->types);
        ag_gql_join(&t->values, &e->values);
    }
    return true;
}

static void
add_possible(struct ag_gql_schema *s, struct ag_gql_definition *of, struct ag_gql_definition *def)
{
    struct ag_gql_possible *p = of && def ? ag_gql_new(s->g, sizeof *p, 0, 0) : NULL;
    if (p) {
        p->def = def;
        ag_gql_add(&of->possible, p);
    }
}

static void
find_possible(struct ag_gql_schema *s)
{
    for (uint32_t i = 0; i < s->ntypes && s->g->c->stop == AG_EVAL_OK; i++) {
        struct ag_gql_definition *d = s->type[i];
        bool is_object = ag_gql_is_kind(d, "OBJECT") || ag_gql_is_kind(d, "INPUT_OBJECT");
        if (ag_gql_is_kind(d, "UNION")) {
            AG_GQL_EACH(struct ag_gql_name, n, d->types)
            {
                add_possible(s, d, ag_gql_type_find(s, n->name));
            }
        } else if (is_object || ag_gql_is_kind(d, "INTERFACE")) {
            AG_GQL_EACH(struct ag_gql_name, n, d->interfaces)
            {
                add_possible(s, ag_gql_type_find(s, n->name), d);
            }
        }
        if (is_object)
            add_possible(s, d, d);
    }
}

static bool
take_directives(struct ag_gql_schema *s, struct ag_gql_document *d, const struct ag_gql_document *base)
{
    uint32_t most = base->directives.n + d->directives.n;
    s->directive = ag_charge(s->g->c, (uint64_t)most * 4)
                       ? ag_call_alloc(s->g->c, most * sizeof *s->directive, 8)
                       : NULL;
    if (!s->directive) {
        s->g->failed = true;
        return false;
    }
    const struct ag_gql_list *lists[] = {&base->directives, &d->directives};
    for (int i = 0; i < 2; i++) {
        AG_GQL_EACH(struct ag_gql_directive_definition, def, *lists[i])
        {
            struct ag_gql_directive_definition *known = ag_gql_directive_find(s, def->name);
            bool is_builtin = false;
            for (size_t k = 0; k < sizeof builtin_directives / sizeof builtin_directives[0]; k++)
                is_builtin = is_builtin || ag_str_is(def->name, builtin_directives[k]);
            if (known && !is_builtin)
                return FAIL(s, def, "Cannot redeclare directive %.*s.", S(def->name));
            if (!ag_gql_charge(s->g, s->ndirectives / 4))
                return false;
            uint32_t at = known ? 0 : s->ndirectives++;
            if (known) { // a document may define them anew
                while (s->directive[at] != known)
                    at++;
            } else {
                for (; at > 0 && ag_str_cmp(s->directive[at - 1]->name, def->name) > 0; at--)
                    s->directive[at] = s->directive[at - 1];
            }
            s->directive[at] = def;
        }
    }
    return true;
}

static bool
take_roots(struct ag_gql_schema *s, const struct ag_gql_schema_definition *d)
{
    AG_GQL_EACH(struct ag_gql_root, r, d->roots)
    {
        struct ag_gql_definition *def = ag_gql_type_find(s, r->type);
        if (!def)
            return FAIL(s, r, "Schema root %.*s refers to a type %.*s that does not exist.", S(r->operation),
                        S(r->type));
        if (ag_str_is(r->operation, "query"))
            s->query = def;
        else if (ag_str_is(r->operation, "mutation"))
            s->mutation = def;
        else if (ag_str_is(r->operation, "subscription"))
            s->subscription = def;
    }
    return check_directives(s, &d->directives, AG_STR("SCHEMA"), NULL);
}

// Without a schema definition the names of types say what they are for.
static void
guess_roots(struct ag_gql_schema *s)
{
    if (!s->query)
        s->query = ag_gql_type_find(s, AG_STR("Query"));
    if (!s->mutation)
        s->mutation = ag_gql_type_find(s, AG_STR("Mutation"));
    if (!s->subscription)
        s->subscription = ag_gql_type_find(s, AG_STR("Subscription"));
}

static bool
check_schema(struct ag_gql_schema *s, const struct ag_gql_document *d)
{
    const struct ag_gql_schema_definition *schema = d->schema.first;
    if (d->schema.n > 1)
        return FAIL(s, (const struct ag_gql_schema_definition *)schema->at.next,
                    "Cannot have multiple schema entry points, consider schema extensions instead.");
    if (schema && !take_roots(s, schema))
        return false;
    AG_GQL_EACH(struct ag_gql_schema_definition, e, d->schema_extension)
    {
        if (!take_roots(s, e))
            return false;
    }
    for (uint32_t i = 0; i < s->ntypes; i++)
        if (!check_definition(s, s->type[i]))
            return false;
    for (uint32_t i = 0; i < s->ndirectives; i++)
        if (!check_name(s, &s->directive[i]->at, s->directive[i]->name) ||
            !check_arguments(s, &s->directive[i]->arguments, s->directive[i]))
            return false;
    if (!schema)
        guess_roots(s);
    return true;
}

bool
ag_gql_schema(struct ag_gql *g, struct ag_gql_document *d, struct ag_gql_schema *ret)
{
    struct ag_gql_schema *s = ret;
    *s = (struct ag_gql_schema){.g = g};
    struct ag_gql_document *base = ag_gql_parse_schema(g, AG_STR(prelude));
    struct ag_gql_document *more = base ? ag_gql_parse_schema(g, AG_STR(root_fields)) : NULL;
    if (!more || !take_types(s, d, base) || !extend_types(s, d))
        return false;
    find_possible(s);
    if (!take_directives(s, d, base) || !check_schema(s, d) || g->c->stop != AG_EVAL_OK)
        return false;
    if (s->query)
        ag_gql_join(&s->query->fields, &((struct ag_gql_definition *)more->definitions.first)->fields);
    return true;
}
