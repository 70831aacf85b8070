// SPDX-License-Identifier: Apache-2.0
// Mutated images: the verifier never crashes, and what it accepts runs without a trap under the sanitizers.
// In: number of rounds per seed, random seed, then .vmt files or images. Out: TAP with counts.
// Next file to read: vm/verify.c.
#include "../unit/t.h"
#include "../vm/asm.h"
#include "eval.h"

static uint8_t original[1 << 22] __attribute__((aligned(64)));
static uint8_t image[1 << 22] __attribute__((aligned(64)));
static uint8_t memory[1 << 18] __attribute__((aligned(64)));
static struct ag_value regs[8192];
static struct ag_outcome outcome;
static uint64_t state, accepted, refused, ran;

static uint64_t
next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void
run_on(const struct ag_image *im, const char *json)
{
    for (uint32_t e = 0; e < im->nentries; e++) {
        struct ag_arena arena;
        struct ag_value input, v;
        struct ag_json_error je;
        ag_arena_init(&arena, memory, sizeof memory);
        struct ag_call c = {.im = im, .regs = regs, .nregs = 8192, .fuel = 20000, .outcome = &outcome};
        c.mem = (struct ag_mem){.base = {NULL, memory, (const uint8_t *)json}, .arena = &arena};
        if (ag_json_read(&c.mem, ag_str_z(json), &input, &je) == AG_JSON_OK) {
            ag_eval(&c, e, input, &v);
            ran++;
        }
    }
}

static void
round_of(size_t n)
{
    struct ag_image im;
    struct ag_image_error err = {.status = AG_IMAGE_OK};
    memcpy(image, original, n);
    for (uint64_t k = 1 + next() % 4; k > 0; k--) {
        size_t at = sizeof(struct ag_image_header) + next() % (n - sizeof(struct ag_image_header));
        if (next() % 16 == 0)
            at = next() % sizeof(struct ag_image_header);
        switch (next() % 4) {
        case 0: image[at] = (uint8_t)next(); break;
        case 1: image[at] ^= (uint8_t)(1u << next() % 8); break;
        case 2: image[at] = (uint8_t)(image[at] + 1); break;
        default:
            image[at] = image[sizeof(struct ag_image_header) + next() % (n - sizeof(struct ag_image_header))];
        }
    }
    memcpy(image, original, 24); // magic, versions and size would end the test early
    asm_seal(image, n);
    if (ag_image_open(image, n, &im, &err) != AG_IMAGE_OK || ag_image_verify(&im, &err) != AG_IMAGE_OK) {
        refused++;
        return;
    }
    accepted++;
    run_on(&im, "{\"type\":\"deploy\",\"x\":1,\"users\":[{\"name\":\"a\",\"role\":\"b\"}],\"pick\":\"a\"}");
    run_on(&im, "[[1,2],[3],{\"a\":[]}]");
    run_on(&im, "0.5");
}

static size_t
load(const char *name)
{
    static char file[1 << 22];
    FILE *f = fopen(name, "rb");
    size_t n = f ? fread(file, 1, sizeof file, f) : 0;
    if (f)
        fclose(f);
    if (n >= 8 && memcmp(file, AG_IMAGE_MAGIC, 8) == 0) {
        memcpy(original, file, n);
        return n;
    }
    const char *from = memmem(file, n, "--- asm\n", 8),
               *end = from ? memmem(from + 8, n - 8 - (size_t)(from - file), "\n--- ", 5) : NULL;
    return from && end ? asm_image(ag_str_of(from + 8, (size_t)(end - from) - 8), original, sizeof original)
                       : 0;
}

int
main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    state = state ? state : 1;
    printf("# seed %llu, %lu rounds for each of %d files\n", (unsigned long long)state, rounds, argc - 3);
    for (int i = 3; i < argc; i++) {
        size_t n = load(argv[i]);
        for (unsigned long k = 0; n > sizeof(struct ag_image_header) && k < rounds; k++)
            round_of(n);
    }
    OK(accepted > 0 && refused > 0, "%llu refused, %llu accepted, %llu runs, no trap",
       (unsigned long long)refused, (unsigned long long)accepted, (unsigned long long)ran);
    return t_done();
}
