// SPDX-License-Identifier: Apache-2.0
// Step 5, types of modules. Groups come callees first, so the type of what a body refers to is known; inside
// a body literals come in the order in which variables are bound, so one pass is enough: a variable gets its
// type where it is bound. In: struct agc_program. Out: `type` of terms, struct agc_types. Memory: the compile
// arena. Next file to read: check_ref.c for references, then lower_rego.c.
#include "check_program.h"

#include "check_parts.h"

#include <stdio.h>

#define ANY    (&agc_type_any)
#define NUMBER agc_type_scalar(AGC_TY_NUMBER)
#define STRING agc_type_scalar(AGC_TY_STRING)
#define BOOL   agc_type_scalar(AGC_TY_BOOL)

__attribute__((format(printf, 3, 4))) struct agc_diag *
agc_check_error(struct agc_checker *c, struct agc_span at, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->is_failed |= !c->in_every;
    return agc_diag(c->diags, c->in_every ? AGC_D_TYPE_MISMATCH : AGC_D_TYPE_ERROR, at, "%s", text);
}

// --- what a term is
static const struct agc_type *
get_collection(struct agc_checker *c, const struct agc_node *n)
{
    if (n->n == 0)
        return agc_type_of_const(c->arena, n);
    const struct agc_type *of = NULL, *key = NULL;
    if (n->kind == AGC_ARRAY) {
        const struct agc_type **elem = agc_alloc(c->arena, n->n * sizeof *elem);
        for (uint32_t i = 0; i < n->n; i++)
            elem[i] = agc_check_get(c, n->kid[i]);
        return agc_type_array(c->arena, elem, n->n, NULL);
    }
    if (n->kind == AGC_SET) {
        for (uint32_t i = 0; i < n->n; i++)
            of = agc_type_or(c->arena, of, agc_check_get(c, n->kid[i]));
        return agc_type_set(c->arena, of);
    }
    struct agc_type_prop *prop = agc_alloc(c->arena, (n->n / 2) * sizeof *prop);
    uint32_t nprops = 0;
    for (uint32_t i = 0; i < n->n; i += 2) {
        const struct agc_type *value = agc_check_get(c, n->kid[i + 1]);
        if (agc_node_is_const(n->kid[i])) {
            prop[nprops++] = (struct agc_type_prop){n->kid[i], value};
            continue;
        }
        const struct agc_type *k = agc_check_get(c, n->kid[i]);
        key = agc_type_or(c->arena, key, k ? k : ANY);
        of = agc_type_or(c->arena, of, value ? value : ANY);
    }
    return agc_type_object(c->arena, prop, nprops, key, of);
}

const struct agc_type *
agc_check_get(struct agc_checker *c, const struct agc_node *n)
{
    switch (n->kind) {
    case AGC_VAR:
        if (n->symbol == AGC_SYM_INPUT)
            return c->input;
        return n->symbol == AGC_SYM_DATA ? ANY : c->local[n->symbol];
    case AGC_ARRAY:
    case AGC_SET:
    case AGC_OBJECT: return get_collection(c, n);
    case AGC_NULL_LIT:
    case AGC_TRUE_LIT:
    case AGC_FALSE_LIT:
    case AGC_NUMBER:
    case AGC_STRING: return agc_type_of_const(c->arena, n);
    default: return n->type;
    }
}

// --- unification of a term with a type: variables that have none get it
static bool
unify_array(struct agc_checker *c, const struct agc_node *n, const struct agc_type *t)
{
    if (t->kind != AGC_TY_ARRAY)
        return false;
    if (n->n != t->n && !t->value)
        return false;
    for (uint32_t i = 0; i < n->n; i++)
        if (!agc_check_unify(c, n->kid[i], i < t->n ? t->elem[i] : t->value))
            return false;
    return true;
}

static bool
unify_object(struct agc_checker *c, const struct agc_node *n, const struct agc_type *t)
{
    if (t->kind != AGC_TY_OBJECT)
        return false;
    if (n->n / 2 != t->nprops && !t->value)
        return false;
    for (uint32_t i = 0; i < n->n; i += 2) {
        // What stands under a key that is not known yet can be anything.
        const struct agc_type *value = ANY;
        if (agc_node_is_const(n->kid[i]))
            value = agc_type_select(c->arena, t, n->kid[i]);
        if (!value || !agc_check_unify(c, n->kid[i + 1], value))
            return false;
    }
    return true;
}

bool
agc_check_unify(struct agc_checker *c, const struct agc_node *n, const struct agc_type *t)
{
    if (!t)
        return false;
    bool is_pattern = n->kind == AGC_ARRAY || n->kind == AGC_OBJECT || n->kind == AGC_SET;
    if (n->kind == AGC_VAR && n->symbol < AGC_SYM_DATA && !c->local[n->symbol]) {
        c->local[n->symbol] = t;
        return true;
    }
    if (!is_pattern) {
        const struct agc_type *have = agc_check_get(c, n);
        return !have || agc_type_unifies(have, t); // what failed has been reported
    }
    if (t->kind == AGC_TY_UNION && t->n) {
        bool some = false;
        for (uint32_t i = 0; i < t->n; i++)
            some |= agc_check_unify(c, n, t->elem[i]);
        return some;
    }
    bool is_any = agc_type_is_any(t);
    if (n->kind == AGC_ARRAY && !is_any)
        return unify_array(c, n, t);
    if (n->kind == AGC_OBJECT && !is_any)
        return unify_object(c, n, t);
    if (!is_any && t->kind != AGC_TY_SET)
        return false;
    for (uint32_t i = 0; i < n->n; i++)
        if (!agc_check_unify(c, n->kid[i], is_any ? ANY : t->value))
            return false;
    return true;
}

// A type that is known through and through: patterns with unbound variables have none.
static bool
is_bound(struct agc_checker *c, const struct agc_node *n)
{
    if (n->kind == AGC_VAR)
        return n->symbol >= AGC_SYM_DATA || c->local[n->symbol];
    if (n->kind == AGC_ARRAY || n->kind == AGC_OBJECT || n->kind == AGC_SET)
        for (uint32_t i = 0; i < n->n; i++)
            if (!is_bound(c, n->kid[i]))
                return false;
    return true;
}

static bool
unify_terms(struct agc_checker *c, const struct agc_node *l, const struct agc_node *r)
{
    bool l_bound = is_bound(c, l), r_bound = is_bound(c, r);
    if (l_bound && r_bound) {
        const struct agc_type *lt = agc_check_get(c, l), *rt = agc_check_get(c, r);
        return !lt || !rt || agc_type_unifies(lt, rt);
    }
    if (l_bound || r_bound) {
        const struct agc_node *from = l_bound ? l : r, *to = l_bound ? r : l;
        const struct agc_type *t = agc_check_get(c, from);
        return !t || agc_check_unify(c, to, t);
    }
    if (l->kind != r->kind || (l->kind != AGC_ARRAY && l->kind != AGC_OBJECT))
        return l->kind == AGC_VAR || r->kind == AGC_VAR;
    if (l->n != r->n)
        return false;
    for (uint32_t i = 0; i < l->n; i++)
        if (!unify_terms(c, l->kid[i], r->kid[i]))
            return false;
    return true;
}

static void
check_equal(struct agc_checker *c, const struct agc_node *n)
{
    char left[200], right[200];
    if (unify_terms(c, n->kid[0], n->kid[1]))
        return;
    agc_check_error(c, n->span, "%s is never equal to %s",
                    agc_type_name(agc_check_get(c, n->kid[0]), left, sizeof left),
                    agc_type_name(agc_check_get(c, n->kid[1]), right, sizeof right));
}

// --- calls and operators
static void
check_arg(struct agc_checker *c, const struct agc_node *arg, const struct agc_type *want, const char *what)
{
    char have[200], wanted[200];
    if (agc_check_unify(c, arg, want))
        return;
    agc_check_error(c, arg->span, "%s must be %s, this is %s", what,
                    agc_type_name(want, wanted, sizeof wanted),
                    agc_type_name(agc_check_get(c, arg), have, sizeof have));
}

static const struct agc_type *
check_call(struct agc_checker *c, const struct agc_node *n)
{
    char what[160];
    const struct agc_builtin *b = n->group ? NULL : agc_builtin_at(n->symbol);
    const struct agc_group_type *f = n->group ? &c->types->group[n->group->number] : NULL;
    if (!b && (!f || !f->args))
        return ANY;
    uint32_t nargs = b ? b->nargs : n->group->nargs;
    for (uint32_t i = 0; i < nargs && i + 1 < n->n; i++) {
        snprintf(what, sizeof what, "argument %u of %.*s", i + 1,
                 b ? (int)strlen(b->name) : (int)n->group->name.n, b ? b->name : n->group->name.p);
        check_arg(c, n->kid[i + 1], b ? agc_check_builtin_arg(c, n->symbol, i) : f->args[i], what);
    }
    return b ? agc_check_builtin_result(c, n->symbol) : f->value ? f->value : ANY;
}

static const struct agc_type *
check_binary(struct agc_checker *c, const struct agc_node *n)
{
    char what[40];
    const struct agc_type *want = ANY, *result = BOOL;
    char op = n->text.n == 1 ? n->text.p[0] : '\0';
    if (op == '+' || op == '*' || op == '/' || op == '%')
        want = result = NUMBER;
    else if (op == '-')
        want = result = agc_type_or(c->arena, NUMBER, agc_type_set(c->arena, ANY));
    else if (op == '&' || op == '|')
        want = result = agc_type_set(c->arena, ANY);
    snprintf(what, sizeof what, "an operand of %.*s", (int)n->text.n, n->text.p);
    check_arg(c, n->kid[0], want, what);
    check_arg(c, n->kid[1], want, what);
    return result;
}

static const struct agc_type *
check_comprehension(struct agc_checker *c, const struct agc_node *n)
{
    bool was_in_every = c->in_every;
    c->in_every = false;
    agc_check_query(c, n->kid[n->n - 1]);
    for (uint32_t i = 0; i + 1 < n->n; i++)
        agc_check_visit(c, n->kid[i]);
    c->in_every = was_in_every;
    if (n->kind == AGC_OBJECT_COMP) {
        const struct agc_type *k = agc_check_get(c, n->kid[0]), *v = agc_check_get(c, n->kid[1]);
        return agc_type_object(c->arena, NULL, 0, k ? k : ANY, v ? v : ANY);
    }
    const struct agc_type *of = agc_check_get(c, n->kid[0]);
    return n->kind == AGC_SET_COMP ? agc_type_set(c->arena, of)
                                   : agc_type_array(c->arena, NULL, 0, of ? of : ANY);
}

void
agc_check_visit(struct agc_checker *c, struct agc_node *n)
{
    bool has_body = n->kind == AGC_ARRAY_COMP || n->kind == AGC_SET_COMP || n->kind == AGC_OBJECT_COMP;
    for (uint32_t i = n->kind == AGC_CALL; !has_body && i < n->n; i++)
        agc_check_visit(c, n->kid[i]);
    switch (n->kind) {
    case AGC_REF: n->type = agc_check_ref(c, n); break;
    case AGC_CALL: n->type = check_call(c, n); break;
    case AGC_BINARY: n->type = check_binary(c, n); break;
    case AGC_NEGATE:
        check_arg(c, n->kid[0], NUMBER, "the operand of -");
        n->type = NUMBER;
        break;
    case AGC_TEMPLATE: n->type = STRING; break;
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: n->type = check_comprehension(c, n); break;
    case AGC_MEMBER2: n->type = BOOL; break;
    default: break;
    }
}

// --- literals
// A pattern must be able to be what the collection has.
static void
check_element(struct agc_checker *c, const struct agc_node *n, const struct agc_type *t, const char *what)
{
    char have[200], want[200];
    if (agc_check_unify(c, n, t))
        return;
    agc_check_error(c, n->span, "%s here are %s, this is %s", what, agc_type_name(t, want, sizeof want),
                    agc_type_name(agc_check_get(c, n), have, sizeof have));
}

// A key and a value of the collection, or the value alone, are bound to patterns.
static void
check_some_in(struct agc_checker *c, const struct agc_node *key, const struct agc_node *value,
              const struct agc_node *coll)
{
    char have[200];
    const struct agc_type *t = agc_check_get(c, coll), *k = agc_type_keys(c->arena, t ? t : ANY),
                          *v = agc_type_values(c->arena, t ? t : ANY);
    if (!k && t->kind != AGC_TY_OBJECT)
        agc_check_error(c, coll->span,
                        "the right side of in must be an array, an object or a set, this is %s",
                        agc_type_name(t, have, sizeof have));
    if (key)
        check_element(c, key, k ? k : ANY, "keys");
    check_element(c, value, v ? v : ANY, "values");
}

// The domain of every may be anything: what has no elements is undefined.
static void
check_every(struct agc_checker *c, struct agc_node *n)
{
    agc_check_visit(c, n->kid[n->n - 2]);
    const struct agc_type *t = agc_check_get(c, n->kid[n->n - 2]), *k = t ? agc_type_keys(c->arena, t) : ANY,
                          *v = t ? agc_type_values(c->arena, t) : ANY;
    if (n->n == 4)
        agc_check_unify(c, n->kid[0], k ? k : ANY);
    agc_check_unify(c, n->kid[n->n - 3], v ? v : ANY);
    bool was_in_every = c->in_every;
    c->in_every = true;
    agc_check_query(c, n->kid[n->n - 1]);
    c->in_every = was_in_every;
}

static void check_literal(struct agc_checker *c, struct agc_node *n);

static void
check_with(struct agc_checker *c, struct agc_node *n)
{
    for (uint32_t i = 2; i < n->n; i += 2)
        if (n->kid[i]->kind != AGC_REF ||
            (!n->kid[i]->group && n->kid[i]->symbol == AG_NONE)) // else a function
            agc_check_visit(c, n->kid[i]);
    check_literal(c, n->kid[0]);
}

static void
check_literal(struct agc_checker *c, struct agc_node *n)
{
    switch (n->kind) {
    case AGC_QUERY: agc_check_query(c, n); return;
    case AGC_NOT: check_literal(c, n->kid[0]); return;
    case AGC_WITH: check_with(c, n); return;
    case AGC_SOME: return;
    case AGC_SOME_IN:
        for (uint32_t i = 0; i < n->n; i++)
            agc_check_visit(c, n->kid[i]);
        check_some_in(c, n->n == 3 ? n->kid[0] : NULL, n->kid[n->n - 2], n->kid[n->n - 1]);
        return;
    case AGC_EVERY: check_every(c, n); return;
    case AGC_ASSIGN:
    case AGC_UNIFY:
        agc_check_visit(c, n->kid[0]);
        agc_check_visit(c, n->kid[1]);
        check_equal(c, n);
        return;
    default:
        agc_check_visit(c, n);
        if (n->kind == AGC_BINARY && ag_str_is(n->text, "=="))
            check_equal(c, n);
    }
}

void
agc_check_query(struct agc_checker *c, struct agc_node *query)
{
    for (uint32_t i = 0; i < query->n; i++)
        check_literal(c, query->kid[i]);
}

// --- definitions
static const struct agc_type *
value_type(struct agc_checker *c, const struct agc_def *d)
{
    if (d->value)
        agc_check_visit(c, d->value);
    const struct agc_type *t = d->value ? agc_check_get(c, d->value) : BOOL;
    return t ? t : ANY;
}

// What the clause that was just checked takes as arguments joins `args`: variables that nothing was asked of
// take any value.
static void
join_arguments(struct agc_checker *c, const struct agc_def *d, const struct agc_type **args)
{
    for (uint32_t k = 0; k < d->nargs; k++) {
        agc_check_visit(c, d->arg[k]);
        const struct agc_type *at = agc_check_get(c, d->arg[k]);
        args[k] = agc_type_or(c->arena, args[k], at ? at : ANY);
    }
}

// The type of all values that a definition and its else-clauses can give, and of their arguments. Each clause
// is checked by itself: what one asks of an argument does not bind the others.
static const struct agc_type *
check_clauses(struct agc_checker *c, struct agc_def *d, const struct agc_type **args)
{
    const struct agc_type *t = NULL;
    for (struct agc_def *e = d; e; e = e->otherwise) {
        if (e != d && d->nargs)
            memset(c->local, 0, d->nlocals * sizeof *c->local);
        if (e->body)
            agc_check_query(c, e->body);
        t = agc_type_or(c->arena, t, value_type(c, e));
        if (args)
            join_arguments(c, d, args);
    }
    for (uint32_t i = 0; i < d->nprints; i++)
        agc_check_visit(c, d->print[i]);
    return t;
}

// The value at the end of the head's variable steps, as the type of the document at the group's path.
static const struct agc_type *
under_suffix(struct agc_checker *c, const struct agc_def *d, const struct agc_type *value)
{
    for (uint32_t i = d->nsuffix; i-- > 0;) {
        agc_check_visit(c, d->suffix[i]);
        const struct agc_type *key = agc_check_get(c, d->suffix[i]);
        value = agc_type_object(c->arena, NULL, 0, key ? key : ANY, value);
    }
    return value;
}

static void
begin_definition(struct agc_checker *c, const struct agc_def *d)
{
    c->local = agc_alloc(c->arena, (d->nlocals + 1u) * sizeof *c->local);
}

static void
check_group(struct agc_checker *c, struct agc_group *g)
{
    struct agc_group_type *ret = &c->types->group[g->number];
    const struct agc_type **args = agc_alloc(c->arena, (g->nargs + 1u) * sizeof *args);
    for (uint32_t i = 0; i <= g->ndefs; i++) {
        struct agc_def *d = i < g->ndefs ? g->defs[i] : g->fallback;
        if (!d)
            continue;
        begin_definition(c, d);
        const struct agc_type *t = check_clauses(c, d, d == g->fallback ? NULL : args);
        if (d->kind == AGC_DEF_CONTAINS)
            t = agc_type_set(c->arena, t);
        t = under_suffix(c, d, t);
        ret->value = ret->value && ret->value->kind == AGC_TY_SET && t->kind == AGC_TY_SET
                         ? agc_type_set(c->arena, agc_type_or(c->arena, ret->value->value, t->value))
                         : agc_type_or(c->arena, ret->value, t);
    }
    if (g->kind == AGC_GROUP_FUNCTION) {
        for (uint32_t k = 0; k < g->nargs; k++)
            args[k] = args[k] ? args[k] : ANY;
        ret->args = args;
    }
    if (c->is_failed) // one mistake is told once: what depends on it is not checked against it
        ret->value = ANY;
    c->is_failed = false;
}

bool
agc_check_program(struct agc_arena *a, struct agc_diags *diags, struct agc_program *p,
                  const struct agc_type *input, struct agc_types *ret)
{
    uint32_t errors = diags->nerrors;
    struct agc_checker c = {.arena = a, .diags = diags, .program = p, .types = ret, .input = input};
    c.builtin = agc_alloc(a, agc_builtin_count() * sizeof *c.builtin);
    ret->ngroups = p->ngroups;
    ret->group = agc_alloc(a, (p->ngroups + 1u) * sizeof *ret->group);
    for (uint32_t i = 0; i < p->ngroups; i++)
        check_group(&c, p->groups[i]);
    for (uint32_t i = 0; i < p->nqueries; i++) {
        begin_definition(&c, p->queries[i]);
        check_clauses(&c, p->queries[i], NULL);
    }
    return diags->nerrors == errors;
}

void
agc_types_program_print(const struct agc_program *p, const struct agc_types *types, void *file)
{
    char text[400];
    for (uint32_t i = 0; i < p->ngroups; i++) {
        const struct agc_group *g = p->groups[i];
        fprintf(file, "%.*s", (int)g->name.n, g->name.p);
        for (uint32_t k = 0; k < g->nargs; k++)
            fprintf(file, "%s%s%s", k ? ", " : "(", agc_type_name(types->group[i].args[k], text, sizeof text),
                    k + 1 == g->nargs ? ")" : "");
        fprintf(file, ": %s\n", agc_type_name(types->group[i].value, text, sizeof text));
    }
}
