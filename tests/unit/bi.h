// SPDX-License-Identifier: Apache-2.0
// Calls one built-in with arguments written as JSON and gives its result, or its error, as text. For unit
// tests of built-ins: no image, no compiler. In: name, arguments. Out: text that stays until the next call.
#ifndef AEGIS_TEST_BI_H
#define AEGIS_TEST_BI_H

#include "aegis.h"
#include "buf.h"
#include "builtins/builtins.h"
#include "machine.h"
#include "t.h"

#define BI_ARENA (8u << 20)
#define BI_FUEL  (UINT64_C(1) << 40)

struct bi {
    struct ag_call call;
    struct ag_arena arena;
    uint8_t *memory;
    char text[1 << 20];
};

static inline struct bi *
bi_new(const struct aegis_crypto *crypto)
{
    struct bi *b = calloc(1, sizeof *b);
    b->memory = aligned_alloc(64, BI_ARENA);
    ag_arena_init(&b->arena, b->memory, BI_ARENA);
    b->call.mem.arena = &b->arena;
    b->call.mem.base[AG_IN_ARENA] = b->memory;
    b->call.fuel = BI_FUEL;
    b->call.crypto = crypto;
    return b;
}

static inline void
bi_free(struct bi *b)
{
    free(b->memory);
    free(b);
}

static inline const char *
bi_show(struct bi *b, struct ag_value v)
{
    struct ag_buf out;
    ag_buf_init(&out, b->text, sizeof b->text - 1);
    if (b->call.stop == AG_EVAL_FUEL)
        ag_buf_lit(&out, "fuel");
    else if (b->call.stop == AG_EVAL_ARENA)
        ag_buf_lit(&out, "arena");
    else if (v.kind == AG_ERROR) {
        ag_buf_str(&out, ag_str_z(ag_error_code(v)));
        ag_buf_lit(&out, ": ");
        ag_error_message(&b->call, v, &out);
    } else if (v.kind == AG_UNDEF)
        ag_buf_lit(&out, "undefined");
    else
        ag_json_write(&b->call.mem, v, &out, 0);
    b->text[out.n] = 0;
    return b->text;
}

// `args` is a JSON array with the arguments.
static inline const char *
bi_call(struct bi *b, const char *name, const char *args)
{
    struct ag_value arg[AG_BUILTIN_ARGS_MAX], list;
    struct ag_json_error e;
    uint32_t ix = ag_builtin_find(ag_str_z(name));
    ag_arena_init(&b->arena, b->memory, b->arena.size);
    b->call.stop = AG_EVAL_OK;
    struct ag_value text = ag_string_copy(&b->call.mem, ag_str_z(args));
    if (ix == AG_NONE || text.kind != AG_STRING ||
        ag_json_read(&b->call.mem, ag_value_str(text), &list, &e) != AG_JSON_OK || list.kind != AG_ARRAY ||
        list.len != ag_builtin_table[ix].nargs)
        return "not called";
    for (uint32_t i = 0; i < list.len; i++)
        arg[i] = ag_value_at(&b->call.mem, list, i);
    return bi_show(b, ag_builtin_call(&b->call, ix, arg, list.len));
}

#endif
