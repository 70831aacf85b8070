// SPDX-License-Identifier: Apache-2.0
// Step 17, writes that do not stay in memory. Contract: through.h; the flag is RWF_DONTCACHE of pwritev2(2),
// Linux 6.14. In: bytes and a place. Out: bytes written. Owns nothing. Next: runtime/audit/wal.c.
#include "through.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x00000080
#endif

ssize_t
agr_write_through(int fd, const void *p, size_t n, off_t at)
{
    static bool is_refused; // by this kernel or file system; asked again by nobody
    size_t over = ((size_t)at + n) % AGR_THROUGH_PAGE;
    if (n > over && !__atomic_load_n(&is_refused, __ATOMIC_RELAXED)) {
        struct iovec v = {(void *)(uintptr_t)p, n - over};
        ssize_t k = pwritev2(fd, &v, 1, at, RWF_DONTCACHE);
        if (k != -1 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS))
            return k;
        __atomic_store_n(&is_refused, true, __ATOMIC_RELAXED); // pairs with the load above; a hint, no order
    }
    return pwrite(fd, p, n, at);
}
