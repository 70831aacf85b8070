// SPDX-License-Identifier: Apache-2.0
// Writing what will not be read again soon: the pages go to the disk at once and leave memory when they are
// there, so that a log that grows by hundreds of megabytes takes no memory from anything else, and a sync
// finds little left to do. In: bytes and a place. Out: as pwrite. Thread rule: any. Next: wal.c.
#ifndef AGR_THROUGH_H
#define AGR_THROUGH_H

#include <stddef.h>
#include <sys/types.h>

#define AGR_THROUGH_PAGE 4096u // a write that ends inside of a page leaves that page in memory

// As pwrite, and may write less. The last page stays in memory unless the write fills it: the next write goes
// there. Kernels before 6.14 and file systems without it write as usual.
ssize_t agr_write_through(int fd, const void *p, size_t n, off_t at);

#endif
