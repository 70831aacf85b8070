// SPDX-License-Identifier: Apache-2.0
// Built-ins on private keys: crypto.parse_private_keys, crypto.x509.parse_rsa_private_key (a JWK),
// crypto.x509.parse_keypair. In: PEM, or base64 of it. Out: objects with the fields of Go's keys, or of RFC
// 7518. The numbers of a key are checked by the host's crypto provider. Memory: the call's arena. Next file
// to read: keys.c.
#include "builtin_fns.h"
#include "crypto.h"
#include "x509.h"

#define KEYS_MAX   16u    // private keys of one text
#define CHECK_COST 20000u // fuel for the check of one key

struct private_keys {
    uint32_t n;
    struct ag_key key[KEYS_MAX];
};

static const char bad_key[] = "the private key is malformed or its numbers do not belong together";

// Reads the key of one block. 1: a key; 0: a block of another kind; -1: malformed.
static int
key_of_block(const struct ag_pem *pem, struct ag_key *ret)
{
    struct ag_der der = {pem->bytes.p, pem->bytes.n};
    if (ag_str_is(pem->type, "RSA PRIVATE KEY"))
        return ag_key_of_pkcs1(der, ret) ? 1 : -1;
    if (ag_str_is(pem->type, "PRIVATE KEY"))
        return ag_key_of_pkcs8(der, ret) ? 1 : -1;
    if (ag_str_is(pem->type, "EC PRIVATE KEY"))
        return ag_key_of_sec1(der, 0, ret) ? 1 : -1;
    return 0;
}

// The error, or undefined.
static struct ag_value
read_keys(struct ag_call *c, struct ag_str text, struct private_keys *ret)
{
    struct ag_pem pem;
    ret->n = 0;
    struct ag_bytes b = ag_armor_base64(c, text, AG_BASE64_STD);
    if (b.is_ok && !b.p)
        return ag_undef();
    if (b.is_ok)
        text = ag_str_of((const char *)b.p, b.n);
    while (ag_armor_pem(c, text, &pem)) {
        if (ret->n == KEYS_MAX)
            return ag_error(c, AG_VERR_BUILTIN, "more than %u private keys", KEYS_MAX);
        int r = key_of_block(&pem, &ret->key[ret->n]);
        if (r < 0)
            return ag_error(c, AG_VERR_BUILTIN, "%s", bad_key);
        ret->n += (uint32_t)r;
        text = pem.rest;
    }
    return ag_undef();
}

// Lets the provider check the numbers, and fills in the public half of an EC key. False: *err.
static bool
check(struct ag_call *c, struct ag_key *k, struct aegis_key_parts **ret, struct ag_value *err)
{
    *err = ag_undef();
    *ret = ag_call_alloc(c, sizeof **ret, 8);
    if (!*ret || !ag_charge(c, CHECK_COST))
        return false;
    memset(*ret, 0, sizeof **ret);
    (*ret)->size = sizeof **ret;
    if (k->kind == AG_KEY_ED25519)
        return true;
    int r = c->crypto ? c->crypto->check_private(&k->k, *ret) : -1;
    if (r == 1 && k->kind == AG_KEY_EC) {
        size_t n = ag_curve_bytes(k->k.type);
        k->k.x = (struct aegis_str){(const char *)(*ret)->x, n};
        k->k.y = (struct aegis_str){(const char *)(*ret)->y, n};
    }
    if (r == 0)
        *err = ag_error(c, AG_VERR_BUILTIN, "%s", bad_key);
    else if (r < 0)
        *err = ag_error(c, AG_VERR_BUILTIN, "%s",
                        c->crypto ? "the crypto provider of the host failed"
                                  : "the host has no crypto provider; give it one of libaegis-crypto");
    return r == 1;
}

static struct ag_der
number_der(struct aegis_str s)
{
    while (s.n && s.p[0] == 0)
        s.p++, s.n--;
    return (struct ag_der){(const uint8_t *)s.p, s.n};
}

static struct ag_der
part_der(const uint8_t *p, size_t n)
{
    return number_der((struct aegis_str){(const char *)p, n});
}

// --- as Go's keys
// ---------------------------------------------------------------------------------------------------------

static struct ag_value
precomputed(struct ag_call *c, const struct ag_key *k, const struct aegis_key_parts *parts)
{
    struct ag_fields f = ag_fields_new(c);
    ag_fields_put(&f, "Dp", ag_value_number(c, part_der(parts->dp, k->k.p.n)));
    ag_fields_put(&f, "Dq", ag_value_number(c, part_der(parts->dq, k->k.q.n)));
    ag_fields_put(&f, "Qinv", ag_value_number(c, part_der(parts->qi, k->k.p.n)));
    ag_fields_put(&f, "CRTValues", ag_bi_close(c, ag_builder_new(&c->mem, AG_ARRAY), true));
    return ag_fields_close(&f);
}

static struct ag_value
ed25519_value(struct ag_call *c, const struct ag_key *k)
{
    uint8_t pub[AG_ED25519_PUBLIC], secret[AG_ED25519_SECRET];
    ag_ed25519_from_seed((const uint8_t *)k->bytes.p, pub, secret);
    struct ag_value v = ag_value_base64(c, (struct ag_der){secret, sizeof secret});
    ag_crypto_wipe(secret, sizeof secret);
    return v;
}

static struct ag_value
go_key(struct ag_call *c, struct ag_key *k)
{
    struct aegis_key_parts *parts;
    struct ag_value err;
    if (!check(c, k, &parts, &err))
        return err;
    if (k->kind == AG_KEY_ED25519)
        return ed25519_value(c, k);
    struct ag_fields f = ag_fields_new(c), none = {0};
    ag_fields_put(&f, "D", ag_value_number(c, number_der(k->k.d)));
    if (k->kind == AG_KEY_EC) {
        none = ag_fields_new(c);
        ag_fields_put(&f, "Curve", ag_fields_close(&none));
        ag_fields_put(&f, "X", ag_value_number(c, number_der(k->k.x)));
        ag_fields_put(&f, "Y", ag_value_number(c, number_der(k->k.y)));
        return ag_fields_close(&f);
    }
    struct ag_list primes = ag_list_new(c);
    ag_list_push(&primes, ag_value_number(c, number_der(k->k.p)));
    ag_list_push(&primes, ag_value_number(c, number_der(k->k.q)));
    ag_fields_put(&f, "N", ag_value_number(c, number_der(k->k.n)));
    ag_fields_put(&f, "E", ag_value_number(c, number_der(k->k.e)));
    ag_fields_put(&f, "Primes", ag_list_close(&primes));
    ag_fields_put(&f, "Precomputed", precomputed(c, k, parts));
    return ag_fields_close(&f);
}

struct ag_value
ag_bi_parse_private_keys(struct ag_call *c, const struct ag_value *a)
{
    struct private_keys *keys = ag_call_alloc(c, sizeof *keys, 8);
    if (!keys)
        return ag_undef();
    if (a[0].len == 0)
        return ag_null();
    struct ag_value err = read_keys(c, ag_value_str(a[0]), keys);
    if (err.kind == AG_ERROR || c->stop != AG_EVAL_OK)
        return err;
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b != NULL;
    for (uint32_t i = 0; i < keys->n && ok; i++) {
        struct ag_value v = go_key(c, &keys->key[i]);
        if (v.kind < AG_NULL)
            return v;
        ok = ag_builder_push(&c->mem, b, v);
    }
    return ag_bi_close(c, b, ok);
}

// --- as a JWK
// -------------------------------------------------------------------------------------------------------------

static struct ag_value
url64(struct ag_call *c, const void *p, size_t n)
{
    struct ag_buf b;
    char *q = ag_charge_bytes(c, 2 * n) ? ag_call_alloc(c, (n + 2) / 3 * 4, 1) : NULL;
    if (!q)
        return ag_undef();
    ag_buf_init(&b, q, (n + 2) / 3 * 4);
    ag_armor_put_base64url(&b, p, n);
    return ag_bi_text(q, b.n);
}

static void
put_number(struct ag_fields *f, const char *name, struct ag_der d)
{
    ag_fields_put(f, name, url64(f->c, d.p, d.n));
}

// EC numbers have the length of the field.
static void
put_padded(struct ag_fields *f, const char *name, struct aegis_str s, size_t n)
{
    uint8_t out[66] = {0};
    struct ag_der d = number_der(s);
    if (d.n <= n)
        memcpy(out + n - d.n, d.p, d.n);
    ag_fields_put(f, name, url64(f->c, out, n));
    ag_crypto_wipe(out, sizeof out);
}

static struct ag_value
jwk_value(struct ag_call *c, struct ag_key *k)
{
    struct aegis_key_parts *parts;
    struct ag_value err;
    if (!check(c, k, &parts, &err))
        return err;
    struct ag_fields f = ag_fields_new(c);
    if (k->kind == AG_KEY_RSA) {
        ag_fields_put(&f, "kty", ag_bi_copy(c, AG_STR("RSA")));
        put_number(&f, "n", number_der(k->k.n));
        put_number(&f, "e", number_der(k->k.e));
        put_number(&f, "d", number_der(k->k.d));
        put_number(&f, "p", number_der(k->k.p));
        put_number(&f, "q", number_der(k->k.q));
        put_number(&f, "dp", part_der(parts->dp, k->k.p.n));
        put_number(&f, "dq", part_der(parts->dq, k->k.q.n));
        put_number(&f, "qi", part_der(parts->qi, k->k.p.n));
    } else if (k->kind == AG_KEY_EC) {
        size_t n = ag_curve_bytes(k->k.type);
        ag_fields_put(&f, "kty", ag_bi_copy(c, AG_STR("EC")));
        ag_fields_put(&f, "crv",
                      ag_bi_copy(c, n == 32   ? AG_STR("P-256")
                                    : n == 48 ? AG_STR("P-384")
                                              : AG_STR("P-521")));
        put_padded(&f, "x", k->k.x, n);
        put_padded(&f, "y", k->k.y, n);
        put_padded(&f, "d", k->k.d, n);
    } else {
        uint8_t pub[AG_ED25519_PUBLIC], secret[AG_ED25519_SECRET];
        ag_ed25519_from_seed((const uint8_t *)k->bytes.p, pub, secret);
        ag_crypto_wipe(secret, sizeof secret);
        ag_fields_put(&f, "kty", ag_bi_copy(c, AG_STR("OKP")));
        ag_fields_put(&f, "crv", ag_bi_copy(c, AG_STR("Ed25519")));
        ag_fields_put(&f, "x", url64(c, pub, sizeof pub));
        ag_fields_put(&f, "d", url64(c, k->bytes.p, k->bytes.n));
    }
    return ag_fields_close(&f);
}

struct ag_value
ag_bi_x509_parse_rsa_private_key(struct ag_call *c, const struct ag_value *a)
{
    struct private_keys *keys = ag_call_alloc(c, sizeof *keys, 8);
    struct ag_str text = ag_value_str(a[0]);
    if (!keys)
        return ag_undef();
    if (!text.n)
        return ag_error(c, AG_VERR_BUILTIN, "input PEM data was empty");
    if (text.n < 10 || memcmp(text.p, "-----BEGIN", 10) != 0) {
        struct ag_bytes b = ag_armor_base64(c, text, AG_BASE64_STD);
        if (!b.is_ok)
            return ag_error(c, AG_VERR_BUILTIN, "illegal base64 data at input byte %zu", b.bad_at);
        if (!b.p)
            return ag_undef();
        text = ag_str_of((const char *)b.p, b.n);
    }
    struct ag_value err = read_keys(c, text, keys);
    if (err.kind == AG_ERROR || c->stop != AG_EVAL_OK)
        return err;
    return keys->n ? jwk_value(c, &keys->key[0]) : ag_null();
}

// --- key pairs
// ------------------------------------------------------------------------------------------------------------

// PEM as it is, or base64 of PEM or DER; false: *err.
static bool
unarmored(struct ag_call *c, struct ag_value v, struct ag_str *ret, struct ag_value *err)
{
    *ret = ag_value_str(v);
    *err = ag_undef();
    if (ret->n >= 11 && memcmp(ret->p, "-----BEGIN ", 11) == 0)
        return true;
    struct ag_bytes b = ag_armor_base64(c, *ret, AG_BASE64_STD);
    if (!b.is_ok)
        *err = ag_error(c, AG_VERR_BUILTIN, "illegal base64 data at input byte %zu", b.bad_at);
    *ret = ag_str_of((const char *)b.p, b.n);
    return b.is_ok && b.p;
}

static bool
ends_with(struct ag_str s, struct ag_str with)
{
    return s.n >= with.n && memcmp(s.p + s.n - with.n, with.p, with.n) == 0;
}

// The first private key of a text; DER is taken for any of the three forms.
static bool
first_key(struct ag_call *c, struct ag_str text, struct ag_key *ret)
{
    struct ag_pem pem = {.bytes = {(const uint8_t *)text.p, text.n, SIZE_MAX, true}};
    if (text.n >= 10 && memcmp(text.p, "-----BEGIN", 10) == 0)
        for (;; text = pem.rest) {
            if (!ag_armor_pem(c, text, &pem))
                return false;
            if (ag_str_is(pem.type, "PRIVATE KEY") || ends_with(pem.type, AG_STR(" PRIVATE KEY")))
                break;
        }
    struct ag_der der = {pem.bytes.p, pem.bytes.n};
    return ag_key_of_pkcs1(der, ret) || ag_key_of_pkcs8(der, ret) || ag_key_of_sec1(der, 0, ret);
}

static bool
same_number(struct aegis_str a, struct aegis_str b)
{
    struct ag_der x = number_der(a), y = number_der(b);
    return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

static bool
belongs(const struct ag_key *k, const struct ag_key *pub)
{
    uint8_t derived[AG_ED25519_PUBLIC], secret[AG_ED25519_SECRET];
    if (k->kind != pub->kind)
        return false;
    if (k->kind == AG_KEY_RSA)
        return same_number(k->k.n, pub->k.n);
    if (k->kind == AG_KEY_EC)
        return k->k.type == pub->k.type && same_number(k->k.x, pub->k.x) && same_number(k->k.y, pub->k.y);
    ag_ed25519_from_seed((const uint8_t *)k->bytes.p, derived, secret);
    ag_crypto_wipe(secret, sizeof secret);
    return memcmp(derived, pub->bytes.p, sizeof derived) == 0;
}

// All certificates of the text as base64 of DER; the first one is read into *leaf.
static struct ag_value
certificate_list(struct ag_call *c, struct ag_str text, struct ag_x509 *leaf)
{
    struct ag_list l = ag_list_new(c);
    struct ag_pem pem;
    const char *why = NULL;
    bool is_pem = text.n >= 11 && memcmp(text.p, "-----BEGIN ", 11) == 0;
    uint32_t n = 0;
    for (; is_pem && !why && ag_armor_pem(c, text, &pem); text = pem.rest) {
        struct ag_der der = {pem.bytes.p, pem.bytes.n};
        if (!ag_str_is(pem.type, "CERTIFICATE"))
            continue;
        if (n++ == 0)
            why = ag_x509_parse(der, leaf);
        ag_list_push(&l, ag_value_base64(c, der));
    }
    if (!is_pem) {
        struct ag_der der = {(const uint8_t *)text.p, text.n};
        why = ag_x509_parse(der, leaf);
        ag_list_push(&l, ag_value_base64(c, der));
        n = 1;
    }
    if (!n && c->stop == AG_EVAL_OK)
        why = "tls: failed to find \"CERTIFICATE\" PEM block in certificate input";
    return why ? ag_error(c, AG_VERR_BUILTIN, "%s", why) : ag_list_close(&l);
}

struct ag_value
ag_bi_x509_parse_keypair(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str cert_text, key_text;
    struct ag_value err;
    struct ag_x509 leaf;
    struct ag_key key, pub;
    if (!unarmored(c, a[0], &cert_text, &err) || !unarmored(c, a[1], &key_text, &err))
        return err;
    struct ag_value certs = certificate_list(c, cert_text, &leaf);
    if (certs.kind != AG_ARRAY)
        return certs;
    if (!first_key(c, key_text, &key))
        return c->stop != AG_EVAL_OK ? ag_undef()
                                     : ag_error(c, AG_VERR_BUILTIN, "tls: failed to parse private key");
    struct ag_value private_key = go_key(c, &key);
    if (private_key.kind < AG_NULL)
        return private_key;
    if (!ag_key_of_spki(leaf.spki, &pub) || !belongs(&key, &pub))
        return ag_error(c, AG_VERR_BUILTIN, "tls: private key does not match public key");
    struct ag_fields f = ag_fields_new(c);
    ag_fields_put(&f, "Certificate", certs);
    ag_fields_put(&f, "PrivateKey", private_key);
    ag_fields_put(&f, "Leaf", ag_x509_value(c, &leaf, false));
    ag_fields_put(&f, "OCSPStaple", ag_null());
    ag_fields_put(&f, "SignedCertificateTimestamps", ag_null());
    ag_fields_put(&f, "SupportedSignatureAlgorithms", ag_null());
    return ag_fields_close(&f);
}
