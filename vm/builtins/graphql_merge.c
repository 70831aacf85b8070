// SPDX-License-Identifier: Apache-2.0
// Fields that answer under one name must be the same field, with the same arguments and types that agree,
// and so must the fields selected below them (OverlappingFieldsCanBeMerged).
// In: a set of selections. Out: messages. What is compared, and in which order, is as in gqlparser, so that
// the same conflicts are found. Who owns memory: the call's arena. Next file to read: graphql.c.
#include <stdarg.h>
#include <stdio.h>

#include "graphql_rules.h"

#define S(s) AG_GQL_ARG(s)

// The fields of a set with those of its inline fragments, and the fragments that it spreads.
struct flat_field {
    const struct ag_gql_selection *field;
    uint32_t next; // one more than the index of the next field of the same name; 0: none
    bool is_first;
};
struct ag_gql_flat {
    uint32_t nfields, nspreads;
    struct flat_field *field;
    struct ag_gql_fragment **spread; // those that are defined
};

struct ag_gql_pair { // fragments that were compared
    struct ag_gql_pair *next;
    const struct ag_gql_fragment *with;
    bool is_exclusive;
};

struct conflict {
    struct conflict *next;
    struct ag_str name, text; // text is empty: the conflicts below say why
    struct conflict *below;
    const struct ag_gql_selection *at;
};
struct conflicts {
    struct conflict *first, *last;
};

static struct ag_str
answer_name(const struct ag_gql_selection *f)
{
    return f->alias.n ? f->alias : f->name;
}

// --- flat form
// ---------------------------------------------------------------------------------------------------------

static void
count(struct ag_gql_walk *w, const struct ag_gql_set *set, struct ag_gql_flat *f)
{
    if (!ag_gql_enter(w))
        return;
    AG_GQL_EACH(struct ag_gql_selection, s, set->list)
    {
        if (s->kind == AG_GQL_INLINE)
            count(w, &s->set, f);
        else if (s->kind == AG_GQL_FIELD)
            f->nfields++;
        else
            f->nspreads++;
    }
    w->depth--;
}

static void
fill(struct ag_gql_walk *w, const struct ag_gql_set *set, struct ag_gql_flat *f)
{
    AG_GQL_EACH(struct ag_gql_selection, s, set->list)
    {
        if (s->kind == AG_GQL_INLINE) {
            fill(w, &s->set, f);
        } else if (s->kind == AG_GQL_FIELD) {
            f->field[f->nfields++] = (struct flat_field){.field = s, .is_first = true};
        } else {
            struct ag_gql_fragment *found = s->fragment ? s->fragment : ag_gql_fragment_find(w, s->name);
            if (found)
                f->spread[f->nspreads++] = found;
        }
    }
}

// NULL: the evaluation ended, or there is nothing left to find.
static const struct ag_gql_flat *
flat_of(struct ag_gql_walk *w, struct ag_gql_set *set)
{
    struct ag_gql_flat n = {.nfields = 0};
    if (set->flat || !ag_gql_goes_on(w->g))
        return set->flat;
    count(w, set, &n);
    struct ag_gql_flat *f = ag_gql_goes_on(w->g) ? ag_call_alloc(w->g->c, sizeof *f, 8) : NULL;
    if (!f || !ag_gql_charge(w->g, 1 + n.nfields + (uint64_t)n.nfields * n.nfields / 16))
        return NULL;
    *f = (struct ag_gql_flat){.nfields = 0};
    f->field = ag_call_alloc(w->g->c, (n.nfields + 1) * sizeof *f->field, 8);
    f->spread = ag_call_alloc(w->g->c, (n.nspreads + 1) * sizeof(struct ag_gql_fragment *), 8);
    if (!f->field || !f->spread)
        return NULL;
    fill(w, set, f);
    for (uint32_t i = 0; i < f->nfields; i++)
        for (uint32_t k = i + 1; k < f->nfields; k++)
            if (ag_str_eq(answer_name(f->field[i].field), answer_name(f->field[k].field))) {
                f->field[i].next = k + 1;
                f->field[k].is_first = false;
                break;
            }
    set->flat = f;
    return f;
}

// --- conflicts
// ---------------------------------------------------------------------------------------------------------

static void find_below(struct ag_gql_walk *w, bool is_exclusive, struct ag_gql_set *a, struct ag_gql_set *b,
                       struct conflicts *ret);

static struct conflict *
add_conflict(struct ag_gql_walk *w, struct conflicts *list, const struct ag_gql_selection *a,
             const struct ag_gql_selection *b)
{
    struct conflict *c = ag_call_alloc(w->g->c, sizeof *c, 8);
    if (!c)
        return NULL;
    *c = (struct conflict){.name = answer_name(a), .text = AG_STR(""), .at = b};
    if (list->last)
        list->last->next = c;
    else
        list->first = c;
    list->last = c;
    return c;
}

static void __attribute__((format(printf, 5, 6)))
conflict(struct ag_gql_walk *w, struct conflicts *list, const struct ag_gql_selection *a,
         const struct ag_gql_selection *b, const char *fmt, ...)
{
    char text[AG_GQL_ERROR_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct conflict *c = add_conflict(w, list, a, b);
    struct ag_value copy =
        ag_bi_copy(w->g->c, ag_str_of(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1));
    if (c && copy.kind == AG_STRING)
        c->text = ag_value_str(copy);
}

static bool
same_arguments(struct ag_gql_walk *w, const struct ag_gql_list *a, const struct ag_gql_list *b)
{
    if (a->n != b->n)
        return false;
    AG_GQL_EACH(struct ag_gql_argument, x, *a)
    {
        bool is_found = false;
        if (!ag_gql_charge(w->g, 1 + b->n / 8))
            return true;
        AG_GQL_EACH(struct ag_gql_argument, y, *b)
        {
            if (ag_str_eq(x->name, y->name) && x->value->kind == y->value->kind &&
                ag_str_eq(x->value->raw, y->value->raw)) {
                is_found = true;
                break;
            }
        }
        if (!is_found)
            return false;
    }
    return true;
}

static bool
types_conflict(struct ag_gql_walk *w, const struct ag_gql_type *a, const struct ag_gql_type *b)
{
    while (a->elem && b->elem) {
        a = a->elem;
        b = b->elem;
    }
    if (a->elem || b->elem || a->non_null != b->non_null)
        return true;
    const struct ag_gql_definition *x = ag_gql_type_find(w->s, a->name), *y = ag_gql_type_find(w->s, b->name);
    return x && y && ag_gql_is_leaf(x) && ag_gql_is_leaf(y) && !ag_str_eq(x->name, y->name);
}

static void
compare(struct ag_gql_walk *w, bool is_exclusive, const struct ag_gql_selection *a,
        const struct ag_gql_selection *b, struct conflicts *ret)
{
    char x[AG_GQL_ERROR_MAX], y[AG_GQL_ERROR_MAX];
    if (!ag_gql_goes_on(w->g) || !ag_gql_charge(w->g, 1) || !a->parent || !b->parent)
        return;
    is_exclusive = is_exclusive ||
                   (!ag_str_eq(a->parent->name, b->parent->name) && ag_gql_is_kind(a->parent, "OBJECT") &&
                    ag_gql_is_kind(b->parent, "OBJECT") && a->field && b->field);
    if (!is_exclusive && !ag_str_eq(a->name, b->name)) {
        conflict(w, ret, a, b, "\"%.*s\" and \"%.*s\" are different fields", S(a->name), S(b->name));
        return;
    }
    if (!is_exclusive && !same_arguments(w, &a->arguments, &b->arguments)) {
        conflict(w, ret, a, b, "they have differing arguments");
        return;
    }
    if (a->field && b->field && types_conflict(w, a->field->type, b->field->type)) {
        conflict(w, ret, a, b, "they return conflicting types \"%s\" and \"%s\"",
                 ag_gql_type_text(a->field->type, x), ag_gql_type_text(b->field->type, y));
        return;
    }
    struct conflicts below = {.first = NULL};
    union { // the sets are kept flat, which their selections do not see
        const struct ag_gql_set *in;
        struct ag_gql_set *out;
    } p = {.in = &a->set}, q = {.in = &b->set};
    find_below(w, is_exclusive, p.out, q.out, &below);
    struct conflict *c = below.first ? add_conflict(w, ret, a, b) : NULL;
    if (c)
        c->below = below.first;
}

static void
compare_within(struct ag_gql_walk *w, const struct ag_gql_flat *f, struct conflicts *ret)
{
    for (uint32_t i = 0; i < f->nfields; i++) {
        if (!f->field[i].is_first)
            continue;
        for (uint32_t a = i + 1; a; a = f->field[a - 1].next)
            for (uint32_t b = f->field[a - 1].next; b && ag_gql_goes_on(w->g); b = f->field[b - 1].next)
                compare(w, false, f->field[a - 1].field, f->field[b - 1].field, ret);
    }
}

static void
compare_between(struct ag_gql_walk *w, bool is_exclusive, const struct ag_gql_flat *x,
                const struct ag_gql_flat *y, struct conflicts *ret)
{
    for (uint32_t i = 0; i < x->nfields; i++) {
        uint32_t k = 0;
        if (!x->field[i].is_first)
            continue;
        if (!ag_gql_goes_on(w->g) || !ag_gql_charge(w->g, 1 + y->nfields / 8))
            return;
        while (k < y->nfields && !ag_str_eq(answer_name(x->field[i].field), answer_name(y->field[k].field)))
            k++;
        if (k == y->nfields)
            continue;
        for (uint32_t a = i + 1; a; a = x->field[a - 1].next)
            for (uint32_t b = k + 1; b && ag_gql_goes_on(w->g); b = y->field[b - 1].next)
                compare(w, is_exclusive, x->field[a - 1].field, y->field[b - 1].field, ret);
    }
}

static void
compare_with_fragment(struct ag_gql_walk *w, bool is_exclusive, const struct ag_gql_flat *x,
                      struct ag_gql_fragment *f, struct conflicts *ret)
{
    if (f->compared == w->stamp || !ag_gql_enter(w))
        return;
    f->compared = w->stamp;
    const struct ag_gql_flat *y = flat_of(w, &f->set);
    if (y && y != x) {
        compare_between(w, is_exclusive, x, y, ret);
        for (uint32_t i = 0; i < y->nspreads; i++)
            if (y->spread[i] != f)
                compare_with_fragment(w, is_exclusive, x, y->spread[i], ret);
    }
    w->depth--;
}

// Whether the two were compared already, or are now to be.
static bool
is_compared(struct ag_gql_walk *w, struct ag_gql_fragment *a, const struct ag_gql_fragment *b,
            bool is_exclusive)
{
    for (struct ag_gql_pair *p = a->pairs; p; p = p->next) {
        if (!ag_gql_charge(w->g, 1))
            return true;
        if (p->with != b)
            continue;
        if (is_exclusive || !p->is_exclusive)
            return true;
        p->is_exclusive = false;
        return false;
    }
    struct ag_gql_pair *p = ag_call_alloc(w->g->c, sizeof *p, 8);
    if (!p)
        return true;
    *p = (struct ag_gql_pair){.next = a->pairs, .with = b, .is_exclusive = is_exclusive};
    a->pairs = p;
    return false;
}

static void
compare_fragments(struct ag_gql_walk *w, bool is_exclusive, struct ag_gql_fragment *a,
                  struct ag_gql_fragment *b, struct conflicts *ret)
{
    if (a == b || is_compared(w, a < b ? a : b, a < b ? b : a, is_exclusive) || !ag_gql_enter(w))
        return;
    const struct ag_gql_flat *x = flat_of(w, &a->set), *y = x ? flat_of(w, &b->set) : NULL;
    if (y) {
        compare_between(w, is_exclusive, x, y, ret);
        for (uint32_t i = 0; i < y->nspreads; i++)
            compare_fragments(w, is_exclusive, a, y->spread[i], ret);
        for (uint32_t i = 0; i < x->nspreads; i++)
            compare_fragments(w, is_exclusive, x->spread[i], b, ret);
    }
    w->depth--;
}

static void
find_below(struct ag_gql_walk *w, bool is_exclusive, struct ag_gql_set *a, struct ag_gql_set *b,
           struct conflicts *ret)
{
    if ((!a->list.n && !b->list.n) || !ag_gql_enter(w))
        return;
    const struct ag_gql_flat *x = flat_of(w, a), *y = x ? flat_of(w, b) : NULL;
    if (y) {
        compare_between(w, is_exclusive, x, y, ret);
        for (uint32_t i = 0; i < y->nspreads; i++) {
            w->stamp++;
            compare_with_fragment(w, is_exclusive, x, y->spread[i], ret);
        }
        for (uint32_t i = 0; i < x->nspreads; i++) {
            w->stamp++;
            compare_with_fragment(w, is_exclusive, y, x->spread[i], ret);
        }
        for (uint32_t i = 0; i < x->nspreads; i++)
            for (uint32_t k = 0; k < y->nspreads; k++)
                compare_fragments(w, is_exclusive, x->spread[i], y->spread[k], ret);
    }
    w->depth--;
}

static void
put_reasons(struct ag_buf *b, const struct conflict *c)
{
    if (!c->below)
        ag_buf_str(b, c->text);
    for (const struct conflict *below = c->below; below && !b->is_full; below = below->next) {
        ag_buf_lit(b, "subfields \"");
        ag_buf_str(b, below->name);
        ag_buf_lit(b, "\" conflict because ");
        put_reasons(b, below);
        if (below->next)
            ag_buf_lit(b, " and ");
    }
}

void
ag_gql_rule_merge(struct ag_gql_walk *w, struct ag_gql_set *set)
{
    struct conflicts found = {.first = NULL};
    const struct ag_gql_flat *f = set->list.n ? flat_of(w, set) : NULL;
    if (!f)
        return;
    compare_within(w, f, &found);
    w->stamp++;
    for (uint32_t i = 0; i < f->nspreads; i++) {
        compare_with_fragment(w, false, f, f->spread[i], &found);
        for (uint32_t k = i + 1; k < f->nspreads; k++)
            compare_fragments(w, false, f->spread[i], f->spread[k], &found);
    }
    for (const struct conflict *c = found.first; c && ag_gql_goes_on(w->g); c = c->next) {
        char text[AG_GQL_ERROR_MAX];
        struct ag_buf b;
        ag_buf_init(&b, text, sizeof text);
        put_reasons(&b, c);
        ag_gql_error(
            w->g, &c->at->at,
            "Fields \"%.*s\" conflict because %.*s. Use different aliases on the fields to fetch both if "
            "this was intentional.",
            S(c->name), (int)b.n, text);
    }
}
