// SPDX-License-Identifier: Apache-2.0
// MD5, SHA-1, SHA-256, SHA-384, SHA-512 and HMAC against the vectors of RFC 1321, FIPS 180-4, RFC 2202 and
// RFC 4231, in pieces of any size; comparison in constant time says the same as memcmp.
#include "buf.h"
#include "digest.h"
#include "t.h"

static void
digest_is(enum ag_hash hash, const char *text, size_t times, const char *want)
{
    uint8_t out[AG_DIGEST_MAX];
    char hex[2 * AG_DIGEST_MAX + 1];
    struct ag_buf b;
    struct ag_digest d;
    ag_digest_init(&d, hash);
    for (size_t i = 0; i < times; i++)
        ag_digest_update(&d, text, strlen(text));
    ag_buf_init(&b, hex, sizeof hex - 1);
    ag_buf_hex(&b, out, ag_digest_final(&d, out));
    hex[b.n] = 0;
    OK(strcmp(hex, want) == 0 && b.n == 2 * ag_digest_size(hash), "digest %d of %zu x \"%.20s\"", (int)hash,
       times, text);
}

static void
hmac_is(enum ag_hash hash, const void *key, size_t nkey, const void *p, size_t n, const char *want)
{
    uint8_t out[AG_DIGEST_MAX];
    char hex[2 * AG_DIGEST_MAX + 1];
    struct ag_buf b;
    struct ag_hmac m;
    ag_hmac_init(&m, hash, key, nkey);
    ag_hmac_update(&m, p, n);
    ag_buf_init(&b, hex, sizeof hex - 1);
    ag_buf_hex(&b, out, ag_hmac_final(&m, out));
    hex[b.n] = 0;
    OK(strcmp(hex, want) == 0, "HMAC %d, key of %zu bytes", (int)hash, nkey);
}

static void
test_pieces(void)
{
    static uint8_t text[600];
    unsigned differ = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7);
    for (int hash = AG_HASH_MD5; hash <= AG_HASH_SHA512; hash++)
        for (size_t n = 0; n < sizeof text; n += 13)
            for (size_t piece = 1; piece < 200; piece += 31) {
                uint8_t whole[AG_DIGEST_MAX], parts[AG_DIGEST_MAX];
                struct ag_digest d;
                ag_digest_init(&d, (enum ag_hash)hash);
                ag_digest_update(&d, text, n);
                size_t size = ag_digest_final(&d, whole);
                ag_digest_init(&d, (enum ag_hash)hash);
                for (size_t at = 0; at < n; at += piece)
                    ag_digest_update(&d, text + at, n - at < piece ? n - at : piece);
                ag_digest_final(&d, parts);
                differ += memcmp(whole, parts, size) != 0;
            }
    OK(differ == 0, "pieces give what the whole gives");
    OK(ag_equal_ct("abc", "abc", 3) && !ag_equal_ct("abc", "abd", 3) && ag_equal_ct("x", "y", 0),
       "ag_equal_ct");
}

int
main(void)
{
    uint8_t key[131];
    memset(key, 0xaa, sizeof key);
    digest_is(AG_HASH_MD5, "", 0, "d41d8cd98f00b204e9800998ecf8427e");
    digest_is(AG_HASH_MD5, "message digest", 1, "f96b697d7cb7938d525a2f31aaf161d0");
    digest_is(AG_HASH_SHA1, "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    digest_is(AG_HASH_SHA1, "aaaaaaaaaa", 100000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    digest_is(AG_HASH_SHA256, "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_is(
        AG_HASH_SHA384, "abc", 1,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    digest_is(AG_HASH_SHA512, "abc", 1,
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feeb"
              "bd454d442364"
              "3ce80e2a9ac94fa54ca49f");
    static const char what[] = "what do ya want for nothing?",
                      big[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    hmac_is(AG_HASH_MD5, "Jefe", 4, what, 28, "750c783e6ab0b503eaa86e310a5db738");
    hmac_is(AG_HASH_SHA1, "Jefe", 4, what, 28, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    hmac_is(AG_HASH_SHA256, "Jefe", 4, what, 28,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_is(
        AG_HASH_SHA384, "Jefe", 4, what, 28,
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
    hmac_is(AG_HASH_SHA512, "Jefe", 4, what, 28,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
            "caeab1a34d4a6b4"
            "b636e070a38bce737");
    hmac_is(AG_HASH_SHA256, key, sizeof key, big, 54,
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    test_pieces();
    return t_done();
}
