// SPDX-License-Identifier: Apache-2.0
// What a decision costs with its row in a journal: a real host in a new folder, no sequencer. Refills are not
// in the time, as they are not in the time that a caller of the library waits. In: an image, a file whose
// first line is a JSON action, an empty folder, and how many decisions. Out: ns per decision, the median of
// ten equal parts. Owns: what it writes into the folder; the caller removes it. Next: eval.c.
#include "aegis.h"
#include "bench.h"

#include <string.h>

#define PARTS      10u
#define LINE_BYTES 65536

static int
decide_part(struct aegis_ctx *ctx, struct aegis_slot *slot, const char *json, size_t n, unsigned long count,
            double *ret_seconds)
{
    struct aegis_decision d = {.size = sizeof d};
    double seconds = 0, begun = bench_seconds();
    for (unsigned long i = 0; i < count; i++) {
        if (aegis_ctx_decide_json(ctx, slot, "decide", json, n, &d, NULL) != AEGIS_OK || d.status != AEGIS_OK)
            return 0;
        if (aegis_ctx_wants_refill(ctx)) {
            seconds += bench_seconds() - begun;
            if (aegis_ctx_refill(ctx) != AEGIS_OK)
                return 0;
            begun = bench_seconds();
        }
    }
    *ret_seconds = seconds + bench_seconds() - begun;
    return 1;
}

int
main(int argc, char **argv)
{
    static char json[LINE_BYTES];
    unsigned long count = argc == 5 ? strtoul(argv[4], NULL, 10) / PARTS : 0;
    if (!count) {
        fprintf(stderr, "usage: journal IMAGE ACTIONS.jsonl EMPTY-FOLDER DECISIONS\n");
        return 2;
    }
    FILE *f = fopen(argv[2], "rb");
    if (!f || !fgets(json, sizeof json, f)) {
        fprintf(stderr, "journal: cannot read %s\n", argv[2]);
        return 2;
    }
    fclose(f);
    size_t n = strcspn(json, "\n");
    struct aegis_error e = {.size = sizeof e};
    struct aegis_policy *p;
    struct aegis_host *host;
    struct aegis_ctx *ctx;
    struct aegis_slot *slot;
    if (aegis_policy_open(argv[1], NULL, &p, &e) != AEGIS_OK ||
        aegis_host_open(argv[3], NULL, &host, &e) != AEGIS_OK ||
        aegis_ctx_new(NULL, host, &ctx) != AEGIS_OK || aegis_slot_new(&slot) != AEGIS_OK) {
        fprintf(stderr, "journal: %s\n", e.text);
        return 2;
    }
    aegis_slot_publish(slot, p);
    double ns[PARTS];
    for (unsigned i = 0; i < PARTS; i++) {
        double seconds;
        if (!decide_part(ctx, slot, json, n, count, &seconds)) {
            fprintf(stderr, "journal: no decision; is the folder new and %lu decisions within its backlog?\n",
                    PARTS * count);
            return 1;
        }
        ns[i] = seconds * 1e9 / (double)count;
    }
    qsort(ns, PARTS, sizeof ns[0], bench_order);
    printf("journaled decision: %.0f ns (%.0f..%.0f), %zu bytes of JSON\n", ns[PARTS / 2], ns[0],
           ns[PARTS - 1], n);
    return 0;
}
