// SPDX-License-Identifier: Apache-2.0
// The clocks of a decision. In: the system or a virtual time. Out: struct agr_time. Owns: nothing. Next:
// state/state.c.
#include "clock.h"

#include <time.h>

static int64_t
clock_ns(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) == -1)
        return 0;
    return (int64_t)ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void
system_read(void *self, struct agr_time *ret)
{
    (void)self;
    ret->wall_ns = clock_ns(CLOCK_REALTIME);
    ret->boot_ns = clock_ns(CLOCK_BOOTTIME);
}

static void
virtual_read(void *self, struct agr_time *ret)
{
    const struct agr_clock_virtual *v = self;
    *ret = v->now;
}

static const struct agr_clock clock_system = {system_read, NULL};

const struct agr_clock *
agr_clock_system(void)
{
    return &clock_system;
}

void
agr_clock_now(const struct agr_clock *c, struct agr_time *ret)
{
    c->read(c->self, ret);
}

struct agr_clock
agr_clock_virtual_init(struct agr_clock_virtual *v, int64_t wall_ns, int64_t boot_ns)
{
    v->now = (struct agr_time){wall_ns, boot_ns};
    return (struct agr_clock){virtual_read, v};
}

void
agr_clock_virtual_set(struct agr_clock_virtual *v, int64_t wall_ns)
{
    int64_t step;
    bool fits = !__builtin_sub_overflow(wall_ns, v->now.wall_ns, &step);
    if (fits && step > 0 && v->now.boot_ns <= INT64_MAX - step)
        v->now.boot_ns += step;
    v->now.wall_ns = wall_ns;
}
