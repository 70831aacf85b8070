// SPDX-License-Identifier: Apache-2.0
// Step 17, the rounds: read all journals, order rows by time, compose, chain, write and sync one batch,
// publish. In: records of writers' journals. Out: synced rows in the WAL, then tiles, then a signed
// checkpoint. Alone holds signing keys and writes the log; reads nothing but journals, keys and its own
// files. Owns everything in struct sequencer. Next: seq_state.c (start, checkpoints), verify.c (the other
// side).
#include "seq.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 300 // a journal without news for so long is asked whether its writer lives
#define SCAN_MS  200 // the directory is looked through for embedders' journals
#define RETRY_MS 100 // between attempts on a full disk
#define STEP_MS  5   // rows that arrive while a batch is open are composed this soon, not all at its end
#define TIME_MAX 9214646400000000000ll - 1 // 2261-12-31: what the row's time can spell

int64_t
seq_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
seq_monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// Each time the CPU is given away it may be gone for a whole slice of somebody else's, so time is looked at
// anew.
static bool
is_behind(const struct sequencer *s)
{
    return s->oldest_ns && seq_now_ns() - s->oldest_ns > SEQ_BEHIND_MS * 1000000ll;
}

void
seq_give_way(struct sequencer *s)
{
    if (++s->rows_worked < SEQ_YIELD_ROWS)
        return;
    s->rows_worked = 0;
    if (!is_behind(s))
        sched_yield();
}

void
seq_say(struct sequencer *s, const char *fmt, ...)
{
    char line[600];
    va_list ap;
    if (!s->o->say)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    s->o->say(s->o->say_ctx, line);
}

enum agr_audit_result
seq_fail(struct sequencer *s, enum agr_audit_result r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->err->text, sizeof(s->err->text), fmt, ap);
    va_end(ap);
    return r;
}

// --- one row
// -----------------------------------------------------------------------------------------------------

static char *
text_room(struct sequencer *s, size_t n)
{
    if (s->text_n + n > s->text_size) {
        size_t size = s->text_size ? s->text_size : 1u << 20;
        while (size < s->text_n + n)
            size *= 2;
        char *p = realloc(s->text, size);
        if (!p)
            return NULL;
        s->text = p;
        s->text_size = size;
    }
    return s->text + s->text_n;
}

static void
open_batch(struct sequencer *s)
{
    if (s->is_batch_open)
        return;
    s->is_batch_open = true;
    s->pending_n = 0;
    s->text_n = 0;
    s->batch_bytes = 0;
    agr_wal_begin(&s->wal, s->tiles.tree.size);
    if (s->o->sign_rows)
        s->batch_prev = s->last_leaf;
    else
        agr_tree_root(&s->tiles.tree, &s->batch_prev);
}

static void
take_salt(struct sequencer *s, uint8_t ret[AGR_SALT_SIZE])
{
    if (!s->salts_n) {
        ag_crypto_random(s->salts, sizeof(s->salts));
        s->salts_n = SEQ_SALTS;
    }
    memcpy(ret, s->salts[--s->salts_n], AGR_SALT_SIZE);
}

// Composes the entry of a row and puts it, with its payload, into the batch. False: out of memory.
static bool
add_row(struct sequencer *s, struct agr_row *row, struct ag_str payload, const struct seq_pending *from)
{
    char *room = text_room(s, AGR_ROW_MAX + 512 + payload.n);
    if (!room || s->pending_n == SEQ_BATCH_ROWS)
        return false;
    struct seq_pending *p = &s->pending[s->pending_n];
    *p = *from;
    p->has_payload = payload.n > 0;
    if (p->has_payload) {
        struct ag_sha256 d;
        take_salt(s, p->salt);
        ag_sha256_init(&d);
        ag_sha256_update(&d, p->salt, sizeof(p->salt));
        ag_sha256_update(&d, payload.p, payload.n);
        ag_sha256_final(&d, row->payload.b);
        row->has_payload = true;
    }
    row->gseq = s->tiles.tree.size + s->pending_n;
    row->prev = s->batch_prev;
    if (row->time_ns < 0 || row->time_ns > TIME_MAX)
        row->time_ns = row->time_ns < 0 ? 0 : TIME_MAX;
    struct ag_buf b;
    ag_buf_init(&b, room, AGR_ROW_MAX + 512);
    agr_row_compose(row, &b);
    if (s->o->sign_rows) {
        ag_buf_char(&b, '\n');
        struct ag_str text = ag_str_of(b.p, b.n);
        ag_buf_char(&b, '\n');
        agr_note_sign_line(&s->row_key, text, &b);
    }
    p->at = s->text_n;
    p->n = b.n;
    s->text_n += b.n;
    struct ag_str entry = ag_str_of(room, b.n);
    agr_leaf_hash(entry.p, entry.n, &p->leaf);
    if (s->o->sign_rows)
        s->batch_prev = p->leaf;
    p->payload_at = s->text_n;
    p->payload_n = payload.n;
    if (p->has_payload) {
        memcpy(room + b.n, payload.p, payload.n);
        s->text_n += payload.n;
        if (!agr_wal_payload(&s->wal, row->gseq, p->salt, payload, &row->payload))
            return false;
    }
    s->pending_n++;
    s->batch_bytes += b.n + payload.n;
    return agr_wal_row(&s->wal, row->gseq, entry, &p->leaf);
}

// A row of the sequencer's own journal.
static bool
add_own(struct sequencer *s, enum agr_row_type type, struct ag_str body)
{
    open_batch(s);
    struct seq_journal *own = seq_journal_find(s, s->boot, 0);
    if (!own) {
        struct agr_wal_journal w = {.boot = s->boot};
        memcpy(w.kernel_boot, s->kernel_boot, sizeof(w.kernel_boot));
        own = seq_journal_add(s, &w);
        if (!own || !agr_wal_journal_open(&s->wal, &w))
            return false;
        own->is_in_wal = true;
    }
    struct agr_row row = {
        .boot = s->boot, .wseq = ++s->own_wseq, .time_ns = seq_now_ns(), .type = type, .body = body};
    own->w.last_wseq = own->taken_wseq = own->synced_wseq = row.wseq;
    own->w.last_time_ns = row.time_ns;
    struct seq_pending from = {.journal = UINT32_MAX, .fd = -1};
    return add_row(s, &row, ag_str_of(NULL, 0), &from);
}

// What stands for a body that only a broken or hostile writer sends.
static struct ag_str
malformed_body(const struct agr_journal_item *it, char *mem, size_t size)
{
    struct ag_buf b;
    uint8_t digest[32];
    ag_buf_init(&b, mem, size);
    ag_sha256(it->body.p, it->body.n, digest);
    ag_buf_lit(&b, "{\"note\":\"malformed_row\",\"of_type\":\"");
    ag_buf_str(&b, ag_str_z(agr_row_type_text(it->type)));
    ag_buf_lit(&b, "\",\"bytes\":");
    ag_buf_u64(&b, it->body.n);
    ag_buf_lit(&b, ",\"sha256\":\"");
    ag_buf_hex(&b, digest, sizeof(digest));
    ag_buf_lit(&b, "\"}");
    return ag_str_of(mem, b.n);
}

// Types that only the sequencer may write; from a writer they would end other journals in a reader's eyes.
static bool
is_own_type(enum agr_row_type t)
{
    return t == AGR_ROW_END || t == AGR_ROW_GAP || t == AGR_ROW_UNRECORDED;
}

static bool
take_item(struct sequencer *s, struct seq_journal *j)
{
    char mem[256];
    const struct agr_journal_item *it = &j->item;
    open_batch(s);
    if (!j->is_in_wal) {
        if (!agr_wal_journal_open(&s->wal, &j->w))
            return false;
        j->is_in_wal = true;
    }
    struct agr_row row = {.boot = j->w.boot,
                          .worker = j->w.worker,
                          .journal = j->w.journal,
                          .wseq = it->wseq,
                          .time_ns = it->time_ns,
                          .type = it->type,
                          .body = it->body};
    if (!agr_body_valid(it->body) || is_own_type(it->type)) {
        row.type = AGR_ROW_NOTE;
        row.body = malformed_body(it, mem, sizeof(mem));
    }
    row.has_action = it->action.n > 0;
    if (row.has_action) {
        struct ag_sha256 d;
        ag_sha256_init(&d);
        ag_sha256_update(&d, "aegis-action-v1\n", 16);
        ag_sha256_update(&d, it->action.p, it->action.n);
        ag_sha256_final(&d, row.action.b);
    }
    struct seq_pending from = {.journal = (uint32_t)(j - s->journals),
                               .fd = j->fd,
                               .offset = it->offset,
                               .is_durable = it->flags & AGR_RECORD_DURABLE,
                               .wseq = it->wseq};
    j->has_item = false;
    j->taken_wseq = j->w.last_wseq = it->wseq;
    if (it->time_ns > 0 && it->time_ns <= TIME_MAX)
        j->w.last_time_ns = it->time_ns;
    j->quiet_since_ms = seq_monotonic_ms();
    return add_row(s, &row, it->payload, &from);
}

// --- life of journals
// --------------------------------------------------------------------------------------------

static void
put_of(struct ag_buf *b, const struct agr_wal_journal *w, const char *wseq_key)
{
    char boot[AGR_BOOT_TEXT_SIZE];
    agr_journal_boot_text(w->boot, boot);
    ag_buf_lit(b, "{\"of\":{\"boot\":\"");
    ag_buf_put(b, boot, sizeof(boot));
    ag_buf_lit(b, "\",\"journal\":");
    ag_buf_u64(b, w->journal);
    ag_buf_str(b, ag_str_z(wseq_key));
    ag_buf_u64(b, w->last_wseq);
    ag_buf_char(b, '}');
}

static bool
add_unrecorded(struct sequencer *s, struct seq_journal *j)
{
    char mem[256];
    struct ag_buf b;
    uint64_t now = j->w.journal ? seq_journal_unrecorded(s, j) : 0;
    if (now <= j->w.unrecorded)
        return true;
    ag_buf_init(&b, mem, sizeof(mem));
    put_of(&b, &j->w, ",\"after_wseq\":");
    ag_buf_lit(&b, ",\"count\":");
    ag_buf_u64(&b, now - j->w.unrecorded);
    ag_buf_char(&b, '}');
    j->w.unrecorded = now;
    j->is_in_wal = true;
    struct agr_wal_journal w = j->w; // adding our own journal may move the table
    open_batch(s);
    return agr_wal_journal_open(&s->wal, &w) && add_own(s, AGR_ROW_UNRECORDED, ag_str_of(mem, b.n));
}

// The last row about a journal, then its files go. A journal that never held a row leaves no trace.
static bool
end_journal(struct sequencer *s, struct seq_journal *j, const char *gap_reason)
{
    char mem[320];
    struct ag_buf b;
    uint64_t boot = j->w.boot;
    uint32_t journal = j->w.journal;
    if (!add_unrecorded(s, j))
        return false;
    j = seq_journal_find(s, boot, journal);
    if (gap_reason)
        seq_journal_poison(s, j);
    ag_buf_init(&b, mem, sizeof(mem));
    put_of(&b, &j->w, ",\"last_wseq\":");
    if (gap_reason) {
        ag_buf_lit(&b, ",\"from\":\"");
        ag_buf_time(&b, j->w.last_time_ns, 9);
        ag_buf_lit(&b, "\",\"to\":\"");
        ag_buf_time(&b, seq_now_ns(), 9);
        ag_buf_lit(&b, "\",\"reason\":\"");
        ag_buf_str(&b, ag_str_z(gap_reason));
        ag_buf_char(&b, '"');
        seq_say(s, "journal %u ended with a gap (%s) after wseq %llu", journal, gap_reason,
                (unsigned long long)j->w.last_wseq);
    }
    ag_buf_char(&b, '}');
    bool is_known = j->is_in_wal || gap_reason;
    return !is_known || add_own(s, gap_reason ? AGR_ROW_GAP : AGR_ROW_END, ag_str_of(mem, b.n));
}

// Why this journal is over, if it is: "" for a plain end.
static const char *
end_reason(struct sequencer *s, struct seq_journal *j, int64_t now_ms)
{
    if (j->w.boot == s->boot && j->w.journal == 0)
        return NULL; // our own ends with us
    if (j->w.journal == 0)
        return "";
    if (j->has_item)
        return NULL;
    if (j->is_corrupt)
        return "corrupt";
    bool is_asked = j->has_hung_up || s->o->is_once || now_ms - j->quiet_since_ms >= QUIET_MS;
    if (!is_asked)
        return NULL;
    j->quiet_since_ms = now_ms;
    if (seq_journal_is_writer_alive(s, j))
        return NULL;
    j->has_hung_up = false;
    // What it wrote just before it went; nothing can follow after its lock is free.
    if (seq_journal_peek(s, j))
        return NULL;
    if (j->is_corrupt)
        return "corrupt";
    if (memcmp(j->w.kernel_boot, s->kernel_boot, sizeof(s->kernel_boot)) != 0)
        return "host_crash";
    return j->fd == -1 && j->is_in_wal ? "corrupt" : ""; // rows in the log, but its segments are gone
}

static bool
end_journals(struct sequencer *s)
{
    int64_t now_ms = seq_monotonic_ms();
    bool is_slow = now_ms >= s->slow_ms;
    if (is_slow)
        s->slow_ms = now_ms + 1000;
    for (uint32_t i = s->journals_n; i-- > 0;) {
        struct seq_journal *j = &s->journals[i];
        if (s->pending_n + 4 > SEQ_BATCH_ROWS)
            return true;
        const char *reason = end_reason(s, j, now_ms);
        if (!reason) {
            if (is_slow && !add_unrecorded(s, j))
                return false;
            continue;
        }
        if (!end_journal(s, j, reason[0] ? reason : NULL))
            return false;
        s->journals[i].is_ended = true;
    }
    return true;
}

// --- a round
// -----------------------------------------------------------------------------------------------------

static bool
is_batch_full(const struct sequencer *s)
{
    return s->pending_n + 64 >= SEQ_BATCH_ROWS || s->batch_bytes >= SEQ_BATCH_BYTES;
}

// Puts the waiting records of all journals into the batch, oldest first. False: out of memory.
static bool
collect(struct sequencer *s)
{
    for (uint32_t i = 0; i < s->journals_n; i++)
        if (!s->journals[i].is_ended)
            seq_journal_peek(s, &s->journals[i]);
    while (!is_batch_full(s)) {
        struct seq_journal *first = NULL;
        for (uint32_t i = 0; i < s->journals_n; i++) {
            struct seq_journal *j = &s->journals[i];
            if (j->has_item && (!first || j->item.time_ns < first->item.time_ns))
                first = j;
        }
        if (!first)
            return true;
        if (s->oldest_ns == 0)
            s->oldest_ns = first->item.time_ns;
        if (!take_item(s, first))
            return false;
        seq_journal_peek(s, first);
        seq_give_way(s);
    }
    return true;
}

static void
remove_ended(struct sequencer *s)
{
    for (uint32_t i = s->journals_n; i-- > 0;)
        if (s->journals[i].is_ended)
            seq_journal_remove(s, &s->journals[i], true);
}

static enum agr_audit_result
commit_batch(struct sequencer *s)
{
    struct agr_tree after = s->tiles.tree;
    struct agr_hash root;
    for (uint32_t i = 0; i < s->pending_n; i++)
        agr_tree_add(&after, &s->pending[i].leaf, NULL, NULL);
    agr_tree_root(&after, &root);
    s->wal.gives_way = !is_behind(s);
    enum agr_wal_status w = agr_wal_commit(&s->wal, &root, seq_now_ns());
    if (w == AGR_WAL_FULL) {
        if (!s->is_full)
            seq_say(s, "%s: rows wait in their journals", s->wal.error);
        s->is_full = true;
        return AGR_AUDIT_OK;
    }
    if (w != AGR_WAL_OK)
        return seq_fail(s, AGR_AUDIT_FAILED, "%s", s->wal.error);
    s->is_full = false;
    uint64_t gseq = s->tiles.tree.size;
    for (uint32_t i = 0; i < s->pending_n; i++, gseq++) {
        const struct seq_pending *p = &s->pending[i];
        if (!agr_tiles_add(&s->tiles, ag_str_of(s->text + p->at, p->n), &p->leaf))
            return seq_fail(s, AGR_AUDIT_FAILED, "cannot write tiles (rows are safe in the WAL): %s",
                            strerror(s->tiles.error));
        if (p->has_payload &&
            !agr_payloads_add(&s->payloads, gseq, p->salt, ag_str_of(s->text + p->payload_at, p->payload_n)))
            return seq_fail(s, AGR_AUDIT_FAILED, "cannot write LOG/payload (rows are safe in the WAL): %s",
                            strerror(errno));
        seq_give_way(s);
    }
    if (!agr_payloads_flush(&s->payloads))
        return seq_fail(s, AGR_AUDIT_FAILED, "cannot write LOG/payload (rows are safe in the WAL): %s",
                        strerror(errno));
    if (s->pending_n)
        s->last_leaf = s->pending[s->pending_n - 1].leaf;
    seq_publish(s);
    s->status->rows += s->pending_n;
    s->status->batches++;
    s->pending_n = 0;
    s->is_batch_open = false;
    s->batch_bytes = 0;
    remove_ended(s);
    return AGR_AUDIT_OK;
}

// One round. *ret_more: journals may hold more right now.
static enum agr_audit_result
run_round(struct sequencer *s, bool *ret_more)
{
    int64_t now_ms = seq_monotonic_ms();
    enum agr_audit_result r = AGR_AUDIT_OK;
    *ret_more = false;
    if (now_ms >= s->scan_ms || s->o->is_once) {
        s->scan_ms = now_ms + SCAN_MS;
        seq_scan_dir(s);
    }
    // A batch that the disk did not take goes first, unchanged: its rows have their numbers.
    if (!s->is_full && (!collect(s) || !end_journals(s)))
        return seq_fail(s, AGR_AUDIT_FAILED, "out of memory for a batch");
    if (s->is_batch_open && s->pending_n) {
        *ret_more = is_batch_full(s);
        r = commit_batch(s);
        if (r != AGR_AUDIT_OK)
            return r;
        *ret_more = *ret_more && !s->is_full;
    } else {
        remove_ended(s); // journals that never held a row
    }
    now_ms = seq_monotonic_ms();
    if (!s->is_full && (now_ms >= s->checkpoint_ms || s->wants_checkpoint)) {
        s->checkpoint_ms = now_ms + s->o->checkpoint_interval_ms;
        s->wants_checkpoint = false;
        r = seq_checkpoint(s, false);
        if (r == AGR_AUDIT_OK)
            r = seq_rotate(s);
    }
    seq_link_answer_wakes(s);
    seq_status_update(s, s->oldest_ns);
    if (!s->is_full)
        s->oldest_ns = 0;
    return r;
}

// Waits for the next round. While rows arrive, they are composed in small steps: the work between two syncs
// is then no burst that holds a CPU others want. False: out of memory.
static bool
wait_round(struct sequencer *s, bool *ret_stop)
{
    bool is_wake = false, is_busy = s->status->rows != s->rows_before;
    int64_t until = seq_monotonic_ms() + (s->is_full ? RETRY_MS : (int64_t)s->o->sync_interval_ms);
    s->rows_before = s->status->rows;
    for (;;) {
        int64_t left = until - seq_monotonic_ms();
        if (left > 0 && is_busy && !s->is_full && left > STEP_MS)
            left = STEP_MS;
        *ret_stop = seq_link_wait(s, left > 0 ? (int)left : 0, &is_wake) || *ret_stop;
        s->wants_checkpoint = s->wants_checkpoint || is_wake;
        if (*ret_stop || is_wake || seq_monotonic_ms() >= until)
            return true;
        if (is_busy && !s->is_full) {
            if (!collect(s))
                return false;
            s->wal.gives_way = !is_behind(s);
            if (s->is_batch_open)
                agr_wal_write_ahead(&s->wal);
        }
        if (is_batch_full(s) && !s->is_full)
            return true;
    }
}

static enum agr_audit_result
run_loop(struct sequencer *s)
{
    bool is_stopping = false, has_more = false;
    for (;;) {
        uint64_t before = s->tiles.tree.size;
        enum agr_audit_result r = run_round(s, &has_more);
        if (r != AGR_AUDIT_OK)
            return r;
        if ((is_stopping || s->o->is_once) && !has_more && s->tiles.tree.size == before)
            return s->is_full ? seq_fail(s, AGR_AUDIT_FAILED, "%s: rows wait in their journals", s->wal.error)
                              : AGR_AUDIT_OK;
        if (has_more || is_stopping || s->o->is_once) {
            bool is_wake = false;
            is_stopping = seq_link_wait(s, 0, &is_wake) || is_stopping;
            s->wants_checkpoint = s->wants_checkpoint || is_wake;
        } else if (!wait_round(s, &is_stopping)) {
            return seq_fail(s, AGR_AUDIT_FAILED, "out of memory for a batch");
        }
    }
}

// --- start and end
// -----------------------------------------------------------------------------------------------

static enum agr_audit_result
open_dirs(struct sequencer *s)
{
    const char *dir = s->o->log_dir;
    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot make %s: %s", dir, strerror(errno));
    s->log_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->log_fd == -1)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot open %s: %s", dir, strerror(errno));
    s->lock_fd = openat(s->log_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (s->lock_fd == -1)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot open %s/lock: %s", dir, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        char pid[24] = {0};
        if (pread(s->lock_fd, pid, sizeof(pid) - 1, 0) <= 0)
            pid[0] = '?';
        return seq_fail(s, AGR_AUDIT_LOCKED, "another sequencer (pid %.*s) runs on %s",
                        (int)strcspn(pid, "\n"), pid, dir);
    }
    char pid[24];
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, pid, (size_t)n, 0) != n)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot write %s/lock: %s", dir, strerror(errno));
    if (!s->o->journal_dir && mkdirat(s->log_fd, "journal", 0700) != 0 && errno != EEXIST)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot make %s/journal: %s", dir, strerror(errno));
    s->journal_fd = s->o->journal_dir ? open(s->o->journal_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                      : openat(s->log_fd, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->journal_fd == -1)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot open the journal directory: %s", strerror(errno));
    return AGR_AUDIT_OK;
}

static enum agr_audit_result
open_status(struct sequencer *s)
{
    int fd = openat(s->journal_fd, "status", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd == -1 || ftruncate(fd, AGR_STATUS_SIZE) != 0) {
        if (fd != -1)
            close(fd);
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot make the status page: %s", strerror(errno));
    }
    void *p = mmap(NULL, AGR_STATUS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot map the status page: %s", strerror(errno));
    s->status = p;
    s->status->version = 1;
    s->status->size = AGR_STATUS_SIZE;
    s->status->pid = (uint64_t)getpid();
    s->status->backlog_max = s->o->backlog_max;
    s->status->reserve = s->o->reserve;
    s->status->rows = s->status->batches = 0;
    __atomic_store_n(&s->status->flags, 0,
                     __ATOMIC_RELEASE); // pairs with is_refused in runtime/host/journal.c
    memcpy(s->status->magic, "AEGISJST", 8);
    return AGR_AUDIT_OK;
}

static void
close_all(struct sequencer *s, enum agr_audit_result r)
{
    if (s->status) {
        // After a failure nothing may be promised; after a clean stop embedders go on with their own
        // segments.
        __atomic_store_n(&s->status->flags, r == AGR_AUDIT_OK ? 0 : AGR_STATUS_FAILED, __ATOMIC_RELEASE);
        munmap(s->status, AGR_STATUS_SIZE);
    }
    seq_link_close(s);
    while (s->journals_n)
        seq_journal_remove(s, &s->journals[s->journals_n - 1], false);
    free(s->journals);
    free(s->pending);
    free(s->text);
    agr_wal_close(&s->wal);
    agr_tiles_close(&s->tiles);
    agr_payloads_close(&s->payloads);
    agr_signer_wipe(&s->key);
    agr_signer_wipe(&s->old_key);
    agr_signer_wipe(&s->row_key);
    int fds[] = {s->journal_fd, s->lock_fd, s->log_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] != -1)
            close(fds[i]);
}

static enum agr_audit_result
start(struct sequencer *s)
{
    struct agr_segment here = {0};
    agr_segment_seal(&here); // reads the kernel's boot id
    memcpy(s->kernel_boot, here.kernel_boot, sizeof(s->kernel_boot));
    uint8_t random[5];
    if (!ag_crypto_init())
        return seq_fail(s, AGR_AUDIT_SYSTEM, "libsodium cannot start");
    ag_crypto_random(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++)
        s->boot = s->boot << 8 | random[i];
    s->pending = calloc(SEQ_BATCH_ROWS, sizeof(*s->pending));
    if (!s->pending)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "out of memory");
    enum agr_audit_result r = open_dirs(s);
    if (r == AGR_AUDIT_OK)
        r = seq_keys_open(s);
    if (r == AGR_AUDIT_OK)
        r = seq_keys_note(s);
    if (r == AGR_AUDIT_OK)
        r = open_status(s);
    if (r == AGR_AUDIT_OK)
        r = seq_recover(s);
    return r == AGR_AUDIT_OK ? seq_link_open(s) : r;
}

static void
set_defaults(struct agr_sequencer_options *o)
{
    if (!o->sync_interval_ms)
        o->sync_interval_ms = AGR_SYNC_INTERVAL_MS;
    if (!o->checkpoint_interval_ms)
        o->checkpoint_interval_ms = AGR_CHECKPOINT_INTERVAL_MS;
    if (!o->history_interval_s)
        o->history_interval_s = AGR_HISTORY_INTERVAL_S;
    if (!o->backlog_max)
        o->backlog_max = AGR_BACKLOG_MAX;
    if (!o->reserve)
        o->reserve = AGR_RESERVE;
}

enum agr_audit_result
agr_sequencer_run(const struct agr_sequencer_options *options, struct agr_audit_error *reterr)
{
    struct agr_sequencer_options o = *options;
    struct sequencer *s = calloc(1, sizeof(*s));
    reterr->text[0] = 0;
    if (!s) {
        snprintf(reterr->text, sizeof(reterr->text), "out of memory");
        return AGR_AUDIT_SYSTEM;
    }
    set_defaults(&o);
    s->o = &o;
    s->err = reterr;
    s->log_fd = s->journal_fd = s->lock_fd = s->listen_fd = -1;
    s->payloads.fd = s->wal.fd = s->wal.dir_fd = s->wal.synced_fd = -1;
    enum agr_audit_result r = start(s);
    bool is_running = r == AGR_AUDIT_OK;
    if (is_running)
        r = run_loop(s);
    if (is_running && r == AGR_AUDIT_OK)
        r = seq_checkpoint(s, true);
    close_all(s, r == AGR_AUDIT_LOCKED ? AGR_AUDIT_OK : r);
    ag_crypto_wipe(s, sizeof(*s));
    free(s);
    return r;
}
