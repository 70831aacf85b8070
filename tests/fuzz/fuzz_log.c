// SPDX-License-Identifier: Apache-2.0
// Fuzz entry of the audit log's readers. In: a kind byte, then the bytes of a WAL file, note, row, body,
// bundle, payload file, receipt or journal segment. What must hold: nothing reads outside its input, and what
// is accepted is within the format's limits. Built for libFuzzer, and as a plain test by replay.c.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audit.h"
#include "payload.h"
#include "tiles.h"
#include "wal_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool is_true)
{
    if (!is_true)
        abort();
}

static bool
on_row(void *ctx, uint64_t gseq, struct ag_str entry)
{
    uint64_t *sum = ctx;
    *sum += gseq;
    for (size_t i = 0; i < entry.n; i++)
        *sum += (unsigned char)entry.p[i];
    return true;
}

static bool
on_payload(void *ctx, uint64_t gseq, const uint8_t salt[AGR_SALT_SIZE], struct ag_str bytes)
{
    uint64_t *sum = ctx;
    *sum += salt[AGR_SALT_SIZE - 1];
    return on_row(ctx, gseq, bytes);
}

static void
try_wal(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    struct wal_scan s;
    struct agr_wal_visitor v = {.row = on_row, .payload = on_payload, .ctx = &sum};
    bool is_whole = wal_scan_file(&s, 0, p, n, &v);
    must(s.good_end <= n && (!is_whole || s.good_end == n));
    wal_has_later_batches(p, n, s.good_end, s.seq);
}

static void
try_note(struct ag_str s)
{
    struct agr_note_key key;
    struct ag_str text;
    struct agr_checkpoint c;
    must(agr_note_first(s) <= s.n);
    if (agr_keys_note_find(s, false, &key))
        must(agr_note_open(s, &key, 1, &text) == AGR_NOTE_OK && text.n < s.n);
    agr_vkey_parse(s, &key);
    agr_checkpoint_parse(s, &c);
}

static void
try_row(struct ag_str s)
{
    struct agr_row r;
    bool is_signed;
    struct ag_str line = agr_entry_line(s, &is_signed);
    if (agr_row_parse(line, &r)) {
        must(line.n <= AGR_ROW_MAX && r.body.n <= line.n);
        uint64_t boot, wseq;
        uint32_t journal;
        agr_row_of(&r, &boot, &journal, &wseq);
    }
}

static void
try_body(struct ag_str s)
{
    char mem[AGR_ROW_MAX];
    struct agr_row r = {.wseq = 1, .type = AGR_ROW_DECISION, .body = s}, back;
    struct ag_buf b;
    if (!agr_body_valid(s))
        return;
    // Whatever body is taken gives a row that a reader takes.
    ag_buf_init(&b, mem, sizeof(mem));
    agr_row_compose(&r, &b);
    must(!b.is_full && agr_row_parse(ag_str_of(mem, b.n), &back) && back.wseq == 1);
}

static void
try_files(const uint8_t *p, size_t n)
{
    struct ag_str e;
    struct agr_payload_record r;
    for (unsigned i = 0; i < AGR_TILE_WIDTH && agr_bundle_entry(p, n, i, &e); i++)
        must((const uint8_t *)e.p + e.n <= p + n);
    for (size_t at = 0; agr_payload_next(p + at, n - at, &r); at += r.total)
        must(at + r.total <= n);
}

static void
try_receipt(struct ag_str s)
{
    struct agr_note_key key = {.name = "a"};
    struct agr_checkpoint c;
    struct agr_audit_error err;
    must(!agr_receipt_check(s, AG_STR("x"), &key, &c, &err));
}

static void
try_segment(const uint8_t *p, size_t n)
{
    static int fd = -1;
    struct agr_journal_reader r;
    struct agr_journal_item it;
    if (fd == -1)
        fd = memfd_create("segment", MFD_CLOEXEC);
    if (fd == -1 || ftruncate(fd, 0) != 0 || ftruncate(fd, AGR_SEGMENT_SIZE) != 0 ||
        pwrite(fd, p, n, AGR_SEGMENT_HEADER) != (ssize_t)n)
        return;
    agr_reader_init(&r, fd, 1);
    uint64_t sum = 0;
    while (agr_journal_read(&r, &it) == AGR_READ_ITEM) {
        must(it.body.n <= AGR_BODY_MAX && it.action.n <= AGR_ACTION_MAX && it.payload.n <= AGR_PAYLOAD_MAX);
        on_row(&sum, it.wseq, it.body);
        on_row(&sum, it.wseq, it.payload);
    }
    agr_reader_fini(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    const uint8_t *p = data + 1;
    struct ag_str s = ag_str_of((const char *)p, n - 1);
    switch (data[0]) {
    case 'w': try_wal(p, n - 1); break;
    case 'n': try_note(s); break;
    case 'r': try_row(s); break;
    case 'b': try_body(s); break;
    case 'f': try_files(p, n - 1); break;
    case 'p': try_receipt(s); break;
    case 's': try_segment(p, n - 1); break;
    default: break;
    }
    return 0;
}
