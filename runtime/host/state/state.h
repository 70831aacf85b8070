// SPDX-License-Identifier: Apache-2.0
// The shared state file: one mapping that every worker, admin and the parent share, without any lock.
// In: STATE/state (or anonymous memory in the simulator). Out: the sections drawn in docs/formats/state.md.
// Owns: the mapping and its descriptor. Thread rule: a struct agr_state is immutable after open; all
// functions may be called by many threads and processes at once except where said. Atomics: state/*.c and
// slot.c only, C11 on 64-bit words, always lock-free; a process killed at any instruction leaves nothing
// stuck. Next: table.h.
#ifndef AGR_STATE_H
#define AGR_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aegis.h"
#include "clock.h"
#include "str.h"

#define AGR_STATE_MAGIC          "AEGSTATE"
#define AGR_STATE_VERSION        1u
#define AGR_WORKERS_MAX          256u   // processes, or contexts of an embedder, at one moment
#define AGR_COUNTERS_MAX         256u   // rows of counters.def that fit
#define AGR_POLICIES_MAX         1024u  // names in the policy store
#define AGR_CRASH_DIGESTS        64u    // requests remembered for having killed a worker
#define AGR_CRASH_LIMIT          2u     // a digest that killed this often is refused
#define AGR_TENANT_CELLS         4096u  // counters per row of the share sketch (two rows)
#define AGR_ENTRIES_DEFAULT      65536u // table entries
#define AGR_ENTRIES_MIN          128u
#define AGR_ENTRIES_MAX          (1u << 26)
#define AGR_RING_DEFAULT         8192u // ring chunks of AGR_RING_CELLS times each
#define AGR_RESERVATIONS_DEFAULT 16384u
#define AGR_SHARE_DEFAULT        500u // permille of the table that one tenant may fill
#define AGR_TICK_NS              4    // unit of state time: 56 bits of it last 9 years

// What agr_state_open found.
enum agr_state_origin {
    AGR_STATE_NEW,     // there was no file: limits start fresh
    AGR_STATE_SAME,    // same kernel boot: used as it is
    AGR_STATE_RESTART, // another kernel boot, or a file that could not be read: rebuilt, no burst, quotas
                       // recovering
};

// 0 takes the default in every field.
struct agr_state_options {
    uint32_t entries;        // table entries, rounded up to a power of two
    uint32_t ring_chunks;    // rounded up to a power of two
    uint32_t reservations;   // rounded up to a power of two
    uint32_t share_permille; // of the entries, for one tenant; 1000 = all
    uint64_t bytes;          // when set and entries is 0: the largest table that fits in this many bytes
    const struct agr_clock *clock; // NULL = the system's; read once, to fix the origin of state time
};

// One worker's (or context's) line in the state file.
struct agr_worker {
    _Atomic uint64_t
        epoch; // odd from the commit-time read of the kill words until the reply left; partner kill.c
    _Atomic uint64_t digest;      // request in flight, 0 = none; partner: the parent, after a death
    _Atomic int64_t heartbeat_ns; // CLOCK_BOOTTIME of the last loop turn; partner: the parent's watchdog
    _Atomic uint64_t owner; // 0 free, else pid; claimed by CAS; partner: agr_worker_join, agr_worker_leave
    _Atomic uint64_t start_ticks; // start time from /proc/PID/stat: tells a reused pid from the worker
    _Atomic uint64_t served;      // answers sent since join
    uint64_t pad[10];
};

struct agr_state;

// Opens or makes DIR/state. *ret_origin (may be NULL) says what was found. The caller holds DIR/lock.
enum aegis_status agr_state_open(const char *dir, const struct agr_state_options *options,
                                 struct agr_state **ret, enum agr_state_origin *ret_origin,
                                 struct aegis_error *reterr);
// Maps a state file from a descriptor of an open one (duplicated; the caller keeps fd).
enum aegis_status agr_state_attach_fd(int fd, struct agr_state **ret, struct aegis_error *reterr);
// The same state in anonymous memory shared with children forked later: simulator and tests.
enum aegis_status agr_state_open_memory(const struct agr_state_options *options, struct agr_state **ret,
                                        struct aegis_error *reterr);
// Unmaps. NULL is accepted. The file stays.
void agr_state_close(struct agr_state *st);
// Descriptor of the state file for agr_state_attach_fd, -1 for memory; borrowed from st.
int agr_state_fd(const struct agr_state *st);

// State time: ticks of AGR_TICK_NS since the file was made, rounded down, never below 1.
uint64_t agr_state_ticks(const struct agr_state *st, int64_t boot_ns);
// Earliest tick at which a limiter may have had no burst: 0, or the start tick after a change of boot.
uint64_t agr_state_cold_tick(const struct agr_state *st);

// Quotas, budgets and containment answer AEGIS_STATE_UNAVAILABLE while this is true (`state_recovering`).
bool agr_state_is_recovering(const struct agr_state *st);
// The rebuild from the log is complete (admin, once).
void agr_state_recovered(struct agr_state *st);
// Starts a recovery: the log holds what this state does not (admin).
void agr_state_recover_begin(struct agr_state *st);

// ---- workers ----

// Takes a line for this process (pid = getpid()); its epoch is even afterwards. AEGIS_STATE when all are
// taken.
enum aegis_status agr_worker_join(struct agr_state *st, uint32_t *ret_ix);
// Gives the line back: by its owner, or by the parent after it reaped the owner. Makes the epoch even.
void agr_worker_leave(struct agr_state *st, uint32_t ix);
// The line, for reading by anyone and for writing by its owner.
struct agr_worker *agr_worker_at(struct agr_state *st, uint32_t ix);
// The line of a pid; AGR_WORKERS_MAX when there is none.
uint32_t agr_worker_find(struct agr_state *st, uint64_t pid);
// The owner names the request it works on; 0 when it is done. A digest of 0 is stored as 1.
void agr_worker_begin(struct agr_state *st, uint32_t ix, uint64_t digest);
void agr_worker_end(struct agr_state *st, uint32_t ix);
void agr_worker_beat(struct agr_state *st, uint32_t ix, int64_t boot_ns);
// The parent notes a death: counts the digest in flight (returned; 0 when idle) and frees the line.
uint64_t agr_worker_crashed(struct agr_state *st, uint32_t ix);
// True when this request killed AGR_CRASH_LIMIT workers.
bool agr_digest_is_refused(struct agr_state *st, uint64_t digest);

// ---- words ----

// Adds n to counter `counter` (row of counters.def, < AGR_COUNTERS_MAX) of worker ix; sums over all workers,
// dead too.
void agr_counter_add(struct agr_state *st, uint32_t ix, uint32_t counter, uint64_t n);
uint64_t agr_counter_sum(struct agr_state *st, uint32_t counter);
// A row of the same table that holds a level instead of a count: its owner sets it, the largest of all
// workers is read.
void agr_gauge_set(struct agr_state *st, uint32_t ix, uint32_t counter, uint64_t v);
uint64_t agr_gauge_max(struct agr_state *st, uint32_t counter);
// Generation of the policy with store number `policy` (< AGR_POLICIES_MAX): admin bumps it after a publish,
// workers compare it with what they mapped.
uint64_t agr_policy_generation(struct agr_state *st, uint32_t policy);
void agr_policy_bump(struct agr_state *st, uint32_t policy);

#endif
