// SPDX-License-Identifier: Apache-2.0
// Options of one subcommand, from its table; --help is printed from the same table.
// In: argv of the subcommand. Out: values in the table's destinations, plain arguments in a list that borrows
// from argv.
#include "cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static const char *
command_name(const char *name, const char **ret_arguments, const char **ret_summary)
{
#define CMD(text, function, arguments, summary)                                                              \
    if (strcmp(name, text) == 0) {                                                                           \
        *ret_arguments = arguments;                                                                          \
        *ret_summary = summary;                                                                              \
    }
#include "commands.def"
    return name;
}

static void
print_help(const char *name, const struct agr_opt *opts)
{
    const char *arguments = "", *summary = "";
    command_name(name, &arguments, &summary);
    printf("usage: aegis %s [OPTION...] %s\n\n%s.\n\noptions:\n", name, arguments, summary);
    for (const struct agr_opt *o = opts; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : " ", o->letter ? o->letter : ' ',
                 o->letter ? ", " : "  ", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("  %-30s %s\n", left, o->help);
    }
    printf("  %-30s %s\n", "    --help", "print this");
}

static bool
store(const char *name, const struct agr_opt *o, const char *value)
{
    switch (o->kind) {
    case AGR_OPT_FLAG: *(int *)o->to = 1; return true;
    case AGR_OPT_STR: *(const char **)o->to = value; return true;
    case AGR_OPT_LIST: {
        struct agr_list *l = o->to;
        if (l->n == AGR_LIST_MAX) {
            fprintf(stderr, "aegis %s: --%s may be given %d times\n", name, o->name, AGR_LIST_MAX);
            return false;
        }
        l->v[l->n++] = value;
        return true;
    }
    case AGR_OPT_INT: break;
    }
    char *end;
    errno = 0;
    long v = strtol(value, &end, 10);
    if (errno || *end || end == value) {
        fprintf(stderr, "aegis %s: --%s takes a number, not \"%s\"\n", name, o->name, value);
        return false;
    }
    *(long *)o->to = v;
    return true;
}

static const struct agr_opt *
find(const struct agr_opt *opts, const char *arg, size_t n)
{
    for (const struct agr_opt *o = opts; o->name; o++) {
        bool is_long = arg[1] == '-' && n - 2 == strlen(o->name) && memcmp(arg + 2, o->name, n - 2) == 0;
        bool is_short = n == 2 && o->letter && arg[1] == o->letter;
        if (is_long || is_short)
            return o;
    }
    return NULL;
}

bool
agr_args(int argc, char **argv, const struct agr_opt *opts, struct agr_list *args, int *ret_exit)
{
    bool is_plain = false; // after "--"
    *ret_exit = AGR_EXIT_HELD;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (is_plain || a[0] != '-' || a[1] == 0) {
            if (args->n == AGR_LIST_MAX) {
                fprintf(stderr, "aegis %s: at most %d arguments\n", argv[0], AGR_LIST_MAX);
                return false;
            }
            args->v[args->n++] = a;
            continue;
        }
        if (strcmp(a, "--") == 0) {
            is_plain = true;
            continue;
        }
        if (strcmp(a, "--help") == 0) {
            print_help(argv[0], opts);
            *ret_exit = AGR_EXIT_OK;
            return false;
        }
        const char *equals = strchr(a, '=');
        const struct agr_opt *o = find(opts, a, equals ? (size_t)(equals - a) : strlen(a));
        if (!o) {
            fprintf(stderr, "aegis %s: no option \"%s\"; see aegis %s --help\n", argv[0], a, argv[0]);
            return false;
        }
        const char *value = equals ? equals + 1 : NULL;
        if (o->kind == AGR_OPT_FLAG && value) {
            fprintf(stderr, "aegis %s: --%s takes no value\n", argv[0], o->name);
            return false;
        }
        if (o->kind != AGR_OPT_FLAG && !value && !(value = argv[++i])) {
            fprintf(stderr, "aegis %s: --%s needs a value: %s\n", argv[0], o->name, o->value);
            return false;
        }
        if (!store(argv[0], o, value))
            return false;
    }
    return true;
}

int
agr_die(int code, const char *fmt, ...)
{
    va_list ap;
    fputs("aegis: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return code;
}

bool
agr_has_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR");
    return isatty(fileno(f)) && !(no && *no);
}
