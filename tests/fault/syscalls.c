// SPDX-License-Identifier: Apache-2.0
// The decision path makes no system call: a child decides under a filter of the kernel that kills it at any
// call but write and exit. Simulated host, and a host with state and journal in a directory; the rows are
// counted afterwards. In: an image of every.yaml. Out: TAP. Next file to read: embed.h.
#include "audit.h"
#include "embed.h"
#include "t.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DECISIONS 10000u

static char root[64], dir[80];

// `clock_too`: on a machine whose kernel cannot give the time without a call, that one is let through.
static bool
lock_down(bool clock_too)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, clock_too ? SYS_clock_gettime : SYS_write, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct plan {
    const char *image, *dir; // dir NULL: a simulated host
};

struct result {
    unsigned decided, wrong, outcomes;
};

// Runs `work` in a child under the filter; the signal that ended it, or 0.
static int
in_jail(void (*work)(struct embed *e, struct result *r), const struct plan *plan, bool clock_too,
        struct result *ret)
{
    int fds[2], status;
    if (pipe(fds) != 0)
        exit(1);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        struct embed e = {0};
        struct aegis_decision d;
        // The first decision makes room for the policy's registers.
        if (plan &&
            (embed_open(&e, plan->image, plan->dir) != AEGIS_OK || !embed_decide(&e, &embed_inputs[0], &d)))
            _exit(3);
        if (!lock_down(clock_too))
            _exit(4);
        struct result r = {0};
        work(&e, &r);
        if (write(fds[1], &r, sizeof r) != sizeof r)
            _exit(5);
        syscall(SYS_exit_group, 0);
    }
    close(fds[1]);
    *ret = (struct result){0};
    if (read(fds[0], ret, sizeof *ret) != sizeof *ret)
        ret->wrong++;
    close(fds[0]);
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void
ask(struct embed *e, struct result *r)
{
    (void)e;
    (void)r;
    syscall(SYS_getpid);
}

static void
look_at_clock(struct embed *e, struct result *r)
{
    struct timespec t;
    (void)e;
    (void)r;
    clock_gettime(CLOCK_REALTIME, &t);
    clock_gettime(CLOCK_BOOTTIME, &t);
}

static void
decide_all(struct embed *e, struct result *r)
{
    struct aegis_decision d;
    for (unsigned i = 0; i < DECISIONS; i++) {
        const struct embed_input *in = &embed_inputs[i % EMBED_INPUTS];
        r->wrong += !embed_decide(e, in, &d);
        if (in->status != AEGIS_OK)
            continue;
        r->decided++;
        r->wrong += d.outcome == AEGIS_UNAVAILABLE;
        r->outcomes |= 1u << d.outcome;
    }
    aegis_ctx_release(e->ctx);
}

static bool
count_row(void *ctx, const struct agr_audit_item *item)
{
    unsigned *n = ctx;
    *n += item->is_parsed && item->row.type == AGR_ROW_DECISION;
    return true;
}

static void
check_log(unsigned want)
{
    struct agr_sequencer_options o = {.log_dir = dir, .is_once = true, .reserve = 1};
    struct agr_audit_error err = {{0}};
    struct agr_verify_report report;
    uint64_t checkpoint = 0, all = 0;
    unsigned n = 0;
    OK(agr_sequencer_run(&o, &err) == AGR_AUDIT_OK, "the sequencer takes up the rows %s", err.text);
    OK(agr_audit_verify(dir, NULL, &report) == AGR_AUDIT_OK, "the log verifies %s", report.text);
    agr_audit_size(dir, &checkpoint, &all);
    agr_audit_iterate(dir, 0, all, count_row, &n, &err);
    OK(n == want, "every decision is a row: %u of %u", n, want);
}

int
main(int argc, char **argv)
{
    struct result r;
    if (argc != 2)
        return 2;
    snprintf(root, sizeof root, "%s/ags-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        return 1;
    snprintf(dir, sizeof dir, "%s/log", root);
    int end = in_jail(ask, NULL, false, &r);
    if (end == -4) {
        t_skip("the kernel has no filters of system calls");
        rmdir(root);
        return t_done();
    }
    OK(end == SIGSYS, "the filter kills a process that makes a system call");
    bool clock_too = in_jail(look_at_clock, NULL, false, &r) != 0;
    if (clock_too)
        printf("# this kernel needs a system call to tell the time: clock_gettime is let through\n");
    for (int with_dir = 0; with_dir < 2; with_dir++) {
        const char *name = with_dir ? "host with a journal" : "simulated host";
        const struct plan plan = {argv[1], with_dir ? dir : NULL};
        end = in_jail(decide_all, &plan, clock_too, &r);
        OK(end == 0, "%s: %u decisions make no system call (ended with %d)", name, r.decided, end);
        OK(r.wrong == 0 && __builtin_popcount(r.outcomes) >= 4,
           "%s: all are decided as they should (%u not; outcomes %x)", name, r.wrong, r.outcomes);
    }
    check_log(r.decided + 1);
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    OK(system(command) == 0, "cleans up");
    return t_done();
}
