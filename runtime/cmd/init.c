// SPDX-License-Identifier: Apache-2.0
// aegis init: a first policy that compiles, explains itself and serves without a flag. Never overwrites
// (B26).
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const char first_policy[] =
    "# What agents may do. Rules are tried from the top; the first that matches decides.\n"
    "# Try: aegis simulate policy.yaml read:crm delete:database deploy:prod\n"
    "version: \"1\"\n"
    "name: first-policy\n"
    "defaults: {risk_level: medium, approval: block}\n"
    "\n"
    "rules:\n"
    "  - name: reads_are_fine\n"
    "    match: {type: \"read*\"}\n"
    "    risk_level: low\n"
    "    approval: auto\n"
    "\n"
    "  - name: small_payments\n"
    "    match: {type: \"payment*\"}\n"
    "    when: [input.params.amount > 0, input.params.amount <= 1000]   # null <= 1000 holds\n"
    "    risk_level: medium\n"
    "    approval: auto\n"
    "\n"
    "  - name: other_payments_need_a_person   # larger, or the amount is missing\n"
    "    match: {type: \"payment*\"}\n"
    "    risk_level: high\n"
    "    approval: approve\n"
    "\n"
    "  - name: deletes_are_blocked\n"
    "    match: {type: \"delete*\"}\n"
    "    risk_level: critical\n"
    "    approval: block\n"
    "\n"
    "limits:\n"
    "  - {name: per-agent, key: [tenant, agent], rate: 50/s, burst: 100}\n";

int
cmd_init(int argc, char **argv)
{
    int code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {{NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    const char *path = args.n ? args.v[0] : "policy.yaml";
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd == -1)
        return agr_die(AGR_EXIT_DENIED, "%s: %s", path,
                       errno == EEXIST ? "exists already; it was not changed" : strerror(errno));
    ssize_t n = (ssize_t)sizeof first_policy - 1;
    bool ok = write(fd, first_policy, (size_t)n) == n;
    ok = close(fd) == 0 && ok;
    if (!ok)
        return agr_die(AGR_EXIT_UNAVAILABLE, "%s: %s", path, strerror(errno));
    printf("Wrote %s. Next:\n  aegis simulate %s read:crm delete:database\n  aegis serve %s\n", path, path,
           path);
    return AGR_EXIT_OK;
}
