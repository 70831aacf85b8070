// SPDX-License-Identifier: Apache-2.0
// The kill switch: words that only admin writes (STATE/kill, mapped read-only by workers) and the epoch
// protocol that makes an acknowledged engagement final: after agr_kill_engage returned AEGIS_OK no allow of
// an older reading leaves. In: tenant, agent, tool. Out: engaged or not, by whom, when, why. Owns: the
// mapping. Thread rule: one writer process (admin) and one thread in it; any number of readers. Next:
// docs/formats/state.md.
//
//   worker:  agr_kill_enter (epoch odd) -> agr_kill_check -> send the reply -> agr_kill_leave (epoch even)
//   admin:   store the word -> for each odd epoch seen: wait until it changes, or end that worker ->
//   acknowledge
#ifndef AGR_KILL_H
#define AGR_KILL_H

#include "state/state.h"

#define AGR_KILL_MAGIC       "AEGKILL1"
#define AGR_KILL_VERSION     1u
#define AGR_KILL_SLOTS       2048u              // places for switches
#define AGR_KILL_MAX         1024u              // engaged at one moment
#define AGR_KILL_NAME_MAX    256u               // bytes of tenant, agent or tool
#define AGR_KILL_BY_MAX      128u               // bytes of the operator's name
#define AGR_KILL_REASON_MAX  500u               // characters; 1 at least
#define AGR_KILL_REASON_SIZE 2000u              // bytes of that many characters
#define AGR_KILL_PATIENCE_NS INT64_C(100000000) // a worker that takes longer is ended

enum agr_kill_scope { AGR_KILL_GLOBAL, AGR_KILL_TENANT, AGR_KILL_AGENT, AGR_KILL_TOOL };

struct agr_kill;

// A switch as admin gives it and as GET shows it. Strings borrow: from the caller when engaging, from the
// mapping when read by the writer (until its next change).
struct agr_kill_entry {
    enum agr_kill_scope scope; // GLOBAL: tenant is "*" and agent and tool are empty
    struct ag_str tenant;      // "*" with scope AGENT or TOOL: that agent or tool of every tenant
    struct ag_str subject;     // agent or tool; empty for GLOBAL and TENANT
    struct ag_str by, reason;
    int64_t at_ns; // UNIX time
};

// What a worker reads. Copies, so that it stays while admin goes on.
struct agr_kill_hit {
    bool is_engaged;
    enum agr_kill_scope scope;
    int64_t at_ns;
    uint32_t slot; // where it stands, for agr_kill_text
    uint64_t word;
};

// Opens DIR/kill; a writer (admin) makes it when it is missing or damaged. A file that is new or of another
// kernel boot is not ready: every check answers AEGIS_KILL_UNREADABLE until admin replayed the log and called
// agr_kill_ready.
enum aegis_status agr_kill_open(const char *dir, bool is_writer, struct agr_kill **ret,
                                struct aegis_error *reterr);
// Maps from a descriptor (duplicated); read-only unless is_writer.
enum aegis_status agr_kill_attach_fd(int fd, bool is_writer, struct agr_kill **ret,
                                     struct aegis_error *reterr);
// Anonymous memory shared with children forked later; ready at once.
enum aegis_status agr_kill_open_memory(struct agr_kill **ret, struct aegis_error *reterr);
void agr_kill_close(struct agr_kill *k);
// A descriptor opened read-only for workers, -1 for memory; borrowed.
int agr_kill_fd(const struct agr_kill *k);
bool agr_kill_is_ready(const struct agr_kill *k);
void agr_kill_ready(struct agr_kill *k);
// Forgets every switch and answers unreadable until agr_kill_ready: a rebuild begins (writer).
void agr_kill_rebuild(struct agr_kill *k);

// ---- readers ----

// Opens the span in which admin waits for this worker; call right before the commit-time check. Nested calls
// are not allowed; parked answers leave, and enter and check again before sending.
void agr_kill_enter(struct agr_state *st, uint32_t worker);
// The reply was handed to the kernel, or the answer is not an allow.
void agr_kill_leave(struct agr_state *st, uint32_t worker);
// Is anything engaged for this action? One load when nothing is engaged at all. AEGIS_KILL_UNREADABLE when
// the words are not there or make no sense: the answer is unavailable, never engaged. NULL k is unreadable.
enum aegis_status agr_kill_check(const struct agr_kill *k, struct ag_str tenant, struct ag_str agent,
                                 struct ag_str tool, struct agr_kill_hit *ret);
// Copies the reason and operator of a hit as it was checked; false when the switch changed since. Returned
// strings borrow from `mem` (at least AGR_KILL_REASON_SIZE + AGR_KILL_BY_MAX bytes).
bool agr_kill_text(const struct agr_kill *k, const struct agr_kill_hit *hit, char *mem, struct ag_str *ret_by,
                   struct ag_str *ret_reason);

// ---- writer ----

// Asked when a worker stayed odd for AGR_KILL_PATIENCE_NS: end it and return true, or false to give up on it.
// NULL takes SIGKILL through a pid descriptor, after comparing the start time. The parent reaps.
typedef bool (*agr_kill_slow)(void *arg, uint32_t worker, uint64_t pid);

// Checks the texts, stores the switch (an engaged one keeps its first time), waits for the epochs, syncs the
// file. AEGIS_OK: final. AEGIS_BUSY: stored, but *ret_slow (may be NULL) could not be ended. AEGIS_USAGE:
// reason missing or too long, wrong scope (reterr says which). AEGIS_STATE: AGR_KILL_MAX engaged.
enum aegis_status agr_kill_engage(struct agr_kill *k, struct agr_state *st, const struct agr_kill_entry *e,
                                  agr_kill_slow slow, void *arg, uint32_t *ret_slow,
                                  struct aegis_error *reterr);
// The wait alone: returns when no allow of a reading before this call is still on its way.
enum aegis_status agr_kill_wait(struct agr_state *st, agr_kill_slow slow, void *arg, uint32_t *ret_slow);
// Lifts a switch. *ret_was_engaged may be NULL.
enum aegis_status agr_kill_disengage(struct agr_kill *k, enum agr_kill_scope scope, struct ag_str tenant,
                                     struct ag_str subject, bool *ret_was_engaged);
// The next engaged switch at or after place *at (start with 0); false at the end. Readers may use it too:
// strings then are right only while no change happens.
bool agr_kill_next(const struct agr_kill *k, uint32_t *at, struct agr_kill_entry *ret);

#endif
