// SPDX-License-Identifier: Apache-2.0
// The byte foundations against published vectors: hashes, digests, signatures, writers, UTF-8, arena, cursor.
// sha256.c and hash.c are included as text so that the portable code is tried on a CPU that has the
// instructions.
#include "t.h"

#include "vm/base/hash.c"
#include "vm/base/sha256.c"

#include "arena.h"
#include "buf.h"
#include "crypto.h"
#include "cursor.h"
#include "utf8.h"

static int
is_hex(const void *p, size_t n, const char *want)
{
    char mem[256];
    struct ag_buf b;
    ag_buf_init(&b, mem, sizeof mem);
    ag_buf_hex(&b, p, n);
    return b.n == strlen(want) && memcmp(mem, want, b.n) == 0;
}

static void
sha256_pieces(const uint8_t *p, size_t n, size_t step, uint8_t ret[32])
{
    struct ag_sha256 s;
    ag_sha256_init(&s);
    for (size_t i = 0; i < n; i += step)
        ag_sha256_update(&s, p + i, n - i < step ? n - i : step);
    ag_sha256_final(&s, ret);
}

static void
test_sha256(void)
{
    uint8_t d[32], e[32], text[1000];
    ag_sha256("", 0, d);
    OK(is_hex(d, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
       "sha256 of nothing");
    ag_sha256("abc", 3, d);
    OK(is_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "sha256 abc");
    ag_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, d);
    OK(is_hex(d, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
       "sha256 two blocks");
    struct ag_sha256 s;
    memset(text, 'a', sizeof text);
    ag_sha256_init(&s);
    for (int i = 0; i < 1000; i++)
        ag_sha256_update(&s, text, sizeof text);
    ag_sha256_final(&s, d);
    OK(is_hex(d, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
       "sha256 of a million a");

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 13);
    int same = 1;
    for (size_t n = 0; n <= 200; n++) {
        ag_sha256(text, n, d);
        for (size_t step = 1; step <= 129; step += 16) {
            sha256_pieces(text, n, step, e);
            same &= memcmp(d, e, 32) == 0;
        }
    }
    OK(same, "sha256 in pieces equals sha256 at once for lengths 0..200");

    uint32_t h[8], g[8];
    ag_sha256_init(&s);
    memcpy(h, s.h, sizeof h);
    memcpy(g, s.h, sizeof g);
    take_blocks(h, text, 15);
    blocks_portable(g, text, 15);
    OK(memcmp(h, g, sizeof h) == 0, "sha256 of the CPU's instructions equals the portable one");
}

static void
test_hash(void)
{
    OK(ag_hash("", 0, 0) == 0x2d06800538d394c2u, "xxh3 of nothing");
    OK(ag_hash("abc", 3, 0) == 0x78af5f94892f3950u, "xxh3 abc");
    OK(ag_hash("abc", 3, 1) != ag_hash("abc", 3, 0), "xxh3 depends on the seed");

    uint8_t key[16], msg[64];
    uint64_t d[2];
    for (uint8_t i = 0; i < 16; i++)
        key[i] = i;
    for (uint8_t i = 0; i < 64; i++)
        msg[i] = i;
    ag_siphash128(msg, 0, key, d);
    OK(is_hex(d, 16, "a3817f04ba25a8e66df67214c7550293"), "siphash128 of nothing");
    ag_siphash128(msg, 1, key, d);
    OK(is_hex(d, 16, "da87c1d86b99af44347659119b22fc45"), "siphash128 of one byte");
    ag_siphash128(msg, 15, key, d);
    OK(is_hex(d, 16, "5493e99933b0a8117e08ec0f97cfc3d9"), "siphash128 of 15 bytes");
    ag_siphash128(msg, 63, key, d);
    OK(is_hex(d, 16, "5150d1772f50834a503e069a973fbd7c"), "siphash128 of 63 bytes");

    uint8_t zeros[32] = {0};
    OK(ag_crc32c(0, "123456789", 9) == 0xe3069283u, "crc32c check value");
    OK(ag_crc32c(0, zeros, 32) == 0x8a9136aau, "crc32c of 32 zeros (RFC 3720)");
    OK(ag_crc32c(ag_crc32c(0, "1234", 4), "56789", 5) == 0xe3069283u, "crc32c continues");
    OK(~crc_portable(~0u, (const uint8_t *)"123456789", 9) == 0xe3069283u, "portable crc32c agrees");
    uint8_t bytes[1600];
    unsigned differ = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t n = 0; n <= sizeof bytes; n++)
        differ += ag_crc32c((uint32_t)n, bytes + sizeof bytes - n, n) !=
                  ~crc_portable(~(uint32_t)n, bytes + sizeof bytes - n, n);
    OK(differ == 0, "and at every length, with one lane or three");
}

static void
test_crypto(void)
{
    OK(ag_crypto_init() && ag_crypto_init(), "crypto starts and may start twice");
    uint8_t d[32];
    struct ag_piece abc[2] = {{"a", 1}, {"bc", 2}};
    ag_blake2b256(abc, 2, d);
    OK(is_hex(d, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"), "blake2b-256 abc");
    ag_blake2b256(NULL, 0, d);
    OK(is_hex(d, 32, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
       "blake2b-256 of nothing");

    // RFC 8032 section 7.1, test 2.
    static const uint8_t seed[32] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3,
                                     0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab,
                                     0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
    uint8_t pub[AG_ED25519_PUBLIC], secret[AG_ED25519_SECRET], sig[AG_ED25519_SIG];
    ag_ed25519_from_seed(seed, pub, secret);
    OK(is_hex(pub, 32, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
       "ed25519 public key");
    ag_ed25519_sign("\x72", 1, secret, sig);
    OK(is_hex(sig, 64,
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
       "ed25519 signature");
    OK(ag_ed25519_verify("\x72", 1, pub, sig), "ed25519 accepts its signature");
    sig[10] ^= 1;
    OK(!ag_ed25519_verify("\x72", 1, pub, sig), "ed25519 refuses one changed bit");
    ag_ed25519_keypair(pub, secret);
    ag_ed25519_sign("m", 1, secret, sig);
    OK(ag_ed25519_verify("m", 1, pub, sig), "a fresh key pair works");

    uint8_t a[32], b[32];
    ag_crypto_random(a, sizeof a);
    ag_crypto_random(b, sizeof b);
    OK(!ag_crypto_equal(a, b, 32) && ag_crypto_equal(a, a, 32), "random bytes differ; constant-time equal");
    ag_crypto_wipe(a, sizeof a);
    memset(b, 0, sizeof b);
    OK(ag_crypto_equal(a, b, 32), "wiped memory is zero");
}

static int
text_is(const struct ag_buf *b, const char *want)
{
    int ok = !b->is_full && b->n == strlen(want) && memcmp(b->p, want, b->n) == 0;
    if (!ok)
        printf("# got \"%.*s\", want \"%s\"\n", (int)b->n, b->p, want);
    return ok;
}

// One byte to escape at each place of texts that fill words and blocks in every way; the byte behind the text
// counts not.
static void
test_json_str_places(void)
{
    char text[41], mem[64], want[64];
    struct ag_buf b;
    unsigned wrong = 0;
    for (size_t n = 1; n < sizeof text; n++) {
        for (size_t at = 0; at <= n; at++) {
            memset(text, 'x', sizeof text);
            text[n] = '"';
            text[at] = '\\';
            ag_buf_init(&b, mem, sizeof mem);
            ag_buf_json_str(&b, ag_str_of(text, n));
            int len = snprintf(want, sizeof want, "\"%.*s%s%.*s\"", (int)at, text, at < n ? "\\\\" : "",
                               (int)(at < n ? n - at - 1 : 0), text + at + 1);
            wrong += b.is_full || (int)b.n != len || memcmp(mem, want, b.n) != 0;
        }
    }
    OK(wrong == 0, "JSON strings of 1 to 40 bytes, a backslash at each place: %u wrong", wrong);
}

static void
test_buf(void)
{
    char mem[256];
    struct ag_buf b;
#define FRESH ag_buf_init(&b, mem, sizeof mem)
    FRESH, ag_buf_u64(&b, UINT64_MAX), ag_buf_char(&b, ' '), ag_buf_u64(&b, 0);
    OK(text_is(&b, "18446744073709551615 0"), "u64");
    FRESH, ag_buf_i64(&b, INT64_MIN), ag_buf_char(&b, ' '), ag_buf_i64(&b, -7);
    OK(text_is(&b, "-9223372036854775808 -7"), "i64");
    FRESH, ag_buf_json_str(&b, AG_STR("a\"\\\b\f\n\r\t\x01\x1f/\x7f\xc3\xa9"));
    OK(text_is(&b, "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f/\x7f\xc3\xa9\""), "JSON string");
    FRESH, ag_buf_json_str(&b, (struct ag_str){NULL, 0});
    OK(text_is(&b, "\"\""), "empty JSON string");
    static const char *b64[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    static const char *b32[] = {"", "my", "mzxq", "mzxw6", "mzxw6yq", "mzxw6ytb", "mzxw6ytboi"};
    for (size_t n = 0; n < 7; n++) {
        FRESH, ag_buf_base64(&b, "foobar", n);
        OK(text_is(&b, b64[n]), "base64 of %zu bytes (RFC 4648)", n);
        FRESH, ag_buf_base32(&b, "foobar", n);
        OK(text_is(&b, b32[n]), "base32 of %zu bytes (RFC 4648)", n);
    }
    FRESH, ag_buf_time(&b, 0, 0);
    OK(text_is(&b, "1970-01-01T00:00:00Z"), "time 0");
    FRESH, ag_buf_time(&b, 1774008000123456789, 9);
    OK(text_is(&b, "2026-03-20T12:00:00.123456789Z"), "time in 2026 with nine digits");
    FRESH, ag_buf_time(&b, 951782399999999999, 3);
    OK(text_is(&b, "2000-02-28T23:59:59.999Z"), "time is cut, not rounded");
    FRESH, ag_buf_time(&b, 951868799000000000, 6);
    OK(text_is(&b, "2000-02-29T23:59:59.000000Z"), "leap day");
    FRESH, ag_buf_time(&b, -1, 9);
    OK(text_is(&b, "1969-12-31T23:59:59.999999999Z"), "before 1970");
    FRESH, ag_buf_time(&b, INT64_MIN, 0);
    OK(text_is(&b, "1677-09-21T00:12:43Z"), "the first time that fits");
    FRESH, ag_buf_time(&b, INT64_MAX, 0);
    OK(text_is(&b, "2262-04-11T23:47:16Z"), "the last time that fits");
    ag_buf_init(&b, mem, 3);
    ag_buf_lit(&b, "abc");
    OK(!b.is_full && b.n == 3, "a buffer may be filled exactly");
    ag_buf_char(&b, 'd');
    OK(b.is_full && b.n == 3, "one byte more sets is_full and writes nothing");
    ag_buf_init(&b, mem, 3);
    ag_buf_hex(&b, "ab", 2);
    ag_buf_base64(&b, "a", 1);
    OK(b.is_full && b.n == 0, "hex and base64 write all or nothing");
#undef FRESH
}

static void
test_utf8(void)
{
    static const struct {
        const char *text, *why;
        int ok;
    } rows[] = {{"", "empty", 1},
                {"plain ascii text longer than sixteen bytes", "ascii", 1},
                {"\xc2\x80 \xdf\xbf", "two bytes", 1},
                {"\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", "three bytes", 1},
                {"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", "four bytes", 1},
                {"\xc0\xaf", "overlong two", 0},
                {"\xc1\xbf", "overlong two, last", 0},
                {"\xe0\x9f\xbf", "overlong three", 0},
                {"\xf0\x8f\xbf\xbf", "overlong four", 0},
                {"\xed\xa0\x80", "surrogate", 0},
                {"\xf4\x90\x80\x80", "past U+10FFFF", 0},
                {"\xf5\x80\x80\x80", "lead byte f5", 0},
                {"\x80", "lone continuation", 0},
                {"0123456789abcdef0123456789abcdef\xff", "bad byte after blocks", 0},
                {"\xe2\x82", "cut short", 0},
                {"\xe2\x28\xa1", "bad second byte", 0},
                {"\xf0\x9f\x98\x28", "bad last byte", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        OK(ag_utf8_valid(rows[i].text, strlen(rows[i].text)) == rows[i].ok, "utf8: %s", rows[i].why);
    OK(ag_utf8_valid("a\0b", 3), "utf8: NUL is a character");
    int good = 1;
    for (uint32_t cp = 0; cp <= 0x110000; cp++) {
        uint8_t out[4];
        uint32_t back = ~0u;
        size_t n = ag_utf8_encode(cp, out);
        if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
            good &= n == 0;
        else
            good &= n && ag_utf8_decode(out, n, &back) == n && back == cp && ag_utf8_valid(out, n) &&
                    (n == 1 || !ag_utf8_valid(out, n - 1));
    }
    OK(good, "utf8: every scalar value goes round, nothing else encodes");
}

static void
test_memory(void)
{
    _Alignas(64) uint8_t mem[128];
    struct ag_arena a;
    ag_arena_init(&a, mem, sizeof mem);
    uint8_t *p = ag_arena_alloc(&a, 1, 1), *q = ag_arena_alloc(&a, 8, 8);
    OK(p == mem + AG_ARENA_RESERVED && q == mem + 24, "arena: alignment and the reserved head");
    size_t mark = ag_arena_mark(&a);
    OK(ag_arena_alloc(&a, 96, 1) && !ag_arena_alloc(&a, 1, 1), "arena: exactly full, then no more");
    ag_arena_reset(&a, mark);
    OK(ag_arena_alloc(&a, SIZE_MAX, 8) == NULL && ag_arena_alloc(&a, 8, 64) == mem + 64, "arena: huge size");

    struct ag_cursor c;
    ag_cursor_init(&c, "\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9);
    OK(ag_cursor_u16(&c) == 0x0201 && ag_cursor_u32(&c) == 0x06050403 && !c.is_bad, "cursor: little endian");
    OK(ag_cursor_u32(&c) == 0 && c.is_bad && ag_cursor_u8(&c) == 0, "cursor: a short read sticks");
    ag_cursor_init(&c, "12345678", 8);
    OK(ag_cursor_u64(&c) == 0x3837363534333231u && ag_cursor_take(&c, 0) && !ag_cursor_take(&c, 1),
       "cursor: end");
    OK(ag_str_cmp(AG_STR("ab"), AG_STR("abc")) < 0 && ag_str_cmp(AG_STR("b"), AG_STR("abc")) > 0 &&
           ag_str_cmp(AG_STR("a\xff"), AG_STR("ab")) > 0 && ag_str_eq(AG_STR("x"), ag_str_z("x")),
       "strings: byte order");
}

int
main(void)
{
    test_memory();
    test_utf8();
    test_buf();
    test_json_str_places();
    test_hash();
    test_sha256();
    test_crypto();
    return t_done();
}
