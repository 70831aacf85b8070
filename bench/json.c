// SPDX-License-Identifier: Apache-2.0
// What JSON readers cost on one text: the reference that the cost of a decision from JSON is compared with.
// In: a file. Out: the table of bench.h; exit 1 when inconclusive, 2 when the text is unreadable. Next:
// json_peer.cc.
#include "bench.h"
#include "json_peer.h"

#include <errno.h>
#include <string.h>

#define TEXT_MAX (16u << 20)

static void
run_peer(void *ctx, uint64_t n)
{
    uint64_t good = json_peer_parse(ctx, n);
    BENCH_KEEP(good);
}

int
main(int argc, char **argv)
{
    int rc = 2;
    char *text = malloc(TEXT_MAX);
    struct json_peer *peer = NULL;
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (f == NULL || text == NULL) {
        fprintf(stderr, "usage: json FILE (%s)\n", argc == 2 ? strerror(errno) : "one JSON text");
        goto out;
    }
    size_t n = fread(text, 1, TEXT_MAX, f);
    peer = json_peer_new(text, n);
    if (peer == NULL || json_peer_parse(peer, 1) != 1) {
        fprintf(stderr, "%s: not JSON, or larger than %u bytes\n", argv[1], TEXT_MAX);
        goto out;
    }
    static struct bench_case cases[] = {{.name = "simdjson DOM", .run = run_peer}};
    cases[0].ctx = peer;
    printf("%zu bytes\n", n);
    rc = bench_compare(cases, 1, 9, 0.2, stdout);
out:
    if (f != NULL)
        fclose(f);
    json_peer_free(peer);
    free(text);
    return rc;
}
