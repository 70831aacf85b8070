// SPDX-License-Identifier: Apache-2.0
// Algorithms and keys of JSON Web Tokens (RFC 7517, 7518, 8037). HMAC and Ed25519 need no provider.
// In: texts of keys. Out: keys, verdicts, signatures. Secrets are compared in constant time. The algorithm
// must fit the kind of the key, so that a public key never serves as an HMAC secret. Next file to read:
// jwt.c.
#include "jwt.h"
#include "crypto.h"
#include "x509.h"

#define PROVIDER_COST 20000u // fuel of one public-key operation, about its time in the units of opcodes.def

static const struct ag_jwt_alg algs[] = {
    {"HS256", AG_JWT_HMAC, AG_HASH_SHA256, 0},
    {"HS384", AG_JWT_HMAC, AG_HASH_SHA384, 0},
    {"HS512", AG_JWT_HMAC, AG_HASH_SHA512, 0},
    {"RS256", AG_JWT_PKCS1, AG_HASH_SHA256, 0},
    {"RS384", AG_JWT_PKCS1, AG_HASH_SHA384, 0},
    {"RS512", AG_JWT_PKCS1, AG_HASH_SHA512, 0},
    {"PS256", AG_JWT_PSS, AG_HASH_SHA256, 0},
    {"PS384", AG_JWT_PSS, AG_HASH_SHA384, 0},
    {"PS512", AG_JWT_PSS, AG_HASH_SHA512, 0},
    {"ES256", AG_JWT_ECDSA, AG_HASH_SHA256, AEGIS_KEY_P256},
    {"ES384", AG_JWT_ECDSA, AG_HASH_SHA384, AEGIS_KEY_P384},
    {"ES512", AG_JWT_ECDSA, AG_HASH_SHA512, AEGIS_KEY_P521},
    {"EdDSA", AG_JWT_EDDSA, AG_HASH_SHA512, 0},
};

const struct ag_jwt_alg *
ag_jwt_alg_find(struct ag_str name)
{
    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++)
        if (ag_str_is(name, algs[i].name))
            return &algs[i];
    return NULL;
}

// --- keys out of texts
// --------------------------------------------------------------------------------------------------

static bool
one_key(struct ag_call *c, struct ag_key k, struct ag_jwt_keys *ret)
{
    ret->key = ag_call_alloc(c, sizeof *ret->key, 8);
    ret->n = 1;
    if (ret->key)
        *ret->key = k;
    return ret->key != NULL;
}

static bool
read_pem(struct ag_call *c, const struct ag_pem *pem, struct ag_jwt_keys *ret, struct ag_value *err)
{
    struct ag_der der = {pem->bytes.p, pem->bytes.n};
    struct ag_key k;
    if (pem->rest.n) {
        *err = ag_error(c, AG_VERR_BUILTIN, "extra data after a PEM certificate block");
        return false;
    }
    if (ag_str_is(pem->type, "CERTIFICATE")) {
        struct ag_x509 x;
        const char *why = ag_x509_parse(der, &x);
        if (why || !ag_key_of_spki(x.spki, &k)) {
            *err = ag_error(c, AG_VERR_BUILTIN, "failed to parse a PEM certificate: %s",
                            why ? why : "x509: malformed public key");
            return false;
        }
    } else if (ag_str_is(pem->type, "PUBLIC KEY")) {
        if (!ag_key_of_spki(der, &k) || k.kind == AG_KEY_OTHER) {
            *err = ag_error(c, AG_VERR_BUILTIN, "failed to parse a PEM public key");
            return false;
        }
    } else {
        *err = ag_error(c, AG_VERR_BUILTIN, "failed to extract a Key from the PEM certificate");
        return false;
    }
    return one_key(c, k, ret);
}

const char *
ag_jwt_keys_of_value(struct ag_call *c, struct ag_value v, struct ag_jwt_keys *ret)
{
    struct ag_value set = v.kind == AG_OBJECT ? ag_object_get(&c->mem, v, AG_STR("keys")) : ag_undef();
    const char *why = NULL;
    ret->n = 0;
    if (set.kind == AG_UNDEF) {
        struct ag_key k;
        why = ag_key_of_jwk(c, v, &k);
        if (!why)
            one_key(c, k, ret);
        return why;
    }
    if (set.kind != AG_ARRAY || set.len > AG_JWT_KEYS_MAX)
        return set.kind == AG_ARRAY ? "the set has more than 256 keys" : "keys must be an array";
    ret->key = ag_call_alloc(c, (set.len + 1) * sizeof *ret->key, 8);
    for (uint32_t i = 0; ret->key && i < set.len && !why; i++) {
        struct ag_key *k = &ret->key[ret->n];
        why = ag_key_of_jwk(c, ag_value_at(&c->mem, set, i), k);
        ret->n += !k->alg.n || ag_jwt_alg_find(k->alg); // keys for other things are passed over
    }
    return why;
}

bool
ag_jwt_keys_read(struct ag_call *c, struct ag_str text, struct ag_jwt_keys *ret, struct ag_value *err)
{
    struct ag_pem pem;
    struct ag_value v;
    *err = ag_undef();
    if (ag_armor_pem(c, text, &pem))
        return read_pem(c, &pem, ret, err);
    if (c->stop != AG_EVAL_OK)
        return false;
    const char *why = NULL;
    enum ag_json_status s = ag_jwt_json(c, text, &v);
    if (s == AG_JSON_OK)
        why = ag_jwt_keys_of_value(c, v, ret);
    else
        why = ag_json_status_text(s);
    if (why)
        *err = ag_error(c, AG_VERR_BUILTIN, "failed to parse a JWK key (set): %s", why);
    return !why && c->stop == AG_EVAL_OK;
}

enum ag_json_status
ag_jwt_json(struct ag_call *c, struct ag_str text, struct ag_value *ret)
{
    struct ag_json_error e;
    if (!ag_charge(c, 1 + text.n / 4))
        return AG_JSON_ARENA;
    struct ag_value copy = ag_bi_copy(c, text); // strings of the value borrow from the arena
    if (copy.kind != AG_STRING)
        return AG_JSON_ARENA;
    enum ag_json_status s = ag_json_read_last(&c->mem, ag_value_str(copy), ret, &e);
    if (s == AG_JSON_ARENA)
        ag_stop(c, AG_EVAL_ARENA);
    return s;
}

struct ag_value
ag_jwt_base64_error(struct ag_call *c, const char *before, struct ag_bytes b, struct ag_str text)
{
    if (b.bad_at == SIZE_MAX)
        return ag_error(c, AG_VERR_BUILTIN, "%sillegal base64url string: %.*s", before,
                        (int)(text.n < 64 ? text.n : 64), text.p);
    return ag_error(c, AG_VERR_BUILTIN, "%sillegal base64 data at input byte %zu", before, b.bad_at);
}

// --- one signature
// --------------------------------------------------------------------------------------------------------

static bool
fits(const struct ag_jwt_alg *a, const struct ag_key *key)
{
    switch (a->family) {
    case AG_JWT_HMAC: return key->kind == AG_KEY_OCT;
    case AG_JWT_PKCS1:
    case AG_JWT_PSS: return key->kind == AG_KEY_RSA;
    case AG_JWT_ECDSA: return key->kind == AG_KEY_EC && (uint32_t)key->k.type == a->curve;
    case AG_JWT_EDDSA: return key->kind == AG_KEY_ED25519;
    }
    return false;
}

static enum aegis_scheme
scheme_of(const struct ag_jwt_alg *a)
{
    return a->family == AG_JWT_PKCS1 ? AEGIS_RSA_PKCS1
           : a->family == AG_JWT_PSS ? AEGIS_RSA_PSS
                                     : AEGIS_ECDSA;
}

static enum aegis_hash
hash_of(const struct ag_jwt_alg *a)
{
    return a->hash == AG_HASH_SHA256 ? AEGIS_SHA256 : a->hash == AG_HASH_SHA384 ? AEGIS_SHA384 : AEGIS_SHA512;
}

static bool
verify_ed25519(const struct ag_key *key, struct ag_str message, struct ag_bytes sig)
{
    uint8_t pub[AG_ED25519_PUBLIC], secret[AG_ED25519_SECRET];
    if (sig.n != AG_ED25519_SIG)
        return false;
    memcpy(pub, key->bytes.p, sizeof pub);
    if (key->is_private) {
        ag_ed25519_from_seed((const uint8_t *)key->bytes.p, pub, secret);
        ag_crypto_wipe(secret, sizeof secret);
    }
    return ag_ed25519_verify(message.p, message.n, pub, sig.p);
}

int
ag_jwt_verify(struct ag_call *c, const struct ag_jwt_alg *a, const struct ag_key *key, struct ag_str message,
              struct ag_bytes sig)
{
    uint8_t mac[AG_DIGEST_MAX];
    struct ag_hmac h;
    if (!fits(a, key))
        return 0;
    if (a->family == AG_JWT_HMAC) {
        ag_hmac_init(&h, a->hash, key->bytes.p, key->bytes.n);
        ag_hmac_update(&h, message.p, message.n);
        size_t n = ag_hmac_final(&h, mac);
        return sig.n == n && ag_equal_ct(mac, sig.p, n);
    }
    if (a->family == AG_JWT_EDDSA)
        return verify_ed25519(key, message, sig);
    if (!c->crypto)
        return -1;
    // ECDSA: two numbers of the field's length, no other spelling of them.
    if (a->family == AG_JWT_ECDSA && sig.n != 2 * ag_curve_bytes(a->curve))
        return 0;
    struct aegis_key k = key->k;
    k.d = (struct aegis_str){NULL, 0};
    return ag_charge(c, PROVIDER_COST) ? c->crypto->verify(&k, scheme_of(a), hash_of(a), ag_jwt_out(message),
                                                           (struct aegis_str){(const char *)sig.p, sig.n})
                                       : -1;
}

size_t
ag_jwt_signature(struct ag_call *c, const struct ag_jwt_alg *a, const struct ag_key *key,
                 struct ag_str message, uint8_t out[AEGIS_SIGNATURE_MAX])
{
    struct ag_hmac h;
    if (!fits(a, key))
        return 0;
    if (a->family == AG_JWT_HMAC) {
        ag_hmac_init(&h, a->hash, key->bytes.p, key->bytes.n);
        ag_hmac_update(&h, message.p, message.n);
        return ag_hmac_final(&h, out);
    }
    if (!key->is_private)
        return 0;
    if (a->family == AG_JWT_EDDSA) {
        uint8_t pub[AG_ED25519_PUBLIC], secret[AG_ED25519_SECRET];
        ag_ed25519_from_seed((const uint8_t *)key->bytes.p, pub, secret);
        ag_ed25519_sign(message.p, message.n, secret, out);
        ag_crypto_wipe(secret, sizeof secret);
        return AG_ED25519_SIG;
    }
    if (!c->crypto || !ag_charge(c, PROVIDER_COST))
        return 0;
    size_t n = c->crypto->sign(&key->k, scheme_of(a), hash_of(a), ag_jwt_out(message), out);
    return n <= AEGIS_SIGNATURE_MAX ? n : 0;
}
