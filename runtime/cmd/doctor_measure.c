// SPDX-License-Identifier: Apache-2.0
// Measures what latency depends on: a decision in process, and a sync of the disk under the log. Says what to
// expect. In: a directory. Out: items with figures of this machine at this moment; they are shown, never
// judged by a limit that would depend on it, except for disks that are no disks. Next file to read:
// doctor_setup.c.
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define SYNCS        32u
#define SYNC_BYTES   4096u
#define DECISIONS    20000u
#define SLOW_SYNC_NS 20000000ll // answers at level durable would take longer than most callers wait
#define SPACE_WANTED ((256ull + 64) << 20) // audit.backlog_max and the reserve
#define TMPFS_MAGIC_ 0x01021994l           // linux/magic.h
#define NFS_MAGIC_   0x6969l

static const char policy[] =
    "version: \"1\"\n"
    "defaults: {risk_level: medium, approval: block}\n"
    "rules:\n"
    "  - {name: reads, match: {type: \"read*\"}, risk_level: low, approval: auto}\n"
    "  - name: payments\n"
    "    match: {type: \"payment*\"}\n"
    "    conditions: {param_gt: {amount: 1000}}\n"
    "    risk_level: high\n"
    "    approval: approve\n"
    "  - {name: deletes, match: {type: \"delete*\"}, risk_level: critical, approval: block}\n"
    "limits:\n"
    "  - {name: per-agent, key: [tenant, agent], rate: 1000000/s, burst: 1000000}\n";
static const char action[] = "{\"type\":\"payment\",\"target\":\"acme\",\"tenant\":\"t\",\"agent\":\"a\","
                             "\"params\":{\"amount\":1200,\"currency\":\"EUR\"}}";

static int64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

// Appends and syncs SYNCS times; false with errno.
static bool
measure_syncs(int fd, int64_t ns[SYNCS])
{
    static char block[SYNC_BYTES];
    for (unsigned i = 0; i < SYNCS; i++) {
        int64_t from = now_ns();
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) == -1)
            return false;
        ns[i] = now_ns() - from;
    }
    qsort(ns, SYNCS, sizeof *ns, by_value);
    return true;
}

static void
disk(struct agr_doctor *d, int64_t *ret_sync_ns)
{
    char path[4096];
    int64_t ns[SYNCS];
    struct statfs fs;
    struct statvfs space;
    *ret_sync_ns = 0;
    int n = snprintf(path, sizeof path, "%s/.aegis-doctor-XXXXXX", d->dir);
    int fd = n > 0 && (size_t)n < sizeof path ? mkostemp(path, O_CLOEXEC) : -1;
    if (fd == -1) {
        agr_doctor_say(d, "disk", "log directory", AGR_ITEM_FAIL, "%s: %s", d->dir, strerror(errno));
        return;
    }
    unlink(path);
    if (fstatfs(fd, &fs) == 0) {
        bool is_memory = fs.f_type == TMPFS_MAGIC_, is_remote = fs.f_type == NFS_MAGIC_;
        agr_doctor_say(d, "disk", "file system", is_memory || is_remote ? AGR_ITEM_WARN : AGR_ITEM_PASS,
                       "type %lx%s", (unsigned long)fs.f_type,
                       is_memory   ? ": in memory, a log here is gone with the host"
                       : is_remote ? ": a network file system, its syncs promise less"
                                   : "");
    }
    if (fstatvfs(fd, &space) == 0) {
        unsigned long long have = (unsigned long long)space.f_bavail * space.f_frsize;
        agr_doctor_say(d, "disk", "free space", have >= SPACE_WANTED ? AGR_ITEM_PASS : AGR_ITEM_WARN,
                       "%llu MiB%s", have >> 20,
                       have >= SPACE_WANTED ? "" : ": less than backlog and reserve (320 MiB)");
    }
    if (measure_syncs(fd, ns)) {
        *ret_sync_ns = ns[SYNCS / 2];
        agr_doctor_say(d, "disk", "sync", *ret_sync_ns > SLOW_SYNC_NS ? AGR_ITEM_WARN : AGR_ITEM_PASS,
                       "4 KiB written and synced: median %.3f ms, worst %.3f ms of %u",
                       (double)*ret_sync_ns / 1e6, (double)ns[SYNCS - 1] / 1e6, SYNCS);
    } else {
        agr_doctor_say(d, "disk", "sync", AGR_ITEM_FAIL, "%s: %s", d->dir, strerror(errno));
    }
    close(fd);
}

static bool
measure_decisions(struct agr_sim *sim, int64_t *ns)
{
    struct aegis_error e = {.size = sizeof e};
    struct aegis_decision dec = {.size = sizeof dec};
    for (unsigned i = 0; i < DECISIONS; i++) {
        int64_t from = now_ns();
        if (aegis_ctx_decide_json(sim->ctx, sim->slot, "decide", action, sizeof action - 1, &dec, &e) !=
            AEGIS_OK)
            return false;
        ns[i] = now_ns() - from;
    }
    qsort(ns, DECISIONS, sizeof *ns, by_value);
    return true;
}

static void
decisions(struct agr_doctor *d, int64_t sync_ns)
{
    int code;
    struct agr_sim sim;
    int64_t *ns = malloc(DECISIONS * sizeof *ns);
    struct aegis_policy *p = ns ? agr_load_text(AG_STR(policy), "the policy that is measured", &code) : NULL;
    if (!p || !agr_sim_open(&sim, p, 0)) {
        agr_doctor_say(d, "speed", "decision", AGR_ITEM_FAIL,
                       "a small policy cannot be compiled and opened here");
        free(ns);
        return;
    }
    if (measure_decisions(&sim, ns)) {
        int64_t half = ns[DECISIONS / 2], tail = ns[DECISIONS / 100 * 99];
        agr_doctor_say(d, "speed", "decision", AGR_ITEM_PASS,
                       "from JSON, three rules and a limit, in process, not journaled: median %lld ns, 99%% "
                       "within %lld ns",
                       (long long)half, (long long)tail);
        agr_doctor_say(d, "speed", "expect, journaled", AGR_ITEM_PASS,
                       "in process about %.1f us; over a socket that and the socket", (double)half / 1e3);
        if (sync_ns)
            agr_doctor_say(d, "speed", "expect, durable", AGR_ITEM_PASS, "one sync more: about %.1f ms",
                           (double)sync_ns / 1e6);
    } else {
        agr_doctor_say(d, "speed", "decision", AGR_ITEM_FAIL, "a small action is not decided here");
    }
    agr_sim_close(&sim);
    free(ns);
}

void
agr_doctor_measure(struct agr_doctor *d)
{
    int64_t sync_ns;
    disk(d, &sync_ns);
    decisions(d, sync_ns);
}
