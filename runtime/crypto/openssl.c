// SPDX-License-Identifier: Apache-2.0
// The crypto provider of libaegis-crypto: RSA and ECDSA by OpenSSL's EVP. Keys arrive as numbers and leave
// nothing behind; whatever OpenSSL refuses or cannot allocate is "failed", never a crash. In: struct
// aegis_key, messages. Out: verdicts, signatures. Memory: OpenSSL's, freed before each return; one library
// context for the process, so that no configuration file and no setting of other code in the process changes
// a verdict. Thread rule: any thread. Next file to read: chain.c.
#include "openssl.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

_Static_assert(AEGIS_SIGNATURE_MAX * 8 == 16384, "the largest modulus");

static const struct curve {
    const char *group;
    size_t bytes; // of a field element and of the scalar
} curves[] = {
    [AEGIS_KEY_P256] = {"P-256", 32}, [AEGIS_KEY_P384] = {"P-384", 48}, [AEGIS_KEY_P521] = {"P-521", 66}};

static bool
is_ec(const struct aegis_key *k)
{
    return k->type >= AEGIS_KEY_P256 && k->type <= AEGIS_KEY_P521;
}

static const char *
hash_name(enum aegis_hash h)
{
    return h == AEGIS_SHA256 ? "SHA256" : h == AEGIS_SHA384 ? "SHA384" : "SHA512";
}

static BIGNUM *
number(struct aegis_str s)
{
    if (s.n > AEGIS_SIGNATURE_MAX)
        return NULL;
    BIGNUM *b = BN_secure_new();
    if (b && !BN_bin2bn((const unsigned char *)s.p, (int)s.n, b)) {
        BN_clear_free(b);
        b = NULL;
    }
    return b;
}

// --- keys
// ----------------------------------------------------------------------------------------------------------------

#define NUMBERS 3

// Adds the number under its name; `held` keeps it until the parameters are made.
static bool
push(OSSL_PARAM_BLD *bld, const char *name, struct aegis_str s, BIGNUM **held)
{
    if (!s.n)
        return true;
    *held = number(s);
    return *held && OSSL_PARAM_BLD_push_BN(bld, name, *held);
}

static bool
push_rsa(OSSL_PARAM_BLD *bld, const struct aegis_key *k, BIGNUM *held[NUMBERS])
{
    return k->n.n && k->e.n && push(bld, OSSL_PKEY_PARAM_RSA_N, k->n, &held[0]) &&
           push(bld, OSSL_PKEY_PARAM_RSA_E, k->e, &held[1]) &&
           push(bld, OSSL_PKEY_PARAM_RSA_D, k->d, &held[2]);
}

// The point as SEC 1 writes it uncompressed: 4, x, y.
static size_t
point_bytes(const struct aegis_key *k, unsigned char out[1 + 2 * 66])
{
    size_t n = curves[k->type].bytes;
    if (k->x.n > n || k->y.n > n || !k->x.n || !k->y.n)
        return 0;
    memset(out, 0, 1 + 2 * n);
    out[0] = 4;
    memcpy(out + 1 + n - k->x.n, k->x.p, k->x.n);
    memcpy(out + 1 + 2 * n - k->y.n, k->y.p, k->y.n);
    return 1 + 2 * n;
}

static bool
push_ec(OSSL_PARAM_BLD *bld, const struct aegis_key *k, unsigned char point[1 + 2 * 66],
        BIGNUM *held[NUMBERS])
{
    size_t n = point_bytes(k, point);
    return n && k->d.n <= curves[k->type].bytes &&
           OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curves[k->type].group, 0) &&
           OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, n) &&
           push(bld, OSSL_PKEY_PARAM_PRIV_KEY, k->d, &held[0]);
}

EVP_PKEY *
agr_openssl_key(const struct aegis_key *k)
{
    BIGNUM *held[NUMBERS] = {NULL};
    unsigned char point[1 + 2 * 66];
    EVP_PKEY *key = NULL;
    if (k->type != AEGIS_KEY_RSA && !is_ec(k))
        return NULL;
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(agr_libctx(), is_ec(k) ? "EC" : "RSA", NULL);
    bool ok = bld && c && (is_ec(k) ? push_ec(bld, k, point, held) : push_rsa(bld, k, held));
    OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(bld) : NULL;
    if (!params || EVP_PKEY_fromdata_init(c) <= 0 ||
        EVP_PKEY_fromdata(c, &key, k->d.n ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    EVP_PKEY_CTX_free(c);
    for (unsigned i = 0; i < NUMBERS; i++)
        BN_clear_free(held[i]);
    return key;
}

static bool
set_padding(EVP_PKEY_CTX *c, enum aegis_scheme scheme, bool is_signing)
{
    if (scheme == AEGIS_RSA_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) > 0;
    return scheme != AEGIS_RSA_PSS ||
           (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(c, is_signing ? RSA_PSS_SALTLEN_DIGEST : RSA_PSS_SALTLEN_AUTO) >
                0);
}

// --- verify, sign
// ---------------------------------------------------------------------------------------------------------

#define DER_SIGNATURE_MAX 160 // two numbers of 66 bytes with their heads

// r and s side by side as the DER that OpenSSL takes; 0: too long.
static int
ecdsa_der(struct aegis_str sig, unsigned char out[DER_SIGNATURE_MAX])
{
    int n = -1;
    if (sig.n > 2 * 66)
        return 0;
    size_t half = sig.n / 2;
    BIGNUM *r = number((struct aegis_str){sig.p, half});
    BIGNUM *s = number((struct aegis_str){sig.p + half, sig.n - half});
    ECDSA_SIG *e = ECDSA_SIG_new();
    if (r && s && e && ECDSA_SIG_set0(e, r, s)) {
        r = s = NULL;
        unsigned char *p = out;
        n = i2d_ECDSA_SIG(e, &p);
    }
    ECDSA_SIG_free(e);
    BN_clear_free(r);
    BN_clear_free(s);
    return n;
}

// The error queue tells a wrong signature from a failure: only malloc and internal errors are failures.
static int
verdict(int r)
{
    if (r == 1)
        return 1;
    int failed = 0;
    for (unsigned long e; (e = ERR_get_error()) != 0;)
        failed |= ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE || ERR_GET_REASON(e) == ERR_R_INTERNAL_ERROR;
    return failed ? -1 : 0;
}

static int
verify(const struct aegis_key *k, enum aegis_scheme scheme, enum aegis_hash hash, struct aegis_str msg,
       struct aegis_str sig)
{
    unsigned char der[DER_SIGNATURE_MAX];
    EVP_PKEY_CTX *c = NULL;
    int r = -1;
    ERR_clear_error();
    if ((scheme == AEGIS_ECDSA) != is_ec(k))
        return 0;
    if (scheme == AEGIS_ECDSA) {
        int n = ecdsa_der(sig, der);
        if (n <= 0)
            return n;
        sig = (struct aegis_str){(const char *)der, (size_t)n};
    }
    EVP_PKEY *key = agr_openssl_key(k);
    EVP_MD_CTX *m = EVP_MD_CTX_new();
    if (!key || !m)
        r = verdict(key ? -1 : 0);
    else if (EVP_DigestVerifyInit_ex(m, &c, hash_name(hash), agr_libctx(), NULL, key, NULL) > 0 &&
             set_padding(c, scheme, false))
        r = verdict(
            EVP_DigestVerify(m, (const unsigned char *)sig.p, sig.n, (const unsigned char *)msg.p, msg.n));
    EVP_MD_CTX_free(m);
    EVP_PKEY_free(key);
    return r;
}

// The DER of OpenSSL as r and s of `n` bytes each.
static size_t
ecdsa_raw(const unsigned char *der, size_t size, size_t n, uint8_t *out)
{
    const unsigned char *p = der;
    ECDSA_SIG *e = d2i_ECDSA_SIG(NULL, &p, (long)size);
    size_t done = 0;
    if (e && BN_bn2binpad(ECDSA_SIG_get0_r(e), out, (int)n) == (int)n &&
        BN_bn2binpad(ECDSA_SIG_get0_s(e), out + n, (int)n) == (int)n)
        done = 2 * n;
    ECDSA_SIG_free(e);
    return done;
}

static size_t
sign(const struct aegis_key *k, enum aegis_scheme scheme, enum aegis_hash hash, struct aegis_str msg,
     uint8_t *out)
{
    unsigned char raw[AEGIS_SIGNATURE_MAX];
    size_t n = sizeof raw;
    EVP_PKEY_CTX *c = NULL;
    bool ok = false;
    ERR_clear_error();
    if ((scheme == AEGIS_ECDSA) != is_ec(k) || !k->d.n)
        return 0;
    EVP_PKEY *key = agr_openssl_key(k);
    EVP_MD_CTX *m = EVP_MD_CTX_new();
    if (key && m && EVP_DigestSignInit_ex(m, &c, hash_name(hash), agr_libctx(), NULL, key, NULL) > 0)
        ok = set_padding(c, scheme, true) &&
             EVP_DigestSign(m, raw, &n, (const unsigned char *)msg.p, msg.n) > 0;
    EVP_MD_CTX_free(m);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (!ok)
        return 0;
    if (scheme == AEGIS_ECDSA)
        return ecdsa_raw(raw, n, curves[k->type].bytes, out);
    memcpy(out, raw, n);
    return n;
}

// --- private keys
// -------------------------------------------------------------------------------------------------------------

// dp, dq and qi, when n = p q and e d = 1 modulo p - 1 and q - 1.
static int
check_rsa(const struct aegis_key *k, struct aegis_key_parts *ret)
{
    size_t bytes = k->p.n > k->q.n ? k->p.n : k->q.n;
    if (!k->n.n || !k->p.n || !k->q.n || bytes > sizeof ret->dp)
        return 0;
    BN_CTX *c = BN_CTX_secure_new();
    BIGNUM *n = number(k->n), *e = number(k->e), *d = number(k->d), *p = number(k->p), *q = number(k->q);
    BIGNUM *p1 = BN_secure_new(), *q1 = BN_secure_new(), *t = BN_secure_new(), *u = BN_secure_new();
    int r = -1;
    if (c && n && e && d && p && q && p1 && q1 && t && u && BN_sub(p1, p, BN_value_one()) &&
        BN_sub(q1, q, BN_value_one()) && BN_mul(t, p, q, c)) {
        r = BN_cmp(t, n) == 0 && !BN_is_zero(p1) && !BN_is_zero(q1) && !BN_is_negative(p1) &&
            !BN_is_negative(q1);
        BN_set_flags(p1, BN_FLG_CONSTTIME);
        BN_set_flags(q1, BN_FLG_CONSTTIME);
        if (r == 1 && BN_mod_mul(t, d, e, p1, c) && BN_mod_mul(u, d, e, q1, c))
            r = BN_is_one(t) && BN_is_one(u);
        if (r == 1 && !(BN_mod(t, d, p1, c) && BN_bn2binpad(t, ret->dp, (int)k->p.n) >= 0 &&
                        BN_mod(u, d, q1, c) && BN_bn2binpad(u, ret->dq, (int)k->q.n) >= 0 &&
                        BN_mod_inverse(t, q, p, c) && BN_bn2binpad(t, ret->qi, (int)k->p.n) >= 0))
            r = verdict(0);
    }
    BIGNUM *all[] = {n, e, d, p, q, p1, q1, t, u};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        BN_clear_free(all[i]);
    BN_CTX_free(c);
    return r;
}

// The point of the scalar; a point in the key must be the same.
static int
check_ec(const struct aegis_key *k, struct aegis_key_parts *ret)
{
    size_t bytes = curves[k->type].bytes;
    unsigned char point[1 + 2 * 66], given[1 + 2 * 66];
    int r = -1;
    BN_CTX *c = BN_CTX_secure_new();
    BIGNUM *d = number(k->d);
    EC_GROUP *g = EC_GROUP_new_by_curve_name_ex(agr_libctx(), NULL,
                                                OBJ_sn2nid(k->type == AEGIS_KEY_P256   ? "prime256v1"
                                                           : k->type == AEGIS_KEY_P384 ? "secp384r1"
                                                                                       : "secp521r1"));
    EC_POINT *at = g ? EC_POINT_new(g) : NULL;
    if (c && d && at) {
        r = !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(g)) < 0;
        if (r == 1 && (!EC_POINT_mul(g, at, d, NULL, NULL, c) ||
                       EC_POINT_point2oct(g, at, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, c) !=
                           1 + 2 * bytes))
            r = -1;
    }
    if (r == 1) {
        memcpy(ret->x, point + 1, bytes);
        memcpy(ret->y, point + 1 + bytes, bytes);
        if (k->x.n || k->y.n)
            r = point_bytes(k, given) == 1 + 2 * bytes && memcmp(given, point, 1 + 2 * bytes) == 0;
    }
    EC_POINT_free(at);
    EC_GROUP_free(g);
    BN_clear_free(d);
    BN_CTX_free(c);
    return r;
}

static int
check_private(const struct aegis_key *k, struct aegis_key_parts *ret)
{
    ERR_clear_error();
    int r = is_ec(k) ? check_ec(k, ret) : k->type == AEGIS_KEY_RSA ? check_rsa(k, ret) : 0;
    ERR_clear_error();
    return r;
}

// --- start
// --------------------------------------------------------------------------------------------------------------------

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *libctx;
static struct aegis_crypto provider;

OSSL_LIB_CTX *
agr_libctx(void)
{
    return libctx;
}

// One signature of each kind makes OpenSSL fetch every algorithm and seed its generator now, not behind a
// filter.
static bool
warm_up(void)
{
    static const char *const groups[] = {"P-256", "P-384", "P-521"};
    unsigned char byte;
    bool ok = RAND_bytes_ex(libctx, &byte, 1, 0) > 0 && RAND_priv_bytes_ex(libctx, &byte, 1, 0) > 0;
    for (unsigned i = 0; i < 3 && ok; i++) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(libctx, NULL, "EC", groups[i]);
        EVP_MD_CTX *m = EVP_MD_CTX_new();
        unsigned char sig[DER_SIGNATURE_MAX];
        size_t n = sizeof sig;
        ok = key && m &&
             EVP_DigestSignInit_ex(m, NULL, hash_name((enum aegis_hash)(AEGIS_SHA256 + i)), libctx, NULL, key,
                                   NULL) > 0 &&
             EVP_DigestSign(m, sig, &n, &byte, 1) > 0;
        EVP_MD_CTX_free(m);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_CTX *rsa = EVP_PKEY_CTX_new_from_name(libctx, "RSA", NULL);
    ok = ok && rsa;
    EVP_PKEY_CTX_free(rsa);
    return ok;
}

static void
start(void)
{
    OPENSSL_init_crypto(
        OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
    libctx = OSSL_LIB_CTX_new();
    if (!libctx || !OSSL_PROVIDER_load(libctx, "default") || !warm_up()) {
        OSSL_LIB_CTX_free(libctx);
        libctx = NULL;
        return;
    }
    provider = (struct aegis_crypto){
        .size = sizeof provider,
        .name = OpenSSL_version(OPENSSL_VERSION),
        .verify = verify,
        .sign = sign,
        .check_private = check_private,
        .verify_chain = agr_verify_chain,
    };
}

const struct aegis_crypto *
aegis_crypto_openssl(void)
{
    pthread_once(&once, start);
    return libctx ? &provider : NULL;
}
