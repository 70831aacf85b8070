// SPDX-License-Identifier: Apache-2.0
// The sequencer's process and the reading side of the log, as the server needs them.
// In: configuration, the parent's listening socket and stop descriptor. Out: the log; rows for queries.
// Memory: none kept. Next file to read: runtime/audit/sequencer.c.
#include "audit_run.h"

#include "audit.h"
#include "crypto.h"
#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
say(void *arg, const char *line)
{
    (void)arg;
    agr_log(AGR_LOG_WARNING, "sequencer: %s", line);
}

int
agr_audit_run(const struct agr_server_config *c, int listen_fd, int stop_fd)
{
    char remember[4096];
    struct agr_audit_error e = {.text = ""};
    snprintf(remember, sizeof remember, "%s/checkpoint.seen", c->state_dir);
    struct agr_sequencer_options o = {.log_dir = c->audit_dir,
                                      .keys_dir = c->keys_dir,
                                      .remember_file = remember,
                                      .has_listen_fd = true,
                                      .listen_fd = listen_fd,
                                      .has_stop_fd = true,
                                      .stop_fd = stop_fd,
                                      .sync_interval_ms = (uint32_t)c->sync_interval_ms,
                                      .backlog_max = c->backlog_max,
                                      .reserve = c->reserve,
                                      .say = say};
    if (!ag_crypto_init()) {
        agr_log(AGR_LOG_ERROR, "sequencer: libsodium cannot start");
        return 1;
    }
    enum agr_audit_result r = agr_sequencer_run(&o, &e);
    if (r == AGR_AUDIT_OK)
        return 0;
    agr_log(AGR_LOG_ERROR, "sequencer: %s", e.text);
    // A log that is refused stays refused: starting again would only say the same.
    return r == AGR_AUDIT_REFUSED ? AGR_EXIT_LOG_REFUSED : 1;
}

struct walk {
    agr_audit_row_fn *fn;
    void *arg;
};

static bool
on_row(void *ctx, const struct agr_audit_item *item)
{
    const struct walk *w = ctx;
    return w->fn(w->arg, item->gseq, item->line);
}

bool
agr_audit_rows(const char *dir, uint64_t from, uint64_t to, agr_audit_row_fn *fn, void *arg, char *why,
               size_t why_size)
{
    struct agr_audit_error e = {.text = ""};
    struct walk w = {fn, arg};
    if (agr_audit_iterate(dir, from, to, on_row, &w, &e) == AGR_AUDIT_OK)
        return true;
    snprintf(why, why_size, "%s", e.text);
    return false;
}

uint64_t
agr_audit_rows_count(const char *dir)
{
    uint64_t checkpoint = 0, all = 0;
    return agr_audit_size(dir, &checkpoint, &all) == AGR_AUDIT_OK ? all : 0;
}

struct agr_audit_page
agr_audit_page_read(const char *dir)
{
    struct agr_audit_status st;
    struct agr_audit_page page = {.flags = 0};
    char path[4096];
    snprintf(path, sizeof path, "%s/journal/status", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return page;
    if (pread(fd, &st, sizeof st, 0) == (ssize_t)sizeof st)
        page = (struct agr_audit_page){.flags = st.flags,
                                       .backlog = st.backlog,
                                       .backlog_max = st.backlog_max,
                                       .space_free = st.space_free,
                                       .rows = st.next_gseq,
                                       .lag_ns = st.lag_ns};
    close(fd);
    return page;
}

bool
agr_audit_vkey(const char *dir, char ret[AGR_VKEY_TEXT_SIZE])
{
    char path[4096], text[16384];
    struct agr_note_key key;
    struct ag_buf b;
    snprintf(path, sizeof path, "%s/keys.note", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    if (n <= 0 || !ag_crypto_init() || !agr_keys_note_find(ag_str_of(text, (size_t)n), false, &key))
        return false;
    ag_buf_init(&b, ret, AGR_VKEY_TEXT_SIZE - 1);
    agr_vkey_format(&key, &b);
    ret[b.n] = 0;
    return !b.is_full;
}
