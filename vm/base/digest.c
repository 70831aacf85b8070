// SPDX-License-Identifier: Apache-2.0
// MD5 (RFC 1321), SHA-1, SHA-384 and SHA-512 (FIPS 180-4), HMAC (RFC 2104); SHA-256 is in sha256.c.
// In: bytes. Out: digests. State belongs to the caller. Next file to read: vm/builtins/digest.c.
#include "digest.h"

#include <string.h>

static const uint32_t k_md5[64] = {
    0xd76aa478u, 0xe8c7b756u, 0x242070dbu, 0xc1bdceeeu, 0xf57c0fafu, 0x4787c62au, 0xa8304613u, 0xfd469501u,
    0x698098d8u, 0x8b44f7afu, 0xffff5bb1u, 0x895cd7beu, 0x6b901122u, 0xfd987193u, 0xa679438eu, 0x49b40821u,
    0xf61e2562u, 0xc040b340u, 0x265e5a51u, 0xe9b6c7aau, 0xd62f105du, 0x02441453u, 0xd8a1e681u, 0xe7d3fbc8u,
    0x21e1cde6u, 0xc33707d6u, 0xf4d50d87u, 0x455a14edu, 0xa9e3e905u, 0xfcefa3f8u, 0x676f02d9u, 0x8d2a4c8au,
    0xfffa3942u, 0x8771f681u, 0x6d9d6122u, 0xfde5380cu, 0xa4beea44u, 0x4bdecfa9u, 0xf6bb4b60u, 0xbebfbc70u,
    0x289b7ec6u, 0xeaa127fau, 0xd4ef3085u, 0x04881d05u, 0xd9d4d039u, 0xe6db99e5u, 0x1fa27cf8u, 0xc4ac5665u,
    0xf4292244u, 0x432aff97u, 0xab9423a7u, 0xfc93a039u, 0x655b59c3u, 0x8f0ccc92u, 0xffeff47du, 0x85845dd1u,
    0x6fa87e4fu, 0xfe2ce6e0u, 0xa3014314u, 0x4e0811a1u, 0xf7537e82u, 0xbd3af235u, 0x2ad7d2bbu, 0xeb86d391u};

static const uint64_t k_sha512[80] = {
    0x428a2f98d728ae22u, 0x7137449123ef65cdu, 0xb5c0fbcfec4d3b2fu, 0xe9b5dba58189dbbcu, 0x3956c25bf348b538u,
    0x59f111f1b605d019u, 0x923f82a4af194f9bu, 0xab1c5ed5da6d8118u, 0xd807aa98a3030242u, 0x12835b0145706fbeu,
    0x243185be4ee4b28cu, 0x550c7dc3d5ffb4e2u, 0x72be5d74f27b896fu, 0x80deb1fe3b1696b1u, 0x9bdc06a725c71235u,
    0xc19bf174cf692694u, 0xe49b69c19ef14ad2u, 0xefbe4786384f25e3u, 0x0fc19dc68b8cd5b5u, 0x240ca1cc77ac9c65u,
    0x2de92c6f592b0275u, 0x4a7484aa6ea6e483u, 0x5cb0a9dcbd41fbd4u, 0x76f988da831153b5u, 0x983e5152ee66dfabu,
    0xa831c66d2db43210u, 0xb00327c898fb213fu, 0xbf597fc7beef0ee4u, 0xc6e00bf33da88fc2u, 0xd5a79147930aa725u,
    0x06ca6351e003826fu, 0x142929670a0e6e70u, 0x27b70a8546d22ffcu, 0x2e1b21385c26c926u, 0x4d2c6dfc5ac42aedu,
    0x53380d139d95b3dfu, 0x650a73548baf63deu, 0x766a0abb3c77b2a8u, 0x81c2c92e47edaee6u, 0x92722c851482353bu,
    0xa2bfe8a14cf10364u, 0xa81a664bbc423001u, 0xc24b8b70d0f89791u, 0xc76c51a30654be30u, 0xd192e819d6ef5218u,
    0xd69906245565a910u, 0xf40e35855771202au, 0x106aa07032bbd1b8u, 0x19a4c116b8d2d0c8u, 0x1e376c085141ab53u,
    0x2748774cdf8eeb99u, 0x34b0bcb5e19b48a8u, 0x391c0cb3c5c95a63u, 0x4ed8aa4ae3418acbu, 0x5b9cca4f7763e373u,
    0x682e6ff3d6b2b8a3u, 0x748f82ee5defb2fcu, 0x78a5636f43172f60u, 0x84c87814a1f0ab72u, 0x8cc702081a6439ecu,
    0x90befffa23631e28u, 0xa4506cebde82bde9u, 0xbef9a3f7b2c67915u, 0xc67178f2e372532bu, 0xca273eceea26619cu,
    0xd186b8c721c0c207u, 0xeada7dd6cde0eb1eu, 0xf57d4f7fee6ed178u, 0x06f067aa72176fbau, 0x0a637dc5a2c898a6u,
    0x113f9804bef90daeu, 0x1b710b35131c471bu, 0x28db77f523047d84u, 0x32caab7b40c72493u, 0x3c9ebe0a15c9bebcu,
    0x431d67c49c100d4cu, 0x4cc5d4becb3e42b6u, 0x597f299cfc657e2au, 0x5fcb6fab3ad6faecu, 0x6c44198c4a475817u};

struct hash_info {
    uint8_t size, block, length; // bytes of digest, block, and the count of bits at the end
};
static const struct hash_info infos[] = {[AG_HASH_MD5] = {16, 64, 8},
                                         [AG_HASH_SHA1] = {20, 64, 8},
                                         [AG_HASH_SHA256] = {32, 64, 8},
                                         [AG_HASH_SHA384] = {48, 128, 16},
                                         [AG_HASH_SHA512] = {64, 128, 16}};

size_t
ag_digest_size(enum ag_hash hash)
{
    return infos[hash].size;
}

static inline uint32_t
rotl32(uint32_t x, unsigned k)
{
    return x << k | x >> (32 - k);
}

static inline uint64_t
rotr64(uint64_t x, unsigned k)
{
    return x >> k | x << (64 - k);
}

static inline uint64_t
load_be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static inline void
store_be(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = n; i--; v >>= 8)
        p[i] = (uint8_t)v;
}

static void
block_md5(uint32_t h[5], const uint8_t *p)
{
    static const uint8_t turn[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t w[16], a = h[0], b = h[1], c = h[2], d = h[3];
    memcpy(w, p, sizeof w); // little endian, as the machine is
    for (unsigned i = 0; i < 64; i++) {
        unsigned round = i / 16, g;
        uint32_t f;
        switch (round) {
        case 0: f = (b & c) | (~b & d), g = i; break;
        case 1: f = (d & b) | (~d & c), g = (5 * i + 1) % 16; break;
        case 2: f = b ^ c ^ d, g = (3 * i + 5) % 16; break;
        default: f = c ^ (b | ~d), g = 7 * i % 16; break;
        }
        f += a + k_md5[i] + w[g];
        a = d, d = c, c = b;
        b += rotl32(f, turn[round][i % 4]);
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d;
}

static void
block_sha1(uint32_t h[5], const uint8_t *p)
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)load_be(p + 4 * i, 4);
    for (unsigned i = 16; i < 80; i++)
        w[i] = rotl32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (unsigned i = 0; i < 80; i++) {
        uint32_t f, k;
        switch (i / 20) {
        case 0: f = (b & c) | (~b & d), k = 0x5a827999u; break;
        case 1: f = b ^ c ^ d, k = 0x6ed9eba1u; break;
        case 2: f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdcu; break;
        default: f = b ^ c ^ d, k = 0xca62c1d6u; break;
        }
        uint32_t t = rotl32(a, 5) + f + e + k + w[i];
        e = d, d = c, c = rotl32(b, 30), b = a, a = t;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static void
block_sha512(uint64_t h[8], const uint8_t *p)
{
    uint64_t w[80], s[8];
    for (unsigned i = 0; i < 16; i++)
        w[i] = load_be(p + 8 * i, 8);
    for (unsigned i = 16; i < 80; i++) {
        uint64_t s0 = rotr64(w[i - 15], 1) ^ rotr64(w[i - 15], 8) ^ w[i - 15] >> 7;
        uint64_t s1 = rotr64(w[i - 2], 19) ^ rotr64(w[i - 2], 61) ^ w[i - 2] >> 6;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(s, h, sizeof s);
    for (unsigned i = 0; i < 80; i++) {
        uint64_t s1 = rotr64(s[4], 14) ^ rotr64(s[4], 18) ^ rotr64(s[4], 41);
        uint64_t t1 = s[7] + s1 + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k_sha512[i] + w[i];
        uint64_t s0 = rotr64(s[0], 28) ^ rotr64(s[0], 34) ^ rotr64(s[0], 39);
        uint64_t t2 = s0 + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof s[0]);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++)
        h[i] += s[i];
}

static void
take_block(struct ag_digest *d, const uint8_t *p)
{
    if (d->hash == AG_HASH_MD5)
        block_md5(d->h32, p);
    else if (d->hash == AG_HASH_SHA1)
        block_sha1(d->h32, p);
    else
        block_sha512(d->h64, p);
}

void
ag_digest_init(struct ag_digest *d, enum ag_hash hash)
{
    static const uint32_t h1[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    static const uint64_t h384[8] = {0xcbbb9d5dc1059ed8u, 0x629a292a367cd507u, 0x9159015a3070dd17u,
                                     0x152fecd8f70e5939u, 0x67332667ffc00b31u, 0x8eb44a8768581511u,
                                     0xdb0c2e0d64f98fa7u, 0x47b5481dbefa4fa4u};
    static const uint64_t h512[8] = {0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu,
                                     0xa54ff53a5f1d36f1u, 0x510e527fade682d1u, 0x9b05688c2b3e6c1fu,
                                     0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u};
    memset(d, 0, sizeof *d);
    d->hash = hash;
    if (hash == AG_HASH_SHA256)
        ag_sha256_init(&d->sha256);
    else if (infos[hash].block == 64)
        memcpy(d->h32, h1, sizeof h1);
    else
        memcpy(d->h64, hash == AG_HASH_SHA384 ? h384 : h512, sizeof h512);
}

void
ag_digest_update(struct ag_digest *d, const void *p, size_t n)
{
    const uint8_t *q = p;
    size_t block = infos[d->hash].block;
    if (d->hash == AG_HASH_SHA256) {
        ag_sha256_update(&d->sha256, p, n);
        return;
    }
    while (n) {
        size_t at = (size_t)(d->n % block), k = block - at < n ? block - at : n;
        d->n += k;
        if (k == block)
            take_block(d, q);
        else {
            memcpy(d->block + at, q, k);
            if (at + k == block)
                take_block(d, d->block);
        }
        q += k, n -= k;
    }
}

size_t
ag_digest_final(struct ag_digest *d, uint8_t ret[AG_DIGEST_MAX])
{
    const struct hash_info *info = &infos[d->hash];
    if (d->hash == AG_HASH_SHA256) {
        ag_sha256_final(&d->sha256, ret);
        return info->size;
    }
    size_t at = (size_t)(d->n % info->block);
    d->block[at++] = 0x80;
    if (at > (size_t)(info->block - info->length)) {
        memset(d->block + at, 0, info->block - at);
        take_block(d, d->block);
        at = 0;
    }
    memset(d->block + at, 0, info->block - at);
    uint64_t bits = d->n * 8;
    if (d->hash == AG_HASH_MD5)
        memcpy(d->block + info->block - 8, &bits, 8);
    else
        store_be(d->block + info->block - 8, bits, 8);
    take_block(d, d->block);
    if (d->hash == AG_HASH_MD5)
        memcpy(ret, d->h32, info->size);
    else if (d->hash == AG_HASH_SHA1)
        for (size_t i = 0; i < 5; i++)
            store_be(ret + 4 * i, d->h32[i], 4);
    else
        for (size_t i = 0; i < info->size / 8u; i++)
            store_be(ret + 8 * i, d->h64[i], 8);
    return info->size;
}

// --- HMAC
// ----------------------------------------------------------------------------------------------------------------

// A compiler may not drop this: the key must not stay behind.
static void
wipe(void *p, size_t n)
{
    volatile uint8_t *q = p;
    while (n--)
        *q++ = 0;
}

void
ag_hmac_init(struct ag_hmac *m, enum ag_hash hash, const void *key, size_t n)
{
    uint8_t pad[AG_DIGEST_BLOCK_MAX] = {0};
    size_t block = infos[hash].block;
    if (n > block) {
        ag_digest_init(&m->inner, hash);
        ag_digest_update(&m->inner, key, n);
        ag_digest_final(&m->inner, pad);
    } else if (n)
        memcpy(pad, key, n);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36;
    ag_digest_init(&m->inner, hash);
    ag_digest_update(&m->inner, pad, block);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    ag_digest_init(&m->outer, hash);
    ag_digest_update(&m->outer, pad, block);
    wipe(pad, sizeof pad);
}

void
ag_hmac_update(struct ag_hmac *m, const void *p, size_t n)
{
    ag_digest_update(&m->inner, p, n);
}

size_t
ag_hmac_final(struct ag_hmac *m, uint8_t ret[AG_DIGEST_MAX])
{
    size_t n = ag_digest_final(&m->inner, ret);
    ag_digest_update(&m->outer, ret, n);
    ag_digest_final(&m->outer, ret);
    wipe(m, sizeof *m);
    return n;
}

bool
ag_equal_ct(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *p = a, *q = b;
    uint8_t differ = 0;
    for (size_t i = 0; i < n; i++)
        differ |= (uint8_t)(p[i] ^ q[i]);
    return differ == 0;
}
