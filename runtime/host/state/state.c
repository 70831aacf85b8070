// SPDX-License-Identifier: Apache-2.0
// Opens and makes the state file, and keeps its plain parts: workers, crash digests, counters, policy
// generations. In: a directory, a descriptor or nothing (anonymous memory). Out: struct agr_state. Owns:
// mapping and descriptor. Partners of the atomics are named in state.h and layout.h. Next: table.c.
#include "state/layout.h"

#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RING_MAX         (1u << 22)
#define RESERVATIONS_MIN 16u
#define RESERVATIONS_MAX (1u << 24)

static size_t
align_page(size_t n)
{
    return (n + 4095) & ~(size_t)4095;
}

static struct agr_sections
sections_of(uint32_t entries, uint32_t ring_chunks, uint32_t reservations)
{
    struct agr_sections s;
    s.workers = AGR_HEADER_SIZE;
    s.policies = s.workers + AGR_WORKERS_MAX * sizeof(struct agr_worker);
    s.crashes = s.policies + AGR_POLICIES_MAX * sizeof(uint64_t);
    s.counters = s.crashes + align_page(AGR_CRASH_DIGESTS * sizeof(struct agr_crash));
    s.shares = s.counters + AGR_WORKERS_MAX * AGR_COUNTERS_MAX * sizeof(uint64_t);
    s.entries = s.shares + 4 * AGR_TENANT_CELLS * sizeof(uint64_t);
    s.ring = s.entries + (size_t)entries * AGR_ENTRY_SIZE;
    s.reservations = s.ring + (size_t)ring_chunks * AGR_CHUNK_SIZE;
    s.size = align_page(s.reservations + (size_t)reservations * AGR_RECORD_SIZE);
    return s;
}

static bool
is_power(uint32_t n, uint32_t min, uint32_t max)
{
    return n >= min && n <= max && (n & (n - 1)) == 0;
}

static uint32_t
round_power(uint32_t n, uint32_t usual, uint32_t min, uint32_t max)
{
    if (n == 0)
        n = usual;
    uint32_t p = min;
    while (p < n && p < max)
        p *= 2;
    return p;
}

static uint64_t
header_check(const struct agr_state_header *h)
{
    uint64_t tag[2];
    ag_siphash128(h, offsetof(struct agr_state_header, recovering), h->key, tag);
    return tag[0];
}

// Sizes from the options; with `bytes` the ring and the reservations shrink until the table gets half of
// them.
static void
header_sizes(struct agr_state_header *h, const struct agr_state_options *o)
{
    h->ring_chunks = round_power(o->ring_chunks, AGR_RING_DEFAULT, AGR_ENTRIES_MIN, RING_MAX);
    h->reservations =
        round_power(o->reservations, AGR_RESERVATIONS_DEFAULT, RESERVATIONS_MIN, RESERVATIONS_MAX);
    h->entries = round_power(o->entries, AGR_ENTRIES_DEFAULT, AGR_ENTRIES_MIN, AGR_ENTRIES_MAX);
    if (o->bytes && !o->entries) {
        uint64_t fixed = sections_of(0, 0, 0).size;
        uint64_t room = o->bytes > fixed ? o->bytes - fixed : 0;
        while (!o->ring_chunks && h->ring_chunks > AGR_ENTRIES_MIN &&
               (uint64_t)h->ring_chunks * AGR_CHUNK_SIZE > room / 4)
            h->ring_chunks /= 2;
        while (!o->reservations && h->reservations > RESERVATIONS_MIN &&
               (uint64_t)h->reservations * AGR_RECORD_SIZE > room / 4)
            h->reservations /= 2;
        h->entries = AGR_ENTRIES_MIN;
        while (h->entries < AGR_ENTRIES_MAX &&
               sections_of(h->entries * 2, h->ring_chunks, h->reservations).size <= o->bytes)
            h->entries *= 2;
    }
    uint32_t permille = o->share_permille && o->share_permille < 1000 ? o->share_permille : 0;
    if (!o->share_permille)
        permille = AGR_SHARE_DEFAULT;
    h->share = permille ? (uint32_t)((uint64_t)h->entries * permille / 1000) : h->entries;
    if (h->share == 0)
        h->share = 1;
}

static enum aegis_status
header_make(struct agr_state_header *h, const struct agr_state_options *o, bool is_restart,
            struct aegis_error *reterr)
{
    struct agr_time now;
    agr_clock_now(o->clock ? o->clock : agr_clock_system(), &now);
    memcpy(h->magic, AGR_STATE_MAGIC, sizeof h->magic);
    h->version = AGR_STATE_VERSION;
    h->header_size = AGR_HEADER_SIZE;
    agr_kernel_boot(h->kernel_boot);
    if (!agr_random(h->own_boot, sizeof h->own_boot) || !agr_random(h->key, sizeof h->key))
        return agr_error(reterr, AEGIS_IO, "the kernel gives no random bytes: %s", strerror(errno));
    h->origin_boot_ns = now.boot_ns;
    h->created_wall_ns = now.wall_ns;
    h->cold_tick = is_restart ? 1 : 0;
    atomic_init(&h->recovering, is_restart ? 1 : 0);
    h->file_size = sections_of(h->entries, h->ring_chunks, h->reservations).size;
    h->check = header_check(h);
    return AEGIS_OK;
}

// What is wrong with a header, NULL when nothing is.
static const char *
header_fault(const struct agr_state_header *h, size_t size)
{
    if (size < AGR_HEADER_SIZE || memcmp(h->magic, AGR_STATE_MAGIC, sizeof h->magic) != 0)
        return "not an Aegis state file";
    if (h->version != AGR_STATE_VERSION || h->header_size != AGR_HEADER_SIZE)
        return "another layout version";
    if (h->file_size != size || !is_power(h->entries, AGR_ENTRIES_MIN, AGR_ENTRIES_MAX) ||
        !is_power(h->ring_chunks, AGR_ENTRIES_MIN, RING_MAX) ||
        !is_power(h->reservations, RESERVATIONS_MIN, RESERVATIONS_MAX) ||
        sections_of(h->entries, h->ring_chunks, h->reservations).size != size)
        return "its sizes do not fit together";
    return h->check == header_check(h) ? NULL : "its check value is wrong";
}

// Takes over map and fd (-1 for none).
static enum aegis_status
state_wrap(void *map, size_t size, int fd, struct agr_state **ret, struct aegis_error *reterr)
{
    struct agr_state *st = calloc(1, sizeof *st);
    if (!st) {
        munmap(map, size);
        if (fd != -1)
            close(fd);
        return agr_error(reterr, AEGIS_NO_MEMORY, "out of memory");
    }
    st->base = map;
    st->size = size;
    st->fd = fd;
    st->h = map;
    st->at = sections_of(st->h->entries, st->h->ring_chunks, st->h->reservations);
    st->buckets[AGR_TABLE_MAIN] = st->h->entries / AGR_BUCKET_SLOTS;
    st->buckets[AGR_TABLE_RING] = st->h->ring_chunks / AGR_BUCKET_SLOTS;
    *ret = st;
    return AEGIS_OK;
}

enum aegis_status
agr_state_attach_fd(int fd, struct agr_state **ret, struct aegis_error *reterr)
{
    struct stat sb;
    if (fstat(fd, &sb) == -1)
        return agr_error(reterr, AEGIS_IO, "the state descriptor: %s", strerror(errno));
    if (sb.st_size < (off_t)AGR_HEADER_SIZE)
        return agr_error(reterr, AEGIS_STATE_UNAVAILABLE, "the state file is shorter than its header");
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own == -1)
        return agr_error(reterr, AEGIS_IO, "the state descriptor: %s", strerror(errno));
    size_t size = (size_t)sb.st_size;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, own, 0);
    if (map == MAP_FAILED) {
        int e = errno;
        close(own);
        return agr_error(reterr, AEGIS_IO, "cannot map the state file: %s", strerror(e));
    }
    const char *fault = header_fault(map, size);
    if (fault) {
        munmap(map, size);
        close(own);
        return agr_error(reterr, AEGIS_STATE_UNAVAILABLE, "the state file cannot be used: %s", fault);
    }
    return state_wrap(map, size, own, ret, reterr);
}

// Tries DIR/state as it stands. AEGIS_STATE_UNAVAILABLE: it is there but must be made anew; AEGIS_OK with a
// NULL *ret: there is none.
static enum aegis_status
state_existing(const char *path, struct agr_state **ret, struct aegis_error *reterr)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    *ret = NULL;
    if (fd == -1)
        return errno == ENOENT ? AEGIS_OK
                               : agr_error(reterr, AEGIS_IO, "cannot open %s: %s", path, strerror(errno));
    enum aegis_status s = agr_state_attach_fd(fd, ret, reterr);
    close(fd);
    if (s != AEGIS_OK)
        return s;
    uint8_t boot[AGR_BOOT_ID_SIZE];
    agr_kernel_boot(boot);
    if (memcmp(boot, (*ret)->h->kernel_boot, sizeof boot) == 0)
        return AEGIS_OK;
    agr_state_close(*ret);
    *ret = NULL;
    return AEGIS_STATE_UNAVAILABLE;
}

enum aegis_status
agr_state_open(const char *dir, const struct agr_state_options *options, struct agr_state **ret,
               enum agr_state_origin *ret_origin, struct aegis_error *reterr)
{
    static const struct agr_state_options usual;
    const struct agr_state_options *o = options ? options : &usual;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/state", dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return agr_error(reterr, AEGIS_USAGE, "the state directory's name is too long: choose a shorter one");
    struct agr_state *st = NULL;
    enum aegis_status s = state_existing(path, &st, reterr);
    if (s != AEGIS_OK && s != AEGIS_STATE_UNAVAILABLE)
        return s;
    enum agr_state_origin origin = s != AEGIS_OK ? AGR_STATE_RESTART : st ? AGR_STATE_SAME : AGR_STATE_NEW;
    if (!st) {
        struct agr_state_header h = {.version = 0};
        header_sizes(&h, o);
        s = header_make(&h, o, origin == AGR_STATE_RESTART, reterr);
        int fd = -1;
        void *map = NULL;
        if (s == AEGIS_OK)
            s = agr_file_make(dir, "state", (size_t)h.file_size, &fd, &map, reterr);
        if (s != AEGIS_OK)
            return s;
        memcpy(map, &h, sizeof h);
        s = agr_file_publish(dir, "state", reterr);
        if (s != AEGIS_OK) {
            munmap(map, (size_t)h.file_size);
            close(fd);
            return s;
        }
        s = state_wrap(map, (size_t)h.file_size, fd, &st, reterr);
        if (s != AEGIS_OK)
            return s;
    }
    if (ret_origin)
        *ret_origin = origin;
    *ret = st;
    return AEGIS_OK;
}

enum aegis_status
agr_state_open_memory(const struct agr_state_options *options, struct agr_state **ret,
                      struct aegis_error *reterr)
{
    static const struct agr_state_options usual;
    const struct agr_state_options *o = options ? options : &usual;
    struct agr_state_header h = {.version = 0};
    header_sizes(&h, o);
    enum aegis_status s = header_make(&h, o, false, reterr);
    if (s != AEGIS_OK)
        return s;
    size_t size = (size_t)h.file_size;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return agr_error(reterr, AEGIS_NO_MEMORY, "cannot map %zu bytes of state: %s", size, strerror(errno));
    memcpy(map, &h, sizeof h);
    return state_wrap(map, size, -1, ret, reterr);
}

void
agr_state_close(struct agr_state *st)
{
    if (!st)
        return;
    munmap(st->base, st->size);
    if (st->fd != -1)
        close(st->fd);
    free(st);
}

int
agr_state_fd(const struct agr_state *st)
{
    return st->fd;
}

uint64_t
agr_state_ticks(const struct agr_state *st, int64_t boot_ns)
{
    if (boot_ns <= st->h->origin_boot_ns)
        return 1;
    uint64_t t = ((uint64_t)boot_ns - (uint64_t)st->h->origin_boot_ns) / AGR_TICK_NS + 1;
    return t < AGR_WORD_MASK ? t : AGR_WORD_MASK;
}

uint64_t
agr_state_cold_tick(const struct agr_state *st)
{
    return st->h->cold_tick;
}

bool
agr_state_is_recovering(const struct agr_state *st)
{
    return atomic_load_explicit(&st->h->recovering, memory_order_acquire) != 0;
}

void
agr_state_recovered(struct agr_state *st)
{
    atomic_store_explicit(&st->h->recovering, 0, memory_order_release);
}

void
agr_state_recover_begin(struct agr_state *st)
{
    atomic_store_explicit(&st->h->recovering, 1, memory_order_release);
}

// ---- workers ----

struct agr_worker *
agr_worker_at(struct agr_state *st, uint32_t ix)
{
    struct agr_worker *lines = (void *)(st->base + st->at.workers);
    return &lines[ix < AGR_WORKERS_MAX ? ix : AGR_WORKERS_MAX - 1];
}

static void
epoch_make_even(struct agr_worker *w)
{
    uint64_t e = atomic_load(&w->epoch);
    if (e & 1)
        (void)atomic_compare_exchange_strong(&w->epoch, &e, e + 1);
}

enum aegis_status
agr_worker_join(struct agr_state *st, uint32_t *ret_ix)
{
    uint64_t pid = (uint64_t)getpid();
    for (uint32_t i = 0; i < AGR_WORKERS_MAX; i++) {
        struct agr_worker *w = agr_worker_at(st, i);
        uint64_t none = 0;
        if (!atomic_compare_exchange_strong(&w->owner, &none, pid))
            continue;
        epoch_make_even(w);
        atomic_store(&w->digest, 0);
        atomic_store(&w->served, 0);
        atomic_store(&w->heartbeat_ns, 0);
        atomic_store(&w->start_ticks, agr_start_ticks(pid));
        *ret_ix = i;
        return AEGIS_OK;
    }
    return AEGIS_STATE;
}

void
agr_worker_leave(struct agr_state *st, uint32_t ix)
{
    struct agr_worker *w = agr_worker_at(st, ix);
    atomic_store(&w->digest, 0);
    atomic_store(&w->start_ticks, 0);
    epoch_make_even(w);
    atomic_store(&w->owner, 0);
}

uint32_t
agr_worker_find(struct agr_state *st, uint64_t pid)
{
    for (uint32_t i = 0; i < AGR_WORKERS_MAX; i++)
        if (atomic_load(&agr_worker_at(st, i)->owner) == pid)
            return i;
    return AGR_WORKERS_MAX;
}

void
agr_worker_begin(struct agr_state *st, uint32_t ix, uint64_t digest)
{
    atomic_store_explicit(&agr_worker_at(st, ix)->digest, digest ? digest : 1, memory_order_release);
}

void
agr_worker_end(struct agr_state *st, uint32_t ix)
{
    struct agr_worker *w = agr_worker_at(st, ix);
    atomic_store_explicit(&w->digest, 0, memory_order_release);
    // One writer: a load and a store are enough.
    atomic_store_explicit(&w->served, atomic_load_explicit(&w->served, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void
agr_worker_beat(struct agr_state *st, uint32_t ix, int64_t boot_ns)
{
    atomic_store_explicit(&agr_worker_at(st, ix)->heartbeat_ns, boot_ns, memory_order_release);
}

static struct agr_crash *
crash_table(struct agr_state *st)
{
    return (void *)(st->base + st->at.crashes);
}

uint64_t
agr_worker_crashed(struct agr_state *st, uint32_t ix)
{
    uint64_t digest = atomic_exchange(&agr_worker_at(st, ix)->digest, 0);
    agr_worker_leave(st, ix);
    if (!digest)
        return 0;
    struct agr_crash *t = crash_table(st), *place = &t[0];
    for (uint32_t i = 0; i < AGR_CRASH_DIGESTS; i++) {
        if (atomic_load(&t[i].digest) == digest) {
            atomic_fetch_add(&t[i].count, 1);
            return digest;
        }
        if (atomic_load(&t[i].count) < atomic_load(&place->count))
            place = &t[i];
    }
    // The count falls to 0 before the digest changes: no reader sees the new digest with the old count.
    atomic_store(&place->count, 0);
    atomic_store(&place->digest, digest);
    atomic_store(&place->count, 1);
    atomic_fetch_add(&st->h->crashes, 1);
    return digest;
}

bool
agr_digest_is_refused(struct agr_state *st, uint64_t digest)
{
    if (atomic_load_explicit(&st->h->crashes, memory_order_relaxed) == 0)
        return false;
    digest = digest ? digest : 1;
    const struct agr_crash *t = crash_table(st);
    for (uint32_t i = 0; i < AGR_CRASH_DIGESTS; i++)
        if (atomic_load(&t[i].digest) == digest)
            return atomic_load(&t[i].count) >= AGR_CRASH_LIMIT;
    return false;
}

// ---- words ----

static _Atomic uint64_t *
counter_at(struct agr_state *st, uint32_t ix, uint32_t counter)
{
    _Atomic uint64_t *words = (void *)(st->base + st->at.counters);
    return &words[(size_t)ix * AGR_COUNTERS_MAX + counter];
}

void
agr_counter_add(struct agr_state *st, uint32_t ix, uint32_t counter, uint64_t n)
{
    if (ix >= AGR_WORKERS_MAX || counter >= AGR_COUNTERS_MAX)
        return;
    // One writer per row: a load and a store cost a fifth of a locked add.
    _Atomic uint64_t *w = counter_at(st, ix, counter);
    atomic_store_explicit(w, atomic_load_explicit(w, memory_order_relaxed) + n, memory_order_relaxed);
}

uint64_t
agr_counter_sum(struct agr_state *st, uint32_t counter)
{
    uint64_t sum = 0;
    for (uint32_t ix = 0; counter < AGR_COUNTERS_MAX && ix < AGR_WORKERS_MAX; ix++)
        sum += atomic_load_explicit(counter_at(st, ix, counter), memory_order_relaxed);
    return sum;
}

void
agr_gauge_set(struct agr_state *st, uint32_t ix, uint32_t counter, uint64_t v)
{
    if (ix < AGR_WORKERS_MAX && counter < AGR_COUNTERS_MAX)
        atomic_store_explicit(counter_at(st, ix, counter), v, memory_order_relaxed);
}

uint64_t
agr_gauge_max(struct agr_state *st, uint32_t counter)
{
    uint64_t most = 0;
    for (uint32_t ix = 0; counter < AGR_COUNTERS_MAX && ix < AGR_WORKERS_MAX; ix++) {
        uint64_t v = atomic_load_explicit(counter_at(st, ix, counter), memory_order_relaxed);
        most = v > most ? v : most;
    }
    return most;
}

static _Atomic uint64_t *
policy_at(struct agr_state *st, uint32_t policy)
{
    _Atomic uint64_t *words = (void *)(st->base + st->at.policies);
    return &words[policy % AGR_POLICIES_MAX];
}

uint64_t
agr_policy_generation(struct agr_state *st, uint32_t policy)
{
    return atomic_load_explicit(policy_at(st, policy), memory_order_acquire);
}

void
agr_policy_bump(struct agr_state *st, uint32_t policy)
{
    atomic_fetch_add_explicit(policy_at(st, policy), 1, memory_order_acq_rel);
}
