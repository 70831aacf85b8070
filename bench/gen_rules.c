// SPDX-License-Identifier: Apache-2.0
// Writes a policy of N rules with seeded types, targets, globs and conditions: input for measuring the
// compiler and the decision index. In: `gen_rules N [SEED]`. Out: YAML on standard output, the same for the
// same arguments.
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// xorshift64*: small, and the same everywhere.
static uint64_t
next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 0x2545f4914f6cdd1du;
}

static unsigned
below(uint64_t *s, unsigned n)
{
    return (unsigned)((next(s) >> 33) % n);
}

static void
print_match(uint64_t *s, unsigned i, unsigned n)
{
    static const char *const verb[] = {"read", "write", "deploy", "pay", "delete", "list", "send", "scale"};
    printf("    match: {type: \"%s_%u\"", verb[below(s, 8)], below(s, n / 4 + 1));
    switch (below(s, 6)) {
    case 0: printf(", target: \"svc-%u\"", i); break;
    case 1: printf(", target: \"prod-%u*\"", below(s, n)); break;
    case 2: printf(", target: \"*.zone%u.internal\"", below(s, n)); break;
    case 3: printf(", agent: \"bot-%u\"", below(s, 1000)); break;
    case 4: printf(", tenant: \"t%u\"", below(s, 100)); break;
    default: break;
    }
    printf("}\n");
}

static void
print_conditions(uint64_t *s)
{
    switch (below(s, 5)) {
    case 0: printf("    conditions: {param_lte: {amount: %u}}\n", below(s, 100000)); break;
    case 1: printf("    conditions: {param_eq: {env: e%u}, hours: \"18:00-08:00\"}\n", below(s, 50)); break;
    case 2: printf("    conditions: {param_contains: {tags: t%u}}\n", below(s, 500)); break;
    case 3:
        printf("    conditions: {param_matches: {mail: '@team%u\\.example\\.com$'}}\n", below(s, 20));
        break;
    default: break;
    }
}

int
main(int argc, char **argv)
{
    static const char *const decision[] = {"allow", "monitor", "escalate", "deny"};
    char *end = NULL;
    errno = 0;
    unsigned long n = argc > 1 ? strtoul(argv[1], &end, 10) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (argc < 2 || errno || *end || n == 0 || n > 10000000) {
        fputs("usage: gen_rules N [SEED]\n", stderr);
        return 2;
    }
    seed = seed * 0x9e3779b97f4a7c15u + 1;
    printf("version: \"1\"\nname: generated\ncombine: deny_overrides\ndefaults: {decision: deny}\nrules:\n");
    for (unsigned i = 0; i < n; i++) {
        printf("  - name: rule_%u\n", i);
        print_match(&seed, i, (unsigned)n);
        print_conditions(&seed);
        printf("    decision: %s\n", decision[below(&seed, 4)]);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
