// SPDX-License-Identifier: Apache-2.0
// Step 6, terms of modules: a term becomes a local that holds its value. Steps that fail leave the innermost
// block; steps with several answers open a loop around what follows. In: terms whose variables are bound, or
// open in a step of a reference. Out: statements of a function. Memory: the compile arena. Next file to read:
// lower_doc.c.
#include "lower_rego.h"

#include "builtins/builtins.h"

// --- constants
static bool
constant_kids(struct agc_ir *ir, const struct agc_node *n, uint32_t **ret)
{
    uint32_t *kid = agc_alloc(ir->arena, (n->n + 1) * sizeof *kid);
    for (uint32_t i = 0; i < n->n; i++)
        if (!agc_lower_constant(ir, n->kid[i], &kid[i]))
            return false;
    *ret = kid;
    return true;
}

// Of pairs with equal keys the last one stays.
static bool
constant_object(struct agc_ir *ir, uint32_t *kid, uint32_t npairs, uint32_t *ret)
{
    uint32_t n = 0;
    if (agc_const_object(ir, kid, npairs, ret))
        return true;
    for (uint32_t i = 0; i < npairs; i++) {
        uint32_t at = 0;
        while (at < n && agc_const_cmp(ir, kid[2 * at], kid[2 * i]) != 0)
            at++;
        kid[2 * at] = kid[2 * i];
        kid[2 * at + 1] = kid[2 * i + 1];
        n += at == n;
    }
    return agc_const_object(ir, kid, n, ret);
}

static uint32_t
negative(struct agc_ir *ir, struct ag_str spelling)
{
    char *p = agc_alloc(ir->arena, spelling.n + 1);
    p[0] = '-';
    memcpy(p + 1, spelling.p, spelling.n);
    return agc_const_number(ir, ag_str_of(p, spelling.n + 1));
}

bool
agc_lower_constant(struct agc_ir *ir, const struct agc_node *n, uint32_t *ret)
{
    uint32_t *kid;
    switch (n->kind) {
    case AGC_NULL_LIT: *ret = agc_const_null(ir); return true;
    case AGC_TRUE_LIT: *ret = agc_const_bool(ir, true); return true;
    case AGC_FALSE_LIT: *ret = agc_const_bool(ir, false); return true;
    case AGC_NUMBER: *ret = agc_const_number(ir, n->text); return true;
    case AGC_STRING: *ret = agc_const_string(ir, n->text); return true;
    case AGC_NEGATE:
        if (n->kid[0]->kind != AGC_NUMBER || (n->kid[0]->text.n && n->kid[0]->text.p[0] == '-'))
            return false;
        *ret = negative(ir, n->kid[0]->text);
        return true;
    case AGC_ARRAY:
    case AGC_SET:
        if (!constant_kids(ir, n, &kid))
            return false;
        *ret = n->kind == AGC_SET ? agc_const_set(ir, kid, n->n) : agc_const_array(ir, kid, n->n);
        return true;
    case AGC_OBJECT: return constant_kids(ir, n, &kid) && constant_object(ir, kid, n->n / 2, ret);
    default: return false;
    }
}

// --- references
// The answers of an open step: a loop over `at`, its keys matched with the step.
static bool
open_step(struct agc_fn *l, const struct agc_node *step, uint32_t at, uint32_t *ret)
{
    uint32_t key;
    return agc_fn_loop(l, step->span, at, &key, ret) && agc_fn_match(l, step, key);
}

bool
agc_fn_steps(struct agc_fn *l, const struct agc_node *ref, uint32_t from, uint32_t at, uint32_t *ret)
{
    for (uint32_t i = from; i < ref->n;) {
        uint32_t run = 0, *key = agc_alloc(l->ir->arena, ref->n * sizeof *key), with, to;
        while (i + run < ref->n && agc_lower_constant(l->ir, ref->kid[i + run], &key[run]))
            run++;
        if (run) {
            to = agc_fn_local(l);
            agc_fn_add(l, ref->span, AGC_IR_PATH, to, at, agc_const_array(l->ir, key, run));
            agc_fn_need(l, ref->span, to);
        } else if (agc_fn_is_open(l, ref->kid[i])) {
            if (!open_step(l, ref->kid[i], at, &to))
                return false;
        } else {
            if (!agc_fn_term(l, ref->kid[i], &with))
                return false;
            to = agc_fn_local(l);
            agc_fn_add(l, ref->span, AGC_IR_DOT, to, at, with);
            agc_fn_need(l, ref->span, to);
        }
        i += run ? run : 1;
        at = to;
    }
    *ret = at;
    return true;
}

static bool
lower_ref(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    const struct agc_node *head = n->kid[0];
    uint32_t at;
    if (head->kind == AGC_VAR && head->symbol == AGC_SYM_DATA)
        return agc_fn_document(l, n, ret);
    if (head->kind == AGC_VAR && head->symbol == AGC_SYM_INPUT)
        return agc_fn_steps(l, n, 1, l->input, ret); // its first step tests for undefined
    return agc_fn_term(l, head, &at) && agc_fn_steps(l, n, 1, at, ret);
}

static bool
lower_var(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    if (n->symbol == AGC_SYM_INPUT) {
        *ret = l->input;
        agc_fn_need(l, n->span, l->input);
        return true;
    }
    if (n->symbol == AGC_SYM_DATA)
        return agc_fn_tree(l, n->span, l->g->program->root, ret);
    if (n->symbol >= l->nvars || l->var[n->symbol] == AG_NONE)
        return agc_refuse(l->g->refusal, n->span, "the variable %.*s has no value here", (int)n->text.n,
                          n->text.p);
    *ret = l->var[n->symbol];
    return true;
}

// --- calls
static bool
lower_terms(struct agc_fn *l, const struct agc_node *n, uint32_t from, uint32_t **ret)
{
    uint32_t *local = agc_alloc(l->ir->arena, (n->n + 1) * sizeof *local);
    for (uint32_t i = from; i < n->n; i++)
        if (!agc_fn_term(l, n->kid[i], &local[i - from]))
            return false;
    *ret = local;
    return true;
}

static bool
call_builtin(struct agc_fn *l, struct agc_span span, uint32_t number, const uint32_t *arg, uint32_t narg,
             uint32_t *ret)
{
    uint32_t v = agc_fn_local(l);
    if (number >= AG_BUILTIN_COUNT || ag_builtin_table[number].nargs != narg)
        return agc_fn_refuse(l, span, "this function takes another number of arguments");
    struct agc_stmt *s = agc_fn_add(l, span, l->strict ? AGC_IR_BUILTINS : AGC_IR_BUILTIN, v, number, 0);
    agc_ir_args(l->ir, s, arg, narg);
    agc_fn_need_strict(l, span, v);
    *ret = v;
    return true;
}

bool
agc_fn_call_group(struct agc_fn *l, struct agc_span span, const struct agc_group *group, const uint32_t *arg,
                  uint32_t narg, uint32_t *ret)
{
    uint32_t func, *local = agc_alloc(l->ir->arena, (narg + 2) * sizeof *local);
    if (group->kind == AGC_GROUP_FUNCTION && group->nargs != narg)
        return agc_fn_refuse(l, span, "this function takes another number of arguments");
    if (!agc_rego_group(l->g, group, l->env, &func))
        return false;
    local[0] = l->input;
    local[1] = l->frame;
    for (uint32_t i = 0; i < narg; i++)
        local[2 + i] = arg[i];
    *ret = agc_fn_local(l);
    agc_ir_args(l->ir, agc_fn_add(l, span, AGC_IR_CALL, *ret, func, 0), local, narg + 2);
    agc_fn_need_call(l, span, *ret);
    return true;
}

// A call of something that `with` has replaced. What stands in its place sees no replacements itself.
static bool
call_mock(struct agc_fn *l, struct agc_span span, const struct agc_mock *m, const uint32_t *arg,
          uint32_t narg, uint32_t *ret)
{
    const struct agc_env *env = l->env;
    bool ok = true;
    switch (m->kind) {
    case AGC_MOCK_CONST: *ret = agc_fn_const(l, span, m->number); return true;
    case AGC_MOCK_OVERLAY:
        *ret = agc_fn_local(l);
        agc_fn_add(l, span, AGC_IR_DATA, *ret, l->frame, m->number);
        agc_fn_need(l, span, *ret);
        return true;
    case AGC_MOCK_BUILTIN: return call_builtin(l, span, m->number, arg, narg, ret);
    case AGC_MOCK_FUNC:
        l->env = agc_env_none(l->g);
        ok = agc_fn_call_group(l, span, l->g->program->groups[m->number], arg, narg, ret);
        l->env = env;
    }
    return ok;
}

static bool
lower_call(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t *arg, narg = n->n - 1;
    if (!lower_terms(l, n, 1, &arg))
        return false;
    const struct agc_mock *m =
        agc_env_find(l->env, n->group ? AG_BUILTIN_COUNT + n->group->number : n->symbol);
    if (m)
        return call_mock(l, n->span, m, arg, narg, ret);
    return n->group ? agc_fn_call_group(l, n->span, n->group, arg, narg, ret)
                    : call_builtin(l, n->span, n->symbol, arg, narg, ret);
}

// --- values
static bool
lower_list(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    bool is_object = n->kind == AGC_OBJECT;
    uint32_t *kid, builder;
    if (!lower_terms(l, n, 0, &kid))
        return false;
    builder = agc_fn_local(l);
    agc_fn_add(l, n->span,
               is_object            ? AGC_IR_OBJ
               : n->kind == AGC_SET ? AGC_IR_SET
                                    : AGC_IR_ARR,
               builder, 0, 0);
    for (uint32_t i = 0; i < n->n; i += is_object ? 2 : 1) {
        if (is_object)
            agc_fn_add(l, n->span, AGC_IR_PUT, builder, kid[i], kid[i + 1]);
        else
            agc_fn_add(l, n->span, AGC_IR_PUSH, builder, kid[i], 0);
    }
    *ret = agc_fn_local(l);
    agc_fn_add(l, n->span, AGC_IR_CLOSE, *ret, builder, 0);
    if (is_object)
        agc_fn_add(l, n->span, AGC_IR_RETERR, *ret, 0, 0);
    return true;
}

// The parts of a template as an array: text, then the set of the values of an expression, which is empty when
// that is undefined.
static bool
lower_template(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t parts = agc_fn_local(l), list = agc_fn_local(l), v;
    uint32_t *part = agc_alloc(l->ir->arena, (n->n + 1) * sizeof *part);
    for (uint32_t i = 0; i < n->n; i++) {
        const struct agc_node *kid = n->kid[i];
        if (i % 2 == 0) {
            if (!agc_fn_term(l, kid, &part[i]))
                return false;
            continue;
        }
        uint32_t set = agc_fn_local(l);
        agc_fn_add(l, kid->span, AGC_IR_SET, set, 0, 0);
        struct agc_mark before = agc_fn_mark(l);
        if (!agc_fn_block(l, kid->span) || !agc_fn_term(l, kid, &v))
            return false;
        agc_fn_add(l, kid->span, AGC_IR_PUSH, set, v, 0);
        agc_fn_back(l, before);
        part[i] = agc_fn_local(l);
        agc_fn_add(l, kid->span, AGC_IR_CLOSE, part[i], set, 0);
    }
    agc_fn_add(l, n->span, AGC_IR_ARR, parts, 0, 0);
    for (uint32_t i = 0; i < n->n; i++)
        agc_fn_add(l, n->span, AGC_IR_PUSH, parts, part[i], 0);
    agc_fn_add(l, n->span, AGC_IR_CLOSE, list, parts, 0);
    return call_builtin(l, n->span, ag_builtin_find(AG_STR("internal.template_string")), &list, 1, ret);
}

// --- operators
struct binary {
    const char *text;
    enum agc_irop op;
    bool swaps, is_test; // tests have no errors
};

static const struct binary binaries[] = {
    {"+", AGC_IR_ADD, false, false}, {"-", AGC_IR_SUB, false, false}, {"*", AGC_IR_MUL, false, false},
    {"/", AGC_IR_DIV, false, false}, {"%", AGC_IR_MOD, false, false}, {"&", AGC_IR_BAND, false, false},
    {"|", AGC_IR_BOR, false, false}, {"==", AGC_IR_EQ, false, true},  {"!=", AGC_IR_NE, false, true},
    {"<", AGC_IR_LT, false, true},   {"<=", AGC_IR_LE, false, true},  {">", AGC_IR_LT, true, true},
    {">=", AGC_IR_LE, true, true},   {"in", AGC_IR_IN, false, true},
};

static bool
lower_binary(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t left, right;
    if (!agc_fn_term(l, n->kid[0], &left) || !agc_fn_term(l, n->kid[1], &right))
        return false;
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        const struct binary *b = &binaries[i];
        if (!ag_str_is(n->text, b->text))
            continue;
        *ret = agc_fn_local(l);
        agc_fn_add(l, n->span, b->op, *ret, b->swaps ? right : left, b->swaps ? left : right);
        if (!b->is_test)
            agc_fn_need_strict(l, n->span, *ret);
        return true;
    }
    return agc_refuse(l->g->refusal, n->span, "operator %.*s cannot be compiled", (int)n->text.n, n->text.p);
}

static bool
lower_negate(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t zero = agc_fn_const(l, n->span, agc_const_int(l->ir, 0)), operand;
    if (!agc_fn_term(l, n->kid[0], &operand))
        return false;
    *ret = agc_fn_local(l);
    agc_fn_add(l, n->span, AGC_IR_SUB, *ret, zero, operand);
    agc_fn_need_strict(l, n->span, *ret);
    return true;
}

static bool
lower_member(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t *arg;
    return lower_terms(l, n, 0, &arg) && call_builtin(l, n->span, AG_BI_MEMBER_3, arg, 3, ret);
}

static bool
lower_with(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    struct agc_with before;
    if (!agc_fn_with(l, n, &before))
        return false;
    bool ok = agc_fn_term(l, n->kid[0], ret);
    agc_fn_with_end(l, &before);
    return ok;
}

static bool
lower_kind(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    switch (n->kind) {
    case AGC_VAR: return lower_var(l, n, ret);
    case AGC_REF: return lower_ref(l, n, ret);
    case AGC_CALL: return lower_call(l, n, ret);
    case AGC_ARRAY:
    case AGC_SET:
    case AGC_OBJECT: return lower_list(l, n, ret);
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: return agc_fn_comprehension(l, n, ret);
    case AGC_TEMPLATE: return lower_template(l, n, ret);
    case AGC_BINARY: return lower_binary(l, n, ret);
    case AGC_NEGATE: return lower_negate(l, n, ret);
    case AGC_MEMBER2: return lower_member(l, n, ret);
    case AGC_WITH: return lower_with(l, n, ret);
    default: return agc_fn_refuse(l, n->span, "this construct has no value");
    }
}

bool
agc_fn_term(struct agc_fn *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t k;
    if (agc_lower_constant(l->ir, n, &k)) {
        *ret = agc_fn_const(l, n->span, k);
        return true;
    }
    if (l->nest >= AGC_TERM_DEPTH_MAX)
        return agc_refuse(l->g->refusal, n->span,
                          "the expression is nested deeper than %u; split it into several lines",
                          AGC_TERM_DEPTH_MAX);
    l->nest++;
    bool ok = lower_kind(l, n, ret);
    l->nest--;
    return ok;
}
