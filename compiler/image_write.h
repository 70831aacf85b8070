// SPDX-License-Identifier: Apache-2.0
// Step 9: the image file. vm/image.h draws the bytes. Next file to read: image_write.c, sign.h.
#ifndef AGC_IMAGE_WRITE_H
#define AGC_IMAGE_WRITE_H

#include "emit.h"

struct agc_stats;

struct agc_image_options {
    uint64_t serial;
    struct ag_str tzdata;               // version of the time-zone data; p == NULL: unknown
    const struct ag_zone *const *zones; // one per policy->zones, `name` not filled
    const uint8_t *secret;              // AG_ED25519_SECRET bytes, NULL: unsigned
};

// Makes the bytes of the image (aligned to AG_IMAGE_ALIGN, in the compile arena). `stats` gives fuel and
// arena size and is told the size of every section. False: `ret` says why the policy cannot be written.
bool agc_image_build(struct agc_ir *ir, const struct agc_sources *sources, struct agc_heap *heap,
                     const struct agc_code *code, const struct agc_image_options *options,
                     struct agc_stats *stats, struct ag_str *ret_bytes, struct agc_refusal *ret);

// Writes a whole file or none: a new file beside it, synced, then renamed over it. A device or a pipe is
// written as it stands. False with errno set.
bool agc_file_write(const char *path, struct ag_str bytes, unsigned mode);

#endif
