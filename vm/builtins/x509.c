// SPDX-License-Identifier: Apache-2.0
// Reads certificates and requests. In: DER. Out: struct ag_x509. Nothing is allocated. Next file to read:
// x509_value.c.
#include "x509.h"
#include "zone.h"

static const char malformed[] = "x509: malformed certificate";

static bool
two_digits(const uint8_t *p, unsigned *ret)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *ret = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
    return true;
}

// UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ, as DER has them.
static bool
take_time(struct ag_der *d, int64_t *ret)
{
    static const uint8_t days_in[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct ag_der t;
    uint8_t tag;
    unsigned v[7] = {0};
    if (!ag_der_any(d, &tag, &t, NULL) || (tag != AG_DER_UTC && tag != AG_DER_TIME))
        return false;
    size_t first = tag == AG_DER_TIME ? 0 : 1;
    if (t.n != 15 - 2 * first || t.p[t.n - 1] != 'Z')
        return false;
    for (size_t i = first; i < 7; i++)
        if (!two_digits(t.p + 2 * (i - first), &v[i]))
            return false;
    unsigned year = tag == AG_DER_TIME ? v[0] * 100 + v[1] : v[1] + (v[1] < 50 ? 2000 : 1900);
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (v[2] < 1 || v[2] > 12 || v[3] < 1 || v[3] > days_in[v[2] - 1] + (unsigned)(v[2] == 2 && is_leap) ||
        v[4] > 23 || v[5] > 59 || v[6] > 59)
        return false;
    *ret = ag_days_from_civil(year, v[2], v[3]) * 86400 + v[4] * 3600 + v[5] * 60 + v[6];
    return true;
}

static bool
take_whole(struct ag_der *d, uint8_t tag, struct ag_der *ret_inner, struct ag_der *ret_whole)
{
    uint8_t got;
    return ag_der_is(d, tag) && ag_der_any(d, &got, ret_inner, ret_whole);
}

static bool
same(struct ag_der a, struct ag_der b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool
take_signature(struct ag_der *d, struct ag_der *ret)
{
    if (!ag_der_take(d, AG_DER_BITS, ret) || ret->n == 0 || ret->p[0] != 0)
        return false;
    *ret = (struct ag_der){ret->p + 1, ret->n - 1};
    return true;
}

bool
ag_x509_extension(struct ag_der *list, struct ag_x509_extension *ret)
{
    struct ag_der e, critical;
    ret->is_critical = false;
    if (!ag_der_take(list, AG_DER_SEQUENCE, &e) || !ag_der_take(&e, AG_DER_OID, &ret->oid))
        return false;
    if (ag_der_take(&e, AG_DER_BOOLEAN, &critical)) {
        if (critical.n != 1 || (critical.p[0] != 0xff && critical.p[0] != 0))
            return false;
        ret->is_critical = critical.p[0] != 0;
    }
    return ag_der_take(&e, AG_DER_OCTETS, &ret->value) && e.n == 0;
}

// Well-formed, none twice, not too many.
static const char *
check_extensions(struct ag_der list)
{
    struct ag_der seen[AG_X509_EXTENSIONS_MAX];
    struct ag_x509_extension e;
    uint32_t n = 0;
    while (list.n) {
        if (!ag_x509_extension(&list, &e) || n == AG_X509_EXTENSIONS_MAX)
            return "x509: malformed extensions";
        for (uint32_t i = 0; i < n; i++)
            if (same(seen[i], e.oid))
                return "x509: certificate contains duplicate extensions";
        seen[n++] = e.oid;
    }
    return NULL;
}

// What follows the subject's key: unique identifiers, extensions.
static const char *
read_rest(struct ag_der *tbs, struct ag_x509 *ret)
{
    struct ag_der at, list;
    if (ret->version > 1) {
        ag_der_take(tbs, AG_DER_CONTEXT(1), &at);
        ag_der_take(tbs, AG_DER_CONTEXT(2), &at);
    }
    if (ret->version == 3 && ag_der_take(tbs, AG_DER_INSIDE(3), &at)) {
        if (!ag_der_take(&at, AG_DER_SEQUENCE, &list) || at.n)
            return "x509: malformed extensions";
        ret->extensions = list;
        return check_extensions(list);
    }
    return NULL;
}

static const char *
read_tbs(struct ag_der tbs, struct ag_x509 *ret)
{
    struct ag_der at, validity, algorithm;
    if (ag_der_take(&tbs, AG_DER_INSIDE(0), &at)) {
        if (!ag_der_int(&at, &ret->version) || at.n)
            return "x509: malformed version";
        if (ret->version < 0 || ret->version > 2)
            return "x509: invalid version";
    }
    ret->version++;
    if (!ag_der_is(&tbs, AG_DER_INTEGER))
        return "x509: malformed serial number";
    if (!ag_der_number(&tbs, &ret->serial))
        return "x509: malformed or negative serial number";
    if (!ag_der_take(&tbs, AG_DER_SEQUENCE, &algorithm))
        return "x509: malformed signature algorithm identifier";
    if (!same(algorithm, ret->algorithm))
        return "x509: inner and outer signature algorithm identifiers don't match";
    if (!take_whole(&tbs, AG_DER_SEQUENCE, &at, &ret->issuer))
        return "x509: malformed issuer";
    if (!ag_der_take(&tbs, AG_DER_SEQUENCE, &validity) || !take_time(&validity, &ret->not_before) ||
        !take_time(&validity, &ret->not_after))
        return "x509: malformed validity";
    if (!take_whole(&tbs, AG_DER_SEQUENCE, &at, &ret->subject))
        return "x509: malformed subject";
    if (!take_whole(&tbs, AG_DER_SEQUENCE, &at, &ret->spki))
        return "x509: malformed spki";
    return read_rest(&tbs, ret);
}

const char *
ag_x509_parse(struct ag_der der, struct ag_x509 *ret)
{
    struct ag_der cert, tbs;
    *ret = (struct ag_x509){.version = 0};
    if (!take_whole(&der, AG_DER_SEQUENCE, &cert, &ret->raw) || der.n ||
        !take_whole(&cert, AG_DER_SEQUENCE, &tbs, &ret->tbs) ||
        !ag_der_take(&cert, AG_DER_SEQUENCE, &ret->algorithm) || !take_signature(&cert, &ret->signature) ||
        cert.n)
        return malformed;
    return read_tbs(tbs, ret);
}

// --- requests
// -----------------------------------------------------------------------------------------------------------

// The extensions that a request asks for: the attribute 1.2.840.113549.1.9.14.
static const char *
requested(struct ag_der attributes, struct ag_der *ret)
{
    static const uint8_t oid_requested[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
    while (attributes.n) {
        struct ag_der a, oid, set;
        if (!ag_der_take(&attributes, AG_DER_SEQUENCE, &a) || !ag_der_take(&a, AG_DER_OID, &oid) ||
            !ag_der_take(&a, AG_DER_SET, &set))
            return "x509: malformed attributes";
        if (!ag_der_oid_is(oid, oid_requested, sizeof oid_requested))
            continue;
        if (!ag_der_take(&set, AG_DER_SEQUENCE, ret))
            return "x509: malformed extensions";
        return check_extensions(*ret);
    }
    return NULL;
}

const char *
ag_x509_parse_request(struct ag_der der, struct ag_x509 *ret)
{
    struct ag_der request, info, at;
    *ret = (struct ag_x509){.version = 0};
    if (!take_whole(&der, AG_DER_SEQUENCE, &request, &ret->raw) ||
        !take_whole(&request, AG_DER_SEQUENCE, &info, &ret->tbs) ||
        !ag_der_take(&request, AG_DER_SEQUENCE, &ret->algorithm) ||
        !take_signature(&request, &ret->signature) || !ag_der_int(&info, &ret->version) ||
        !take_whole(&info, AG_DER_SEQUENCE, &at, &ret->subject) ||
        !take_whole(&info, AG_DER_SEQUENCE, &at, &ret->spki))
        return "asn1: structure error: malformed certificate request";
    if (der.n)
        return "asn1: syntax error: trailing data";
    if (ag_der_take(&info, AG_DER_INSIDE(0), &ret->attributes))
        return requested(ret->attributes, &ret->extensions);
    return NULL;
}
