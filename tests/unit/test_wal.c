// SPDX-License-Identifier: Apache-2.0
// The WAL: batches come back whole, a torn tail is cut at every byte, earlier damage refuses, a full disk
// takes nothing half, a failed sync is final, erasing keeps every hash (A35, B39, D28).
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "crypto.h"
#include "sha256.h"
#include "tiles.h"
#include "wal.h"

static char dir[64];

struct seen {
    uint64_t rows, payloads, batches, starts, journals;
    struct agr_tree tree;
    bool is_wrong;
};

static bool
on_start(void *ctx, uint64_t first, const struct agr_tree *tree, const struct agr_hash *last,
         const struct agr_wal_journal *j, uint32_t n)
{
    struct seen *s = ctx;
    (void)last;
    if (s->starts++ == 0)
        s->tree = *tree;
    s->is_wrong |= first != s->tree.size || (n && j[0].boot != 77);
    return true;
}

static bool
on_row(void *ctx, uint64_t gseq, struct ag_str e)
{
    struct seen *s = ctx;
    struct agr_hash leaf;
    s->is_wrong |= gseq != s->tree.size;
    agr_leaf_hash(e.p, e.n, &leaf);
    agr_tree_add(&s->tree, &leaf, NULL, NULL);
    s->rows++;
    return true;
}

static bool
on_payload(void *ctx, uint64_t gseq, const uint8_t salt[AGR_SALT_SIZE], struct ag_str bytes)
{
    struct seen *s = ctx;
    (void)gseq;
    s->is_wrong |= salt[0] != 9 || bytes.n == 0 || bytes.p[0] != 'p';
    s->payloads++;
    return true;
}

static bool
on_journal(void *ctx, const struct agr_wal_journal *j)
{
    struct seen *s = ctx;
    s->is_wrong |= j->boot != 77 || j->last_wseq != 5 || j->kernel_boot[15] != 3;
    s->journals++;
    return true;
}

static bool
on_batch(void *ctx, uint64_t end, const struct agr_hash *root)
{
    struct seen *s = ctx;
    struct agr_hash have;
    agr_tree_root(&s->tree, &have);
    s->is_wrong |= end != s->tree.size || !agr_hash_eq(&have, root);
    s->batches++;
    return true;
}

static enum agr_wal_status
open_wal(struct agr_wal *w, const struct agr_io *io, struct seen *s)
{
    struct agr_wal_visitor v = {on_start, on_row, on_payload, on_journal, on_batch, s};
    bool is_empty;
    memset(s, 0, sizeof(*s));
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    enum agr_wal_status st = agr_wal_open(w, fd, io, &v, &is_empty);
    if (st == AGR_WAL_OK && is_empty) {
        struct agr_hash zero = {{0}};
        agr_tree_init(&s->tree);
        st = agr_wal_start(w, &s->tree, &zero, NULL, 0);
    }
    close(fd);
    return st;
}

// Begins a batch of `rows` rows at the end of tree, which then is *ret_after.
static void
begin_batch(struct agr_wal *w, const struct agr_tree *tree, unsigned rows, size_t payload_n,
            struct agr_tree *ret_after)
{
    struct agr_tree after = *tree;
    struct agr_hash leaf;
    static char payload[5000];
    agr_wal_begin(w, tree->size);
    for (unsigned i = 0; i < rows; i++) {
        char text[64];
        size_t n = (size_t)snprintf(text, sizeof(text), "row %llu", (unsigned long long)after.size);
        if (payload_n) {
            uint8_t salt[AGR_SALT_SIZE] = {9};
            struct ag_sha256 d;
            struct agr_hash h;
            memset(payload, 'p', payload_n);
            ag_sha256_init(&d);
            ag_sha256_update(&d, salt, sizeof(salt));
            ag_sha256_update(&d, payload, payload_n);
            ag_sha256_final(&d, h.b);
            agr_wal_payload(w, after.size, salt, ag_str_of(payload, payload_n), &h);
        }
        agr_leaf_hash(text, n, &leaf);
        agr_wal_row(w, after.size, ag_str_of(text, n), &leaf);
        agr_tree_add(&after, &leaf, NULL, NULL);
    }
    *ret_after = after;
}

static enum agr_wal_status
end_batch(struct agr_wal *w, struct agr_tree *tree, const struct agr_tree *after)
{
    struct agr_hash root;
    agr_tree_root(after, &root);
    enum agr_wal_status st = agr_wal_commit(w, &root, 1);
    if (st == AGR_WAL_OK)
        *tree = *after;
    return st;
}

// The tree grows only when the batch is taken.
static enum agr_wal_status
batch(struct agr_wal *w, struct agr_tree *tree, unsigned rows, size_t payload_n)
{
    struct agr_tree after;
    begin_batch(w, tree, rows, payload_n, &after);
    return end_batch(w, tree, &after);
}

static void
fresh(void)
{
    char cmd[128];
    snprintf(cmd, sizeof(cmd), "rm -rf %s/wal", dir);
    if (system(cmd) != 0)
        exit(1);
}

static void
path_of(const char *name, char ret[192])
{
    snprintf(ret, 192, "%s/wal/%s", dir, name);
}

static void
test_round_trip(void)
{
    struct agr_wal w;
    struct seen s;
    struct agr_wal_journal j = {.boot = 77, .journal = 2, .last_wseq = 5, .kernel_boot = {[15] = 3}};
    fresh();
    OK(open_wal(&w, NULL, &s) == AGR_WAL_OK, "a new WAL: %s", w.error);
    OK(batch(&w, &s.tree, 3, 0) == AGR_WAL_OK && batch(&w, &s.tree, 2, 1) == AGR_WAL_OK &&
           batch(&w, &s.tree, 1, 4000) == AGR_WAL_OK,
       "three batches");
    agr_wal_begin(&w, s.tree.size);
    struct agr_hash root;
    agr_tree_root(&s.tree, &root);
    OK(agr_wal_journal_open(&w, &j) && agr_wal_commit(&w, &root, 1) == AGR_WAL_OK,
       "a batch with a journal only");
    struct agr_hash last = {{1}};
    OK(agr_wal_start(&w, &s.tree, &last, &j, 1) == AGR_WAL_OK && batch(&w, &s.tree, 4, 0) == AGR_WAL_OK,
       "goes on in a second file");
    agr_wal_close(&w);
    OK(open_wal(&w, NULL, &s) == AGR_WAL_OK && !s.is_wrong && s.rows == 10 && s.payloads == 3 &&
           s.batches == 5 && s.starts == 2 && s.journals == 1,
       "everything comes back");
    OK(batch(&w, &s.tree, 1, 0) == AGR_WAL_OK, "and it goes on");
    agr_wal_prune(&w, 6);
    agr_wal_close(&w);
    OK(open_wal(&w, NULL, &s) == AGR_WAL_OK && !s.is_wrong && s.rows == 5 && s.starts == 1 &&
           s.tree.size == 11,
       "pruned to the file above the floor");
    agr_wal_close(&w);
}

// Cuts the file at every byte of the last batch, and separately overwrites it from there: both are torn
// tails.
static void
test_torn(void)
{
    struct agr_wal w;
    struct seen s;
    char path[192], synced[192], cmd[480];
    size_t mark_n, n;
    fresh();
    open_wal(&w, NULL, &s);
    batch(&w, &s.tree, 2, 0);
    uint64_t good = w.offset;
    path_of("synced", synced);
    path_of("00000000000000000000.wal", path);
    uint8_t *mark = agr_file_read(AT_FDCWD, synced, 64, &mark_n); // the first batch was synced
    batch(&w, &s.tree, 2, 20);
    agr_wal_close(&w);
    uint8_t *later = agr_file_read(AT_FDCWD, synced, 64, &mark_n); // both were
    uint8_t *all = agr_file_read(AT_FDCWD, path, 1 << 20, &n);
    uint8_t *copy = malloc(n);
    unsigned bad = 0, refused = 0;
    snprintf(cmd, sizeof(cmd), "rm -f %s/wal/torn-*", dir);
    for (size_t at = good; at < n; at++) {
        for (int is_overwritten = 0; is_overwritten < 2; is_overwritten++) {
            memcpy(copy, all, n);
            memset(copy + at, 0xee, n - at);
            agr_file_replace(AT_FDCWD, path, copy, is_overwritten ? n : at, false);
            // To lose a synced batch would lose an answer.
            agr_file_replace(AT_FDCWD, synced, later, mark_n, false);
            refused += open_wal(&w, NULL, &s) == AGR_WAL_BAD;
            agr_wal_close(&w);
            // One that was not is cut.
            agr_file_replace(AT_FDCWD, synced, mark, mark_n, false);
            bad += open_wal(&w, NULL, &s) != AGR_WAL_OK || s.is_wrong || s.rows != 2 || w.offset != good ||
                   batch(&w, &s.tree, 1, 0) != AGR_WAL_OK;
            agr_wal_close(&w);
            bad += open_wal(&w, NULL, &s) != AGR_WAL_OK || s.rows != 3;
            agr_wal_close(&w);
        }
        if (at % 64 == 0 && system(cmd) != 0)
            bad++;
    }
    free(copy);
    size_t tries = 2 * (n - good);
    OK(bad == 0, "a tail torn at each of %zu bytes, or overwritten from there, is cut and the log goes on",
       n - good);
    OK(refused == tries, "the same damage below the synced offset refuses to start (%u of %zu)", refused,
       tries);
    agr_file_replace(AT_FDCWD, path, all, n - 1, false);
    agr_file_replace(AT_FDCWD, synced, mark, 20, false);
    open_wal(&w, NULL, &s);
    agr_wal_close(&w);
    char torn[192], name[64];
    snprintf(name, sizeof(name), "torn-00000000000000000000-%zu", (size_t)good);
    path_of(name, torn);
    size_t torn_n = 0;
    copy = agr_file_read(AT_FDCWD, torn, 1 << 20, &torn_n);
    OK(copy && torn_n == n - 1 - good && memcmp(copy, all + good, torn_n) == 0,
       "a copy of what was cut is kept");
    free(copy);
    free(all);
    free(mark);
    free(later);
}

static void
test_damage(void)
{
    struct agr_wal w;
    struct seen s;
    char path[192], synced[192];
    size_t n;
    fresh();
    open_wal(&w, NULL, &s);
    for (int i = 0; i < 4; i++)
        batch(&w, &s.tree, 2, 10);
    agr_wal_close(&w);
    path_of("00000000000000000000.wal", path);
    path_of("synced", synced);
    uint8_t *all = agr_file_read(AT_FDCWD, path, 1 << 20, &n);
    unsigned accepted = 0, without_mark = 0, early = 0;
    for (size_t at = 0; at < n; at += 3) {
        all[at] ^= 0x40;
        agr_file_replace(AT_FDCWD, path, all, n, false);
        accepted += open_wal(&w, NULL, &s) != AGR_WAL_BAD;
        agr_wal_close(&w);
        all[at] ^= 0x40;
        // Without the mark, damage is still seen to be early when later batches are whole.
        if (at < n / 2) {
            all[at] ^= 0x40;
            agr_file_replace(AT_FDCWD, path, all, n, false);
            size_t k;
            uint8_t *mark = agr_file_read(AT_FDCWD, synced, 64, &k);
            unlink(synced);
            early++;
            without_mark += open_wal(&w, NULL, &s) == AGR_WAL_BAD;
            agr_wal_close(&w);
            agr_file_replace(AT_FDCWD, synced, mark, k, false);
            free(mark);
            all[at] ^= 0x40;
        }
    }
    OK(accepted == 0, "one flipped bit anywhere below the synced offset refuses to start");
    OK(without_mark == early, "and before whole later batches also without the mark");
    unlink(path);
    OK(open_wal(&w, NULL, &s) == AGR_WAL_BAD && strstr(w.error, "missing"), "a missing file refuses: %s",
       w.error);
    agr_wal_close(&w);
    free(all);
}

static int fail_sync, fail_write;
static size_t write_some;

static int
bad_sync(void *ctx, int fd)
{
    (void)ctx;
    errno = EIO;
    return fail_sync ? -1 : fdatasync(fd);
}

static ssize_t
bad_write(void *ctx, int fd, const void *p, size_t n, off_t at)
{
    (void)ctx;
    if (!fail_write)
        return pwrite(fd, p, n, at);
    if (write_some) {
        n = n < write_some ? n : write_some;
        write_some = 0;
        return pwrite(fd, p, n, at);
    }
    errno = ENOSPC;
    return -1;
}

static void
test_faults(void)
{
    struct agr_io io = {bad_write, bad_sync, NULL};
    struct agr_wal w;
    struct seen s;
    struct stat st;
    char path[192];
    fresh();
    open_wal(&w, &io, &s);
    batch(&w, &s.tree, 2, 0);
    uint64_t good = w.offset;
    fail_write = 1;
    write_some = 50;
    OK(batch(&w, &s.tree, 3, 100) == AGR_WAL_FULL, "a full disk is not fatal: %s", w.error);
    path_of("00000000000000000000.wal", path);
    OK(stat(path, &st) == 0 && (uint64_t)st.st_size == good, "half a batch is taken back");
    fail_write = 0;
    struct agr_tree after = s.tree;
    struct agr_hash leaf, root;
    for (unsigned i = 0; i < 3; i++) {
        char text[32];
        agr_leaf_hash(text, (size_t)snprintf(text, sizeof(text), "row %u", 2 + i), &leaf);
        agr_tree_add(&after, &leaf, NULL, NULL);
    }
    agr_tree_root(&after, &root);
    OK(agr_wal_commit(&w, &root, 1) == AGR_WAL_OK, "with space again the same batch is taken");
    s.tree = after;
    fail_sync = 1;
    OK(batch(&w, &s.tree, 1, 0) == AGR_WAL_FATAL, "a failed sync is fatal: %s", w.error);
    fail_sync = 0;
    OK(batch(&w, &s.tree, 1, 0) == AGR_WAL_FATAL, "and never tried again");
    agr_wal_close(&w);
    OK(open_wal(&w, NULL, &s) == AGR_WAL_OK && !s.is_wrong && s.rows >= 5 && s.payloads == 3,
       "what was synced is there");
    agr_wal_close(&w);
}

static uint64_t
file_size(void)
{
    struct stat st;
    char path[192];
    path_of("00000000000000000000.wal", path);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

// Frames may be in the file before their batch is whole; until then they are a torn tail.
static void
test_write_ahead(void)
{
    struct agr_io io = {bad_write, bad_sync, NULL};
    struct agr_wal w;
    struct agr_tree after;
    struct seen s;
    fresh();
    open_wal(&w, NULL, &s);
    batch(&w, &s.tree, 3, 100);
    uint64_t good = w.offset;
    begin_batch(&w, &s.tree, 40, 5000, &after);
    agr_wal_write_ahead(&w);
    OK(file_size() == good, "little is not written ahead");
    begin_batch(&w, &s.tree, 100, 5000, &after);
    agr_wal_write_ahead(&w);
    OK(file_size() > good + 400000 && file_size() % 4096 == 0, "much is, in whole pages: %llu",
       (unsigned long long)file_size());
    agr_wal_close(&w);
    OK(open_wal(&w, &io, &s) == AGR_WAL_OK && !s.is_wrong && s.rows == 3 && file_size() == good,
       "without its end a batch is a torn tail");
    begin_batch(&w, &s.tree, 100, 5000, &after);
    fail_write = 1;
    write_some = 5000;
    agr_wal_write_ahead(&w);
    OK(file_size() == good, "a full disk takes back what was written ahead");
    fail_write = 0;
    agr_wal_write_ahead(&w);
    OK(end_batch(&w, &s.tree, &after) == AGR_WAL_OK && batch(&w, &s.tree, 5, 10) == AGR_WAL_OK,
       "with space again the batch is written anew");
    agr_wal_close(&w);
    OK(open_wal(&w, NULL, &s) == AGR_WAL_OK && !s.is_wrong && s.rows == 108 && s.payloads == 108 &&
           s.batches == 3,
       "and whole");
    agr_wal_close(&w);
}

static void
test_erase(void)
{
    struct agr_wal w;
    struct seen s;
    char path[192];
    fresh();
    open_wal(&w, NULL, &s);
    batch(&w, &s.tree, 3, 1);
    batch(&w, &s.tree, 3, 3000);
    agr_wal_close(&w);
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    OK(agr_wal_erase(fd, 1) && agr_wal_erase(fd, 4), "two payloads erased");
    close(fd);
    OK(open_wal(&w, NULL, &s) == AGR_WAL_OK && !s.is_wrong && s.rows == 6 && s.payloads == 4,
       "the batches are whole without them");
    agr_wal_close(&w);
    size_t n, count = 0;
    path_of("00000000000000000000.wal", path);
    uint8_t *p = agr_file_read(AT_FDCWD, path, 1 << 20, &n);
    for (size_t i = 0; p && i < n; i++)
        count += p[i] == 'p';
    OK(count >= 6002 && count < 6100, "their bytes are gone, those of the others are not: %zu", count);
    free(p);
}

int
main(void)
{
    char rm[96];
    snprintf(dir, sizeof(dir), "%s/agw-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir) || !ag_crypto_init())
        return 1;
    test_round_trip();
    test_torn();
    test_damage();
    test_faults();
    test_write_ahead();
    test_erase();
    snprintf(rm, sizeof(rm), "rm -rf '%s'", dir);
    OK(system(rm) == 0, "cleans up");
    return t_done();
}
