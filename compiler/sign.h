// SPDX-License-Identifier: Apache-2.0
// Key files for signing images: docs/formats/keys.md. The secret lives in the caller's memory, which the
// caller wipes (ag_crypto_wipe). Thread rule: one compilation, one thread.
#ifndef AGC_SIGN_H
#define AGC_SIGN_H

#include "crypto.h"
#include "str.h"

enum agc_key_status {
    AGC_KEY_OK,
    AGC_KEY_IO,    // errno says why
    AGC_KEY_OPEN,  // others may read or write the file
    AGC_KEY_FORMAT // not a secret key file
};

// Reads a secret key file and derives the ed25519 key pair.
enum agc_key_status agc_key_read(const char *path, uint8_t ret_secret[AG_ED25519_SECRET]);
const char *agc_key_status_text(enum agc_key_status s);

#endif
