// SPDX-License-Identifier: Apache-2.0
// Shared by the three parts of the verifier: the image, where to report, and the work still allowed.
// Thread rule: pure functions; one struct ag_verifier on the caller's stack.
#ifndef AG_VERIFY_H
#define AG_VERIFY_H

#include "image.h"
#include "limits.h"

struct ag_verifier {
    const struct ag_image *im;
    struct ag_image_error *err;
    uint64_t work; // steps left: a small multiple of the image's size, so that sharing cannot make it slow
};

// Reports the byte at `p` (in the image). Always false.
bool ag_verify_fail(const struct ag_verifier *v, const void *p, const char *text);
bool ag_verify_work(struct ag_verifier *v, uint64_t n, const void *p);
// Constants of a kind; `or_none`: AG_NONE will do.
bool ag_verify_is_string(const struct ag_verifier *v, uint32_t ix, bool or_none);
bool ag_verify_is_path(const struct ag_verifier *v, uint32_t ix, bool or_none);

// verify_value.c: constants. verify_table.c: everything that is neither constants nor code.
bool ag_verify_constants(struct ag_verifier *v);
bool ag_verify_tables(struct ag_verifier *v);
bool ag_verify_index(struct ag_verifier *v, const struct ag_index *ix);
// Body number ix of a section that begins with a count and offsets; NULL: reported. `least` bytes, aligned to
// `align`.
const void *ag_verify_body(struct ag_verifier *v, enum ag_section s, uint32_t ix, size_t least, size_t align,
                           size_t *ret_room);

#endif
