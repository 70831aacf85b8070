// SPDX-License-Identifier: Apache-2.0
// Pass: what each local can be (undefined, an error, a value), from all its definitions together, function
// after function with callees first. Tests that always or never leave become plain flow, also those that a
// function's callers make of its answer. In and out: struct agc_ir.
#include "opt.h"

#include "image.h"

enum { CAN_UNDEF = 1, CAN_ERROR = 2, CAN_VALUE = 4, CAN_ALL = 7 };

struct known {
    struct agc_ir *ir;
    const struct agc_func *f;
    uint8_t *can;      // by local
    uint8_t *answer;   // by function
    uint8_t result;    // of this function
    bool has_overlays; // an overlay may answer in the place of a function
    bool changed;
};

static uint8_t
called(const struct known *k, uint32_t func)
{
    return k->answer[func] | (k->has_overlays ? CAN_ALL : 0);
}

static uint8_t
table_answers(const struct known *k, const struct agc_call_table *t)
{
    uint8_t can = CAN_UNDEF | CAN_VALUE;
    for (uint32_t i = 0; i < t->n; i++)
        if (t->func[i] != AG_NONE)
            can |= called(k, t->func[i]);
    return can;
}

// An operation that only computes: what is undefined or an error among its operands stays so.
static uint8_t
computed(const struct known *k, struct agc_stmt *s, uint8_t own)
{
    const struct agc_irop_info *info = &agc_irop_table[s->op];
    uint8_t can = own | ((info->flags & AGC_IRF_ERR) ? CAN_ERROR : 0);
    for (unsigned i = 1; i < 3; i++)
        if (info->operand[i] == AGC_IRK_U)
            can |= k->can[s->v[i]] & (CAN_UNDEF | CAN_ERROR);
    return can;
}

// What the result of a statement can be.
static uint8_t
result_of(const struct known *k, struct agc_stmt *s)
{
    switch (s->op) {
    case AGC_IR_CONST: return CAN_VALUE;
    case AGC_IR_UNDEF: return CAN_UNDEF;
    case AGC_IR_MOVE: return k->can[s->v[1]];
    case AGC_IR_CALL: return called(k, s->v[1]);
    case AGC_IR_CALLT: return table_answers(k, &k->ir->tables[s->v[1]]);
    case AGC_IR_PATH:
    case AGC_IR_DOT:
    case AGC_IR_LEN: return computed(k, s, CAN_UNDEF | CAN_VALUE);
    case AGC_IR_KIND:
    case AGC_IR_IN:
    case AGC_IR_EQ:
    case AGC_IR_NE:
    case AGC_IR_LT:
    case AGC_IR_LE: return computed(k, s, CAN_VALUE);
    case AGC_IR_NOT: return CAN_VALUE | (k->can[s->v[1]] & CAN_ERROR);
    case AGC_IR_ARR:
    case AGC_IR_SET:
    case AGC_IR_OBJ: return CAN_VALUE; // a builder; an error pushed into it shows when it is closed
    default: return CAN_ALL;
    }
}

static void
collect(void *self, struct agc_stmt *s, unsigned depth)
{
    struct known *k = self;
    uint32_t def = agc_stmt_def(s);
    (void)depth;
    if (s->op == AGC_IR_LOOP) { // the loop consumes its collection
        k->can[s->v[0]] = CAN_ALL;
        k->can[s->v[1]] |= CAN_VALUE;
        k->can[s->v[2]] |= CAN_VALUE;
    }
    if (def == AG_NONE)
        return;
    uint8_t can = k->can[def] | result_of(k, s);
    k->changed = k->changed || can != k->can[def];
    k->can[def] = can;
}

static void
leave(struct agc_stmt *s, uint32_t up)
{
    *s = (struct agc_stmt){.op = AGC_IR_LEAVE, .v = {up}, .span = s->span};
}

static void
nothing(struct known *k, struct agc_stmt *s)
{
    *s = (struct agc_stmt){.op = AGC_IR_BLOCK, .span = s->span};
    agc_ir_body(k->ir, s);
}

static void
settle(void *self, struct agc_stmt *s, unsigned depth)
{
    struct known *k = self;
    uint8_t can = s->v[0] < k->f->nlocals ? k->can[s->v[0]] : CAN_ALL;
    (void)depth;
    switch (s->op) {
    case AGC_IR_NEED:
        if (can == CAN_VALUE)
            nothing(k, s);
        else if (!(can & CAN_VALUE))
            leave(s, s->v[1]);
        break;
    case AGC_IR_RETERR:
        if (!(can & CAN_ERROR))
            nothing(k, s);
        else
            k->result |= CAN_ERROR;
        break;
    case AGC_IR_LEAVE_DEF:
        if (!(can & CAN_UNDEF))
            leave(s, s->v[1]);
        else if (can == CAN_UNDEF)
            nothing(k, s);
        break;
    case AGC_IR_LEAVE_FALSE:
        if (can == CAN_UNDEF)
            leave(s, s->v[1]);
        break;
    case AGC_IR_LEAVE_TRUE:
        if (!(can & CAN_VALUE))
            nothing(k, s);
        break;
    case AGC_IR_RET: k->result |= can; break;
    default: break;
    }
}

// What stands behind an unconditional leave never runs.
static void
cut(struct agc_block *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (b->v[i].body)
            cut(b->v[i].body);
        if (agc_irop_table[b->v[i].op].flags & AGC_IRF_END)
            b->n = i + 1;
    }
}

void
agc_opt_known(struct agc_ir *ir, int level)
{
    struct known k = {.ir = ir, .has_overlays = agc_opt_has_overlays(ir)};
    (void)level;
    k.answer = agc_alloc(ir->arena, ir->nfuncs + 1);
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        struct agc_func *f = &ir->funcs[i];
        k.f = f;
        k.can = agc_alloc(ir->arena, f->nlocals + 1);
        k.result = 0;
        for (uint32_t a = 0; a < f->nargs; a++)
            k.can[a] = a == 1 ? CAN_VALUE : a == 0 ? CAN_UNDEF | CAN_VALUE : CAN_VALUE;
        do { // a local may be defined behind a use of it, in a loop
            k.changed = false;
            agc_ir_walk(&f->body, collect, &k);
        } while (k.changed);
        agc_ir_walk(&f->body, settle, &k);
        cut(&f->body);
        k.answer[i] = k.result;
    }
}
