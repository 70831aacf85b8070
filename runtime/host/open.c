// SPDX-License-Identifier: Apache-2.0
// Step 10: foreign bytes -> verified policy. A file is copied into anonymous memory first, because a file
// mapping could change under the interpreter; a memfd sealed against write, grow and shrink is mapped as it
// is. In: path, descriptor or bytes. Out: struct aegis_policy. Memory: owned by the policy. Next file to
// read: vm/verify.c.
#include "open.h"

#include "buf.h"
#include "crypto.h"
#include "eval.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum aegis_status
agr_fail(struct aegis_error *reterr, enum aegis_status status, const char *fmt, ...)
{
    if (!reterr)
        return status;
    uint32_t size = reterr->size;
    memset(reterr, 0, sizeof *reterr);
    reterr->size = size;
    reterr->status = status;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(reterr->text, sizeof reterr->text, fmt, ap);
    va_end(ap);
    return status;
}

static enum aegis_status
image_failed(const struct ag_image_error *e, struct aegis_error *reterr)
{
    enum aegis_status s = AEGIS_IMAGE_INVALID;
    if (e->status == AG_IMAGE_FOREIGN || e->status == AG_IMAGE_TRUNCATED)
        s = AEGIS_NOT_IMAGE;
    else if (e->status == AG_IMAGE_VERSION)
        s = AEGIS_IMAGE_VERSION;
    agr_fail(reterr, s, "%s", e->text);
    if (reterr)
        reterr->offset = e->offset;
    return s;
}

// Is the image signed by one of the trusted keys, and is the signature right?
static enum aegis_status
check_trust(const struct ag_image *im, const struct aegis_policy_options *o, struct aegis_error *reterr)
{
    if (im->signature) {
        uint8_t msg[15 + 32];
        memcpy(msg, "aegis-image-v1\n", 15);
        memcpy(msg + 15, im->header->digest, 32);
        if (!ag_ed25519_verify(msg, sizeof msg, im->signature->key, im->signature->sig))
            return agr_fail(reterr, AEGIS_SIGNATURE,
                            "the signature does not fit the image; compile and sign it again");
    }
    if (o && o->trusted_count) {
        if (!im->signature)
            return agr_fail(reterr, AEGIS_SIGNATURE, "the image is not signed; compile it with aegisc --key");
        bool is_trusted = false;
        for (uint32_t i = 0; i < o->trusted_count && !is_trusted; i++)
            is_trusted = ag_crypto_equal(o->trusted[i], im->signature->key, 32);
        if (!is_trusted)
            return agr_fail(reterr, AEGIS_SIGNATURE, "the image is signed by a key that is not trusted here");
    }
    if (o && im->meta->serial < o->serial_min)
        return agr_fail(reterr, AEGIS_SERIAL, "serial %llu is lower than %llu, the one in force",
                        (unsigned long long)im->meta->serial, (unsigned long long)o->serial_min);
    return AEGIS_OK;
}

// Takes over the mapping on success only.
static enum aegis_status
open_map(void *map, size_t n, const struct aegis_policy_options *options, struct aegis_policy **ret,
         struct aegis_error *reterr)
{
    struct ag_image_error e = {0};
    struct aegis_policy *p = calloc(1, sizeof *p);
    enum aegis_status s;
    if (!p)
        return agr_fail(reterr, AEGIS_NO_MEMORY, "out of memory");
    if (!ag_crypto_init()) {
        s = agr_fail(reterr, AEGIS_IO, "libsodium cannot start");
        goto out;
    }
    if (ag_image_open(map, n, &p->im, &e) != AG_IMAGE_OK || ag_image_verify(&p->im, &e) != AG_IMAGE_OK) {
        s = image_failed(&e, reterr);
        goto out;
    }
    s = check_trust(&p->im, options, reterr);
    if (s != AEGIS_OK)
        goto out;
    p->map = map;
    p->map_size = n;
    struct ag_buf b;
    ag_buf_init(&b, p->digest, sizeof p->digest);
    ag_buf_lit(&b, "blake2b:");
    ag_buf_hex(&b, p->im.header->digest, 32);
    p->decide_ix = ag_entry_find(&p->im, AG_STR("decide"));
    p->evaluate_ix = ag_entry_find(&p->im, AG_STR("evaluate"));
    p->risk_ix = ag_entry_find(&p->im, AG_STR("risk_check"));
    *ret = p;
    return AEGIS_OK;
out:
    free(p);
    return s;
}

enum aegis_status
agr_policy_open_bytes(const void *bytes, size_t n, const struct aegis_policy_options *options,
                      struct aegis_policy **ret, struct aegis_error *reterr)
{
    if (n > AG_IMAGE_MAX)
        return agr_fail(reterr, AEGIS_TOO_LARGE, "an image has at most %u bytes", AG_IMAGE_MAX);
    if (n < sizeof(struct ag_image_header))
        return agr_fail(reterr, AEGIS_NOT_IMAGE, "too short to be an image: %zu bytes", n);
    void *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return agr_fail(reterr, AEGIS_NO_MEMORY, "cannot map %zu bytes", n);
    memcpy(map, bytes, n);
    enum aegis_status s = AEGIS_IO;
    if (mprotect(map, n, PROT_READ) == -1)
        agr_fail(reterr, s, "mprotect: %s", strerror(errno));
    else
        s = open_map(map, n, options, ret, reterr);
    if (s != AEGIS_OK)
        munmap(map, n);
    return s;
}

static enum aegis_status
copy_fd(int fd, size_t n, const struct aegis_policy_options *options, struct aegis_policy **ret,
        struct aegis_error *reterr)
{
    void *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return agr_fail(reterr, AEGIS_NO_MEMORY, "cannot map %zu bytes", n);
    enum aegis_status s = AEGIS_OK;
    for (size_t at = 0; at < n && s == AEGIS_OK;) {
        ssize_t got = pread(fd, (uint8_t *)map + at, n - at, (off_t)at);
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            s = agr_fail(reterr, AEGIS_IO, "read: %s", strerror(errno));
        else if (got == 0)
            s = agr_fail(reterr, AEGIS_NOT_IMAGE, "the file became shorter while it was read");
        else
            at += (size_t)got;
    }
    if (s == AEGIS_OK && mprotect(map, n, PROT_READ) == -1)
        s = agr_fail(reterr, AEGIS_IO, "mprotect: %s", strerror(errno));
    if (s == AEGIS_OK)
        s = open_map(map, n, options, ret, reterr);
    if (s != AEGIS_OK)
        munmap(map, n);
    return s;
}

enum aegis_status
agr_policy_open_fd(int fd, const struct aegis_policy_options *options, struct aegis_policy **ret,
                   struct aegis_error *reterr)
{
    struct stat st;
    if (fstat(fd, &st) == -1)
        return agr_fail(reterr, AEGIS_IO, "fstat: %s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return agr_fail(reterr, AEGIS_NOT_IMAGE, "not a regular file");
    if (st.st_size < (off_t)sizeof(struct ag_image_header))
        return agr_fail(reterr, AEGIS_NOT_IMAGE, "too short to be an image: %lld bytes",
                        (long long)st.st_size);
    if (st.st_size > (off_t)AG_IMAGE_MAX)
        return agr_fail(reterr, AEGIS_TOO_LARGE, "an image has at most %u bytes", AG_IMAGE_MAX);
    size_t n = (size_t)st.st_size;
    const int sealed = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals == -1 || (seals & sealed) != sealed)
        return copy_fd(fd, n, options, ret, reterr);
    void *map = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return agr_fail(reterr, AEGIS_NO_MEMORY, "cannot map the sealed image: %s", strerror(errno));
    enum aegis_status s = open_map(map, n, options, ret, reterr);
    if (s != AEGIS_OK)
        munmap(map, n);
    return s;
}

enum aegis_status
agr_policy_open(const char *path, const struct aegis_policy_options *options, struct aegis_policy **ret,
                struct aegis_error *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == -1)
        return agr_fail(reterr, AEGIS_IO, "%s: %s", path, strerror(errno));
    enum aegis_status s = agr_policy_open_fd(fd, options, ret, reterr);
    close(fd);
    return s;
}

void
agr_policy_close(struct aegis_policy *p)
{
    if (!p)
        return;
    munmap(p->map, p->map_size);
    free(p);
}
