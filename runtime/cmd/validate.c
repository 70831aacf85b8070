// SPDX-License-Identifier: Apache-2.0
// aegis validate: compiles a policy, shows its diagnostics, and lists its rules as reference B27 prints them.
// In: a policy. Out: text or JSON; exit 1 when it has errors. Next file to read: compiler/main.c.
#include "cmd.h"

int
cmd_validate(int argc, char **argv)
{
    int is_json = 0, code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {{"json", 0, AGR_OPT_FLAG, &is_json, NULL, "print the rules as JSON"},
                                   {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n != 1)
        return agr_die(AGR_EXIT_HELD, "validate: give one policy");
    struct aegis_policy *p = agr_load(args.v[0], NULL, &code);
    if (!p)
        return code;
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(p, &info);
    if (is_json)
        printf("{\"valid\":true,\"rules\":[");
    else
        printf("Policy valid: %u rule(s) loaded.\n", info.rules);
    for (uint32_t i = 0; i < info.rules; i++) {
        struct aegis_rule_info r = {.size = sizeof r};
        aegis_policy_rule(p, i, &r);
        if (is_json) {
            printf("%s{\"name\":", i ? "," : "");
            agr_print_json_str(stdout, ag_str_of(r.name.p, r.name.n));
            printf(",\"decision\":\"%.*s\",\"risk_level\":\"%.*s\",\"line\":%u}", (int)r.decision.n,
                   r.decision.p, (int)r.risk_level.n, r.risk_level.p, r.line);
            continue;
        }
        printf("  - ");
        agr_print_str(stdout, r.name);
        printf(": ");
        agr_print_pattern(stdout, &r);
        printf(" -> ");
        agr_print_upper(stdout, r.risk_level);
        putchar('/');
        agr_print_str(stdout, r.approval);
        putchar('\n');
    }
    if (is_json)
        printf("]}\n");
    aegis_policy_close(p);
    return AGR_EXIT_OK;
}
