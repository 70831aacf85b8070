// SPDX-License-Identifier: Apache-2.0
// The audit log as commands and servers use it: run the sequencer, verify, read, prove, erase.
// In: a log directory and options. Out: the log's files; reports, rows, receipts.
// Thread rule: every call is independent; one sequencer per log (LOG/lock). Formats: docs/formats/audit.md.
// Next: sequencer.c, verify.c, read.c.
#ifndef AGR_AUDIT_H
#define AGR_AUDIT_H

#include "note.h"
#include "row.h"
#include "wal.h"

#define AGR_SYNC_INTERVAL_MS       50u
#define AGR_CHECKPOINT_INTERVAL_MS 1000u
#define AGR_HISTORY_INTERVAL_S     60u
#define AGR_RESERVE                (64ull << 20) // bytes of free space that are never used

enum agr_audit_result {
    AGR_AUDIT_OK = 0,
    AGR_AUDIT_SYSTEM,  // a system call failed
    AGR_AUDIT_LOCKED,  // another sequencer runs
    AGR_AUDIT_REFUSED, // the log is damaged, smaller than remembered, or of another key
    AGR_AUDIT_FAILED,  // a sync failed while running; everything synced is safe
    AGR_AUDIT_NOT_FOUND,
    AGR_AUDIT_PENDING, // not under a checkpoint yet
};

struct agr_audit_error {
    char text[400]; // what is wrong, where, and what to do; NUL-terminated
};

// --- sequencer
// ---------------------------------------------------------------------------------------------------

// Zero or NULL means the default in the comment.
struct agr_sequencer_options {
    const char *log_dir;       // made when missing
    const char *journal_dir;   // log_dir/journal
    const char *keys_dir;      // log_dir/../keys; made with new keys (0600) at first start
    const char *key_file;      // keys_dir/checkpoint.key
    const char *row_key_file;  // keys_dir/row.key
    const char *old_key_file;  // after a rotation: checkpoints are signed with it too
    const char *origin;        // of a new key: "aegis.local/log-<8 random characters>"
    const char *remember_file; // outside the log: the last checkpoint seen, never gone behind; NULL: none
    bool has_listen_fd;        // listen_fd is a bound and listening SOCK_SEQPACKET socket of the caller
    int listen_fd;
    bool has_stop_fd; // readable (eventfd, pipe): drain, sign, end
    int stop_fd;
    bool is_once;   // drain what is there, sign, end
    bool sign_rows; // sign: row
    uint32_t sync_interval_ms, checkpoint_interval_ms, history_interval_s;
    uint64_t backlog_max;                     // AGR_BACKLOG_MAX
    uint64_t reserve;                         // AGR_RESERVE; 1 for none
    uint64_t keep_entries;                    // rows whose entries are kept; 0 = all
    uint64_t keep_payloads;                   // rows whose payloads are kept; 0 = all
    const struct agr_io *io;                  // tests
    void (*say)(void *ctx, const char *line); // what an operator should read; NULL: nothing
    void *say_ctx;
};

// Runs until the stop descriptor is readable (or once). Installs no signal handler. Blocks.
enum agr_audit_result agr_sequencer_run(const struct agr_sequencer_options *o,
                                        struct agr_audit_error *reterr);

// --- reading
// -----------------------------------------------------------------------------------------------------

struct agr_verify_report {
    uint64_t rows;         // under the checkpoint
    uint64_t bytes;        // of entries
    uint64_t bundles_gone; // removed by retention
    uint64_t payloads;     // checked
    uint32_t journals, days;
    char origin[AGR_KEY_NAME_MAX + 1];
    struct agr_hash root;
    bool has_bad_row; // bad_gseq is the first row that is wrong
    uint64_t bad_gseq;
    char file[160]; // the file that is wrong, relative to the log; empty: none
    char text[400]; // what differs
};

struct agr_verify_options {
    const char *vkey;     // verifier key text; NULL: the first checkpoint key of keys.note (self-attested)
    const char *row_vkey; // for sign: row; NULL: from keys.note
    const struct agr_checkpoint *seen; // an earlier checkpoint that must be a prefix; NULL: none
    void (*progress)(void *ctx, uint64_t rows, uint64_t of); // about once per 65,536 rows; NULL: none
    void *progress_ctx;
};

// Checks a whole log: signatures, entries, tiles, root, daily checkpoints, prev, wseq, payload digests. OK,
// REFUSED (see the report) or SYSTEM. Needs no lock: rows past the checkpoint are not looked at.
enum agr_audit_result agr_audit_verify(const char *log_dir, const struct agr_verify_options *o,
                                       struct agr_verify_report *ret);

// One row of an iteration. Strings borrow for the call.
struct agr_audit_item {
    uint64_t gseq;
    struct ag_str line, entry;
    struct agr_row row;
    bool is_parsed; // row is filled
};
typedef bool agr_audit_fn(void *ctx, const struct agr_audit_item *item); // false ends

// Rows [from, to) in order: entry bundles, then rows of the WAL that are in no bundle yet.
enum agr_audit_result agr_audit_iterate(const char *log_dir, uint64_t from, uint64_t to, agr_audit_fn *fn,
                                        void *ctx, struct agr_audit_error *reterr);
// Rows in the log: under the checkpoint, or also those only in the WAL.
enum agr_audit_result agr_audit_size(const char *log_dir, uint64_t *ret_checkpoint, uint64_t *ret_all);
// The row of a decision id (or of an outcome): searched from the end. NOT_FOUND when there is none.
enum agr_audit_result agr_audit_find(const char *log_dir, struct ag_str id, uint64_t *ret_gseq,
                                     struct agr_audit_error *reterr);

// The input kept with a row, on the heap of the caller. NOT_FOUND when there was none, or it was erased or
// pruned.
enum agr_audit_result agr_audit_payload(const char *log_dir, uint64_t gseq, uint8_t **ret, size_t *ret_n);

// Receipt of a row: a c2sp.org/tlog-proof@v1 text (index, inclusion proof, checkpoint). PENDING before its
// checkpoint. Heap memory of the caller.
enum agr_audit_result agr_audit_receipt(const char *log_dir, uint64_t gseq, char **ret, size_t *ret_n,
                                        struct agr_audit_error *reterr);
// True when the receipt proves that `entry` is in a log signed by the key.
bool agr_receipt_check(struct ag_str receipt, struct ag_str entry, const struct agr_note_key *key,
                       struct agr_checkpoint *ret, struct agr_audit_error *reterr);

// The root of a UTC day "YYYY-MM-DD": the last checkpoint of that day, or of the last day before it that has
// one.
enum agr_audit_result agr_audit_root(const char *log_dir, const char *day, char *ret_note, size_t size,
                                     struct agr_audit_error *reterr);

// Consistency proof between two sizes of the log, 1 <= old <= size.
enum agr_audit_result agr_audit_consistency(const char *log_dir, uint64_t old, uint64_t size,
                                            struct agr_proof *ret, struct agr_audit_error *reterr);

// Erases the payload of a row from LOG/payload and the WAL; needs the sequencer stopped (LOCKED otherwise).
enum agr_audit_result agr_audit_erase(const char *log_dir, uint64_t gseq, struct agr_audit_error *reterr);

// Reads the first checkpoint (or row) key that keys.note lists as added, checking the note against itself.
bool agr_keys_note_find(struct ag_str note, bool is_row, struct agr_note_key *ret);

#endif
