// SPDX-License-Identifier: Apache-2.0
// aegis fmt: modules in canonical form. The compiler owns the language, so this becomes `aegisc --fmt`. In:
// files, or standard input. Out: texts, names, differences or rewritten files. Next file to read:
// compiler/fmt.c.
#include "cmd.h"
#include "store.h"

#include <errno.h>
#include <stdlib.h>

int
cmd_fmt(int argc, char **argv)
{
    int code, list = 0, diff = 0, write = 0, fail = 0;
    struct agr_list files = {0};
    const struct agr_opt opts[] = {
        {"list", 'l', AGR_OPT_FLAG, &list, NULL, "print the names of files that are not canonical"},
        {"diff", 'd', AGR_OPT_FLAG, &diff, NULL, "print their differences"},
        {"write", 'w', AGR_OPT_FLAG, &write, NULL, "rewrite them"},
        {"fail", 0, AGR_OPT_FLAG, &fail, NULL, "exit code 1 when a file is not canonical"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL},
    };
    if (!agr_args(argc, argv, opts, &files, &code))
        return code;
    const char *args[AGR_LIST_MAX + 8] = {"aegisc", "--fmt"};
    unsigned n = 2;
    const char *const flag[] = {list ? "-l" : NULL, diff ? "-d" : NULL, write ? "-w" : NULL,
                                fail ? "--fail" : NULL};
    for (unsigned i = 0; i < sizeof flag / sizeof flag[0]; i++)
        if (flag[i])
            args[n++] = flag[i];
    args[n++] = "--";
    for (unsigned i = 0; i < files.n; i++)
        args[n++] = files.v[i];
    char *child[AGR_LIST_MAX + 9] = {NULL};
    for (unsigned i = 0; i < n; i++)
        child[i] = (char *)(uintptr_t)args[i];
    agr_exec_compiler(child);
    return agr_die(AGR_EXIT_UNAVAILABLE,
                   "fmt: cannot run aegisc: %s; install it beside aegis or put it on PATH", strerror(errno));
}
