// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of runtime/server/http.c. In: a byte that chooses the split points, a byte for the body limit,
// then what a connection receives. What must hold: requests come out the same whether the bytes arrive at
// once or in pieces, in a buffer that moves; every string lies in the request's bytes; no body is over the
// limit. Built for libFuzzer, and as a plain test by replay.c.
#include <stdint.h>
#include <stdlib.h>

#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const size_t body_limits[] = {0, 1, 16, 256, 65536, SIZE_MAX / 2};
static uint32_t roll;

static void
must(bool is_true)
{
    if (!is_true)
        abort();
}

struct answer {
    enum agr_parse got;
    size_t used;
    int status;
    uint64_t sum; // over everything the request says
};

static void
within(struct ag_str s, const char *buf, size_t n, uint64_t *sum)
{
    must(s.n == 0 || (s.p >= buf && s.n <= n && (size_t)(s.p - buf) <= n - s.n));
    *sum = *sum * 31 + s.n;
    for (size_t i = 0; i < s.n; i++)
        *sum = *sum * 1099511628211u + (unsigned char)s.p[i];
}

static void
check_request(const struct agr_request *r, const char *buf, size_t n, size_t body_max, struct answer *a)
{
    char mem[64];
    struct ag_str s;
    must(a->used <= n && r->body.n <= body_max && r->nheaders <= AGR_HEADERS_MAX && r->path.n <= AGR_URL_MAX);
    a->sum = (uint64_t)r->method << 8 | (uint64_t)r->is_keep_alive << 2 | (uint64_t)r->is_http_1_0 << 1 |
             r->expects_continue;
    within(r->path, buf, a->used, &a->sum);
    within(r->query, buf, a->used, &a->sum);
    within(r->body, buf, a->used, &a->sum);
    for (unsigned i = 0; i < r->nheaders; i++) {
        within(r->header[i].name, buf, a->used, &a->sum);
        within(r->header[i].value, buf, a->used, &a->sum);
    }
    if (agr_query_get(r, "q", mem, sizeof mem, &s))
        must(s.n <= sizeof mem);
    if (agr_percent_decode(r->path, mem, sizeof mem, &s))
        must(s.n <= r->path.n);
    must((agr_header_get(r, "host").p != NULL) || r->is_http_1_0);
}

// One request from the first bytes of p. Pieces are as long as `is_split` and the dice say.
static struct answer
read_one(const uint8_t *p, size_t n, size_t body_max, bool is_split)
{
    struct agr_parser parser;
    static struct agr_request r;
    struct answer a = {.got = AGR_PARSE_MORE};
    const char *why = NULL;
    char *buf = NULL;
    agr_parser_reset(&parser);
    for (size_t have = 0; have < n && a.got == AGR_PARSE_MORE;) {
        size_t piece = n - have;
        if (is_split) {
            roll = roll * 1103515245u + 12345u;
            size_t most = roll >> 28 ? 1 + (roll >> 16) % 64 : 4096;
            piece = piece < most ? piece : most;
        }
        char *moved = malloc(have + piece); // exactly what was received
        if (!moved)
            abort();
        if (have)
            memcpy(moved, buf, have);
        memcpy(moved + have, p + have, piece);
        free(buf);
        buf = moved;
        have += piece;
        memset(&r, 0xa5, sizeof r);
        a.got = agr_parse(&parser, buf, have, body_max, &r, &a.used, &a.status, &why);
        if (a.got == AGR_PARSE_DONE)
            check_request(&r, buf, have, body_max, &a);
        if (a.got == AGR_PARSE_REFUSE)
            must(a.status >= 400 && a.status < 600 && why && *why);
    }
    free(buf);
    return a;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3)
        return 0;
    size_t body_max = body_limits[data[1] % (sizeof body_limits / sizeof *body_limits)];
    roll = data[0];
    data += 2;
    n -= 2;
    while (n) {
        struct answer whole = read_one(data, n, body_max, false), split = read_one(data, n, body_max, true);
        must(whole.got == split.got);
        // A head that is too long may be seen to be so before or after its mistake is.
        must(whole.got != AGR_PARSE_REFUSE || whole.status == split.status ||
             (n > AGR_HEAD_MAX && whole.status != 413 && split.status != 413));
        if (whole.got != AGR_PARSE_DONE)
            break;
        must(whole.used == split.used && whole.sum == split.sum && whole.used > 0);
        data += whole.used;
        n -= whole.used;
    }
    return 0;
}
