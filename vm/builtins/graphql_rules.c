// SPDX-License-Identifier: Apache-2.0
// Rules about operations, fields, fragments, arguments and directives of a query.
// In: records whose definitions the walk has found. Out: messages, in the order and with the words of
// gqlparser. Who owns memory: the call's arena. Next file to read: graphql_suggest.c, graphql_values.c.
#include <stdio.h>

#include "graphql_rules.h"

#define S(s)                    AG_GQL_ARG(s)
#define INTROSPECTION_DEPTH_MAX 3 // lists of types inside of each other

// --- arguments
// ---------------------------------------------------------------------------------------------------------

static const char *
suggest_argument(struct ag_gql_walk *w, const struct ag_gql_list *defs, struct ag_str name, char *out)
{
    struct ag_gql_suggestions found = {.n = 0};
    AG_GQL_EACH(struct ag_gql_field, f, *defs)
    {
        ag_gql_suggest(w->g, name, f->name, &found);
    }
    return ag_gql_suggestion_text(&found, " Did you mean", out);
}

static bool
is_given(struct ag_gql_walk *w, const struct ag_gql_list *arguments, struct ag_str name)
{
    if (!ag_gql_charge(w->g, 1 + arguments->n / 8))
        return true;
    AG_GQL_EACH(struct ag_gql_argument, a, *arguments)
    {
        if (ag_str_eq(a->name, name))
            return true;
    }
    return false;
}

static bool
is_required(struct ag_gql_walk *w, const struct ag_gql_field *def, const struct ag_gql_list *arguments)
{
    return def->type->non_null && !def->fallback && !is_given(w, arguments, def->name);
}

static void
check_unique_arguments(struct ag_gql_walk *w, const struct ag_gql_list *arguments)
{
    AG_GQL_EACH(struct ag_gql_argument, a, *arguments)
    {
        if (!ag_gql_charge(w->g, 1 + arguments->n / 8))
            return;
        AG_GQL_EACH(struct ag_gql_argument, before, *arguments)
        {
            if (before == a)
                break;
            if (ag_str_eq(before->name, a->name)) {
                ag_gql_error(w->g, &a->at, "There can be only one argument named \"%.*s\".", S(a->name));
                break;
            }
        }
    }
}

// --- fields
// ---------------------------------------------------------------------------------------------------------

// Types that have the field, of those that the abstract type can be: interfaces before objects.
static void
suggest_types(struct ag_gql_walk *w, const struct ag_gql_definition *parent, struct ag_str name,
              struct ag_gql_suggestions *interfaces, struct ag_gql_suggestions *ret)
{
    AG_GQL_EACH(struct ag_gql_possible, p, parent->possible)
    {
        if (!ag_gql_field_find(w->g, &p->def->fields, name))
            continue;
        if (ret->n < AG_GQL_SUGGESTIONS_MAX)
            ret->name[ret->n++] = p->def->name;
        AG_GQL_EACH(struct ag_gql_name, n, p->def->interfaces)
        {
            const struct ag_gql_definition *i = ag_gql_type_find(w->s, n->name);
            uint32_t at = 0;
            if (!i || !ag_gql_field_find(w->g, &i->fields, name))
                continue;
            while (at < interfaces->n && !ag_str_eq(interfaces->name[at], n->name))
                at++;
            if (at == AG_GQL_SUGGESTIONS_MAX)
                continue;
            if (at == interfaces->n) {
                interfaces->n++;
                interfaces->distance[at] = 0;
            }
            interfaces->name[at] = n->name;
            for (interfaces->distance[at]++;
                 at > 0 && interfaces->distance[at] > interfaces->distance[at - 1];
                 at--) { // those that are met more often come first
                struct ag_str name_before = interfaces->name[at - 1];
                uint32_t before = interfaces->distance[at - 1];
                interfaces->name[at - 1] = interfaces->name[at];
                interfaces->distance[at - 1] = interfaces->distance[at];
                interfaces->name[at] = name_before;
                interfaces->distance[at] = before;
            }
        }
    }
}

static const char *
suggest_field(struct ag_gql_walk *w, const struct ag_gql_definition *parent, struct ag_str name, char *out)
{
    struct ag_gql_suggestions objects = {.n = 0}, found = {.n = 0};
    if (w->g->is_quiet)
        return ag_gql_suggestion_text(&found, "", out);
    if (ag_gql_is_kind(parent, "INTERFACE") || ag_gql_is_kind(parent, "UNION"))
        suggest_types(w, parent, name, &found, &objects);
    for (uint32_t i = 0; i < objects.n && found.n < AG_GQL_SUGGESTIONS_MAX; i++)
        found.name[found.n++] = objects.name[i];
    if (found.n)
        return ag_gql_suggestion_text(&found, " Did you mean to use an inline fragment on", out);
    if (ag_gql_is_kind(parent, "OBJECT") || ag_gql_is_kind(parent, "INTERFACE")) {
        AG_GQL_EACH(struct ag_gql_field, f, parent->fields)
        {
            ag_gql_suggest(w->g, name, f->name, &found);
        }
    }
    return ag_gql_suggestion_text(&found, " Did you mean", out);
}

// Whether the selections nest lists of types too deeply. A fragment is answered once for each depth.
static bool
is_too_deep(struct ag_gql_walk *w, const struct ag_gql_set *set, unsigned depth)
{
    static const char *const lists[] = {"fields", "interfaces", "possibleTypes", "inputFields"};
    bool found = false;
    if (!ag_gql_enter(w))
        return false;
    AG_GQL_EACH(struct ag_gql_selection, s, set->list)
    {
        unsigned inner = depth;
        struct ag_gql_fragment *f = s->fragment;
        for (size_t i = 0; s->kind == AG_GQL_FIELD && i < sizeof lists / sizeof lists[0]; i++)
            inner += ag_str_is(s->name, lists[i]);
        if (s->kind != AG_GQL_SPREAD) {
            found = inner >= INTROSPECTION_DEPTH_MAX || is_too_deep(w, &s->set, inner);
        } else if (f && !f->on_path) {
            if (!(f->depth_known >> depth & 1)) {
                f->on_path = true;
                if (is_too_deep(w, &f->set, depth))
                    f->depth_exceeded |= (uint8_t)(1u << depth);
                f->depth_known |= (uint8_t)(1u << depth);
                f->on_path = false;
            }
            found = f->depth_exceeded >> depth & 1;
        }
        if (found)
            break;
    }
    w->depth--;
    return found;
}

static void
check_known_field(struct ag_gql_walk *w, const struct ag_gql_selection *f)
{
    char more[AG_GQL_ERROR_MAX];
    if (f->parent && !f->field)
        ag_gql_error(w->g, &f->at, "Cannot query field \"%.*s\" on type \"%.*s\".%s", S(f->name),
                     S(f->parent->name), suggest_field(w, f->parent, f->name, more));
    if (!f->field || !f->parent)
        return;
    AG_GQL_EACH(struct ag_gql_argument, a, f->arguments)
    {
        if (!ag_gql_field_find(w->g, &f->field->arguments, a->name))
            ag_gql_error(w->g, &f->at, "Unknown argument \"%.*s\" on field \"%.*s.%.*s\".%s", S(a->name),
                         S(f->parent->name), S(f->name),
                         suggest_argument(w, &f->field->arguments, a->name, more));
    }
}

static void
check_leaf(struct ag_gql_walk *w, const struct ag_gql_selection *f)
{
    char type[AG_GQL_ERROR_MAX];
    const struct ag_gql_definition *def = ag_gql_type_find(w->s, ag_gql_type_name(f->field->type));
    if (!def)
        return;
    bool is_leaf = ag_gql_is_leaf(def);
    if (is_leaf && f->set.list.n)
        ag_gql_error(w->g, &f->at,
                     "Field \"%.*s\" must not have a selection since type \"%.*s\" has no subfields.",
                     S(f->name), S(def->name));
    if (!is_leaf && !f->set.list.n)
        ag_gql_error(
            w->g, &f->at,
            "Field \"%.*s\" of type \"%s\" must have a selection of subfields. Did you mean \"%.*s { ... "
            "}\"?",
            S(f->name), ag_gql_type_text(f->field->type, type), S(f->name));
}

void
ag_gql_rule_field(struct ag_gql_walk *w, struct ag_gql_selection *f)
{
    char type[AG_GQL_ERROR_MAX];
    check_known_field(w, f);
    if ((ag_str_is(f->name, "__schema") || ag_str_is(f->name, "__type")) && is_too_deep(w, &f->set, 0))
        ag_gql_error(w->g, &f->at, "Maximum introspection depth exceeded");
    if (w->operation)
        ag_gql_rule_merge(w, &f->set);
    if (f->field) {
        AG_GQL_EACH(struct ag_gql_field, def, f->field->arguments)
        {
            if (is_required(w, def, &f->arguments))
                ag_gql_error(
                    w->g, &f->at,
                    "Field \"%.*s\" argument \"%.*s\" of type \"%s\" is required, but it was not provided.",
                    S(f->name), S(def->name), ag_gql_type_text(def->type, type));
        }
        check_leaf(w, f);
    }
    check_unique_arguments(w, &f->arguments);
}

// --- directives
// ---------------------------------------------------------------------------------------------------------

void
ag_gql_rule_directive(struct ag_gql_walk *w, struct ag_gql_directive *d,
                      const struct ag_gql_directive_definition *def)
{
    char text[AG_GQL_ERROR_MAX];
    bool is_here = false;
    if (!def) {
        ag_gql_error(w->g, &d->at, "Unknown directive \"@%.*s\".", S(d->name));
        check_unique_arguments(w, &d->arguments);
        return;
    }
    AG_GQL_EACH(struct ag_gql_argument, a, d->arguments)
    {
        if (!ag_gql_field_find(w->g, &def->arguments, a->name))
            ag_gql_error(w->g, &d->at, "Unknown argument \"%.*s\" on directive \"@%.*s\".%s", S(a->name),
                         S(d->name), suggest_argument(w, &def->arguments, a->name, text));
    }
    AG_GQL_EACH(struct ag_gql_name, n, def->locations)
    {
        is_here = is_here || ag_str_eq(n->name, d->location);
    }
    if (!is_here)
        ag_gql_error(w->g, &d->at, "Directive \"@%.*s\" may not be used on %.*s.", S(d->name),
                     S(d->location));
    AG_GQL_EACH(struct ag_gql_field, f, def->arguments)
    {
        if (is_required(w, f, &d->arguments))
            ag_gql_error(
                w->g, &d->at,
                "Directive \"@%.*s\" argument \"%.*s\" of type \"%s\" is required, but it was not provided.",
                S(d->name), S(f->name), ag_gql_type_text(f->type, text));
    }
    check_unique_arguments(w, &d->arguments);
}

void
ag_gql_rule_directives(struct ag_gql_walk *w, const struct ag_gql_list *list)
{
    AG_GQL_EACH(struct ag_gql_directive, d, *list)
    {
        if (!ag_gql_charge(w->g, 1 + list->n / 8))
            return;
        const struct ag_gql_directive_definition *def = ag_gql_directive_find(w->s, d->name);
        if ((def && def->repeatable) || ag_str_is(d->name, "repeatable"))
            continue;
        AG_GQL_EACH(struct ag_gql_directive, before, *list)
        {
            if (before == d)
                break;
            if (ag_str_eq(before->name, d->name)) {
                ag_gql_error(w->g, &d->at, "The directive \"@%.*s\" can only be used once at this location.",
                             S(d->name));
                break;
            }
        }
    }
}

// --- fragments
// ---------------------------------------------------------------------------------------------------------

// Whether an object of the type where the fragment stands can be one of the fragment's type.
static bool
can_spread(struct ag_gql_walk *w, const struct ag_gql_definition *parent, struct ag_str condition)
{
    const struct ag_gql_definition *type = ag_gql_type_find(w->s, condition);
    if (!parent || !type || !ag_gql_is_composite(parent) || !ag_gql_is_composite(type))
        return true;
    bool is_object = ag_gql_is_kind(parent, "OBJECT");
    AG_GQL_EACH(struct ag_gql_possible, p, type->possible)
    {
        if (!ag_gql_charge(w->g, 1 + parent->possible.n / 8) ||
            (is_object && ag_str_eq(p->def->name, parent->name)))
            return true;
        AG_GQL_EACH(struct ag_gql_possible, other, parent->possible)
        {
            if (!is_object && ag_str_eq(p->def->name, other->def->name))
                return true;
        }
    }
    return false;
}

void
ag_gql_rule_inline(struct ag_gql_walk *w, struct ag_gql_selection *s)
{
    const struct ag_gql_definition *def = ag_gql_type_find(w->s, s->condition);
    if (def && !ag_gql_is_composite(def))
        ag_gql_error(w->g, &s->at, "Fragment cannot condition on non composite type \"%.*s\".",
                     S(s->condition));
    if (!def && s->condition.n)
        ag_gql_error(w->g, &s->at, "Unknown type \"%.*s\".", S(s->condition));
    ag_gql_rule_merge(w, &s->set);
    if (!can_spread(w, s->parent, s->condition))
        ag_gql_error(
            w->g, &s->at,
            "Fragment cannot be spread here as objects of type \"%.*s\" can never be of type \"%.*s\".",
            S(s->parent->name), S(s->condition));
}

void
ag_gql_rule_spread(struct ag_gql_walk *w, struct ag_gql_selection *s)
{
    if (!s->fragment) {
        ag_gql_error(w->g, &s->at, "Unknown fragment \"%.*s\".", S(s->name));
        return;
    }
    if (!w->in_fragments)
        s->fragment->used = true;
    if (!can_spread(w, s->parent, s->fragment->condition))
        ag_gql_error(
            w->g, &s->at,
            "Fragment \"%.*s\" cannot be spread here as objects of type \"%.*s\" can never be of type "
            "\"%.*s\".",
            S(s->name), S(s->parent->name), S(s->fragment->condition));
}

struct path { // of spreads from the fragment that is looked at, innermost first
    const struct path *outer;
    struct ag_gql_fragment *from;
    const struct ag_gql_selection *spread;
};

static void
report_cycle(struct ag_gql_walk *w, const struct path *path, const struct ag_gql_selection *s)
{
    const struct path *list[AG_GQL_WALK_MAX];
    char via[AG_GQL_ERROR_MAX];
    struct ag_buf b;
    uint32_t n = 0;
    // from the fragment that is spread again to here
    for (const struct path *p = path; p && n < AG_GQL_WALK_MAX && p->from != s->fragment; p = p->outer)
        if (p->outer)
            list[n++] = p->outer;
    ag_buf_init(&b, via, sizeof via - 1);
    for (uint32_t i = n; i-- > 0;) {
        ag_buf_str(&b, i + 1 == n ? AG_STR(" via \"") : AG_STR(", \""));
        ag_buf_str(&b, list[i]->spread->name);
        ag_buf_char(&b, '"');
    }
    ag_gql_error(w->g, &s->at, "Cannot spread fragment \"%.*s\" within itself%.*s.", S(s->name), (int)b.n,
                 via);
}

static void find_cycles(struct ag_gql_walk *w, struct ag_gql_fragment *f, const struct path *outer);

// The spreads of one set, those of the sets inside of it after them, the last first.
static void
follow_spreads(struct ag_gql_walk *w, struct ag_gql_set *set, struct path *path)
{
    uint32_t n = 0;
    if (!ag_gql_enter(w))
        return;
    const struct ag_gql_selection **inner = ag_call_alloc(w->g->c, (set->list.n + 1) * sizeof *inner, 8);
    if (!inner)
        return;
    AG_GQL_EACH(struct ag_gql_selection, s, set->list)
    {
        if (!ag_gql_goes_on(w->g))
            break;
        if (s->kind != AG_GQL_SPREAD) {
            if (s->set.list.n)
                inner[n++] = s;
            continue;
        }
        if (!s->fragment)
            continue;
        path->spread = s;
        if (s->fragment->on_path)
            report_cycle(w, path, s);
        else
            find_cycles(w, s->fragment, path);
    }
    while (n-- > 0) {
        struct ag_gql_set copy = inner[n]->set;
        follow_spreads(w, &copy, path);
    }
    w->depth--;
}

static void
find_cycles(struct ag_gql_walk *w, struct ag_gql_fragment *f, const struct path *outer)
{
    struct path path = {.outer = outer, .from = f};
    if (f->visited || !ag_gql_goes_on(w->g))
        return;
    f->visited = true;
    f->on_path = true;
    follow_spreads(w, &f->set, &path);
    f->on_path = false;
}

void
ag_gql_rule_fragment(struct ag_gql_walk *w, struct ag_gql_fragment *f)
{
    char more[AG_GQL_ERROR_MAX];
    struct ag_gql_suggestions found = {.n = 0};
    if (f->def && f->condition.n && !ag_gql_is_composite(f->def))
        ag_gql_error(w->g, &f->at, "Fragment \"%.*s\" cannot condition on non composite type \"%.*s\".",
                     S(f->name), S(f->condition));
    if (!f->def) {
        for (uint32_t i = 0; i < w->s->ntypes; i++)
            ag_gql_suggest(w->g, f->condition, w->s->type[i]->name, &found);
        ag_gql_error(w->g, &f->at, "Unknown type \"%.*s\".%s", S(f->condition),
                     ag_gql_suggestion_text(&found, " Did you mean", more));
    }
    find_cycles(w, f, NULL);
    const struct ag_gql_fragment *first = ag_gql_fragment_find(w, f->name);
    if (first && !first->used)
        ag_gql_error(w->g, &f->at, "Fragment \"%.*s\" is never used.", S(f->name));
    ag_gql_rule_merge(w, &f->set);
    if (first && first != f)
        ag_gql_error(w->g, &f->at, "There can be only one fragment named \"%.*s\".", S(f->name));
}

// --- operations
// ---------------------------------------------------------------------------------------------------------

void
ag_gql_rule_variable(struct ag_gql_walk *w, struct ag_gql_variable *v)
{
    struct ag_str name = ag_gql_type_name(v->type);
    if (!v->def)
        ag_gql_error(w->g, &v->at, "Unknown type \"%.*s\".", S(name));
}

#define TOP_FIELDS_MAX 2u // more than one is an error, and the second is named

struct top {
    uint32_t n;
    const struct ag_gql_selection *field[TOP_FIELDS_MAX];
    const struct ag_gql_selection *hidden; // the first that asks about the schema
};

static void
find_top_fields(struct ag_gql_walk *w, const struct ag_gql_set *set, struct top *ret)
{
    if (!ag_gql_enter(w))
        return;
    AG_GQL_EACH(struct ag_gql_selection, s, set->list)
    {
        if (s->kind == AG_GQL_INLINE)
            find_top_fields(w, &s->set, ret);
        if (s->kind == AG_GQL_SPREAD) {
            if (!s->fragment)
                break;
            if (s->fragment->walked == w->number)
                find_top_fields(w, &s->fragment->set, ret);
            s->fragment->walked = 0; // once is enough, and ends what goes round
        }
        if (s->kind != AG_GQL_FIELD)
            continue;
        bool is_known = false;
        for (uint32_t i = 0; i < ret->n; i++)
            is_known = is_known || ag_str_eq(ret->field[i]->name, s->name);
        if (!is_known && ret->n < TOP_FIELDS_MAX)
            ret->field[ret->n++] = s;
        if (!ret->hidden && s->name.n >= 2 && memcmp(s->name.p, "__", 2) == 0)
            ret->hidden = s;
    }
    w->depth--;
}

static void
check_subscription(struct ag_gql_walk *w, const struct ag_gql_operation *o)
{
    struct top top = {.n = 0};
    char name[AG_GQL_ERROR_MAX] = "Anonymous Subscription";
    if (!w->s->subscription || !ag_str_is(o->operation, "subscription"))
        return;
    find_top_fields(w, &o->set, &top);
    if (o->name.n)
        snprintf(name, sizeof name, "Subscription \"%.*s\"", S(o->name));
    if (top.n > 1)
        ag_gql_error(w->g, &top.field[1]->at, "%s must select only one top level field.", name);
    if (top.hidden)
        ag_gql_error(w->g, &top.hidden->at, "%s must not select an introspection top level field.", name);
}

// What is said of the variables of an operation: never used, defined twice, of a type that takes no values.
static void
check_unused(struct ag_gql_walk *w, const struct ag_gql_operation *o)
{
    AG_GQL_EACH(struct ag_gql_variable, v, o->variables)
    {
        if (v->used)
            continue;
        if (o->name.n)
            ag_gql_error(w->g, &v->at, "Variable \"$%.*s\" is never used in operation \"%.*s\".", S(v->name),
                         S(o->name));
        else
            ag_gql_error(w->g, &v->at, "Variable \"$%.*s\" is never used.", S(v->name));
    }
}

static void
check_variables(struct ag_gql_walk *w, const struct ag_gql_operation *o)
{
    char type[AG_GQL_ERROR_MAX];
    AG_GQL_EACH(struct ag_gql_variable, v, o->variables)
    {
        unsigned before = 0;
        if (!ag_gql_charge(w->g, 1 + o->variables.n / 8))
            return;
        AG_GQL_EACH(struct ag_gql_variable, other, o->variables)
        {
            if (other == v || before > 1)
                break;
            before += ag_str_eq(other->name, v->name);
        }
        if (before == 1) // said once for each name
            ag_gql_error(w->g, &v->at, "There can be only one variable named \"$%.*s\".", S(v->name));
    }
    AG_GQL_EACH(struct ag_gql_variable, v, o->variables)
    {
        if (v->def && !ag_gql_is_input(v->def))
            ag_gql_error(w->g, &v->at, "Variable \"$%.*s\" cannot be non-input type \"%s\".", S(v->name),
                         ag_gql_type_text(v->type, type));
    }
}

void
ag_gql_rule_operation(struct ag_gql_walk *w, struct ag_gql_operation *o)
{
    bool is_query = o->operation.n == 0 || ag_str_is(o->operation, "query");
    const struct ag_gql_definition *root = is_query                                  ? w->s->query
                                           : ag_str_is(o->operation, "mutation")     ? w->s->mutation
                                           : ag_str_is(o->operation, "subscription") ? w->s->subscription
                                                                                     : NULL;
    if (!root)
        ag_gql_error(w->g, &o->at, "Schema does not support operation type \"%.*s\"", S(o->operation));
    if (o->name.n == 0 && w->query->operations.n > 1)
        ag_gql_error(w->g, &o->at, "This anonymous operation must be the only defined operation.");
    check_unused(w, o);
    ag_gql_rule_merge(w, &o->set);
    check_subscription(w, o);
    AG_GQL_EACH(struct ag_gql_operation, before, w->query->operations)
    {
        if (before == o || !ag_gql_charge(w->g, 1))
            break;
        if (ag_str_eq(before->name, o->name)) {
            ag_gql_error(w->g, &o->at, "There can be only one operation named \"%.*s\".", S(o->name));
            break;
        }
    }
    check_variables(w, o);
}
