// SPDX-License-Identifier: Apache-2.0
// Step 6, modules: one function for each group of definitions, made when something asks for it, callees
// before callers. In: struct agc_program. Out: functions and entrypoints of struct agc_ir. Memory: the
// compile arena. Design: docs/decisions/011-compiling-rego.md. Next file to read: lower_body.c.
#include "lower_rego.h"

#include "builtins/builtins.h"
#include "lower_index.h"

// --- building
struct agc_stmt *
agc_fn_add(struct agc_fn *l, struct agc_span span, enum agc_irop op, uint32_t a, uint32_t b, uint32_t c)
{
    return agc_ir_add(l->ir, l->b, span, op, a, b, c);
}

uint32_t
agc_fn_const(struct agc_fn *l, struct agc_span span, uint32_t k)
{
    uint32_t to = agc_fn_local(l);
    agc_fn_add(l, span, AGC_IR_CONST, to, k, 0);
    return to;
}

struct agc_mark
agc_fn_mark(const struct agc_fn *l)
{
    return (struct agc_mark){l->b, l->depth, l->ntrail};
}

void
agc_fn_back(struct agc_fn *l, struct agc_mark m)
{
    while (l->ntrail > m.ntrail)
        l->var[l->trail[--l->ntrail]] = AG_NONE;
    l->b = m.b;
    l->depth = m.depth;
}

bool
agc_fn_refuse(struct agc_fn *l, struct agc_span span, const char *what)
{
    return agc_refuse(l->g->refusal, span, "%s", what);
}

static bool
enter(struct agc_fn *l, struct agc_span span, struct agc_stmt *s)
{
    if (l->depth + 1 >= AGC_BLOCK_DEPTH_MAX)
        return agc_refuse(l->g->refusal, span,
                          "more than %u loops and blocks inside each other; move a part into a rule",
                          AGC_BLOCK_DEPTH_MAX);
    l->b = agc_ir_body(l->ir, s);
    l->depth++;
    return true;
}

bool
agc_fn_block(struct agc_fn *l, struct agc_span span)
{
    return enter(l, span, agc_fn_add(l, span, AGC_IR_BLOCK, 0, 0, 0));
}

bool
agc_fn_loop(struct agc_fn *l, struct agc_span span, uint32_t coll, uint32_t *ret_key, uint32_t *ret_value)
{
    uint32_t own = agc_fn_local(l); // the loop consumes it
    *ret_key = agc_fn_local(l);
    *ret_value = agc_fn_local(l);
    agc_fn_add(l, span, AGC_IR_MOVE, own, coll, 0);
    return enter(l, span, agc_fn_add(l, span, AGC_IR_LOOP, own, *ret_key, *ret_value));
}

void
agc_fn_leave_to(struct agc_fn *l, struct agc_span span, uint32_t depth)
{
    agc_fn_add(l, span, AGC_IR_LEAVE, l->depth - depth - 1, 0, 0);
}

void
agc_fn_need(struct agc_fn *l, struct agc_span span, uint32_t local)
{
    agc_fn_add(l, span, AGC_IR_NEED, local, 0, 0);
}

void
agc_fn_need_call(struct agc_fn *l, struct agc_span span, uint32_t local)
{
    agc_fn_add(l, span, AGC_IR_RETERR, local, 0, 0);
    agc_fn_need(l, span, local);
}

void
agc_fn_need_strict(struct agc_fn *l, struct agc_span span, uint32_t local)
{
    if (l->strict)
        agc_fn_add(l, span, AGC_IR_RETERR, local, 0, 0);
    agc_fn_need(l, span, local);
}

void
agc_fn_bind(struct agc_fn *l, uint32_t symbol, uint32_t local)
{
    l->trail = agc_grow(l->ir->arena, l->trail, l->ntrail, &l->cap_trail, sizeof *l->trail);
    l->trail[l->ntrail++] = symbol;
    l->var[symbol] = local;
}

// The variables of a definition of the function, all unbound.
static void
next_def(struct agc_fn *l, const struct agc_def *def)
{
    l->ntrail = 0;
    l->def = def;
    l->nvars = def->nlocals;
    l->var = agc_alloc(l->ir->arena, (def->nlocals + 1) * sizeof *l->var);
    for (uint32_t i = 0; i < def->nlocals; i++)
        l->var[i] = AG_NONE;
}

void
agc_fn_begin(struct agc_fn *l, struct agc_rego *g, struct ag_str name, struct agc_span span,
             const struct agc_env *env, const struct agc_def *def)
{
    *l = (struct agc_fn){.g = g, .ir = g->ir, .input = 0, .frame = 1, .env = env, .strict = g->strict};
    l->f = (struct agc_func){.name = name, .span = span, .nargs = 2, .nlocals = 2, .path = AG_NONE};
    l->b = &l->f.body;
    if (def)
        next_def(l, def);
}

uint32_t
agc_fn_end(struct agc_fn *l, struct agc_span span, uint32_t result)
{
    l->b = &l->f.body;
    agc_fn_add(l, span, AGC_IR_RET, result, 0, 0);
    return agc_ir_func_add(l->ir, &l->f);
}

// --- functions already made
static uint64_t
mix(const void *of, const struct agc_env *env)
{
    uint64_t h = (uint64_t)(uintptr_t)of * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)env;
    return (h * 0xff51afd7ed558ccdu) >> 20;
}

static struct agc_instance *
find(struct agc_instance *table, uint32_t slots, const void *of, const struct agc_env *env)
{
    uint32_t at = (uint32_t)mix(of, env) & (slots - 1);
    while (table[at].of && (table[at].of != of || table[at].env != env))
        at = (at + 1) & (slots - 1);
    return &table[at];
}

uint32_t *
agc_rego_slot(struct agc_rego *g, const void *of, const struct agc_env *env)
{
    if ((g->ninstances + 1) * 2 > g->slots) {
        uint32_t slots = g->slots ? 2 * g->slots : 256;
        struct agc_instance *t = agc_alloc(g->ir->arena, slots * sizeof *t);
        for (uint32_t i = 0; i < g->slots; i++)
            if (g->instance[i].of)
                *find(t, slots, g->instance[i].of, g->instance[i].env) = g->instance[i];
        g->instance = t;
        g->slots = slots;
    }
    struct agc_instance *i = find(g->instance, g->slots, of, env);
    if (!i->of) {
        *i = (struct agc_instance){of, env, AG_NONE};
        g->ninstances++;
    }
    return &i->func;
}

// --- definitions
struct group {
    struct agc_fn *l;
    const struct agc_group *of;
    struct agc_span span;
    uint32_t acc;       // what the definitions make together: a value that must agree, or a builder
    uint32_t defs;      // depth of the block around all definitions
    bool same_constant; // every definition has the same constant value: the first success ends it
};

static bool
constant_value(struct agc_ir *ir, const struct agc_def *d, uint32_t *ret)
{
    if (d->value)
        return agc_lower_constant(ir, d->value, ret);
    *ret = agc_const_bool(ir, true);
    return true;
}

// Whether all clauses of all definitions have one constant value.
static bool
have_same_constant(struct agc_ir *ir, const struct agc_group *group)
{
    uint32_t first = AG_NONE, k;
    for (uint32_t i = 0; i < group->ndefs; i++)
        for (const struct agc_def *d = group->defs[i]; d; d = d->otherwise) {
            if (!constant_value(ir, d, &k) || (first != AG_NONE && k != first))
                return false;
            first = k;
        }
    return first != AG_NONE;
}

static bool
def_value(struct agc_fn *l, const struct agc_def *d, uint32_t *ret)
{
    if (d->value)
        return agc_fn_term(l, d->value, ret);
    *ret = agc_fn_const(l, d->span, agc_const_bool(l->ir, true));
    return true;
}

// Body of a clause; the argument patterns that need its variables are matched behind it.
static bool
clause_body(struct agc_fn *l, const struct agc_def *d, struct agc_pairs *args)
{
    if (!agc_fn_solve(l, args) || (d->body && !agc_fn_query(l, d->body)))
        return false;
    if (!agc_fn_solve(l, args))
        return false;
    return !args->n || agc_fn_refuse(l, args->v[0].a->span, "a variable of this argument is never bound");
}

static void
arguments(struct agc_fn *l, const struct agc_def *d, struct agc_pairs *ret)
{
    *ret = (struct agc_pairs){0};
    for (uint32_t i = 0; i < d->nargs; i++)
        agc_pairs_add(l, ret, d->arg[i], NULL, 2 + i);
}

// Where a definition stands, as an error of two values says it.
static uint32_t
conflict_line(const struct agc_def *d)
{
    return d->line < UINT16_MAX ? d->line : UINT16_MAX;
}

// One clause: its value joins `acc`. A constant value is found once; other ones are all compared.
static bool
clause(struct group *g, const struct agc_def *head, const struct agc_def *d, uint32_t acc)
{
    struct agc_fn *l = g->l;
    struct agc_mark before = agc_fn_mark(l);
    struct agc_pairs args;
    uint32_t v, k;
    if (!agc_fn_block(l, d->span))
        return false;
    uint32_t mine = before.depth;
    arguments(l, head, &args);
    if (!clause_body(l, d, &args) || !def_value(l, d, &v))
        return false;
    bool is_constant = constant_value(l->ir, d, &k);
    if (g->same_constant) {
        agc_fn_add(l, d->span, AGC_IR_RET, v, 0, 0);
    } else {
        uint32_t number = agc_fn_const(l, d->span, agc_const_int(l->ir, conflict_line(d)));
        agc_fn_add(l, d->span, AGC_IR_ONCE, acc, v, number);
        agc_fn_add(l, d->span, AGC_IR_RETERR, acc, 0, 0);
        if (is_constant && l->depth > mine + 1)
            agc_fn_leave_to(l, d->span, mine);
    }
    agc_fn_back(l, before);
    return true;
}

// A definition with its else chain: the first clause that has a value ends the chain.
static bool
complete_def(struct group *g, const struct agc_def *d)
{
    struct agc_fn *l = g->l;
    next_def(l, d);
    if (!d->otherwise || g->same_constant) {
        for (const struct agc_def *c = d; c; c = c->otherwise)
            if (!clause(g, d, c, g->acc))
                return false;
        return true;
    }
    struct agc_mark before = agc_fn_mark(l);
    uint32_t own = agc_fn_local(l);
    agc_fn_add(l, d->span, AGC_IR_UNDEF, own, 0, 0);
    if (!agc_fn_block(l, d->span))
        return false;
    for (const struct agc_def *c = d; c; c = c->otherwise) {
        if (!clause(g, d, c, own))
            return false;
        if (c->otherwise)
            agc_fn_add(l, c->span, AGC_IR_LEAVE_DEF, own, 0, 0);
    }
    agc_fn_back(l, before);
    uint32_t number = agc_fn_const(l, d->span, agc_const_int(l->ir, conflict_line(d)));
    agc_fn_add(l, d->span, AGC_IR_ONCE, g->acc, own, number);
    agc_fn_add(l, d->span, AGC_IR_RETERR, g->acc, 0, 0);
    return true;
}

static bool
complete(struct group *g)
{
    struct agc_fn *l = g->l;
    struct agc_span span = g->span;
    g->same_constant = have_same_constant(l->ir, g->of);
    g->acc = agc_fn_local(l);
    agc_fn_add(l, span, AGC_IR_UNDEF, g->acc, 0, 0);
    for (uint32_t i = 0; i < g->of->ndefs; i++)
        if (!complete_def(g, g->of->defs[i]))
            return false;
    const struct agc_def *d = g->of->fallback;
    if (!d)
        return true;
    struct agc_mark before = agc_fn_mark(l);
    uint32_t v;
    next_def(l, d);
    if (!agc_fn_block(l, d->span))
        return false;
    agc_fn_add(l, d->span, AGC_IR_LEAVE_DEF, g->acc, 0, 0);
    if (!def_value(l, d, &v))
        return false;
    agc_fn_add(l, d->span, AGC_IR_MOVE, g->acc, v, 0);
    agc_fn_back(l, before);
    return true;
}

// The path below the group at which a definition writes.
static bool
suffix(struct agc_fn *l, const struct agc_def *d, uint32_t *ret)
{
    uint32_t *key = agc_alloc(l->ir->arena, (d->nsuffix + 1) * sizeof *key), k;
    bool is_constant = true;
    for (uint32_t i = 0; i < d->nsuffix && is_constant; i++)
        is_constant = agc_lower_constant(l->ir, d->suffix[i], &key[i]);
    if (is_constant) {
        k = agc_const_array(l->ir, key, d->nsuffix);
        *ret = agc_fn_const(l, d->head_span, k);
        return true;
    }
    for (uint32_t i = 0; i < d->nsuffix; i++)
        if (!agc_fn_term(l, d->suffix[i], &key[i]))
            return false;
    uint32_t builder = agc_fn_local(l);
    *ret = agc_fn_local(l);
    agc_fn_add(l, d->head_span, AGC_IR_ARR, builder, 0, 0);
    for (uint32_t i = 0; i < d->nsuffix; i++)
        agc_fn_add(l, d->head_span, AGC_IR_PUSH, builder, key[i], 0);
    agc_fn_add(l, d->head_span, AGC_IR_CLOSE, *ret, builder, 0);
    return true;
}

static bool
object_entry(struct group *g, const struct agc_def *d)
{
    struct agc_fn *l = g->l;
    uint32_t path, v;
    if (d->nsuffix == 1 && d->kind == AGC_DEF_VALUE) {
        if (!agc_fn_term(l, d->suffix[0], &path) || !def_value(l, d, &v))
            return false;
        agc_fn_add(l, d->span, AGC_IR_PUT, g->acc, path, v);
        return true;
    }
    if (!suffix(l, d, &path) || !def_value(l, d, &v))
        return false;
    agc_fn_add(l, d->span, d->kind == AGC_DEF_CONTAINS ? AGC_IR_PUTELEM : AGC_IR_PUTPATH, g->acc, path, v);
    return true;
}

// A definition at the group's own path that is an object: each of its keys is an entry.
static bool
object_whole(struct group *g, const struct agc_def *d)
{
    struct agc_fn *l = g->l;
    uint32_t v, key, value;
    if (!def_value(l, d, &v) || !agc_fn_loop(l, d->span, v, &key, &value))
        return false;
    agc_fn_add(l, d->span, AGC_IR_PUT, g->acc, key, value);
    return true;
}

static bool
partial_clause(struct group *g, const struct agc_def *d)
{
    struct agc_fn *l = g->l;
    struct agc_mark before = agc_fn_mark(l);
    uint32_t v;
    next_def(l, d);
    if (!agc_fn_block(l, d->span) || (d->body && !agc_fn_query(l, d->body)))
        return false;
    if (g->of->kind == AGC_GROUP_SET) {
        if (!def_value(l, d, &v))
            return false;
        agc_fn_add(l, d->span, AGC_IR_PUSH, g->acc, v, 0);
    } else if (!(d->nsuffix ? object_entry(g, d) : object_whole(g, d)))
        return false;
    agc_fn_back(l, before);
    return true;
}

static bool
partial(struct group *g)
{
    struct agc_fn *l = g->l;
    struct agc_span span = g->span;
    bool is_set = g->of->kind == AGC_GROUP_SET;
    g->acc = agc_fn_local(l);
    agc_fn_add(l, span, is_set ? AGC_IR_SET : AGC_IR_OBJ, g->acc, 0, 0);
    for (uint32_t i = 0; i < g->of->ndefs; i++)
        if (!partial_clause(g, g->of->defs[i]))
            return false;
    uint32_t v = agc_fn_local(l);
    agc_fn_add(l, span, AGC_IR_CLOSE, v, g->acc, 0);
    g->acc = v;
    return true;
}

static uint32_t
tree_path(struct agc_ir *ir, const struct agc_tree *t)
{
    uint32_t n = 0;
    for (const struct agc_tree *up = t; up->parent; up = up->parent)
        n++;
    struct ag_str *key = agc_alloc(ir->arena, (n + 1) * sizeof *key);
    for (const struct agc_tree *up = t; up->parent; up = up->parent)
        key[--n] = up->key;
    for (const struct agc_tree *up = t; up->parent; up = up->parent)
        n++;
    return agc_const_path(ir, key, n);
}

static bool make_part(struct agc_rego *r, const struct agc_group *part, const struct agc_env *env,
                      bool is_whole, uint32_t *ret);

// The value at the place by which a group is indexed.
static void
index_place(struct agc_fn *l, struct agc_span span, const struct agc_place *p, uint32_t *ret)
{
    uint32_t *key = agc_alloc(l->ir->arena, (p->n + 1u) * sizeof *key),
             from = p->root == AGC_ROOT_ARG ? 2 + p->arg : 0;
    for (uint32_t i = 0; i < p->n; i++)
        agc_lower_constant(l->ir, p->step[i].key, &key[i]);
    *ret = agc_fn_local(l);
    if (p->n)
        agc_fn_add(l, span, AGC_IR_PATH, *ret, from, agc_const_array(l->ir, key, p->n));
    else
        agc_fn_add(l, span, AGC_IR_MOVE, *ret, from, 0);
    agc_fn_need(l, span, *ret);
}

// Returns what the definitions of the constant found make, when there is one. Behind it those stand that
// compare with none.
static bool
look_up(struct group *g, const struct agc_group_index *ix)
{
    struct agc_fn *l = g->l;
    struct agc_mark before = agc_fn_mark(l);
    uint32_t table = agc_ir_keyed_table(l->ir, ix->nkeys), at, v = agc_fn_local(l), nargs = l->f.nargs;
    uint32_t *arg = agc_alloc(l->ir->arena, nargs * sizeof *arg), func;
    for (uint32_t i = 0; i < ix->nkeys; i++) {
        struct agc_group part = *g->of;
        part.ndefs = ix->key[i].ndefs;
        part.defs = ix->key[i].defs;
        part.fallback = NULL;
        if (!make_part(l->g, &part, l->env, false, &func))
            return false;
        agc_lower_constant(l->ir, ix->key[i].key, &l->ir->tables[table].key[i]);
        l->ir->tables[table].func[i] = func;
    }
    for (uint32_t i = 0; i < nargs; i++)
        arg[i] = i;
    if (!agc_fn_block(l, g->span))
        return false;
    index_place(l, g->span, ix->place, &at);
    agc_ir_args(l->ir, agc_fn_add(l, g->span, AGC_IR_CALLT, v, table, at), arg, nargs);
    agc_fn_need_call(l, g->span, v);
    agc_fn_add(l, g->span, AGC_IR_RET, v, 0, 0);
    agc_fn_back(l, before);
    return true;
}

// A function of the definitions of `part`. The whole group is memoised and known by its path; what an index
// names is neither.
static bool
make_part(struct agc_rego *r, const struct agc_group *part, const struct agc_env *env, bool is_whole,
          uint32_t *ret)
{
    const struct agc_def *first = part->ndefs ? part->defs[0] : part->fallback;
    struct agc_group always = *part;
    struct agc_group_index ix;
    struct agc_fn l;
    agc_fn_begin(&l, r, part->name, first->head_span, env, first);
    struct group g = {.l = &l, .of = part, .span = first->span};
    bool is_function = part->kind == AGC_GROUP_FUNCTION;
    if (is_function) {
        l.f.nargs = l.f.nlocals = 2 + part->nargs;
    } else if (is_whole) {
        l.f.flags = AG_FUNC_MEMO;
        l.f.path = tree_path(l.ir, part->at);
    }
    if (r->is_indexed && agc_group_index(l.ir->arena, part, &ix)) {
        if (!look_up(&g, &ix))
            return false;
        always.ndefs = ix.nalways;
        always.defs = ix.always;
        g.of = &always;
    }
    bool ok = part->kind == AGC_GROUP_COMPLETE || is_function ? complete(&g) : partial(&g);
    if (ok)
        *ret = agc_fn_end(&l, first->head_span, g.acc);
    return ok;
}

bool
agc_rego_group(struct agc_rego *g, const struct agc_group *group, const struct agc_env *env, uint32_t *ret)
{
    const struct agc_def *first = group->ndefs ? group->defs[0] : group->fallback;
    env = agc_env_for_group(g, env, group);
    *ret = *agc_rego_slot(g, group, env);
    if (*ret != AG_NONE)
        return true;
    if (g->depth >= AGC_CLONE_DEPTH_MAX)
        return agc_refuse(g->refusal, first->head_span, "more than %u rules call each other in a row",
                          AGC_CLONE_DEPTH_MAX);
    g->depth++;
    bool ok = make_part(g, group, env, true, ret);
    g->depth--;
    *agc_rego_slot(g, group, env) = *ret;
    return ok;
}

// The document at a step of the tree: its groups and steps, merged over the base document.
bool
agc_rego_tree(struct agc_rego *g, const struct agc_tree *t, const struct agc_env *env, uint32_t *ret)
{
    static const struct agc_span none;
    struct agc_fn l;
    env = agc_env_for_tree(g, env, t);
    *ret = *agc_rego_slot(g, t, env);
    if (*ret != AG_NONE)
        return true;
    agc_fn_begin(&l, g, t->parent ? t->key : AG_STR("data"), none, env, NULL);
    l.f.flags = AG_FUNC_MEMO;
    l.f.path = tree_path(l.ir, t);
    uint32_t builder = agc_fn_local(&l), rules = agc_fn_local(&l), base = agc_fn_local(&l), v;
    agc_fn_add(&l, none, AGC_IR_OBJ, builder, 0, 0);
    for (uint32_t i = 0; i < t->nkids; i++) {
        const struct agc_tree *kid = t->kid[i];
        struct agc_mark before = agc_fn_mark(&l);
        if (kid->group && kid->group->kind == AGC_GROUP_FUNCTION)
            continue;
        if (!agc_fn_block(&l, none) || !agc_fn_tree(&l, none, kid, &v))
            return false;
        agc_fn_add(&l, none, AGC_IR_PUT, builder, agc_fn_const(&l, none, agc_const_string(l.ir, kid->key)),
                   v);
        agc_fn_back(&l, before);
    }
    agc_fn_add(&l, none, AGC_IR_CLOSE, rules, builder, 0);
    agc_fn_add(&l, none, AGC_IR_DATA, base, 1, l.f.path);
    v = agc_fn_local(&l);
    agc_fn_add(&l, none, AGC_IR_MERGE, v, base, rules);
    *ret = agc_fn_end(&l, none, v);
    *agc_rego_slot(g, t, env) = *ret;
    return true;
}

// --- entrypoints
// An ad hoc query: all its solutions.
static bool
lower_query(struct agc_rego *g, const struct agc_def *query, struct ag_str name)
{
    struct agc_fn l;
    uint32_t v;
    agc_fn_begin(&l, g, name, query->span, agc_env_none(g), query);
    uint32_t builder = agc_fn_local(&l), all = agc_fn_local(&l);
    agc_fn_add(&l, query->span, AGC_IR_ARR, builder, 0, 0);
    struct agc_mark before = agc_fn_mark(&l);
    if (!agc_fn_block(&l, query->span) || (query->body && !agc_fn_query(&l, query->body)) ||
        !def_value(&l, query, &v))
        return false;
    agc_fn_add(&l, query->span, AGC_IR_PUSH, builder, v, 0);
    agc_fn_back(&l, before);
    agc_fn_add(&l, query->span, AGC_IR_CLOSE, all, builder, 0);
    agc_ir_entry(g->ir, name, agc_fn_end(&l, query->span, all), false);
    return true;
}

// An entrypoint whose value is an array of {"text", "location": {"row", "col"}}, one for each literal.
static bool
lower_description(struct agc_rego *g, const struct agc_wanted_node *w)
{
    struct agc_ir *ir = g->ir;
    struct agc_fn l;
    uint32_t *kid = agc_alloc(ir->arena, (w->nliterals + 1) * sizeof *kid);
    for (uint32_t i = 0; i < w->nliterals; i++) {
        const struct agc_literal *at = &w->literal[i];
        uint32_t place[] = {agc_const_string(ir, AG_STR("row")), agc_const_int(ir, at->line),
                            agc_const_string(ir, AG_STR("col")), agc_const_int(ir, at->column)};
        uint32_t row[] = {agc_const_string(ir, AG_STR("text")), agc_const_string(ir, at->text),
                          agc_const_string(ir, AG_STR("location")), 0};
        if (!agc_const_object(ir, place, 2, &row[3]) || !agc_const_object(ir, row, 2, &kid[i]))
            return false;
    }
    agc_fn_begin(&l, g, AG_STR("query.expressions"), w->query->span, agc_env_none(g), NULL);
    uint32_t v = agc_fn_const(&l, w->query->span, agc_const_array(ir, kid, w->nliterals));
    agc_ir_entry(ir, AG_STR("query.expressions"), agc_fn_end(&l, w->query->span, v), false);
    return true;
}

// The first value of a reference below data, undefined when it has none.
static bool
lower_value(struct agc_rego *g, const struct agc_node *ref, struct ag_str name, uint32_t *ret_func)
{
    struct agc_fn l;
    uint32_t v;
    agc_fn_begin(&l, g, name, ref->span, agc_env_none(g), NULL);
    uint32_t nothing = agc_fn_local(&l);
    agc_fn_add(&l, ref->span, AGC_IR_UNDEF, nothing, 0, 0);
    struct agc_mark before = agc_fn_mark(&l);
    if (!agc_fn_block(&l, ref->span) || !agc_fn_term(&l, ref, &v))
        return false;
    agc_fn_add(&l, ref->span, AGC_IR_RET, v, 0, 0);
    agc_fn_back(&l, before);
    *ret_func = agc_fn_end(&l, ref->span, nothing);
    return true;
}

static bool
lower_wanted(struct agc_rego *g, const struct agc_wanted_node *w)
{
    uint32_t func;
    if (w->kind == AGC_WANT_QUERY)
        return lower_query(g, w->query, w->name) && (!w->literal || lower_description(g, w));
    if (!lower_value(g, w->ref, w->name, &func))
        return false;
    if (w->kind == AGC_WANT_VALUE) {
        agc_ir_entry(g->ir, w->name, func, false);
        return true;
    }
    if (g->ir->hooks.decision != AG_NONE)
        return agc_refuse(g->refusal, w->ref->span, "only one reference can make the decision");
    g->ir->hooks.decision = func;
    g->ir->hooks.decision_name = w->name;
    return true;
}

// Every expression of a query must be true; the query's value (program.h) says what they are.
static bool
need_true(struct agc_fn *l, const struct agc_def *query)
{
    const struct agc_node *values = query->value->kid[query->value->n - 1];
    uint32_t v;
    for (uint32_t i = 0; i < values->n; i++) {
        if (!agc_fn_term(l, values->kid[i], &v))
            return false;
        agc_fn_add(l, values->kid[i]->span, AGC_IR_LEAVE_FALSE, v, 0, 0);
    }
    return true;
}

// The expressions of a YAML rule: true when they have a solution. Their errors are its condition's.
static bool
lower_when(struct agc_rego *g, const struct agc_rule *r, uint32_t *ret)
{
    struct agc_fn l;
    agc_fn_begin(&l, g, r->name.text, r->when->span, agc_env_none(g), r->when_def);
    l.strict = true;
    uint32_t nothing = agc_fn_local(&l);
    agc_fn_add(&l, r->when->span, AGC_IR_UNDEF, nothing, 0, 0);
    struct agc_mark before = agc_fn_mark(&l);
    if (!agc_fn_block(&l, r->when->span) || !agc_fn_query(&l, r->when_def->body) ||
        !need_true(&l, r->when_def))
        return false;
    agc_fn_add(&l, r->when->span, AGC_IR_RET, agc_fn_const(&l, r->when->span, agc_const_bool(l.ir, true)), 0,
               0);
    agc_fn_back(&l, before);
    *ret = agc_fn_end(&l, r->when->span, nothing);
    return true;
}

static bool
lower_whens(struct agc_rego *g)
{
    const struct agc_policy *p = g->program->policy;
    uint32_t *when = NULL;
    for (uint32_t i = 0; i < p->nrules; i++) {
        if (!p->rules[i].when_def)
            continue;
        if (!when) {
            when = agc_alloc(g->ir->arena, p->nrules * sizeof *when);
            memset(when, 0xff, p->nrules * sizeof *when); // AG_NONE
        }
        if (!lower_when(g, &p->rules[i], &when[i]))
            return false;
    }
    g->ir->hooks.when = when;
    return true;
}

static bool
lower_hook(struct agc_rego *g, const char *name, uint32_t *ret)
{
    const struct ag_str path[2] = {AG_STR("aegis"), ag_str_z(name)};
    const struct agc_tree *t = agc_tree_find(g->program->root, path, 2);
    if (!t || !t->group || t->group->kind == AGC_GROUP_FUNCTION)
        return true;
    return agc_rego_group(g, t->group, agc_env_none(g), ret);
}

bool
agc_lower_program(struct agc_ir *ir, const struct agc_program *program, const struct agc_wanted_node *wanted,
                  uint32_t nwanted, bool strict, bool is_indexed, struct agc_refusal *ret)
{
    struct agc_rego g = {
        .ir = ir, .program = program, .strict = strict, .is_indexed = is_indexed, .refusal = ret};
    uint32_t func;
    for (uint32_t i = 0; i < program->ngroups; i++) // callees first, so that making them does not nest
        if (!agc_rego_group(&g, program->groups[i], agc_env_none(&g), &func))
            return false;
    for (uint32_t i = 0; i < nwanted; i++) {
        if (!lower_wanted(&g, &wanted[i]))
            return false;
    }
    return lower_whens(&g) && lower_hook(&g, "decisions", &ir->hooks.decisions) &&
           lower_hook(&g, "effects", &ir->hooks.effects);
}
