// SPDX-License-Identifier: Apache-2.0
// The only door to libsodium: signatures, BLAKE2b and randomness for image signing, audit notes and keys.
// Secrets are zeroed by their owner with ag_crypto_wipe. Thread rule: pure after ag_crypto_init.
#ifndef AG_CRYPTO_H
#define AG_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AG_ED25519_PUBLIC 32
#define AG_ED25519_SECRET 64
#define AG_ED25519_SIG    64

// Once per process before anything else here; false when libsodium cannot start. Safe to repeat.
bool ag_crypto_init(void);
void ag_crypto_random(void *p, size_t n);
// n bytes of the ChaCha20 stream (RFC 8439 without a message) under a key and a nonce that is used once.
void ag_crypto_stream(void *p, size_t n, const uint8_t key[32], uint64_t nonce);
void ag_crypto_wipe(void *p, size_t n);
// Constant-time comparison of n bytes.
bool ag_crypto_equal(const void *a, const void *b, size_t n);

// BLAKE2b-256 (RFC 7693, no key) over up to `count` pieces one after the other.
struct ag_piece {
    const void *p;
    size_t n;
};
void ag_blake2b256(const struct ag_piece *pieces, size_t count, uint8_t ret[32]);

void ag_ed25519_keypair(uint8_t ret_public[AG_ED25519_PUBLIC], uint8_t ret_secret[AG_ED25519_SECRET]);
// Key pair from a 32-byte seed.
void ag_ed25519_from_seed(const uint8_t seed[32], uint8_t ret_public[AG_ED25519_PUBLIC],
                          uint8_t ret_secret[AG_ED25519_SECRET]);
void ag_ed25519_sign(const void *msg, size_t n, const uint8_t secret[AG_ED25519_SECRET],
                     uint8_t ret_sig[AG_ED25519_SIG]);
bool ag_ed25519_verify(const void *msg, size_t n, const uint8_t pub[AG_ED25519_PUBLIC],
                       const uint8_t sig[AG_ED25519_SIG]);

#endif
