// SPDX-License-Identifier: Apache-2.0
// Lines on standard error by severity; contract: log.h. In: a level and text. Out: one write per line, so
// that lines of several processes do not mix. Owns the level of this process. Next file to read: parent.c.
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static enum agr_log_level least = AGR_LOG_INFO;

bool
agr_log_parse(const char *text, enum agr_log_level *ret)
{
    static const char *const name[] = {"debug", "info", "warning", "error"};
    for (unsigned i = 0; i < sizeof name / sizeof *name; i++)
        if (strcasecmp(text, name[i]) == 0) {
            *ret = (enum agr_log_level)i;
            return true;
        }
    return false;
}

void
agr_log_set(enum agr_log_level level)
{
    least = level;
}

bool
agr_log_is(enum agr_log_level level)
{
    return level >= least;
}

void
agr_log(enum agr_log_level level, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL, *line = NULL;
    if (!agr_log_is(level))
        return;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n >= 0) {
        n = asprintf(&line, "aegis: %s\n", text);
        if (n > 0)
            fwrite(line, 1, (size_t)n, stderr); // unbuffered: one write
        free(text);
    }
    free(n > 0 ? line : NULL);
}
