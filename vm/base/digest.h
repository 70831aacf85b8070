// SPDX-License-Identifier: Apache-2.0
// The digests that policies ask for (MD5, SHA-1, SHA-256, SHA-384, SHA-512) and HMAC (RFC 2104) over them.
// Written here because a policy that hashes must run in every host: no library at hand has all five without
// allocating. MD5 and SHA-1 are for old checksums, never for trust. Thread rule: one state, one thread; the
// rest is pure.
#ifndef AG_BASE_DIGEST_H
#define AG_BASE_DIGEST_H

#include "sha256.h"

#include <stdbool.h>

enum ag_hash { AG_HASH_MD5, AG_HASH_SHA1, AG_HASH_SHA256, AG_HASH_SHA384, AG_HASH_SHA512 };
#define AG_DIGEST_MAX       64u
#define AG_DIGEST_BLOCK_MAX 128u

struct ag_digest {
    enum ag_hash hash;
    union {
        struct ag_sha256 sha256;
        struct {
            uint64_t n; // bytes taken so far
            union {
                uint32_t h32[5];
                uint64_t h64[8];
            };
            uint8_t block[AG_DIGEST_BLOCK_MAX];
        };
    };
};

size_t ag_digest_size(enum ag_hash hash); // bytes of the digest: 16, 20, 32, 48, 64
void ag_digest_init(struct ag_digest *d, enum ag_hash hash);
void ag_digest_update(struct ag_digest *d, const void *p, size_t n);
// Writes ag_digest_size bytes and returns their number.
size_t ag_digest_final(struct ag_digest *d, uint8_t ret[AG_DIGEST_MAX]);

struct ag_hmac {
    struct ag_digest inner, outer;
};
void ag_hmac_init(struct ag_hmac *m, enum ag_hash hash, const void *key, size_t n);
void ag_hmac_update(struct ag_hmac *m, const void *p, size_t n);
// Writes ag_digest_size bytes, returns their number, and forgets the key.
size_t ag_hmac_final(struct ag_hmac *m, uint8_t ret[AG_DIGEST_MAX]);

// Compares n bytes in a time that does not depend on what they are.
bool ag_equal_ct(const void *a, const void *b, size_t n);

#endif
