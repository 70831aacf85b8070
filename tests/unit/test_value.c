// SPDX-License-Identifier: Apache-2.0
// Values: total order, lookups, builders, cells; object conflicts and full arenas.
#include "t.h"
#include "value.h"

static uint8_t memory[1 << 18] __attribute__((aligned(64)));
static struct ag_arena arena;
static struct ag_mem mem;

static struct ag_value
json(const char *text)
{
    struct ag_value v;
    struct ag_json_error e;
    struct ag_value s = ag_string_copy(&mem, ag_str_z(text));
    return ag_json_read(&mem, ag_value_str(s), &v, &e) == AG_JSON_OK ? v : ag_err(AG_VERR_TYPE, 0);
}

static void
test_order(void)
{
    static const char *const sorted[] = {
        "null", "false", "true",      "-1",        "0.5",      "1",   "18446744073709551616",
        "\"\"", "\"a\"", "\"aa\"",    "\"b\"",     "[]",       "[1]", "[1,2]",
        "[2]",  "{}",    "{\"a\":1}", "{\"a\":2}", "{\"b\":0}"};
    unsigned bad = 0, n = sizeof sorted / sizeof *sorted;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++) {
            int r = ag_value_cmp(&mem, json(sorted[i]), json(sorted[k]));
            bad += (r > 0) - (r < 0) != (i > k) - (i < k);
        }
    OK(bad == 0, "%u values compare as they are listed", n);
    OK(ag_value_eq(&mem, json("[1,1.0,1e0]"), json("[1.0,1,10e-1]")),
       "numbers are equal however they are spelled");
}

static void
test_builders(void)
{
    struct ag_builder *b = ag_builder_new(&mem, AG_SET);
    bool ok = true;
    for (int i = 0; i < 1000; i++)
        ok &= ag_builder_push(&mem, b, ag_int(i * 7 % 100));
    struct ag_value set = ag_builder_close(&mem, b);
    OK(ok && set.kind == AG_SET && set.len == 100, "a set drops what it has");
    OK(ag_value_contains(&mem, set, ag_int(99)) && !ag_value_contains(&mem, set, ag_int(100)), "membership");
    b = ag_builder_new(&mem, AG_OBJECT);
    ok = ag_builder_put(&mem, b, json("\"k\""), ag_int(1)) &&
         ag_builder_put(&mem, b, json("\"k\""), json("1.0"));
    struct ag_value v = ag_builder_close(&mem, b);
    OK(ok && v.kind == AG_OBJECT && v.len == 1, "the same value twice is no conflict");
    ag_builder_put(&mem, b, json("\"k\""), ag_int(2));
    v = ag_builder_close(&mem, b);
    OK(v.kind == AG_ERROR && v.i == AG_VERR_OBJECT_CONFLICT, "another value is");
    b = ag_builder_new(&mem, AG_OBJECT);
    ok = ag_builder_put(&mem, b, json("\"x\""), ag_int(1)) &&
         ag_builder_putpath(&mem, b, json("[\"y\",\"z\"]"), ag_int(2));
    OK(ok && ag_value_eq(&mem, ag_builder_close(&mem, b), json("{\"x\":1,\"y\":{\"z\":2}}")),
       "keys and paths together");
    ag_builder_putpath(&mem, b, json("[\"y\"]"), ag_int(3));
    OK(ag_builder_close(&mem, b).kind == AG_ERROR, "a value where an object stands is a conflict");
}

static void
test_cells(void)
{
    static const int64_t ints[] = {
        0, -1, ((int64_t)1 << 55) - 1, (int64_t)1 << 55, -((int64_t)1 << 55), INT64_MIN, INT64_MAX};
    bool ok = true;
    for (unsigned i = 0; i < sizeof ints / sizeof *ints; i++) {
        ag_cell c;
        ok &= ag_cell_store(&mem, ag_int(ints[i]), &c);
        struct ag_value v = ag_cell_load(&mem, c);
        ok &= v.kind == AG_NUMBER && v.i == ints[i];
    }
    OK(ok, "integers on both sides of 56 bits survive a cell");
    struct ag_arena small;
    ag_arena_init(&small, memory, AG_ARENA_RESERVED);
    struct ag_mem full = {.base = {NULL, memory, NULL}, .arena = &small};
    ag_cell c;
    OK(!ag_cell_store(&full, ag_int(INT64_MAX), &c) && !ag_builder_new(&full, AG_SET),
       "a full arena is reported");
}

int
main(void)
{
    ag_arena_init(&arena, memory, sizeof memory);
    mem = (struct ag_mem){.base = {NULL, memory, NULL}, .arena = &arena};
    test_order();
    test_builders();
    test_cells();
    return t_done();
}
