// SPDX-License-Identifier: Apache-2.0
// An input value built by calls: for gateways that hold fields, not JSON. The same limits hold as for JSON.
// In: aegis_input_* calls. Out: ctx->built. Memory: the context's arena. The first mistake is remembered and
// returned by the decide call, so callers need no check after each step. Next file to read: decide.c.
#include "host.h"

#include "utf8.h"

static void
fail(struct aegis_ctx *ctx, enum aegis_status s)
{
    if (ctx->input_status == AEGIS_OK)
        ctx->input_status = s;
}

void
agr_input_begin(struct aegis_ctx *ctx)
{
    agr_ctx_begin(ctx);
    ctx->call.mem.base[AG_IN_REQUEST] = NULL;
    ctx->built = ag_undef();
}

void
agr_input_add(struct aegis_ctx *ctx, struct ag_value v)
{
    if (ctx->input_status != AEGIS_OK)
        return;
    if (!ctx->nlevels) { // the root
        if (ctx->has_input)
            fail(ctx, AEGIS_USAGE);
        ctx->built = v;
        ctx->built_mark = ag_arena_mark(&ctx->arena);
        ctx->has_input = true;
        return;
    }
    struct agr_input_level *l = &ctx->level[ctx->nlevels - 1];
    bool is_object = l->builder->what == AG_OBJECT;
    if (is_object != l->has_key) {
        fail(ctx, AEGIS_USAGE); // a member without its key
        return;
    }
    bool ok = is_object ? ag_builder_put(&ctx->call.mem, l->builder, l->key, v)
                        : ag_builder_push(&ctx->call.mem, l->builder, v);
    l->has_key = false;
    if (!ok)
        fail(ctx, AEGIS_ARENA);
}

void
agr_input_open(struct aegis_ctx *ctx, enum ag_kind kind)
{
    if (ctx->input_status != AEGIS_OK)
        return;
    if (ctx->nlevels == AGR_INPUT_DEPTH) {
        fail(ctx, AEGIS_TOO_LARGE);
        return;
    }
    struct ag_builder *b = ag_builder_new(&ctx->call.mem, kind);
    if (!b) {
        fail(ctx, AEGIS_ARENA);
        return;
    }
    ctx->level[ctx->nlevels++] = (struct agr_input_level){.builder = b};
}

void
agr_input_close(struct aegis_ctx *ctx)
{
    if (ctx->input_status != AEGIS_OK)
        return;
    if (!ctx->nlevels || ctx->level[ctx->nlevels - 1].has_key) {
        fail(ctx, AEGIS_USAGE);
        return;
    }
    struct ag_value v = ag_builder_close(&ctx->call.mem, ctx->level[--ctx->nlevels].builder);
    if (v.kind == AG_ERROR) // one key with two values
        fail(ctx, AEGIS_MALFORMED);
    else if (v.kind == AG_UNDEF)
        fail(ctx, AEGIS_ARENA);
    else
        agr_input_add(ctx, v);
}

// Bytes are copied: the caller may reuse its buffer at once.
static struct ag_value
string_of(struct aegis_ctx *ctx, struct ag_str s)
{
    if (s.n > AG_STRING_MAX || s.n > ctx->input_max) {
        fail(ctx, AEGIS_TOO_LARGE);
        return ag_undef();
    }
    if (!ag_utf8_valid(s.p, s.n)) {
        fail(ctx, AEGIS_MALFORMED);
        return ag_undef();
    }
    struct ag_value v = ag_string_copy(&ctx->call.mem, s);
    if (v.kind == AG_UNDEF)
        fail(ctx, AEGIS_ARENA);
    return v;
}

void
agr_input_key(struct aegis_ctx *ctx, struct ag_str key)
{
    if (ctx->input_status != AEGIS_OK)
        return;
    struct agr_input_level *l = ctx->nlevels ? &ctx->level[ctx->nlevels - 1] : NULL;
    if (!l || l->builder->what != AG_OBJECT || l->has_key) {
        fail(ctx, AEGIS_USAGE);
        return;
    }
    l->key = string_of(ctx, key);
    l->has_key = true;
}

void
agr_input_string(struct aegis_ctx *ctx, struct ag_str s)
{
    if (ctx->input_status != AEGIS_OK)
        return;
    struct ag_value v = string_of(ctx, s);
    agr_input_add(ctx, v);
}

// A number is read as JSON reads it, so that "1.50" keeps its spelling here too.
void
agr_input_number(struct aegis_ctx *ctx, struct ag_str text)
{
    if (ctx->input_status != AEGIS_OK)
        return;
    struct ag_value v;
    struct ag_json_error e;
    struct ag_mem m = ctx->call.mem;
    m.base[AG_IN_REQUEST] = (const uint8_t *)text.p;
    if (ag_json_read(&m, text, &v, &e) != AG_JSON_OK || v.kind != AG_NUMBER)
        fail(ctx, AEGIS_MALFORMED);
    else
        agr_input_add(ctx, v);
}
