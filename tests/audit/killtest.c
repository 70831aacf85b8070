// SPDX-License-Identifier: Apache-2.0
// Kill -9 of writers and of the sequencer at random moments: every acknowledged row is in the verified log
// afterwards, none twice, and the log never goes back (A35, B39). killtest LOGTOOL [KILLS [SEED]]; prints
// TAP. A failure repeats with the same seed as far as the scheduler lets it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../unit/t.h"
#include "audit.h"

#define WRITERS 3
#define ID      AGR_DECISION_ID_SIZE

struct child {
    pid_t pid;
    int fd; // ids come from here; -1 for the sequencer
    char part[ID + 1];
    size_t part_n;
};

static const char *tool;
static char root[64], log_dir[80];
static char (*ids)[ID];
static size_t ids_n, ids_size;
static uint64_t state;

static uint32_t
next_random(uint32_t below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 33) % below;
}

static struct child
start(const char *what, int is_durable)
{
    struct child c = {.fd = -1};
    int fds[2] = {-1, -1};
    int has_pipe = strcmp(what, "feed") == 0;
    if (has_pipe && pipe2(fds, O_CLOEXEC) != 0)
        exit(1);
    c.pid = fork();
    if (c.pid == 0) {
        if (has_pipe)
            dup2(fds[1], 1);
        execl(tool, tool, what, log_dir, is_durable ? "durable" : NULL, (char *)NULL);
        _exit(127);
    }
    if (has_pipe) {
        close(fds[1]);
        c.fd = fds[0];
    }
    return c;
}

// Takes what a writer acknowledged. A torn line at the end was not acknowledged in full.
static void
take(struct child *c)
{
    char buf[4096];
    ssize_t n = read(c->fd, buf, sizeof(buf));
    for (ssize_t i = 0; i < n; i++) {
        if (buf[i] != '\n') {
            if (c->part_n < ID)
                c->part[c->part_n++] = buf[i];
            continue;
        }
        if (ids_n == ids_size) {
            ids_size = ids_size ? ids_size * 2 : 4096;
            ids = realloc(ids, ids_size * sizeof(*ids));
            if (!ids)
                exit(1);
        }
        memcpy(ids[ids_n++], c->part, ID);
        c->part_n = 0;
    }
}

static void
collect(struct child *w, int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t end = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms, now;
    do {
        struct pollfd p[WRITERS];
        for (int i = 0; i < WRITERS; i++)
            p[i] = (struct pollfd){w[i].fd, POLLIN, 0};
        if (poll(p, WRITERS, 5) > 0)
            for (int i = 0; i < WRITERS; i++)
                if (p[i].revents & POLLIN)
                    take(&w[i]);
        clock_gettime(CLOCK_MONOTONIC, &t);
        now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    } while (now < end);
}

static void
kill_hard(struct child *c)
{
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    if (c->fd != -1) {
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        for (size_t before = SIZE_MAX; before != ids_n;) {
            before = ids_n;
            take(c);
        }
        close(c->fd);
    }
}

static int
compare(const void *a, const void *b)
{
    return memcmp(a, b, ID);
}

struct found {
    char (*v)[ID];
    size_t n, size;
};

static bool
on_row(void *ctx, const struct agr_audit_item *item)
{
    struct found *f = ctx;
    if (!item->is_parsed || item->row.journal == 0)
        return true;
    if (f->n == f->size) {
        f->size = f->size ? f->size * 2 : 4096;
        f->v = realloc(f->v, f->size * sizeof(*f->v));
        if (!f->v)
            exit(1);
    }
    agr_decision_id(item->row.boot, item->row.journal, item->row.wseq, f->v[f->n++]);
    return true;
}

static int
run_once(struct agr_audit_error *err)
{
    struct agr_sequencer_options o = {.log_dir = log_dir, .is_once = true, .reserve = 1};
    return agr_sequencer_run(&o, err) == AGR_AUDIT_OK;
}

int
main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    tool = argv[1];
    const char *seed = getenv("AEGIS_SEED") ? getenv("AEGIS_SEED") : argc > 3 ? argv[3] : "1";
    long kills = getenv("AEGIS_LONG") ? 200 : argc > 2 ? strtol(argv[2], NULL, 10) : 20;
    state = strtoull(seed, NULL, 10);
    printf("# %ld kills, seed %llu\n", kills, (unsigned long long)state);
    snprintf(root, sizeof(root), "%s/agk-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        return 1;
    snprintf(log_dir, sizeof(log_dir), "%s/log", root);
    struct child seq = start("serve", 0), w[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        w[i] = start("feed", i == 0);
    collect(w, 200);
    for (long k = 0; k < kills; k++) {
        collect(w, (int)next_random(60));
        uint32_t victim = next_random(WRITERS + 2);
        if (victim < WRITERS) {
            kill_hard(&w[victim]);
            w[victim] = start("feed", next_random(2) == 0);
        } else {
            kill_hard(&seq);
            collect(w, (int)next_random(20)); // writers go on without it
            seq = start("serve", 0);
        }
        // A durable writer whose sequencer was killed gives up: start it anew.
        for (int i = 0; i < WRITERS; i++)
            if (waitpid(w[i].pid, NULL, WNOHANG) == w[i].pid) {
                close(w[i].fd);
                w[i] = start("feed", i == 0);
            }
    }
    collect(w, 100);
    for (int i = 0; i < WRITERS; i++)
        kill_hard(&w[i]);
    kill_hard(&seq);

    struct agr_audit_error err;
    struct agr_verify_report report;
    OK(run_once(&err), "the sequencer takes up what was left: %s", err.text);
    OK(agr_audit_verify(log_dir, NULL, &report) == AGR_AUDIT_OK, "the log verifies: %s %s", report.file,
       report.text);
    struct found f = {0};
    uint64_t checkpoint = 0, all = 0;
    agr_audit_size(log_dir, &checkpoint, &all);
    OK(checkpoint == all && agr_audit_iterate(log_dir, 0, all, on_row, &f, &err) == AGR_AUDIT_OK, "%llu rows",
       (unsigned long long)all);
    if (f.n)
        qsort(f.v, f.n, ID, compare);
    size_t lost = 0, twice = 0;
    for (size_t i = 1; i < f.n; i++)
        twice += memcmp(f.v[i - 1], f.v[i], ID) == 0;
    for (size_t i = 0; i < ids_n; i++)
        if (!f.n || !bsearch(ids[i], f.v, f.n, ID, compare)) {
            if (lost++ < 5)
                printf("# lost %.24s\n", ids[i]);
        }
    OK(ids_n > 0 && lost == 0, "%zu acknowledged rows, %zu lost", ids_n, lost);
    OK(twice == 0, "no row is there twice");
    free(ids);
    free(f.v);
    char rm[96];
    snprintf(rm, sizeof(rm), "rm -rf '%s'", root);
    OK(t_failed || system(rm) == 0, "cleans up (kept after a failure: %s)", root);
    return t_done();
}
