// SPDX-License-Identifier: Apache-2.0
// The non-cryptographic digests: XXH3-64 (inlined from xxhash), SipHash-2-4 with 128-bit output, CRC-32C.
// In: bytes. Out: fixed-width integers, the same on every machine. Nothing is allocated or remembered.
// Next file to read: vm/base/num.h, which hashes numbers by value with ag_hash.
#include "hash.h"
#include "early.h"

#define XXH_INLINE_ALL
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
#include <xxhash.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#if defined(__x86_64__)
#include <cpuid.h>
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

uint64_t
ag_hash(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

static inline uint64_t
load64(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static inline uint64_t
rotl64(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static inline void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl64(v[1], 13) ^ v[0];
    v[0] = rotl64(v[0], 32);
    v[2] += v[3];
    v[3] = rotl64(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl64(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl64(v[1], 17) ^ v[2];
    v[2] = rotl64(v[2], 32);
}

static inline void
sip_word(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    sip_round(v);
    sip_round(v);
    v[0] ^= m;
}

static inline uint64_t
sip_finish(uint64_t v[4])
{
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
ag_siphash128(const void *p, size_t n, const uint8_t key[16], uint64_t ret[2])
{
    const uint8_t *s = p;
    uint64_t k0 = load64(key), k1 = load64(key + 8);
    // The initial state is the key under the ASCII words of the reference; 0xee selects the 128-bit output.
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du ^ 0xee, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    size_t whole = n & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        sip_word(v, load64(s + i));
    uint64_t last = (uint64_t)n << 56;
    for (size_t i = whole; i < n; i++)
        last |= (uint64_t)s[i] << (8 * (i - whole));
    sip_word(v, last);
    v[2] ^= 0xee;
    ret[0] = sip_finish(v);
    v[1] ^= 0xdd;
    ret[1] = sip_finish(v);
}

#define CRC32C_POLY 0x82f63b78u // Castagnoli, bits reversed

#define CRC_STEP(c) ((c) >> 1 ^ (CRC32C_POLY & (0u - ((c)&1u))))
#define CRC_NIB(c)  CRC_STEP(CRC_STEP(CRC_STEP(CRC_STEP((uint32_t)(c)))))

// One table entry per nibble: small enough to stay in cache where the CPU has no instruction for it.
static const uint32_t crc_nibble[16] = {
    CRC_NIB(0), CRC_NIB(1), CRC_NIB(2),  CRC_NIB(3),  CRC_NIB(4),  CRC_NIB(5),  CRC_NIB(6),  CRC_NIB(7),
    CRC_NIB(8), CRC_NIB(9), CRC_NIB(10), CRC_NIB(11), CRC_NIB(12), CRC_NIB(13), CRC_NIB(14), CRC_NIB(15)};

#if defined(__x86_64__)
typedef uint32_t crc_fn(uint32_t crc, const uint8_t *s, size_t n);
#endif

static uint32_t
crc_portable(uint32_t crc, const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= s[i];
        crc = crc >> 4 ^ crc_nibble[crc & 15];
        crc = crc >> 4 ^ crc_nibble[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc_sse42(uint32_t crc, const uint8_t *s, size_t n)
{
    uint64_t c = crc;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, s + i, 8);
        c = _mm_crc32_u64(c, w);
    }
    crc = (uint32_t)c;
    for (; i < n; i++)
        crc = _mm_crc32_u8(crc, s[i]);
    return crc;
}

#define CRC_LANE 128u

static inline uint64_t
crc_word(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return w;
}

// The crc as if zeros followed: one multiplication by a power of x, modulo the polynomial. In reflected bits
// the product of a and x^(8n - 33), fed through the instruction (x^32, and x for the product's odd bit), is
// a x^(8n).
__attribute__((target("sse4.2,pclmul"))) static inline uint64_t
crc_shift(uint64_t crc, uint64_t power)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi64_si128((long long)power), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

// The instruction takes three cycles and can begin one each cycle: three lanes at once, joined after.
__attribute__((target("sse4.2,pclmul"))) static uint32_t
crc_lanes(uint32_t crc, const uint8_t *s, size_t n)
{
    const uint64_t one_lane = 0xd3b6092, two_lanes = 0xb9e02b86; // x^(8n - 33) mod P for n = 128, 256
    for (; n >= 3 * CRC_LANE; s += 3 * CRC_LANE, n -= 3 * CRC_LANE) {
        uint64_t a = crc, b = 0, c = 0;
        for (size_t i = 0; i < CRC_LANE; i += 8) {
            a = _mm_crc32_u64(a, crc_word(s + i));
            b = _mm_crc32_u64(b, crc_word(s + CRC_LANE + i));
            c = _mm_crc32_u64(c, crc_word(s + 2 * CRC_LANE + i));
        }
        crc = (uint32_t)(crc_shift(a, two_lanes) ^ crc_shift(b, one_lane) ^ c);
    }
    return crc_sse42(crc, s, n);
}

// The dynamic linker asks once and keeps the answer in read-only relocations: no flag, no test per call. It
// runs before the sanitizers do, so it stays out of their hands.
AG_EARLY static crc_fn *
crc_pick(void)
{
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    if (!(c & bit_SSE4_2))
        return crc_portable;
    return c & bit_PCLMUL ? crc_lanes : crc_sse42;
}
static uint32_t crc_blocks(uint32_t crc, const uint8_t *s, size_t n) __attribute__((ifunc("crc_pick")));
#else
#define crc_blocks crc_portable
#endif

uint32_t
ag_crc32c(uint32_t crc, const void *p, size_t n)
{
    return ~crc_blocks(~crc, p, n);
}
