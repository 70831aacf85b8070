// SPDX-License-Identifier: Apache-2.0
// The kill switch (D2, D35, D64): scopes, texts and their limits, persistence, unreadable words, and the
// epoch protocol with processes: after engage returned, no send of an allow begins. Trials: 500, 10,000
// with AEGIS_LONG, or the number given as the only argument.
#include "state/kill.h"

#include "state/layout.h"
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NONE AG_STR("")

static struct agr_kill_entry
entry(enum agr_kill_scope scope, const char *tenant, const char *subject)
{
    return (struct agr_kill_entry){.scope = scope,
                                   .tenant = ag_str_z(tenant),
                                   .subject = ag_str_z(subject),
                                   .by = AG_STR("ops"),
                                   .reason = AG_STR("drill"),
                                   .at_ns = 42};
}

static enum aegis_status
engage(struct agr_kill *k, struct agr_kill_entry e)
{
    return agr_kill_engage(k, NULL, &e, NULL, NULL, NULL, NULL);
}

// 1 engaged, 0 not, -1 unreadable.
static int
check(const struct agr_kill *k, const char *tenant, const char *agent, const char *tool)
{
    struct agr_kill_hit hit;
    if (agr_kill_check(k, ag_str_z(tenant), ag_str_z(agent), ag_str_z(tool), &hit) != AEGIS_OK)
        return -1;
    return hit.is_engaged;
}

static void
test_scopes(struct agr_kill *k)
{
    bool was;
    OK(check(k, "t", "a", "x") == 0, "nothing is engaged");
    OK(engage(k, entry(AGR_KILL_TENANT, "t", "")) == AEGIS_OK && check(k, "t", "a", "x") == 1 &&
           check(k, "u", "a", "x") == 0,
       "tenant");
    OK(agr_kill_disengage(k, AGR_KILL_TENANT, AG_STR("t"), NONE, &was) == AEGIS_OK && was &&
           check(k, "t", "a", "x") == 0,
       "disengage");
    OK(agr_kill_disengage(k, AGR_KILL_TENANT, AG_STR("t"), NONE, &was) == AEGIS_OK && !was,
       "twice changes nothing");
    OK(engage(k, entry(AGR_KILL_AGENT, "t", "a")) == AEGIS_OK && check(k, "t", "a", "x") == 1 &&
           check(k, "t", "b", "x") == 0 && check(k, "u", "a", "x") == 0,
       "agent of one tenant");
    OK(engage(k, entry(AGR_KILL_TOOL, "*", "x")) == AEGIS_OK && check(k, "u", "b", "x") == 1 &&
           check(k, "u", "x", "y") == 0,
       "tool of every tenant");
    OK(engage(k, entry(AGR_KILL_GLOBAL, "*", "")) == AEGIS_OK && check(k, "any", "", "") == 1, "global");
    uint32_t at = 0, n = 0;
    struct agr_kill_entry e;
    while (agr_kill_next(k, &at, &e))
        n += ag_str_is(e.by, "ops") && ag_str_is(e.reason, "drill") && e.at_ns == 42;
    OK(n == 3, "three are listed with their texts");
    (void)agr_kill_disengage(k, AGR_KILL_GLOBAL, AG_STR("*"), NONE, &was);
    (void)agr_kill_disengage(k, AGR_KILL_AGENT, AG_STR("t"), AG_STR("a"), &was);
    (void)agr_kill_disengage(k, AGR_KILL_TOOL, AG_STR("*"), AG_STR("x"), &was);
    OK(check(k, "t", "a", "x") == 0, "all lifted");
}

static void
test_texts(struct agr_kill *k)
{
    static char text[AGR_KILL_REASON_SIZE + 8];
    struct agr_kill_entry e = entry(AGR_KILL_TENANT, "texts", "");
    struct aegis_error err = {.size = sizeof err};
    e.reason = NONE;
    OK(agr_kill_engage(k, NULL, &e, NULL, NULL, NULL, &err) == AEGIS_USAGE && strstr(err.text, "reason"),
       "no reason: %s", err.text);
    for (size_t i = 0; i < sizeof text - 4; i += 4)
        memcpy(text + i, "\xf0\x9f\x9b\x91", 4);
    e.reason = ag_str_of(text, 4 * (AGR_KILL_REASON_MAX + 1));
    OK(engage(k, e) == AEGIS_USAGE, "501 characters are refused");
    e.reason = ag_str_of(text, 4 * AGR_KILL_REASON_MAX - 1);
    OK(engage(k, e) == AEGIS_USAGE, "broken UTF-8 is refused");
    e.reason = ag_str_of(text, 4 * AGR_KILL_REASON_MAX);
    struct agr_kill_hit hit;
    struct ag_str by, reason;
    char mem[AGR_KILL_REASON_SIZE + AGR_KILL_BY_MAX];
    OK(engage(k, e) == AEGIS_OK && agr_kill_check(k, e.tenant, NONE, NONE, &hit) == AEGIS_OK &&
           hit.is_engaged && hit.scope == AGR_KILL_TENANT && hit.at_ns == 42,
       "500 characters of four bytes are accepted");
    OK(agr_kill_text(k, &hit, mem, &by, &reason) && ag_str_eq(reason, e.reason) && ag_str_eq(by, e.by),
       "and read back");
    e.reason = AG_STR("another");
    e.at_ns = 43;
    OK(engage(k, e) == AEGIS_OK && agr_kill_text(k, &hit, mem, &by, &reason) && reason.n == 2000,
       "engaging again keeps the first reason and time");
    (void)agr_kill_disengage(k, AGR_KILL_TENANT, e.tenant, NONE, NULL);
    OK(!agr_kill_text(k, &hit, mem, &by, &reason), "texts of a switch that was lifted are not shown");
    memset(text, 'n', sizeof text);
    e.tenant = ag_str_of(text, AGR_KILL_NAME_MAX);
    OK(engage(k, e) == AEGIS_OK && agr_kill_disengage(k, AGR_KILL_TENANT, e.tenant, NONE, NULL) == AEGIS_OK,
       "longest name");
    e.tenant = ag_str_of(text, AGR_KILL_NAME_MAX + 1);
    OK(engage(k, e) == AEGIS_USAGE, "a longer name is refused");
    OK(agr_kill_check(k, e.tenant, NONE, NONE, &hit) == AEGIS_OK && !hit.is_engaged,
       "and matched by nothing");
    e = entry(AGR_KILL_TENANT, "t", "");
    e.by = ag_str_of(text, AGR_KILL_BY_MAX + 1);
    OK(engage(k, e) == AEGIS_USAGE, "operator's name too long");
    OK(engage(k, entry(AGR_KILL_AGENT, "t", "")) == AEGIS_USAGE &&
           engage(k, entry(AGR_KILL_TENANT, "t", "a")) == AEGIS_USAGE &&
           engage(k, entry(AGR_KILL_TENANT, "*", "")) == AEGIS_USAGE &&
           engage(k, entry(AGR_KILL_GLOBAL, "t", "")) == AEGIS_USAGE &&
           engage(k, entry(AGR_KILL_TENANT, "", "")) == AEGIS_USAGE,
       "scopes and names that do not go together");
}

static void
test_many(struct agr_kill *k)
{
    char name[32];
    uint32_t n = 0, hits = 0;
    for (; n <= AGR_KILL_MAX; n++) {
        (void)snprintf(name, sizeof name, "tenant-%u", n);
        if (engage(k, entry(AGR_KILL_TENANT, name, "")) != AEGIS_OK)
            break;
    }
    OK(n == AGR_KILL_MAX, "%u switches at once, one more is refused", n);
    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "tenant-%u", i);
        hits += check(k, name, "a", "x") == 1;
    }
    OK(hits == n && check(k, "nobody", "a", "x") == 0, "each of them holds");
    for (uint32_t i = 0; i < n; i += 2) {
        (void)snprintf(name, sizeof name, "tenant-%u", i);
        (void)agr_kill_disengage(k, AGR_KILL_TENANT, ag_str_z(name), NONE, NULL);
    }
    hits = 0;
    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "tenant-%u", i);
        hits += check(k, name, "a", "x") == (int)(i & 1);
    }
    OK(hits == n, "lifting every second one leaves the others findable");
    // Many more names than places, one after the other: places are reused.
    uint32_t good = 0;
    for (uint32_t i = 0; i < 3 * AGR_KILL_SLOTS; i++) {
        (void)snprintf(name, sizeof name, "passing-%u", i);
        good += engage(k, entry(AGR_KILL_TENANT, name, "")) == AEGIS_OK && check(k, name, "", "") == 1 &&
                agr_kill_disengage(k, AGR_KILL_TENANT, ag_str_z(name), NONE, NULL) == AEGIS_OK &&
                check(k, name, "", "") == 0;
    }
    OK(good == 3 * AGR_KILL_SLOTS, "places are reused");
    for (uint32_t i = 1; i < n; i += 2) {
        (void)snprintf(name, sizeof name, "tenant-%u", i);
        (void)agr_kill_disengage(k, AGR_KILL_TENANT, ag_str_z(name), NONE, NULL);
    }
    OK(check(k, "tenant-1", "", "") == 0, "all lifted");
}

static void
test_file(void)
{
    char dir[] = "/tmp/aegis-kill-XXXXXX", path[64];
    struct agr_kill *k, *reader;
    struct aegis_error err = {.size = sizeof err};
    if (!mkdtemp(dir))
        abort();
    (void)snprintf(path, sizeof path, "%s/kill", dir);
    OK(agr_kill_open(dir, false, &k, &err) == AEGIS_KILL_UNREADABLE, "a reader makes nothing: %s", err.text);
    OK(agr_kill_open(dir, true, &k, &err) == AEGIS_OK && check(k, "t", "a", "x") == -1,
       "a new file is unreadable until ready");
    agr_kill_ready(k);
    OK(check(k, "t", "a", "x") == 0, "ready");
    OK(agr_kill_attach_fd(agr_kill_fd(k), false, &reader, &err) == AEGIS_OK, "a worker attaches");
    OK((fcntl(agr_kill_fd(k), F_GETFL) & O_ACCMODE) == O_RDONLY, "its descriptor cannot write");
    OK(engage(k, entry(AGR_KILL_TENANT, "t", "")) == AEGIS_OK && check(reader, "t", "a", "x") == 1,
       "it sees the switch");
    OK(engage(reader, entry(AGR_KILL_TENANT, "u", "")) == AEGIS_USAGE, "it cannot engage");
    agr_kill_close(k);
    OK(agr_kill_open(dir, true, &k, &err) == AEGIS_OK && check(k, "t", "a", "x") == 1,
       "D2: survives a restart");
    int fd = open(path, O_RDWR);
    uint8_t b = 0;
    if (fd == -1 || pread(fd, &b, 1, 24) != 1)
        abort();
    b ^= 1; // kernel boot id
    if (pwrite(fd, &b, 1, 24) != 1)
        abort();
    agr_kill_close(k);
    OK(agr_kill_open(dir, true, &k, &err) == AEGIS_OK && check(k, "t", "a", "x") == -1 &&
           check(reader, "t", "a", "x") == -1,
       "another boot: unreadable, not engaged and not clear");
    OK(engage(k, entry(AGR_KILL_TENANT, "replayed", "")) == AEGIS_OK, "the rebuild engages");
    agr_kill_ready(k);
    OK(check(k, "replayed", "", "") == 1 && check(k, "t", "a", "x") == 0,
       "after the rebuild only the log counts");
    uint64_t word = 0xff; // a place whose word makes no sense
    for (uint32_t i = 0; i < AGR_KILL_SLOTS; i++)
        if (pwrite(fd, &word, sizeof word, 4096 + 32 * (off_t)i + 16) != (ssize_t)sizeof word)
            abort();
    OK(check(k, "t", "a", "x") == -1, "words that make no sense are unreadable");
    agr_kill_close(k);
    agr_kill_close(reader);
    if (ftruncate(fd, 100) == -1)
        abort();
    OK(agr_kill_open(dir, false, &k, &err) == AEGIS_KILL_UNREADABLE &&
           agr_kill_open(dir, true, &k, &err) == AEGIS_OK && !agr_kill_is_ready(k),
       "a short file is unreadable to workers and made anew by admin");
    agr_kill_close(k);
    close(fd);
    (void)unlink(path);
    (void)rmdir(dir);
    OK(check(NULL, "t", "a", "x") == -1, "no words at all are unreadable");
}

// ---- the epoch protocol ----

#define SENDERS 4

struct board {
    _Atomic uint64_t acknowledged; // set after engage returned, cleared before the switch is lifted
    _Atomic uint64_t allowed, refused, violations;
};

static void
nap(long ns)
{
    const struct timespec t = {.tv_nsec = ns};
    (void)nanosleep(&t, NULL);
}

static _Noreturn void
sender(struct agr_kill *k, struct agr_state *st, struct board *b)
{
    uint32_t ix;
    uint64_t seed = (uint64_t)getpid() * 2654435761u;
    if (agr_worker_join(st, &ix) != AEGIS_OK)
        _exit(1);
    for (;;) {
        struct agr_kill_hit hit;
        agr_kill_enter(st, ix);
        enum aegis_status s = agr_kill_check(k, AG_STR("t"), AG_STR("a"), AG_STR("x"), &hit);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (seed >> 60 == 0)
            nap((long)(seed >> 40 & 0x3ffff)); // a slow worker between its reading and the send
        if (s == AEGIS_OK && !hit.is_engaged) {
            // The send of an allow begins here.
            if (atomic_load(&b->acknowledged))
                atomic_fetch_add(&b->violations, 1);
            atomic_fetch_add(&b->allowed, 1);
        } else {
            atomic_fetch_add(&b->refused, 1);
        }
        agr_kill_leave(st, ix);
        if (seed >> 58 == 1)
            nap(1000);
    }
}

static pid_t
start_sender(struct agr_kill *k, struct agr_state *st, struct board *b)
{
    pid_t pid = fork();
    if (pid == -1)
        abort();
    if (pid)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    sender(k, st, b);
}

static void
reap(struct agr_state *st, pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    uint32_t ix = agr_worker_find(st, (uint64_t)pid);
    if (ix < AGR_WORKERS_MAX)
        agr_worker_leave(st, ix);
}

static void
test_epochs(struct agr_kill *k, int trials)
{
    struct agr_state *st;
    struct board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid[SENDERS];
    uint64_t ended = 0, failed = 0;
    if (b == MAP_FAILED ||
        agr_state_open_memory(&(struct agr_state_options){.entries = 128}, &st, NULL) != AEGIS_OK)
        abort();
    for (int i = 0; i < SENDERS; i++)
        pid[i] = start_sender(k, st, b);
    while (atomic_load(&b->allowed) < 1000)
        nap(1000000);
    for (int trial = 0; trial < trials; trial++) {
        int stopped = trial % 50 == 7 ? trial / 50 % SENDERS : -1;
        if (stopped >= 0)
            (void)kill(pid[stopped], SIGSTOP);
        struct agr_kill_entry e = entry(AGR_KILL_TENANT, "t", "");
        failed += agr_kill_engage(k, st, &e, NULL, NULL, NULL, NULL) != AEGIS_OK;
        atomic_store(&b->acknowledged, 1);
        if (stopped >= 0)
            (void)kill(pid[stopped], SIGCONT);
        nap(50000);
        for (int i = 0; i < SENDERS; i++) {
            if (waitpid(pid[i], NULL, WNOHANG) != pid[i])
                continue;
            ended++;
            uint32_t ix = agr_worker_find(st, (uint64_t)pid[i]);
            if (ix < AGR_WORKERS_MAX)
                agr_worker_leave(st, ix);
            pid[i] = start_sender(k, st, b);
        }
        atomic_store(&b->acknowledged, 0);
        (void)agr_kill_disengage(k, AGR_KILL_TENANT, AG_STR("t"), NONE, NULL);
        uint64_t before = atomic_load(&b->allowed);
        for (int i = 0; i < 2000 && atomic_load(&b->allowed) == before; i++)
            nap(100000);
    }
    OK(failed == 0, "every engagement was acknowledged (%d trials, %llu stopped workers were ended)", trials,
       (unsigned long long)ended);
    OK(atomic_load(&b->violations) == 0,
       "no send of an allow began after an acknowledgement (%llu allowed, %llu refused)",
       (unsigned long long)atomic_load(&b->allowed), (unsigned long long)atomic_load(&b->refused));
    OK(atomic_load(&b->refused) > 0, "the switch was seen");
    for (int i = 0; i < SENDERS; i++)
        reap(st, pid[i]);
    agr_state_close(st);
    munmap(b, sizeof *b);
}

static bool
refuse_to_end(void *arg, uint32_t worker, uint64_t pid)
{
    (void)worker;
    (void)pid;
    (*(int *)arg)++;
    return false;
}

// A worker that stays inside its span is ended by the default, or reported when the caller does not end it.
static void
test_stuck(struct agr_kill *k)
{
    struct agr_state *st;
    uint32_t ix, slow = 0;
    int asked = 0;
    if (agr_state_open_memory(&(struct agr_state_options){.entries = 128}, &st, NULL) != AEGIS_OK)
        abort();
    _Atomic uint64_t *ready = &agr_worker_at(st, 9)->served; // any shared word
    pid_t pid = fork();
    if (pid == 0) {
        (void)agr_worker_join(st, &ix);
        agr_kill_enter(st, ix);
        atomic_store(ready, 1);
        for (;;)
            pause();
    }
    while (!atomic_load(ready))
        nap(1000000);
    struct agr_kill_entry e = entry(AGR_KILL_TENANT, "stuck", "");
    OK(agr_kill_engage(k, st, &e, refuse_to_end, &asked, &slow, NULL) == AEGIS_BUSY && asked == 1 &&
           slow == agr_worker_find(st, (uint64_t)pid),
       "a worker nobody ends is reported");
    OK(check(k, "stuck", "", "") == 1, "the switch is set all the same");
    OK(agr_kill_wait(st, NULL, NULL, NULL) == AEGIS_OK, "the default ends it");
    int status = 0;
    OK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "with SIGKILL");
    OK(agr_kill_wait(st, refuse_to_end, &asked, NULL) == AEGIS_OK && asked == 1,
       "a dead worker is not waited for");
    atomic_store(&agr_worker_at(st, 0)->owner, (uint64_t)getppid());
    atomic_store(&agr_worker_at(st, 0)->start_ticks, 1); // another process has the pid now
    OK(agr_kill_wait(st, NULL, NULL, NULL) == AEGIS_OK && kill(getppid(), 0) == 0,
       "a reused pid is left alone");
    (void)agr_kill_disengage(k, AGR_KILL_TENANT, AG_STR("stuck"), NONE, NULL);
    agr_state_close(st);
}

int
main(int argc, char **argv)
{
    struct agr_kill *k;
    int trials = argc > 1 ? (int)strtol(argv[1], NULL, 10) : getenv("AEGIS_LONG") ? 10000 : 500;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (agr_kill_open_memory(&k, NULL) != AEGIS_OK)
        return 1;
    test_scopes(k);
    test_texts(k);
    test_many(k);
    test_file();
    test_stuck(k);
    test_epochs(k, trials);
    agr_kill_close(k);
    return t_done();
}
