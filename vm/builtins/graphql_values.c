// SPDX-License-Identifier: Apache-2.0
// Rules about the values of a query: variables are defined and of a type that fits, names of fields are
// unique, values are of the type that is expected where they stand. In: a value with its definition and
// expected type. Out: messages, in the order and with the words of gqlparser. Who owns memory: the call's
// arena. Next file to read: graphql_merge.c.
#include "graphql_rules.h"

#define S(s) AG_GQL_ARG(s)

// --- texts and numbers
// ---------------------------------------------------------------------------------------------------------

static void
put_value(struct ag_buf *b, const struct ag_gql_value *v)
{
    const char *open = v->kind == AG_GQL_LIST ? "[" : "{", *close = v->kind == AG_GQL_LIST ? "]" : "}";
    if (b->is_full) // what does not fit is not needed, however deep it is
        return;
    if (v->kind == AG_GQL_VARIABLE)
        ag_buf_char(b, '$');
    if (v->kind == AG_GQL_STRING || v->kind == AG_GQL_BLOCK) {
        struct ag_str raw =
            ag_str_of(v->raw.p, v->raw.n < AG_ERROR_TEXT_MAX / 4 ? v->raw.n : AG_ERROR_TEXT_MAX / 4);
        ag_bi_put_quoted(b, raw, '"', false);
    } else if (v->kind != AG_GQL_LIST && v->kind != AG_GQL_OBJECT) {
        ag_buf_str(b, v->raw);
    } else {
        ag_buf_str(b, ag_str_z(open));
        AG_GQL_EACH(struct ag_gql_child, child, v->children)
        {
            if (child != v->children.first)
                ag_buf_char(b, ',');
            if (v->kind == AG_GQL_OBJECT) {
                ag_buf_str(b, child->name);
                ag_buf_char(b, ':');
            }
            put_value(b, child->value);
        }
        ag_buf_str(b, ag_str_z(close));
    }
}

static const char *
value_text(const struct ag_gql_value *v, char *out)
{
    struct ag_buf b;
    ag_buf_init(&b, out, AG_GQL_ERROR_MAX - 1);
    put_value(&b, v);
    out[b.n] = 0;
    return out;
}

// 0: an integer within -limit - 1 .. limit, 1: one outside, 2: none.
static int
whole(struct ag_str s, uint64_t limit)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');
    bool is_negative = i && s.p[0] == '-', is_out = false;
    uint64_t n = 0;
    if (i == s.n)
        return 2;
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return 2;
        if (!is_out)
            n = n * 10 + (uint64_t)(s.p[i] - '0');
        is_out = is_out || n > limit + (uint64_t)is_negative;
    }
    return is_out;
}

// Whether the text is a decimal number that a double can hold.
static bool
is_double(struct ag_str s)
{
    static const char border[] = "17976931348623158079"; // first digits of what rounds to infinity
    char digits[sizeof border];
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+'), n = 0, seen = 0;
    int64_t power = 0, exponent = 0;
    bool is_fraction = false;
    for (; i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] == '.' && !is_fraction)); i++) {
        if (s.p[i] == '.') {
            is_fraction = true;
            continue;
        }
        seen++;
        power -= is_fraction;
        if (n == 0 && s.p[i] == '0')
            continue;
        if (n < sizeof border - 1)
            digits[n++] = s.p[i];
        else
            power++;
    }
    if (seen == 0)
        return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        bool is_negative = i + 1 < s.n && s.p[i + 1] == '-';
        i += i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+') ? 2 : 1;
        if (i == s.n)
            return false;
        for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
            exponent = exponent < 1000000000 ? exponent * 10 + (s.p[i] - '0') : exponent;
        exponent = is_negative ? -exponent : exponent;
    }
    int64_t top = (int64_t)n + power + exponent; // the number is 0.digits times ten to this
    return i == s.n && (n == 0 || top < 309 || (top == 309 && memcmp(digits, border, n) <= 0));
}

static bool
is_boolean(struct ag_str s)
{
    static const char *const known[] = {"1", "t", "T", "TRUE",  "true",  "True",
                                        "0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ag_str_is(s, known[i]))
            return true;
    return false;
}

// Whether the value, or one inside of it, is written like a number or boolean but is none.
static bool
is_broken(struct ag_gql_walk *w, const struct ag_gql_value *v, unsigned depth)
{
    if (depth > AG_GQL_WALK_MAX || !ag_gql_charge(w->g, 1))
        return true;
    switch (v->kind) {
    case AG_GQL_VARIABLE:
        return v->variable && v->variable->fallback && is_broken(w, v->variable->fallback, depth + 1);
    case AG_GQL_INT: return whole(v->raw, INT64_MAX) != 0;
    case AG_GQL_FLOAT: return !is_double(v->raw);
    case AG_GQL_BOOLEAN: return !is_boolean(v->raw);
    case AG_GQL_LIST:
    case AG_GQL_OBJECT:
        AG_GQL_EACH(struct ag_gql_child, child, v->children)
        {
            if (is_broken(w, child->value, depth + 1))
                return true;
        }
        return false;
    default: return false;
    }
}

// --- values of the type that is expected
// ---------------------------------------------------------------------------------------------------------

static bool
is_one(const struct ag_gql_definition *d, const char *const *names)
{
    for (; *names; names++)
        if (ag_str_is(d->name, *names))
            return true;
    return false;
}

static const char *const scalars[] = {"Int", "Float", "String", "Boolean", "ID", NULL};

static void
unexpected(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    static const struct {
        const char *type, *words;
    } known[] = {{"Int", "Int cannot represent non-integer value"},
                 {"String", "String cannot represent a non string value"},
                 {"Boolean", "Boolean cannot represent a non boolean value"},
                 {"Float", "Float cannot represent non numeric value"},
                 {"ID", "ID cannot represent a non-string and non-integer value"}};
    char text[AG_GQL_ERROR_MAX], type[AG_GQL_ERROR_MAX];
    const struct ag_gql_type *t = v->expected;
    value_text(v, text);
    ag_gql_type_text(t, type);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        bool is_list_of_strings = i == 1 && strcmp(type, "[String]") == 0;
        if (!ag_str_is(t->name, known[i].type) && !is_list_of_strings)
            continue;
        if (i == 0 && whole(v->raw, INT32_MAX) == 1)
            ag_gql_error(w->g, &v->at, "Int cannot represent non 32-bit signed integer value: %s", text);
        else
            ag_gql_error(w->g, &v->at, "%s: %s", known[i].words, text);
        return;
    }
    if (ag_gql_is_kind(v->def, "ENUM"))
        ag_gql_error(w->g, &v->at, "Enum \"%s\" cannot represent non-enum value: %s.", type, text);
    else
        ag_gql_error(w->g, &v->at, "Expected value of type \"%s\", found %s.", type, text);
}

static const char *
suggest_enum(struct ag_gql_walk *w, const struct ag_gql_value *v, char *out)
{
    struct ag_gql_suggestions found = {.n = 0};
    AG_GQL_EACH(struct ag_gql_enum_value, e, v->def->values)
    {
        ag_gql_suggest(w->g, v->raw, e->name, &found);
    }
    return ag_gql_suggestion_text(&found, " Did you mean the enum value", out);
}

static void
check_string(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    static const char *const texts[] = {"String", "ID", NULL};
    char text[AG_GQL_ERROR_MAX], type[AG_GQL_ERROR_MAX], more[AG_GQL_ERROR_MAX];
    if (ag_gql_is_kind(v->def, "ENUM"))
        ag_gql_error(w->g, &v->at, "Enum \"%s\" cannot represent non-enum value: %s.%s",
                     ag_gql_type_text(v->expected, type), value_text(v, text), suggest_enum(w, v, more));
    else if (!is_one(v->def, texts))
        unexpected(w, v);
}

static void
check_word(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    char type[AG_GQL_ERROR_MAX], more[AG_GQL_ERROR_MAX];
    if (!ag_gql_is_kind(v->def, "ENUM")) {
        unexpected(w, v);
        return;
    }
    if (!ag_gql_charge(w->g, 1 + v->def->values.n / 8))
        return;
    AG_GQL_EACH(struct ag_gql_enum_value, e, v->def->values)
    {
        if (ag_str_eq(e->name, v->raw))
            return;
    }
    ag_gql_error(w->g, &v->at, "Value \"%.*s\" does not exist in \"%s\" enum.%s", S(v->raw),
                 ag_gql_type_text(v->expected, type), suggest_enum(w, v, more));
}

static const struct ag_gql_child *
child_of(struct ag_gql_walk *w, const struct ag_gql_value *v, struct ag_str name)
{
    if (!ag_gql_charge(w->g, 1 + v->children.n / 8))
        return NULL;
    AG_GQL_EACH(struct ag_gql_child, child, v->children)
    {
        if (ag_str_eq(child->name, name))
            return child;
    }
    return NULL;
}

// Of an input object with @oneOf one field is given, and it is not null.
static void
check_one_of(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    const struct ag_gql_child *child = v->children.first;
    const struct ag_gql_field *first = v->def->fields.first;
    char type[AG_GQL_ERROR_MAX];
    if (v->children.n != 1) {
        ag_gql_error(w->g, &v->at, "OneOf Input Object \"%.*s\" must specify exactly one key.",
                     S(v->def->name));
        return;
    }
    const struct ag_gql_variable *variable = child->value->variable;
    if (child->value->kind == AG_GQL_NULL && first) // the words name the first field, whichever is given
        ag_gql_error(w->g, &child->value->at, "Field \"%.*s.%.*s\" must be non-null.", S(v->def->name),
                     S(first->name));
    else if (child->value->kind == AG_GQL_VARIABLE && variable && !variable->type->non_null)
        ag_gql_error(
            w->g, &variable->at,
            "Variable \"$%.*s\" is of type \"%s\" but must be non-nullable to be used for OneOf Input "
            "Object \"%.*s\".",
            S(variable->name), ag_gql_type_text(variable->type, type), S(v->def->name));
}

static void
check_object(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    char type[AG_GQL_ERROR_MAX], more[AG_GQL_ERROR_MAX];
    AG_GQL_EACH(struct ag_gql_field, f, v->def->fields)
    {
        if (f->type->non_null && !f->fallback && !child_of(w, v, f->name))
            ag_gql_error(w->g, &v->at, "Field \"%.*s.%.*s\" of required type \"%s\" was not provided.",
                         S(v->def->name), S(f->name), ag_gql_type_text(f->type, type));
    }
    AG_GQL_EACH(struct ag_gql_directive, d, v->def->directives)
    {
        if (ag_str_is(d->name, "oneOf"))
            check_one_of(w, v);
    }
    AG_GQL_EACH(struct ag_gql_child, child, v->children)
    {
        struct ag_gql_suggestions found = {.n = 0};
        if (!ag_gql_goes_on(w->g))
            return;
        if (ag_gql_field_find(w->g, &v->def->fields, child->name))
            continue;
        AG_GQL_EACH(struct ag_gql_field, f, v->def->fields)
        {
            ag_gql_suggest(w->g, child->name, f->name, &found);
        }
        ag_gql_error(w->g, &child->at, "Field \"%.*s\" is not defined by type \"%.*s\".%s", S(child->name),
                     S(v->def->name), ag_gql_suggestion_text(&found, " Did you mean", more));
    }
}

static void
check_type(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    static const char *const for_int[] = {"Int", "Float", "ID", NULL}, *const for_float[] = {"Float", NULL};
    static const char *const for_bool[] = {"Boolean", NULL};
    char type[AG_GQL_ERROR_MAX], text[AG_GQL_ERROR_MAX];
    if (v->kind == AG_GQL_NULL && v->expected->non_null)
        ag_gql_error(w->g, &v->at, "Expected value of type \"%s\", found %s.",
                     ag_gql_type_text(v->expected, type), value_text(v, text));
    if (ag_gql_is_kind(v->def, "SCALAR") && !is_one(v->def, scalars))
        return;
    if (is_broken(w, v, 0))
        unexpected(w, v);
    if (!ag_gql_goes_on(w->g))
        return;
    switch (v->kind) {
    case AG_GQL_VARIABLE:
    case AG_GQL_NULL: return;
    case AG_GQL_LIST:
        if (!v->expected->elem)
            unexpected(w, v);
        return;
    case AG_GQL_INT:
        if (!is_one(v->def, for_int))
            unexpected(w, v);
        return;
    case AG_GQL_FLOAT:
        if (!is_one(v->def, for_float))
            unexpected(w, v);
        return;
    case AG_GQL_STRING:
    case AG_GQL_BLOCK: check_string(w, v); return;
    case AG_GQL_ENUM: check_word(w, v); return;
    case AG_GQL_BOOLEAN:
        if (!is_one(v->def, for_bool))
            unexpected(w, v);
        return;
    case AG_GQL_OBJECT: check_object(w, v); return;
    default: ag_gql_error(w->g, &v->at, "unknown value kind %lld", (long long)v->kind);
    }
}

// --- variables and names of fields
// ---------------------------------------------------------------------------------------------------------

static void
check_defined(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    if (!w->operation || v->kind != AG_GQL_VARIABLE || v->variable)
        return;
    if (w->operation->name.n)
        ag_gql_error(w->g, &v->at, "Variable \"$%.*s\" is not defined by operation \"%.*s\".", S(v->raw),
                     S(w->operation->name));
    else
        ag_gql_error(w->g, &v->at, "Variable \"$%.*s\" is not defined.", S(v->raw));
}

static void
check_unique(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    if (v->kind != AG_GQL_OBJECT)
        return;
    AG_GQL_EACH(struct ag_gql_child, child, v->children)
    {
        const struct ag_gql_child *first = child_of(w, v, child->name);
        if (first && first != child)
            ag_gql_error(w->g, &child->at, "There can be only one input field named \"%.*s\".",
                         S(child->name));
    }
}

static void
check_position(struct ag_gql_walk *w, const struct ag_gql_value *v)
{
    char is[AG_GQL_ERROR_MAX], wanted[AG_GQL_ERROR_MAX];
    const struct ag_gql_variable *variable = v->variable;
    if (v->kind != AG_GQL_VARIABLE || !v->expected || !variable || !w->operation)
        return;
    struct ag_gql_type expected = *v->expected;
    bool has_fallback = variable->fallback && variable->fallback->kind != AG_GQL_NULL;
    if (has_fallback || v->has_default)
        expected.non_null = false;
    if (!ag_gql_type_fits(variable->type, &expected))
        ag_gql_error(w->g, &v->at,
                     "Variable \"$%.*s\" of type \"%s\" used in position expecting type \"%s\".", S(v->raw),
                     ag_gql_type_text(variable->type, is), ag_gql_type_text(v->expected, wanted));
}

void
ag_gql_rule_value(struct ag_gql_walk *w, struct ag_gql_value *v)
{
    check_defined(w, v);
    check_unique(w, v);
    if (v->def && v->expected)
        check_type(w, v);
    check_position(w, v);
}
