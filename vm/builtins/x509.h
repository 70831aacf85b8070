// SPDX-License-Identifier: Apache-2.0
// X.509 certificates and requests (RFC 5280, 2986) as read from strict DER, and as values with the field
// names of Go's crypto/x509, which policies for OPA are written against. In: DER. Out: views into it; values
// in the call's arena. No signature is checked here. Thread rule: as struct ag_call. Next file to read:
// x509.c, then x509_value.c.
#ifndef AG_X509_H
#define AG_X509_H

#include "keys.h"

#define AG_X509_CERTS_MAX      64u  // certificates of one text
#define AG_X509_EXTENSIONS_MAX 256u // extensions of one certificate

// Everything borrows from the DER given.
struct ag_x509 {
    struct ag_der raw, tbs, subject, issuer, spki; // with their heads
    struct ag_der serial;                          // INTEGER, >= 0, no leading zeros
    struct ag_der algorithm;                       // AlgorithmIdentifier, without its head
    struct ag_der extensions;                      // of SEQUENCE OF Extension, without its head
    struct ag_der attributes;                      // of a request: the SET, without its head
    struct ag_der signature;                       // BIT STRING without its first byte
    int64_t version;                               // 1..3; of a request as it stands
    int64_t not_before, not_after;                 // UNIX time, seconds
};

// NULL, or what is wrong, in Go's words. The certificate must take all of `der`.
const char *ag_x509_parse(struct ag_der der, struct ag_x509 *ret);
const char *ag_x509_parse_request(struct ag_der der, struct ag_x509 *ret);

struct ag_x509_extension {
    struct ag_der oid, value;
    bool is_critical;
};
// Takes the next extension off *list.
bool ag_x509_extension(struct ag_der *list, struct ag_x509_extension *ret);

// --- x509_value.c. An object; undefined: the evaluation ended; an error value: something in it is malformed.
struct ag_value ag_x509_value(struct ag_call *c, const struct ag_x509 *x, bool has_uri_strings);
struct ag_value ag_x509_request_value(struct ag_call *c, const struct ag_x509 *x);

// --- x509_ext.c: adds the fields of the extensions to the object being built. NULL or what is wrong.
struct ag_fields;
const char *ag_x509_put_extensions(struct ag_fields *f, const struct ag_x509 *x, bool has_uri_strings);
// DNSNames, EmailAddresses, IPAddresses, URIs of a SubjectAltName (an empty one: all null).
const char *ag_x509_put_names(struct ag_fields *f, struct ag_der san, bool has_uri_strings,
                              bool *ret_is_known);

// --- fields.c: one object being built; the first failure is remembered.
struct ag_fields {
    struct ag_call *c;
    struct ag_builder *b;
    bool ok;
    struct ag_value error; // the first error value that was put
};
struct ag_fields ag_fields_new(struct ag_call *c);
void ag_fields_put(struct ag_fields *f, const char *name, struct ag_value v);
struct ag_value ag_fields_close(struct ag_fields *f);
// Lists that grow; a list that nothing was pushed to closes as null.
struct ag_list {
    struct ag_call *c;
    struct ag_builder *b;
    bool ok;
    struct ag_value error;
};
struct ag_list ag_list_new(struct ag_call *c);
void ag_list_push(struct ag_list *l, struct ag_value v);
struct ag_value ag_list_close(struct ag_list *l); // null when empty
// Values of bytes: base64, a whole number >= 0 written big-endian, an OID as array of its arcs or as dotted
// text.
struct ag_value ag_value_base64(struct ag_call *c, struct ag_der d);
struct ag_value ag_value_number(struct ag_call *c, struct ag_der d);
struct ag_value ag_value_oid(struct ag_call *c, struct ag_der oid);
struct ag_value ag_value_oid_text(struct ag_call *c, struct ag_der oid);
struct ag_value ag_value_text(struct ag_call *c, struct ag_der d); // bytes that are valid UTF-8
// Public key of a certificate: {"N","E"}, {"Curve","X","Y"}, base64; null when it is of another kind.
struct ag_value ag_value_public_key(struct ag_call *c, const struct ag_key *k);

#endif
