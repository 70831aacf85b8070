// SPDX-License-Identifier: Apache-2.0
// aegis version: one line of JSON (reference A22-A24).
#include "cmd.h"

int
cmd_version(int argc, char **argv)
{
    int is_json = 0, code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "the output is JSON in any case"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    printf("{\"aegis\":\"%s\",\"image_format\":%d}\n", aegis_version(), AEGIS_IMAGE_FORMAT);
    return AGR_EXIT_OK;
}
