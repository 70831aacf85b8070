// SPDX-License-Identifier: Apache-2.0
// Which places of the modules ran. A place where a definition begins counts when the definition has succeeded
// once, every other one when one of its instructions has run. The definitions of a function are told apart by
// what they do when they succeed: they write the function's result. In: image, executed instructions. Out:
// callbacks. Memory: one array per call. Next file to read: runtime/cmd/test_coverage.c.
#include "watch.h"

#include "buf.h"
#include "explain.h"

#include <stdlib.h>

#define TEXT_MAX 400u // bytes of the values of a literal that failed

static void
on_cover(void *self, const struct ag_call *c, uint32_t insn, const struct ag_value *frame)
{
    (void)c;
    (void)frame;
    ((uint8_t *)self)[insn] = 1;
}

void
agr_cover(struct aegis_ctx *ctx, uint8_t *hit)
{
    ctx->call.trace = hit ? on_cover : NULL;
    ctx->call.trace_self = hit;
}

// A chain of else-clauses joins its own value into the function's: that is no clause's success.
static bool
joins_chain(const struct ag_image *im, const struct ag_func *f, uint32_t insn)
{
    for (uint32_t i = insn; i-- > f->code_at;)
        if (ag_insn_op(im->code[i]) == AG_OP_ONCE && ag_insn_a(im->code[i]) == ag_insn_b(im->code[insn]))
            return true;
    return false;
}

bool
agr_is_success(const struct ag_image *im, const struct ag_func *f, uint32_t insn)
{
    ag_insn i = im->code[insn], first = im->code[f->code_at];
    enum ag_op made = ag_insn_op(first);
    bool has_result = made == AG_OP_UNDEF || made == AG_OP_SET || made == AG_OP_OBJ;
    bool is_result = has_result && ag_insn_a(i) == ag_insn_a(first);
    switch (ag_insn_op(i)) {
    case AG_OP_ONCE: return !joins_chain(im, f, insn);
    case AG_OP_MOVE:
    case AG_OP_PUSH:
    case AG_OP_PUT:
    case AG_OP_PUTPATH:
    case AG_OP_PUTELEM: return is_result;
    case AG_OP_RET: return insn + 1 != f->code_at + f->code_n;
    default: return false;
    }
}

// --- places
struct place {
    uint32_t source, line, column;
    bool is_rule, has_run, has_succeeded;
};

static int
by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int c = (x->source > y->source) - (x->source < y->source);
    if (!c)
        c = (x->line > y->line) - (x->line < y->line);
    return c ? c : (x->column > y->column) - (x->column < y->column);
}

// Not the documents that stand above rules: they have the place before the first word, where no rule begins.
static bool
is_written(const struct ag_image *im, const struct ag_span *at)
{
    return at && at->source < im->nsources && (at->line > 1 || at->column > 1);
}

static size_t
collect(const struct ag_image *im, const uint8_t *hit, struct place *v)
{
    size_t n = 0;
    for (uint32_t k = 0; k < im->nfuncs; k++) {
        const struct ag_func *f = &im->funcs[k];
        if (f->flags & AG_FUNC_ENTRY)
            continue;
        for (uint32_t i = f->code_at; i < f->code_at + f->code_n; i++) {
            const struct ag_span *at = agr_span_at(im, i);
            bool is_rule = agr_is_success(im, f, i);
            if (is_written(im, at))
                v[n++] = (struct place){at->source, at->line, at->column, is_rule, hit[i], is_rule && hit[i]};
        }
    }
    return n;
}

bool
agr_coverage(const struct ag_image *im, const uint8_t *hit,
             void (*place)(void *arg, const struct aegis_place *p), void *arg)
{
    struct place *v = calloc(im->ncode + 1, sizeof *v);
    if (!v)
        return false;
    size_t n = collect(im, hit, v);
    qsort(v, n, sizeof *v, by_place);
    for (size_t i = 0, end; i < n; i = end) {
        struct place all = v[i];
        for (end = i + 1; end < n && by_place(&v[i], &v[end]) == 0; end++) {
            all.is_rule |= v[end].is_rule;
            all.has_run |= v[end].has_run;
            all.has_succeeded |= v[end].has_succeeded;
        }
        struct ag_str name = ag_image_str(im, im->sources[all.source]);
        struct aegis_place p = {.size = sizeof p,
                                .source = {name.p, name.n},
                                .line = all.line,
                                .column = all.column,
                                .is_rule = all.is_rule,
                                .is_hit = all.is_rule ? all.has_succeeded : all.has_run};
        place(arg, &p);
    }
    free(v);
    return true;
}

// --- definitions of an evaluation
struct def {
    uint32_t from, to; // its instructions: the last one is its success
    uint32_t far;      // furthest that ran, AG_NONE: none did
    bool has_succeeded;
    char text[TEXT_MAX]; // what the furthest one looked at
    size_t text_n;
};

struct defs {
    uint32_t n, *of; // by instruction: its definition + 1
    struct def *v;
};

static void
put_value(const struct ag_call *c, struct ag_buf *b, struct ag_value v)
{
    if (v.kind == AG_ERROR)
        ag_error_text(c, v, b);
    else if (v.kind < AG_NULL)
        ag_buf_lit(b, "undefined");
    else
        ag_json_write(&c->mem, v, b, 0);
}

static void
keep_values(struct def *d, const struct ag_call *c, ag_insn i, const struct ag_value *frame)
{
    enum ag_op op = ag_insn_op(i);
    struct ag_buf b;
    ag_buf_init(&b, d->text, sizeof d->text);
    put_value(c, &b, frame[ag_insn_a(i)]);
    if (op == AG_OP_JNE || op == AG_OP_JEQ) {
        ag_buf_lit(&b, ", ");
        put_value(c, &b, frame[ag_insn_b(i)]);
    } else if (op == AG_OP_JNEK) {
        ag_buf_lit(&b, ", ");
        put_value(c, &b, ag_image_const(c->im, ag_insn_b(i)));
    }
    d->text_n = b.n;
}

static void
on_def(void *self, const struct ag_call *c, uint32_t insn, const struct ag_value *frame)
{
    struct defs *all = self;
    struct def *d = all->of[insn] ? &all->v[all->of[insn] - 1] : NULL;
    ag_insn i = c->im->code[insn];
    if (!d)
        return;
    if (insn == d->to)
        d->has_succeeded = true;
    if (ag_insn_op(i) != AG_OP_JMP && ag_insn_op(i) != AG_OP_NEXT && (d->far == AG_NONE || insn >= d->far)) {
        d->far = insn;
        keep_values(d, c, i, frame);
    }
}

static bool
find_defs(const struct ag_image *im, struct defs *all)
{
    uint32_t n = 0;
    all->of = calloc(im->ncode + 1, sizeof *all->of);
    for (uint32_t k = 0; k < im->nfuncs; k++)
        for (uint32_t i = 0; i < im->funcs[k].code_n; i++)
            n += !(im->funcs[k].flags & AG_FUNC_ENTRY) &&
                 agr_is_success(im, &im->funcs[k], im->funcs[k].code_at + i);
    all->v = calloc(n + 1, sizeof *all->v);
    if (!all->of || !all->v)
        return false;
    for (uint32_t k = 0; k < im->nfuncs; k++) {
        const struct ag_func *f = &im->funcs[k];
        uint32_t from = f->code_at + 1;
        for (uint32_t i = f->code_at; !(f->flags & AG_FUNC_ENTRY) && i < f->code_at + f->code_n; i++) {
            if (!agr_is_success(im, f, i) || !is_written(im, agr_span_at(im, i)))
                continue;
            struct def *d = &all->v[all->n++];
            *d = (struct def){.from = from, .to = i, .far = AG_NONE};
            for (; from <= i; from++)
                all->of[from] = all->n;
        }
    }
    return true;
}

static void
tell_def(const struct ag_image *im, const struct def *d,
         void (*def)(void *arg, const struct aegis_explain_def *d), void *arg)
{
    const struct ag_span *at = agr_span_at(im, d->to), *fail = agr_span_at(im, d->far);
    struct ag_str name = ag_image_str(im, agr_func_at(im, d->to)->name);
    struct aegis_explain_def e = {.size = sizeof e,
                                  .function = {name.p, name.n},
                                  .has_succeeded = d->has_succeeded,
                                  .value = {d->text, d->text_n}};
    if (at && at->source < im->nsources) {
        struct ag_str source = ag_image_str(im, im->sources[at->source]);
        e.source = (struct aegis_str){source.p, source.n};
        e.line = at->line;
        e.column = at->column;
    }
    if (fail) {
        e.fail_line = fail->line;
        e.fail_column = fail->column;
    }
    def(arg, &e);
}

enum aegis_status
agr_explain_value(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *entry, struct ag_str json,
                  void (*def)(void *arg, const struct aegis_explain_def *d), void *arg, char *out,
                  size_t out_size, size_t *ret_n, struct aegis_error *reterr)
{
    struct agr_pin pin = agr_slot_pin(slot, ctx->worker);
    struct defs all = {0};
    if (!pin.policy)
        return agr_fail(reterr, AEGIS_USAGE, "no policy has been published into this slot");
    enum aegis_status s = AEGIS_NO_MEMORY;
    if (find_defs(&pin.policy->im, &all)) {
        ctx->call.trace = on_def;
        ctx->call.trace_self = &all;
        s = agr_eval_json(ctx, slot, entry, json, out, out_size, ret_n, reterr);
        ctx->call.trace = NULL;
        for (uint32_t i = 0; i < all.n; i++)
            if (all.v[i].far != AG_NONE)
                tell_def(&pin.policy->im, &all.v[i], def, arg);
    } else
        agr_fail(reterr, s, "out of memory");
    free(all.of);
    free(all.v);
    agr_slot_unpin(slot, pin);
    return s;
}
