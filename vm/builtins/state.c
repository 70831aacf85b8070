// SPDX-License-Identifier: Apache-2.0
// What a policy may know besides its input: how much of a limit is left, whether a tenant is killed, where
// the decision's clock stands in a zone. In: names, key values, windows. Out: values. Memory: the call's
// arena. Each word of state is read once for each decision (effects.c remembers). Next file to read:
// ../effects.c, ../zone.c.
#include "builtin_fns.h"
#include "zone.h"

#define MICRO    1000000
#define NS_PER_S 1000000000
#define DAY_S    86400
#define DAY_MIN  1440
#define ALL_DAYS 127u

// --- limits

static bool
put_member(struct ag_call *c, struct ag_builder *b, const char *name, struct ag_value v)
{
    struct ag_value key = ag_bi_copy(c, ag_str_z(name));
    return key.kind == AG_STRING && v.kind > AG_ERROR && ag_builder_put(&c->mem, b, key, v);
}

// Events as they are, micro-dollars as dollars.
static struct ag_value
remaining(struct ag_call *c, uint64_t n, bool is_money)
{
    struct ag_value v = ag_int(n > INT64_MAX ? INT64_MAX : (int64_t)n);
    return is_money ? ag_value_div(c, v, ag_int(MICRO)) : v;
}

static struct ag_value
peek(struct ag_call *c, const struct ag_value *a, const char *op)
{
    struct ag_limit_view view;
    struct ag_str name = ag_value_str(a[0]);
    int shown = (int)(name.n < AG_WORD_SHOWN_MAX ? name.n : AG_WORD_SHOWN_MAX);
    if (!ag_charge(c, 1 + c->im->nlimits))
        return ag_undef();
    uint32_t ix = ag_limit_find(c->im, name);
    if (ix == AG_NONE)
        return ag_error(c, AG_VERR_BUILTIN, "limits: does not declare \"%.*s\"", shown, name.p);
    const char *wanted = ag_effect_op_of((enum ag_limit_kind)c->im->limits[ix].kind);
    if (strcmp(wanted, op) != 0)
        return ag_error(c, AG_VERR_BUILTIN, "\"%.*s\" is a limit of another kind", shown, name.p);
    if (!ag_effect_peek(c, ix, a[1], &view))
        return ag_error(c, AG_VERR_BUILTIN, "the key of \"%.*s\" is an array of %u values", shown, name.p,
                        c->im->limits[ix].nkeys);
    if (c->stop != AG_EVAL_OK)
        return ag_undef();
    struct ag_builder *b = ag_builder_new(&c->mem, AG_OBJECT);
    bool is_money = c->im->limits[ix].kind == AG_LIMIT_BUDGET;
    bool ok = b && put_member(c, b, "allowed", ag_bool(view.admits)) &&
              put_member(c, b, "remaining", remaining(c, view.remaining, is_money)) &&
              put_member(c, b, "reset_at_ns", ag_int(view.reset_at_ns)) &&
              put_member(c, b, "retry_after_ns", ag_int(view.retry_after_ns));
    return ag_bi_close(c, b, ok);
}

struct ag_value
ag_bi_rate_peek(struct ag_call *c, const struct ag_value *a)
{
    return peek(c, a, "rate.take");
}

struct ag_value
ag_bi_quota_peek(struct ag_call *c, const struct ag_value *a)
{
    return peek(c, a, "quota.take");
}

struct ag_value
ag_bi_budget_peek(struct ag_call *c, const struct ag_value *a)
{
    return peek(c, a, "budget.reserve");
}

struct ag_value
ag_bi_killed(struct ag_call *c, const struct ag_value *a)
{
    return ag_effect_killed(c, ag_value_str(a[0]));
}

// --- time

// Minutes since Monday 00:00 in a zone; false: *ret_error is the value to return.
static bool
week_minute(struct ag_call *c, struct ag_value zone, int32_t *ret, struct ag_value *ret_error)
{
    const struct ag_zone *z;
    if (!ag_bi_zone(c, ag_value_str(zone), &z, ret_error))
        return false;
    int64_t t = ag_floor_div(c->now_ns, NS_PER_S);
    t += z ? ag_zone_offset(z, t) : 0;
    int64_t days = ag_floor_div(t, DAY_S);
    *ret = (int32_t)ag_weekday(days) * DAY_MIN + (int32_t)((t - days * DAY_S) / 60);
    return true;
}

// "HH:MM" at p as minutes of the day, -1 when it is none.
static int
minute_at(const char *p)
{
    for (int i = 0; i < 5; i++)
        if (i != 2 && (p[i] < '0' || p[i] > '9'))
            return -1;
    int h = (p[0] - '0') * 10 + p[1] - '0', m = (p[3] - '0') * 10 + p[4] - '0';
    return p[2] == ':' && m < 60 && (h < 24 || (h == 24 && m == 0)) ? h * 60 + m : -1;
}

static bool
window_of(struct ag_str s, struct ag_window *ret)
{
    if (s.n != 11 || s.p[5] != '-')
        return false;
    int start = minute_at(s.p), end = minute_at(s.p + 6);
    if (start < 0 || start == DAY_MIN || end < 0 || start == end)
        return false;
    *ret =
        (struct ag_window){.zone = AG_NONE, .start = (uint16_t)start, .end = (uint16_t)end, .days = ALL_DAYS};
    return true;
}

struct ag_value
ag_bi_time_within(struct ag_call *c, const struct ag_value *a)
{
    struct ag_window w;
    struct ag_value error;
    int32_t minute;
    if (!window_of(ag_value_str(a[0]), &w))
        return ag_error(c, AG_VERR_BUILTIN, "a window is written HH:MM-HH:MM and is not empty");
    if (!week_minute(c, a[1], &minute, &error))
        return error;
    return ag_bool(ag_window_holds(&w, minute));
}

struct ag_value
ag_bi_time_iso_weekday(struct ag_call *c, const struct ag_value *a)
{
    struct ag_value error;
    int32_t minute;
    if (!week_minute(c, a[0], &minute, &error))
        return error;
    return ag_int(minute / DAY_MIN + 1);
}
