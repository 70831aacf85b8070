// SPDX-License-Identifier: Apache-2.0
// Key files for images as text: docs/formats/keys.md. Reading secret keys is the compiler's business
// (compiler/sign.c). In: keys, files. Out: text, keys. Memory: the caller's. Thread rule: pure but for
// reading. Next file to read: keygen.c.
#ifndef AGR_KEYS_H
#define AGR_KEYS_H

#include "cmd.h"

#include "crypto.h"

#define AGR_KEY_SECRET_HEAD "aegis-secret-key-v1\n"
#define AGR_KEY_PUBLIC_HEAD "aegis-public-key-v1\n"
#define AGR_KEY_BASE64      44u
#define AGR_KEY_TEXT        (sizeof AGR_KEY_SECRET_HEAD + AGR_KEY_BASE64 + 1) // both heads are equally long

// The whole file of a key: head, base64 of 32 bytes, newline. Borrows from mem.
struct ag_str agr_key_text(const char *head, const uint8_t key[32], char mem[AGR_KEY_TEXT]);
// A public key from a public key file, or from its base64 given directly. False with a message on standard
// error.
bool agr_key_public(const char *file_or_text, uint8_t ret[32]);

#endif
