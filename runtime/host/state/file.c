// SPDX-License-Identifier: Apache-2.0
// What state.c and kill.c share: new files that appear whole, randomness, the kernel's boot id, start times
// of pids. In: directory and name. Out: a mapped file of zeros, later renamed into place. Owns: nothing after
// return. Next: state.c.
#include "state/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum aegis_status
agr_error(struct aegis_error *reterr, enum aegis_status status, const char *fmt, ...)
{
    if (!reterr)
        return status;
    va_list ap;
    va_start(ap, fmt);
    reterr->status = status;
    reterr->offset = 0;
    reterr->line = reterr->column = 0;
    (void)vsnprintf(reterr->text, sizeof reterr->text, fmt, ap);
    va_end(ap);
    return status;
}

bool
agr_random(void *p, size_t n)
{
    return getrandom(p, n, 0) == (ssize_t)n;
}

static size_t
read_small(const char *path, char *mem, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return 0;
    ssize_t n = read(fd, mem, size - 1);
    close(fd);
    mem[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
agr_kernel_boot(uint8_t ret[AGR_BOOT_ID_SIZE])
{
    char text[64];
    size_t n = read_small("/proc/sys/kernel/random/boot_id", text, sizeof text), digits = 0;
    memset(ret, 0, AGR_BOOT_ID_SIZE);
    for (size_t i = 0; i < n && digits < 2 * AGR_BOOT_ID_SIZE; i++) {
        int d = hex_digit(text[i]);
        if (d < 0)
            continue;
        ret[digits / 2] = (uint8_t)(ret[digits / 2] << 4 | d);
        digits++;
    }
}

uint64_t
agr_start_ticks(uint64_t pid)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    if (!read_small(path, text, sizeof text))
        return 0;
    // The name may hold blanks and parentheses: fields are counted from the last ')', which ends field 2.
    const char *p = strrchr(text, ')');
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p, ' ');
        if (p)
            p++;
    }
    return p ? strtoull(p, NULL, 10) : 0;
}

static bool
path_of(char *path, size_t size, const char *dir, const char *name, const char *suffix)
{
    int n = snprintf(path, size, "%s/%s%s", dir, name, suffix);
    return n > 0 && (size_t)n < size;
}

enum aegis_status
agr_file_make(const char *dir, const char *name, size_t size, int *ret_fd, void **ret_map,
              struct aegis_error *reterr)
{
    char path[PATH_MAX];
    if (!path_of(path, sizeof path, dir, name, ".new"))
        return agr_error(reterr, AEGIS_USAGE, "the state directory's name is too long: choose a shorter one");
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1)
        return agr_error(reterr, AEGIS_IO, "cannot make %s: %s", path, strerror(errno));
    // Blocks are allotted now: a store into the mapping must never meet a full disk.
    int e = posix_fallocate(fd, 0, (off_t)size);
    void *map = e ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED) {
        e = e ? e : errno;
        close(fd);
        (void)unlink(path);
        return agr_error(reterr, AEGIS_IO, "cannot allot %zu bytes for %s: %s", size, path, strerror(e));
    }
    *ret_fd = fd;
    *ret_map = map;
    return AEGIS_OK;
}

enum aegis_status
agr_file_publish(const char *dir, const char *name, struct aegis_error *reterr)
{
    char from[PATH_MAX], to[PATH_MAX];
    if (!path_of(from, sizeof from, dir, name, ".new") || !path_of(to, sizeof to, dir, name, ""))
        return agr_error(reterr, AEGIS_USAGE, "the state directory's name is too long: choose a shorter one");
    if (rename(from, to) == -1)
        return agr_error(reterr, AEGIS_IO, "cannot rename %s: %s", from, strerror(errno));
    return AEGIS_OK;
}
