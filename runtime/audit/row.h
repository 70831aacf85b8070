// SPDX-License-Identifier: Apache-2.0
// A row of the log: composing its line from a record, checking a committer's body, reading a line's head
// back. In: record fields, or a stored line. Out: the bytes that are hashed, or the fields of the head. Lines
// are joined and split as bytes, never serialised from values. Bytes: docs/formats/audit.md. Thread rule:
// pure. Next: sequencer.c, verify.c.
#ifndef AGR_ROW_H
#define AGR_ROW_H

#include "buf.h"
#include "journal.h"
#include "tree.h"

#define AGR_BODY_DEPTH_MAX 64u // nesting of a body

struct agr_row {
    uint64_t gseq;
    struct agr_hash prev;
    uint64_t boot;
    uint32_t worker, journal;
    uint64_t wseq;
    int64_t time_ns;
    enum agr_row_type type;
    bool has_action, has_payload;
    struct agr_hash action, payload; // digests
    struct ag_str body; // composing: "{…}"; parsing: what follows the head, with its leading comma, or "}"
};

// Appends the line, without a newline. The body must have passed agr_body_valid.
void agr_row_compose(const struct agr_row *r, struct ag_buf *out);

// One JSON object of one line, valid UTF-8, at most AGR_BODY_MAX bytes, no top-level key of the head.
bool agr_body_valid(struct ag_str body);

// Reads a line that agr_row_compose could have made; everything else is refused. Borrows.
bool agr_row_parse(struct ag_str line, struct agr_row *ret);

// Of a parsed `end`, `gap` or `unrecorded` row: the journal it speaks of and its wseq. False for other
// bodies.
bool agr_row_of(const struct agr_row *r, uint64_t *ret_boot, uint32_t *ret_journal, uint64_t *ret_wseq);

// The line of an entry: the entry itself, or the text of its signed note without the newline. *ret_is_signed
// tells.
struct ag_str agr_entry_line(struct ag_str entry, bool *ret_is_signed);

// "2026-11-20T23:10:00.123456789Z" to UNIX nanoseconds; false for any other spelling.
bool agr_time_parse(struct ag_str text, int64_t *ret);

#endif
