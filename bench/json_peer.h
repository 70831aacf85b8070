// SPDX-License-Identifier: Apache-2.0
// References for JSON reading that are not ours, callable from C. In: bytes. Out: work done. Thread rule: one
// caller.
#ifndef AEGIS_BENCH_JSON_PEER_H
#define AEGIS_BENCH_JSON_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_peer; // padded copy of one text and a parser that is used again

// Takes a copy of the text; NULL when there is no memory. The caller frees it.
struct json_peer *json_peer_new(const char *p, size_t n);
void json_peer_free(struct json_peer *peer);

// Parses the text n times into simdjson's DOM. Returns the number of parses that succeeded.
uint64_t json_peer_parse(struct json_peer *peer, uint64_t n);

#ifdef __cplusplus
}
#endif

#endif
