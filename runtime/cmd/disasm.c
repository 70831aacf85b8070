// SPDX-License-Identifier: Apache-2.0
// aegis disasm: an image as text. In: an image or a policy. Out: lines. Next file to read:
// runtime/host/dump.c.
#include "cmd.h"

static void
print_line(void *arg, const char *text, size_t n)
{
    fprintf(arg, "%.*s\n", (int)n, text);
}

int
cmd_disasm(int argc, char **argv)
{
    int code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {{NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n != 1)
        return agr_die(AGR_EXIT_HELD, "disasm: give one image or policy");
    struct aegis_policy *p = agr_load(args.v[0], NULL, &code);
    if (!p)
        return code;
    aegis_policy_disasm(p, print_line, stdout);
    aegis_policy_close(p);
    return AGR_EXIT_OK;
}
