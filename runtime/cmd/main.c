// SPDX-License-Identifier: Apache-2.0
// aegis: picks the subcommand. In: argv. Out: its exit code. Each subcommand is one file of this folder.
// Next file to read: commands.def.
#include "cmd.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments, *summary;
} commands[] = {
#define CMD(name, function, arguments, summary) {name, function, arguments, summary},
#include "commands.def"
};
#define NCOMMANDS (sizeof commands / sizeof *commands)

static void
print_help(FILE *f)
{
    fprintf(f, "usage: aegis COMMAND [OPTION...] [ARGUMENT...]\n\n"
               "Decides what AI agents and services may do. Policies are compiled by aegisc.\n\ncommands:\n");
    for (size_t i = 0; i < NCOMMANDS; i++)
        fprintf(f, "  %-16s %s\n", commands[i].name, commands[i].summary);
    fprintf(f, "\n`aegis COMMAND --help` shows the options of a command.\n"
               "exit codes: 0 allowed or success, 1 denied or errors found, 2 held (escalate, throttle) or "
               "wrong usage,\n"
               "            3 no answer or malformed input\n");
}

// Fewest single-byte edits from a to b, at most 9: for "did you mean".
static unsigned
distance(const char *a, const char *b)
{
    unsigned row[32];
    size_t n = strlen(b);
    if (n + 1 > sizeof row / sizeof *row)
        return 9;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n];
}

static int
unknown(const char *name)
{
    size_t best = 0;
    for (size_t i = 1; i < NCOMMANDS; i++)
        if (distance(name, commands[i].name) < distance(name, commands[best].name))
            best = i;
    fprintf(stderr, "aegis: no command \"%s\"", name);
    if (distance(name, commands[best].name) <= 2)
        fprintf(stderr, "; did you mean \"%s\"?", commands[best].name);
    fprintf(stderr, "\n`aegis --help` lists the commands.\n");
    return AGR_EXIT_HELD;
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return AGR_EXIT_HELD;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return AGR_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0)
        return cmd_version(1, argv + 1);
    for (size_t i = 0; i < NCOMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return unknown(argv[1]);
}
