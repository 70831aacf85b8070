// SPDX-License-Identifier: Apache-2.0
// The allocator of nomem.h. From the environment: NOMEM_AT=N fails the N-th allocation of the process,
// NOMEM_AFTER=1 all later ones too, and NOMEM_FD=D gets one byte when an allocation failed. In: calls. Out:
// memory of the C library. Owns nothing. Next file to read: nomem.h.
#include "nomem.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Under a sanitizer malloc is the sanitizer's: the linker sends the program's own calls here instead.
#ifdef NOMEM_WRAP
#define MINE(name) __wrap_##name
#define REAL(name) __real_##name
#else
#define MINE(name) name
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t n);
void *REAL(calloc)(size_t count, size_t n);
void *REAL(realloc)(void *p, size_t n);
// Seen by every library of the process.
#define SHOWN __attribute__((visibility("default")))
SHOWN void *MINE(malloc)(size_t n);
SHOWN void *MINE(calloc)(size_t count, size_t n);
SHOWN void *MINE(realloc)(void *p, size_t n);
// Mappings are memory too, and only the program's own matter.
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
char *__wrap_strdup(const char *s);

static unsigned long count, fail_at;
static bool is_after, has_failed;
static int tell = -1;

void
nomem_fail_at(unsigned long n, bool and_after)
{
    count = 0;
    fail_at = n;
    is_after = and_after;
    has_failed = false;
}

unsigned long
nomem_count(void)
{
    return count;
}

bool
nomem_has_failed(void)
{
    return has_failed;
}

__attribute__((constructor)) static void
from_environment(void)
{
    const char *at = getenv("NOMEM_AT"), *after = getenv("NOMEM_AFTER"), *fd = getenv("NOMEM_FD");
    if (fd)
        tell = (int)strtol(fd, NULL, 10);
    if (at)
        nomem_fail_at(strtoul(at, NULL, 10), after != NULL);
}

static bool
fails(void)
{
    count++;
    if (!fail_at || !(count == fail_at || (is_after && count > fail_at)))
        return false;
    if (!has_failed && tell != -1 && write(tell, "x", 1) != 1)
        abort();
    has_failed = true;
    errno = ENOMEM;
    return true;
}

void *
MINE(malloc)(size_t n)
{
    return fails() ? NULL : REAL(malloc)(n);
}

void *
MINE(calloc)(size_t n, size_t size)
{
    return fails() ? NULL : REAL(calloc)(n, size);
}

void *
MINE(realloc)(void *p, size_t n)
{
    return fails() ? NULL : REAL(realloc)(p, n);
}

void *
__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
    return fails() ? MAP_FAILED : __real_mmap(at, n, prot, flags, fd, offset);
}

char *
__wrap_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = MINE(malloc)(n);
    return copy ? memcpy(copy, s, n) : NULL;
}
