// SPDX-License-Identifier: Apache-2.0
// Secret key files: one line naming the format, one line of base64, owner-only permissions.
// In: a path. Out: an ed25519 secret for image_write.c. Memory: the caller's; what is read on the way is
// wiped. Next file to read: docs/formats/keys.md, vm/crypto.h.
#include "sign.h"
#include "base64.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_BYTES  32u
#define SEED_BASE64 44u
static const char head[] = "aegis-secret-key-v1\n";
#define HEAD_BYTES (sizeof head - 1)
#define FILE_BYTES (HEAD_BYTES + SEED_BASE64 + 1)

static enum agc_key_status
read_file(int fd, char text[FILE_BYTES + 1], size_t *ret_n)
{
    struct stat st;
    size_t n = 0;
    if (fstat(fd, &st) == -1)
        return AGC_KEY_IO;
    if (st.st_mode & 077)
        return AGC_KEY_OPEN;
    while (n < FILE_BYTES + 1) {
        ssize_t got = read(fd, text + n, FILE_BYTES + 1 - n);
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            return AGC_KEY_IO;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    *ret_n = n;
    return AGC_KEY_OK;
}

enum agc_key_status
agc_key_read(const char *path, uint8_t ret_secret[AG_ED25519_SECRET])
{
    char text[FILE_BYTES + 1];
    uint8_t seed[SEED_BYTES], pub[AG_ED25519_PUBLIC];
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return AGC_KEY_IO;
    enum agc_key_status st = read_file(fd, text, &n);
    close(fd);
    if (st == AGC_KEY_OK) {
        bool ok = (n == FILE_BYTES || n == FILE_BYTES - 1) && memcmp(text, head, HEAD_BYTES) == 0 &&
                  ag_base64_decode(ag_str_of(text + HEAD_BYTES, SEED_BASE64), true, seed, SEED_BYTES) ==
                      SEED_BYTES &&
                  (n < FILE_BYTES || text[FILE_BYTES - 1] == '\n');
        st = ok ? AGC_KEY_OK : AGC_KEY_FORMAT;
    }
    if (st == AGC_KEY_OK)
        ag_ed25519_from_seed(seed, pub, ret_secret);
    ag_crypto_wipe(text, sizeof text);
    ag_crypto_wipe(seed, sizeof seed);
    return st;
}

const char *
agc_key_status_text(enum agc_key_status s)
{
    switch (s) {
    case AGC_KEY_OK: return "ok";
    case AGC_KEY_IO: return "cannot be read";
    case AGC_KEY_OPEN: return "is readable by others: chmod 600 it";
    case AGC_KEY_FORMAT: return "is not a secret key file (aegis keygen makes one)";
    }
    return "unknown";
}
