// SPDX-License-Identifier: Apache-2.0
// Pass: functions that one place calls, and small ones, become part of their callers. Where the caller goes
// on only with a value (`call v; need v; REST`) and the callee finds one in a single place, REST moves there,
// so that no test is left; else the callee's returns leave a block. What is memoised stays a function where
// it could be asked for more than once. In and out: struct agc_ir, callees first.
#include "opt.h"

#include "image.h"

// What a function is made of.
struct body {
    uint32_t nstmts, nreturns, ncalls;
    unsigned depth;
    bool has_reterr, has_once, has_loop, has_work; // work: calls, built-ins, making a collection
};

struct inliner {
    struct agc_ir *ir;
    struct body *body;  // by function
    uint32_t *ncallers; // places that call it
    bool *is_pinned;    // named by an entrypoint or a call table
    bool *runs_once;    // at most once for each frame
    bool has_overlays;
    struct agc_func *f; // the caller
    uint32_t ix;
};

static void
measure(struct body *m, const struct agc_block *b, unsigned depth)
{
    m->depth = depth > m->depth ? depth : m->depth;
    for (uint32_t i = 0; i < b->n; i++) {
        const struct agc_stmt *s = &b->v[i];
        m->nstmts++;
        m->nreturns += s->op == AGC_IR_RET;
        m->ncalls += s->op == AGC_IR_CALL || s->op == AGC_IR_CALLT;
        m->has_reterr |= s->op == AGC_IR_RETERR;
        m->has_once |= s->op == AGC_IR_ONCE;
        m->has_loop |= s->op == AGC_IR_LOOP;
        m->has_work |= (agc_irop_table[s->op].flags & AGC_IRF_ARGS) != 0 || s->op == AGC_IR_CLOSE;
        if (s->body)
            measure(m, s->body, depth + 1);
    }
}

// --- who is called how often
struct census {
    struct inliner *in;
    uint32_t *last; // caller of the function, when it is one place
    bool *in_loop;
};

static void
count_calls(struct census *c, uint32_t caller, const struct agc_block *b, bool in_loop)
{
    for (uint32_t i = 0; i < b->n; i++) {
        const struct agc_stmt *s = &b->v[i];
        if (s->op == AGC_IR_CALL) {
            c->in->ncallers[s->v[1]]++;
            c->last[s->v[1]] = caller;
            c->in_loop[s->v[1]] = in_loop;
        }
        if (s->body)
            count_calls(c, caller, s->body, in_loop || s->op == AGC_IR_LOOP);
    }
}

static void
take_census(struct inliner *in)
{
    uint32_t n = in->ir->nfuncs;
    struct census c = {in, agc_alloc(in->ir->arena, (n + 1) * sizeof(uint32_t)),
                       agc_alloc(in->ir->arena, n + 1)};
    for (uint32_t i = 0; i < n; i++) {
        measure(&in->body[i], &in->ir->funcs[i].body, 0);
        count_calls(&c, i, &in->ir->funcs[i].body, false);
    }
    for (uint32_t t = 0; t < in->ir->ntables; t++)
        for (uint32_t k = 0; k < in->ir->tables[t].n; k++)
            if (in->ir->tables[t].func[k] != AG_NONE)
                in->is_pinned[in->ir->tables[t].func[k]] = true;
    for (uint32_t i = 0; i < in->ir->nentries; i++)
        in->is_pinned[in->ir->entries[i].func] = in->runs_once[in->ir->entries[i].func] = true;
    for (uint32_t i = n; i-- > 0;) { // callers come behind
        if (in->ir->funcs[i].flags & AG_FUNC_MEMO)
            in->runs_once[i] = true;
        else if (!in->is_pinned[i])
            in->runs_once[i] = in->ncallers[i] == 1 && !c.in_loop[i] && in->runs_once[c.last[i]];
    }
}

static bool
is_wanted(const struct inliner *in, uint32_t callee, bool in_loop)
{
    const struct agc_func *g = &in->ir->funcs[callee];
    const struct body *m = &in->body[callee];
    bool is_small = m->nstmts <= AGC_INLINE_SMALL && !m->has_loop && !m->has_work;
    if ((g->flags & AG_FUNC_ENTRY) || (g->path != AG_NONE && in->has_overlays))
        return false;
    if (m->has_once && (g->nargs > 2) != (in->f->nargs > 2)) // a conflict says which of the two it is
        return false;
    if (is_small)
        return true;
    if (in->ncallers[callee] != 1 || in->is_pinned[callee] || m->nstmts > AGC_INLINE_MAX)
        return false;
    return !(g->flags & AG_FUNC_MEMO) || (!in_loop && in->runs_once[in->ix]);
}

// --- copies
struct copy {
    struct inliner *in;
    uint32_t *local;        // by local of the callee: local of the caller
    uint32_t result;        // local of the caller
    struct agc_block *rest; // what goes on where a value is found; NULL: returns leave a block
    uint32_t nothing;       // local of the callee that is undefined, AG_NONE
};

static void
rename_local(void *self, uint32_t *local)
{
    *local = ((const uint32_t *)self)[*local];
}

// Moves the places that statements leave to further out, by `by` blocks that now stand around them.
static void
deepen(struct agc_block *b, uint32_t by, uint32_t depth)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct agc_stmt *s = &b->v[i];
        for (unsigned k = 0; k < 3; k++)
            if (agc_irop_table[s->op].operand[k] == AGC_IRK_UP && s->v[k] >= depth)
                s->v[k] += by;
        if (s->body)
            deepen(s->body, by, depth + 1);
    }
}

static void
append(struct copy *c, struct agc_block *to, const struct agc_stmt *s)
{
    to->v = agc_grow(c->in->ir->arena, to->v, to->n, &to->cap, sizeof *to->v);
    to->v[to->n++] = *s;
}

static void
copy_return(struct copy *c, struct agc_block *to, const struct agc_stmt *s, uint32_t depth)
{
    struct agc_ir *ir = c->in->ir;
    if (depth == 0 && s->v[0] == c->nothing)
        return;
    agc_ir_add(ir, to, s->span, AGC_IR_MOVE, c->result, c->local[s->v[0]], 0);
    if (!c->rest) {
        if (depth)
            agc_ir_add(ir, to, s->span, AGC_IR_LEAVE, depth, 0, 0);
        return;
    }
    deepen(c->rest, depth, 0);
    for (uint32_t i = 0; i < c->rest->n; i++)
        append(c, to, &c->rest->v[i]);
    if (!(agc_irop_table[to->v[to->n - 1].op].flags & AGC_IRF_END))
        agc_ir_add(ir, to, s->span, AGC_IR_LEAVE, depth - 1, 0, 0);
}

static void
copy_block(struct copy *c, struct agc_block *to, const struct agc_block *from, uint32_t depth)
{
    for (uint32_t i = 0; i < from->n; i++) {
        struct agc_stmt s = from->v[i];
        uint32_t def = agc_stmt_def(&s);
        if (s.op == AGC_IR_RET) {
            copy_return(c, to, &s, depth);
            continue;
        }
        s.body = NULL;
        if (s.nargs)
            agc_ir_args(c->in->ir, &s, from->v[i].arg, s.nargs);
        agc_stmt_uses(&s, rename_local, c->local);
        if (def != AG_NONE && agc_irop_table[s.op].operand[0] == AGC_IRK_D)
            s.v[0] = c->local[def];
        if (s.op == AGC_IR_LOOP) {
            s.v[1] = c->local[s.v[1]];
            s.v[2] = c->local[s.v[2]];
        }
        if (from->v[i].body)
            copy_block(c, agc_ir_body(c->in->ir, &s), from->v[i].body, depth + 1);
        append(c, to, &s);
    }
}

// --- one call
// How the caller goes on: whether it returns an error, and whether it leaves the block without a value.
static void
tests_behind(const struct agc_block *b, uint32_t at, bool *ret_passes_errors, bool *ret_needs_value)
{
    uint32_t v = b->v[at].v[0];
    *ret_passes_errors = at + 1 < b->n && b->v[at + 1].op == AGC_IR_RETERR && b->v[at + 1].v[0] == v;
    at += 1u + *ret_passes_errors;
    const struct agc_stmt *s = at < b->n ? &b->v[at] : NULL;
    *ret_needs_value = s && s->op == AGC_IR_NEED && s->v[0] == v && s->v[1] == 0;
}

static void
note_undef(void *self, struct agc_stmt *s, unsigned depth)
{
    uint32_t *undef = self;
    (void)depth;
    if (agc_stmt_def(s) == undef[0])
        undef[1] += s->op == AGC_IR_UNDEF ? 1 : 2;
}

// The local that the function returns at its end when that is always undefined.
static uint32_t
returns_nothing(struct agc_func *g)
{
    uint32_t undef[2] = {g->body.v[g->body.n - 1].v[0], 0};
    agc_ir_walk(&g->body, note_undef, undef);
    return undef[1] == 1 ? undef[0] : AG_NONE;
}

// One return of a value, in the last statement; behind it the function is undefined.
static bool
finds_in_one_place(const struct agc_func *g, const struct body *m)
{
    struct body last = {0};
    if (m->nreturns != 2 || g->body.n < 2)
        return false;
    const struct agc_stmt *s = &g->body.v[g->body.n - 2];
    if (s->op != AGC_IR_BLOCK) // a loop is not left with its body
        return false;
    measure(&last, s->body, 1);
    return last.nreturns == 1;
}

static struct agc_block *
cut_off(struct inliner *in, struct agc_block *b, uint32_t from)
{
    struct agc_block *rest = agc_alloc(in->ir->arena, sizeof *rest);
    for (uint32_t i = from; i < b->n; i++) {
        rest->v = agc_grow(in->ir->arena, rest->v, rest->n, &rest->cap, sizeof *rest->v);
        rest->v[rest->n++] = b->v[i];
    }
    return rest;
}

static bool
inline_call(struct inliner *in, struct agc_block *b, uint32_t at, unsigned depth)
{
    const struct agc_stmt call = b->v[at];
    struct agc_func *g = &in->ir->funcs[call.v[1]];
    const struct body *m = &in->body[call.v[1]];
    bool passes_errors, needs_value;
    tests_behind(b, at, &passes_errors, &needs_value);
    if (m->has_reterr && !passes_errors)
        return false;
    struct agc_block *rest = cut_off(in, b, at + 1);
    struct body behind = {0};
    measure(&behind, rest, 0);
    if (depth + m->depth + behind.depth + 2 >= AGC_BLOCK_DEPTH_MAX)
        return false;
    struct copy c = {.in = in, .result = call.v[0], .nothing = returns_nothing(g)};
    c.local = agc_alloc(in->ir->arena, (g->nlocals + 1) * sizeof *c.local);
    for (uint32_t i = 0; i < g->nlocals; i++)
        c.local[i] = i < call.nargs ? call.arg[i] : agc_ir_local(in->f);
    b->n = at;
    if (needs_value && depth && c.nothing != AG_NONE && finds_in_one_place(g, m)) {
        c.rest = rest;
        copy_block(&c, b, &g->body, 0);
        return true;
    }
    agc_ir_add(in->ir, b, call.span, AGC_IR_UNDEF, call.v[0], 0, 0);
    struct agc_stmt *s = agc_ir_add(in->ir, b, call.span, AGC_IR_BLOCK, 0, 0, 0);
    copy_block(&c, agc_ir_body(in->ir, s), &g->body, 0);
    for (uint32_t i = 0; i < rest->n; i++)
        append(&c, b, &rest->v[i]);
    return true;
}

static void
inline_block(struct inliner *in, struct agc_block *b, unsigned depth, bool in_loop)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct agc_stmt *s = &b->v[i];
        if (s->op == AGC_IR_CALL && is_wanted(in, s->v[1], in_loop) &&
            in->body[in->ix].nstmts + in->body[s->v[1]].nstmts <= AGC_INLINE_MAX) {
            uint32_t callee = s->v[1];
            if (inline_call(in, b, i, depth)) {
                in->body[in->ix].nstmts += in->body[callee].nstmts;
                i--; // what came in its place holds calls too, which were not wanted there
                continue;
            }
        }
        if (s->body)
            inline_block(in, s->body, depth + 1, in_loop || s->op == AGC_IR_LOOP);
    }
}

void
agc_opt_inline(struct agc_ir *ir, int level)
{
    struct inliner in = {.ir = ir, .has_overlays = agc_opt_has_overlays(ir)};
    (void)level;
    in.body = agc_alloc(ir->arena, (ir->nfuncs + 1) * sizeof *in.body);
    in.ncallers = agc_alloc(ir->arena, (ir->nfuncs + 1) * sizeof *in.ncallers);
    in.is_pinned = agc_alloc(ir->arena, ir->nfuncs + 1);
    in.runs_once = agc_alloc(ir->arena, ir->nfuncs + 1);
    take_census(&in);
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        in.f = &ir->funcs[i];
        in.ix = i;
        inline_block(&in, &in.f->body, 0, false);
        in.body[i] = (struct body){0};
        measure(&in.body[i], &in.f->body, 0);
    }
}
