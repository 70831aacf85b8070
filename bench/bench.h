// SPDX-License-Identifier: Apache-2.0
// Harness of the in-process measurements: cases run in interleaved rounds (a b b a ...), so a slow spell of
// the machine falls on all of them; the verdict is the median, printed with its quartiles and the ratio to
// the first case. In: an array of cases. Out: a table and one line of JSON per case. The caller owns
// everything. Header only.
#ifndef AEGIS_BENCH_H
#define AEGIS_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_ROUNDS_MAX 99
#define BENCH_SPREAD_MAX 0.25 // a reference that varies more makes the run inconclusive

struct bench_case {
    const char *name;
    void (*run)(void *ctx, uint64_t n); // does the measured thing n times
    void *ctx;
    uint64_t n; // set by the harness: how often per round
    double ns[BENCH_ROUNDS_MAX];
};

// Keeps a result alive against the optimiser.
#define BENCH_KEEP(v) __asm__ volatile("" : : "g"(v) : "memory")

static inline double
bench_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int
bench_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// How often the case fits into `seconds`; also warms it up.
static inline uint64_t
bench_calibrate(const struct bench_case *c, double seconds)
{
    uint64_t n = 1;
    for (;;) {
        double begun = bench_seconds();
        c->run(c->ctx, n);
        double took = bench_seconds() - begun;
        if (took > seconds / 4 || n > UINT64_MAX / 4)
            return (uint64_t)((double)n * seconds / took) + 1;
        n *= 2;
    }
}

// Measures all cases in `rounds` rounds (at most BENCH_ROUNDS_MAX) of `seconds` each and prints the table.
// Returns 0, or 1 when the first case varied by more than BENCH_SPREAD_MAX: inconclusive, repeat.
static inline int
bench_compare(struct bench_case *cases, unsigned ncases, unsigned rounds, double seconds, FILE *out)
{
    if (rounds > BENCH_ROUNDS_MAX)
        rounds = BENCH_ROUNDS_MAX;
    for (unsigned i = 0; i < ncases; i++)
        cases[i].n = bench_calibrate(&cases[i], seconds);
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned k = 0; k < ncases; k++) {
            struct bench_case *c = &cases[r % 2 == 0 ? k : ncases - 1 - k];
            double begun = bench_seconds();
            c->run(c->ctx, c->n);
            c->ns[r] = (bench_seconds() - begun) * 1e9 / (double)c->n;
        }
    }
    double reference = 0, spread = 0;
    fprintf(out, "%-32s %12s %12s %12s %8s\n", "case", "median ns", "quartile 1", "quartile 3", "ratio");
    for (unsigned i = 0; i < ncases; i++) {
        double *ns = cases[i].ns;
        qsort(ns, rounds, sizeof ns[0], bench_order);
        double median = ns[rounds / 2], low = ns[rounds / 4], high = ns[rounds * 3 / 4];
        if (i == 0) {
            reference = median;
            spread = (high - low) / median;
        }
        fprintf(out, "%-32s %12.1f %12.1f %12.1f %8.3f\n", cases[i].name, median, low, high,
                median / reference);
        fprintf(out,
                "JSON {\"case\":\"%s\",\"median_ns\":%.2f,\"q1_ns\":%.2f,\"q3_ns\":%.2f,\"ratio\":%.4f}\n",
                cases[i].name, median, low, high, median / reference);
    }
    if (spread > BENCH_SPREAD_MAX)
        fprintf(out, "inconclusive: %s varied by %.0f %% between its quartiles\n", cases[0].name,
                spread * 100);
    return spread > BENCH_SPREAD_MAX;
}

#endif
