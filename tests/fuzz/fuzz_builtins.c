// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of all built-in functions (vm/builtins). In: "NAME<tab>JSON array of arguments", where
// {"$set": [..]} is a set, or a byte from 0x80 on, the number of a function and bytes that make values of any
// kind and size. What must hold: the call ends within its fuel and memory; what comes back is undefined, an
// error with words, or a value whose text is made; a second call gives the same.
#include <stdlib.h>

#include "builtins/builtins.h"
#include "buf.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define FUEL      200000u
#define MAKE_DEEP 200u // nesting of a made value: beyond that of any input
#define MAKE_MAX  64u  // elements of a made container

static uint8_t memory[1u << 21] __attribute__((aligned(64)));
static char text[1u << 20];
static struct ag_image image;

struct maker {
    const uint8_t *p, *end;
    struct ag_mem *m;
    unsigned left; // values that may still be made
};

static uint8_t
byte(struct maker *k)
{
    return k->p < k->end ? *k->p++ : 0;
}

// Numbers at and past every border, and any text that is a number.
static struct ag_value
make_number(struct maker *k)
{
    static const char *const known[] = {"0",
                                        "-0",
                                        "1.0",
                                        "-1.5",
                                        "1e100000",
                                        "1e-100000",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "18446744073709551616",
                                        "0.1",
                                        "1e308",
                                        "1e309",
                                        "123456789012345678901234567890.5",
                                        "5e-324",
                                        "1e18",
                                        "-1e30"};
    static const char letters[] = "0123456789-.eE+0";
    char number[40];
    struct ag_num num = ag_num_of_int(0);
    uint8_t how = byte(k);
    size_t n = 0;
    if (how < 128)
        return ag_int(how < 64 ? how - 8 : (int64_t)how << (how & 55));
    if (how < 192) {
        n = strlen(known[how % 16]);
        memcpy(number, known[how % 16], n);
    } else {
        for (n = how % 32; n < sizeof number - 1 && k->p < k->end && n < (size_t)(how % 32) + 8; n++)
            number[n] = letters[byte(k) & 15];
        memset(number, '7', how % 32);
    }
    if (ag_num_parse(ag_str_of(number, n), k->m->arena, &num) != AG_NUM_OK)
        return ag_int(7);
    return num.rec ? (struct ag_value){.kind = AG_NUMBER,
                                       .sub = 2,
                                       .region = AG_IN_ARENA,
                                       .p = (const uint8_t *)num.rec}
                   : ag_int(num.i);
}

// A string: bytes as they are when they are text, else code points of all sizes.
static struct ag_value
make_string(struct maker *k)
{
    static const uint32_t points[] = {0,        '%',     '/',  '~', 0x130, 0x1c5, 0x2028, 0xfffd,
                                      0x10ffff, 0x1f600, '\\', '"', '*',   '{',   '[',    '='};
    size_t n = byte(k), size = 0;
    uint8_t out[4 * 255];
    if (n > (size_t)(k->end - k->p))
        n = (size_t)(k->end - k->p);
    if (ag_utf8_valid(k->p, n)) {
        memcpy(out, k->p, n);
        size = n;
    } else {
        for (size_t i = 0; i < n; i++)
            size += ag_utf8_encode(k->p[i] < 128 ? k->p[i] : points[k->p[i] & 15], out + size);
    }
    k->p += n;
    return ag_string_copy(k->m, ag_str_of((const char *)out, size));
}

static struct ag_value make(struct maker *k, unsigned depth);

static struct ag_value
make_container(struct maker *k, enum ag_kind kind, unsigned depth)
{
    struct ag_builder *b = ag_builder_new(k->m, kind);
    bool ok = b;
    for (unsigned n = byte(k) % MAKE_MAX; ok && n-- > 0 && k->left > 0;) {
        struct ag_value e = make(k, depth + 1), key = kind == AG_OBJECT ? make(k, depth + 1) : e;
        ok = e.kind > AG_ERROR && key.kind > AG_ERROR &&
             (kind == AG_OBJECT ? ag_builder_put(k->m, b, key, e) : ag_builder_push(k->m, b, e));
    }
    struct ag_value v = ok ? ag_builder_close(k->m, b) : ag_undef();
    return v.kind > AG_ERROR ? v : ag_null();
}

// One value nested into itself many times.
static struct ag_value
make_deep(struct maker *k, unsigned depth)
{
    struct ag_value v = make(k, depth + 1);
    for (unsigned n = byte(k) % MAKE_DEEP; n-- > 0 && v.kind > AG_ERROR;) {
        struct ag_builder *b = ag_builder_new(k->m, AG_ARRAY);
        v = b && ag_builder_push(k->m, b, v) ? ag_builder_close(k->m, b) : ag_undef();
    }
    return v;
}

static struct ag_value
make(struct maker *k, unsigned depth)
{
    if (k->left == 0 || depth > 32)
        return ag_null();
    k->left--;
    switch (byte(k) % 10) {
    case 0: return ag_null();
    case 1: return ag_bool(byte(k) & 1);
    case 2:
    case 3: return make_number(k);
    case 4: return make_container(k, AG_ARRAY, depth);
    case 5: return make_container(k, AG_OBJECT, depth);
    case 6: return make_container(k, AG_SET, depth);
    case 7: return make_deep(k, depth);
    default: return make_string(k);
    }
}

// {"$set": [..]} anywhere in a JSON value as a set.
static struct ag_value
with_sets(const struct ag_mem *m, struct ag_value v, unsigned depth)
{
    struct ag_value set = ag_object_get(m, v, AG_STR("$set"));
    struct ag_value from = set.kind == AG_ARRAY ? set : v;
    if (v.kind < AG_ARRAY || depth > AG_DEPTH_MAX)
        return v;
    struct ag_builder *b = ag_builder_new(m, set.kind == AG_ARRAY ? AG_SET : (enum ag_kind)v.kind);
    bool ok = b;
    for (uint32_t i = 0; ok && i < from.len; i++) {
        struct ag_value e = with_sets(m, ag_value_at(m, from, i), depth + 1);
        ok = from.kind == AG_OBJECT ? ag_builder_put(m, b, ag_object_key(m, from, i), e)
                                    : ag_builder_push(m, b, e);
    }
    return ok ? ag_builder_close(m, b) : ag_undef();
}

// The function and its arguments; false: the input names none.
static bool
read_call(struct ag_mem *m, const uint8_t *data, size_t n, uint32_t *ret_ix, struct ag_value *args)
{
    if (n > 2 && data[0] >= 0x80) {
        struct maker k = {data + 2, data + n, m, 500};
        *ret_ix = (((uint32_t)data[0] & 0x7f) << 8 | data[1]) % AG_BUILTIN_COUNT;
        for (uint32_t i = 0; i < ag_builtin_table[*ret_ix].nargs; i++)
            args[i] = make(&k, 0);
        return true;
    }
    const uint8_t *tab = n ? memchr(data, '\t', n) : NULL;
    struct ag_value list;
    struct ag_json_error e;
    if (!tab)
        return false;
    *ret_ix = ag_builtin_find(ag_str_of((const char *)data, (size_t)(tab - data)));
    size_t at = (size_t)(tab - data) + 1;
    struct ag_value json = ag_string_copy(m, ag_str_of((const char *)data + at, n - at));
    if (*ret_ix == AG_NONE || json.kind != AG_STRING ||
        ag_json_read(m, ag_value_str(json), &list, &e) != AG_JSON_OK)
        return false;
    list = with_sets(m, list, 0);
    if (list.kind != AG_ARRAY || list.len != ag_builtin_table[*ret_ix].nargs)
        return false;
    for (uint32_t i = 0; i < list.len; i++)
        args[i] = ag_value_at(m, list, i);
    return true;
}

// Calls once; the result as text into `out`.
static void
call_once(const uint8_t *data, size_t n, struct ag_buf *out)
{
    struct ag_arena arena;
    struct ag_value args[AG_BUILTIN_ARGS_MAX];
    uint32_t ix;
    ag_arena_init(&arena, memory, sizeof memory);
    struct ag_call c = {.im = &image, .fuel = FUEL, .now_ns = 1700000000000000000};
    c.mem = (struct ag_mem){.base = {memory, memory, memory}, .arena = &arena};
    if (!read_call(&c.mem, data, n, &ix, args))
        return;
    struct ag_value v = ag_builtin_call(&c, ix, args, ag_builtin_table[ix].nargs);
    if (v.kind > AG_SET || c.fuel > FUEL || (c.stop != AG_EVAL_OK && v.kind > AG_ERROR))
        abort(); // what ended the evaluation has no value
    if (v.kind == AG_ERROR)
        ag_error_message(&c, v, out);
    else if (v.kind != AG_UNDEF)
        ag_json_write(&c.mem, v, out, 0);
    if (v.kind == AG_ERROR && out->n == 0)
        abort(); // every error has words
    if (v.kind == AG_STRING && !ag_utf8_valid(v.p, v.len))
        abort(); // a string is text
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ag_buf first, second;
    ag_buf_init(&first, text, sizeof text / 2);
    ag_buf_init(&second, text + sizeof text / 2, sizeof text / 2);
    call_once(data, n, &first);
    call_once(data, n, &second);
    if (first.n != second.n || memcmp(first.p, second.p, first.n) != 0)
        abort(); // the same call, the same answer
    return 0;
}
