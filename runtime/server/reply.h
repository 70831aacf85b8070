// SPDX-License-Identifier: Apache-2.0
// Step 16: answers in bytes: status line, headers, body, put into the connection's buffer and sent with one
// write. In: status and body. Out: c->out. Thread rule: that of the connection. Next file to read: conn.c.
#ifndef AGR_REPLY_H
#define AGR_REPLY_H

#include "conn.h"

#define AGR_JSON "application/json"
#define AGR_TEXT "text/plain; charset=utf-8"

// One answer is begun, its headers added, and its body given; then it is complete. Memory shortage leaves
// c->out_n at 0, which closes the connection.
void agr_reply_begin(struct agr_conn *c, int status, const char *type);
void agr_reply_header(struct agr_conn *c, const char *name,
                      struct ag_str value); // a value with control bytes is left out
void agr_reply_body(struct agr_conn *c, struct ag_str body);

void agr_reply_json(struct agr_conn *c, int status, struct ag_str body);
// {"error":{"code":…,"message":…}}
void agr_reply_error(struct agr_conn *c, int status, const char *code, const char *message);
// 405 with the methods of the path in Allow.
void agr_reply_not_allowed(struct agr_conn *c, unsigned methods);
const char *agr_status_text(int status);

#endif
