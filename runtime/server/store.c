// SPDX-License-Identifier: Apache-2.0
// Step 11: compile and verify policies in children that can do nothing else: bounded memory and time, no new
// privileges, no core file, no input. In: paths or bytes. Out: sealed, verified memfds. Next file to read:
// parent.c, which hands them to workers.
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_MEMORY  (3ul << 30) // address space of a child
#define CHILD_SECONDS 120ul       // its processor time

// An address sanitizer reserves terabytes of address space: its builds run without that limit.
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif
#ifndef HAS_SHADOW_MEMORY
#define HAS_SHADOW_MEMORY 0
#endif

#define SEALS       (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#define IMAGE_MAGIC "AEGISIMG"

void
agr_exec_compiler(char *const *argv)
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
limit(__rlimit_resource_t what, unsigned long value)
{
    struct rlimit r = {value, value};
    setrlimit(what, &r);
}

static void
jail(void)
{
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, CHILD_SECONDS);
    if (!HAS_SHADOW_MEMORY)
        limit(RLIMIT_AS, CHILD_MEMORY);
}

static _Noreturn void
run_compiler(const char *dir, char *const *argv, int out, int err)
{
    jail();
    if (dir && chdir(dir) == -1)
        _exit(3);
    int null = open("/dev/null", O_RDONLY);
    if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
        (err != -1 && dup2(err, STDERR_FILENO) == -1))
        _exit(3);
    agr_exec_compiler(argv);
    fprintf(stderr, "aegis: cannot run aegisc: %s; install it beside aegis or put it on PATH\n",
            strerror(errno));
    fflush(stderr);
    _exit(3);
}

// The child's exit code, or -1.
static int
wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) == -1)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
agr_compile(const char *dir, const char *const *args, int err_fd, int *ret_fd)
{
    size_t n = 0;
    while (args[n])
        n++;
    char **argv = calloc(n + 2, sizeof *argv);
    int fd = argv ? memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
    if (fd == -1) {
        free(argv);
        return -1;
    }
    argv[0] = (char *)(uintptr_t) "aegisc";
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = (char *)(uintptr_t)args[i];
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run_compiler(dir, argv, fd, err_fd);
    int code = pid == -1 ? -1 : wait_for(pid);
    free(argv);
    if (code == 0)
        *ret_fd = fd;
    else
        close(fd);
    return code;
}

bool
agr_is_source(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".rego") == 0);
}

static bool
fail(char *why, size_t n, const char *what, const char *detail)
{
    snprintf(why, n, "%s: %s", what, detail);
    return false;
}

// What the verifying child reports.
struct verdict {
    enum aegis_status status;
    struct agr_store_policy policy;
    char text[240];
};

static void
verify(int fd, const struct agr_store_options *o, struct verdict *v)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_policy_options po = {
        .size = sizeof po, .trusted_count = o->ntrust, .trusted = o->trust, .serial_min = o->serial_min};
    struct aegis_policy *p;
    v->status = aegis_policy_open_fd(fd, &po, &p, &e);
    if (v->status != AEGIS_OK) {
        memcpy(v->text, e.text, sizeof v->text);
        return;
    }
    struct aegis_policy_info info = {.size = sizeof info};
    aegis_policy_info(p, &info);
    v->policy.serial = info.serial;
    v->policy.rules = info.rules;
    memcpy(v->policy.digest, info.digest, sizeof v->policy.digest);
    aegis_policy_close(p);
}

// Verifies the sealed image in a child: bytes that could end the process end only that one.
static bool
verify_in_child(int fd, const struct agr_store_options *o, struct agr_store_policy *ret, char *why,
                size_t why_size)
{
    int pipe_fd[2];
    struct verdict v = {.status = AEGIS_IMAGE_INVALID};
    if (pipe2(pipe_fd, O_CLOEXEC) == -1)
        return fail(why, why_size, "pipe", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        jail();
        verify(fd, o, &v);
        _exit(write(pipe_fd[1], &v, sizeof v) == (ssize_t)sizeof v ? 0 : 3);
    }
    close(pipe_fd[1]);
    ssize_t n = 0;
    if (pid != -1)
        while ((n = read(pipe_fd[0], &v, sizeof v)) == -1 && errno == EINTR)
            ;
    close(pipe_fd[0]);
    int code = pid == -1 ? -1 : wait_for(pid);
    if (code != 0 || n != (ssize_t)sizeof v)
        return fail(why, why_size, "image", "the process that verified it ended without an answer");
    if (v.status != AEGIS_OK)
        return fail(why, why_size, "image", v.text);
    *ret = v.policy;
    ret->fd = fd;
    return true;
}

static bool
seal_and_verify(int fd, const struct agr_store_options *o, struct agr_store_policy *ret, char *why,
                size_t why_size)
{
    bool ok = fcntl(fd, F_ADD_SEALS, SEALS) == 0;
    if (!ok)
        fail(why, why_size, "seal", strerror(errno));
    ok = ok && verify_in_child(fd, o, ret, why, why_size);
    if (!ok)
        close(fd);
    return ok;
}

static bool
compile_and_verify(const char *dir, const char *path, const struct agr_store_options *o,
                   struct agr_store_policy *ret, char *why, size_t why_size)
{
    int fd = -1;
    const char *args[] = {"--all-documents", "-o", "-", path, NULL}; // for /v1/data
    // A memfd takes the compiler's messages, however many there are.
    int err = memfd_create("messages", MFD_CLOEXEC);
    if (err == -1)
        return fail(why, why_size, "memfd_create", strerror(errno));
    int code = agr_compile(dir, args, err, &fd);
    ssize_t n = code == 0 ? 0 : pread(err, why, why_size - 1, 0);
    if (code == 0) { // warnings are for the operator
        char text[4096];
        off_t at = 0;
        ssize_t got;
        while ((got = pread(err, text, sizeof text, at)) > 0) {
            fwrite(text, 1, (size_t)got, stderr);
            at += got;
        }
    }
    close(err);
    if (code != 0) {
        why[n > 0 ? n : 0] = 0;
        return n > 0 ? false : fail(why, why_size, path, "the compiler did not finish");
    }
    return seal_and_verify(fd, o, ret, why, why_size);
}

// Copies a file into a memfd without looking at it.
static int
copy_to_memfd(const char *path, char *why, size_t why_size)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int to = from == -1 ? -1 : memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (to == -1) {
        fail(why, why_size, path, strerror(errno));
        if (from != -1)
            close(from);
        return -1;
    }
    char buf[65536];
    ssize_t n;
    bool ok = true;
    while (ok && (n = read(from, buf, sizeof buf)) != 0) {
        if (n == -1 && errno == EINTR)
            continue;
        ok = n > 0 && write(to, buf, (size_t)n) == n;
    }
    if (!ok) {
        fail(why, why_size, path, strerror(errno));
        close(to);
        to = -1;
    }
    close(from);
    return to;
}

bool
agr_store_load(const char *path, const struct agr_store_options *o, struct agr_store_policy *ret, char *why,
               size_t why_size)
{
    if (agr_is_source(path))
        return compile_and_verify(NULL, path, o, ret, why, why_size);
    int fd = copy_to_memfd(path, why, why_size);
    return fd != -1 && seal_and_verify(fd, o, ret, why, why_size);
}

bool
agr_store_load_bytes(struct ag_str bytes, const struct agr_store_options *o, struct agr_store_policy *ret,
                     char *why, size_t why_size)
{
    if (bytes.n >= 8 && memcmp(bytes.p, IMAGE_MAGIC, 8) == 0) {
        int fd = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd == -1)
            return fail(why, why_size, "memfd_create", strerror(errno));
        if (write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n) {
            close(fd);
            return fail(why, why_size, "memfd", strerror(errno));
        }
        return seal_and_verify(fd, o, ret, why, why_size);
    }
    char dir[4096], path[sizeof dir + 16];
    snprintf(dir, sizeof dir, "%s/put-XXXXXX", o->work_dir ? o->work_dir : "/tmp");
    if (!mkdtemp(dir))
        return fail(why, why_size, dir, strerror(errno));
    snprintf(path, sizeof path, "%s/policy.yaml", dir);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = file != -1 && write(file, bytes.p, bytes.n) == (ssize_t)bytes.n;
    if (file != -1)
        close(file);
    // Under its bare name, so that the same text gives the same digest on every replica.
    ok = ok ? compile_and_verify(dir, "policy.yaml", o, ret, why, why_size)
            : fail(why, why_size, path, strerror(errno));
    unlink(path);
    rmdir(dir);
    return ok;
}

bool
agr_store_keep(int fd, const char *path)
{
    char temporary[4096], dir[4096];
    struct stat st;
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary ||
        fstat(fd, &st) == -1)
        return false;
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash)
        *slash = 0;
    int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to == -1)
        return false;
    char buf[65536];
    bool ok = true;
    for (off_t at = 0; ok && at < st.st_size;) {
        ssize_t n = pread(fd, buf, sizeof buf, at);
        ok = n > 0 && write(to, buf, (size_t)n) == n;
        at += n;
    }
    ok = ok && fdatasync(to) == 0;
    close(to);
    ok = ok && rename(temporary, path) == 0;
    int d = ok ? open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    ok = d != -1 && fsync(d) == 0;
    if (d != -1)
        close(d);
    return ok;
}
