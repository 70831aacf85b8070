// SPDX-License-Identifier: Apache-2.0
// Step 17, journals in: finds segments, follows them record by record, publishes what is synced, removes what
// is done. In: LOG/journal. Out: the next record of each journal; synced words in segment headers. Everything
// in a segment is foreign. Owns: segment descriptors and read buffers. Next: sequencer.c.
#include "seq.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

struct seq_journal *
seq_journal_find(struct sequencer *s, uint64_t boot, uint32_t journal)
{
    for (uint32_t i = 0; i < s->journals_n; i++)
        if (s->journals[i].w.boot == boot && s->journals[i].w.journal == journal)
            return &s->journals[i];
    return NULL;
}

struct seq_journal *
seq_journal_add(struct sequencer *s, const struct agr_wal_journal *w)
{
    if (s->journals_n == s->journals_size) {
        uint32_t size = s->journals_size ? s->journals_size * 2 : 16;
        struct seq_journal *p = realloc(s->journals, size * sizeof(*p));
        if (!p)
            return NULL;
        s->journals = p;
        s->journals_size = size;
    }
    struct seq_journal *j = &s->journals[s->journals_n++];
    *j = (struct seq_journal){.w = *w, .fd = -1, .reader.fd = -1};
    j->taken_wseq = j->synced_wseq = w->last_wseq;
    j->quiet_since_ms = seq_monotonic_ms();
    return j;
}

static void
unlink_segment(struct sequencer *s, const struct seq_journal *j, uint32_t segment)
{
    char name[AGR_SEGMENT_NAME_SIZE];
    agr_segment_name(j->w.boot, j->w.journal, segment, name);
    unlinkat(s->journal_fd, name, 0);
}

// Calls fn for every segment file of the directory (of one journal when `only` is given).
typedef void segment_fn(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment,
                        const char *name, void *ctx);

static void
each_segment(struct sequencer *s, const struct seq_journal *only, segment_fn *fn, void *ctx)
{
    int fd = openat(s->journal_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd == -1 ? NULL : fdopendir(fd);
    for (struct dirent *e; d && (e = readdir(d));) {
        uint64_t boot;
        uint32_t journal, segment;
        if (agr_segment_name_parse(e->d_name, &boot, &journal, &segment) &&
            (!only || (only->w.boot == boot && only->w.journal == journal)))
            fn(s, boot, journal, segment, e->d_name, ctx);
    }
    if (d)
        closedir(d);
}

static void
unlink_one(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment, const char *name,
           void *ctx)
{
    (void)boot, (void)journal, (void)segment, (void)ctx;
    unlinkat(s->journal_fd, name, 0);
}

static void
drop_done(struct sequencer *s, struct seq_journal *j)
{
    for (uint32_t i = 0; i < j->done_n; i++) {
        close(j->done[i].fd);
        unlink_segment(s, j, j->done[i].segment);
    }
    j->done_n = 0;
}

void
seq_journal_remove(struct sequencer *s, struct seq_journal *j, bool with_files)
{
    if (with_files) {
        drop_done(s, j);
        each_segment(s, j, unlink_one, NULL);
    }
    for (uint32_t i = 0; i < j->done_n; i++)
        close(j->done[i].fd);
    free(j->done);
    agr_reader_fini(&j->reader);
    if (j->fd != -1)
        close(j->fd);
    *j = s->journals[--s->journals_n];
}

// Opens a segment for reading and publishing. -1: not there or not a segment.
static int
open_segment(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment, struct agr_segment *ret)
{
    char name[AGR_SEGMENT_NAME_SIZE];
    agr_segment_name(boot, journal, segment, name);
    int fd = openat(s->journal_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return -1;
    if (pread(fd, ret, sizeof(*ret), 0) != (ssize_t)sizeof(*ret) || !agr_segment_is_valid(ret) ||
        ret->boot != boot || ret->journal != journal || ret->segment != segment) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

// Starts reading segment number `segment`. False: not there.
static bool
enter_segment(struct sequencer *s, struct seq_journal *j, uint32_t segment)
{
    struct agr_segment h;
    int fd = open_segment(s, j->w.boot, j->w.journal, segment, &h);
    if (fd == -1) {
        j->is_corrupt = errno == EINVAL;
        return false;
    }
    agr_reader_fini(&j->reader);
    // Records the log has already are read and skipped, so a segment is read from its own first wseq.
    uint64_t first = segment == 0 ? 1 : h.first_wseq;
    agr_reader_init(&j->reader, fd, first ? first : j->taken_wseq + 1);
    j->is_corrupt = first > j->taken_wseq + 1;
    j->fd = fd;
    j->segment = segment;
    if (j->made < segment)
        j->made = segment;
    if (!j->is_in_wal) {
        j->w.worker = h.worker;
        memcpy(j->w.kernel_boot, h.kernel_boot, sizeof(j->w.kernel_boot));
        j->w.last_time_ns = h.created_ns;
    }
    return true;
}

struct lowest {
    uint32_t segment;
    bool is_found;
};

static void
find_lowest(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment, const char *name,
            void *ctx)
{
    (void)s, (void)boot, (void)journal, (void)name;
    struct lowest *l = ctx;
    if (!l->is_found || segment < l->segment)
        *l = (struct lowest){segment, true};
}

static void
learn_journal(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment, const char *name,
              void *ctx)
{
    (void)segment, (void)ctx;
    if (seq_journal_find(s, boot, journal))
        return;
    if (journal == 0 ||
        boot == s->boot) { // journal 0 is a sequencer's own; ours are known when they are made
        unlinkat(s->journal_fd, name, 0);
        return;
    }
    struct agr_wal_journal w = {.boot = boot, .journal = journal};
    seq_journal_add(s, &w);
}

void
seq_scan_dir(struct sequencer *s)
{
    each_segment(s, NULL, learn_journal, NULL);
}

static bool
move_on(struct sequencer *s, struct seq_journal *j)
{
    if (j->fd == -1) {
        struct lowest l = {0};
        each_segment(s, j, find_lowest, &l);
        return l.is_found && enter_segment(s, j, l.segment);
    }
    int old_fd = j->fd;
    uint32_t old = j->segment;
    if (j->done_n == j->done_size) {
        uint32_t size = j->done_size ? j->done_size * 2 : 4;
        void *p = realloc(j->done, size * sizeof(*j->done));
        if (!p)
            return false;
        j->done = p;
        j->done_size = size;
    }
    j->fd = -1;
    if (!enter_segment(s, j, old + 1)) {
        j->fd = old_fd;
        j->is_corrupt = true; // a closed segment always has a next one
        return false;
    }
    j->done[j->done_n].fd = old_fd;
    j->done[j->done_n++].segment = old;
    return true;
}

bool
seq_journal_peek(struct sequencer *s, struct seq_journal *j)
{
    while (!j->has_item && !j->is_corrupt) {
        if (j->fd == -1 && !move_on(s, j))
            return false;
        if (j->is_corrupt)
            return false;
        switch (agr_journal_read(&j->reader, &j->item)) {
        case AGR_READ_ITEM:
            j->has_item = j->item.wseq > j->taken_wseq;
            if (j->has_item && j->item.wseq != j->taken_wseq + 1) {
                j->has_item = false;
                j->is_corrupt = true;
            }
            break;
        case AGR_READ_EMPTY: return false;
        case AGR_READ_CLOSED:
            if (!move_on(s, j))
                return false;
            break;
        case AGR_READ_CORRUPT: j->is_corrupt = true; break;
        }
    }
    return j->has_item;
}

static void
test_lock(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment, const char *name, void *ctx)
{
    (void)boot, (void)journal, (void)segment;
    bool *is_alive = ctx;
    int fd = openat(s->journal_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        *is_alive = true;
    close(fd);
}

bool
seq_journal_is_writer_alive(struct sequencer *s, struct seq_journal *j)
{
    bool is_alive = false;
    each_segment(s, j, test_lock, &is_alive);
    return is_alive;
}

static void
max_unrecorded(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment, const char *name,
               void *ctx)
{
    (void)boot, (void)journal, (void)segment;
    uint64_t *max = ctx, v;
    int fd = openat(s->journal_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return;
    if (pread(fd, &v, sizeof(v), offsetof(struct agr_segment, unrecorded)) == (ssize_t)sizeof(v) && v > *max)
        *max = v;
    close(fd);
}

uint64_t
seq_journal_unrecorded(struct sequencer *s, struct seq_journal *j)
{
    uint64_t max = 0;
    each_segment(s, j, max_unrecorded, &max);
    return max;
}

// A word and its complement: a reader of half of it sees that it is half.
static void
put_word(int fd, size_t at, uint64_t v)
{
    uint64_t pair[2] = {v, ~v};
    // A writer that made its file unwritable only harms its own answers.
    if (pwrite(fd, pair, sizeof(pair), (off_t)at) != (ssize_t)sizeof(pair))
        return;
}

static void
poison_one(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment, const char *name,
           void *ctx)
{
    (void)boot, (void)journal, (void)segment, (void)ctx;
    int fd = openat(s->journal_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return;
    put_word(fd, offsetof(struct agr_segment, poisoned), 1);
    close(fd);
}

void
seq_journal_poison(struct sequencer *s, struct seq_journal *j)
{
    each_segment(s, j, poison_one, NULL);
}

void
seq_publish(struct sequencer *s)
{
    // gseq of waiting answers first, then the word that says they are there.
    uint64_t gseq = s->tiles.tree.size - s->pending_n;
    for (uint32_t i = 0; i < s->pending_n; i++, gseq++) {
        const struct seq_pending *p = &s->pending[i];
        if (p->journal != UINT32_MAX && p->is_durable)
            put_word(p->fd, p->offset + offsetof(struct agr_record_header, gseq), gseq);
    }
    for (uint32_t i = 0; i < s->journals_n; i++)
        s->journals[i].published_fd = -1;
    // Backwards: the first row met of a segment is its last, and its wseq goes into that segment's header.
    for (uint32_t i = s->pending_n; i-- > 0;) {
        const struct seq_pending *p = &s->pending[i];
        if (p->journal == UINT32_MAX)
            continue;
        struct seq_journal *j = &s->journals[p->journal];
        if (p->wseq > j->synced_wseq)
            j->synced_wseq = p->wseq;
        if (p->fd != j->published_fd)
            put_word(p->fd, offsetof(struct agr_segment, synced), p->wseq);
        j->published_fd = p->fd;
    }
    for (uint32_t i = 0; i < s->journals_n; i++) {
        struct seq_journal *j = &s->journals[i];
        if (j->fd != -1 && j->synced_wseq == j->taken_wseq)
            put_word(j->fd, offsetof(struct agr_segment, synced), j->synced_wseq);
        drop_done(s, j);
    }
}

// A segment counts when its writer has entered it and it is neither read to its end nor the one being read.
static void
add_size(struct sequencer *s, uint64_t boot, uint32_t journal, uint32_t segment, const char *name, void *ctx)
{
    uint64_t *total = ctx, first = 0;
    const struct seq_journal *j = seq_journal_find(s, boot, journal);
    if (j && j->fd != -1 && segment <= j->segment)
        return;
    int fd = openat(s->journal_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return;
    if (pread(fd, &first, sizeof(first), offsetof(struct agr_segment, first_wseq)) ==
            (ssize_t)sizeof(first) &&
        first)
        *total += AGR_SEGMENT_SIZE;
    close(fd);
}

uint64_t
seq_backlog(struct sequencer *s)
{
    uint64_t total = 0;
    each_segment(s, NULL, add_size, &total);
    return total;
}
