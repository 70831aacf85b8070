// SPDX-License-Identifier: Apache-2.0
// Certificates and requests as objects with the fields of Go's x509.Certificate and x509.CertificateRequest.
// In: struct ag_x509. Out: values in the call's arena. Next file to read: x509_ext.c.
#include "x509.h"
#include "builtin_fns.h"
#include "utf8.h"

// --- names (RFC 5280 4.1.2.4)
// -------------------------------------------------------------------------------------------

static const struct {
    uint8_t arc; // 2.5.4.arc
    const char *field;
} parts[] = {{6, "Country"},  {10, "Organization"}, {11, "OrganizationalUnit"}, {7, "Locality"},
             {8, "Province"}, {9, "StreetAddress"}, {17, "PostalCode"}};
#define PARTS (sizeof parts / sizeof *parts)

// Latin-1 or UTF-16 as UTF-8.
static struct ag_value
recoded(struct ag_call *c, struct ag_der d, size_t unit)
{
    struct ag_buf b;
    uint8_t utf8[4];
    char *p = ag_charge_bytes(c, d.n) ? ag_call_alloc(c, 2 * d.n + 1, 1) : NULL;
    if (!p)
        return ag_undef();
    if (d.n % unit)
        return ag_bi_error();
    ag_buf_init(&b, p, 2 * d.n);
    for (size_t i = 0; i < d.n; i += unit) {
        uint32_t cp = unit == 1 ? d.p[i] : (uint32_t)d.p[i] << 8 | d.p[i + 1];
        size_t n = ag_utf8_encode(cp, utf8);
        if (!n)
            return ag_bi_error();
        ag_buf_put(&b, utf8, n);
    }
    return ag_bi_text(p, b.n);
}

static struct ag_value
name_text(struct ag_call *c, uint8_t tag, struct ag_der d)
{
    switch (tag) {
    case AG_DER_T61: return recoded(c, d, 1);
    case AG_DER_BMP: return recoded(c, d, 2);
    case AG_DER_UTF8:
    case AG_DER_PRINTABLE:
    case AG_DER_IA5:
    case 0x12: return ag_value_text(c, d); // NumericString
    default: return ag_error(c, AG_VERR_BUILTIN, "x509: unsupported string type: %u", tag);
    }
}

struct name {
    struct ag_list names, part[PARTS];
    struct ag_value common, serial;
};

static bool
take_attribute(struct ag_call *c, struct ag_der *set, struct name *n)
{
    struct ag_der a, oid, value;
    uint8_t tag;
    if (!ag_der_take(set, AG_DER_SEQUENCE, &a) || !ag_der_take(&a, AG_DER_OID, &oid) ||
        !ag_der_any(&a, &tag, &value, NULL))
        return false;
    struct ag_value text = name_text(c, tag, value);
    struct ag_fields f = ag_fields_new(c);
    ag_fields_put(&f, "Type", ag_value_oid(c, oid));
    ag_fields_put(&f, "Value", text);
    ag_list_push(&n->names, ag_fields_close(&f));
    if (oid.n != 3 || oid.p[0] != 0x55 || oid.p[1] != 4)
        return true;
    if (oid.p[2] == 3)
        n->common = text;
    else if (oid.p[2] == 5)
        n->serial = text;
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].arc == oid.p[2])
            ag_list_push(&n->part[i], text);
    return true;
}

// pkix.Name; `whole` has the head.
static struct ag_value
name_value(struct ag_call *c, struct ag_der whole)
{
    struct name n = {.names = ag_list_new(c)};
    struct ag_der rdns, set;
    struct ag_value empty = ag_bi_copy(c, AG_STR(""));
    n.common = n.serial = empty;
    for (size_t i = 0; i < PARTS; i++)
        n.part[i] = ag_list_new(c);
    bool ok = ag_der_take(&whole, AG_DER_SEQUENCE, &rdns);
    while (ok && rdns.n) {
        ok = ag_der_take(&rdns, AG_DER_SET, &set);
        while (ok && set.n)
            ok = take_attribute(c, &set, &n);
    }
    if (!ok)
        return ag_error(c, AG_VERR_BUILTIN, "x509: invalid RDNSequence");
    struct ag_fields f = ag_fields_new(c);
    for (size_t i = 0; i < PARTS; i++)
        ag_fields_put(&f, parts[i].field, ag_list_close(&n.part[i]));
    ag_fields_put(&f, "CommonName", n.common);
    ag_fields_put(&f, "SerialNumber", n.serial);
    ag_fields_put(&f, "Names", ag_list_close(&n.names));
    ag_fields_put(&f, "ExtraNames", ag_null());
    return ag_fields_close(&f);
}

// --- algorithms, with Go's numbers
// ------------------------------------------------------------------------------------

static const struct {
    uint8_t oid[10], n, number;
} signatures[] = {
    {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4}, 9, 2},  // MD5 with RSA
    {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5}, 9, 3},  // SHA-1 with RSA
    {{0x2b, 0x0e, 3, 2, 29}, 5, 3},                         // the same, by ISO
    {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11}, 9, 4}, // SHA-256 with RSA
    {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12}, 9, 5}, // SHA-384
    {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13}, 9, 6}, // SHA-512
    {{0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3}, 7, 7},           // SHA-1 with DSA
    {{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2}, 9, 8},        // SHA-256 with DSA
    {{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1}, 7, 9},           // SHA-1 with ECDSA
    {{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}, 8, 10},       // SHA-256
    {{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3}, 8, 11},       // SHA-384
    {{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4}, 8, 12},       // SHA-512
    {{0x2b, 0x65, 0x70}, 3, 16},                            // Ed25519
};

// RSA-PSS names its hash in the parameters: SHA-256, 384, 512 are 13, 14, 15.
static int
pss_number(struct ag_der parameters)
{
    static const uint8_t sha2[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2};
    struct ag_der seq, hash, algorithm, oid;
    if (!ag_der_take(&parameters, AG_DER_SEQUENCE, &seq) || !ag_der_take(&seq, AG_DER_INSIDE(0), &hash) ||
        !ag_der_take(&hash, AG_DER_SEQUENCE, &algorithm) || !ag_der_take(&algorithm, AG_DER_OID, &oid) ||
        oid.n != sizeof sha2 + 1 || memcmp(oid.p, sha2, sizeof sha2) != 0 || oid.p[8] < 1 || oid.p[8] > 3)
        return 0;
    return 12 + oid.p[8];
}

static int
signature_number(struct ag_der algorithm)
{
    static const uint8_t oid_pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10};
    struct ag_der oid;
    if (!ag_der_take(&algorithm, AG_DER_OID, &oid))
        return 0;
    if (ag_der_oid_is(oid, oid_pss, sizeof oid_pss))
        return pss_number(algorithm);
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (ag_der_oid_is(oid, signatures[i].oid, signatures[i].n))
            return signatures[i].number;
    return 0;
}

static int
key_number(const struct ag_key *k)
{
    return k->kind == AG_KEY_RSA ? 1 : k->kind == AG_KEY_EC ? 3 : k->kind == AG_KEY_ED25519 ? 4 : 0;
}

// --- the objects
// --------------------------------------------------------------------------------------------------------

static struct ag_value
extensions_value(struct ag_call *c, struct ag_der list)
{
    struct ag_list l = ag_list_new(c);
    struct ag_x509_extension e;
    while (list.n && ag_x509_extension(&list, &e)) {
        struct ag_fields f = ag_fields_new(c);
        ag_fields_put(&f, "Id", ag_value_oid(c, e.oid));
        ag_fields_put(&f, "Critical", ag_bool(e.is_critical));
        ag_fields_put(&f, "Value", ag_value_base64(c, e.value));
        ag_list_push(&l, ag_fields_close(&f));
    }
    return ag_list_close(&l);
}

static struct ag_value
time_value(struct ag_call *c, int64_t seconds)
{
    char text[40];
    struct ag_buf b;
    if (seconds >= INT64_MAX / 1000000000 || seconds <= INT64_MIN / 1000000000)
        return ag_error(c, AG_VERR_BUILTIN, "a time is outside of the years 1678 to 2262");
    ag_buf_init(&b, text, sizeof text);
    ag_buf_time(&b, seconds * 1000000000, 0);
    return ag_bi_copy(c, ag_str_of(text, b.n));
}

// What certificates and requests have in common.
static bool
put_common(struct ag_fields *f, const struct ag_x509 *x)
{
    struct ag_call *c = f->c;
    struct ag_key k;
    if (!ag_key_of_spki(x->spki, &k))
        return false;
    ag_fields_put(f, "Raw", ag_value_base64(c, x->raw));
    ag_fields_put(f, "RawSubject", ag_value_base64(c, x->subject));
    ag_fields_put(f, "RawSubjectPublicKeyInfo", ag_value_base64(c, x->spki));
    ag_fields_put(f, "Signature", ag_value_base64(c, x->signature));
    ag_fields_put(f, "SignatureAlgorithm", ag_int(signature_number(x->algorithm)));
    ag_fields_put(f, "PublicKeyAlgorithm", ag_int(key_number(&k)));
    ag_fields_put(f, "PublicKey", ag_value_public_key(c, &k));
    ag_fields_put(f, "Subject", name_value(c, x->subject));
    ag_fields_put(f, "Version", ag_int(x->version));
    ag_fields_put(f, "Extensions", extensions_value(c, x->extensions));
    ag_fields_put(f, "ExtraExtensions", ag_null());
    return true;
}

struct ag_value
ag_x509_value(struct ag_call *c, const struct ag_x509 *x, bool has_uri_strings)
{
    struct ag_fields f = ag_fields_new(c);
    if (!put_common(&f, x))
        return ag_error(c, AG_VERR_BUILTIN, "x509: malformed public key");
    ag_fields_put(&f, "RawTBSCertificate", ag_value_base64(c, x->tbs));
    ag_fields_put(&f, "RawIssuer", ag_value_base64(c, x->issuer));
    ag_fields_put(&f, "SerialNumber", ag_value_number(c, x->serial));
    ag_fields_put(&f, "Issuer", name_value(c, x->issuer));
    ag_fields_put(&f, "NotBefore", time_value(c, x->not_before));
    ag_fields_put(&f, "NotAfter", time_value(c, x->not_after));
    const char *why = ag_x509_put_extensions(&f, x, has_uri_strings);
    return why ? ag_error(c, AG_VERR_BUILTIN, "%s", why) : ag_fields_close(&f);
}

// Attributes that hold types and values, as the deprecated field of Go shows them; critical is one of the
// values.
static struct ag_value
attributes_value(struct ag_call *c, struct ag_der list)
{
    struct ag_list all = ag_list_new(c);
    struct ag_der a, oid, set, seq;
    while (list.n && ag_der_take(&list, AG_DER_SEQUENCE, &a) && ag_der_take(&a, AG_DER_OID, &oid)) {
        struct ag_list values = ag_list_new(c);
        bool ok = ag_der_take(&a, AG_DER_SET, &set);
        while (ok && set.n) {
            struct ag_list pairs = ag_list_new(c);
            ok = ag_der_take(&set, AG_DER_SEQUENCE, &seq);
            while (ok && seq.n) {
                struct ag_der pair, type, value;
                uint8_t tag;
                ok = ag_der_take(&seq, AG_DER_SEQUENCE, &pair) && ag_der_take(&pair, AG_DER_OID, &type) &&
                     ag_der_any(&pair, &tag, &value, NULL) && (tag == AG_DER_BOOLEAN || tag == AG_DER_OCTETS);
                if (!ok)
                    break;
                struct ag_fields f = ag_fields_new(c);
                ag_fields_put(&f, "Type", ag_value_oid(c, type));
                ag_fields_put(&f, "Value",
                              tag == AG_DER_BOOLEAN ? ag_bool(value.n && value.p[0])
                                                    : ag_value_base64(c, value));
                ag_list_push(&pairs, ag_fields_close(&f));
            }
            ag_list_push(&values, ag_list_close(&pairs));
        }
        if (!ok)
            continue; // of another shape: Go leaves it out too
        struct ag_fields f = ag_fields_new(c);
        ag_fields_put(&f, "Type", ag_value_oid(c, oid));
        ag_fields_put(&f, "Value", ag_list_close(&values));
        ag_list_push(&all, ag_fields_close(&f));
    }
    return ag_list_close(&all);
}

struct ag_value
ag_x509_request_value(struct ag_call *c, const struct ag_x509 *x)
{
    static const uint8_t oid_san[] = {0x55, 0x1d, 0x11};
    struct ag_fields f = ag_fields_new(c);
    struct ag_der list = x->extensions, san = {NULL, 0};
    struct ag_x509_extension e;
    bool is_known;
    if (!put_common(&f, x))
        return ag_error(c, AG_VERR_BUILTIN, "x509: malformed public key");
    while (list.n && ag_x509_extension(&list, &e))
        if (ag_der_oid_is(e.oid, oid_san, sizeof oid_san))
            san = e.value;
    ag_fields_put(&f, "RawTBSCertificateRequest", ag_value_base64(c, x->tbs));
    ag_fields_put(&f, "Attributes", attributes_value(c, x->attributes));
    const char *why = ag_x509_put_names(&f, san, false, &is_known);
    return why ? ag_error(c, AG_VERR_BUILTIN, "%s", why) : ag_fields_close(&f);
}
