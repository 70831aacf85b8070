// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz entry as a plain test: every seed file given, then copies of it with changed, cut and joined
// bytes, always the same ones. In: seed files as arguments; AEGIS_FUZZ_ROUNDS copies of each (default 300).
// Out: TAP. A finding is a crash or a sanitizer report, so reaching the end is the test.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t state = 1;

static size_t
rnd(size_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(state >> 33) % n;
}

// From a block of exactly n bytes, so that a read past the end is seen.
static void
run(const uint8_t *data, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact)
        abort();
    memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static void
run_changed(const uint8_t *seed, size_t n)
{
    static uint8_t copy[2 * SEED_MAX];
    memcpy(copy, seed, n);
    for (size_t k = rnd(4) + 1; k && n; k--) {
        size_t at = rnd(n), len = rnd(n - at) % 16;
        switch (rnd(5)) {
        case 0: copy[at] = (uint8_t)rnd(256); break;
        case 1: copy[at] ^= (uint8_t)(1u << rnd(8)); break;
        case 2: n = at; break;
        case 3: memmove(copy + at, copy + at + len, n - at - len), n -= len; break;
        default: // the piece twice
            if (n + len <= sizeof(copy))
                memmove(copy + at + len, copy + at, n - at), n += len;
            break;
        }
    }
    run(copy, n);
}

int
main(int argc, char **argv)
{
    const char *rounds_text = getenv("AEGIS_FUZZ_ROUNDS");
    unsigned long rounds = rounds_text ? strtoul(rounds_text, NULL, 10) : 300;
    static uint8_t seed[SEED_MAX];
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        size_t n = f ? fread(seed, 1, sizeof(seed), f) : 0;
        if (f)
            fclose(f);
        run(seed, n);
        for (unsigned long k = 0; k < rounds; k++)
            run_changed(seed, n);
        const char *name = strrchr(argv[i], '/');
        printf("%sok %d - %s and %lu changed copies\n", f ? "" : "not ", i, name ? name + 1 : argv[i],
               rounds);
    }
    printf("1..%d\n", argc - 1);
    return 0;
}
