// SPDX-License-Identifier: Apache-2.0
// What the rules about queries share: the walk that calls them, suggestions, selections in a flat form.
// In: a schema and a query. Out: messages. Who owns memory: the call's arena. Thread rule: as struct ag_call.
// Next file to read: graphql_walk.c, graphql_rules.c, graphql_values.c, graphql_merge.c.
#ifndef AG_GRAPHQL_RULES_H
#define AG_GRAPHQL_RULES_H

#include "graphql.h"

#define AG_GQL_SUGGESTIONS_MAX 5u // names in "Did you mean"

struct ag_gql_walk {
    struct ag_gql *g;
    const struct ag_gql_schema *s;
    struct ag_gql_query *query;
    struct ag_gql_operation *operation; // NULL inside of fragments that are walked by themselves
    uint32_t number;                    // of the operation or fragment, from 1
    uint32_t stamp;                     // of a comparison (graphql_merge.c)
    unsigned depth;
    bool in_fragments;
    struct ag_gql_type string; // of __typename, which every type has
    struct ag_gql_field name_field;
};

// One level deeper; false: too deep, or there is nothing left to find.
bool ag_gql_enter(struct ag_gql_walk *w);
// The first fragment of that name.
struct ag_gql_fragment *ag_gql_fragment_find(struct ag_gql_walk *w, struct ag_str name);

// --- graphql_rules.c
void ag_gql_rule_operation(struct ag_gql_walk *w, struct ag_gql_operation *o);
void ag_gql_rule_variable(struct ag_gql_walk *w, struct ag_gql_variable *v);
void ag_gql_rule_field(struct ag_gql_walk *w, struct ag_gql_selection *f);
void ag_gql_rule_inline(struct ag_gql_walk *w, struct ag_gql_selection *s);
void ag_gql_rule_spread(struct ag_gql_walk *w, struct ag_gql_selection *s);
void ag_gql_rule_fragment(struct ag_gql_walk *w, struct ag_gql_fragment *f);
void ag_gql_rule_directive(struct ag_gql_walk *w, struct ag_gql_directive *d,
                           const struct ag_gql_directive_definition *def);
void ag_gql_rule_directives(struct ag_gql_walk *w, const struct ag_gql_list *list);

// --- graphql_values.c
void ag_gql_rule_value(struct ag_gql_walk *w, struct ag_gql_value *v);

// --- graphql_suggest.c: names like the typed one, the most alike first
struct ag_gql_suggestions {
    uint32_t n;
    struct ag_str name[AG_GQL_SUGGESTIONS_MAX];
    uint32_t distance[AG_GQL_SUGGESTIONS_MAX];
};
void ag_gql_suggest(struct ag_gql *g, struct ag_str typed, struct ag_str option,
                    struct ag_gql_suggestions *ret);
// " Did you mean "a" or "b"?", or nothing. out has room for AG_GQL_ERROR_MAX bytes; returns out.
const char *ag_gql_suggestion_text(const struct ag_gql_suggestions *s, const char *before, char *out);

// --- graphql_merge.c: fields of one name can be merged
void ag_gql_rule_merge(struct ag_gql_walk *w, struct ag_gql_set *set);

#endif
