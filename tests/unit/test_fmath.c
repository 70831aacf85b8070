// SPDX-License-Identifier: Apache-2.0
// exp, log, erfc and sqrt: special values, published values, and the distance from MPFR in units of the last
// place. The portable square root, which this machine may not use, is compiled under another name and
// compared.
#include "t.h"

#include "fmath.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#ifdef AEGIS_HAVE_MPFR
#include <mpfr.h>
#endif

double portable_exp(double x);
double portable_log(double x);
double portable_erfc(double x);
double portable_sqrt(double x);
#define ag_exp  portable_exp
#define ag_log  portable_log
#define ag_erfc portable_erfc
#define ag_sqrt portable_sqrt
#if defined(__x86_64__)
#include <emmintrin.h>
#undef __x86_64__
#endif
#include "vm/base/fmath.c"
#undef ag_exp
#undef ag_log
#undef ag_erfc
#undef ag_sqrt

#define INF   ((double)INFINITY)
#define NOTNO ((double)NAN)

static int
same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void
test_special(void)
{
    OK(ag_exp(0) == 1 && ag_exp(-0.0) == 1, "exp(0) is exactly 1");
    OK(ag_exp(INF) == INF && ag_exp(-INF) == 0 && ag_exp(NOTNO) != ag_exp(NOTNO),
       "exp of infinities and NaN");
    OK(ag_exp(709.78) < INF && ag_exp(709.79) == INF && ag_exp(1e300) == INF, "exp at its upper end");
    OK(ag_exp(-745.13) == 0x1p-1074 && ag_exp(-745.14) == 0 && ag_exp(-1e300) == 0, "exp at its lower end");
    OK(ag_log(1) == 0 && ag_log(0) == -INF && ag_log(INF) == INF, "log(1), log(0), log(inf)");
    OK(ag_log(-1) != ag_log(-1) && ag_log(NOTNO) != ag_log(NOTNO), "log below 0 and of NaN");
    OK(same(ag_log(2), 0x1.62e42fefa39efp-1), "log(2)");
    double e = ag_exp(1) - 0x1.5bf0a8b145769p+1;
    OK(e <= 0x1p-51 && e >= -0x1p-51, "exp(1) is within one unit");
    OK(same(ag_log(0x1p-1074), -0x1.74385446d71c3p+9), "log of the least number");
    OK(ag_erfc(0) == 1 && ag_erfc(INF) == 0 && ag_erfc(-INF) == 2 && ag_erfc(NOTNO) != ag_erfc(NOTNO),
       "erfc of 0, infinities, NaN");
    OK(ag_erfc(27.3) == 0 && ag_erfc(27.2) > 0 && ag_erfc(-6) == 2 && ag_erfc(-7) == 2, "erfc at its ends");
    OK(same(ag_sqrt(4), 2) && ag_sqrt(0) == 0 && ag_sqrt(INF) == INF && ag_sqrt(-1) != ag_sqrt(-1), "sqrt");
}

static uint64_t state = 88172645463325252u;

static uint64_t
next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void
test_sqrt(void)
{
    int good = 1;
    for (int i = 0; i < 100000; i++) {
        uint64_t b = next() >> 1;
        double x;
        if (i < 1000)
            b >>= 12; // subnormal
        memcpy(&x, &b, sizeof x);
        if (b >> 52 != 0x7ff && !same(ag_sqrt(x), portable_sqrt(x))) {
            printf("# sqrt(%a): %a and %a\n", x, ag_sqrt(x), portable_sqrt(x));
            good = 0;
            break;
        }
    }
    OK(good, "the portable square root equals the machine's");
    OK(same(ag_erfc(1.25), portable_erfc(1.25)) && same(ag_exp(1.25), portable_exp(1.25)) &&
           same(ag_log(1.25), portable_log(1.25)),
       "the other functions do not depend on the machine");
}

#ifdef AEGIS_HAVE_MPFR
typedef int mpfr_fn(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

// Largest distance over n points of [a, b].
static double
worst(double (*f)(double), mpfr_fn *g, double a, double b, int n)
{
    mpfr_t x, y, d;
    double most = 0;
    mpfr_init2(x, 53);
    mpfr_init2(y, 160);
    mpfr_init2(d, 160);
    for (int i = 0; i < n; i++) {
        double v = a + (b - a) * ((double)(next() >> 11) * 0x1p-53);
        mpfr_set_d(x, v, MPFR_RNDN);
        g(y, x, MPFR_RNDN);
        if (mpfr_zero_p(y))
            continue;
        mpfr_exp_t place = mpfr_get_exp(y) - 53;
        mpfr_set_d(d, f(v), MPFR_RNDN);
        mpfr_sub(d, d, y, MPFR_RNDN);
        mpfr_mul_2si(d, d, -(place < -1074 ? -1074 : place), MPFR_RNDN);
        mpfr_abs(d, d, MPFR_RNDN);
        double u = mpfr_get_d(d, MPFR_RNDN);
        most = u > most ? u : most;
    }
    mpfr_clears(x, y, d, (mpfr_ptr)0);
    return most;
}

static void
test_mpfr(void)
{
    static const struct {
        const char *name;
        double (*f)(double);
        mpfr_fn *g;
        double a, b;
    } rows[] = {{"exp", ag_exp, mpfr_exp, -1, 1},         {"exp", ag_exp, mpfr_exp, -745, 709.7},
                {"exp", ag_exp, mpfr_exp, -745, -705},    {"log", ag_log, mpfr_log, 0.5, 2},
                {"log", ag_log, mpfr_log, 0.99, 1.01},    {"log", ag_log, mpfr_log, 1e-300, 1e300},
                {"log", ag_log, mpfr_log, 0, 2e-308},     {"erfc", ag_erfc, mpfr_erfc, -6, -0.5},
                {"erfc", ag_erfc, mpfr_erfc, -0.5, 0.25}, {"erfc", ag_erfc, mpfr_erfc, 0.25, 0.5},
                {"erfc", ag_erfc, mpfr_erfc, 0.5, 4},     {"erfc", ag_erfc, mpfr_erfc, 4, 6},
                {"erfc", ag_erfc, mpfr_erfc, 6, 10},      {"erfc", ag_erfc, mpfr_erfc, 10, 26.5},
                {"erfc", ag_erfc, mpfr_erfc, 26.5, 27.3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double u = worst(rows[i].f, rows[i].g, rows[i].a, rows[i].b, 10000);
        OK(u <= 4, "%s on [%g, %g] is within 4 ulp of MPFR (%.2f)", rows[i].name, rows[i].a, rows[i].b, u);
    }
}
#else
static void
test_mpfr(void)
{
    t_skip("MPFR was not there at build time: distances are not measured");
}
#endif

int
main(void)
{
    test_special();
    test_sqrt();
    test_mpfr();
    return t_done();
}
