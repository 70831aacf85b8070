// SPDX-License-Identifier: Apache-2.0
// Kill -9 of processes that embed libaegis (A35, B39): WRITERS processes decide on one host directory, in
// turns with their own segments and with a sequencer that is killed too. Afterwards every decision that was
// acknowledged is in the verified log, none twice, and the limit that all processes share never let more
// through than its burst. embedder IMAGE [KILLS]; AEGIS_SEED repeats a run as far as the scheduler lets it,
// AEGIS_LONG makes ten times as many kills. In: an image of embedder.yaml. Out: TAP. Memory: its own. Next
// file to read: runtime/host/journal.h.
#include "aegis.h"
#include "audit.h"

#include "../unit/t.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WRITERS 3
#define ID      AGR_DECISION_ID_SIZE
#define BURST   500u // of the limit in embedder.yaml

// What a writer says after an answer, in one write: a pipe takes it whole or not at all.
struct ack {
    char id[ID];
    char outcome;
    char is_counted; // of the type that the limit is about
};

struct writer {
    pid_t pid;
    int fd;
};

static const char *image;
static char root[64], log_dir[80];
static struct ack *acks;
static size_t nacks, acks_size;
static uint64_t state;
static unsigned unavailable, failed_starts;

static uint32_t
below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static void
say(int fd, const struct ack *a)
{
    if (write(fd, a, sizeof *a) != sizeof *a)
        _exit(1);
}

static _Noreturn void
decide_for_ever(int fd, unsigned seed)
{
    static const char *const json[] = {
        "{\"type\":\"pay\",\"target\":\"x\",\"agent\":\"a\",\"tenant\":\"t\",\"params\":{\"amount\":1}}",
        "{\"type\":\"read\",\"target\":\"y\",\"tenant\":\"t\"}", "{\"type\":\"drop\",\"tenant\":\"t\"}"};
    struct aegis_policy *p;
    struct aegis_slot *slot;
    struct aegis_host *host;
    struct aegis_ctx *ctx;
    struct aegis_error err = {.size = sizeof err};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (aegis_policy_open(image, NULL, &p, &err) != AEGIS_OK || aegis_slot_new(&slot) != AEGIS_OK ||
        aegis_host_open(log_dir, NULL, &host, &err) != AEGIS_OK ||
        aegis_ctx_new(NULL, host, &ctx) != AEGIS_OK) {
        fprintf(stderr, "# a writer does not start: %s\n", err.text);
        say(fd, &(struct ack){.outcome = -1});
        _exit(1);
    }
    aegis_slot_publish(slot, p);
    for (;;) {
        struct aegis_decision d = {.size = sizeof d};
        seed = seed * 1103515245u + 12345u;
        unsigned k = (seed >> 16) % 3;
        if (aegis_ctx_decide_json(ctx, slot, "decide", json[k], strlen(json[k]), &d, &err) != AEGIS_OK)
            _exit(2);
        struct ack a = {.outcome = (char)d.outcome, .is_counted = k == 0};
        if (d.id.n == ID)
            memcpy(a.id, d.id.p, ID);
        say(fd, &a);
        if (aegis_ctx_wants_refill(ctx))
            (void)aegis_ctx_refill(ctx);
        if (d.outcome == AEGIS_UNAVAILABLE)
            (void)poll(NULL, 0, 2);
    }
}

static struct writer
start_writer(void)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        exit(1);
    fflush(stdout);
    struct writer w = {.pid = fork(), .fd = fds[0]};
    if (w.pid == 0) {
        close(fds[0]);
        decide_for_ever(fds[1], (unsigned)state);
    }
    close(fds[1]);
    return w;
}

// A sequencer until it is killed, or one round.
static pid_t
start_sequencer(bool is_once)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct agr_sequencer_options o = {
            .log_dir = log_dir, .reserve = 1, .is_once = is_once, .sync_interval_ms = 5};
        struct agr_audit_error err;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        enum agr_audit_result r = agr_sequencer_run(&o, &err);
        if (r != AGR_AUDIT_OK)
            fprintf(stderr, "sequencer: %s\n", err.text);
        _exit(r == AGR_AUDIT_OK ? 0 : 1);
    }
    return pid;
}

static void
take(const struct ack *a)
{
    if (a->outcome == -1) {
        failed_starts++;
        return;
    }
    if (a->outcome == AEGIS_UNAVAILABLE) {
        unavailable++;
        return;
    }
    if (nacks == acks_size) {
        acks_size = acks_size ? acks_size * 2 : 8192;
        acks = realloc(acks, acks_size * sizeof *acks);
        if (!acks)
            exit(1);
    }
    acks[nacks++] = *a;
}

static bool
read_some(struct writer *w)
{
    struct ack a[64];
    ssize_t n = read(w->fd, a, sizeof a);
    for (ssize_t i = 0; i < n / (ssize_t)sizeof *a; i++)
        take(&a[i]);
    return n > 0;
}

static void
listen_for(struct writer *w, int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000, end = now + ms;
    for (; now < end; now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000) {
        struct pollfd p[WRITERS];
        for (int i = 0; i < WRITERS; i++)
            p[i] = (struct pollfd){w[i].fd, POLLIN, 0};
        if (poll(p, WRITERS, 2) > 0)
            for (int i = 0; i < WRITERS; i++)
                if (p[i].revents & POLLIN)
                    (void)read_some(&w[i]);
        clock_gettime(CLOCK_MONOTONIC, &t);
    }
}

static void
kill_writer(struct writer *w)
{
    kill(w->pid, SIGKILL);
    waitpid(w->pid, NULL, 0);
    while (read_some(w))
        continue;
    close(w->fd);
}

static int
compare(const void *a, const void *b)
{
    return memcmp(a, b, ID);
}

struct rows {
    char (*id)[ID];
    size_t n, size;
};

static bool
on_row(void *arg, const struct agr_audit_item *item)
{
    struct rows *r = arg;
    if (!item->is_parsed || item->row.type != AGR_ROW_DECISION)
        return true;
    if (r->n == r->size) {
        r->size = r->size ? r->size * 2 : 8192;
        r->id = realloc(r->id, r->size * sizeof *r->id);
        if (!r->id)
            exit(1);
    }
    agr_decision_id(item->row.boot, item->row.journal, item->row.wseq, r->id[r->n++]);
    return true;
}

static void
check(void)
{
    struct agr_sequencer_options o = {.log_dir = log_dir, .is_once = true, .reserve = 1};
    struct agr_audit_error err = {{0}};
    struct agr_verify_report report;
    struct rows r = {0};
    uint64_t checkpoint = 0, all = 0;
    size_t lost = 0, twice = 0, admitted = 0;
    OK(agr_sequencer_run(&o, &err) == AGR_AUDIT_OK, "the sequencer takes up what was left %s", err.text);
    OK(agr_audit_verify(log_dir, NULL, &report) == AGR_AUDIT_OK, "the log verifies %s %s", report.file,
       report.text);
    agr_audit_size(log_dir, &checkpoint, &all);
    OK(checkpoint == all && agr_audit_iterate(log_dir, 0, all, on_row, &r, &err) == AGR_AUDIT_OK,
       "%llu rows under the checkpoint", (unsigned long long)all);
    if (r.n)
        qsort(r.id, r.n, ID, compare);
    for (size_t i = 1; i < r.n; i++)
        twice += memcmp(r.id[i - 1], r.id[i], ID) == 0;
    for (size_t i = 0; i < nacks; i++) {
        admitted +=
            acks[i].is_counted && (acks[i].outcome == AEGIS_ALLOW || acks[i].outcome == AEGIS_MONITOR);
        if (r.n && bsearch(acks[i].id, r.id, r.n, ID, compare))
            continue;
        if (lost++ < 5)
            printf("# lost %.24s\n", acks[i].id);
    }
    OK(nacks > 0 && lost == 0, "%zu acknowledged decisions, %zu lost, %zu rows", nacks, lost, r.n);
    OK(twice == 0, "no decision is there twice");
    OK(admitted > 0 && admitted <= BURST, "the shared limit let %zu of %u through", admitted, BURST);
    free(r.id);
}

int
main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    image = argv[1];
    long kills = (argc > 2 ? strtol(argv[2], NULL, 10) : 24) * (getenv("AEGIS_LONG") ? 10 : 1);
    state = getenv("AEGIS_SEED") ? strtoull(getenv("AEGIS_SEED"), NULL, 10) : 1;
    printf("# %ld kills, seed %llu\n", kills, (unsigned long long)state);
    signal(SIGPIPE, SIG_IGN);
    snprintf(root, sizeof root, "%s/age-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        return 1;
    snprintf(log_dir, sizeof log_dir, "%s/log", root);
    struct writer w[WRITERS];
    pid_t sequencer = -1;
    for (int i = 0; i < WRITERS; i++)
        w[i] = start_writer();
    for (long k = 0; k < kills; k++) {
        listen_for(w, 5 + (int)below(40));
        if (k % 8 == 4)
            sequencer = start_sequencer(false);
        if (sequencer != -1 && k % 8 == 7) {
            kill(sequencer, SIGKILL);
            waitpid(sequencer, NULL, 0);
            sequencer = -1;
        }
        if (sequencer == -1 && k % 4 == 3) { // own segments are taken up while writers go on
            pid_t once = start_sequencer(true);
            listen_for(w, 20);
            if (below(2))
                kill(once, SIGKILL);
            waitpid(once, NULL, 0);
        }
        uint32_t victim = below(WRITERS);
        kill_writer(&w[victim]);
        w[victim] = start_writer();
    }
    listen_for(w, 50);
    for (int i = 0; i < WRITERS; i++)
        kill_writer(&w[i]);
    if (sequencer != -1) {
        kill(sequencer, SIGKILL);
        waitpid(sequencer, NULL, 0);
    }
    printf("# %u answers unavailable, %u starts failed\n", unavailable, failed_starts);
    check();
    OK(unavailable <= nacks, "most of the time there was an answer");
    free(acks);
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    OK(t_failed || system(command) == 0, "cleans up (kept after a failure: %s)", root);
    return t_done();
}
