// SPDX-License-Identifier: Apache-2.0
// Checks a whole log without trusting any of it. Written to be read by an auditor: one pass, from top to
// bottom of this file in reverse: agr_audit_verify at the end says what is checked in which order. In: a log
// directory, verifier keys obtained elsewhere. Out: OK, or the first row or file that is wrong and why. Uses
// hashing (tree.c), signed notes (note.c), the row grammar (row.c) and file paths (tiles.c), nothing else.
// Owns: everything it reads, freed before it returns. Format: docs/formats/audit.md.
#include "audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "payload.h"
#include "sha256.h"
#include "tiles.h"

#define PROGRESS_ROWS 65536u
#define AGR_KEYS_MAX  32u // rotations that one log can have seen

// A root that the log must have had at some size: from a daily file, or one that the caller saw.
struct known_root {
    uint64_t size;
    struct agr_hash root;
    char file[40];
};

// What is known of one writer's journal.
struct writer {
    uint64_t boot, last_wseq;
    uint32_t journal;
    bool is_used, is_ended;
};

struct verify {
    const struct agr_verify_options *o;
    struct agr_verify_report *report;
    int log_fd;
    // The given key, then the others that keys.note lists; keys.note counts only when a trusted key signed
    // it.
    struct agr_note_key keys[AGR_KEYS_MAX], row_keys[AGR_KEYS_MAX];
    size_t keys_n, row_keys_n;
    struct agr_checkpoint checkpoint;
    uint64_t floor_entries, floor_payloads;
    struct agr_tree tree;
    struct agr_hash level[AGR_TILE_LEVELS][AGR_TILE_WIDTH]; // what each open tile must hold
    struct known_root *roots;                               // ascending
    size_t roots_n, roots_at;
    struct writer *writers; // hash table
    size_t writers_n, writers_size;
    // The row before.
    struct agr_hash last_leaf, last_prev;
    bool has_last, last_was_signed;
    // A leaf that differs from its tile: which of the two is wrong shows at the root.
    bool has_doubt;
    uint64_t doubt_gseq;
    char doubt_file[AGR_TILE_PATH];
    bool has_failed;
};

// --- failures
// ----------------------------------------------------------------------------------------------------

__attribute__((format(printf, 3, 4))) static bool
bad_file(struct verify *v, const char *file, const char *fmt, ...)
{
    va_list ap;
    if (v->has_failed)
        return false;
    v->has_failed = true;
    snprintf(v->report->file, sizeof(v->report->file), "%s", file);
    va_start(ap, fmt);
    vsnprintf(v->report->text, sizeof(v->report->text), fmt, ap);
    va_end(ap);
    return false;
}

__attribute__((format(printf, 3, 4))) static bool
bad_row(struct verify *v, uint64_t gseq, const char *fmt, ...)
{
    va_list ap;
    if (v->has_failed)
        return false;
    v->has_failed = true;
    v->report->has_bad_row = true;
    v->report->bad_gseq = gseq;
    uint64_t left = v->checkpoint.size - gseq / AGR_TILE_WIDTH * AGR_TILE_WIDTH;
    agr_tile_path(AGR_TILE_ENTRIES, gseq / AGR_TILE_WIDTH,
                  left < AGR_TILE_WIDTH ? (unsigned)left : AGR_TILE_WIDTH, v->report->file);
    va_start(ap, fmt);
    vsnprintf(v->report->text, sizeof(v->report->text), fmt, ap);
    va_end(ap);
    return false;
}

// --- writers: wseq without holes
// ---------------------------------------------------------------------------------

static struct writer *
find_writer(struct writer *table, size_t size, uint64_t boot, uint32_t journal)
{
    uint64_t h = (boot ^ (uint64_t)journal << 40) * 0x9e3779b97f4a7c15ull;
    for (size_t i = (size_t)(h >> 32) & (size - 1);; i = (i + 1) & (size - 1))
        if (!table[i].is_used || (table[i].boot == boot && table[i].journal == journal))
            return &table[i];
}

static struct writer *
writer_of(struct verify *v, uint64_t boot, uint32_t journal)
{
    if (v->writers_n * 2 >= v->writers_size) {
        size_t size = v->writers_size ? v->writers_size * 2 : 256;
        struct writer *table = calloc(size, sizeof(*table));
        if (!table)
            return NULL;
        for (size_t i = 0; i < v->writers_size; i++)
            if (v->writers[i].is_used)
                *find_writer(table, size, v->writers[i].boot, v->writers[i].journal) = v->writers[i];
        free(v->writers);
        v->writers = table;
        v->writers_size = size;
    }
    return find_writer(v->writers, v->writers_size, boot, journal);
}

static bool
check_wseq(struct verify *v, const struct agr_row *row)
{
    struct writer *w = writer_of(v, row->boot, row->journal);
    if (!w)
        return bad_row(v, row->gseq, "out of memory");
    if (!w->is_used) {
        // Where retention removed rows a journal may be seen first in its middle.
        if (row->wseq != 1 && v->floor_entries == 0)
            return bad_row(v, row->gseq, "journal %u begins with wseq %llu instead of 1: rows are missing",
                           row->journal, (unsigned long long)row->wseq);
        *w = (struct writer){.boot = row->boot, .journal = row->journal, .is_used = true};
        v->writers_n++;
    } else if (w->is_ended) {
        return bad_row(v, row->gseq, "journal %u goes on after its end", row->journal);
    } else if (row->wseq != w->last_wseq + 1) {
        return bad_row(v, row->gseq, "journal %u goes from wseq %llu to %llu", row->journal,
                       (unsigned long long)w->last_wseq, (unsigned long long)row->wseq);
    }
    w->last_wseq = row->wseq;
    if (row->type != AGR_ROW_END && row->type != AGR_ROW_GAP)
        return true;
    uint64_t boot, last;
    uint32_t journal;
    if (row->journal != 0 || !agr_row_of(row, &boot, &journal, &last))
        return bad_row(v, row->gseq, "an end or gap row that is not the sequencer's");
    w = writer_of(v, boot, journal);
    if (!w)
        return bad_row(v, row->gseq, "out of memory");
    if (w->is_used ? w->last_wseq != last || w->is_ended : last != 0 && v->floor_entries == 0)
        return bad_row(v, row->gseq, "journal %u is said to end at wseq %llu, the log has it to %llu",
                       journal, (unsigned long long)last, (unsigned long long)w->last_wseq);
    if (!w->is_used)
        v->writers_n++;
    *w = (struct writer){boot, last, journal, true, true};
    return true;
}

// --- rows
// --------------------------------------------------------------------------------------------------------

// prev: the leaf before (signed rows), or the root before the batch, the same in all its rows.
static bool
check_prev(struct verify *v, const struct agr_row *row, bool is_signed)
{
    struct agr_hash root;
    bool is_after_pruned = !v->has_last && row->gseq > 0;
    if (is_signed && v->has_last && !agr_hash_eq(&row->prev, &v->last_leaf))
        return bad_row(v, row->gseq, "prev is not the hash of the row before");
    if (is_signed && v->has_last)
        return true;
    if (!is_signed && v->has_last && !v->last_was_signed && agr_hash_eq(&row->prev, &v->last_prev))
        return true;
    agr_tree_root(&v->tree, &root);
    if (!is_after_pruned && !agr_hash_eq(&row->prev, &root))
        return bad_row(v, row->gseq, "prev is not the root of the %llu rows before it",
                       (unsigned long long)row->gseq);
    return true;
}

static bool
check_row(struct verify *v, uint64_t gseq, struct ag_str entry, struct agr_row *ret)
{
    bool is_signed;
    struct ag_str text;
    struct ag_str line = agr_entry_line(entry, &is_signed);
    if (!agr_row_parse(line, ret))
        return bad_row(v, gseq, "not a row of this format: %.*s", (int)(line.n < 80 ? line.n : 80), line.p);
    if (ret->gseq != gseq)
        return bad_row(v, gseq, "its gseq is %llu", (unsigned long long)ret->gseq);
    if (is_signed) {
        enum agr_note_status st = agr_note_open(entry, v->row_keys, v->row_keys_n, &text);
        if (st == AGR_NOTE_OK && text.n != line.n + 1)
            st = AGR_NOTE_MALFORMED;
        if (st != AGR_NOTE_OK)
            return bad_row(v, gseq, "the signed row %s", agr_note_status_text(st));
    }
    bool ok = check_prev(v, ret, is_signed) && check_wseq(v, ret);
    v->last_prev = ret->prev;
    v->last_was_signed = is_signed;
    return ok;
}

// --- tree and tiles
// ----------------------------------------------------------------------------------------------

// Compares the tile file with what the entries give. A difference at level 0 is kept as a doubt.
static bool
check_tile(struct verify *v, unsigned l, uint64_t index, unsigned width)
{
    char path[AGR_TILE_PATH];
    size_t n;
    unsigned have;
    agr_tile_path((int)l, index, width, path);
    uint8_t *p = agr_tile_read(v->log_fd, (int)l, index, width, &n, &have);
    if (!p)
        return bad_file(v, path, "the tile cannot be read: %s", strerror(errno));
    bool ok = n == (size_t)have * AGR_HASH_SIZE;
    if (!ok)
        bad_file(v, path, "the tile has %zu bytes instead of %zu", n, (size_t)have * AGR_HASH_SIZE);
    for (unsigned i = 0; ok && i < width; i++) {
        if (memcmp(p + (size_t)i * AGR_HASH_SIZE, v->level[l][i].b, AGR_HASH_SIZE) == 0 || v->has_doubt)
            continue;
        v->has_doubt = true;
        v->doubt_gseq = l == 0 ? index * AGR_TILE_WIDTH + i : UINT64_MAX;
        snprintf(v->doubt_file, sizeof(v->doubt_file), "%s", path);
    }
    free(p);
    return ok;
}

static void
on_subtree(void *ctx, unsigned level, uint64_t index, const struct agr_hash *h)
{
    struct verify *v = ctx;
    unsigned l = level / 8, i = (unsigned)(index % AGR_TILE_WIDTH);
    if (level % 8 != 0 || l >= AGR_TILE_LEVELS)
        return;
    v->level[l][i] = *h;
    if (i == AGR_TILE_WIDTH - 1)
        check_tile(v, l, index / AGR_TILE_WIDTH, AGR_TILE_WIDTH);
}

// Roots known for the present size must be the tree's.
static bool
check_known(struct verify *v)
{
    struct agr_hash root;
    for (; v->roots_at < v->roots_n && v->roots[v->roots_at].size == v->tree.size; v->roots_at++) {
        const struct known_root *k = &v->roots[v->roots_at];
        agr_tree_root(&v->tree, &root);
        if (!agr_hash_eq(&root, &k->root))
            return bad_file(v, k->file, "its root for %llu rows is not the root of the log's first %llu rows",
                            (unsigned long long)k->size, (unsigned long long)k->size);
    }
    return true;
}

static bool
add_leaf(struct verify *v, const struct agr_hash *leaf)
{
    if (!check_known(v))
        return false;
    agr_tree_add(&v->tree, leaf, on_subtree, v);
    v->last_leaf = *leaf;
    if (v->o->progress && v->tree.size % PROGRESS_ROWS == 0)
        v->o->progress(v->o->progress_ctx, v->tree.size, v->checkpoint.size);
    return !v->has_failed;
}

// --- bundles
// -----------------------------------------------------------------------------------------------------

static bool
check_payloads(struct verify *v, uint64_t index, unsigned width, const struct agr_row *rows)
{
    char path[AGR_TILE_PATH];
    size_t n, at = 0;
    struct agr_payload_record r;
    agr_tile_path(AGR_TILE_PAYLOAD, index, AGR_TILE_WIDTH, path);
    uint8_t *p = agr_file_read(v->log_fd, path, AGR_PAYLOAD_FILE_MAX, &n);
    bool ok = p || errno == ENOENT || bad_file(v, path, "cannot be read: %s", strerror(errno));
    for (; p && ok && agr_payload_next(p + at, n - at, &r); at += r.total) {
        struct agr_hash h;
        if (r.gseq / AGR_TILE_WIDTH != index) {
            ok = bad_file(v, path, "holds a payload of row %llu", (unsigned long long)r.gseq);
            break;
        }
        unsigned i = (unsigned)(r.gseq % AGR_TILE_WIDTH);
        if (r.is_erased || i >= width) // rows past the checkpoint are not looked at
            continue;
        ag_sha256(r.salt, AGR_SALT_SIZE + r.bytes.n, h.b);
        if (!rows[i].has_payload || !agr_hash_eq(&h, &rows[i].payload)) {
            bad_row(v, r.gseq, "its payload is not the one that the row's payload_digest names");
            snprintf(v->report->file, sizeof(v->report->file), "%s", path);
            ok = false;
        }
        v->report->payloads++;
    }
    // Only the newest bundle may end in the middle of a record that is being written.
    if (p && ok && at != n && width == AGR_TILE_WIDTH)
        ok = bad_file(v, path, "ends in the middle of a record");
    free(p);
    return ok;
}

static bool
check_entries(struct verify *v, uint64_t index, unsigned width, const uint8_t *p, size_t n, const char *path,
              bool is_exact)
{
    struct agr_row *rows = calloc(AGR_TILE_WIDTH, sizeof(*rows));
    size_t at = 0;
    bool ok = rows != NULL;
    for (unsigned i = 0; ok && i < width; i++) {
        struct ag_str e;
        struct agr_hash leaf;
        uint64_t gseq = index * AGR_TILE_WIDTH + i;
        if (!agr_bundle_entry(p + at, n - at, 0, &e)) {
            ok = bad_row(v, gseq, "the bundle ends before this entry");
            break;
        }
        at += 2 + e.n;
        agr_leaf_hash(e.p, e.n, &leaf);
        ok = check_row(v, gseq, e, &rows[i]) && add_leaf(v, &leaf);
        v->has_last = true;
        v->report->bytes += e.n;
    }
    if (ok && is_exact && at != n)
        ok = bad_file(v, path, "%zu bytes are left over after entry %u", n - at, width);
    ok = ok && check_payloads(v, index, width, rows);
    free(rows);
    return ok;
}

// Below the floor only the tiles are left: their hashes carry the tree on.
static bool
take_tile(struct verify *v, uint64_t index)
{
    char path[AGR_TILE_PATH];
    size_t n;
    unsigned have;
    agr_tile_path(0, index, AGR_TILE_WIDTH, path);
    uint8_t *p = agr_tile_read(v->log_fd, 0, index, AGR_TILE_WIDTH, &n, &have);
    bool ok = p && n == AGR_TILE_WIDTH * AGR_HASH_SIZE;
    if (!ok)
        bad_file(v, path, "the tile of removed entries cannot be read");
    for (unsigned i = 0; ok && i < AGR_TILE_WIDTH; i++) {
        struct agr_hash leaf;
        memcpy(leaf.b, p + (size_t)i * AGR_HASH_SIZE, AGR_HASH_SIZE);
        ok = add_leaf(v, &leaf);
    }
    v->has_last = false;
    v->report->bundles_gone++;
    free(p);
    return ok;
}

static bool
check_bundle(struct verify *v, uint64_t index)
{
    char path[AGR_TILE_PATH];
    uint64_t left = v->checkpoint.size - index * AGR_TILE_WIDTH;
    unsigned width = left < AGR_TILE_WIDTH ? (unsigned)left : AGR_TILE_WIDTH, have;
    size_t n;
    agr_tile_path(AGR_TILE_ENTRIES, index, width, path);
    uint8_t *p = agr_tile_read(v->log_fd, AGR_TILE_ENTRIES, index, width, &n, &have);
    if (!p && errno == ENOENT && (index + 1) * AGR_TILE_WIDTH <= v->floor_entries)
        return take_tile(v, index);
    if (!p)
        return bad_file(v, path, "the entries cannot be read: %s", strerror(errno));
    bool ok = check_entries(v, index, width, p, n, path, have == width);
    free(p);
    return ok;
}

static bool
check_tree(struct verify *v)
{
    struct agr_hash root;
    agr_tree_init(&v->tree);
    uint64_t bundles = (v->checkpoint.size + AGR_TILE_WIDTH - 1) / AGR_TILE_WIDTH;
    for (uint64_t i = 0; i < bundles; i++)
        if (!check_bundle(v, i))
            return false;
    for (unsigned l = 0; l < AGR_TILE_LEVELS; l++) {
        uint64_t count = v->tree.size >> (8 * l);
        unsigned width = (unsigned)(count % AGR_TILE_WIDTH);
        if (width && !check_tile(v, l, count / AGR_TILE_WIDTH, width))
            return false;
    }
    agr_tree_root(&v->tree, &root);
    bool is_root = agr_hash_eq(&root, &v->checkpoint.root);
    if (is_root && v->has_doubt)
        return bad_file(v, v->doubt_file,
                        "its hashes are not those of the entries, which the signed root confirms");
    if (v->has_doubt && v->doubt_gseq != UINT64_MAX)
        return bad_row(v, v->doubt_gseq, "the hash of its entry is not the one in %s: the row was changed",
                       v->doubt_file);
    if (!is_root)
        return bad_file(v, "checkpoint", "the signed root is not the root of the entries and tiles");
    return check_known(v);
}

// --- signed files
// ------------------------------------------------------------------------------------------------

bool
agr_keys_note_find(struct ag_str note, bool is_row, struct agr_note_key *ret)
{
    struct ag_str rest = note, line, text;
    struct agr_note_key checkpoint = {0}, row = {0};
    bool has_checkpoint = false, has_row = false;
    while (agr_line_next(&rest, &line) && line.n) {
        const char *at = memmem(line.p, line.n, " add checkpoint ", 16);
        if (at && !has_checkpoint)
            has_checkpoint =
                agr_vkey_parse(ag_str_of(at + 16, (size_t)(line.p + line.n - at) - 16), &checkpoint);
        at = memmem(line.p, line.n, " add row ", 9);
        if (at && !has_row)
            has_row = agr_vkey_parse(ag_str_of(at + 9, (size_t)(line.p + line.n - at) - 9), &row);
    }
    if (!has_checkpoint || agr_note_open(note, &checkpoint, 1, &text) != AGR_NOTE_OK || (is_row && !has_row))
        return false;
    *ret = is_row ? row : checkpoint;
    return true;
}

// Adds the keys of one kind that the text of keys.note lists; checkpoint keys of another origin are not ours.
static void
list_keys(struct ag_str text, const char *what, struct agr_note_key *keys, size_t *n, const char *origin)
{
    struct ag_str line;
    size_t skip = strlen(what);
    while (agr_line_next(&text, &line)) {
        const char *at = memmem(line.p, line.n, what, skip);
        struct agr_note_key k;
        if (!at || *n == AGR_KEYS_MAX ||
            !agr_vkey_parse(ag_str_of(at + skip, (size_t)(line.p + line.n - at) - skip), &k) ||
            (origin && strcmp(k.name, origin) != 0))
            continue;
        keys[(*n)++] = k;
    }
}

static bool
read_keys(struct verify *v)
{
    size_t n = 0;
    struct ag_str text;
    uint8_t *p = agr_file_read(v->log_fd, "keys.note", AGR_NOTE_MAX, &n);
    struct ag_str note = ag_str_of((char *)p, p ? n : 0);
    bool ok = true;
    if (v->o->vkey)
        ok = agr_vkey_parse(ag_str_z(v->o->vkey), &v->keys[0]) ||
             bad_file(v, "", "the given verifier key is not one");
    else
        ok = (p && agr_keys_note_find(note, false, &v->keys[0])) ||
             bad_file(v, "keys.note",
                      "no verifier key was given and keys.note does not hold one that signs it");
    v->keys_n = ok;
    if (ok && v->o->row_vkey)
        ok = agr_vkey_parse(ag_str_z(v->o->row_vkey), &v->row_keys[v->row_keys_n++]) ||
             bad_file(v, "", "the given row verifier key is not one");
    // The note is part of the log: a changed one is refused even when keys were given.
    if (ok && p) {
        enum agr_note_status st = agr_note_open(note, v->keys, 1, &text);
        ok = st == AGR_NOTE_OK || bad_file(v, "keys.note", "it %s", agr_note_status_text(st));
        if (ok) {
            list_keys(text, " add checkpoint ", v->keys, &v->keys_n, v->keys[0].name);
            list_keys(text, " add row ", v->row_keys, &v->row_keys_n, NULL);
        }
    }
    free(p);
    return ok;
}

static bool
read_checkpoint(struct verify *v, uint8_t **ret_note)
{
    size_t n = 0;
    struct ag_str text;
    uint8_t *p = agr_file_read(v->log_fd, "checkpoint", AGR_NOTE_MAX, &n);
    *ret_note = p;
    if (!p)
        return bad_file(v, "checkpoint", "cannot be read: %s", strerror(errno));
    enum agr_note_status st = agr_note_open(ag_str_of((char *)p, n), v->keys, v->keys_n, &text);
    if (st != AGR_NOTE_OK)
        return bad_file(v, "checkpoint", "it %s", agr_note_status_text(st));
    if (!agr_checkpoint_parse(text, &v->checkpoint))
        return bad_file(v, "checkpoint", "not origin, size and root");
    if (!ag_str_is(v->checkpoint.origin, v->keys[0].name))
        return bad_file(v, "checkpoint", "its origin is %.*s, the key is for %s", (int)v->checkpoint.origin.n,
                        v->checkpoint.origin.p, v->keys[0].name);
    return true;
}

static bool
floor_line(struct ag_str *text, const char *what, uint64_t *ret)
{
    struct ag_str line;
    size_t n = strlen(what);
    return agr_line_next(text, &line) && line.n > n && memcmp(line.p, what, n) == 0 &&
           agr_decimal_parse(ag_str_of(line.p + n, line.n - n), ret) && *ret % AGR_TILE_WIDTH == 0;
}

static bool
read_floor(struct verify *v)
{
    size_t n = 0;
    struct ag_str text, line;
    uint8_t *p = agr_file_read(v->log_fd, "floor", AGR_NOTE_MAX, &n);
    if (!p)
        return errno == ENOENT || bad_file(v, "floor", "cannot be read: %s", strerror(errno));
    enum agr_note_status st = agr_note_open(ag_str_of((char *)p, n), v->keys, v->keys_n, &text);
    bool ok = st == AGR_NOTE_OK || bad_file(v, "floor", "it %s", agr_note_status_text(st));
    ok = ok && ((agr_line_next(&text, &line) && floor_line(&text, "entries ", &v->floor_entries) &&
                 floor_line(&text, "payloads ", &v->floor_payloads)) ||
                bad_file(v, "floor", "not a floor"));
    free(p);
    return ok;
}

static bool
add_known(struct verify *v, const char *file, const struct agr_checkpoint *c)
{
    struct known_root *p = realloc(v->roots, (v->roots_n + 1) * sizeof(*p));
    if (!p)
        return bad_file(v, file, "out of memory");
    v->roots = p;
    p[v->roots_n] = (struct known_root){.size = c->size, .root = c->root};
    snprintf(p[v->roots_n++].file, sizeof(p->file), "%s", file);
    return true;
}

// One daily file: whole notes, sizes that never fall.
static bool
read_day(struct verify *v, const char *name, uint64_t *last_size)
{
    char path[40];
    size_t n = 0, at = 0, k;
    struct ag_str text;
    struct agr_checkpoint c;
    snprintf(path, sizeof(path), "checkpoints/%.24s", name);
    uint8_t *p = agr_file_read(v->log_fd, path, SIZE_MAX / 2, &n);
    if (!p)
        return bad_file(v, path, "cannot be read: %s", strerror(errno));
    bool ok = true;
    for (; ok && at < n; at += k) {
        k = agr_note_first(ag_str_of((char *)p + at, n - at));
        enum agr_note_status st =
            k ? agr_note_open(ag_str_of((char *)p + at, k), v->keys, v->keys_n, &text) : AGR_NOTE_MALFORMED;
        if (st != AGR_NOTE_OK) {
            ok = bad_file(v, path, "the checkpoint at byte %zu %s", at, agr_note_status_text(st));
            break;
        }
        if (!agr_checkpoint_parse(text, &c) || !ag_str_is(c.origin, v->keys[0].name) || c.size < *last_size)
            ok = bad_file(v, path,
                          "the checkpoint at byte %zu is of another log, or smaller than one before it", at);
        else
            ok = add_known(v, path, &c);
        *last_size = c.size;
    }
    free(p);
    return ok;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool
read_days(struct verify *v)
{
    char(*names)[16] = NULL;
    size_t n = 0;
    bool ok = true;
    int fd = openat(v->log_fd, "checkpoints", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd == -1 ? NULL : fdopendir(fd);
    for (struct dirent *e; d && ok && (e = readdir(d));) {
        if (strlen(e->d_name) != 10)
            continue;
        void *p = realloc(names, (n + 1) * sizeof(*names));
        ok = p || bad_file(v, "checkpoints", "out of memory");
        if (!p)
            break;
        names = p;
        snprintf(names[n++], sizeof(*names), "%.10s", e->d_name);
    }
    if (d)
        closedir(d);
    if (n)
        qsort(names, n, sizeof(*names), compare_names);
    uint64_t last_size = 0;
    for (size_t i = 0; i < n && ok; i++)
        ok = read_day(v, names[i], &last_size);
    v->report->days = (uint32_t)n;
    free(names);
    return ok;
}

static int
compare_roots(const void *a, const void *b)
{
    uint64_t x = ((const struct known_root *)a)->size, y = ((const struct known_root *)b)->size;
    return x < y ? -1 : x > y;
}

static bool
check_log(struct verify *v, uint8_t **ret_note)
{
    // Daily files before the checkpoint: a running sequencer only ever makes it larger than they are.
    if (!read_keys(v) || !read_days(v) || !read_checkpoint(v, ret_note) || !read_floor(v))
        return false;
    memcpy(v->report->origin, v->keys[0].name, sizeof(v->report->origin));
    v->report->root = v->checkpoint.root;
    if (v->o->seen && !add_known(v, "an earlier checkpoint", v->o->seen))
        return false;
    if (v->roots_n)
        qsort(v->roots, v->roots_n, sizeof(*v->roots), compare_roots);
    if (v->roots_n && v->roots[v->roots_n - 1].size > v->checkpoint.size)
        return bad_file(v, v->roots[v->roots_n - 1].file,
                        "it covers %llu rows, LOG/checkpoint only %llu: rows are missing",
                        (unsigned long long)v->roots[v->roots_n - 1].size,
                        (unsigned long long)v->checkpoint.size);
    return check_tree(v);
}

enum agr_audit_result
agr_audit_verify(const char *log_dir, const struct agr_verify_options *o, struct agr_verify_report *ret)
{
    static const struct agr_verify_options none;
    uint8_t *note = NULL;
    memset(ret, 0, sizeof(*ret));
    struct verify *v = calloc(1, sizeof(*v));
    if (!v || !ag_crypto_init()) {
        snprintf(ret->text, sizeof(ret->text), "out of memory");
        free(v);
        return AGR_AUDIT_SYSTEM;
    }
    v->o = o ? o : &none;
    v->report = ret;
    v->log_fd = open(log_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_open = v->log_fd != -1;
    if (!is_open)
        bad_file(v, "", "%s: %s", log_dir, strerror(errno));
    bool ok = is_open && check_log(v, &note) && !v->has_failed;
    ret->rows = v->tree.size;
    ret->journals = (uint32_t)v->writers_n;
    free(note);
    free(v->roots);
    free(v->writers);
    if (is_open)
        close(v->log_fd);
    free(v);
    return ok ? AGR_AUDIT_OK : is_open ? AGR_AUDIT_REFUSED : AGR_AUDIT_SYSTEM;
}
