// SPDX-License-Identifier: Apache-2.0
// Step 15: append a row to this writer's journal. See journal.h for the contract, docs/formats/audit.md for
// the bytes. In: body, action and payload bytes. Out: a record whose commit word is stored last. Atomics:
// every store that another process reads is partnered with the preads of runtime/audit/sequencer.c, every
// load of a sequencer's word with its pwrites. Owns: mappings of segments and status page, the guard page,
// the socket. Next: runtime/host/segment.c (files, reader), runtime/audit/sequencer.c.
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "hash.h"

#define GUARD_ALIVE 0x41454749534a4e4cull // any value that a wiped page is not

static struct agr_segment *
header_of(uint8_t *segment)
{
    return (struct agr_segment *)(void *)segment;
}

static size_t
record_size(size_t body_n, size_t action_n, size_t payload_n)
{
    return (AGR_RECORD_HEADER + body_n + action_n + payload_n + 15) & ~(size_t)15;
}

static bool
is_alive(const struct agr_journal *j)
{
    return j->current && j->guard && *j->guard == GUARD_ALIVE;
}

// A word that the sequencer wrote by pwrite counts only when its complement agrees.
static uint64_t
word_pair(const uint64_t pair[2])
{
    uint64_t v = __atomic_load_n(&pair[0], __ATOMIC_ACQUIRE);
    uint64_t c = __atomic_load_n(&pair[1], __ATOMIC_ACQUIRE);
    return v == ~c ? v : 0;
}

static bool
is_refused(const struct agr_journal *j)
{
    if (j->status && (__atomic_load_n(&j->status->flags, __ATOMIC_ACQUIRE) & AGR_STATUS_REFUSE))
        return true;
    return word_pair(header_of(j->current)->poisoned) != 0;
}

static void
enter_segment(struct agr_journal *j, uint8_t *segment)
{
    struct agr_segment *h = header_of(segment);
    j->current = segment;
    j->at = AGR_SEGMENT_HEADER;
    __atomic_store_n(&h->first_wseq, j->wseq, __ATOMIC_RELAXED);
    __atomic_store_n(&h->unrecorded, j->unrecorded, __ATOMIC_RELAXED);
}

// Goes to the segment that is mapped ahead. The full one stays mapped until a refill: no system call here.
static bool
switch_segment(struct agr_journal *j)
{
    if (j->next_n == 0 || j->retired_n == AGR_JOURNAL_AHEAD + AGR_JOURNAL_RETIRED)
        return false;
    __atomic_store_n(&header_of(j->current)->closed, (uint64_t)j->at, __ATOMIC_RELEASE);
    memmove(j->retired + 1, j->retired, j->retired_n * sizeof(j->retired[0]));
    j->retired[0] = j->current;
    j->retired_n++;
    uint8_t *next = j->next[0];
    j->next_n--;
    memmove(j->next, j->next + 1, j->next_n * sizeof(j->next[0]));
    j->segment++;
    enter_segment(j, next);
    return true;
}

static enum agr_journal_status
unrecorded(struct agr_journal *j)
{
    j->unrecorded++;
    __atomic_store_n(&header_of(j->current)->unrecorded, j->unrecorded, __ATOMIC_RELAXED);
    return AGR_JOURNAL_UNAVAILABLE;
}

static uint8_t *
copy_piece(uint8_t *to, struct ag_str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

enum agr_journal_status
agr_journal_append(struct agr_journal *j, const struct agr_record *r, struct agr_journal_pos *ret_pos)
{
    if (!is_alive(j))
        return AGR_JOURNAL_UNAVAILABLE;
    if (r->type < AGR_ROW_DECISION || r->type >= AGR_ROW_TYPES || r->body.n < 2)
        return AGR_JOURNAL_INVALID;
    if (r->body.n > AGR_BODY_MAX || r->action.n > AGR_ACTION_MAX || r->payload.n > AGR_PAYLOAD_MAX)
        return AGR_JOURNAL_TOO_BIG;
    if (is_refused(j) || j->wseq > AGR_WSEQ_MAX)
        return unrecorded(j);
    size_t total = record_size(r->body.n, r->action.n, r->payload.n);
    if (total > AGR_SEGMENT_SIZE - j->at && !switch_segment(j))
        return unrecorded(j);

    uint8_t *at = j->current + j->at;
    struct agr_record_header *h = (struct agr_record_header *)(void *)at;
    h->wseq = j->wseq;
    h->type = (uint16_t)r->type;
    h->flags = (uint16_t)r->flags;
    h->body_n = (uint32_t)r->body.n;
    h->action_n = (uint32_t)r->action.n;
    h->payload_n = (uint32_t)r->payload.n;
    h->time_ns = r->time_ns;
    h->zero = 0;
    copy_piece(copy_piece(copy_piece(at + AGR_RECORD_HEADER, r->body), r->action), r->payload);
    if (r->flags & AGR_RECORD_DURABLE)
        __atomic_store_n(&header_of(j->current)->durable, j->wseq, __ATOMIC_RELAXED);
    uint64_t crc = ag_crc32c(0, at + 24, total - 24);
    __atomic_store_n(&h->commit, (uint64_t)total << 32 | crc, __ATOMIC_RELEASE);

    *ret_pos = (struct agr_journal_pos){j->wseq, j->segment, j->at};
    j->at += (uint32_t)total;
    j->wseq++;
    return AGR_JOURNAL_OK;
}

bool
agr_journal_has_room(const struct agr_journal *j, size_t body_n, size_t action_n, size_t payload_n)
{
    if (!is_alive(j) || is_refused(j) || body_n > AGR_BODY_MAX || action_n > AGR_ACTION_MAX ||
        payload_n > AGR_PAYLOAD_MAX)
        return false;
    return record_size(body_n, action_n, payload_n) <= AGR_SEGMENT_SIZE - j->at || j->next_n > 0;
}

bool
agr_journal_is_synced(const struct agr_journal *j, struct agr_journal_pos pos, uint64_t *ret_gseq)
{
    *ret_gseq = UINT64_MAX;
    if (!is_alive(j) || pos.segment > j->segment || pos.offset > AGR_SEGMENT_SIZE - AGR_RECORD_HEADER)
        return false;
    uint32_t back = j->segment - pos.segment;
    if (back > j->retired_n) // no longer mapped: answered by anything later that is synced
        return word_pair(header_of(j->retired_n ? j->retired[j->retired_n - 1] : j->current)->synced) >=
               pos.wseq;
    uint8_t *segment = back ? j->retired[back - 1] : j->current;
    if (word_pair(header_of(segment)->synced) < pos.wseq)
        return false;
    const struct agr_record_header *h =
        (const struct agr_record_header *)(const void *)(segment + pos.offset);
    uint64_t gseq = __atomic_load_n(&h->gseq[0], __ATOMIC_ACQUIRE);
    if ((h->flags & AGR_RECORD_DURABLE) && gseq == ~__atomic_load_n(&h->gseq[1], __ATOMIC_ACQUIRE))
        *ret_gseq = gseq;
    return true;
}

uint64_t
agr_journal_next_wseq(const struct agr_journal *j)
{
    return j->wseq;
}

bool
agr_journal_wants_refill(const struct agr_journal *j)
{
    return j->current && (j->next_n < j->ahead || j->retired_n > AGR_JOURNAL_RETIRED);
}

int
agr_journal_fd(const struct agr_journal *j)
{
    return j->current ? j->sock : -1;
}

void
agr_journal_set_ahead(struct agr_journal *j, uint32_t count)
{
    j->ahead = count < 1 ? 1 : count > AGR_JOURNAL_AHEAD ? AGR_JOURNAL_AHEAD : count;
}

// --- mapping
// -----------------------------------------------------------------------------------------------------

// Maps a segment for writing. Not inherited by children: the mapping keeps the file's lock, which must end
// with us.
static uint8_t *
map_segment(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return NULL;
    if (st.st_size != AGR_SEGMENT_SIZE) {
        errno = EINVAL;
        return NULL;
    }
    void *p = mmap(NULL, AGR_SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (madvise(p, AGR_SEGMENT_SIZE, MADV_DONTFORK) != 0 || !agr_segment_is_valid(header_of(p))) {
        munmap(p, AGR_SEGMENT_SIZE);
        errno = EINVAL;
        return NULL;
    }
    return p;
}

// The guard page: a forked child sees zeros and refuses, so two processes never write one journal.
static uint64_t *
map_guard(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (madvise(p, 4096, MADV_WIPEONFORK) != 0) {
        munmap(p, 4096);
        return NULL;
    }
    uint64_t *guard = p;
    *guard = GUARD_ALIVE;
    return guard;
}

static enum agr_journal_status
map_status(struct agr_journal *j, int fd)
{
    void *p = mmap(NULL, AGR_STATUS_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return AGR_JOURNAL_SYSTEM;
    const struct agr_audit_status *s = p;
    if (memcmp(s->magic, "AEGISJST", 8) != 0 || s->version != 1 || s->size != AGR_STATUS_SIZE) {
        munmap(p, AGR_STATUS_SIZE);
        return AGR_JOURNAL_INVALID;
    }
    j->status = s;
    return AGR_JOURNAL_OK;
}

enum agr_journal_status
agr_journal_attach_next(struct agr_journal *j, int fd)
{
    if (!is_alive(j) || j->next_n == AGR_JOURNAL_AHEAD)
        return AGR_JOURNAL_UNAVAILABLE;
    while (j->retired_n > AGR_JOURNAL_RETIRED)
        munmap(j->retired[--j->retired_n], AGR_SEGMENT_SIZE);
    uint8_t *p = map_segment(fd);
    if (!p)
        return errno == EINVAL ? AGR_JOURNAL_INVALID : AGR_JOURNAL_SYSTEM;
    const struct agr_segment *h = header_of(p);
    if (h->boot != j->boot || h->journal != j->journal || h->segment != j->segment + j->next_n + 1) {
        munmap(p, AGR_SEGMENT_SIZE);
        return AGR_JOURNAL_INVALID;
    }
    j->next[j->next_n++] = p;
    return AGR_JOURNAL_OK;
}

enum agr_journal_status
agr_journal_attach(struct agr_journal *j, int fd_first, int fd_next, int fd_status)
{
    *j =
        (struct agr_journal){.sock = -1, .dir_fd = -1, .ahead = 1, .wseq = 1, .backlog_max = AGR_BACKLOG_MAX};
    enum agr_journal_status s = AGR_JOURNAL_SYSTEM;
    uint8_t *first = map_segment(fd_first);
    if (!first)
        return errno == EINVAL ? AGR_JOURNAL_INVALID : AGR_JOURNAL_SYSTEM;
    const struct agr_segment *h = header_of(first);
    j->boot = h->boot;
    j->journal = h->journal;
    j->worker = h->worker;
    j->segment = h->segment;
    if (h->segment != 0 ||
        h->first_wseq != 0) { // a journal is opened once; a used segment has another writer's rows
        munmap(first, AGR_SEGMENT_SIZE);
        return AGR_JOURNAL_INVALID;
    }
    enter_segment(j, first);
    j->guard = map_guard();
    if (!j->guard)
        goto out;
    s = fd_status == -1 ? AGR_JOURNAL_OK : map_status(j, fd_status);
    if (s == AGR_JOURNAL_OK && fd_next != -1)
        s = agr_journal_attach_next(j, fd_next);
out:
    if (s != AGR_JOURNAL_OK)
        agr_journal_close(j);
    return s;
}

void
agr_journal_close(struct agr_journal *j)
{
    if (!j->current)
        return;
    // In a forked child the segments are not mapped, and something else may be at their addresses.
    bool is_ours = is_alive(j) || !j->guard;
    if (is_ours) {
        munmap(j->current, AGR_SEGMENT_SIZE);
        while (j->next_n)
            munmap(j->next[--j->next_n], AGR_SEGMENT_SIZE);
        while (j->retired_n)
            munmap(j->retired[--j->retired_n], AGR_SEGMENT_SIZE);
    }
    if (j->guard)
        munmap(j->guard, 4096);
    if (j->status)
        munmap((void *)(uintptr_t)j->status, AGR_STATUS_SIZE);
    if (j->sock != -1)
        close(j->sock);
    if (j->dir_fd != -1)
        close(j->dir_fd);
    *j = (struct agr_journal){.sock = -1, .dir_fd = -1};
}

// --- names
// -------------------------------------------------------------------------------------------------------

static void
store_be(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void
agr_decision_id(uint64_t boot, uint32_t journal, uint64_t wseq, char ret[AGR_DECISION_ID_SIZE])
{
    uint8_t raw[15];
    store_be(raw, boot, 5);
    store_be(raw + 5, journal, 3);
    store_be(raw + 8, wseq, 7);
    struct ag_buf b;
    ag_buf_init(&b, ret, AGR_DECISION_ID_SIZE);
    ag_buf_base32(&b, raw, sizeof(raw));
}

void
agr_journal_id(const struct agr_journal *j, uint64_t wseq, char ret[AGR_DECISION_ID_SIZE])
{
    agr_decision_id(j->boot, j->journal, wseq, ret);
}

void
agr_journal_boot_text(uint64_t boot, char ret[AGR_BOOT_TEXT_SIZE])
{
    uint8_t raw[5];
    store_be(raw, boot, 5);
    struct ag_buf b;
    ag_buf_init(&b, ret, AGR_BOOT_TEXT_SIZE);
    ag_buf_base32(&b, raw, sizeof(raw));
}

// Eight characters are one 40-bit group; the id is three of them: boot, journal and top of wseq, rest of
// wseq.
bool
agr_decision_id_parse(struct ag_str id, uint64_t *ret_boot, uint32_t *ret_journal, uint64_t *ret_wseq)
{
    uint64_t group[3] = {0, 0, 0};
    if (id.n != AGR_DECISION_ID_SIZE)
        return false;
    for (size_t i = 0; i < AGR_DECISION_ID_SIZE; i++) {
        char c = id.p[i];
        unsigned v;
        if (c >= 'a' && c <= 'z')
            v = (unsigned)(c - 'a');
        else if (c >= '2' && c <= '7')
            v = (unsigned)(c - '2') + 26;
        else
            return false;
        group[i / 8] = group[i / 8] << 5 | v;
    }
    *ret_boot = group[0];
    *ret_journal = (uint32_t)(group[1] >> 16);
    *ret_wseq = (group[1] & 0xffff) << 40 | group[2];
    return true;
}

const char *
agr_row_type_text(unsigned type)
{
    static const char *const text[AGR_ROW_TYPES] = {
        NULL,           "decision", "outcome", "refused",    "kill", "policy",
        "worker_crash", "end",      "gap",     "unrecorded", "note",
    };
    return type < AGR_ROW_TYPES ? text[type] : NULL;
}
