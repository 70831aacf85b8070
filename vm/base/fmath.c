// SPDX-License-Identifier: Apache-2.0
// exp, log, erfc and sqrt from IEEE + - * / alone: no libm, fixed order, so the gates answer alike
// everywhere. In: doubles. Out: doubles within 4 units in the last place (sqrt: exactly rounded). No state.
// The build passes -ffp-contract=off; machines that evaluate in wider registers are refused below.
// Next file to read: vm/gates/risk.c.
#include "fmath.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

_Static_assert(FLT_EVAL_METHOD == 0, "doubles must be evaluated as doubles");
_Static_assert(DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024, "IEEE 754 binary64");

__extension__ typedef unsigned __int128 u128;

#define EXP_MAX   709.79  // past it e^x is infinite
#define EXP_MIN   -745.14 // below it e^x rounds to 0
#define ERFC_MAX  27.3    // past it erfc(x) rounds to 0
#define ERFC_MIN  -6.0    // below it erfc(x) rounds to 2
#define ERF_RANGE 0.25    // up to here erfc is 1 - erf without loss
#define TAIL_FROM 4.0     // from here erfc is a function of 1/x^2

// ln 2 in two parts, the first with 32 bits so that its product with an exponent is exact.
#define LN2_HIGH 0x1.62e42p-1
#define LN2_LOW  0x1.fdf473de6af28p-22
#define LOG2_E   0x1.71547652b82fep+0
#define SQRT2    0x1.6a09e667f3bcdp+0

static uint64_t
bits_of(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static double
double_of(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

// x × 2^k for -1100 < k < 1100; x between 2^-10 and 2^10. One rounding, when the result is subnormal.
static double
scale(double x, int k)
{
    int first = k < -1000 ? -1000 : k > 1000 ? 1000 : k;
    x *= double_of((uint64_t)(first + 1023) << 52);
    return x * double_of((uint64_t)(k - first + 1023) << 52);
}

// e^x = m × 2^k with m between 0.7 and 1.5; |x| < 800. Taylor series on |r| <= ln(2)/2, error below 2^-57.
static double
exp_parts(double x, int *ret_k)
{
    int k = (int)(x * LOG2_E + (x < 0 ? -0.5 : 0.5));
    double high = x - k * LN2_HIGH, low = k * LN2_LOW;
    double r = high - low;
    double p = 1.0 / 6227020800.0;
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    *ret_k = k;
    return 1.0 + (high + (r * r * p - low));
}

double
ag_exp(double x)
{
    if (x != x)
        return x;
    if (x > EXP_MAX)
        return (double)INFINITY;
    if (x < EXP_MIN)
        return 0;
    int k;
    double m = exp_parts(x, &k);
    return scale(m, k);
}

double
ag_log(double x)
{
    uint64_t b = bits_of(x);
    int k = 0;
    if (x != x || x == (double)INFINITY)
        return x;
    if (x < 0)
        return (double)NAN;
    if (x == 0)
        return -(double)INFINITY;
    if (b >> 52 == 0) { // subnormal
        b = bits_of(x * 0x1p54);
        k = -54;
    }
    k += (int)(b >> 52) - 1023;
    double m = double_of((b << 12 >> 12) | (uint64_t)1023 << 52);
    if (m > SQRT2) {
        m *= 0.5;
        k++;
    }
    // log(1+f) = 2 atanh(s) with s = f/(2+f), written as f - (f²/2 - s (f²/2 + R)) so that the large part is
    // exact.
    double f = m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
    double r = 2.0 / 23.0;
    r = r * z + 2.0 / 21.0;
    r = r * z + 2.0 / 19.0;
    r = r * z + 2.0 / 17.0;
    r = r * z + 2.0 / 15.0;
    r = r * z + 2.0 / 13.0;
    r = r * z + 2.0 / 11.0;
    r = r * z + 2.0 / 9.0;
    r = r * z + 2.0 / 7.0;
    r = r * z + 2.0 / 5.0;
    r = r * z + 2.0 / 3.0;
    r *= z;
    return k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f);
}

// erf(x)/x as a series in x²: 2/sqrt(pi) × (-1)^n / (n! (2n+1)).
static const double erf_series[] = {0x1.20dd750429b6dp+0,  -0x1.812746b0379e7p-2,  0x1.ce2f21a042be2p-4,
                                    -0x1.b82ce31288b51p-6, 0x1.565bcd0e6a53fp-8,   -0x1.c02db40040b86p-11,
                                    0x1.f9a326f9b89b7p-14, -0x1.f4d25c3e0c2ebp-17, 0x1.b9e6c9dc651a3p-20,
                                    -0x1.5f742ec43e71ap-23};

#define BODY_TERMS 15
#define TAIL_TERMS 12

// e^(x²) erfc(x) around the middles of [0, 0.5], [0.5, 1], ... [3.5, 4]: powers of (x - middle), interpolated
// at Chebyshev points to a relative error below 2^-58.
static const double body[8][BODY_TERMS] = {
    {0x1.8a6adcda2ea92p-1, -0x1.7c857b9b3c192p-1, 0x1.2b497df35fa2ep-1, -0x1.97997ad330159p-2,
     0x1.f0ac9d31f3190p-3, -0x1.146985bdc8356p-3, 0x1.1d0c27d730f62p-4, -0x1.132db77501f93p-5,
     0x1.f54ce163eba29p-7, -0x1.b181f36d2d941p-8, 0x1.65b0c3061e6efp-9, -0x1.1aa71fe32ec4dp-10,
     0x1.ada66a96916b9p-12, -0x1.440f494648256p-13, 0x1.ca52aebaecfeep-15},
    {0x1.038d54ea3d834p-1, -0x1.78cdd551ee51ap-2, 0x1.d90093ae10928p-3, -0x1.09e77d40e01cep-3,
     0x1.1192f5bd6873cp-4, -0x1.054d68296d26ap-5, 0x1.d43a7c7a7c0fap-7, -0x1.8c97dd23cacebp-8,
     0x1.3f818962c9a60p-9, -0x1.ec0d293395f67p-11, 0x1.6b984c0138dd8p-12, -0x1.02a04a14e43aap-13,
     0x1.635d5fe5fc73cp-15, -0x1.e412f7345926ep-17, 0x1.37d7863ebade2p-18},
    {0x1.78a692138767ap-2, -0x1.abaacdbfa8b07p-3, 0x1.b56f45eef7e58p-4, -0x1.9b635ac624aacp-5,
     0x1.68a25a6641f0fp-6, -0x1.299636d6cc780p-7, 0x1.d1b695aac3b75p-9, -0x1.5b8bc93be2cfcp-10,
     0x1.f0fe6fa38ae29p-12, -0x1.55c091473d69dp-13, 0x1.c5704c211f94ap-15, -0x1.22ef171276aeep-16,
     0x1.6a0a03aa8bdd0p-18, -0x1.be7acdc5ba9a0p-20, 0x1.06619375fc922p-21},
    {0x1.23cfc2f1dc7e0p-2, -0x1.0c3d538446447p-3, 0x1.c8d0cef0f810dp-5, -0x1.6cb52fe489456p-6,
     0x1.13648a11ffe6ep-7, -0x1.8bf716a8edfb0p-9, 0x1.106bd5c044de2p-10, -0x1.6838884303dbfp-12,
     0x1.cb4c687663b55p-14, -0x1.1b291c3426d9dp-15, 0x1.5273fcedd6c81p-17, -0x1.88eee54c7c1b3p-19,
     0x1.bc0384dfab0dap-21, -0x1.f14928151e4e0p-23, 0x1.0b240c0b45ac3p-24},
    {0x1.d94446d627932p-3, -0x1.6a70d2bb37411p-4, 0x1.0615670e25a7bp-5, -0x1.6883f9919a177p-7,
     0x1.da595561f7d31p-9, -0x1.2bd251bb2fe84p-10, 0x1.6d7743d3b35a3p-12, -0x1.aed7ebc558f93p-14,
     0x1.ec773cc51b889p-16, -0x1.117a6b9b9f74cp-17, 0x1.27af477cc6335p-19, -0x1.37b2d3e2bafe1p-21,
     0x1.40e119faabcc4p-23, -0x1.478772de8066dp-25, 0x1.428297084d79cp-27},
    {0x1.8c9eb68ff27d7p-3, -0x1.0305781330099p-4, 0x1.43b98bac83823p-6, -0x1.84e9ab30e6ab2p-8,
     0x1.c2c72fd72763dp-10, -0x1.f99e41ecb124ep-12, 0x1.131bb16125983p-13, -0x1.2312b25805865p-15,
     0x1.2bfb5b0d83f91p-17, -0x1.2da32d24fb79ap-19, 0x1.2856fda52a137p-21, -0x1.1ccb30f457aedp-23,
     0x1.0c1223e921938p-25, -0x1.f4a74bd173f40p-28, 0x1.c52907556b237p-30},
    {0x1.54a7a08d4bb45p-3, -0x1.82a8522b868a1p-5, 0x1.a7eddc9ee6425p-7, -0x1.c24b49c47a2c4p-9,
     0x1.d085857a17f32p-11, -0x1.d25ebba1c4c85p-13, 0x1.c882f02381739p-15, -0x1.b45d025e9b82ap-17,
     0x1.97dd78d660966p-19, -0x1.753cadda71686p-21, 0x1.4ec0940662f33p-23, -0x1.2688f42649504p-25,
     0x1.fcf360e689c4dp-28, -0x1.b48194f146c80p-30, 0x1.6c5a759d1a00ap-32},
    {0x1.2a2af19c14930p-3, -0x1.2aa6503acda11p-5, 0x1.22f0664f3cbf9p-7, -0x1.1434ae05873abp-9,
     0x1.fff032a0df889p-12, -0x1.cfcdea1b1f6c4p-14, 0x1.9b50d0d260eb3p-16, -0x1.65778aaccad91p-18,
     0x1.30c2fb3f99919p-20, -0x1.fe3e34cfa3fcap-23, 0x1.a3bee4ac74431p-25, -0x1.53924ed57f3c1p-27,
     0x1.0e5ba114e575cp-29, -0x1.ab9e392a1a0ddp-32, 0x1.4a426fe27ac1ep-34},
};

// x e^(x²) erfc(x) for x in [4, 6], [6, 10], [10, 28]: powers of (1/x² - centre), made in the same way.
static const struct {
    double centre, term[TAIL_TERMS];
} tail[3] = {
    {0x1.71c71c71c71c7p-5,
     {0x1.1abe657445197p-1, -0x1.fe7fb5e406c85p-3, 0x1.41712926f770ep-2, -0x1.3bcef9fdbd0fdp-1,
      0x1.98e51ca05ba30p+0, -0x1.41d741236af30p+2, 0x1.25ed43e179c2ep+4, -0x1.2e2dadbb8d03fp+6,
      0x1.5657f8cadbcf4p+8, -0x1.a515c29560fa7p+10, 0x1.1e840bb36921ap+13, -0x1.93578c9a45ad6p+15}},
    {0x1.3579be02468adp-6,
     {0x1.1e35f4d9b2f2fp-1, -0x1.11901fdab1dd3p-2, 0x1.7b08925e37e5ap-2, -0x1.a79d8054cbf69p-1,
      0x1.4140f8d747712p+1, -0x1.300957be7e24ep+3, 0x1.55c4903d49034p+5, -0x1.b9b7443999458p+7,
      0x1.40bb77ef805d1p+10, -0x1.0149908e63e96p+13, 0x1.c8baf8a8bfae0p+15, -0x1.b0018146005a2p+18}},
    {0x1.7179d5c93f522p-8,
     {0x1.200ebdb7c5714p-1, -0x1.1c147f8c99910p-2, 0x1.9fab93931c776p-2, -0x1.f56d065aec073p-1,
      0x1.a2f440784cb01p+1, -0x1.bd65021114e41p+3, 0x1.1e6894a01fa01p+6, -0x1.aef067583887bp+8,
      0x1.725dfc632edb6p+11, -0x1.6539b95314c59p+14, 0x1.7f74272982d22p+17, -0x1.c093d1a4b8833p+20}},
};

static double
polynomial(const double *term, int n, double u)
{
    double p = term[n - 1];
    for (int i = n - 2; i >= 0; i--)
        p = p * u + term[i];
    return p;
}

// e^(x²) erfc(x) for x >= ERF_RANGE.
static double
scaled_erfc(double x)
{
    if (x < TAIL_FROM) {
        int i = (int)(x * 2.0);
        return polynomial(body[i], BODY_TERMS, x - (i * 0.5 + 0.25));
    }
    int i = x < 6.0 ? 0 : x < 10.0 ? 1 : 2;
    double w = 1.0 / (x * x);
    return polynomial(tail[i].term, TAIL_TERMS, w - tail[i].centre) / x;
}

double
ag_erfc(double x)
{
    if (x != x)
        return x;
    if (x > ERFC_MAX)
        return 0;
    if (x < ERFC_MIN)
        return 2;
    double a = x < 0 ? -x : x;
    if (a < ERF_RANGE)
        return 1.0 - x * polynomial(erf_series, sizeof erf_series / sizeof erf_series[0], x * x);
    // x² in two parts: the square of the leading 26 bits is exact, the rest is small.
    double lead = double_of(bits_of(a) >> 27 << 27);
    double rest = (a - lead) * (a + lead);
    int k;
    double e = exp_parts(-lead * lead, &k) * scaled_erfc(a);
    e -= e * (rest - rest * rest * (0.5 - rest / 6.0));
    e = scale(e, k);
    return x < 0 ? 2.0 - e : e;
}

#if !defined(__x86_64__)
// Bit by bit in integers: slow and exact.
static double
sqrt_integer(double x)
{
    uint64_t b = bits_of(x), m = b << 12 >> 12;
    int k = (int)(b >> 52) - 1075;
    if (b >> 52)
        m |= (uint64_t)1 << 52;
    else
        k++;
    while (m < (uint64_t)1 << 53 || k & 1) {
        m <<= 1;
        k--;
    }
    u128 n = (u128)m << 54, root = 0; // the root has 54 or 55 bits: one more than a mantissa at least
    for (int i = 54; i >= 0; i--) {
        u128 t = root | (u128)1 << i;
        if (t * t <= n)
            root = t;
    }
    uint64_t r = (uint64_t)root << 2 | (root * root != n); // a sticky bit, then one rounding by conversion
    return scale((double)(int64_t)r * 0x1p-56, k / 2 - 27 - 2 + 56);
}
#endif

double
ag_sqrt(double x)
{
    if (x != x || x == 0 || x == (double)INFINITY)
        return x;
    if (x < 0)
        return (double)NAN;
#if defined(__x86_64__)
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x)));
#else
    return sqrt_integer(x);
#endif
}
