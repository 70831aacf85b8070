// SPDX-License-Identifier: Apache-2.0
// Who asks: API keys of the data plane and tokens of admin, both stored as SHA-256 and compared in constant
// time; peers of a Unix socket by their uid. In: key files, a request. Out: tenant and agent, or role and
// name. Memory: one mapping per file, locked, left out of core dumps. Next file to read: data.c, admin.c.
#include "server.h"

#include "crypto.h"
#include "log.h"
#include "sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS_MAX   65536u
#define LINE_BYTES 1024

struct agr_api_key {
    uint8_t hash[32];
    char tenant[AGR_IDENTITY_NAME_MAX + 1], agent[AGR_IDENTITY_NAME_MAX + 1];
};
struct agr_admin_token {
    uint8_t hash[32];
    enum agr_role role;
    char name[AGR_IDENTITY_NAME_MAX + 1];
};

static const char *const role_text[] = {"none", "viewer", "auditor", "operator", "security", "admin"};

const char *
agr_role_text(enum agr_role role)
{
    return role_text[role];
}

// Memory for secrets: locked when the limit allows it, never in a core dump.
static void *
secret_pages(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, n, MADV_DONTDUMP);
    if (mlock(p, n) == -1)
        agr_log(AGR_LOG_WARNING, "key hashes cannot be locked in memory (%s): they may reach swap",
                strerror(errno));
    return p;
}

static bool
hex_to(const char *s, uint8_t ret[32])
{
    if (strlen(s) != 64)
        return false;
    for (size_t i = 0; i < 64; i++) {
        char c = s[i];
        int v = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (v < 0)
            return false;
        ret[i / 2] = (uint8_t)(i % 2 ? ret[i / 2] | v : v << 4);
    }
    return true;
}

static void
take_word(char ret[AGR_IDENTITY_NAME_MAX + 1], const char *word)
{
    size_t n = strlen(word);
    memcpy(ret, word, n + 1);
}

// Splits a line into up to three words; returns how many, 4 when there are more. A '#' starts a comment.
static unsigned
words_of(char *line, char *word[3])
{
    unsigned n = 0;
    char *p = line;
    p[strcspn(p, "#\r\n")] = 0;
    for (;;) {
        p += strspn(p, " \t");
        if (!*p)
            return n;
        if (n == 3)
            return 4;
        word[n++] = p;
        p += strcspn(p, " \t");
        if (*p)
            *p++ = 0;
    }
}

// Calls `take` for every line that holds something. False with a message that names file and line.
static bool
each_line(const char *path, bool (*take)(void *arg, char *word[3], unsigned n), void *arg, const char *form,
          char *why, size_t why_size)
{
    char line[LINE_BYTES];
    FILE *f = fopen(path, "re");
    struct stat st;
    if (!f || fstat(fileno(f), &st) == -1) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        if (f)
            fclose(f);
        return false;
    }
    bool ok = true;
    if (st.st_mode & 07) {
        snprintf(why, why_size, "%s: everyone may read it; chmod 600 it", path);
        ok = false;
    }
    for (unsigned at = 1; ok && fgets(line, sizeof line, f); at++) {
        char *word[3];
        bool is_whole = strchr(line, '\n') || feof(f);
        unsigned n = words_of(line, word);
        if (n == 0 && is_whole)
            continue;
        ok = is_whole && n < 4 && take(arg, word, n);
        if (!ok)
            snprintf(why, why_size, "%s:%u: a line is \"%s\"", path, at, form);
    }
    ag_crypto_wipe(line, sizeof line);
    fclose(f);
    return ok;
}

static bool
count_line(void *arg, char *word[3], unsigned n)
{
    (void)word;
    (void)n;
    return ++*(uint32_t *)arg <= KEYS_MAX;
}

// --- data plane

struct keys {
    struct agr_api_key *key;
    uint32_t n;
};

static bool
take_key(void *arg, char *word[3], unsigned n)
{
    struct keys *k = arg;
    struct agr_api_key *key = &k->key[k->n];
    if (n < 2 || !hex_to(word[0], key->hash) || strlen(word[1]) > AGR_IDENTITY_NAME_MAX ||
        (n == 3 && strlen(word[2]) > AGR_IDENTITY_NAME_MAX))
        return false;
    take_word(key->tenant, word[1]);
    if (n == 3)
        take_word(key->agent, word[2]);
    k->n++;
    return true;
}

struct agr_api_key *
agr_keys_read(const char *path, uint32_t *ret_n, char *why, size_t why_size)
{
    static const char form[] = "SHA256-HEX TENANT [AGENT]";
    uint32_t lines = 0;
    struct keys k = {NULL, 0};
    if (!each_line(path, count_line, &lines, form, why, why_size))
        return NULL;
    if (lines == 0) {
        snprintf(why, why_size, "%s: it holds no key; a line is \"%s\"", path, form);
        return NULL;
    }
    size_t bytes = lines * sizeof *k.key;
    k.key = secret_pages(bytes);
    if (!k.key) {
        snprintf(why, why_size, "%s: out of memory", path);
        return NULL;
    }
    if (!each_line(path, take_key, &k, form, why, why_size)) {
        munmap(k.key, bytes);
        return NULL;
    }
    *ret_n = k.n;
    return k.key;
}

int
agr_keys_seal(const struct agr_api_key *keys, uint32_t n)
{
    size_t bytes = n * sizeof *keys;
    int fd = memfd_create("api-keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd == -1)
        return -1;
    if (pwrite(fd, keys, bytes, 0) == (ssize_t)bytes &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
        return fd;
    close(fd);
    return -1;
}

struct agr_api_key *
agr_keys_map(int fd, uint32_t *ret_n)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (fstat(fd, &st) == -1 || seals == -1 || !(seals & F_SEAL_WRITE) || !(seals & F_SEAL_SHRINK) ||
        st.st_size <= 0 || (size_t)st.st_size > KEYS_MAX * sizeof(struct agr_api_key) ||
        (size_t)st.st_size % sizeof(struct agr_api_key) != 0)
        return NULL;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, (size_t)st.st_size, MADV_DONTDUMP);
    *ret_n = (uint32_t)((size_t)st.st_size / sizeof(struct agr_api_key));
    return p;
}

void
agr_keys_free(struct agr_api_key *keys, uint32_t n)
{
    if (keys)
        munmap(keys, n * sizeof *keys);
}

// The credential of a request: "Authorization: Bearer X" or "X-Api-Key: X".
static struct ag_str
credential(const struct agr_request *r)
{
    struct ag_str a = agr_header_get(r, "authorization");
    if (a.n > 7 && agr_str_is_nocase(ag_str_of(a.p, 7), "Bearer "))
        return ag_str_of(a.p + 7, a.n - 7);
    return a.p ? ag_str_of("", 0) : agr_header_get(r, "x-api-key");
}

bool
agr_key_identify(const struct agr_api_key *keys, uint32_t n, const struct agr_request *r,
                 struct aegis_str *ret_tenant, struct aegis_str *ret_agent)
{
    struct ag_str secret = credential(r);
    const struct agr_api_key *found = NULL;
    uint8_t hash[32];
    if (!secret.n)
        return false;
    ag_sha256(secret.p, secret.n, hash);
    for (uint32_t i = 0; i < n; i++) // all of them, so that time says nothing about the place
        if (ag_crypto_equal(keys[i].hash, hash, sizeof hash))
            found = &keys[i];
    if (!found)
        return false;
    *ret_tenant = (struct aegis_str){found->tenant, strlen(found->tenant)};
    *ret_agent = (struct aegis_str){found->agent, strlen(found->agent)};
    return true;
}

// --- admin

static bool
take_token(void *arg, char *word[3], unsigned n)
{
    struct agr_admin_tokens *t = arg;
    struct agr_admin_token *token = &t->token[t->n];
    if (n != 3 || !hex_to(word[0], token->hash) || strlen(word[2]) > AGR_IDENTITY_NAME_MAX)
        return false;
    token->role = AGR_ROLE_NONE;
    for (unsigned role = AGR_ROLE_VIEWER; role <= AGR_ROLE_ADMIN; role++)
        if (strcmp(word[1], role_text[role]) == 0)
            token->role = (enum agr_role)role;
    if (token->role == AGR_ROLE_NONE)
        return false;
    take_word(token->name, word[2]);
    t->n++;
    return true;
}

bool
agr_tokens_read(const char *path, struct agr_admin_tokens *ret, char *why, size_t why_size)
{
    static const char form[] = "SHA256-HEX viewer|auditor|operator|security|admin NAME";
    struct agr_admin_tokens t = {NULL, 0, 0};
    uint32_t lines = 0;
    if (!each_line(path, count_line, &lines, form, why, why_size))
        return false;
    t.bytes = (lines + 1) * sizeof *t.token;
    t.token = secret_pages(t.bytes);
    if (!t.token) {
        snprintf(why, why_size, "%s: out of memory", path);
        return false;
    }
    if (!each_line(path, take_token, &t, form, why, why_size)) {
        munmap(t.token, t.bytes);
        return false;
    }
    if (ret->token)
        munmap(ret->token, ret->bytes);
    *ret = t;
    return true;
}

struct agr_admin_id
agr_admin_identify(const struct agr_admin_tokens *tokens, const struct agr_conn *c,
                   const struct agr_request *r)
{
    struct agr_admin_id id = {AGR_ROLE_NONE, "", 0};
    struct ag_str secret = credential(r);
    uint8_t hash[32];
    if (secret.n) {
        ag_sha256(secret.p, secret.n, hash);
        for (uint32_t i = 0; i < tokens->n; i++)
            if (ag_crypto_equal(tokens->token[i].hash, hash, sizeof hash)) {
                id.role = tokens->token[i].role;
                id.name_n = strlen(tokens->token[i].name);
                memcpy(id.name, tokens->token[i].name, id.name_n);
            }
        return id; // a wrong token is never made good by the socket it came over
    }
    // Root could become any uid: refusing it would only pretend to keep it out.
    if (c->on->is_unix && (c->peer_uid == geteuid() || c->peer_uid == 0)) {
        id.role = AGR_ROLE_ADMIN;
        id.name_n = (size_t)snprintf(id.name, sizeof id.name, "uid:%lu", (unsigned long)c->peer_uid);
    }
    return id;
}
