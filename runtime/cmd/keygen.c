// SPDX-License-Identifier: Apache-2.0
// aegis keygen: an ed25519 key pair for signing images, in the files of docs/formats/keys.md. Nothing is
// overwritten. In: a path. Out: FILE (secret, mode 0600) and FILE.pub. The seed is wiped before the command
// ends. Next file to read: keys.c.
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool
write_new(const char *path, mode_t mode, struct ag_str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd == -1) {
        agr_die(0, "%s: %s", path, errno == EEXIST ? "exists already; it was not changed" : strerror(errno));
        return false;
    }
    bool ok = write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (!ok) {
        agr_die(0, "%s: %s", path, strerror(errno));
        unlink(path);
    }
    return ok;
}

static bool
write_pair(const char *path, const char *public_path, uint8_t public_key[32])
{
    uint8_t seed[32], secret[AG_ED25519_SECRET];
    char text[AGR_KEY_TEXT];
    ag_crypto_random(seed, sizeof seed);
    ag_ed25519_from_seed(seed, public_key, secret);
    bool ok = write_new(path, 0600, agr_key_text(AGR_KEY_SECRET_HEAD, seed, text));
    ag_crypto_wipe(text, sizeof text);
    ag_crypto_wipe(seed, sizeof seed);
    ag_crypto_wipe(secret, sizeof secret);
    if (ok && !write_new(public_path, 0644, agr_key_text(AGR_KEY_PUBLIC_HEAD, public_key, text))) {
        unlink(path);
        ok = false;
    }
    return ok;
}

int
cmd_keygen(int argc, char **argv)
{
    int is_json = 0, code;
    char public_path[4096], text[AGR_KEY_TEXT];
    uint8_t public_key[32];
    struct agr_list args = {0};
    const struct agr_opt opts[] = {{"json", 0, AGR_OPT_FLAG, &is_json, NULL, "print JSON"},
                                   {NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    if (args.n != 1)
        return agr_die(AGR_EXIT_HELD, "keygen: give the file for the secret key");
    int n = snprintf(public_path, sizeof public_path, "%s.pub", args.v[0]);
    if (n < 0 || (size_t)n >= sizeof public_path)
        return agr_die(AGR_EXIT_HELD, "keygen: the path is too long");
    if (!ag_crypto_init())
        return agr_die(AGR_EXIT_UNAVAILABLE, "keygen: the cryptographic library does not start");
    if (!write_pair(args.v[0], public_path, public_key))
        return AGR_EXIT_DENIED;
    struct ag_str line = agr_key_text(AGR_KEY_PUBLIC_HEAD, public_key, text);
    struct ag_str base64 = ag_str_of(line.p + strlen(AGR_KEY_PUBLIC_HEAD), AGR_KEY_BASE64);
    if (is_json) {
        printf("{\"secret\":");
        agr_print_json_str(stdout, ag_str_z(args.v[0]));
        printf(",\"public\":");
        agr_print_json_str(stdout, ag_str_z(public_path));
        printf(",\"public_key\":\"%.*s\"}\n", (int)base64.n, base64.p);
    } else {
        printf("Secret key: %s (keep it; aegisc --key %s signs with it)\nPublic key: %s\n  %.*s\n", args.v[0],
               args.v[0], public_path, (int)base64.n, base64.p);
    }
    return AGR_EXIT_OK;
}
