// SPDX-License-Identifier: Apache-2.0
// From a path to a policy: images are opened; YAML goes through aegisc first, in a child that may do nothing
// but compile. In: a path. Out: struct aegis_policy. The child's output is a memfd, so nothing is left on
// disk. Next file to read: compiler/main.c for the child, runtime/host/open.c for the image.
#include "cmd.h"

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

// Opens what the compiler wrote and closes its descriptor.
static struct aegis_policy *
open_compiled(int fd, const char *name, const struct aegis_policy_options *options)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_policy *p = NULL;
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
    if (aegis_policy_open_fd(fd, options, &p, &e) != AEGIS_OK)
        agr_die(0, "%s: %s", name, e.text);
    close(fd);
    return p;
}

struct aegis_policy *
agr_load(const char *path, const struct aegis_policy_options *options, int *ret_exit)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_policy *p = NULL;
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (agr_is_source(path)) {
        int fd = -1;
        const char *args[] = {"-o", "-", path, NULL};
        int code = agr_compile(NULL, args, -1, &fd);
        if (code != 0) {
            *ret_exit =
                code < 0 ? agr_die(AGR_EXIT_UNAVAILABLE, "%s: the compiler did not finish", path) : code;
            return NULL;
        }
        return open_compiled(fd, path, options);
    }
    enum aegis_status s = aegis_policy_open(path, options, &p, &e);
    if (s == AEGIS_IO)
        agr_die(0, "%s", e.text); // it names the file
    else if (s != AEGIS_OK)
        agr_die(0, "%s: %s", path, e.text);
    return p;
}

struct aegis_policy *
agr_load_text(struct ag_str text, const char *name, int *ret_exit)
{
    char dir[] = "/tmp/aegis-XXXXXX", path[sizeof dir + 260];
    const char *slash = strrchr(name, '/');
    struct aegis_policy *p = NULL;
    int fd = -1;
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (!mkdtemp(dir)) {
        agr_die(0, "%s: %s", dir, strerror(errno));
        return NULL;
    }
    snprintf(path, sizeof path, "%s/%s", dir, slash ? slash + 1 : name);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = file != -1 && write(file, text.p, text.n) == (ssize_t)text.n;
    if (file != -1)
        close(file);
    if (!ok)
        agr_die(0, "%s: %s", path, strerror(errno));
    // Under its bare name: the same text gives the same image and the same messages wherever it lay.
    const char *args[] = {"-o", "-", path + strlen(dir) + 1, NULL};
    int code = ok ? agr_compile(dir, args, -1, &fd) : -1;
    unlink(path);
    rmdir(dir);
    if (code == 0)
        p = open_compiled(fd, name, NULL);
    else if (code > 0)
        *ret_exit = code;
    return p;
}

char *
agr_read_file(const char *path, size_t max, size_t *ret_n)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0, size = 65536;
    char *p = fd == -1 ? NULL : malloc(size);
    if (fd == -1)
        agr_die(0, "%s: %s", path, strerror(errno));
    while (p) {
        ssize_t got = read(fd, p + n, size - n - 1);
        if (got == -1 && errno == EINTR)
            continue;
        if (got <= 0) {
            if (got == -1) {
                agr_die(0, "%s: %s", path, strerror(errno));
                free(p);
                p = NULL;
            }
            break;
        }
        n += (size_t)got;
        if (n > max) {
            agr_die(0, "%s: more than %zu bytes", path, max);
            free(p);
            p = NULL;
        } else if (n + 1 == size) {
            char *more = realloc(p, size *= 2);
            if (!more)
                free(p);
            p = more;
        }
    }
    if (fd != -1 && !is_stdin)
        close(fd);
    if (p) {
        p[n] = 0;
        *ret_n = n;
    }
    return p;
}
