// SPDX-License-Identifier: Apache-2.0
// Inside of the sequencer: its state, shared by sequencer.c (rounds), seq_journals.c (segments in, words
// back), seq_link.c (sockets), seq_keys.c (keys) and seq_state.c (start, checkpoints, retention). Not for
// others. Thread rule: one thread. Owns everything in struct sequencer. Next: sequencer.c.
#ifndef AGR_SEQ_H
#define AGR_SEQ_H

#include "audit.h"
#include "payload.h"
#include "tiles.h"

#define SEQ_BATCH_ROWS  4096u
#define SEQ_BATCH_BYTES (8u << 20) // of rows and payloads; one more record of any size may follow
#define SEQ_CONNS_MAX   1024u
#define SEQ_YIELD_ROWS  16u  // rows worked on before whoever waits for this CPU may have it
#define SEQ_BEHIND_MS   100  // older rows than this wait: the CPU is not given away any more
#define SEQ_SALTS       256u // drawn from the kernel at once

struct seq_journal {
    struct agr_wal_journal w; // what the log knows of it
    bool is_in_wal;           // has a journal frame
    int fd;                   // segment being read, or -1
    uint32_t segment;         // its number
    struct agr_journal_reader reader;
    struct agr_journal_item item;
    bool has_item, is_corrupt, has_hung_up, is_ended;
    uint32_t made;       // highest segment number handed out over a socket
    uint64_t taken_wseq; // last wseq in a batch that may not be synced yet
    int published_fd;    // while words are published
    uint64_t synced_wseq;
    int64_t quiet_since_ms;
    // Segments read to their end, waiting for the sync of their last rows.
    struct {
        int fd;
        uint32_t segment;
    } * done;
    uint32_t done_n, done_size;
};

struct seq_conn {
    int fd;
    bool has_journal;
    uint64_t boot;
    uint32_t journal;
    uint64_t wake_wseq; // answer when synced; 0: none
};

// A row of the batch being made.
struct seq_pending {
    size_t at, n; // entry in seq->text
    struct agr_hash leaf;
    uint32_t journal; // index, UINT32_MAX for own rows
    int fd;           // segment
    uint32_t offset;
    bool is_durable;
    uint64_t wseq;
    // Payload in seq->text, when has_payload.
    bool has_payload;
    size_t payload_at, payload_n;
    uint8_t salt[AGR_SALT_SIZE];
};

struct sequencer {
    const struct agr_sequencer_options *o;
    struct agr_audit_error *err;
    int log_fd, journal_fd, lock_fd, listen_fd;
    struct agr_wal wal;
    struct agr_tiles tiles;
    struct agr_payloads payloads;
    struct agr_note_signer key, old_key, row_key;
    bool has_old_key;
    struct agr_hash last_leaf;
    uint8_t kernel_boot[16];
    uint64_t boot, own_wseq; // own journal 0
    uint32_t last_journal;   // numbers given to socket writers
    struct seq_journal *journals;
    uint32_t journals_n, journals_size;
    struct seq_conn *conns;
    uint32_t conns_n;
    // The batch.
    struct seq_pending *pending;
    uint32_t pending_n;
    char *text;
    size_t text_n, text_size;
    uint64_t batch_bytes;
    uint8_t salts[SEQ_SALTS][AGR_SALT_SIZE];
    uint32_t salts_n;            // not used yet
    bool is_batch_open, is_full; // full: the disk took no batch; tried again at the next round
    uint32_t rows_worked;        // since the CPU was given away
    int64_t oldest_ns;           // time of the batch's first row; 0: none yet
    uint64_t rows_before;        // status->rows at the last wait: whether rows are arriving
    struct agr_hash batch_prev;  // the next row's prev in sign: row, else the batch's
    // Clocks and files.
    struct agr_audit_status *status;
    uint64_t checkpoint_size;
    bool has_checkpoint, wants_checkpoint;
    int64_t checkpoint_ms, history_ms, scan_ms, slow_ms;
    char day[16];
    char note[4096]; // last checkpoint note
    size_t note_n;
    uint64_t floor_entries, floor_payloads;
};

int64_t seq_now_ns(void); // UTC
int64_t seq_monotonic_ms(void);
// Lets others have the CPU now and then, called after each row: a worker that waits for this CPU answers a
// client, and a row has 50 ms. Not while the log is behind: it would fall behind further.
void seq_give_way(struct sequencer *s);
void seq_say(struct sequencer *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Writes the error text and returns `r`.
enum agr_audit_result seq_fail(struct sequencer *s, enum agr_audit_result r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// seq_keys.c
enum agr_audit_result seq_keys_open(struct sequencer *s);
enum agr_audit_result seq_keys_note(struct sequencer *s); // makes or extends LOG/keys.note

// seq_state.c
enum agr_audit_result seq_recover(struct sequencer *s);
enum agr_audit_result seq_checkpoint(struct sequencer *s, bool is_history_forced);
enum agr_audit_result seq_rotate(struct sequencer *s); // new WAL file, retention
void seq_status_update(struct sequencer *s, int64_t oldest_ns);

// seq_journals.c
struct seq_journal *seq_journal_find(struct sequencer *s, uint64_t boot, uint32_t journal);
struct seq_journal *seq_journal_add(struct sequencer *s, const struct agr_wal_journal *w);
void seq_journal_remove(struct sequencer *s, struct seq_journal *j, bool with_files);
void seq_scan_dir(struct sequencer *s);
// Makes j->item the next record, following segments. False: nothing now.
bool seq_journal_peek(struct sequencer *s, struct seq_journal *j);
bool seq_journal_is_writer_alive(struct sequencer *s, struct seq_journal *j);
uint64_t seq_journal_unrecorded(struct sequencer *s, struct seq_journal *j);
void seq_journal_poison(struct sequencer *s, struct seq_journal *j);
void seq_publish(struct sequencer *s); // gseq and synced words of the batch, then old segments go
uint64_t seq_backlog(struct sequencer *s);

// seq_link.c
enum agr_audit_result seq_link_open(struct sequencer *s);
void seq_link_close(struct sequencer *s);
// Waits up to timeout_ms for messages; true when the stop descriptor is readable. *ret_wake: sync now.
bool seq_link_wait(struct sequencer *s, int timeout_ms, bool *ret_wake);
void seq_link_answer_wakes(struct sequencer *s);

#endif
