// SPDX-License-Identifier: Apache-2.0
// From a path to a policy: images are opened; YAML goes through aegisc first, in a child that may do nothing but compile.
// In: a path. Out: struct aegis_policy. The child's output is a memfd, so nothing is left on disk.
// Next file to read: compiler/main.c for the child, runtime/host/open.c for the image.
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPILE_MEMORY  (2ul << 30) // address space of the compiler child
#define COMPILE_SECONDS 120ul       // its processor time
#define ARGS_MAX        32

// aegisc beside this program, or where the build tree has it, or on PATH.
static void
exec_compiler(char *const *argv)
{
    char self[4096], path[4200];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = 0;
        char *slash = strrchr(self, '/');
        if (slash) {
            *slash = 0;
            snprintf(path, sizeof path, "%s/aegisc", self);
            execv(path, argv);
            snprintf(path, sizeof path, "%s/../../compiler/aegisc", self);
            execv(path, argv);
        }
    }
    execvp("aegisc", argv);
}

static void
limit(int what, unsigned long value)
{
    struct rlimit r = {value, value};
    setrlimit(what, &r);
}

// The child: no core file, bounded memory and time, no new privileges, input from nowhere.
static _Noreturn void
run_compiler(char *const *argv, int out)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, COMPILE_SECONDS);
#if !defined(__SANITIZE_ADDRESS__)
    limit(RLIMIT_AS, COMPILE_MEMORY);
#endif
    int null = open("/dev/null", O_RDONLY);
    if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
        _exit(AGR_EXIT_UNAVAILABLE);
    exec_compiler(argv);
    fprintf(stderr, "aegis: cannot run aegisc: %s; install it beside aegis or put it on PATH\n", strerror(errno));
    _exit(AGR_EXIT_UNAVAILABLE);
}

int
agr_compile(const char *const *args, int *ret_fd)
{
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t)"aegisc"};
    for (unsigned i = 0; args[i]; i++) {
        if (i == ARGS_MAX)
            return agr_die(-1, "too many arguments for aegisc");
        argv[i + 1] = (char *)(uintptr_t)args[i];
    }
    int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd == -1)
        return agr_die(-1, "memfd_create: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run_compiler(argv, fd);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    if (pid == -1 || !WIFEXITED(status)) {
        close(fd);
        return agr_die(-1, "the compiler did not finish");
    }
    if (WEXITSTATUS(status) != 0)
        close(fd);
    else
        *ret_fd = fd;
    return WEXITSTATUS(status);
}

static bool
is_image(const char *path)
{
    char magic[8] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    ssize_t n = read(fd, magic, sizeof magic);
    close(fd);
    return n == (ssize_t)sizeof magic && memcmp(magic, "AEGISIMG", 8) == 0;
}

static bool
is_source(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

struct aegis_policy *
agr_load(const char *path, const struct aegis_policy_options *options, int *ret_exit)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_policy *p = NULL;
    *ret_exit = AGR_EXIT_UNAVAILABLE;
    if (!is_image(path) && is_source(path)) {
        int fd = -1;
        const char *args[] = {"-o", "-", path, NULL};
        int code = agr_compile(args, &fd);
        if (code != 0) {
            *ret_exit = code < 0 ? AGR_EXIT_UNAVAILABLE : code;
            return NULL;
        }
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
        if (aegis_policy_open_fd(fd, options, &p, &e) != AEGIS_OK)
            agr_die(0, "%s: %s", path, e.text);
        close(fd);
        return p;
    }
    if (aegis_policy_open(path, options, &p, &e) != AEGIS_OK)
        agr_die(0, "%s: %s", path, e.text);
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
