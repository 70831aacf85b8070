// SPDX-License-Identifier: Apache-2.0
// Reads keys. In: DER bytes, JWK objects. Out: their numbers. Nothing is proved about the numbers here: the
// provider refuses those that make no key. Next file to read: jwt.c.
#include "keys.h"

static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_p521[] = {0x2b, 0x81, 0x04, 0x00, 0x23};

#define ED25519_BYTES 32u

size_t
ag_curve_bytes(uint32_t type)
{
    return type == AEGIS_KEY_P256 ? 32 : type == AEGIS_KEY_P384 ? 48 : type == AEGIS_KEY_P521 ? 66 : 0;
}

static uint32_t
curve_of(struct ag_der oid)
{
    return ag_der_oid_is(oid, oid_p256, sizeof oid_p256)   ? AEGIS_KEY_P256
           : ag_der_oid_is(oid, oid_p384, sizeof oid_p384) ? AEGIS_KEY_P384
           : ag_der_oid_is(oid, oid_p521, sizeof oid_p521) ? AEGIS_KEY_P521
                                                           : 0;
}

static struct aegis_str
str_of(struct ag_der d)
{
    return (struct aegis_str){(const char *)d.p, d.n};
}

static bool
take_str(struct ag_der *d, struct aegis_str *ret)
{
    struct ag_der v;
    if (!ag_der_number(d, &v))
        return false;
    *ret = str_of(v);
    return true;
}

// A point in the uncompressed form of SEC 1.
static bool
take_point(struct ag_der bits, uint32_t curve, struct aegis_key *k)
{
    size_t n = ag_curve_bytes(curve);
    if (!n || bits.n != 1 + 2 * n || bits.p[0] != 4)
        return false;
    k->x = (struct aegis_str){(const char *)bits.p + 1, n};
    k->y = (struct aegis_str){(const char *)bits.p + 1 + n, n};
    return true;
}

// A BIT STRING of whole bytes.
static bool
take_bits(struct ag_der *d, struct ag_der *ret)
{
    if (!ag_der_take(d, AG_DER_BITS, ret) || !ret->n || ret->p[0] != 0)
        return false;
    *ret = (struct ag_der){ret->p + 1, ret->n - 1};
    return true;
}

bool
ag_key_of_spki(struct ag_der der, struct ag_key *ret)
{
    struct ag_der spki, algorithm, oid, curve, bits, rsa;
    *ret = (struct ag_key){.k.size = sizeof ret->k};
    if (!ag_der_take(&der, AG_DER_SEQUENCE, &spki) || der.n ||
        !ag_der_take(&spki, AG_DER_SEQUENCE, &algorithm) || !ag_der_take(&algorithm, AG_DER_OID, &oid) ||
        !take_bits(&spki, &bits) || spki.n)
        return false;
    if (ag_der_oid_is(oid, oid_rsa, sizeof oid_rsa)) {
        ret->kind = AG_KEY_RSA;
        ret->k.type = AEGIS_KEY_RSA;
        return ag_der_take(&bits, AG_DER_SEQUENCE, &rsa) && !bits.n && take_str(&rsa, &ret->k.n) &&
               take_str(&rsa, &ret->k.e) && !rsa.n && ret->k.n.n && ret->k.e.n;
    }
    if (ag_der_oid_is(oid, oid_ec, sizeof oid_ec)) {
        if (!ag_der_take(&algorithm, AG_DER_OID, &curve))
            return false;
        uint32_t type = curve_of(curve);
        if (!type)
            return true;
        ret->kind = AG_KEY_EC;
        ret->k.type = (enum aegis_key_type)type;
        return take_point(bits, type, &ret->k);
    }
    if (ag_der_oid_is(oid, oid_ed25519, sizeof oid_ed25519)) {
        ret->kind = AG_KEY_ED25519;
        ret->bytes = str_of(bits);
        return bits.n == ED25519_BYTES;
    }
    return true;
}

bool
ag_key_of_pkcs1(struct ag_der der, struct ag_key *ret)
{
    struct ag_der seq;
    int64_t version;
    *ret = (struct ag_key){
        .kind = AG_KEY_RSA, .is_private = true, .k = {.size = sizeof ret->k, .type = AEGIS_KEY_RSA}};
    struct aegis_key *k = &ret->k;
    return ag_der_take(&der, AG_DER_SEQUENCE, &seq) && !der.n && ag_der_int(&seq, &version) && version == 0 &&
           take_str(&seq, &k->n) && take_str(&seq, &k->e) && take_str(&seq, &k->d) && take_str(&seq, &k->p) &&
           take_str(&seq, &k->q) && k->n.n && k->e.n && k->d.n;
}

bool
ag_key_of_sec1(struct ag_der der, uint32_t curve, struct ag_key *ret)
{
    struct ag_der seq, d, at, oid, bits;
    int64_t version;
    if (!ag_der_take(&der, AG_DER_SEQUENCE, &seq) || der.n || !ag_der_int(&seq, &version) || version != 1 ||
        !ag_der_take(&seq, AG_DER_OCTETS, &d))
        return false;
    if (ag_der_take(&seq, AG_DER_INSIDE(0), &at) && ag_der_take(&at, AG_DER_OID, &oid) && !curve)
        curve = curve_of(oid);
    *ret = (struct ag_key){.kind = AG_KEY_EC,
                           .is_private = true,
                           .k = {.size = sizeof ret->k, .type = (enum aegis_key_type)curve, .d = str_of(d)}};
    if (!curve || !d.n)
        return false;
    return !ag_der_take(&seq, AG_DER_INSIDE(1), &at) ||
           (take_bits(&at, &bits) && take_point(bits, curve, &ret->k));
}

bool
ag_key_of_pkcs8(struct ag_der der, struct ag_key *ret)
{
    struct ag_der info, algorithm, oid, curve, octets, seed;
    int64_t version;
    *ret = (struct ag_key){.is_private = true, .k.size = sizeof ret->k};
    if (!ag_der_take(&der, AG_DER_SEQUENCE, &info) || der.n || !ag_der_int(&info, &version) ||
        !ag_der_take(&info, AG_DER_SEQUENCE, &algorithm) || !ag_der_take(&algorithm, AG_DER_OID, &oid) ||
        !ag_der_take(&info, AG_DER_OCTETS, &octets))
        return false;
    if (ag_der_oid_is(oid, oid_rsa, sizeof oid_rsa))
        return ag_key_of_pkcs1(octets, ret);
    if (ag_der_oid_is(oid, oid_ec, sizeof oid_ec)) {
        uint32_t type = ag_der_take(&algorithm, AG_DER_OID, &curve) ? curve_of(curve) : 0;
        return ag_key_of_sec1(octets, type, ret);
    }
    if (ag_der_oid_is(oid, oid_ed25519, sizeof oid_ed25519)) {
        ret->kind = AG_KEY_ED25519;
        if (!ag_der_take(&octets, AG_DER_OCTETS, &seed) || octets.n || seed.n != ED25519_BYTES)
            return false;
        ret->bytes = str_of(seed);
        return true;
    }
    return false;
}

// --- JWK
// -----------------------------------------------------------------------------------------------------------------

// A base64url member; empty when it is absent, NULL bytes when it is not base64url.
static struct aegis_str
member(struct ag_call *c, struct ag_value jwk, const char *name)
{
    struct ag_value v = ag_object_get(&c->mem, jwk, ag_str_z(name));
    if (v.kind == AG_UNDEF)
        return (struct aegis_str){"", 0};
    if (v.kind != AG_STRING)
        return (struct aegis_str){NULL, 0};
    struct ag_bytes b = ag_armor_base64url(c, ag_value_str(v));
    return b.is_ok ? (struct aegis_str){(const char *)b.p, b.n} : (struct aegis_str){NULL, 0};
}

// Leading zeros say nothing in a number.
static struct aegis_str
number(struct ag_call *c, struct ag_value jwk, const char *name)
{
    struct aegis_str s = member(c, jwk, name);
    while (s.n && s.p[0] == 0)
        s.p++, s.n--;
    return s;
}

static struct ag_str
word(const struct ag_call *c, struct ag_value jwk, const char *name)
{
    struct ag_value v = ag_object_get(&c->mem, jwk, ag_str_z(name));
    return v.kind == AG_STRING ? ag_value_str(v) : ag_str_of("", 0);
}

static const char *
read_rsa(struct ag_call *c, struct ag_value jwk, struct ag_key *ret)
{
    struct aegis_key *k = &ret->k;
    ret->kind = AG_KEY_RSA;
    k->type = AEGIS_KEY_RSA;
    k->n = number(c, jwk, "n");
    k->e = number(c, jwk, "e");
    k->d = number(c, jwk, "d");
    k->p = number(c, jwk, "p");
    k->q = number(c, jwk, "q");
    ret->is_private = k->d.n != 0;
    if (!k->n.n || !k->e.n)
        return "an RSA key needs n and e in base64url";
    return !k->d.p || !k->p.p || !k->q.p ? "a number of the RSA key is not base64url" : NULL;
}

static const char *
read_ec(struct ag_call *c, struct ag_value jwk, struct ag_key *ret)
{
    struct ag_str crv = word(c, jwk, "crv");
    struct aegis_key *k = &ret->k;
    uint32_t type = ag_str_is(crv, "P-256")   ? AEGIS_KEY_P256
                    : ag_str_is(crv, "P-384") ? AEGIS_KEY_P384
                    : ag_str_is(crv, "P-521") ? AEGIS_KEY_P521
                                              : 0;
    if (!type)
        return "the curve of the EC key is not P-256, P-384 or P-521";
    ret->kind = AG_KEY_EC;
    k->type = (enum aegis_key_type)type;
    k->x = number(c, jwk, "x");
    k->y = number(c, jwk, "y");
    k->d = number(c, jwk, "d");
    ret->is_private = k->d.n != 0;
    return !k->x.n || !k->y.n || !k->d.p ? "an EC key needs x and y in base64url" : NULL;
}

static const char *
read_okp(struct ag_call *c, struct ag_value jwk, struct ag_key *ret)
{
    if (!ag_str_is(word(c, jwk, "crv"), "Ed25519"))
        return NULL; // X25519 and its like: a key, but none that signs
    struct aegis_str x = member(c, jwk, "x"), d = member(c, jwk, "d");
    ret->kind = AG_KEY_ED25519;
    ret->is_private = d.n != 0;
    ret->bytes = d.n ? d : x;
    ret->pub = x;
    return x.n != ED25519_BYTES || !d.p || (d.n && d.n != ED25519_BYTES) ? "an Ed25519 key has 32 bytes"
                                                                         : NULL;
}

const char *
ag_key_of_jwk(struct ag_call *c, struct ag_value jwk, struct ag_key *ret)
{
    struct ag_str kty;
    *ret = (struct ag_key){.k.size = sizeof ret->k};
    if (jwk.kind != AG_OBJECT)
        return "a key must be an object";
    ret->alg = word(c, jwk, "alg");
    ret->kid = word(c, jwk, "kid");
    kty = word(c, jwk, "kty");
    if (ag_str_is(kty, "RSA"))
        return read_rsa(c, jwk, ret);
    if (ag_str_is(kty, "EC"))
        return read_ec(c, jwk, ret);
    if (ag_str_is(kty, "OKP"))
        return read_okp(c, jwk, ret);
    if (ag_str_is(kty, "oct")) {
        ret->kind = AG_KEY_OCT;
        ret->bytes = member(c, jwk, "k");
        return ret->bytes.p && ret->bytes.n ? NULL : "an oct key needs k in base64url";
    }
    return kty.n ? "kty is not RSA, EC, OKP or oct" : "a key needs kty";
}
