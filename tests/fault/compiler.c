// SPDX-License-Identifier: Apache-2.0
// aegisc when the machine fails it: each allocation in turn, a disk that is full, a directory that takes no
// file. compiler AEGISC AEGISC-NOMEM POLICY...: the second program is aegisc with the allocator of nomem.h.
// What must hold: a message and exit code 1 or 3, never a crash, no file left, and an image that was there
// before stays as it was. In: programs and policies. Out: TAP. Memory: its own. Next file to read: nomem.h.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <dirent.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

#define ALL_RUNS_MAX                                                                                         \
    400u // allocations up to which each one fails; further ones are sampled unless AEGIS_LONG is set
#define SAMPLES 200u

static char dir[64], out[96], said[8192];

struct limits {
    unsigned long nomem_at;
    bool nomem_after, has_failed;
    long file_max; // bytes of a file, -1 unlimited
    uid_t uid;     // 0: as we are
};

static void
become(const struct limits *l, int tell)
{
    char text[32];
    snprintf(text, sizeof text, "%lu", l->nomem_at);
    setenv("NOMEM_AT", text, 1);
    snprintf(text, sizeof text, "%d", tell);
    setenv("NOMEM_FD", text, 1);
    if (l->nomem_after)
        setenv("NOMEM_AFTER", "1", 1);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (l->file_max >= 0) {
        struct rlimit r = {(rlim_t)l->file_max, (rlim_t)l->file_max};
        setrlimit(RLIMIT_FSIZE, &r);
        signal(SIGXFSZ, SIG_IGN);
    }
    if (l->uid && setuid(l->uid) != 0)
        _exit(126);
}

// Runs argv; returns the exit code or 1000 + signal, fills `said` with standard error. Standard output goes
// to `to`.
static int
run(struct limits *l, const char *to, char *const argv[])
{
    int err[2], tell[2], status;
    if (pipe(err) != 0 || pipe(tell) != 0)
        exit(1);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(to, O_WRONLY);
        dup2(fd, 1);
        dup2(err[1], 2);
        close(err[0]);
        close(err[1]);
        close(tell[0]);
        become(l, tell[1]);
        execv(argv[0], argv);
        _exit(127);
    }
    close(err[1]);
    close(tell[1]);
    size_t n = 0;
    ssize_t got;
    char rest[512];
    while ((got = read(err[0], n < sizeof said - 1 ? said + n : rest,
                       n < sizeof said - 1 ? sizeof said - 1 - n : sizeof rest)) > 0)
        n += n < sizeof said - 1 ? (size_t)got : 0;
    said[n] = '\0';
    l->has_failed = read(tell[0], rest, 1) == 1;
    close(err[0]);
    close(tell[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int
compile(struct limits *l, const char *program, const char *policy, const char *to)
{
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)policy, (char[]){"-o"},
                    (char *)(uintptr_t)to, NULL};
    return run(l, "/dev/null", argv);
}

static unsigned
files_in(const char *path)
{
    unsigned n = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static size_t
slurp(const char *path, char *mem, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(mem, 1, size, f) : 0;
    if (f)
        fclose(f);
    return n;
}

static bool
same_file(const char *path, const char *want, size_t n)
{
    static char mem[1 << 20];
    return slurp(path, mem, sizeof mem) == n && memcmp(mem, want, n) == 0;
}

// One run with the n-th allocation failing. False: something was not as promised. *ret_is_past: none failed.
static bool
nomem_run(const char *program, const char *policy, unsigned long at, bool and_after, const char *good,
          size_t good_n, int want, bool *ret_is_past, unsigned *survived)
{
    struct limits l = {.nomem_at = at, .nomem_after = and_after, .file_max = -1};
    unlink(out);
    int code = compile(&l, program, policy, out);
    *ret_is_past = !l.has_failed;
    bool ok;
    if (code == 0) { // what failed could be done without: the buffer of a stream, the name of the language
        ok = same_file(out, good, good_n);
        *survived += l.has_failed;
    } else {
        ok = (l.has_failed || code == want) && (code == 1 || code == 3) && strchr(said, '\n') &&
             access(out, F_OK) != 0;
    }
    unlink(out);
    ok = ok && files_in(dir) == 0 && !strstr(said, "Sanitizer");
    if (!ok)
        printf("# allocation %lu%s: exit %d, %u files, said: %.300s\n", at, and_after ? " and after" : "",
               code, files_in(dir), said);
    return ok;
}

static void
test_nomem(const char *program, const char *policy)
{
    static char good[1 << 20];
    struct limits l = {.file_max = -1};
    const char *name = strrchr(policy, '/') ? strrchr(policy, '/') + 1 : policy;
    bool is_long = getenv("AEGIS_LONG") != NULL, is_past = false, ok = true;
    unsigned survived = 0;
    int want = compile(&l, program, policy, out); // a policy with errors is told so when nothing fails
    if (!OK(want == 0 || (want == 1 && strstr(said, "error[")), "%s is read to its end when nothing fails",
            name)) {
        printf("# %s\n", said);
        return;
    }
    size_t n = slurp(out, good, sizeof good);
    unsigned long at = 1, step = 1, runs = 0;
    for (; !is_past && ok; at += step, runs++) {
        ok = nomem_run(program, policy, at, false, good, n, want, &is_past, &survived);
        if (ok && !is_past && runs % 8 == 0) {
            bool past_too;
            ok = nomem_run(program, policy, at, true, good, n, want, &past_too, &survived);
        }
        if (!is_long && runs > ALL_RUNS_MAX)
            step = 1 + runs / SAMPLES * 3;
    }
    OK(ok && runs > 3,
       "%s: every allocation that fails ends in a message, no file (%lu runs, %lu allocations, %u could be "
       "done "
       "without)",
       name, runs, at, survived);
}

// --- files

static void
make_old(const char *path)
{
    FILE *f = fopen(path, "wb");
    fputs("the old image", f);
    fclose(f);
}

static void
test_disk_full(const char *aegisc, const char *policy)
{
    char place[96], path[128];
    snprintf(place, sizeof place, "%s/full", dir);
    mkdir(place, 0755);
    snprintf(path, sizeof path, "%s/policy.bin", place);
    struct limits l = {.file_max = -1};
    if (mount("none", place, "tmpfs", 0, "size=4k,mode=755") == 0) {
        int code = compile(&l, aegisc, policy, path);
        OK(code == 3 && strstr(said, path) && strstr(said, strerror(ENOSPC)),
           "a full disk: exit 3, path and reason are named");
        OK(files_in(place) == 0, "a full disk: no part of the image stays");
        umount(place);
    } else {
        t_skip("a full disk: only root may mount one");
    }
    rmdir(place);
    make_old(out);
    l.file_max = 1000;
    int code = compile(&l, aegisc, policy, out);
    OK(code == 3 && strstr(said, out) && strstr(said, strerror(EFBIG)),
       "a short write: exit 3, path and reason are named");
    OK(files_in(dir) == 1 && same_file(out, "the old image", 13),
       "a short write: the old image is untouched");
    unlink(out);
}

static void
test_directory(const char *aegisc, const char *policy)
{
    char place[96], path[128];
    struct limits l = {.file_max = -1, .uid = geteuid() == 0 ? 65534 : 0};
    snprintf(place, sizeof place, "%s/shut", dir);
    mkdir(place, 0755);
    snprintf(path, sizeof path, "%s/policy.bin", place);
    make_old(path);
    chmod(dir, 0755);
    chmod(place, 0555);
    int code = compile(&l, aegisc, policy, path);
    if (code == 126 || code == 127)
        t_skip("a shut directory: no other user can run the program here");
    else
        OK(code == 3 && strstr(said, path) && strstr(said, strerror(EACCES)),
           "a directory that may not be written: exit 3, "
           "path and reason are named");
    OK(files_in(place) == 1 && same_file(path, "the old image", 13),
       "a directory that may not be written: nothing changed");
    chmod(place, 0755);
    unlink(path);
    l.uid = 0;
    snprintf(path, sizeof path, "%s/nowhere/policy.bin", place);
    OK(compile(&l, aegisc, policy, path) == 3 && strstr(said, strerror(ENOENT)),
       "a directory that is not there: exit 3");
    OK(compile(&l, aegisc, policy, place) == 3 && strstr(said, place),
       "a directory in place of a file: exit 3");
    OK(files_in(place) == 0, "none of them left a file");
    rmdir(place);
}

static void
test_replace(const char *aegisc, const char *policy)
{
    struct stat before, after;
    struct limits l = {.file_max = -1};
    make_old(out);
    int fd = open(out, O_RDONLY);
    char text[16];
    OK(fd != -1 && compile(&l, aegisc, policy, out) == 0 && fstat(fd, &before) == 0 &&
           stat(out, &after) == 0 && before.st_ino != after.st_ino && read(fd, text, sizeof text) == 13 &&
           memcmp(text, "the old image", 13) == 0,
       "an image is replaced by a new file: who had the old one open still reads it whole");
    close(fd);
    OK(files_in(dir) == 1, "nothing else stays beside it");
    unlink(out);
    // A null and a full device of our own: a mistake must not cost the machine its own.
    char null[128], full[128];
    snprintf(null, sizeof null, "%s/null", dir);
    snprintf(full, sizeof full, "%s/full", dir);
    fd = mknod(null, S_IFCHR | 0666, makedev(1, 3)) == 0 ? open(null, O_WRONLY) : -1;
    if (fd == -1 || mknod(full, S_IFCHR | 0666, makedev(1, 7)) != 0) {
        t_skip("devices: only root may make one");
    } else {
        OK(compile(&l, aegisc, policy, null) == 0 && stat(null, &after) == 0 && S_ISCHR(after.st_mode),
           "a device is written, not replaced");
        OK(compile(&l, aegisc, policy, full) == 3 && strstr(said, full) && stat(full, &after) == 0 &&
               S_ISCHR(after.st_mode),
           "a device that is full: exit 3");
    }
    close(fd);
    unlink(null);
    unlink(full);
}

// What is printed instead of written.
static void
test_stdout(const char *aegisc, const char *policy)
{
    static const char *const how[] = {"--emit=asm", "--stats", "-o-", "--help"};
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        struct limits l = {.file_max = -1};
        char *argv[] = {(char *)(uintptr_t)aegisc,
                        (char *)(uintptr_t)policy,
                        (char *)(uintptr_t)how[i],
                        (char[]){"-o"},
                        out,
                        NULL};
        if (strcmp(how[i], "-o-") == 0)
            argv[3] = NULL;
        int code = run(&l, "/dev/full", argv);
        OK(code == 3 && strstr(said, "standard output") && access(out, F_OK) != 0,
           "%s into a full device: exit 3, said so, no image", how[i]);
        unlink(out);
    }
}

int
main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    snprintf(dir, sizeof dir, "%s/agf-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    snprintf(out, sizeof out, "%s/policy.bin", dir);
    test_disk_full(argv[1], argv[3]);
    test_directory(argv[1], argv[3]);
    test_replace(argv[1], argv[3]);
    test_stdout(argv[1], argv[3]);
    for (int i = 3; i < argc; i++)
        test_nomem(argv[2], argv[i]);
    OK(rmdir(dir) == 0, "nothing is left behind");
    return t_done();
}
