// SPDX-License-Identifier: Apache-2.0
// The log as lists, receipts and single rows: entry bundles first, then rows that only the WAL holds yet.
// In: a log directory, maybe while its sequencer writes. Out: rows by callback, proofs, payloads.
// Nothing here checks the log; that is verify.c. Owns: heap answers go to the caller. Next: verify.c.
#include "audit.h"
#include "base64.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "payload.h"
#include "tiles.h"

static enum agr_audit_result
fail(struct agr_audit_error *e, enum agr_audit_result r, const char *what, const char *detail)
{
    snprintf(e->text, sizeof(e->text), "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
    return r;
}

static int
open_log(const char *dir)
{
    return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// The checkpoint's text, unchecked: what the log says of itself.
static bool
read_checkpoint(int log_fd, uint8_t **ret_note, size_t *ret_n, struct agr_checkpoint *ret)
{
    uint8_t *p = agr_file_read(log_fd, "checkpoint", AGR_NOTE_MAX, ret_n);
    if (!p)
        return false;
    const char *blank = memmem(p, *ret_n, "\n\n", 2);
    if (!blank || !agr_checkpoint_parse(ag_str_of((char *)p, (size_t)(blank + 1 - (char *)p)), ret)) {
        free(p);
        return false;
    }
    *ret_note = p;
    return true;
}

// --- iterate
// -----------------------------------------------------------------------------------------------------

struct walk {
    uint64_t at, to;
    agr_audit_fn *fn;
    void *ctx;
    bool is_over;
};

static bool
give(struct walk *w, struct ag_str entry)
{
    bool is_signed;
    struct agr_audit_item item = {.gseq = w->at, .entry = entry, .line = agr_entry_line(entry, &is_signed)};
    item.is_parsed = agr_row_parse(item.line, &item.row);
    w->at++;
    w->is_over = !w->fn(w->ctx, &item) || w->at >= w->to;
    return !w->is_over;
}

static bool
on_wal_row(void *ctx, uint64_t gseq, struct ag_str entry)
{
    struct walk *w = ctx;
    if (gseq < w->at)
        return true;
    return gseq == w->at && give(w, entry);
}

static bool
walk_bundle(struct walk *w, int log_fd, uint64_t size)
{
    uint64_t index = w->at / AGR_TILE_WIDTH, end = (index + 1) * AGR_TILE_WIDTH;
    unsigned width = (unsigned)((end < size ? end : size) - index * AGR_TILE_WIDTH), have;
    size_t n, at = 0;
    uint8_t *p = agr_tile_read(log_fd, AGR_TILE_ENTRIES, index, width, &n, &have);
    if (!p)
        return false;
    uint64_t g = index * AGR_TILE_WIDTH;
    for (unsigned i = 0; i < width && !w->is_over; i++, g++) {
        struct ag_str e;
        if (!agr_bundle_entry(p + at, n - at, 0, &e))
            break;
        at += 2 + e.n;
        if (g == w->at)
            give(w, e);
    }
    free(p);
    return g == w->at || w->is_over;
}

enum agr_audit_result
agr_audit_iterate(const char *log_dir, uint64_t from, uint64_t to, agr_audit_fn *fn, void *ctx,
                  struct agr_audit_error *reterr)
{
    struct walk w = {from, to, fn, ctx, from >= to};
    uint8_t *note = NULL;
    size_t n;
    struct agr_checkpoint c = {.size = 0};
    int log_fd = open_log(log_dir);
    if (log_fd == -1)
        return fail(reterr, AGR_AUDIT_SYSTEM, log_dir, strerror(errno));
    enum agr_audit_result r = AGR_AUDIT_OK;
    bool has_checkpoint = read_checkpoint(log_fd, &note, &n, &c);
    while (has_checkpoint && !w.is_over && w.at < c.size && r == AGR_AUDIT_OK) {
        if (walk_bundle(&w, log_fd, c.size))
            continue;
        char text[64];
        snprintf(text, sizeof(text), "row %llu", (unsigned long long)w.at);
        r = fail(reterr, AGR_AUDIT_NOT_FOUND, "entries are missing (removed by retention, or damaged) from",
                 text);
    }
    if (r == AGR_AUDIT_OK && !w.is_over) {
        struct agr_wal_visitor v = {.row = on_wal_row, .ctx = &w};
        agr_wal_scan(log_fd, w.at, &v);
    }
    free(note);
    close(log_fd);
    return r;
}

static bool
on_count(void *ctx, uint64_t end_gseq, const struct agr_hash *root)
{
    (void)root;
    *(uint64_t *)ctx = end_gseq;
    return true;
}

enum agr_audit_result
agr_audit_size(const char *log_dir, uint64_t *ret_checkpoint, uint64_t *ret_all)
{
    uint8_t *note = NULL;
    size_t n;
    struct agr_checkpoint c = {.size = 0};
    int log_fd = open_log(log_dir);
    if (log_fd == -1)
        return AGR_AUDIT_SYSTEM;
    if (!read_checkpoint(log_fd, &note, &n, &c))
        c.size = 0;
    uint64_t all = c.size;
    struct agr_wal_visitor v = {.batch = on_count, .ctx = &all};
    agr_wal_scan(log_fd, c.size, &v);
    free(note);
    close(log_fd);
    *ret_checkpoint = c.size;
    *ret_all = all > c.size ? all : c.size;
    return AGR_AUDIT_OK;
}

struct find {
    uint64_t boot, wseq;
    uint32_t journal;
    uint64_t gseq;
    bool is_found;
};

static bool
on_find(void *ctx, const struct agr_audit_item *item)
{
    struct find *f = ctx;
    if (item->is_parsed && item->row.boot == f->boot && item->row.journal == f->journal &&
        item->row.wseq == f->wseq) {
        f->gseq = item->gseq;
        f->is_found = true;
    }
    return !f->is_found;
}

enum agr_audit_result
agr_audit_find(const char *log_dir, struct ag_str id, uint64_t *ret_gseq, struct agr_audit_error *reterr)
{
    struct find f = {0};
    uint64_t checkpoint, all;
    if (!agr_decision_id_parse(id, &f.boot, &f.journal, &f.wseq))
        return fail(reterr, AGR_AUDIT_NOT_FOUND, "not a decision id (24 characters of lower-case base32)",
                    NULL);
    if (agr_audit_size(log_dir, &checkpoint, &all) != AGR_AUDIT_OK)
        return fail(reterr, AGR_AUDIT_SYSTEM, log_dir, strerror(errno));
    // From the end, a few bundles at a time: people ask for what just happened.
    const uint64_t step = 16 * AGR_TILE_WIDTH;
    for (uint64_t to = all; to > 0 && !f.is_found;) {
        uint64_t from = to > step ? (to - 1) / step * step : 0;
        if (agr_audit_iterate(log_dir, from, to, on_find, &f, reterr) != AGR_AUDIT_OK)
            break;
        to = from;
    }
    if (!f.is_found)
        return fail(reterr, AGR_AUDIT_NOT_FOUND, "no row with this id", NULL);
    *ret_gseq = f.gseq;
    return AGR_AUDIT_OK;
}

// --- payloads
// ----------------------------------------------------------------------------------------------------

enum agr_audit_result
agr_audit_payload(const char *log_dir, uint64_t gseq, uint8_t **ret, size_t *ret_n)
{
    char path[AGR_TILE_PATH];
    size_t n;
    struct agr_payload_record r;
    int log_fd = open_log(log_dir);
    if (log_fd == -1)
        return AGR_AUDIT_SYSTEM;
    agr_tile_path(AGR_TILE_PAYLOAD, gseq / AGR_TILE_WIDTH, AGR_TILE_WIDTH, path);
    uint8_t *p = agr_file_read(log_fd, path, AGR_PAYLOAD_FILE_MAX, &n);
    close(log_fd);
    enum agr_audit_result res = AGR_AUDIT_NOT_FOUND;
    for (size_t at = 0; p && agr_payload_next(p + at, n - at, &r); at += r.total) {
        if (r.gseq != gseq || r.is_erased)
            continue;
        uint8_t *copy = malloc(r.bytes.n + 1);
        if (copy) {
            memcpy(copy, r.bytes.p, r.bytes.n);
            copy[r.bytes.n] = 0;
            *ret = copy;
            *ret_n = r.bytes.n;
        }
        res = copy ? AGR_AUDIT_OK : AGR_AUDIT_SYSTEM;
        break;
    }
    free(p);
    return res;
}

enum agr_audit_result
agr_audit_erase(const char *log_dir, uint64_t gseq, struct agr_audit_error *reterr)
{
    int log_fd = open_log(log_dir), lock_fd = -1;
    if (log_fd == -1)
        return fail(reterr, AGR_AUDIT_SYSTEM, log_dir, strerror(errno));
    enum agr_audit_result r = AGR_AUDIT_OK;
    lock_fd = openat(log_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock_fd == -1)
        r = fail(reterr, AGR_AUDIT_SYSTEM, "cannot open LOG/lock", strerror(errno));
    else if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0)
        r = fail(reterr, AGR_AUDIT_LOCKED, "the sequencer runs: stop it to erase a payload", NULL);
    else if (!agr_wal_erase(log_fd, gseq) || !agr_payload_erase(log_fd, gseq))
        r = fail(reterr, AGR_AUDIT_SYSTEM, "cannot erase the payload", strerror(errno));
    if (lock_fd != -1)
        close(lock_fd);
    close(log_fd);
    return r;
}

// --- proofs
// ------------------------------------------------------------------------------------------------------

#define RECEIPT_HEAD "c2sp.org/tlog-proof@v1\nindex "

enum agr_audit_result
agr_audit_receipt(const char *log_dir, uint64_t gseq, char **ret, size_t *ret_n,
                  struct agr_audit_error *reterr)
{
    uint8_t *note = NULL;
    size_t n;
    struct agr_checkpoint c;
    struct agr_proof proof;
    int log_fd = open_log(log_dir);
    if (log_fd == -1)
        return fail(reterr, AGR_AUDIT_SYSTEM, log_dir, strerror(errno));
    enum agr_audit_result r = AGR_AUDIT_OK;
    char *out = NULL;
    if (!read_checkpoint(log_fd, &note, &n, &c) || gseq >= c.size)
        r = fail(reterr, AGR_AUDIT_PENDING, "no checkpoint covers this row yet; ask again in a second", NULL);
    else if (!agr_prove_inclusion(gseq, c.size, agr_tiles_get, &log_fd, &proof))
        r = fail(reterr, AGR_AUDIT_REFUSED, "the tiles do not hold the proof: verify the log", NULL);
    else if (!(out = malloc(sizeof(RECEIPT_HEAD) + 32 + proof.n * 45u + n)))
        r = fail(reterr, AGR_AUDIT_SYSTEM, "out of memory", NULL);
    if (r == AGR_AUDIT_OK) {
        struct ag_buf b;
        ag_buf_init(&b, out, sizeof(RECEIPT_HEAD) + 32 + proof.n * 45u + n);
        ag_buf_lit(&b, RECEIPT_HEAD);
        ag_buf_u64(&b, gseq);
        ag_buf_char(&b, '\n');
        for (uint32_t i = 0; i < proof.n; i++) {
            ag_buf_base64(&b, proof.h[i].b, AGR_HASH_SIZE);
            ag_buf_char(&b, '\n');
        }
        ag_buf_char(&b, '\n');
        ag_buf_put(&b, note, n);
        *ret = out;
        *ret_n = b.n;
    }
    free(note);
    close(log_fd);
    return r;
}

bool
agr_receipt_check(struct ag_str receipt, struct ag_str entry, const struct agr_note_key *key,
                  struct agr_checkpoint *ret, struct agr_audit_error *reterr)
{
    struct ag_str rest = receipt, line, text;
    struct agr_proof proof = {.n = 0};
    struct agr_hash leaf;
    uint64_t index = 0;
    bool ok = agr_line_next(&rest, &line) && ag_str_is(line, "c2sp.org/tlog-proof@v1") &&
              agr_line_next(&rest, &line) && line.n > 6 && memcmp(line.p, "index ", 6) == 0 &&
              agr_decimal_parse(ag_str_of(line.p + 6, line.n - 6), &index);
    while (ok && (ok = agr_line_next(&rest, &line)) && line.n)
        ok = proof.n < AGR_LEVELS_MAX &&
             ag_base64_decode(line, true, proof.h[proof.n++].b, AGR_HASH_SIZE) == (int64_t)AGR_HASH_SIZE;
    if (!ok) {
        fail(reterr, AGR_AUDIT_REFUSED, "not a c2sp.org/tlog-proof@v1 text", NULL);
        return false;
    }
    enum agr_note_status st = agr_note_open(rest, key, 1, &text);
    if (st != AGR_NOTE_OK) {
        fail(reterr, AGR_AUDIT_REFUSED, "the receipt's checkpoint", agr_note_status_text(st));
        return false;
    }
    if (!agr_checkpoint_parse(text, ret) || !ag_str_is(ret->origin, key->name)) {
        fail(reterr, AGR_AUDIT_REFUSED, "the receipt's checkpoint is of another log", NULL);
        return false;
    }
    agr_leaf_hash(entry.p, entry.n, &leaf);
    if (!agr_check_inclusion(&proof, index, &leaf, ret->size, &ret->root)) {
        fail(reterr, AGR_AUDIT_REFUSED, "the proof does not lead from this row to the signed root", NULL);
        return false;
    }
    return true;
}

enum agr_audit_result
agr_audit_consistency(const char *log_dir, uint64_t old, uint64_t size, struct agr_proof *ret,
                      struct agr_audit_error *reterr)
{
    uint8_t *note = NULL;
    size_t n;
    struct agr_checkpoint c;
    int log_fd = open_log(log_dir);
    if (log_fd == -1)
        return fail(reterr, AGR_AUDIT_SYSTEM, log_dir, strerror(errno));
    enum agr_audit_result r = AGR_AUDIT_OK;
    if (!read_checkpoint(log_fd, &note, &n, &c) || size > c.size || old == 0 || old > size)
        r = fail(reterr, AGR_AUDIT_NOT_FOUND, "sizes must be 1 <= old <= size <= the checkpoint's size",
                 NULL);
    else if (!agr_prove_consistency(old, size, agr_tiles_get, &log_fd, ret))
        r = fail(reterr, AGR_AUDIT_REFUSED, "the tiles do not hold the proof: verify the log", NULL);
    free(note);
    close(log_fd);
    return r;
}

// The last day file at or before `day`; names sort as dates.
static void
last_day(int log_fd, const char *day, char best[16])
{
    int fd = openat(log_fd, "checkpoints", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd == -1 ? NULL : fdopendir(fd);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strlen(e->d_name) == 10 && strcmp(e->d_name, day) <= 0 && strcmp(e->d_name, best) > 0)
            snprintf(best, 16, "%.10s", e->d_name);
    if (d)
        closedir(d);
}

enum agr_audit_result
agr_audit_root(const char *log_dir, const char *day, char *ret_note, size_t size,
               struct agr_audit_error *reterr)
{
    char best[16] = "", path[40];
    struct ag_str want = ag_str_z(day);
    if (want.n != 10 || day[4] != '-' || day[7] != '-')
        return fail(reterr, AGR_AUDIT_NOT_FOUND, "a day is written YYYY-MM-DD, not", day);
    size_t n = 0;
    int log_fd = open_log(log_dir);
    if (log_fd == -1)
        return fail(reterr, AGR_AUDIT_SYSTEM, log_dir, strerror(errno));
    last_day(log_fd, day, best);
    snprintf(path, sizeof(path), "checkpoints/%s", best);
    uint8_t *p = best[0] ? agr_file_read(log_fd, path, SIZE_MAX / 2, &n) : NULL;
    close(log_fd);
    size_t at = 0, last = 0, k;
    while (p && (k = agr_note_first(ag_str_of((char *)p + at, n - at)))) {
        last = at;
        at += k;
    }
    enum agr_audit_result r = AGR_AUDIT_OK;
    if (!p || at == 0)
        r = fail(reterr, AGR_AUDIT_NOT_FOUND, "the log has no root at or before", day);
    else if (at - last >= size)
        r = fail(reterr, AGR_AUDIT_SYSTEM, "the root's note does not fit", NULL);
    else {
        memcpy(ret_note, p + last, at - last);
        ret_note[at - last] = 0;
    }
    free(p);
    return r;
}
