// SPDX-License-Identifier: Apache-2.0
// The walk over a query: finds the definition of everything in it and calls the rules, in the order of
// gqlparser, so that messages come in its order.
// In: a schema and a query. Out: messages. Who owns memory: the call's arena. Next file to read:
// graphql_rules.c.
#include "graphql_rules.h"

bool
ag_gql_enter(struct ag_gql_walk *w)
{
    static const struct ag_gql_node none;
    if (!ag_gql_goes_on(w->g) || !ag_gql_charge(w->g, 1))
        return false;
    if (w->depth >= AG_GQL_WALK_MAX) {
        ag_gql_error(w->g, &none, "nests more than %u deep", AG_GQL_WALK_MAX);
        w->g->error.is_full = true; // nothing more is to be found
        return false;
    }
    w->depth++;
    return true;
}

struct ag_gql_fragment *
ag_gql_fragment_find(struct ag_gql_walk *w, struct ag_str name)
{
    if (!ag_gql_charge(w->g, 1 + w->query->fragments.n / 8))
        return NULL;
    AG_GQL_EACH(struct ag_gql_fragment, f, w->query->fragments)
    {
        if (ag_str_eq(f->name, name))
            return f;
    }
    return NULL;
}

static struct ag_gql_variable *
variable_of(struct ag_gql_walk *w, struct ag_str name)
{
    if (!ag_gql_charge(w->g, 1 + w->operation->variables.n / 8))
        return NULL;
    AG_GQL_EACH(struct ag_gql_variable, v, w->operation->variables)
    {
        if (ag_str_eq(v->name, name))
            return v;
    }
    return NULL;
}

static bool
has_default(const struct ag_gql_field *f)
{
    return f->fallback && f->fallback->kind != AG_GQL_NULL;
}

static void
expect(struct ag_gql_walk *w, struct ag_gql_value *v, const struct ag_gql_field *f)
{
    v->expected = f->type;
    v->has_default = has_default(f);
    v->def = ag_gql_type_find(w->s, ag_gql_type_name(f->type));
}

static void
walk_value(struct ag_gql_walk *w, struct ag_gql_value *v)
{
    if (!ag_gql_enter(w))
        return;
    if (v->kind == AG_GQL_VARIABLE && w->operation) {
        v->variable = variable_of(w, v->raw);
        if (v->variable)
            v->variable->used = true;
    }
    if (v->kind == AG_GQL_OBJECT || v->kind == AG_GQL_LIST) {
        AG_GQL_EACH(struct ag_gql_child, child, v->children)
        {
            const struct ag_gql_field *f = v->kind == AG_GQL_OBJECT && v->def
                                               ? ag_gql_field_find(w->g, &v->def->fields, child->name)
                                               : NULL;
            if (f) {
                expect(w, child->value, f);
            } else if (v->kind == AG_GQL_LIST && v->expected && v->expected->elem) {
                child->value->expected = v->expected->elem;
                child->value->def = v->def;
            }
            walk_value(w, child->value);
        }
    }
    ag_gql_rule_value(w, v);
    w->depth--;
}

static void
walk_arguments(struct ag_gql_walk *w, const struct ag_gql_list *list, const struct ag_gql_list *defs)
{
    AG_GQL_EACH(struct ag_gql_argument, a, *list)
    {
        const struct ag_gql_field *f = defs ? ag_gql_field_find(w->g, defs, a->name) : NULL;
        if (f)
            expect(w, a->value, f);
        walk_value(w, a->value);
    }
}

static void
walk_directives(struct ag_gql_walk *w, const struct ag_gql_list *list, const char *location)
{
    AG_GQL_EACH(struct ag_gql_directive, d, *list)
    {
        const struct ag_gql_directive_definition *def = ag_gql_directive_find(w->s, d->name);
        d->location = ag_str_z(location);
        walk_arguments(w, &d->arguments, def ? &def->arguments : NULL);
        if (!ag_gql_goes_on(w->g))
            return;
        ag_gql_rule_directive(w, d, def);
    }
    ag_gql_rule_directives(w, list);
}

static void walk_set(struct ag_gql_walk *w, struct ag_gql_definition *parent, struct ag_gql_set *set);

static void
walk_field(struct ag_gql_walk *w, struct ag_gql_definition *parent, struct ag_gql_selection *f)
{
    if (ag_str_is(f->name, "__typename"))
        f->field = &w->name_field;
    else
        f->field = parent ? ag_gql_field_find(w->g, &parent->fields, f->name) : NULL;
    f->parent = parent;
    struct ag_gql_definition *def =
        f->field ? ag_gql_type_find(w->s, ag_gql_type_name(f->field->type)) : NULL;
    walk_arguments(w, &f->arguments, f->field ? &f->field->arguments : NULL);
    walk_directives(w, &f->directives, "FIELD");
    walk_set(w, def, &f->set);
    if (ag_gql_goes_on(w->g))
        ag_gql_rule_field(w, f);
}

static void
walk_spread(struct ag_gql_walk *w, struct ag_gql_definition *parent, struct ag_gql_selection *s)
{
    struct ag_gql_fragment *f = ag_gql_fragment_find(w, s->name);
    s->fragment = f;
    s->parent = parent;
    walk_directives(w, &s->directives, "FRAGMENT_SPREAD");
    if (f && f->walked != w->number) {
        f->walked = w->number;
        walk_set(w, ag_gql_type_find(w->s, f->condition), &f->set);
    }
    if (ag_gql_goes_on(w->g))
        ag_gql_rule_spread(w, s);
}

static void
walk_inline(struct ag_gql_walk *w, struct ag_gql_definition *parent, struct ag_gql_selection *s)
{
    s->parent = parent;
    walk_directives(w, &s->directives, "INLINE_FRAGMENT");
    walk_set(w, s->condition.n ? ag_gql_type_find(w->s, s->condition) : parent, &s->set);
    if (ag_gql_goes_on(w->g))
        ag_gql_rule_inline(w, s);
}

static void
walk_set(struct ag_gql_walk *w, struct ag_gql_definition *parent, struct ag_gql_set *set)
{
    if (!ag_gql_enter(w))
        return;
    AG_GQL_EACH(struct ag_gql_selection, s, set->list)
    {
        if (!ag_gql_goes_on(w->g))
            break;
        if (s->kind == AG_GQL_FIELD)
            walk_field(w, parent, s);
        else if (s->kind == AG_GQL_SPREAD)
            walk_spread(w, parent, s);
        else
            walk_inline(w, parent, s);
    }
    w->depth--;
}

static void
walk_variables(struct ag_gql_walk *w, struct ag_gql_operation *o)
{
    AG_GQL_EACH(struct ag_gql_variable, v, o->variables)
    {
        v->def = ag_gql_type_find(w->s, ag_gql_type_name(v->type));
        ag_gql_rule_variable(w, v);
        if (v->fallback) {
            v->fallback->expected = v->type;
            v->fallback->def = v->def;
        }
    }
    AG_GQL_EACH(struct ag_gql_variable, v, o->variables)
    {
        if (v->fallback)
            walk_value(w, v->fallback);
        walk_directives(w, &v->directives, "VARIABLE_DEFINITION");
    }
}

static void
walk_operation(struct ag_gql_walk *w, struct ag_gql_operation *o)
{
    bool is_query = o->operation.n == 0 || ag_str_is(o->operation, "query");
    bool is_mutation = ag_str_is(o->operation, "mutation");
    bool is_subscription = ag_str_is(o->operation, "subscription");
    struct ag_gql_definition *root = is_query          ? w->s->query
                                     : is_mutation     ? w->s->mutation
                                     : is_subscription ? w->s->subscription
                                                       : NULL;
    w->operation = o;
    w->number++;
    walk_variables(w, o);
    walk_directives(w, &o->directives, is_query ? "QUERY" : is_mutation ? "MUTATION" : "SUBSCRIPTION");
    walk_set(w, root, &o->set);
    if (ag_gql_goes_on(w->g))
        ag_gql_rule_operation(w, o);
    w->operation = NULL;
}

bool
ag_gql_validate(struct ag_gql *g, const struct ag_gql_schema *s, struct ag_gql_query *q)
{
    struct ag_gql_walk w = {.g = g, .s = s, .query = q, .string = {.name = AG_STR("String")}};
    w.name_field = (struct ag_gql_field){.name = AG_STR("__typename"), .type = &w.string};
    AG_GQL_EACH(struct ag_gql_operation, o, q->operations)
    {
        if (ag_gql_goes_on(g))
            walk_operation(&w, o);
    }
    w.in_fragments = true;
    AG_GQL_EACH(struct ag_gql_fragment, f, q->fragments)
    {
        if (!ag_gql_goes_on(g))
            break;
        w.number++;
        f->def = ag_gql_type_find(s, f->condition);
        walk_directives(&w, &f->directives, "FRAGMENT_DEFINITION");
        walk_set(&w, f->def, &f->set);
        if (ag_gql_goes_on(g))
            ag_gql_rule_fragment(&w, f);
    }
    return !g->failed && g->c->stop == AG_EVAL_OK;
}
