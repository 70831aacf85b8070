// SPDX-License-Identifier: Apache-2.0
// Step 17, inputs kept for replay. Contract: payload.h; bytes: docs/formats/audit.md.
// In: payloads of synced rows. Out: LOG/payload/<N>. Owns: the descriptor of the open bundle, records that
// wait for the batch's one write to it. Next: runtime/audit/read.c.
#include "payload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tiles.h"
#include "wal_frame.h"

#define BUF_KEEP (1u << 20) // records are written when more wait; a longer record goes with them

void
agr_payloads_open(struct agr_payloads *p, int log_fd)
{
    *p = (struct agr_payloads){.log_fd = log_fd, .fd = -1};
}

void
agr_payloads_close(struct agr_payloads *p)
{
    if (p->fd != -1)
        close(p->fd);
    free(p->buf);
    p->fd = -1;
    p->buf = NULL;
    p->n = p->size = 0;
}

bool
agr_payloads_flush(struct agr_payloads *p)
{
    for (size_t done = 0; done < p->n;) {
        ssize_t k = write(p->fd, p->buf + done, p->n - done);
        if (k == -1 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        done += (size_t)k;
    }
    p->n = 0;
    if (p->size > 2 * BUF_KEEP) {
        free(p->buf);
        p->buf = NULL;
        p->size = 0;
    }
    return true;
}

static uint8_t *
room(struct agr_payloads *p, size_t n)
{
    if (p->n + n > p->size) {
        size_t size = p->size ? p->size : 1u << 16;
        while (size < p->n + n)
            size *= 2;
        uint8_t *buf = realloc(p->buf, size);
        if (!buf)
            return NULL;
        p->buf = buf;
        p->size = size;
    }
    return p->buf + p->n;
}

bool
agr_payload_next(const uint8_t *p, size_t n, struct agr_payload_record *ret)
{
    if (n < AGR_PAYLOAD_HEAD)
        return false;
    uint64_t bytes = wal_load(p + 8, 4), state = wal_load(p + 12, 4);
    if (bytes > AGR_PAYLOAD_MAX || bytes > n - AGR_PAYLOAD_HEAD || (state != 1 && state != 2))
        return false;
    *ret = (struct agr_payload_record){.gseq = wal_load(p, 8),
                                       .is_erased = state == 2,
                                       .salt = p + 16,
                                       .bytes = ag_str_of((const char *)p + AGR_PAYLOAD_HEAD, (size_t)bytes),
                                       .total = AGR_PAYLOAD_HEAD + (size_t)bytes};
    return true;
}

// Finds what the open bundle holds already and cuts a torn end.
static bool
find_end(struct agr_payloads *p, const char *path)
{
    size_t n = 0, good = 0;
    struct agr_payload_record r;
    uint8_t *have = agr_file_read(p->log_fd, path, AGR_PAYLOAD_FILE_MAX, &n);
    if (!have)
        return false;
    while (agr_payload_next(have + good, n - good, &r)) {
        p->next_gseq = r.gseq + 1;
        good += r.total;
    }
    free(have);
    return good == n || ftruncate(p->fd, (off_t)good) == 0;
}

static bool
open_bundle(struct agr_payloads *p, uint64_t bundle)
{
    char path[AGR_TILE_PATH];
    struct stat st;
    if (!agr_payloads_flush(p))
        return false;
    if (p->fd != -1)
        close(p->fd);
    agr_tile_path(AGR_TILE_PAYLOAD, bundle, AGR_TILE_WIDTH, path);
    p->next_gseq = 0;
    p->bundle = bundle;
    p->fd = openat(p->log_fd, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (p->fd == -1 && errno == ENOENT &&
        agr_file_replace(p->log_fd, path, "", 0, false)) // makes its folders
        p->fd = openat(p->log_fd, path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (p->fd == -1 || fstat(p->fd, &st) != 0)
        return false;
    if ((st.st_mode & 0777) != 0600 && fchmod(p->fd, 0600) != 0)
        return false;
    return st.st_size == 0 || find_end(p, path);
}

bool
agr_payloads_add(struct agr_payloads *p, uint64_t gseq, const uint8_t salt[AGR_SALT_SIZE],
                 struct ag_str bytes)
{
    uint64_t bundle = gseq / AGR_TILE_WIDTH;
    if ((p->fd == -1 || p->bundle != bundle) && !open_bundle(p, bundle))
        return false;
    if (gseq < p->next_gseq)
        return true;
    uint8_t *head = room(p, AGR_PAYLOAD_HEAD + bytes.n);
    if (!head)
        return false;
    wal_store(head, gseq, 8);
    wal_store(head + 8, bytes.n, 4);
    wal_store(head + 12, 1, 4);
    memcpy(head + 16, salt, AGR_SALT_SIZE);
    if (bytes.n)
        memcpy(head + AGR_PAYLOAD_HEAD, bytes.p, bytes.n);
    p->n += AGR_PAYLOAD_HEAD + bytes.n;
    p->next_gseq = gseq + 1;
    return p->n < BUF_KEEP || agr_payloads_flush(p);
}

bool
agr_payload_erase(int log_fd, uint64_t gseq)
{
    char path[AGR_TILE_PATH];
    size_t n;
    struct agr_payload_record r;
    agr_tile_path(AGR_TILE_PAYLOAD, gseq / AGR_TILE_WIDTH, AGR_TILE_WIDTH, path);
    uint8_t *p = agr_file_read(log_fd, path, AGR_PAYLOAD_FILE_MAX, &n);
    if (!p)
        return errno == ENOENT;
    bool ok = true;
    for (size_t at = 0; ok && agr_payload_next(p + at, n - at, &r); at += r.total) {
        if (r.gseq != gseq)
            continue;
        memset(p + at + 16, 0, r.total - 16);
        wal_store(p + at + 12, 2, 4);
        ok = agr_file_replace(log_fd, path, p, n, true);
    }
    free(p);
    return ok;
}
