// SPDX-License-Identifier: Apache-2.0
// Pass: `regex.match` with a constant pattern becomes the machine's own match of a pattern that the image
// holds compiled. Only where its answer is needed at once, because then it is the same whether a wrong
// operand gave undefined or an error. A pattern that is none is left to the run. In and out: struct agc_ir.
#include "opt.h"

#include "builtins/builtins.h"
#include "pattern.h"

#include <stdlib.h>

struct regex {
    struct agc_ir *ir;
    const uint32_t *defs;
    uint32_t *text; // by local: constant that it holds, AG_NONE
    void *mem;      // for compiling
};

static void
note_const(void *self, struct agc_stmt *s, unsigned depth)
{
    struct regex *r = self;
    (void)depth;
    if (s->op == AGC_IR_CONST && r->defs[s->v[0]] == 1)
        r->text[s->v[0]] = s->v[1];
}

// The number of the compiled pattern; false: it does not compile.
static bool
pattern_of(struct regex *r, struct ag_str text, struct agc_span span, uint32_t *ret)
{
    struct ag_pattern_error why;
    struct ag_arena scratch;
    struct ag_str blob;
    uint32_t n = r->ir->npatterns;
    for (uint32_t i = 0; i < n; i++)
        if (ag_str_eq(r->ir->patterns[i].text, text)) {
            *ret = i;
            return true;
        }
    if (!r->mem && !(r->mem = malloc(AGC_PATTERN_ARENA)))
        agc_out_of_memory(AGC_PATTERN_ARENA);
    ag_arena_init(&scratch, r->mem, AGC_PATTERN_ARENA);
    if (n + 1 >= AGC_NARROW_MAX || ag_pattern_compile(text, 0, &scratch, NULL, &blob, &why) != AG_PATTERN_YES)
        return false;
    *ret = agc_ir_pattern(r->ir, text, span);
    r->ir->patterns[*ret].blob = agc_strdup(r->ir->arena, blob);
    return true;
}

static void
block(struct regex *r, struct agc_block *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        struct agc_stmt *s = &b->v[i];
        uint32_t k, number;
        if (s->body)
            block(r, s->body);
        if (s->op != AGC_IR_BUILTIN || s->v[1] != AG_BI_REGEX_MATCH || i + 1 == b->n)
            continue;
        k = r->text[s->arg[0]];
        if (s[1].op != AGC_IR_NEED || s[1].v[0] != s->v[0] || k == AG_NONE ||
            r->ir->consts[k].kind != AG_STRING)
            continue;
        if (pattern_of(r, r->ir->consts[k].text, s->span, &number))
            *s = (struct agc_stmt){.op = AGC_IR_MATCH, .v = {s->v[0], s->arg[1], number}, .span = s->span};
    }
}

void
agc_opt_regex(struct agc_ir *ir, int level)
{
    struct regex r = {.ir = ir};
    (void)level;
    for (uint32_t i = 0; i < ir->nfuncs; i++) {
        struct agc_func *f = &ir->funcs[i];
        uint32_t *defs = agc_alloc(ir->arena, 3 * (size_t)f->nlocals * sizeof *defs);
        agc_opt_count(f, defs, defs + f->nlocals);
        r.defs = defs;
        r.text = defs + 2 * (size_t)f->nlocals;
        for (uint32_t l = 0; l < f->nlocals; l++)
            r.text[l] = AG_NONE;
        agc_ir_walk(&f->body, note_const, &r);
        block(&r, &f->body);
    }
    free(r.mem);
}
