// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4): portable rounds, and the x86 SHA extensions when the CPU has them.
// In: bytes. Out: 32 bytes, the same on every machine. State belongs to the caller; nothing is global or
// writable. Next file to read: vm/crypto.c for the keyed and signed digests.
#include "sha256.h"
#include "early.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#define BLOCK 64

static const uint32_t k256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t
rotr(uint32_t x, int k)
{
    return x >> k | x << (32 - k);
}

static inline uint32_t
load_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
blocks_portable(uint32_t h[8], const uint8_t *p, size_t blocks)
{
    for (; blocks; blocks--, p += BLOCK) {
        uint32_t w[64], s[8];
        for (int i = 0; i < 16; i++)
            w[i] = load_be(p + 4 * i);
        for (int i = 16; i < 64; i++) {
            uint32_t s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
            uint32_t s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        memcpy(s, h, sizeof s);
        for (int i = 0; i < 64; i++) {
            uint32_t s1 = rotr(s[4], 6) ^ rotr(s[4], 11) ^ rotr(s[4], 25);
            uint32_t t1 = s[7] + s1 + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k256[i] + w[i];
            uint32_t s0 = rotr(s[0], 2) ^ rotr(s[0], 13) ^ rotr(s[0], 22);
            uint32_t t2 = s0 + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof s[0]);
            s[4] += t1;
            s[0] = t1 + t2;
        }
        for (int i = 0; i < 8; i++)
            h[i] += s[i];
    }
}

#if defined(__x86_64__)
typedef void blocks_fn(uint32_t h[8], const uint8_t *p, size_t blocks);

// The instruction keeps the state as ABEF and CDGH; four message words are mixed per step.
__attribute__((target("sha,sse4.1"))) static void
blocks_sha_ni(uint32_t h[8], const uint8_t *p, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)h);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(h + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

    for (; blocks; blocks--, p += BLOCK) {
        __m128i abef0 = abef, cdgh0 = cdgh, w[4];
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), swap);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            __m128i m = w[i & 3];
            __m128i kw = _mm_add_epi32(m, _mm_loadu_si128((const __m128i *)(const void *)(k256 + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, kw);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(kw, 0x0e));
            if (i < 12) {
                __m128i w2 = w[(i + 2) & 3], w3 = w[(i + 3) & 3];
                m = _mm_sha256msg1_epu32(m, w[(i + 1) & 3]);
                m = _mm_add_epi32(m, _mm_alignr_epi8(w3, w2, 4));
                w[i & 3] = _mm_sha256msg2_epu32(m, w3);
            }
        }
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

// The dynamic linker asks once and keeps the answer in read-only relocations: no flag, no test per call. It
// runs before the sanitizers do, so it stays out of their hands.
AG_EARLY static blocks_fn *
blocks_pick(void)
{
    unsigned a, b, c, d, leaf;
    __cpuid(0, leaf, b, c, d);
    if (leaf < 7)
        return blocks_portable;
    __cpuid(1, a, b, c, d);
    if (!(c & bit_SSE4_1))
        return blocks_portable;
    __cpuid_count(7, 0, a, b, c, d);
    return b & bit_SHA ? blocks_sha_ni : blocks_portable;
}
static void take_blocks(uint32_t h[8], const uint8_t *p, size_t blocks) __attribute__((ifunc("blocks_pick")));
#else
#define take_blocks blocks_portable
#endif

void
ag_sha256_init(struct ag_sha256 *s)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->h, start, sizeof start);
    s->n = 0;
}

void
ag_sha256_update(struct ag_sha256 *s, const void *p, size_t n)
{
    const uint8_t *in = p;
    size_t held = s->n % BLOCK;
    if (!n)
        return;
    s->n += n;
    if (held) {
        size_t take = n < BLOCK - held ? n : BLOCK - held;
        memcpy(s->block + held, in, take);
        in += take;
        n -= take;
        if (held + take < BLOCK)
            return;
        take_blocks(s->h, s->block, 1);
    }
    if (n >= BLOCK)
        take_blocks(s->h, in, n / BLOCK);
    memcpy(s->block, in + (n & ~(size_t)(BLOCK - 1)), n % BLOCK);
}

void
ag_sha256_final(struct ag_sha256 *s, uint8_t ret[32])
{
    uint64_t bits = s->n * 8;
    size_t held = s->n % BLOCK;
    s->block[held++] = 0x80;
    if (held > BLOCK - 8) {
        memset(s->block + held, 0, BLOCK - held);
        take_blocks(s->h, s->block, 1);
        held = 0;
    }
    memset(s->block + held, 0, BLOCK - 8 - held);
    for (int i = 0; i < 8; i++)
        s->block[BLOCK - 1 - i] = (uint8_t)(bits >> (8 * i));
    take_blocks(s->h, s->block, 1);
    for (int i = 0; i < 32; i++)
        ret[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void
ag_sha256(const void *p, size_t n, uint8_t ret[32])
{
    struct ag_sha256 s;
    ag_sha256_init(&s);
    ag_sha256_update(&s, p, n);
    ag_sha256_final(&s, ret);
}
