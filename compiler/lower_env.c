// SPDX-License-Identifier: Apache-2.0
// Step 6, `with`: the input and the frame of a literal, and the sets of replaced functions under which
// callees are compiled. A set is cut down to what a callee can reach, so that most callees have one function
// only. In: WITH nodes. Out: statements of a function, sets that are shared by value. Memory: the compile
// arena. Next file to read: lower_data.c.
#include "lower_rego.h"

#include "builtins/builtins.h"

// --- sets
static const struct agc_env *
intern(struct agc_rego *g, const struct agc_mock *v, uint32_t n)
{
    for (const struct agc_env *e = g->envs; e; e = e->next) {
        bool same = e->n == n;
        for (uint32_t i = 0; i < n && same; i++)
            same =
                e->v[i].target == v[i].target && e->v[i].kind == v[i].kind && e->v[i].number == v[i].number;
        if (same)
            return e;
    }
    struct agc_env *e = agc_alloc(g->ir->arena, sizeof *e);
    struct agc_mock *copy = agc_alloc(g->ir->arena, (n + 1) * sizeof *copy);
    if (n)
        memcpy(copy, v, n * sizeof *copy);
    *e = (struct agc_env){n, copy, g->envs};
    g->envs = e;
    return e;
}

const struct agc_env *
agc_env_none(struct agc_rego *g)
{
    if (!g->empty)
        g->empty = intern(g, NULL, 0);
    return g->empty;
}

const struct agc_mock *
agc_env_find(const struct agc_env *env, uint32_t target)
{
    for (uint32_t i = 0; i < env->n; i++)
        if (env->v[i].target == target)
            return &env->v[i];
    return NULL;
}

const struct agc_env *
agc_env_with(struct agc_rego *g, const struct agc_env *env, const struct agc_mock *more, uint32_t n)
{
    struct agc_mock *v = agc_alloc(g->ir->arena, (env->n + n + 1) * sizeof *v);
    uint32_t m = env->n;
    if (m)
        memcpy(v, env->v, m * sizeof *v);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = 0;
        while (at < m && v[at].target < more[i].target)
            at++;
        if (at == m || v[at].target != more[i].target) {
            memmove(&v[at + 1], &v[at], (m - at) * sizeof *v);
            m++;
        }
        v[at] = more[i];
    }
    return intern(g, v, m);
}

// --- which groups reach a target
static bool
names(const struct agc_node *n, uint32_t target)
{
    if (!n)
        return false;
    if (n->kind == AGC_CALL && target == (n->group ? AG_BUILTIN_COUNT + n->group->number : n->symbol))
        return true;
    for (uint32_t i = 0; i < n->n; i++)
        if (names(n->kid[i], target))
            return true;
    return false;
}

static bool
def_names(const struct agc_def *d, uint32_t target)
{
    for (; d; d = d->otherwise) {
        if (names(d->value, target) || names(d->body, target))
            return true;
        for (uint32_t i = 0; i < d->nargs; i++)
            if (names(d->arg[i], target))
                return true;
        for (uint32_t i = 0; i < d->nsuffix; i++)
            if (names(d->suffix[i], target))
                return true;
    }
    return false;
}

static bool
group_reaches(const struct agc_group *group, uint32_t target, const bool *is_reached)
{
    if (group->kind == AGC_GROUP_FUNCTION && target == AG_BUILTIN_COUNT + group->number)
        return true;
    for (uint32_t i = 0; i < group->ndefs; i++)
        if (def_names(group->defs[i], target))
            return true;
    for (uint32_t i = 0; i < group->ncalls; i++)
        if (is_reached[group->calls[i]->number])
            return true;
    return false;
}

static const bool *
reach(struct agc_rego *g, uint32_t target)
{
    for (uint32_t i = 0; i < g->ntargets; i++)
        if (g->reach[i].target == target)
            return g->reach[i].is_reached;
    g->reach = agc_grow(g->ir->arena, g->reach, g->ntargets, &g->cap_targets, sizeof *g->reach);
    bool *is_reached = agc_alloc(g->ir->arena, g->program->ngroups + 1);
    for (uint32_t i = 0; i < g->program->ngroups; i++) // callees come first
        is_reached[i] = group_reaches(g->program->groups[i], target, is_reached);
    g->reach[g->ntargets++] = (struct agc_reach){target, is_reached};
    return is_reached;
}

typedef bool reaches_fn(const void *of, const bool *is_reached);

static const struct agc_env *
cut_down(struct agc_rego *g, const struct agc_env *env, reaches_fn *reaches, const void *of)
{
    struct agc_mock *v = agc_alloc(g->ir->arena, (env->n + 1) * sizeof *v);
    uint32_t n = 0;
    for (uint32_t i = 0; i < env->n; i++)
        if (reaches(of, reach(g, env->v[i].target)))
            v[n++] = env->v[i];
    return n == env->n ? env : intern(g, v, n);
}

static bool
of_group(const void *of, const bool *is_reached)
{
    return is_reached[((const struct agc_group *)of)->number];
}

static bool
of_tree(const void *of, const bool *is_reached)
{
    const struct agc_tree *t = of;
    if (t->group)
        return is_reached[t->group->number];
    for (uint32_t i = 0; i < t->nkids; i++)
        if (of_tree(t->kid[i], is_reached))
            return true;
    return false;
}

const struct agc_env *
agc_env_for_group(struct agc_rego *g, const struct agc_env *env, const struct agc_group *group)
{
    return env->n ? cut_down(g, env, of_group, group) : env;
}

const struct agc_env *
agc_env_for_tree(struct agc_rego *g, const struct agc_env *env, const struct agc_tree *t)
{
    return env->n ? cut_down(g, env, of_tree, t) : env;
}

// --- `with`
// The number of the built-in that a name means, AG_NONE when it means something else.
static uint32_t
builtin_of(const struct agc_fn *l, const struct agc_node *n)
{
    if (n->group || (n->kind != AGC_VAR && n->kind != AGC_REF))
        return AG_NONE;
    const struct agc_node *head = n->kind == AGC_REF ? n->kid[0] : n;
    if (head->symbol == AGC_SYM_INPUT || head->symbol == AGC_SYM_DATA)
        return AG_NONE;
    if (n->kind == AGC_VAR && n->symbol < l->nvars && ag_str_eq(l->def->local[n->symbol].name, n->text))
        return AG_NONE; // a variable: numbers alone do not tell
    return n->symbol < AG_BUILTIN_COUNT ? n->symbol : AG_NONE;
}

static bool
is_function(const struct agc_node *n)
{
    return n->group && n->group->kind == AGC_GROUP_FUNCTION;
}

// The path of a target below its root as a constant, when all its steps are constant.
static bool
target_path(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t *key = agc_alloc(l->ir->arena, (n->n + 1) * sizeof *key), nkeys = 0;
    for (uint32_t i = 1; n->kind == AGC_REF && i < n->n; i++)
        if (!agc_lower_constant(l->ir, n->kid[i], &key[nkeys++]))
            return agc_fn_refuse(l, n->kid[i]->span, "a target of `with` is a constant path");
    *ret = agc_const_array(l->ir, key, nkeys);
    return true;
}

// [path, value] as a value.
static uint32_t
make_pair(struct agc_fn *l, struct agc_span span, uint32_t path, uint32_t value)
{
    uint32_t builder = agc_fn_local(l), pair = agc_fn_local(l), at = agc_fn_const(l, span, path);
    agc_fn_add(l, span, AGC_IR_ARR, builder, 0, 0);
    agc_fn_add(l, span, AGC_IR_PUSH, builder, at, 0);
    agc_fn_add(l, span, AGC_IR_PUSH, builder, value, 0);
    agc_fn_add(l, span, AGC_IR_CLOSE, pair, builder, 0);
    return pair;
}

static void
overlay(struct agc_fn *l, struct agc_span span, uint32_t *frame, uint32_t path, uint32_t value)
{
    uint32_t to = agc_fn_local(l);
    agc_fn_add(l, span, AGC_IR_FRAMED, to, *frame, make_pair(l, span, path, value));
    *frame = to;
}

static bool
replace_input(struct agc_fn *l, const struct agc_node *target, uint32_t value, uint32_t *input)
{
    uint32_t path, to;
    if (!target_path(l, target, &path))
        return false;
    if (l->ir->consts[path].n == 0) {
        *input = value;
        return true;
    }
    to = agc_fn_local(l);
    agc_fn_add(l, target->span, AGC_IR_UPSERT, to, *input, make_pair(l, target->span, path, value));
    agc_fn_add(l, target->span, AGC_IR_RETERR, to, 0, 0);
    *input = to;
    return true;
}

// What stands in the place of the function `target`; a value that is not constant goes into the frame.
static bool
replace_function(struct agc_fn *l, const struct agc_node *target, const struct agc_node *with, uint32_t value,
                 uint32_t *frame, struct agc_mock *ret)
{
    uint32_t k, builtin = builtin_of(l, with);
    ret->target = target->group ? AG_BUILTIN_COUNT + target->group->number : target->symbol;
    if (is_function(with)) {
        *ret = (struct agc_mock){ret->target, AGC_MOCK_FUNC, with->group->number};
    } else if (builtin != AG_NONE) {
        *ret = (struct agc_mock){ret->target, AGC_MOCK_BUILTIN, builtin};
    } else if (agc_lower_constant(l->ir, with, &k)) {
        *ret = (struct agc_mock){ret->target, AGC_MOCK_CONST, k};
    } else {
        // no document has a path that begins with null
        const uint32_t key[2] = {agc_const_null(l->ir), agc_const_int(l->ir, ret->target)};
        *ret = (struct agc_mock){ret->target, AGC_MOCK_OVERLAY, agc_const_array(l->ir, key, 2)};
        overlay(l, with->span, frame, ret->number, value);
    }
    return true;
}

static uint32_t
root_of(const struct agc_node *n)
{
    const struct agc_node *head = n->kind == AGC_REF ? n->kid[0] : n;
    return n->group ? AG_NONE : head->symbol;
}

// One replacement. The values were computed before, in the documents as they were outside.
static bool
replace(struct agc_fn *l, const struct agc_node *target, const struct agc_node *with, uint32_t value,
        struct agc_with *now, struct agc_mock *mock, uint32_t *nmocks)
{
    uint32_t path;
    switch (root_of(target)) {
    case AGC_SYM_INPUT: return replace_input(l, target, value, &now->input);
    case AGC_SYM_DATA:
        if (!target_path(l, target, &path))
            return false;
        overlay(l, target->span, &now->frame, path, value);
        return true;
    default:
        if (*nmocks == AGC_MOCKS_MAX)
            return agc_fn_refuse(l, target->span, "too many functions are replaced at once");
        return replace_function(l, target, with, value, &now->frame, &mock[(*nmocks)++]);
    }
}

bool
agc_fn_with(struct agc_fn *l, const struct agc_node *n, struct agc_with *ret_before)
{
    struct agc_with now = {l->input, l->frame, l->env};
    struct agc_mock mock[AGC_MOCKS_MAX];
    uint32_t *value = agc_alloc(l->ir->arena, (n->n + 1) * sizeof *value), nmocks = 0;
    *ret_before = now;
    for (uint32_t i = 1; i + 1 < n->n; i += 2) {
        const struct agc_node *with = n->kid[i + 1];
        bool is_name = is_function(with) || builtin_of(l, with) != AG_NONE;
        if (!is_name && !agc_fn_term(l, with, &value[i]))
            return false;
    }
    for (uint32_t i = 1; i + 1 < n->n; i += 2)
        if (!replace(l, n->kid[i], n->kid[i + 1], value[i], &now, mock, &nmocks))
            return false;
    if (now.input != l->input) { // what was memoised holds for the old input
        uint32_t frame = agc_fn_local(l);
        agc_fn_add(l, n->span, AGC_IR_FRAME, frame, now.frame, 0);
        now.frame = frame;
    }
    if (nmocks)
        now.env = agc_env_with(l->g, l->env, mock, nmocks);
    l->input = now.input;
    l->frame = now.frame;
    l->env = now.env;
    return true;
}

void
agc_fn_with_end(struct agc_fn *l, const struct agc_with *before)
{
    l->input = before->input;
    l->frame = before->frame;
    l->env = before->env;
}
