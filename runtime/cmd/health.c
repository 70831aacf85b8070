// SPDX-License-Identifier: Apache-2.0
// aegis health and aegis metrics: what a running server says of itself. Health is the data listener's
// /health, metrics the metrics listener's /metrics. In: an address. Out: the server's text; exit 1 when it is
// degraded. Next: client.c.
#include "client.h"

#include <stdlib.h>

static int
get(const char *command, const char *address, const char *path)
{
    struct agr_answer a;
    if (!agr_client(address, "GET", path, NULL, NULL, &a))
        return AGR_EXIT_UNAVAILABLE;
    fwrite(a.body, 1, a.n, stdout);
    if (a.n && a.body[a.n - 1] != '\n')
        putchar('\n');
    free(a.body);
    if (a.status == 200)
        return AGR_EXIT_OK;
    return agr_die(AGR_EXIT_DENIED, "%s: the server answered %d", command, a.status);
}

static int
run(int argc, char **argv, const char *address, const char *what, const char *path)
{
    int is_json = 0, code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {
        {"address", 'a', AGR_OPT_STR, &address, "ADDRESS", what},
        {"json", 0, AGR_OPT_FLAG, &is_json, NULL, "health is JSON in any case; metrics are Prometheus text"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n)
        return agr_die(AGR_EXIT_HELD, "%s: takes no argument; use --address", argv[0]);
    return get(argv[0], address, path);
}

int
cmd_health(int argc, char **argv)
{
    return run(argc, argv, "127.0.0.1:8000",
               "unix:PATH or HOST:PORT of a data listener (default 127.0.0.1:8000)", "/health");
}

int
cmd_metrics(int argc, char **argv)
{
    return run(argc, argv, "127.0.0.1:9090", "HOST:PORT of the metrics listener (default 127.0.0.1:9090)",
               "/metrics");
}
