// SPDX-License-Identifier: Apache-2.0
// The kill switch: words written by admin alone, and the wait that makes an engagement final.
// In: tenant, agent, tool. Out: engaged or not; texts. Owns: the mapping of STATE/kill and its descriptors.
//
// Why the wait is enough: worker "epoch := odd; read words", admin "word := engaged; read epochs", all
// sequentially consistent. If admin read an even epoch, the worker's next odd store comes later in that order
// and its reading of the words sees the switch. If admin read an odd one it waits until that span ended or
// its process is dead. Partners: the word and count of a place are stored here (writer) and loaded in
// agr_kill_check (workers); epochs are stored in agr_kill_enter and agr_kill_leave (workers) and loaded in
// agr_kill_wait (admin). Next: runtime/server.
#include "state/kill.h"

#include "state/layout.h"

#include "hash.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define READY       UINT64_C(0x5944414552) // "READY"
#define ENGAGED     UINT64_C(1)
#define DEATH_MS    10000 // an ended process that is still there after this is given up on
#define PROBE_SLOTS (AGR_KILL_SLOTS - 1)

struct kill_header {
    char magic[8];
    uint32_t version, header_size;
    uint64_t file_size;
    uint8_t kernel_boot[AGR_BOOT_ID_SIZE], key[16];
    uint64_t zero;
    _Atomic uint64_t ready, engaged, changes;
};

struct kill_place {
    _Atomic uint64_t tag[2], word; // word: change number 48 << 8 | scope 4 << 4 | engaged 1; 0 = never used
    uint64_t zero;
};

struct kill_text {
    _Atomic int64_t at_ns;
    _Atomic uint16_t tenant_n, subject_n, by_n, reason_n;
    char tenant[AGR_KILL_NAME_MAX], subject[AGR_KILL_NAME_MAX], by[AGR_KILL_BY_MAX],
        reason[AGR_KILL_REASON_SIZE];
    uint8_t pad[3072 - 16 - 2 * AGR_KILL_NAME_MAX - AGR_KILL_BY_MAX - AGR_KILL_REASON_SIZE];
};

#define PLACES_AT ((size_t)AGR_HEADER_SIZE)
#define TEXTS_AT  (PLACES_AT + AGR_KILL_SLOTS * sizeof(struct kill_place))
#define KILL_SIZE (TEXTS_AT + AGR_KILL_SLOTS * sizeof(struct kill_text))

_Static_assert(offsetof(struct kill_header, ready) == 64, "layout of the header");
_Static_assert(sizeof(struct kill_place) == 32 && sizeof(struct kill_text) == 3072,
               "layout of places and texts");

struct agr_kill {
    uint8_t *base;
    int fd, read_fd; // -1: anonymous memory
    bool is_writer;
    struct kill_header *h;
    struct kill_place *places;
    struct kill_text *texts;
};

// ---- opening ----

static void
header_fill(struct kill_header *h, bool is_ready)
{
    memcpy(h->magic, AGR_KILL_MAGIC, sizeof h->magic);
    h->version = AGR_KILL_VERSION;
    h->header_size = AGR_HEADER_SIZE;
    h->file_size = KILL_SIZE;
    agr_kernel_boot(h->kernel_boot);
    atomic_store(&h->ready, is_ready ? READY : 0);
}

static bool
header_fits(const struct kill_header *h)
{
    return memcmp(h->magic, AGR_KILL_MAGIC, sizeof h->magic) == 0 && h->version == AGR_KILL_VERSION &&
           h->header_size == AGR_HEADER_SIZE && h->file_size == KILL_SIZE;
}

// Takes over map and descriptors.
static enum aegis_status
kill_wrap(void *map, int fd, int read_fd, bool is_writer, struct agr_kill **ret, struct aegis_error *reterr)
{
    struct agr_kill *k = calloc(1, sizeof *k);
    if (!k) {
        munmap(map, KILL_SIZE);
        if (fd != -1)
            close(fd);
        if (read_fd != -1)
            close(read_fd);
        return agr_error(reterr, AEGIS_NO_MEMORY, "out of memory");
    }
    k->base = map;
    k->fd = fd;
    k->read_fd = read_fd;
    k->is_writer = is_writer;
    k->h = map;
    k->places = (void *)(k->base + PLACES_AT);
    k->texts = (void *)(k->base + TEXTS_AT);
    *ret = k;
    return AEGIS_OK;
}

static enum aegis_status
kill_map(int fd, int read_fd, bool is_writer, struct agr_kill **ret, struct aegis_error *reterr)
{
    struct stat sb;
    void *map = MAP_FAILED;
    enum aegis_status s = AEGIS_OK;
    if (fstat(fd, &sb) == -1)
        s = agr_error(reterr, AEGIS_IO, "the kill switch descriptor: %s", strerror(errno));
    else if (sb.st_size != (off_t)KILL_SIZE)
        s = agr_error(reterr, AEGIS_KILL_UNREADABLE, "the kill switch file has a wrong size");
    else {
        map = mmap(NULL, KILL_SIZE, PROT_READ | (is_writer ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
            s = agr_error(reterr, AEGIS_IO, "cannot map the kill switch file: %s", strerror(errno));
        else if (!header_fits(map))
            s = agr_error(reterr, AEGIS_KILL_UNREADABLE, "the kill switch file has a foreign header");
    }
    if (s == AEGIS_OK)
        return kill_wrap(map, fd, read_fd, is_writer, ret, reterr);
    if (map != MAP_FAILED)
        munmap(map, KILL_SIZE);
    close(fd);
    if (read_fd != -1)
        close(read_fd);
    return s;
}

static enum aegis_status
kill_make(const char *dir, const uint8_t key[16], struct aegis_error *reterr)
{
    int fd = -1;
    void *map = NULL;
    enum aegis_status s = agr_file_make(dir, "kill", KILL_SIZE, &fd, &map, reterr);
    if (s != AEGIS_OK)
        return s;
    struct kill_header *h = map;
    memcpy(h->key, key, sizeof h->key);
    header_fill(h, false);
    munmap(map, KILL_SIZE);
    int e = fsync(fd) == -1 ? errno : 0;
    close(fd);
    if (e)
        return agr_error(reterr, AEGIS_IO, "cannot sync the kill switch file: %s", strerror(e));
    return agr_file_publish(dir, "kill", reterr);
}

// Another boot: what is on the disk may be torn, the log is the truth. The same boot: the count may be too
// high when the writer before was killed between it and a word.
static void
writer_begin(struct agr_kill *k)
{
    uint8_t boot[AGR_BOOT_ID_SIZE];
    agr_kernel_boot(boot);
    if (memcmp(boot, k->h->kernel_boot, sizeof boot) != 0) {
        agr_kill_rebuild(k);
        memcpy(k->h->kernel_boot, boot, sizeof boot);
        return;
    }
    uint64_t engaged = 0;
    for (uint32_t i = 0; i < AGR_KILL_SLOTS; i++)
        engaged += atomic_load(&k->places[i].word) & ENGAGED;
    atomic_store(&k->h->engaged, engaged);
}

enum aegis_status
agr_kill_open(const char *dir, bool is_writer, struct agr_kill **ret, struct aegis_error *reterr)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/kill", dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return agr_error(reterr, AEGIS_USAGE, "the state directory's name is too long: choose a shorter one");
    uint8_t key[16];
    for (int try = 0; try < 2; try++) {
        int fd = open(path, (is_writer ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
        bool is_missing = fd == -1 && errno == ENOENT;
        if (fd == -1 && (!is_missing || !is_writer))
            return agr_error(reterr, is_missing ? AEGIS_KILL_UNREADABLE : AEGIS_IO, "cannot open %s: %s",
                             path, strerror(errno));
        if (fd != -1) {
            int read_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
            if (read_fd == -1) {
                int e = errno;
                close(fd);
                return agr_error(reterr, AEGIS_IO, "cannot open %s: %s", path, strerror(e));
            }
            enum aegis_status s = kill_map(fd, read_fd, is_writer, ret, reterr);
            if (s == AEGIS_OK && is_writer)
                writer_begin(*ret);
            if (s != AEGIS_KILL_UNREADABLE || !is_writer)
                return s;
        }
        if (!agr_random(key, sizeof key))
            return agr_error(reterr, AEGIS_IO, "the kernel gives no random bytes: %s", strerror(errno));
        enum aegis_status s = kill_make(dir, key, reterr);
        if (s != AEGIS_OK)
            return s;
    }
    return agr_error(reterr, AEGIS_KILL_UNREADABLE, "%s cannot be read after it was made anew", path);
}

enum aegis_status
agr_kill_attach_fd(int fd, bool is_writer, struct agr_kill **ret, struct aegis_error *reterr)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own == -1)
        return agr_error(reterr, AEGIS_IO, "the kill switch descriptor: %s", strerror(errno));
    return kill_map(own, -1, is_writer, ret, reterr);
}

enum aegis_status
agr_kill_open_memory(struct agr_kill **ret, struct aegis_error *reterr)
{
    void *map =
        mmap(NULL, KILL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return agr_error(reterr, AEGIS_NO_MEMORY, "cannot map the kill switch: %s", strerror(errno));
    struct kill_header *h = map;
    if (!agr_random(h->key, sizeof h->key)) {
        munmap(map, KILL_SIZE);
        return agr_error(reterr, AEGIS_IO, "the kernel gives no random bytes: %s", strerror(errno));
    }
    header_fill(h, true);
    return kill_wrap(map, -1, -1, true, ret, reterr);
}

void
agr_kill_close(struct agr_kill *k)
{
    if (!k)
        return;
    munmap(k->base, KILL_SIZE);
    if (k->fd != -1)
        close(k->fd);
    if (k->read_fd != -1)
        close(k->read_fd);
    free(k);
}

int
agr_kill_fd(const struct agr_kill *k)
{
    return k->read_fd != -1 ? k->read_fd : k->fd;
}

bool
agr_kill_is_ready(const struct agr_kill *k)
{
    return atomic_load(&k->h->ready) == READY;
}

void
agr_kill_ready(struct agr_kill *k)
{
    atomic_store(&k->h->ready, READY);
}

void
agr_kill_rebuild(struct agr_kill *k)
{
    atomic_store(&k->h->ready, 0);
    uint64_t change = atomic_fetch_add(&k->h->changes, 1) + 1;
    atomic_store(&k->h->engaged, 0);
    for (uint32_t i = 0; i < AGR_KILL_SLOTS; i++)
        if (atomic_load(&k->places[i].word))
            atomic_store(&k->places[i].word, change << 8);
}

// ---- readers ----

void
agr_kill_enter(struct agr_state *st, uint32_t worker)
{
    // Sequentially consistent: the reading of the words that follows must not move before it.
    atomic_fetch_add(&agr_worker_at(st, worker)->epoch, 1);
}

void
agr_kill_leave(struct agr_state *st, uint32_t worker)
{
    atomic_fetch_add(&agr_worker_at(st, worker)->epoch, 1);
}

static void
put_name(uint8_t *mem, size_t *n, struct ag_str s)
{
    mem[(*n)++] = (uint8_t)(s.n & 255);
    mem[(*n)++] = (uint8_t)(s.n >> 8);
    if (s.n)
        memcpy(mem + *n, s.p, s.n);
    *n += s.n;
}

static void
tag_make(const struct agr_kill *k, enum agr_kill_scope scope, struct ag_str tenant, struct ag_str subject,
         uint64_t ret[2])
{
    uint8_t mem[1 + 2 * (2 + AGR_KILL_NAME_MAX)];
    size_t n = 0;
    mem[n++] = (uint8_t)scope;
    put_name(mem, &n, tenant);
    put_name(mem, &n, subject);
    ag_siphash128(mem, n, k->h->key, ret);
}

// The place of a tag: its index and word; AGR_KILL_SLOTS when there is none. *ret_free is the first reusable
// place on the way. False: the places make no sense.
static bool
place_find(const struct agr_kill *k, const uint64_t tag[2], uint32_t *ret_ix, uint64_t *ret_word,
           uint32_t *ret_free)
{
    *ret_ix = *ret_free = AGR_KILL_SLOTS;
    *ret_word = 0;
    for (uint32_t i = 0; i < AGR_KILL_SLOTS; i++) {
        uint32_t ix = (uint32_t)(tag[0] + i) & PROBE_SLOTS;
        struct kill_place *p = &k->places[ix];
        uint64_t word = atomic_load(&p->word), t0, t1;
        do {
            *ret_word = word;
            t0 = atomic_load(&p->tag[0]);
            t1 = atomic_load(&p->tag[1]);
            word = atomic_load(&p->word); // a change in between: the tags may be of two switches
        } while (word != *ret_word);
        if (word & 0x0e || (word >> 4 & 15) > AGR_KILL_TOOL)
            return false;
        if (!(word & ENGAGED) && *ret_free == AGR_KILL_SLOTS)
            *ret_free = ix;
        if (word == 0)
            return true;
        if (t0 == tag[0] && t1 == tag[1]) {
            *ret_ix = ix;
            return true;
        }
    }
    return true;
}

enum aegis_status
agr_kill_check(const struct agr_kill *k, struct ag_str tenant, struct ag_str agent, struct ag_str tool,
               struct agr_kill_hit *ret)
{
    *ret = (struct agr_kill_hit){.is_engaged = false};
    if (!k || atomic_load(&k->h->ready) != READY)
        return AEGIS_KILL_UNREADABLE;
    uint64_t engaged = atomic_load(&k->h->engaged);
    if (engaged == 0)
        return AEGIS_OK;
    if (engaged > AGR_KILL_MAX)
        return AEGIS_KILL_UNREADABLE;
    const struct ag_str all = AG_STR("*"), none = AG_STR("");
    const struct {
        enum agr_kill_scope scope;
        struct ag_str tenant, subject;
    } asked[] = {
        {AGR_KILL_GLOBAL, all, none}, {AGR_KILL_TENANT, tenant, none}, {AGR_KILL_AGENT, tenant, agent},
        {AGR_KILL_AGENT, all, agent}, {AGR_KILL_TOOL, tenant, tool},   {AGR_KILL_TOOL, all, tool},
    };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        // Longer names than a switch can have are matched by none.
        if (asked[i].tenant.n > AGR_KILL_NAME_MAX || asked[i].subject.n > AGR_KILL_NAME_MAX)
            continue;
        uint64_t tag[2], word;
        uint32_t ix, unused;
        tag_make(k, asked[i].scope, asked[i].tenant, asked[i].subject, tag);
        if (!place_find(k, tag, &ix, &word, &unused))
            return AEGIS_KILL_UNREADABLE;
        if (ix == AGR_KILL_SLOTS || !(word & ENGAGED))
            continue;
        *ret = (struct agr_kill_hit){true, asked[i].scope, atomic_load(&k->texts[ix].at_ns), ix, word};
        return AEGIS_OK;
    }
    return AEGIS_OK;
}

// memcpy for bytes that the writer may be changing: the caller throws the copy away when the word has
// changed.
__attribute__((no_sanitize("thread"))) static void
copy_shared(char *to, const char *from, size_t n)
{
    const volatile char *p = from;
    for (size_t i = 0; i < n; i++)
        to[i] = p[i];
}

bool
agr_kill_text(const struct agr_kill *k, const struct agr_kill_hit *hit, char *mem, struct ag_str *ret_by,
              struct ag_str *ret_reason)
{
    const struct kill_text *t = &k->texts[hit->slot & PROBE_SLOTS];
    size_t by_n = t->by_n < AGR_KILL_BY_MAX ? t->by_n : AGR_KILL_BY_MAX;
    size_t reason_n = t->reason_n < AGR_KILL_REASON_SIZE ? t->reason_n : AGR_KILL_REASON_SIZE;
    copy_shared(mem, t->by, by_n);
    copy_shared(mem + by_n, t->reason, reason_n);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load(&k->places[hit->slot & PROBE_SLOTS].word) != hit->word)
        return false;
    *ret_by = ag_str_of(mem, by_n);
    *ret_reason = ag_str_of(mem + by_n, reason_n);
    return true;
}

// ---- writer ----

static uint64_t
characters(struct ag_str s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
    return n;
}

static enum aegis_status
entry_check(const struct agr_kill_entry *e, struct aegis_error *reterr)
{
    bool is_all = ag_str_is(e->tenant, "*");
    bool has_subject = e->scope == AGR_KILL_AGENT || e->scope == AGR_KILL_TOOL;
    if (e->scope < AGR_KILL_GLOBAL || e->scope > AGR_KILL_TOOL)
        return agr_error(reterr, AEGIS_USAGE, "unknown scope of a kill switch");
    if (e->reason.n == 0)
        return agr_error(reterr, AEGIS_USAGE, "a kill switch needs a reason of 1 to %u characters",
                         AGR_KILL_REASON_MAX);
    if (!ag_utf8_valid(e->reason.p, e->reason.n) || !ag_utf8_valid(e->by.p, e->by.n))
        return agr_error(reterr, AEGIS_USAGE, "reason and operator must be UTF-8");
    if (characters(e->reason) > AGR_KILL_REASON_MAX)
        return agr_error(reterr, AEGIS_USAGE, "the reason has more than %u characters", AGR_KILL_REASON_MAX);
    if (e->by.n > AGR_KILL_BY_MAX)
        return agr_error(reterr, AEGIS_USAGE, "the operator's name has more than %u bytes", AGR_KILL_BY_MAX);
    if (e->tenant.n == 0 || e->tenant.n > AGR_KILL_NAME_MAX || e->subject.n > AGR_KILL_NAME_MAX)
        return agr_error(reterr, AEGIS_USAGE, "tenant, agent and tool have 1 to %u bytes", AGR_KILL_NAME_MAX);
    if (has_subject != (e->subject.n > 0))
        return agr_error(reterr, AEGIS_USAGE,
                         has_subject ? "name the agent or tool to stop"
                                     : "only an agent or tool switch names one");
    if (is_all ? e->scope == AGR_KILL_TENANT : e->scope == AGR_KILL_GLOBAL)
        return agr_error(reterr, AEGIS_USAGE, "the tenant \"*\" and the global scope go together");
    return AEGIS_OK;
}

// A reused place is empty (not engaged) for as long as its tag and texts are half written.
static void
place_write(struct agr_kill *k, uint32_t ix, const uint64_t tag[2], const struct agr_kill_entry *e)
{
    struct kill_place *p = &k->places[ix];
    struct kill_text *t = &k->texts[ix];
    uint64_t change = atomic_fetch_add(&k->h->changes, 2) + 1;
    if (atomic_load(&p->word))
        atomic_store(&p->word, change << 8);
    atomic_store(&p->tag[0], tag[0]);
    atomic_store(&p->tag[1], tag[1]);
    atomic_store(&t->at_ns, e->at_ns);
    t->tenant_n = (uint16_t)e->tenant.n;
    t->subject_n = (uint16_t)e->subject.n;
    t->by_n = (uint16_t)e->by.n;
    t->reason_n = (uint16_t)e->reason.n;
    memcpy(t->tenant, e->tenant.p, e->tenant.n);
    if (e->subject.n)
        memcpy(t->subject, e->subject.p, e->subject.n);
    if (e->by.n)
        memcpy(t->by, e->by.p, e->by.n);
    memcpy(t->reason, e->reason.p, e->reason.n);
    // The count first: a reader that saw 0 had its epoch odd before the wait looks at it.
    atomic_fetch_add(&k->h->engaged, 1);
    atomic_store(&p->word, (change + 1) << 8 | (uint64_t)e->scope << 4 | ENGAGED);
}

static enum aegis_status
kill_sync(struct agr_kill *k, struct aegis_error *reterr)
{
    if (k->fd == -1 || msync(k->base, KILL_SIZE, MS_SYNC) == 0)
        return AEGIS_OK;
    return agr_error(reterr, AEGIS_IO, "the kill switch holds in memory but cannot be synced: %s",
                     strerror(errno));
}

enum aegis_status
agr_kill_engage(struct agr_kill *k, struct agr_state *st, const struct agr_kill_entry *e, agr_kill_slow slow,
                void *arg, uint32_t *ret_slow, struct aegis_error *reterr)
{
    enum aegis_status s = entry_check(e, reterr);
    if (s != AEGIS_OK)
        return s;
    if (!k->is_writer)
        return agr_error(reterr, AEGIS_USAGE, "only the admin process may engage a kill switch");
    uint64_t tag[2], word;
    uint32_t ix, unused;
    tag_make(k, e->scope, e->tenant, e->subject, tag);
    if (!place_find(k, tag, &ix, &word, &unused))
        return agr_error(reterr, AEGIS_KILL_UNREADABLE,
                         "the kill switch file is damaged: rebuild it from the log");
    if (ix == AGR_KILL_SLOTS || !(word & ENGAGED)) {
        ix = ix == AGR_KILL_SLOTS ? unused : ix;
        if (ix == AGR_KILL_SLOTS || atomic_load(&k->h->engaged) >= AGR_KILL_MAX)
            return agr_error(reterr, AEGIS_STATE,
                             "%u kill switches are engaged already: lift one, or engage \"*\"", AGR_KILL_MAX);
        place_write(k, ix, tag, e);
    }
    s = st ? agr_kill_wait(st, slow, arg, ret_slow) : AEGIS_OK;
    if (s != AEGIS_OK)
        return agr_error(reterr, s, "the switch is set, but a worker that began before could not be ended");
    return kill_sync(k, reterr);
}

// Ends a worker whose pid still names the process that joined, and waits for its end.
static bool
end_worker(struct agr_worker *w, uint64_t pid)
{
    uint64_t start = atomic_load(&w->start_ticks);
    if (pid == (uint64_t)getpid() || start == 0)
        return false;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0u);
    if (fd == -1)
        return errno == ESRCH;
    // The descriptor holds the process still: what it names now is what the signal reaches.
    bool is_gone = agr_start_ticks(pid) != start;
    if (!is_gone && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0u) == 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        is_gone = poll(&p, 1, DEATH_MS) == 1;
    }
    close(fd);
    return is_gone;
}

// A dead process sends nothing: its odd epoch means nothing any more.
static bool
is_dead(struct agr_worker *w, uint64_t pid)
{
    uint64_t start = atomic_load(&w->start_ticks);
    if (pid == 0)
        return true;
    return start != 0 && agr_start_ticks(pid) != start;
}

static enum aegis_status
wait_one(struct agr_state *st, uint32_t ix, uint64_t epoch, const struct agr_time *begin, agr_kill_slow slow,
         void *arg)
{
    struct agr_worker *w = agr_worker_at(st, ix);
    const struct timespec nap = {.tv_nsec = 20000};
    for (;;) {
        if (atomic_load(&w->epoch) != epoch)
            return AEGIS_OK;
        uint64_t pid = atomic_load(&w->owner);
        struct agr_time now;
        agr_clock_now(agr_clock_system(), &now);
        if (now.boot_ns - begin->boot_ns >= AGR_KILL_PATIENCE_NS) {
            if (is_dead(w, pid) || (slow ? slow(arg, ix, pid) : end_worker(w, pid)))
                return AEGIS_OK;
            return atomic_load(&w->epoch) != epoch ? AEGIS_OK : AEGIS_BUSY;
        }
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
    }
}

enum aegis_status
agr_kill_wait(struct agr_state *st, agr_kill_slow slow, void *arg, uint32_t *ret_slow)
{
    uint64_t seen[AGR_WORKERS_MAX];
    struct agr_time begin;
    agr_clock_now(agr_clock_system(), &begin);
    for (uint32_t i = 0; i < AGR_WORKERS_MAX; i++)
        seen[i] = atomic_load(&agr_worker_at(st, i)->epoch);
    enum aegis_status s = AEGIS_OK;
    for (uint32_t i = 0; i < AGR_WORKERS_MAX; i++) {
        if (!(seen[i] & 1) || wait_one(st, i, seen[i], &begin, slow, arg) == AEGIS_OK)
            continue;
        s = AEGIS_BUSY;
        if (ret_slow)
            *ret_slow = i;
    }
    return s;
}

enum aegis_status
agr_kill_disengage(struct agr_kill *k, enum agr_kill_scope scope, struct ag_str tenant, struct ag_str subject,
                   bool *ret_was_engaged)
{
    if (ret_was_engaged)
        *ret_was_engaged = false;
    if (!k->is_writer || tenant.n > AGR_KILL_NAME_MAX || subject.n > AGR_KILL_NAME_MAX)
        return AEGIS_USAGE;
    uint64_t tag[2], word;
    uint32_t ix, unused;
    tag_make(k, scope, tenant, subject, tag);
    if (!place_find(k, tag, &ix, &word, &unused))
        return AEGIS_KILL_UNREADABLE;
    if (ix == AGR_KILL_SLOTS || !(word & ENGAGED))
        return AEGIS_OK;
    uint64_t change = atomic_fetch_add(&k->h->changes, 1) + 1;
    atomic_store(&k->places[ix].word, change << 8);
    atomic_fetch_sub(&k->h->engaged, 1);
    if (ret_was_engaged)
        *ret_was_engaged = true;
    // Places at the end of a chain become unused again, so that chains do not grow with every tenant ever
    // stopped.
    while (atomic_load(&k->places[(ix + 1) & PROBE_SLOTS].word) == 0) {
        word = atomic_load(&k->places[ix].word);
        if (word == 0 || word & ENGAGED)
            break;
        atomic_store(&k->places[ix].word, 0);
        ix = (ix + PROBE_SLOTS) & PROBE_SLOTS;
    }
    return kill_sync(k, NULL);
}

bool
agr_kill_next(const struct agr_kill *k, uint32_t *at, struct agr_kill_entry *ret)
{
    for (; *at < AGR_KILL_SLOTS; (*at)++) {
        uint64_t word = atomic_load(&k->places[*at].word);
        const struct kill_text *t = &k->texts[*at];
        if (!(word & ENGAGED) || t->tenant_n > AGR_KILL_NAME_MAX || t->subject_n > AGR_KILL_NAME_MAX ||
            t->by_n > AGR_KILL_BY_MAX || t->reason_n > AGR_KILL_REASON_SIZE)
            continue;
        *ret = (struct agr_kill_entry){.scope = (enum agr_kill_scope)(word >> 4 & 15),
                                       .tenant = ag_str_of(t->tenant, t->tenant_n),
                                       .subject = ag_str_of(t->subject, t->subject_n),
                                       .by = ag_str_of(t->by, t->by_n),
                                       .reason = ag_str_of(t->reason, t->reason_n),
                                       .at_ns = atomic_load(&t->at_ns)};
        (*at)++;
        return true;
    }
    return false;
}
