// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of vm/pattern. In: a mode byte, then `pattern \0 subject` or a blob and a subject. What must
// hold: what compiles is verified, the answers of table, program and captures agree, the promised bounds of
// fuel and arena are enough, and whatever the verifier accepts is safe to run. Built for libFuzzer, and as a
// plain test by replay.c.
#include <stdlib.h>

#include "pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t memory[24u << 20];

static void
must(bool is_true)
{
    if (!is_true)
        abort();
}

static bool
is_answer(enum ag_pattern_status st)
{
    return st == AG_PATTERN_YES || st == AG_PATTERN_NO;
}

// Compiles with `flags` and runs within exactly the promised bounds.
static enum ag_pattern_status
compile_and_run(struct ag_str text, struct ag_str subject, unsigned flags)
{
    struct ag_arena a;
    struct ag_str blob;
    struct ag_pattern_error err;
    struct ag_pattern_span spans[4];
    uint64_t fuel = 20000000;
    ag_arena_init(&a, memory, sizeof(memory));
    enum ag_pattern_status st = ag_pattern_compile(text, flags, &a, &fuel, &blob, &err);
    must(st != AG_PATTERN_BAD || (err.offset <= text.n && memchr(err.text, '\0', sizeof(err.text))));
    if (st != AG_PATTERN_YES)
        return st;
    must(ag_pattern_verify(blob.p, blob.n));
    size_t mark = ag_arena_mark(&a), need = mark + ag_pattern_arena_max(blob.p, 4);
    a.size = need < sizeof(memory) ? need : sizeof(memory);
    fuel = ag_pattern_fuel_max(blob.p, subject.n);
    st = ag_pattern_match(blob.p, subject, &a, &fuel);
    must(is_answer(st) && ag_arena_mark(&a) == mark);
    fuel = ag_pattern_fuel_max(blob.p, subject.n);
    must(ag_pattern_find(blob.p, subject, 0, spans, 4, &a, &fuel) == st && ag_arena_mark(&a) == mark);
    must(st == AG_PATTERN_NO || (spans[0].from <= spans[0].to && spans[0].to <= subject.n));
    return st;
}

static void
fuzz_text(struct ag_str text, struct ag_str subject)
{
    enum ag_pattern_status with = compile_and_run(text, subject, 0);
    enum ag_pattern_status without = compile_and_run(text, subject, AG_PATTERN_NO_DFA);
    must(with == without || !is_answer(with) || !is_answer(without));
}

static void
fuzz_glob(struct ag_str text, struct ag_str subject)
{
    struct ag_arena a;
    struct ag_str blob;
    struct ag_pattern_error err;
    struct ag_buf out;
    uint64_t fuel = 20000000;
    bool is_hit = ag_glob_match(text, subject);
    if (ag_glob_check(text, &err)) {
        ag_buf_init(&out, memory, sizeof(memory));
        if (ag_glob_literal(text, &out))
            must(is_hit == ag_str_eq(subject, ag_str_of(out.p, out.n)));
        ag_buf_init(&out, memory, sizeof(memory));
        ag_glob_prefix(text, &out);
        must(!is_hit || (out.n <= subject.n && (!out.n || !memcmp(out.p, subject.p, out.n))));
        must(!ag_glob_is_any(text) || is_hit);
    }
    ag_arena_init(&a, memory, sizeof(memory));
    if (ag_glob_to_pattern(text, ag_str_of(".", 1), 0, &a, &fuel, &blob, &err) == AG_PATTERN_YES)
        must(ag_pattern_verify(blob.p, blob.n));
}

static void
fuzz_blob(struct ag_str blob, struct ag_str subject)
{
    struct ag_arena a;
    struct ag_pattern_span spans[4];
    uint64_t fuel = 100000;
    if (!ag_pattern_verify(blob.p, blob.n))
        return;
    ag_arena_init(&a, memory, sizeof(memory));
    ag_pattern_match(blob.p, subject, &a, &fuel);
    fuel = 100000;
    ag_pattern_find(blob.p, subject, subject.n / 2, spans, 4, &a, &fuel);
    ag_pattern_group_named(blob.p, subject);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    struct ag_str rest = ag_str_of((const char *)data + 1, n - 1);
    if (data[0] % 3 == 2) {
        size_t subject = data[n - 1] < rest.n ? data[n - 1] : 0; // bytes at the end
        fuzz_blob(ag_str_of(rest.p, rest.n - subject), ag_str_of(rest.p + rest.n - subject, subject));
        return 0;
    }
    const char *zero = memchr(rest.p, '\0', rest.n);
    struct ag_str text = ag_str_of(rest.p, zero ? (size_t)(zero - rest.p) : rest.n);
    struct ag_str subject = ag_str_of(zero ? zero + 1 : rest.p, zero ? rest.n - text.n - 1 : 0);
    if (data[0] % 3 == 0)
        fuzz_text(text, subject);
    else
        fuzz_glob(text, subject);
    return 0;
}
