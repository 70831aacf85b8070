// SPDX-License-Identifier: Apache-2.0
// What libaegis refuses to open, each with its status and a text that says what to do: images of another
// version, cut, foreign, changed, unsigned, signed by somebody else, too old; files that are not there, not
// readable, not files. In: nothing; policies are compiled here. Out: TAP. Memory: its own. Next file to read:
// runtime/host/open.c.
#include "aegis.h"
#include "compile.h"
#include "../../vm/limits.h"
#include "sign.h"

#include "../unit/t.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// The pair of RFC 8032, 7.1, test 1, as docs/formats/keys.md writes it.
static const char secret_file[] = "aegis-secret-key-v1\nnWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n";
static const uint8_t public_key[2][32] = {
    {1}, {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
          0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a}};

static char dir[64], path[96];
static struct agc_job plain, signed_job;
static uint8_t image[65536] __attribute__((aligned(64)));
static size_t image_n;
static struct aegis_error err;

static void
write_file(const void *p, size_t n)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd == -1 || write(fd, p, n) != (ssize_t)n || close(fd) != 0)
        abort();
}

static bool
compile(struct agc_job *j, const uint8_t *secret)
{
    agc_job_init(j);
    j->serial = 5;
    j->secret = secret;
    agc_source_add(&j->arena, &j->sources, AG_STR("policy.yaml"),
                   AG_STR("version: \"1\"\nrules:\n  - {name: r, match: {type: \"a*\"}, decision: allow}\n"));
    return agc_compile(j) == AGC_DONE && j->image.n < sizeof image;
}

static struct ag_image_header *
take(const struct agc_job *j)
{
    memcpy(image, j->image.p, j->image.n);
    image_n = j->image.n;
    return (struct ag_image_header *)(void *)image;
}

static void
seal(void)
{
    ag_image_digest(image, image_n, ((struct ag_image_header *)(void *)image)->digest);
}

// Opens the image as bytes, as a file and from a sealed descriptor: all three must answer alike.
static enum aegis_status
open_all(const struct aegis_policy_options *o)
{
    struct aegis_policy *p = NULL;
    err = (struct aegis_error){.size = sizeof err};
    enum aegis_status s[3];
    char text[2][sizeof err.text];
    s[0] = aegis_policy_open_bytes(image, image_n, o, &p, &err);
    memcpy(text[0], err.text, sizeof text[0]);
    aegis_policy_close(p);
    p = NULL;
    write_file(image, image_n);
    s[1] = aegis_policy_open(path, o, &p, &err);
    memcpy(text[1], err.text, sizeof text[1]);
    aegis_policy_close(p);
    p = NULL;
    int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd == -1 || write(fd, image, image_n) != (ssize_t)image_n ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) != 0)
        abort();
    s[2] = aegis_policy_open_fd(fd, o, &p, &err);
    close(fd);
    aegis_policy_close(p);
    bool is_same =
        s[0] == s[1] && s[1] == s[2] && strcmp(text[0], text[1]) == 0 && strcmp(text[1], err.text) == 0;
    if (!is_same)
        printf("# bytes %d %s; file %d %s; descriptor %d %s\n", s[0], text[0], s[1], text[1], s[2], err.text);
    return is_same ? s[0] : AEGIS_STATUS_COUNT;
}

static void
refused(const char *what, const struct aegis_policy_options *o, enum aegis_status want, const char *text)
{
    enum aegis_status s = open_all(o);
    if (!OK(s == want && err.status == want && strstr(err.text, text), "%s: %s", what,
            aegis_status_text(want)))
        printf("# got %d %s: %s\n", (int)s, aegis_status_text(s), err.text);
}

static void
test_versions(void)
{
    static const uint32_t formats[] = {0, AG_IMAGE_FORMAT + 1, UINT32_MAX};
    static const char *const names[] = {"an older format", "a newer format", "the highest format"};
    take(&plain);
    OK(open_all(NULL) == AEGIS_OK, "the image as it was compiled is opened");
    for (unsigned i = 0; i < 3; i++) {
        take(&plain)->format = formats[i];
        seal();
        refused(names[i], NULL, AEGIS_IMAGE_VERSION, "compile it with this version's aegisc");
    }
    take(&plain)->vm_min = AG_VM_VERSION + 1;
    seal();
    refused("a machine newer than this one is wanted", NULL, AEGIS_IMAGE_VERSION,
            "compile it with this version's aegisc");
    take(&plain)->sections = AG_SECTION_COUNT + 1;
    seal();
    refused("more sections than this version knows", NULL, AEGIS_IMAGE_VERSION, "another format version");
}

static void
test_foreign(void)
{
    static const char *const begin[] = {"\177ELF\2\1\1", "PK\3\4",   "version: \"1\"\n",
                                        "#!/bin/sh\n",   "aegisimg", ""};
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++) {
        take(&plain);
        memset(image, 0, 8);
        memcpy(image, begin[i], strlen(begin[i]) < 8 ? strlen(begin[i]) : 8);
        refused("a foreign file", NULL, AEGIS_NOT_IMAGE, "compile the policy with aegisc");
    }
    take(&plain);
    image_n = 0;
    refused("an empty file", NULL, AEGIS_NOT_IMAGE, "too short");
    take(&plain);
    image_n = sizeof(struct ag_image_header) - 1;
    refused("less than a header", NULL, AEGIS_NOT_IMAGE, "too short");
    const size_t cuts[] = {sizeof(struct ag_image_header), plain.image.n / 2, plain.image.n - 1};
    for (size_t i = 0; i < 3; i++) {
        take(&plain);
        image_n = cuts[i];
        refused("a file that was cut", NULL, AEGIS_NOT_IMAGE, "copy the whole file");
    }
    take(&plain);
    image[image_n++] = 0;
    refused("a byte too many", NULL, AEGIS_IMAGE_INVALID, "copy the whole file");
}

static void
test_changed(void)
{
    unsigned opened = 0;
    take(&plain);
    image[image_n / 2] ^= 1;
    refused("a changed bit", NULL, AEGIS_IMAGE_INVALID, "damaged or was edited");
    for (size_t i = 0; i < plain.image.n; i++) {
        struct aegis_policy *p = NULL;
        take(&plain);
        image[i] ^= (uint8_t)(1u << i % 8);
        opened += aegis_policy_open_bytes(image, image_n, NULL, &p, NULL) == AEGIS_OK;
        aegis_policy_close(p);
    }
    OK(opened == 0, "no image with one changed bit in any byte is opened (%zu bytes, %u opened)",
       plain.image.n, opened);
    struct ag_image_header *h = take(&plain);
    struct ag_meta *meta = (struct ag_meta *)(void *)(image + h->section[AG_SEC_META].off);
    meta->stack_regs = AG_CALLS_MAX * AG_REGS_MAX;
    seal();
    OK(open_all(NULL) == AEGIS_OK, "as many registers as calls can nest are accepted");
    meta->stack_regs++;
    seal();
    refused("one register more", NULL, AEGIS_IMAGE_INVALID, "more registers than calls can nest");
    OK(err.offset != 0, "the refusal names the place in the file");
}

static void
test_signatures(void)
{
    struct aegis_policy_options o = {.size = sizeof o, .trusted_count = 2, .trusted = public_key};
    take(&signed_job);
    OK(open_all(NULL) == AEGIS_OK, "a signed image is opened where nobody asks for a signature");
    OK(open_all(&o) == AEGIS_OK, "an image signed by a trusted key, the second of two, is opened");
    o.trusted_count = 1;
    refused("signed by another key", &o, AEGIS_SIGNATURE, "a key that is not trusted here");
    o.trusted_count = 2;
    take(&plain);
    refused("not signed", &o, AEGIS_SIGNATURE, "aegisc --key");
    for (unsigned i = 1; i <= 96; i += 5) {
        take(&signed_job);
        image[image_n - i] ^= 1;
        enum aegis_status s = open_all(i % 2 ? &o : NULL);
        if (s != AEGIS_SIGNATURE || !strstr(err.text, "sign it again")) {
            OK(0, "a changed bit %u bytes before the end of the signature is refused", i);
            return;
        }
    }
    OK(1, "a signature with a changed bit is refused, asked for or not: %s", err.text);
    struct ag_image_header *h = take(&signed_job);
    ((struct ag_meta *)(void *)(image + h->section[AG_SEC_META].off))->serial++;
    seal();
    refused("edited after it was signed", NULL, AEGIS_SIGNATURE, "sign it again");
    h = take(&signed_job); // the signature cut off, everything put right
    h->section[AG_SEC_SIGNATURE].size = h->section[AG_SEC_SIGNATURE].off = 0;
    h->file_size = image_n -= sizeof(struct ag_signature);
    seal();
    refused("its signature taken away", &o, AEGIS_SIGNATURE, "aegisc --key");
}

static void
test_serial(void)
{
    struct aegis_policy_options o = {.size = sizeof o, .serial_min = 5};
    take(&plain);
    OK(open_all(&o) == AEGIS_OK, "the serial in force is opened");
    o.serial_min = 6;
    refused("a lower serial", &o, AEGIS_SERIAL, "serial 5 is lower than 6");
    o = (struct aegis_policy_options){
        .size = sizeof o, .serial_min = 6, .trusted_count = 2, .trusted = public_key};
    take(&signed_job);
    refused("a lower serial, signed and trusted", &o, AEGIS_SERIAL, "serial 5 is lower than 6");
}

static void
no_file(const char *what, enum aegis_status want, const char *text)
{
    struct aegis_policy *p = NULL;
    err = (struct aegis_error){.size = sizeof err};
    enum aegis_status s = aegis_policy_open(path, NULL, &p, &err);
    if (!OK(s == want && !p && strstr(err.text, text), "%s: %s", what, aegis_status_text(want)))
        printf("# got %s: %s\n", aegis_status_text(s), err.text);
}

static void
test_files(void)
{
    unlink(path);
    no_file("a file that is not there", AEGIS_IO, strerror(ENOENT));
    take(&plain);
    write_file(image, image_n);
    chmod(path, 0);
    if (geteuid() == 0 && (chmod(dir, 0755) != 0 || seteuid(65534) != 0)) {
        t_skip("an unreadable file: cannot become another user");
    } else {
        no_file("an unreadable file", AEGIS_IO, strerror(EACCES));
        if (getuid() == 0 && seteuid(0) != 0)
            abort();
    }
    unlink(path);
    mkdir(path, 0700);
    no_file("a directory", AEGIS_NOT_IMAGE, "not a regular file");
    rmdir(path);
    mkfifo(path, 0600);
    no_file("a pipe, without waiting for a writer", AEGIS_NOT_IMAGE, "not a regular file");
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd == -1 || ftruncate(fd, (off_t)AG_IMAGE_MAX + 1) != 0)
        t_skip("a file of more than 1 GiB: the file system has no holes");
    else
        no_file("a file larger than any image", AEGIS_TOO_LARGE, "at most");
    close(fd);
    unlink(path);
}

// The file may change under us; the policy must not.
static void
test_copies(void)
{
    struct aegis_policy *p = NULL;
    struct aegis_policy_info before = {.size = sizeof before}, after = {.size = sizeof after};
    take(&plain);
    write_file(image, image_n);
    OK(aegis_policy_open(path, NULL, &p, NULL) == AEGIS_OK, "opened, without a place for an error");
    aegis_policy_info(p, &before);
    int fd = open(path, O_WRONLY | O_TRUNC);
    OK(fd != -1 && write(fd, "x", 1) == 1, "the file is overwritten");
    close(fd);
    aegis_policy_info(p, &after);
    OK(memcmp(before.digest, after.digest, 32) == 0 && after.name.n == before.name.n && after.serial == 5,
       "the policy is what was verified");
    aegis_policy_close(p);
    unlink(path);
}

static void
test_arguments(void)
{
    struct aegis_policy *p = NULL;
    struct aegis_policy_options unsized = {.trusted_count = 2, .trusted = public_key};
    err = (struct aegis_error){.size = sizeof err};
    take(&plain);
    OK(aegis_policy_open(NULL, NULL, &p, &err) == AEGIS_USAGE &&
           aegis_policy_open_bytes(NULL, 1, NULL, &p, &err) == AEGIS_USAGE &&
           aegis_policy_open_fd(-1, NULL, &p, &err) == AEGIS_USAGE &&
           aegis_policy_open_bytes(image, image_n, NULL, NULL, &err) == AEGIS_USAGE,
       "missing arguments are refused");
    OK(aegis_policy_open_bytes(image, image_n, &unsized, &p, &err) == AEGIS_USAGE && strstr(err.text, "size"),
       "options without their size are refused: what they ask for would be passed over");
    struct {
        struct aegis_policy_options o;
        uint64_t later; // a field that this version does not know
    } newer = {.o = {.size = sizeof newer}};
    OK(aegis_policy_open_bytes(image, image_n, &newer.o, &p, &err) == AEGIS_OK,
       "options of a newer version that ask for nothing new");
    aegis_policy_close(p);
    p = NULL;
    newer.later = 1;
    OK(aegis_policy_open_bytes(image, image_n, &newer.o, &p, &err) == AEGIS_USAGE,
       "options that ask for what is not known are refused");
    struct aegis_host *h = NULL;
    struct aegis_ctx *c = NULL;
    OK(aegis_host_open(NULL, &(struct aegis_host_options){.is_simulated = 1}, &h, &err) == AEGIS_USAGE &&
           strstr(err.text, "size"),
       "host options without their size");
    OK(aegis_host_open(
           NULL, &(struct aegis_host_options){.size = sizeof(struct aegis_host_options), .is_simulated = 1},
           &h, &err) == AEGIS_OK &&
           aegis_ctx_new(&(struct aegis_limits){.fuel = 1}, h, &c) == AEGIS_USAGE,
       "limits without their size");
    aegis_host_close(h);
    OK(!p && !c, "nothing was opened");
}

int
main(void)
{
    uint8_t secret[AG_ED25519_SECRET];
    snprintf(dir, sizeof dir, "%s/agr-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir) || !ag_crypto_init())
        return 1;
    snprintf(path, sizeof path, "%s/policy.bin", dir);
    write_file(secret_file, sizeof secret_file - 1);
    OK(agc_key_read(path, secret) == AGC_KEY_OK, "the key of RFC 8032 is read");
    if (!OK(compile(&plain, NULL) && compile(&signed_job, secret),
            "the policy compiles, unsigned and signed"))
        return t_done();
    test_versions();
    test_foreign();
    test_changed();
    test_signatures();
    test_serial();
    test_files();
    test_copies();
    test_arguments();
    agc_job_fini(&plain);
    agc_job_fini(&signed_job);
    unlink(path);
    OK(rmdir(dir) == 0, "cleans up");
    return t_done();
}
