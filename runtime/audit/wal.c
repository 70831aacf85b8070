// SPDX-License-Identifier: Apache-2.0
// Step 17, truth on disk: frames of rows in batches, one write and one fdatasync each. Contract: wal.h.
// In: composed rows and payloads. Out: LOG/wal files; at start the rows of every whole batch again.
// Owns: descriptors and the batch buffer. Next: runtime/audit/sequencer.c.
#include "wal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cursor.h"
#include "hash.h"
#include "tiles.h"
#include "through.h"
#include "wal_frame.h"

#define BATCH_KEEP  (32u << 20)  // a batch buffer larger than this is given back
#define WRITE_CHUNK (256u << 10) // of one system call: a call of megabytes holds the CPU for milliseconds

// --- making a batch
// ----------------------------------------------------------------------------------------------

static bool
grow(struct agr_wal *w, size_t n)
{
    if (w->n + n <= w->size)
        return true;
    size_t size = w->size ? w->size : 1u << 16;
    while (size < w->n + n)
        size *= 2;
    uint8_t *p = realloc(w->buf, size);
    if (!p) {
        w->is_full = true;
        return false;
    }
    w->buf = p;
    w->size = size;
    return true;
}

// Appends a frame of up to three pieces and zeros up to `pad` payload bytes.
static bool
put_frame(struct agr_wal *w, enum wal_kind kind, const struct ag_str *pieces, size_t count, size_t pad)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += pieces[i].n;
    size_t zeros = n < pad ? pad - n : 0, total = WAL_HEAD + n + zeros;
    if (w->is_full || total > AGR_WAL_FRAME_MAX || !grow(w, total)) {
        w->is_full = true;
        return false;
    }
    uint8_t *p = w->buf + w->n, *at = p + WAL_HEAD;
    memset(p, 0, WAL_HEAD);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].n)
            memcpy(at, pieces[i].p, pieces[i].n);
        at += pieces[i].n;
    }
    memset(at, 0, zeros);
    wal_store(p, total, 4);
    wal_store(p + 8, w->seq + w->frames, 8);
    p[16] = (uint8_t)kind;
    wal_store(p + 4, ag_crc32c(0, p + 8, total - 8), 4);
    w->n += total;
    w->frames++;
    return true;
}

void
agr_wal_begin(struct agr_wal *w, uint64_t first_gseq)
{
    if (w->size > BATCH_KEEP) {
        free(w->buf);
        w->buf = NULL;
        w->size = 0;
    }
    w->n = w->written = 0;
    w->frames = w->rows = 0;
    w->first_gseq = first_gseq;
    w->is_full = false;
    ag_sha256_init(&w->digest);
}

static void
digest_put(struct agr_wal *w, enum wal_kind kind, const struct ag_str *pieces, size_t count)
{
    uint8_t k = (uint8_t)kind;
    ag_sha256_update(&w->digest, &k, 1);
    for (size_t i = 0; i < count; i++)
        ag_sha256_update(&w->digest, pieces[i].p, pieces[i].n);
}

bool
agr_wal_row(struct agr_wal *w, uint64_t gseq, struct ag_str entry, const struct agr_hash *leaf)
{
    uint8_t head[8];
    wal_store(head, gseq, 8);
    struct ag_str pieces[2] = {ag_str_of((char *)head, 8), entry};
    // The leaf hash, which is there already, stands for the entry.
    struct ag_str stands_for[2] = {pieces[0], ag_str_of((const char *)leaf->b, AGR_HASH_SIZE)};
    w->rows++;
    digest_put(w, WAL_ROW, stands_for, 2);
    return put_frame(w, WAL_ROW, pieces, 2, 0);
}

bool
agr_wal_payload(struct agr_wal *w, uint64_t gseq, const uint8_t salt[AGR_SALT_SIZE], struct ag_str bytes,
                const struct agr_hash *digest)
{
    uint8_t head[16 + AGR_SALT_SIZE] = {0};
    wal_store(head, gseq, 8);
    wal_store(head + 8, bytes.n, 4);
    memcpy(head + 16, salt, AGR_SALT_SIZE);
    struct ag_str pieces[2] = {ag_str_of((char *)head, sizeof(head)), bytes};
    struct ag_str stands_for[2] = {ag_str_of((char *)head, 8),
                                   ag_str_of((const char *)digest->b, AGR_HASH_SIZE)};
    digest_put(w, WAL_PAYLOAD, stands_for, 2);
    return put_frame(w, WAL_PAYLOAD, pieces, 2, WAL_PAYLOAD_MIN);
}

bool
agr_wal_journal_open(struct agr_wal *w, const struct agr_wal_journal *j)
{
    uint8_t raw[WAL_JOURNAL_SIZE];
    wal_journal_store(raw, j);
    struct ag_str piece = ag_str_of((char *)raw, sizeof(raw));
    digest_put(w, WAL_JOURNAL, &piece, 1);
    return put_frame(w, WAL_JOURNAL, &piece, 1, 0);
}

// --- writing it
// --------------------------------------------------------------------------------------------------

static enum agr_wal_status
fail(struct agr_wal *w, enum agr_wal_status s, const char *what)
{
    snprintf(w->error, sizeof(w->error), "%s: %s", what, strerror(errno));
    if (s == AGR_WAL_FATAL)
        w->is_dead = true;
    return s;
}

// Writes the batch up to byte `end` behind the synced offset, as far as that is not done yet. FULL leaves the
// file as it was before the batch.
static enum agr_wal_status
write_pieces(struct agr_wal *w, size_t end)
{
    while (w->written < end) {
        off_t at = (off_t)(w->offset + w->written);
        size_t n = end - w->written < WRITE_CHUNK ? end - w->written : WRITE_CHUNK;
        ssize_t k = w->io.pwrite ? w->io.pwrite(w->io.ctx, w->fd, w->buf + w->written, n, at)
                                 : agr_write_through(w->fd, w->buf + w->written, n, at);
        if (k == -1 && errno == EINTR)
            continue;
        if (k <= 0) {
            enum agr_wal_status s = fail(w, AGR_WAL_FULL, "cannot write the WAL");
            w->written = 0;
            if (ftruncate(w->fd, (off_t)w->offset) != 0)
                return fail(w, AGR_WAL_FATAL, "cannot take a half-written batch back");
            return s;
        }
        w->written += (size_t)k;
        if (w->written < end && w->gives_way)
            sched_yield();
    }
    return AGR_WAL_OK;
}

void
agr_wal_write_ahead(struct agr_wal *w)
{
    if (!w->is_dead && !w->is_full && w->n - w->written >= WRITE_CHUNK)
        write_pieces(w, w->n - (w->offset + w->n) % AGR_THROUGH_PAGE);
}

// Writes the rest of the buffer and syncs it.
static enum agr_wal_status
write_synced(struct agr_wal *w)
{
    enum agr_wal_status s = write_pieces(w, w->n);
    if (s != AGR_WAL_OK)
        return s;
    // After a failed sync the page cache may call lost pages clean: trying again would report a success that
    // is none.
    if ((w->io.fdatasync ? w->io.fdatasync(w->io.ctx, w->fd) : fdatasync(w->fd)) != 0)
        return fail(w, AGR_WAL_FATAL, "the WAL could not be synced, which is never retried");
    w->offset += w->n;
    w->n = w->written = 0;
    uint8_t mark[20];
    wal_store(mark, w->file, 8);
    wal_store(mark + 8, w->offset, 8);
    wal_store(mark + 16, ag_crc32c(0, mark, 16), 4);
    if (pwrite(w->synced_fd, mark, sizeof(mark), 0) != (ssize_t)sizeof(mark))
        return fail(w, AGR_WAL_FATAL, "cannot write LOG/wal/synced");
    return AGR_WAL_OK;
}

enum agr_wal_status
agr_wal_commit(struct agr_wal *w, const struct agr_hash *root_after, int64_t time_ns)
{
    if (w->is_dead)
        return AGR_WAL_FATAL;
    if (w->is_full) {
        errno = ENOMEM;
        return fail(w, AGR_WAL_FATAL, "a batch does not fit into memory");
    }
    uint8_t raw[WAL_BATCH_SIZE];
    struct ag_sha256 digest = w->digest; // a copy: commit may be called again after FULL
    size_t n = w->n;
    wal_store(raw, w->first_gseq, 8);
    wal_store(raw + 8, w->rows, 4);
    wal_store(raw + 12, w->frames, 4);
    ag_sha256_final(&digest, raw + 16);
    memcpy(raw + 48, root_after->b, AGR_HASH_SIZE);
    wal_store(raw + 80, (uint64_t)time_ns, 8);
    struct ag_str piece = ag_str_of((char *)raw, sizeof(raw));
    if (!put_frame(w, WAL_BATCH, &piece, 1, 0))
        return fail(w, AGR_WAL_FATAL, "a batch does not fit into memory");
    enum agr_wal_status s = write_synced(w);
    if (s == AGR_WAL_OK) {
        w->seq += w->frames;
    } else {
        w->n = n;
        w->frames--;
    }
    return s;
}

enum agr_wal_status
agr_wal_start(struct agr_wal *w, const struct agr_tree *tree, const struct agr_hash *last_leaf,
              const struct agr_wal_journal *journals, uint32_t n)
{
    char name[32];
    if (w->is_dead)
        return AGR_WAL_FATAL;
    snprintf(name, sizeof(name), "%020llu.wal", (unsigned long long)tree->size);
    int fd = openat(w->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd == -1)
        return fail(w, AGR_WAL_FULL, "cannot make a WAL file");
    uint8_t head[32] = {0};
    memcpy(head, "AEGISWAL", 8);
    wal_store(head + 8, 1, 4);
    wal_store(head + 16, tree->size, 8);
    wal_store(head + 24, tree->n, 4);
    wal_store(head + 28, n, 4);
    uint8_t *raw = malloc((size_t)n * WAL_JOURNAL_SIZE + AGR_HASH_SIZE + 1);
    int old_fd = w->fd;
    uint64_t old_file = w->file, old_seq = w->seq, old_offset = w->offset;
    enum agr_wal_status s = AGR_WAL_FULL;
    if (raw) {
        memcpy(raw, last_leaf->b, AGR_HASH_SIZE);
        for (uint32_t i = 0; i < n; i++)
            wal_journal_store(raw + AGR_HASH_SIZE + (size_t)i * WAL_JOURNAL_SIZE, &journals[i]);
        struct ag_str pieces[3] = {
            ag_str_of((char *)head, sizeof(head)),
            ag_str_of((const char *)tree->frontier, tree->n * sizeof(tree->frontier[0])),
            ag_str_of((char *)raw, AGR_HASH_SIZE + (size_t)n * WAL_JOURNAL_SIZE)};
        w->fd = fd;
        w->file = tree->size;
        w->seq = w->offset = 0;
        agr_wal_begin(w, tree->size);
        s = put_frame(w, WAL_START, pieces, 3, 0) ? write_synced(w) : AGR_WAL_FULL;
        free(raw);
    }
    if (s == AGR_WAL_OK && fsync(w->dir_fd) != 0)
        s = fail(w, AGR_WAL_FATAL, "cannot sync LOG/wal");
    if (s != AGR_WAL_OK) { // stay with the file before
        w->fd = old_fd;
        w->file = old_file;
        w->seq = old_seq;
        w->offset = old_offset;
        unlinkat(w->dir_fd, name, 0);
        close(fd);
        return s;
    }
    w->seq = w->frames;
    if (old_fd != -1)
        close(old_fd);
    return AGR_WAL_OK;
}

void
agr_wal_close(struct agr_wal *w)
{
    free(w->buf);
    if (w->fd != -1)
        close(w->fd);
    if (w->synced_fd != -1)
        close(w->synced_fd);
    if (w->dir_fd != -1)
        close(w->dir_fd);
    *w = (struct agr_wal){.dir_fd = -1, .fd = -1, .synced_fd = -1};
}

// --- starting again
// ----------------------------------------------------------------------------------------------

// Keeps a copy of bytes [from, n) of a file and cuts them off (or removes the file when nothing is left).
static bool
cut_tail(struct agr_wal *w, const char *name, uint64_t file, const uint8_t *p, size_t n, size_t from)
{
    char copy[64];
    snprintf(copy, sizeof(copy), "torn-%020llu-%zu", (unsigned long long)file, from);
    if (!agr_file_replace(w->dir_fd, copy, p + from, n - from, true))
        return false;
    if (from == 0)
        return unlinkat(w->dir_fd, name, 0) == 0 && fsync(w->dir_fd) == 0;
    int fd = openat(w->dir_fd, name, O_RDWR | O_CLOEXEC);
    bool ok = fd != -1 && ftruncate(fd, (off_t)from) == 0 && fsync(fd) == 0;
    if (fd != -1)
        close(fd);
    return ok;
}

// The last file may have a torn tail; `ret_end` is where the next batch goes, 0 when the file is gone.
static enum agr_wal_status
open_file(struct agr_wal *w, uint64_t file, bool is_last, const struct agr_wal_visitor *v,
          struct wal_scan *scan, uint64_t synced_file, uint64_t synced_offset)
{
    char name[32];
    size_t n;
    snprintf(name, sizeof(name), "%020llu.wal", (unsigned long long)file);
    uint8_t *p = agr_file_read(w->dir_fd, name, SIZE_MAX / 2, &n);
    if (!p)
        return fail(w, AGR_WAL_BAD, name);
    enum agr_wal_status s = AGR_WAL_OK;
    bool is_whole = wal_scan_file(scan, file, p, n, v);
    if (scan->is_stopped) {
        s = AGR_WAL_BAD;
        snprintf(w->error, sizeof(w->error), "LOG/wal/%s at %zu does not continue the log", name,
                 scan->good_end);
    } else {
        // Also a file that ends cleanly between two batches, when a batch that was synced is gone.
        bool was_synced = file == synced_file && scan->good_end < synced_offset;
        if (was_synced ||
            (!is_whole && (!is_last || wal_has_later_batches(p, n, scan->good_end, scan->seq)))) {
            snprintf(w->error, sizeof(w->error),
                     "LOG/wal/%s is damaged at byte %zu, before data that was synced; restore it from a copy",
                     name, scan->good_end);
            s = AGR_WAL_BAD;
        } else if (!is_whole && !cut_tail(w, name, file, p, n, scan->good_end)) {
            s = fail(w, AGR_WAL_BAD, "cannot cut a torn tail of the WAL");
        }
    }
    free(p);
    return s;
}

static bool
read_mark(int dir_fd, uint64_t *ret_file, uint64_t *ret_offset)
{
    size_t n;
    uint8_t *p = agr_file_read(dir_fd, "synced", 64, &n);
    bool ok = p && n == 20 && wal_load(p + 16, 4) == ag_crc32c(0, p, 16);
    if (ok) {
        *ret_file = wal_load(p, 8);
        *ret_offset = wal_load(p + 8, 8);
    }
    free(p);
    return ok;
}

enum agr_wal_status
agr_wal_open(struct agr_wal *w, int log_fd, const struct agr_io *io, const struct agr_wal_visitor *visitor,
             bool *ret_is_empty)
{
    *w = (struct agr_wal){.dir_fd = -1, .fd = -1, .synced_fd = -1};
    if (io)
        w->io = *io;
    if (mkdirat(log_fd, "wal", 0700) != 0 && errno != EEXIST)
        return fail(w, AGR_WAL_BAD, "cannot make LOG/wal");
    w->dir_fd = openat(log_fd, "wal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t mark_file = UINT64_MAX, mark_offset = 0, *files = NULL;
    bool has_mark = w->dir_fd != -1 && read_mark(w->dir_fd, &mark_file, &mark_offset);
    size_t n = w->dir_fd == -1 ? 0 : wal_list(w->dir_fd, &files);
    w->synced_fd = openat(w->dir_fd, "synced", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum agr_wal_status s = AGR_WAL_OK;
    if (w->dir_fd == -1 || w->synced_fd == -1)
        s = fail(w, AGR_WAL_BAD, "cannot open LOG/wal");
    else if (has_mark && (n == 0 || files[n - 1] < mark_file)) {
        s = AGR_WAL_BAD;
        snprintf(w->error, sizeof(w->error), "LOG/wal/%020llu.wal, which was synced, is missing",
                 (unsigned long long)mark_file);
    }
    struct wal_scan scan = {0};
    uint64_t last = 0;
    size_t end = 0;
    for (size_t i = 0; i < n && s == AGR_WAL_OK; i++) {
        s = open_file(w, files[i], i == n - 1, visitor, &scan, mark_file, mark_offset);
        if (s == AGR_WAL_OK && scan.good_end) {
            last = files[i];
            end = scan.good_end;
            w->seq = scan.seq;
        }
    }
    free(files);
    *ret_is_empty = end == 0;
    if (s == AGR_WAL_OK && end) {
        char name[32];
        snprintf(name, sizeof(name), "%020llu.wal", (unsigned long long)last);
        w->file = last;
        w->offset = end;
        w->fd = openat(w->dir_fd, name, O_RDWR | O_CLOEXEC);
        if (w->fd == -1)
            s = fail(w, AGR_WAL_BAD, name);
    }
    return s;
}

void
agr_wal_prune(struct agr_wal *w, uint64_t floor)
{
    uint64_t *files = NULL;
    size_t n = wal_list(w->dir_fd, &files);
    for (size_t i = 0; i + 1 < n && files[i + 1] <= floor && files[i] != w->file; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%020llu.wal", (unsigned long long)files[i]);
        unlinkat(w->dir_fd, name, 0);
    }
    free(files);
}
