// SPDX-License-Identifier: Apache-2.0
// Public and private keys out of DER, PEM and JWK: the numbers that the crypto provider takes.
// In: foreign bytes and values. Out: struct ag_key, whose numbers borrow from the call's arena. A key of a
// kind that no signature here uses is read and marked, so that the error says so. Thread rule: as struct
// ag_call.
#ifndef AG_KEYS_H
#define AG_KEYS_H

#include "aegis.h"
#include "armor.h"

enum ag_key_kind { AG_KEY_OTHER, AG_KEY_RSA, AG_KEY_EC, AG_KEY_ED25519, AG_KEY_OCT };

struct ag_key {
    enum ag_key_kind kind;
    bool is_private;
    struct aegis_key k;     // RSA, EC
    struct aegis_str bytes; // Ed25519: the public key, or 32 bytes of seed; oct: the secret
    struct aegis_str pub;   // Ed25519: the public key of a private one when it is stated
    struct ag_str alg, kid; // of a JWK; empty when absent
};

// SubjectPublicKeyInfo (RFC 5280): false when malformed. An unknown algorithm is AG_KEY_OTHER.
bool ag_key_of_spki(struct ag_der der, struct ag_key *ret);
// RSAPrivateKey (RFC 8017), ECPrivateKey (RFC 5915; `curve` 0 when it must name its own), PrivateKeyInfo (RFC
// 5958).
bool ag_key_of_pkcs1(struct ag_der der, struct ag_key *ret);
bool ag_key_of_sec1(struct ag_der der, uint32_t curve, struct ag_key *ret);
bool ag_key_of_pkcs8(struct ag_der der, struct ag_key *ret);

// A JSON Web Key (RFC 7517, 8037), an object. NULL, or what is wrong with it.
const char *ag_key_of_jwk(struct ag_call *c, struct ag_value jwk, struct ag_key *ret);

// Bytes of a number of the curve; 0: no curve.
size_t ag_curve_bytes(uint32_t type);

#endif
