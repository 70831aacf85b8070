// SPDX-License-Identifier: Apache-2.0
// net.cidr_merge: addresses and networks as the fewest networks that cover the same addresses. In: an array
// or set of texts. Out: a set of texts. Ranges are sorted by their last address and joined from the end, as
// Open Policy Agent 1.18 does; an IPv4 address without prefix stands for its network of the old classes A, B
// and C. Memory: the call's arena. Next file to read: cidr.c.
#include "cidr.h"
#include "builtin_fns.h"

struct range {
    struct ag_ip first, last;
    struct ag_cidr net; // as it was given
    bool is_merged;
};

static int
ip_cmp(const struct ag_ip *a, const struct ag_ip *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

static int
range_cmp(const struct range *a, const struct range *b)
{
    int d = ip_cmp(&a->last, &b->last);
    return d ? d : ip_cmp(&a->first, &b->first);
}

// The address before; the first address of IPv4 and of IPv6 stays.
static struct ag_ip
previous(const struct ag_ip *ip)
{
    static const struct ag_ip zero_v6;
    static const struct ag_ip zero_v4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
    struct ag_ip r = *ip;
    if (ip_cmp(ip, &zero_v6) == 0 || ip_cmp(ip, &zero_v4) == 0)
        return r;
    for (int i = 15; i >= 0 && r.b[i]-- == 0; i--)
        ;
    return r;
}

static bool
read_one(struct ag_call *c, struct ag_value v, struct range *ret, struct ag_value *ret_error)
{
    struct ag_str s = ag_value_str(v);
    *ret = (struct range){0};
    if (v.kind != AG_STRING) {
        *ret_error = ag_error(c, AG_VERR_BUILTIN, "element must be string");
        return false;
    }
    if (ag_ip_parse(s, &ret->net.ip)) {
        if (!ag_ip_is_v4(&ret->net.ip)) {
            *ret_error = ag_error(c, AG_VERR_BUILTIN, "IPv6 invalid: needs prefix length");
            return false;
        }
        uint8_t top = ret->net.ip.b[12];
        ret->net.prefix = 96 + (top < 0x80 ? 8 : top < 0xc0 ? 16 : 24);
    } else if (!ag_cidr_parse(s, &ret->net)) {
        *ret_error = ag_cidr_error(c, s);
        return false;
    }
    ret->first = ag_ip_mask(&ret->net.ip, ret->net.prefix);
    ret->last = ag_cidr_last(&ret->net);
    return true;
}

// Sorts by last, then first address: merge sort, bottom up; `tmp` holds as many.
static void
sort_ranges(struct range *r, struct range *tmp, uint32_t n)
{
    for (uint32_t w = 1; w < n; w *= 2) {
        for (uint32_t from = 0; from < n; from += 2 * w) {
            uint32_t mid = from + w < n ? from + w : n, end = mid + w < n ? mid + w : n, i = from, j = mid;
            for (uint32_t k = from; k < end; k++)
                tmp[k] = j >= end || (i < mid && range_cmp(&r[i], &r[j]) <= 0) ? r[i++] : r[j++];
        }
        memcpy(r, tmp, n * sizeof *r);
    }
}

// Joins neighbours from the end; the n ranges become those marked by first <= last of the returned number.
static uint32_t
join(struct range *r, uint32_t n)
{
    uint32_t out = n; // finished ranges stand at the end, r[out ..)
    struct range now = r[n - 1];
    for (uint32_t i = n - 1; i > 0; i--) {
        struct ag_ip before = previous(&now.first);
        if (ip_cmp(&before, &r[i - 1].last) <= 0) {
            if (ip_cmp(&r[i - 1].first, &now.first) < 0)
                now.first = r[i - 1].first;
            now.is_merged = true;
        } else {
            r[--out] = now;
            now = r[i - 1];
        }
    }
    r[--out] = now;
    return out;
}

static bool
push_network(struct ag_call *c, struct ag_builder *b, const struct ag_cidr *n)
{
    char text[AG_IP_TEXT_MAX + 4];
    struct ag_buf out;
    ag_buf_init(&out, text, sizeof text);
    ag_ip_put(&out, &n->ip);
    ag_buf_char(&out, '/');
    ag_buf_u64(&out, ag_ip_is_v4(&n->ip) ? n->prefix - 96 : n->prefix);
    struct ag_value v = ag_string_copy(&c->mem, ag_str_of(text, out.n));
    return ag_charge(c, 8) && v.kind == AG_STRING && ag_builder_push(&c->mem, b, v);
}

// The fewest networks for first..last, each as large as its address and the end allow.
static bool
push_range(struct ag_call *c, struct ag_builder *b, const struct range *r)
{
    struct ag_cidr n = {.ip = r->first};
    for (;;) {
        struct ag_ip last = n.ip;
        n.prefix = 128;
        for (unsigned p = 128; p-- > (ag_ip_is_v4(&n.ip) ? 96 : 0);) {
            struct ag_cidr wide = {n.ip, p};
            struct ag_ip start = ag_ip_mask(&n.ip, p), end = ag_cidr_last(&wide);
            if (ip_cmp(&start, &n.ip) != 0 || ip_cmp(&end, &r->last) > 0)
                break;
            n.prefix = p;
            last = end;
        }
        if (!push_network(c, b, &n))
            return false;
        if (ip_cmp(&last, &r->last) >= 0)
            return true;
        for (int i = 15; i >= 0 && ++last.b[i] == 0; i--)
            ;
        n.ip = last;
    }
}

struct ag_value
ag_bi_cidr_merge(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value error;
    uint32_t n = a[0].len;
    if (a[0].kind != AG_ARRAY && a[0].kind != AG_SET)
        return ag_error(c, AG_VERR_BUILTIN, "operand must be an array");
    if (!ag_charge(c, 8 * (uint64_t)n))
        return ag_undef();
    struct range *r = ag_call_alloc(c, 2 * (size_t)n * sizeof *r, 4);
    struct ag_builder *b = ag_builder_new(&c->mem, AG_SET);
    if (!r)
        return ag_undef();
    for (uint32_t i = 0; i < n; i++)
        if (!read_one(c, ag_value_at(&c->mem, a[0], i), &r[i], &error))
            return error;
    sort_ranges(r, r + n, n);
    bool ok = b != NULL;
    for (uint32_t i = n ? join(r, n) : n; ok && i < n; i++)
        ok = r[i].is_merged ? push_range(c, b, &r[i]) : push_network(c, b, &r[i].net);
    return ag_bi_close(c, b, ok);
}
