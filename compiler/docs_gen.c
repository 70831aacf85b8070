// SPDX-License-Identifier: Apache-2.0
// Prints a reference page from a table: `docs_gen diagnostics` or `docs_gen policy-keys`. In: diag.def,
// yaml_schema.def. Out: Markdown on standard output; a build target writes docs/generated/. Next file to
// read: diag.def.
#include <stdio.h>
#include <string.h>

static const struct {
    const char *id, *level, *summary, *help;
} diagnostics[] = {
#define DIAG(NAME, id, level, summary, help) {id, #level, summary, help},
#include "diag.def"
};

struct key {
    const char *scope, *name, *type, *range, *def, *help;
};

static const struct key keys[] = {
#define KEY(SCOPE_, key, TYPE, range, def, help) {#SCOPE_, #key, #TYPE, range, def, help},
#include "../grammar/yaml_schema.def"
};

static const struct {
    const char *name, *path;
} scopes[] = {
#define SCOPE(NAME, path) {#NAME, path},
#include "../grammar/yaml_schema.def"
};

static const struct {
    const char *set, *word;
} words[] = {
#define WORD(SET, word, value) {#SET, word},
#include "../grammar/yaml_schema.def"
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
print_diagnostics(void)
{
    puts("# Diagnostics\n\nGenerated from compiler/diag.def.\n");
    for (size_t i = 0; i < COUNT(diagnostics); i++)
        printf("## %s\n\n%s: %s.\n\n%s\n\n", diagnostics[i].id,
               strcmp(diagnostics[i].level, "ERROR") == 0 ? "Error" : "Warning", diagnostics[i].summary,
               diagnostics[i].help);
}

static void
print_type(const struct key *k)
{
    int n = 0;
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i].set, k->type) == 0)
            printf("%s%s", n++ ? ", " : "", words[i].word);
    for (const char *c = k->type; n == 0 && *c; c++)
        putchar(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
}

static void
print_keys(void)
{
    puts("# Keys of a policy file\n\nGenerated from grammar/yaml_schema.def.");
    for (size_t s = 0; s < COUNT(scopes); s++) {
        printf("\n## %s\n\n| key | value | range | default | meaning |\n|---|---|---|---|---|\n",
               scopes[s].path);
        for (size_t i = 0; i < COUNT(keys); i++) {
            if (strcmp(keys[i].scope, scopes[s].name) != 0)
                continue;
            printf("| %s | ", keys[i].name);
            print_type(&keys[i]);
            printf(" | %s | %s | %s |\n", keys[i].range, keys[i].def, keys[i].help);
        }
    }
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "diagnostics") == 0)
        print_diagnostics();
    else if (argc == 2 && strcmp(argv[1], "policy-keys") == 0)
        print_keys();
    else {
        fputs("usage: docs_gen diagnostics|policy-keys\n", stderr);
        return 2;
    }
    return 0;
}
