// SPDX-License-Identifier: Apache-2.0
// A table of line starts for each source and a binary search in it. In: sources. Out: places for the debug
// map. Memory: the compile arena. Next file to read: emit.c, which asks.
#include "places.h"

static void
count_lines(struct agc_lines *l, struct agc_arena *a, struct ag_str bytes)
{
    l->n = 1;
    for (const char *p = bytes.p, *end = bytes.p + bytes.n;
         p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        l->n++;
    l->start = agc_alloc(a, l->n * sizeof *l->start);
    uint32_t line = 0;
    for (uint32_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] == '\n')
            l->start[++line] = i + 1;
}

void
agc_places_init(struct agc_places *p, struct agc_arena *a, const struct agc_sources *sources)
{
    p->n = sources ? sources->n : 0;
    p->lines = agc_alloc(a, (p->n + 1) * sizeof *p->lines);
    for (uint32_t i = 0; i < p->n; i++)
        count_lines(&p->lines[i], a, sources->v[i].bytes);
}

void
agc_place(const struct agc_places *p, struct agc_span span, uint32_t *ret_line, uint32_t *ret_column)
{
    *ret_line = *ret_column = 1;
    if (span.source >= p->n)
        return;
    const struct agc_lines *l = &p->lines[span.source];
    uint32_t lo = 0, hi = l->n; // the last line that starts at or before the place
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (l->start[mid] <= span.begin)
            lo = mid;
        else
            hi = mid;
    }
    *ret_line = lo + 1;
    *ret_column = span.begin - l->start[lo] + 1;
}
