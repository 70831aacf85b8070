// SPDX-License-Identifier: Apache-2.0
// Buckets of the latency histogram. A value below 2^7 is its own bucket; above, the top 8 bits choose it:
//   index = (exponent - 6) * 128 + next 7 bits
// In: nanoseconds. Out: quantiles. Next file: load.c.
#include "histogram.h"

#define SUB (UINT64_C(1) << HIST_SUB_BITS)

static unsigned
index_of(uint64_t v)
{
    if (v < SUB)
        return (unsigned)v;
    unsigned top = 63u - (unsigned)__builtin_clzll(v);
    unsigned shift = top - HIST_SUB_BITS;
    return ((shift + 1) << HIST_SUB_BITS) + (unsigned)((v >> shift) & (SUB - 1));
}

// The largest value that falls into bucket i.
static uint64_t
upper_of(unsigned i)
{
    if (i < SUB)
        return i;
    unsigned shift = (i >> HIST_SUB_BITS) - 1;
    uint64_t low = (SUB + (i & (SUB - 1))) << shift;
    return low + ((UINT64_C(1) << shift) - 1);
}

void
hist_add(struct histogram *h, uint64_t ns)
{
    h->count++;
    h->sum += ns;
    if (ns > h->max)
        h->max = ns;
    h->bucket[index_of(ns)]++;
}

uint64_t
hist_quantile(const struct histogram *h, double q)
{
    if (h->count == 0)
        return 0;
    double want = q * (double)h->count;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (h->bucket[i] != 0 && (double)seen >= want) {
            uint64_t v = upper_of(i);
            return v < h->max ? v : h->max;
        }
    }
    return h->max;
}

void
hist_draw(const struct histogram *h, FILE *out)
{
    uint64_t rows[65] = {0}, most = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        uint64_t v = upper_of(i);
        unsigned row = v == 0 ? 0 : 64u - (unsigned)__builtin_clzll(v);
        rows[row] += h->bucket[i];
        if (rows[row] > most)
            most = rows[row];
    }
    for (unsigned row = 0; row < 65; row++) {
        if (rows[row] == 0)
            continue;
        int width = (int)((rows[row] * 50 + most - 1) / most);
        double below = row >= 64 ? 1.9e19 : (double)(UINT64_C(1) << row);
        fprintf(out, "  < %9.1f us %10llu %.*s\n", below / 1e3, (unsigned long long)rows[row], width,
                "##################################################");
    }
}
