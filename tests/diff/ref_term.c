// SPDX-License-Identifier: Apache-2.0
// Terms: what values a term can have. Constants have one, references may have many, undefined ones none.
// In: nodes of the tree. Out: calls of the continuation. Who owns memory: the evaluator's arena.
// Next file to read: ref_doc.c for references, ref_unify.c for patterns.
#include "ref.h"

#define TEMPLATE_MAX 65536u // bytes of the text of one template

// --- several terms together
struct all {
    struct ref *r;
    const struct ref_env *e;
    struct agc_node *const *term;
    uint32_t n;
    struct ag_value *value;
    bool *is_done;
    struct ref_all_k *then;
};

struct all_step {
    struct ref_k k;
    struct all *all;
    uint32_t ix, left;
};

static bool all_next(struct all *all, uint32_t left);

static bool
all_got(struct ref_k *k, struct ag_value v)
{
    struct all_step *s = (struct all_step *)k;
    s->all->value[s->ix] = v;
    return all_next(s->all, s->left);
}

// The first term that can be evaluated now: `f(x) + p[x]` needs the right side first.
static bool
all_next(struct all *all, uint32_t left)
{
    if (left == 0)
        return all->then->go(all->then, all->value);
    for (uint32_t i = 0; i < all->n; i++) {
        if (all->is_done[i] || !ref_is_ready(all->r, all->e, all->term[i]))
            continue;
        struct all_step s = {{all_got}, all, i, left - 1};
        all->is_done[i] = true;
        bool go_on = ref_term(all->r, all->e, all->term[i], &s.k);
        all->is_done[i] = false;
        return go_on;
    }
    return ref_halt(all->r, REF_DEFECT, all->term[0]->span, "no term can be evaluated: a variable is unsafe");
}

bool
ref_all(struct ref *r, const struct ref_env *e, struct agc_node *const *term, uint32_t n, struct ref_all_k *k)
{
    struct all all = {r, e, term, n, ref_alloc(r, n * sizeof(struct ag_value)), ref_alloc(r, n), k};
    return all_next(&all, n);
}

// --- operators, built-ins, literals of containers: work on the values of all children
struct op_k {
    struct ref_all_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_node *n;
    struct ref_k *then;
};

static struct ag_value
binary(struct ref *r, struct ag_str op, struct ag_value a, struct ag_value b)
{
    struct ag_call *c = &r->call;
    int order = ag_value_cmp(&c->mem, a, b);
    if (ag_str_is(op, "=="))
        return ag_bool(order == 0);
    if (ag_str_is(op, "!="))
        return ag_bool(order != 0);
    if (ag_str_is(op, "<"))
        return ag_bool(order < 0);
    if (ag_str_is(op, "<="))
        return ag_bool(order <= 0);
    if (ag_str_is(op, ">"))
        return ag_bool(order > 0);
    if (ag_str_is(op, ">="))
        return ag_bool(order >= 0);
    if (ag_str_is(op, "in"))
        return ag_bool(ag_value_contains(&c->mem, b, a));
    switch (op.p[0]) {
    case '+': return ag_value_add(c, a, b);
    case '-': return ag_value_sub(c, a, b);
    case '*': return ag_value_mul(c, a, b);
    case '/': return ag_value_div(c, a, b);
    case '%': return ag_value_mod(c, a, b);
    case '&': return ag_set_and(c, a, b);
    default: return ag_set_or(c, a, b);
    }
}

static struct ag_value
container(struct ref *r, const struct agc_node *n, const struct ag_value *v)
{
    static const enum ag_kind kinds[] = {
        [AGC_ARRAY] = AG_ARRAY, [AGC_SET] = AG_SET, [AGC_OBJECT] = AG_OBJECT};
    const struct ag_mem *m = &r->call.mem;
    struct ag_builder *b = ag_builder_new(m, kinds[n->kind]);
    bool ok = b != NULL;
    for (uint32_t i = 0; ok && i < n->n; i += n->kind == AGC_OBJECT ? 2 : 1)
        ok = n->kind == AGC_OBJECT ? ag_builder_put(m, b, v[i], v[i + 1]) : ag_builder_push(m, b, v[i]);
    return ref_close(r, ok ? b : NULL);
}

static bool
op_go(struct ref_all_k *k, const struct ag_value *v)
{
    struct op_k *o = (struct op_k *)k;
    const struct agc_node *n = o->n;
    struct ag_value got;
    switch (n->kind) {
    case AGC_BINARY: got = binary(o->r, n->text, v[0], v[1]); break;
    case AGC_NEGATE: got = ag_value_sub(&o->r->call, ag_int(0), v[0]); break;
    case AGC_MEMBER2:
        got = ag_value_get(&o->r->call.mem, v[2], v[0]);
        got = ag_bool(got.kind != AG_UNDEF && ag_value_eq(&o->r->call.mem, got, v[1]));
        break;
    default:
        got = container(o->r, n, v);
        if (got.kind == AG_ERROR)
            return ref_halt(o->r, REF_CONFLICT, n->span, "object keys must be unique");
    }
    return ref_result(o->r, n, got, o->then);
}

// --- comprehensions: all solutions of the body, in a container
struct comp_k {
    struct ref_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_node *n;
    struct ag_builder *b;
};
struct comp_put {
    struct ref_all_k k;
    struct comp_k *comp;
};

static bool
comp_put(struct ref_all_k *k, const struct ag_value *v)
{
    struct comp_k *c = ((struct comp_put *)k)->comp;
    const struct ag_mem *m = &c->r->call.mem;
    bool ok =
        c->n->kind == AGC_OBJECT_COMP ? ag_builder_put(m, c->b, v[0], v[1]) : ag_builder_push(m, c->b, v[0]);
    return ok || ref_halt(c->r, REF_LIMIT, c->n->span, "memory is exhausted");
}

static bool
comp_solution(struct ref_k *k, struct ag_value v)
{
    struct comp_k *c = (struct comp_k *)k;
    struct comp_put put = {{comp_put}, c};
    (void)v;
    return ref_all(c->r, c->e, c->n->kid, c->n->n - 1, &put.k);
}

static bool
comprehension(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k)
{
    enum ag_kind kind = n->kind == AGC_ARRAY_COMP ? AG_ARRAY : n->kind == AGC_SET_COMP ? AG_SET : AG_OBJECT;
    struct comp_k c = {{comp_solution}, r, e, n, ag_builder_new(&r->call.mem, kind)};
    ref_body(r, e, n->kid[n->n - 1], &c.k);
    if (r->error.code != REF_OK)
        return false;
    struct ag_value v = ref_close(r, c.b);
    if (v.kind == AG_ERROR)
        return ref_halt(r, REF_CONFLICT, n->span, "object keys must be unique");
    return k->go(k, v);
}

// --- templates: each piece has at most one value, an undefined one prints <undefined>
struct piece_k {
    struct ref_k k;
    struct ref *r;
    const struct agc_node *n;
    struct ag_value value;
};

static bool
piece_go(struct ref_k *k, struct ag_value v)
{
    struct piece_k *p = (struct piece_k *)k;
    if (p->value.kind != AG_UNDEF && !ag_value_eq(&p->r->call.mem, p->value, v))
        return ref_halt(p->r, REF_CONFLICT, p->n->span, "a template expression has several values");
    p->value = v;
    return true;
}

static bool template(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k)
{
    struct ag_value *value = ref_alloc(r, n->n * sizeof *value);
    for (uint32_t i = 0; i < n->n; i++) {
        struct piece_k p = {{piece_go}, r, n->kid[i], ag_undef()};
        ref_term(r, e, n->kid[i], &p.k);
        if (r->error.code != REF_OK)
            return false;
        value[i] = p.value;
    }
    char text[TEMPLATE_MAX];
    struct ag_buf out;
    ag_buf_init(&out, text, sizeof text);
    for (uint32_t i = 0; i < n->n; i++)
        ref_print(r, value[i], &out, true);
    if (out.is_full)
        return ref_halt(r, REF_LIMIT, n->span, "the text of a template is too long");
    return k->go(k, ref_string(r, ag_str_of(out.p, out.n)));
}

// --- `term with ..`, which only a template can hold
struct term_with_k {
    struct ref_all_k k;
    struct ref *r;
    const struct ref_env *e;
    const struct agc_node *n;
    struct ref_k *then;
};

static bool
term_with(struct ref_all_k *k, const struct ag_value *value)
{
    struct term_with_k *w = (struct term_with_k *)k;
    const struct ref_env inside = {ref_with(w->r, w->e, w->n, value), w->e->frame};
    return ref_term(w->r, &inside, w->n->kid[0], w->then);
}

// --- one term
static bool
variable(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k)
{
    if (n->symbol == AGC_SYM_INPUT)
        return e->scope->input.kind == AG_UNDEF || k->go(k, e->scope->input);
    if (n->symbol == AGC_SYM_DATA)
        return ref_ref(r, e, n, k);
    const struct ref_binding *b = &e->frame->local[n->symbol];
    if (b->what == REF_VALUE)
        return k->go(k, b->value);
    if (b->what == REF_TERM)
        return ref_term(r, e, b->term, k);
    return ref_halt(r, REF_DEFECT, n->span, "variable %.*s has no value", (int)n->text.n, n->text.p);
}

static bool
number(struct ref *r, const struct agc_node *n, struct ref_k *k)
{
    struct ag_num num;
    struct ag_value text = ref_string(r, n->text);
    if (ag_num_parse(ag_value_str(text), &r->arena, &num) != AG_NUM_OK)
        return ref_halt(r, REF_DEFECT, n->span, "not a number: %.*s", (int)n->text.n, n->text.p);
    return k->go(k, ag_number_value(&r->call.mem, num));
}

static bool
term(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k)
{
    struct op_k op = {{op_go}, r, e, n, k};
    struct term_with_k with = {{term_with}, r, e, n, k};
    switch (n->kind) {
    case AGC_NULL_LIT: return k->go(k, ag_null());
    case AGC_TRUE_LIT: return k->go(k, ag_bool(true));
    case AGC_FALSE_LIT: return k->go(k, ag_bool(false));
    case AGC_NUMBER: return number(r, n, k);
    case AGC_STRING: return k->go(k, ref_string(r, n->text));
    case AGC_VAR: return variable(r, e, n, k);
    case AGC_REF: return ref_ref(r, e, n, k);
    case AGC_CALL: return ref_call(r, e, n, k);
    case AGC_ARRAY:
    case AGC_SET:
    case AGC_OBJECT:
    case AGC_BINARY:
    case AGC_NEGATE:
    case AGC_MEMBER2: return ref_all(r, e, n->kid, n->n, &op.k);
    case AGC_ARRAY_COMP:
    case AGC_SET_COMP:
    case AGC_OBJECT_COMP: return comprehension(r, e, n, k);
    case AGC_TEMPLATE: return template(r, e, n, k);
    case AGC_WITH: return ref_with_values(r, e, n, &with.k);
    default: return ref_halt(r, REF_DEFECT, n->span, "%s is no term", agc_node_name(n->kind));
    }
}

bool
ref_term(struct ref *r, const struct ref_env *e, const struct agc_node *n, struct ref_k *k)
{
    if (++r->steps > REF_STEPS_MAX || r->depth >= REF_DEPTH_MAX)
        return ref_halt(r, REF_LIMIT, n->span, "too much work");
    r->depth++;
    bool go_on = term(r, e, n, k);
    r->depth--;
    return go_on;
}
