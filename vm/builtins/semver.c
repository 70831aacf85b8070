// SPDX-License-Identifier: Apache-2.0
// Built-ins semver.*: versions MAJOR.MINOR.PATCH-PRERELEASE+METADATA in the order of semver.org 2.0.0,
// section 11, as lenient as Open Policy Agent 1.18: a leading v and leading zeros are accepted. In: texts.
// Out: -1, 0, 1, a boolean. No memory. Next file to read: units.c.
#include "builtin_fns.h"

struct version {
    int64_t number[3];
    struct ag_str pre;
};

// Splits s at the first `sep`; without one everything is before it.
static struct ag_str
cut(struct ag_str s, char sep, struct ag_str *ret_after)
{
    const char *p = s.n ? memchr(s.p, sep, s.n) : NULL;
    size_t n = p ? (size_t)(p - s.p) : s.n;
    *ret_after = p ? ag_str_of(p + 1, s.n - n - 1) : ag_str_of(s.p + s.n, 0);
    return ag_str_of(s.p, n);
}

// Words of letters, digits and hyphens between full stops; none at all is accepted too.
static bool
is_words(struct ag_str s)
{
    bool in_word = false;
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool is_word =
            (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '-';
        if (!is_word && (ch != '.' || !in_word))
            return false;
        in_word = is_word;
    }
    return in_word || s.n == 0;
}

// Digits; a number past int64 is refused, or with `clamp` the greatest.
static bool
digits(struct ag_str s, bool clamp, int64_t *ret)
{
    int64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, s.p[i] - '0', &v)) {
            if (!clamp)
                return false;
            v = INT64_MAX;
        }
    }
    *ret = v;
    return s.n > 0;
}

static bool
parse(struct ag_str s, struct version *ret)
{
    struct ag_str metadata, rest;
    if (s.n && s.p[0] == 'v')
        s = ag_str_of(s.p + 1, s.n - 1);
    s = cut(s, '+', &metadata);
    s = cut(s, '-', &ret->pre);
    for (int i = 0; i < 3; i++) {
        struct ag_str part = i < 2 ? cut(s, '.', &rest) : s;
        if (!digits(part, false, &ret->number[i]))
            return false;
        s = rest;
    }
    return is_words(metadata) && is_words(ret->pre);
}

static int
cmp_int(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

// Words of a pre-release: numbers first and by value, others bytewise.
static int
cmp_word(struct ag_str a, struct ag_str b)
{
    int64_t x = 0, y = 0;
    bool a_int = digits(a, true, &x), b_int = digits(b, true, &y);
    if (a_int != b_int)
        return a_int ? -1 : 1;
    return a_int ? cmp_int(x, y) : ag_str_cmp(a, b);
}

static int
cmp_pre(struct ag_str a, struct ag_str b)
{
    if (ag_str_eq(a, b))
        return 0;
    if (a.n == 0 || b.n == 0) // a release is greater than its pre-releases
        return a.n == 0 ? 1 : -1;
    for (;;) {
        struct ag_str x = cut(a, '.', &a), y = cut(b, '.', &b);
        int d = cmp_word(x, y);
        if (d == 0)
            d = cmp_int(a.n != 0, b.n != 0); // more words are greater
        if (d || a.n == 0)
            return d;
    }
}

struct ag_value
ag_bi_semver_compare(struct ag_call *c, const struct ag_value *a)
{
    struct version v[2];
    if (!ag_charge_bytes(c, (uint64_t)a[0].len + a[1].len))
        return ag_undef();
    for (unsigned i = 0; i < 2; i++) {
        struct ag_str s = ag_value_str(a[i]);
        if (!parse(s, &v[i]))
            return ag_error(c, AG_VERR_BUILTIN, "operand %u: string \"%.*s\" is not a valid SemVer", i + 1,
                            (int)(s.n < 300 ? s.n : 300), s.p);
    }
    int d = 0;
    for (int i = 0; i < 3 && !d; i++)
        d = cmp_int(v[0].number[i], v[1].number[i]);
    return ag_int(d ? d : cmp_pre(v[0].pre, v[1].pre));
}

struct ag_value
ag_bi_semver_is_valid(struct ag_call *c, const struct ag_value *a)
{
    struct version v;
    if (a[0].kind != AG_STRING)
        return ag_bool(false);
    return ag_charge_bytes(c, a[0].len) ? ag_bool(parse(ag_value_str(a[0]), &v)) : ag_undef();
}
