// SPDX-License-Identifier: Apache-2.0
// Segment files of a journal: making one, its name and header, and the reader's half (records by pread).
// In: a directory descriptor, or the descriptor of a segment. Out: a locked preallocated file; checked
// records. Everything read here may come from a hostile writer: it is copied first, then checked. Owns: the
// reader's buffer. Next: runtime/audit/sequencer.c.
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "hash.h"

#define READ_CHUNK (256u << 10) // bytes of one pread while records are small
#define ZERO_CHUNK (256u << 10) // of one write of zeros: a longer call holds the CPU longer and gains little

static void
read_kernel_boot(uint8_t ret[16])
{
    char text[40] = {0};
    memset(ret, 0, 16);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    size_t digits = 0;
    for (ssize_t i = 0; i < n && digits < 32; i++) {
        char c = text[i];
        unsigned v;
        if (c >= '0' && c <= '9')
            v = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = (unsigned)(c - 'a') + 10;
        else
            continue;
        ret[digits / 2] = (uint8_t)((unsigned)ret[digits / 2] << 4 | v);
        digits++;
    }
}

void
agr_segment_seal(struct agr_segment *h)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    memcpy(h->magic, "AEGISJNL", 8);
    h->version = 1;
    h->header_size = AGR_SEGMENT_HEADER;
    h->segment_size = AGR_SEGMENT_SIZE;
    h->created_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    read_kernel_boot(h->kernel_boot);
    h->crc = ag_crc32c(0, h, offsetof(struct agr_segment, crc));
}

bool
agr_segment_is_valid(const struct agr_segment *h)
{
    return memcmp(h->magic, "AEGISJNL", 8) == 0 && h->version == 1 && h->header_size == AGR_SEGMENT_HEADER &&
           h->segment_size == AGR_SEGMENT_SIZE && h->boot >> 40 == 0 && h->journal <= AGR_JOURNAL_NO_MAX &&
           h->crc == ag_crc32c(0, h, offsetof(struct agr_segment, crc));
}

void
agr_segment_name(uint64_t boot, uint32_t journal, uint32_t segment, char ret[AGR_SEGMENT_NAME_SIZE])
{
    char text[AGR_BOOT_TEXT_SIZE];
    agr_journal_boot_text(boot, text);
    snprintf(ret, AGR_SEGMENT_NAME_SIZE, "%.8s-%08u-%08u.seg", text, journal % 100000000u,
             segment % 100000000u);
}

static bool
eight_digits(const char *p, uint32_t *ret)
{
    uint32_t v = 0;
    for (int i = 0; i < 8; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(p[i] - '0');
    }
    *ret = v;
    return true;
}

bool
agr_segment_name_parse(const char *name, uint64_t *ret_boot, uint32_t *ret_journal, uint32_t *ret_segment)
{
    uint64_t boot = 0, wseq;
    uint32_t journal = 0, segment = 0, zero;
    if (strlen(name) != 30 || name[8] != '-' || name[17] != '-' || memcmp(name + 26, ".seg", 4) != 0)
        return false;
    char id[AGR_DECISION_ID_SIZE];
    memset(id, 'a', sizeof(id));
    memcpy(id, name, 8);
    if (!agr_decision_id_parse(ag_str_of(id, sizeof(id)), &boot, &zero, &wseq) ||
        !eight_digits(name + 9, &journal) || !eight_digits(name + 18, &segment) ||
        journal > AGR_JOURNAL_NO_MAX)
        return false;
    *ret_boot = boot;
    *ret_journal = journal;
    *ret_segment = segment;
    return true;
}

// The blocks first, so that an append never meets a full disk; then zeros in large writes. The page cache
// keeps those in large pieces that are there already when the writer touches them: without them each page of
// a mapping is a fault that reads, allocates and marks one page, four times the cost of these writes. File
// systems without fallocate get their blocks by the zeros.
static bool
preallocate(int fd)
{
    static const uint8_t zeros[65536];
    struct iovec piece[ZERO_CHUNK / sizeof(zeros)];
    if (fallocate(fd, 0, 0, AGR_SEGMENT_SIZE) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        return false;
    for (size_t i = 0; i < sizeof(piece) / sizeof(piece[0]); i++)
        piece[i] = (struct iovec){(void *)(uintptr_t)zeros, sizeof(zeros)};
    for (off_t at = 0; at < (off_t)AGR_SEGMENT_SIZE; at += (off_t)ZERO_CHUNK)
        if (pwritev(fd, piece, sizeof(piece) / sizeof(piece[0]), at) != (ssize_t)ZERO_CHUNK)
            return false;
    return true;
}

enum agr_journal_status
agr_segment_create(int dir_fd, const struct agr_segment *header, int *ret_fd)
{
    char name[AGR_SEGMENT_NAME_SIZE], tmp[AGR_SEGMENT_NAME_SIZE + 4];
    agr_segment_name(header->boot, header->journal, header->segment, name);
    snprintf(tmp, sizeof(tmp), "%s.tmp", name);
    int fd = openat(dir_fd, tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd == -1)
        return AGR_JOURNAL_SYSTEM;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !preallocate(fd) ||
        pwrite(fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header) ||
        renameat(dir_fd, tmp, dir_fd, name) != 0) {
        int saved = errno;
        unlinkat(dir_fd, tmp, 0);
        close(fd);
        errno = saved;
        return AGR_JOURNAL_SYSTEM;
    }
    *ret_fd = fd;
    return AGR_JOURNAL_OK;
}

// --- reader
// ------------------------------------------------------------------------------------------------------

void
agr_reader_init(struct agr_journal_reader *r, int fd, uint64_t first_wseq)
{
    *r = (struct agr_journal_reader){.fd = fd, .at = AGR_SEGMENT_HEADER, .wseq = first_wseq};
}

void
agr_reader_fini(struct agr_journal_reader *r)
{
    free(r->buf);
    *r = (struct agr_journal_reader){.fd = -1};
}

// Brings at least `need` bytes from r->at into the buffer, reading afresh when `is_fresh`. False: cannot be
// read.
static bool
fill(struct agr_journal_reader *r, size_t need, bool is_fresh)
{
    if (!is_fresh && r->at >= r->buf_from && r->at - r->buf_from + need <= r->buf_n)
        return true;
    size_t want = need > READ_CHUNK ? need : READ_CHUNK;
    if (want > AGR_SEGMENT_SIZE - r->at)
        want = AGR_SEGMENT_SIZE - r->at;
    if (want > r->buf_size) {
        uint8_t *p = realloc(r->buf, want);
        if (!p)
            return false;
        r->buf = p;
        r->buf_size = want;
    }
    r->buf_from = r->at;
    r->buf_n = 0;
    while (r->buf_n < want) {
        ssize_t n = pread(r->fd, r->buf + r->buf_n, want - r->buf_n, (off_t)(r->buf_from + r->buf_n));
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        r->buf_n += (size_t)n;
    }
    return r->buf_n >= need;
}

// Checks the copy at r->at, whose commit word is set. False: not (yet) a record.
static bool
parse_record(struct agr_journal_reader *r, size_t total, struct agr_journal_item *ret)
{
    const uint8_t *p = r->buf + (r->at - r->buf_from);
    struct agr_record_header h;
    memcpy(&h, p, sizeof(h));
    if (h.wseq != r->wseq || h.type < AGR_ROW_DECISION || h.type >= AGR_ROW_TYPES || h.zero != 0 ||
        h.body_n < 2 || h.body_n > AGR_BODY_MAX || h.action_n > AGR_ACTION_MAX ||
        h.payload_n > AGR_PAYLOAD_MAX)
        return false;
    size_t bytes = (size_t)AGR_RECORD_HEADER + h.body_n + h.action_n + h.payload_n;
    if (((bytes + 15) & ~(size_t)15) != total || (h.commit >> 32) != total)
        return false;
    if (ag_crc32c(0, p + 24, total - 24) != (uint32_t)h.commit)
        return false;
    const char *text = (const char *)p + AGR_RECORD_HEADER;
    *ret = (struct agr_journal_item){
        .type = (enum agr_row_type)h.type,
        .flags = h.flags,
        .wseq = h.wseq,
        .time_ns = h.time_ns,
        .body = ag_str_of(text, h.body_n),
        .action = ag_str_of(text + h.body_n, h.action_n),
        .payload = ag_str_of(text + h.body_n + h.action_n, h.payload_n),
        .offset = r->at,
    };
    return true;
}

// The commit word of the copy at r->at.
static uint64_t
commit_word(const struct agr_journal_reader *r)
{
    uint64_t commit;
    memcpy(&commit, r->buf + (r->at - r->buf_from), sizeof(commit));
    return commit;
}

static enum agr_read_result
at_end(struct agr_journal_reader *r)
{
    uint64_t closed;
    if (pread(r->fd, &closed, sizeof(closed), offsetof(struct agr_segment, closed)) !=
        (ssize_t)sizeof(closed))
        return AGR_READ_CORRUPT;
    if (closed == 0)
        return AGR_READ_EMPTY;
    if (closed == r->at)
        return AGR_READ_CLOSED;
    // The writer closes after its last commit, so that record is there now; anything else is damage.
    return closed > r->at && fill(r, AGR_RECORD_HEADER, true) && commit_word(r) != 0 ? AGR_READ_ITEM
                                                                                     : AGR_READ_CORRUPT;
}

enum agr_read_result
agr_journal_read(struct agr_journal_reader *r, struct agr_journal_item *ret_item)
{
    if (r->at > AGR_SEGMENT_SIZE - AGR_RECORD_HEADER)
        return at_end(r);
    if (!fill(r, AGR_RECORD_HEADER, false))
        return AGR_READ_CORRUPT;
    // A zero may be older than the file: look again, and only then at the writer's closing word.
    if (commit_word(r) == 0) {
        uint64_t commit;
        if (pread(r->fd, &commit, sizeof(commit), (off_t)r->at) != (ssize_t)sizeof(commit))
            return AGR_READ_CORRUPT;
        enum agr_read_result end = commit ? AGR_READ_ITEM : at_end(r);
        if (end != AGR_READ_ITEM)
            return end;
        if (!fill(r, AGR_RECORD_HEADER, true))
            return AGR_READ_CORRUPT;
    }
    size_t total = (size_t)(commit_word(r) >> 32);
    if (total < AGR_RECORD_HEADER || total % 16 != 0 || total > AGR_SEGMENT_SIZE - r->at)
        return AGR_READ_CORRUPT;
    if (!fill(r, total, false))
        return AGR_READ_CORRUPT;
    // The first copy may have been taken while the record was being written; a second one has seen the commit
    // word.
    if (!parse_record(r, total, ret_item) && (!fill(r, total, true) || !parse_record(r, total, ret_item)))
        return AGR_READ_CORRUPT;
    r->at += (uint32_t)total;
    r->wseq++;
    return AGR_READ_ITEM;
}
