// SPDX-License-Identifier: Apache-2.0
// Bytes of STATE/state as docs/formats/state.md draws them, and the opened mapping. Private to state/*.c.
// In: nothing. Out: structs of fixed layout. Owns: nothing. Thread rule: fields after `check` and everything
// behind the header are atomics; the fields before it never change after the file was made. Next: state.c.
#ifndef AGR_LAYOUT_H
#define AGR_LAYOUT_H

#include "state/budget.h"

#define AGR_HEADER_SIZE  4096u
#define AGR_BOOT_ID_SIZE 16u
#define AGR_ENTRY_SIZE   64u
#define AGR_CHUNK_SIZE   512u
#define AGR_RECORD_SIZE  128u

// Longest time by which one decision's clock may lag behind another's; an entry is stolen only when it has
// been equal to a fresh one for that long.
#define AGR_LAG_NS    INT64_C(2000000000)
#define AGR_LAG_TICKS ((uint64_t)(AGR_LAG_NS / AGR_TICK_NS))

struct agr_state_header {
    char magic[8];
    uint32_t version, header_size;
    uint64_t file_size;
    uint8_t kernel_boot[AGR_BOOT_ID_SIZE], own_boot[AGR_BOOT_ID_SIZE], key[16];
    int64_t origin_boot_ns, created_wall_ns;
    uint64_t cold_tick;
    uint32_t entries, ring_chunks, reservations, share;
    _Atomic uint64_t recovering; // partner: every charge of a quota or budget
    uint64_t check;              // over the bytes before `recovering`
    _Atomic uint64_t crashes;    // written by the parent, read by workers
};

struct agr_crash {
    _Atomic uint64_t digest, count; // written by the parent, read by workers
};

struct agr_reservation {
    _Atomic uint64_t word; // generation 16 | state 4 | ms 44; partner: every other caller of budget.c
    _Atomic uint64_t amount, check;
    _Atomic uint64_t part[8]; // offset / 8 in 40 bits | generation 8 | period 2 | window 14
    uint64_t pad[5];
};

struct agr_sections {
    size_t workers, policies, crashes, counters, shares, entries, ring, reservations, size;
};

struct agr_state {
    uint8_t *base;
    size_t size;
    int fd; // -1: anonymous memory
    struct agr_state_header *h;
    struct agr_sections at;
    uint64_t buckets[2]; // of enum agr_table
};

_Static_assert(sizeof(struct agr_worker) == 128, "a worker's line is two cache lines");
_Static_assert(sizeof(struct agr_reservation) == AGR_RECORD_SIZE, "layout of a reservation record");
_Static_assert(offsetof(struct agr_state_header, recovering) == 112, "layout of the header");
_Static_assert(offsetof(struct agr_entry, aux) + AGR_ENTRY_AUX * 8 == AGR_ENTRY_SIZE,
               "an entry is a cache line");
_Static_assert(offsetof(struct agr_entry, aux) + AGR_RING_CELLS * 8 == AGR_CHUNK_SIZE,
               "layout of a ring chunk");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must be lock-free to work between processes");

// Random bytes from the kernel; false when it has none.
bool agr_random(void *p, size_t n);
// The kernel's boot id as 16 bytes; zeros when it cannot be read.
void agr_kernel_boot(uint8_t ret[AGR_BOOT_ID_SIZE]);
// Field 22 of /proc/PID/stat, 0 when there is none.
uint64_t agr_start_ticks(uint64_t pid);
// Fills reterr (may be NULL) and returns status.
enum aegis_status agr_error(struct aegis_error *reterr, enum aegis_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// Makes DIR/name of `size` bytes with its blocks allotted, under a temporary name; *ret_map is writable. The
// caller fills it and calls agr_file_publish, which renames it over DIR/name.
enum aegis_status agr_file_make(const char *dir, const char *name, size_t size, int *ret_fd, void **ret_map,
                                struct aegis_error *reterr);
enum aegis_status agr_file_publish(const char *dir, const char *name, struct aegis_error *reterr);

// One try to charge the window word of a quota or budget; the part that both share.
struct agr_window_state {
    uint32_t window;   // the newer of the word's and the clock's
    uint64_t used;     // in that window, after the call
    uint64_t previous; // in the one before
};
enum aegis_status agr_window_peek(struct agr_state *st, const struct agr_key *key, uint64_t cap, uint64_t n,
                                  const struct agr_time *now, struct agr_view *ret,
                                  struct agr_window_state *ret_w);
enum aegis_status agr_window_take(struct agr_state *st, const struct agr_key *key, uint64_t cap, uint64_t n,
                                  bool charge_over, const struct agr_time *now, struct agr_view *ret,
                                  struct agr_charge *ret_charge, struct agr_window_state *ret_w);
enum aegis_status agr_window_restore(struct agr_state *st, const struct agr_key *key, uint32_t window,
                                     uint64_t count, const struct agr_time *now,
                                     struct agr_charge *ret_charge);
// Adds `delta` (may be negative) to the count of a charge's window; false when that window or owner is gone.
bool agr_window_adjust(struct agr_state *st, const struct agr_charge *c, int64_t delta);

#endif
