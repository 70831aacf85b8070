// SPDX-License-Identifier: Apache-2.0
// The one place where the server meets runtime/audit: running the sequencer, and reading rows back for admin.
// Thread rule: one thread; agr_audit_run is called once in its own process. Next file to read:
// runtime/audit/sequencer.c.
#ifndef AGR_AUDIT_RUN_H
#define AGR_AUDIT_RUN_H

#include "server.h"

#define AGR_VKEY_TEXT_SIZE 320u

// Runs until stop_fd is readable; returns the exit code.
int agr_audit_run(const struct agr_server_config *c, int listen_fd, int stop_fd);

// A row as a query sees it: its line of JSON. Borrowed for the call; false ends the query.
typedef bool agr_audit_row_fn(void *arg, uint64_t gseq, struct ag_str line);
// Every row in [from, to), in order; rows that are only in the write-ahead log included. False with a
// message.
bool agr_audit_rows(const char *dir, uint64_t from, uint64_t to, agr_audit_row_fn *fn, void *arg, char *why,
                    size_t why_size);
// Rows in the log, not yet checkpointed ones included; 0 when it cannot be read.
uint64_t agr_audit_rows_count(const char *dir);
// What the sequencer last said about itself; zeroed when it never ran.
struct agr_audit_page {
    uint32_t flags;
    uint64_t backlog, backlog_max, space_free, rows, lag_ns;
};
struct agr_audit_page agr_audit_page_read(const char *dir);
// Verifier key of the log's checkpoints, NUL-terminated; false while the log has none.
bool agr_audit_vkey(const char *dir, char ret[AGR_VKEY_TEXT_SIZE]);

#endif
