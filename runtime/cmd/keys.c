// SPDX-License-Identifier: Apache-2.0
// Key files for images: writing both, reading public ones. In: keys, files. Out: text, keys.
// Next file to read: docs/formats/keys.md.
#include "keys.h"
#include "base64.h"

#include "audit.h"
#include "buf.h"

#include <stdlib.h>

struct ag_str
agr_key_text(const char *head, const uint8_t key[32], char mem[AGR_KEY_TEXT])
{
    struct ag_buf b;
    ag_buf_init(&b, mem, AGR_KEY_TEXT);
    ag_buf_str(&b, ag_str_z(head));
    ag_buf_base64(&b, key, 32);
    ag_buf_char(&b, '\n');
    return ag_str_of(b.p, b.n);
}

bool
agr_key_public(const char *file_or_text, uint8_t ret[32])
{
    size_t n = strlen(file_or_text);
    if (n == AGR_KEY_BASE64 && ag_base64_decode(ag_str_of(file_or_text, n), true, ret, 32) == 32)
        return true;
    char *text = agr_read_file(file_or_text, 4096, &n);
    if (!text)
        return false;
    size_t head = strlen(AGR_KEY_PUBLIC_HEAD);
    bool ok = (n == head + AGR_KEY_BASE64 || (n == head + AGR_KEY_BASE64 + 1 && text[n - 1] == '\n')) &&
              memcmp(text, AGR_KEY_PUBLIC_HEAD, head) == 0 &&
              ag_base64_decode(ag_str_of(text + head, AGR_KEY_BASE64), true, ret, 32) == 32;
    if (!ok)
        agr_die(0, "%s: not a public key file (aegis keygen writes FILE.pub)", file_or_text);
    free(text);
    return ok;
}
