// SPDX-License-Identifier: Apache-2.0
// Built-ins net.cidr_*: networks of IPv4 and IPv6. An address is 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC 4291),
// and a network counts its prefix in the same 128 bits; one of the mapped range is an IPv4 network. In:
// texts. Out: booleans, sets of texts. Memory: the call's arena. Next file to read: cidr_merge.c.
#include "cidr.h"
#include "builtin_fns.h"

#define EXPAND_BITS_MAX 40u // host bits that are counted at all; fuel and arena end far below
#define EXPAND_COST     8u  // units for one address

// --- text
// --------------------------------------------------------------------------------------------------

bool
ag_ip_is_v4(const struct ag_ip *ip)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(ip->b, mapped, sizeof mapped) == 0;
}

// Four decimal bytes without leading zeros.
static bool
parse_v4(struct ag_str s, uint8_t ret[4])
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        unsigned v = 0;
        size_t from = at;
        if (i && (at >= s.n || s.p[at++] != '.'))
            return false;
        from = at;
        for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9' && at - from < 4; at++)
            v = v * 10 + (unsigned)(s.p[at] - '0');
        if (at == from || v > 255 || (at - from > 1 && s.p[from] == '0'))
            return false;
        ret[i] = (uint8_t)v;
    }
    return at == s.n;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// Groups of hex, one `::`, perhaps an IPv4 address at the end (RFC 4291 section 2.2). No zones.
static bool
parse_v6(struct ag_str s, uint8_t ret[16])
{
    size_t at = 0, n = 0, gap = SIZE_MAX; // n: bytes written
    memset(ret, 0, 16);
    if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < s.n && n < 16) {
        size_t from = at;
        unsigned v = 0;
        for (; at < s.n && at - from < 5 && hex_digit(s.p[at]) >= 0; at++)
            v = v << 4 | (unsigned)hex_digit(s.p[at]);
        if (at == from || at - from > 4)
            return false;
        if (at < s.n && s.p[at] == '.') {
            if (n > 12 || (gap == SIZE_MAX && n != 12) ||
                !parse_v4(ag_str_of(s.p + from, s.n - from), ret + n))
                return false;
            n += 4;
            at = s.n;
            break;
        }
        ret[n++] = (uint8_t)(v >> 8);
        ret[n++] = (uint8_t)v;
        if (at == s.n)
            break;
        if (s.p[at++] != ':' || at == s.n)
            return false;
        if (s.p[at] == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = n;
            at++;
        }
    }
    if (at != s.n || (n == 16) != (gap == SIZE_MAX))
        return false;
    if (n < 16) {
        memmove(ret + 16 - (n - gap), ret + gap, n - gap);
        memset(ret + gap, 0, 16 - n);
    }
    return true;
}

bool
ag_ip_parse(struct ag_str s, struct ag_ip *ret)
{
    if (s.n > AG_IP_TEXT_MAX)
        return false;
    if (memchr(s.p ? s.p : "", ':', s.n))
        return parse_v6(s, ret->b);
    memset(ret->b, 0, 10);
    ret->b[10] = ret->b[11] = 0xff;
    return parse_v4(s, ret->b + 12);
}

struct ag_ip
ag_ip_mask(const struct ag_ip *ip, unsigned prefix)
{
    struct ag_ip r = *ip;
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = prefix <= 8 * i ? 0 : prefix - 8 * i >= 8 ? 8 : prefix - 8 * i;
        r.b[i] = (uint8_t)(r.b[i] & (0xff00u >> keep));
    }
    return r;
}

bool
ag_cidr_parse(struct ag_str s, struct ag_cidr *ret)
{
    const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
    unsigned bits = 0;
    if (!slash || !ag_ip_parse(ag_str_of(s.p, (size_t)(slash - s.p)), &ret->ip))
        return false;
    bool has_colon = memchr(s.p, ':', (size_t)(slash - s.p)) != NULL;
    const char *p = slash + 1, *end = s.p + s.n;
    if (p == end)
        return false;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9' || bits > 128)
            return false;
        bits = bits * 10 + (unsigned)(*p - '0');
    }
    if (bits > (has_colon ? 128 : 32))
        return false;
    ret->prefix = has_colon ? bits : bits + 96;
    ret->ip = ag_ip_mask(&ret->ip, ret->prefix);
    return true;
}

// The longest run of two or more zero groups, the first of equals: what `::` stands for (RFC 5952).
static void
longest_gap(const uint8_t *b, unsigned *ret_from, unsigned *ret_to)
{
    *ret_from = *ret_to = 8;
    for (unsigned i = 0; i < 8; i++) {
        unsigned j = i;
        while (j < 8 && b[2 * j] == 0 && b[2 * j + 1] == 0)
            j++;
        if (j - i >= 2 && j - i > *ret_to - *ret_from) {
            *ret_from = i;
            *ret_to = j;
        }
    }
}

void
ag_ip_put(struct ag_buf *out, const struct ag_ip *ip)
{
    if (ag_ip_is_v4(ip)) {
        for (int i = 12; i < 16; i++) {
            if (i > 12)
                ag_buf_char(out, '.');
            ag_buf_u64(out, ip->b[i]);
        }
        return;
    }
    unsigned from, to;
    longest_gap(ip->b, &from, &to);
    for (unsigned i = 0; i < 8; i++) {
        if (i == from) {
            ag_buf_lit(out, "::");
            i = to;
            if (i >= 8)
                break;
        } else if (i)
            ag_buf_char(out, ':');
        unsigned v = (unsigned)ip->b[2 * i] << 8 | ip->b[2 * i + 1];
        for (int shift = 12; shift >= 0; shift -= 4)
            if (v >> shift || !shift)
                ag_buf_char(out, "0123456789abcdef"[v >> shift & 15]);
    }
}

// --- questions
// ---------------------------------------------------------------------------------------------

struct ag_ip
ag_cidr_last(const struct ag_cidr *n)
{
    struct ag_ip first = ag_ip_mask(&n->ip, n->prefix), all, r;
    memset(all.b, 0xff, sizeof all.b);
    all = ag_ip_mask(&all, n->prefix);
    for (int i = 0; i < 16; i++)
        r.b[i] = (uint8_t)(first.b[i] | (uint8_t)~all.b[i]);
    return r;
}

static bool
contains(const struct ag_cidr *n, const struct ag_ip *ip)
{
    struct ag_ip masked = ag_ip_mask(ip, n->prefix);
    return ag_ip_is_v4(&n->ip) == ag_ip_is_v4(ip) && memcmp(masked.b, n->ip.b, sizeof masked.b) == 0;
}

struct ag_value
ag_cidr_error(struct ag_call *c, struct ag_str s)
{
    return ag_error(c, AG_VERR_BUILTIN, "invalid CIDR address: %.*s", (int)(s.n < 300 ? s.n : 300), s.p);
}

// A string that is a network; false: *ret_error.
static bool
network(struct ag_call *c, struct ag_value v, struct ag_cidr *ret, struct ag_value *ret_error)
{
    if (v.kind != AG_STRING) {
        *ret_error = ag_error_operand(c, 1, "string", v);
        return false;
    }
    if (ag_cidr_parse(ag_value_str(v), ret))
        return true;
    *ret_error = ag_cidr_error(c, ag_value_str(v));
    return false;
}

// Whether network `net` contains the address or network `in`: a boolean or an error.
static struct ag_value
contains_value(struct ag_call *c, struct ag_value net, struct ag_value in)
{
    struct ag_cidr a, b;
    struct ag_ip ip;
    struct ag_value error;
    if (!ag_charge_bytes(c, (uint64_t)net.len + in.len))
        return ag_undef();
    if (!network(c, net, &a, &error))
        return error;
    if (in.kind != AG_STRING)
        return ag_error_operand(c, 1, "string", in);
    struct ag_str s = ag_value_str(in);
    if (ag_ip_parse(s, &ip))
        return ag_bool(contains(&a, &ip));
    if (!ag_cidr_parse(s, &b))
        return ag_error(c, AG_VERR_BUILTIN,
                        "not a valid textual representation of an IP address or CIDR: %.*s",
                        (int)(s.n < 300 ? s.n : 300), s.p);
    ip = ag_cidr_last(&b);
    return ag_bool(contains(&a, &b.ip) && contains(&a, &ip));
}

struct ag_value
ag_bi_cidr_contains(struct ag_call *c, const struct ag_value *a)
{
    return contains_value(c, a[0], a[1]);
}

struct ag_value
ag_bi_cidr_intersects(struct ag_call *c, const struct ag_value *a)
{
    struct ag_cidr x, y;
    struct ag_value error;
    if (!ag_charge_bytes(c, (uint64_t)a[0].len + a[1].len))
        return ag_undef();
    if (!network(c, a[0], &x, &error) || !network(c, a[1], &y, &error))
        return error;
    return ag_bool(contains(&x, &y.ip) || contains(&y, &x.ip));
}

struct ag_value
ag_bi_cidr_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct ag_cidr n;
    if (a[0].kind != AG_STRING)
        return ag_bool(false);
    return ag_charge_bytes(c, a[0].len) ? ag_bool(ag_cidr_parse(ag_value_str(a[0]), &n)) : ag_undef();
}

static void
next_ip(struct ag_ip *ip)
{
    for (int i = 15; i >= 0 && ++ip->b[i] == 0; i--)
        ;
}

struct ag_value
ag_bi_cidr_expand(struct ag_call *c, const struct ag_value *a)
{
    struct ag_cidr n;
    struct ag_value error;
    char text[AG_IP_TEXT_MAX];
    struct ag_buf out;
    if (!network(c, a[0], &n, &error))
        return error;
    unsigned host = 128 - n.prefix;
    if (!ag_charge(c, host > EXPAND_BITS_MAX ? UINT64_MAX : EXPAND_COST << host))
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_SET);
    bool ok = b != NULL;
    for (uint64_t i = 0; ok && i >> host == 0; i++, next_ip(&n.ip)) {
        ag_buf_init(&out, text, sizeof text);
        ag_ip_put(&out, &n.ip);
        struct ag_value v = ag_string_copy(&c->mem, ag_str_of(text, out.n));
        ok = v.kind == AG_STRING && ag_builder_push(&c->mem, b, v);
    }
    return ag_bi_close(c, b, ok);
}

// --- net.cidr_contains_matches
// -----------------------------------------------------------------------------

// Element i of a collection of networks: the network and what stands for it in the result. An array or set
// holds networks or arrays that begin with one; an object has them as values. False: *ret_error.
static bool
element(struct ag_call *c, unsigned operand, struct ag_value coll, uint32_t i, struct ag_value *ret,
        struct ag_value *ret_index, struct ag_value *ret_error)
{
    struct ag_value v = coll.kind == AG_STRING ? coll : ag_value_at(&c->mem, coll, i);
    *ret_index = coll.kind == AG_ARRAY    ? ag_int(i)
                 : coll.kind == AG_OBJECT ? ag_object_key(&c->mem, coll, i)
                                          : v;
    if (v.kind == AG_ARRAY && v.len)
        v = ag_value_at(&c->mem, v, 0);
    else if (v.kind != AG_STRING) {
        *ret_error =
            ag_error(c, AG_VERR_BUILTIN, "operand %u: element must be string or non-empty array", operand);
        return false;
    }
    *ret = v;
    return true;
}

static uint32_t
elements(struct ag_value coll)
{
    return coll.kind == AG_STRING ? 1 : coll.kind >= AG_ARRAY && coll.kind <= AG_SET ? coll.len : 0;
}

static bool
push_pair(struct ag_call *c, struct ag_builder *out, struct ag_value x, struct ag_value y)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    struct ag_value pair =
        ag_bi_close(c, b, b && ag_builder_push(&c->mem, b, x) && ag_builder_push(&c->mem, b, y));
    return pair.kind == AG_ARRAY && ag_builder_push(&c->mem, out, pair);
}

struct ag_value
ag_bi_cidr_contains_matches(struct ag_call *c, const struct ag_value *a)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_SET);
    struct ag_value net, in, index[2], error = ag_undef();
    bool ok = b != NULL;
    for (uint32_t i = 0; ok && i < elements(a[0]); i++) {
        if (!element(c, 1, a[0], i, &net, &index[0], &error))
            return error;
        for (uint32_t j = 0; ok && j < elements(a[1]); j++) {
            if (!element(c, 2, a[1], j, &in, &index[1], &error))
                return error;
            struct ag_value v = contains_value(c, net, in);
            if (v.kind != AG_BOOL)
                return v;
            ok = ag_charge(c, 2) && (!v.i || push_pair(c, b, index[0], index[1]));
        }
    }
    return ag_bi_close(c, b, ok);
}
