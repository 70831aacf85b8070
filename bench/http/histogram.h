// SPDX-License-Identifier: Apache-2.0
// Latency histogram of the load driver: logarithmic buckets, 128 per power of two (error below 0.8 %), fixed
// size, no allocation. In: nanoseconds. Out: quantiles, a drawing. One owner, no locks. Next file: load.c.
#ifndef AEGIS_BENCH_HISTOGRAM_H
#define AEGIS_BENCH_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HIST_SUB_BITS 7 // 2^7 buckets per power of two
#define HIST_BUCKETS  ((64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

struct histogram {
    uint64_t count;
    uint64_t max, sum; // of the values, exactly
    uint64_t bucket[HIST_BUCKETS];
};

// Adds one value.
void hist_add(struct histogram *h, uint64_t ns);

// The smallest value v with at least q (0..1) of all values <= v, up to the bucket's width; 0 when empty.
uint64_t hist_quantile(const struct histogram *h, double q);

// Draws one bar per power of two that holds a value.
void hist_draw(const struct histogram *h, FILE *out);

#endif
