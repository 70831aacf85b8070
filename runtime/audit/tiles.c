// SPDX-License-Identifier: Apache-2.0
// Step 17, public files: hash tiles and entry bundles. Contract: tiles.h; layout: docs/formats/audit.md.
// In: entries and leaf hashes in order. Out: files under LOG. Owns: the open bundle on the heap.
// Next: runtime/audit/sequencer.c (writer), runtime/audit/verify.c (reader).
#include "tiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "through.h"

#define THROUGH_MIN (64u << 10) // shorter files stay in memory until the system writes them

void
agr_tile_path(int level, uint64_t index, unsigned width, char ret[AGR_TILE_PATH])
{
    int n = level == AGR_TILE_PAYLOAD   ? snprintf(ret, AGR_TILE_PATH, "payload")
            : level == AGR_TILE_ENTRIES ? snprintf(ret, AGR_TILE_PATH, "tile/entries")
                                        : snprintf(ret, AGR_TILE_PATH, "tile/%d", level);
    uint64_t scale = 1;
    while (index / scale >= 1000)
        scale *= 1000;
    for (; scale; scale /= 1000)
        n += snprintf(ret + n, AGR_TILE_PATH - (size_t)n, scale > 1 ? "/x%03u" : "/%03u",
                      (unsigned)(index / scale % 1000));
    if (width < AGR_TILE_WIDTH)
        snprintf(ret + n, AGR_TILE_PATH - (size_t)n, ".p/%u", width);
}

// --- files
// -------------------------------------------------------------------------------------------------------

static bool
make_parents(int dir_fd, const char *path)
{
    char part[256];
    size_t n = strlen(path);
    if (n >= sizeof(part))
        return false;
    for (size_t i = 1; i < n; i++) {
        if (path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdirat(dir_fd, part, 0755) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

// Large files are written by the sequencer and read by others, later if at all.
static bool
write_all(int fd, const uint8_t *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = n < THROUGH_MIN ? pwrite(fd, p + done, n - done, (off_t)done)
                                    : agr_write_through(fd, p + done, n - done, (off_t)done);
        if (k == -1 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        done += (size_t)k;
    }
    return true;
}

static bool
sync_parent(int dir_fd, const char *path)
{
    char parent[256];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int fd = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

static int
open_new(int dir_fd, const char *path, int flags)
{
    flags |= O_WRONLY | O_CREAT | O_CLOEXEC;
    int fd = openat(dir_fd, path, flags, 0644);
    if (fd == -1 && errno == ENOENT && make_parents(dir_fd, path))
        fd = openat(dir_fd, path, flags, 0644);
    return fd;
}

static bool
undo_file(int dir_fd, const char *path)
{
    int saved = errno;
    unlinkat(dir_fd, path, 0);
    errno = saved;
    return false;
}

bool
agr_file_replace(int dir_fd, const char *path, const void *p, size_t n, bool is_synced)
{
    char tmp[260];
    if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
        return false;
    int fd = open_new(dir_fd, tmp, O_TRUNC);
    if (fd == -1)
        return false;
    bool ok = write_all(fd, p, n) && (!is_synced || fdatasync(fd) == 0);
    ok = close(fd) == 0 && ok && renameat(dir_fd, tmp, dir_fd, path) == 0;
    if (!ok)
        return undo_file(dir_fd, tmp);
    return !is_synced || sync_parent(dir_fd, path);
}

uint8_t *
agr_file_read(int dir_fd, const char *path, size_t max, size_t *ret_n)
{
    struct stat st;
    uint8_t *p = NULL;
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
        close(fd);
        errno = EFBIG;
        return NULL;
    }
    size_t n = 0, size = (size_t)st.st_size;
    p = malloc(size + 1);
    while (p && n < size) {
        ssize_t k = read(fd, p + n, size - n);
        if (k == -1 && errno == EINTR)
            continue;
        if (k <= 0)
            break;
        n += (size_t)k;
    }
    close(fd);
    if (p) {
        p[n] = 0; // text files may be looked at as strings
        *ret_n = n;
    }
    return p;
}

// --- writer
// ------------------------------------------------------------------------------------------------------

// A full tile is not looked for before a checkpoint covers it, and after a crash the WAL gives it again: it
// needs no rename when its name is free.
static bool
put_full(int dir_fd, const char *path, const void *p, size_t n)
{
    int fd = open_new(dir_fd, path, O_EXCL);
    if (fd == -1)
        return errno == EEXIST && agr_file_replace(dir_fd, path, p, n, false);
    bool ok = write_all(fd, p, n);
    ok = close(fd) == 0 && ok;
    return ok || undo_file(dir_fd, path);
}

static bool
put_file(struct agr_tiles *t, int level, uint64_t index, unsigned width, const void *p, size_t n)
{
    char path[AGR_TILE_PATH];
    agr_tile_path(level, index, width, path);
    if (width == AGR_TILE_WIDTH ? put_full(t->log_fd, path, p, n)
                                : agr_file_replace(t->log_fd, path, p, n, false))
        return true;
    t->has_failed = true;
    t->error = errno;
    return false;
}

// A full tile makes its partial forms superfluous.
static void
drop_partials(struct agr_tiles *t, int level, uint64_t index)
{
    char path[AGR_TILE_PATH];
    agr_tile_path(level, index, 1, path);
    *strrchr(path, '/') = 0;
    int fd = openat(t->log_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd == -1 ? NULL : fdopendir(fd);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    unlinkat(t->log_fd, path, AT_REMOVEDIR);
}

static void
on_subtree(void *ctx, unsigned level, uint64_t index, const struct agr_hash *h)
{
    struct agr_tiles *t = ctx;
    unsigned l = level / 8;
    if (level % 8 != 0 || l >= AGR_TILE_LEVELS)
        return;
    unsigned i = (unsigned)(index % AGR_TILE_WIDTH);
    t->level[l][i] = *h;
    if (i == AGR_TILE_WIDTH - 1 &&
        put_file(t, (int)l, index / AGR_TILE_WIDTH, AGR_TILE_WIDTH, t->level[l], sizeof(t->level[l])))
        drop_partials(t, (int)l, index / AGR_TILE_WIDTH);
}

static bool
bundle_put(struct agr_tiles *t, struct ag_str entry)
{
    if (t->bundle_n + 2 + entry.n > t->bundle_size) {
        size_t size = t->bundle_size ? t->bundle_size * 2 : 1u << 18;
        while (size < t->bundle_n + 2 + entry.n)
            size *= 2;
        uint8_t *p = realloc(t->bundle, size);
        if (!p)
            return false;
        t->bundle = p;
        t->bundle_size = size;
    }
    t->bundle[t->bundle_n++] = (uint8_t)(entry.n >> 8);
    t->bundle[t->bundle_n++] = (uint8_t)entry.n;
    memcpy(t->bundle + t->bundle_n, entry.p, entry.n);
    t->bundle_n += entry.n;
    return true;
}

bool
agr_tiles_add(struct agr_tiles *t, struct ag_str entry, const struct agr_hash *leaf)
{
    if (t->has_failed || entry.n > AGR_ENTRY_MAX || !bundle_put(t, entry)) {
        t->error = t->has_failed ? t->error : ENOMEM;
        t->has_failed = true;
        return false;
    }
    uint64_t index = t->tree.size / AGR_TILE_WIDTH;
    agr_tree_add(&t->tree, leaf, on_subtree, t);
    if (t->tree.size % AGR_TILE_WIDTH == 0) {
        if (put_file(t, AGR_TILE_ENTRIES, index, AGR_TILE_WIDTH, t->bundle, t->bundle_n))
            drop_partials(t, AGR_TILE_ENTRIES, index);
        t->bundle_n = 0;
    }
    return !t->has_failed;
}

bool
agr_tiles_flush(struct agr_tiles *t)
{
    for (unsigned l = 0; l < AGR_TILE_LEVELS && !t->has_failed; l++) {
        uint64_t count = t->tree.size >> (8 * l);
        unsigned width = (unsigned)(count % AGR_TILE_WIDTH);
        if (width)
            put_file(t, (int)l, count / AGR_TILE_WIDTH, width, t->level[l], width * sizeof(t->level[l][0]));
        if (width && l == 0 && !t->has_failed)
            put_file(t, AGR_TILE_ENTRIES, count / AGR_TILE_WIDTH, width, t->bundle, t->bundle_n);
    }
    return !t->has_failed;
}

void
agr_tiles_close(struct agr_tiles *t)
{
    free(t->bundle);
    t->bundle = NULL;
}

// The open tiles must give exactly the frontier they are opened for.
static bool
levels_match(const struct agr_tiles *t)
{
    uint32_t at = 0;
    for (unsigned l = AGR_TILE_LEVELS; l-- > 0;) {
        struct agr_tree part;
        agr_tree_init(&part);
        unsigned width = (unsigned)((t->tree.size >> (8 * l)) % AGR_TILE_WIDTH);
        for (unsigned i = 0; i < width; i++)
            agr_tree_add(&part, &t->level[l][i], NULL, NULL);
        for (uint32_t i = 0; i < part.n; i++)
            if (at == t->tree.n || !agr_hash_eq(&part.frontier[i], &t->tree.frontier[at++]))
                return false;
    }
    return at == t->tree.n;
}

bool
agr_tiles_open(struct agr_tiles *t, int log_fd, const struct agr_tree *tree)
{
    memset(t, 0, sizeof(*t));
    t->log_fd = log_fd;
    t->tree = *tree;
    for (unsigned l = 0; l < AGR_TILE_LEVELS; l++) {
        uint64_t count = tree->size >> (8 * l);
        unsigned width = (unsigned)(count % AGR_TILE_WIDTH), have;
        size_t n;
        if (width == 0)
            continue;
        uint8_t *p = agr_tile_read(log_fd, (int)l, count / AGR_TILE_WIDTH, width, &n, &have);
        bool ok = p && n == have * sizeof(t->level[l][0]);
        if (ok)
            memcpy(t->level[l], p, width * sizeof(t->level[l][0]));
        free(p);
        if (!ok)
            return false;
        if (l > 0)
            continue;
        p = agr_tile_read(log_fd, AGR_TILE_ENTRIES, count / AGR_TILE_WIDTH, width, &n, &have);
        for (unsigned i = 0; ok && i < width; i++) {
            struct ag_str e;
            struct agr_hash h;
            ok = p && agr_bundle_entry(p, n, i, &e) && bundle_put(t, e);
            if (ok)
                agr_leaf_hash(e.p, e.n, &h);
            ok = ok && agr_hash_eq(&h, &t->level[0][i]);
        }
        free(p);
        if (!ok)
            return false;
    }
    return levels_match(t);
}

// --- reader
// ------------------------------------------------------------------------------------------------------

uint8_t *
agr_tile_read(int log_fd, int level, uint64_t index, unsigned width, size_t *ret_n, unsigned *ret_width)
{
    char path[AGR_TILE_PATH];
    size_t max = level == AGR_TILE_ENTRIES ? AGR_BUNDLE_MAX : AGR_TILE_WIDTH * AGR_HASH_SIZE;
    agr_tile_path(level, index, width, path);
    *ret_width = width;
    uint8_t *p = agr_file_read(log_fd, path, max, ret_n);
    if (p || width == AGR_TILE_WIDTH)
        return p;
    agr_tile_path(level, index, AGR_TILE_WIDTH, path);
    *ret_width = AGR_TILE_WIDTH;
    p = agr_file_read(log_fd, path, max, ret_n);
    for (unsigned w = width + 1; !p && w < AGR_TILE_WIDTH; w++) {
        agr_tile_path(level, index, w, path);
        *ret_width = w;
        p = agr_file_read(log_fd, path, max, ret_n);
    }
    return p;
}

bool
agr_tiles_get(void *log_fd, unsigned level, uint64_t index, struct agr_hash *ret)
{
    unsigned l = level / 8, k = level % 8, have;
    uint64_t first = index << k; // of the hashes of tile level l that the subtree covers
    unsigned from = (unsigned)(first % AGR_TILE_WIDTH), count = 1u << k;
    size_t n;
    uint8_t *p = agr_tile_read(*(const int *)log_fd, (int)l, first / AGR_TILE_WIDTH, from + count, &n, &have);
    bool ok = p && n == (size_t)have * AGR_HASH_SIZE;
    struct agr_tree part;
    agr_tree_init(&part);
    for (unsigned i = 0; ok && i < count; i++) {
        struct agr_hash h;
        memcpy(h.b, p + (size_t)(from + i) * AGR_HASH_SIZE, AGR_HASH_SIZE);
        agr_tree_add(&part, &h, NULL, NULL);
    }
    if (ok)
        agr_tree_root(&part, ret);
    free(p);
    return ok;
}

bool
agr_bundle_entry(const uint8_t *p, size_t n, unsigned i, struct ag_str *ret)
{
    size_t at = 0;
    for (unsigned k = 0;; k++) {
        if (n - at < 2)
            return false;
        size_t len = (size_t)p[at] << 8 | p[at + 1];
        at += 2;
        if (n - at < len)
            return false;
        if (k == i) {
            *ret = ag_str_of((const char *)p + at, len);
            return true;
        }
        at += len;
    }
}
