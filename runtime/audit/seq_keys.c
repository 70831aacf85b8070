// SPDX-License-Identifier: Apache-2.0
// Step 17, keys: made at first start, read with their mode checked, listed in LOG/keys.note.
// In: key files. Out: signers in struct sequencer, LOG/keys.note. Secrets are wiped with the sequencer's
// state. Next: seq_state.c.
#include "seq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_PATH_MAX 4096u // bytes of a key file's path

static bool
keys_dir(const struct sequencer *s, char ret[KEY_PATH_MAX])
{
    int n = s->o->keys_dir ? snprintf(ret, KEY_PATH_MAX, "%s", s->o->keys_dir)
                           : snprintf(ret, KEY_PATH_MAX, "%s/../keys", s->o->log_dir);
    return n > 0 && n < (int)KEY_PATH_MAX;
}

// Appears whole or not at all, and never over a file that is there.
static bool
write_new(const char *path, const char *p, size_t n, mode_t mode)
{
    char tmp[KEY_PATH_MAX + 8];
    snprintf(tmp, sizeof(tmp), "%s.tmp", path);
    unlink(tmp); // of a process that was killed; the log's lock is ours
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd == -1)
        return false;
    bool ok = write(fd, p, n) == (ssize_t)n && fsync(fd) == 0;
    ok = close(fd) == 0 && ok && link(tmp, path) == 0;
    int saved = errno;
    unlink(tmp);
    errno = saved;
    return ok;
}

// A new key of this name in `path` (0600), its verifier key beside it as .vkey.
static enum agr_audit_result
make_key(struct sequencer *s, const char *path, struct ag_str name, struct agr_note_signer *ret)
{
    uint8_t seed[32];
    char text[AGR_VKEY_SIZE], vpath[KEY_PATH_MAX];
    struct ag_buf b;
    ag_crypto_random(seed, sizeof(seed));
    bool ok = agr_signer_init(ret, name, seed);
    ag_crypto_wipe(seed, sizeof(seed));
    if (!ok)
        return seq_fail(s, AGR_AUDIT_REFUSED,
                        "\"%.*s\" is not a valid key name: 1 to 128 bytes without blanks and '+'",
                        (int)name.n, name.p);
    ag_buf_init(&b, text, sizeof(text));
    agr_skey_format(ret, &b);
    ag_buf_char(&b, '\n');
    ok = write_new(path, text, b.n, 0600);
    ag_crypto_wipe(text, sizeof(text));
    if (!ok)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot write the key file %s: %s", path, strerror(errno));
    ag_buf_init(&b, text, sizeof(text));
    agr_vkey_format(&ret->key, &b);
    ag_buf_char(&b, '\n');
    int n = snprintf(vpath, sizeof(vpath), "%.*s.vkey", (int)strlen(path) - 4, path);
    if (n > 0 && n < (int)sizeof(vpath) && !write_new(vpath, text, b.n, 0644) && errno != EEXIST)
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot write %s: %s", vpath, strerror(errno));
    seq_say(s, "made a new key %s; its verifier key is %.*s", path, (int)b.n - 1, text);
    return AGR_AUDIT_OK;
}

static enum agr_audit_result
read_key(struct sequencer *s, const char *path, struct agr_note_signer *ret)
{
    struct stat st;
    size_t n = 0;
    if (stat(path, &st) != 0)
        return errno == ENOENT
                   ? AGR_AUDIT_NOT_FOUND
                   : seq_fail(s, AGR_AUDIT_SYSTEM, "cannot read the key file %s: %s", path, strerror(errno));
    if (st.st_mode & 077)
        return seq_fail(s, AGR_AUDIT_REFUSED, "the key file %s is open to others (mode %03o): chmod 600 it",
                        path, (unsigned)st.st_mode & 0777);
    uint8_t *p = agr_file_read(AT_FDCWD, path, AGR_VKEY_SIZE, &n);
    bool ok = p && agr_skey_parse(ag_str_of((char *)p, n), ret);
    if (p)
        ag_crypto_wipe(p, n);
    free(p);
    if (!ok)
        return seq_fail(s, AGR_AUDIT_REFUSED, "%s is not a signer key (PRIVATE+KEY+name+hash+base64)", path);
    return AGR_AUDIT_OK;
}

static enum agr_audit_result
open_key(struct sequencer *s, const char *given, const char *dir, const char *file, struct ag_str name,
         struct agr_note_signer *ret)
{
    char path[KEY_PATH_MAX];
    int n =
        given ? snprintf(path, sizeof(path), "%s", given) : snprintf(path, sizeof(path), "%s/%s", dir, file);
    if (n <= 4 || n >= (int)sizeof(path))
        return seq_fail(s, AGR_AUDIT_REFUSED, "the path of the key file %s is too long", file);
    enum agr_audit_result r = read_key(s, path, ret);
    return r == AGR_AUDIT_NOT_FOUND ? make_key(s, path, name, ret) : r;
}

enum agr_audit_result
seq_keys_open(struct sequencer *s)
{
    char dir[KEY_PATH_MAX], name[AGR_KEY_NAME_MAX + 8], random_name[32];
    uint8_t random[5];
    struct ag_buf b;
    if (!keys_dir(s, dir) || (mkdir(dir, 0700) != 0 && errno != EEXIST))
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot make the directory of keys: %s", strerror(errno));
    ag_crypto_random(random, sizeof(random));
    ag_buf_init(&b, random_name, sizeof(random_name));
    ag_buf_lit(&b, "aegis.local/log-");
    ag_buf_base32(&b, random, sizeof(random));
    struct ag_str origin = s->o->origin ? ag_str_z(s->o->origin) : ag_str_of(random_name, b.n);
    enum agr_audit_result r = open_key(s, s->o->key_file, dir, "checkpoint.key", origin, &s->key);
    if (r != AGR_AUDIT_OK)
        return r;
    if (s->o->origin && strcmp(s->o->origin, s->key.key.name) != 0)
        return seq_fail(s, AGR_AUDIT_REFUSED, "the checkpoint key is named %s, not %s", s->key.key.name,
                        s->o->origin);
    snprintf(name, sizeof(name), "%s/row", s->key.key.name);
    r = open_key(s, s->o->row_key_file, dir, "row.key", ag_str_z(name), &s->row_key);
    if (r == AGR_AUDIT_OK && s->o->old_key_file) {
        r = read_key(s, s->o->old_key_file, &s->old_key);
        s->has_old_key = r == AGR_AUDIT_OK;
        if (r == AGR_AUDIT_NOT_FOUND)
            r = seq_fail(s, AGR_AUDIT_REFUSED, "there is no old key file %s", s->o->old_key_file);
    }
    return r;
}

// --- keys.note
// ---------------------------------------------------------------------------------------------------

static void
put_line(struct ag_buf *b, const char *what, const struct agr_note_key *k)
{
    ag_buf_time(b, seq_now_ns(), 9);
    ag_buf_str(b, ag_str_z(what));
    agr_vkey_format(k, b);
    ag_buf_char(b, '\n');
}

static bool
lists_key(struct ag_str text, const struct agr_note_key *k)
{
    char line[AGR_VKEY_SIZE];
    struct ag_buf b;
    ag_buf_init(&b, line, sizeof(line));
    agr_vkey_format(k, &b);
    ag_buf_char(&b, '\n');
    return memmem(text.p, text.n, line, b.n) != NULL;
}

enum agr_audit_result
seq_keys_note(struct sequencer *s)
{
    char mem[AGR_NOTE_MAX / 2], note[AGR_NOTE_MAX / 2];
    size_t n = 0;
    struct ag_buf b, out;
    struct agr_note_key keys[2] = {s->key.key, s->old_key.key};
    ag_buf_init(&b, mem, sizeof(mem));
    uint8_t *have = agr_file_read(s->log_fd, "keys.note", AGR_NOTE_MAX / 2, &n);
    if (have) {
        struct ag_str text;
        enum agr_note_status st =
            agr_note_open(ag_str_of((char *)have, n), keys, s->has_old_key ? 2 : 1, &text);
        if (st == AGR_NOTE_OK)
            ag_buf_str(&b, text);
        free(have);
        if (st != AGR_NOTE_OK)
            return seq_fail(
                s, AGR_AUDIT_REFUSED,
                "LOG/keys.note %s: the log belongs to another key (after a rotation give the old key too)",
                agr_note_status_text(st));
    } else {
        ag_buf_str(&b, ag_str_z(s->key.key.name));
        ag_buf_lit(&b, "/keys\n");
    }
    size_t before = b.n;
    if (!lists_key(ag_str_of(mem, b.n), &s->key.key))
        put_line(&b, " add checkpoint ", &s->key.key);
    if (!lists_key(ag_str_of(mem, b.n), &s->row_key.key))
        put_line(&b, " add row ", &s->row_key.key);
    if (b.n == before)
        return AGR_AUDIT_OK;
    const struct agr_note_signer *signers[2] = {&s->key, &s->old_key};
    ag_buf_init(&out, note, sizeof(note));
    agr_note_sign(signers, s->has_old_key ? 2 : 1, ag_str_of(mem, b.n), &out);
    if (b.is_full || out.is_full || !agr_file_replace(s->log_fd, "keys.note", note, out.n, true))
        return seq_fail(s, AGR_AUDIT_SYSTEM, "cannot write LOG/keys.note: %s", strerror(errno));
    return AGR_AUDIT_OK;
}
