// SPDX-License-Identifier: Apache-2.0
// Strict UTF-8: shortest forms only, no surrogates, at most U+10FFFF (RFC 3629). Thread rule: pure functions.
#ifndef AG_BASE_UTF8_H
#define AG_BASE_UTF8_H

#include "str.h"

// True when the n bytes are valid UTF-8. Fast on ASCII.
bool ag_utf8_valid(const void *p, size_t n);
// Index of the first byte that is not; n when all are.
size_t ag_utf8_bad(const void *p, size_t n);
// Decodes one code point at p (n > 0 bytes left). Returns its length 1..4 and stores it, or 0 when invalid.
size_t ag_utf8_decode(const uint8_t *p, size_t n, uint32_t *ret_cp);
// Encodes a scalar value into out[4]; returns 1..4, or 0 for a surrogate or a value past U+10FFFF.
size_t ag_utf8_encode(uint32_t cp, uint8_t out[4]);

#endif
