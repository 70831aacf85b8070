// SPDX-License-Identifier: Apache-2.0
// The only file that includes sodium.h: Ed25519, BLAKE2b-256, randomness, wiping.
// In: bytes and keys of the caller. Out: digests, signatures, verdicts. Nothing is kept between calls.
// Next file to read: vm/base/sha256.c, the digest that needs no library.
#include "crypto.h"

#include <sodium.h>
#include <string.h>

_Static_assert(AG_ED25519_PUBLIC == crypto_sign_PUBLICKEYBYTES, "public key size");
_Static_assert(AG_ED25519_SECRET == crypto_sign_SECRETKEYBYTES, "secret key size");
_Static_assert(AG_ED25519_SIG == crypto_sign_BYTES, "signature size");

bool
ag_crypto_init(void)
{
    return sodium_init() != -1;
}

void
ag_crypto_random(void *p, size_t n)
{
    randombytes_buf(p, n);
}

void
ag_crypto_stream(void *p, size_t n, const uint8_t key[32], uint64_t nonce)
{
    uint8_t bytes[crypto_stream_chacha20_NONCEBYTES];
    _Static_assert(sizeof bytes == sizeof nonce, "the nonce is one word");
    memcpy(bytes, &nonce, sizeof bytes);
    crypto_stream_chacha20(p, n, bytes, key);
}

void
ag_crypto_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

bool
ag_crypto_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void
ag_blake2b256(const struct ag_piece *pieces, size_t count, uint8_t ret[32])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    for (size_t i = 0; i < count; i++)
        crypto_generichash_update(&state, pieces[i].p, pieces[i].n);
    crypto_generichash_final(&state, ret, 32);
}

void
ag_ed25519_keypair(uint8_t ret_public[AG_ED25519_PUBLIC], uint8_t ret_secret[AG_ED25519_SECRET])
{
    crypto_sign_keypair(ret_public, ret_secret);
}

void
ag_ed25519_from_seed(const uint8_t seed[32], uint8_t ret_public[AG_ED25519_PUBLIC],
                     uint8_t ret_secret[AG_ED25519_SECRET])
{
    crypto_sign_seed_keypair(ret_public, ret_secret, seed);
}

void
ag_ed25519_sign(const void *msg, size_t n, const uint8_t secret[AG_ED25519_SECRET],
                uint8_t ret_sig[AG_ED25519_SIG])
{
    crypto_sign_detached(ret_sig, NULL, msg, n, secret);
}

bool
ag_ed25519_verify(const void *msg, size_t n, const uint8_t pub[AG_ED25519_PUBLIC],
                  const uint8_t sig[AG_ED25519_SIG])
{
    return crypto_sign_verify_detached(sig, msg, n, pub) == 0;
}
