// SPDX-License-Identifier: Apache-2.0
// The extensions of RFC 5280 that Go's x509.Certificate has fields for.
// In: the list of extensions. Out: fields of the certificate's object. A critical extension that is not
// understood is listed, as Go does. Next file to read: x509_fns.c.
#include "x509.h"
#include "builtin_fns.h"

#define NAMES 4 // kinds of general names that have a field

enum { EMAIL, DNS, URI, IP };

struct fields {
    struct ag_list dns, email, ip, uri, uri_text;
    struct ag_list ocsp, issuing, crl, policies, policy_ids, mappings, usage, unknown_usage, unhandled;
    struct ag_list permitted[NAMES], excluded[NAMES];
    struct ag_value subject_id, authority_id;
    int64_t key_usage, path_len, any, explicit_, mapping;
    bool is_basic, is_ca, has_any, has_explicit, has_mapping, is_names_critical;
};

// --- addresses and URIs
// -------------------------------------------------------------------------------------------------

// IPv6 with the longest run of zeros (of at least two, the first of equals) as "::".
static void
put_ipv6(struct ag_buf *b, const uint8_t *p)
{
    static const char hex[] = "0123456789abcdef";
    unsigned w[8], best = 8, best_n = 1;
    for (unsigned i = 0; i < 8; i++)
        w[i] = (unsigned)p[2 * i] << 8 | p[2 * i + 1];
    for (unsigned i = 0; i < 8; i++) {
        unsigned n = 0;
        while (i + n < 8 && w[i + n] == 0)
            n++;
        if (n > best_n)
            best = i, best_n = n;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i == best) {
            ag_buf_lit(b, "::");
            i += best_n - 1;
            continue;
        }
        if (i && i != best + best_n)
            ag_buf_char(b, ':');
        bool has_digit = false;
        for (int shift = 12; shift >= 0; shift -= 4) {
            has_digit |= (w[i] >> shift & 15) != 0 || shift == 0;
            if (has_digit)
                ag_buf_char(b, hex[w[i] >> shift & 15]);
        }
    }
}

static struct ag_value
ip_value(struct ag_call *c, struct ag_der d)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char text[64];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof text);
    if (d.n == 16 && memcmp(d.p, mapped, sizeof mapped) == 0)
        d = (struct ag_der){d.p + 12, 4};
    if (d.n == 16)
        put_ipv6(&b, d.p);
    for (size_t i = 0; d.n == 4 && i < 4; i++) {
        if (i)
            ag_buf_char(&b, '.');
        ag_buf_u64(&b, d.p[i]);
    }
    return ag_bi_copy(c, ag_str_of(text, b.n));
}

static int
hex_digit(char ch)
{
    char low = (char)(ch | 0x20);
    return ch >= '0' && ch <= '9' ? ch - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// %XX decoded; undefined: a wrong escape.
static struct ag_value
unescaped(struct ag_call *c, struct ag_str s)
{
    char *p = ag_charge_bytes(c, s.n) ? ag_call_alloc(c, s.n + 1, 1) : NULL;
    size_t n = 0;
    for (size_t i = 0; p && i < s.n; i++) {
        if (s.p[i] != '%') {
            p[n++] = s.p[i];
            continue;
        }
        int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1, lo = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
        if (hi < 0 || lo < 0)
            return ag_undef();
        p[n++] = (char)(hi << 4 | lo);
        i += 2;
    }
    return p ? ag_value_text(c, (struct ag_der){(const uint8_t *)p, n}) : ag_undef();
}

static struct ag_str
cut(struct ag_str *s, char at, bool *ret_found)
{
    const char *q = s->n ? memchr(s->p, at, s->n) : NULL;
    struct ag_str behind = {"", 0};
    *ret_found = q != NULL;
    if (q) {
        behind = ag_str_of(q + 1, s->n - (size_t)(q - s->p) - 1);
        s->n = (size_t)(q - s->p);
    }
    return behind;
}

// A path is stored unescaped; RawPath only when escaping it again would give another text.
static bool
put_path(struct ag_fields *f, const char *name, const char *raw_name, struct ag_str raw)
{
    struct ag_value v = unescaped(f->c, raw);
    if (v.kind != AG_STRING)
        return false;
    bool has_escape = v.len != raw.n;
    ag_fields_put(f, name, v);
    ag_fields_put(f, raw_name, ag_bi_copy(f->c, has_escape ? raw : AG_STR("")));
    return true;
}

// The fields of Go's url.URL; undefined: no URI.
static struct ag_value
uri_value(struct ag_call *c, struct ag_str s)
{
    struct ag_fields f = ag_fields_new(c), user = {0};
    bool has_fragment, has_query, has_scheme, has_user = false;
    struct ag_str fragment = cut(&s, '#', &has_fragment), query = cut(&s, '?', &has_query), host = {"", 0};
    struct ag_str opaque = {"", 0}, scheme = s, rest = cut(&scheme, ':', &has_scheme);
    if (!has_scheme || !scheme.n)
        return ag_undef();
    if (rest.n >= 2 && rest.p[0] == '/' && rest.p[1] == '/') {
        host = ag_str_of(rest.p + 2, rest.n - 2);
        const char *slash = host.n ? memchr(host.p, '/', host.n) : NULL;
        rest = slash ? ag_str_of(slash, host.n - (size_t)(slash - host.p)) : ag_str_of("", 0);
        host.n -= rest.n;
        struct ag_str login = host, behind = cut(&login, '@', &has_user);
        if (has_user)
            host = behind;
    } else if (rest.n && rest.p[0] != '/') {
        opaque = rest;
        rest = ag_str_of("", 0);
    }
    if (has_user)
        user = ag_fields_new(c);
    ag_fields_put(&f, "Scheme", ag_bi_copy(c, scheme));
    ag_fields_put(&f, "Opaque", ag_bi_copy(c, opaque));
    ag_fields_put(&f, "User", has_user ? ag_fields_close(&user) : ag_null());
    ag_fields_put(&f, "Host", ag_bi_copy(c, host));
    ag_fields_put(&f, "OmitHost", ag_bool(false));
    ag_fields_put(&f, "ForceQuery", ag_bool(has_query && !query.n));
    ag_fields_put(&f, "RawQuery", ag_bi_copy(c, query));
    if (!put_path(&f, "Path", "RawPath", rest) || !put_path(&f, "Fragment", "RawFragment", fragment))
        return ag_undef();
    return ag_fields_close(&f);
}

// --- general names
// ------------------------------------------------------------------------------------------------------

static const char *
read_names(struct ag_call *c, struct ag_der san, struct fields *x, bool *ret_is_known)
{
    struct ag_der list, v;
    uint8_t tag;
    *ret_is_known = false;
    if (!ag_der_take(&san, AG_DER_SEQUENCE, &list))
        return "x509: invalid subject alternative names";
    while (list.n) {
        if (!ag_der_any(&list, &tag, &v, NULL))
            return "x509: invalid subject alternative name";
        *ret_is_known |= tag == AG_DER_CONTEXT(1) || tag == AG_DER_CONTEXT(2) || tag == AG_DER_CONTEXT(6) ||
                         tag == AG_DER_CONTEXT(7);
        if (tag == AG_DER_CONTEXT(1))
            ag_list_push(&x->email, ag_value_text(c, v));
        else if (tag == AG_DER_CONTEXT(2))
            ag_list_push(&x->dns, ag_value_text(c, v));
        else if (tag == AG_DER_CONTEXT(6)) {
            struct ag_value uri = uri_value(c, ag_str_of((const char *)v.p, v.n));
            if (uri.kind == AG_UNDEF && c->stop == AG_EVAL_OK)
                return "x509: cannot parse URI";
            ag_list_push(&x->uri, uri);
            ag_list_push(&x->uri_text, ag_value_text(c, v));
        } else if (tag == AG_DER_CONTEXT(7)) {
            if (v.n != 4 && v.n != 16)
                return "x509: cannot parse IP address";
            ag_list_push(&x->ip, ip_value(c, v));
        }
    }
    return NULL;
}

static void
start_names(struct ag_call *c, struct fields *x)
{
    x->dns = x->email = x->ip = x->uri = x->uri_text = ag_list_new(c);
}

static void
put_names(struct ag_fields *f, struct fields *x, bool has_uri_strings)
{
    ag_fields_put(f, "DNSNames", ag_list_close(&x->dns));
    ag_fields_put(f, "EmailAddresses", ag_list_close(&x->email));
    ag_fields_put(f, "IPAddresses", ag_list_close(&x->ip));
    ag_fields_put(f, "URIs", ag_list_close(&x->uri));
    if (has_uri_strings)
        ag_fields_put(f, "URIStrings", ag_list_close(&x->uri_text));
}

const char *
ag_x509_put_names(struct ag_fields *f, struct ag_der san, bool has_uri_strings, bool *ret_is_known)
{
    struct fields x = {.is_ca = false};
    *ret_is_known = true;
    start_names(f->c, &x);
    const char *why = san.n ? read_names(f->c, san, &x, ret_is_known) : NULL;
    if (!why)
        put_names(f, &x, has_uri_strings);
    return why;
}

// --- name constraints
// ---------------------------------------------------------------------------------------------------

static struct ag_value
range_value(struct ag_call *c, struct ag_der v)
{
    struct ag_fields f = ag_fields_new(c);
    ag_fields_put(&f, "IP", ip_value(c, (struct ag_der){v.p, v.n / 2}));
    ag_fields_put(&f, "Mask", ag_value_base64(c, (struct ag_der){v.p + v.n / 2, v.n / 2}));
    return ag_fields_close(&f);
}

static bool
read_subtrees(struct ag_call *c, struct ag_der list, struct ag_list *to, bool *ret_is_known)
{
    struct ag_der tree, v;
    uint8_t tag;
    while (list.n) {
        if (!ag_der_take(&list, AG_DER_SEQUENCE, &tree) || !ag_der_any(&tree, &tag, &v, NULL))
            return false;
        if (tag == AG_DER_CONTEXT(1))
            ag_list_push(&to[EMAIL], ag_value_text(c, v));
        else if (tag == AG_DER_CONTEXT(2))
            ag_list_push(&to[DNS], ag_value_text(c, v));
        else if (tag == AG_DER_CONTEXT(6))
            ag_list_push(&to[URI], ag_value_text(c, v));
        else if (tag == AG_DER_CONTEXT(7) && (v.n == 8 || v.n == 32))
            ag_list_push(&to[IP], range_value(c, v));
        else if (tag == AG_DER_CONTEXT(7))
            return false;
        else
            *ret_is_known = false;
    }
    return true;
}

static bool
read_constraints(struct ag_call *c, struct ag_der value, struct fields *x, bool *ret_is_known)
{
    struct ag_der seq, list;
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    if (ag_der_take(&seq, AG_DER_INSIDE(0), &list) && !read_subtrees(c, list, x->permitted, ret_is_known))
        return false;
    return !ag_der_take(&seq, AG_DER_INSIDE(1), &list) || read_subtrees(c, list, x->excluded, ret_is_known);
}

// --- the others
// ---------------------------------------------------------------------------------------------------------

static bool
read_key_usage(struct ag_der value, struct fields *x)
{
    struct ag_der bits;
    if (!ag_der_take(&value, AG_DER_BITS, &bits) || bits.n < 1)
        return false;
    for (size_t i = 0; i < 9 && i / 8 + 1 < bits.n; i++)
        if (bits.p[1 + i / 8] >> (7 - i % 8) & 1)
            x->key_usage |= (int64_t)1 << i;
    return true;
}

static bool
read_basic(struct ag_der value, struct fields *x)
{
    struct ag_der seq, ca;
    x->is_basic = true;
    x->path_len = -1;
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    if (ag_der_take(&seq, AG_DER_BOOLEAN, &ca))
        x->is_ca = ca.n == 1 && ca.p[0] != 0;
    return !ag_der_is(&seq, AG_DER_INTEGER) || ag_der_int(&seq, &x->path_len);
}

// Go's numbers of the usages; -1: it has none.
static int
usage_number(struct ag_der oid)
{
    static const uint8_t pkix[] = {0x2b, 6, 1, 5, 5, 7, 3}, any[] = {0x55, 0x1d, 0x25, 0},
                         sgc[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3},
                         netscape[] = {0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1},
                         commercial[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 22},
                         kernel[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 61, 1, 1};
    if (oid.n == sizeof pkix + 1 && memcmp(oid.p, pkix, sizeof pkix) == 0 && oid.p[7] >= 1 && oid.p[7] <= 9)
        return oid.p[7];
    return ag_der_oid_is(oid, any, sizeof any)                 ? 0
           : ag_der_oid_is(oid, sgc, sizeof sgc)               ? 10
           : ag_der_oid_is(oid, netscape, sizeof netscape)     ? 11
           : ag_der_oid_is(oid, commercial, sizeof commercial) ? 12
           : ag_der_oid_is(oid, kernel, sizeof kernel)         ? 13
                                                               : -1;
}

static bool
read_usages(struct ag_call *c, struct ag_der value, struct fields *x)
{
    struct ag_der seq, oid;
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    while (seq.n) {
        if (!ag_der_take(&seq, AG_DER_OID, &oid))
            return false;
        int number = usage_number(oid);
        if (number >= 0)
            ag_list_push(&x->usage, ag_int(number));
        else
            ag_list_push(&x->unknown_usage, ag_value_oid(c, oid));
    }
    return true;
}

static bool
read_crl(struct ag_call *c, struct ag_der value, struct fields *x)
{
    struct ag_der seq, point, name, full, uri;
    uint8_t tag;
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    while (seq.n) {
        if (!ag_der_take(&seq, AG_DER_SEQUENCE, &point))
            return false;
        if (!ag_der_take(&point, AG_DER_INSIDE(0), &name) || !ag_der_take(&name, AG_DER_INSIDE(0), &full))
            continue;
        while (full.n) {
            if (!ag_der_any(&full, &tag, &uri, NULL))
                return false;
            if (tag == AG_DER_CONTEXT(6))
                ag_list_push(&x->crl, ag_value_text(c, uri));
        }
    }
    return true;
}

static bool
read_policies(struct ag_call *c, struct ag_der value, struct fields *x)
{
    struct ag_der seq, policy, oid;
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    while (seq.n) {
        if (!ag_der_take(&seq, AG_DER_SEQUENCE, &policy) || !ag_der_take(&policy, AG_DER_OID, &oid))
            return false;
        ag_list_push(&x->policies, ag_value_oid_text(c, oid));
        ag_list_push(&x->policy_ids, ag_value_oid(c, oid));
    }
    return true;
}

static bool
read_mappings(struct ag_call *c, struct ag_der value, struct fields *x)
{
    struct ag_der seq, pair, from, to;
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    while (seq.n) {
        if (!ag_der_take(&seq, AG_DER_SEQUENCE, &pair) || !ag_der_take(&pair, AG_DER_OID, &from) ||
            !ag_der_take(&pair, AG_DER_OID, &to))
            return false;
        struct ag_fields f = ag_fields_new(c);
        ag_fields_put(&f, "IssuerDomainPolicy", ag_value_oid_text(c, from));
        ag_fields_put(&f, "SubjectDomainPolicy", ag_value_oid_text(c, to));
        ag_list_push(&x->mappings, ag_fields_close(&f));
    }
    return true;
}

static bool
small_int(struct ag_der d, int64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < d.n; i++)
        *ret = *ret << 8 | d.p[i];
    return d.n >= 1 && d.n <= 4 && d.p[0] < 0x80;
}

static bool
read_policy_constraints(struct ag_der value, struct fields *x)
{
    struct ag_der seq, v;
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    if (ag_der_take(&seq, AG_DER_CONTEXT(0), &v)) {
        x->has_explicit = true;
        if (!small_int(v, &x->explicit_))
            return false;
    }
    if (ag_der_take(&seq, AG_DER_CONTEXT(1), &v)) {
        x->has_mapping = true;
        return small_int(v, &x->mapping);
    }
    return true;
}

static bool
read_info_access(struct ag_call *c, struct ag_der value, struct fields *x)
{
    static const uint8_t ad[] = {0x2b, 6, 1, 5, 5, 7, 48};
    struct ag_der seq, access, method, uri;
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    while (seq.n) {
        if (!ag_der_take(&seq, AG_DER_SEQUENCE, &access) || !ag_der_take(&access, AG_DER_OID, &method))
            return false;
        if (!ag_der_take(&access, AG_DER_CONTEXT(6), &uri) || method.n != sizeof ad + 1 ||
            memcmp(method.p, ad, sizeof ad) != 0)
            continue;
        if (method.p[7] == 1)
            ag_list_push(&x->ocsp, ag_value_text(c, uri));
        else if (method.p[7] == 2)
            ag_list_push(&x->issuing, ag_value_text(c, uri));
    }
    return true;
}

static bool
read_key_ids(struct ag_call *c, uint8_t arc, struct ag_der value, struct fields *x)
{
    struct ag_der seq, id;
    if (arc == 14) {
        if (!ag_der_take(&value, AG_DER_OCTETS, &id))
            return false;
        x->subject_id = ag_value_base64(c, id);
        return true;
    }
    if (!ag_der_take(&value, AG_DER_SEQUENCE, &seq))
        return false;
    if (ag_der_take(&seq, AG_DER_CONTEXT(0), &id))
        x->authority_id = ag_value_base64(c, id);
    return true;
}

// One extension of the arc 2.5.29; *ret_is_known says whether all of it was understood. False: malformed.
static bool
read_one(struct ag_call *c, const struct ag_x509_extension *e, struct fields *x, const char **ret_why,
         bool *ret_is_known)
{
    static const uint8_t aia[] = {0x2b, 6, 1, 5, 5, 7, 1, 1};
    if (ag_der_oid_is(e->oid, aia, sizeof aia))
        return read_info_access(c, e->value, x);
    if (e->oid.n != 3 || e->oid.p[0] != 0x55 || e->oid.p[1] != 0x1d) {
        *ret_is_known = false;
        return true;
    }
    switch (e->oid.p[2]) {
    case 14: return read_key_ids(c, 14, e->value, x);
    case 15: return read_key_usage(e->value, x);
    case 17: *ret_why = read_names(c, e->value, x, ret_is_known); return !*ret_why;
    case 19: return read_basic(e->value, x);
    case 30: x->is_names_critical = e->is_critical; return read_constraints(c, e->value, x, ret_is_known);
    case 31: return read_crl(c, e->value, x);
    case 32: return read_policies(c, e->value, x);
    case 33: return read_mappings(c, e->value, x);
    case 35: return read_key_ids(c, 35, e->value, x);
    case 36: return read_policy_constraints(e->value, x);
    case 37: return read_usages(c, e->value, x);
    case 54: {
        struct ag_der v = e->value;
        x->has_any = true;
        return ag_der_int(&v, &x->any) && x->any >= 0;
    }
    default: *ret_is_known = false; return true;
    }
}

static void
put_subtrees(struct ag_fields *f, struct fields *x)
{
    static const char *const permitted[NAMES] = {"PermittedEmailAddresses", "PermittedDNSDomains",
                                                 "PermittedURIDomains", "PermittedIPRanges"};
    static const char *const excluded[NAMES] = {"ExcludedEmailAddresses", "ExcludedDNSDomains",
                                                "ExcludedURIDomains", "ExcludedIPRanges"};
    for (unsigned i = 0; i < NAMES; i++) {
        ag_fields_put(f, permitted[i], ag_list_close(&x->permitted[i]));
        ag_fields_put(f, excluded[i], ag_list_close(&x->excluded[i]));
    }
    ag_fields_put(f, "PermittedDNSDomainsCritical", ag_bool(x->is_names_critical));
}

static void
put_all(struct ag_fields *f, struct fields *x, bool has_uri_strings)
{
    put_names(f, x, has_uri_strings);
    put_subtrees(f, x);
    ag_fields_put(f, "KeyUsage", ag_int(x->key_usage));
    ag_fields_put(f, "ExtKeyUsage", ag_list_close(&x->usage));
    ag_fields_put(f, "UnknownExtKeyUsage", ag_list_close(&x->unknown_usage));
    ag_fields_put(f, "BasicConstraintsValid", ag_bool(x->is_basic));
    ag_fields_put(f, "IsCA", ag_bool(x->is_ca));
    ag_fields_put(f, "MaxPathLen", ag_int(x->path_len));
    ag_fields_put(f, "MaxPathLenZero", ag_bool(x->is_basic && x->path_len == 0));
    ag_fields_put(f, "SubjectKeyId", x->subject_id);
    ag_fields_put(f, "AuthorityKeyId", x->authority_id);
    ag_fields_put(f, "OCSPServer", ag_list_close(&x->ocsp));
    ag_fields_put(f, "IssuingCertificateURL", ag_list_close(&x->issuing));
    ag_fields_put(f, "CRLDistributionPoints", ag_list_close(&x->crl));
    ag_fields_put(f, "Policies", ag_list_close(&x->policies));
    ag_fields_put(f, "PolicyIdentifiers", ag_list_close(&x->policy_ids));
    ag_fields_put(f, "PolicyMappings", ag_list_close(&x->mappings));
    ag_fields_put(f, "InhibitAnyPolicy", ag_int(x->any));
    ag_fields_put(f, "InhibitAnyPolicyZero", ag_bool(x->has_any && x->any == 0));
    ag_fields_put(f, "InhibitPolicyMapping", ag_int(x->mapping));
    ag_fields_put(f, "InhibitPolicyMappingZero", ag_bool(x->has_mapping && x->mapping == 0));
    ag_fields_put(f, "RequireExplicitPolicy", ag_int(x->explicit_));
    ag_fields_put(f, "RequireExplicitPolicyZero", ag_bool(x->has_explicit && x->explicit_ == 0));
    ag_fields_put(f, "UnhandledCriticalExtensions", ag_list_close(&x->unhandled));
}

const char *
ag_x509_put_extensions(struct ag_fields *f, const struct ag_x509 *cert, bool has_uri_strings)
{
    struct ag_call *c = f->c;
    struct ag_der list = cert->extensions;
    struct ag_x509_extension e;
    struct fields x = {.subject_id = ag_null(), .authority_id = ag_null()};
    const char *why = NULL;
    start_names(c, &x);
    x.ocsp = x.issuing = x.crl = x.policies = x.policy_ids = x.mappings = x.usage = x.unknown_usage =
        x.unhandled = ag_list_new(c);
    for (unsigned i = 0; i < NAMES; i++)
        x.permitted[i] = x.excluded[i] = ag_list_new(c);
    while (list.n && ag_x509_extension(&list, &e)) {
        bool is_known = true;
        if (!read_one(c, &e, &x, &why, &is_known))
            return why ? why : "x509: malformed extension";
        if (e.is_critical && !is_known)
            ag_list_push(&x.unhandled, ag_value_oid(c, e.oid));
    }
    put_all(f, &x, has_uri_strings);
    return NULL;
}
