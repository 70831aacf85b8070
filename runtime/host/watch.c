// SPDX-License-Identifier: Apache-2.0
// Turns executed instructions into events: a function is entered, a literal is reached, a function is left.
// In: the machine's trace. Out: callbacks. Memory: one struct per context while it is watched. Next file to
// read: coverage.c.
#include "watch.h"

#include "buf.h"
#include "explain.h"

#include <stdlib.h>

#define DEPTH_MAX 256u
#define TEXT_MAX  512u // bytes of a value in an event

struct agr_watcher {
    void (*event)(void *arg, const struct aegis_event *e);
    void *arg;
    uint32_t depth;
    enum ag_op op; // of the instruction before
    bool has_begun;
};

const struct ag_func *
agr_func_at(const struct ag_image *im, uint32_t insn)
{
    uint32_t lo = 0, hi = im->nfuncs;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (im->funcs[mid].code_at <= insn)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? &im->funcs[lo - 1] : NULL;
}

static struct aegis_str
text_of(const struct ag_call *c, struct ag_value v, char *mem, size_t size)
{
    struct ag_buf b;
    ag_buf_init(&b, mem, size);
    if (v.kind == AG_ERROR)
        ag_error_text(c, v, &b);
    else if (v.kind < AG_NULL)
        ag_buf_lit(&b, "undefined");
    else if (!ag_json_write(&c->mem, v, &b, 0) && !b.is_full)
        ag_buf_lit(&b, "...");
    if (b.is_full && b.n >= 3)
        memcpy(b.p + b.n - 3, "...", 3);
    return (struct aegis_str){b.p, b.n};
}

static void
tell(struct agr_watcher *w, const struct ag_call *c, enum aegis_event_kind kind, uint32_t insn,
     struct aegis_str value)
{
    const struct ag_func *f = agr_func_at(c->im, insn);
    const struct ag_span *at = agr_span_at(c->im, insn);
    struct ag_str name = ag_image_str(c->im, f->name);
    struct aegis_event e = {
        .size = sizeof e, .kind = kind, .depth = w->depth, .function = {name.p, name.n}, .value = value};
    if (at && at->source < c->im->nsources) {
        struct ag_str source = ag_image_str(c->im, c->im->sources[at->source]);
        e.source = (struct aegis_str){source.p, source.n};
        e.line = at->line;
        e.column = at->column;
    }
    w->event(w->arg, &e);
}

// The register whose value says how an instruction went; AG_NONE: none does.
static uint32_t
telling(ag_insn i)
{
    switch (ag_insn_op(i)) {
    case AG_OP_JMP:
    case AG_OP_NEXT:
    case AG_OP_DEFAULT: return AG_NONE;
    default: return ag_insn_a(i);
    }
}

static void
on_insn(void *self, const struct ag_call *c, uint32_t insn, const struct ag_value *frame)
{
    struct aegis_ctx *ctx = self;
    struct agr_watcher *w = ctx->watcher;
    const struct ag_func *f = agr_func_at(c->im, insn);
    const struct ag_span *at = agr_span_at(c->im, insn);
    ag_insn i = c->im->code[insn];
    enum ag_op op = ag_insn_op(i);
    char mem[TEXT_MAX];
    bool is_call = w->op == AG_OP_CALL || w->op == AG_OP_CALLT;
    struct aegis_str nothing = {NULL, 0};
    if (!w->has_begun || (is_call && insn == f->code_at)) {
        w->depth += w->has_begun && w->depth + 1 < DEPTH_MAX;
        w->has_begun = true;
        tell(w, c, AEGIS_EVENT_ENTER, insn, nothing);
    }
    uint32_t r = telling(i);
    bool is_return = op == AG_OP_RET || (op == AG_OP_RETERR && frame[ag_insn_a(i)].kind == AG_ERROR);
    if (is_return) {
        tell(w, c, AEGIS_EVENT_EXIT, insn, text_of(c, frame[ag_insn_a(i)], mem, sizeof mem));
        w->depth -= w->depth > 0;
    } else if (at && r != AG_NONE && op != AG_OP_CALL && op != AG_OP_CALLT) {
        tell(w, c, AEGIS_EVENT_STEP, insn, text_of(c, frame[r], mem, sizeof mem));
    }
    w->op = op;
}

void
agr_watch(struct aegis_ctx *ctx, void (*event)(void *arg, const struct aegis_event *e), void *arg)
{
    free(ctx->watcher);
    ctx->watcher = event ? calloc(1, sizeof *ctx->watcher) : NULL;
    ctx->call.trace = ctx->watcher ? on_insn : NULL;
    ctx->call.trace_self = ctx;
    if (ctx->watcher) {
        ctx->watcher->event = event;
        ctx->watcher->arg = arg;
    }
}
