// SPDX-License-Identifier: Apache-2.0
// LOG/payload: inputs kept for replay, one file per 256 rows, prunable and erasable without touching a proof.
// In: gseq, salt, bytes. Out: files appended in gseq order, not synced one by one (the WAL can rebuild them).
// Thread rule: one writer. Next: seq_state.c, read.c.
#ifndef AGR_PAYLOAD_H
#define AGR_PAYLOAD_H

#include "journal.h"
#include "wal.h"

#define AGR_PAYLOAD_HEAD     32u
#define AGR_PAYLOAD_FILE_MAX (256ull * (AGR_PAYLOAD_HEAD + AGR_PAYLOAD_MAX))

struct agr_payloads {
    int log_fd; // borrowed
    int fd;     // open bundle or -1
    uint64_t bundle;
    uint64_t next_gseq; // rows below are in the file or the buffer already (a replay skips them)
    uint8_t *buf;       // records of the open bundle that are not written yet
    size_t n, size;
};

void agr_payloads_open(struct agr_payloads *p, int log_fd);
void agr_payloads_close(struct agr_payloads *p);
// Takes a record; it is in its file after agr_payloads_flush, or earlier. False with errno when the file
// cannot be written.
bool agr_payloads_add(struct agr_payloads *p, uint64_t gseq, const uint8_t salt[AGR_SALT_SIZE],
                      struct ag_str bytes);
// Writes what was taken: one write for the rows of a batch that share a bundle. False with errno.
bool agr_payloads_flush(struct agr_payloads *p);

struct agr_payload_record {
    uint64_t gseq;
    bool is_erased;
    const uint8_t *salt; // salt and bytes lie together: SHA-256 over AGR_SALT_SIZE + bytes.n from here
    struct ag_str bytes;
    size_t total; // bytes of the record in the file
};
// Reads the record at p; false when it is none (a torn end).
bool agr_payload_next(const uint8_t *p, size_t n, struct agr_payload_record *ret);
// Blanks one record of its bundle file. False with errno; true when there is none.
bool agr_payload_erase(int log_fd, uint64_t gseq);

#endif
