// SPDX-License-Identifier: Apache-2.0
// Drives the audit log from scripts and kill tests.
// logtool write LOG ROWS [row]   rows through a journal and a sequencer in this process; prints the verifier
// key logtool serve LOG              a sequencer until SIGTERM logtool feed LOG [durable]     a writer that
// appends for ever and prints each acknowledged wseq's decision id logtool verify LOG [VKEY]      prints the
// report, exit code 1 when refused
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"

static void
say(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%s\n", line);
}

static int
run(struct agr_sequencer_options *o)
{
    struct agr_audit_error err;
    enum agr_audit_result r = agr_sequencer_run(o, &err);
    if (r != AGR_AUDIT_OK)
        fprintf(stderr, "sequencer: %s\n", err.text);
    return r == AGR_AUDIT_OK ? 0 : 1;
}

static int
fill(struct agr_record *rec, char *body, size_t size, unsigned long i)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int n = snprintf(body, size, "{\"tenant\":\"acme\",\"agent\":\"bot-%lu\",\"decision\":\"%s\",\"n\":%lu}",
                     i % 17, i % 3 ? "allow" : "deny", i);
    *rec = (struct agr_record){.type = AGR_ROW_DECISION,
                               .time_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec,
                               .body = ag_str_of(body, (size_t)n),
                               .action = AG_STR("{\"agent\":\"bot\",\"tenant\":\"acme\",\"type\":\"x\"}")};
    if (i % 5 == 0)
        rec->payload = AG_STR("{\"input\":[1,2,3]}");
    return n;
}

static int
write_log(const char *dir, unsigned long rows, bool is_signed)
{
    struct agr_sequencer_options o = {
        .log_dir = dir, .origin = "test.example/log", .is_once = true, .sign_rows = is_signed, .reserve = 1};
    struct agr_journal j;
    struct agr_journal_pos pos;
    struct agr_record rec;
    char body[256];
    if (agr_journal_open_dir(&j, dir, 1, 0) != AGR_JOURNAL_OK) {
        fprintf(stderr, "journal: %s\n", strerror(errno));
        return 1;
    }
    for (unsigned long i = 0; i < rows; i++) {
        fill(&rec, body, sizeof(body), i);
        if (agr_journal_append(&j, &rec, &pos) != AGR_JOURNAL_OK)
            return 1;
        if (agr_journal_wants_refill(&j))
            agr_journal_refill(&j);
        // Several rounds, so that the log has several batches and daily entries.
        if (i % (rows / 4 + 1) == rows / 5 && run(&o) != 0)
            return 1;
    }
    agr_journal_close(&j);
    return run(&o);
}

static int
serve(const char *dir)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct agr_sequencer_options o = {.log_dir = dir,
                                      .origin = "test.example/log",
                                      .has_stop_fd = true,
                                      .stop_fd = signalfd(-1, &set, SFD_CLOEXEC),
                                      .reserve = 1,
                                      .sync_interval_ms = 5,
                                      .checkpoint_interval_ms = 20,
                                      .say = say};
    return run(&o);
}

// Prints an id only after the append (journaled) or after the sync (durable): what the id says must then
// hold.
static int
feed(const char *dir, bool is_durable)
{
    struct agr_journal j;
    struct agr_journal_pos pos;
    struct agr_record rec;
    char body[256], line[AGR_DECISION_ID_SIZE + 1];
    while (agr_journal_open_dir(&j, dir, 1, 0) != AGR_JOURNAL_OK)
        usleep(1000);
    for (unsigned long i = 0;; i++) {
        fill(&rec, body, sizeof(body), i);
        rec.flags = is_durable ? AGR_RECORD_DURABLE : 0;
        if (agr_journal_append(&j, &rec, &pos) == AGR_JOURNAL_OK) {
            uint64_t gseq;
            if (is_durable)
                agr_journal_wake(&j, pos);
            for (int k = 0; is_durable && !agr_journal_is_synced(&j, pos, &gseq); k++) {
                if (k == 2000)
                    return 0; // its sequencer was killed: not acknowledged
                usleep(500);
            }
            agr_journal_id(&j, pos.wseq, line);
            line[AGR_DECISION_ID_SIZE] = '\n';
            if (write(1, line, sizeof(line)) != (ssize_t)sizeof(line))
                return 0;
        }
        if (agr_journal_wants_refill(&j) || agr_journal_fd(&j) != -1)
            agr_journal_refill(&j);
        usleep(20);
    }
}

static int
verify(const char *dir, const char *vkey)
{
    struct agr_verify_report r;
    struct agr_verify_options o = {.vkey = vkey};
    enum agr_audit_result res = agr_audit_verify(dir, &o, &r);
    if (res == AGR_AUDIT_OK)
        printf("ok %llu rows, %u days, %u journals, %llu payloads\n", (unsigned long long)r.rows, r.days,
               r.journals, (unsigned long long)r.payloads);
    else if (r.has_bad_row)
        printf("refused: row %llu (%s): %s\n", (unsigned long long)r.bad_gseq, r.file, r.text);
    else
        printf("refused: %s: %s\n", r.file, r.text);
    return res == AGR_AUDIT_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "write") == 0)
        return write_log(argv[2], strtoul(argv[3], NULL, 10), argc > 4);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc >= 3 && strcmp(argv[1], "feed") == 0)
        return feed(argv[2], argc > 3);
    if (argc >= 3 && strcmp(argv[1], "verify") == 0)
        return verify(argv[2], argc > 3 ? argv[3] : NULL);
    fprintf(stderr,
            "usage: logtool write LOG ROWS [row] | serve LOG | feed LOG [durable] | verify LOG [VKEY]\n");
    return 2;
}
