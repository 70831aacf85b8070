// SPDX-License-Identifier: Apache-2.0
// Pieces of the data plane that data.c (native endpoints) and compat.c (those of the systems we follow)
// share. Thread rule: one worker. Next file to read: data.c.
#ifndef AGR_DATA_H
#define AGR_DATA_H

#include "server.h"

#define AGR_BATCH_MAX 256u
#define AGR_REFUSED_MAX                                                                                      \
    100u // `refused` rows that one worker writes in a second; the rest are counted in the next

// Decides one JSON text and counts it. Not AEGIS_OK: no decision; answer with agr_data_refuse.
enum aegis_status agr_data_decide(struct agr_conn *c, const char *entry, struct ag_str json,
                                  struct aegis_decision *d, struct aegis_error *e);
void agr_data_refuse(struct agr_conn *c, enum aegis_status s, const struct aegis_error *e);
// Answers 401 and journals a `refused` row.
void agr_data_unauthorized(struct agr_conn *c, const struct agr_request *r);
// Journals a `refused` row: at most AGR_REFUSED_MAX in a second, how many were left out stands in the next
// one.
void agr_data_refused_row(struct agr_conn *c, int status, const char *reason);
// The record of the last decision; valid until the next.
struct ag_str agr_data_record(struct agr_worker_process *w, const struct aegis_decision *d);
// Parks the finished answer when the policy's audit level wants its row synced first.
void agr_data_park(struct agr_conn *c, const struct aegis_decision *d, bool is_record_last);
void agr_data_park_identity(struct agr_conn *c, const struct aegis_decision *d);
agr_handler agr_data_v1_decide, agr_data_v1_check, agr_data_livez, agr_data_readyz, agr_data_health;
// data_api.c
agr_handler agr_data_api, agr_data_api_main;
// compat.c
agr_handler agr_compat_evaluate, agr_compat_execute, agr_compat_governance, agr_compat_risk_check;

#endif
