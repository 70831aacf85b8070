// SPDX-License-Identifier: Apache-2.0
// Rows of an audit log as the commands show them: which ones (B30's filters) and how (table, JSON, JSON
// lines). In: a log directory. Out: text. Thread rule: one thread. Next file to read: rows.c, audit.c.
#ifndef AGR_ROWS_H
#define AGR_ROWS_H

#include "cmd.h"

#include "audit.h"

enum agr_rows_format { AGR_ROWS_TABLE, AGR_ROWS_JSON, AGR_ROWS_JSONL };

// NULL members let every row pass.
struct agr_rows_filter {
    const char *session, *action_type, *risk_level, *decision, *type, *tenant, *agent, *rule;
};

struct agr_rows {
    struct agr_rows_filter filter;
    enum agr_rows_format format;
    FILE *out;
    uint64_t limit; // rows at most; 0: all
    uint64_t n;     // rows written
};

// False with a message when `word` is none of table, json, jsonl; NULL is table.
bool agr_rows_format(const char *word, enum agr_rows_format *ret);
// A member of a row as text without its quotes; "action.type" goes one level down. Empty when absent. Borrows
// from line.
struct ag_str agr_row_member(struct ag_str line, const char *path);
bool agr_rows_pass(const struct agr_rows_filter *f, const struct agr_audit_item *item);
// Writes what stands before the first and behind the last row.
void agr_rows_begin(const struct agr_rows *r);
void agr_rows_end(const struct agr_rows *r);
// An agr_audit_fn whose ctx is a struct agr_rows.
bool agr_rows_write(void *ctx, const struct agr_audit_item *item);

// Counts per rule, decision and risk level of the decision rows, to standard output. Exit code.
int agr_rows_stats(const char *log_dir, bool is_json);

#endif
