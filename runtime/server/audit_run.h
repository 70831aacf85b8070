// SPDX-License-Identifier: Apache-2.0
// The sequencer process of `aegis serve`: the one place where the server meets runtime/audit.
// Thread rule: called once in its own process. Next file to read: runtime/audit/sequencer.c.
#ifndef AGR_AUDIT_RUN_H
#define AGR_AUDIT_RUN_H

#include "server.h"

// Runs until stop_fd is readable; returns the exit code.
int agr_audit_run(const struct agr_server_config *c, int listen_fd, int stop_fd);

#endif
