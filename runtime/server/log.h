// SPDX-License-Identifier: Apache-2.0
// What the server tells its operator on standard error, by severity (A66, B34). Every process inherits the
// level of the parent. Nothing of a request is ever printed, and no secret. Thread rule: set once before
// forking. Next file to read: log.c.
#ifndef AGR_LOG_H
#define AGR_LOG_H

#include <stdbool.h>

enum agr_log_level {
    AGR_LOG_DEBUG,   // processes that start, policies that are taken
    AGR_LOG_INFO,    // what serves where, what changed
    AGR_LOG_WARNING, // something failed and the server went on
    AGR_LOG_ERROR    // something does not work any more
};

// "debug", "INFO", ...: case does not matter. False: none of the four.
bool agr_log_parse(const char *text, enum agr_log_level *ret);
// Lines below `level` are left out from now on; AGR_LOG_INFO before.
void agr_log_set(enum agr_log_level level);
bool agr_log_is(enum agr_log_level level);
// One line: "aegis: " and the text.
__attribute__((format(printf, 2, 3))) void agr_log(enum agr_log_level level, const char *fmt, ...);

#endif
