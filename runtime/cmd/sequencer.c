// SPDX-License-Identifier: Apache-2.0
// aegis sequencer: the process that orders, signs and publishes what embedders' journals hold, outside of
// `aegis serve`. SIGTERM and SIGINT drain, sign and end it. In: a log directory. Out: the log. Next file to
// read: runtime/audit/sequencer.c.
#include "cmd.h"

#include "audit.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void
say(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "aegis sequencer: %s\n", line);
}

int
cmd_sequencer(int argc, char **argv)
{
    struct agr_sequencer_options o = {.say = say, .has_stop_fd = true};
    int is_once = 0, is_signed = 0, code;
    long sync = AGR_SYNC_INTERVAL_MS;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {
        {"dir", 0, AGR_OPT_STR, &o.log_dir, "DIR", "the log; made when missing"},
        {"key", 0, AGR_OPT_STR, &o.key_file, "FILE",
         "checkpoint key (default: DIR/../keys/checkpoint.key, made when missing)"},
        {"row-key", 0, AGR_OPT_STR, &o.row_key_file, "FILE", "row key"},
        {"old-key", 0, AGR_OPT_STR, &o.old_key_file, "FILE", "after a rotation: sign with this key too"},
        {"origin", 0, AGR_OPT_STR, &o.origin, "NAME", "name of a new log"},
        {"remember", 0, AGR_OPT_STR, &o.remember_file, "FILE",
         "outside the log: the last checkpoint, never gone behind"},
        {"sign-rows", 0, AGR_OPT_FLAG, &is_signed, NULL, "sign each row"},
        {"sync-ms", 0, AGR_OPT_INT, &sync, "N", "milliseconds between syncs, 1 to 10000 (default 50)"},
        {"once", 0, AGR_OPT_FLAG, &is_once, NULL, "take what is there, sign, end"},
        {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n || !o.log_dir)
        return agr_die(AGR_EXIT_HELD, "sequencer: give --dir DIR and no argument");
    if (sync < 1 || sync > 10000)
        return agr_die(AGR_EXIT_HELD, "sequencer: --sync-ms is 1 to 10000");
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &stop, NULL) == -1 ||
        (o.stop_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK)) == -1)
        return agr_die(AGR_EXIT_UNAVAILABLE, "sequencer: signalfd: %s", strerror(errno));
    o.is_once = is_once != 0;
    o.sign_rows = is_signed != 0;
    o.sync_interval_ms = (uint32_t)sync;
    struct agr_audit_error e = {.text = ""};
    enum agr_audit_result r = agr_sequencer_run(&o, &e);
    close(o.stop_fd);
    if (r == AGR_AUDIT_OK)
        return AGR_EXIT_OK;
    return agr_die(r == AGR_AUDIT_REFUSED ? AGR_EXIT_DENIED : AGR_EXIT_UNAVAILABLE, "sequencer: %s: %s",
                   o.log_dir, e.text);
}
