// SPDX-License-Identifier: Apache-2.0
// Kernel, processor, clocks, limits and privileges of this machine and user. In: /proc, /sys, system calls.
// Out: items. Next file to read: doctor_measure.c.
#include "doctor.h"

#include "crypto.h"
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FILES_WANTED   4096u // descriptors: connections of one worker, its journal and state
#define BACKLOG_WANTED 1024

// First line of a small file, without its end; "" when it cannot be read.
static void
read_line(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd == -1 ? 0 : read(fd, out, size - 1);
    if (fd != -1)
        close(fd);
    out[n > 0 ? n : 0] = 0;
    out[strcspn(out, "\n")] = 0;
}

static void
kernel(struct agr_doctor *d)
{
    struct utsname u;
    char actions[256];
    int major = 0, minor = 0;
    uname(&u);
    bool is_read = sscanf(u.release, "%d.%d", &major, &minor) == 2;
    bool is_old = !is_read || major < 4 || (major == 4 && minor < 5);
    agr_doctor_say(d, "machine", "kernel", is_old ? AGR_ITEM_FAIL : AGR_ITEM_PASS, "%s %s%s", u.sysname,
                   u.release, is_old ? ": 4.5 or later is needed (EPOLLEXCLUSIVE)" : "");
    int fd = memfd_create("doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool is_sealed = fd != -1 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
    agr_doctor_say(d, "machine", "sealed memory", is_sealed ? AGR_ITEM_PASS : AGR_ITEM_FAIL, "%s",
                   is_sealed ? "memfd with seals" : strerror(errno));
    if (fd != -1)
        close(fd);
    read_line("/proc/sys/kernel/seccomp/actions_avail", actions, sizeof actions);
    bool has_filter = strstr(actions, "kill_process") != NULL;
    agr_doctor_say(d, "machine", "seccomp", has_filter ? AGR_ITEM_PASS : AGR_ITEM_WARN, "%s",
                   has_filter ? "workers can be confined" : "no filters here: serve needs --no-sandbox");
}

static void
processor(struct agr_doctor *d)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
#if defined(__x86_64__)
    bool has_sse42 = __builtin_cpu_supports("sse4.2") != 0, has_avx2 = __builtin_cpu_supports("avx2") != 0;
    agr_doctor_say(d, "machine", "processor", AGR_ITEM_PASS, "%d usable, sse4.2 %s, avx2 %s", n,
                   has_sse42 ? "yes" : "no", has_avx2 ? "yes" : "no");
#else
    agr_doctor_say(d, "machine", "processor", AGR_ITEM_PASS, "%d usable", n);
#endif
}

static void
clocks(struct agr_doctor *d)
{
    char source[64];
    struct timex t = {.modes = 0};
    read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", source, sizeof source);
    bool is_fast = strcmp(source, "tsc") == 0 || strcmp(source, "arch_sys_counter") == 0 ||
                   strcmp(source, "kvm-clock") == 0;
    agr_doctor_say(d, "machine", "time source", is_fast ? AGR_ITEM_PASS : AGR_ITEM_WARN, "%s%s",
                   source[0] ? source : "unknown",
                   is_fast ? "" : ": reading the clock may need a system call in every decision");
    int state = adjtimex(&t);
    bool is_synced = state != -1 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
    agr_doctor_say(d, "machine", "clock", is_synced ? AGR_ITEM_PASS : AGR_ITEM_WARN, "%s",
                   is_synced ? "synchronised"
                             : "the kernel does not call it synchronised: rules about hours follow it");
}

static void
limits(struct agr_doctor *d)
{
    struct rlimit r;
    char backlog[32];
    if (getrlimit(RLIMIT_NOFILE, &r) == 0)
        agr_doctor_say(d, "limits", "open files", r.rlim_cur >= FILES_WANTED ? AGR_ITEM_PASS : AGR_ITEM_WARN,
                       "%llu%s", (unsigned long long)r.rlim_cur,
                       r.rlim_cur >= FILES_WANTED ? "" : ": raise it to 4096 (LimitNOFILE=, ulimit -n)");
    read_line("/proc/sys/net/core/somaxconn", backlog, sizeof backlog);
    long n = strtol(backlog, NULL, 10);
    agr_doctor_say(d, "limits", "listen backlog", n >= BACKLOG_WANTED ? AGR_ITEM_PASS : AGR_ITEM_WARN,
                   "net.core.somaxconn=%ld%s", n,
                   n >= BACKLOG_WANTED ? "" : ": bursts of connections may be refused");
}

static void
privileges(struct agr_doctor *d)
{
    char line[256] = "";
    unsigned long long caps = 0;
    struct statvfs root;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "CapEff: %llx", &caps) == 1)
            break;
    if (f)
        fclose(f);
    bool is_root = geteuid() == 0;
    agr_doctor_say(d, "security", "user", is_root ? AGR_ITEM_WARN : AGR_ITEM_PASS, "uid %u%s",
                   (unsigned)geteuid(), is_root ? ": run the server as a user of its own" : "");
    agr_doctor_say(d, "security", "capabilities", caps ? AGR_ITEM_WARN : AGR_ITEM_PASS, "%s",
                   caps ? "there are some: none are needed (cap_drop: ALL)" : "none");
    bool is_read_only = statvfs("/", &root) == 0 && (root.f_flag & ST_RDONLY);
    agr_doctor_say(d, "security", "root file system", is_read_only ? AGR_ITEM_PASS : AGR_ITEM_WARN, "%s",
                   is_read_only ? "read-only" : "writable: two directories are all that the server writes");
}

static void
programs(struct agr_doctor *d)
{
    int fd = -1, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const char *args[] = {"--version", NULL};
    bool ok = agr_compile(NULL, args, null, &fd) == 0;
    if (fd != -1)
        close(fd);
    if (null != -1)
        close(null);
    agr_doctor_say(d, "machine", "aegisc", ok ? AGR_ITEM_PASS : AGR_ITEM_FAIL, "%s",
                   ok ? "found and runs in its jail"
                      : "not found beside aegis or on PATH, or its jail is refused");
    agr_doctor_say(d, "machine", "cryptography", ag_crypto_init() ? AGR_ITEM_PASS : AGR_ITEM_FAIL,
                   "libsodium");
}

void
agr_doctor_machine(struct agr_doctor *d)
{
    kernel(d);
    processor(d);
    clocks(d);
    programs(d);
    limits(d);
    privileges(d);
}
