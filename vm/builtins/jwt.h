// SPDX-License-Identifier: Apache-2.0
// What the built-ins on JSON Web Tokens share: algorithms, keys out of texts, one signature.
// In: texts of policies and tokens. Out: verdicts, signatures, error values with OPA's words. Thread rule: as
// struct ag_call. Next file to read: jwt.c, then jwt_keys.c, jwt_sign.c.
#ifndef AG_JWT_H
#define AG_JWT_H

#include "builtin_fns.h"
#include "digest.h"
#include "keys.h"

enum ag_jwt_family { AG_JWT_HMAC, AG_JWT_PKCS1, AG_JWT_PSS, AG_JWT_ECDSA, AG_JWT_EDDSA };

struct ag_jwt_alg {
    const char *name; // RFC 7518
    enum ag_jwt_family family;
    enum ag_hash hash;
    uint32_t curve; // that ES256 and its like are pinned to
};
// NULL: none of ours; "none" is none.
const struct ag_jwt_alg *ag_jwt_alg_find(struct ag_str name);

#define AG_JWT_KEYS_MAX 256u // keys of one set
struct ag_jwt_keys {
    uint32_t n;
    struct ag_key *key; // in the arena
};
// Keys of a PEM certificate, a PEM public key, a JWK or a JWK set. *ret_error stays undefined, or is what the
// built-in returns (error, or undefined when the evaluation ended).
bool ag_jwt_keys_read(struct ag_call *c, struct ag_str text, struct ag_jwt_keys *ret,
                      struct ag_value *ret_error);
// Keys of a JWK or JWK set given as a value; NULL or what is wrong.
const char *ag_jwt_keys_of_value(struct ag_call *c, struct ag_value v, struct ag_jwt_keys *ret);

// 1 right, 0 wrong or a key of another kind, -1 the provider failed.
int ag_jwt_verify(struct ag_call *c, const struct ag_jwt_alg *a, const struct ag_key *key,
                  struct ag_str message, struct ag_bytes signature);
// Bytes of the signature; 0: the key cannot sign with this algorithm, or the provider failed.
size_t ag_jwt_signature(struct ag_call *c, const struct ag_jwt_alg *a, const struct ag_key *key,
                        struct ag_str message, uint8_t out[AEGIS_SIGNATURE_MAX]);

// A JSON text of which equal keys are allowed, the last one counts. Not AG_JSON_OK: *ret is untouched.
enum ag_json_status ag_jwt_json(struct ag_call *c, struct ag_str text, struct ag_value *ret);
// JSON text of a value as Go writes it (keys sorted, <, > and & escaped), in the arena; a NULL text: the
// evaluation ended, or the value cannot be written.
struct ag_str ag_jwt_marshal(struct ag_call *c, struct ag_value v);
// The error for text that is no base64: "illegal base64 data at input byte 7", after `before`.
struct ag_value ag_jwt_base64_error(struct ag_call *c, const char *before, struct ag_bytes b,
                                    struct ag_str text);

static inline struct aegis_str
ag_jwt_out(struct ag_str s)
{
    return (struct aegis_str){s.p, s.n};
}

#endif
