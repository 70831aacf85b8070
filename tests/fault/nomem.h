// SPDX-License-Identifier: Apache-2.0
// Allocations that fail on order. Linked into a test program it takes the place of malloc, calloc, realloc
// and mmap; in a sanitized build only for the objects of the program itself (--wrap), else for every library
// of it too. In: nomem_fail_at, or the environment NOMEM_AT=N. Out: counts. Thread rule: one thread
// allocates.
#ifndef AEGIS_TEST_NOMEM_H
#define AEGIS_TEST_NOMEM_H

#include <stdbool.h>

// Restarts the count; the n-th allocation from now on fails, and with `and_after` every later one too. 0:
// none does.
void nomem_fail_at(unsigned long n, bool and_after);
// Allocations since then.
unsigned long nomem_count(void);
// Has one failed since then?
bool nomem_has_failed(void);

#endif
