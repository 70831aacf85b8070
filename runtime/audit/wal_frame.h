// SPDX-License-Identifier: Apache-2.0
// Inside of the WAL: frame bytes and the scan that wal.c, lists and the fuzz target share. Not for others.
// In: bytes of one WAL file. Out: visits of whole batches, and where the good part ends. Thread rule: pure.
// Next: wal.c.
#ifndef AGR_WAL_FRAME_H
#define AGR_WAL_FRAME_H

#include "wal.h"

#define WAL_HEAD         24u
#define WAL_JOURNAL_SIZE 64u
#define WAL_BATCH_SIZE   88u
#define WAL_PAYLOAD_MIN  48u // an erased frame must fit into the smallest payload frame

enum wal_kind { WAL_START = 1, WAL_ROW, WAL_PAYLOAD, WAL_ERASED, WAL_JOURNAL, WAL_BATCH, WAL_KINDS };

static inline void
wal_store(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static inline uint64_t
wal_load(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

void wal_journal_store(uint8_t raw[WAL_JOURNAL_SIZE], const struct agr_wal_journal *j);
void wal_journal_load(const uint8_t raw[WAL_JOURNAL_SIZE], struct agr_wal_journal *ret);

struct wal_scan {
    size_t good_end; // bytes up to the last whole batch (or the start frame)
    uint64_t seq;    // of the frame that would come next there
    uint64_t gseq;   // of the row that would come next
    bool is_stopped; // a visitor refused
};

// Visits a file. True when it is whole to its last byte. A file is named by its first gseq.
bool wal_scan_file(struct wal_scan *s, uint64_t file, const uint8_t *p, size_t n,
                   const struct agr_wal_visitor *v);
// True when the bytes after `from` still hold frames of two batches numbered after `seq`.
bool wal_has_later_batches(const uint8_t *p, size_t n, size_t from, uint64_t seq);
// Numbers of the files in LOG/wal, ascending, on the heap of the caller.
size_t wal_list(int dir_fd, uint64_t **ret_files);

#endif
