// SPDX-License-Identifier: Apache-2.0
// Step 6: the checked tree becomes functions of the intermediate form.
// In: struct agc_policy. Out: struct agc_ir with one condition function per distinct rule body, the call
// table from rule number to condition, and the entrypoints `decide` and (with gates) `evaluate`. The shape of
// `decide`:
//
//   kill switch -> limits already exhausted -> candidates in priority order: condition, contribution ->
//   default -> gates
//
// Memory: the compile arena. Next file to read: lower_expr.c for terms, opt.h for what happens next.
#include "lower.h"

#include "gates.h"
#include "hash.h"
#include "pattern.h"

#include <stdlib.h>

static const char *const attr_name[AG_ATTRS] = {"type", "target", "agent", "tenant"};

static const struct agc_span no_span;

// --- conditions
struct cond {
    struct agc_ir *ir;
    uint32_t func;
    struct agc_refusal *refusal;
};

// One literal in a block of its own: value into a local, then one three-valued AND step into `acc`.
static bool
lower_literal(struct cond *c, struct agc_block *outer, const struct agc_node *n, uint32_t acc)
{
    struct agc_ir *ir = c->ir;
    struct agc_func *f = &ir->funcs[c->func];
    struct agc_block *b = agc_ir_body(ir, agc_ir_add(ir, outer, n->span, AGC_IR_BLOCK, 0, 0, 0));
    uint32_t test;
    if (n->kind == AGC_WINDOW) {
        test = agc_ir_local(f);
        agc_ir_add(ir, b, n->span, AGC_IR_WINDOW, test, agc_ir_window(ir, &n->window), 0);
    } else if (n->kind >= AGC_PARAM_EQ && n->kind <= AGC_PARAM_MATCHES) {
        struct ag_str path[2] = {AG_STR("params"), n->text};
        uint32_t param = agc_ir_local(f), want = AG_NONE;
        agc_ir_add(ir, b, n->span, AGC_IR_PATH, param, 0, agc_const_path(ir, path, 2));
        if (n->kind != AGC_PARAM_MATCHES && !agc_lower_expr(ir, c->func, b, n->kid[0], &want, c->refusal))
            return false;
        test = agc_ir_local(&ir->funcs[c->func]);
        switch (n->kind) {
        case AGC_PARAM_EQ: agc_ir_add(ir, b, n->span, AGC_IR_SEQ, test, param, want); break;
        case AGC_PARAM_GT: agc_ir_add(ir, b, n->span, AGC_IR_SLT, test, want, param); break;
        case AGC_PARAM_LT: agc_ir_add(ir, b, n->span, AGC_IR_SLT, test, param, want); break;
        case AGC_PARAM_GTE: agc_ir_add(ir, b, n->span, AGC_IR_SLE, test, want, param); break;
        case AGC_PARAM_LTE: agc_ir_add(ir, b, n->span, AGC_IR_SLE, test, param, want); break;
        case AGC_PARAM_CONTAINS: agc_ir_add(ir, b, n->span, AGC_IR_SHAS, test, param, want); break;
        default:
            agc_ir_add(ir, b, n->span, AGC_IR_MATCH, test, param,
                       agc_ir_pattern(ir, n->kid[0]->text, n->span));
        }
    } else if (!agc_lower_expr(ir, c->func, b, n, &test, c->refusal))
        return false;
    agc_ir_add(ir, b, n->span, AGC_IR_ALSO, acc, test, 1);
    return true;
}

// The expressions that need the program are one function: true, undefined, or the error of a built-in.
static void
lower_when(struct cond *c, struct agc_block *b, struct agc_span span, uint32_t func, uint32_t acc)
{
    uint32_t v = agc_ir_local(&c->ir->funcs[c->func]);
    struct agc_stmt *s = agc_ir_add(c->ir, b, span, AGC_IR_CALL, v, func, 0);
    agc_ir_args(c->ir, s, (uint32_t[]){0, 1}, 2);
    agc_ir_add(c->ir, b, span, AGC_IR_ALSO, acc, v, 0);
}

static void
note_err(void *self, struct agc_stmt *s, unsigned depth)
{
    (void)depth;
    if (agc_irop_table[s->op].flags & AGC_IRF_ERR)
        *(bool *)self = true;
}

// Joins the condition at `i` with the windows right after it when all lie inside a day of the same zone:
// their common window is one question instead of several. Returns how many conditions *ret stands for.
static uint32_t
join_windows(const struct agc_node *body, uint32_t i, struct agc_node *ret)
{
    uint32_t n = 1;
    *ret = *body->kid[i];
    if (ret->kind != AGC_WINDOW || ret->window.end <= ret->window.start)
        return n;
    for (; i + n < body->n; n++) {
        const struct agc_node *next = body->kid[i + n];
        const struct ag_window *w = &next->window;
        if (next->kind != AGC_WINDOW || w->zone != ret->window.zone || w->end <= w->start)
            break;
        uint16_t start = w->start > ret->window.start ? w->start : ret->window.start;
        uint16_t end = w->end < ret->window.end ? w->end : ret->window.end;
        uint32_t days = w->days & ret->window.days;
        if (start >= end || !days) // never true: the windows stay apart, as empty ones cannot be written
            break;
        ret->window.start = start;
        ret->window.end = end;
        ret->window.days = days;
        ret->span.end = next->span.end;
    }
    return n;
}

static bool
lower_condition(struct agc_ir *ir, const struct agc_rule *r, struct agc_ir_rule *ret,
                struct agc_refusal *refusal)
{
    const struct agc_node *body = r->body;
    uint32_t when = ir->hooks.when ? ir->hooks.when[r - ir->policy->rules] : AG_NONE;
    ret->cond = AG_NONE;
    if ((!body || body->n == 0) && when == AG_NONE)
        return true;
    struct agc_span span = body ? body->span : r->when->span;
    struct cond c = {ir, agc_ir_func(ir, r->name.text, span, 0), refusal};
    uint32_t acc = agc_ir_local(&ir->funcs[c.func]);
    struct agc_block top = {0};
    agc_ir_add(ir, &top, span, AGC_IR_CONST, acc, agc_const_bool(ir, true), 0);
    struct agc_block *all = agc_ir_body(ir, agc_ir_add(ir, &top, span, AGC_IR_BLOCK, 0, 0, 0));
    for (uint32_t i = 0; body && i < body->n;) {
        struct agc_node literal;
        i += join_windows(body, i, &literal);
        if (!lower_literal(&c, all, &literal, acc))
            return false;
    }
    if (when != AG_NONE)
        lower_when(&c, all, r->when->span, when, acc);
    agc_ir_add(ir, &top, span, AGC_IR_RET, acc, 0, 0);
    ir->funcs[c.func].body = top;
    agc_ir_walk(&ir->funcs[c.func].body, note_err, &ret->can_err);
    ret->cond = c.func;
    return true;
}

// --- equal functions are kept once: a table from content to function
struct content {
    struct agc_bytes bytes;
};

static void
put_content(void *self, struct agc_stmt *s, unsigned depth)
{
    struct content *c = self;
    uint32_t head[6] = {(uint32_t)s->op, depth, s->v[0], s->v[1], s->v[2], s->nargs};
    agc_bytes_put(&c->bytes, head, sizeof head);
    agc_bytes_put(&c->bytes, s->arg, s->nargs * sizeof *s->arg);
}

struct share {
    uint32_t slots, *slot;     // function + 1
    uint64_t *hash;            // by function
    struct agc_bytes *content; // by function
};

// The number of an earlier function with the same body, or f itself, which is then kept.
static uint32_t
shared_function(struct agc_ir *ir, struct share *sh, uint32_t f)
{
    struct content c = {{.arena = ir->arena}};
    agc_ir_walk(&ir->funcs[f].body, put_content, &c);
    uint64_t h = ag_hash(c.bytes.p, c.bytes.n, 0);
    uint32_t at = (uint32_t)h & (sh->slots - 1);
    for (; sh->slot[at]; at = (at + 1) & (sh->slots - 1)) {
        uint32_t old = sh->slot[at] - 1;
        if (sh->hash[old] == h && sh->content[old].n == c.bytes.n &&
            memcmp(sh->content[old].p, c.bytes.p, c.bytes.n) == 0)
            return old;
    }
    sh->slot[at] = f + 1;
    sh->hash[f] = h;
    sh->content[f] = c.bytes;
    return f;
}

static bool
lower_rules(struct agc_ir *ir, struct agc_refusal *refusal)
{
    const struct agc_policy *p = ir->policy;
    struct share sh = {.slots = 16};
    while (sh.slots < 2 * (p->nrules + 1))
        sh.slots *= 2;
    sh.slot = agc_alloc(ir->arena, sh.slots * sizeof *sh.slot);
    size_t most = (size_t)ir->nfuncs + p->nrules + 1; // functions when every rule has its own
    sh.hash = agc_alloc(ir->arena, most * sizeof *sh.hash);
    sh.content = agc_alloc(ir->arena, most * sizeof *sh.content);
    ir->rules = agc_alloc(ir->arena, (p->nrules + 1) * sizeof *ir->rules);
    for (uint32_t i = 0; i < p->nrules; i++) {
        struct agc_ir_rule *r = &ir->rules[ir->nrules++];
        r->rule = &p->rules[i];
        if (!lower_condition(ir, r->rule, r, refusal))
            return false;
        if (r->cond != AG_NONE) {
            uint32_t kept = shared_function(ir, &sh, r->cond);
            if (kept != r->cond)
                ir->nfuncs--; // the newest one, nothing else names it
            r->cond = kept;
        }
        r->sort_as = r->rule->decision;
        if (r->can_err && r->sort_as < AG_DENY)
            r->sort_as = AG_DENY;
    }
    return true;
}

// --- entrypoints
struct entry {
    struct agc_ir *ir;
    uint32_t func;
    struct agc_refusal *refusal;
};

static uint32_t
entry_local(struct entry *e)
{
    return agc_ir_local(&e->ir->funcs[e->func]);
}

// k = "" when k is undefined: a missing attribute or key value is the empty string.
static void
or_empty(struct entry *e, struct agc_block *b, struct agc_span span, uint32_t k)
{
    struct agc_block *in = agc_ir_body(e->ir, agc_ir_add(e->ir, b, span, AGC_IR_BLOCK, 0, 0, 0));
    agc_ir_add(e->ir, in, span, AGC_IR_LEAVE_DEF, k, 0, 0);
    agc_ir_add(e->ir, in, span, AGC_IR_CONST, k, agc_const_string(e->ir, AG_STR("")), 0);
}

// Leaves b when the action is none that the limit applies to.
static void
lower_limit_match(struct entry *e, struct agc_block *b, const struct agc_limit *l)
{
    for (unsigned a = 0; a < AG_ATTRS; a++) {
        if (!l->match[a].text.p)
            continue;
        struct ag_str key = ag_str_z(attr_name[a]);
        struct agc_span span = l->match[a].span;
        uint32_t v = entry_local(e), t = entry_local(e);
        agc_ir_add(e->ir, b, span, AGC_IR_PATH, v, 0, agc_const_path(e->ir, &key, 1));
        or_empty(e, b, span, v);
        agc_ir_add(e->ir, b, span, AGC_IR_GLOB, t, v, agc_const_string(e->ir, l->match[a].text));
        agc_ir_add(e->ir, b, span, AGC_IR_LEAVE_FALSE, t, 0, 0);
    }
}

// Asks one limit, and notes in `admitted` when it is exhausted: every limit of the action speaks before the
// stage ends, so that the most severe of them is the answer.
static bool
lower_limit(struct entry *e, struct agc_block *stages, uint32_t ix, uint32_t admitted)
{
    const struct agc_limit *l = &e->ir->policy->limits[ix];
    struct agc_ir *ir = e->ir;
    struct agc_block *b = agc_ir_body(ir, agc_ir_add(ir, stages, l->span, AGC_IR_BLOCK, 0, 0, 0));
    uint32_t *key = agc_alloc(ir->arena, (l->nkeys + 1) * sizeof *key);
    uint32_t nargs = l->nkeys;
    lower_limit_match(e, b, l);
    for (uint32_t i = 0; i < l->nkeys; i++) {
        uint32_t value;
        if (!agc_lower_expr(ir, e->func, b, l->key[i], &value, e->refusal))
            return false;
        key[i] = entry_local(e);
        agc_ir_add(ir, b, l->span, AGC_IR_MOVE, key[i], value, 0);
        or_empty(e, b, l->span, key[i]);
    }
    if (l->cost) {
        uint32_t value;
        if (!agc_lower_expr(ir, e->func, b, l->cost, &value, e->refusal))
            return false;
        key[nargs] = entry_local(e);
        agc_ir_add(ir, b, l->span, AGC_IR_MOVE, key[nargs++], value, 0);
    }
    uint32_t admits = entry_local(e);
    struct agc_stmt *s = agc_ir_add(ir, b, l->span, AGC_IR_LIMIT, admits, ix, 0);
    agc_ir_args(ir, s, key, nargs);
    agc_ir_add(ir, b, l->span, AGC_IR_ALSO, admitted, admits, 0);
    return true;
}

// The limits that the snapshot already refuses end the decision before anything expensive.
static bool
lower_limits(struct entry *e, struct agc_block *stages)
{
    uint32_t n = e->ir->policy->nlimits, nasked = 0;
    for (uint32_t i = 0; i < n; i++)
        nasked += !e->ir->policy->limits[i].is_by_effects;
    if (!nasked)
        return true;
    uint32_t admitted = entry_local(e);
    agc_ir_add(e->ir, stages, no_span, AGC_IR_CONST, admitted, agc_const_bool(e->ir, true), 0);
    for (uint32_t i = 0; i < n; i++)
        if (!e->ir->policy->limits[i].is_by_effects && !lower_limit(e, stages, i, admitted))
            return false;
    agc_ir_add(e->ir, stages, no_span, AGC_IR_LEAVE_FALSE, admitted, 0, 0);
    return true;
}

static void
lower_candidates(struct entry *e, struct agc_block *stages)
{
    struct agc_ir *ir = e->ir;
    uint32_t cands = entry_local(e), key = entry_local(e), rule = entry_local(e), cond = entry_local(e),
             done = entry_local(e);
    uint32_t table = agc_ir_table(ir, ir->nrules);
    for (uint32_t i = 0; i < ir->nrules; i++)
        ir->tables[table].func[i] = ir->rules[i].cond;
    struct agc_block *b = agc_ir_body(ir, agc_ir_add(ir, stages, no_span, AGC_IR_BLOCK, 0, 0, 0));
    agc_ir_add(ir, b, no_span, AGC_IR_CAND, cands, 0, 0);
    struct agc_block *each = agc_ir_body(ir, agc_ir_add(ir, b, no_span, AGC_IR_LOOP, cands, key, rule));
    struct agc_stmt *s = agc_ir_add(ir, each, no_span, AGC_IR_CALLT, cond, table, rule);
    agc_ir_args(ir, s, (uint32_t[]){0, 1}, 2);
    agc_ir_add(ir, each, no_span, AGC_IR_LEAVE_FALSE, cond, 0, 0);
    agc_ir_add(ir, each, no_span, AGC_IR_RULE, done, rule, cond);
    agc_ir_add(ir, each, no_span, AGC_IR_LEAVE_TRUE, done, 1, 0);
}

static void
finish_entry(struct entry *e, struct agc_block top)
{
    uint32_t nothing = entry_local(e);
    agc_ir_add(e->ir, &top, no_span, AGC_IR_UNDEF, nothing, 0, 0);
    agc_ir_add(e->ir, &top, no_span, AGC_IR_RET, nothing, 0, 0);
    e->ir->funcs[e->func].body = top;
    agc_ir_entry(e->ir, e->ir->funcs[e->func].name, e->func, true);
}

// A call of a function of a module whose error denies.
static uint32_t
call_hook(struct entry *e, struct agc_block *b, uint32_t func)
{
    uint32_t v = entry_local(e);
    agc_ir_args(e->ir, agc_ir_add(e->ir, b, no_span, AGC_IR_CALL, v, func, 0), (uint32_t[]){0, 1}, 2);
    agc_ir_add(e->ir, b, no_span, AGC_IR_FAULT, v, 0, 0);
    return v;
}

// data.aegis.decisions: every element contributes.
static void
lower_decisions(struct entry *e, struct agc_block *stages)
{
    struct agc_ir *ir = e->ir;
    uint32_t key = entry_local(e), value = entry_local(e), all = entry_local(e);
    struct agc_block *b = agc_ir_body(ir, agc_ir_add(ir, stages, no_span, AGC_IR_BLOCK, 0, 0, 0));
    uint32_t v = call_hook(e, b, ir->hooks.decisions);
    agc_ir_add(ir, b, no_span, AGC_IR_MOVE, all, v, 0);
    struct agc_block *each = agc_ir_body(ir, agc_ir_add(ir, b, no_span, AGC_IR_LOOP, all, key, value));
    agc_ir_add(ir, each, no_span, AGC_IR_EMIT, value, 0, 0);
}

static uint32_t
decision_object(struct agc_ir *ir, const char *word)
{
    uint32_t kid[4] = {agc_const_string(ir, AG_STR("decision")), agc_const_string(ir, ag_str_z(word)),
                       agc_const_string(ir, AG_STR("rule")), agc_const_string(ir, ir->hooks.decision_name)};
    uint32_t object = AG_NONE;
    agc_const_object(ir, kid, 2, &object);
    return object;
}

// --decision: true allows, everything else denies.
static void
lower_decision(struct entry *e, struct agc_block *stages)
{
    struct agc_ir *ir = e->ir;
    uint32_t word = entry_local(e);
    agc_ir_add(ir, stages, no_span, AGC_IR_CONST, word, decision_object(ir, "deny"), 0);
    struct agc_block *b = agc_ir_body(ir, agc_ir_add(ir, stages, no_span, AGC_IR_BLOCK, 0, 0, 0));
    uint32_t v = call_hook(e, b, ir->hooks.decision);
    agc_ir_add(ir, b, no_span, AGC_IR_NEED_IS, v, agc_const_bool(ir, true), 0);
    agc_ir_add(ir, b, no_span, AGC_IR_CONST, word, decision_object(ir, "allow"), 0);
    agc_ir_add(ir, stages, no_span, AGC_IR_EMIT, word, 0, 0);
}

static void
lower_effects(struct entry *e, struct agc_block *stages)
{
    struct agc_block *b = agc_ir_body(e->ir, agc_ir_add(e->ir, stages, no_span, AGC_IR_BLOCK, 0, 0, 0));
    uint32_t v = call_hook(e, b, e->ir->hooks.effects);
    agc_ir_add(e->ir, b, no_span, AGC_IR_NEED, v, 0, 0);
    agc_ir_add(e->ir, b, no_span, AGC_IR_PLAN, v, 0, 0);
}

static bool
lower_decide(struct agc_ir *ir, struct agc_refusal *refusal)
{
    struct entry e = {ir, agc_ir_func(ir, AG_STR("decide"), no_span, AG_FUNC_ENTRY), refusal};
    struct agc_block top = {0};
    struct agc_block *stages = agc_ir_body(ir, agc_ir_add(ir, &top, no_span, AGC_IR_BLOCK, 0, 0, 0));
    uint32_t killed = entry_local(&e);
    agc_ir_add(ir, stages, no_span, AGC_IR_KILLED, killed, 0, 0);
    agc_ir_add(ir, stages, no_span, AGC_IR_LEAVE_TRUE, killed, 0, 0);
    if (!lower_limits(&e, stages))
        return false;
    if (ir->nrules) {
        ir->nindexes = 1;
        lower_candidates(&e, stages);
    }
    if (ir->hooks.decisions != AG_NONE)
        lower_decisions(&e, stages);
    if (ir->hooks.decision != AG_NONE)
        lower_decision(&e, stages);
    agc_ir_add(ir, stages, no_span, AGC_IR_DEFAULT, 0, 0, 0);
    if (ir->policy->has_gates)
        agc_ir_add(ir, stages, no_span, AGC_IR_GATES, 0, 0, 0);
    if (ir->hooks.effects != AG_NONE)
        lower_effects(&e, stages);
    finish_entry(&e, top);
    return true;
}

// A proposal against the gates of `mask`, and the status that they give.
static void
lower_gates(struct agc_ir *ir, struct ag_str name, uint32_t mask, struct agc_refusal *refusal)
{
    struct entry e = {ir, agc_ir_func(ir, name, no_span, AG_FUNC_ENTRY), refusal};
    struct agc_block top = {0};
    agc_ir_add(ir, &top, no_span, AGC_IR_GATES, 0, mask, 0);
    agc_ir_add(ir, &top, no_span, AGC_IR_STATUS, 0, 0, 0);
    finish_entry(&e, top);
}

// Patterns become programs here, so that later steps know what they cost.
static bool
compile_patterns(struct agc_ir *ir, struct agc_refusal *ret)
{
    struct ag_arena scratch;
    void *mem = ir->npatterns ? malloc(AGC_PATTERN_ARENA) : NULL;
    bool ok = !ir->npatterns || mem;
    if (!ok)
        return agc_refuse(ret, ir->patterns[0].span, "no memory for compiling patterns");
    for (uint32_t i = 0; ok && i < ir->npatterns; i++) {
        struct ag_pattern_error why = {0, "it needs too much memory"};
        struct ag_str blob;
        ag_arena_init(&scratch, mem, AGC_PATTERN_ARENA);
        ok = ag_pattern_compile(ir->patterns[i].text, 0, &scratch, NULL, &blob, &why) == AG_PATTERN_YES;
        if (ok)
            ir->patterns[i].blob = agc_strdup(ir->arena, blob);
        else
            agc_refuse(ret, ir->patterns[i].span, "the pattern cannot be compiled: %s", why.text);
    }
    free(mem);
    return ok;
}

bool
agc_lower(struct agc_ir *ir, struct agc_refusal *ret)
{
    const struct agc_policy *p = ir->policy;
    if (p->nrules > AGC_IR_RULES_MAX)
        return agc_refuse(ret, p->rules[AGC_IR_RULES_MAX].span, "more than %u rules; split the policy",
                          AGC_IR_RULES_MAX);
    if (!lower_rules(ir, ret) || (!ir->is_values_only && !lower_decide(ir, ret)))
        return false;
    if (p->has_gates)
        lower_gates(ir, AG_STR("evaluate"), p->gates.present, ret);
    if (p->has_gates && (p->gates.present & 1u << AG_GATE_RISK))
        lower_gates(ir, AG_STR("risk_check"), 1u << AG_GATE_RISK, ret);
    return compile_patterns(ir, ret);
}
