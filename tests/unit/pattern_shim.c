// SPDX-License-Identifier: Apache-2.0
// The C side of the oracle test: one compiled pattern in a static arena; matching gets exactly the fuel and
// arena that the blob's own bounds promise to be enough. Next: test_pattern_re2.cc.
#include "pattern_shim.h"
#include "pattern.h"

#define COMPILE_BYTES (48u << 20)
#define MATCH_BYTES   (16u << 20)

static uint8_t compile_memory[COMPILE_BYTES], match_memory[MATCH_BYTES];
static struct ag_str blob;

int
shim_compile(const char *p, size_t n, int without_dfa, char err[120])
{
    struct ag_arena arena;
    struct ag_pattern_error error;
    ag_arena_init(&arena, compile_memory, sizeof(compile_memory));
    enum ag_pattern_status status =
        ag_pattern_compile(ag_str_of(p, n), without_dfa ? AG_PATTERN_NO_DFA : 0, &arena, NULL, &blob, &error);
    if (status == AG_PATTERN_BAD)
        memcpy(err, error.text, sizeof(error.text));
    if (status == AG_PATTERN_BAD)
        return 0;
    return status == AG_PATTERN_YES && ag_pattern_verify(blob.p, blob.n) ? 1 : -1;
}

static int
answer(enum ag_pattern_status status)
{
    return status == AG_PATTERN_YES ? 1 : status == AG_PATTERN_NO ? 0 : -1;
}

static void
match_arena(struct ag_arena *a, uint32_t n_group)
{
    size_t need = AG_ARENA_RESERVED + ag_pattern_arena_max(blob.p, n_group);
    ag_arena_init(a, match_memory, need < sizeof(match_memory) ? need : sizeof(match_memory));
}

int
shim_match(const char *s, size_t n)
{
    struct ag_arena arena;
    uint64_t fuel = ag_pattern_fuel_max(blob.p, n);
    match_arena(&arena, 0);
    return answer(ag_pattern_match(blob.p, ag_str_of(s, n), &arena, &fuel));
}

int
shim_find(const char *s, size_t n, uint32_t *pairs, uint32_t n_group)
{
    struct ag_arena arena;
    struct ag_pattern_span spans[AG_PATTERN_GROUP_MAX];
    uint64_t fuel = ag_pattern_fuel_max(blob.p, n);
    match_arena(&arena, n_group);
    int got = answer(ag_pattern_find(blob.p, ag_str_of(s, n), 0, spans, n_group, &arena, &fuel));
    for (uint32_t i = 0; got == 1 && i < n_group; i++) {
        pairs[2 * i] = spans[i].from;
        pairs[2 * i + 1] = spans[i].to;
    }
    return got;
}
