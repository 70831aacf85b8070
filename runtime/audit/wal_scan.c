// SPDX-License-Identifier: Apache-2.0
// Step 17, reading the WAL back: frames, whole batches, damage; and erasing a payload in place. Contract:
// wal.h. In: bytes of WAL files. Out: visits. Every length comes from the file and is checked before it is
// used. Owns: the file bytes while they are visited. Next: runtime/audit/sequencer.c.
#include "wal_frame.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hash.h"
#include "tiles.h"

struct frame {
    enum wal_kind kind;
    uint64_t seq;
    const uint8_t *p; // payload
    size_t n, total;
};

// Checks the frame at p. False: none, or damaged.
static bool
frame_at(const uint8_t *p, size_t n, struct frame *ret)
{
    if (n < WAL_HEAD)
        return false;
    size_t total = (size_t)wal_load(p, 4);
    if (total < WAL_HEAD || total > AGR_WAL_FRAME_MAX || total > n || p[16] < WAL_START ||
        p[16] >= WAL_KINDS || wal_load(p + 17, 7) != 0 ||
        wal_load(p + 4, 4) != ag_crc32c(0, p + 8, total - 8))
        return false;
    *ret = (struct frame){(enum wal_kind)p[16], wal_load(p + 8, 8), p + WAL_HEAD, total - WAL_HEAD, total};
    return true;
}

void
wal_journal_store(uint8_t raw[WAL_JOURNAL_SIZE], const struct agr_wal_journal *j)
{
    memset(raw, 0, WAL_JOURNAL_SIZE);
    wal_store(raw, j->boot, 8);
    wal_store(raw + 8, j->journal, 4);
    wal_store(raw + 12, j->worker, 4);
    wal_store(raw + 16, j->last_wseq, 8);
    wal_store(raw + 24, (uint64_t)j->last_time_ns, 8);
    wal_store(raw + 32, j->unrecorded, 8);
    memcpy(raw + 40, j->kernel_boot, 16);
}

void
wal_journal_load(const uint8_t raw[WAL_JOURNAL_SIZE], struct agr_wal_journal *ret)
{
    *ret = (struct agr_wal_journal){
        .boot = wal_load(raw, 8),
        .journal = (uint32_t)wal_load(raw + 8, 4),
        .worker = (uint32_t)wal_load(raw + 12, 4),
        .last_wseq = wal_load(raw + 16, 8),
        .last_time_ns = (int64_t)wal_load(raw + 24, 8),
        .unrecorded = wal_load(raw + 32, 8),
    };
    memcpy(ret->kernel_boot, raw + 40, 16);
}

static bool
visit_start(const struct frame *f, uint64_t file, struct wal_scan *s, const struct agr_wal_visitor *v)
{
    struct agr_tree tree;
    if (f->kind != WAL_START || f->seq != 0 || f->n < 32 + AGR_HASH_SIZE ||
        memcmp(f->p, "AEGISWAL", 8) != 0 || wal_load(f->p + 8, 8) != 1 || wal_load(f->p + 16, 8) != file)
        return false;
    uint32_t hashes = (uint32_t)wal_load(f->p + 24, 4), journals = (uint32_t)wal_load(f->p + 28, 4);
    if (hashes > AGR_LEVELS_MAX ||
        f->n != 32 + (size_t)hashes * AGR_HASH_SIZE + AGR_HASH_SIZE + (size_t)journals * WAL_JOURNAL_SIZE)
        return false;
    struct agr_hash frontier[AGR_LEVELS_MAX], last;
    memcpy(frontier, f->p + 32, hashes * AGR_HASH_SIZE);
    memcpy(last.b, f->p + 32 + hashes * AGR_HASH_SIZE, AGR_HASH_SIZE);
    if (!agr_tree_load(&tree, file, frontier, hashes))
        return false;
    s->gseq = file;
    if (!v->start)
        return true;
    struct agr_wal_journal *table = calloc(journals ? journals : 1, sizeof(*table));
    if (!table)
        return false;
    const uint8_t *raw = f->p + 32 + (size_t)(hashes + 1) * AGR_HASH_SIZE;
    for (uint32_t i = 0; i < journals; i++)
        wal_journal_load(raw + (size_t)i * WAL_JOURNAL_SIZE, &table[i]);
    s->is_stopped = !v->start(v->ctx, file, &tree, &last, table, journals);
    free(table);
    return !s->is_stopped;
}

// The SHA-256 that the batch frame must hold, adding one frame.
static bool
digest_frame(struct ag_sha256 *d, const struct frame *f)
{
    uint8_t kind = f->kind == WAL_ERASED ? WAL_PAYLOAD : (uint8_t)f->kind;
    ag_sha256_update(d, &kind, 1);
    if (f->kind == WAL_PAYLOAD) {
        if (f->n < WAL_PAYLOAD_MIN || wal_load(f->p + 8, 4) > f->n - 32)
            return false;
        struct agr_hash h;
        ag_sha256(f->p + 16, AGR_SALT_SIZE + (size_t)wal_load(f->p + 8, 4), h.b);
        ag_sha256_update(d, f->p, 8);
        ag_sha256_update(d, h.b, AGR_HASH_SIZE);
        return true;
    }
    if (f->kind == WAL_ROW) {
        struct agr_hash leaf;
        agr_leaf_hash(f->p + 8, f->n - 8, &leaf);
        ag_sha256_update(d, f->p, 8);
        ag_sha256_update(d, leaf.b, AGR_HASH_SIZE);
        return true;
    }
    if (f->kind == WAL_ERASED && f->n < WAL_PAYLOAD_MIN)
        return false;
    ag_sha256_update(d, f->p, f->kind == WAL_ERASED ? 8 + AGR_HASH_SIZE : f->n);
    return true;
}

// Finds the batch that begins at p: its bytes with the closing frame, or 0.
static size_t
batch_at(const uint8_t *p, size_t n, uint64_t seq, uint64_t gseq, uint32_t *ret_frames)
{
    struct ag_sha256 digest;
    struct frame f;
    uint32_t frames = 0, rows = 0;
    ag_sha256_init(&digest);
    for (size_t at = 0; frame_at(p + at, n - at, &f) && f.seq == seq + frames; frames++) {
        at += f.total;
        if (f.kind == WAL_BATCH) {
            uint8_t want[32];
            ag_sha256_final(&digest, want);
            bool ok = f.n == WAL_BATCH_SIZE && wal_load(f.p, 8) == gseq && wal_load(f.p + 8, 4) == rows &&
                      wal_load(f.p + 12, 4) == frames && memcmp(f.p + 16, want, 32) == 0;
            *ret_frames = frames + 1;
            return ok ? at : 0;
        }
        if (f.kind == WAL_START || f.n < 8 || (f.kind == WAL_ROW && wal_load(f.p, 8) != gseq + rows) ||
            (f.kind == WAL_JOURNAL && f.n != WAL_JOURNAL_SIZE) || !digest_frame(&digest, &f))
            return 0;
        rows += f.kind == WAL_ROW;
    }
    return 0;
}

static bool
visit_frame(const struct frame *f, uint64_t end_gseq, const struct agr_wal_visitor *v)
{
    struct agr_wal_journal j;
    struct agr_hash root;
    switch (f->kind) {
    case WAL_ROW:
        return !v->row || v->row(v->ctx, wal_load(f->p, 8), ag_str_of((const char *)f->p + 8, f->n - 8));
    case WAL_PAYLOAD:
        return !v->payload || v->payload(v->ctx, wal_load(f->p, 8), f->p + 16,
                                         ag_str_of((const char *)f->p + 32, (size_t)wal_load(f->p + 8, 4)));
    case WAL_JOURNAL: wal_journal_load(f->p, &j); return !v->journal || v->journal(v->ctx, &j);
    case WAL_BATCH:
        memcpy(root.b, f->p + 48, AGR_HASH_SIZE);
        return !v->batch || v->batch(v->ctx, end_gseq, &root);
    default: return true;
    }
}

bool
wal_scan_file(struct wal_scan *s, uint64_t file, const uint8_t *p, size_t n, const struct agr_wal_visitor *v)
{
    struct frame f;
    *s = (struct wal_scan){0};
    if (!frame_at(p, n, &f) || !visit_start(&f, file, s, v))
        return false;
    s->good_end = f.total;
    s->seq = 1;
    while (s->good_end < n) {
        uint32_t frames = 0;
        size_t size = batch_at(p + s->good_end, n - s->good_end, s->seq, s->gseq, &frames);
        if (size == 0)
            return false;
        uint64_t rows = 0;
        for (size_t at = 0; at < size; at += f.total) {
            frame_at(p + s->good_end + at, size - at, &f);
            rows += f.kind == WAL_ROW;
            if (!visit_frame(&f, s->gseq + rows, v)) {
                s->is_stopped = true;
                return false;
            }
        }
        s->good_end += size;
        s->seq += frames;
        s->gseq += rows;
    }
    return true;
}

bool
wal_has_later_batches(const uint8_t *p, size_t n, size_t from, uint64_t seq)
{
    struct frame f;
    bool has_batch = false;
    for (size_t at = from; at + WAL_HEAD <= n;) {
        // Sequence and kind are looked at first: a CRC of every offset would be slow.
        if (p[at + 16] >= WAL_KINDS || wal_load(p + at + 8, 8) < seq || wal_load(p + at + 8, 8) - seq > n ||
            !frame_at(p + at, n - at, &f)) {
            at++;
            continue;
        }
        if (has_batch)
            return true;
        has_batch = f.kind == WAL_BATCH;
        at += f.total;
    }
    return false;
}

static int
compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

size_t
wal_list(int dir_fd, uint64_t **ret_files)
{
    size_t n = 0, size = 0;
    uint64_t *files = NULL;
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd == -1 ? NULL : fdopendir(fd);
    for (struct dirent *e; d && (e = readdir(d));) {
        uint64_t v = 0;
        bool ok = strlen(e->d_name) == 24 && strcmp(e->d_name + 20, ".wal") == 0;
        for (int i = 0; ok && i < 20; i++) {
            ok = e->d_name[i] >= '0' && e->d_name[i] <= '9';
            v = v * 10 + (uint64_t)(e->d_name[i] - '0');
        }
        if (!ok)
            continue;
        if (n == size) {
            uint64_t *p = realloc(files, (size = size ? size * 2 : 16) * sizeof(*files));
            if (!p)
                break;
            files = p;
        }
        files[n++] = v;
    }
    if (d)
        closedir(d);
    if (n)
        qsort(files, n, sizeof(*files), compare_u64);
    *ret_files = files;
    return n;
}

void
agr_wal_scan(int log_fd, uint64_t from_gseq, const struct agr_wal_visitor *visitor)
{
    uint64_t *files = NULL;
    int dir_fd = openat(log_fd, "wal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd == -1)
        return;
    size_t count = wal_list(dir_fd, &files);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        size_t n;
        struct wal_scan s;
        if (i + 1 < count && files[i + 1] <= from_gseq)
            continue;
        snprintf(name, sizeof(name), "%020llu.wal", (unsigned long long)files[i]);
        uint8_t *p = agr_file_read(dir_fd, name, SIZE_MAX / 2, &n);
        bool ok = p && wal_scan_file(&s, files[i], p, n, visitor);
        free(p);
        if (!ok)
            break;
    }
    free(files);
    close(dir_fd);
}

// --- erasing
// -----------------------------------------------------------------------------------------------------

// Turns the payload frame at p into an erased one of the same length; CRC and batch hash stay right.
static void
blank_frame(uint8_t *p, size_t total)
{
    struct agr_hash h;
    size_t bytes = (size_t)wal_load(p + WAL_HEAD + 8, 4);
    ag_sha256(p + WAL_HEAD + 16, AGR_SALT_SIZE + bytes, h.b);
    memset(p + WAL_HEAD + 8, 0, total - WAL_HEAD - 8);
    memcpy(p + WAL_HEAD + 8, h.b, AGR_HASH_SIZE);
    p[16] = WAL_ERASED;
    wal_store(p + 4, ag_crc32c(0, p + 8, total - 8), 4);
}

static bool
erase_in_file(int dir_fd, const char *name, uint64_t gseq)
{
    size_t n;
    struct frame f;
    uint8_t *p = agr_file_read(dir_fd, name, SIZE_MAX / 2, &n);
    if (!p)
        return false;
    bool ok = true;
    for (size_t at = 0; ok && frame_at(p + at, n - at, &f); at += f.total) {
        if (f.kind != WAL_PAYLOAD || f.n < WAL_PAYLOAD_MIN || wal_load(f.p, 8) != gseq ||
            wal_load(f.p + 8, 4) > f.n - 32)
            continue;
        blank_frame(p + at, f.total);
        ok = agr_file_replace(dir_fd, name, p, n, true);
    }
    free(p);
    return ok;
}

bool
agr_wal_erase(int log_fd, uint64_t gseq)
{
    uint64_t *files = NULL;
    int dir_fd = openat(log_fd, "wal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd == -1)
        return errno == ENOENT;
    size_t n = wal_list(dir_fd, &files);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        char name[32];
        if (i + 1 < n && files[i + 1] <= gseq)
            continue;
        snprintf(name, sizeof(name), "%020llu.wal", (unsigned long long)files[i]);
        ok = erase_in_file(dir_fd, name, gseq);
    }
    free(files);
    close(dir_fd);
    return ok;
}
