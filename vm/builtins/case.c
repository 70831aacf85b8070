// SPDX-License-Identifier: Apache-2.0
// lower and upper: every code point by its simple case mapping (text.def says of which Unicode). In: strings.
// Out: strings in the call's arena. Next file to read: str.c.
#include "builtin_fns.h"
#include "utf8.h"

struct mapping {
    uint32_t lo, hi, step;
    int32_t delta;
};

static const struct mapping lower[] = {
#define AG_LOWER(lo, hi, step, delta) {lo, hi, step, delta},
#include "text.def"
};
static const struct mapping upper[] = {
#define AG_UPPER(lo, hi, step, delta) {lo, hi, step, delta},
#include "text.def"
};

// The runs are sorted and do not overlap.
static uint32_t
mapped(const struct mapping *map, size_t n, uint32_t cp)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cp > map[mid].hi)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == n || cp < map[lo].lo || (cp - map[lo].lo) % map[lo].step)
        return cp;
    return (uint32_t)((int32_t)cp + map[lo].delta);
}

static bool
is_ascii(struct ag_value s)
{
    uint8_t bits = 0;
    for (uint32_t i = 0; i < s.len; i++)
        bits |= s.p[i];
    return bits < 0x80;
}

static struct ag_value
map_ascii(struct ag_call *c, struct ag_value s, uint8_t first)
{
    char *p = ag_call_alloc(c, s.len, 1);
    for (uint32_t i = 0; p && i < s.len; i++)
        p[i] = (char)((uint8_t)(s.p[i] - first) < 26 ? s.p[i] ^ 0x20 : s.p[i]);
    return p ? ag_bi_text(p, s.len) : ag_undef();
}

static struct ag_value
map_case(struct ag_call *c, struct ag_value s, uint8_t first, const struct mapping *map, size_t n)
{
    struct ag_buf out;
    if (!ag_charge_bytes(c, s.len))
        return ag_undef();
    if (is_ascii(s))
        return map_ascii(c, s, first);
    if (!ag_charge(c, s.len) || !ag_bi_begin(c, &out))
        return ag_undef();
    for (size_t at = 0, step; at < s.len && !out.is_full; at += step) {
        uint32_t cp = 0;
        uint8_t text[4];
        step = ag_utf8_decode(s.p + at, s.len - at, &cp);
        if (step == 0) // no text; strings are checked where they come in
            return ag_bi_end(c, &out, false);
        ag_buf_put(&out, text, ag_utf8_encode(mapped(map, n, cp), text));
    }
    return ag_bi_end(c, &out, true);
}

struct ag_value
ag_bi_lower(struct ag_call *c, const struct ag_value *a)
{
    return map_case(c, a[0], 'A', lower, sizeof lower / sizeof lower[0]);
}

struct ag_value
ag_bi_upper(struct ag_call *c, const struct ag_value *a)
{
    return map_case(c, a[0], 'a', upper, sizeof upper / sizeof upper[0]);
}
