// SPDX-License-Identifier: Apache-2.0
// Calls of built-ins from tests: arguments as one JSON array, the result as text. {"$set": [...]} is a set.
// Errors are "CODE: MESSAGE", undefined is "undefined", an evaluation that ends early is "stopped". Thread
// rule: one thread.
#ifndef AEGIS_TEST_BUILTIN_CALL_H
#define AEGIS_TEST_BUILTIN_CALL_H

#include "builtins/builtins.h"
#include "machine.h"
#include "t.h"

#define BC_ARENA (64u << 20)

struct bc_case {
    const char *name, *args, *want;
};

static uint8_t bc_memory[BC_ARENA] __attribute__((aligned(64)));
static struct ag_image bc_image;
static struct ag_call bc_call;
static uint8_t bc_seed[16];
static uint64_t bc_fuel = 1000000000;

// Objects of one key "$set" as sets, everywhere in v.
static struct ag_value
bc_sets(struct ag_mem *m, struct ag_value v)
{
    bool is_set =
        v.kind == AG_OBJECT && v.len == 1 && ag_str_is(ag_value_str(ag_object_key(m, v, 0)), "$set");
    struct ag_value from = is_set ? ag_value_at(m, v, 0) : v;
    if (v.kind != AG_ARRAY && v.kind != AG_OBJECT)
        return v;
    struct ag_builder *b = ag_builder_new(m, is_set ? AG_SET : (enum ag_kind)v.kind);
    for (uint32_t i = 0; i < from.len; i++) {
        struct ag_value e = bc_sets(m, ag_value_at(m, from, i));
        if (from.kind == AG_OBJECT)
            ag_builder_put(m, b, ag_object_key(m, from, i), e);
        else
            ag_builder_push(m, b, e);
    }
    return ag_builder_close(m, b);
}

// Calls built-in `name`; the text lies in a static buffer.
static const char *
bc_run(const char *name, const char *args)
{
    static char text[1u << 20];
    static struct ag_arena arena;
    struct ag_json_error e;
    struct ag_value v, arg[AG_BUILTIN_ARGS_MAX];
    struct ag_buf out;
    arena = (struct ag_arena){bc_memory, AG_ARENA_RESERVED, sizeof bc_memory};
    bc_call = (struct ag_call){.im = &bc_image, .fuel = bc_fuel, .mem = {.arena = &arena}};
    memcpy(bc_call.seed, bc_seed, sizeof bc_seed);
    bc_call.mem.base[AG_IN_ARENA] = arena.base;
    bc_call.mem.base[AG_IN_REQUEST] = (const uint8_t *)args;
    bc_call.mem.base[AG_IN_IMAGE] = bc_image.heap;
    ag_buf_init(&out, text, sizeof text - 1);
    if (ag_json_read(&bc_call.mem, ag_str_z(args), &v, &e) != AG_JSON_OK)
        return "the test's arguments are no JSON";
    v = bc_sets(&bc_call.mem, v);
    for (uint32_t i = 0; i < v.len && i < AG_BUILTIN_ARGS_MAX; i++)
        arg[i] = ag_value_at(&bc_call.mem, v, i);
    uint32_t ix = ag_builtin_find(ag_str_z(name));
    if (ix == AG_NONE || ag_builtin_table[ix].nargs != v.len)
        return "no such built-in";
    v = ag_builtin_call(&bc_call, ix, arg, v.len);
    if (v.kind == AG_ERROR) {
        ag_buf_str(&out, ag_str_z(ag_error_code(v)));
        ag_buf_lit(&out, ": ");
        ag_error_message(&bc_call, v, &out);
    } else if (v.kind == AG_UNDEF)
        ag_buf_str(&out, bc_call.stop == AG_EVAL_OK ? AG_STR("undefined") : AG_STR("stopped"));
    else
        ag_json_write(&bc_call.mem, v, &out, 0);
    text[out.n] = 0;
    return text;
}

static void
bc_table(const struct bc_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = bc_run(c[i].name, c[i].args);
        if (!OK(strcmp(got, c[i].want) == 0, "%s(%.*s)", c[i].name, (int)strlen(c[i].args) - 2,
                c[i].args + 1))
            printf("# want %s\n#  got %s\n", c[i].want, got);
    }
}

#endif
