// SPDX-License-Identifier: Apache-2.0
// Assembler for tests: text to an image with a valid digest (it need not verify). README.md describes the
// text. In: text. Out: image bytes in the caller's 64-byte aligned memory. Uses only memory of its own
// (static).
#ifndef AEGIS_TEST_ASM_H
#define AEGIS_TEST_ASM_H

#include "str.h"

// Bytes of the image, or 0 and a message on stdout (as a TAP comment).
size_t asm_image(struct ag_str text, void *out, size_t size);
// Writes the digest of n image bytes into their header.
void asm_seal(void *image, size_t n);

#endif
