// SPDX-License-Identifier: Apache-2.0
// What one decision costs in process, beside simdjson's parse of the same bytes in the same run: from JSON,
// and from an input that is already built. No journal, virtual clock, limits charged in private state. In: an
// image and a file of JSON actions, one per line; with --instructions N (or --instructions-built N): N
// decisions and nothing else, for a run under callgrind. Out: the table of bench.h, and the mix of outcomes.
// Next: bench.h, docs/BENCHMARKS.md.
#include "aegis.h"
#include "bench.h"
#ifdef HAVE_PEER
#include "json_peer.h"
#endif

#include <stdbool.h>
#include <string.h>

#define ACTIONS_MAX 64
#define LINE_BYTES  65536

struct work {
    struct aegis_slot *slot;
    struct aegis_ctx *ctx, *built; // one for JSON, one that holds the built input
    const char *json[ACTIONS_MAX];
    size_t n[ACTIONS_MAX];
    unsigned nactions;
    uint64_t outcomes[7];
};

static void
decide_json(void *arg, uint64_t n)
{
    struct work *w = arg;
    struct aegis_decision d = {.size = sizeof d};
    for (uint64_t i = 0; i < n; i++) {
        unsigned k = (unsigned)(i % w->nactions);
        if (aegis_ctx_decide_json(w->ctx, w->slot, "decide", w->json[k], w->n[k], &d, NULL) != AEGIS_OK)
            abort();
        w->outcomes[d.outcome]++;
    }
}

static void
decide_built(void *arg, uint64_t n)
{
    struct work *w = arg;
    struct aegis_decision d = {.size = sizeof d};
    for (uint64_t i = 0; i < n; i++) {
        if (aegis_ctx_decide(w->built, w->slot, "decide", &d, NULL) != AEGIS_OK)
            abort();
        w->outcomes[d.outcome]++;
    }
}

#ifdef HAVE_PEER
static void
parse_peer(void *arg, uint64_t n)
{
    uint64_t good = json_peer_parse(arg, n);
    BENCH_KEEP(good);
}
#endif

// --- the built input: the first action walked, each part handed over by a call, as a gateway does that holds
// fields. The text was accepted as an action before and has no escapes.

static const char *build_value(struct aegis_ctx *c, const char *p);

static const char *
skip(const char *p)
{
    return p + strspn(p, " \t\r,:");
}

// An object or array from its opening bracket to past the closing one.
static const char *
build_members(struct aegis_ctx *c, const char *p)
{
    bool is_object = *p == '{';
    if (is_object)
        aegis_input_object(c);
    else
        aegis_input_array(c);
    for (p = skip(p + 1); *p != '}' && *p != ']'; p = skip(p)) {
        if (is_object) {
            size_t n = strcspn(p + 1, "\"");
            aegis_input_key(c, p + 1, n);
            p += n + 2;
        }
        p = build_value(c, skip(p));
    }
    aegis_input_end(c);
    return p + 1;
}

static const char *
build_value(struct aegis_ctx *c, const char *p)
{
    size_t n;
    switch (*p) {
    case '{':
    case '[': return build_members(c, p);
    case '"':
        n = strcspn(p + 1, "\"");
        aegis_input_string(c, p + 1, n);
        return p + n + 2;
    case 't': aegis_input_bool(c, 1); return p + 4;
    case 'f': aegis_input_bool(c, 0); return p + 5;
    case 'n': aegis_input_null(c); return p + 4;
    default:
        n = strcspn(p, ",]} \t\r");
        aegis_input_number(c, p, n);
        return p + n;
    }
}

static char *
read_actions(const char *path, struct work *w)
{
    FILE *f = fopen(path, "rb");
    char *mem = f ? malloc((size_t)ACTIONS_MAX * LINE_BYTES) : NULL;
    if (!mem)
        return NULL;
    while (w->nactions < ACTIONS_MAX) {
        char *line = mem + (size_t)w->nactions * LINE_BYTES;
        if (!fgets(line, LINE_BYTES, f))
            break;
        size_t n = strcspn(line, "\n");
        if (!n)
            continue;
        w->json[w->nactions] = line;
        w->n[w->nactions++] = n;
    }
    fclose(f);
    return mem;
}

static int
open_all(struct work *w, const char *image)
{
    struct aegis_policy *p;
    struct aegis_error e = {.size = sizeof e};
    struct aegis_host_options o = {
        .size = sizeof o, .is_simulated = 1, .now_ns = INT64_C(1774008000000000000)};
    struct aegis_host *host;
    if (aegis_policy_open(image, NULL, &p, &e) != AEGIS_OK ||
        aegis_host_open(NULL, &o, &host, &e) != AEGIS_OK) {
        fprintf(stderr, "%s: %s\n", image, e.text);
        return 0;
    }
    if (aegis_slot_new(&w->slot) != AEGIS_OK || aegis_ctx_new(NULL, host, &w->ctx) != AEGIS_OK ||
        aegis_ctx_new(NULL, host, &w->built) != AEGIS_OK)
        return 0;
    aegis_slot_publish(w->slot, p);
    return 1;
}

int
main(int argc, char **argv)
{
    static struct work w;
    bool is_json = argc == 5 && strcmp(argv[3], "--instructions") == 0;
    bool is_built = argc == 5 && strcmp(argv[3], "--instructions-built") == 0;
    long instructions = is_json || is_built ? strtol(argv[4], NULL, 10) : 0;
    if (argc != 3 && instructions <= 0) {
        fprintf(stderr, "usage: eval IMAGE ACTIONS.jsonl [--instructions N | --instructions-built N]\n");
        return 2;
    }
    if (!open_all(&w, argv[1]) || !read_actions(argv[2], &w) || !w.nactions) {
        fprintf(stderr, "eval: cannot read %s and %s\n", argv[1], argv[2]);
        return 2;
    }
    aegis_input_begin(w.built);
    if (strchr(w.json[0], '\\') || build_value(w.built, w.json[0]) != w.json[0] + w.n[0]) {
        fprintf(stderr, "eval: the first action must be one JSON object without escapes\n");
        return 2;
    }
    if (is_built) {
        decide_built(&w, (uint64_t)instructions);
        return 0;
    }
    if (is_json) {
        decide_json(&w, (uint64_t)instructions);
        return 0;
    }
    static struct bench_case cases[3];
    unsigned n = 0;
#ifdef HAVE_PEER
    struct json_peer *peer = json_peer_new(w.json[0], w.n[0]);
    cases[n++] = (struct bench_case){.name = "simdjson DOM parse", .run = parse_peer, .ctx = peer};
#endif
    w.nactions = 1;
    cases[n++] = (struct bench_case){.name = "decision from JSON", .run = decide_json, .ctx = &w};
    cases[n++] = (struct bench_case){.name = "decision from built input", .run = decide_built, .ctx = &w};
    printf("%s, %zu bytes of JSON\n", argv[1], w.n[0]);
    int rc = bench_compare(cases, n, 9, 0.2, stdout);
    static const char *const words[] = {"allow", "monitor", "throttle",   "escalate",
                                        "deny",  "kill",    "unavailable"};
    printf("outcomes:");
    for (unsigned i = 0; i < 7; i++)
        if (w.outcomes[i])
            printf(" %s %llu", words[i], (unsigned long long)w.outcomes[i]);
    printf("\n");
    return rc;
}
