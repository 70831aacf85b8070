// SPDX-License-Identifier: Apache-2.0
// aegis validate-config: checks governance parameters and prints the ten values that the gates will use (A1,
// A23). In: a parameter file, a policy or an image. Out: {"valid":true,"parameters":{…}}; exit 1 when
// refused. Next: parameters.c.
#include "parameters.h"

#include <stdlib.h>

#define PARAMETERS 10u // of A1; what follows them in the list is not asked for

struct listing {
    unsigned n;
    bool is_inside; // of novelty_gate
};

// The shortest text that reads back as the same number.
static void
print_number(double v)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) - v == 0)
            break;
    }
    printf("%s", text);
}

static void
print_param(void *arg, const char *name, double value)
{
    struct listing *l = arg;
    if (l->is_inside && !strchr(name, '.')) {
        printf("}");
        l->is_inside = false;
    }
    if (l->n == PARAMETERS)
        return;
    const char *dot = strchr(name, '.'); // members of novelty_gate follow each other
    printf("%s", l->n ? "," : "");
    if (dot && !l->is_inside)
        printf("\"%.*s\":{", (int)(dot - name), name);
    printf("\"%s\":", dot ? dot + 1 : name);
    print_number(value);
    l->is_inside = dot != NULL;
    l->n++;
}

int
cmd_validate_config(int argc, char **argv)
{
    int is_json = 0, code;
    struct agr_list args = {0};
    struct listing l = {0};
    const struct agr_opt opts[] = {
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "the output is JSON in any case"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n > 1)
        return agr_die(AGR_EXIT_HELD, "validate-config: give one file");
    const char *from_env = getenv("AEGIS_CONFIG_PATH");
    struct aegis_policy *p = agr_parameters_load(args.n                  ? args.v[0]
                                                 : from_env && *from_env ? from_env
                                                                         : NULL,
                                                 &code);
    if (!p) {
        printf("{\"valid\":false}\n");
        return code;
    }
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(p, &info);
    code = AGR_EXIT_OK;
    if (info.has_gates) {
        printf("{\"valid\":true,\"parameters\":{");
        aegis_policy_gate_params(p, print_param, &l);
        printf("}}\n");
    } else {
        printf("{\"valid\":false}\n");
        code = agr_die(AGR_EXIT_DENIED, "%s: it has no gates: or parameters: section", args.v[0]);
    }
    aegis_policy_close(p);
    return code;
}
