// SPDX-License-Identifier: Apache-2.0
// Built-ins on digests: crypto.md5, sha1, sha256; crypto.hmac.*. All of them run in every host.
// In: strings. Out: lower-case hex. Memory: the call's arena. Next file to read: base/digest.c.
#include "base/digest.h"
#include "builtin_fns.h"

static struct ag_value
hex(struct ag_call *c, const uint8_t *digest, size_t n)
{
    struct ag_buf b;
    char *p = ag_call_alloc(c, 2 * n, 1);
    if (!p)
        return ag_undef();
    ag_buf_init(&b, p, 2 * n);
    ag_buf_hex(&b, digest, n);
    return ag_bi_text(p, b.n);
}

static struct ag_value
digest_of(struct ag_call *c, struct ag_value text, enum ag_hash hash)
{
    uint8_t digest[AG_DIGEST_MAX];
    struct ag_digest d;
    if (!ag_charge(c, text.len / 4))
        return ag_undef();
    ag_digest_init(&d, hash);
    ag_digest_update(&d, text.p, text.len);
    return hex(c, digest, ag_digest_final(&d, digest));
}

static struct ag_value
hmac_of(struct ag_call *c, const struct ag_value *a, enum ag_hash hash)
{
    uint8_t digest[AG_DIGEST_MAX];
    struct ag_hmac m;
    if (!ag_charge(c, ((uint64_t)a[0].len + a[1].len) / 4))
        return ag_undef();
    ag_hmac_init(&m, hash, a[1].p, a[1].len);
    ag_hmac_update(&m, a[0].p, a[0].len);
    return hex(c, digest, ag_hmac_final(&m, digest));
}

struct ag_value
ag_bi_md5(struct ag_call *c, const struct ag_value *a)
{
    return digest_of(c, a[0], AG_HASH_MD5);
}

struct ag_value
ag_bi_sha1(struct ag_call *c, const struct ag_value *a)
{
    return digest_of(c, a[0], AG_HASH_SHA1);
}

struct ag_value
ag_bi_sha256(struct ag_call *c, const struct ag_value *a)
{
    return digest_of(c, a[0], AG_HASH_SHA256);
}

struct ag_value
ag_bi_hmac_md5(struct ag_call *c, const struct ag_value *a)
{
    return hmac_of(c, a, AG_HASH_MD5);
}

struct ag_value
ag_bi_hmac_sha1(struct ag_call *c, const struct ag_value *a)
{
    return hmac_of(c, a, AG_HASH_SHA1);
}

struct ag_value
ag_bi_hmac_sha256(struct ag_call *c, const struct ag_value *a)
{
    return hmac_of(c, a, AG_HASH_SHA256);
}

struct ag_value
ag_bi_hmac_sha512(struct ag_call *c, const struct ag_value *a)
{
    return hmac_of(c, a, AG_HASH_SHA512);
}

struct ag_value
ag_bi_hmac_equal(struct ag_call *c, const struct ag_value *a)
{
    if (!ag_charge_bytes(c, a[0].len))
        return ag_undef();
    return ag_bool(a[0].len == a[1].len && ag_equal_ct(a[0].p, a[1].p, a[0].len));
}
