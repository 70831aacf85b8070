// SPDX-License-Identifier: Apache-2.0
// Texts that carry bytes: base64 in both alphabets, PEM blocks; and the strict DER inside.
// In: foreign text or bytes. Out: bytes in the call's arena, views into them. Everything is bounded by its
// input. Thread rule: as struct ag_call. Next file to read: keys.h.
#ifndef AG_ARMOR_H
#define AG_ARMOR_H

#include "machine.h"

// Bytes in the arena, or `is_ok` false and `bad_at`, the place in the text that is wrong. `p` is NULL with
// is_ok set only when the evaluation ended (fuel, arena).
struct ag_bytes {
    const uint8_t *p;
    size_t n;
    size_t bad_at;
    bool is_ok;
};

enum ag_alphabet { AG_BASE64_STD, AG_BASE64_URL };

// Base64 with padding; line breaks anywhere are passed over, bits behind the last byte are not looked at.
// Charges.
struct ag_bytes ag_armor_base64(struct ag_call *c, struct ag_str text, enum ag_alphabet a);
// The same in the URL alphabet with or without padding (RFC 7515). bad_at is SIZE_MAX for an impossible
// length.
struct ag_bytes ag_armor_base64url(struct ag_call *c, struct ag_str text);
// Appends base64 of the URL alphabet without padding to `out`.
void ag_armor_put_base64url(struct ag_buf *out, const void *p, size_t n);

struct ag_pem {
    struct ag_str type; // "CERTIFICATE", borrowed from the text
    struct ag_bytes bytes;
    struct ag_str rest; // what follows the block
};
// The first block of the text (RFC 7468, with RFC 1421 headers passed over); false: there is none.
bool ag_armor_pem(struct ag_call *c, struct ag_str text, struct ag_pem *ret);

// --- DER (X.690): definite, shortest lengths; the caller knows which tag comes
struct ag_der {
    const uint8_t *p;
    size_t n;
};
#define AG_DER_BOOLEAN    0x01
#define AG_DER_INTEGER    0x02
#define AG_DER_BITS       0x03
#define AG_DER_OCTETS     0x04
#define AG_DER_NULL       0x05
#define AG_DER_OID        0x06
#define AG_DER_UTF8       0x0c
#define AG_DER_SEQUENCE   0x30
#define AG_DER_SET        0x31
#define AG_DER_PRINTABLE  0x13
#define AG_DER_T61        0x14
#define AG_DER_IA5        0x16
#define AG_DER_UTC        0x17
#define AG_DER_TIME       0x18
#define AG_DER_BMP        0x1e
#define AG_DER_CONTEXT(n) (0x80 | (n)) // primitive
#define AG_DER_INSIDE(n)  (0xa0 | (n)) // constructed

// Takes the next element off *d; false: it is malformed or *d is empty. `ret_whole` (may be NULL) is the
// element with its head.
bool ag_der_any(struct ag_der *d, uint8_t *ret_tag, struct ag_der *ret, struct ag_der *ret_whole);
// The same when its tag is `tag`; else *d stays.
bool ag_der_take(struct ag_der *d, uint8_t tag, struct ag_der *ret);
bool ag_der_is(const struct ag_der *d, uint8_t tag); // the next tag
// An INTEGER >= 0 as big-endian bytes without leading zeros (zero: no bytes).
bool ag_der_number(struct ag_der *d, struct ag_der *ret);
// An INTEGER of at most eight bytes.
bool ag_der_int(struct ag_der *d, int64_t *ret);
bool ag_der_oid_is(struct ag_der oid, const uint8_t *bytes, size_t n);

#endif
