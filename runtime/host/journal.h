// SPDX-License-Identifier: Apache-2.0
// Step 15, the writer's half of the audit log: rows are copied into a preallocated segment shared with the
// sequencer. In: row body, canonical action and payload bytes. Out: a complete record in the mapping, and its
// position. An append makes no system call, takes no lock and allocates nothing; whatever opens, maps or
// waits is in the calls marked I/O, which are made outside the decision path. Formats: docs/formats/audit.md.
// Atomics: partner of runtime/audit/sequencer.c (other process, reads by pread).
// Owns: the mappings of its segments. Thread rule: one journal, one thread, one process (a forked child's
// copy refuses every append). Next: runtime/audit/sequencer.c.
#ifndef AGR_JOURNAL_H
#define AGR_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

#define AGR_SEGMENT_SIZE     (16u << 20)         // bytes of one segment file
#define AGR_SEGMENT_HEADER   4096u               // records start here
#define AGR_RECORD_HEADER    64u                 // bytes before the body
#define AGR_ROW_MAX          16384u              // one composed row line
#define AGR_BODY_MAX         15360u              // the committer's part of a row
#define AGR_ACTION_MAX       (4u << 20)          // canonical action bytes of one record
#define AGR_PAYLOAD_MAX      (4u << 20)          // input bytes kept for replay with one record
#define AGR_JOURNAL_NO_MAX   0xffffffu           // 24 bits in a decision id
#define AGR_WSEQ_MAX         0xffffffffffffffull // 56 bits in a decision id
#define AGR_DECISION_ID_SIZE 24u                 // characters, no terminator
#define AGR_BOOT_TEXT_SIZE   8u                  // characters, no terminator
#define AGR_BACKLOG_MAX      (256ull << 20)      // default bytes of unsequenced segments
#define AGR_JOURNAL_AHEAD    16                  // most segments mapped ahead of the current one
#define AGR_JOURNAL_RETIRED  2 // filled segments kept mapped by a refill for answers that wait for their sync

enum agr_journal_status {
    AGR_JOURNAL_OK = 0,
    AGR_JOURNAL_UNAVAILABLE, // audit_unavailable: no next segment, back-pressure, poisoned, or a forked copy
    AGR_JOURNAL_TOO_BIG,     // a piece is over its limit; the caller sends less (digest only) or refuses
    AGR_JOURNAL_INVALID,     // not a segment of ours, or a bad argument
    AGR_JOURNAL_SYSTEM,      // a system call failed; errno says which way
};

// Row types; the sequencer writes the text of agr_row_type_text into the row.
enum agr_row_type {
    AGR_ROW_DECISION = 1,
    AGR_ROW_OUTCOME,
    AGR_ROW_REFUSED,
    AGR_ROW_KILL,
    AGR_ROW_POLICY,
    AGR_ROW_WORKER_CRASH,
    AGR_ROW_END,
    AGR_ROW_GAP,
    AGR_ROW_UNRECORDED,
    AGR_ROW_NOTE,
    AGR_ROW_TYPES
};

#define AGR_RECORD_DURABLE 1u // an answer waits: the sequencer stores gseq in the record after the sync

// What one append takes. Strings are borrowed for the call.
struct agr_record {
    enum agr_row_type type;
    uint32_t flags;  // AGR_RECORD_*
    int64_t time_ns; // decision clock, UNIX nanoseconds
    struct ag_str
        body; // JSON object "{…}", one line of UTF-8; keys v gseq prev id boot worker journal wseq time
              // type action_digest payload_digest are added by the sequencer and must not occur
    struct ag_str action;  // canonical JSON of {agent, params, target, tenant, type}; empty: no action_digest
    struct ag_str payload; // input kept for replay; empty: no payload_digest
};

// Where a record is. Plain data.
struct agr_journal_pos {
    uint64_t wseq;
    uint32_t segment; // segment number
    uint32_t offset;  // of the record in it
};

// Segment header; fixed layout of docs/formats/audit.md.
struct agr_segment {
    char magic[8];
    uint32_t version, header_size;
    uint64_t segment_size;
    uint64_t boot; // low 40 bits
    uint32_t journal, segment, worker, pid;
    uint64_t zero_d;
    int64_t created_ns;
    uint8_t kernel_boot[16];
    uint8_t zero_a[44];
    uint32_t crc;
    // Writer's words.
    uint64_t closed, unrecorded, durable, first_wseq;
    uint8_t zero_b[32];
    // Sequencer's words, each followed by its complement.
    uint64_t synced[2];
    uint64_t poisoned[2];
    uint8_t zero_c[4096 - 224];
};
_Static_assert(sizeof(struct agr_segment) == AGR_SEGMENT_HEADER, "segment header layout");

struct agr_record_header {
    uint64_t commit; // length << 32 | crc32c, stored last
    uint64_t gseq[2];
    uint64_t wseq;
    uint16_t type, flags;
    uint32_t body_n, action_n, payload_n;
    int64_t time_ns;
    uint64_t zero;
};
_Static_assert(sizeof(struct agr_record_header) == AGR_RECORD_HEADER, "record header layout");

#define AGR_STATUS_BACKLOG 1u // unsequenced data over the limit
#define AGR_STATUS_RESERVE 2u // free space under the reserve
#define AGR_STATUS_FAILED  4u // the sequencer stopped on an error
#define AGR_STATUS_WARNING 8u // half of a limit is used; appends still work
#define AGR_STATUS_REFUSE  (AGR_STATUS_BACKLOG | AGR_STATUS_RESERVE | AGR_STATUS_FAILED)

// The status page that the sequencer writes and everyone else maps read-only.
struct agr_audit_status {
    char magic[8];
    uint32_t version, size;
    uint64_t pid, heartbeat_ns;
    uint32_t flags, zero;
    uint64_t backlog, backlog_max, space_free, reserve;
    uint64_t next_gseq, synced_gseq, checkpoint_size;
    uint64_t rows, batches, lag_ns;
};
#define AGR_STATUS_SIZE 4096u // bytes of the page's file

// Messages of sequencer.sock.
enum agr_journal_op { AGR_JOP_OPEN = 1, AGR_JOP_NEXT = 2, AGR_JOP_WAKE = 3, AGR_JOP_RESUME = 4 };
struct agr_journal_msg {
    char magic[4]; // "AJS1"
    uint32_t op, result, worker, journal, segment;
    uint64_t boot, value;
    uint8_t zero[24];
};
_Static_assert(sizeof(struct agr_journal_msg) == 64, "socket message layout");

// Caller-owned; zero before the first open. Fields are read through the functions below.
struct agr_journal {
    uint8_t *current;                                          // mapping, NULL when closed
    uint8_t *next[AGR_JOURNAL_AHEAD];                          // mapped ahead, nearest first
    uint8_t *retired[AGR_JOURNAL_AHEAD + AGR_JOURNAL_RETIRED]; // filled, newest first
    uint32_t next_n, retired_n, ahead;                         // ahead: how many a refill aims at
    const struct agr_audit_status *status;                     // or NULL
    uint64_t *guard;                                           // own page, wiped in a forked child
    uint64_t boot, wseq;                                       // wseq of the next record
    uint64_t unrecorded;
    uint64_t backlog_max;
    uint32_t at; // next free byte of current
    uint32_t journal, worker, segment;
    int sock;       // connection to the sequencer, or -1; owned
    int dir_fd;     // LOG/journal when the journal may make its own segments, or -1; owned
    uint32_t asked; // segments asked for and not yet here
};

// I/O. Opens a journal over a connected sequencer.sock (blocking until the sequencer answers). Takes `sock`
// on success. `worker` is only a label for rows.
enum agr_journal_status agr_journal_open_socket(struct agr_journal *j, int sock, uint32_t worker);

// I/O. Opens a journal for an embedder over LOG `dir`: through dir/sequencer.sock when a sequencer listens
// there, else in dir/journal (made when missing) with own segments, at most backlog_max bytes of them in all
// (0: default).
enum agr_journal_status agr_journal_open_dir(struct agr_journal *j, const char *dir, uint32_t worker,
                                             uint64_t backlog_max);

// I/O. Takes two segment descriptors and the status page's (or -1) that some other channel brought; closes
// none of them. The journal then gets more segments by agr_journal_attach_next only.
enum agr_journal_status agr_journal_attach(struct agr_journal *j, int fd_first, int fd_next, int fd_status);
enum agr_journal_status agr_journal_attach_next(struct agr_journal *j, int fd);

// I/O. Gives an open journal a new connection after its sequencer was replaced; takes `sock` on success.
enum agr_journal_status agr_journal_resume_socket(struct agr_journal *j, int sock);

// How many segments a refill keeps ready (1 at first, at most AGR_JOURNAL_AHEAD): about the bytes journaled
// between two refills, in segments, plus one.
void agr_journal_set_ahead(struct agr_journal *j, uint32_t count);

// I/O. Unmaps and closes everything; the sequencer then writes the `end` row. Safe on a zeroed or closed
// journal.
void agr_journal_close(struct agr_journal *j);

// True when agr_journal_refill has something to do; no system call.
bool agr_journal_wants_refill(const struct agr_journal *j);

// I/O, never blocks on the sequencer. Gets the next segment: from the directory at once, or by asking over
// the socket and taking answers that are there. Call it after a decision when agr_journal_wants_refill says
// so, and whenever agr_journal_fd is readable. OK also when the answer is still on its way.
enum agr_journal_status agr_journal_refill(struct agr_journal *j);

// The descriptor to watch for readability, or -1.
int agr_journal_fd(const struct agr_journal *j);

// The wseq that the next successful append gets (1 for the first).
uint64_t agr_journal_next_wseq(const struct agr_journal *j);

// The decision id of (this journal, wseq): 24 characters, no terminator; and the boot's 8 characters.
void agr_journal_id(const struct agr_journal *j, uint64_t wseq, char ret[AGR_DECISION_ID_SIZE]);
void agr_journal_boot_text(uint64_t boot, char ret[AGR_BOOT_TEXT_SIZE]);
void agr_decision_id(uint64_t boot, uint32_t journal, uint64_t wseq, char ret[AGR_DECISION_ID_SIZE]);
// Reads an id back; false when it is not one.
bool agr_decision_id_parse(struct ag_str id, uint64_t *ret_boot, uint32_t *ret_journal, uint64_t *ret_wseq);

// Appends one record: wait-free, no system call, no allocation. UNAVAILABLE counts one unrecorded answer in
// shared memory (reported by a later `unrecorded` row). `ret_pos` is written only on OK.
enum agr_journal_status agr_journal_append(struct agr_journal *j, const struct agr_record *r,
                                           struct agr_journal_pos *ret_pos);

// True when an append of these sizes would be accepted now; lets a caller refuse before it charges anything.
bool agr_journal_has_room(const struct agr_journal *j, size_t body_n, size_t action_n, size_t payload_n);

// Has the sequencer synced this record? When yes and the record was DURABLE, *ret_gseq is its number, else
// UINT64_MAX. No system call.
bool agr_journal_is_synced(const struct agr_journal *j, struct agr_journal_pos pos, uint64_t *ret_gseq);

// I/O, one send without waiting: asks the sequencer to sync now. The answer makes agr_journal_fd readable.
// Without a socket it only marks the segment; the sequencer sees it at its next interval.
enum agr_journal_status agr_journal_wake(struct agr_journal *j, struct agr_journal_pos pos);

// The text of a type in rows ("decision"), NULL for a number that is none.
const char *agr_row_type_text(unsigned type);

// --- for the sequencer
// -------------------------------------------------------------------------------------------

// I/O. Makes a segment file in dir_fd under its final name with a complete header, preallocated and locked
// for its writer; returns the writer's descriptor in *ret_fd (the caller passes it on or maps it, then closes
// it).
enum agr_journal_status agr_segment_create(int dir_fd, const struct agr_segment *header, int *ret_fd);

// Fills magic, version, sizes, created time, kernel boot id and CRC; the caller has set the other fields.
void agr_segment_seal(struct agr_segment *header);
bool agr_segment_is_valid(const struct agr_segment *header);

#define AGR_SEGMENT_NAME_SIZE 32u // with terminator
void agr_segment_name(uint64_t boot, uint32_t journal, uint32_t segment, char ret[AGR_SEGMENT_NAME_SIZE]);
bool agr_segment_name_parse(const char *name, uint64_t *ret_boot, uint32_t *ret_journal,
                            uint32_t *ret_segment);

// A record as the reader sees it; strings borrow from the reader's buffer until the next call on it.
struct agr_journal_item {
    enum agr_row_type type;
    uint32_t flags;
    uint64_t wseq;
    int64_t time_ns;
    struct ag_str body, action, payload;
    uint32_t offset; // of the record in its segment
};

// Reads one segment by pread. The caller owns `buf` (grown with realloc here) and frees it with
// agr_reader_fini.
struct agr_journal_reader {
    int fd;        // borrowed
    uint32_t at;   // next record
    uint64_t wseq; // expected
    uint8_t *buf;
    size_t buf_size, buf_from, buf_n; // file bytes [buf_from, buf_from + buf_n) are in buf
};

enum agr_read_result {
    AGR_READ_ITEM = 0,
    AGR_READ_EMPTY,   // nothing more now
    AGR_READ_CLOSED,  // the segment's records end here; go on in the next segment
    AGR_READ_CORRUPT, // a committed record that is not one, or the file cannot be read
};

void agr_reader_init(struct agr_journal_reader *r, int fd, uint64_t first_wseq);
void agr_reader_fini(struct agr_journal_reader *r);
// Torn records are invisible: EMPTY until their commit word is there.
enum agr_read_result agr_journal_read(struct agr_journal_reader *r, struct agr_journal_item *ret_item);

#endif
