// SPDX-License-Identifier: Apache-2.0
// Pass: an operation on operands that a statement before has met already, in the same block or one around it,
// is not repeated; copies are named as what they copy; a value that was tested is not tested again. In and
// out: struct agc_ir. opt_cse.c is for loads that no single place comes before.
#include "opt.h"

#include "builtins/builtins.h"

#define LOOK_BACK 256u // operations that one statement is compared with

struct seen {
    const struct agc_stmt *s; // a copy: blocks move when they grow
    uint32_t result;
};

struct values {
    struct agc_ir *ir;
    uint32_t *defs, *uses;
    uint32_t *same;  // by local: what it is a copy of, itself
    bool *is_tested; // by local: holds a value here
    struct seen *seen;
    uint32_t nseen, cap_seen;
    uint32_t *trail, ntrail, cap_trail; // locals tested
};

// Operations whose result depends on their operands alone, and that do nothing else.
static bool
is_repeatable(const struct agc_stmt *s)
{
    switch (s->op) {
    case AGC_IR_CONST:
    case AGC_IR_PATH:
    case AGC_IR_DATA:
    case AGC_IR_DOT:
    case AGC_IR_KIND:
    case AGC_IR_LEN:
    case AGC_IR_IN:
    case AGC_IR_MERGE:
    case AGC_IR_ADD:
    case AGC_IR_SUB:
    case AGC_IR_MUL:
    case AGC_IR_DIV:
    case AGC_IR_MOD:
    case AGC_IR_BAND:
    case AGC_IR_BOR:
    case AGC_IR_EQ:
    case AGC_IR_NE:
    case AGC_IR_LT:
    case AGC_IR_LE:
    case AGC_IR_NOT:
    case AGC_IR_SEQ:
    case AGC_IR_SLT:
    case AGC_IR_SLE:
    case AGC_IR_SHAS:
    case AGC_IR_MATCH:
    case AGC_IR_GLOB:
    case AGC_IR_WINDOW:
    case AGC_IR_CALL: return true;
    case AGC_IR_BUILTIN:
    case AGC_IR_BUILTINS: return ag_builtin_table[s->v[1]].flags & AG_BUILTIN_PURE;
    default: return false;
    }
}

// Every local that the statement reads is defined once.
static bool
is_settled(const struct values *v, const struct agc_stmt *s)
{
    for (unsigned i = 1; i < 3; i++)
        if (agc_irop_table[s->op].operand[i] == AGC_IRK_U && v->defs[s->v[i]] != 1)
            return false;
    for (uint32_t i = 0; i < s->nargs; i++)
        if (v->defs[s->arg[i]] != 1)
            return false;
    return true;
}

static bool
is_same(const struct agc_stmt *a, const struct agc_stmt *b)
{
    if (a->op != b->op || a->nargs != b->nargs)
        return false;
    for (unsigned i = 1; i < 3; i++)
        if (agc_irop_table[a->op].operand[i] != AGC_IRK_NO && a->v[i] != b->v[i])
            return false;
    return a->nargs == 0 || memcmp(a->arg, b->arg, a->nargs * sizeof *a->arg) == 0;
}

static void
rename_reads(const struct values *v, struct agc_stmt *s)
{
    for (unsigned i = 0; i < 3; i++)
        if (agc_irop_table[s->op].operand[i] == AGC_IRK_U)
            s->v[i] = v->same[s->v[i]];
    for (uint32_t i = 0; i < s->nargs; i++)
        s->arg[i] = v->same[s->arg[i]];
}

static void
copy_of(struct values *v, struct agc_stmt *s, uint32_t from)
{
    *s = (struct agc_stmt){.op = AGC_IR_MOVE, .v = {s->v[0], from, 0}, .span = s->span};
    v->same[s->v[0]] = from;
}

static void
find_or_note(struct values *v, struct agc_stmt *s)
{
    uint32_t end = v->nseen > LOOK_BACK ? v->nseen - LOOK_BACK : 0;
    for (uint32_t i = v->nseen; i-- > end;)
        if (is_same(v->seen[i].s, s)) {
            copy_of(v, s, v->seen[i].result);
            return;
        }
    struct agc_stmt *own = agc_alloc(v->ir->arena, sizeof *own);
    *own = *s;
    v->seen = agc_grow(v->ir->arena, v->seen, v->nseen, &v->cap_seen, sizeof *v->seen);
    v->seen[v->nseen++] = (struct seen){own, s->v[0]};
}

static void
test(struct values *v, struct agc_stmt *s)
{
    uint32_t local = s->v[0];
    if (v->is_tested[local]) {
        *s = (struct agc_stmt){.op = AGC_IR_BLOCK, .span = s->span};
        agc_ir_body(v->ir, s);
    } else if (v->defs[local] == 1) {
        v->is_tested[local] = true;
        v->trail = agc_grow(v->ir->arena, v->trail, v->ntrail, &v->cap_trail, sizeof *v->trail);
        v->trail[v->ntrail++] = local;
    }
}

static void
block(struct values *v, struct agc_block *b)
{
    uint32_t nseen = v->nseen, ntrail = v->ntrail;
    for (uint32_t i = 0; i < b->n; i++) {
        struct agc_stmt *s = &b->v[i];
        rename_reads(v, s);
        if (s->op == AGC_IR_MOVE && v->defs[s->v[0]] == 1 && v->defs[s->v[1]] == 1)
            v->same[s->v[0]] = s->v[1];
        else if (s->op == AGC_IR_NEED)
            test(v, s);
        else if (is_repeatable(s) && v->defs[s->v[0]] == 1 && is_settled(v, s))
            find_or_note(v, s);
        if (s->body)
            block(v, s->body);
    }
    v->nseen = nseen;
    while (v->ntrail > ntrail)
        v->is_tested[v->trail[--v->ntrail]] = false;
}

void
agc_opt_value(struct agc_ir *ir, int level)
{
    (void)level;
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        struct agc_func *f = &ir->funcs[i];
        struct values v = {.ir = ir};
        v.defs = agc_alloc(ir->arena, 3 * f->nlocals * sizeof *v.defs);
        v.uses = v.defs + f->nlocals;
        v.same = v.uses + f->nlocals;
        v.is_tested = agc_alloc(ir->arena, f->nlocals + 1);
        agc_opt_count(f, v.defs, v.uses);
        for (uint32_t l = 0; l < f->nlocals; l++)
            v.same[l] = l;
        block(&v, &f->body);
    }
}
