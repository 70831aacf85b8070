// SPDX-License-Identifier: Apache-2.0
// Verifier, code: one pass over each function. Proves what the interpreter trusts: operands name things that
// exist, every register is written before it is read, jumps go forward inside the function, loops are closed
// ITER/NEXT pairs that nothing enters from outside and whose iterator nothing writes, calls go to earlier
// functions (so the call graph has no cycle), ENTRY opcodes stand only in ENTRY functions, no path falls off
// the end. Kinds of values, the depth of calls and the size of the register stack are checked at run time.
// In: an opened image. Out: yes, or the first thing that is wrong, with its offset. Nothing is allocated:
// registers are bit sets, and since jumps go forward only, each needs the state of its target alone. Next
// file to read: interp.c.
#include "verify.h"
#include "buf.h"
#include "builtins/builtins.h"
#include "isa/disasm.h"

#define SET_WORDS     (AG_REGS_MAX / 64)
#define TARGETS_MAX   256u // jumps in flight with different targets: as deep as blocks nest
#define WORK_PER_BYTE 16u
#define WORK_BASE     (1u << 20)

struct regs {
    uint64_t w[SET_WORDS]; // a set bit: the register has been written on every path
};

struct target {
    uint32_t at;     // instruction that the jump lands on
    uint32_t origin; // earliest jump to it
    bool is_live;    // some jump to it can happen
    struct regs regs;
};

struct loop {
    uint32_t iter, next; // instructions of the pair
    uint32_t reg;
};

struct walk {
    struct ag_verifier *v;
    const struct ag_func *f;
    const ag_insn *code;
    uint32_t func_ix, n, at;
    bool is_live; // this instruction can be reached
    struct regs regs;
    uint32_t ntargets, nloops;
    struct target target[TARGETS_MAX];
    struct loop loop[AG_LOOPS_MAX];
};

// --- reports
// -------------------------------------------------------------------------------------------------------

bool
ag_verify_fail(const struct ag_verifier *v, const void *p, const char *text)
{
    if (v->err && v->err->status == AG_IMAGE_OK) {
        struct ag_buf b;
        memset(v->err, 0, sizeof *v->err);
        v->err->status = AG_IMAGE_MALFORMED;
        v->err->offset = (uint64_t)((const uint8_t *)p - v->im->bytes);
        ag_buf_init(&b, v->err->text, sizeof v->err->text - 1);
        ag_buf_str(&b, ag_str_z(text));
    }
    return false;
}

bool
ag_verify_work(struct ag_verifier *v, uint64_t n, const void *p)
{
    if (v->work < n)
        return ag_verify_fail(v, p, "the image shares so much that verifying it would take too long");
    v->work -= n;
    return true;
}

static bool
fail(const struct walk *w, const char *text)
{
    return ag_verify_fail(w->v, &w->code[w->at], text);
}

// --- registers
// -------------------------------------------------------------------------------------------------------

static inline bool
has(const struct regs *s, uint32_t r)
{
    return s->w[r / 64] >> (r % 64) & 1;
}

static bool
reads(const struct walk *w, uint32_t r)
{
    if (r >= w->f->nregs)
        return fail(w, "register out of range");
    return has(&w->regs, r) || fail(w, "register read before it is written");
}

static bool
writes(struct walk *w, uint32_t r)
{
    if (r >= w->f->nregs)
        return fail(w, "register out of range");
    for (uint32_t i = 0; i < w->nloops; i++)
        if (w->loop[i].reg == r)
            return fail(w, "writes the iterator of an open loop");
    w->regs.w[r / 64] |= (uint64_t)1 << (r % 64);
    return true;
}

// Forgets every register from r on; r may be one past the last.
static void
forget_from(struct regs *s, uint32_t r)
{
    for (uint32_t i = r / 64; i < SET_WORDS; i++)
        s->w[i] &= i == r / 64 ? ((uint64_t)1 << (r % 64)) - 1 : 0;
}

static bool
reads_range(const struct walk *w, uint32_t r, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!reads(w, r + i))
            return false;
    return true;
}

// --- jumps and loops
// ---------------------------------------------------------------------------------------------------

static bool
jumps(struct walk *w, uint32_t skip)
{
    if (skip >= w->n - w->at - 1)
        return fail(w, "jump out of the function");
    uint32_t to = w->at + 1 + skip;
    for (uint32_t i = 0; i < w->ntargets; i++) {
        struct target *t = &w->target[i];
        if (t->at != to)
            continue;
        t->is_live |= w->is_live;
        for (unsigned k = 0; k < SET_WORDS; k++)
            t->regs.w[k] &= w->regs.w[k];
        return true;
    }
    if (w->ntargets == TARGETS_MAX)
        return fail(w, "more than 256 jumps in flight");
    w->target[w->ntargets++] = (struct target){to, w->at, w->is_live, w->regs};
    return true;
}

// Joins the jumps that land here with the path that falls through.
static bool
lands(struct walk *w)
{
    for (uint32_t i = 0; i < w->ntargets; i++) {
        const struct target *t = &w->target[i];
        if (t->at != w->at)
            continue;
        if (w->nloops && t->origin <= w->loop[w->nloops - 1].iter)
            return fail(w, "a jump enters a loop from outside");
        w->is_live |= t->is_live;
        for (unsigned k = 0; k < SET_WORDS; k++)
            w->regs.w[k] &= t->regs.w[k];
        w->target[i] = w->target[--w->ntargets];
        return true; // there is one record for each target
    }
    return true;
}

// Finds the NEXT of the ITER here, and drops the registers that a later round cannot count on: those above a
// call window in the body.
static bool
opens_loop(struct walk *w, uint32_t reg)
{
    uint32_t open = 1, at = w->at + 1, lowest = AG_REGS_MAX;
    for (; at < w->n && open; at++) {
        const struct ag_op_info *op = &ag_op_table[ag_insn_op(w->code[at])];
        uint32_t a = ag_insn_a(w->code[at]);
        if (op->operand[0] == AG_OPN_IT)
            open++;
        else if (op->operand[0] == AG_OPN_NX)
            open--;
        else if (op->operand[0] == AG_OPN_WIN && a + 1 < lowest)
            lowest = a + 1;
        else if (op->operand[0] == AG_OPN_RW2 && a + 1 < AG_REGS_MAX)
            w->regs.w[(a + 1) / 64] &= ~((uint64_t)1 << ((a + 1) % 64));
    }
    if (open)
        return fail(w, "a loop has no NEXT");
    if (!ag_verify_work(w->v, at - w->at, &w->code[w->at]))
        return false;
    if (w->nloops == AG_LOOPS_MAX)
        return fail(w, "more than 256 loops inside each other");
    forget_from(&w->regs, lowest);
    w->loop[w->nloops++] = (struct loop){w->at, at - 1, reg};
    return true;
}

static bool
closes_loop(struct walk *w, uint32_t reg, uint32_t back)
{
    const struct loop *l = w->nloops ? &w->loop[w->nloops - 1] : NULL;
    if (!l || l->next != w->at || l->reg != reg || back != w->at - l->iter)
        return fail(w, "NEXT does not close the innermost loop");
    w->nloops--;
    return true;
}

// --- calls
// ---------------------------------------------------------------------------------------------------------------

static bool
may_call(const struct walk *w, uint32_t func)
{
    if (func >= w->func_ix)
        return fail(w, "a call of a function that does not stand before the caller");
    return !(w->v->im->funcs[func].flags & AG_FUNC_ENTRY) || fail(w, "a call of an entrypoint");
}

static bool
calls(struct walk *w, uint32_t window, uint32_t nargs)
{
    if (!reads_range(w, window, nargs))
        return false;
    for (uint32_t i = 0; i < w->nloops; i++)
        if (w->loop[i].reg >= window)
            return fail(w, "a call window covers the iterator of an open loop");
    if (!writes(w, window))
        return false;
    forget_from(&w->regs, window + 1);
    return true;
}

static bool
calls_table(struct walk *w, uint32_t window, uint32_t ix)
{
    const struct ag_image *im = w->v->im;
    if (ix >= im->ncalltables)
        return fail(w, "call table out of range");
    const uint32_t *offsets = (const void *)(im->calltables + 4);
    const struct ag_call_table *t = (const void *)(im->calltables + offsets[ix]);
    if (!ag_verify_work(w->v, t->n, &w->code[w->at]))
        return false;
    for (uint32_t i = 0; i < t->n; i++)
        if (t->row[i].func != AG_NONE && !may_call(w, t->row[i].func))
            return false;
    return calls(w, window, t->nargs);
}

static bool
calls_builtin(struct walk *w, uint32_t at, enum ag_operand kind, uint32_t ix, uint32_t n)
{
    if (kind == AG_OPN_BI && (ix >= AG_BUILTIN_COUNT || ag_builtin_table[ix].nargs != n))
        return fail(w, "unknown built-in, or another number of arguments");
    if (kind == AG_OPN_BI && (ag_builtin_table[ix].flags & AG_BUILTIN_HOST) &&
        !(w->v->im->meta->dependencies & AG_NEEDS_CRYPTO))
        return fail(w, "a built-in needs a crypto provider, which the image does not say");
    if (kind == AG_OPN_TL) {
        if (ix >= w->v->im->nlimits)
            return fail(w, "limit out of range");
        if (n != w->v->im->limits[ix].nkeys && n != w->v->im->limits[ix].nkeys + 1)
            return fail(w, "another number of key values than the limit has");
    }
    return reads_range(w, at, n) && writes(w, at);
}

// --- operands
// ----------------------------------------------------------------------------------------------------------

static bool
below(const struct walk *w, uint32_t x, uint32_t n, const char *text)
{
    return x < n || fail(w, text);
}

// What is read, and plain numbers. Jumps and writes follow when all reads are checked.
static bool
check_read(const struct walk *w, enum ag_operand kind, uint32_t x)
{
    const struct ag_image *im = w->v->im;
    switch (kind) {
    case AG_OPN_NONE: return x == 0 || fail(w, "an unused operand is not zero");
    case AG_OPN_R:
    case AG_OPN_RW:
    case AG_OPN_RW2:
    case AG_OPN_IT: return reads(w, x);
    case AG_OPN_NX: return reads(w, x);
    case AG_OPN_K: return below(w, x, im->nconsts, "constant out of range");
    case AG_OPN_F: return below(w, x, im->nfuncs, "function out of range");
    case AG_OPN_TI: return below(w, x, im->nindexes, "decision index out of range");
    case AG_OPN_TP: return below(w, x, im->npatterns, "pattern out of range");
    case AG_OPN_TW: return below(w, x, im->nwindows, "time window out of range");
    case AG_OPN_W:
    case AG_OPN_WIN:
    case AG_OPN_ARGS:
    case AG_OPN_N:
    case AG_OPN_I:
    case AG_OPN_J:
    case AG_OPN_BACK:
    case AG_OPN_BI:
    case AG_OPN_TC:
    case AG_OPN_TL: return true; // with the operand that they belong to
    }
    return fail(w, "unknown kind of operand");
}

static bool
check_write(struct walk *w, ag_insn insn, const struct ag_op_info *op)
{
    uint32_t a = ag_insn_a(insn), b = ag_insn_operand(insn, 1), c = ag_insn_operand(insn, 2);
    switch ((enum ag_operand)op->operand[0]) {
    case AG_OPN_W:
    case AG_OPN_RW: return writes(w, a);
    case AG_OPN_RW2:
        if (!writes(w, a + 1) || !writes(w, a))
            return false;
        w->regs.w[(a + 1) / 64] &= ~((uint64_t)1 << ((a + 1) % 64));
        return true;
    case AG_OPN_IT:
        // The skip leaves a written and a+1, a+2 as they were; the body starts with all three.
        return writes(w, a) && jumps(w, b) && opens_loop(w, AG_NONE) && writes(w, a) && writes(w, a + 1) &&
               writes(w, a + 2) && (w->loop[w->nloops - 1].reg = a, true);
    case AG_OPN_NX: return closes_loop(w, a, b) && writes(w, a + 1) && writes(w, a + 2);
    case AG_OPN_WIN:
        if (op->operand[1] == AG_OPN_F)
            return may_call(w, b) && calls(w, a, w->v->im->funcs[b].nargs);
        return calls_table(w, a, b);
    case AG_OPN_ARGS: return calls_builtin(w, a, (enum ag_operand)op->operand[1], b, c);
    default: return true;
    }
}

static bool
check_insn(struct walk *w)
{
    ag_insn insn = w->code[w->at];
    if (ag_insn_op(insn) >= AG_OP_COUNT)
        return fail(w, "unknown opcode");
    const struct ag_op_info *op = &ag_op_table[ag_insn_op(insn)];
    if ((op->flags & AG_OPF_ENTRY) && !(w->f->flags & AG_FUNC_ENTRY))
        return fail(w, "an opcode of the decision outside of an entrypoint");
    for (unsigned i = 0; i < 3; i++)
        if (!check_read(w, (enum ag_operand)op->operand[i], ag_insn_operand(insn, i)))
            return false;
    if (!check_write(w, insn, op))
        return false;
    for (unsigned i = 0; i < 3; i++)
        if (op->operand[i] == AG_OPN_J && op->operand[0] != AG_OPN_IT && !jumps(w, ag_insn_operand(insn, i)))
            return false;
    if (op->flags &
        AG_OPF_END) { // nothing falls through: until a jump lands every register counts as written
        w->is_live = false;
        memset(&w->regs, 0xff, sizeof w->regs);
    }
    return true;
}

// --- functions
// -----------------------------------------------------------------------------------------------------------

static bool
check_head(struct ag_verifier *v, const struct ag_func *f)
{
    const struct ag_image *im = v->im;
    if (f->code_n == 0 || f->code_at > im->ncode || f->code_n > im->ncode - f->code_at)
        return ag_verify_fail(v, f, "a function's code lies outside of CODE");
    if (f->nregs == 0 || f->nregs > AG_REGS_MAX || f->nargs > f->nregs)
        return ag_verify_fail(v, f, "a function's registers are out of range");
    if (f->flags & ~(uint32_t)(AG_FUNC_ENTRY | AG_FUNC_MEMO))
        return ag_verify_fail(v, f, "unknown flags of a function");
    bool memo = f->flags & AG_FUNC_MEMO;
    if (memo ? f->memo_slot >= im->meta->memo_slots || f->nargs != 2 : f->memo_slot != AG_NONE)
        return ag_verify_fail(
            v, f, "a function's memo slot is out of range, or its arguments are not input and frame");
    if (!ag_verify_is_string(v, f->name, true) || !ag_verify_is_path(v, f->path, true))
        return ag_verify_fail(v, f, "a function's name or path is of the wrong kind");
    return ag_verify_work(v, f->code_n, f);
}

static bool
check_func(struct ag_verifier *v, uint32_t ix)
{
    struct walk w;
    const struct ag_func *f = &v->im->funcs[ix];
    if (!check_head(v, f))
        return false;
    w.v = v;
    w.f = f;
    w.code = v->im->code + f->code_at;
    w.func_ix = ix;
    w.n = f->code_n;
    w.is_live = true;
    w.ntargets = w.nloops = 0;
    memset(&w.regs, 0xff, sizeof w.regs);
    forget_from(&w.regs, f->nargs);
    // opens_loop looks ahead, so every opcode of the function must be known first.
    for (w.at = 0; w.at < w.n; w.at++)
        if (ag_insn_op(w.code[w.at]) >= AG_OP_COUNT)
            return fail(&w, "unknown opcode");
    for (w.at = 0; w.at < w.n; w.at++)
        if (!lands(&w) || !check_insn(&w))
            return false;
    w.at = w.n - 1;
    return !w.is_live || fail(&w, "the function can run past its end");
}

enum ag_image_status
ag_image_verify(const struct ag_image *im, struct ag_image_error *reterr)
{
    struct ag_image_error local = {.status = AG_IMAGE_OK};
    struct ag_verifier v = {im, &local, (uint64_t)im->size * WORK_PER_BYTE + WORK_BASE};
    bool ok = ag_verify_constants(&v) && ag_verify_tables(&v);
    for (uint32_t i = 0; ok && i < im->nfuncs; i++)
        ok = check_func(&v, i);
    if (ok)
        return AG_IMAGE_OK;
    if (reterr)
        *reterr = local;
    return local.status;
}
