// SPDX-License-Identifier: Apache-2.0
// Clocks: the system's move, a virtual one moves only when told, and never lets the time since boot fall.
#include "clock.h"

#include "t.h"

int
main(void)
{
    struct agr_time a, b;
    agr_clock_now(agr_clock_system(), &a);
    agr_clock_now(agr_clock_system(), &b);
    OK(a.wall_ns > INT64_C(1500000000000000000) && a.boot_ns > 0, "the system's clocks can be read");
    OK(b.boot_ns >= a.boot_ns, "the time since boot does not fall");
    struct agr_clock_virtual v;
    struct agr_clock c = agr_clock_virtual_init(&v, 1000, 50);
    agr_clock_now(&c, &a);
    agr_clock_now(&c, &b);
    OK(a.wall_ns == 1000 && a.boot_ns == 50 && b.wall_ns == a.wall_ns && b.boot_ns == a.boot_ns,
       "a virtual clock stands");
    agr_clock_virtual_set(&v, 1500);
    agr_clock_now(&c, &b);
    OK(b.wall_ns == 1500 && b.boot_ns == 550, "forward: both move");
    agr_clock_virtual_set(&v, 200);
    agr_clock_now(&c, &b);
    OK(b.wall_ns == 200 && b.boot_ns == 550, "backward: only the wall time moves");
    agr_clock_virtual_set(&v, INT64_MIN);
    agr_clock_virtual_set(&v, INT64_MAX);
    agr_clock_now(&c, &b);
    OK(b.wall_ns == INT64_MAX && b.boot_ns >= 550, "a step too large for 64 bits does not overflow");
    return t_done();
}
