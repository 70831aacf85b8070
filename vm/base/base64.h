// SPDX-License-Identifier: Apache-2.0
// Base64 with the standard alphabet and padding (RFC 4648). Writing it is ag_buf_base64. Thread rule: pure
// function.
#ifndef AG_BASE_BASE64_H
#define AG_BASE_BASE64_H

#include "str.h"

// Decodes text into out. is_strict refuses set bits behind the last byte, so that bytes have one spelling
// only. Returns the bytes written, or -1 when text is malformed or does not fit into size.
int64_t ag_base64_decode(struct ag_str text, bool is_strict, uint8_t *out, size_t size);

#endif
