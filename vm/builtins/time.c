// SPDX-License-Identifier: Apache-2.0
// Built-ins on time: the decision's clock and calendar fields in UTC or a time zone that the image carries.
// In: nanoseconds since 1970 UTC, or [nanoseconds, zone name]. Out: arrays and names. Memory: the call's
// arena. Next file to read: zone.c.
#include "builtin_fns.h"
#include "zone.h"

#define NS_PER_S 1000000000
#define DAY_S    86400

struct ag_value
ag_bi_now_ns(struct ag_call *c, const struct ag_value *a)
{
    (void)a;
    return ag_int(c->now_ns);
}

static bool
zone_named(const struct ag_call *c, struct ag_value name, int64_t *t)
{
    if (name.kind != AG_STRING)
        return false;
    struct ag_str s = ag_value_str(name);
    if (s.n == 0 || ag_str_eq(s, AG_STR("UTC")))
        return true;
    for (uint32_t i = 0; i < c->im->nzones; i++) {
        const struct ag_zone *z = ag_image_zone(c->im, i);
        if (ag_str_eq(ag_image_str(c->im, z->name), s)) {
            *t += ag_zone_offset(z, *t);
            return true;
        }
    }
    return false;
}

// Local seconds since 1970; false: not a time, or a zone that the image does not carry.
static bool
local_seconds(const struct ag_call *c, struct ag_value v, int64_t *ret)
{
    struct ag_value ns = v, zone = ag_undef();
    if (v.kind == AG_ARRAY) {
        if (v.len != 2)
            return false;
        ns = ag_value_at(&c->mem, v, 0);
        zone = ag_value_at(&c->mem, v, 1);
    }
    int64_t n;
    if (!ag_number_int(ns, &n))
        return false;
    *ret = ag_floor_div(n, NS_PER_S);
    return v.kind != AG_ARRAY || zone_named(c, zone, ret);
}

static struct ag_value
three(struct ag_call *c, int64_t x, int64_t y, int64_t z)
{
    struct ag_builder *b = ag_builder_new(&c->mem, AG_ARRAY);
    return ag_bi_close(c, b,
                       b && ag_builder_push(&c->mem, b, ag_int(x)) &&
                           ag_builder_push(&c->mem, b, ag_int(y)) && ag_builder_push(&c->mem, b, ag_int(z)));
}

struct ag_value
ag_bi_time_clock(struct ag_call *c, const struct ag_value *a)
{
    int64_t t;
    if (!local_seconds(c, a[0], &t))
        return ag_bi_error();
    t -= ag_floor_div(t, DAY_S) * DAY_S;
    return three(c, t / 3600, t / 60 % 60, t % 60);
}

struct ag_value
ag_bi_time_date(struct ag_call *c, const struct ag_value *a)
{
    int64_t t, y;
    unsigned m, d;
    if (!local_seconds(c, a[0], &t))
        return ag_bi_error();
    ag_civil_from_days(ag_floor_div(t, DAY_S), &y, &m, &d);
    return three(c, y, m, d);
}

struct ag_value
ag_bi_time_weekday(struct ag_call *c, const struct ag_value *a)
{
    static const char *const names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
    int64_t t;
    if (!local_seconds(c, a[0], &t))
        return ag_bi_error();
    return ag_bi_copy(c, ag_str_z(names[ag_weekday(ag_floor_div(t, DAY_S))]));
}
