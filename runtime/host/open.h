// SPDX-License-Identifier: Apache-2.0
// Step 10: a path, descriptor or bytes become a verified policy in memory that nobody can change any more.
// In: foreign bytes. Out: struct aegis_policy, or a refusal with a reason. Memory: the policy owns its
// mapping. Next file to read: vm/verify.c, then slot.c. Thread rule: a policy is immutable and shared freely.
#ifndef AGR_OPEN_H
#define AGR_OPEN_H

#include "aegis.h"
#include "image.h"

#define AGR_DIGEST_TEXT (8 + 64) // "blake2b:" and 64 hex digits

struct aegis_policy {
    struct ag_image im;
    void *map; // private anonymous copy, or a mapping of a sealed memfd
    size_t map_size;
    char digest[AGR_DIGEST_TEXT];             // text, no terminator
    uint32_t decide_ix, evaluate_ix, risk_ix; // entrypoints, AG_NONE when absent
};

enum aegis_status agr_policy_open(const char *path, const struct aegis_policy_options *options,
                                  struct aegis_policy **ret, struct aegis_error *reterr);
enum aegis_status agr_policy_open_fd(int fd, const struct aegis_policy_options *options,
                                     struct aegis_policy **ret, struct aegis_error *reterr);
enum aegis_status agr_policy_open_bytes(const void *bytes, size_t n,
                                        const struct aegis_policy_options *options, struct aegis_policy **ret,
                                        struct aegis_error *reterr);
void agr_policy_close(struct aegis_policy *p);

// Writes an error; fmt as printf. Returns `status` so that a caller can end with `return agr_fail(...)`.
// reterr may be NULL.
__attribute__((format(printf, 3, 4))) enum aegis_status
agr_fail(struct aegis_error *reterr, enum aegis_status status, const char *fmt, ...);

#endif
