// SPDX-License-Identifier: Apache-2.0
// The smallest TAP helper: OK(condition, format...) prints one line and counts; `return t_done();` ends main.
#ifndef AEGIS_TEST_T_H
#define AEGIS_TEST_T_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int t_count, t_failed;

__attribute__((format(printf, 4, 5))) static inline int
t_ok(int ok, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    printf("%sok %d - ", ok ? "" : "not ", ++t_count);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    if (!ok) {
        t_failed++;
        printf("# failed at %s:%d\n", file, line);
    }
    return ok;
}

#define OK(cond, ...) t_ok(!!(cond), __FILE__, __LINE__, __VA_ARGS__)

// Prints a skip line with its reason.
static inline void
t_skip(const char *why)
{
    printf("ok %d # SKIP %s\n", ++t_count, why);
}

static inline int
t_done(void)
{
    printf("1..%d\n", t_count);
    return t_failed ? 1 : 0;
}

#endif
