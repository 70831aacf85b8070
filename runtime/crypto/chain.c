// SPDX-License-Identifier: Apache-2.0
// Certificate chains for libaegis-crypto: one trusted root, intermediates, a leaf; valid at a given time, for
// a given name and use. Path building, signatures, dates, basic and name constraints are OpenSSL's; the rule
// for extended key usages is that of Go's crypto/x509: one of the usages asked for must be allowed by every
// certificate of the chain. In: DER. Out: the chain, leaf first. Memory: freed before the return. Next file
// to read: openssl.c.
#include "openssl.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

#define CHAIN_MAX  64  // certificates of one call
#define SECURITY   1   // of OpenSSL: no SHA-1 or MD5 below the root, RSA from 1024 bits
#define NAME_MAX_N 255 // bytes of a host name

static const struct {
    uint32_t usage;
    int nid; // NID_undef: not in OpenSSL's table, see oid
    const char *oid;
} usages[] = {
    {AEGIS_USAGE_ANY, NID_anyExtendedKeyUsage, NULL},
    {AEGIS_USAGE_SERVER_AUTH, NID_server_auth, NULL},
    {AEGIS_USAGE_CLIENT_AUTH, NID_client_auth, NULL},
    {AEGIS_USAGE_CODE_SIGNING, NID_code_sign, NULL},
    {AEGIS_USAGE_EMAIL_PROTECTION, NID_email_protect, NULL},
    {AEGIS_USAGE_IPSEC_END_SYSTEM, NID_ipsecEndSystem, NULL},
    {AEGIS_USAGE_IPSEC_TUNNEL, NID_ipsecTunnel, NULL},
    {AEGIS_USAGE_IPSEC_USER, NID_ipsecUser, NULL},
    {AEGIS_USAGE_TIME_STAMPING, NID_time_stamp, NULL},
    {AEGIS_USAGE_OCSP_SIGNING, NID_OCSP_sign, NULL},
    {AEGIS_USAGE_MICROSOFT_SERVER_GATED, NID_ms_sgc, NULL},
    {AEGIS_USAGE_NETSCAPE_SERVER_GATED, NID_ns_sgc, NULL},
    {AEGIS_USAGE_MICROSOFT_COMMERCIAL_CODE, NID_ms_code_com, NULL},
    {AEGIS_USAGE_MICROSOFT_KERNEL_CODE, NID_undef, "1.3.6.1.4.1.311.61.1.1"},
};

static uint32_t
usage_of(const ASN1_OBJECT *o)
{
    char text[64];
    for (size_t i = 0; i < sizeof usages / sizeof *usages; i++)
        if (usages[i].oid ? OBJ_obj2txt(text, sizeof text, o, 1) > 0 && strcmp(text, usages[i].oid) == 0
                          : OBJ_obj2nid(o) == usages[i].nid)
            return usages[i].usage;
    return 0;
}

// Usages that a certificate allows, all of them when it does not say.
static uint32_t
allowed_by(X509 *x)
{
    int critical = -1;
    uint32_t set = 0;
    EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(x, NID_ext_key_usage, &critical, NULL);
    if (!eku)
        return critical == -1 ? UINT32_MAX : 0;
    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++)
        set |= usage_of(sk_ASN1_OBJECT_value(eku, i));
    sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
    return set & AEGIS_USAGE_ANY ? UINT32_MAX : set;
}

static bool
usage_ok(const STACK_OF(X509) * chain, uint32_t wanted)
{
    uint32_t left = wanted & ~(uint32_t)AEGIS_USAGE_ANY;
    if (wanted & AEGIS_USAGE_ANY)
        return true;
    for (int i = sk_X509_num(chain) - 1; i >= 0 && left; i--)
        left &= allowed_by(sk_X509_value(chain, i));
    return left != 0;
}

// Name or address of the leaf, from its alternative names alone.
static bool
set_name(X509_VERIFY_PARAM *p, struct aegis_str name)
{
    char text[NAME_MAX_N + 1];
    if (!name.n)
        return true;
    if (name.n > NAME_MAX_N || memchr(name.p, 0, name.n))
        return false;
    bool is_bracketed = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
    size_t n = name.n - (is_bracketed ? 2u : 0u);
    memcpy(text, name.p + is_bracketed, n);
    text[n] = 0;
    if (X509_VERIFY_PARAM_set1_ip_asc(p, text) > 0)
        return true;
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return !is_bracketed && X509_VERIFY_PARAM_set1_host(p, text, n) > 0;
}

// Positions of the chain's certificates in `all`.
static bool
positions(const STACK_OF(X509) * chain, X509 *const *all, uint32_t count, uint32_t *ret_ix, uint32_t *ret_n)
{
    *ret_n = 0;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        uint32_t k = 0;
        while (k < count && X509_cmp(all[k], sk_X509_value(chain, i)) != 0)
            k++;
        if (k == count || *ret_n == count)
            return false;
        ret_ix[(*ret_n)++] = k;
    }
    return *ret_n > 0;
}

static int
search(const struct aegis_chain *c, X509 *const *all, uint32_t *ret_ix, uint32_t *ret_n)
{
    int r = -1;
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(agr_libctx(), NULL);
    STACK_OF(X509) *between = sk_X509_new_null();
    bool ok = store && ctx && between && X509_STORE_add_cert(store, all[0]) > 0;
    for (uint32_t i = 1; i + 1 < c->count && ok; i++)
        ok = sk_X509_push(between, all[i]) > 0;
    if (ok && X509_STORE_CTX_init(ctx, store, all[c->count - 1], between) > 0) {
        X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_auth_level(p, SECURITY);
        X509_VERIFY_PARAM_set_time(p, (time_t)c->now_s);
        if (!set_name(p, c->dns_name))
            r = 0;
        else if (X509_verify_cert(ctx) > 0)
            r = usage_ok(X509_STORE_CTX_get0_chain(ctx), c->usages) &&
                positions(X509_STORE_CTX_get0_chain(ctx), all, c->count, ret_ix, ret_n);
        else
            r = X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM ? -1 : 0;
    }
    sk_X509_free(between);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return r;
}

int
agr_verify_chain(const struct aegis_chain *c, uint32_t *ret_ix, uint32_t *ret_n)
{
    X509 *all[CHAIN_MAX] = {NULL};
    int r = -1;
    uint32_t made = 0;
    ERR_clear_error();
    if (c->count < 2 || c->count > CHAIN_MAX)
        return 0;
    for (; made < c->count; made++) {
        const unsigned char *p = (const unsigned char *)c->der[made].p;
        all[made] = X509_new_ex(agr_libctx(), NULL);
        if (!all[made])
            break;
        if (!d2i_X509(&all[made], &p, (long)c->der[made].n)) {
            all[made] = NULL; // freed by d2i
            r = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE ? -1 : 0;
            break;
        }
    }
    if (made == c->count)
        r = search(c, all, ret_ix, ret_n);
    for (uint32_t i = 0; i < made; i++)
        X509_free(all[i]);
    ERR_clear_error();
    return r;
}
