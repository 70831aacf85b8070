// SPDX-License-Identifier: Apache-2.0
// Built-ins on certificates: crypto.x509.parse_certificates, parse_and_verify_certificates(_with_options),
// parse_certificate_request. In: PEM, or base64 of PEM or DER. Out: objects with Go's field names. Chains are
// checked by the host's crypto provider at the decision's clock. Memory: the call's arena. Next file to read:
// private_keys.c.
#include "builtin_fns.h"
#include "number.h"
#include "x509.h"

#define CHAIN_COST 100000u // fuel of one chain: a few signatures

struct certs {
    uint32_t n;
    struct ag_x509 *cert;
};

static bool
starts_with(struct ag_str s, struct ag_str with)
{
    return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

// Certificates one after the other.
static const char *
read_der(struct ag_der der, struct certs *ret)
{
    while (der.n) {
        struct ag_der at = der, inner, whole;
        uint8_t tag;
        if (ret->n == AG_X509_CERTS_MAX)
            return "more than 64 certificates";
        if (!ag_der_any(&at, &tag, &inner, &whole))
            return "x509: malformed certificate";
        const char *why = ag_x509_parse(whole, &ret->cert[ret->n]);
        if (why)
            return why;
        ret->n++;
        der = at;
    }
    return NULL;
}

// Each block by itself: Go reads the bytes of all blocks in one row, which comes to the same.
static bool
read_pem(struct ag_call *c, struct ag_str text, struct certs *ret, struct ag_value *err)
{
    struct ag_pem pem;
    for (; ag_armor_pem(c, text, &pem); text = pem.rest) {
        if (!ag_str_is(pem.type, "CERTIFICATE")) {
            *err = ag_error(c, AG_VERR_BUILTIN, "PEM block type is '%.*s', expected CERTIFICATE",
                            (int)(pem.type.n < 64 ? pem.type.n : 64), pem.type.p);
            return false;
        }
        const char *why = read_der((struct ag_der){pem.bytes.p, pem.bytes.n}, ret);
        if (why) {
            *err = ag_error(c, AG_VERR_BUILTIN, "%s", why);
            return false;
        }
    }
    return c->stop == AG_EVAL_OK;
}

// False: *err, which stays undefined when the evaluation ended.
static bool
read_certs(struct ag_call *c, struct ag_value v, struct certs *ret, struct ag_value *err)
{
    struct ag_str text = ag_value_str(v), begin = AG_STR("-----BEGIN");
    *ret = (struct certs){0, ag_call_alloc(c, AG_X509_CERTS_MAX * sizeof *ret->cert, 8)};
    *err = ag_undef();
    if (!ret->cert)
        return false;
    if (starts_with(text, begin))
        return read_pem(c, text, ret, err);
    struct ag_bytes b = ag_armor_base64(c, text, AG_BASE64_STD);
    if (!b.is_ok)
        *err = ag_error(c, AG_VERR_BUILTIN, "illegal base64 data at input byte %zu", b.bad_at);
    if (!b.is_ok || !b.p)
        return false;
    if (starts_with(ag_str_of((const char *)b.p, b.n), begin))
        return read_pem(c, ag_str_of((const char *)b.p, b.n), ret, err);
    const char *why = read_der((struct ag_der){b.p, b.n}, ret);
    if (why)
        *err = ag_error(c, AG_VERR_BUILTIN, "%s", why);
    return !why;
}

struct ag_value
ag_bi_x509_parse_certificates(struct ag_call *c, const struct ag_value *a)
{
    struct certs certs;
    struct ag_value err;
    if (!read_certs(c, a[0], &certs, &err))
        return err;
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b != NULL;
    for (uint32_t i = 0; i < certs.n && ok; i++) {
        struct ag_value v = ag_x509_value(c, &certs.cert[i], true);
        if (v.kind != AG_OBJECT)
            return v;
        ok = ag_builder_push(&c->mem, b, v);
    }
    return ag_bi_close(c, b, ok);
}

struct ag_value
ag_bi_x509_parse_request(struct ag_call *c, const struct ag_value *a)
{
    struct ag_str text = ag_value_str(a[0]);
    struct ag_bytes b = {(const uint8_t *)text.p, text.n, SIZE_MAX, true};
    struct ag_pem pem;
    struct ag_x509 x;
    if (!starts_with(text, AG_STR("-----BEGIN CERTIFICATE REQUEST-----")))
        b = ag_armor_base64(c, text, AG_BASE64_STD);
    if (!b.is_ok)
        return ag_error(c, AG_VERR_BUILTIN, "illegal base64 data at input byte %zu", b.bad_at);
    if (!b.p)
        return ag_undef();
    if (ag_armor_pem(c, ag_str_of((const char *)b.p, b.n), &pem)) {
        if (!ag_str_is(pem.type, "CERTIFICATE REQUEST"))
            return ag_error(c, AG_VERR_BUILTIN, "invalid PEM-encoded certificate signing request");
        b = pem.bytes;
    }
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    const char *why = ag_x509_parse_request((struct ag_der){b.p, b.n}, &x);
    return why ? ag_error(c, AG_VERR_BUILTIN, "%s", why) : ag_x509_request_value(c, &x);
}

// --- chains
// --------------------------------------------------------------------------------------------------------------

static struct ag_value
pair(struct ag_call *c, bool is_valid, struct ag_value list)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    return ag_bi_close(
        c, b, b && ag_builder_push(&c->mem, b, ag_bool(is_valid)) && ag_builder_push(&c->mem, b, list));
}

static struct ag_value
not_verified(struct ag_call *c)
{
    struct ag_value none = ag_bi_close(c, ag_builder_new(&c->mem, AG_ARRAY), true);
    return none.kind == AG_ARRAY ? pair(c, false, none) : none;
}

static struct ag_value
verify_chain(struct ag_call *c, const struct certs *certs, struct aegis_chain *chain, bool has_uri_strings)
{
    struct aegis_str der[AG_X509_CERTS_MAX];
    uint32_t found[AG_X509_CERTS_MAX], n = 0;
    if (certs->n < 2)
        return not_verified(c);
    if (!ag_charge(c, CHAIN_COST))
        return ag_undef();
    if (!c->crypto)
        return ag_error(c, AG_VERR_BUILTIN,
                        "the host has no crypto provider; give it one of libaegis-crypto");
    for (uint32_t i = 0; i < certs->n; i++)
        der[i] = (struct aegis_str){(const char *)certs->cert[i].raw.p, certs->cert[i].raw.n};
    chain->size = sizeof *chain;
    chain->count = certs->n;
    chain->der = der;
    int r = c->crypto->verify_chain(chain, found, &n);
    if (r < 0)
        return ag_error(c, AG_VERR_BUILTIN, "the crypto provider of the host failed");
    if (r == 0)
        return not_verified(c);
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    bool ok = b != NULL;
    for (uint32_t i = 0; i < n && i < certs->n && ok; i++) {
        struct ag_value v =
            found[i] < certs->n ? ag_x509_value(c, &certs->cert[found[i]], has_uri_strings) : ag_bi_error();
        if (v.kind != AG_OBJECT)
            return v;
        ok = ag_builder_push(&c->mem, b, v);
    }
    struct ag_value list = ag_bi_close(c, b, ok);
    return list.kind == AG_ARRAY ? pair(c, true, list) : list;
}

static int64_t
seconds(int64_t ns)
{
    return ns / 1000000000 - (ns % 1000000000 < 0);
}

struct ag_value
ag_bi_x509_verify(struct ag_call *c, const struct ag_value *a)
{
    struct certs certs;
    struct ag_value err;
    struct aegis_chain chain = {.now_s = seconds(c->now_ns), .usages = AEGIS_USAGE_SERVER_AUTH};
    if (!read_certs(c, a[0], &certs, &err))
        return c->stop == AG_EVAL_OK ? not_verified(c) : ag_undef();
    return verify_chain(c, &certs, &chain, true);
}

// --- options
// -------------------------------------------------------------------------------------------------------------

static const struct {
    const char *name;
    uint32_t usage;
} usages[] = {
    {"KeyUsageAny", AEGIS_USAGE_ANY},
    {"KeyUsageServerAuth", AEGIS_USAGE_SERVER_AUTH},
    {"KeyUsageClientAuth", AEGIS_USAGE_CLIENT_AUTH},
    {"KeyUsageCodeSigning", AEGIS_USAGE_CODE_SIGNING},
    {"KeyUsageEmailProtection", AEGIS_USAGE_EMAIL_PROTECTION},
    {"KeyUsageIPSECEndSystem", AEGIS_USAGE_IPSEC_END_SYSTEM},
    {"KeyUsageIPSECTunnel", AEGIS_USAGE_IPSEC_TUNNEL},
    {"KeyUsageIPSECUser", AEGIS_USAGE_IPSEC_USER},
    {"KeyUsageTimeStamping", AEGIS_USAGE_TIME_STAMPING},
    {"KeyUsageOCSPSigning", AEGIS_USAGE_OCSP_SIGNING},
    {"KeyUsageMicrosoftServerGatedCrypto", AEGIS_USAGE_MICROSOFT_SERVER_GATED},
    {"KeyUsageNetscapeServerGatedCrypto", AEGIS_USAGE_NETSCAPE_SERVER_GATED},
    {"KeyUsageMicrosoftCommercialCodeSigning", AEGIS_USAGE_MICROSOFT_COMMERCIAL_CODE},
    {"KeyUsageMicrosoftKernelCodeSigning", AEGIS_USAGE_MICROSOFT_KERNEL_CODE},
};

static struct ag_str
unquoted(struct ag_str s)
{
    while (s.n && s.p[0] == '"')
        s.p++, s.n--;
    while (s.n && s.p[s.n - 1] == '"')
        s.n--;
    return s;
}

static struct ag_value
take_usages(struct ag_call *c, struct ag_value v, uint32_t *ret)
{
    if (v.kind != AG_ARRAY && v.kind != AG_SET)
        return ag_error(c, AG_VERR_BUILTIN, "'KeyUsages' should be an Array or Set");
    for (uint32_t i = 0; i < v.len; i++) {
        struct ag_value e = ag_value_at(&c->mem, v, i);
        uint32_t usage = 0;
        if (e.kind != AG_STRING)
            continue;
        struct ag_str s = unquoted(ag_value_str(e));
        for (size_t k = 0; k < sizeof usages / sizeof *usages; k++)
            usage |= ag_str_is(s, usages[k].name) ? usages[k].usage : 0;
        if (!usage)
            return ag_error(c, AG_VERR_BUILTIN, "invalid entries for 'KeyUsages' found: [%.*s]",
                            (int)(s.n < 64 ? s.n : 64), s.p);
        *ret |= usage;
    }
    return ag_undef();
}

// An error value, or undefined.
static struct ag_value
take_option(struct ag_call *c, struct ag_str name, struct ag_value v, struct aegis_chain *chain,
            uint32_t *usage)
{
    int64_t n;
    if (ag_str_is(name, "DNSName")) {
        if (v.kind != AG_STRING)
            return ag_error(c, AG_VERR_BUILTIN, "'DNSName' should be a string");
        struct ag_str s = unquoted(ag_value_str(v));
        chain->dns_name = (struct aegis_str){s.p, s.n};
        return ag_undef();
    }
    if (ag_str_is(name, "KeyUsages"))
        return take_usages(c, v, usage);
    bool is_time = ag_str_is(name, "CurrentTime");
    if (!is_time && !ag_str_is(name, "MaxConstraintComparisons"))
        return ag_error(c, AG_VERR_BUILTIN, "invalid key option");
    if (v.kind != AG_NUMBER)
        return ag_error(c, AG_VERR_BUILTIN, "'%.*s' should be a number", (int)name.n, name.p);
    if (!ag_number_int(v, &n))
        return ag_error(c, AG_VERR_BUILTIN, "'%.*s' should be a valid %s", (int)name.n, name.p,
                        is_time ? "int64 number" : "number");
    if (is_time)
        chain->now_s = seconds(n);
    return ag_undef();
}

struct ag_value
ag_bi_x509_verify_options(struct ag_call *c, const struct ag_value *a)
{
    struct certs certs;
    struct ag_value err;
    uint32_t usage = 0;
    struct aegis_chain chain = {.now_s = seconds(c->now_ns)};
    if (!read_certs(c, a[0], &certs, &err))
        return c->stop == AG_EVAL_OK ? not_verified(c) : ag_undef();
    for (uint32_t i = 0; i < a[1].len; i++) {
        struct ag_value name = ag_object_key(&c->mem, a[1], i);
        if (name.kind != AG_STRING)
            continue;
        err = take_option(c, ag_value_str(name), ag_value_at(&c->mem, a[1], i), &chain, &usage);
        if (err.kind == AG_ERROR)
            return err;
    }
    chain.usages = usage ? usage : AEGIS_USAGE_SERVER_AUTH;
    return verify_chain(c, &certs, &chain, false);
}
