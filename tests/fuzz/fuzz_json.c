// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of vm/json_in.c. In: any bytes. What must hold: no read outside, refusals leave the arena as it
// was, and what is accepted prints as canonical JSON that reads back to an equal value and the same text.
// Built for libFuzzer, and as a plain test by replay.c.
#include <stdlib.h>

#include "buf.h"
#include "value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t memory[1u << 20], again[1u << 20];
static char text[1u << 20], second[1u << 20];

static void
must(bool is_true)
{
    if (!is_true)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ag_arena a;
    struct ag_value v, w;
    struct ag_json_error e;
    struct ag_buf out, out2;
    ag_arena_init(&a, memory, sizeof memory);
    struct ag_mem m = {.base = {NULL, memory, data}, .arena = &a};
    size_t mark = ag_arena_mark(&a);
    if (ag_json_read(&m, ag_str_of((const char *)data, n), &v, &e) != AG_JSON_OK) {
        must(ag_arena_mark(&a) == mark && e.offset <= n);
        return 0;
    }
    ag_buf_init(&out, text, sizeof text);
    if (!ag_json_write_canonical(&m, v, &out))
        return 0; // a number written out in full may outgrow the buffer
    struct ag_arena b;
    ag_arena_init(&b, again, sizeof again);
    struct ag_mem m2 = {.base = {NULL, again, (const uint8_t *)text}, .arena = &b};
    must(ag_json_read(&m2, ag_str_of(text, out.n), &w, &e) == AG_JSON_OK);
    ag_buf_init(&out2, second, sizeof second);
    must(ag_json_write_canonical(&m2, w, &out2));
    must(out2.n == out.n && memcmp(text, second, out.n) == 0);
    return 0;
}
