// SPDX-License-Identifier: Apache-2.0
// Write-ahead log of the sequencer: the truth from which tiles, entries and checkpoints are rebuilt.
// In: rows and payloads of one batch. Out: frames in LOG/wal, written as they come, one fdatasync per batch.
// A failed fdatasync is final: nothing is retried, the process must end. A failed write is taken back (the
// file is cut to the last synced offset), so a full disk loses nothing. Bytes: docs/formats/audit.md. Owns:
// file descriptors and the frame buffer. Thread rule: one writer. Next: sequencer.c.
#ifndef AGR_WAL_H
#define AGR_WAL_H

#include <sys/types.h>

#include "journal.h"
#include "sha256.h"
#include "str.h"
#include "tree.h"

#define AGR_WAL_FILE_MAX  (64u << 20) // bytes after which a new file starts
#define AGR_WAL_FRAME_MAX (8u << 20)  // one frame: a payload of 4 MiB and its head fit
#define AGR_SALT_SIZE     16u

// What the WAL asks of the system; tests put failures here. NULL members mean the system call.
struct agr_io {
    ssize_t (*pwrite)(void *ctx, int fd, const void *p, size_t n, off_t at);
    int (*fdatasync)(void *ctx, int fd);
    void *ctx;
};

// A journal that is open in the log: rows came, no end or gap yet.
struct agr_wal_journal {
    uint64_t boot;
    uint32_t journal, worker;
    uint64_t last_wseq;
    int64_t last_time_ns;
    uint64_t unrecorded; // already reported
    uint8_t kernel_boot[16];
};

enum agr_wal_status {
    AGR_WAL_OK = 0,
    AGR_WAL_FULL,  // could not write (disk full); the batch is taken back and may be tried again
    AGR_WAL_FATAL, // fdatasync failed or the file cannot be cut: end the process
    AGR_WAL_BAD,   // damaged before the synced offset, or not ours: refuse to start
};

struct agr_wal {
    int dir_fd; // LOG/wal
    int fd, synced_fd;
    struct agr_io io;
    uint64_t file;   // first gseq of the open file
    uint64_t seq;    // next frame sequence in it
    uint64_t offset; // synced bytes of it
    // The batch being made.
    uint8_t *buf;
    size_t n, size;
    size_t written; // bytes of it that are in the file already, behind `offset`
    uint32_t frames, rows;
    uint64_t first_gseq;
    struct ag_sha256 digest;
    bool is_full;   // out of memory for the batch
    bool gives_way; // the CPU is given away between two pieces of a long write
    bool is_dead;   // a sync failed
    char error[240];
};

// Visits what a scan finds. Any may be NULL. Strings borrow until the callback returns. A false ends the
// scan.
struct agr_wal_visitor {
    bool (*start)(void *ctx, uint64_t first_gseq, const struct agr_tree *tree,
                  const struct agr_hash *last_leaf, const struct agr_wal_journal *journals, uint32_t n);
    bool (*row)(void *ctx, uint64_t gseq, struct ag_str entry);
    bool (*payload)(void *ctx, uint64_t gseq, const uint8_t salt[AGR_SALT_SIZE], struct ag_str bytes);
    bool (*journal)(void *ctx, const struct agr_wal_journal *j);
    bool (*batch)(void *ctx, uint64_t end_gseq, const struct agr_hash *root_after);
    void *ctx;
};

// Opens LOG/wal, repairs a torn tail of the last file, visits every whole batch of every file, and is then
// ready to append after the last one. A fresh directory stays without a file until agr_wal_start. `w->error`
// says why not.
enum agr_wal_status agr_wal_open(struct agr_wal *w, int log_fd, const struct agr_io *io,
                                 const struct agr_wal_visitor *visitor, bool *ret_is_empty);
// Starts a new file at this state.
enum agr_wal_status agr_wal_start(struct agr_wal *w, const struct agr_tree *tree,
                                  const struct agr_hash *last_leaf, const struct agr_wal_journal *journals,
                                  uint32_t n);
void agr_wal_close(struct agr_wal *w);

// One batch: begin, add frames in memory, commit (write and fdatasync). After FULL the batch is still in
// memory: call commit again.
void agr_wal_begin(struct agr_wal *w, uint64_t first_gseq);
bool agr_wal_row(struct agr_wal *w, uint64_t gseq, struct ag_str entry, const struct agr_hash *leaf);
bool agr_wal_payload(struct agr_wal *w, uint64_t gseq, const uint8_t salt[AGR_SALT_SIZE], struct ag_str bytes,
                     const struct agr_hash *digest);
bool agr_wal_journal_open(struct agr_wal *w, const struct agr_wal_journal *j);
// Writes whole pages of the open batch when enough wait, without a sync. What is there after a crash is a
// torn tail; a failure shows at the commit, which writes the batch anew.
void agr_wal_write_ahead(struct agr_wal *w);
enum agr_wal_status agr_wal_commit(struct agr_wal *w, const struct agr_hash *root_after, int64_t time_ns);

// Reads without repairing or writing: for lists of rows that are not in tiles yet. Damage ends the scan
// quietly.
void agr_wal_scan(int log_fd, uint64_t from_gseq, const struct agr_wal_visitor *visitor);
// Removes files whose rows are all below `floor`, but never the open one.
void agr_wal_prune(struct agr_wal *w, uint64_t floor);
// Blanks the payload of a row in every file (proofs stay valid). The log must not be open. False with errno.
bool agr_wal_erase(int log_fd, uint64_t gseq);

#endif
