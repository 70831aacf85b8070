// SPDX-License-Identifier: Apache-2.0
// The one non-cryptographic hash: XXH3-64 with a seed (xxhash, inlined). Used for constant tables of an image
// (seed from the image) and never for a table over attacker-chosen keys, which uses the keyed SipHash of
// state/. Thread rule: pure functions.
#ifndef AG_BASE_HASH_H
#define AG_BASE_HASH_H

#include "str.h"

// XXH3-64 of n bytes under seed.
uint64_t ag_hash(const void *p, size_t n, uint64_t seed);

// SipHash-2-4, 128-bit output, of n bytes under a 16-byte key. Reference: Aumasson and Bernstein, 2012.
void ag_siphash128(const void *p, size_t n, const uint8_t key[16], uint64_t ret[2]);

// CRC-32C (Castagnoli), init and final xor 0xffffffff; for torn-write detection in journals and the WAL.
uint32_t ag_crc32c(uint32_t crc, const void *p, size_t n);

#endif
