// SPDX-License-Identifier: Apache-2.0
// The parent: binds, forks, reaps, hands policies on, stops. It reads no byte from a client, and of a policy
// it only passes the sealed descriptor. In: configuration. Out: the exit code of `aegis serve`.
//
//   start: lock ─ state ─ policy verified in a child ─ sockets ─ sequencer ─ admin ─ workers
//   SIGHUP: told to admin, which sends the new image back; TERM, INT: workers drain, admin ends, sequencer
//   signs and ends
//
// Next file to read: worker.c, admin.c.
#include "server.h"

#include "audit_run.h"
#include "log.h"
#include "state/table.h"
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_MS  10000
#define BACKOFF_MS    500 // between deaths of workers that never served
#define BACKOFF_TRIES 20
#define SEQUENCER_MS  200                  // between deaths of sequencers
#define STUCK_NS      INT64_C(10000000000) // a worker whose loop stood still this long is ended
#define WHY_SIZE      65536

enum role { ROLE_WORKER, ROLE_ADMIN, ROLE_SEQUENCER };

struct child {
    pid_t pid;
    int control;         // to it; -1: none
    uint64_t generation; // policy it serves
    unsigned early_deaths;
    int64_t start_after_ms; // back-off
};

struct parent {
    struct agr_server_config *config;
    struct agr_state *state;
    struct agr_kill *kill;
    struct agr_listener data[AGR_LISTENERS_MAX], admin[2];
    unsigned ndata, nadmin;
    int journal_listen, sequencer_stop, signals, lock;
    char journal_path[108];
    struct child worker[AGR_WORKERS_DEFAULT_MAX], admin_child, sequencer;
    int policy_fd, keys_fd;                // keys_fd: API keys read again since the start, or -1
    uint64_t generation, serial, reported; // reported: the newest generation that admin knows to be served
    int64_t sequencer_after_ms;
    bool is_stopping, is_log_refused, has_started_sequencer;
    char why[WHY_SIZE];
};

static int64_t
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
refuse(const char *why)
{
    agr_log(AGR_LOG_ERROR, "%s", why);
    return 3;
}

// One server per STATE: a new one waits for the old one to end, then says who holds it.
static bool
take_lock(struct parent *p)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/lock", p->config->state_dir);
    p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->lock == -1) {
        snprintf(p->why, sizeof p->why, "%s: %s", path, strerror(errno));
        return false;
    }
    for (int64_t end = now_ms() + LOCK_WAIT_MS; flock(p->lock, LOCK_EX | LOCK_NB) == -1; usleep(50000)) {
        if (now_ms() < end)
            continue;
        char holder[32] = "";
        ssize_t n = pread(p->lock, holder, sizeof holder - 1, 0);
        snprintf(p->why, sizeof p->why, "%s is held by process %.*s; stop it first", path,
                 n > 0 ? (int)strcspn(holder, "\n") : 1, n > 0 ? holder : "?");
        return false;
    }
    char text[32];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(p->lock, 0) == -1 || pwrite(p->lock, text, (size_t)n, 0) != n) {
        snprintf(p->why, sizeof p->why, "%s: %s", path, strerror(errno));
        return false;
    }
    return true;
}

static bool
make_dir(struct parent *p, const char *path)
{
    char part[4096];
    for (const char *s = path + 1;; s++) {
        if (*s != '/' && *s)
            continue;
        snprintf(part, sizeof part, "%.*s", (int)(s - path), path);
        if (mkdir(part, 0700) == -1 && errno != EEXIST) {
            snprintf(p->why, sizeof p->why, "%s: %s", part, strerror(errno));
            return false;
        }
        if (!*s)
            return true;
    }
}

static bool
open_state(struct parent *p)
{
    struct aegis_error e = {.size = sizeof e};
    enum agr_state_origin origin;
    if (agr_state_open(p->config->state_dir, NULL, &p->state, &origin, &e) != AEGIS_OK ||
        agr_kill_open(p->config->state_dir, true, &p->kill, &e) != AEGIS_OK) {
        snprintf(p->why, sizeof p->why, "%s", e.text);
        return false;
    }
    // Lines of processes that were killed with their parent; the lock says that none of them lives.
    for (uint32_t i = 0; i < AGR_WORKERS_MAX; i++)
        if (agr_worker_at(p->state, i)->owner)
            agr_worker_leave(p->state, i);
    return true;
}

static bool
bind_all(struct parent *p)
{
    struct agr_server_config *c = p->config;
    for (unsigned i = 0; i < c->nlisten; i++) {
        struct agr_listener *l = &p->data[p->ndata++];
        *l = (struct agr_listener){.plane = AGR_PLANE_DATA,
                                   .identity = c->api_keys ? AGR_IDENTITY_KEY : AGR_IDENTITY_REQUEST};
        if (agr_listen(c->listen[i], false, l, p->why, sizeof p->why) == -1)
            return false;
        if (!l->is_loopback && l->identity == AGR_IDENTITY_REQUEST) {
            snprintf(p->why, sizeof p->why,
                     "%s: beyond loopback a request must prove who asks; give --api-keys FILE or listen on "
                     "127.0.0.1",
                     c->listen[i]);
            return false;
        }
    }
    struct agr_listener *admin = &p->admin[p->nadmin++];
    *admin = (struct agr_listener){.plane = AGR_PLANE_ADMIN};
    if (agr_listen(c->admin, false, admin, p->why, sizeof p->why) == -1)
        return false;
    if (!admin->is_unix && !c->admin_tokens) {
        snprintf(p->why, sizeof p->why, "%s: admin over TCP needs --admin-tokens FILE", c->admin);
        return false;
    }
    if (*c->metrics) {
        struct agr_listener *metrics = &p->admin[p->nadmin++];
        *metrics = (struct agr_listener){.plane = AGR_PLANE_METRICS};
        if (agr_listen(c->metrics, false, metrics, p->why, sizeof p->why) == -1)
            return false;
    }
    struct agr_listener journal = {.fd = -1};
    char spec[128];
    if ((size_t)snprintf(p->journal_path, sizeof p->journal_path, "%s/sequencer.sock", c->audit_dir) >=
        sizeof p->journal_path) {
        snprintf(p->why, sizeof p->why, "%s: the path is too long for a socket in it", c->audit_dir);
        return false;
    }
    snprintf(spec, sizeof spec, "unix:%s", p->journal_path);
    if (agr_listen(spec, true, &journal, p->why, sizeof p->why) == -1)
        return false;
    p->journal_listen = journal.fd;
    return true;
}

// --- children

static void
unblock_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN); // the terminal sends it to all of us; the parent decides
    signal(SIGPIPE, SIG_IGN);
}

static int
connect_journal(const struct parent *p)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, p->journal_path, strlen(p->journal_path));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof a) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

// Closes in a child what belongs to the parent alone.
static void
drop_parents(struct parent *p, int keep)
{
    for (unsigned i = 0; i < (unsigned)p->config->workers; i++)
        if (p->worker[i].control != -1 && p->worker[i].control != keep)
            close(p->worker[i].control);
    if (p->admin_child.control != -1 && p->admin_child.control != keep)
        close(p->admin_child.control);
    close(p->signals);
}

static bool
start(struct parent *p, struct child *c, enum role role)
{
    int pair[2] = {-1, -1};
    if (role != ROLE_SEQUENCER && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
        return false;
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid == -1) {
        close(pair[0]);
        close(pair[1]);
        return false;
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, role == ROLE_SEQUENCER ? SIGTERM : SIGKILL);
        if (getppid() != parent)
            _exit(0); // it died before we asked to be told
        unblock_signals();
        c->control = pair[1];
        drop_parents(p, pair[1]);
        if (role == ROLE_SEQUENCER)
            _exit(agr_audit_run(p->config, p->journal_listen, p->sequencer_stop));
        close(p->journal_listen);
        close(pair[0]);
        struct agr_heritage h = {.config = p->config,
                                 .listeners = role == ROLE_WORKER ? p->data : p->admin,
                                 .nlisteners = role == ROLE_WORKER ? p->ndata : p->nadmin,
                                 .control = pair[1],
                                 .state_fd = agr_state_fd(p->state),
                                 .kill_fd = agr_kill_fd(p->kill),
                                 .journal_sock = connect_journal(p),
                                 .policy_fd = p->policy_fd,
                                 .keys_fd = p->keys_fd,
                                 .generation = p->generation,
                                 .state = p->state,
                                 .kill = p->kill};
        exit(role == ROLE_WORKER ? agr_worker_main(&h) : agr_admin_main(&h));
    }
    if (pair[1] != -1)
        close(pair[1]);
    static const char *const role_text[] = {"worker", "admin", "sequencer"};
    agr_log(AGR_LOG_DEBUG, "%s %d started", role_text[role], (int)pid);
    c->pid = pid;
    c->control = pair[0];
    c->generation = p->generation;
    c->start_after_ms = 0;
    return true;
}

// Signals that a request can cause; anything else came from outside and says nothing about the request.
static bool
is_fault(int status)
{
    if (!WIFSIGNALED(status))
        return false;
    switch (WTERMSIG(status)) {
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGABRT:
    case SIGTRAP:
    case SIGSYS: return true;
    default: return false;
    }
}

// A worker died: free its line, tell admin what it worked on, start another one.
static void
on_worker_death(struct parent *p, struct child *c, int status)
{
    uint32_t line = agr_worker_find(p->state, (uint64_t)c->pid);
    bool has_served = false;
    uint64_t digest = 0;
    if (line < AGR_WORKERS_MAX) {
        has_served = agr_worker_at(p->state, line)->served > 0;
        if (is_fault(status))
            digest = agr_worker_crashed(p->state, line);
        else
            agr_worker_leave(p->state, line);
        agr_table_recount(p->state);
    }
    if (!p->is_stopping && status != 0) {
        agr_log(AGR_LOG_WARNING, "worker %d ended (%s %d); starting another", (int)c->pid,
                WIFSIGNALED(status) ? "signal" : "exit",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        struct agr_msg m = {.kind = AGR_MSG_CRASH, .generation = digest, .serial = (uint64_t)c->pid};
        m.result = WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0;
        agr_msg_send(p->admin_child.control, &m, -1);
    }
    close(c->control);
    c->control = -1;
    c->pid = 0;
    c->early_deaths = has_served ? 0 : c->early_deaths + 1;
    c->start_after_ms = has_served ? 0 : now_ms() + BACKOFF_MS * c->early_deaths;
}

static void
free_line(struct parent *p, pid_t pid)
{
    uint32_t line = agr_worker_find(p->state, (uint64_t)pid);
    if (line < AGR_WORKERS_MAX)
        agr_worker_leave(p->state, line);
}

// The sequencer ended. One that refuses the log is not started again: answers stay unavailable until a person
// looked.
static void
on_sequencer_death(struct parent *p, int status)
{
    p->sequencer.pid = 0;
    p->is_log_refused = WIFEXITED(status) && WEXITSTATUS(status) == AGR_EXIT_LOG_REFUSED;
    p->sequencer_after_ms = now_ms() + SEQUENCER_MS;
    if (p->is_stopping)
        return;
    agr_log(AGR_LOG_WARNING, "sequencer ended (%s %d)%s", WIFSIGNALED(status) ? "signal" : "exit",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
            p->is_log_refused ? "; the log is not written any more" : "; starting another");
}

static void
reap(struct parent *p)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (long i = 0; i < p->config->workers; i++)
            if (p->worker[i].pid == pid)
                on_worker_death(p, &p->worker[i], status);
        if (p->admin_child.pid == pid) {
            free_line(p, pid);
            close(p->admin_child.control);
            p->admin_child = (struct child){.control = -1};
            if (!p->is_stopping)
                agr_log(AGR_LOG_WARNING, "admin %d ended; starting another", (int)pid);
        }
        if (p->sequencer.pid == pid)
            on_sequencer_death(p, status);
    }
}

// Connections to a new sequencer for those that had one to the old; they cannot make their own.
static void
reconnect_journals(struct parent *p)
{
    struct agr_msg m = {.kind = AGR_MSG_JOURNAL};
    for (long i = -1; i < p->config->workers; i++) {
        const struct child *c = i < 0 ? &p->admin_child : &p->worker[i];
        int fd = c->control == -1 ? -1 : connect_journal(p);
        if (fd == -1)
            continue;
        agr_msg_send(c->control, &m, fd);
        close(fd);
    }
}

// Starts whatever should run and does not. False when workers die again and again before they serve.
static bool
keep_running(struct parent *p)
{
    if (!p->sequencer.pid && now_ms() >= p->sequencer_after_ms) {
        if (p->is_log_refused || !start(p, &p->sequencer, ROLE_SEQUENCER))
            return !p->is_log_refused;
        if (p->has_started_sequencer)
            reconnect_journals(p);
        p->has_started_sequencer = true;
    }
    if (!p->admin_child.pid)
        start(p, &p->admin_child, ROLE_ADMIN);
    for (long i = 0; i < p->config->workers; i++) {
        struct child *c = &p->worker[i];
        if (c->early_deaths > BACKOFF_TRIES)
            return false;
        if (!c->pid && now_ms() >= c->start_after_ms)
            start(p, c, ROLE_WORKER);
    }
    return true;
}

// --- messages

// A new image, verified by admin's child: every worker gets it, new workers start with it.
static void
take_policy(struct parent *p, const struct agr_msg *m, int fd)
{
    close(p->policy_fd);
    p->policy_fd = fd;
    p->serial = m->serial;
    p->generation++;
    agr_log(AGR_LOG_DEBUG, "generation %llu of the policy goes to the workers",
            (unsigned long long)p->generation);
    agr_policy_bump(p->state, 0);
    for (long i = 0; i < p->config->workers; i++) {
        struct agr_msg out = {.kind = AGR_MSG_POLICY, .generation = p->generation};
        if (p->worker[i].control != -1)
            agr_msg_send(p->worker[i].control, &out, fd);
    }
}

// API keys that admin read again: for every worker, and those that start later.
static void
take_keys(struct parent *p, int fd)
{
    struct agr_msg m = {.kind = AGR_MSG_KEYS};
    if (p->keys_fd != -1)
        close(p->keys_fd);
    p->keys_fd = fd;
    for (long i = 0; i < p->config->workers; i++)
        if (p->worker[i].control != -1)
            agr_msg_send(p->worker[i].control, &m, fd);
}

// Tells admin once every living worker serves the newest policy.
static void
report_done(struct parent *p)
{
    uint32_t serving = 0;
    if (p->reported == p->generation || p->admin_child.control == -1)
        return;
    for (long i = 0; i < p->config->workers; i++) {
        if (p->worker[i].pid && p->worker[i].generation != p->generation)
            return;
        serving += p->worker[i].pid != 0;
    }
    struct agr_msg m = {
        .kind = AGR_MSG_POLICY_DONE, .generation = p->generation, .serial = p->serial, .workers = serving};
    if (agr_msg_send(p->admin_child.control, &m, -1))
        p->reported = p->generation;
}

static void
on_message(struct parent *p, struct child *c)
{
    struct agr_msg m;
    int fd;
    while (agr_msg_recv(c->control, &m, &fd) == 1) {
        if (c == &p->admin_child && m.kind == AGR_MSG_POLICY && fd != -1) {
            take_policy(p, &m, fd);
            fd = -1;
            report_done(p);
        } else if (c == &p->admin_child && m.kind == AGR_MSG_KEYS && fd != -1) {
            take_keys(p, fd);
            fd = -1;
        } else if (m.kind == AGR_MSG_POLICY_DONE) {
            c->generation = m.generation;
            report_done(p);
        }
        if (fd != -1)
            close(fd);
    }
}

// --- the loop

// Ends workers whose loop stands still: parked in the kernel, stopped, or spinning. Others take their place.
static void
end_stuck(struct parent *p)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    for (long i = 0; i < p->config->workers; i++) {
        uint32_t line =
            p->worker[i].pid ? agr_worker_find(p->state, (uint64_t)p->worker[i].pid) : AGR_WORKERS_MAX;
        int64_t beat = line < AGR_WORKERS_MAX ? agr_worker_at(p->state, line)->heartbeat_ns : 0;
        if (beat && now - beat > STUCK_NS) {
            agr_log(AGR_LOG_WARNING, "worker %d stood still for %d s and is ended", (int)p->worker[i].pid,
                    (int)(STUCK_NS / 1000000000));
            kill(p->worker[i].pid, SIGKILL);
        }
    }
}

static void
stop(struct parent *p)
{
    struct agr_msg m = {.kind = AGR_MSG_DRAIN};
    p->is_stopping = true;
    for (long i = 0; i < p->config->workers; i++)
        if (p->worker[i].control != -1)
            agr_msg_send(p->worker[i].control, &m, -1);
    for (int64_t end = now_ms() + AGR_DRAIN_S * 1000; now_ms() < end; usleep(5000)) {
        long alive = 0;
        reap(p);
        for (long i = 0; i < p->config->workers; i++)
            alive += p->worker[i].pid != 0;
        if (!alive)
            break;
    }
    for (long i = 0; i < p->config->workers; i++)
        if (p->worker[i].pid)
            kill(p->worker[i].pid, SIGKILL);
    if (p->admin_child.pid)
        kill(p->admin_child.pid, SIGKILL);
    uint64_t one = 1;
    if (write(p->sequencer_stop, &one, sizeof one) != sizeof one && p->sequencer.pid)
        kill(p->sequencer.pid, SIGTERM);
    while (p->sequencer.pid || p->admin_child.pid) {
        reap(p);
        usleep(5000);
    }
    unlink(p->journal_path);
    if (strncmp(p->config->admin, "unix:", 5) == 0)
        unlink(p->config->admin + 5);
    for (unsigned i = 0; i < p->config->nlisten; i++)
        if (strncmp(p->config->listen[i], "unix:", 5) == 0)
            unlink(p->config->listen[i] + 5);
}

// True: end.
static bool
on_signal(struct parent *p)
{
    struct signalfd_siginfo s;
    while (read(p->signals, &s, sizeof s) == (ssize_t)sizeof s) {
        if (s.ssi_signo == SIGTERM || s.ssi_signo == SIGINT)
            return true;
        if (s.ssi_signo == SIGHUP) {
            struct agr_msg m = {.kind = AGR_MSG_RELOAD};
            agr_msg_send(p->admin_child.control, &m, -1);
        }
        if (s.ssi_signo == SIGCHLD)
            reap(p);
    }
    return false;
}

static bool
turn(struct parent *p)
{
    struct pollfd f[AGR_WORKERS_DEFAULT_MAX + 2];
    struct child *of[AGR_WORKERS_DEFAULT_MAX + 2];
    nfds_t n = 0;
    f[n++] = (struct pollfd){.fd = p->signals, .events = POLLIN};
    of[n] = &p->admin_child;
    f[n++] = (struct pollfd){.fd = p->admin_child.control, .events = POLLIN};
    for (long i = 0; i < p->config->workers; i++) {
        of[n] = &p->worker[i];
        f[n++] = (struct pollfd){.fd = p->worker[i].control, .events = POLLIN};
    }
    poll(f, n, 100);
    end_stuck(p);
    report_done(p);
    for (nfds_t i = 1; i < n; i++)
        if (f[i].revents & POLLIN)
            on_message(p, of[i]);
    return (f[0].revents & POLLIN) && on_signal(p);
}

static void
notify_ready(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (!path || strlen(path) >= sizeof a.sun_path)
        return;
    memcpy(a.sun_path, path, strlen(path));
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (a.sun_path[0] == '@')
        a.sun_path[0] = 0; // abstract
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return;
    if (sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&a, n) == -1)
        agr_log(AGR_LOG_WARNING, "NOTIFY_SOCKET: %s", strerror(errno));
    close(fd);
}

static void
announce(const struct parent *p)
{
    const struct agr_server_config *c = p->config;
    if (!agr_log_is(AGR_LOG_INFO))
        return;
    agr_log(AGR_LOG_INFO, "serving %s with %ld workers%s", c->policy, c->workers,
            c->is_sandboxed ? "" : ", no sandbox");
    for (unsigned i = 0; i < c->nlisten; i++)
        fprintf(stderr, "  data    %s%s (identity: %s)\n", strncmp(c->listen[i], "unix:", 5) ? "http://" : "",
                c->listen[i],
                p->data[i].identity == AGR_IDENTITY_KEY ? "key" : "request, the body says who asks");
    fprintf(stderr, "  admin   %s\n  metrics %s\n  audit   %s\n  state   %s\n", c->admin,
            *c->metrics ? c->metrics : "off", c->audit_dir, c->state_dir);
}

// The higher serial of POLICY and of what PUT left serves; PUT on a tie.
static bool
choose_policy(struct parent *p)
{
    struct agr_server_config *c = p->config;
    struct agr_store_options o = {.trust = (const uint8_t(*)[32])c->trust, .ntrust = c->ntrust};
    struct agr_store_policy given, kept;
    char path[4096];
    if (!agr_store_load(c->policy, &o, &given, p->why, sizeof p->why))
        return false;
    snprintf(path, sizeof path, "%s/policies/default.bin", c->state_dir);
    if (access(path, F_OK) == 0) {
        if (!agr_store_load(path, &o, &kept, p->why, sizeof p->why)) {
            agr_log(AGR_LOG_WARNING, "%s is left aside: %s", path, p->why);
        } else if (kept.serial >= given.serial && !c->ignore_kept) {
            agr_log(AGR_LOG_INFO, "serving the policy that was PUT (serial %llu); --ignore-kept serves %s",
                    (unsigned long long)kept.serial, c->policy);
            close(given.fd);
            given = kept;
        } else {
            close(kept.fd);
        }
    }
    p->policy_fd = given.fd;
    p->serial = given.serial;
    p->generation = p->reported = 1;
    return true;
}

// The key files are read by those who need them; a mistake in one is found before anything is started.
static bool
check_keys(struct parent *p)
{
    const struct agr_server_config *c = p->config;
    struct agr_admin_tokens tokens = {NULL, 0, 0};
    uint32_t n = 0;
    struct agr_api_key *keys = c->api_keys ? agr_keys_read(c->api_keys, &n, p->why, sizeof p->why) : NULL;
    agr_keys_free(keys, n);
    return (!c->api_keys || keys) &&
           (!c->admin_tokens || agr_tokens_read(c->admin_tokens, &tokens, p->why, sizeof p->why));
}

static bool
set_up(struct parent *p)
{
    sigset_t set;
    if (!check_keys(p))
        return false;
    if (!make_dir(p, p->config->state_dir) || !make_dir(p, p->config->audit_dir) || !take_lock(p) ||
        !open_state(p) || !choose_policy(p) || !bind_all(p))
        return false;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    p->sequencer_stop = eventfd(0, EFD_CLOEXEC);
    if (p->signals == -1 || p->sequencer_stop == -1) {
        snprintf(p->why, sizeof p->why, "signals: %s", strerror(errno));
        return false;
    }
    return true;
}

// Serves until a signal ends it; returns the exit code.
static int
serve_until_stopped(struct parent *p)
{
    if (!keep_running(p))
        return refuse("cannot start the processes");
    announce(p);
    notify_ready();
    bool is_ok = true;
    while (is_ok && !turn(p)) {
        is_ok = keep_running(p);
        if (!is_ok)
            agr_log(AGR_LOG_ERROR, "workers end before they serve; see the messages above");
    }
    stop(p);
    return is_ok ? 0 : 3;
}

int
agr_serve(struct agr_server_config *c)
{
    struct parent *p = calloc(1, sizeof *p);
    if (!p)
        return refuse("out of memory");
    agr_log_set(c->log_level);
    p->config = c;
    p->admin_child.control = p->sequencer.control = p->policy_fd = p->keys_fd = -1;
    for (unsigned i = 0; i < AGR_WORKERS_DEFAULT_MAX; i++)
        p->worker[i].control = -1;
    int code = set_up(p) ? serve_until_stopped(p) : refuse(p->why);
    agr_kill_close(p->kill);
    agr_state_close(p->state);
    free(p);
    return code;
}
