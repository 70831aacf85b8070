// SPDX-License-Identifier: Apache-2.0
// The filter that closes behind a worker once everything is open: answers on descriptors it has, memory that
// is never executable, time, randomness, exit. Anything else ends the process; the parent says so and starts
// another. In: nothing. Out: an installed seccomp filter. Next file to read: worker.c.
#include "server.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>

// Sanitizers open /proc and make threads of their own: such builds run without the filter, and the suite of
// the server runs on the filtered build too.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

// What a worker does: its connections; policies and journal segments that arrive as descriptors (recvmsg,
// fstat, fcntl for seals, mmap, pread of an image's head); malloc; the clock when the vDSO cannot; a crash
// that reports itself.
static const int allowed[] = {
    SCMP_SYS(read),           SCMP_SYS(readv),       SCMP_SYS(write),        SCMP_SYS(writev),
    SCMP_SYS(sendto),         SCMP_SYS(sendmsg),     SCMP_SYS(recvfrom),     SCMP_SYS(recvmsg),
    SCMP_SYS(accept4),        SCMP_SYS(getsockopt),  SCMP_SYS(epoll_wait),   SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_ctl),      SCMP_SYS(close),       SCMP_SYS(shutdown),     SCMP_SYS(munmap),
    SCMP_SYS(mremap),         SCMP_SYS(madvise),     SCMP_SYS(brk),          SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),  SCMP_SYS(getrandom),   SCMP_SYS(fstat),        SCMP_SYS(newfstatat),
    SCMP_SYS(fcntl),          SCMP_SYS(lseek),       SCMP_SYS(pread64),      SCMP_SYS(getpid),
    SCMP_SYS(gettid),         SCMP_SYS(tgkill),      SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),   SCMP_SYS(sched_yield), SCMP_SYS(exit),         SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall)};

static int
build(scmp_filter_ctx f)
{
    int bad = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && !bad; i++)
        bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
    // Memory may be mapped and its protection changed, but never so that it can be executed.
    if (!bad)
        bad =
            seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (!bad)
        bad = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return bad ? bad : seccomp_load(f);
}

bool
agr_sandbox_worker(char *why, size_t why_size)
{
    if (HAS_SANITIZER)
        return true;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int bad = f ? build(f) : -ENOMEM;
    if (f)
        seccomp_release(f);
    if (!bad)
        return true;
    snprintf(why, why_size, "the system call filter cannot be installed (%s); --no-sandbox serves without it",
             strerror(-bad));
    return false;
}
