// SPDX-License-Identifier: Apache-2.0
// The event loop that workers, admin and the metrics listener share: accept, read, answer, write, time out.
// In: listening descriptors and a handler. Out: bytes on connections. Memory: one buffer pair per connection,
// kept from request to request. Thread rule: one loop, one process. Next file to read: route.h.
//
//   read ──► agr_parse ──► handler fills conn->out ──► queued ──► one write ──► next request in the buffer,
//   or read
//                             └── parked (waits for the sequencer's sync) ──► agr_conn_resume ──► write
//
// Answers of one turn are written together, at most AGR_READY_MAX: a client on another CPU that sleeps is
// woken once for several answers, and waking it costs more than deciding.
#ifndef AGR_CONN_H
#define AGR_CONN_H

#include "http.h"

#include "buf.h"

#include <stdint.h>
#include <sys/types.h>

#define AGR_CONN_MAX         4096u      // connections of one process
#define AGR_CONN_IN          16384u     // first size of the input buffer; it grows to head + body limit
#define AGR_CONN_OUT         16384u     // first size of the output buffer
#define AGR_BODY_MAX_HTTP    (1u << 20) // 413 past it (B22)
#define AGR_TIMEOUT_HEAD_S   10         // from the first byte of a request to its last
#define AGR_TIMEOUT_IDLE_S   75         // between requests
#define AGR_TIMEOUT_WRITE_S  10         // a reader that takes nothing
#define AGR_PARK_NAME        256u       // longest name a kill switch can have; a longer one matches none
#define AGR_TIMEOUT_LINGER_S 2          // reading on after a refusal, so that a reset does not overtake it
#define AGR_READY_MAX        16u        // answers that wait for the others of their turn
#define AGR_TIMEOUT_PARK_S   5          // an answer that waits for its sync

struct agr_loop;

// What a listener is for; a route says on which it answers.
enum agr_plane { AGR_PLANE_DATA = 1, AGR_PLANE_ADMIN = 2, AGR_PLANE_METRICS = 4 };

struct agr_listener {
    int fd;
    enum agr_plane plane;
    bool is_unix;
    bool is_loopback;  // loopback or Unix: the body may say who asks
    uint32_t identity; // enum agr_identity_mode
};

struct agr_conn {
    int fd;
    const struct agr_listener *on;
    struct agr_loop *loop;
    uid_t peer_uid; // Unix sockets
    char *in, *out;
    size_t in_size, in_n;
    size_t out_size, out_n, out_at;
    struct agr_parser parser;
    int64_t deadline_ns; // CLOCK_BOOTTIME; what runs out then depends on the state
    bool is_closing;     // close when out is written
    bool is_refused;     // the answer refuses input of which more may come
    bool is_lingering;   // answered and shut; input is thrown away until the client closes
    bool is_parked;
    bool wants_write;
    bool has_allow; // an allow is in the answer: it may leave only inside the kill span it was decided in
    uint64_t park_position, park_wseq; // row the answer waits for
    size_t park_gseq_at;               // where its number belongs in out, 0 = nowhere
    char park_who[3][AGR_PARK_NAME];   // tenant, agent, type of an allow; read again before it is sent
    uint16_t park_who_n[3];
    bool park_is_allow;
    struct agr_conn *next_parked;
    uint32_t slot;
};

// Answers one request: fills c->out through agr_reply_* or parks the connection.
typedef void agr_handler(struct agr_conn *c, const struct agr_request *r);

struct agr_loop {
    int epoll;
    agr_handler *handle;
    void *user; // the process's own state
    struct agr_conn *conn[AGR_CONN_MAX];
    uint32_t nconns;
    uint32_t hand;    // next connection looked at for a timeout
    bool is_draining; // answer what is there with Connection: close, accept nothing
    struct agr_listener *listener;
    unsigned nlisteners;
    struct agr_conn *parked;               // oldest last
    struct agr_conn *ready[AGR_READY_MAX]; // answers to be written at the end of the turn
    unsigned nready;
    int64_t now_ns; // CLOCK_BOOTTIME at the last wake-up
    // After the first write of an answer, and after the answers of a turn.
    void (*after_write)(struct agr_loop *l, struct agr_conn *c, ssize_t written);
    void (*after_turn)(struct agr_loop *l);
};

// Registers the listeners (non-blocking, EPOLLEXCLUSIVE). False with errno.
bool agr_loop_init(struct agr_loop *l, struct agr_listener *listeners, unsigned n, agr_handler *handle,
                   void *user);
// Watches a foreign descriptor; its readiness is returned by agr_loop_turn as a bit of `tag`.
bool agr_loop_watch(struct agr_loop *l, int fd, unsigned tag);
// One turn: waits at most `ms`, serves what is ready. Returns the bit set of watched tags that are readable.
uint32_t agr_loop_turn(struct agr_loop *l, int ms);
// Stops accepting; idle connections close now, busy ones after their answer.
void agr_loop_drain(struct agr_loop *l);
void agr_loop_fini(struct agr_loop *l);

// The connection's answer waits; agr_conn_resume sends it.
void agr_conn_park(struct agr_conn *c);
void agr_conn_resume(struct agr_conn *c);
// Makes room for n more bytes of answer; false when memory is out (the connection then closes).
bool agr_conn_reserve(struct agr_conn *c, size_t n);

#endif
