// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4). Uses the CPU's SHA instructions when they are there; the result never depends on it.
// Thread rule: one state, one thread; ag_sha256 is pure.
#ifndef AG_BASE_SHA256_H
#define AG_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct ag_sha256 {
    uint32_t h[8];
    uint64_t n; // bytes taken so far
    uint8_t block[64];
};

void ag_sha256_init(struct ag_sha256 *s);
void ag_sha256_update(struct ag_sha256 *s, const void *p, size_t n);
void ag_sha256_final(struct ag_sha256 *s, uint8_t ret[32]);
void ag_sha256(const void *p, size_t n, uint8_t ret[32]);

#endif
