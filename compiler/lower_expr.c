// SPDX-License-Identifier: Apache-2.0
// Step 6, expressions: terms of `when` and of limit keys become straight-line operations over locals.
// In: checked nodes. Out: statements appended to a block. A value may be undefined or an error; who uses it
// decides what that means. Constant terms become constants at once. Memory: the compile arena. Next file to
// read: lower.c.
#include "lower_rego.h"

struct lower {
    struct agc_ir *ir;
    uint32_t func;
    struct agc_block *b;
    struct agc_refusal *refusal;
    unsigned depth;
};

static bool lower_term(struct lower *l, const struct agc_node *n, uint32_t *ret);

static uint32_t
new_local(struct lower *l)
{
    return agc_ir_local(&l->ir->funcs[l->func]);
}

static struct agc_stmt *
add(struct lower *l, const struct agc_node *n, enum agc_irop op, uint32_t a, uint32_t b, uint32_t c)
{
    return agc_ir_add(l->ir, l->b, n->span, op, a, b, c);
}

static bool
lower_kids(struct lower *l, const struct agc_node *n, uint32_t from, uint32_t **ret)
{
    uint32_t *local = agc_alloc(l->ir->arena, (n->n + 1) * sizeof *local);
    for (uint32_t i = from; i < n->n; i++)
        if (!lower_term(l, n->kid[i], &local[i - from]))
            return false;
    *ret = local;
    return true;
}

// head[.key][x]...: constant steps next to each other become one `path`.
static bool
lower_ref(struct lower *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t at;
    if (!lower_term(l, n->kid[0], &at))
        return false;
    for (uint32_t i = 1; i < n->n;) {
        uint32_t run = 0, *key = agc_alloc(l->ir->arena, n->n * sizeof *key);
        while (i + run < n->n && agc_lower_constant(l->ir, n->kid[i + run], &key[run]))
            run++;
        uint32_t with = AG_NONE;
        if (run == 0 && !lower_term(l, n->kid[i], &with))
            return false;
        uint32_t to = new_local(l);
        if (run)
            add(l, n, AGC_IR_PATH, to, at, agc_const_array(l->ir, key, run));
        else
            add(l, n, AGC_IR_DOT, to, at, with);
        i += run ? run : 1;
        at = to;
    }
    *ret = at;
    return true;
}

static bool
lower_call(struct lower *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t *arg;
    if (!lower_kids(l, n, 1, &arg))
        return false;
    *ret = new_local(l);
    struct agc_stmt *s = add(l, n, AGC_IR_BUILTINS, *ret, n->symbol, 0);
    agc_ir_args(l->ir, s, arg, n->n - 1);
    return true;
}

static bool
lower_collection(struct lower *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t builder = new_local(l), *kid;
    bool is_object = n->kind == AGC_OBJECT;
    if (!lower_kids(l, n, 0, &kid))
        return false;
    // an undefined element makes the whole collection undefined
    uint32_t value = new_local(l);
    add(l, n, AGC_IR_UNDEF, value, 0, 0);
    struct agc_stmt *s = add(l, n, AGC_IR_BLOCK, 0, 0, 0);
    struct lower in = *l;
    in.b = agc_ir_body(l->ir, s);
    for (uint32_t i = 0; i < n->n; i++) {
        struct agc_stmt *inner = add(&in, n, AGC_IR_BLOCK, 0, 0, 0);
        struct lower deep = in;
        deep.b = agc_ir_body(l->ir, inner);
        add(&deep, n, AGC_IR_LEAVE_DEF, kid[i], 0, 0);
        add(&deep, n, AGC_IR_LEAVE, 1, 0, 0);
    }
    add(&in, n, is_object ? AGC_IR_OBJ : n->kind == AGC_SET ? AGC_IR_SET : AGC_IR_ARR, builder, 0, 0);
    for (uint32_t i = 0; i < n->n; i += is_object ? 2 : 1) {
        if (is_object)
            add(&in, n, AGC_IR_PUT, builder, kid[i], kid[i + 1]);
        else
            add(&in, n, AGC_IR_PUSH, builder, kid[i], 0);
    }
    add(&in, n, AGC_IR_CLOSE, value, builder, 0);
    *ret = value;
    return true;
}

struct binary {
    const char *text;
    enum agc_irop op;
    bool swaps; // written left to right, the operation takes right to left
};

static const struct binary binaries[] = {
    {"+", AGC_IR_ADD, false}, {"-", AGC_IR_SUB, false},  {"*", AGC_IR_MUL, false}, {"/", AGC_IR_DIV, false},
    {"%", AGC_IR_MOD, false}, {"&", AGC_IR_BAND, false}, {"|", AGC_IR_BOR, false}, {"==", AGC_IR_EQ, false},
    {"!=", AGC_IR_NE, false}, {"<", AGC_IR_LT, false},   {"<=", AGC_IR_LE, false}, {">", AGC_IR_LT, true},
    {">=", AGC_IR_LE, true},  {"in", AGC_IR_IN, false},
};

static bool
lower_binary(struct lower *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t left, right;
    if (!lower_term(l, n->kid[0], &left) || !lower_term(l, n->kid[1], &right))
        return false;
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        if (!ag_str_is(n->text, binaries[i].text))
            continue;
        *ret = new_local(l);
        add(l, n, binaries[i].op, *ret, binaries[i].swaps ? right : left, binaries[i].swaps ? left : right);
        return true;
    }
    return agc_refuse(l->refusal, n->span, "operator %.*s cannot be compiled", (int)n->text.n, n->text.p);
}

// `k, v in xs`: the element at k exists and equals v.
static bool
lower_member(struct lower *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t key, value, coll, element = new_local(l);
    if (!lower_term(l, n->kid[0], &key) || !lower_term(l, n->kid[1], &value) ||
        !lower_term(l, n->kid[2], &coll))
        return false;
    add(l, n, AGC_IR_DOT, element, coll, key);
    *ret = new_local(l);
    add(l, n, AGC_IR_EQ, *ret, element, value);
    struct agc_stmt *s = add(l, n, AGC_IR_BLOCK, 0, 0, 0);
    struct lower in = *l;
    in.b = agc_ir_body(l->ir, s);
    add(&in, n, AGC_IR_LEAVE_DEF, *ret, 0, 0);
    add(&in, n, AGC_IR_CONST, *ret, agc_const_bool(l->ir, false), 0);
    return true;
}

static bool
lower_negate(struct lower *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t zero = new_local(l), operand;
    add(l, n, AGC_IR_CONST, zero, agc_const_int(l->ir, 0), 0);
    if (!lower_term(l, n->kid[0], &operand))
        return false;
    *ret = new_local(l);
    add(l, n, AGC_IR_SUB, *ret, zero, operand);
    return true;
}

static bool
lower_kind(struct lower *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t operand;
    switch (n->kind) {
    case AGC_VAR: // `input` is the only variable that check.c lets through
        *ret = 0;
        return true;
    case AGC_REF: return lower_ref(l, n, ret);
    case AGC_CALL: return lower_call(l, n, ret);
    case AGC_BINARY: return lower_binary(l, n, ret);
    case AGC_MEMBER2: return lower_member(l, n, ret);
    case AGC_NEGATE: return lower_negate(l, n, ret);
    case AGC_NOT:
        if (!lower_term(l, n->kid[0], &operand))
            return false;
        *ret = new_local(l);
        add(l, n, AGC_IR_NOT, *ret, operand, 0);
        return true;
    case AGC_ARRAY:
    case AGC_SET:
    case AGC_OBJECT: return lower_collection(l, n, ret);
    default: return agc_refuse(l->refusal, n->span, "this construct cannot stand in an expression");
    }
}

static bool
lower_term(struct lower *l, const struct agc_node *n, uint32_t *ret)
{
    uint32_t k;
    if (l->depth >= AGC_TERM_DEPTH_MAX)
        return agc_refuse(l->refusal, n->span,
                          "the expression is nested deeper than %u; split it into several lines",
                          AGC_TERM_DEPTH_MAX);
    if (agc_lower_constant(l->ir, n, &k)) {
        *ret = new_local(l);
        add(l, n, AGC_IR_CONST, *ret, k, 0);
        return true;
    }
    l->depth++;
    bool ok = lower_kind(l, n, ret);
    l->depth--;
    return ok;
}

bool
agc_lower_expr(struct agc_ir *ir, uint32_t func, struct agc_block *b, const struct agc_node *n,
               uint32_t *ret_local, struct agc_refusal *ret)
{
    struct lower l = {.ir = ir, .func = func, .b = b, .refusal = ret};
    return lower_term(&l, n, ret_local);
}
