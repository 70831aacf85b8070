// SPDX-License-Identifier: Apache-2.0
// Step 17, start and housekeeping: replay of the WAL, checkpoints, daily history, new WAL files, retention,
// status page. In: LOG as it was left. Out: struct sequencer at the last synced row, or a refusal; signed
// files. Order that crash safety needs: WAL synced, then tiles, then checkpoint, then the remembered copy.
// Next: sequencer.c.
#include "seq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

// --- replay
// ------------------------------------------------------------------------------------------------------

static bool
on_start(void *ctx, uint64_t first_gseq, const struct agr_tree *tree, const struct agr_hash *last_leaf,
         const struct agr_wal_journal *journals, uint32_t n)
{
    struct sequencer *s = ctx;
    if (s->tiles.log_fd != -1)
        return s->tiles.tree.size == first_gseq && s->tiles.tree.n == tree->n &&
               memcmp(s->tiles.tree.frontier, tree->frontier, tree->n * sizeof(tree->frontier[0])) == 0;
    if (!agr_tiles_open(&s->tiles, s->log_fd, tree)) {
        seq_fail(
            s, AGR_AUDIT_REFUSED,
            "the tiles of LOG up to row %llu are missing or damaged and no WAL file holds their rows; run "
            "`aegis audit verify` and restore them from a copy",
            (unsigned long long)first_gseq);
        return false;
    }
    s->last_leaf = *last_leaf;
    for (uint32_t i = 0; i < n; i++) {
        struct seq_journal *j = seq_journal_add(s, &journals[i]);
        if (!j)
            return false;
        j->is_in_wal = true;
    }
    return true;
}

static bool
on_journal(void *ctx, const struct agr_wal_journal *w)
{
    struct sequencer *s = ctx;
    struct seq_journal *j = seq_journal_find(s, w->boot, w->journal);
    if (!j)
        j = seq_journal_add(s, w);
    if (!j)
        return false;
    j->w = *w;
    j->is_in_wal = true;
    j->taken_wseq = j->synced_wseq = w->last_wseq;
    return true;
}

static bool
on_row(void *ctx, uint64_t gseq, struct ag_str entry)
{
    struct sequencer *s = ctx;
    struct agr_row row;
    struct agr_hash leaf;
    bool is_signed;
    if (!agr_row_parse(agr_entry_line(entry, &is_signed), &row) || row.gseq != gseq ||
        gseq != s->tiles.tree.size)
        return false;
    agr_leaf_hash(entry.p, entry.n, &leaf);
    if (!agr_tiles_add(&s->tiles, entry, &leaf)) {
        seq_fail(s, AGR_AUDIT_SYSTEM, "cannot write tiles: %s", strerror(s->tiles.error));
        return false;
    }
    s->last_leaf = leaf;
    struct seq_journal *j = seq_journal_find(s, row.boot, row.journal);
    if (!j)
        return false;
    j->w.last_wseq = j->taken_wseq = j->synced_wseq = row.wseq;
    j->w.last_time_ns = row.time_ns;
    uint64_t boot, wseq;
    uint32_t journal;
    if ((row.type == AGR_ROW_END || row.type == AGR_ROW_GAP) && row.journal == 0 &&
        agr_row_of(&row, &boot, &journal, &wseq) && (j = seq_journal_find(s, boot, journal)))
        seq_journal_remove(s, j, true);
    return true;
}

static bool
on_payload(void *ctx, uint64_t gseq, const uint8_t salt[AGR_SALT_SIZE], struct ag_str bytes)
{
    struct sequencer *s = ctx;
    if (gseq < s->floor_payloads || agr_payloads_add(&s->payloads, gseq, salt, bytes))
        return true;
    seq_fail(s, AGR_AUDIT_SYSTEM, "cannot write LOG/payload: %s", strerror(errno));
    return false;
}

static bool
on_batch(void *ctx, uint64_t end_gseq, const struct agr_hash *root_after)
{
    struct sequencer *s = ctx;
    struct agr_hash root;
    agr_tree_root(&s->tiles.tree, &root);
    return s->tiles.tree.size == end_gseq && agr_hash_eq(&root, root_after);
}

// A checkpoint that we (or a copy outside the log) saw must be a prefix of the log as it is now.
static enum agr_audit_result
check_note(struct sequencer *s, int dir_fd, const char *path, const char *what)
{
    size_t n = 0;
    struct ag_str text;
    struct agr_checkpoint c;
    struct agr_hash root;
    struct agr_note_key keys[2] = {s->key.key, s->old_key.key};
    uint8_t *p = agr_file_read(dir_fd, path, AGR_NOTE_MAX, &n);
    if (!p)
        return errno == ENOENT ? AGR_AUDIT_OK
                               : seq_fail(s, AGR_AUDIT_SYSTEM, "cannot read %s: %s", what, strerror(errno));
    enum agr_audit_result r = AGR_AUDIT_OK;
    enum agr_note_status st = agr_note_open(ag_str_of((char *)p, n), keys, s->has_old_key ? 2 : 1, &text);
    if (st != AGR_NOTE_OK)
        r = seq_fail(s, AGR_AUDIT_REFUSED, "%s %s: another key, or the file was changed", what,
                     agr_note_status_text(st));
    else if (!agr_checkpoint_parse(text, &c))
        r = seq_fail(s, AGR_AUDIT_REFUSED, "%s is not a checkpoint", what);
    else if (c.size > s->tiles.tree.size)
        r = seq_fail(s, AGR_AUDIT_REFUSED,
                     "the log has %llu rows but %s covers %llu: rows are missing; restore LOG",
                     (unsigned long long)s->tiles.tree.size, what, (unsigned long long)c.size);
    else if (!agr_tree_root_of(c.size, agr_tiles_get, &s->log_fd, &root) || !agr_hash_eq(&root, &c.root))
        r = seq_fail(s, AGR_AUDIT_REFUSED,
                     "the first %llu rows are not those that %s covers: the log was rewritten",
                     (unsigned long long)c.size, what);
    free(p);
    return r;
}

static void
read_floor(struct sequencer *s)
{
    size_t n = 0;
    struct ag_str text, line;
    struct agr_note_key keys[2] = {s->key.key, s->old_key.key};
    uint8_t *p = agr_file_read(s->log_fd, "floor", AGR_NOTE_MAX, &n);
    if (p && agr_note_open(ag_str_of((char *)p, n), keys, s->has_old_key ? 2 : 1, &text) == AGR_NOTE_OK &&
        agr_line_next(&text, &line)) {
        uint64_t *to[2] = {&s->floor_entries, &s->floor_payloads};
        for (int i = 0; i < 2 && agr_line_next(&text, &line); i++) {
            size_t skip = i ? strlen("payloads ") : strlen("entries ");
            if (line.n > skip)
                agr_decimal_parse(ag_str_of(line.p + skip, line.n - skip), to[i]);
        }
    }
    free(p);
}

enum agr_audit_result
seq_recover(struct sequencer *s)
{
    struct agr_wal_visitor v = {on_start, on_row, on_payload, on_journal, on_batch, s};
    bool is_empty = false;
    s->tiles.log_fd = -1;
    read_floor(s);
    agr_payloads_open(&s->payloads, s->log_fd);
    if (agr_wal_open(&s->wal, s->log_fd, s->o->io, &v, &is_empty) != AGR_WAL_OK)
        return s->err->text[0] ? AGR_AUDIT_REFUSED : seq_fail(s, AGR_AUDIT_REFUSED, "%s", s->wal.error);
    if (is_empty) {
        struct agr_tree tree;
        agr_tree_init(&tree);
        agr_tree_root(&tree, &s->last_leaf);
        if (!agr_tiles_open(&s->tiles, s->log_fd, &tree))
            return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot start the tiles");
    }
    if (!agr_tiles_flush(&s->tiles))
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot write tiles: %s", strerror(s->tiles.error));
    if (!agr_payloads_flush(&s->payloads))
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot write LOG/payload: %s", strerror(errno));
    enum agr_audit_result r = check_note(s, s->log_fd, "checkpoint", "LOG/checkpoint");
    if (r == AGR_AUDIT_OK && s->o->remember_file)
        r = check_note(s, AT_FDCWD, s->o->remember_file, "the remembered checkpoint");
    if (r == AGR_AUDIT_OK && is_empty &&
        agr_wal_start(&s->wal, &s->tiles.tree, &s->last_leaf, NULL, 0) != AGR_WAL_OK)
        r = seq_fail(s, AGR_AUDIT_SYSTEM, "%s", s->wal.error);
    return r;
}

// --- checkpoints
// -------------------------------------------------------------------------------------------------

static void
day_of(int64_t ns, char ret[16])
{
    char text[32];
    struct ag_buf b;
    ag_buf_init(&b, text, sizeof(text));
    ag_buf_time(&b, ns, 0);
    memcpy(ret, text, 10);
    ret[10] = 0;
}

static bool
append_history(struct sequencer *s, const char *day)
{
    char path[40];
    snprintf(path, sizeof(path), "checkpoints/%s", day);
    if (mkdirat(s->log_fd, "checkpoints", 0755) != 0 && errno != EEXIST)
        return false;
    int fd = openat(s->log_fd, path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd == -1)
        return false;
    // A crash may have left a part of a note at the end: cut to whole notes.
    size_t n = 0, good = 0, k;
    uint8_t *have = agr_file_read(s->log_fd, path, SIZE_MAX / 2, &n);
    while (have && (k = agr_note_first(ag_str_of((char *)have + good, n - good))))
        good += k;
    bool is_same = have && good >= s->note_n && memcmp(have + good - s->note_n, s->note, s->note_n) == 0;
    free(have);
    bool ok = ftruncate(fd, (off_t)good) == 0 &&
              (is_same || pwrite(fd, s->note, s->note_n, (off_t)good) == (ssize_t)s->note_n) &&
              fdatasync(fd) == 0;
    return close(fd) == 0 && ok;
}

static bool
remember(struct sequencer *s)
{
    return !s->o->remember_file || agr_file_replace(AT_FDCWD, s->o->remember_file, s->note, s->note_n, true);
}

enum agr_audit_result
seq_checkpoint(struct sequencer *s, bool is_history_forced)
{
    char text[512], today[16];
    struct ag_buf t, b;
    struct agr_hash root;
    const struct agr_note_signer *signers[2] = {&s->key, &s->old_key};
    day_of(seq_now_ns(), today);
    // The day is over: its file ends with what was true then.
    if (s->day[0] && strcmp(today, s->day) != 0 && s->has_checkpoint && !append_history(s, s->day))
        return seq_fail(s, AGR_AUDIT_FAILED, "cannot write LOG/checkpoints/%s: %s", s->day, strerror(errno));
    bool is_new_day = strcmp(today, s->day) != 0;
    memcpy(s->day, today, sizeof(s->day));
    bool is_changed = !s->has_checkpoint || s->checkpoint_size != s->tiles.tree.size;
    if (is_changed) {
        if (!agr_tiles_flush(&s->tiles))
            return seq_fail(s, AGR_AUDIT_FAILED, "cannot write tiles: %s", strerror(s->tiles.error));
        agr_tree_root(&s->tiles.tree, &root);
        ag_buf_init(&t, text, sizeof(text));
        agr_checkpoint_format(ag_str_z(s->key.key.name), s->tiles.tree.size, &root, &t);
        ag_buf_init(&b, s->note, sizeof(s->note));
        agr_note_sign(signers, s->has_old_key ? 2 : 1, ag_str_of(text, t.n), &b);
        s->note_n = b.n;
        if (t.is_full || b.is_full || !agr_file_replace(s->log_fd, "checkpoint", s->note, s->note_n, true) ||
            !remember(s))
            return seq_fail(s, AGR_AUDIT_FAILED, "cannot write the checkpoint: %s", strerror(errno));
        s->has_checkpoint = true;
        s->checkpoint_size = s->tiles.tree.size;
    }
    int64_t now = seq_monotonic_ms();
    if (is_new_day || is_history_forced || (is_changed && now >= s->history_ms)) {
        s->history_ms = now + (int64_t)s->o->history_interval_s * 1000;
        if (!append_history(s, s->day))
            return seq_fail(s, AGR_AUDIT_FAILED, "cannot write LOG/checkpoints/%s: %s", s->day,
                            strerror(errno));
    }
    return AGR_AUDIT_OK;
}

// --- new WAL files, retention
// ------------------------------------------------------------------------------------

static uint64_t
floor_for(uint64_t size, uint64_t keep, uint64_t floor)
{
    uint64_t want = keep && size > keep ? (size - keep) / AGR_TILE_WIDTH * AGR_TILE_WIDTH : 0;
    return want > floor ? want : floor;
}

static void
unlink_bundles(struct sequencer *s, int level, uint64_t from, uint64_t to)
{
    for (uint64_t g = from; g < to; g += AGR_TILE_WIDTH) {
        char path[AGR_TILE_PATH];
        agr_tile_path(level, g / AGR_TILE_WIDTH, AGR_TILE_WIDTH, path);
        unlinkat(s->log_fd, path, 0);
    }
}

// Signs the new floor first: a reader that misses a bundle must find the reason.
static enum agr_audit_result
prune(struct sequencer *s)
{
    char text[512], note[2048];
    struct ag_buf t, b;
    const struct agr_note_signer *signers[2] = {&s->key, &s->old_key};
    uint64_t limit = s->checkpoint_size; // nothing that no checkpoint covers
    uint64_t entries = floor_for(limit, s->o->keep_entries, s->floor_entries);
    uint64_t payloads = floor_for(limit, s->o->keep_payloads, s->floor_payloads);
    if (entries == s->floor_entries && payloads == s->floor_payloads)
        return AGR_AUDIT_OK;
    ag_buf_init(&t, text, sizeof(text));
    ag_buf_str(&t, ag_str_z(s->key.key.name));
    ag_buf_lit(&t, "/floor\nentries ");
    ag_buf_u64(&t, entries);
    ag_buf_lit(&t, "\npayloads ");
    ag_buf_u64(&t, payloads);
    ag_buf_char(&t, '\n');
    ag_buf_time(&t, seq_now_ns(), 9);
    ag_buf_char(&t, '\n');
    ag_buf_init(&b, note, sizeof(note));
    agr_note_sign(signers, s->has_old_key ? 2 : 1, ag_str_of(text, t.n), &b);
    if (t.is_full || b.is_full || !agr_file_replace(s->log_fd, "floor", note, b.n, true))
        return seq_fail(s, AGR_AUDIT_FAILED, "cannot write LOG/floor: %s", strerror(errno));
    unlink_bundles(s, AGR_TILE_ENTRIES, s->floor_entries, entries);
    unlink_bundles(s, AGR_TILE_PAYLOAD, s->floor_payloads, payloads);
    s->floor_entries = entries;
    s->floor_payloads = payloads;
    return AGR_AUDIT_OK;
}

enum agr_audit_result
seq_rotate(struct sequencer *s)
{
    enum agr_audit_result r = prune(s);
    if (r != AGR_AUDIT_OK || s->wal.offset < AGR_WAL_FILE_MAX || s->tiles.tree.size == s->wal.file)
        return r;
    // Before an old WAL file may go, everything made from it must be on disk.
    uint64_t keep = s->wal.file;
    if (!agr_tiles_flush(&s->tiles) || syncfs(s->log_fd) != 0)
        return seq_fail(s, AGR_AUDIT_FAILED, "cannot sync the tiles: %s", strerror(errno));
    struct agr_wal_journal *table = calloc(s->journals_n + 1, sizeof(*table));
    uint32_t n = 0;
    if (!table)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "out of memory");
    for (uint32_t i = 0; i < s->journals_n; i++)
        if (s->journals[i].is_in_wal)
            table[n++] = s->journals[i].w;
    enum agr_wal_status w = agr_wal_start(&s->wal, &s->tiles.tree, &s->last_leaf, table, n);
    free(table);
    if (w == AGR_WAL_FATAL)
        return seq_fail(s, AGR_AUDIT_FAILED, "%s", s->wal.error);
    if (w == AGR_WAL_OK)
        agr_wal_prune(&s->wal, keep);
    return AGR_AUDIT_OK;
}

void
seq_status_update(struct sequencer *s, int64_t oldest_ns)
{
    struct agr_audit_status *st = s->status;
    struct timespec t;
    struct statvfs v;
    clock_gettime(CLOCK_BOOTTIME, &t);
    st->heartbeat_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    st->next_gseq = s->tiles.tree.size + s->pending_n;
    st->synced_gseq = s->tiles.tree.size;
    st->checkpoint_size = s->checkpoint_size;
    int64_t lag = oldest_ns ? seq_now_ns() - oldest_ns : 0;
    st->lag_ns = lag > 0 ? (uint64_t)lag : 0;
    st->backlog = seq_backlog(s) + s->batch_bytes;
    if (fstatvfs(s->log_fd, &v) == 0)
        st->space_free = (uint64_t)v.f_bavail * v.f_frsize;
    uint32_t flags = 0;
    if (st->backlog >= st->backlog_max)
        flags |= AGR_STATUS_BACKLOG;
    if (st->space_free < st->reserve || s->is_full)
        flags |= AGR_STATUS_RESERVE;
    if (st->backlog >= st->backlog_max / 2 || st->space_free / 2 < st->reserve)
        flags |= AGR_STATUS_WARNING;
    __atomic_store_n(&st->flags, flags, __ATOMIC_RELEASE); // pairs with is_refused in journal.c
}
