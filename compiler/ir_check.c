// SPDX-License-Identifier: Apache-2.0
// What must hold of the intermediate form after lowering and after every pass: operands in range, locals
// defined before use by the rule of blocks (visible from the first definition to the end of its block),
// blocks to leave that exist, callees before callers, every function ending in `ret`, decision operations in
// entrypoints only. In: struct agc_ir. Out: true, or one sentence; a false answer is a defect of the
// compiler, never of a policy.
#include "ir.h"

#include "limits.h"

#include <stdarg.h>

enum local_state { NEW, DEFINED, CONSUMED };

struct check {
    const struct agc_ir *ir;
    const struct agc_func *f;
    uint32_t func_ix;
    uint8_t *state;          // by local: enum local_state
    uint32_t *trail, ntrail; // locals that are not NEW, in order of definition: to undo at block ends
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static bool
wrong(struct check *c, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(c->text, c->size, "function #%u: ", c->func_ix);
    va_start(ap, fmt);
    if (n > 0 && (size_t)n < c->size)
        vsnprintf(c->text + n, c->size - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

static uint32_t
table_size(const struct check *c, enum agc_irop op)
{
    switch (op) {
    case AGC_IR_MATCH: return c->ir->npatterns;
    case AGC_IR_WINDOW: return c->ir->nwindows;
    case AGC_IR_CALL: return c->func_ix;
    case AGC_IR_CALLT: return c->ir->ntables;
    case AGC_IR_CAND: return c->ir->nindexes;
    case AGC_IR_LIMIT: return c->ir->policy ? c->ir->policy->nlimits : 0;
    default: return UINT32_MAX;
    }
}

static bool
check_use(struct check *c, const struct agc_stmt *s, uint32_t local)
{
    const char *text = agc_irop_table[s->op].text;
    if (local >= c->f->nlocals)
        return wrong(c, "%s names local v%u of %u", text, local, c->f->nlocals);
    return c->state[local] == DEFINED || wrong(c, "%s reads v%u before it is defined", text, local);
}

static bool
define(struct check *c, const struct agc_stmt *s, uint32_t local)
{
    if (local >= c->f->nlocals)
        return wrong(c, "%s defines local v%u of %u", agc_irop_table[s->op].text, local, c->f->nlocals);
    if (c->state[local] == NEW)
        c->trail[c->ntrail++] = local;
    c->state[local] = DEFINED;
    return true;
}

static bool
check_operands(struct check *c, const struct agc_stmt *s, unsigned depth)
{
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    for (unsigned i = 0; i < 3; i++) {
        switch ((enum agc_irk)info->operand[i]) {
        case AGC_IRK_NO:
        case AGC_IRK_D: break;
        case AGC_IRK_U:
        case AGC_IRK_M:
            if (!check_use(c, s, s->v[i]))
                return false;
            break;
        case AGC_IRK_K:
            if (s->v[i] >= c->ir->nconsts)
                return wrong(c, "%s names constant %u of %u", info->text, s->v[i], c->ir->nconsts);
            break;
        case AGC_IRK_NUM:
            if (s->v[i] >= table_size(c, s->op))
                return wrong(c, "%s names number %u of %u", info->text, s->v[i], table_size(c, s->op));
            break;
        case AGC_IRK_UP:
            if (s->v[i] >= depth)
                return wrong(c, "%s leaves %u blocks of %u", info->text, s->v[i] + 1, depth);
            break;
        }
    }
    for (uint32_t i = 0; i < s->nargs; i++)
        if (!check_use(c, s, s->arg[i]))
            return false;
    return true;
}

static bool check_block(struct check *c, const struct agc_block *b, unsigned depth);

static bool
check_body(struct check *c, const struct agc_stmt *s, unsigned depth)
{
    uint32_t mark = c->ntrail;
    if (!s->body)
        return wrong(c, "%s has no body", agc_irop_table[s->op].text);
    if (s->op == AGC_IR_LOOP && (!define(c, s, s->v[1]) || !define(c, s, s->v[2])))
        return false;
    if (!check_block(c, s->body, depth + 1))
        return false;
    while (c->ntrail > mark)
        c->state[c->trail[--c->ntrail]] = NEW;
    if (s->op == AGC_IR_LOOP)
        c->state[s->v[0]] = CONSUMED;
    return true;
}

static bool
check_block(struct check *c, const struct agc_block *b, unsigned depth)
{
    if (depth > AGC_BLOCK_DEPTH_MAX)
        return wrong(c, "blocks nest deeper than %u", AGC_BLOCK_DEPTH_MAX);
    for (uint32_t i = 0; i < b->n; i++) {
        const struct agc_stmt *s = &b->v[i];
        const struct agc_irop_info *info = &agc_irop_table[s->op];
        bool is_decision = ag_op_table[info->opcode].flags & AG_OPF_ENTRY;
        if (is_decision && !(c->f->flags & AG_FUNC_ENTRY))
            return wrong(c, "%s outside an entrypoint", info->text);
        if ((info->flags & AGC_IRF_END) && i + 1 < b->n)
            return wrong(c, "statements after %s", info->text);
        if (!check_operands(c, s, depth))
            return false;
        if (info->operand[0] == AGC_IRK_D && !define(c, s, s->v[0]))
            return false;
        if ((info->flags & AGC_IRF_BODY) && !check_body(c, s, depth))
            return false;
    }
    return true;
}

bool
agc_ir_check(const struct agc_ir *ir, char *text, size_t size)
{
    struct check c = {.ir = ir, .text = text, .size = size};
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        const struct agc_func *f = &ir->funcs[i];
        c.f = f;
        c.func_ix = i;
        c.ntrail = 0;
        c.state = agc_alloc(ir->arena, f->nlocals + 1);
        c.trail = agc_alloc(ir->arena, (f->nlocals + 1) * sizeof *c.trail);
        for (uint32_t a = 0; a < f->nargs; a++)
            c.state[a] = DEFINED;
        if (f->body.n == 0 || f->body.v[f->body.n - 1].op != AGC_IR_RET)
            return wrong(&c, "does not end in ret");
        if (!check_block(&c, &f->body, 0))
            return false;
    }
    for (uint32_t t = 0; t < ir->ntables; t++)
        for (uint32_t k = 0; k < ir->tables[t].n; k++)
            if (ir->tables[t].func[k] != AG_NONE && ir->tables[t].func[k] >= ir->nfuncs)
                return wrong(&c, "call table #%u names function %u", t, ir->tables[t].func[k]);
    return true;
}
