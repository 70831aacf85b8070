// SPDX-License-Identifier: Apache-2.0
// Step 8: one function at a time, one pass over its blocks. A local gets the next register when it is first
// defined and gives it back at the end of its block; call windows and loop bases lie on top of what is in
// use. In: struct agc_ir. Out: instructions, function rows, source spans. Memory: the compile arena. Next
// file to read: image_write.c.
#include "emit.h"

#include "isa/disasm.h"

struct patch { // a forward jump whose target is the end of a block
    uint32_t at;
    bool is_wide; // skip in x, else in c
};

struct scope { // one open block
    struct patch *patch;
    uint32_t n, cap;
};

struct emit {
    struct agc_ir *ir;
    struct agc_heap *heap;
    struct agc_code *code;
    struct agc_refusal *refusal;
    struct agc_func *f;
    uint32_t *reg; // by local, AG_NONE: none now
    bool *is_pair; // by local: ONCE keeps a number in the register behind it
    uint32_t *trail, ntrail, cap_trail;
    uint32_t top, nregs; // registers in use; most ever in use
    struct scope scope[AGC_BLOCK_DEPTH_MAX + 2];
    unsigned depth;
    struct agc_span span, last;
    bool has_span, failed;
};

static void
fail(struct emit *e, const char *what, uint32_t max)
{
    if (!e->failed)
        agc_refuse(e->refusal, e->span, "the policy needs more than %u %s; split it", max, what);
    e->failed = true;
}

static uint32_t
put(struct emit *e, ag_insn i)
{
    if (!e->has_span || memcmp(&e->span, &e->last, sizeof e->span) != 0) {
        struct ag_span s = {e->code->ninsns, e->span.source, 1, 1};
        agc_place(&e->code->places, e->span, &s.line, &s.column);
        agc_bytes_put(&e->code->spans, &s, sizeof s);
        e->last = e->span;
        e->has_span = true;
    }
    agc_bytes_put(&e->code->insns, &i, sizeof i);
    return e->code->ninsns++;
}

// --- registers
static void
use_up_to(struct emit *e, uint32_t n)
{
    if (n > e->nregs)
        e->nregs = n;
    if (n > AG_REGS_MAX)
        fail(e, "registers in one condition", AG_REGS_MAX);
}

static void
assign(struct emit *e, uint32_t local, uint32_t reg)
{
    e->reg[local] = reg;
    e->trail = agc_grow(e->ir->arena, e->trail, e->ntrail, &e->cap_trail, sizeof *e->trail);
    e->trail[e->ntrail++] = local;
}

// The register of a local that is about to be defined.
static uint32_t
define(struct emit *e, uint32_t local)
{
    if (e->reg[local] == AG_NONE) {
        assign(e, local, e->top);
        e->top += e->is_pair[local] ? 2 : 1;
        use_up_to(e, e->top);
    }
    return e->reg[local];
}

static uint32_t
narrow(struct emit *e, uint32_t n, const char *what)
{
    if (n >= AGC_NARROW_MAX)
        fail(e, what, AGC_NARROW_MAX);
    return n;
}

// --- flow
static void
jump_out(struct emit *e, uint32_t at, bool is_wide, uint32_t up)
{
    struct scope *s = &e->scope[e->depth - 1 - up];
    s->patch = agc_grow(e->ir->arena, s->patch, s->n, &s->cap, sizeof *s->patch);
    s->patch[s->n++] = (struct patch){at, is_wide};
}

static ag_insn *
insn_at(struct emit *e, uint32_t at)
{
    return (ag_insn *)(void *)e->code->insns.p + at;
}

static void
land(struct emit *e, struct patch p)
{
    uint32_t skip = e->code->ninsns - (p.at + 1);
    ag_insn *i = insn_at(e, p.at);
    if (!p.is_wide && skip > AGC_SKIP_MAX)
        fail(e, "instructions in one condition", AGC_SKIP_MAX);
    *i |= (ag_insn)skip << (p.is_wide ? 32 : 48);
}

static void emit_stmt(struct emit *e, struct agc_stmt *s);

// The statements of a block; jumps that leave it land behind them.
static void
emit_block(struct emit *e, struct agc_block *b)
{
    uint32_t top = e->top, mark = e->ntrail;
    e->scope[e->depth++] = (struct scope){0};
    for (uint32_t i = 0; i < b->n && !e->failed; i++)
        emit_stmt(e, &b->v[i]);
    struct scope *s = &e->scope[--e->depth];
    for (uint32_t i = 0; i < s->n; i++)
        land(e, s->patch[i]);
    while (e->ntrail > mark)
        e->reg[e->trail[--e->ntrail]] = AG_NONE;
    e->top = top;
}

static void
emit_loop(struct emit *e, struct agc_stmt *s)
{
    uint32_t coll = e->reg[s->v[0]], base = coll;
    if (coll + 1 != e->top) {
        base = e->top++;
        put(e, ag_insn3(AG_OP_MOVE, base, coll, 0));
    }
    uint32_t top = e->top, mark = e->ntrail;
    assign(e, s->v[1], base + 1);
    assign(e, s->v[2], base + 2);
    e->top = base + 3;
    use_up_to(e, e->top);
    uint32_t iter = put(e, ag_insn2(AG_OP_ITER, base, 0));
    emit_block(e, s->body);
    e->span = s->span;
    uint32_t next = e->code->ninsns;
    put(e, ag_insn2(AG_OP_NEXT, base, next - iter));
    land(e, (struct patch){iter, true});
    while (e->ntrail > mark)
        e->reg[e->trail[--e->ntrail]] = AG_NONE;
    e->top = top;
}

// Arguments in a window on top of the registers in use; the result lands in the window's first register,
// which becomes the local's own when it has none yet.
static void
emit_call(struct emit *e, struct agc_stmt *s)
{
    uint32_t base = e->top, number = s->v[1];
    for (uint32_t i = 0; i < s->nargs; i++)
        put(e, ag_insn3(AG_OP_MOVE, base + i, e->reg[s->arg[i]], 0));
    use_up_to(e, base + (s->nargs ? s->nargs : 1));
    switch (s->op) {
    case AGC_IR_CALL: put(e, ag_insn2(AG_OP_CALL, base, number)); break;
    case AGC_IR_CALLT:
        put(e, ag_insn3(AG_OP_CALLT, base, narrow(e, number, "call tables"), e->reg[s->v[2]]));
        break;
    case AGC_IR_LIMIT: put(e, ag_insn3(AG_OP_LIMIT, base, narrow(e, number, "limits"), s->nargs)); break;
    default:
        put(e, ag_insn3((enum ag_op)agc_irop_table[s->op].opcode, base, narrow(e, number, "built-ins"),
                        s->nargs));
    }
    if (e->reg[s->v[0]] == AG_NONE) {
        assign(e, s->v[0], base);
        e->top = base + 1;
    } else
        put(e, ag_insn3(AG_OP_MOVE, e->reg[s->v[0]], base, 0));
}

static void
emit_leave(struct emit *e, const struct agc_stmt *s)
{
    enum ag_op op = (enum ag_op)agc_irop_table[s->op].opcode;
    if (s->op == AGC_IR_LEAVE)
        jump_out(e, put(e, ag_insn2(op, 0, 0)), true, s->v[0]);
    else if (agc_irop_table[s->op].operand[2] == AGC_IRK_UP) {
        uint32_t b = agc_irop_table[s->op].operand[1] == AGC_IRK_K
                         ? narrow(e, agc_heap_const(e->heap, s->v[1]), "distinct constants in comparisons")
                         : e->reg[s->v[1]];
        jump_out(e, put(e, ag_insn3(op, e->reg[s->v[0]], b, 0)), false, s->v[2]);
    } else
        jump_out(e, put(e, ag_insn2(op, e->reg[s->v[0]], 0)), true, s->v[1]);
}

// Operations that are one instruction with the same operands.
static void
emit_plain(struct emit *e, const struct agc_stmt *s)
{
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    enum ag_op op = (enum ag_op)info->opcode;
    bool is_wide = ag_op_table[op].is_wide;
    uint32_t v[3] = {0, 0, 0}, def = AG_NONE;
    for (unsigned i = 0; i < 3; i++) {
        switch ((enum agc_irk)info->operand[i]) {
        case AGC_IRK_NO:
        case AGC_IRK_UP: break;
        case AGC_IRK_D: def = s->v[i]; break;
        case AGC_IRK_U:
        case AGC_IRK_M: v[i] = e->reg[s->v[i]]; break;
        case AGC_IRK_K:
            v[i] = agc_heap_const(e->heap, s->v[i]);
            if (!is_wide)
                narrow(e, v[i], "distinct globs and paths");
            break;
        case AGC_IRK_NUM: v[i] = is_wide ? s->v[i] : narrow(e, s->v[i], "patterns or tables"); break;
        }
    }
    if (def != AG_NONE)
        v[0] = define(e, def);
    put(e, is_wide ? ag_insn2(op, v[0], v[1]) : ag_insn3(op, v[0], v[1], v[2]));
}

static void
emit_stmt(struct emit *e, struct agc_stmt *s)
{
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    e->span = s->span;
    if (s->op == AGC_IR_BLOCK)
        emit_block(e, s->body);
    else if (s->op == AGC_IR_LOOP)
        emit_loop(e, s);
    else if (info->flags & AGC_IRF_ARGS)
        emit_call(e, s);
    else if (info->flags & AGC_IRF_LEAVE)
        emit_leave(e, s);
    else if (s->op == AGC_IR_RET)
        put(e, ag_insn2(AG_OP_RET, e->reg[s->v[0]], 0));
    else
        emit_plain(e, s);
}

// --- functions
struct deepest {
    const struct emit *e;
    uint32_t n;
};

static void
deepest_callee(void *self, struct agc_stmt *s, unsigned depth)
{
    struct deepest *d = self;
    const uint32_t *stack = d->e->code->stack;
    (void)depth;
    if (s->op == AGC_IR_CALL && stack[s->v[1]] > d->n)
        d->n = stack[s->v[1]];
    if (s->op != AGC_IR_CALLT)
        return;
    const struct agc_call_table *t = &d->e->ir->tables[s->v[1]];
    for (uint32_t i = 0; i < t->n; i++)
        if (t->func[i] != AG_NONE && stack[t->func[i]] > d->n)
            d->n = stack[t->func[i]];
}

static void
note_pair(void *self, struct agc_stmt *s, unsigned depth)
{
    (void)depth;
    if (s->op == AGC_IR_ONCE)
        ((struct emit *)self)->is_pair[s->v[0]] = true;
}

static void
emit_func(struct emit *e, uint32_t ix)
{
    struct agc_func *f = &e->ir->funcs[ix];
    struct ag_func *row = &e->code->funcs[ix];
    e->f = f;
    e->reg = agc_alloc(e->ir->arena, f->nlocals * sizeof *e->reg);
    e->is_pair = agc_alloc(e->ir->arena, f->nlocals);
    agc_ir_walk(&f->body, note_pair, e);
    for (uint32_t i = 0; i < f->nlocals; i++)
        e->reg[i] = i < f->nargs ? i : AG_NONE;
    e->top = e->nregs = f->nargs;
    e->ntrail = e->depth = 0;
    e->has_span = false;
    uint32_t at = e->code->ninsns;
    emit_block(e, &f->body);
    struct deepest d = {e, 0};
    agc_ir_walk(&f->body, deepest_callee, &d);
    e->code->stack[ix] = e->nregs + d.n;
    *row = (struct ag_func){.code_at = at,
                            .code_n = e->code->ninsns - at,
                            .nargs = (uint16_t)f->nargs,
                            .nregs = (uint16_t)e->nregs,
                            .flags = f->flags,
                            .memo_slot = f->flags & AG_FUNC_MEMO ? e->code->memo_slots++ : AG_NONE,
                            .name = agc_heap_string(e->heap, f->name),
                            .path = f->path == AG_NONE ? AG_NONE : agc_heap_const(e->heap, f->path)};
}

static void
narrow_consts(void *self, struct agc_stmt *s, unsigned depth)
{
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    (void)depth;
    for (unsigned i = 0; i < 3; i++)
        if (info->operand[i] == AGC_IRK_K && !ag_op_table[info->opcode].is_wide)
            agc_heap_const(self, s->v[i]);
}

bool
agc_emit(struct agc_ir *ir, const struct agc_sources *sources, struct agc_heap *heap, struct agc_code *code,
         struct agc_refusal *ret)
{
    struct emit e = {.ir = ir, .heap = heap, .code = code, .refusal = ret};
    *code = (struct agc_code){.nfuncs = ir->nfuncs};
    agc_places_init(&code->places, ir->arena, sources);
    code->insns.arena = code->spans.arena = ir->arena;
    code->funcs = agc_alloc(ir->arena, (ir->nfuncs + 1) * sizeof *code->funcs);
    code->stack = agc_alloc(ir->arena, (ir->nfuncs + 1) * sizeof *code->stack);
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        agc_ir_walk(&ir->funcs[i].body, narrow_consts, heap);
    for (uint32_t i = 0; i < ir->nfuncs && !e.failed; i++)
        emit_func(&e, i);
    return !e.failed;
}

void
agc_code_print(const struct agc_ir *ir, const struct agc_code *code, FILE *out)
{
    const ag_insn *v = (const ag_insn *)(const void *)code->insns.p;
    for (uint32_t i = 0; i < code->nfuncs; i++) {
        const struct ag_func *f = &code->funcs[i];
        struct ag_str name = ir->funcs[i].name;
        fprintf(out, "func #%u %.*s: %u arguments, %u registers\n", i, (int)name.n, name.p,
                (unsigned)f->nargs, (unsigned)f->nregs);
        for (uint32_t k = 0; k < f->code_n; k++) {
            char mem[160];
            struct ag_buf b;
            ag_buf_init(&b, mem, sizeof mem);
            ag_disasm_insn(v[f->code_at + k], &b);
            fprintf(out, "%6u  %.*s\n", k, (int)b.n, mem);
        }
    }
}
