// SPDX-License-Identifier: Apache-2.0
// Elementary functions for the gates: the same bits from every compiler and machine with IEEE doubles,
// because they are nothing but + - * / in a fixed order, without libm and without contraction to fused
// operations. Each is within 4 units in the last place of the true value (tests/unit/test_fmath.c measures it
// with MPFR). NaN gives NaN; infinities give their limits. Thread rule: pure functions.
#ifndef AG_BASE_FMATH_H
#define AG_BASE_FMATH_H

// e^x; 0 below -745.14, infinity above 709.79.
double ag_exp(double x);
// Natural logarithm; -infinity at 0, NaN below.
double ag_log(double x);
// 1 - erf(x); 0 above 27.3, 2 below -6.
double ag_erfc(double x);
// Square root, correctly rounded; NaN below 0.
double ag_sqrt(double x);

#endif
